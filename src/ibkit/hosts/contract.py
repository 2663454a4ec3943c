"""The host contract: what a host needs of an engine, a call and a link, and what it promises them.

What could silently differ between hosts is pinned here, and held by ``tests/hosts``, which runs one
suite over every host:

* **Which thread.** The engine is entered by one thread at a time: the one that holds the connection.
  Handlers run there. No lock is held while they run.
* **Which order.** A read is given to ``receive`` whole, then ``step`` is called until it says there is
  nothing left, then ``end_batch`` once. A blocking call inside a handler begins with the rest of that
  batch (and its ``end_batch``), then reads on. So ``step`` and ``end_batch`` are re-entered from the
  handlers they call.
* **When a wait ends.** After the batch that finished the call, never in the middle of one.
* **Leaving a wait** (its time is over, KeyboardInterrupt, SystemExit, a cancelled ``await``) cancels the
  call, and what the cancel has to say is written before the wait is left.
* **Writing.** What a request puts into ``output`` is written by the same thread before the request
  returns. What the throttle holds back is written when ``deadline`` has come.
* **The end.** ``closed`` is called once, with the reason, on the thread that holds the connection, after
  the link is closed and the host is out of service, so that a handler may connect anew. It fails every
  pending call of this connection and of no other.
* **Other threads.** What they want is handed to the thread that holds the connection while that one is inside
  the library or runs its event loop; else they take the connection over, also from a thread that has ended and
  from a loop that somebody has blocked for two seconds. The thread that opened the connection takes it back when
  it waits.
* **Failures.** ``step`` raising a ProtocolError ends the connection with that reason; so does any
  other Exception (a reducer that does not catch its own), which is logged with its traceback.

Must not know any implementation of what it describes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Engine(Protocol):
    """The part of an engine that hosts drive; ``now`` is monotonic, ``wall`` epoch seconds."""

    def receive(self, data: bytes, now: float, wall: float) -> None:
        """Store what was read."""

    def step(self, now: float) -> bool:
        """Apply one message whole, and before it those that tell nobody (ticks); False when nothing was left."""
        ...

    def end_batch(self, now: float) -> None:
        """Tell what changed in the batch."""

    def output(self, now: float) -> bytes:
        """Return what may be written now, and forget it."""
        ...

    def deadline(self) -> float | None:
        """Return when ``fire`` must be called, or None."""

    def fire(self, now: float, wall: float) -> None:
        """Do what is due."""

    def closed(self, reason: str) -> None:
        """Fail everything that is pending: the link is closed."""


class Call(Protocol[T_co]):
    """A request that waits for its answer."""

    @property
    def name(self) -> str:
        """What was asked, for texts: the request with its main arguments."""
        ...

    @property
    def done(self) -> bool:
        """Whether there is an answer or an error."""
        ...

    def result(self) -> T_co:
        """Return the answer or raise the error."""
        ...

    def add_done_callback(self, fn: Callable[[Any], object]) -> object:
        """Call ``fn`` with this call when it is done, at once if it is already."""

    def cancel(self) -> object:
        """Cancel the request on the wire and finish the call; harmless when it is done."""


class Link(Protocol):
    """Where bytes come from and go to; never blocks."""

    name: str
    """Who is at the other end, for texts."""

    def fileno(self) -> int | None:
        """Return what to select on, or None."""

    def read(self) -> bytes | None:
        """Return what has arrived, b'' at the end, None when there is nothing; raises OSError."""

    def write(self, data: bytes) -> None:
        """Write what fits, keep the rest; never raises: a broken link shows itself in ``read``."""

    def pending(self) -> int:
        """Return how many bytes wait to be written."""
        ...

    def flush(self) -> None:
        """Write on with what waits."""

    def pump(self, until: float | None) -> bool | None:
        """Let a peer in the same thread act, by moving the shared clock to at most ``until``.

        Args:
            until: a moment of the clock's ``monotonic()``; None for as long as it takes.

        Returns None when the peer lives elsewhere, False when it has nothing more to do, ever. With True, it
        has acted or the clock has moved to ``until``.
        """

    def notify(self, fn: Callable[[], object]) -> None:
        """Have ``fn`` called, on any thread, when a link without fileno has something to read."""

    def close(self) -> None:
        """Close; what was written is still delivered."""

    def abandon(self) -> None:
        """Close this end without a word to the peer: in a child process, whose parent goes on with the link."""
