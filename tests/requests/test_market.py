"""Market data as users ask for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ibkit.errors import InvalidRequest, NoMarketDataPermission, NotConnected, RequestTimeout
from ibkit.ib import IB
from ibkit.model import Contract, Stock, Ticker
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.desk import Desk, desk

AAPL = Stock("AAPL", "SMART", "USD")
MSFT = Stock("MSFT", "SMART", "USD")


def quotes(request: Any) -> list[m.Answer] | None:
    """Answer market data requests with one bid each; snapshots end."""
    match request:
        case m.ReqMktData(reqId=req_id, contract=contract, snapshot=snapshot):
            if contract.symbol == "SLOW":
                return [m.ErrMsg(req_id, 10089, "Delayed market data is available.", "", 0)]
            if contract.symbol == "NONE":
                return [m.ErrMsg(req_id, 354, "Requested market data is not subscribed.", "", 0)]
            ticks: list[m.Answer] = [m.TickPrice(req_id, 1, 100.0, 5.0, 0), m.TickPrice(req_id, 2, 101.0, 6.0, 0)]
            return [*ticks, m.TickSnapshotEnd(req_id)] if snapshot else ticks
        case m.ReqMktDepth(reqId=req_id):
            return [m.MarketDepth(req_id, 0, 0, 1, 100.0, 5.0)]
        case m.ReqTickByTickData(reqId=req_id):
            return [m.TickByTick(req_id, 4, m.TickRow(1_704_466_800, 100.5, 0.0))]
    return None


@pytest.fixture
def at() -> Iterator[Desk]:
    with desk(quotes) as it:
        yield it


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_a_stream(version: int, how: str) -> None:
    seen: list[set[Ticker]] = []
    with desk(quotes, version, how) as at:
        ib = at.ib
        ib.pendingTickersEvent += seen.append
        ticker = ib.reqMktData(AAPL, "233")
        assert ticker.bid != ticker.bid
        ib.sleep(1)
        assert (ticker.bid, ticker.askSize, ticker.midpoint()) == (100.0, 6.0, 100.5)
        assert set().union(*seen) == {ticker}
        assert ib.ticker(AAPL) is ib.ticker(Stock("AAPL", "SMART", "USD")) is ticker
        assert ib.ticker(MSFT) is None
        assert ib.tickers() == [ticker]
        assert ib.cancelMktData(AAPL)
        assert at.asked() == [m.ReqMktData(at.id, AAPL, "233", False, False, []), m.CancelMktData(at.id)]
    assert ib.tickers() == [ticker]


def test_pending_tickers_are_those_of_the_last_batch(at: Desk) -> None:
    one, _two = at.ib.reqMktData(AAPL), at.ib.reqMktData(MSFT)
    at.ib.sleep(1)
    at.script.say(m.TickPrice(at.id, 1, 99.0, 5.0, 0))
    assert at.ib.waitOnUpdate(1)
    assert at.ib.pendingTickers() == [one]
    assert [tick.price for tick in one.ticks] == [99.0]


@pytest.mark.parametrize("version", VERSIONS)
def test_snapshots(version: int) -> None:
    with desk(quotes, version) as at:
        one, two, again = at.ib.reqTickers(AAPL, MSFT, AAPL)
        assert (one.bid, two.bid) == (100.0, 100.0)
        assert one is again
        assert at.ib.reqTickers() == []


def test_snapshots_in_a_loop() -> None:
    async def main() -> list[Ticker]:
        with desk(quotes) as at:
            return await at.ib.reqTickersAsync(AAPL, MSFT)

    assert [ticker.bid for ticker in asyncio.run(main())] == [100.0, 100.0]


def test_a_snapshot_that_is_refused(at: Desk) -> None:
    nothing = Stock("NONE", "SMART", "USD")
    with pytest.raises(NoMarketDataPermission, match="NONE"):
        at.ib.reqTickers(AAPL, nothing)
    at.ib.RaiseRequestErrors = False
    one, two = at.ib.reqTickers(AAPL, nothing)
    assert one.bid == 100.0
    assert two.bid != two.bid


def test_a_snapshot_that_never_ends(at: Desk) -> None:
    slow = Stock("SLOW", "SMART", "USD")
    with pytest.raises(RequestTimeout, match="SLOW"):
        at.ib.reqTickers(AAPL, slow)
    assert at.asked()[-1] == m.CancelMktData(at.id + 1)
    at.ib.RaiseRequestErrors = False
    one, two = at.ib.reqTickers(AAPL, slow)
    assert one.bid == 100.0
    assert two.bid != two.bid


def test_errors_of_a_stream_are_told(at: Desk) -> None:
    errors: list[tuple[int, int, str, Contract | None]] = []
    at.ib.errorEvent += lambda *error: errors.append(error)
    nothing = Stock("NONE", "SMART", "USD")
    ticker = at.ib.reqMktData(nothing)
    at.ib.sleep(1)
    assert [(error[1], error[3]) for error in errors] == [(354, nothing)]
    assert at.ib.ticker(nothing) is ticker
    assert at.ib.cancelMktData(nothing) is False


def test_cancelling_what_is_not_subscribed_is_logged(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert at.ib.cancelMktData(AAPL) is False
        assert at.ib.cancelTickByTickData(AAPL, "Last") is False
        at.ib.cancelMktDepth(AAPL)
    assert len(caplog.records) == 3
    assert at.asked() == []


def test_depth(at: Desk) -> None:
    ticker = at.ib.reqMktDepth(AAPL, 3, isSmartDepth=True)
    at.ib.sleep(1)
    assert ticker.domBids[0].price == 100.0
    at.ib.cancelMktDepth(AAPL)
    assert at.asked() == [m.ReqMktDepth(at.id, AAPL, 3, True, []), m.CancelMktDepth(at.id, True)]
    assert not ticker.domBids


def test_tick_by_tick(at: Desk) -> None:
    ticker = at.ib.reqTickByTickData(AAPL, "MidPoint", 0, True)
    assert at.ib.waitOnUpdate(1)
    assert ticker.tickByTicks[0].midPoint == 100.5  # type: ignore[union-attr]
    assert at.ib.cancelTickByTickData(AAPL, "MidPoint")
    assert at.asked() == [m.ReqTickByTickData(at.id, AAPL, "MidPoint", 0, True), m.CancelTickByTickData(at.id)]


def test_data_type(at: Desk) -> None:
    at.ib.reqMarketDataType(3)
    assert at.asked() == [m.ReqMarketDataType(3)]


def test_what_is_refused_before_it_is_sent(at: Desk) -> None:
    with pytest.raises(InvalidRequest, match="233"):
        at.ib.reqMktData(AAPL, "233", snapshot=True)
    with pytest.raises(InvalidRequest, match="AllLast"):
        at.ib.reqTickByTickData(AAPL, "Trades")
    with pytest.raises(InvalidRequest, match="AllLast"):
        at.ib.cancelTickByTickData(AAPL, "Trades")
    with pytest.raises(InvalidRequest, match="delayed"):
        at.ib.reqMarketDataType(5)
    assert at.asked() == []
    assert at.ib.tickers() == []


def test_without_a_connection() -> None:
    ib = IB()
    with pytest.raises(NotConnected):
        ib.reqMktData(AAPL)
    with pytest.raises(NotConnected):
        ib.reqTickers(AAPL)
    assert ib.tickers() == ib.pendingTickers() == []


def test_a_handler_may_wait_and_misses_nothing(at: Desk) -> None:
    prices: list[float] = []

    def handler(ticker: Ticker) -> None:
        prices.extend(tick.price for tick in ticker.ticks if tick.tickType == 4)
        if len(prices) == 1:
            at.ib.sleep(3)

    ticker = at.ib.reqMktData(AAPL)
    at.ib.sleep(0.1)
    ticker.updateEvent += handler
    for i in range(5):
        at.script.after(0.5 * i, m.TickPrice(at.id, 4, 100.0 + i, 1.0, 0))
    at.ib.sleep(5)
    assert prices == [100.0, 101.0, 102.0, 103.0, 104.0]
