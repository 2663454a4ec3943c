"""Orders: which trade a message is about, and what it says about it.

* An order is known by its permId; (clientId, orderId) is only the route to it. The same route may lead to another
  order on another day, a permId never does.
* The status changes on evidence about that order alone: ORDER_STATUS, a completed order, an error that refuses
  it. OPEN_ORDER tells its terms.
* What the gateway tells about the terms is compared with what it told before, not with what the user holds: the
  gateway fills in defaults of its own, and may still tell the terms from before a modification. Only what changed
  from one telling to the next is copied onto the user's order.
* Every fact is told once. Repeats, which TWS sends at will, tell nothing.

Trades outlive connections: when one is lost they are *unknown* until the gateway has told about them again.
Must not know how an order is placed; ``engine.placing`` does.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from ibkit.engine.account import specific
from ibkit.engine.timers import Timer
from ibkit.events import fire, made
from ibkit.model import (
    UNSET_DOUBLE,
    CommissionReport,
    Execution,
    Fill,
    Order,
    OrderState,
    OrderStatus,
    Trade,
    TradeLogEntry,
)
from ibkit.model.base import different
from ibkit.model.records import field, record, set_stored, stored
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.engine")

Route: TypeAlias = tuple[int, int]
"""A client id and an order id."""

UNKNOWN_TEXT: Final = "?"
"""What TWS writes into some texts instead of leaving them empty."""

# What is copied from the first telling, when there is no earlier one to compare with.
_FIRST_TERMS: Final = ("totalQuantity", "lmtPrice", "auxPrice", "orderType", "orderRef")
# Who the order is, not what it asks for; looked after by ``identify``.
_IDENTITY: Final = frozenset({"orderId", "clientId", "permId"})

STATUS_PATIENCE_S: Final = 2.0
"""Seconds that a message which TWS usually sends is waited for."""

_CANCELLED: Final = frozenset({OrderStatus.Cancelled, OrderStatus.ApiCancelled})


@record
class Held:
    """What is known about a trade beyond what users see."""

    told: Order | None = None
    """The terms as the gateway told them last."""
    told_state: OrderState | None = None
    sent: Order | None = None
    """The terms as we sent them last, if they were not refused."""
    attempt: Order | None = None
    """A modification that the gateway has not answered yet."""
    before_cancel: str = ""
    """The status before we asked to cancel, to which it returns when that fails."""
    refused: bool = False
    """Whether an error message refused the order: "Inactive" says nothing new then."""
    offline: bool = False
    """Held while there was no connection: what happened meanwhile is news."""
    patience: Timer | None = None
    """Waits for the first word about a new order."""
    settling: Timer | None = None
    """Waits for the status of an order that is filled by its executions."""

    def hear(self) -> None:
        """Take note that something was said about the order."""
        if self.patience is not None:
            self.patience.cancel()
            self.patience = None

    def settled(self) -> None:
        """Take note that the status need not be waited for."""
        if self.settling is not None:
            self.settling.cancel()
            self.settling = None

    @property
    def accepted(self) -> bool:
        """Whether the gateway has ever told about the order."""
        return self.told is not None


@record
class Orders:
    """All trades and fills."""

    held: dict[Trade, Held] = field(default_factory=dict)
    """Every trade, in the order in which it became known."""
    by_route: dict[Route, Trade] = field(default_factory=dict)
    by_perm: dict[int, Trade] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    """By execution id; a corrected execution is replaced."""
    revisions: dict[str, str] = field(default_factory=dict)
    """The execution id that is in ``fills`` now, by the part that its corrections share."""
    strays: dict[int, list[tuple[Fill, bool]]] = field(default_factory=dict)
    """Fills of orders that are not known (yet), and whether they were live, by permId."""
    early_commissions: dict[str, CommissionReport] = field(default_factory=dict)
    """Reports that came before their execution, by execution id."""
    verdicts: list[m.CompletedOrder] = field(default_factory=list)
    """What became of orders while there was no connection, until their fills have been told as well."""

    def reset(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]  # the defaults are said once, above

    def forget_connection(self) -> None:
        """Forget what only this connection could have completed."""
        self.early_commissions.clear()
        self.verdicts.clear()

    def __iter__(self) -> Iterator[Trade]:
        return iter(list(self.held))

    def find(self, client_id: int, order_id: int, perm_id: int) -> Trade | None:
        """Return the trade that a message is about."""
        if perm_id and (trade := self.by_perm.get(perm_id)) is not None:
            return trade
        trade = self.by_route.get((client_id, order_id)) if order_id else None
        if trade is not None and perm_id and trade.order.permId not in (0, perm_id):
            return None  # an order of another day that had the same id
        return trade

    def identify(self, trade: Trade, client_id: int, order_id: int, perm_id: int) -> None:
        """Take note of a trade and of the ids that lead to it."""
        if trade not in self.held:
            self.held[trade] = Held()
        order = trade.order
        if perm_id and (order.permId != perm_id or self.by_perm.get(perm_id) is not trade):
            order.permId = perm_id
            self.by_perm[perm_id] = trade
        if order_id:
            order.clientId = client_id
            order.orderId = trade.orderStatus.orderId = order_id
            self.by_route[client_id, order_id] = trade


def snapshot(order: Order) -> Order:
    """Return the terms of an order as they are now; lists inside are shared."""
    terms = object.__new__(type(order))
    set_stored(terms, stored(order).copy())
    return terms


# -- telling ---------------------------------------------------------------------------------------------


def log(engine: Engine, trade: Trade, message: str, code: int = 0) -> None:
    """Add a line to the log of a trade."""
    trade.log.append(TradeLogEntry(engine.time(), trade.orderStatus.status, message, code))


def set_status(engine: Engine, trade: Trade, status: str, message: str = "", code: int = 0) -> None:
    """Give a trade a status, write it down and tell it; the other fields have been set before."""
    current = trade.orderStatus
    before, current.status = current.status, status
    trade.log.append(TradeLogEntry(engine.time(), status, message, code))
    engine.events.orderStatusEvent.emit(trade)
    fire(trade, "statusEvent", trade)
    if status != before:
        if status == OrderStatus.Filled:
            fire(trade, "filledEvent", trade)
        elif status in _CANCELLED and before not in _CANCELLED:
            fire(trade, "cancelledEvent", trade)


def add_fill(engine: Engine, trade: Trade, fill: Fill, news: bool, corrected: Fill | None = None) -> None:
    """Put a fill into its trade, in place of the one it corrects; ``news``: tell it."""
    execution = fill.execution
    word = "Fill"
    if corrected is not None and any(other is corrected for other in trade.fills):
        trade.fills[:] = [fill if other is corrected else other for other in trade.fills]
        word = "Corrected fill"
    else:
        trade.fills.append(fill)
    log(engine, trade, f"{word} {execution.shares}@{execution.price}")
    if news:
        engine.events.execDetailsEvent.emit(trade, fill)
        fire(trade, "fillEvent", trade, fill)
    _expect_filled(engine, trade, execution)


def _expect_filled(engine: Engine, trade: Trade, execution: Execution) -> None:
    """Call an order filled by its executions when no ORDER_STATUS says so: TWS does not promise one."""
    # A combo is filled leg by leg, an order for an amount of cash has no quantity.
    total = float(trade.order.totalQuantity)
    if 0 < total <= execution.cumQty and trade.contract.secType != "BAG" and not trade.isDone():
        held = engine.state.orders.held[trade]
        held.settled()
        held.settling = engine.timers.at(engine.now + STATUS_PATIENCE_S, partial(_be_filled, engine, trade, execution))


def _be_filled(engine: Engine, trade: Trade, execution: Execution) -> None:
    if not trade.isDone():
        status = trade.orderStatus
        status.filled, status.remaining, status.avgFillPrice = execution.cumQty, 0.0, execution.avgPrice
        set_status(engine, trade, OrderStatus.Filled, "Filled, by its executions")


def _add_strays(engine: Engine, trade: Trade) -> None:
    """Give a trade the fills that were told before it."""
    for fill, live in engine.state.orders.strays.pop(trade.order.permId, ()):
        add_fill(engine, trade, fill, live)


def connection_lost(engine: Engine, error: Exception) -> None:
    """Mark what is not known any more, and end the waiting for its events."""
    for trade, held in list(engine.state.orders.held.items()):
        if trade.isDone():
            continue
        held.offline = True
        held.attempt = None
        if not trade.unknown:
            trade.unknown = True
            log(engine, trade, "No connection: not known what happens to the order")
        for name in Trade.events:
            if (event := made(trade, name)) is not None:
                event.error_event.emit(event, error)


# -- reducers --------------------------------------------------------------------------------------------


def open_order(engine: Engine, msg: m.OpenOrder) -> None:
    orders, told, state = engine.state.orders, msg.order, msg.orderState
    client_id, order_id, perm_id = told.clientId, told.orderId, told.permId
    ours = client_id == engine.client_id
    if told.whatIf or (ours and engine.calls.asks(order_id, m.PlaceOrder)):
        _preview(engine, order_id, state)
        return
    trade = orders.find(client_id, order_id, perm_id)
    if trade is None:
        trade = _adopt(msg)
        orders.identify(trade, client_id, order_id, perm_id)
        held = orders.held[trade]
        news = True
    else:
        held = orders.held[trade]
        changes = None if held.told is None else different(told, held.told)
        before = held.told_state
        news = changes is None or bool(changes) or before is None or state.status != before.status or state != before
        _copy_changes(trade.order, held, told, changes)
        orders.identify(trade, client_id, order_id, perm_id)
        trade.unknown = False
    if ours and order_id >= engine.state.next_id:
        engine.state.next_id = order_id + 1
    held.hear()
    acknowledged = held.told is None and held.sent is not None
    held.told, held.told_state = told, state
    _add_strays(engine, trade)
    asked_for = engine.calls.waiting("openOrders")
    if asked_for:
        engine.calls.add("openOrders", trade)
    if news and (acknowledged or not asked_for):
        engine.events.openOrderEvent.emit(trade)


def _preview(engine: Engine, order_id: int, state: OrderState) -> None:
    """Answer an order preview; TWS may tell an empty one first."""
    change = state.initMarginChange
    if not (change in ("", UNKNOWN_TEXT) or float(change) >= UNSET_DOUBLE) or state.commission != UNSET_DOUBLE:
        engine.calls.finish(order_id, state)
    else:
        engine.timers.at(engine.now + STATUS_PATIENCE_S, lambda: engine.calls.finish(order_id, state))


def _adopt(msg: m.OpenOrder) -> Trade:
    """Make a trade of an order that was not placed here."""
    order, contract = snapshot(msg.order), specific(msg.contract)
    for each in (order, contract):
        if UNKNOWN_TEXT in (fields := stored(each)).values():
            for name in [name for name, value in fields.items() if value == UNKNOWN_TEXT]:
                setattr(each, name, getattr(type(each), name))
    status = OrderStatus(
        orderId=order.orderId,
        status=msg.orderState.status,
        permId=order.permId,
        parentId=order.parentId,
        clientId=order.clientId,
    )
    return Trade(contract, order, status)


def _copy_changes(order: Order, held: Held, told: Order, changes: list[str] | None) -> None:
    """Copy onto the user's order what the gateway changed, or somebody in TWS; ``changes``: since the last telling."""
    if changes is None:
        changes = _other_terms(told, held.sent or order)
    for name in changes:
        value = getattr(told, name)
        if value != UNKNOWN_TEXT and name not in _IDENTITY:
            setattr(order, name, value)
    attempt = held.attempt
    if attempt is not None and not _other_terms(told, attempt):
        held.sent, held.attempt = attempt, None


def _other_terms(a: Order, b: Order) -> list[str]:
    """Return which of the main terms of two orders differ."""
    if (
        a.totalQuantity == b.totalQuantity and a.lmtPrice == b.lmtPrice and a.auxPrice == b.auxPrice
        and a.orderType == b.orderType and a.orderRef == b.orderRef
    ):  # fmt: skip
        return []
    return [name for name in _FIRST_TERMS if getattr(a, name) != getattr(b, name)]


def order_status(engine: Engine, msg: m.OrderStatus) -> None:
    orders = engine.state.orders
    trade = orders.find(msg.clientId, msg.orderId, msg.permId)
    if trade is None:
        logger.info("status of an order that is not known: %s", msg)
        return
    held, status = orders.held[trade], trade.orderStatus
    orders.identify(trade, msg.clientId, msg.orderId, msg.permId)
    trade.unknown = False
    held.hear()
    told = msg.status
    if held.refused and told == OrderStatus.Inactive:
        told = status.status
    elif status.status == OrderStatus.Filled and told != OrderStatus.Filled and msg.filled <= status.filled:
        return  # from before it was filled
    changed = told != status.status
    if msg.filled != status.filled:
        status.filled = msg.filled
        status.avgFillPrice, status.lastFillPrice = msg.avgFillPrice, msg.lastFillPrice
        changed = True
    else:  # TWS repeats some statuses with a price of 0, which is no news about a fill
        if msg.avgFillPrice and msg.avgFillPrice != status.avgFillPrice:
            status.avgFillPrice, changed = msg.avgFillPrice, True
        if msg.lastFillPrice and msg.lastFillPrice != status.lastFillPrice:
            status.lastFillPrice, changed = msg.lastFillPrice, True
    if msg.remaining != status.remaining:
        status.remaining, changed = msg.remaining, True
    if msg.permId != status.permId:
        status.permId, changed = msg.permId, True
    if msg.parentId != status.parentId:
        status.parentId, changed = msg.parentId, True
    if msg.clientId != status.clientId:
        status.clientId, changed = msg.clientId, True
    if msg.whyHeld != status.whyHeld:
        status.whyHeld, changed = msg.whyHeld, True
    if msg.mktCapPrice != status.mktCapPrice:
        status.mktCapPrice, changed = msg.mktCapPrice, True
    if changed:
        held.refused = held.refused and told == status.status
        if told == OrderStatus.Filled:
            held.settled()
        set_status(engine, trade, told)
    elif told == OrderStatus.Submitted and trade.log and trade.log[-1].message == "Modify":
        set_status(engine, trade, told, "Modified")


def order_bound(engine: Engine, msg: m.OrderBound) -> None:
    orders = engine.state.orders
    trade = orders.by_perm.get(msg.permId)
    if trade is not None:
        orders.identify(trade, msg.clientId, msg.orderId, msg.permId)
        engine.events.orderBoundEvent.emit(trade)


def open_order_end(engine: Engine, msg: m.OpenOrderEnd) -> None:
    engine.calls.finish("openOrders")


REDUCERS: Reducers = {
    m.OpenOrder: open_order,
    m.OpenOrderEnd: open_order_end,
    m.OrderStatus: order_status,
    m.OrderBound: order_bound,
}
