"""Cuts a stream of bytes into messages and puts messages into frames.

A frame is a length (4 bytes, big-endian, not counting itself) and that many bytes. Must not know what a
message means, nor where bytes come from.
"""

from __future__ import annotations

from struct import Struct

from ibkit.errors import FrameTooLong

MAX_LENGTH = 0xFFFFFF
"""The longest message either side may send; IB's own limit."""

_length_at = Struct(">I").unpack_from


class FrameReader:
    """Collects bytes as they come and hands out whole messages.

    The cost is linear in the number of bytes, whether they come one by one or a thousand messages at once: what
    came is kept in pieces until a message is whole, and a message is cut out of them by an offset.

    Messages are cut from ``data``, which has ``size`` bytes, from ``start`` on. Who takes messages out of it without
    ``next`` (the function of ``ibkit.wire.compiler.stream``) moves ``start`` behind each one before it is handled.
    """

    __slots__ = ("_pieces", "_waiting", "data", "size", "start")

    def __init__(self) -> None:
        self.data = b""
        self.size = 0
        self.start = 0
        self._pieces: list[bytes] = []  # what came after data
        self._waiting = 0  # their length

    def feed(self, data: bytes) -> None:
        """Store bytes as they came from the link."""
        if self.start == self.size and not self._pieces:
            self.data, self.start, self.size = data, 0, len(data)
        else:
            self._pieces.append(data)
            self._waiting += len(data)

    def next(self) -> bytes | None:
        """Return the body of the next message, or None while it is incomplete.

        Raises FrameTooLong as soon as an impossible length is announced, before any of it is awaited.
        """
        if self._waiting:
            self.join()
        start = self.start + 4
        if start > self.size:
            return None
        length = _length_at(self.data, start - 4)[0]
        if length > MAX_LENGTH:
            raise FrameTooLong(length, MAX_LENGTH)
        end = start + length
        if end > self.size:
            return None
        self.start = end
        return self.data[start:end]

    def join(self) -> None:
        """Join the pieces when they make the next message whole, or tell how long it is."""
        rest = self.size - self.start
        needed = 4 if rest < 4 else 4 + _length_at(self.data, self.start)[0]
        if self._waiting and rest < needed <= rest + self._waiting:
            pieces, self._pieces = self._pieces, []
            self.data = b"".join([self.data[self.start :], *pieces] if rest else pieces)
            self.size = len(self.data)
            self.start = self._waiting = 0

    def pending(self) -> int:
        """Return how many bytes are stored and not handed out yet."""
        return self.size - self.start + self._waiting


def frame(body: bytes) -> bytes:
    """Put the length before a message; raises FrameTooLong when the other side would refuse it."""
    if len(body) > MAX_LENGTH:
        raise FrameTooLong(len(body), MAX_LENGTH)
    return len(body).to_bytes(4, "big") + body
