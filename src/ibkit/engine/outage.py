"""The time in which TWS itself is cut off from IB: 1100 begins it, 1101 (data lost) or 1102 (data kept) ends it.

Our connection stays, but what happens to orders meanwhile is not known, and what TWS tells of it afterwards is not
promised to be all. So open orders are unknown from the beginning, and at the end the gateway is asked for open and
completed orders and executions, as it is after a reconnect. Must not know subscriptions.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from ibkit.engine import completed, orders
from ibkit.engine.call import Call, Conversation, converse, settle
from ibkit.model import ExecutionFilter
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine

logger = logging.getLogger("ibkit.engine")

BEGINS: Final = 1100
DATA_LOST: Final = 1101
DATA_KEPT: Final = 1102

PATIENCE_S: Final = 60.0
"""Seconds for each of the answers about what has happened."""


def begin(engine: Engine) -> None:
    """Take note that nothing more is known of open orders."""
    engine.session.cut_off = True
    for trade, held in list(engine.state.orders.held.items()):
        if trade.isDone() or trade.unknown:
            continue
        held.offline = True
        trade.unknown = True
        orders.log(engine, trade, "TWS is cut off from IB: not known what happens to the order")


def end(engine: Engine) -> None:
    """Ask what has happened; harmless when nothing had begun."""
    if engine.session.cut_off:
        engine.session.cut_off = False
        converse(_catch_up(engine), "what happened while TWS was cut off").add_done_callback(_ended)


def _catch_up(engine: Engine) -> Conversation[None]:
    engine.session.syncing = True
    try:
        questions: list[Call[list[object]]] = []
        if not engine.readonly:
            open_orders: Call[list[object]] = engine.ask(
                m.ReqOpenOrders(), key="openOrders", name="reqOpenOrders()", timeout=PATIENCE_S
            )
            completed_orders: Call[list[object]] = engine.ask(
                m.ReqCompletedOrders(False), key="completedOrders", name="reqCompletedOrders(False)", timeout=PATIENCE_S
            )
            questions += [open_orders, completed_orders]
            yield settle(questions, "orders")
        req_id = engine.next_id()
        message = m.ReqExecutions(req_id, ExecutionFilter())
        questions.append(engine.ask(message, key=req_id, name="reqExecutions()", timeout=PATIENCE_S))
        yield settle(questions, "orders and executions")
    finally:
        engine.session.syncing = False
    if not engine.session.cut_off:  # else it has begun again
        answered = [call for call in questions if call.error is None]
        completed.settle(engine, complete=len(answered) == 3)


def _ended(call: Call[None]) -> None:
    if call.error is not None:
        logger.warning("%s could not be asked for: %s", call.name, call.error)
