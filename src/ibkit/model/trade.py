"""A trade: an order with everything that happened to it.

Must not know who fills it in.
"""

from __future__ import annotations

from typing import ClassVar

from ibkit.events import Event, LazyEvent
from ibkit.model.base import Record
from ibkit.model.contract import Contract
from ibkit.model.objects import Fill, TradeLogEntry
from ibkit.model.order import Order, OrderStatus
from ibkit.model.records import field, record


def exec_revision(exec_id: str) -> tuple[str, int]:
    """Split an execution id into what it identifies and its revision.

    A correction repeats the id with a higher last part: '0000e0d5.6490b1ea.01.02' corrects '...01.01'.
    An id whose last part is no number is its own first revision.
    """
    base, dot, revision = exec_id.rpartition(".")
    return (base, int(revision)) if dot and revision.isdecimal() else (exec_id, 0)


@record
class Trade(Record):
    """An order, its contract, its status, its fills and its log; kept up to date while connected.

    ``unknown`` is True while the connection was lost and the broker has not told about the order since, and when it
    has said nothing about a new order within ``IB.RequestTimeout``: the status is then the last one known.

    Events: statusEvent(trade), modifyEvent(trade), fillEvent(trade, fill), commissionReportEvent(trade,
        fill, report), filledEvent(trade), cancelEvent(trade), cancelledEvent(trade).
    """

    contract: Contract = field(default_factory=Contract)
    order: Order = field(default_factory=Order)
    orderStatus: OrderStatus = field(default_factory=OrderStatus)
    fills: list[Fill] = field(default_factory=list)
    log: list[TradeLogEntry] = field(default_factory=list)
    advancedError: str = ""

    unknown = False  # no field: it says something about the connection, and records of trades go without it

    statusEvent = LazyEvent(Event)
    modifyEvent = LazyEvent(Event)
    fillEvent = LazyEvent(Event)
    commissionReportEvent = LazyEvent(Event)
    filledEvent = LazyEvent(Event)
    cancelEvent = LazyEvent(Event)
    cancelledEvent = LazyEvent(Event)

    events: ClassVar[tuple[str, ...]] = (
        "statusEvent",
        "modifyEvent",
        "fillEvent",
        "commissionReportEvent",
        "filledEvent",
        "cancelEvent",
        "cancelledEvent",
    )

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]

    def isWaiting(self) -> bool:
        """Tell whether the order is on its way to, or held back from, the market."""
        return self.orderStatus.status in OrderStatus.WaitingStates

    def isWorking(self) -> bool:
        """Tell whether the order is in the market."""
        return self.orderStatus.status in OrderStatus.WorkingStates

    def isActive(self) -> bool:
        """Tell whether the order may still trade: it is waiting or working."""
        return self.orderStatus.status in OrderStatus.ActiveStates

    def isDone(self) -> bool:
        """Tell whether the order has ended: filled or cancelled."""
        return self.orderStatus.status in OrderStatus.DoneStates

    def filled(self) -> float:
        """Return the number of shares filled, by the fills; a correction replaces what it corrects.

        For a combo only the fills of the combo itself count, not those of its legs.
        """
        combo = self.contract.secType == "BAG"
        latest: dict[str, tuple[int, float]] = {}
        for fill in self.fills:
            if combo and fill.contract.secType != "BAG":
                continue
            base, revision = exec_revision(fill.execution.execId)
            if base not in latest or latest[base][0] <= revision:
                latest[base] = (revision, fill.execution.shares)
        return sum((shares for _, shares in latest.values()), 0.0)

    def remaining(self) -> float:
        """Return the number of shares not filled, by the fills."""
        return float(self.order.totalQuantity) - self.filled()
