"""Message codes about orders: only evidence about the order changes its status (semantics.md 6)."""

from __future__ import annotations

import logging

import pytest

from ibkit import codes
from ibkit.engine import placing
from ibkit.model import OrderCancel, Trade
from tests.engine.orders_said import AAPL, error, open_order, status
from tests.engine.peer import EngineUnderTest
from tests.engine.test_orders import Connected, log, place


def live(under: EngineUnderTest) -> Trade:
    trade = place(under)
    under.send(open_order(trade.order, "Submitted"), status(1, "Submitted"))
    under.told.clear()
    return trade


def test_a_rejection_ends_a_new_order_with_the_reason(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    ends: list[Trade] = []
    trade.cancelledEvent += ends.append
    under.send(error(1, 201, "Order rejected - reason: no margin", '{"reject": 1}'))
    assert trade.isDone()
    assert trade.advancedError == '{"reject": 1}'
    assert (trade.log[-1].status, trade.log[-1].errorCode) == ("Cancelled", 201)
    assert under.names() == ["orderStatusEvent", "errorEvent"]
    # TWS tells it once more as Inactive, which would look like an order that may yet live.
    under.send(open_order(trade.order, "Inactive"), status(1, "Inactive"))
    assert trade.isDone()
    assert ends == [trade]


def test_inactive_before_the_reason(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    under.send(status(1, "Inactive"), error(1, 201, "Order rejected"))
    assert trade.isDone()


@pytest.mark.parametrize("code", [399, 404, 2109, 10349, 10311, 2168, 88888, 110])
def test_a_remark_never_ends_a_live_order(code: int, connected: Connected) -> None:
    """peer-weaknesses.md 1.3: peers cancel the trade locally, or call it ValidationError (upstream #191)."""
    under = connected()
    trade = live(under)
    under.send(error(1, code, "remark"))
    assert trade.orderStatus.status == "Submitted"
    assert under.names() == ["errorEvent"]
    assert (trade.log[-1].message, trade.log[-1].errorCode) == ("remark", code)


@pytest.mark.parametrize("code", [103, 110, 200, 203, 321, 201])
def test_a_new_order_is_refused_on_validation(code: int) -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(error(1, code, "refused"))
    assert trade.orderStatus.status == "Cancelled"
    assert trade.log[-1].errorCode == code


def test_a_modification_that_fails_is_taken_back(connected: Connected) -> None:
    """semantics.md 6: 104, 105, 110, 321 ...: the order lives on as it was, so the user's order says so."""
    under = connected()
    trade = live(under)
    trade.order.lmtPrice = 10.123456
    trade.order.tif = "GTC"
    placing.place(under.engine, AAPL, trade.order)
    under.send(error(1, 110, "The price does not conform to the minimum price variation"))
    assert (trade.order.lmtPrice, trade.order.tif) == (10.0, "")
    assert trade.orderStatus.status == "Submitted"
    trade.order.lmtPrice = 10.5
    placing.place(under.engine, AAPL, trade.order)
    under.send(open_order(trade.order, "Submitted"))
    under.send(error(1, 105, "too late"))  # about nothing that is pending
    assert trade.order.lmtPrice == 10.5


def test_a_cancel_that_fails_leaves_the_order_as_it_was(connected: Connected) -> None:
    under = connected()
    trade = live(under)
    placing.cancel(under.engine, trade.order, OrderCancel())
    under.send(error(1, 161, "Cancel attempted when order is not in a cancellable state"))
    assert trade.orderStatus.status == "Submitted"
    assert trade.log[-1].errorCode == 161


def test_10148_tells_the_state() -> None:
    under = EngineUnderTest()
    trade = live(under)
    placing.cancel(under.engine, trade.order, OrderCancel())
    under.send(error(1, 10148, "OrderId 1 that needs to be cancelled can not be cancelled, state: PendingCancel."))
    assert trade.orderStatus.status == "PendingCancel"
    under.send(error(1, 10148, "OrderId 1 that needs to be cancelled can not be cancelled, state: Cancelled."))
    assert trade.orderStatus.status == "Cancelled"


def test_10147_means_nobody_knows_what_became_of_it() -> None:
    under = EngineUnderTest()
    trade = live(under)
    placing.cancel(under.engine, trade.order, OrderCancel())
    under.send(error(1, 10147, "OrderId 1 that needs to be cancelled is not found."))
    assert trade.orderStatus.status == "Submitted"
    assert trade.unknown


def test_the_confirmation_of_a_wanted_cancel_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    under = EngineUnderTest()
    trade = live(under)
    placing.cancel(under.engine, trade.order, OrderCancel())
    with caplog.at_level(logging.INFO, "ibkit.engine"):
        under.send(error(1, 202, "Order Canceled - reason:"))
    assert [record.levelno for record in caplog.records] == [logging.INFO]
    assert trade.orderStatus.status == "Cancelled"


def test_a_cancel_is_wanted_whatever_status_comes_in_between(caplog: pytest.LogCaptureFixture) -> None:
    under = EngineUnderTest()
    trade = place(under)
    placing.cancel(under.engine, trade.order, OrderCancel())
    with caplog.at_level(logging.INFO, "ibkit.engine"):
        under.send(open_order(trade.order, "PreSubmitted"), status(1, "Submitted"), error(1, 202, "Order Canceled"))
    assert trade.orderStatus.status == "Cancelled"
    assert [record.levelno for record in caplog.records] == [logging.INFO]


def test_202_ends_an_order_that_nobody_asked_to_cancel(connected: Connected) -> None:
    under = connected()
    trade = live(under)
    under.send(error(1, 202, "Order Canceled - reason: the exchange closed"))
    assert log(trade)[-1] == ("Cancelled", "Order Canceled - reason: the exchange closed")


def test_an_ended_order_stays_as_it_ended() -> None:
    under = EngineUnderTest()
    trade = live(under)
    under.send(status(1, "Filled", 100, 0))
    for code in (201, 202, 104, 161):
        under.send(error(1, code))
    assert trade.orderStatus.status == "Filled"


def test_a_user_can_overrule_a_code() -> None:
    under = EngineUnderTest()
    trade = live(under)
    codes.override(88888, codes.Kind.ORDER_DEAD)
    try:
        under.send(error(1, 88888))
        assert trade.isDone()
    finally:
        codes.override(88888, None)


def test_the_event_comes_last_and_names_the_contract() -> None:
    under = EngineUnderTest()
    trade = live(under)
    under.send(error(1, 201, "no"))
    assert under.told[-1] == ("errorEvent", 1, 201, "no", trade.contract)
