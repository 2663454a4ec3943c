"""Messages about orders, accounts and positions, encoded before anything is measured.

Orders come back as a live TWS sends them: with its own words where the client left defaults (protocol README, "Order
flow"). Must not know connections.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.clients.job import ACCOUNT, contract_id, digest, order_price, symbol
from ibkit.model import UNSET_DOUBLE, CommissionReport, Contract, Execution, Order, OrderState
from ibkit.wire import Codec
from ibkit.wire import messages as m

QUANTITY = 100.0
CLIENT_ID = 1
COMMISSION = 1.25
PERM_ID = 1_000_000
"""Added to an order id to make its permId."""


def stock(i: int) -> Contract:
    """Return the i-th contract, as the gateway tells it."""
    return Contract(
        secType="STK", conId=contract_id(i), symbol=symbol(i), exchange="SMART", currency="USD",
        localSymbol=symbol(i), tradingClass="NMS",
    )  # fmt: skip


def open_order(order_id: int, price: float, status: str, contract: Contract) -> m.OpenOrder:
    """Return an order as TWS tells it."""
    order = Order(
        orderId=order_id, clientId=CLIENT_ID, permId=PERM_ID + order_id, action="BUY", totalQuantity=QUANTITY,
        orderType="LMT", lmtPrice=price, auxPrice=0.0, tif="DAY", account=ACCOUNT, openClose="O", rule80A="0",
        deltaNeutralOrderType="None", deltaNeutralOpenClose="?", adjustedOrderType="None", ocaType=3,
        volatilityType=0, clearingIntent="IB", dontUseAutoPriceForHedge=True, trailStopPrice=price + 1, cashQty=0.0,
    )  # fmt: skip
    return m.OpenOrder(order, contract, OrderState(status=status))


def order_status(order_id: int, price: float, status: str, filled: float) -> m.OrderStatus:
    """Return the status of an order."""
    paid = price if filled else 0.0
    return m.OrderStatus(
        order_id, status, filled, QUANTITY - filled, paid, PERM_ID + order_id, 0, paid, CLIENT_ID, "", 0.0
    )


def execution(req_id: int, order_id: int, part: int, shares: float, price: float, contract: Contract) -> list[m.Answer]:
    """Return a fill and its commission."""
    exec_id = f"0000e0d5.{order_id:08x}.{part:02d}.01"
    details = Execution(
        execId=exec_id, acctNumber=ACCOUNT, exchange="NASDAQ", side="BOT", shares=shares, price=price,
        permId=PERM_ID + order_id, clientId=CLIENT_ID, orderId=order_id, cumQty=shares * part, avgPrice=price,
        lastLiquidity=2,
    )  # fmt: skip
    report = CommissionReport(
        execId=exec_id, commission=COMMISSION, currency="USD", realizedPNL=UNSET_DOUBLE, yield_=UNSET_DOUBLE
    )
    time = f"20240105 10:{order_id // 60 % 60:02d}:{order_id % 60:02d} US/Eastern"
    return [m.ExecutionData(req_id, contract, details, time), m.CommissionAndFeesReport(report)]


def join(codec: Codec, messages: Sequence[m.Message]) -> bytes:
    """Return the frames of messages, in one piece."""
    return b"".join(map(codec.encode, messages))


def acknowledgement(codec: Codec, order_id: int, price: float) -> bytes:
    """Return what tells that an order works."""
    return join(
        codec, [open_order(order_id, price, "Submitted", stock(0)), order_status(order_id, price, "Submitted", 0.0)]
    )


def filling(codec: Codec, order_id: int, price: float) -> bytes:
    """Return what tells that an order is filled."""
    fill, commission = execution(-1, order_id, 1, QUANTITY, price, stock(0))
    return join(
        codec,
        [
            fill,
            open_order(order_id, price, "Filled", stock(0)),
            order_status(order_id, price, "Filled", QUANTITY),
            commission,
        ],
    )


TAGS = (
    "AccountType", "NetLiquidation", "TotalCashValue", "SettledCash", "AccruedCash", "BuyingPower",
    "EquityWithLoanValue", "PreviousDayEquityWithLoanValue", "GrossPositionValue", "ReqTEquity", "ReqTMargin", "SMA",
    "InitMarginReq", "MaintMarginReq", "AvailableFunds", "ExcessLiquidity", "Cushion", "FullInitMarginReq",
    "FullMaintMarginReq", "FullAvailableFunds", "FullExcessLiquidity", "LookAheadNextChange", "LookAheadInitMarginReq",
    "LookAheadMaintMarginReq", "LookAheadAvailableFunds", "LookAheadExcessLiquidity",
)  # fmt: skip


class Account:
    """The answers to what clients ask when they begin, ready to be sent."""

    REQUEST_IDS = 40
    """So many ids, from 0 and from the next order id, may a question have that is answered without a delay."""

    def __init__(self, codec: Codec, open_orders: int, executions: int, positions: int) -> None:
        self._codec = codec
        self._orders, self._executions = open_orders, executions
        per_order = executions // open_orders if open_orders else 0
        self.next_id = open_orders + 1
        held = range(positions)
        values = [m.AcctValue(tag, f"{100_000 + 7 * i}.25", "USD", ACCOUNT) for i, tag in enumerate(TAGS)]
        portfolio = [m.PortfolioValue(stock(i), 100.0, 51.5, 5150.0, 50.0, 150.0, 0.0, ACCOUNT) for i in held]
        orders: list[m.Answer] = []
        for order_id in range(1, open_orders + 1):
            price, done = order_price(order_id), 10.0 * per_order
            orders.append(open_order(order_id, price, "Submitted", stock(order_id)))
            orders.append(order_status(order_id, price, "Submitted", done))
        self._answers: dict[type, bytes] = {
            m.ReqPositions: join(
                codec, [*(m.PositionData(ACCOUNT, stock(i), 100.0, 50.0) for i in held), m.PositionEnd()]
            ),
            m.ReqOpenOrders: join(codec, [*orders, m.OpenOrderEnd()]),
            m.ReqCompletedOrders: join(codec, [m.CompletedOrdersEnd()]),
            m.ReqAcctData: join(codec, [*values, *portfolio, m.AcctUpdateTime("10:15"), m.AcctDownloadEnd(ACCOUNT)]),
            m.ReqAutoOpenOrders: b"",
            m.ReqIds: join(codec, [m.NextValidId(self.next_id)]),
            m.ReqManagedAccts: join(codec, [m.ManagedAccts(ACCOUNT)]),
            m.StartApi: join(
                codec,
                [
                    m.ManagedAccts(ACCOUNT),
                    m.NextValidId(self.next_id),
                    m.ErrMsg(-1, 2104, "Market data farm connection is OK:usfarm", "", 0),
                ],
            ),
        }
        ids = {first + i for first in (0, self.next_id) for i in range(self.REQUEST_IDS)}
        self._fills = {req_id: self._filled(req_id) for req_id in ids}
        self._values = {req_id: self._multi(req_id) for req_id in ids}
        self.expected: dict[str, object] = {
            "orders": digest((order_id, order_price(order_id)) for order_id in range(1, open_orders + 1)),
            "fills": executions,
            "commissions": executions * COMMISSION,
            "positions": positions,
        }

    def answer(self, message: m.Message) -> bytes | None:
        """Return the frames that answer a message, None when it is none of those that clients begin with."""
        if isinstance(message, m.ReqExecutions):
            return self._fills.get(message.reqId) or self._filled(message.reqId)
        if isinstance(message, m.ReqAccountUpdatesMulti):
            return self._values.get(message.reqId) or self._multi(message.reqId)
        return self._answers.get(type(message))

    def _filled(self, req_id: int) -> bytes:
        answers: list[m.Answer] = []
        for i in range(self._executions):
            order_id, part = 1 + i % self._orders, 1 + i // self._orders
            answers += execution(req_id, order_id, part, 10.0, order_price(order_id), stock(order_id))
        return join(self._codec, [*answers, m.ExecutionDataEnd(req_id)])

    def _multi(self, req_id: int) -> bytes:
        values = [m.AccountUpdateMulti(req_id, ACCOUNT, "", tag, "100000.25", "USD") for tag in TAGS]
        return join(self._codec, [*values, m.AccountUpdateMultiEnd(req_id)])
