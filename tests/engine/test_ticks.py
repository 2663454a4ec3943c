"""What each tick does to its ticker, through real bytes of both encodings."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine import core, market, ticktypes
from ibkit.engine.core import DefaultSettings
from ibkit.model import (
    EfpData,
    IBDefaults,
    OptionComputation,
    Stock,
    TickAttrib,
    TickAttribBidAsk,
    TickAttribLast,
    TickByTickAllLast,
    TickByTickBidAsk,
    TickByTickMidPoint,
    TickData,
    Ticker,
)
from ibkit.model.values import UNSET_DOUBLE
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS, EngineUnderTest

NAN = math.nan
each_version = pytest.mark.parametrize("version", VERSIONS)


def fill(peer: EngineUnderTest, kind: str = market.MKT_DATA) -> Ticker:
    contract = Stock("AAPL", "SMART", "USD")

    def make(req_id: int) -> tuple[m.Request, m.Request]:
        return m.ReqMktData(req_id, contract, "", False, False, []), m.CancelMktData(req_id)

    return market.open_stream(peer.engine, contract, kind, make)[0].ticker


def ticks(ticker: Ticker) -> list[tuple[int, float, float]]:
    return [tick[1:] for tick in ticker.ticks]


# -- quotes --------------------------------------------------------------------------------------------------


@each_version
def test_a_quote(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    peer.send(
        m.TickPrice(1, 1, 100.5, 200.0, 3), m.TickPrice(1, 2, 100.6, 300.0, 0), m.TickPrice(1, 4, 100.55, 10.0, 4)
    )
    assert (ticker.bid, ticker.bidSize, ticker.bidAttrib) == (100.5, 200.0, TickAttrib(True, True, False))
    assert (ticker.ask, ticker.askSize, ticker.askAttrib) == (100.6, 300.0, TickAttrib())
    assert (ticker.last, ticker.lastSize, ticker.lastAttrib) == (100.55, 10.0, TickAttrib(False, False, True))
    assert ticker.prevBid != ticker.prevBid
    assert ticks(ticker) == [(1, 100.5, 200.0), (2, 100.6, 300.0), (4, 100.55, 10.0)]
    assert {tick.time for tick in ticker.ticks} == {ticker.time}
    assert ticker.marketPrice() == 100.55

    peer.send(m.TickPrice(1, 1, 100.4, 200.0, 0), m.TickSize(1, 3, 50.0), m.TickPrice(1, 4, 100.55, 7.0, 0))
    assert (ticker.bid, ticker.prevBid) == (100.4, 100.5)
    assert ticker.bidSize == 200.0
    assert ticker.prevBidSize != ticker.prevBidSize  # the size has never changed
    assert (ticker.askSize, ticker.prevAskSize) == (50.0, 300.0)
    assert (ticker.lastSize, ticker.prevLastSize, ticker.last) == (7.0, 10.0, 100.55)
    assert ticks(ticker) == [(1, 100.4, 200.0), (3, 100.6, 50.0), (4, 100.55, 7.0)]


def test_a_quote_that_says_nothing_new_is_left_out_but_a_trade_is_not() -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(m.TickPrice(1, 1, 1.0, 2.0, 0), m.TickPrice(1, 4, 1.0, 5.0, 0))
    peer.told.clear()
    peer.send(m.TickPrice(1, 1, 1.0, 2.0, 0), m.TickSize(1, 0, 2.0), m.TickSize(1, 3, NAN))
    assert peer.names() == []
    peer.send(m.TickPrice(1, 4, 1.0, 5.0, 0), m.TickSize(1, 5, 5.0))
    assert ticks(ticker) == [(4, 1.0, 5.0), (5, 1.0, 5.0)]


def test_a_size_of_the_last_trade_before_there_was_one_is_left_out() -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(m.TickSize(1, 5, 5.0), m.TickSize(1, 0, 5.0))
    assert ticker.lastSize != ticker.lastSize
    assert ticker.bidSize == 5.0
    assert [tick.tickType for tick in ticker.ticks] == [0]


@each_version
def test_no_quote(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    peer.send(m.TickPrice(1, 1, -1.0, 0.0, 0), m.TickPrice(1, 2, -1.0, 3.0, 0), m.TickPrice(1, 9, 0.0, 0.0, 0))
    assert (ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize, ticker.close) == (-1, 0, -1, 3.0, 0.0)
    assert not ticker.hasBidAsk()
    assert ticks(ticker) == [(1, -1, 0), (2, -1, 3)]  # a price and size of 0 is no tick


def test_what_stands_for_no_quote_is_the_users_choice() -> None:
    settings = DefaultSettings()
    settings.defaults = IBDefaults(emptyPrice=NAN, emptySize=NAN)
    peer = EngineUnderTest(settings=settings)
    ticker = fill(peer)
    peer.send(m.TickPrice(1, 1, 5.0, 1.0, 0), m.TickPrice(1, 1, -1.0, 0.0, 0), m.TickPrice(1, 2, -1.0, 2.0, 0))
    assert ticker.bid != ticker.bid
    assert ticker.ask == -1.0  # a negative price with a size is a price: of a combo, say


def test_a_price_that_is_not_told_is_dropped() -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(m.TickPrice(1, 1, 5.0, 1.0, 0))
    peer.engine.state.market.feeds[1].touch()
    from ibkit.engine import ticks as reducers

    reducers.tick_price(peer.engine, m.TickPrice(1, 1, UNSET_DOUBLE, 3.0, 0))
    reducers.tick_price(peer.engine, m.TickPrice(1, 2, 6.0, NAN, 0))
    assert (ticker.bid, ticker.bidSize, ticker.ask) == (5.0, 1.0, 6.0)
    assert ticker.askSize != ticker.askSize


def test_delayed_quotes_fill_the_fields_of_live_ones() -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(
        m.TickPrice(1, 66, 1.0, 2.0, 0),
        m.TickPrice(1, 67, 3.0, 4.0, 0),
        m.TickPrice(1, 68, 5.0, 6.0, 0),
        m.TickPrice(1, 72, 9.0, 0.0, 0),
        m.TickPrice(1, 75, 8.0, 0.0, 0),
        m.TickSize(1, 74, 1000.0),
        m.TickSize(1, 70, 44.0),
        m.TickString(1, 88, "1704466800"),
        m.TickGeneric(1, 90, 0.0),
    )
    assert (ticker.bid, ticker.ask, ticker.askSize, ticker.last, ticker.high) == (1.0, 3.0, 44.0, 5.0, 9.0)
    assert (ticker.close, ticker.volume, ticker.delayedHalted) == (8.0, 1000.0, 0.0)
    assert ticker.delayedLastTimestamp == datetime(2024, 1, 5, 15, tzinfo=UTC)


# -- every type ----------------------------------------------------------------------------------------------


def test_all_tick_types_of_the_protocol_are_known() -> None:
    known = {
        *ticktypes.QUOTE_PRICES, *ticktypes.QUOTE_SIZES, *ticktypes.PRICES, *ticktypes.SIZES, *ticktypes.GENERICS,
        *ticktypes.TEXTS, *ticktypes.TIMES, *ticktypes.TRADES, *ticktypes.COMPUTATIONS, *ticktypes.EFPS,
        ticktypes.FUNDAMENTAL_RATIOS, ticktypes.DIVIDENDS, ticktypes.OLD_NEWS,
    }  # fmt: skip
    assert known == set(range(111))


def test_every_field_of_the_tables_is_one_of_tickers() -> None:
    fields = set(Ticker.__dataclass_fields__)
    for table in (
        ticktypes.PRICES, ticktypes.SIZES, ticktypes.GENERICS, ticktypes.TEXTS, ticktypes.TIMES, ticktypes.TRADES,
        ticktypes.COMPUTATIONS, ticktypes.EFPS,
    ):  # fmt: skip
        assert set(table.values()) <= fields
    for quote in (ticktypes.BID, ticktypes.ASK, ticktypes.LAST):
        assert set(quote) <= fields


@each_version
def test_prices_sizes_and_numbers(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    for tick_type, field in ticktypes.PRICES.items():
        peer.send(m.TickPrice(1, tick_type, 100.0 + tick_type, 0.0, 0))
        assert getattr(ticker, field) == 100.0 + tick_type
        assert ticks(ticker) == [(tick_type, 100.0 + tick_type, 0.0)]
    for tick_type, field in ticktypes.SIZES.items():
        peer.send(m.TickSize(1, tick_type, 200.5 + tick_type))
        assert getattr(ticker, field) == 200.5 + tick_type
        assert ticks(ticker) == [(tick_type, -1.0, 200.5 + tick_type)]
    for tick_type, field in ticktypes.GENERICS.items():
        peer.send(m.TickGeneric(1, tick_type, -0.25 - tick_type))
        assert getattr(ticker, field) == -0.25 - tick_type  # as it was told, also below 0
        assert ticks(ticker) == [(tick_type, -0.25 - tick_type, 0.0)]
    for tick_type, field in ticktypes.TEXTS.items():
        peer.send(m.TickString(1, tick_type, f"text {tick_type}"))
        assert getattr(ticker, field) == f"text {tick_type}"


@each_version
def test_unknown_types_are_counted_and_listed(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    peer.send(
        m.TickPrice(1, 900, 1.0, 2.0, 0),
        m.TickSize(1, 901, 3.0),
        m.TickGeneric(1, 902, 4.0),
        m.TickString(1, 903, "?"),
        m.TickOptionComputation(1, 904, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
        m.TickEfp(1, 905, 1.0, "", 1.0, 1, "", 1.0, 1.0),
        m.TickPrice(1, 1, 5.0, 6.0, 0),
    )
    assert dict(peer.engine.state.market.unknown_ticks) == {900 + i: 1 for i in range(6)}
    assert ticks(ticker) == [(900, 1.0, 2.0), (901, -1.0, 3.0), (902, 4.0, 0.0), (1, 5.0, 6.0)]


def test_ticks_of_nobody_are_counted() -> None:
    peer = EngineUnderTest()
    peer.send(
        m.TickPrice(77, 1, 1.0, 2.0, 0),
        m.TickSize(77, 0, 3.0),
        m.TickGeneric(77, 49, 0.0),
        m.TickString(77, 32, "?"),
        m.TickOptionComputation(77, 13, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
        m.TickByTick(77, 4, m.TickRow(1, 1.0, 0.0)),
        m.MarketDataType(77, 1),
        m.TickReqParams(77, 0.01, "", 0),
        m.TickSnapshotEnd(77),
        m.RerouteMktDataReq(77, 1, "X"),
        m.MarketDepth(77, 0, 0, 0, 1.0, 1.0),
    )
    assert peer.engine.state.market.stray_ticks == 7
    assert peer.engine.malformed == 0


# -- texts ---------------------------------------------------------------------------------------------------


@each_version
def test_trade_details(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    peer.send(m.TickString(1, 48, "100.5;10;1704466800123;1000;100.1;true"))
    assert (ticker.last, ticker.lastSize, ticker.rtVolume, ticker.vwap) == (100.5, 10.0, 1000.0, 100.1)
    assert ticker.rtTime == datetime(2024, 1, 5, 15, 0, 0, 123000, tzinfo=UTC)
    assert ticks(ticker) == [(48, 100.5, 10.0)]
    peer.send(m.TickString(1, 77, "100.6;5;1704466801000;900;100.2;false"))
    assert (ticker.last, ticker.prevLast, ticker.rtTradeVolume, ticker.rtVolume) == (100.6, 100.5, 900.0, 1000.0)
    peer.send(m.TickString(1, 48, ";0;1704466802000;1100;100.3;"))
    assert (ticker.last, ticker.rtVolume, ticker.vwap) == (100.6, 1100.0, 100.3)
    assert ticks(ticker) == []


def test_times_dividends_and_ratios() -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(
        m.TickString(1, 45, "0"),
        m.TickString(1, 59, "0.83,0.92,20240219,0.23"),
        m.TickString(1, 47, "TTMNPMGN=26.96;NLOW=111.98;TTMPRCFPS=-99999.99;CURRENCY=USD;;"),
    )
    assert ticker.lastTimestamp is None
    assert ticker.dividends == (0.83, 0.92, date(2024, 2, 19), 0.23)
    ratios = ticker.fundamentalRatios
    assert ratios is not None
    assert (ratios.TTMNPMGN, ratios.NLOW, ratios.CURRENCY) == (26.96, 111.98, "USD")
    assert ratios.TTMPRCFPS != ratios.TTMPRCFPS
    peer.send(m.TickString(1, 45, "1704466800"), m.TickString(1, 59, ",,,"))
    assert ticker.lastTimestamp == datetime(2024, 1, 5, 15, tzinfo=UTC)
    assert ticker.dividends == (None, None, None, None)


@pytest.mark.parametrize(
    ("tick_type", "text"),
    [(48, "a;b;c;d;e;f"), (48, "1;1;1e99;;;"), (45, "yesterday"), (45, "9" * 30), (59, "x"), (59, "1,1,2024,1")],
)
def test_texts_that_make_no_sense_are_reported_and_skipped(tick_type: int, text: str) -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(m.TickString(1, tick_type, text), m.TickPrice(1, 1, 5.0, 6.0, 0))
    assert peer.engine.malformed == 1
    assert [told[2] for told in peer.told if told[0] == "errorEvent"] == [508]
    assert ticker.bid == 5.0


# -- computations --------------------------------------------------------------------------------------------


@each_version
def test_greeks(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    for tick_type, field in ticktypes.COMPUTATIONS.items():
        peer.send(m.TickOptionComputation(1, tick_type, 1, 0.2, 0.5, 3.0, 0.1, 0.01, 0.02, -0.03, 100.0 + tick_type))
        expected = OptionComputation(1, 0.2, 0.5, 3.0, 0.1, 0.01, 0.02, -0.03, 100.0 + tick_type)
        assert getattr(ticker, field) == expected
    peer.send(m.TickOptionComputation(1, 13, 0, -1.0, -2.0, -1.0, -1.0, -2.0, -2.0, -2.0, -1.0))
    assert ticker.modelGreeks == OptionComputation(0)


@each_version
def test_exchange_for_physical(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    for tick_type, field in ticktypes.EFPS.items():
        peer.send(m.TickEfp(1, tick_type, 1.5, "+1.5", 2.5, 30, "20240315", 3.5, 4.5))
        assert getattr(ticker, field) == EfpData(1.5, "+1.5", 2.5, 30, "20240315", 3.5, 4.5)


# -- tick by tick --------------------------------------------------------------------------------------------


@each_version
def test_tick_by_tick(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer, "AllLast")
    at = 1_704_466_800
    time = datetime(2024, 1, 5, 15, tzinfo=UTC)
    peer.send(
        m.TickByTick(1, 2, m.TickLastRow(at, 100.0, 5.0, False, True, "ARCA", "I")),
        m.TickByTick(1, 3, m.TickBidAskRow(at, 99.0, 101.0, 3.0, 4.0, True, False)),
        m.TickByTick(1, 4, m.TickRow(at, 100.25, 0.0)),
        m.TickByTick(1, 1, m.TickLastRow(at + 1, 101.0, 6.0, True, False, "NYSE", "")),
    )
    assert ticker.tickByTicks == [
        TickByTickAllLast(2, time, 100.0, 5.0, TickAttribLast(False, True), "ARCA", "I"),
        TickByTickBidAsk(time, 99.0, 101.0, 3.0, 4.0, TickAttribBidAsk(True, False)),
        TickByTickMidPoint(time, 100.25),
        TickByTickAllLast(1, time.replace(second=1), 101.0, 6.0, TickAttribLast(True, False), "NYSE", ""),
    ]
    assert (ticker.bid, ticker.askSize, ticker.last, ticker.prevLast) == (99.0, 4.0, 101.0, 100.0)
    assert ticker.ticks == []


@each_version
def test_past_ticks_that_a_stream_begins_with(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer, "Last")
    peer.send(m.HistoricalTicksLast(1, [m.TickLastRow(1_704_466_800, 100.0, 5.0, False, False, "ARCA", "")], True))
    (tick,) = ticker.tickByTicks
    assert isinstance(tick, TickByTickAllLast)
    assert (tick.tickType, tick.price) == (1, 100.0)


# -- laws ----------------------------------------------------------------------------------------------------

_price = st.sampled_from([-1.0, 0.0, 99.5, 100.0, 100.5])
_size = st.sampled_from([0.0, 1.0, 250.0])
_tick = st.one_of(
    st.builds(m.TickPrice, st.just(1), st.sampled_from([1, 2, 4, 6, 66, 900]), _price, _size, st.integers(0, 7)),
    st.builds(m.TickSize, st.just(1), st.sampled_from([0, 3, 5, 8, 901]), _size),
    st.builds(m.TickGeneric, st.just(1), st.sampled_from([49, 24]), _price),
    st.builds(m.TickString, st.just(1), st.just(48), st.sampled_from(["1;2;3000;4;5;true", ";;;7;;", ""])),
)


def _run(messages: list[m.Answer], version: int, cuts: list[int]) -> tuple[list[TickData], dict[str, object]]:
    """Return all ticks and the fields at the end, the bytes being read in pieces."""
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    seen: list[tuple[int, float, float]] = []
    ticker.updateEvent += lambda changed: seen.extend(ticks(changed))
    data = peer.gateway.encode(*messages)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in pairwise(edges):
        peer.feed(data[begin:end])
    fields = {
        name: repr(value)
        for name, value in ticker.dict().items()
        if name not in ("time", "timestamp", "ticks", "contract")
    }
    return seen, fields  # type: ignore[return-value]


@given(st.lists(_tick, max_size=12), st.lists(st.integers(0, 10_000), max_size=6), st.sampled_from(VERSIONS))
def test_however_the_bytes_come_the_ticks_are_the_same(messages: list[m.Answer], cuts: list[int], version: int) -> None:
    assert _run(messages, version, cuts) == _run(messages, version, [])


_row = st.one_of(
    st.tuples(st.sampled_from([1, 2]), st.builds(
        m.TickLastRow, st.integers(1_704_466_800, 1_704_466_803), _price, _size, st.booleans(), st.booleans(),
        st.sampled_from(["ARCA", ""]), st.just("I"))),
    st.tuples(st.just(3), st.builds(
        m.TickBidAskRow, st.integers(1, 3), _price, _price, _size, _size, st.booleans(), st.booleans())),
    st.tuples(st.just(4), st.builds(m.TickRow, st.just(1_704_466_800), _price, st.just(NAN))),
)  # fmt: skip
_any = st.one_of(
    _tick,
    st.builds(lambda row: m.TickByTick(1, *row), _row),
    st.builds(
        m.MarketDepthL2, st.just(1), st.integers(0, 3), st.sampled_from(["", "ARCA"]), st.integers(0, 2),
        st.integers(0, 1), _price, _size, st.booleans()),
    st.builds(m.MarketDepth, st.just(1), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), _price, _size),
    st.builds(m.TickString, st.just(1), st.sampled_from([32, 45, 59, 903]), st.sampled_from(["", "7", "x"])),
    st.builds(m.TickPrice, st.just(77), st.just(1), _price, _size, st.just(0)),
    st.builds(m.CurrentTime, st.just(1)),
)  # fmt: skip


def _whole(messages: list[m.Answer], version: int, straight: bool) -> list[str]:
    """Return everything a client has at the end; with or without the way from the buffer to the receivers."""
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    seen: list[str] = []
    ticker.updateEvent += lambda changed: seen.append(repr((changed.ticks, changed.tickByTicks, changed.domTicks)))
    peer.send(m.TickPrice(1, 6, 1.0, 0.0, 0))  # the first one goes the ordinary way, whatever it is
    engine = peer.engine
    if not straight:
        engine._stream = lambda *_: 0
    peer.send(*messages)
    peer.send(*messages)
    state = engine.state.market
    return [
        *seen,
        repr(ticker),
        repr([told for told in peer.told if told[0] != "pendingTickersEvent"]),
        repr((state.stray_ticks, state.misplaced_rows, state.unknown_ticks, engine.malformed)),
        repr((engine.stats().numMsgRecv, engine.stats().numBytesRecv)),
    ]


@given(st.lists(_any, max_size=12), st.sampled_from(VERSIONS))
def test_messages_and_what_is_taken_straight_from_the_buffer_do_the_same(
    messages: list[m.Answer], version: int
) -> None:
    assert _whole(messages, version, straight=True) == _whole(messages, version, straight=False)


@each_version
def test_ticks_go_straight_from_the_buffer_to_their_receivers(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = EngineUnderTest(version)
    ticker = fill(peer)
    peer.send(m.TickPrice(1, 1, 1.0, 2.0, 0))
    for cls in core.RECEIVERS:
        monkeypatch.delitem(core.REDUCERS, cls)
    peer.send(
        m.TickPrice(1, 1, 5.0, 6.0, 0), m.TickSize(1, 3, 7.0), m.TickGeneric(1, 49, 1.0), m.TickString(1, 32, "X"),
        m.TickByTick(1, 2, m.TickLastRow(1_704_466_800, 100.0, 5.0, False, True, "ARCA", "I")),
        m.MarketDepth(1, 0, 0, 1, 3.0, 4.0), m.MarketDepthL2(1, 0, "ARCA", 0, 0, 3.5, 4.0, True),
    )  # fmt: skip
    assert (ticker.bid, ticker.askSize, ticker.halted, ticker.bidExchange, ticker.last) == (5.0, 7.0, 1.0, "X", 100.0)
    assert (ticker.domBids[0].price, ticker.domAsks[0].price) == (3.0, 3.5)


def test_a_text_that_makes_no_sense_is_told_of_once_when_it_came_straight_from_the_buffer() -> None:
    peer = EngineUnderTest()
    ticker = fill(peer)
    peer.send(m.TickPrice(1, 1, 1.0, 2.0, 0))
    peer.told.clear()
    peer.send(m.TickString(1, 45, "yesterday"), m.TickPrice(1, 1, 5.0, 6.0, 0))
    ((_, req_id, code, text, _contract),) = [told for told in peer.told if told[0] == "errorEvent"]
    assert (req_id, code) == (1, 508)
    assert "TICK_STRING" in text
    assert peer.engine.malformed == 1
    assert ticker.bid == 5.0


@given(st.lists(_tick, max_size=12))
def test_text_and_protobuf_tell_the_same(messages: list[m.Answer]) -> None:
    assert _run(messages, 200, []) == _run(messages, 225, [])


def test_times_are_in_the_zone_of_the_defaults() -> None:
    settings = DefaultSettings()
    settings.defaults = IBDefaults(timezone=ZoneInfo("Asia/Tokyo"))
    peer = EngineUnderTest(settings=settings)
    ticker = fill(peer)
    peer.send(m.TickString(1, 45, "1704898800"), m.TickSize(1, 8, 5.0), m.CurrentTime(1_704_898_800))
    assert ticker.lastTimestamp == datetime(2024, 1, 10, 15, tzinfo=UTC)
    for moment in (ticker.lastTimestamp, ticker.time, ticker.ticks[0].time):
        assert moment is not None
        assert moment.utcoffset() == timedelta(hours=9)


# Set by something else than a tick of a type of its own.
NOT_TICKS = {
    "contract", "time", "timestamp", "marketDataType", "minTick", "bboExchange", "snapshotPermissions", "ticks",
    "tickByTicks", "domBids", "domAsks", "domTicks", "domBidsDict", "domAsksDict", "defaults", "created", "rtTime",
    "vwap", "dividends", "fundamentalRatios", "lastPricePrecision", "lastSizePrecision",
}  # fmt: skip


def test_every_field_of_a_ticker_is_filled_by_something() -> None:
    quotes = {name for quote in (ticktypes.BID, ticktypes.ASK, ticktypes.LAST) for name in quote}
    tables = (
        ticktypes.PRICES, ticktypes.SIZES, ticktypes.GENERICS, ticktypes.TEXTS, ticktypes.TIMES, ticktypes.TRADES,
        ticktypes.COMPUTATIONS, ticktypes.EFPS,
    )  # fmt: skip
    filled = quotes.union(*(table.values() for table in tables))
    assert {field.name for field in fields(Ticker)} - filled == NOT_TICKS
