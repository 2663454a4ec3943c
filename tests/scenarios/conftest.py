"""Every story is played in every place.

In the two places where the gateway lives in the thread of the client, at every sampled server version and with the
bytes cut in every way; in the others, at one version that speaks text and one that speaks protobuf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.scenarios.elsewhere import AwaitingCells, Cells
from tests.scenarios.places import PLACES, Asyncio, Blocking
from tests.scenarios.processes import kernel, qt, tk
from tests.scenarios.stage import CUTS, TEXT_AND_PROTOBUF, Cut, Place, Story, World

__all__ = ["kernel", "qt", "tk"]


class Stage:
    """A place, and what is special about this visit to it."""

    def __init__(self, place: Place, version: int, cut: Cut) -> None:
        self.place = place
        self.version = version
        self.cut: Cut = cut

    def play(self, story: Story) -> None:
        self.place.play(lambda: World(self.place, self.version, self.cut, story.limits, story.scripted), story)


class StageElsewhere:
    """A visit to a place that is another process."""

    def __init__(self, play: Callable[..., None], version: int, *how: str) -> None:
        self._play = play
        self.version = version
        self._how = how

    def play(self, story: Story) -> None:
        self._play(story, self.version, *self._how)


ELSEWHERE: dict[str, tuple[str, ...]] = {
    "qt": ("qt",),
    "tk": ("tk",),
    "notebook": ("kernel", Cells.name, "print(step())"),
    "notebook await": ("kernel", AwaitingCells.name, "print(await astep())"),
}
"""The fixture that plays there, and what it needs to be told."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" not in metafunc.fixturenames:
        return
    story: Story = metafunc.function.story
    stages: dict[str, Any] = {}
    for place in (Blocking, Asyncio):
        for version in story.versions:
            for cut in CUTS:
                stages[f"{place.name}-{version}-{cut}"] = (place, version, cut)
    for version in [version for version in TEXT_AND_PROTOBUF if version in story.versions]:
        for place in PLACES:
            stages[f"{place.name}-{version}"] = (place, version, "whole")
        for name in ELSEWHERE:
            stages[f"{name}-{version}"] = (name, version)
    metafunc.parametrize("stage", stages.values(), ids=stages, indirect=True)


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage | StageElsewhere:
    place, version, *rest = request.param
    if isinstance(place, str):
        fixture, *how = ELSEWHERE[place]
        return StageElsewhere(request.getfixturevalue(fixture).play, version, *how)
    return Stage(place(), version, *rest)
