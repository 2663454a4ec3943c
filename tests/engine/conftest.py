"""Engines under test, in text and protobuf, and with the bytes delivered in every way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.peer import VERSIONS, EngineUnderTest

WAYS = ("whole", "glued", "bytes")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(params=WAYS)
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connected(version: int, how: str) -> Callable[..., EngineUnderTest]:
    """Make engines whose gateway is ready; bytes come in one of the ways, in one of the encodings."""

    def make(**kwargs: object) -> EngineUnderTest:
        return EngineUnderTest(version, how=how, **kwargs)  # type: ignore[arg-type]  # forwarded as they are

    return make
