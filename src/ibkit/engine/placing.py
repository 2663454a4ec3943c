"""Placing, modifying, previewing and cancelling orders: what is checked before anything is sent, and what is noted.

Must not know how answers are read; ``engine.orders`` does.
"""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING

from ibkit.engine import orders
from ibkit.engine.call import Call
from ibkit.errors import InvalidRequest, OrderStateError
from ibkit.events import fire
from ibkit.model import Contract, Order, OrderCancel, OrderState, OrderStatus, Trade
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine

logger = logging.getLogger("ibkit.engine")


def place(engine: Engine, contract: Contract, order: Order) -> Trade:
    """Place a new order, or send a known one again with other terms.

    Raises InvalidRequest, OrderStateError, EncodeError, NotConnected; then nothing was sent and nothing changed.
    """
    if order.whatIf:
        raise InvalidRequest("order.whatIf asks for a preview and places nothing: call ib.whatIfOrder() instead")
    trade = _known(engine, order)
    if trade is not None:
        _modify(engine, trade, contract, order)
        return trade
    order.permId = 0
    order_id = order.orderId or engine.next_id()
    trade = Trade(contract, order, OrderStatus(orderId=order_id, status=OrderStatus.PendingSubmit))
    engine.send(m.PlaceOrder(order_id, contract, order), lambda now: _expect_answer(engine, trade, now))
    engine.state.next_id = max(engine.state.next_id, order_id + 1)
    engine.state.orders.identify(trade, engine.client_id, order_id, 0)
    engine.state.orders.held[trade].sent = orders.snapshot(order)
    orders.log(engine, trade, "")
    engine.events.newOrderEvent.emit(trade)
    return trade


def _expect_answer(engine: Engine, trade: Trade, sent: float) -> None:
    """Say that nothing is known of an order which TWS has not said a word about, long after it was sent."""
    seconds = engine.request_timeout()
    if not seconds or not trade.order.transmit:  # one that is held back has nothing to be told of
        return

    def look() -> None:
        if trade.isDone():
            return
        trade.unknown = True
        text = f"No answer within {seconds:g} s: not known whether the order has arrived"
        orders.log(engine, trade, text)
        logger.warning("order %d: %s (%s)", trade.order.orderId, text, trade.contract)
        engine.events.orderStatusEvent.emit(trade)
        fire(trade, "statusEvent", trade)

    held = engine.state.orders.held.get(trade)
    if held is not None:  # else everything was forgotten while it waited to be sent
        held.patience = engine.timers.at(sent + seconds, look)


def _modify(engine: Engine, trade: Trade, contract: Contract, order: Order) -> None:
    if trade.isDone():
        raise OrderStateError(
            f"order {trade.order.orderId} has ended ({trade.orderStatus.status}) and cannot be changed: "
            "make a new Order for a new one"
        )
    order_id = _own_id(engine, trade)
    engine.send(m.PlaceOrder(order_id, contract, order))
    engine.state.orders.held[trade].attempt = orders.snapshot(order)
    orders.log(engine, trade, "Modify")
    fire(trade, "modifyEvent", trade)
    engine.events.orderModifyEvent.emit(trade)


def _known(engine: Engine, order: Order) -> Trade | None:
    """Return the trade of an order that was placed here, or told by the gateway."""
    known = engine.state.orders
    if order.orderId:
        return known.find(order.clientId or engine.client_id, order.orderId, order.permId)
    # The order itself, but not a copy whose id was taken away to place it anew.
    trade = known.by_perm.get(order.permId)
    return trade if trade is not None and trade.order is order else None


def _own_id(engine: Engine, trade: Trade) -> int:
    """Return the id by which this client can change an order; raises InvalidRequest when it cannot."""
    order = trade.order
    if order.orderId == 0:
        raise InvalidRequest(
            f"the order with permId {order.permId} was entered in TWS and has no order id: connect with clientId 0 "
            "and call ib.reqAutoOpenOrders(True) to get one"
        )
    if order.clientId != engine.client_id:
        raise InvalidRequest(
            f"order {order.orderId} belongs to client {order.clientId}, this is client {engine.client_id}: "
            "only the client that placed an order can change it (ib.reqGlobalCancel() cancels all)"
        )
    return order.orderId


def cancel(engine: Engine, order: Order, order_cancel: OrderCancel) -> Trade | None:
    """Ask to cancel an order; returns its trade, None when it is not known here.

    Raises InvalidRequest, EncodeError, NotConnected; then nothing was sent.
    """
    trade = _known(engine, order)
    if trade is None:
        if order.orderId == 0:
            raise InvalidRequest("the order was never placed: it has no order id")
        logger.error("cancelOrder: order %d is not known; the request to cancel it is sent anyway", order.orderId)
        engine.send(m.CancelOrder(order.orderId, order_cancel))
        return None
    if trade.isDone():
        logger.info("cancelOrder: order %d has ended already: %s", order.orderId, trade.orderStatus.status)
        return trade
    engine.send(m.CancelOrder(_own_id(engine, trade), order_cancel))
    before = trade.orderStatus.status
    if before == OrderStatus.PendingCancel:
        return trade
    # TWS tells nothing about the end of an order that it only held.
    held_back = before == OrderStatus.PendingSubmit and not trade.order.transmit
    ended = held_back or before == OrderStatus.Inactive
    status = OrderStatus.Cancelled if ended else OrderStatus.PendingCancel
    engine.state.orders.held[trade].before_cancel = before
    trade.orderStatus.status = status
    orders.log(engine, trade, "")
    fire(trade, "cancelEvent", trade)
    fire(trade, "statusEvent", trade)
    engine.events.cancelOrderEvent.emit(trade)
    engine.events.orderStatusEvent.emit(trade)
    if status == OrderStatus.Cancelled:
        fire(trade, "cancelledEvent", trade)
    return trade


def preview(engine: Engine, contract: Contract, order: Order) -> Call[OrderState]:
    """Ask what an order would cost and do to the margin."""
    order_id = engine.next_id()
    asked = copy.copy(order)
    asked.orderId, asked.permId, asked.whatIf = order_id, 0, True
    return engine.ask(
        m.PlaceOrder(order_id, contract, asked),
        key=order_id,
        name=f"whatIfOrder({contract}, {order})",
        contract=contract,
    )
