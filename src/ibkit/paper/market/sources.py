"""What bars can be made of: an instrument's trades and quotes, or levels such as its volatility.

Must not know how bars are cut.
"""

from __future__ import annotations

from math import sqrt
from typing import Protocol

import numpy as np

from ibkit.paper.instruments import Session
from ibkit.paper.market.book import Book
from ibkit.paper.market.noise import Floats, Ints
from ibkit.paper.market.spine import STEPS, Spine
from ibkit.paper.market.tape import Brief, series, untraded

# Historical volatility: of the closes of so many days, on so many trading days a year.
WINDOW, TRADING_DAYS = 30, 252


class Source(Protocol):
    """Rows of prices: minutes as bars, and their steps."""

    averages: bool  # open and close are means over the bar (BID_ASK)
    trades: bool  # volume, wap and count mean something
    unit: float  # of volumes

    def minutes(self, minutes: Ints) -> Brief:
        """Return minutes as bars, a row each."""
        ...

    def steps(self, minutes: Ints) -> Brief:
        """Return the 240 steps of minutes as bars, (minutes, 240)."""
        ...


class Prices:
    """TRADES, BID, ASK, MIDPOINT or BID_ASK of an instrument."""

    def __init__(self, book: Book, what: str) -> None:
        self._book, self._what = book, what
        self.averages = what == "BID_ASK"
        self.trades = what == "TRADES"
        self.unit = book.maker.unit

    def minutes(self, minutes: Ints) -> Brief:
        """See ``Source``."""
        return self._book.maker.brief(minutes, self._book.regular(minutes), self._what)

    def steps(self, minutes: Ints) -> Brief:
        """See ``Source``."""
        return series(self._book.maker.tape(minutes, self._book.regular(minutes)), self._what)


class Level:
    """A root's price itself, told at every step: an implied volatility."""

    averages, trades, unit = False, False, 1.0

    def __init__(self, spine: Spine) -> None:
        self._spine = spine

    def minutes(self, minutes: Ints) -> Brief:
        """See ``Source``."""
        marks = self._spine.marks(minutes)
        rows: Floats = np.stack((marks.first, marks.high, marks.low, marks.last))
        return untraded(np.round(rows, 6))

    def steps(self, minutes: Ints) -> Brief:
        """See ``Source``."""
        value = np.round(self._spine.steps(minutes), 6)
        return untraded(np.stack((value, value, value, value)))


class Realized:
    """The volatility of the closes of the 30 trading days before: one value for each trading day."""

    averages, trades, unit = False, False, 1.0

    def __init__(self, book: Book, sessions: list[Session]) -> None:
        self._starts = [s.start for s in sessions]
        days = sorted({s.day for s in sessions})
        closes = book.closes(days, WINDOW + 1)
        moves = np.diff(np.log(closes))
        windows = np.lib.stride_tricks.sliding_window_view(moves, WINDOW)
        values = np.round(windows.std(axis=1, ddof=1) * sqrt(TRADING_DAYS), 6)
        by_day = dict(zip(days, values.tolist(), strict=True))
        self._values: Floats = np.array([by_day[s.day] for s in sessions])

    def minutes(self, minutes: Ints) -> Brief:
        """See ``Source``."""
        value = self._values[np.searchsorted(self._starts, minutes * 60, side="right") - 1]
        return untraded(np.stack((value, value, value, value)))

    def steps(self, minutes: Ints) -> Brief:
        """See ``Source``."""
        value = np.repeat(self.minutes(minutes).close[:, None], STEPS, axis=1)
        return untraded(np.stack((value, value, value, value)))
