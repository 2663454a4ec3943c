"""Prices as places on a ladder: the rungs are the prices a market rule allows, counted from zero.

Rungs come back as the very floats a user would write (215.05, not 215.05000000000001). Must not know instruments.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np

from ibkit.paper.instruments import MarketRule
from ibkit.paper.market.noise import Floats, Ints


class Ladder:
    """The ladder of one market rule."""

    def __init__(self, rule: MarketRule) -> None:
        exact = [Decimal(str(number)) for number in (*rule.steps, *rule.edges)]
        power = 10 ** max(0, *(-int(number.normalize().as_tuple().exponent) for number in exact))
        units = [int(number * power) for number in exact]
        self._power = float(power)
        self._steps: Ints = np.array(units[: len(rule.steps)], dtype=np.int64)
        self._edges: Ints = np.array(units[len(rule.steps) :], dtype=np.int64)
        rungs = (self._edges[1:] - self._edges[:-1]) // self._steps[:-1]
        self._first: Ints = np.concatenate(([0], np.cumsum(rungs))).astype(np.int64)  # rung at each edge
        self._single = len(rule.steps) == 1
        self._step = rule.steps[0]
        self._step_prices: Floats = np.array(rule.steps)
        self._edge_prices: Floats = np.array(rule.edges)

    def place(self, price: Floats) -> Floats:
        """Return where prices stand on the ladder, in rungs and parts of rungs; it rises with the price."""
        if self._single:
            return price / self._step
        level = np.maximum(np.searchsorted(self._edge_prices, price, side="right") - 1, 0)
        above: Floats = (price - self._edge_prices[level]) / self._step_prices[level]
        return above + self._first[level]

    def price(self, rung: Ints) -> Floats:
        """Return the prices of rungs."""
        if self._single:
            units: Ints = rung * self._steps[0]
            return units.astype(np.float64) / self._power
        level = np.maximum(np.searchsorted(self._first, rung, side="right") - 1, 0)
        units = self._edges[level] + (rung - self._first[level]) * self._steps[level]
        return units.astype(np.float64) / self._power


@lru_cache(maxsize=256)
def ladder(rule: MarketRule) -> Ladder:
    """Return the ladder of a rule."""
    return Ladder(rule)


def middle(bid: Floats, ask: Floats) -> Floats:
    """Return what lies halfway, without the noise of adding floats."""
    return np.round((bid + ask) * 0.5, 10)
