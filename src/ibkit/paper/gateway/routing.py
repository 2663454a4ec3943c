"""Who is told what the broker reports: the owner of an order, the master client, and who watches an account.

Must not know how orders are filled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ibkit.model import CommissionReport, Position
from ibkit.paper.broker.reports import ExecutionReport, OrderReport
from ibkit.paper.gateway import times
from ibkit.paper.gateway.session import Session
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.paper.gateway.gateway import Gateway

NO_REQUEST = -1
"""The request id of an execution nobody asked for."""


class Watch(ABC):
    """A stream that wants to know of accounts and positions."""

    due: float

    @abstractmethod
    def advance(self, now: float) -> bool:
        """See ``Stream``."""

    def position(self, position: Position) -> None:  # noqa: B027  # not every watch cares
        """A position has changed."""

    def account_changed(self, account: str) -> None:  # noqa: B027
        """An account has changed."""


class Router:
    """The listener of the broker."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def order(self, report: OrderReport, *, status: bool = True) -> None:
        """Tell of an order, and its status."""
        for session in self._audience(report.client_id):
            tell_order(session, report, status)

    def status(self, report: OrderReport) -> None:
        """Tell of the status of an order."""
        for session in self._audience(report.client_id):
            tell_status(session, report)

    def execution(self, fill: ExecutionReport) -> None:
        """Tell of a fill."""
        for session in self._audience(fill.client_id):
            tell_execution(session, NO_REQUEST, fill)

    def commission(self, client_id: int, report: CommissionReport) -> None:
        """Tell what a fill cost."""
        for session in self._audience(client_id):
            session.send(m.CommissionAndFeesReport(report))

    def error(self, client_id: int, order_id: int, code: int, text: str, reject_json: str = "") -> None:
        """Tell the owner what is the matter with an order."""
        session = self._gateway.of_client(client_id)
        if session is not None:
            session.error(order_id, code, text, reject_json)

    def position(self, position: Position) -> None:
        """Tell who watches positions."""
        for watch in self._watches():
            watch.position(position)

    def account_changed(self, account: str) -> None:
        """Wake who watches the account."""
        for watch in self._watches():
            watch.account_changed(account)

    def _audience(self, client_id: int) -> Iterator[Session]:
        for wanted in dict.fromkeys((client_id, self._gateway.master_client)):
            session = None if wanted is None else self._gateway.of_client(wanted)
            if session is not None:
                yield session

    def _watches(self) -> Iterator[Watch]:
        for session in self._gateway.sessions:
            for stream in list(session.streams.values()):
                if isinstance(stream, Watch):
                    yield stream


def tell_order(session: Session, report: OrderReport, status: bool = True) -> None:
    """Send openOrder, and orderStatus."""
    session.send(m.OpenOrder(report.order, report.contract, report.state))
    if status and not report.order.whatIf:
        tell_status(session, report)


def tell_status(session: Session, report: OrderReport) -> None:
    """Send orderStatus."""
    status = report.status
    session.send(
        m.OrderStatus(
            status.orderId,
            status.status,
            status.filled,
            status.remaining,
            status.avgFillPrice,
            status.permId,
            status.parentId,
            status.lastFillPrice,
            status.clientId,
            status.whyHeld,
            status.mktCapPrice,
        )
    )


def tell_execution(session: Session, req_id: int, fill: ExecutionReport) -> None:
    """Send execDetails, its time in the form of the client's version."""
    time = times.stamp(fill.execution.time.timestamp(), session.version, fill.zone)
    session.send(m.ExecutionData(req_id, fill.contract, fill.execution, time))
