"""Every story is played on every host, at every sampled server version, with the bytes cut in every way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.scenarios.stage import CUTS, HOSTS, VERSIONS, Story, World


@pytest.fixture(
    params=[(host, version, cut) for host in HOSTS for version in VERSIONS for cut in CUTS],
    ids=lambda param: "-".join(map(str, param)),
)
def world(request: pytest.FixtureRequest) -> World:
    return World(*request.param)


@pytest.fixture
def play(world: World) -> Callable[[Story], None]:
    return world.play
