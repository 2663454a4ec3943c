"""What real gateways did to real programs (simulators.md 3): each is played again, and ibkit stays right.

``tests/compat/incidents.py`` lists them all, also those that are played elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from ibkit import (
    IB,
    Bag,
    BarDataList,
    ComboLeg,
    Contract,
    LimitOrder,
    MarketOrder,
    Order,
    OrderRejected,
    RequestError,
    RequestTimeout,
    Stock,
    Trade,
)
from ibkit.wire import handshake
from ibkit.wire import messages as m
from tests.engine.orders_said import AAPL, commission, completed, error, execution, open_order, status
from tests.engine.peer import Answers, EngineUnderTest, Script, usual
from tests.engine.test_bars import row
from tests.engine.test_orders import place

made: list[IB] = []


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    while made:
        made.pop().disconnect()


def connect(answers: Answers | None = None, ib: IB | None = None, **kwargs: Any) -> tuple[IB, Script]:
    script = Script(answers=answers)
    ib = ib or IB()
    made.append(ib)
    ib.connectLink(script.link, clock=script.clock, **kwargs)
    return ib, script


def told_of(trade: Trade) -> list[str]:
    """Note the events of a trade from now on."""
    told: list[str] = []
    for name in Trade.events:
        getattr(trade, name).connect(lambda *args, name=name: told.append(name))
    return told


# -- the connection dies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["open", "filled", "cancelled", "never arrived"])
@pytest.mark.parametrize("acknowledged", [True, False])
@pytest.mark.parametrize("reference", ["", "mine"])
def test_the_socket_dies_in_the_second_an_order_is_placed(fate: str, acknowledged: bool, reference: str) -> None:
    """LeanIB PR#257: the order may or may not exist."""
    ib, script = connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0, orderRef=reference))
    order = trade.order
    if acknowledged:
        script.say(open_order(order, "PreSubmitted"), status(order.orderId, "PreSubmitted"))
        ib.sleep(0.1)
    script.hang_up()
    ib.sleep(0.1)
    assert not ib.isConnected()
    assert trade.unknown
    assert not trade.isDone()
    told = told_of(trade)

    def answers(request: Any) -> Any:
        match request:
            case m.ReqOpenOrders() if fate == "open":
                return [open_order(order, "Submitted"), status(order.orderId, "Submitted"), m.OpenOrderEnd()]
            case m.ReqCompletedOrders() if fate == "filled":
                return [completed(900, "Filled", order, filledQuantity=100.0), m.CompletedOrdersEnd()]
            case m.ReqCompletedOrders() if fate == "cancelled":
                return [completed(900, "Cancelled", order, filledQuantity=0.0), m.CompletedOrdersEnd()]
            case m.ReqExecutions(reqId=req_id) if fate == "filled":
                return [execution(order.orderId, req_id=req_id), m.ExecutionDataEnd(req_id)]
        return None

    connect(answers, ib)
    assert ib.trades()[0] is trade
    assert len(ib.trades()) == (2 if fate == "cancelled" and not (acknowledged or reference) else 1)
    if fate == "open":
        assert (trade.unknown, trade.orderStatus.status) == (False, "Submitted")
    elif fate == "filled":
        assert (trade.orderStatus.status, trade.filled(), trade.unknown) == ("Filled", 100, False)
        assert told.count("fillEvent") == told.count("filledEvent") == 1
    elif fate == "cancelled" and (acknowledged or reference):
        assert (trade.orderStatus.status, trade.unknown) == ("Cancelled", False)
        assert told.count("cancelledEvent") == 1
    else:
        # A completed order is told without its order id: only its reference can say that it was this one.
        assert trade.unknown
        assert trade.log[-1].message.startswith("The gateway knows no such order")
        assert "cancelledEvent" not in told


def test_a_restart_rolls_the_next_id_back() -> None:
    """LeanIB #242: ids of lost orders went to new orders, and callbacks matched both."""
    ib, script = connect()
    old = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0))
    script.say(open_order(old.order, "Submitted"), status(old.order.orderId, "Submitted"))
    ib.sleep(0.1)
    script.hang_up()
    ib.sleep(0.1)
    _, script = connect(lambda request: usual(request, next_id=1), ib)
    new = ib.placeOrder(AAPL, LimitOrder("SELL", 5, 20.0))
    assert new.order.orderId > old.order.orderId
    script.say(status(old.order.orderId, "Filled", 100.0, 0.0, perm_id=900))
    script.say(status(new.order.orderId, "Submitted", perm_id=901))
    ib.sleep(0.1)
    assert (old.orderStatus.status, new.orderStatus.status) == ("Filled", "Submitted")


def test_one_id_for_two_orders_of_two_sessions() -> None:
    """nautilus #4247: a fill was attributed to the wrong one."""
    ib, script = connect()
    ours = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0, orderId=5))
    script.say(open_order(ours.order, "Submitted", perm_id=900))
    ib.sleep(0.1)
    script.say(execution(5, "old.01.01", shares=7.0, perm_id=800), execution(5, "new.01.01", shares=30.0, perm_id=900))
    ib.sleep(0.1)
    assert [fill.execution.execId for fill in ours.fills] == ["new.01.01"]
    script.say(open_order(Order(orderId=5, action="SELL"), "Submitted", perm_id=801))
    script.say(execution(5, "other.01.01", shares=3.0, perm_id=801), status(5, "Filled", 3.0, 0.0, perm_id=801))
    ib.sleep(0.1)
    other = ib.wrapper.permId2Trade[801]
    assert other is not ours
    assert (other.orderStatus.status, other.filled()) == ("Filled", 3.0)
    assert (ours.orderStatus.status, ours.filled()) == ("PendingSubmit", 30.0)


def test_the_orders_of_the_last_session_are_told_again() -> None:
    """nautilus #5057, ib_insync #416: after a restart they come as PreSubmitted, and are no news."""
    orders = [LimitOrder("BUY", n, 10.0, orderId=n, orderRef=f"r{n}") for n in (1, 2)]

    def answers(request: Any) -> Any:
        if isinstance(request, m.ReqOpenOrders):
            return [
                *(open_order(order, "PreSubmitted", perm_id=900 + order.orderId) for order in orders),
                *(status(order.orderId, "PreSubmitted", perm_id=900 + order.orderId) for order in orders),
                m.OpenOrderEnd(),
            ]
        return None

    told: list[str] = []
    ib = IB()
    ib.openOrderEvent += lambda trade: told.append("open")
    ib.newOrderEvent += lambda trade: told.append("new")
    connect(answers, ib)
    assert [(t.order.orderRef, t.orderStatus.status, t.isActive()) for t in ib.openTrades()] == [
        ("r1", "PreSubmitted", True), ("r2", "PreSubmitted", True),
    ]  # fmt: skip
    assert told == []
    assert ib.placeOrder(AAPL, MarketOrder("BUY", 1)).order.orderId >= 3


# -- TWS is cut off from IB ------------------------------------------------------------------------------


@pytest.mark.parametrize("back", [1101, 1102])
@pytest.mark.parametrize("delivered", ["by itself", "when asked", "both"])
def test_an_outage_in_the_middle_of_fills(back: int, delivered: str) -> None:
    """LeanIB #249: executions come during the outage, or only when they are asked for."""
    missed: list[dict[str, Any]] = []

    def answers(request: Any) -> Any:
        match request:
            case m.ReqOpenOrders() if missed:
                return [open_order(trade.order, "Submitted"), m.OpenOrderEnd()]
            case m.ReqExecutions(reqId=req_id) if missed and delivered != "by itself":
                return [*(execution(order_id, req_id=req_id, **each) for each in missed), m.ExecutionDataEnd(req_id)]
        return None

    ib, script = connect(answers)
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0))
    order_id = trade.order.orderId
    told = told_of(trade)
    seen: list[str] = []
    ib.execDetailsEvent += lambda trade, fill: seen.append(fill.execution.execId)
    script.say(open_order(trade.order, "Submitted"), status(order_id, "Submitted"))
    script.say(execution(order_id, "a.01.01", shares=30.0, cum=30.0), status(order_id, "Submitted", 30.0, 70.0))
    script.say(error(-1, 1100, "Connectivity between IBKR and Trader Workstation has been lost."))
    ib.sleep(1)
    assert ib.isConnected()
    assert trade.unknown
    missed += [
        {"exec_id": "b.01.01", "shares": 50.0, "cum": 80.0},
        {"exec_id": "c.01.01", "shares": 20.0, "cum": 100.0},
    ]
    if delivered != "when asked":
        script.say(*(execution(order_id, **each) for each in missed))
    script.say(error(-1, back, "Connectivity has been restored."))
    ib.sleep(1)
    assert not trade.unknown
    assert seen == ["a.01.01", "b.01.01", "c.01.01"]
    assert told.count("fillEvent") == 3
    assert trade.filled() == 100
    ib.sleep(5)  # no status ever says so
    assert trade.orderStatus.status == "Filled"
    assert told.count("filledEvent") == 1
    assert len(script.of(m.ReqExecutions)) == len(script.of(m.ReqCompletedOrders)) == 2


def test_an_order_that_ended_in_an_outage() -> None:
    knows: list[bool] = []

    def answers(request: Any) -> Any:
        if isinstance(request, m.ReqCompletedOrders) and knows:
            return [completed(900, "Cancelled", trade.order, filledQuantity=0.0), m.CompletedOrdersEnd()]
        return None

    ib, script = connect(answers)
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0))
    script.say(open_order(trade.order, "Submitted"), status(trade.order.orderId, "Submitted"))
    script.say(error(-1, 1100))
    ib.sleep(1)
    knows.append(True)
    script.say(error(-1, 1102))
    ib.sleep(1)
    assert (trade.orderStatus.status, trade.unknown) == ("Cancelled", False)


def test_an_outage_over_a_read_only_connection_asks_for_executions_alone() -> None:
    ib, script = connect(readonly=True)
    script.say(error(-1, 1100), error(-1, 1102))
    ib.sleep(1)
    assert script.of(m.ReqOpenOrders) == script.of(m.ReqCompletedOrders) == []
    assert len(script.of(m.ReqExecutions)) == 2


def test_a_modification_in_an_outage_becomes_two_live_orders() -> None:
    """nautilus #4564: two permIds, one orderRef, one order id."""
    ib, script = connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0, orderRef="mine"))
    order = trade.order
    script.say(open_order(order, "Submitted", perm_id=900), error(-1, 1100))
    ib.sleep(1)
    order.lmtPrice = 11.0
    ib.placeOrder(AAPL, order)
    script.say(error(-1, 1102))
    script.say(open_order(order, "Submitted", perm_id=900, lmtPrice=10.0), open_order(order, "Submitted", perm_id=901))
    script.say(status(order.orderId, "Submitted", perm_id=900), status(order.orderId, "Submitted", perm_id=901))
    ib.sleep(1)
    assert {t.order.permId: t.orderStatus.status for t in ib.openTrades()} == {900: "Submitted", 901: "Submitted"}
    assert {t.order.orderRef for t in ib.openTrades()} == {"mine"}
    script.say(execution(order.orderId, "x.01.01", shares=40.0, perm_id=901))
    ib.sleep(1)
    assert [t.filled() for t in ib.trades()] == [0, 40.0]


def test_data_that_was_kept_is_not_asked_for_again() -> None:
    """ib_insync #256: 1101 loses subscriptions, 1102 does not."""
    ib, script = connect()
    ib.reqMktData(AAPL)
    ib.reqPnL("DU1")
    ib.sleep(0.1)
    script.say(error(-1, 1100), error(-1, 1102))
    ib.sleep(1)
    assert (len(script.of(m.ReqMktData)), len(script.of(m.ReqPnl))) == (1, 1)
    script.say(error(-1, 1100), error(-1, 1101))
    ib.sleep(1)
    assert (len(script.of(m.ReqMktData)), len(script.of(m.ReqPnl))) == (2, 2)
    assert script.of(m.ReqMktData)[0] == script.of(m.ReqMktData)[1]


# -- orders that are told in odd ways --------------------------------------------------------------------


def test_an_open_order_after_a_partial_fill_takes_nothing_back() -> None:
    """nautilus PR#3471: Submitted, with nothing filled."""
    under = EngineUnderTest()
    trade = place(under)
    order_id = trade.order.orderId
    under.send(open_order(trade.order, "Submitted"), execution(order_id, shares=30.0, cum=30.0))
    under.send(status(order_id, "Submitted", 30.0, 70.0, price=10.0))
    under.send(open_order(trade.order, "Submitted", filledQuantity=0.0))
    assert (trade.orderStatus.filled, trade.orderStatus.avgFillPrice, trade.filled()) == (30.0, 10.0, 30.0)
    assert trade.remaining() == 70.0


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_facts_come_in_any_order_and_the_second_filled_has_no_price(order: tuple[int, ...]) -> None:
    """nautilus #3958, pysystemtrade #188, ibx #108."""
    under = EngineUnderTest()
    trade = place(under)
    told = told_of(trade)
    order_id = trade.order.orderId
    facts = [
        open_order(trade.order, "Filled"),
        status(order_id, "Submitted"),
        execution(order_id),
        status(order_id, "Filled", 100.0, 0.0, price=10.0),
        commission(),
    ]
    under.send(*(facts[n] for n in order))
    under.send(status(order_id, "Filled", 100.0, 0.0, price=0.0), execution(order_id), commission())
    under.pass_time(60)
    assert trade.orderStatus.status == "Filled"
    assert (trade.orderStatus.avgFillPrice, trade.orderStatus.lastFillPrice) == (10.0, 10.0)
    assert [told.count(name) for name in ("fillEvent", "filledEvent", "commissionReportEvent")] == [1, 1, 1]
    assert trade.fills[0].commissionReport.commission == 1.0
    assert trade.filled() == 100


def test_the_legs_of_a_combo_are_executed_before_it_is_told_of() -> None:
    """nautilus #3833."""
    combo = Bag(symbol="AAPL", exchange="SMART", comboLegs=[ComboLeg(1, 1, "BUY"), ComboLeg(2, 1, "SELL")])
    ib, script = connect()
    trade = ib.placeOrder(combo, LimitOrder("BUY", 2, 1.0))
    order_id = trade.order.orderId
    legs = [Contract("OPT", n, "AAPL", exchange="SMART") for n in (1, 2)]
    for n, leg in enumerate(legs):
        script.say(execution(order_id, f"leg{n}.01.01", shares=2.0, contract=leg, cum=2.0))
    ib.sleep(10)
    assert not trade.isDone()
    assert trade.filled() == 0
    script.say(execution(order_id, "bag.01.01", shares=2.0, contract=combo), status(order_id, "Filled", 2.0, 0.0))
    ib.sleep(1)
    assert (trade.filled(), trade.orderStatus.status, len(trade.fills)) == (2.0, "Filled", 3)
    assert [type(fill.contract).__name__ for fill in trade.fills] == ["Option", "Option", "Bag"]


def test_a_commission_comes_late_or_never() -> None:
    """rust-ibapi PR#811, ib_insync #155: with other messages in between."""
    ib, script = connect()
    ticker = ib.reqMktData(AAPL)
    quotes = ib.wrapper.ticker2ReqId["mktData"][ticker]
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 100))
    order_id = trade.order.orderId
    told: list[Any] = []
    ib.commissionReportEvent += lambda *args: told.append(args)
    script.say(execution(order_id, "a.01.01", shares=60.0, cum=60.0), execution(order_id, "b.01.01", shares=40.0))
    script.say(status(order_id, "Filled", 100.0, 0.0), m.TickPrice(quotes, 1, 5.0, 1.0, 0))
    ib.sleep(3600)
    assert all(fill.commissionReport.commission != fill.commissionReport.commission for fill in trade.fills)
    script.say(commission("b.01.01", 2.5))
    ib.sleep(1)
    assert [(args[0], args[1], args[2].commission) for args in told] == [(trade, trade.fills[1], 2.5)]
    assert trade.fills[0].commissionReport.commission != trade.fills[0].commissionReport.commission


def test_an_execution_is_corrected() -> None:
    """ib_insync #364: .01 and then .02 are one execution."""
    ib, script = connect()
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 100))
    order_id = trade.order.orderId
    script.say(execution(order_id, "0001.01", shares=100.0, price=10.0), commission("0001.01", 1.0))
    script.say(execution(order_id, "0001.02", shares=90.0, price=10.5), commission("0001.02", 0.9))
    ib.sleep(1)
    (fill,) = trade.fills
    assert (fill.execution.execId, fill.execution.price, fill.commissionReport.commission) == ("0001.02", 10.5, 0.9)
    assert trade.filled() == 90
    assert ib.fills() == [fill]


def test_a_preset_changes_the_time_in_force_and_the_order_lives() -> None:
    """ib_async #191: 10349 is a remark."""
    ib, script = connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0))
    told = told_of(trade)
    script.say(error(trade.order.orderId, 10349, "Order TIF was set to DAY based on order preset."))
    script.say(open_order(trade.order, "Submitted", tif="DAY"), status(trade.order.orderId, "Submitted"))
    ib.sleep(1)
    assert trade.orderStatus.status == "Submitted"
    assert "cancelledEvent" not in told
    assert any(entry.errorCode == 10349 for entry in trade.log)


def test_a_child_is_cancelled_for_a_moment_while_a_bracket_is_staged() -> None:
    """ib_async #217."""
    ib, script = connect()
    trades = [ib.placeOrder(AAPL, order) for order in ib.bracketOrder("BUY", 10, 10.0, 12.0, 9.0)]
    parent, profit, stop = (trade.order.orderId for trade in trades)
    told = told_of(trades[1])
    script.say(status(profit, "Cancelled", perm_id=901), status(profit, "PreSubmitted", perm_id=901))
    script.say(status(parent, "Submitted", perm_id=900), status(stop, "PreSubmitted", perm_id=902))
    ib.sleep(1)
    assert [trade.orderStatus.status for trade in trades] == ["Submitted", "PreSubmitted", "PreSubmitted"]
    assert ib.openTrades() == trades
    assert told == ["statusEvent", "cancelledEvent", "statusEvent"]


@pytest.mark.parametrize("ends", ["Cancelled", "10147", "10148"])
def test_a_cancel_is_not_answered_until_the_market_opens(ends: str) -> None:
    """LeanIB PR#256 and PR#248."""
    ib, script = connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0))
    order_id = trade.order.orderId
    script.say(open_order(trade.order, "PreSubmitted"), status(order_id, "PreSubmitted"))
    ib.sleep(1)
    ib.cancelOrder(trade.order)
    ib.sleep(15 * 3600)
    assert trade.orderStatus.status == "PendingCancel"
    if ends == "Cancelled":
        script.say(status(order_id, "Cancelled"), error(order_id, 202, "Order Canceled - reason:"))
    elif ends == "10147":
        script.say(error(order_id, 10147, f"OrderId {order_id} that needs to be cancelled is not found."))
    else:
        text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: Filled."
        script.say(error(order_id, 10148, text))
    ib.sleep(1)
    if ends == "10147":  # nobody knows what became of it
        assert (trade.orderStatus.status, trade.unknown) == ("PreSubmitted", True)
    else:
        assert trade.orderStatus.status == ("Cancelled" if ends == "Cancelled" else "Filled")


# -- data ------------------------------------------------------------------------------------------------


def bars_of(rows: list[m.BarRow], request: m.ReqHistoricalData) -> list[Any]:
    return [m.HistoricalData(request.reqId, "", "", list(rows)), m.HistoricalDataEnd(request.reqId, "", "")]


def keep_up_to_date(rows: list[m.BarRow]) -> tuple[IB, Script, BarDataList]:
    def answers(request: Any) -> Any:
        return bars_of(rows, request) if isinstance(request, m.ReqHistoricalData) else None

    ib, script = connect(answers)
    bars = ib.reqHistoricalData(AAPL, "", "1 D", "1 min", "TRADES", True, keepUpToDate=True)
    return ib, script, bars


@pytest.mark.parametrize("farm", [2104, 2106, 1102, 1101])
def test_updates_of_bars_fail_and_go_on_when_the_farm_is_back(farm: int) -> None:
    """ib_insync #670: 10182 killed bars that were kept up to date, without a word."""
    rows = [row(0, 1.0)]
    ib, script, bars = keep_up_to_date(rows)
    told: list[bool] = []
    bars.updateEvent += lambda bars, has_new: told.append(has_new)

    async def wait() -> None:
        await bars.updateEvent

    async def main() -> None:
        waiting = asyncio.ensure_future(wait())
        script.after(1, error(-1, 2103, "Market data farm connection is broken:usfarm"))
        script.after(2, error(bars.reqId, 10182, "Failed to request live updates (disconnected)."))
        with pytest.raises(RequestError, match="10182"):
            await waiting

    ib.run(main())
    assert ib.realtimeBars() == [bars]
    rows.append(row(1, 2.0))
    if farm in (1101, 1102):
        script.say(error(-1, 1100))
    script.say(error(-1, farm, "farm connection is OK:usfarm"))
    ib.sleep(1)
    assert [bar.close for bar in bars] == [1.0, 2.0]
    assert told == [True]
    assert len(script.of(m.ReqHistoricalData)) == 2
    script.say(m.HistoricalDataUpdate(bars.reqId, row(2, 3.0)))
    script.say(error(-1, 2104, "farm connection is OK:usfarm"))
    ib.sleep(1)
    assert [bar.close for bar in bars] == [1.0, 2.0, 3.0]
    assert len(script.of(m.ReqHistoricalData)) == 2


def test_a_farm_that_flaps_changes_nothing() -> None:
    """nautilus PR#3968: 2103, and 2104 three seconds later, for minutes."""
    ib, script, bars = keep_up_to_date([row(0)])
    ticker = ib.reqMktData(AAPL)
    ib.sleep(0.1)
    sent = len(script.requests)
    for second in range(0, 120, 6):
        script.after(second, error(-1, 2103, "Market data farm connection is broken:usfarm"))
        script.after(second + 3, error(-1, 2104, "Market data farm connection is OK:usfarm"))
    ib.sleep(200)
    assert len(script.requests) == sent
    assert ib.isConnected()
    quotes = ib.wrapper.ticker2ReqId["mktData"][ticker]
    script.say(m.HistoricalDataUpdate(bars.reqId, row(1)), m.TickSize(quotes, 8, 5.0))
    ib.sleep(1)
    assert (len(bars), ticker.volume) == (2, 5.0)


def test_an_echo_in_another_language_ends_nothing() -> None:
    """Campus 17: texts come in the language of the user."""
    ib, script, bars = keep_up_to_date([row(0)])
    script.say(error(-1, 1100), error(-1, 1101))
    ib.sleep(1)
    script.say(error(bars.reqId, 162, "Historische Marktdaten: API-Abfrage abgebrochen"))
    ib.sleep(1)
    assert ib.realtimeBars() == [bars]
    script.say(m.HistoricalDataUpdate(bars.reqId, row(1)))
    ib.sleep(1)
    assert len(bars) == 2
    script.say(error(bars.reqId, 162, "Historical Market Data Service error message:HMDS query returned no data"))
    ib.sleep(1)
    assert ib.realtimeBars() == []


def test_an_answer_after_the_client_gave_up() -> None:
    """LeanIB #201: silence, and then 366 for the cancel, and then the bars."""

    def answers(request: Any) -> Any:
        match request:
            case m.ReqHistoricalData() if request.contract.symbol == "AAPL":
                return []
            case m.ReqHistoricalData():
                return bars_of([row(5, 7.0)], request)
            case m.CancelHistoricalData(reqId=req_id):
                return [error(req_id, 366, f"No historical data query found for ticker id:{req_id}")]
        return None

    ib, script = connect(answers)
    told: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: told.append(code)
    with pytest.raises(RequestTimeout):
        ib.reqHistoricalData(AAPL, "", "1 D", "1 min", "TRADES", True, timeout=5)
    (late,) = script.of(m.ReqHistoricalData)
    script.say(*bars_of([row(0)], late))
    other = ib.reqHistoricalData(Stock("MSFT", "SMART", "USD"), "", "1 D", "1 min", "TRADES", True)
    assert [bar.close for bar in other] == [7.0]
    assert told == [366]


def test_a_refused_stream_is_told_to_those_who_wait_for_it() -> None:
    """ib_async #220: no permission, and a ticker that stays NaN for ever."""
    ib, script = connect()
    ticker = ib.reqMktData(AAPL)
    quotes = ib.wrapper.ticker2ReqId["mktData"][ticker]

    async def wait() -> None:
        await ticker.updateEvent

    script.after(1, error(quotes, 354, "Requested market data is not subscribed."))
    with pytest.raises(RequestError, match="354"):
        ib.run(wait())


# -- the beginning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "time", ["20240110 10:00:00 Mitteleuropäische Zeit", "20240110 22:00:00 中国标准时间", "20240110 10:00:00 ", ""]
)
def test_an_odd_zone_in_the_handshake(time: str) -> None:
    """lbilli/rib #5."""
    under = EngineUnderTest(200, ready=False)
    under.requests()
    under.feed(handshake.server_hello(200, time))
    under.requests()
    under.send(m.ManagedAccts("DU1"), m.NextValidId(1))
    assert under.engine.ready


def test_a_read_only_gateway_says_so_at_once() -> None:
    """ib_insync #1: 321 for everything about orders."""
    text = "Error validating request.-'bN' : cause - The API interface is currently in Read-Only mode."

    def answers(request: Any) -> Any:
        match request:
            case m.ReqOpenOrders() | m.ReqCompletedOrders():
                return [error(-1, 321, text)]
            case m.PlaceOrder(orderId=order_id):
                return [error(order_id, 321, text)]
        return None

    ib, script = connect(answers)
    assert script.clock.monotonic() < 1
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 1))
    ib.sleep(1)
    assert trade.isDone()
    assert "Read-Only" in trade.log[-1].message
    with pytest.raises((OrderRejected, RequestError)):
        ib.whatIfOrder(AAPL, MarketOrder("BUY", 1))
