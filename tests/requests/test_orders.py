"""Orders as a user places and asks for them (semantics.md 5, api-inventory.md 1.3 and 1.4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ibkit import (
    ExecutionFilter,
    InvalidRequest,
    LimitOrder,
    MarketOrder,
    NotConnected,
    Option,
    OrderCancel,
    OrderRejected,
    OrderState,
    RequestTimeout,
    Stock,
    StopOrder,
)
from ibkit.ib import IB
from ibkit.wire import messages as m
from tests.engine.orders_said import completed, execution, open_order, status
from tests.engine.peer import VERSIONS
from tests.requests.scripted import connected

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


def fills_at_once(request: m.PlaceOrder) -> list[Any]:
    order, order_id = request.order, request.orderId
    order.orderId = order_id
    total = float(order.totalQuantity)
    return [
        open_order(order, "Submitted", perm_id=900 + order_id),
        status(order_id, "Submitted", 0, total, perm_id=900 + order_id),
        execution(order_id, f"{order_id}.01", total, 10.0, perm_id=900 + order_id),
        status(order_id, "Filled", total, 0, perm_id=900 + order_id, price=10.0),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_guides_order(version: int) -> None:
    """Issue: placeOrder, trade.log, orderStatus, isActive, filledEvent with the fill in it."""
    with connected({m.PlaceOrder: fills_at_once}, version) as (ib, script):
        printed: list[str] = []

        def order_status(trade: Any) -> None:
            if trade.orderStatus.status == "Filled":
                fill = trade.fills[-1]
                printed.append(f"{fill.execution.side} {fill.contract.symbol} {fill.execution.shares}")

        trade = ib.placeOrder(AAPL, MarketOrder("BUY", 100))
        assert trade.isActive()
        assert trade.orderStatus.status == "PendingSubmit"
        trade.filledEvent += order_status
        ib.sleep(1)
        assert printed == ["BOT AAPL 100.0"]
        assert [entry.status for entry in trade.log] == ["PendingSubmit", "Submitted", "Submitted", "Filled"]
        assert ib.trades() == [trade]
        assert ib.orders() == [trade.order]
        assert ib.openTrades() == ib.openOrders() == []
        assert ib.fills() == trade.fills
        assert len(script.of(m.PlaceOrder)) == 1


def test_a_bracket_is_three_orders_of_which_the_last_transmits() -> None:
    with connected() as (ib, script):
        bracket = ib.bracketOrder("BUY", 100, 180, 190, 175, tif="GTC")
        parent, take_profit, stop_loss = bracket
        assert (type(parent), type(take_profit), type(stop_loss)) == (LimitOrder, LimitOrder, StopOrder)
        assert [order.orderId for order in bracket] == [parent.orderId, parent.orderId + 1, parent.orderId + 2]
        assert [order.parentId for order in bracket] == [0, parent.orderId, parent.orderId]
        assert [order.transmit for order in bracket] == [False, False, True]
        assert [order.action for order in bracket] == ["BUY", "SELL", "SELL"]
        assert [order.tif for order in bracket] == ["GTC"] * 3
        assert (parent.lmtPrice, take_profit.lmtPrice, stop_loss.auxPrice) == (180, 190, 175)
        trades = [ib.placeOrder(AAPL, order) for order in bracket]
        ib.sleep(0)
        assert [sent.orderId for sent in script.of(m.PlaceOrder)] == [order.orderId for order in bracket]
        assert ib.openTrades() == trades
        with pytest.raises(InvalidRequest, match="not 'HOLD'"):
            ib.bracketOrder("HOLD", 100, 180, 190, 175)
    with pytest.raises(NotConnected):
        IB().bracketOrder("BUY", 100, 180, 190, 175)


def test_one_cancels_all() -> None:
    orders = [MarketOrder("BUY", 1), MarketOrder("BUY", 2)]
    assert IB.oneCancelsAll(orders, "group", 2) is orders
    assert [(order.ocaGroup, order.ocaType) for order in orders] == [("group", 2)] * 2


def test_cancels_carry_what_cme_asks_for() -> None:
    with connected() as (ib, script):
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 1, 1.0))
        assert ib.cancelOrder(trade.order) is trade
        ib.cancelOrder(trade.order, "20240110 10:00:00 UTC")
        ib.cancelOrder(trade.order, OrderCancel(extOperator="me", manualOrderIndicator=1))
        ib.reqGlobalCancel()
        ib.sleep(0)
        plain, timed, tagged = [sent.orderCancel for sent in script.of(m.CancelOrder)]
        assert plain == OrderCancel()
        assert timed.manualOrderCancelTime == "20240110 10:00:00 UTC"
        assert (tagged.extOperator, tagged.manualOrderIndicator) == ("me", 1)
        assert [sent.orderCancel for sent in script.of(m.ReqGlobalCancel)] == [OrderCancel()]
        assert trade.orderStatus.status == "PendingCancel"


def test_orders_entered_by_hand_can_be_bound() -> None:
    with connected(clientId=0) as (ib, script):
        ib.reqAutoOpenOrders(False)
        ib.sleep(0)
        assert [sent.bAutoBind for sent in script.of(m.ReqAutoOpenOrders)] == [True, False]


def test_a_preview_is_answered_and_refused() -> None:
    state = OrderState(status="PreSubmitted", initMarginChange="250.5", commission=1.0)

    def preview(request: m.PlaceOrder) -> list[Any]:
        if request.order.totalQuantity > 1000:
            return [m.ErrMsg(request.orderId, 201, "Order rejected - reason: no margin", "", 0)]
        request.order.orderId = request.orderId
        return [m.OpenOrder(request.order, request.contract, state)]

    with connected({m.PlaceOrder: preview}) as (ib, _):
        assert ib.whatIfOrder(AAPL, MarketOrder("BUY", 100)).numeric().initMarginChange == 250.5
        assert ib.run(ib.whatIfOrderAsync(AAPL, MarketOrder("BUY", 100))).commission == 1.0
        with pytest.raises(OrderRejected, match="no margin"):
            ib.whatIfOrder(AAPL, MarketOrder("BUY", 10_000))
        ib.RaiseRequestErrors = False
        assert ib.whatIfOrder(AAPL, MarketOrder("BUY", 10_000)) == []  # as ib_insync
        assert ib.trades() == []


def test_options_are_exercised() -> None:
    with connected() as (ib, script):
        option = Option("AAPL", "20240119", 180, "C", "SMART", conId=7)
        ib.exerciseOptions(option, 1, 2, "DU1", 0)
        ib.sleep(0)
        (sent,) = script.of(m.ExerciseOptions)
        assert (sent.contract.conId, sent.exerciseAction, sent.exerciseQuantity, sent.account) == (7, 1, 2, "DU1")
        assert sent.reqId > 0


ORDER = LimitOrder("BUY", 100, 10.0, orderId=5)

TOLD = {
    m.ReqOpenOrders: lambda request: [
        open_order(ORDER, "Submitted", perm_id=31),
        status(5, "Submitted", perm_id=31),
        open_order(ORDER, "Submitted", perm_id=31),
        m.OpenOrderEnd(),
    ],
    m.ReqAllOpenOrders: lambda request: [
        open_order(ORDER, "Submitted", perm_id=31),
        open_order(LimitOrder("SELL", 1, 1.0, orderId=5), "Submitted", perm_id=32, client_id=9),
        m.OpenOrderEnd(),
    ],
    m.ReqCompletedOrders: lambda request: [completed(33, "Filled", ORDER), m.CompletedOrdersEnd()],
    m.ReqExecutions: lambda request: [
        execution(5, perm_id=31, shares=40, req_id=request.reqId),
        m.ExecutionDataEnd(request.reqId),
    ],
}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_there_is_can_be_asked_for(version: int) -> None:
    with connected(TOLD, version) as (ib, script):
        (mine,) = ib.reqOpenOrders()
        ours = ib.reqAllOpenOrders()
        assert ours[0] is mine
        assert [trade.order.clientId for trade in ours] == [1, 9]
        (done,) = ib.reqCompletedOrders(apiOnly=False)
        assert done.order.permId == 33
        (fill,) = ib.reqExecutions(ExecutionFilter(symbol="AAPL"))
        assert mine.fills == [fill]
        assert script.of(m.ReqExecutions)[-1].execFilter.symbol == "AAPL"
        assert set(ib.trades()) == {mine, ours[1], done}


def test_all_at_once_without_one_spoiling_the_other() -> None:
    """peer-weaknesses.md 1.7: in peers the second request of a kind orphans the first."""

    async def main(ib: IB) -> None:
        mine, ours, again, done, fills = await asyncio.wait_for(
            asyncio.gather(
                ib.reqOpenOrdersAsync(),
                ib.reqAllOpenOrdersAsync(),
                ib.reqOpenOrdersAsync(),
                ib.reqCompletedOrdersAsync(False),
                ib.reqExecutionsAsync(),
            ),
            timeout=5,
        )
        assert [len(each) for each in (mine, ours, again, done, fills)] == [1, 2, 1, 1, 1]

    with connected(TOLD) as (ib, _):
        ib.run(main(ib))


def test_a_request_that_is_not_answered_ends_with_its_time() -> None:
    with connected({m.ReqExecutions: lambda request: []}, timeout=1) as (ib, script):
        ib.RequestTimeout = 3
        begin = script.clock.monotonic()
        with pytest.raises(RequestTimeout, match="reqExecutions"):
            ib.reqExecutions()
        assert script.clock.monotonic() - begin == 3
        assert ib.isConnected()


def test_the_twins_that_ib_insync_has_as_futures_are_futures() -> None:
    with connected() as (ib, _):
        for future in (ib.reqOpenOrdersAsync(), ib.reqExecutionsAsync(), ib.reqCompletedOrdersAsync(True)):
            assert asyncio.isfuture(future)
            ib.run(future)
