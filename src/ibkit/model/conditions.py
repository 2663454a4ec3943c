"""The conditions an order can wait for.

Must not know orders.
"""

from __future__ import annotations

from typing import Self

from ibkit.model.base import Record
from ibkit.model.records import record


class OrderCondition(Record):
    """Something that must hold before an order becomes active (or is cancelled); see the subclasses.

    ``conjunction`` joins a condition with the next one: "a" for and, "o" for or.
    """

    condType: int
    conjunction: str

    @staticmethod
    def createClass(condType: int) -> type[OrderCondition]:
        """Return the condition class of a type number; raises ValueError for an unknown one."""
        try:
            return CONDITION_CLASSES[condType]
        except KeyError:
            known = ", ".join(f"{n} {cls.__name__}" for n, cls in CONDITION_CLASSES.items())
            raise ValueError(f"no condition has type {condType}; there are {known}") from None

    def And(self) -> Self:
        """Join this condition with the next one by "and"; return it."""
        self.conjunction = "a"
        return self

    def Or(self) -> Self:
        """Join this condition with the next one by "or"; return it."""
        self.conjunction = "o"
        return self


@record
class PriceCondition(OrderCondition):
    """The price of a contract is above (``isMore``) or below ``price``.

    ``triggerMethod``: 0 default, 1 double bid/ask, 2 last, 3 double last, 4 bid/ask, 7 last or bid/ask,
    8 midpoint.
    """

    condType: int = 1
    conjunction: str = "a"
    isMore: bool = True
    price: float = 0.0
    conId: int = 0
    exch: str = ""
    triggerMethod: int = 0


@record
class TimeCondition(OrderCondition):
    """It is later (``isMore``) or earlier than ``time``, such as '20240105 15:30:00 US/Eastern'."""

    condType: int = 3
    conjunction: str = "a"
    isMore: bool = True
    time: str = ""


@record
class MarginCondition(OrderCondition):
    """The margin cushion is above (``isMore``) or below ``percent``."""

    condType: int = 4
    conjunction: str = "a"
    isMore: bool = True
    percent: int = 0


@record
class ExecutionCondition(OrderCondition):
    """A trade in the given symbol happened."""

    condType: int = 5
    conjunction: str = "a"
    secType: str = ""
    exch: str = ""
    symbol: str = ""


@record
class VolumeCondition(OrderCondition):
    """The day volume of a contract is above (``isMore``) or below ``volume``."""

    condType: int = 6
    conjunction: str = "a"
    isMore: bool = True
    volume: int = 0
    conId: int = 0
    exch: str = ""


@record
class PercentChangeCondition(OrderCondition):
    """The day change of a contract in percent is above (``isMore``) or below ``changePercent``."""

    condType: int = 7
    conjunction: str = "a"
    isMore: bool = True
    changePercent: float = 0.0
    conId: int = 0
    exch: str = ""


CONDITION_CLASSES: dict[int, type[OrderCondition]] = {
    1: PriceCondition,
    3: TimeCondition,
    4: MarginCondition,
    5: ExecutionCondition,
    6: VolumeCondition,
    7: PercentChangeCondition,
}
