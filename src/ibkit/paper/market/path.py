"""The random paths everything moves with: one for each factor, known at every minute from 2003 on.

A path is built from the top: a level for every midnight (UTC), pulled back to zero in the long run; bridges from
midnight to midnight over the hours, and over the minutes of an hour. So any hour can be had without the ones before
it. How lively a minute is depends on the time of the week where the factor lives. Must not know instruments.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import sqrt
from zoneinfo import ZoneInfo

import numpy as np

from ibkit.paper.instruments.pricing import Factor
from ibkit.paper.market.noise import Floats, Ints, draw, normal, stream

# Days are counted from the epoch. Nothing is asked for before 2005; the paths begin earlier to have settled by then.
FIRST_DAY = (date(2003, 1, 1) - date(1970, 1, 1)).days
# How fast a level returns, in days: prices wander about their base and a history stays in a plausible range.
MEMORY = 20.0
TRADING_DAYS = 252
_MEMORY_STEP = float(np.round(np.exp(-1 / MEMORY), 12))

# Zone, and (minute of the local day, liveliness from there on). Sources: the usual intraday volatility curves.
ACTIVITY: dict[str, tuple[str, tuple[tuple[int, float], ...]]] = {
    "us": (
        "US/Eastern",
        ((0, 0.1), (240, 0.2), (480, 0.35), (570, 3.2), (600, 2.0), (660, 1.2), (900, 1.6), (930, 2.2), (960, 0.25),
         (1080, 0.15), (1200, 0.1)),
    ),
    "europe": (
        "MET",
        ((0, 0.1), (480, 0.5), (540, 2.6), (600, 1.5), (720, 1.0), (870, 1.6), (1020, 2.0), (1050, 0.7), (1320, 0.1)),
    ),
    "globex": (
        "US/Eastern",
        ((0, 0.5), (180, 0.9), (480, 1.3), (570, 2.2), (690, 1.5), (900, 1.1), (1020, 0.1), (1080, 0.5)),
    ),
    "fx": (
        "US/Eastern",
        ((0, 0.6), (180, 1.4), (480, 1.8), (720, 1.0), (1020, 0.3), (1140, 0.6)),
    ),
    "always": ("UTC", ((0, 0.8), (780, 1.4), (1260, 0.9))),
}  # fmt: skip
_WEEKEND = 0.02  # liveliness from Friday 17:00 to Sunday 17:00 New York, against the same minute of a weekday
_WEEK = 7 * 1440


class Activity:
    """How the variance of a week is spread over its minutes; the five weekdays together have variance 5."""

    def __init__(self, name: str) -> None:
        zone, spans = ACTIVITY[name]
        self._zone = zone
        day = np.empty(1440)
        for start, level in spans:
            day[start:] = level
        week = np.tile(day, 7)
        if name != "always":
            close = 4 * 1440 + (1380 if zone == "MET" else 1020)  # Friday 17:00 in New York
            week[close : close + 2 * 1440] *= _WEEKEND
        self._week = week * (5.0 / week.sum())
        variants: list[Floats] = []
        self._variant: dict[tuple[int, int], int] = {}
        for weekday in range(7):
            for offset in (-300, -240, 0, 60, 120):
                places = (weekday * 1440 + offset + np.arange(1440)) % _WEEK
                self._variant[weekday, offset] = len(variants)
                variants.append(self._week[places].reshape(24, 60))
        self.minutes: Floats = np.stack(variants)  # variant, hour, minute
        self.hours: Floats = np.add.accumulate(self.minutes, axis=2)[:, :, -1]
        lively = self.minutes**1.5  # trading follows volatility, more than in proportion
        self.shares: Floats = lively / lively[self.variant(6)].sum()  # of a weekday's volume; day 6 was a Wednesday
        self._days: list[float] = np.sqrt(np.add.accumulate(self.hours, axis=1)[:, -1]).tolist()
        self._deviations: list[float] = []

    def variant(self, day: int) -> int:
        """Return which row of ``minutes`` and ``hours`` holds for a day."""
        return self._variant[(day + 3) % 7, _offset(self._zone, day)]  # day 0 was a Thursday

    def deviations(self, first: int, count: int) -> list[float]:
        """Return how far days move, against a weekday of variance one: ``count`` days after ``first`` others."""
        known = self._deviations
        for day in range(FIRST_DAY + len(known), FIRST_DAY + first + count):
            known.append(self._days[self.variant(day)])
        return known[first : first + count]


@lru_cache(maxsize=65536)
def _offset(zone: str, day: int) -> int:
    """Minutes to add to UTC in a zone, at noon of a day."""
    noon = datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    shift = noon.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return int(shift.total_seconds()) // 60


@lru_cache(maxsize=len(ACTIVITY))
def activity(name: str) -> Activity:
    """Return a row of ``ACTIVITY``, worked out."""
    return Activity(name)


class Path:
    """The path of one factor: zero in the mean, its volatility per year the factor's."""

    def __init__(self, seed: int, factor: Factor) -> None:
        self.activity = activity(factor.activity)
        self._daily = factor.sigma / sqrt(TRADING_DAYS)
        self.variance: Floats = self.activity.minutes * self._daily**2  # of a minute: variant, hour, minute
        self._keys = [stream(seed, "path", factor.key, level) for level in ("day", "hour", "minute")]
        self._levels: list[float] = [0.0]  # at midnight of FIRST_DAY, FIRST_DAY + 1, ...
        self._array: Floats = np.zeros(1)

    def variants(self, days: Ints) -> Ints:
        """Return the row of ``variance`` for every day."""
        return np.array([self.activity.variant(int(day)) for day in days], dtype=np.int64)

    def knots(self, hours: Ints) -> Floats:
        """Return the path at the 61 minute marks of every hour (hours since the epoch, ascending)."""
        days, place = np.unique(hours // 24, return_inverse=True)
        variants = self.variants(days)
        left, right = self._midnights(days)
        noise = normal(draw(self._keys[1], days[:, None] * 24 + np.arange(24)))
        by_hour = _bridge(noise, self.activity.hours[variants] * self._daily**2, left, right)
        hour = hours % 24
        noise = normal(draw(self._keys[2], hours[:, None] * 60 + np.arange(60)))
        spread = self.variance[variants[place], hour]
        return _bridge(noise, spread, by_hour[place, hour], by_hour[place, hour + 1])

    def _midnights(self, days: Ints) -> tuple[Floats, Floats]:
        first = days - FIRST_DAY
        missing = int(first[-1]) + 2 - len(self._levels)
        if missing > 0:
            begin = len(self._levels) - 1
            count = missing + 400
            ahead = np.arange(begin, begin + count) + FIRST_DAY
            noise = normal(draw(self._keys[0], ahead)).tolist()
            level = self._levels[-1]
            for deviation, z in zip(self.activity.deviations(begin, count), noise, strict=True):
                level = level * _MEMORY_STEP + z * self._daily * deviation
                self._levels.append(level)
            self._array = np.array(self._levels)
        return self._array[first], self._array[first + 1]


def _bridge(noise: Floats, variance: Floats, left: Floats, right: Floats) -> Floats:
    """Return the marks of random walks from ``left`` to ``right``, a row each; ``variance`` is that of every step."""
    rows, steps = noise.shape
    walk = np.zeros((rows, steps + 1))
    np.add.accumulate(noise * np.sqrt(variance), axis=1, out=walk[:, 1:])
    clock = np.zeros((rows, steps + 1))
    np.add.accumulate(variance, axis=1, out=clock[:, 1:])
    clock /= clock[:, -1:]
    walk += left[:, None]
    walk += clock * (right - (walk[:, -1]))[:, None]
    return walk
