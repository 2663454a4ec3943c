"""Quotes of a combo: what its legs cost together, step by step.

The sum of several prices has no summary cheaper than its steps, so bars of combos are read off them. Must not know
how its legs are priced.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.pricing import LegSum
from ibkit.paper.market.book import Book
from ibkit.paper.market.noise import Flags, Floats, Ints
from ibkit.paper.market.spine import STEPS
from ibkit.paper.market.tape import Brief, Tape, summary

_CHUNK = 64  # minutes at a time: the steps of more do not fit the processor's cache


class ComboMaker:
    """A combo: buying it buys the legs with a positive ratio at their ask, and sells the others at their bid."""

    unit = 1.0

    def __init__(self, instrument: Instrument, books: Callable[[Instrument], Book]) -> None:
        if not isinstance(instrument.pricing, LegSum):
            raise TypeError("not a combo")
        self._legs = instrument.pricing.legs
        self._step = instrument.rule.min_tick
        self._books = books

    def brief(self, minutes: Ints, regular: Flags, what: str) -> Brief:
        """See ``Maker``."""
        parts = [
            summary(self.tape(minutes[n : n + _CHUNK], regular[n : n + _CHUNK]), what)
            for n in range(0, len(minutes), _CHUNK)
        ]
        return Brief(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def tape(self, minutes: Ints, regular: Flags) -> Tape:
        """See ``Maker``."""
        shape = (len(minutes), STEPS)
        bid, ask = np.zeros(shape), np.zeros(shape)
        bid_size, ask_size = np.full(shape, np.inf), np.full(shape, np.inf)
        for leg, ratio in self._legs:
            leg_bid, leg_ask, leg_bid_size, leg_ask_size = self._leg(leg, minutes)
            if ratio < 0:
                leg_bid, leg_ask = leg_ask, leg_bid
                leg_bid_size, leg_ask_size = leg_ask_size, leg_bid_size
            bid += ratio * leg_bid
            ask += ratio * leg_ask
            bid_size = np.minimum(bid_size, np.floor(leg_bid_size / abs(ratio)))
            ask_size = np.minimum(ask_size, np.floor(leg_ask_size / abs(ratio)))
        digits = 10  # sums of floats: below the finest rung, above their noise
        bid = np.round(np.floor(np.round(bid / self._step, 6)) * self._step, digits)
        ask = np.round(np.ceil(np.round(ask / self._step, 6)) * self._step, digits)
        nothing = np.zeros(shape, dtype=np.int64)
        return Tape(bid, ask, bid_size, ask_size, nothing > 0, bid, nothing)

    def prints(self, minutes: Ints) -> Flags:
        """See ``Maker``."""
        return np.ones(len(minutes), dtype=np.bool_)

    def _leg(self, leg: Instrument, minutes: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the quote of a leg at every step; outside its hours the last one it had."""
        shape = (len(minutes), STEPS)
        found = np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape)
        book = self._books(leg)
        opened = book.opened(minutes)
        if opened.any():
            inside = minutes[opened]
            tape = book.maker.tape(inside, book.regular(inside))
            for column, values in zip(found, tape[:4], strict=True):
                column[opened] = values
        for row in np.flatnonzero(~opened).tolist():
            quote = book.quote(float(minutes[row] * 60))
            for column, value in zip(found, (quote.bid, quote.ask, quote.bid_size, quote.ask_size), strict=True):
                column[row] = value
        return found
