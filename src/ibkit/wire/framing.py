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
    """

    __slots__ = ("_data", "_pieces", "_size", "_start", "_waiting")

    def __init__(self) -> None:
        self._data = b""  # messages are cut from here, from _start on
        self._size = 0  # of _data
        self._start = 0
        self._pieces: list[bytes] = []  # what came after _data
        self._waiting = 0  # their length

    def feed(self, data: bytes) -> None:
        """Store bytes as they came from the link."""
        self._pieces.append(data)
        self._waiting += len(data)

    def next(self) -> bytes | None:
        """Return the body of the next message, or None while it is incomplete.

        Raises FrameTooLong as soon as an impossible length is announced, before any of it is awaited.
        """
        start = self._start + 4
        if start <= self._size:
            length = _length_at(self._data, start - 4)[0]
            if length > MAX_LENGTH:
                raise FrameTooLong(length, MAX_LENGTH)
            end = start + length
            if end <= self._size:
                self._start = end
                return self._data[start:end]
            needed = 4 + length
        else:
            needed = 4
        return self._gather(needed) if self._waiting else None

    def _gather(self, needed: int) -> bytes | None:
        """Join the pieces when they make the next message whole, or tell how long it is."""
        rest = self._size - self._start
        if rest + self._waiting < needed:
            return None
        pieces, self._pieces = self._pieces, []
        self._data = b"".join([self._data[self._start :], *pieces] if rest else pieces)
        self._size = len(self._data)
        self._start = self._waiting = 0
        return self.next()

    def pending(self) -> int:
        """Return how many bytes are stored and not handed out yet."""
        return self._size - self._start + self._waiting


def frame(body: bytes) -> bytes:
    """Put the length before a message; raises FrameTooLong when the other side would refuse it."""
    if len(body) > MAX_LENGTH:
        raise FrameTooLong(len(body), MAX_LENGTH)
    return len(body).to_bytes(4, "big") + body
