"""Frames mean the same however their bytes arrive, and an impossible length is refused before it is awaited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import FrameTooLong
from ibkit.wire import FrameReader
from ibkit.wire.framing import MAX_LENGTH, frame

BODIES = st.lists(st.binary(max_size=40), max_size=8)


def drain(reader: FrameReader) -> list[bytes]:
    found = []
    while (body := reader.next()) is not None:
        found.append(body)
    return found


@given(BODIES, st.data())
def test_split_anywhere_means_the_same(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frame(body) for body in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader, found = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
        if data.draw(st.booleans()):
            found += drain(reader)
    assert found + drain(reader) == bodies
    assert reader.pending() == 0


def test_one_byte_at_a_time() -> None:
    bodies = [b"x" * n for n in range(50)]
    reader, found = FrameReader(), []
    for byte in b"".join(map(frame, bodies)):
        reader.feed(bytes([byte]))
        found += drain(reader)
    assert found == bodies


@pytest.mark.parametrize("length", [MAX_LENGTH + 1, 0x80000000, 0xFFFFFFFF, int.from_bytes(b"HTTP", "big")])
def test_an_impossible_length_is_refused_at_once(length: int) -> None:
    reader = FrameReader()
    reader.feed(frame(b"good") + length.to_bytes(4, "big"))
    assert reader.next() == b"good"
    with pytest.raises(FrameTooLong) as caught:
        reader.next()
    assert (caught.value.length, caught.value.limit) == (length, MAX_LENGTH)
    assert reader.pending() == 4  # nothing was awaited, nothing stored


def test_a_long_message_in_small_pieces_costs_no_more() -> None:
    reader = FrameReader()
    body = b"x" * 2_000_000
    stream = frame(body)
    for start in range(0, len(stream), 100):  # 20,000 pieces; moved once each, not 20,000 times
        assert reader.next() is None
        reader.feed(stream[start : start + 100])
    assert reader.next() == body


def test_the_longest_message_passes() -> None:
    reader = FrameReader()
    body = b"x" * MAX_LENGTH
    reader.feed(frame(body))
    assert reader.next() == body
    with pytest.raises(FrameTooLong):
        frame(body + b"x")


def test_consumed_bytes_are_let_go() -> None:
    """A reader that never runs empty, because there is always a piece of the next message, stays small."""
    reader = FrameReader()
    piece = frame(b"x" * 996)
    reader.feed(piece[:500])
    for _ in range(2000):
        reader.feed(piece[500:] + piece[:500])
        assert len(drain(reader)) == 1
        assert reader.pending() == 500
    assert len(reader.data) < 2000
    assert not reader._pieces
