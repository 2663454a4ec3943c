"""The day of a program that uses ib_insync or ib_async, at a gateway; run by ``run.py`` where the library lives.

    python day.py {ib_insync,ib_async} PORT

Fails when anything does not come, or the library logs an error. Uses nothing of ibkit.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
from typing import Any

library: Any = importlib.import_module(sys.argv[1])
PORT = int(sys.argv[2])
PATIENCE_S = 30.0

# What the libraries log as an error although nothing is wrong: that something was cancelled.
HARMLESS = ("API historical data query cancelled", "API scanner subscription cancelled", "Order Canceled - reason:")


class Errors(logging.Handler):
    """Collects what is logged as an error, or as a failure to decode."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if not any(harmless in text for harmless in HARMLESS):
            self.lines.append(text)


def until(ib: Any, true: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"{what}: did not come"
        ib.sleep(0.05)


def main() -> None:
    errors = Errors()
    logging.getLogger().addHandler(errors)
    ib = library.IB()
    began = time.monotonic()
    ib.connect("127.0.0.1", PORT, clientId=3)
    took = time.monotonic() - began
    assert took < 3, f"connecting took {took:.1f} s: something of the start was not answered"
    assert ib.managedAccounts() == ["DU1234567"]
    for part in (contracts, market_data, history, options, orders, bracket, accounts, others):
        part(ib)
        assert not errors.lines, f"{part.__name__}: {errors.lines}"
        print(f"  {part.__name__}", flush=True)
    again = library.IB()
    again.connect("127.0.0.1", PORT, clientId=4)
    assert again.positions()
    again.disconnect()
    ib.disconnect()
    assert not errors.lines, errors.lines


def contracts(ib: Any) -> None:
    apple = library.Stock("AAPL", "SMART", "USD")
    euro = library.Forex("EURUSD")
    future = library.ContFuture("ES", "CME")
    gold = library.CFD("XAUUSD")
    assert len(ib.qualifyContracts(apple, euro, future, gold)) == 4
    assert (apple.conId, apple.primaryExchange, apple.tradingClass) == (265598, "NASDAQ", "NMS")
    assert future.localSymbol
    details = ib.reqContractDetails(library.Future("ES", exchange="CME"))
    assert len(details) > 3
    assert ib.reqMatchingSymbols("AAPL")
    assert ib.reqMarketRule(26)[0].increment == 0.01
    assert ib.reqMktDepthExchanges()
    assert ib.reqSmartComponents("9c0001")


def market_data(ib: Any) -> None:
    apple = library.Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(apple)
    ticker = ib.reqMktData(apple, "233,236,165")
    until(ib, lambda: ticker.bid > 0 and ticker.ask > 0 and ticker.last > 0 and ticker.volume > 0, "quote")
    until(ib, lambda: ticker.rtVolume > 0 and ticker.shortableShares > 0 and ticker.high52week > 0, "generic ticks")
    assert ticker.bid < ticker.ask
    assert ticker.marketPrice() > 0
    updates = []
    ib.pendingTickersEvent += updates.append
    until(ib, lambda: len(updates) > 3, "updates")
    ib.cancelMktData(apple)
    euro = library.Forex("EURUSD")
    ib.qualifyContracts(euro)
    [quote] = ib.reqTickers(euro)
    assert quote.bid > 0
    ticks = ib.reqTickByTickData(apple, "AllLast")
    until(ib, lambda: ticks.tickByTicks, "tick-by-tick")
    ib.cancelTickByTickData(apple, "AllLast")
    nasdaq = library.Stock("AAPL", "NASDAQ", "USD")
    ib.qualifyContracts(nasdaq)
    book = ib.reqMktDepth(nasdaq)
    until(ib, lambda: len(book.domBids) == 5 and len(book.domAsks) == 5, "depth")
    ib.cancelMktDepth(nasdaq)


def history(ib: Any) -> None:
    apple = library.Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(apple)
    for size, what in (("15 mins", "TRADES"), ("1 day", "MIDPOINT"), ("1 hour", "BID_ASK")):
        bars = ib.reqHistoricalData(apple, "", "5 D", size, what, True)
        assert len(bars) > 4, (size, what)
        assert bars[-1].date > bars[0].date
    assert len(library.util.df(bars)) == len(bars)
    live = ib.reqHistoricalData(apple, "", "3600 S", "1 min", "TRADES", True, keepUpToDate=True)
    seen = []
    live.updateEvent += lambda bars, new: seen.append(new)
    until(ib, lambda: seen, "bar updates")
    ib.cancelHistoricalData(live)
    five = ib.reqRealTimeBars(apple, 5, "TRADES", True)
    until(ib, lambda: five, "real-time bars")
    ib.cancelRealTimeBars(five)
    assert ib.reqHeadTimeStamp(apple, "TRADES", True)
    assert ib.reqHistogramData(apple, True, "1 day")
    assert len(ib.reqHistoricalTicks(apple, "", bars[-1].date, 100, "TRADES", True)) >= 100
    if ib.client.serverVersion() >= 165:
        assert len(ib.reqHistoricalSchedule(apple, 5).sessions) == 5


def options(ib: Any) -> None:
    apple = library.Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(apple)
    chain = next(c for c in ib.reqSecDefOptParams("AAPL", "", "STK", apple.conId) if c.exchange == "SMART")
    [spot] = ib.reqTickers(apple)
    strike = min(chain.strikes, key=lambda each: abs(each - spot.last))
    call = library.Option("AAPL", sorted(chain.expirations)[3], strike, "C", "SMART")
    assert ib.qualifyContracts(call) == [call]
    ticker = ib.reqMktData(call)
    until(ib, lambda: ticker.modelGreeks and ticker.bidGreeks, "greeks")
    assert 0 < ticker.modelGreeks.delta < 1
    ib.cancelMktData(call)
    assert ib.calculateImpliedVolatility(call, ticker.ask, spot.last).impliedVol > 0
    assert ib.calculateOptionPrice(call, 0.3, spot.last).optPrice > 0


def orders(ib: Any) -> None:
    apple = library.Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(apple)
    trade = ib.placeOrder(apple, library.MarketOrder("BUY", 100))
    until(ib, lambda: trade.orderStatus.status == "Filled", "a fill")
    until(ib, lambda: all(fill.commissionReport.commission > 0 for fill in trade.fills), "commissions")
    assert trade.filled() == 100
    waiting = ib.placeOrder(apple, library.LimitOrder("BUY", 10, 50))
    until(ib, lambda: waiting.orderStatus.status == "Submitted", "a working order")
    waiting.order.lmtPrice = 51
    ib.placeOrder(apple, waiting.order)
    ib.sleep(0.5)
    assert [t.order.orderId for t in ib.reqOpenOrders() if t.orderStatus.status == "Submitted"]
    ib.cancelOrder(waiting.order)
    until(ib, lambda: waiting.orderStatus.status == "Cancelled", "a cancel")
    state = ib.whatIfOrder(apple, library.MarketOrder("BUY", 100))
    assert float(state.initMarginChange) > 0
    assert ib.reqExecutions()
    assert ib.reqCompletedOrders(False)


def bracket(ib: Any) -> None:
    apple = library.Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(apple)
    [quote] = ib.reqTickers(apple)
    group = ib.bracketOrder("BUY", 10, round(quote.ask * 1.01, 2), round(quote.ask * 1.2, 2), round(quote.ask * 0.8, 2))
    trades = [ib.placeOrder(apple, order) for order in group]
    until(ib, lambda: trades[0].orderStatus.status == "Filled", "the parent's fill")
    until(ib, lambda: trades[1].orderStatus.status == "Submitted", "the profit-taker")
    until(ib, lambda: trades[2].orderStatus.status == "PreSubmitted", "the stop")
    ib.cancelOrder(trades[1].order)
    until(ib, lambda: trades[1].orderStatus.status == "Cancelled", "the cancel of the profit-taker")
    if trades[2].isActive():
        ib.cancelOrder(trades[2].order)
    until(ib, lambda: trades[2].orderStatus.status == "Cancelled", "the cancel of the stop")


def accounts(ib: Any) -> None:
    assert any(value.tag == "NetLiquidation" for value in ib.accountValues())
    assert any(value.tag == "BuyingPower" for value in ib.accountSummary())
    assert [position.position for position in ib.positions()] == [110]
    until(ib, lambda: [item.position for item in ib.portfolio()] == [110], "the portfolio")
    pnl = ib.reqPnL("DU1234567")
    until(ib, lambda: pnl.dailyPnL == pnl.dailyPnL, "profit and loss")
    ib.cancelPnL("DU1234567")
    single = ib.reqPnLSingle("DU1234567", "", 265598)
    until(ib, lambda: single.position == 110, "profit and loss of a position")
    ib.cancelPnLSingle("DU1234567", "", 265598)


def others(ib: Any) -> None:
    assert ib.reqCurrentTime()
    assert ib.reqNewsProviders()
    headlines = ib.reqHistoricalNews(265598, "BRFG+DJNL", "", "", 5)
    assert headlines
    assert "TOP_PERC_GAIN" in ib.reqScannerParameters()
    wanted = library.ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
    assert len(ib.reqScannerData(wanted)) > 10
    ib.reqNewsBulletins(True)
    until(ib, ib.newsBulletins, "bulletins")
    ib.cancelNewsBulletins()
    if ib.client.serverVersion() >= 167:
        assert not ib.reqUserInfo()  # nothing, as an empty text or as the list both libraries make of it


main()
