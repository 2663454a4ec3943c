"""The price of a root inside its minutes, and what shocks do to it.

A minute is known by where it begins and ends, its extremes and the steps at which it reaches them; that is enough for
every bar of a minute or more. The 240 steps inside are made only where somebody looks, so that they run through
exactly these marks. Must not know quotes, trades or instruments.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ibkit.paper.instruments.pricing import Root
from ibkit.paper.market.noise import Flags, Floats, Ints, draw, exponential, normal, part, seconds, stream
from ibkit.paper.market.path import Path

STEPS = 240  # in a minute
STEP = 0.25  # seconds
FIRST = 0.125  # seconds from the minute's begin to its first step
LAST = FIRST + (STEPS - 1) * STEP
_K: Ints = np.arange(STEPS, dtype=np.int64)
STEP_SECONDS: Floats = FIRST + STEP * np.arange(STEPS, dtype=np.float64)  # from the begin of a minute
_HOURS_KEPT, _MINUTES_KEPT, _ASKED_KEPT = 4, 3, 6
_MOST_ASKED = 1440  # minutes of what is remembered: a day


class Marks(NamedTuple):
    """Minutes of a root: values at the first and last step, extremes, and the steps that reach them, a row each.

    ``rough`` minutes hold a shock: their extremes are right, but may be reached at other steps.
    """

    first: Floats
    high: Floats
    low: Floats
    last: Floats
    high_at: Ints
    low_at: Ints
    rough: Flags


class Lift(NamedTuple):
    """A shock as a root feels it: its logarithm rises by ``size`` from ``at`` on, over ``over`` seconds."""

    at: float
    over: float
    size: float


class _Plain(NamedTuple):
    """Minutes before any shock."""

    first: Floats
    high: Floats
    low: Floats
    last: Floats
    high_at: Ints
    low_at: Ints
    deviation: Floats  # of one step


class Spine:
    """One root's price at any minute and step."""

    def __init__(self, seed: int, root: Root, paths: Sequence[tuple[Path, float]], lifts: Sequence[Lift]) -> None:
        self._base = root.base
        self._paths = tuple(paths)
        self._lifts = tuple(lifts)
        self._marks_key = stream(seed, "marks", root.key)
        self._steps_key = stream(seed, "steps", root.key)
        self._asked: OrderedDict[bytes, tuple[Floats, Floats]] = OrderedDict()
        self._minutes: OrderedDict[int, Floats] = OrderedDict()
        self._hours: OrderedDict[int, tuple[Floats, Floats]] = OrderedDict()

    def marks(self, minutes: Ints) -> Marks:
        """Return the marks of minutes (since the epoch, ascending)."""
        plain = self._plain(minutes)
        first, high, low, last = plain[:4]
        rough = np.zeros(len(minutes), dtype=np.bool_)
        if self._lifts:
            begin = self._lift(seconds(minutes) + FIRST)
            rough = begin != self._lift(seconds(minutes) + LAST)
            scale = np.exp(begin)
            first, high, low, last = first * scale, high * scale, low * scale, last * scale
            if rough.any():
                steps = self.steps(minutes[rough])
                first[rough], last[rough] = steps[:, 0], steps[:, -1]
                high[rough], low[rough] = steps.max(axis=1), steps.min(axis=1)
        return Marks(first, high, low, last, plain.high_at, plain.low_at, rough)

    def steps(self, minutes: Ints) -> Floats:
        """Return the price at the 240 steps of every minute."""
        single = int(minutes[0]) if len(minutes) == 1 else None
        if single is not None and single in self._minutes:
            return self._minutes[single]
        found = _through(self._plain(minutes), normal(draw(self._steps_key, minutes[:, None] * 256 + _K)))
        if self._lifts:
            found *= np.exp(self._lift(seconds(minutes)[:, None] + STEP_SECONDS))
        if single is not None:
            self._minutes[single] = found
            if len(self._minutes) > _MINUTES_KEPT:
                self._minutes.popitem(last=False)
        return found

    def at_minutes(self, minutes: Ints) -> Floats:
        """Return the price at the first step of minutes."""
        values, _ = self._knots(minutes)
        first = values[:, 0]
        return first * np.exp(self._lift(seconds(minutes) + FIRST)) if self._lifts else first

    def _lift(self, t: Floats) -> Floats:
        total = np.zeros(t.shape)
        for lift in self._lifts:
            if lift.over > 0:
                total += lift.size * np.clip((t - lift.at) / lift.over, 0.0, 1.0)
            else:
                total += np.where(t >= lift.at, lift.size, 0.0)
        return total

    def _plain(self, minutes: Ints) -> _Plain:
        ends, variance = self._knots(minutes)
        first, last = ends[:, 0], ends[:, 1]
        spread = variance * (first * first)
        bits = draw(self._marks_key, minutes)
        # The extremes of a Brownian bridge of this variance, as distributions of their own.
        gap, total = first - last, first + last
        gap *= gap
        high = (total + np.sqrt(gap + 2.0 * spread * exponential(bits, 0))) * 0.5
        low = (total - np.sqrt(gap + 2.0 * spread * exponential(bits, 16))) * 0.5
        high = np.maximum(high, np.maximum(first, last))
        low = np.minimum(low, np.minimum(first, last))
        # Odd steps from 1 to 237: never the first or last step, nor the one index values are told at.
        high_at = 1 + 2 * (part(bits, 32, 16) % 118)
        low_at = 1 + 2 * (part(bits, 48, 16) % 118)
        low_at += 2 * (low_at == high_at)
        return _Plain(first, high, low, last, high_at, low_at, np.sqrt(spread / STEPS))

    def _knots(self, minutes: Ints) -> tuple[Floats, Floats]:
        """Return the values at begin and end of minutes, and their relative variance.

        The latest are remembered: options of one chain ask for the same minutes one after the other.
        """
        if len(minutes) > _MOST_ASKED:
            return self._find_knots(minutes)
        name = minutes.tobytes()
        found = self._asked.get(name)
        if found is None:
            found = self._asked[name] = self._find_knots(minutes)
            if len(self._asked) > _ASKED_KEPT:
                self._asked.popitem(last=False)
        return found

    def _find_knots(self, minutes: Ints) -> tuple[Floats, Floats]:
        hours, place = np.unique(minutes // 60, return_inverse=True)
        values, variance = self._hour_block(hours)
        minute = minutes % 60
        ends = np.empty((len(minutes), 2))
        ends[:, 0] = values[place, minute]
        ends[:, 1] = values[place, minute + 1]
        return ends, variance[place, minute]

    def _hour_block(self, hours: Ints) -> tuple[Floats, Floats]:
        single = int(hours[0]) if len(hours) == 1 else None
        if single is not None and single in self._hours:
            self._hours.move_to_end(single)
            return self._hours[single]
        total = np.zeros((len(hours), 61))
        variance = np.zeros((len(hours), 60))
        for path, weight in self._paths:
            total += weight * path.knots(hours)
            variance += weight**2 * path.variance[path.variants(hours // 24), hours % 24]
        block = self._base * np.exp(total), variance
        if single is not None:
            self._hours[single] = block
            if len(self._hours) > _HOURS_KEPT:
                self._hours.popitem(last=False)
        return block


def _through(marks: _Plain, noise: Floats) -> Floats:
    """Return paths of 240 steps from first to last that touch high and low where the marks say, and stay between."""
    rows = len(marks.first)
    high_first = marks.high_at < marks.low_at
    at = np.zeros((rows, 4), dtype=np.int64)
    at[:, 1] = np.minimum(marks.high_at, marks.low_at)
    at[:, 2] = np.maximum(marks.high_at, marks.low_at)
    at[:, 3] = STEPS - 1
    value = np.empty((rows, 4))
    value[:, 0], value[:, 3] = marks.first, marks.last
    value[:, 1] = np.where(high_first, marks.high, marks.low)
    value[:, 2] = np.where(high_first, marks.low, marks.high)
    part_of = (at[:, 1:2] <= _K).astype(np.int64) + (at[:, 2:3] <= _K)
    row = np.arange(rows)[:, None]
    begin, end = at[row, part_of], at[row, part_of + 1]
    share = (_K - begin) / (end - begin)
    walk = np.add.accumulate(noise * marks.deviation[:, None], axis=1)
    v0, w0 = value[row, part_of], walk[row, begin]
    path = v0 + (value[row, part_of + 1] - v0) * share
    path += walk - (w0 + (walk[row, end] - w0) * share)
    high, low = marks.high[:, None], marks.low[:, None]
    path = np.where(path > high, 2.0 * high - path, path)
    path = np.where(path < low, 2.0 * low - path, path)
    path = np.minimum(np.maximum(path, low), high)
    path[:, -1] = marks.last
    return path
