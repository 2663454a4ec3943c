"""Nothing of a session of weeks grows without end: what has ended is let go, or can be forgotten by the user."""

from __future__ import annotations

import types
from collections import Counter, deque
from datetime import timedelta
from typing import Any

import pytest

from ibkit import IB, Forex, LimitOrder, MarketOrder, ScannerSubscription, Stock, Trade
from ibkit.engine import market, news
from ibkit.engine.forgetting import forget
from ibkit.errors import RequestError
from ibkit.testing.world import virtual_world
from tests.engine.orders_said import commission, completed, execution, open_order, status
from tests.engine.test_orders import Connected, place


def test_trades_that_ended_are_forgotten_with_their_fills(connected: Connected) -> None:
    under = connected()
    ended, open_ = place(under, MarketOrder("BUY", 100)), place(under, LimitOrder("BUY", 100, 5.0))
    under.send(
        open_order(ended.order, "Submitted"),
        execution(1),
        commission(),
        status(1, "Filled", 100, 0),
        open_order(open_.order, "Submitted", perm_id=901),
        execution(2, "0002.01.01", 40, cum=40, perm_id=901),
        execution(9, "0009.01.01", perm_id=909, client_id=5),  # of an order that nobody told us of
    )
    known = under.engine.state.orders
    past, future = under.engine.time() - timedelta(days=9), under.engine.time() + timedelta(days=1)
    assert forget(known, past) == []
    assert (list(known), len(known.fills), len(known.strays)) == ([ended, open_], 3, 1)
    assert forget(known, future) == [ended]
    assert (list(known), list(known.fills), known.strays) == ([open_], ["0002.01.01"], {})
    assert set(known.by_perm) == {901}
    assert len(known.by_route) == len(known.revisions) == 1
    assert len(ended.fills) == 1  # who holds it reads it
    # What is told of it later is told of an order that is not known; the open one goes on.
    under.send(status(1, "Filled", 100, 0), commission("0001.01.01", 2.0), status(2, "Filled", 100, 0, perm_id=901))
    assert open_.orderStatus.status == "Filled"
    assert place(under).order.orderId == 3


def test_trades_that_were_told_as_ended_are_forgotten(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    under.send(completed(77, "Cancelled", trade.order))
    (told,) = (each for each in under.engine.state.orders if each is not trade)
    assert forget(under.engine.state.orders, under.engine.time()) == [told]


def test_forgetting_works_without_a_connection() -> None:
    with virtual_world() as world:
        trade = world.ib.placeOrder(Stock("AAPL", "SMART", "USD"), MarketOrder("BUY", 100))
        world.ib.sleep(2)
        world.ib.disconnect()
        assert world.ib.trades() == [trade]
        assert world.ib.forgetTrades(trade.log[-1].time + timedelta(days=1)) == [trade]
        assert world.ib.trades() == []


# -- a session of weeks ----------------------------------------------------------------------------------


def entries(root: Any) -> Counter[str]:
    """Count what is in the containers that are reachable from an object, by the name under which each hangs there."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    left: deque[tuple[str, Any]] = deque([(type(root).__name__, root)])
    while left:
        name, obj = left.popleft()
        if id(obj) in seen or isinstance(obj, (str, bytes, type, types.ModuleType, types.FunctionType)):
            continue
        seen.add(id(obj))
        if isinstance(obj, dict):
            found[name] += len(obj)
            left.extend((name, each) for pair in obj.items() for each in pair)
        elif isinstance(obj, (list, tuple, set, frozenset, deque)):
            found[name] += len(obj)
            left.extend((name, each) for each in obj)
        elif type(obj).__module__.startswith("ibkit"):
            for attribute, value in vars(obj).items() if hasattr(obj, "__dict__") else ():
                left.append((f"{type(obj).__name__}.{attribute}", value))
            for kind in type(obj).__mro__:
                for slot in getattr(kind, "__slots__", ()):
                    left.append((f"{type(obj).__name__}.{slot}", getattr(obj, slot, None)))
    return found


def a_day(ib: IB, day: int) -> None:
    """Use the library in many ways for a minute, as programs do that clean up after themselves."""
    stock, euro = Stock("AAPL", "SMART", "USD"), Forex("EURUSD")
    ib.qualifyContracts(stock, euro)
    for contract in (stock, euro):
        ib.reqMktData(contract)
        ib.reqMktDepth(contract)
    ib.reqTickByTickData(stock, "AllLast")
    ib.reqTickers(Stock("MSFT", "SMART", "USD"))
    history = ib.reqHistoricalData(stock, "", "600 S", "1 min", "TRADES", False, keepUpToDate=True)
    bars = ib.reqRealTimeBars(stock, 5, "TRADES", False)
    rows = ib.reqScannerSubscription(ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR",
                                                         scanCode="TOP_PERC_GAIN"))  # fmt: skip
    ib.reqNewsBulletins(True)
    account = ib.managedAccounts()[0]
    ib.reqPnL(account)
    ib.accountSummary()
    trades: list[Trade] = [ib.placeOrder(stock, MarketOrder("BUY" if day % 2 else "SELL", 10)) for _ in range(3)]
    working = ib.placeOrder(stock, LimitOrder("BUY", 1, 1.0))
    ib.whatIfOrder(stock, MarketOrder("BUY", 100))
    with pytest.raises(RequestError):
        ib.reqContractDetails(Stock("NOSUCHSTOCK", "SMART", "USD"))
    ib.reqMktData(Stock("NOSUCHSTOCK", "SMART", "USD"))  # refused, later
    ib.sleep(60)
    working.order.lmtPrice = 2.0
    ib.placeOrder(stock, working.order)
    ib.cancelOrder(working.order)
    ib.reqExecutions()
    ib.reqCompletedOrders(False)
    ib.sleep(5)
    assert all(trade.isDone() for trade in [*trades, working])
    for contract in (stock, euro):
        ib.cancelMktData(contract)
        ib.cancelMktDepth(contract)
    ib.cancelTickByTickData(stock, "AllLast")
    ib.cancelHistoricalData(history)
    ib.cancelRealTimeBars(bars)
    ib.cancelScannerSubscription(rows)
    ib.cancelNewsBulletins()
    ib.cancelPnL(account)
    ib.cancelAccountSummary()
    forgotten = ib.forgetTrades(working.log[-1].time + timedelta(seconds=1))
    assert {*trades, working} <= set(forgotten)  # the others were told again: orders that ended today
    assert (ib.trades(), ib.fills()) == ([], [])
    ib.sleep(30)


def test_a_session_of_weeks_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "KEEP", 20)
    monkeypatch.setattr(news, "KEEP", 20)
    with virtual_world() as world:
        ib = world.ib
        assert ib._connection is not None
        sizes = []
        for day in range(14):
            a_day(ib, day)
            counted = entries(ib._state) + entries(ib._connection.engine)
            sizes.append(counted)
        # It has its size after some days: tickers are kept until there are too many.
        early, late = sizes[-7], sizes[-1]
        assert {name: (early[name], count) for name, count in late.items() if count > early[name] + 5} == {}


def test_what_users_hold_may_be_cut_while_it_grows() -> None:
    """Bars, headlines and logs belong to the user: they may be cut, also while they are kept up to date."""
    with virtual_world() as world:
        ib = world.ib
        stock = Stock("AAPL", "SMART", "USD")
        bars = ib.reqHistoricalData(stock, "", "600 S", "1 min", "TRADES", False, keepUpToDate=True)
        five = ib.reqRealTimeBars(stock, 5, "TRADES", False)
        trade = ib.placeOrder(stock, LimitOrder("BUY", 1, 1.0))
        ib.sleep(61)
        del bars[:-1], five[:-1], trade.log[:]
        last = bars[-1].date
        ib.sleep(120)
        assert [bar.date for bar in bars] == [last + timedelta(minutes=n) for n in range(len(bars))]
        assert len(bars) == 3
        assert len(five) == 25
        bars.clear()
        ib.sleep(60)
        assert len(bars) in (1, 2)
        ib.placeOrder(stock, trade.order)
        ib.cancelOrder(trade.order)
        ib.sleep(1)
        assert [entry.status for entry in trade.log][-1] == "Cancelled"
