"""Two ends of a pipe in memory: a client and a broker in one process, without sockets.

With a ``pump`` the peer lives in the thread of the client, and time moves only when the client waits:
a run is then deterministic. Must not know what the bytes mean, or who waits for them.
"""

from __future__ import annotations

from collections.abc import Callable

Pump = Callable[[float | None], bool]


class MemoryLink:
    """One end; ``memory_pair`` makes two."""

    def __init__(self, name: str, pump: Pump | None = None) -> None:
        self.name = name
        self._pump = pump
        self._inbox = bytearray()
        self._ended = False
        self._closed = False
        self._peer: MemoryLink = self
        self._notify: Callable[[], object] | None = None

    def fileno(self) -> None:
        """Return None: there is nothing to select on."""

    def read(self) -> bytes | None:
        """Return what has arrived, b'' at the end, None when there is nothing."""
        if self._inbox:
            # One slice, one delete: a peer that appends meanwhile (it only appends) loses nothing.
            data = bytes(self._inbox)
            del self._inbox[: len(data)]
            return data
        return b"" if self._ended or self._closed else None

    def write(self, data: bytes) -> None:
        """Hand ``data`` to the peer; nothing happens when one of us has closed."""
        if not self._closed and not self._peer._closed:
            self._peer._deliver(data)

    def pending(self) -> int:
        """Return 0: memory takes everything at once."""
        return 0

    def flush(self) -> None:
        """Do nothing: memory takes everything at once."""

    def pump(self, until: float | None) -> bool | None:
        """Let the peer act, at most until the moment ``until`` of its clock; None without a pump."""
        return None if self._pump is None else self._pump(until)

    def notify(self, fn: Callable[[], object]) -> None:
        """Have ``fn`` called, on the thread of the peer, whenever there is something to read."""
        self._notify = fn
        if self._inbox or self._ended:
            fn()

    def close(self) -> None:
        """Close both ends; the peer can still read what was written before."""
        if not self._closed:
            self._closed = True
            self._peer._end()

    def abandon(self) -> None:
        """Close this end without a word to the peer."""
        self._closed = True

    def _deliver(self, data: bytes) -> None:
        self._inbox += data
        if self._notify is not None:
            self._notify()

    def _end(self) -> None:
        self._ended = True
        if self._notify is not None:
            self._notify()


def memory_pair(name: str = "memory", pump: Pump | None = None) -> tuple[MemoryLink, MemoryLink]:
    """Return (client end, peer end).

    Args:
        name: of the peer, for error texts.
        pump: called with a moment of the shared clock's ``monotonic()``, or None for "as long as it takes", while
            the client has nothing to do. It lets the peer act: read its end, move the clock to its next event but
            not beyond the moment, write. Returns False when nothing will ever happen on its side. None: the peer
            acts by itself, in another thread.
    """
    client, peer = MemoryLink(name, pump), MemoryLink(f"client of {name}")
    client._peer, peer._peer = peer, client
    return client, peer
