"""Forgetting trades that have ended: a session of weeks need not remember the orders of its first day.

Ids stay used, and what TWS still tells about a forgotten order is told as about any order that is not known here.
Must not know when to forget; users do.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ibkit.model import Fill, Trade
from ibkit.model.trade import exec_revision

if TYPE_CHECKING:
    from ibkit.engine.orders import Orders


def forget(orders: Orders, before: datetime) -> list[Trade]:
    """Forget the trades that ended before a moment, and fills from before it that have no trade; return the trades."""
    over = [trade for trade in orders if trade.isDone() and all(moment < before for moment in _moments(trade))]
    for trade in over:
        del orders.held[trade]
    gone = set(over)
    orders.by_route = {route: trade for route, trade in orders.by_route.items() if trade not in gone}
    orders.by_perm = {perm_id: trade for perm_id, trade in orders.by_perm.items() if trade not in gone}
    fills = [fill for trade in over for fill in trade.fills]
    for perm_id, strays in list(orders.strays.items()):
        fills += [fill for fill, _ in strays if fill.execution.time < before]
        strays[:] = [stray for stray in strays if stray[0].execution.time >= before]
        if not strays:
            del orders.strays[perm_id]
    for fill in fills:
        _forget_fill(orders, fill)
    return over


def _moments(trade: Trade) -> list[datetime]:
    """Return when the last things happened to a trade; none for one that TWS told as ended, without fills."""
    return [entry.time for entry in trade.log[-1:]] + [fill.execution.time for fill in trade.fills[-1:]]


def _forget_fill(orders: Orders, fill: Fill) -> None:
    exec_id = fill.execution.execId
    if orders.fills.get(exec_id) is fill:
        del orders.fills[exec_id]
        orders.revisions.pop(exec_revision(exec_id)[0], None)
