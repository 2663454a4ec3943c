"""A gateway, a clock and a connected IB in one thread: time moves while the program waits, and only then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ibkit.clock import VirtualClock
from ibkit.ib import IB
from ibkit.paper import InProcess, in_process


@dataclass
class Virtual:
    """``ib`` is connected to ``paper``; ``clock`` is the time of both."""

    ib: IB
    paper: InProcess

    @property
    def clock(self) -> VirtualClock:
        """The clock; ``ib.sleep`` and every wait move it."""
        return self.paper.clock

    def shock(self, symbol: str, percent: float, over_s: float = 0.0, after_s: float = 0.0) -> None:
        """Move a price; see ``PaperGateway.shock``."""
        self.paper.shock(symbol, percent, over_s, after_s)

    def connect(self, clientId: int) -> IB:
        """Return another connected IB."""
        return IB().connectLink(self.paper.link(), clientId=clientId, clock=self.clock)


@contextmanager
def virtual_world(
    seed: int = 1, server_version: int = 225, start: str = "2024-01-10 10:00", clientId: int = 1
) -> Iterator[Virtual]:
    """Make a world and connect an IB to it; the arguments are those of ``ibkit.paper.in_process``.

    >>> with virtual_world() as world:
    ...     world.ib.sleep(3600)
    ...     world.clock.monotonic()
    True
    3600.0
    """
    paper = in_process(seed, server_version, start)
    ib = IB()
    ib.connectLink(paper.link(), clientId=clientId, clock=paper.clock)
    try:
        yield Virtual(ib, paper)
    finally:
        ib.disconnect()
