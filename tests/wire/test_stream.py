"""What the stream's function takes is what the codec would have made of it; the rest it leaves where it is."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine.core import DIRECT, RECEIVERS
from ibkit.errors import MalformedMessage
from ibkit.model import UNSET_DOUBLE
from ibkit.wire import Codec, FrameReader, Role, Unknown
from ibkit.wire import messages as m
from ibkit.wire.framing import frame
from ibkit.wire.protobuf import classes
from ibkit.wire.table import table

VERSIONS = (157, 176, 200, 203, 206, 208, 225)
"""Ids as text; raw ids and text; ticks in protobuf, but for tick-by-tick data; all in protobuf."""
TYPES = range(-1, 120)
IDS = range(1, 300)

Taken = tuple[str, tuple[object, ...]]


def flat(message: Any) -> Taken:
    """Return the name of a message and its fields, those of a row in it among them."""
    fields = [part for value in message for part in (value if isinstance(value, tuple) else (value,))]
    return type(message).__name__, tuple(fields)


class Buffer:
    """Bytes, and what the stream's function made of them."""

    def __init__(self, version: int) -> None:
        self.codec = Codec(Role.CLIENT, version)
        self.taken: list[Taken] = []
        self.failed: list[tuple[str, bytes, str]] = []
        self.error: Exception | None = None
        receivers: dict[str, Any] = {}
        for cls in RECEIVERS:
            name = next(name for name in DIRECT if DIRECT[name] is RECEIVERS[cls])
            if callable(RECEIVERS[cls]):
                receivers[name] = self.receiver(cls.__name__)
            else:
                receivers[name] = {kind: self.receiver(cls.__name__, kind) for kind in TYPES}
        self.stream = self.codec.stream(receivers)
        self.frames = FrameReader()

    def receiver(self, name: str, *kind: int) -> Callable[..., None]:
        def receive(*fields: object) -> None:
            subject, *rest = fields
            self.taken.append((name, (subject, *kind, *rest)))
            if self.error is not None:
                raise self.error

        return receive

    def take(self, *bodies: bytes) -> int:
        """Return how many messages were taken of these."""
        self.frames.feed(b"".join(map(frame, bodies)))
        by_text = {str(each).encode(): each for each in IDS}
        return self.stream(self.frames, by_text, dict(zip(IDS, IDS, strict=True)), self.note)

    def note(self, name: str, body: bytes, error: Exception) -> None:
        self.failed.append((name, body, str(error)))

    def ordinary(self, body: bytes) -> Taken | None:
        """Return what the codec makes of a message, None if that is nothing."""
        try:
            found = self.codec.decode(body)
        except MalformedMessage:
            return None
        return None if isinstance(found, Unknown) else flat(found)

    def check(self, body: bytes, *more: bytes) -> bool:
        """Tell whether a message was taken; then it must be what the codec says."""
        taken = bool(self.take(body, *more))
        if taken:
            assert repr(self.taken[0]) == repr(self.ordinary(body))
        return taken


NUMBERS = st.one_of(
    st.floats(),
    st.sampled_from([-1.0, 0.0, 100.25, UNSET_DOUBLE, -UNSET_DOUBLE, 1e300, 2147483647.0, -9223372036854775808.0]),
    st.integers(-(10**12), 10**12).map(float),
)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
SMALL = st.integers(-2, 400) | st.integers(-(2**31), 2**31 - 1)
REQ_IDS = st.sampled_from([1, 2, 127, 128, 299]) | st.integers(-1, 400) | st.integers(0, 2**31 - 1)
KINDS = st.integers(0, 6) | st.integers(-1, 130)
TIMES = st.integers(1_600_000_000, 2_000_000_000) | st.integers(-5, 2**40)
TICKS = st.one_of(
    st.tuples(st.sampled_from([1, 2]), st.builds(
        m.TickLastRow, TIMES, NUMBERS, NUMBERS, st.booleans(), st.booleans(), WORDS, WORDS)),
    st.tuples(st.just(3), st.builds(
        m.TickBidAskRow, TIMES, NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.booleans())),
    st.tuples(st.just(4), st.builds(m.TickRow, TIMES, NUMBERS, NUMBERS)),
)  # fmt: skip
MESSAGES: st.SearchStrategy[Any] = st.one_of(
    st.builds(m.TickPrice, REQ_IDS, KINDS, NUMBERS, NUMBERS, SMALL),
    st.builds(m.TickSize, REQ_IDS, KINDS, NUMBERS),
    st.builds(m.TickGeneric, REQ_IDS, KINDS, NUMBERS),
    st.builds(m.TickString, REQ_IDS, KINDS, WORDS),
    st.builds(lambda req_id, tick: m.TickByTick(req_id, *tick), REQ_IDS, TICKS),
    st.builds(m.MarketDepth, REQ_IDS, SMALL, SMALL, SMALL, NUMBERS, NUMBERS),
    st.builds(m.MarketDepthL2, REQ_IDS, SMALL, WORDS, SMALL, SMALL, NUMBERS, NUMBERS, st.booleans()),
)


def body_of(message: Any, version: int) -> bytes:
    return Codec(Role.SERVER, version).encode(message)[4:]


@given(MESSAGES, st.sampled_from(VERSIONS))
def test_every_message_means_the_same(message: Any, version: int) -> None:
    try:
        body = body_of(message, version)
    except ValueError:  # not every random number has a form
        return
    Buffer(version).check(body, b"next")


@given(MESSAGES, st.sampled_from(VERSIONS), st.data())
def test_damaged_messages_mean_the_same(message: Any, version: int, data: st.DataObject) -> None:
    try:
        body = bytearray(body_of(message, version))
    except ValueError:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        match data.draw(st.sampled_from(["set", "insert", "delete", "cut"])):
            case "set" if place < len(body):
                body[place] = data.draw(st.integers(0, 255))
            case "insert":
                body[place:place] = data.draw(st.binary(min_size=1, max_size=2))
            case "delete":
                del body[place : place + 1]
            case "cut":
                del body[place:]
    Buffer(version).check(bytes(body), body_of(message, version))


def varint(number: int, longer: int = 0) -> bytes:
    """Return a number as protobuf has it; ``longer`` by some bytes than it must be."""
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 127 or longer > 0:
        longer -= number <= 127
        found.append(number & 127 | 128)
        number >>= 7
    return bytes((*found, number))


FIELD = st.one_of(
    st.tuples(st.integers(1, 9), SMALL | st.integers(0, 130), st.sampled_from([0, 0, 0, 1])).map(
        lambda each: varint(each[0] << 3) + varint(each[1], each[2])
    ),
    st.tuples(st.integers(1, 9), NUMBERS).map(lambda each: varint(each[0] << 3 | 1) + struct.pack("<d", each[1])),
    st.tuples(st.integers(1, 9), st.sampled_from([b"", b"5", b"100", b"1_0", b" 7", b"\xff", b"nan", b"x"])).map(
        lambda each: varint(each[0] << 3 | 2) + varint(len(each[1])) + each[1]
    ),
)


@given(st.sampled_from([201, 202, 212, 213, 245, 246, 299]), st.lists(FIELD, max_size=7), st.binary(max_size=3))
def test_any_fields_of_protobuf_mean_the_same(kind: int, fields: list[bytes], rest: bytes) -> None:
    Buffer(225).check(kind.to_bytes(4, "big") + b"".join(fields) + rest, b"next")


@given(MESSAGES, st.randoms(), st.integers(0, 3))
def test_fields_may_come_in_any_order_twice_or_not_at_all(message: Any, rng: random.Random, change: int) -> None:
    try:
        body = body_of(message, 225)
    except ValueError:
        return
    kind = int.from_bytes(body[:4], "big")
    cls = classes()[table().message(table().answers[kind - 200]).protobuf]
    whole, parts = cls.FromString(body[4:]), []
    for field, value in whole.ListFields():
        part = cls()
        if field.message_type is not None:
            getattr(part, field.name).CopyFrom(value)
        else:
            setattr(part, field.name, value)
        parts.append(part.SerializeToString())
    if change == 0:
        rng.shuffle(parts)
    elif parts:
        place = rng.randrange(len(parts))
        parts[place : place + 1] = {1: [], 2: [parts[place]] * 2, 3: [parts[place], b"\xf8\x07\x01"]}[change]
    Buffer(225).check(body[:4] + b"".join(parts), b"next")


USUAL = [
    m.TickPrice(1, 1, 100.25, 300.0, 1),
    m.TickPrice(128, 2, -0.5, 0.0, 0),
    m.TickPrice(299, 4, 1e9, 2e9, 7),
    m.TickSize(2, 8, 123456.0),
    m.TickSize(200, 0, 0.5),
    m.TickGeneric(1, 49, 0.0),
    m.TickString(1, 45, "1704466800"),
    m.TickString(1, 48, "100.5;10;1704466800123;1000;100.1;true"),
    m.TickByTick(1, 2, m.TickLastRow(1_704_466_800, 100.0, 5.0, False, True, "ARCA", "I")),
    m.TickByTick(1, 1, m.TickLastRow(1_704_466_800, 100.0, 5.0, False, False, "", "")),
    m.TickByTick(1, 3, m.TickBidAskRow(1_704_466_800, 99.0, 101.0, 3.0, 4.0, True, False)),
    m.TickByTick(1, 3, m.TickBidAskRow(1_704_466_800, 99.0, 101.0, 3.0, 4.0, False, False)),
    m.TickByTick(1, 4, m.TickRow(1_704_466_800, 100.25, float("nan"))),
    m.MarketDepth(1, 3, 1, 0, 100.5, 200.0),
    m.MarketDepthL2(1, 0, "ARCA", 0, 1, 100.5, 200.0, True),
    m.MarketDepthL2(1, 9, "", 2, 0, 0.0, 0.0, False),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message", USUAL, ids=lambda message: type(message).__name__)
def test_usual_messages_are_taken(message: Any, version: int) -> None:
    buffer = Buffer(version)
    body = body_of(message, version)
    assert buffer.check(body)
    assert buffer.take(body, body) == 2
    assert buffer.frames.pending() == 0


UNSET_SIZES = ["2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308", "nan", ""]


@pytest.mark.parametrize("text", UNSET_SIZES)
def test_sizes_that_are_not_told_are_left_to_the_ordinary_way(text: str) -> None:
    size = text.encode()
    assert not Buffer(176).check(b"2\x006\x001\x000\x00" + size + b"\0")
    assert not Buffer(176).check(b"1\x006\x001\x001\x00100.5\x00" + size + b"\x000\0")
    field = bytes((0x22, len(size))) + size
    price = b"\x08\x01\x10\x01\x19" + struct.pack("<d", 100.5) + field + b"\x28\0"
    assert not Buffer(225).check(b"\0\0\0\xc9" + price)
    assert not Buffer(225).check(b"\0\0\0\xca\x08\x01\x10\0\x1a" + field[1:])


@pytest.mark.parametrize("message", USUAL, ids=lambda message: type(message).__name__)
def test_a_message_with_something_more_is_left_to_the_ordinary_way(message: Any) -> None:
    """Behind its fields, or behind those of the row in it, with and without the lengths telling of it."""
    body = body_of(message, 225)
    assert not Buffer(225).check(body + b"\xf8\x07\x01")
    for length_at in range(4, min(len(body), 11)):
        for change in (-1, 1, 3):
            other = bytearray(body)
            other[length_at] = (other[length_at] + change) % 128
            Buffer(225).check(bytes(other), body)  # the length of a row alone, or another value
        longer = bytearray(body)
        longer[length_at] = (longer[length_at] + 3) % 128
        Buffer(225).check(bytes(longer) + b"\xf8\x07\x01")
        Buffer(225).check(bytes(longer) + b"\x78\x01\x01", b"next")  # a field that is not known, or part of a text
    text = body_of(message, 176)
    assert not Buffer(176).check(text + b"1\0")
    assert not Buffer(176).check(text[:-1])


@pytest.mark.parametrize("version", VERSIONS)
def test_it_stops_before_another_message_and_goes_on_behind_it(version: int) -> None:
    buffer = Buffer(version)
    tick, other = body_of(USUAL[0], version), body_of(m.CurrentTime(1), version)
    assert buffer.take(tick, tick, other, tick) == 2
    assert buffer.frames.next() == other
    assert buffer.take() == 1
    assert buffer.take(b"x" * 300, tick) == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_receiver_raises_is_told_and_the_message_is_not_taken_again(version: int) -> None:
    buffer = Buffer(version)
    tick = body_of(USUAL[0], version)
    buffer.error = OverflowError("too much")
    assert buffer.take(tick) == 1
    assert buffer.failed == [("TICK_PRICE", tick, "too much")]
    assert buffer.take() == 0
    assert buffer.frames.pending() == 0
    buffer.error = KeyError("a defect")
    with pytest.raises(KeyError):
        buffer.take(tick)
    assert buffer.frames.pending() == 0
    assert len(buffer.taken) == 2
