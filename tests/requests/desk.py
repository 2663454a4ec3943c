"""An ``IB`` connected to a scripted gateway in its own thread, in simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ibkit.ib import IB
from tests.engine.peer import NEWEST, Answers, Script


class Desk:
    """What a test works with."""

    def __init__(self, answers: Answers, version: int = NEWEST, how: str = "glued") -> None:
        self.script = Script(version, answers, how)
        self.ib = IB()
        self.ib.connectLink(self.script.link, clock=self.script.clock)
        self.script.requests.clear()
        self.id = self.ib.client.getReqId() + 1
        """The id of the next request."""

    def asked(self) -> list[Any]:
        """Return what the gateway was asked since the last look."""
        self.ib.sleep(0.1)
        requests, self.script.requests[:] = list(self.script.requests), []
        return requests


@contextmanager
def desk(answers: Answers, version: int = NEWEST, how: str = "glued") -> Iterator[Desk]:
    """Connect to a gateway that gives ``answers`` (None for the usual ones), and disconnect at the end."""
    it = Desk(answers, version, how)
    try:
        yield it
    finally:
        it.ib.disconnect()


def first(requests: list[Any]) -> Any:
    """Return the only request."""
    (request,) = requests
    return request
