"""IB's own client: what comes in is kept in the simplest form a program could want, a dict of last values.

Its message loop runs in the main thread, as in IB's examples; its reader has a thread of its own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ibapi.client import EClient  # type: ignore[import-untyped]
from ibapi.contract import Contract  # type: ignore[import-untyped]
from ibapi.execution import ExecutionFilter  # type: ignore[import-untyped]
from ibapi.order import Order  # type: ignore[import-untyped]
from ibapi.wrapper import EWrapper  # type: ignore[import-untyped]

from bench.clients.job import ACCOUNT, HOST, VALUES, Job, Meter, contract_id, digest, order_price, symbol

QUANTITY = 100
COURSES = {"orders": "orders_filled", "connect": "connect_only", "bars": "bars_asked"}
"""Where the name of a kind means something else in this class."""

VALUE_TYPES = {"bid": 1, "bidSize": 0, "ask": 2, "askSize": 3, "last": 4, "lastSize": 5, "volume": 8}
BID_ASK_SIDES = (1, 0)


def stock(i: int) -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol(i), "STK", "SMART", "USD"
    contract.conId = contract_id(i)
    return contract


def limit(price: float) -> Order:
    order = Order()
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", Decimal(QUANTITY), price
    order.tif, order.account = "DAY", ACCOUNT
    return order


class Program(EWrapper, EClient):  # type: ignore[misc]  # it has no types
    """One connection; ``steps`` are called one after another, each when the time is told."""

    def __init__(self, job: Job) -> None:
        EClient.__init__(self, wrapper=self)
        self.job = job
        self.meter = Meter()
        self.steps: list[Callable[[], None]] = list(getattr(self, COURSES.get(job.kind, job.kind))())
        self.order_id = 0
        self.last: dict[Any, Any] = {}
        self.contract = stock(0)
        self.placed = self.filled = self.modified = 0
        self.measuring = False
        self.commissions: list[float] = []
        self.bars: list[Any] = []
        self.ends = 0
        self.orders: dict[int, float] = {}
        self.executions = self.positions = 0

    # -- the course ----------------------------------------------------------------------------------

    def nextValidId(self, orderId: int) -> None:
        self.order_id = orderId
        if self.job.kind == "connect":
            self.fetch()
        else:
            self.next_step()

    def next_step(self) -> None:
        self.steps.pop(0)()

    def currentTime(self, time: int) -> None:
        if self.measuring:
            self.finish()
        else:
            self.next_step()

    def begin(self) -> None:
        """Begin to measure."""
        self.measuring = True
        self.meter.__enter__()

    def finish(self) -> None:
        """Note what it took, and stop the loop."""
        self.meter.__exit__()
        self.next_step()
        self.disconnect()

    def cost(self, items: int) -> None:
        self.job.metrics["cpu_us"] = 1e6 * self.meter.cpu / items
        self.job.metrics["wall_us"] = 1e6 * self.meter.wall / items

    def measured(self) -> None:
        self.begin()
        self.reqCurrentTime()

    # -- streams -------------------------------------------------------------------------------------

    def ticks(self) -> tuple[Callable[[], None], ...]:
        def subscribe() -> None:
            stream = self.job.params["stream"]
            for i in range(self.job.number("tickers")):
                if stream == "tick-by-tick":
                    self.reqTickByTickData(i + 1, stock(i), ("AllLast", "BidAsk")[i % 2], 0, False)
                elif stream == "depth":
                    self.reqMktDepth(i + 1, stock(i), 10, False, [])
                else:
                    self.reqMktData(i + 1, stock(i), "", False, False, [])
            self.reqCurrentTime()

        def end() -> None:
            self.cost(self.job.number("messages"))
            self.job.outcome["values"] = digest(self.rows())

        return subscribe, self.measured, end

    def rows(self) -> list[list[Any]]:
        stream, last = self.job.params["stream"], self.last
        ids = range(1, self.job.number("tickers") + 1)
        if stream == "depth":
            return [list(last[i, side, row]) for i in ids for side in BID_ASK_SIDES for row in range(10)]
        if stream == "tick-by-tick":
            return [list(last[i]) for i in ids]
        return [[last[i, VALUE_TYPES[name]] for name in VALUES] for i in ids]

    def tickPrice(self, reqId: int, tickType: int, price: float, attrib: Any) -> None:
        self.last[reqId, tickType] = price
        if self.measuring and self.job.kind == "tick_to_order":
            self.place(price)

    def tickSize(self, reqId: int, tickType: int, size: Decimal) -> None:
        self.last[reqId, tickType] = size

    def tickByTickAllLast(self, reqId: int, tickType: int, time: int, price: float, size: Decimal, *_: Any) -> None:
        self.last[reqId] = (price, size)

    def tickByTickBidAsk(
        self, reqId: int, time: int, bid: float, ask: float, bidSize: Decimal, askSize: Decimal, attrib: Any
    ) -> None:
        self.last[reqId] = (bid, bidSize, ask, askSize)

    def updateMktDepth(self, reqId: int, position: int, operation: int, side: int, price: float, size: Decimal) -> None:
        self.last[reqId, side, position] = (price, size)

    # -- orders --------------------------------------------------------------------------------------

    def place(self, price: float) -> None:
        self.placeOrder(self.order_id, self.contract, limit(price))
        self.order_id += 1
        self.placed += 1

    def tick_to_order(self) -> tuple[Callable[[], None], ...]:
        def subscribe() -> None:
            self.reqMktData(1, self.contract, "", False, False, [])
            self.place(order_price(0))
            self.placed = 0
            self.reqCurrentTime()

        def end() -> None:
            self.cost(self.job.number("orders"))
            self.job.outcome["orders"] = self.placed

        return subscribe, self.measured, end

    def orders_filled(self) -> tuple[Callable[[], None], ...]:
        def warm_up() -> None:
            self.place(order_price(0))
            self.reqCurrentTime()

        def go() -> None:
            self.begin()
            self.place(order_price(0))
            self.reqCurrentTime()

        def end() -> None:
            self.cost(self.job.number("orders"))
            self.job.outcome.update(
                orders=self.placed, filled_once=self.filled, commissions=math.fsum(self.commissions)
            )

        return warm_up, go, end

    def modify(self) -> tuple[Callable[[], None], ...]:
        def warm_up() -> None:
            self.placeOrder(self.order_id, self.contract, limit(order_price(0)))
            self.reqCurrentTime()

        def go() -> None:
            self.begin()
            self.change()
            self.reqCurrentTime()

        def end() -> None:
            self.cost(self.job.number("orders"))
            self.job.outcome["modified"] = self.modified

        return warm_up, go, end

    def change(self) -> None:
        if self.modified < self.job.number("orders"):
            self.modified += 1
            self.placeOrder(self.order_id, self.contract, limit(order_price(self.modified)))

    def orderStatus(self, orderId: int, status: str, *_: Any) -> None:
        if not self.measuring:
            self.filled += status == "Filled"
        elif self.job.kind == "modify":
            self.change()
        elif status == "Filled":
            self.filled += 1
            if self.placed <= self.job.number("orders"):
                self.place(order_price(0))

    def commissionAndFeesReport(self, commissionAndFeesReport: Any) -> None:
        self.commissions.append(commissionAndFeesReport.commissionAndFees)

    # -- connecting ----------------------------------------------------------------------------------

    def connect_only(self) -> tuple[Callable[[], None], ...]:
        def end() -> None:
            self.job.metrics.update(wall_ms=1e3 * self.meter.wall, cpu_ms=1e3 * self.meter.cpu)
            self.job.outcome.update(
                orders=digest(sorted(self.orders.items())),
                fills=self.executions,
                commissions=math.fsum(self.commissions),
                positions=self.positions,
            )

        return (end,)

    def fetch(self) -> None:
        """Ask for what ib_insync asks for."""
        self.reqPositions()
        self.reqOpenOrders()
        self.reqCompletedOrders(False)
        self.reqAccountUpdates(True, ACCOUNT)
        self.reqAccountUpdatesMulti(1, ACCOUNT, "", False)
        self.reqExecutions(2, ExecutionFilter())

    def openOrder(self, orderId: int, contract: Contract, order: Order, orderState: Any) -> None:
        self.orders[orderId] = order.lmtPrice

    def position(self, *_: Any) -> None:
        self.positions += 1

    def execDetails(self, *_: Any) -> None:
        self.executions += 1

    def ended(self, *_: Any) -> None:
        if self.job.kind == "connect":
            self.ends += 1
            if self.ends == 6:
                self.finish()

    openOrderEnd = positionEnd = completedOrdersEnd = accountDownloadEnd = ended
    accountUpdateMultiEnd = execDetailsEnd = ended

    # -- bars ----------------------------------------------------------------------------------------

    def bars_asked(self) -> tuple[Callable[[], None], ...]:
        def ask(req_id: int, duration: str) -> None:
            kind = self.job.number("format", 1)
            self.reqHistoricalData(req_id, self.contract, "", duration, "1 min", "TRADES", 0, kind, False, [])

        def warm_up() -> None:
            ask(1, "1 D")
            self.reqCurrentTime()

        def go() -> None:
            self.bars.clear()
            self.begin()
            ask(2, "100 D")

        def end() -> None:
            self.cost(self.job.number("bars"))
            rows = [(bar.close, bar.volume) for bar in self.bars]
            self.job.outcome.update(bars=len(rows), values=digest(rows))

        return warm_up, go, end

    def historicalData(self, reqId: int, bar: Any) -> None:
        self.bars.append(bar)

    def historicalDataEnd(self, reqId: int, start: str, end: str) -> None:
        if self.measuring:
            self.finish()


def main() -> None:
    """Do the job."""
    job = Job.given()
    program = Program(job)
    if job.kind == "connect":
        program.meter.__enter__()
    program.connect(HOST, job.port, 1)
    program.run()
    job.report()
    os._exit(0)  # its reader would keep the process for another second


if __name__ == "__main__":
    main()
