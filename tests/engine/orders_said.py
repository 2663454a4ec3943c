"""What a gateway says about orders, made short for tests."""

from __future__ import annotations

import copy
from typing import Any

from ibkit.model import CommissionReport, Contract, Execution, Order, OrderState, Stock
from ibkit.wire import messages as m

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


def open_order(order: Order, status: str, perm_id: int = 900, client_id: int = 1, **terms: object) -> m.OpenOrder:
    """OPEN_ORDER for an order as it was sent, with some terms changed."""
    told = copy.copy(order)
    told.permId, told.clientId = perm_id, client_id
    for name, value in terms.items():
        setattr(told, name, value)
    return m.OpenOrder(told, AAPL, OrderState(status=status))


def status(
    order_id: int,
    status: str,
    filled: float = 0.0,
    remaining: float = 100.0,
    perm_id: int = 900,
    client_id: int = 1,
    price: float = 0.0,
) -> m.OrderStatus:
    return m.OrderStatus(order_id, status, filled, remaining, price, perm_id, 0, price, client_id, "", 0.0)


def execution(
    order_id: int,
    exec_id: str = "0001.01.01",
    shares: float = 100.0,
    price: float = 10.0,
    perm_id: int = 900,
    client_id: int = 1,
    cum: float | None = None,
    req_id: int = -1,
    contract: Contract = AAPL,
    time: str = "20240110 10:00:00 US/Eastern",
) -> m.ExecutionData:
    done = Execution(
        execId=exec_id, acctNumber="DU1", exchange="NYSE", side="BOT", shares=shares, price=price, permId=perm_id,
        clientId=client_id, orderId=order_id, cumQty=shares if cum is None else cum, avgPrice=price,
    )  # fmt: skip
    return m.ExecutionData(req_id, contract, done, time)


def commission(exec_id: str = "0001.01.01", amount: float = 1.0) -> m.CommissionAndFeesReport:
    return m.CommissionAndFeesReport(CommissionReport(execId=exec_id, commission=amount, currency="USD"))


def completed(perm_id: int, state: str, order: Order, **terms: object) -> m.CompletedOrder:
    told = copy.copy(order)
    told.permId, told.orderId, told.clientId = perm_id, 0, 0
    for name, value in terms.items():
        setattr(told, name, value)
    return m.CompletedOrder(AAPL, told, OrderState(status=state, completedStatus=f"{state} by the market"))


def error(order_id: int, code: int, text: str = "text", json: str = "") -> m.ErrMsg:
    return m.ErrMsg(order_id, code, text, json, 0)


Said = Any
