"""ib_insync and ib_async behind ``api.Api``: orders, executions, the account."""

from __future__ import annotations

from typing import Any

from conformance.drivers.api import NAN, Fields, Fill, Holding, OrderView, Refused, State, number
from conformance.drivers.classic import ClassicData
from conformance.drivers.raw_orders import TERMS
from conformance.drivers.wire import harmless


class ClassicApi(ClassicData):
    """The interface, complete."""

    def __init__(self, name: str, host: str, port: int, client_id: int) -> None:
        super().__init__(name, host, port, client_id)
        self._trades: dict[int, Any] = {}

    def other(self, client_id: int) -> ClassicApi:
        """Return another connection to the same gateway."""
        return ClassicApi(*self._where, client_id)

    # -- orders -----------------------------------------------------------------------------------------------------

    def _order(self, fields: Fields) -> Any:
        library, made = self._library, dict(fields)
        if "conditions" in made:
            made["conditions"] = [self._condition(item) for item in made["conditions"]]
        if "algoParams" in made:
            made["algoParams"] = [library.TagValue(**item) for item in made["algoParams"]]
        return library.Order(**made)

    def _condition(self, fields: Fields) -> Any:
        made = {"conjunction": fields["conjunctionConnection"], "isMore": fields["isMore"]}
        if fields["type"] == 3:
            return self._library.TimeCondition(time=fields["time"], **made)
        names = ("price", "conId", "triggerMethod")
        return self._library.PriceCondition(exch=fields["exchange"], **{n: fields[n] for n in names}, **made)

    def place(self, contract: Fields, order: Fields, order_id: int = 0) -> int:
        made = self._order(order)
        if order_id:  # changed as users change it: the order they hold
            made = self._trades[order_id].order
            for name, value in order.items():
                setattr(made, name, value)
        trade = self.ib.placeOrder(self.contract(contract), made)
        self._trades[trade.order.orderId] = trade
        return int(trade.order.orderId)

    def cancel(self, order_id: int) -> None:
        trade = self._trades.get(order_id)
        self.ib.cancelOrder(trade.order if trade else self._library.Order(orderId=order_id, clientId=1))

    def cancel_all(self) -> None:
        self.ib.reqGlobalCancel()

    @staticmethod
    def _view(trade: Any) -> OrderView:
        order, status = trade.order, trade.orderStatus
        terms = {name: getattr(order, name) for name in TERMS}
        terms |= {"conditions": list(order.conditions), "algoParams": list(order.algoParams)}
        return OrderView(
            int(order.orderId), int(order.permId), int(order.clientId), int(order.parentId), trade.contract.symbol,
            status.status, number(status.filled), number(status.remaining), number(status.avgFillPrice), terms,
        )  # fmt: skip

    def order_view(self, order_id: int) -> OrderView:
        return self._view(self._trades[order_id])

    def wait_status(self, order_id: int, *statuses: str) -> OrderView:
        trade = self._trades[order_id]
        mark = self._first_error(order_id)

        def reached() -> bool:
            if trade.orderStatus.status in statuses:
                return True
            refused = mark or self._first_error(order_id)
            if refused is not None:
                raise refused
            return False

        self.until(reached, f"{statuses} of order {order_id}, which is {trade.orderStatus.status}")
        return self._view(trade)

    def _first_error(self, order_id: int) -> Refused | None:
        for req_id, code, text in self._errors:
            if req_id == order_id and not harmless(code, text):
                return Refused(code, text)
        return None

    def wait_error(self, order_id: int) -> Refused:
        found = self.until(lambda: self._first_error(order_id), f"an error of order {order_id}")
        assert found is not None
        self.expect(found.code)
        return found

    @staticmethod
    def _fill(fill: Any) -> Fill:
        execution, report = fill.execution, fill.commissionReport
        return Fill(
            execution.execId, execution.orderId, execution.clientId, execution.permId, fill.contract.conId,
            fill.contract.secType, execution.side, float(execution.shares), float(execution.price),
            float(execution.cumQty), number(report.commission) if report.execId else NAN,
        )  # fmt: skip

    def fills(self, order_id: int, shares: float) -> list[Fill]:
        trade = self._trades[order_id]

        def complete() -> list[Fill]:
            rows = [self._fill(fill) for fill in trade.fills]
            parts = [row for row in rows if row.secType != "BAG"]
            paid = all(row.commission == row.commission for row in parts)
            return rows if sum(row.shares for row in parts) >= shares and paid else []

        return self.until(complete, f"{shares} filled, with commissions, of order {order_id}")

    def what_if(self, contract: Fields, order: Fields) -> State:
        terms = self.contract(contract)
        found = self.asked(lambda: self.ib.whatIfOrder(terms, self._order(order)))
        values = (found.initMarginChange, found.maintMarginChange, found.equityWithLoanAfter, found.commission)
        return State(*(number(value) for value in values))

    def open_orders(self, everyone: bool) -> list[OrderView]:
        trades = self.ib.reqAllOpenOrders() if everyone else self.ib.reqOpenOrders()
        # Both libraries add what they know of their own, the cancelled included.
        return [self._view(trade) for trade in trades if trade.isActive()]

    def auto_open_orders(self) -> Refused:
        mark = len(self._errors)
        self.ib.reqAutoOpenOrders(True)
        _, code, text = self.until(lambda: self._errors[mark:], "an error")[0]
        return Refused(code, text)

    def completed(self) -> list[str]:
        return [trade.orderStatus.status for trade in self.ib.reqCompletedOrders(False)]

    def executions(self, **filter: Any) -> list[Fill]:
        rows = self.ib.reqExecutions(self._library.ExecutionFilter(**filter))
        # The libraries put commissions into the fills they know, not into those they return.
        known = {fill.execution.execId: fill for fill in self.ib.fills()}
        return [self._fill(known.get(fill.execution.execId, fill)) for fill in rows]

    def exercise(self, contract: Fields, quantity: int) -> int:
        known = len(self.ib.trades())
        self.ib.exerciseOptions(self.contract(contract), 1, quantity, self.account, 1)
        trade = self.until(lambda: self.ib.trades()[known:], "the order of an exercise")[0]
        self._trades[trade.order.orderId] = trade
        return int(trade.order.orderId)

    # -- account ----------------------------------------------------------------------------------------------------

    def summary(self) -> dict[str, str]:
        return {row.tag: row.value for row in self.ib.accountSummary()}

    def updates(self) -> tuple[dict[str, str], list[Holding]]:
        """Return what the subscription that ``connect`` has made tells."""
        held = {row.conId: row.position for row in self.positions() if row.position}

        def rows() -> list[Any]:
            found = [row for row in self.ib.portfolio(self.account) if row.position]
            return found if {row.contract.conId: row.position for row in found} == held else []

        found = self.until(rows, "a portfolio equal to the positions")
        values = {row.tag: row.value for row in self.ib.accountValues(self.account) if row.currency in ("USD", "")}
        return values, [
            Holding(row.account, row.contract.conId, row.contract.secType, row.position, row.averageCost)
            for row in found
        ]

    def updates_multi(self) -> dict[str, str]:
        self.ib.reqAccountUpdatesMulti(self.account)
        return {row.tag: row.value for row in self.ib.accountValues(self.account) if row.currency in ("USD", "")}

    def positions(self) -> list[Holding]:
        return [
            Holding(row.account, row.contract.conId, row.contract.secType, float(row.position), float(row.avgCost))
            for row in self.ib.reqPositions()
        ]

    def pnl(self) -> tuple[float, float, float]:
        found = self.ib.reqPnL(self.account)
        self.until(lambda: found.dailyPnL == found.dailyPnL, "profit and loss")
        self.ib.cancelPnL(self.account)
        return number(found.dailyPnL), number(found.unrealizedPnL), number(found.realizedPnL)

    def pnl_single(self, con_id: int) -> tuple[float, float]:
        found = self.ib.reqPnLSingle(self.account, "", con_id)
        self.until(lambda: found.value == found.value, "profit and loss of a position")
        self.ib.cancelPnLSingle(self.account, "", con_id)
        return number(found.position), number(found.value)

    def advisor(self) -> str:
        return str(self.asked(lambda: self.ib.requestFA(1)))
