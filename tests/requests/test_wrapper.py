"""``ib.wrapper`` as scripts read it (api-inventory.md 2): the state, by ib_insync's keys."""

from __future__ import annotations

from typing import Any

from ibkit import Contract, LimitOrder, ScannerSubscription, Stock, WshEventData
from ibkit.model.values import EPOCH
from ibkit.wire import messages as m
from tests.engine.orders_said import execution
from tests.engine.peer import START
from tests.requests.scripted import connected

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)
AAPL_PLAIN = Contract("STK", 265598, "AAPL", exchange="NASDAQ", currency="USD")


def said(request: Any) -> list[Any]:
    return [
        m.AcctValue("NetLiquidation", "100", "USD", "DU1"),
        m.PortfolioValue(AAPL_PLAIN, 5.0, 10.0, 50.0, 9.0, 5.0, 0.0, "DU1"),
        m.AcctDownloadEnd("DU1"),
    ]


def positions(request: Any) -> list[Any]:
    return [m.PositionData("DU1", AAPL_PLAIN, 5.0, 9.0), m.PositionEnd()]


def summary(request: Any) -> list[Any]:
    return [
        m.AccountSummary(request.reqId, "DU1", "NetLiquidation", "100", "USD"),
        m.AccountSummaryEnd(request.reqId),
    ]


def test_accounts() -> None:
    kinds = {m.ReqAcctData: said, m.ReqPositions: positions, m.ReqAccountSummary: summary}
    with connected(kinds, clientId=3) as (ib, _):
        ib.accountSummary()
        pnl = ib.reqPnL("DU1")
        single = ib.reqPnLSingle("DU1", "", 265598)
        wrapper = ib.wrapper
        assert (wrapper.ib, wrapper.clientId, wrapper.accounts) == (ib, 3, ["DU1"])
        assert wrapper.accountValues["DU1", "NetLiquidation", "USD", ""].value == "100"
        assert wrapper.acctSummary["DU1", "NetLiquidation", "USD"].value == "100"
        assert wrapper.portfolio["DU1"][265598].position == 5.0
        assert wrapper.positions["DU1"][265598].avgCost == 9.0
        assert wrapper.reqId2PnL[wrapper.pnlKey2ReqId["DU1", ""]] is pnl
        assert wrapper.reqId2PnlSingle[wrapper.pnlSingleKey2ReqId["DU1", "", 265598]] is single
        assert wrapper.time == wrapper.lastTime.timestamp() >= START
        assert wrapper.defaults is ib.defaults
        assert (wrapper.defaultEmptyPrice, wrapper.defaultEmptySize) == (-1, 0)
        assert wrapper.defaultTimezone is ib.defaults.timezone
    assert wrapper.lastTime == EPOCH


def test_orders() -> None:
    with connected() as (ib, script):
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 5.0))
        order_id = trade.order.orderId
        script.say(execution(order_id, "0001.01.01", shares=3.0, perm_id=77))
        ib.sleep(0.1)
        wrapper = ib.wrapper
        assert wrapper.trades == {(1, order_id): trade}
        assert wrapper.permId2Trade == {77: trade}
        assert wrapper.fills == {"0001.01.01": trade.fills[0]}
        assert wrapper.orderKey(1, 0, 5) == wrapper.orderKey(1, -3, 5) == 5


def test_data() -> None:
    with connected() as (ib, script):
        ticker = ib.reqMktData(AAPL)
        ib.reqTickByTickData(AAPL, "Last")
        bars = ib.reqRealTimeBars(AAPL, 5, "TRADES", True)
        rows = ib.reqScannerSubscription(ScannerSubscription())
        ib.reqWshMetaData()
        ib.reqWshEventData(WshEventData(conId=1))
        wrapper = ib.wrapper
        assert wrapper.tickers == {id(AAPL): ticker}
        quote, last = wrapper.ticker2ReqId["mktData"][ticker], wrapper.ticker2ReqId["Last"][ticker]
        assert wrapper.reqId2Ticker == {quote: ticker, last: ticker}
        assert wrapper.reqId2Subscriber == {bars.reqId: bars, rows.reqId: rows}
        script.say(m.TickSize(quote, 8, 100.0), m.NewsBulletins(4, 1, "hello", "NYSE"))
        ib.sleep(0.1)
        assert wrapper.pendingTickers == {ticker}
        assert wrapper.msgId2NewsBulletin[4].message == "hello"
        assert wrapper.newsTicks is ib.newsTicks()
        (meta,), (events,) = script.of(m.ReqWshMetaData), script.of(m.ReqWshEventData)
        assert (wrapper.wshMetaReqId, wrapper.wshEventReqId) == (meta.reqId, events.reqId)
        ib.cancelWshMetaData()
        assert wrapper.wshMetaReqId == 0
