"""What the broker tells: reports about orders, fills and accounts, and who listens to them.

Every report is a snapshot: the broker never changes one it has handed out. The sessions of the gateway turn them into
messages and decide who sees them. Must not know the wire, sessions or the market.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ibkit.model import CommissionReport, Contract, Execution, Order, OrderState, OrderStatus, Position


class OrderReport(NamedTuple):
    """An order as it stands: what openOrder and orderStatus are made of.

    ``order`` carries orderId, clientId, permId, account and parentId; ``contract`` is qualified, its exchange the
    route asked for. A preview (``order.whatIf``) has the margin texts and the commission in ``state``.
    """

    contract: Contract
    order: Order
    state: OrderState
    status: OrderStatus

    @property
    def client_id(self) -> int:
        """The client that owns the order."""
        return self.order.clientId

    @property
    def order_id(self) -> int:
        """The order's id at that client."""
        return self.order.orderId


class CompletedReport(NamedTuple):
    """An order that has ended; ``state.completedTime`` and ``state.completedStatus`` say when and how.

    ``order.filledQuantity``, ``order.permId`` and ``order.parentPermId`` are filled.
    """

    contract: Contract
    order: Order
    state: OrderState


class ExecutionReport(NamedTuple):
    """A fill. ``execution.time`` is an aware datetime in UTC; ``zone`` is the exchange's zone as TWS names it.

    ``commission`` is None as long as its report has not been sent, and for the combo line of a combo (its legs pay).
    """

    contract: Contract
    execution: Execution
    commission: CommissionReport | None
    zone: str

    @property
    def client_id(self) -> int:
        """The client that owns the order."""
        return self.execution.clientId

    @property
    def order_id(self) -> int:
        """The order's id at that client."""
        return self.execution.orderId


class Listener(Protocol):
    """Told of everything that happens, in the order TWS tells it; must not call the broker from inside."""

    def order(self, report: OrderReport, *, status: bool = True) -> None:
        """An order was accepted or changed: openOrder, followed by orderStatus unless ``status`` is False."""

    def status(self, report: OrderReport) -> None:
        """Only the status of an order changed: orderStatus."""

    def execution(self, fill: ExecutionReport) -> None:
        """An order traded; the order's own report follows, then the commission."""

    def commission(self, client_id: int, report: CommissionReport) -> None:
        """What an execution cost, after the execution itself."""

    def error(self, client_id: int, order_id: int, code: int, text: str, reject_json: str = "") -> None:
        """A message about an order: a refusal, a warning, or the confirmation of a cancel."""

    def position(self, position: Position) -> None:
        """A position changed; a closed one comes once with size 0."""

    def account_changed(self, account: str) -> None:
        """Cash, positions or margins of an account changed."""
