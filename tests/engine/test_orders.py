"""Orders as the gateway tells them: identity, terms, status, and every fact once (semantics.md 5)."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine import placing
from ibkit.engine.call import Call
from ibkit.engine.orders import STATUS_PATIENCE_S
from ibkit.engine.state import State
from ibkit.errors import ConnectionLost
from ibkit.model import LimitOrder, Option, Order, OrderState, OrderStatus, Trade
from ibkit.wire import messages as m
from tests.engine.orders_said import AAPL, commission, execution, open_order, status
from tests.engine.peer import VERSIONS, EngineUnderTest

Connected = Callable[..., EngineUnderTest]


def place(under: EngineUnderTest, order: Order | None = None) -> Trade:
    trade = placing.place(under.engine, AAPL, order or LimitOrder("BUY", 100, 10.0))
    under.requests()
    under.told.clear()
    return trade


def log(trade: Trade) -> list[tuple[str, str]]:
    return [(entry.status, entry.message) for entry in trade.log]


def test_the_life_of_an_order(connected: Connected) -> None:
    """protocol README, "Order flow": open order, status, execution, status, commission."""
    under = connected(next_id=7)
    trade = place(under)
    heard: list[str] = []
    trade.statusEvent += lambda trade: heard.append(trade.orderStatus.status)
    trade.fillEvent += lambda trade, fill: heard.append(f"fill {fill.execution.shares:g}")
    trade.filledEvent += lambda trade: heard.append(f"filled, {len(trade.fills)} fills")
    trade.commissionReportEvent += lambda trade, fill, report: heard.append(f"cost {report.commission:g}")
    under.send(
        open_order(trade.order, "PreSubmitted"),
        status(7, "PreSubmitted"),
        open_order(trade.order, "Submitted"),
        status(7, "Submitted"),
        status(7, "Submitted"),
        execution(7, shares=40, cum=40),
        status(7, "Submitted", 40, 60),
        execution(7, "0001.02.01", shares=60, cum=100),
        open_order(trade.order, "Filled"),
        status(7, "Filled", 100, 0),
        status(7, "Filled", 100, 0),
        commission(),
        commission("0001.02.01", 2.0),
    )
    assert heard == [
        "PreSubmitted", "Submitted", "fill 40", "Submitted", "fill 60", "Filled", "filled, 2 fills", "cost 1", "cost 2",
    ]  # fmt: skip
    assert trade.isDone()
    assert trade.filled() == 100
    assert trade.remaining() == 0
    assert trade.order.permId == trade.orderStatus.permId == 900
    assert [message for _, message in log(trade)] == ["", "", "", "Fill 40.0@10.0", "", "Fill 60.0@10.0", ""]
    assert under.names() == [
        "openOrderEvent", "orderStatusEvent", "openOrderEvent", "orderStatusEvent", "execDetailsEvent",
        "orderStatusEvent", "execDetailsEvent", "openOrderEvent", "orderStatusEvent",
        "commissionReportEvent", "commissionReportEvent",
    ]  # fmt: skip


def test_repeats_tell_nothing(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    said = [
        open_order(trade.order, "Submitted"),
        status(1, "Submitted"),
        execution(1),
        status(1, "Filled", 100, 0),
        commission(),
    ]
    under.send(*said)
    under.names()
    before = log(trade)
    under.send(*said[:3], *said[2:], *said[:1], *said[3:])
    assert under.names() == []
    assert log(trade) == before
    assert trade.orderStatus.status == "Filled"


@given(st.data(), st.sampled_from(VERSIONS))
def test_in_any_order_and_however_often_every_fact_is_told_once(data: st.DataObject, version: int) -> None:
    """TWS repeats what it says, and does not promise an order between messages of different kinds."""
    under = EngineUnderTest(version)
    trade = place(under)
    facts = [
        open_order(trade.order, "Submitted"),
        execution(1, "0001.01.01", 40, cum=40),
        commission("0001.01.01"),
        execution(1, "0001.02.01", 60, cum=100),
        commission("0001.02.01"),
        status(1, "Filled", 100, 0),
    ]
    often = data.draw(st.lists(st.sampled_from(range(len(facts))), min_size=6, max_size=20))
    order = [*often, *(i for i in data.draw(st.permutations(range(len(facts)))) if i not in often)]
    filled: list[Trade] = []
    trade.filledEvent += filled.append
    for i in order:
        under.send(facts[i])
    names = under.names()
    assert names.count("execDetailsEvent") == 2
    assert names.count("commissionReportEvent") == 2
    assert names.count("openOrderEvent") == 1
    assert names.count("orderStatusEvent") == 1
    assert filled == [trade]
    assert trade.filled() == 100
    assert sum(fill.commissionReport.commission for fill in trade.fills) == 2.0


# -- identity --------------------------------------------------------------------------------------------


def test_a_perm_id_is_the_order_and_a_route_may_lead_to_another_one() -> None:
    """limits.md 2: the same order id can name two orders on one day; only permId is unique (NT #4247)."""
    under = EngineUnderTest()
    order = LimitOrder("BUY", 100, 10.0, orderId=5)
    under.send(open_order(order, "Submitted", perm_id=1))
    under.send(open_order(order, "Submitted", perm_id=2))
    first, second = under.engine.state.orders
    assert (first.order.permId, second.order.permId) == (1, 2)
    under.send(status(5, "Cancelled", perm_id=1), status(5, "Submitted", perm_id=2))
    assert (first.orderStatus.status, second.orderStatus.status) == ("Cancelled", "Submitted")
    assert under.engine.state.orders.find(1, 5, 0) is second


def test_orders_of_other_clients_are_other_orders(connected: Connected) -> None:
    under = connected()
    mine = place(under)
    under.send(open_order(LimitOrder("SELL", 5, 9.0, orderId=1), "Submitted", perm_id=77, client_id=2))
    under.send(status(1, "Submitted", 0, 5, perm_id=77, client_id=2))
    (first, other) = under.engine.state.orders
    assert first is mine
    assert mine.orderStatus.status == "PendingSubmit"
    assert other.orderStatus.status == "Submitted"
    assert other.order.clientId == 2
    assert under.engine.next_id() == 2  # foreign ids do not count


def test_an_order_entered_by_hand_is_known_by_its_perm_id_and_gets_an_id(connected: Connected) -> None:
    under = connected(client_id=0)
    under.send(open_order(LimitOrder("BUY", 1, 1.0, orderId=0), "Submitted", perm_id=5, client_id=0))
    under.send(status(0, "Submitted", 0, 1, perm_id=5, client_id=0))
    (trade,) = under.engine.state.orders
    assert trade.orderStatus.status == "Submitted"
    under.send(m.OrderBound(5, 0, -3))
    assert trade.order.orderId == trade.orderStatus.orderId == -3
    assert under.told[-1] == ("orderBoundEvent", trade)
    under.send(status(-3, "Cancelled", 0, 1, perm_id=5, client_id=0))
    assert trade.isDone()
    assert len(under.engine.state.orders.held) == 1


def test_ids_told_for_our_orders_are_not_used_again() -> None:
    """semantics.md 1.12."""
    under = EngineUnderTest(next_id=3)
    under.send(open_order(LimitOrder("BUY", 1, 1.0, orderId=41), "Submitted"))
    assert under.engine.next_id() == 42


def test_the_status_of_an_unknown_order_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    under = EngineUnderTest()
    with caplog.at_level(logging.INFO, "ibkit.engine"):
        under.send(status(99, "Submitted", client_id=5))
    assert "not known" in caplog.text
    assert under.names() == []


def test_an_adopted_order_is_a_trade_without_what_tws_writes_for_nothing(connected: Connected) -> None:
    """protocol README: TWS puts '?' into texts; portfolio and order contracts are specific classes."""
    under = connected()
    order = LimitOrder("BUY", 2, 3.0, orderId=8, openClose="?", deltaNeutralOpenClose="")
    option = Option("AAPL", "20240119", 180, "C", "SMART", conId=1)
    told = open_order(order, "PreSubmitted")
    under.send(m.OpenOrder(told.order, option, told.orderState))
    (trade,) = under.engine.state.orders
    assert isinstance(trade.contract, Option)
    assert trade.order.openClose == "O"
    assert trade.orderStatus.status == "PreSubmitted"
    assert trade.orderStatus.permId == 900
    assert trade.log == []


# -- terms -----------------------------------------------------------------------------------------------


def test_the_gateways_own_defaults_do_not_get_into_the_users_order() -> None:
    """protocol README: a live TWS tells ocaType 3, displaySize unset, deltaNeutralOrderType 'None' ..."""
    under = EngineUnderTest()
    trade = place(under)
    noise = {"ocaType": 3, "displaySize": 2**31 - 1, "clearingIntent": "IB", "volatilityType": 0, "tif": "DAY"}
    under.send(open_order(trade.order, "Submitted", **noise))
    assert trade.order.nonDefaults().keys() == {
        "orderId", "clientId", "permId", "action", "totalQuantity", "orderType", "lmtPrice",
    }  # fmt: skip


def test_what_somebody_changes_in_tws_is_copied(connected: Connected) -> None:
    """peer-weaknesses.md 1.11: peers copy six fields only."""
    under = connected()
    trade = place(under)
    under.send(open_order(trade.order, "Submitted", tif="DAY", ocaType=3))
    under.send(open_order(trade.order, "Submitted", tif="GTC", ocaType=3, lmtPrice=11.0, outsideRth=True))
    assert (trade.order.tif, trade.order.lmtPrice, trade.order.outsideRth) == ("GTC", 11.0, True)
    assert trade.order.ocaType == 0


def test_an_old_telling_does_not_undo_a_modification() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(open_order(trade.order, "Submitted"))
    told_before = open_order(trade.order, "Submitted", lmtPrice=10.0, tif="GTC")
    trade.order.lmtPrice = 12.0
    placing.place(under.engine, AAPL, trade.order)
    under.send(told_before)  # on its way when we changed the price
    assert trade.order.lmtPrice == 12.0
    assert trade.order.tif == "GTC"
    under.send(open_order(trade.order, "Submitted"), status(1, "Submitted"))
    assert trade.order.lmtPrice == 12.0


def test_a_computed_first_price_is_copied() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(open_order(trade.order, "Submitted", lmtPrice=9.99))
    assert trade.order.lmtPrice == 9.99


# -- status ----------------------------------------------------------------------------------------------


def test_a_modification_is_acknowledged_by_the_log() -> None:
    """semantics.md 5: unchanged Submitted after 'Modify' gives the entry 'Modified'."""
    under = EngineUnderTest()
    trade = place(under)
    under.send(open_order(trade.order, "Submitted"), status(1, "Submitted"))
    trade.order.lmtPrice = 11.0
    assert placing.place(under.engine, AAPL, trade.order) is trade
    under.told.clear()
    under.send(status(1, "Submitted"), status(1, "Submitted"))
    assert log(trade)[-2:] == [("Submitted", "Modify"), ("Submitted", "Modified")]
    assert under.names() == ["orderStatusEvent"]


def test_cancelled_is_told_once_per_end(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    ends: list[Trade] = []
    trade.cancelledEvent += ends.append
    under.send(status(1, "Submitted"), status(1, "Cancelled"), status(1, "Cancelled"))
    under.send(m.ErrMsg(1, 202, "Order Canceled - reason:", "", 0))
    assert ends == [trade]
    assert log(trade)[-1] == ("Cancelled", "")


def test_the_error_may_come_before_the_status(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    ends: list[Trade] = []
    trade.cancelledEvent += ends.append
    under.send(status(1, "Submitted"), m.ErrMsg(1, 202, "Order Canceled - reason:", "", 0), status(1, "Cancelled"))
    assert ends == [trade]
    assert trade.log[-1].errorCode == 202


def test_what_was_said_before_the_fill_does_not_undo_it() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(status(1, "Filled", 100, 0), status(1, "Submitted", 40, 60))
    assert trade.orderStatus.status == "Filled"
    assert trade.orderStatus.filled == 100


def test_a_cancel_may_lose_against_a_fill() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(status(1, "Submitted"))
    placing.cancel(under.engine, trade.order, placing.OrderCancel())
    assert trade.orderStatus.status == "PendingCancel"
    under.send(execution(1), status(1, "Filled", 100, 0))
    assert trade.orderStatus.status == "Filled"


def test_executions_alone_fill_an_order_when_no_status_comes(connected: Connected) -> None:
    """protocol README: ORDER_STATUS is not guaranteed for every change."""
    under = connected()
    trade = place(under)
    filled: list[Trade] = []
    trade.filledEvent += filled.append
    under.send(open_order(trade.order, "Submitted"), status(1, "Submitted"), execution(1, price=9.5))
    under.pass_time(STATUS_PATIENCE_S / 2)
    assert trade.orderStatus.status == "Submitted"
    under.pass_time(STATUS_PATIENCE_S)
    assert filled == [trade]
    assert (trade.orderStatus.filled, trade.orderStatus.remaining, trade.orderStatus.avgFillPrice) == (100, 0, 9.5)
    under.send(status(1, "Filled", 100, 0, price=9.5))
    assert filled == [trade]


def test_a_handler_sees_the_state_it_was_told_of_and_may_act_in_it() -> None:
    under = EngineUnderTest()
    place(under)
    seen: list[tuple[str, float]] = []

    def on_status(trade: Trade) -> None:
        seen.append((trade.orderStatus.status, trade.orderStatus.filled))
        if trade.orderStatus.status == "Filled":
            placing.place(under.engine, AAPL, LimitOrder("SELL", 100, 11.0))

    under.events.orderStatusEvent += on_status
    under.send(status(1, "Submitted"), status(1, "Filled", 100, 0))
    assert seen == [("Submitted", 0.0), ("Filled", 100.0)]
    assert [sent.orderId for sent in under.requests()] == [2]


# -- asked for -------------------------------------------------------------------------------------------


def _ask(under: EngineUnderTest) -> Call[list[Trade]]:
    return under.engine.ask(m.ReqOpenOrders(), key="openOrders", name="reqOpenOrders()")


def test_orders_that_were_asked_for_are_answers_not_events(connected: Connected) -> None:
    """semantics.md 5: with a request in flight openOrderEvent is not emitted."""
    under = connected()
    call = _ask(under)
    order = LimitOrder("BUY", 100, 10.0, orderId=5)
    under.send(open_order(order, "Submitted"), status(5, "Submitted"), m.OpenOrderEnd())
    (trade,) = call.result()
    assert trade.order.orderId == 5
    assert under.names() == ["orderStatusEvent"]


def test_the_acknowledgement_of_a_new_order_is_told_even_while_orders_are_asked_for() -> None:
    under = EngineUnderTest()
    trade = place(under)
    _ask(under)
    under.send(open_order(trade.order, "Submitted"))
    assert under.names() == ["openOrderEvent"]


def test_an_abandoned_request_does_not_silence_events() -> None:
    """peer-weaknesses.md 1.8: after a slow startup sync peers never emit openOrderEvent again."""
    under = EngineUnderTest()
    _ask(under).cancel()
    under.send(open_order(LimitOrder("BUY", 100, 10.0, orderId=5), "Submitted"))
    assert under.names() == ["openOrderEvent"]


def test_a_preview_is_answered_when_the_margin_is_told(connected: Connected) -> None:
    """semantics.md 5, peer-weaknesses.md 1.29: the first reply may be unset."""
    under = connected()
    call = placing.preview(under.engine, AAPL, LimitOrder("BUY", 100, 10.0))
    (sent,) = under.requests()
    assert sent.order.whatIf
    unset = OrderState(status="PreSubmitted", initMarginChange="1.7976931348623157E308")
    under.send(m.OpenOrder(open_order(sent.order, "", orderId=sent.orderId).order, AAPL, unset))
    assert not call.done
    margin = OrderState(status="PreSubmitted", initMarginChange="250.5", commission=1.0)
    under.send(m.OpenOrder(open_order(sent.order, "", orderId=sent.orderId).order, AAPL, margin))
    assert call.result().initMarginChange == "250.5"
    assert not under.engine.state.orders.held
    assert under.names() == []


def test_a_preview_that_stays_unset_is_answered_as_it_is() -> None:
    under = EngineUnderTest()
    call = placing.preview(under.engine, AAPL, LimitOrder("BUY", 100, 10.0))
    (sent,) = under.requests()
    under.send(
        m.OpenOrder(open_order(sent.order, "", orderId=sent.orderId).order, AAPL, OrderState(status="PreSubmitted"))
    )
    under.pass_time(STATUS_PATIENCE_S)
    assert call.result().status == "PreSubmitted"


# -- lost connections ------------------------------------------------------------------------------------


def test_a_lost_connection_makes_open_orders_unknown_and_ends_the_waiting() -> None:
    state = State()
    under = EngineUnderTest(state=state)
    trade = place(under)
    done = place(under)
    under.send(status(2, "Filled", 100, 0, perm_id=901), status(1, "Submitted"))
    ended: list[Exception] = []
    trade.filledEvent.connect(lambda trade: None, error=lambda event, error: ended.append(error))
    under.engine.closed("the cable was cut")
    assert (trade.unknown, done.unknown) == (True, False)
    assert trade.orderStatus.status == OrderStatus.Submitted
    assert trade.isActive()  # it may trade meanwhile: nobody should place it again
    assert [type(error) for error in ended] == [ConnectionLost]
    assert "not known" in trade.log[-1].message

    again = EngineUnderTest(state=state)
    again.send(status(1, "Submitted"))
    assert not trade.unknown
    assert again.names() == []  # nothing has happened
