"""Quotes and trades of an instrument in given minutes: the summary of a minute, and every step of it.

Both come from the same marks, so they agree: the quote is a rung below and above the fair price, trades happen at bid
or ask, and a minute that trades does so where the price is highest (at the ask) and lowest (at the bid) first, then
at its first and last step, then anywhere. Must not know sessions, bars or what was asked before.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from ibkit.paper.instruments import Instrument, Prints
from ibkit.paper.instruments.pricing import LegSum, OptionOn
from ibkit.paper.market.ladder import ladder, middle
from ibkit.paper.market.models import Model, OptionModel, Spines, SpotModel
from ibkit.paper.market.noise import Bits, Flags, Floats, Ints, draw, exponential, part, stream, uniform
from ibkit.paper.market.path import activity
from ibkit.paper.market.spine import STEPS, Marks

MAX_TRADES = 120  # in a minute: every second step
VALUES = 64  # how often a minute tells the value of an index
_WIDE = 3  # how much wider quotes are outside regular hours
_K: Ints = np.arange(STEPS, dtype=np.int64)
_VALUE_STEPS: Flags = _K % 4 == 2


class Brief(NamedTuple):
    """Minutes as bars: a row each; prices are NaN where ``prints`` is 0. ``volume`` is in units of the tape."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    prints: Floats


class Tape(NamedTuple):
    """Minutes as steps, (minutes, 240). ``size`` is in units of the tape; ``price`` counts where ``traded``."""

    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats
    traded: Flags
    price: Floats
    size: Ints


class Maker(Protocol):
    """Makes the minutes of one instrument; ``regular`` tells which of them lie in regular hours."""

    unit: float

    def brief(self, minutes: Ints, regular: Flags, what: str) -> Brief:
        """Return minutes as bars of TRADES, BID, ASK, MIDPOINT or BID_ASK (open and close: mean bid and ask)."""
        ...

    def tape(self, minutes: Ints, regular: Flags) -> Tape:
        """Return minutes as steps."""
        ...

    def prints(self, minutes: Ints) -> Flags:
        """Tell in which minutes there is a trade, or a value; quotes there are always."""
        ...


class _Plan(NamedTuple):
    """How many trades a minute has, what they add up to, and the sides of the two at its ends (1: at the ask)."""

    trades: Ints
    units: Ints
    high_first: Flags
    open_side: Ints
    close_side: Ints


class SingleMaker:
    """An instrument with one price of its own."""

    def __init__(self, seed: int, instrument: Instrument, spines: Spines) -> None:
        pricing, liquidity = instrument.pricing, instrument.liquidity
        if isinstance(pricing, LegSum):
            raise TypeError("a combo has no price of its own")
        self.model: Model = (
            OptionModel(pricing, spines) if isinstance(pricing, OptionOn) else SpotModel(pricing, spines)
        )
        self.unit = liquidity.unit
        self._prints = instrument.prints
        self._ladder = ladder(instrument.rule)
        self._spread = max(1, round(liquidity.spread_ticks))
        self._widens = instrument.calendar.regular_stats
        self._quote_units = max(1, round(liquidity.quote_size / liquidity.unit))
        self._trade_units = max(1.0, 0.3 * liquidity.quote_size / liquidity.unit)
        self._day_units = liquidity.day_volume / liquidity.unit
        identity = str(instrument.con_id)
        if instrument.sec_type in ("FUT", "CONTFUT"):  # the continuous one trades as its front does, whichever it is
            identity = f"FUT {instrument.contract.symbol} {instrument.contract.exchange}"
        self._day_key = stream(seed, "volume", identity)
        self._plan_key = stream(seed, "minute", identity)
        self._step_key = stream(seed, "step", identity)
        under = pricing.underlying.pricing if isinstance(pricing, OptionOn) else pricing
        assert not isinstance(under, OptionOn | LegSum)
        self._activity = activity(under.root.factors[0][0].activity)

    def brief(self, minutes: Ints, regular: Flags, what: str) -> Brief:
        """See ``Maker``; minutes that hold a shock are read off their steps."""
        marks = self.model.spine.marks(minutes)
        place = self._ladder.place(self.model.at_marks(minutes, marks))
        if self._prints is Prints.VALUE:
            found = self._values(place)
        else:
            spread = self._spreads(regular)
            bid = self._bids(place, spread)
            found = self._trades(minutes, marks, bid, spread) if what == "TRADES" else self._quotes(bid, spread, what)
        rough = marks.rough
        if what == "TRADES" and rough.any():
            for column, steps in zip(found, summary(self.tape(minutes[rough], regular[rough]), what), strict=True):
                column[rough] = steps
        return found

    def tape(self, minutes: Ints, regular: Flags) -> Tape:
        """See ``Maker``."""
        marks = self.model.spine.marks(minutes)
        place = self._ladder.place(self.model.at_steps(minutes, self.model.spine.steps(minutes)))
        if self._prints is Prints.VALUE:
            return self._value_tape(marks, place)
        rows = np.arange(len(minutes))[:, None]
        spread = self._spreads(regular)[:, None]
        bid = self._bids(place, spread)
        bits = draw(self._step_key, minutes[:, None] * 256 + _K)
        # Sizes at the quote stay until the price moves or somebody comes or goes.
        fresh = part(bits, 60, 4) < 2
        fresh[:, 0] = True
        fresh[:, 1:] |= bid[:, 1:] != bid[:, :-1]
        shown = bits[rows, np.maximum.accumulate(np.where(fresh, _K, 0), axis=1)]
        bids, asks = self._ladder.price(bid), self._ladder.price(bid + spread)
        traded = np.zeros(bid.shape, dtype=np.bool_)
        side = part(bits, 16, 1)
        size = np.zeros(bid.shape, dtype=np.int64)
        if self._prints is Prints.TRADES:
            plan = self._plan(minutes)
            high_at, low_at = self._at(marks)
            score = part(bits, 0, 15) + 4
            row = rows[:, 0]
            score[:, 0], score[:, -1] = 2, 3
            score[row, high_at], score[row, low_at] = ~plan.high_first, plan.high_first
            side[:, 0], side[:, -1] = plan.open_side, plan.close_side
            side[row, high_at], side[row, low_at] = 1, 0
            rank = np.empty(score.shape, dtype=np.int64)
            order = np.argsort(score.astype(np.uint16), axis=1, kind="stable")
            np.put_along_axis(rank, order, np.broadcast_to(_K, score.shape), axis=1)
            traded = rank < plan.trades[:, None]
            size = _split(plan, np.where(traded, part(bits, 17, 4) + 1, 0), traded)
        return Tape(
            bids, asks, self._sizes(shown, 32), self._sizes(shown, 44), traded, np.where(side, asks, bids), size
        )

    def prints(self, minutes: Ints) -> Flags:
        """See ``Maker``."""
        if self._prints is Prints.TRADES:
            return self._plan(minutes).trades > 0
        return np.ones(len(minutes), dtype=np.bool_)

    def fair(self, minutes: Ints) -> Floats:
        """Return the fair price at the last step of minutes."""
        last: Floats = self.model.at_marks(minutes, self.model.spine.marks(minutes))[3]
        return last

    def _spreads(self, regular: Flags) -> Ints:
        wide = _WIDE if self._widens else 1
        return np.where(regular, self._spread, self._spread * wide)

    def _bids(self, place: Floats, spread: Ints) -> Ints:
        """The rung of the bid: it rises with the fair price, and never falls below the first rung."""
        return np.maximum(np.floor(place - 0.5 * (spread - 1)).astype(np.int64), 1)

    def _at(self, marks: Marks) -> tuple[Ints, Ints]:
        return (marks.low_at, marks.high_at) if self.model.falls else (marks.high_at, marks.low_at)

    def _sizes(self, bits: Bits, shift: int) -> Floats:
        many = 1 + part(bits, shift, 4) * part(bits, shift + 4, 2) // 2
        return many.astype(np.float64) * (self._quote_units * self.unit)

    def _plan(self, minutes: Ints) -> _Plan:
        bits = draw(self._plan_key, minutes)
        day = minutes // 1440
        days, place = np.unique(day, return_inverse=True)
        variants = np.array([self._activity.variant(int(d)) for d in days], dtype=np.int64)
        lively = 0.7 + 0.3 * exponential(draw(self._day_key, days), 0)
        minute = minutes % 1440
        expected = self._day_units * lively[place] * self._activity.shares[variants[place], minute // 60, minute % 60]
        expected = expected * (0.4 + 0.6 * exponential(bits, 0))
        rate = np.minimum(expected / self._trade_units, MAX_TRADES)
        count = np.floor(rate + uniform(bits, 16)).astype(np.int64)
        each = np.maximum(expected / MAX_TRADES, self._trade_units)
        units = np.maximum(np.rint(count * each).astype(np.int64), count)
        return _Plan(count, units, part(bits, 32, 1) == 1, part(bits, 33, 1), part(bits, 34, 1))

    def _trades(self, minutes: Ints, marks: Marks, bid: Ints, spread: Ints) -> Brief:
        plan = self._plan(minutes)
        count = plan.trades
        high_at, low_at = self._at(marks)
        high, low = bid[1] + spread, bid[2]
        earlier, later = np.where(high_at < low_at, (high, low), (low, high))
        only = np.where(plan.high_first, high, low)
        first = np.where(count >= 3, bid[0] + spread * plan.open_side, np.where(count == 2, earlier, only))
        last = np.where(count >= 4, bid[3] + spread * plan.close_side, np.where(count >= 2, later, only))
        high, low = np.where(count >= 2, high, only), np.where(count >= 2, low, only)
        prices = self._ladder.price(np.stack((first, high, low, last)))
        prices[:, count == 0] = np.nan
        return _brief(prices, plan.units, count)

    def _quotes(self, bid: Ints, spread: Ints, what: str) -> Brief:
        bids, asks = self._ladder.price(bid), self._ladder.price(bid + spread)
        if what == "BID_ASK":  # means of a minute, told by its marks; its extremes
            rows = np.stack((bids.mean(axis=0), asks[1], bids[2], asks.mean(axis=0)))
        else:
            rows = {"BID": bids, "ASK": asks, "MIDPOINT": middle(bids, asks)}[what]
        return untraded(rows)

    def _values(self, place: Floats) -> Brief:
        rows = self._ladder.price(np.floor(place + 0.5).astype(np.int64))
        none = np.zeros(rows.shape[1], dtype=np.int64)
        return _brief(rows, none, none + VALUES)

    def _value_tape(self, marks: Marks, place: Floats) -> Tape:
        price = self._ladder.price(np.floor(place + 0.5).astype(np.int64))
        nothing = np.full(place.shape, np.nan)
        told = np.broadcast_to(_VALUE_STEPS, place.shape).copy()
        told[:, 0] = told[:, -1] = True
        row = np.arange(len(place))
        told[row, marks.high_at] = told[row, marks.low_at] = True
        return Tape(nothing, nothing, nothing, nothing, told, price, np.zeros(place.shape, dtype=np.int64))


def _split(plan: _Plan, weight: Ints, traded: Flags) -> Ints:
    """Share each minute's units out over its trades: at least one each, whole, adding up exactly."""
    total = np.cumsum(weight, axis=1)
    extra = (plan.units - plan.trades)[:, None]
    upto = extra * total // np.maximum(total[:, -1:], 1)
    size = np.diff(upto, axis=1, prepend=0)
    return size + traded


def untraded(rows: Floats) -> Brief:
    """Make bars of quotes or levels out of the rows open, high, low, close: there is a price everywhere, no volume."""
    none = np.zeros(rows.shape[1:], dtype=np.int64)
    return _brief(rows, none, none + 1)


def _brief(rows: Floats, volume: Ints, prints: Ints) -> Brief:
    return Brief(rows[0], rows[1], rows[2], rows[3], volume.astype(np.float64), prints.astype(np.float64))


def series(tape: Tape, what: str) -> Brief:
    """Return every step of a tape as a bar of its own, (minutes, 240); ``prints`` is 0 where TRADES has no trade."""
    if what == "TRADES":
        price = np.where(tape.traded, tape.price, np.nan)
        return _brief(np.stack((price, price, price, price)), tape.size, tape.traded.astype(np.int64))
    if what == "BID_ASK":
        return untraded(np.stack((tape.bid, tape.ask, tape.bid, tape.ask)))
    price = {"BID": tape.bid, "ASK": tape.ask, "MIDPOINT": middle(tape.bid, tape.ask)}[what]
    return untraded(np.stack((price, price, price, price)))


def summary(tape: Tape, what: str) -> Brief:
    """Return each minute of a tape as one bar."""
    steps = series(tape, what)
    there = steps.prints > 0
    none = ~there.any(axis=1)
    row = np.arange(len(there))
    first = steps.open[row, there.argmax(axis=1)]
    last = steps.close[row, STEPS - 1 - there[:, ::-1].argmax(axis=1)]
    high = np.where(there, steps.high, -np.inf).max(axis=1)
    low = np.where(there, steps.low, np.inf).min(axis=1)
    if what == "BID_ASK":
        first, last = steps.open.mean(axis=1), steps.close.mean(axis=1)
    high[none] = low[none] = np.nan
    return Brief(first, high, low, last, steps.volume.sum(axis=1), steps.prints.sum(axis=1))
