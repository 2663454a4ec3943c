"""Market rules: the price steps an exchange allows.

Rules 26 (US stocks), 32 and 109 (US options) carry IB's numbers; the others are numbered here.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

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
        return abs(ticks - round(ticks)) < 1e-6 * max(1.0, abs(ticks)) ** 0.5
