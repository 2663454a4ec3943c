"""Cuts a stream of bytes into messages and puts messages into frames.

A frame is a length (4 bytes, big-endian, not counting itself) and that many bytes. Must not know what a
message means, nor where bytes come from.
"""

from __future__ import annotations

from ibkit.errors import FrameTooLong

MAX_LENGTH = 0xFFFFFF
"""The longest message either side may send; IB's own limit."""

_SPENT = 1 << 16  # consumed bytes are dropped once there are this many, so that each byte is moved at most once


class FrameReader:
    """Collects bytes as they come and hands out whole messages.

    The cost is linear in the number of bytes, whether they come one by one or a thousand messages at once:
    nothing is moved for a message but its own bytes.
    """

    __slots__ = ("_data", "_start")

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = 0

    def feed(self, data: bytes) -> None:
        """Store bytes as they came from the link."""
        if self._start == len(self._data):
            self._data.clear()
            self._start = 0
        self._data += data

    def next(self) -> bytes | None:
        """Return the body of the next message, or None while it is incomplete.

        Raises FrameTooLong as soon as an impossible length is announced, before any of it is awaited.
        """
        data = self._data
        start = self._start + 4
        if start > len(data):
            return None
        length = int.from_bytes(data[start - 4 : start], "big")
        end = start + length
        if end > len(data):
            if length > MAX_LENGTH:
                raise FrameTooLong(length, MAX_LENGTH)
            if self._start > _SPENT:
                del data[: self._start]
                self._start = 0
            return None
        if length > MAX_LENGTH:
            raise FrameTooLong(length, MAX_LENGTH)
        self._start = end
        return bytes(data[start:end])

    def pending(self) -> int:
        """Return how many bytes are stored and not handed out yet."""
        return len(self._data) - self._start


def frame(body: bytes) -> bytes:
    """Put the length before a message; raises FrameTooLong when the other side would refuse it."""
    if len(body) > MAX_LENGTH:
        raise FrameTooLong(len(body), MAX_LENGTH)
    return len(body).to_bytes(4, "big") + body
