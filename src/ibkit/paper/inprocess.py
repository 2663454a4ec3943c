"""The gateway in the caller's own thread, on a virtual clock: deterministic, and an hour passes in a blink.

A client at the memory link moves the clock by waiting: nothing sleeps. Must not know clients.
"""

from __future__ import annotations

from ibkit.clock import VirtualClock
from ibkit.links.memory import MemoryLink, memory_pair
from ibkit.paper.gateway import Gateway, Limits, Models, Session, login, start_moment


class InProcess:
    """A gateway without sockets and threads; ``clock`` is shared with its clients."""

    def __init__(self, clock: VirtualClock, gateway: Gateway) -> None:
        self.clock = clock
        self.gateway = gateway
        self._ends: list[tuple[MemoryLink, Session]] = []

    def link(self, name: str = "ibkit paper") -> MemoryLink:
        """Return the client's end of a new connection."""
        ours, theirs = memory_pair(name, self.pump)
        self._ends.append((theirs, self.gateway.connect(f"{name} {len(self._ends) + 1}")))
        return ours

    def pump(self, until: float | None) -> bool:
        """Let the gateway act: answer what was sent, else move the clock to what comes next.

        Args:
            until: a moment of ``clock.monotonic()`` the clock must not pass; None: it may go as far as it takes.

        Returns False when nothing will happen any more on this side; the clock is where it was then.
        """
        if self._exchange():
            return True
        due = self.gateway.next_due()
        if due is None:
            return False
        wait = max(0.0, due - self.clock.time())
        left = wait if until is None else max(0.0, until - self.clock.monotonic())
        self.clock.advance(min(wait, left))
        if wait <= left:
            self.gateway.tick()
            self._exchange()
        return True

    def shock(self, symbol: str, percent: float, over_s: float = 0.0, after_s: float = 0.0) -> None:
        """Move the price of ``symbol``, and of all that hangs on it; see ``PaperGateway.shock``."""
        self.gateway.shock(symbol, percent, over_s, after_s)

    def cut_off(self) -> None:
        """Lose the connection to IB; see ``PaperGateway.cut_off``."""
        self.gateway.cut_off()

    def restore(self, data_lost: bool = True) -> None:
        """Have the connection to IB back; see ``PaperGateway.restore``."""
        self.gateway.restore(data_lost)

    def close(self) -> None:
        """Hang up on all clients and let go of the store."""
        self.gateway.close()
        self._exchange()

    def _exchange(self) -> bool:
        """Move bytes both ways; tells whether a client has something to read now."""
        wrote = False
        for end, session in list(self._ends):
            while (data := end.read()) is not None:
                if not data:
                    self.gateway.disconnect(session, "the client has disconnected")
                    break
                self.gateway.receive(session, data)
        for end, session in list(self._ends):
            if out := session.output():
                end.write(out)
                wrote = True
            if session.closed:
                end.close()
                self._ends.remove((end, session))
                wrote = True
        return wrote


def in_process(
    seed: int = 1,
    server_version: int = 225,
    start: str = "2024-01-10 10:00",
    account: str = "DU1234567",
    *,
    limits: Limits | None = None,
    models: Models | None = None,
    store: str | None = None,
) -> InProcess:
    """Return a gateway to talk to in this thread; its clock stands still until a client waits.

    The arguments are those of ``PaperGateway``; ``start`` is a fixed day, so that every run is the same.

    >>> paper = in_process(seed=7)
    >>> paper.clock.time()
    1704898800.0
    """
    clock = VirtualClock(start_moment(start))
    gateway = Gateway(
        clock,
        seed=seed,
        server_version=server_version,
        accounts=login(account),
        limits=limits,
        models=models,
        store=store,
    )
    return InProcess(clock, gateway)
