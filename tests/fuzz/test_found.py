"""What fuzzing once found, each as the smallest message that shows it."""

from __future__ import annotations

import random

import pytest

from ibkit.dates import parseIBDatetime
from ibkit.engine.call import Call, gather
from ibkit.errors import ConnectionLost, MalformedMessage
from ibkit.model import Contract, Order, ScannerSubscription
from ibkit.wire import Codec, Role
from ibkit.wire import messages as m
from tests.engine.peer import EngineUnderTest
from tests.fuzz.client_side import Client
from tests.fuzz.mutation import join_protobuf
from tests.paper.gateway.peer import World

NEWEST = 225


def decode(body: bytes, version: int = NEWEST, role: Role = Role.CLIENT) -> object:
    """Decode twice: first the interpreter does it, then a compiled function."""
    codec = Codec(role, version)
    try:
        first = codec.decode(body)
    finally:
        try:
            second: object = codec.decode(body)
        except MalformedMessage:
            second = None
    assert first == second
    return first


def protobuf(number: int, *fields: tuple[int, int, bytes]) -> bytes:
    return (number + 200).to_bytes(4, "big") + join_protobuf(list(fields))


def test_a_protobuf_text_that_is_no_utf8_is_refused_and_never_bytes() -> None:
    with pytest.raises(MalformedMessage):
        decode(protobuf(15, (1, 2, b"DU\xff")))


def test_the_rows_of_a_tick_are_those_of_its_type() -> None:
    last = join_protobuf([(1, 0, b"\x05")])
    for kind in (b"\x03", b"\x7f"):
        with pytest.raises(MalformedMessage):
            decode(protobuf(99, (1, 0, b"\x01"), (2, 0, kind), (3, 2, last)))
    assert isinstance(decode(protobuf(99, (1, 0, b"\x01"), (2, 0, b"\x01"), (3, 2, last))), m.TickByTick)


def test_a_count_with_thousands_of_digits_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        decode(b"82\0" + b"1\0" + b"9" * 5000 + b"\0", 176)


def test_a_number_that_is_not_told_in_a_list_of_numbers_is_zero() -> None:
    found = decode(b"75\x001\0SMART\x001\0AAPL\x00100\x001\x0020240119\x002\0\x00150\0", 176)
    assert isinstance(found, m.SecurityDefinitionOptionParameter)
    assert found.strikes == [0.0, 150.0]


def test_the_error_of_a_huge_field_is_short() -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode(b"9\x001\0" + b"x" * 100_000 + b"\0", 176)
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize("text", [b"53\0", b"94\0" + b"9" * 5000 + b"\0", b"49\x001\x0099999999999999999999\0"])
def test_messages_that_make_no_sense_are_told_and_skipped(text: bytes) -> None:
    peer = EngineUnderTest(176)
    peer.feed(len(text).to_bytes(4, "big") + text)
    assert peer.engine.malformed == 1
    assert peer.names() == ["errorEvent"]
    assert peer.engine.is_open


def test_moments_that_no_clock_shows() -> None:
    peer = EngineUnderTest(NEWEST)
    call: Call[object] = peer.engine.ask(m.ReqCurrentTime(), key="currentTime", name="reqCurrentTime()")
    peer.send(m.CurrentTime(2**62))
    assert isinstance(call.error, MalformedMessage)


def test_calls_that_hang_together_all_end_with_the_connection() -> None:
    peer = EngineUnderTest(NEWEST)
    ask = peer.engine.ask
    single: list[Call[object]] = [ask(m.ReqMarketRule(n), key=n, name=f"reqMarketRule({n})") for n in range(3)]
    both, last = gather(single[:2]), single[2]
    peer.engine.closed("the line is dead")
    assert isinstance(both.error, ConnectionLost)
    assert isinstance(last.error, ConnectionLost)
    assert all(call.done for call in single)


@pytest.mark.parametrize(
    "request_",
    [
        m.PlaceOrder(1, Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD"), Order()),
        m.ReqAccountSummary(1, "All", "xyz"),
        m.ReqScannerSubscription(1, ScannerSubscription(instrument="STK", scanCode="xyz"), [], []),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_nul_in_a_protobuf_text_is_refused_at_the_door(request_: m.Request) -> None:
    client = World().client()
    if isinstance(request_, m.PlaceOrder):
        request_.order.orderRef = "xyz"
    frame = client.codec.encode(request_)
    assert b"xyz" in frame
    for _ in range(2):  # by the interpreter, and by a compiled function
        client.send_bytes(frame.replace(b"xyz", b"x\0z"))
        (error,) = client.read()
        assert isinstance(error, m.ErrMsg)
        assert error.errorCode == 320


@pytest.mark.parametrize("field", [b"99999999999", b"-2147483649", b"nan"])
def test_numbers_that_no_other_client_could_be_told_are_refused(field: bytes) -> None:
    for version in (176, 206):
        client = World(server_version=version).client(version=version)
        frame = client.codec.encode(m.ReqAccountSummary(1234567, "All", "NetLiquidation"))
        body = frame[4:].replace(b"1234567", field)
        for _ in range(2):
            client.send_bytes(len(body).to_bytes(4, "big") + body)
            (error,) = client.read()
            assert isinstance(error, m.ErrMsg)
            assert (error.reqId, error.errorCode) == (-1, 320)


@pytest.mark.parametrize("text", ["1.0000000000000000E+999999999", "-1.0000000000000000E-999999999", "sNaN", "1e5000"])
def test_quantities_that_would_fill_the_memory_when_written_out(text: str) -> None:
    body = protobuf(61, (1, 2, b"DU1"), (3, 2, text.encode()))
    try:
        found = decode(body)
    except MalformedMessage:
        return
    assert isinstance(found, m.PositionData)
    assert isinstance(found.position, float)


def test_a_request_that_this_version_does_not_have_is_an_unknown_one() -> None:
    client = World(server_version=208).client(version=208)
    body = protobuf(108, (1, 0, b"\x01"))
    client.send_bytes(len(body).to_bytes(4, "big") + body)
    (error,) = client.read()
    assert isinstance(error, m.ErrMsg)
    assert error.errorCode == 320
    assert client.session.unknown_ids() == {308: 1}


def test_ids_nobody_knows_are_counted_up_to_a_limit() -> None:
    codec = Codec(Role.CLIENT, NEWEST)
    for number in range(100_000, 102_000):
        codec.decode(number.to_bytes(4, "big"))
    assert codec.unknown_ids.total() == 2_000
    assert len(codec.unknown_ids) <= 1_001


def test_the_fuzzer_finds_what_is_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    from ibkit.engine import core
    from tests.fuzz.__main__ import fuzz

    def broken(engine: object, msg: object) -> None:
        raise KeyError("planted")

    monkeypatch.setitem(core.REDUCERS, m.TickPrice, broken)
    assert "planted" in str(fuzz("client", 1, 5_000, versions=(176,)))


def test_a_fuzzed_client_begins_as_a_real_one() -> None:
    client = Client(random.Random(1), 176)
    assert client.engine.ready


@pytest.mark.parametrize("text", ["9" * 15, "9" * 400, "9" * 5000, "-" + "9" * 15])
def test_a_time_beyond_all_calendars_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|digits"):
        parseIBDatetime(text)
