"""Placing, modifying, cancelling: what is checked first, what is noted, what is sent (semantics.md 5)."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from ibkit.engine import placing
from ibkit.engine.core import DefaultSettings
from ibkit.engine.state import State
from ibkit.errors import EncodeError, InvalidRequest, NotConnected, OrderStateError
from ibkit.model import LimitOrder, MarketOrder, Order, OrderCancel, Stock, Trade
from ibkit.wire import messages as m
from tests.engine.orders_said import AAPL, error, execution, open_order, status
from tests.engine.peer import EngineUnderTest
from tests.engine.test_orders import Connected, log, place

NO_REASON = OrderCancel()


def test_a_new_order_is_pending_and_sent(connected: Connected) -> None:
    under = connected(next_id=7)
    order = LimitOrder("BUY", Decimal("0.5"), Decimal("10.25"), orderRef="mine")
    trade = placing.place(under.engine, AAPL, order)
    assert trade.order is order
    assert trade.contract is AAPL
    assert (order.orderId, order.clientId, order.permId) == (7, 1, 0)
    assert (trade.orderStatus.orderId, trade.orderStatus.status) == (7, "PendingSubmit")
    assert log(trade) == [("PendingSubmit", "")]
    assert under.told == [("newOrderEvent", trade)]
    (sent,) = under.requests()
    assert isinstance(sent, m.PlaceOrder)
    assert (sent.orderId, sent.order.totalQuantity, sent.order.lmtPrice, sent.order.orderRef) == (7, 0.5, 10.25, "mine")
    assert sent.contract.conId == AAPL.conId


def test_the_contract_of_a_trade_stays_as_the_user_gave_it(connected: Connected) -> None:
    """semantics.md 5: an object that is used again with another symbol must not have got a conId meanwhile."""
    under = connected()
    contract = Stock("AAPL", "SMART", "USD")
    trade = placing.place(under.engine, contract, MarketOrder("BUY", 100))
    under.send(open_order(trade.order, "Submitted"), execution(1))
    assert trade.contract is contract
    assert contract == Stock("AAPL", "SMART", "USD")
    assert contract.conId == 0
    assert trade.fills[0].contract.conId == AAPL.conId


def test_ids_of_the_users_own_are_kept_and_not_given_out_again() -> None:
    under = EngineUnderTest()
    trade = placing.place(under.engine, AAPL, MarketOrder("BUY", 1, orderId=50))
    assert trade.order.orderId == 50
    assert placing.place(under.engine, AAPL, MarketOrder("BUY", 1)).order.orderId == 51


def test_placing_it_again_modifies_it(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    heard: list[Trade] = []
    trade.modifyEvent += heard.append
    trade.order.lmtPrice = 11.0
    assert placing.place(under.engine, AAPL, trade.order) is trade
    assert [sent.order.lmtPrice for sent in under.requests()] == [11.0]
    assert under.told == [("orderModifyEvent", trade)]
    assert heard == [trade]
    assert log(trade)[-1] == ("PendingSubmit", "Modify")


def test_another_object_with_the_same_id_modifies_it_too() -> None:
    under = EngineUnderTest()
    trade = place(under)
    assert placing.place(under.engine, AAPL, LimitOrder("BUY", 100, 12.0, orderId=trade.order.orderId)) is trade
    under.send(open_order(trade.order, "Submitted", lmtPrice=12.0))
    assert trade.order.lmtPrice == 12.0


@pytest.mark.parametrize("end", ["Filled", "Cancelled", "ApiCancelled"])
def test_an_order_that_has_ended_cannot_be_placed_again(end: str) -> None:
    """peer-weaknesses.md 1.9: peers find out after they have sent it."""
    under = EngineUnderTest()
    trade = place(under)
    under.send(status(1, end))
    with pytest.raises(OrderStateError, match="make a new Order"):
        placing.place(under.engine, AAPL, trade.order)
    assert under.requests() == []
    assert log(trade)[-1] == (end, "")


def test_a_copy_without_id_is_a_new_order() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(status(1, "Filled", 100, 0))
    again = copy.copy(trade.order)
    again.orderId = 0
    second = placing.place(under.engine, AAPL, again)
    assert second is not trade
    assert (again.orderId, again.permId) == (2, 0)
    assert trade.order.permId == 900


def test_what_cannot_be_sent_changes_nothing(connected: Connected) -> None:
    under = connected()
    bad = LimitOrder("BUY", float("nan"), 10.0)
    with pytest.raises(EncodeError):
        placing.place(under.engine, AAPL, bad)
    assert bad.orderId == 0
    assert under.told == []
    assert under.requests() == []
    assert not under.engine.state.orders.held

    trade = place(under)
    trade.order.lmtPrice = float("nan")
    with pytest.raises(EncodeError):
        placing.place(under.engine, AAPL, trade.order)
    assert under.told == []
    assert len(trade.log) == 1


def test_a_preview_is_no_placement() -> None:
    under = EngineUnderTest()
    with pytest.raises(InvalidRequest, match="whatIfOrder"):
        placing.place(under.engine, AAPL, MarketOrder("BUY", 1, whatIf=True))


def test_a_preview_leaves_the_users_order_alone(connected: Connected) -> None:
    under = connected()
    order = LimitOrder("BUY", 1, 1.0)
    call = placing.preview(under.engine, AAPL, order)
    (sent,) = under.requests()
    assert sent.order.whatIf
    assert (order.orderId, order.whatIf) == (0, False)
    assert not call.done


def test_orders_of_others_and_by_hand_cannot_be_changed_from_here() -> None:
    """peer-weaknesses.md 1.9: peers place a manual order anew instead of changing it."""
    under = EngineUnderTest()
    under.send(
        open_order(LimitOrder("BUY", 1, 1.0, orderId=4), "Submitted", perm_id=5, client_id=2),
        open_order(LimitOrder("BUY", 1, 1.0, orderId=0), "Submitted", perm_id=6, client_id=0),
    )
    theirs, by_hand = under.engine.state.orders
    for trade, text in ((theirs, "belongs to client 2"), (by_hand, "reqAutoOpenOrders")):
        with pytest.raises(InvalidRequest, match=text):
            placing.place(under.engine, AAPL, trade.order)
        with pytest.raises(InvalidRequest, match=text):
            placing.cancel(under.engine, trade.order, NO_REASON)
    assert under.requests() == []


def test_a_bound_order_can_be_changed_by_client_0(connected: Connected) -> None:
    under = connected(client_id=0)
    under.send(open_order(LimitOrder("BUY", 1, 1.0, orderId=0), "Submitted", perm_id=6, client_id=0))
    (trade,) = under.engine.state.orders
    under.send(m.OrderBound(6, 0, -2))
    assert placing.place(under.engine, AAPL, trade.order) is trade
    assert [sent.orderId for sent in under.requests()] == [-2]


# -- cancelling ------------------------------------------------------------------------------------------


def test_a_cancel_is_pending_until_the_gateway_has_spoken(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    under.send(status(1, "Submitted"))
    under.told.clear()
    heard: list[str] = []
    trade.cancelEvent += lambda trade: heard.append("cancel")
    trade.statusEvent += lambda trade: heard.append(trade.orderStatus.status)
    trade.cancelledEvent += lambda trade: heard.append("cancelled")
    assert placing.cancel(under.engine, trade.order, NO_REASON) is trade
    assert [sent.orderId for sent in under.requests()] == [1]
    assert heard == ["cancel", "PendingCancel"]
    assert under.names() == ["cancelOrderEvent", "orderStatusEvent"]
    placing.cancel(under.engine, trade.order, NO_REASON)  # again: sent, and nothing else
    assert len(under.requests()) == 1
    assert under.names() == []
    under.send(status(1, "Cancelled"))
    assert heard == ["cancel", "PendingCancel", "Cancelled", "cancelled"]


@pytest.mark.parametrize(("before", "transmit"), [("PendingSubmit", False), ("Inactive", True)])
def test_an_order_that_is_only_held_is_cancelled_at_once(before: str, transmit: bool) -> None:
    """semantics.md 5: of these TWS tells no end."""
    under = EngineUnderTest()
    trade = place(under, LimitOrder("BUY", 1, 1.0, transmit=transmit))
    under.send(status(1, before))
    ends: list[Trade] = []
    trade.cancelledEvent += ends.append
    placing.cancel(under.engine, trade.order, NO_REASON)
    assert trade.orderStatus.status == "Cancelled"
    assert ends == [trade]
    under.send(status(1, "Cancelled"))
    assert ends == [trade]


def test_cancelling_what_has_ended_sends_nothing() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(status(1, "Filled", 100, 0))
    under.told.clear()
    assert placing.cancel(under.engine, trade.order, NO_REASON) is trade
    assert under.requests() == []
    assert under.told == []


def test_cancelling_what_is_not_known_here_is_sent_if_it_has_an_id() -> None:
    under = EngineUnderTest()
    assert placing.cancel(under.engine, Order(orderId=9), NO_REASON) is None
    assert [sent.orderId for sent in under.requests()] == [9]
    with pytest.raises(InvalidRequest, match="never placed"):
        placing.cancel(under.engine, Order(), NO_REASON)


def test_nothing_can_be_placed_without_a_connection() -> None:
    under = EngineUnderTest()
    under.engine.closed("over")
    order = MarketOrder("BUY", 1)
    with pytest.raises(NotConnected):
        placing.place(under.engine, AAPL, order)
    assert order.orderId == 0


def test_orders_go_ahead_of_data_requests() -> None:
    """semantics.md 10: in ib_insync a cancel waits behind queued requests."""
    under = EngineUnderTest()
    for _ in range(100):
        under.engine.send(m.ReqCurrentTime())
    placing.place(under.engine, AAPL, MarketOrder("BUY", 1))
    assert type(under.requests()[0]) is m.PlaceOrder


def test_an_order_of_an_earlier_connection_can_be_changed_on_the_next_one() -> None:
    state = State()
    first = EngineUnderTest(state=state)
    trade = place(first)
    first.send(status(1, "Submitted"))
    first.engine.closed("cut")
    second = EngineUnderTest(state=state)
    trade.order.lmtPrice = 12.0
    assert placing.place(second.engine, AAPL, trade.order) is trade
    assert [sent.orderId for sent in second.requests()] == [1]


def test_an_order_nobody_says_a_word_about_is_unknown_after_a_while(connected: Connected) -> None:
    """Some orders of a batch never get any callback (LeanIB #93): that is said, and no state is made up."""
    under = connected()
    silent, answered = (placing.place(under.engine, AAPL, MarketOrder("BUY", 100)) for _ in range(2))
    held_back = placing.place(under.engine, AAPL, MarketOrder("BUY", 100, transmit=False))
    under.requests()
    under.send(status(answered.order.orderId, "Submitted"))
    under.names()
    heard: list[Trade] = []
    silent.statusEvent += heard.append
    under.pass_time(59)
    assert not silent.unknown
    under.pass_time(1)
    assert [trade.unknown for trade in (silent, answered, held_back)] == [True, False, False]
    assert silent.orderStatus.status == "PendingSubmit"
    assert log(silent)[-1] == ("PendingSubmit", "No answer within 60 s: not known whether the order has arrived")
    assert heard == [silent]
    assert under.names() == ["orderStatusEvent"]

    under.send(status(silent.order.orderId, "Submitted", perm_id=901))
    assert (silent.unknown, silent.orderStatus.status) == (False, "Submitted")


@pytest.mark.parametrize(
    "said",
    [
        lambda order: open_order(order, "PreSubmitted"),
        lambda order: execution(order.orderId, shares=1.0),
        lambda order: error(order.orderId, 399, "will be placed at the open"),
        lambda order: error(order.orderId, 201, "rejected"),
    ],
)
def test_any_word_about_an_order_is_an_answer(said: Any) -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(said(trade.order))
    under.pass_time(100)
    assert not trade.unknown


def test_an_order_that_waits_for_the_message_rate_is_not_late() -> None:
    under = EngineUnderTest()
    trades = [placing.place(under.engine, AAPL, MarketOrder("BUY", 1)) for _ in range(100)]
    under.pass_time(3)
    for trade in trades:
        under.send(status(trade.order.orderId, "Submitted", perm_id=1000 + trade.order.orderId))
    assert len(under.engine.timers._heap) < 70
    under.pass_time(100)
    assert not any(trade.unknown for trade in trades)


def test_without_a_limit_an_order_is_waited_for_as_long_as_it_takes() -> None:
    settings = DefaultSettings()
    settings.RequestTimeout = 0
    under = EngineUnderTest(settings=settings)
    trade = place(under)
    under.pass_time(10_000)
    assert not trade.unknown
