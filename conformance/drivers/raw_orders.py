"""Clients with callbacks behind ``api.Api``: orders, executions, the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.drivers.api import NAN, Fields, Fill, Holding, OrderView, Refused, State, number
from conformance.drivers.raw_market import RawMarket
from conformance.drivers.wire import Event, harmless

TERMS = (
    "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif", "ocaGroup", "trailingPercent",
    "trailStopPrice", "algoStrategy", "orderRef", "account",
)  # fmt: skip


class RawOrders(RawMarket):
    """Orders and what comes of them."""

    def order(self, fields: Fields) -> Any:
        """Return the client's order for fields."""
        made = dict(fields)
        if "conditions" in made:
            made["conditions"] = [self._condition(item) for item in made["conditions"]]
        if "algoParams" in made:
            made["algoParams"] = [self.wire.make("TagValue", **item) for item in made["algoParams"]]
        return self.wire.make("Order", **made)

    def _condition(self, fields: Fields) -> Any:
        kind = {1: "PriceCondition", 3: "TimeCondition"}[fields["type"]]
        if self.name == "official":  # a class for each kind, and a flag
            fields = {name: value for name, value in fields.items() if name != "type"}
            fields["isConjunctionConnection"] = fields.pop("conjunctionConnection") == "a"
        return self.wire.make(kind, **fields)

    def place(self, contract: Fields, order: Fields, order_id: int = 0) -> int:
        if not order_id:
            order_id, self._next_order = self._next_order, self._next_order + 1
        self.wire.call("placeOrder", order_id, self.contract(contract), self.order(order))
        return order_id

    def cancel(self, order_id: int) -> None:
        if self.name == "official":
            self.wire.call("cancelOrder", order_id, self.wire.make("OrderCancel"))
        else:
            self.wire.call("cancelOrder", order_id)

    def cancel_all(self) -> None:
        if self.name == "official":
            self.wire.call("reqGlobalCancel", self.wire.make("OrderCancel"))
        else:
            self.wire.call("reqGlobalCancel")

    def _view(self, rows: list[Event], order_id: int) -> OrderView | None:
        """Return an order as these callbacks tell it."""
        told: Fields = {}
        for name, args in rows:
            if name == "openOrder" and args[0] == order_id:
                _, contract, order, state = args
                told.update(
                    permId=int(order.permId or 0), clientId=int(order.clientId or 0), symbol=contract.symbol,
                    terms={term: getattr(order, term) for term in TERMS},
                    parentId=int(order.parentId or 0),
                )  # fmt: skip
                told.setdefault("status", state.status)  # ORDER_STATUS, which follows, has the figures, too
                told["terms"]["conditions"] = list(order.conditions or [])
                told["terms"]["algoParams"] = list(order.algoParams or [])
            elif name == "orderStatus" and args[0] == order_id:
                told.update(
                    status=args[1], filled=number(args[2]), remaining=number(args[3]), avgFillPrice=number(args[4])
                )
        if "status" not in told:
            return None
        return OrderView(
            order_id,
            told.get("permId", 0),
            told.get("clientId", 0),
            told.get("parentId", 0),
            told.get("symbol", ""),
            told["status"],
            told.get("filled", NAN),
            told.get("remaining", NAN),
            told.get("avgFillPrice", NAN),
            told.get("terms", {}),
        )

    def order_view(self, order_id: int) -> OrderView:
        return self.wait_status(order_id)

    def wait_status(self, order_id: int, *statuses: str) -> OrderView:
        def reached(rows: list[Event]) -> OrderView | None:
            view = self._view(rows, order_id)
            told = view is not None and view.remaining == view.remaining  # by a status, not by the open order alone
            return view if view is not None and told and (not statuses or view.status in statuses) else None

        about = None if order_id in self._refused else order_id
        found: OrderView = self.events.until(reached, 0, f"{statuses} of order {order_id}", about)
        return found

    def wait_error(self, order_id: int) -> Refused:
        row = self.events.wait(
            "error", 0, where=lambda about, code, text: about == order_id and not harmless(code, text)
        )
        self.expect(row[1])
        self._refused.add(order_id)
        return Refused(row[1], row[2])

    def _fills(self, rows: list[Event], wanted: Callable[[Any], bool]) -> list[Fill]:
        costs = {row.args[0].execId: row.args[0] for row in rows if row.name == "commissionAndFeesReport"}
        found = {}
        for name, args in rows:
            if name == "execDetails" and wanted(args[2]):
                execution, report = args[2], costs.get(args[2].execId)
                cost = NAN
                if report is not None:
                    cost = number(report.commission if self.name == "stoqey" else report.commissionAndFees)
                found[execution.execId] = Fill(
                    execution.execId,
                    int(execution.orderId),
                    int(execution.clientId),
                    int(execution.permId),
                    int(args[1].conId),
                    args[1].secType,
                    execution.side,
                    number(execution.shares),
                    number(execution.price),
                    number(execution.cumQty),
                    cost,
                )
        return list(found.values())

    def fills(self, order_id: int, shares: float) -> list[Fill]:
        def complete(rows: list[Event]) -> list[Fill] | None:
            fills = self._fills(rows, lambda execution: execution.orderId == order_id)
            whole = sum(fill.shares for fill in fills if fill.secType != "BAG") >= shares
            paid = all(fill.commission == fill.commission for fill in fills if fill.secType != "BAG")
            return fills if whole and paid else None

        found: list[Fill] = self.events.until(complete, 0, f"{shares} filled, with commissions, of order {order_id}")
        return found

    def what_if(self, contract: Fields, order: Fields) -> State:
        mark = self.events.mark()
        order_id = self.place(contract, {**order, "whatIf": True})
        state = self.events.wait("openOrder", mark, order_id)[3]
        cost = state.commission if self.name == "stoqey" else state.commissionAndFees
        return State(*(number(value) for value in (
            state.initMarginChange, state.maintMarginChange, state.equityWithLoanAfter, cost
        )))  # fmt: skip

    def open_orders(self, everyone: bool) -> list[OrderView]:
        mark = self.events.mark()
        self.plain("openOrderEnd", "reqAllOpenOrders" if everyone else "reqOpenOrders")
        rows = self.events.since(mark)
        ids = dict.fromkeys(row.args[0] for row in rows if row.name == "openOrder")
        return [view for order_id in ids if (view := self._view(rows, order_id)) is not None]

    def auto_open_orders(self) -> Refused:
        mark = self.events.mark()
        self.wire.call("reqAutoOpenOrders", True)
        row = self.events.wait("error", mark, where=lambda about, code, text: not harmless(code, text))
        return Refused(row[1], row[2])

    def completed(self) -> list[str]:
        mark = self.events.mark()
        self.plain("completedOrdersEnd", "reqCompletedOrders", False)
        return [args[2].status for args in self.events.all("completedOrder", mark)]

    def executions(self, **filter: Any) -> list[Fill]:
        mark = self.events.mark()
        if self.name == "stoqey":  # what is left out it writes as "undefined"
            filter = {"clientId": 0, "acctCode": "", "time": "", "symbol": "", "secType": "", "exchange": "", **filter}
            filter.setdefault("side", "")
        req_id = self.ask("reqExecutions", self.wire.make("ExecutionFilter", **filter))
        self.events.wait("execDetailsEnd", mark, req_id)
        mine = {args[2].execId for args in self.events.all("execDetails", mark, req_id)}
        return self._fills(self.events.since(mark), lambda execution: execution.execId in mine)

    def exercise(self, contract: Fields, quantity: int) -> int:
        req_id, self._next_order = self._next_order, self._next_order + 1
        self.wire.call("exerciseOptions", req_id, self.contract(contract), 1, quantity, self.account, 1)
        return req_id


class RawApi(RawOrders):
    """The account; with it the interface is complete."""

    def other(self, client_id: int) -> RawApi:
        """Return another connection to the same gateway."""
        return type(self)(self.wire.again(client_id))

    def summary(self) -> dict[str, str]:
        args = ("All", "NetLiquidation,TotalCashValue,BuyingPower,AvailableFunds,GrossPositionValue")
        rows = self.many(
            "accountSummary", "accountSummaryEnd", "reqAccountSummary", *args, cancel="cancelAccountSummary"
        )
        return {row[2]: row[3] for row in rows}

    def updates(self) -> tuple[dict[str, str], list[Holding]]:
        mark = self.events.mark()
        self.wire.call("reqAccountUpdates", True, self.account)
        self.events.wait("accountDownloadEnd", mark)
        values = {args[0]: args[1] for args in self.events.all("updateAccountValue", mark) if args[2] in ("USD", "")}
        rows = self.events.all("updatePortfolio", mark)
        self.wire.call("reqAccountUpdates", False, self.account)
        found = [
            Holding(args[7], int(args[0].conId), args[0].secType, number(args[1]), number(args[4])) for args in rows
        ]
        return values, found

    def updates_multi(self) -> dict[str, str]:
        rows = self.many(
            "accountUpdateMulti", "accountUpdateMultiEnd", "reqAccountUpdatesMulti", self.account, "", False,
            cancel="cancelAccountUpdatesMulti",
        )  # fmt: skip
        return {row[3]: row[4] for row in rows}

    def positions(self) -> list[Holding]:
        mark = self.events.mark()
        self.plain("positionEnd", "reqPositions")
        self.wire.call("cancelPositions")
        return [self._holding(*args) for args in self.events.all("position", mark)]

    @staticmethod
    def _holding(account: str, contract: Any, position: Any, cost: Any) -> Holding:
        return Holding(account, int(contract.conId), contract.secType, number(position), number(cost))

    def positions_multi(self) -> list[Holding]:
        rows = self.many(
            "positionMulti", "positionMultiEnd", "reqPositionsMulti", self.account, "", cancel="cancelPositionsMulti"
        )
        return [self._holding(row[1], *row[3:6]) for row in rows]

    def pnl(self) -> tuple[float, float, float]:
        mark = self.events.mark()
        req_id = self.ask("reqPnL", self.account, "")
        row = self.events.wait("pnl", mark, req_id)
        self.wire.call("cancelPnL", req_id)
        return number(row[1]), number(row[2]), number(row[3])

    def pnl_single(self, con_id: int) -> tuple[float, float]:
        mark = self.events.mark()
        req_id = self.ask("reqPnLSingle", self.account, "", con_id)
        row = self.events.wait("pnlSingle", mark, req_id)
        self.wire.call("cancelPnLSingle", req_id)
        return number(row[1]), number(row[5])
