"""Orders and executions: handed to the broker, whose reports come back through the router."""

from __future__ import annotations

from ibkit.paper.broker.exercising import EXERCISE, LAPSE, Instruction
from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import Refusal, invalid
from ibkit.paper.gateway.routing import tell_execution, tell_order
from ibkit.paper.gateway.session import Session
from ibkit.wire import messages as m

LAST_ORDER_ID = 2**31 - 3
"""The highest id an order can have: 2**31 - 1, two more, means "unset" to the protocol."""


def place_order(session: Session, msg: m.PlaceOrder) -> None:
    if not 0 <= msg.orderId <= LAST_ORDER_ID:
        raise invalid(f"Invalid order id: {msg.orderId}")
    session.gateway.broker.place(session.now, session.client_id, msg.orderId, msg.contract, msg.order)


def cancel_order(session: Session, msg: m.CancelOrder) -> None:
    session.gateway.broker.cancel(session.now, session.client_id, msg.orderId, msg.orderCancel)


def req_global_cancel(session: Session, msg: m.ReqGlobalCancel) -> None:
    session.gateway.broker.global_cancel(session.now)


def req_open_orders(session: Session, msg: m.ReqOpenOrders) -> None:
    for report in session.gateway.broker.open_orders():
        if report.client_id == session.client_id:
            tell_order(session, report)
    session.send(m.OpenOrderEnd())


def req_all_open_orders(session: Session, msg: m.ReqAllOpenOrders) -> None:
    for report in session.gateway.broker.open_orders():
        tell_order(session, report)
    session.send(m.OpenOrderEnd())


def req_auto_open_orders(session: Session, msg: m.ReqAutoOpenOrders) -> None:
    # Nobody trades by hand in this gateway: there will be nothing to bind.
    if session.client_id != 0:
        raise Refusal(327, "Only the default client (i.e 0) can auto bind orders.")


def req_completed_orders(session: Session, msg: m.ReqCompletedOrders) -> None:
    for contract, order, state in session.gateway.broker.completed_orders():
        session.send(m.CompletedOrder(contract, order, state))
    session.send(m.CompletedOrdersEnd())


def req_executions(session: Session, msg: m.ReqExecutions) -> None:
    try:
        fills = session.gateway.broker.executions(msg.execFilter, session.client_id)
    except (ValueError, OverflowError) as error:
        raise invalid(f"Invalid execution filter: {error}") from error
    for fill in fills:
        tell_execution(session, msg.reqId, fill)
        if fill.commission is not None:
            session.send(m.CommissionAndFeesReport(fill.commission))
    session.send(m.ExecutionDataEnd(msg.reqId))


def exercise_options(session: Session, msg: m.ExerciseOptions) -> None:
    option = find_one(session.gateway.catalogue, msg.contract)
    if option.sec_type not in ("OPT", "FOP"):
        raise invalid("Exercise and lapse are for options")
    if msg.exerciseAction not in (EXERCISE, LAPSE):
        raise invalid(f"Invalid exercise action: {msg.exerciseAction}; 1 exercises, 2 lets lapse")
    if msg.exerciseQuantity < 1:
        raise invalid(f"Invalid exercise quantity: {msg.exerciseQuantity}")
    if not 0 <= msg.reqId <= LAST_ORDER_ID:
        raise invalid(f"Invalid order id: {msg.reqId}")
    wanted = Instruction(
        msg.exerciseAction,
        float(msg.exerciseQuantity),
        msg.account,
        bool(msg.override),
        msg.manualOrderTime,
        msg.customerAccount,
        msg.professionalCustomer,
    )
    session.gateway.broker.exercise(session.now, session.client_id, msg.reqId, option, wanted)


HANDLERS: Handlers = {
    m.PlaceOrder: place_order,
    m.CancelOrder: cancel_order,
    m.ReqGlobalCancel: req_global_cancel,
    m.ReqOpenOrders: req_open_orders,
    m.ReqAllOpenOrders: req_all_open_orders,
    m.ReqAutoOpenOrders: req_auto_open_orders,
    m.ReqCompletedOrders: req_completed_orders,
    m.ReqExecutions: req_executions,
    m.ExerciseOptions: exercise_options,
}
