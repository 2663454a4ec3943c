"""Message codes about orders: rejections, cancels, modifications that failed, and mere remarks.

Must not know codes one by one; the table does.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from ibkit import codes
from ibkit.codes import Consequence, Target
from ibkit.engine import orders
from ibkit.engine.orders import Held
from ibkit.model import OrderStatus, Trade
from ibkit.model.base import different
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine

logger = logging.getLogger("ibkit.engine")

# 10148 tells the state in which the order cannot be cancelled.
_STATE: Final = re.compile(r"state:\s*(\w+)")
_NOT_THERE: Final = frozenset({135, 10147})


def apply(engine: Engine, trade: Trade, msg: m.ErrMsg) -> None:
    """Do to an order of ours what a message about it says."""
    held = engine.state.orders.held[trade]
    held.hear()
    code, text = msg.errorCode, msg.errorString
    target = Target.LIVE_ORDER if held.accepted or trade.orderStatus.permId else Target.NEW_ORDER
    consequence = codes.consequence(code, target)
    if msg.advancedOrderRejectJson:
        trade.advancedError = msg.advancedOrderRejectJson
    # Cancelled on request, or because the other orders of its group made it needless.
    grouped = bool(trade.order.ocaGroup or trade.order.parentId)
    # A status from before TWS had our cancel may have come in between.
    wanted = consequence is Consequence.CANCEL_ORDER and (grouped or bool(held.before_cancel))
    _log(trade, msg, logging.INFO if wanted else codes.lookup(code).level)
    if consequence is Consequence.CANCEL_ORDER or consequence is Consequence.REJECT_ORDER:
        if trade.isDone():
            return
        held.refused = consequence is Consequence.REJECT_ORDER
        trade.unknown = False
        orders.set_status(engine, trade, OrderStatus.Cancelled, text, code)
    elif consequence is Consequence.FAIL_ATTEMPT:
        _attempt_failed(engine, trade, held, msg)
    else:
        orders.log(engine, trade, text, code)


def _attempt_failed(engine: Engine, trade: Trade, held: Held, msg: m.ErrMsg) -> None:
    """The order lives on as it was."""
    attempt, sent = held.attempt, held.sent or held.told
    held.attempt = None
    if attempt is not None and sent is not None:
        for name in different(attempt, sent):
            if getattr(trade.order, name) == getattr(attempt, name):
                setattr(trade.order, name, getattr(sent, name))
    match = _STATE.search(msg.errorString)
    state = match[1] if match else ""
    if state in OrderStatus.DoneStates and not trade.isDone():
        orders.set_status(engine, trade, state, msg.errorString, msg.errorCode)
    elif trade.orderStatus.status == OrderStatus.PendingCancel != state:
        if msg.errorCode in _NOT_THERE:
            trade.unknown = True  # TWS has no such order: what became of it has not been told
        before, held.before_cancel = held.before_cancel or OrderStatus.Submitted, ""
        orders.set_status(engine, trade, before, msg.errorString, msg.errorCode)
    else:
        orders.log(engine, trade, msg.errorString, msg.errorCode)


def _log(trade: Trade, msg: m.ErrMsg, level: int) -> None:
    logger.log(level, "order %d, code %d: %s (%s)", msg.reqId, msg.errorCode, msg.errorString, trade.contract)
