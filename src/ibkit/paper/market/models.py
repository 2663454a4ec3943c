"""How an instrument's fair price follows from the prices of roots: spot, forward or option.

Within one minute everything but the root's price is held still, so the fair price rises or falls with it throughout
and takes its extremes where the root does. Must not know quotes or trades.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ibkit.paper.instruments.pricing import OptionOn, Root, Spot
from ibkit.paper.market import black
from ibkit.paper.market.noise import Floats, Ints, seconds
from ibkit.paper.market.spine import Marks, Spine

YEAR = 365.0 * 86400
Spines = Callable[[Root], Spine]


class OptionState(NamedTuple):
    """What an option's price depends on, for one minute or many."""

    forward: Floats  # underlying price over root price
    years: Floats
    volatility: Floats


class OptionMoment(NamedTuple):
    """What an option's price depends on at one step: the underlying's fair price, years left, volatility."""

    forward: float
    years: float
    volatility: float


class SpotModel:
    """A root times a constant, and the cost of carry to the day of delivery."""

    falls = False  # with a rising root

    def __init__(self, pricing: Spot, spines: Spines) -> None:
        self.spine = spines(pricing.root)
        self._pricing = pricing
        self._rolls: Floats = np.array([until for until, _ in pricing.rolls])
        self._expires: Floats = np.array([*(expires for _, expires in pricing.rolls), pricing.expires])

    def factor(self, minutes: Ints) -> Floats:
        """Return price over root price in each minute."""
        pricing = self._pricing
        if not pricing.carry:
            return np.full(len(minutes), pricing.scale)
        t = seconds(minutes)
        expires = self._expires[np.searchsorted(self._rolls, t, side="right")]
        return pricing.scale * np.exp(pricing.carry * (expires - t) / YEAR)

    def at_marks(self, minutes: Ints, marks: Marks) -> Floats:
        """Return fair prices at the first step, the highest, the lowest and the last: a row for each."""
        return np.stack(marks[:4]) * self.factor(minutes)

    def at_steps(self, minutes: Ints, steps: Floats) -> Floats:
        """Return fair prices for the root's prices at the steps of each minute."""
        return steps * self.factor(minutes)[:, None]


class OptionModel:
    """Black's formula on the underlying, with a volatility that is a root of its own and smiles over the strikes."""

    def __init__(self, pricing: OptionOn, spines: Spines) -> None:
        under = pricing.underlying.pricing
        if not isinstance(under, Spot):
            raise TypeError(f"an option on {pricing.underlying.contract} cannot be priced")
        self._under = SpotModel(under, spines)
        self._level = spines(pricing.volatility)
        self._pricing = pricing
        self.spine = self._under.spine
        self.falls = pricing.sign < 0

    def state(self, minutes: Ints, first: Floats) -> OptionState:
        """Return what the price depends on; ``first`` is the root's price at each minute's first step."""
        pricing = self._pricing
        forward = self._under.factor(minutes)
        years = np.maximum((pricing.expires - seconds(minutes)) / YEAR, 0.0)
        reach = np.log(pricing.strike / (first * forward)) / np.sqrt(np.maximum(years, 1 / 52))
        reach = np.clip(reach, -2.5, 2.5)
        smile = 1.0 - 0.12 * reach + 0.06 * reach * reach
        return OptionState(forward, years, self._level.at_minutes(minutes) * smile)

    def at_marks(self, minutes: Ints, marks: Marks) -> Floats:
        """Return fair prices at the first step, the highest, the lowest and the last: a row for each."""
        state = self.state(minutes, marks.first)
        rows = (marks.first, marks.low, marks.high, marks.last) if self.falls else marks[:4]
        return self._prices(np.stack(rows) * state.forward, state.years, state.volatility)

    def at_steps(self, minutes: Ints, steps: Floats) -> Floats:
        """Return fair prices for the root's prices at the steps of each minute."""
        state = self.state(minutes, steps[:, 0])
        return self._prices(steps * state.forward[:, None], state.years[:, None], state.volatility[:, None])

    def moment(self, minute: int, step: int) -> OptionMoment:
        """Return what the price depends on at a step of a minute."""
        one = np.array([minute], dtype=np.int64)
        steps = self.spine.steps(one)
        state = self.state(one, steps[:, 0])
        return OptionMoment(float(steps[0, step] * state.forward[0]), float(state.years[0]), float(state.volatility[0]))

    def _prices(self, forward: Floats, years: Floats, volatility: Floats) -> Floats:
        pricing = self._pricing
        return black.prices(pricing.sign, forward, pricing.strike, np.maximum(years, 1e-9), volatility)


Model = SpotModel | OptionModel
