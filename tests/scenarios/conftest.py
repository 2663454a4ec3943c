"""Every story is played in every place.

In the two places where the gateway lives in the thread of the client, at every sampled server version and with the
bytes cut in every way; in the others, at one version that speaks text and one that speaks protobuf.
"""

from __future__ import annotations

import pytest

from tests.scenarios.places import PLACES, Asyncio, Blocking
from tests.scenarios.stage import CUTS, TEXT_AND_PROTOBUF, Cut, Place, Story, World


class Stage:
    """A place, and what is special about this visit to it."""

    def __init__(self, place: Place, version: int, cut: Cut) -> None:
        self.place = place
        self.version = version
        self.cut: Cut = cut

    def play(self, story: Story) -> None:
        self.place.play(lambda: World(self.place, self.version, self.cut, story.limits, story.scripted), story)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" not in metafunc.fixturenames:
        return
    story: Story = metafunc.function.story
    stages: dict[str, Stage] = {}
    for place in (Blocking, Asyncio):
        for version in story.versions:
            for cut in CUTS:
                stages[f"{place.name}-{version}-{cut}"] = Stage(place(), version, cut)
    for place in PLACES:
        for version in TEXT_AND_PROTOBUF:
            if version in story.versions:
                stages[f"{place.name}-{version}"] = Stage(place(), version, "whole")
    metafunc.parametrize("stage", stages.values(), ids=stages)
