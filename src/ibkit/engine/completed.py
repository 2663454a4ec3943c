"""Orders that have ended, and what became of the trades that were held while there was no connection.

Must not know how they were placed.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ibkit.engine import orders
from ibkit.engine.account import specific
from ibkit.model import OrderStatus, Trade
from ibkit.model.values import is_unset
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.engine")


def completed_order(engine: Engine, msg: m.CompletedOrder) -> None:
    known = engine.state.orders
    trade = known.by_perm.get(msg.order.permId)
    if engine.session.syncing and (not trade.isDone() if trade is not None else _unheard_of(known)):
        known.verdicts.append(msg)  # its fills come later: they are told first, and may tell whose it is
        answer = _made_of(msg) if trade is None else trade
    else:
        answer = _take(engine, msg)
    engine.calls.add("completedOrders", answer)


def _take(engine: Engine, msg: m.CompletedOrder) -> Trade:
    """Take note of an order that has ended; return its trade."""
    known = engine.state.orders
    perm_id = msg.order.permId
    trade = known.by_perm.get(perm_id)
    if trade is None and (trade := _by_reference(known, msg)) is not None:
        known.identify(trade, trade.order.clientId, trade.order.orderId, perm_id)
    if trade is None:
        trade = _made_of(msg)
        known.identify(trade, msg.order.clientId, msg.order.orderId, perm_id)
    else:
        _end(engine, trade, msg)
    return trade


def _made_of(msg: m.CompletedOrder) -> Trade:
    status = OrderStatus(status=msg.orderState.status, permId=msg.order.permId)
    _figures(status, msg)
    return Trade(specific(msg.contract), msg.order, status)


def _unheard_of(known: orders.Orders) -> list[Trade]:
    """Return the trades of which it is not known whether their order has ever arrived."""
    return [trade for trade in known if trade.unknown and not trade.order.permId]


def _by_reference(known: orders.Orders, msg: m.CompletedOrder) -> Trade | None:
    """Return the only trade that an order without its id can be of, by the reference that the user gave it."""
    reference, contract = msg.order.orderRef, msg.contract
    found = [
        trade
        for trade in _unheard_of(known)
        if reference and trade.order.orderRef == reference and trade.contract.symbol in ("", contract.symbol)
    ]
    return found[0] if len(found) == 1 else None


def _figures(status: OrderStatus, msg: m.CompletedOrder) -> None:
    filled, total = msg.order.filledQuantity, msg.order.totalQuantity
    if not is_unset(filled):
        status.filled = float(filled)
        status.remaining = max(0.0, float(total) - float(filled))


def _prices(trade: Trade) -> None:
    """Take from the executions what a completed order does not tell; those of a combo's legs say nothing about it."""
    combo = trade.contract.secType == "BAG"
    own = [fill.execution for fill in trade.fills if not combo or fill.contract.secType == "BAG"]
    if own:
        last = max(own, key=lambda execution: execution.cumQty)
        trade.orderStatus.avgFillPrice, trade.orderStatus.lastFillPrice = last.avgPrice, last.price


def _end(engine: Engine, trade: Trade, msg: m.CompletedOrder) -> None:
    if trade.isDone():
        return
    trade.unknown = False
    _figures(trade.orderStatus, msg)
    _prices(trade)
    orders.set_status(engine, trade, msg.orderState.status, msg.orderState.completedStatus)


def completed_orders_end(engine: Engine, msg: m.CompletedOrdersEnd) -> None:
    engine.calls.finish("completedOrders")


def settle(engine: Engine, complete: bool) -> None:
    """Say what became of the trades that were held while there was no connection.

    ``complete``: whether open orders, completed orders and executions have all been told.
    """
    known = engine.state.orders
    verdicts, known.verdicts = known.verdicts, []
    for msg in verdicts:
        _take(engine, msg)
    for trade, held in list(known.held.items()):
        held.offline = False
        if not trade.unknown:
            continue
        order = trade.order
        if not complete:
            text = "Still not known: the gateway did not answer all questions about orders"
        elif order.clientId != engine.client_id:
            text = f"Still not known: it belongs to client {order.clientId}"
        else:
            text = "The gateway knows no such order, neither open nor completed today"
        orders.log(engine, trade, text)
        logger.warning("order %d (permId %d): %s", order.orderId, order.permId, text)


REDUCERS: Reducers = {m.CompletedOrder: completed_order, m.CompletedOrdersEnd: completed_orders_end}
