"""Orders that have ended, and what became of orders while there was no connection (design.md, "An order")."""

from __future__ import annotations

from ibkit.engine import completed as completed_orders
from ibkit.engine.call import Call
from ibkit.engine.state import State
from ibkit.model import LimitOrder, Trade
from ibkit.wire import messages as m
from tests.engine.orders_said import completed, execution, open_order, status
from tests.engine.peer import EngineUnderTest
from tests.engine.test_orders import Connected, log, place


def ask(under: EngineUnderTest) -> Call[list[Trade]]:
    return under.engine.ask(m.ReqCompletedOrders(False), key="completedOrders", name="reqCompletedOrders(False)")


def test_completed_orders_are_trades_known_by_their_perm_id(connected: Connected) -> None:
    under = connected()
    call = ask(under)
    order = LimitOrder("BUY", 100, 10.0)
    under.send(
        completed(31, "Filled", order, filledQuantity=100.0), completed(32, "Cancelled", order), m.CompletedOrdersEnd()
    )
    filled, cancelled = call.result()
    assert (filled.order.permId, filled.orderStatus.status, filled.isDone()) == (31, "Filled", True)
    assert (filled.orderStatus.filled, filled.orderStatus.remaining) == (100, 0)
    assert cancelled.orderStatus.status == "Cancelled"
    assert list(under.engine.state.orders) == [filled, cancelled]
    assert under.names() == []
    under.send(execution(0, perm_id=31, req_id=5))  # executions are asked for afterwards
    assert filled.filled() == 100


def test_the_answer_holds_the_trades_that_are_known() -> None:
    """semantics.md 5: peers answer new objects for known orders."""
    under = EngineUnderTest()
    trade = place(under)
    under.send(status(1, "Filled", 100, 0))
    call = ask(under)
    under.send(completed(900, "Filled", trade.order), m.CompletedOrdersEnd())
    assert call.result() == [trade]


def test_a_missed_end_is_made_up_for(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    under.send(open_order(trade.order, "Submitted"), status(1, "Submitted"))
    under.told.clear()
    ends: list[Trade] = []
    trade.cancelledEvent += ends.append
    ask(under)
    under.send(completed(900, "Cancelled", trade.order))
    assert ends == [trade]
    assert log(trade)[-1] == ("Cancelled", "Cancelled by the market")
    assert under.names() == ["orderStatusEvent"]


def _cut(status_before: str = "Submitted") -> tuple[State, Trade]:
    state = State()
    first = EngineUnderTest(state=state)
    trade = place(first)
    if status_before != "PendingSubmit":
        first.send(open_order(trade.order, status_before), status(1, status_before))
    first.engine.closed("the cable was cut")
    assert trade.unknown
    return state, trade


def test_what_was_filled_meanwhile_is_told_with_its_fills() -> None:
    state, trade = _cut()
    heard: list[str] = []
    trade.fillEvent += lambda trade, fill: heard.append(f"fill {fill.execution.shares:g}")
    trade.filledEvent += lambda trade: heard.append(f"filled with {len(trade.fills)}")
    again = EngineUnderTest(state=state)
    again.engine.session.syncing = True
    again.send(m.OpenOrderEnd(), completed(900, "Filled", trade.order, filledQuantity=100.0), m.CompletedOrdersEnd())
    assert heard == []
    assert trade.unknown
    again.send(execution(1, req_id=9), m.ExecutionDataEnd(9))
    again.engine.session.syncing = False
    completed_orders.settle(again.engine, complete=True)
    assert heard == ["fill 100", "filled with 1"]
    assert trade.orderStatus.status == "Filled"
    told = trade.fills[0].execution
    assert told.avgPrice > 0
    assert (trade.orderStatus.avgFillPrice, trade.orderStatus.lastFillPrice) == (told.avgPrice, told.price)
    assert not trade.unknown
    completed_orders.settle(again.engine, complete=True)
    assert len(heard) == 2


def test_what_is_still_open_is_known_again() -> None:
    state, trade = _cut()
    again = EngineUnderTest(state=state)
    again.send(open_order(trade.order, "Submitted"), status(1, "Submitted"), m.OpenOrderEnd())
    completed_orders.settle(again.engine, complete=True)
    assert not trade.unknown
    assert again.names() == []
    assert not [entry for entry in trade.log if "no such order" in entry.message]


def test_what_the_gateway_does_not_know_stays_unknown_and_is_said() -> None:
    """limits.md 3: orders sent in the second of the restart are lost without any answer."""
    state, trade = _cut("PendingSubmit")
    again = EngineUnderTest(state=state)
    completed_orders.settle(again.engine, complete=True)
    assert trade.unknown
    assert trade.orderStatus.status == "PendingSubmit"
    assert "knows no such order" in trade.log[-1].message


def test_half_an_answer_proves_nothing() -> None:
    state, trade = _cut()
    again = EngineUnderTest(state=state)
    completed_orders.settle(again.engine, complete=False)
    assert "did not answer all questions" in trade.log[-1].message
    other = EngineUnderTest(state=state, client_id=9)
    completed_orders.settle(other.engine, complete=True)
    assert "belongs to client 1" in trade.log[-1].message


def test_the_verdicts_of_a_connection_die_with_it() -> None:
    state, trade = _cut()
    again = EngineUnderTest(state=state)
    again.engine.session.syncing = True
    again.send(completed(900, "Filled", trade.order))
    again.engine.closed("cut again")
    third = EngineUnderTest(state=state)
    completed_orders.settle(third.engine, complete=False)
    assert trade.unknown
