"""One instrument as it is watched live: the quote at a moment, the ticks of a span, the figures of its day.

Keeps the minutes and the day looked at last; what it answers does not depend on them. Must not know bars.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, timedelta
from math import floor, nan
from typing import NamedTuple

import numpy as np

from ibkit.paper.instruments import Instrument, Prints, Session
from ibkit.paper.market import hours
from ibkit.paper.market.noise import Flags, Floats, Ints
from ibkit.paper.market.records import Quote, Tick
from ibkit.paper.market.spine import FIRST, STEP, STEPS
from ibkit.paper.market.tape import Maker, SingleMaker, Tape, series

_MINUTES_KEPT, _DAYS_KEPT = 4, 2
# How many trading days to look back for a last trade before saying there is none.
_LOOK_BACK = 10
_K: Ints = np.arange(STEPS, dtype=np.int64)
_NO_ARRAY: Floats = np.empty(0)


class _Minute(NamedTuple):
    """One minute, worked out; arrays over its 240 steps. ``high`` to ``trade`` are what was so far."""

    tape: Tape  # one row, as arrays of 240
    counted: bool  # for the day's open, high and low
    value: Floats
    high: Floats
    low: Floats
    volume: Ints
    first: int  # step of the first price, 240 when there is none
    trade: Ints  # step of the latest price, -1 before the first
    changed: Ints  # step of the latest change of quote or trade


class _Day(NamedTuple):
    """A trading day by minutes; ``high`` to ``latest`` are what was so far, with the minute's own."""

    first: int  # minutes since the epoch
    place: Ints  # where a minute stands in the arrays, from ``first`` on; -1 when closed
    open: Floats
    high: Floats
    low: Floats
    volume: Floats
    latest: Ints  # where the latest price is, -1 before the first
    minutes: Ints
    close: Floats


class _Latest(NamedTuple):
    price: float
    size: float


class Book:
    """Quotes and ticks of one instrument."""

    def __init__(self, instrument: Instrument, maker: Maker) -> None:
        self.instrument = instrument
        self.maker = maker
        self.what = "MIDPOINT" if instrument.prints is Prints.QUOTES else "TRADES"
        self._shows_trades = instrument.prints is not Prints.QUOTES
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()
        self._days: OrderedDict[date, _Day] = OrderedDict()
        self._ends: OrderedDict[date, tuple[float, _Latest]] = OrderedDict()
        self._session: Session | None = None

    # -- what the market asks -------------------------------------------------------------------------------------

    def quote(self, t: float) -> Quote:
        """See ``Market.quote``."""
        session = self._session_before(t)
        if session is None:
            return Quote(t, *([nan] * 11))
        minute, step = _step_at(min(t, session.end - FIRST))
        at = self._minute(minute)
        tape, unit = at.tape, self.maker.unit
        moment = minute * 60 + FIRST + STEP * int(at.changed[step])
        open_, high, low, volume = self._figures(session.day, minute, at, step)
        close = self._end(self.instrument.calendar.previous_day(session.day))[0]
        last, last_size = nan, nan
        if self._shows_trades:
            last, last_size = self._latest(session.day, minute, at, step)
        else:
            volume = nan
        if self.instrument.prints is Prints.VALUE:
            last_size = volume = nan
        return Quote(
            moment, float(tape.bid[step]), float(tape.ask[step]), float(tape.bid_size[step]),
            float(tape.ask_size[step]), last, last_size, volume * unit, open_, high, low, close,
        )  # fmt: skip

    def ticks(self, t0: float, t1: float) -> list[Tick]:
        """See ``Market.ticks``."""
        found: list[Tick] = []
        calendar, instrument = self.instrument.calendar, self.instrument
        session = self._session
        if session and session.start <= t0 and t1 <= session.end:
            spans = [session]
        else:
            days = calendar.local_date(t0), calendar.local_date(t1) + timedelta(days=1)
            spans = [s for s in hours.sessions(instrument, *days) if s.start < t1 and s.end > t0]
        for session in spans:
            begin, end = max(session.start, t0), min(session.end, t1)
            for minute in range(floor(begin / 60), floor((end - FIRST) / 60) + 1):
                self._append(found, minute, begin, end)
        return found

    def step_at(self, t: float) -> tuple[int, int] | None:
        """Return minute and step in force at ``t``; None before the listing."""
        session = self._session_before(t)
        return _step_at(min(t, session.end - FIRST)) if session else None

    def closes(self, days: list[date], before: int) -> Floats:
        """Return the fair closing prices of trading days (ascending) but the last, and of ``before`` days in front."""
        if not isinstance(self.maker, SingleMaker):
            raise TypeError("a combo has no closes")
        calendar = self.instrument.calendar
        wanted = list(days[:-1])
        for _ in range(before):
            wanted.insert(0, calendar.previous_day((wanted or days)[0]))
        ends = [int(calendar.hours(day).liquid[-1].end // 60) - 1 for day in wanted]
        return self.maker.fair(np.array(ends, dtype=np.int64))

    # -- minutes --------------------------------------------------------------------------------------------------

    def regular(self, minutes: Ints) -> Flags:
        """Tell which minutes (ascending) lie in regular hours."""
        calendar = self.instrument.calendar
        if calendar.trading == calendar.liquid:
            return np.ones(len(minutes), dtype=np.bool_)
        days = calendar.local_date(float(minutes[0] * 60)), calendar.local_date(float(minutes[-1] * 60))
        return inside(calendar.sessions(days[0], days[1] + timedelta(days=1), regular=True), minutes)

    def opened(self, minutes: Ints) -> Flags:
        """Tell in which minutes (ascending) it trades."""
        calendar = self.instrument.calendar
        days = calendar.local_date(float(minutes[0] * 60)), calendar.local_date(float(minutes[-1] * 60))
        return inside(hours.sessions(self.instrument, days[0], days[1] + timedelta(days=1)), minutes)

    def _minute(self, minute: int) -> _Minute:
        found = self._minutes.get(minute)
        if found is not None:
            self._minutes.move_to_end(minute)
        else:
            found = self._minutes[minute] = self._work_out(minute)
            if len(self._minutes) > _MINUTES_KEPT:
                self._minutes.popitem(last=False)
        return found

    def _work_out(self, minute: int) -> _Minute:
        one = np.array([minute], dtype=np.int64)
        regular = self.regular(one)
        rows = self.maker.tape(one, regular)
        steps = series(rows, self.what)
        tape = Tape(*(column[0] for column in rows))
        there = steps.prints[0] > 0
        value, has = steps.close[0], np.flatnonzero(there)
        change = there.copy() if self._shows_trades else np.zeros(STEPS, dtype=np.bool_)
        change[0] = True
        for column in tape[:4]:
            change[1:] |= (column[1:] != column[:-1]) & (column[1:] == column[1:])
        return _Minute(
            tape=tape,
            counted=bool(regular[0]) or not self.instrument.calendar.regular_stats,
            value=value,
            high=np.maximum.accumulate(np.where(there, value, -np.inf)),
            low=np.minimum.accumulate(np.where(there, value, np.inf)),
            volume=np.cumsum(tape.size),
            first=int(has[0]) if len(has) else STEPS,
            trade=np.maximum.accumulate(np.where(there, _K, -1)),
            changed=np.maximum.accumulate(np.where(change, _K, 0)),
        )

    def _append(self, found: list[Tick], minute: int, begin: float, end: float) -> None:
        base = minute * 60 + FIRST
        first = max(0, floor((begin - base) / STEP) + 1)  # after begin
        last = min(STEPS - 1, floor((end - base) / STEP))  # up to end
        if first > last:
            return
        at = self._minute(minute)
        tape, changed, unit = at.tape, at.changed, self.maker.unit
        shows, quotes = self._shows_trades, self.instrument.prints is not Prints.VALUE
        for step in range(first, last + 1):
            if changed[step] != step:
                continue
            t = base + STEP * step
            state = (
                float(tape.bid[step]), float(tape.ask[step]), float(tape.bid_size[step]), float(tape.ask_size[step])
            )  # fmt: skip
            if quotes and (
                step == 0
                or tape.bid[step - 1] != state[0]
                or tape.ask[step - 1] != state[1]
                or tape.bid_size[step - 1] != state[2]
                or tape.ask_size[step - 1] != state[3]
            ):
                found.append(Tick(t, "quote", *state, nan, 0.0))
            if shows and tape.traded[step]:
                found.append(Tick(t, "trade", *state, float(tape.price[step]), int(tape.size[step]) * unit))

    # -- days -----------------------------------------------------------------------------------------------------

    def _session_before(self, t: float) -> Session | None:
        """The session that holds the last step at or before ``t``; remembered when it holds ``t``."""
        session = self._session
        if session and session.start + FIRST <= t < session.end:
            return session
        session = hours.last_session(self.instrument, t)
        if session and t < session.start + FIRST:  # nothing has happened yet
            return hours.last_session(self.instrument, session.start - 1.0)
        if session and t < session.end:
            self._session = session
        return session

    def _day(self, day: date) -> _Day:
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._sum_up(day)
            if len(self._days) > _DAYS_KEPT:
                self._days.popitem(last=False)
        return found

    def _sum_up(self, day: date) -> _Day:
        spans = hours.sessions(self.instrument, day, day)
        minutes = minutes_of(spans)
        if not len(minutes):
            none = np.empty(0, dtype=np.int64)
            return _Day(0, none, _NO_ARRAY, _NO_ARRAY, _NO_ARRAY, _NO_ARRAY, none, none, _NO_ARRAY)
        regular = self.regular(minutes)
        brief = self.maker.brief(minutes, regular, self.what)
        there = brief.prints > 0
        counted = there & regular if self.instrument.calendar.regular_stats else there
        order = np.arange(len(minutes))
        opened = np.flatnonzero(counted)
        begin = int(opened[0]) if len(opened) else len(minutes)
        place = np.full(int(minutes[-1] - minutes[0]) + 1, -1)
        place[minutes - minutes[0]] = order
        return _Day(
            first=int(minutes[0]),
            place=place,
            open=np.where(order >= begin, brief.open[min(begin, len(order) - 1)], nan),
            high=np.maximum.accumulate(np.where(counted, brief.high, -np.inf)),
            low=np.minimum.accumulate(np.where(counted, brief.low, np.inf)),
            volume=np.cumsum(brief.volume),
            latest=np.maximum.accumulate(np.where(there, order, -1)),
            minutes=minutes,
            close=brief.close,
        )

    def _figures(self, day: date, minute: int, at: _Minute, step: int) -> tuple[float, float, float, float]:
        """Open, high, low and volume of the day up to a step of a minute."""
        so_far = self._day(day)
        before = int(so_far.place[minute - so_far.first]) - 1
        open_, high, low, volume = nan, -np.inf, np.inf, int(at.volume[step])
        if before >= 0:
            open_, high, low = float(so_far.open[before]), float(so_far.high[before]), float(so_far.low[before])
            volume += int(so_far.volume[before])
        if at.counted and at.first <= step:
            if open_ != open_:
                open_ = float(at.value[at.first])
            high, low = max(high, float(at.high[step])), min(low, float(at.low[step]))
        return (open_, high, low, volume) if open_ == open_ else (nan, nan, nan, volume)

    def _latest(self, day: date, minute: int, at: _Minute, step: int) -> _Latest:
        """The latest trade up to a step of a minute."""
        place = int(at.trade[step])
        if place >= 0:
            return _Latest(float(at.value[place]), int(at.tape.size[place]) * self.maker.unit)
        so_far = self._day(day)
        before = int(so_far.place[minute - so_far.first]) - 1
        if before >= 0 and so_far.latest[before] >= 0:
            return self._trade_in(int(so_far.minutes[so_far.latest[before]]))
        for _ in range(_LOOK_BACK):
            day = self.instrument.calendar.previous_day(day)
            found = self._end(day)[1]
            if found.price == found.price:
                return found
        return _Latest(nan, nan)

    def _trade_in(self, minute: int) -> _Latest:
        """The last trade of a minute that has one."""
        at = self._minute(minute)
        step = int(at.trade[-1])
        return _Latest(float(at.value[step]), int(at.tape.size[step]) * self.maker.unit)

    def _end(self, day: date) -> tuple[float, _Latest]:
        """The closing price of a day (NaN before the listing), and its very last trade.

        The close is the last price of regular hours for stocks, of the whole day for others; where nothing traded,
        halfway between the last bid and ask.
        """
        found = self._ends.get(day)
        if found is None:
            found = self._ends[day] = self._close_of(day)
            if len(self._ends) > _LOOK_BACK + 2:
                self._ends.popitem(last=False)
        return found

    def _close_of(self, day: date) -> tuple[float, _Latest]:
        minutes = minutes_of(hours.sessions(self.instrument, day, day))
        if not len(minutes):
            return nan, _Latest(nan, nan)
        traded = minutes[self.maker.prints(minutes)]
        latest = self._trade_in(int(traded[-1])) if self._shows_trades and len(traded) else _Latest(nan, nan)
        if self.instrument.calendar.regular_stats:
            regular = minutes_of(hours.sessions(self.instrument, day, day, regular=True))
            minutes = regular if len(regular) else minutes
            traded = traded[traded <= minutes[-1]]
        end, what = (traded[-1:], self.what) if len(traded) else (minutes[-1:], "MIDPOINT")
        return float(self.maker.brief(end, self.regular(end), what).close[0]), latest


def minutes_of(spans: list[Session]) -> Ints:
    """Return the minutes of sessions, counted from the epoch."""
    if not spans:
        return np.empty(0, dtype=np.int64)
    return np.concatenate([np.arange(int(s.start // 60), int(s.end // 60), dtype=np.int64) for s in spans])


def inside(spans: list[Session], minutes: Ints) -> Flags:
    """Tell which minutes lie inside sessions (both ascending)."""
    if not spans:
        return np.zeros(len(minutes), dtype=np.bool_)
    starts, ends = np.array([s.start for s in spans]), np.array([s.end for s in spans])
    place = np.searchsorted(starts, minutes * 60, side="right") - 1
    return (place >= 0) & (minutes * 60 < ends[np.maximum(place, 0)])


def _step_at(t: float) -> tuple[int, int]:
    """Return minute and step of the last step at or before ``t``."""
    minute = floor(t / 60)
    step = floor((t - minute * 60 - FIRST) / STEP)
    return (minute, step) if step >= 0 else (minute - 1, STEPS - 1)
