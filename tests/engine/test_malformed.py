"""Bad input: one message costs what it was to answer, never more than that, and nothing hangs."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine.call import Call
from ibkit.errors import FrameTooLong, MalformedMessage, ProtocolError
from ibkit.model import Position, Stock
from ibkit.wire import messages as m
from tests.engine.peer import NEWEST, VERSIONS, EngineUnderTest


def _frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def _text(under: EngineUnderTest, number: int, *fields: object) -> bytes:
    """A text message as the version has it."""
    text = "".join(f"{field}\0" for field in fields).encode()
    raw = under.engine.version >= 201
    return _frame(struct.pack(">I", number) + text if raw else f"{number}\0".encode() + text)


@pytest.mark.parametrize("version", [176, 200, 205])
def test_text_where_a_number_belongs_fails_the_request_it_answers(version: int) -> None:
    under = EngineUnderTest(version)
    call: Call[Any] = under.engine.ask(m.ReqHistogramData(7, Stock("A"), True, "1 day"), key=7, name="histogram")
    other: Call[Any] = under.engine.ask(m.ReqUserInfo(8), key=8, name="other")
    under.feed(_text(under, 89, 7, "many", 1.5, 3))  # HISTOGRAM_DATA
    assert isinstance(call.error, MalformedMessage)
    assert not other.done
    (event,) = under.told
    assert event[:3] == ("errorEvent", 7, 508)
    assert under.engine.malformed == 1
    under.send(m.CurrentTime(1))  # the session lives


def test_nonsense_in_protobuf_fails_the_request_it_answers() -> None:
    under = EngineUnderTest(NEWEST)
    call: Call[Any] = under.engine.ask(m.ReqUserInfo(300), key=300, name="user info")
    good = under.gateway.encode(m.UserInfo(300, "white"))
    under.feed(_frame(good[4:-2] + b"\xff\xff\xff"))
    assert isinstance(call.error, MalformedMessage)


def test_half_a_list_without_an_id_is_no_list() -> None:
    """An answer that lacks a row must not look like an answer."""
    under = EngineUnderTest(176)
    call: Call[list[Position]] = under.engine.ask(m.ReqPositions(), key="positions", name="reqPositions()")
    under.send(m.PositionData("DU1", Stock("A", conId=1), 5.0, 1.0))
    under.feed(_text(under, 61, 3, "DU1", 2, "B", "STK", "", 0, "", "", "", "USD", "B", "NMS", "five", 1))
    assert isinstance(call.error, MalformedMessage)
    assert call.error.name == "POSITION_DATA"
    under.send(m.PositionEnd())  # nobody waits for it any more


@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_ids_and_what_is_not_even_an_id_are_skipped(version: int) -> None:
    under = EngineUnderTest(version)
    under.feed(_text(under, 199, "what", "ever"))
    under.feed(_frame(b""))
    under.feed(_frame(b"\xff"))
    under.feed(_frame(b"abc\0def\0"))
    if version >= 201:
        under.feed(_frame(struct.pack(">I", 399) + b"\x08\x01"))
    call: Call[Any] = under.engine.ask(m.ReqCurrentTime(), key="currentTime", name="t")
    under.send(m.CurrentTime(1))
    assert call.done
    assert call.error is None


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_understood_is_counted_and_the_first_of_each_is_logged(
    version: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="ibkit.wire")
    under = EngineUnderTest(version)
    assert under.engine.not_understood() == {}
    more = b"\xf8\x06\x01" if version >= 213 else b"7\0"
    for _ in range(3):
        under.feed(_text(under, 199, "what", "ever"))
        under.feed(_frame(under.gateway.encode(m.CurrentTime(1))[4:] + more))
    under.feed(_frame(b"abc\0def\0"))
    malformed = {"malformed messages": 1} if version < 201 else {"message 1633837824": 1}  # there any number is an id
    assert under.engine.not_understood() == {"message 199": 3, "more fields in CURRENT_TIME": 3} | malformed
    told = [record.getMessage() for record in caplog.records if record.name == "ibkit.wire"]
    assert sum("unknown id 199" in line for line in told) == 1
    assert sum(line.startswith("CURRENT_TIME has more fields") for line in told) == 1


TICKS = [
    m.TickPrice(1, 1, 10.5, 100.0, 0),
    m.TickSize(1, 0, 100.0),
    m.TickString(1, 45, "1704898800"),
    m.TickGeneric(1, 49, 0.0),
    m.MarketDepth(1, 0, 0, 1, 10.5, 100.0),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message", TICKS, ids=lambda message: type(message).__name__)
def test_what_comes_often_is_not_read_past_what_is_not_known(message: Any, version: int) -> None:
    under = EngineUnderTest(version)
    frame = under.gateway.encode(message)[4:]
    for more in (b"", b"\xf8\x06\x01" if version >= 213 else b"7\0", b""):
        under.feed(_frame(frame + more) * 2)
    [(what, times)] = under.engine.not_understood().items()
    assert (what.startswith("more fields in "), times) == (True, 2)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_impossible_length_ends_the_connection_with_the_reason(version: int) -> None:
    under = EngineUnderTest(version)
    call: Call[Any] = under.engine.ask(m.ReqCurrentTime(), key="currentTime", name="t")
    with pytest.raises(FrameTooLong):
        under.feed(b"\xff\xff\xff\xff....")
    under.engine.closed("a message of 4294967295 bytes was announced")
    assert isinstance(call.error, FrameTooLong)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frame_may_be_cut_anywhere(version: int) -> None:
    under = EngineUnderTest(version)
    data = under.gateway.encode(m.AcctValue("NetLiquidation", "5", "USD", "DU1"), m.CurrentTime(1))
    for cut in range(len(data)):
        under.engine.state.account.values.clear()
        under.feed(data[:cut])
        under.feed(data[cut:])
        assert len(under.engine.state.account.values) == 1


@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from(VERSIONS), st.data())
def test_the_session_lives_or_ends_with_a_reason(bodies: list[bytes], version: int, data: st.DataObject) -> None:
    """Whatever comes in: messages are skipped and counted, or a ProtocolError says why it ends."""
    under = EngineUnderTest(version)
    call: Call[Any] = under.engine.ask(m.ReqCurrentTime(), key="currentTime", name="t")
    for body in bodies:
        number = data.draw(st.integers(0, 320))
        head = struct.pack(">I", number) if version >= 201 else f"{number}\0".encode()
        under.feed(_frame(head + body))
    under.send(m.CurrentTime(1))
    assert call.done


@given(st.binary(max_size=200), st.sampled_from(VERSIONS))
def test_noise_never_hangs(noise: bytes, version: int) -> None:
    under = EngineUnderTest(version)
    try:
        under.feed(noise)
    except ProtocolError:
        under.engine.closed("noise")
        assert not under.engine.ready


@given(st.integers(0, 10_000), st.sampled_from(VERSIONS))
def test_flipped_bytes_in_real_messages_do_no_more_harm_than_that(seed: int, version: int) -> None:
    under = EngineUnderTest(version)
    frame = bytearray(
        under.gateway.encode(m.PositionData("DU1", Stock("AAPL", "SMART", "USD", conId=265598), 100.0, 99.5))
    )
    frame[4 + seed % (len(frame) - 4)] = seed % 251
    under.feed(bytes(frame))
    call: Call[Any] = under.engine.ask(m.ReqCurrentTime(), key="currentTime", name="t")
    under.send(m.CurrentTime(1))
    assert call.done
