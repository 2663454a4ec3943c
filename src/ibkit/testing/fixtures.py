"""The pytest fixtures. Must not know more than the public face of the library."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ibkit.ib import IB
from ibkit.paper import PaperGateway
from ibkit.testing.world import Virtual, virtual_world


@pytest.fixture
def gateway() -> Iterator[PaperGateway]:
    """A paper gateway on a free port: 10:00 New York of a Wednesday, always the same prices."""
    with PaperGateway(start="2024-01-10 10:00") as running:
        yield running


@pytest.fixture
def ib(gateway: PaperGateway) -> Iterator[IB]:
    """An IB that is connected to ``gateway`` as client 1."""
    connected = IB()
    connected.connect(gateway.host, gateway.port, clientId=1)
    yield connected
    connected.disconnect()


@pytest.fixture
def virtual() -> Iterator[Virtual]:
    """A world on a virtual clock, with a connected IB in it."""
    with virtual_world() as world:
        yield world
