"""Market rules: the price steps an exchange allows.

Rules 26 (US stocks), 32 and 109 (US options) carry IB's numbers; the others are numbered here.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import sqrt

from ibkit.model import PriceIncrement


@dataclass(frozen=True, slots=True)
class MarketRule:
    """Price steps by level: from ``edges[i]`` on, prices move in ``steps[i]``."""

    id: int
    edges: tuple[float, ...]
    steps: tuple[float, ...]

    @property
    def min_tick(self) -> float:
        """The smallest step of all levels."""
        return min(self.steps)

    @property
    def increments(self) -> list[PriceIncrement]:
        """The rule as the API tells it."""
        return [PriceIncrement(edge, step) for edge, step in zip(self.edges, self.steps, strict=True)]

    def increment(self, price: float) -> float:
        """Return the step that holds at ``price``; the sign of a combo's price does not matter."""
        return self.steps[max(0, bisect_right(self.edges, abs(price)) - 1)]

    def is_valid(self, price: float) -> bool:
        """Tell whether ``price`` is a whole number of steps (within float noise)."""
        ticks = price / self.increment(price)
        return abs(ticks - round(ticks)) < 1e-6 * sqrt(max(1.0, abs(ticks)))


def _fixed(id: int, step: float) -> MarketRule:
    return MarketRule(id, (0.0,), (step,))


# Every step of a level is a multiple of the steps below it, so a price on the coarse grid is valid on both sides.
US_STOCK = _fixed(26, 0.01)
US_OPTION_PENNY = MarketRule(2060, (0.0,), (0.01,))  # SPY, QQQ, IWM: pennies at every price
US_OPTION = MarketRule(32, (0.0, 3.0), (0.01, 0.05))
INDEX_OPTION = MarketRule(109, (0.0, 3.0), (0.05, 0.1))
FUTURE_OPTION = MarketRule(2061, (0.0, 10.0), (0.05, 0.25))
XETRA = MarketRule(2062, (0.0, 50.0, 100.0, 250.0), (0.005, 0.01, 0.02, 0.1))
LONDON = MarketRule(2063, (0.0, 100.0, 500.0), (0.02, 0.1, 0.2))

_FIXED = (
    US_STOCK, _fixed(67, 0.25), _fixed(239, 0.00005), _fixed(240, 0.005), _fixed(2001, 0.0000005),
    _fixed(2002, 0.00001), _fixed(2003, 0.0001), _fixed(2004, 0.0005), _fixed(2005, 0.001),
    _fixed(2006, 0.00390625), _fixed(2007, 0.0078125), _fixed(2008, 0.015625), _fixed(2009, 0.025),
    _fixed(2010, 0.03125), _fixed(2011, 0.05), _fixed(2012, 0.1), _fixed(2013, 0.5), _fixed(2014, 1.0),
    _fixed(2015, 5.0),
)  # fmt: skip
_LEVELS = (US_OPTION_PENNY, US_OPTION, INDEX_OPTION, FUTURE_OPTION, XETRA, LONDON)

RULES: dict[int, MarketRule] = {rule.id: rule for rule in (*_FIXED, *_LEVELS)}
BY_STEP: dict[float, MarketRule] = {rule.steps[0]: rule for rule in _FIXED}
