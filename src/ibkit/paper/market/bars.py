"""Bars of every size: minutes and steps, added up inside trading days.

Bars begin on the clock (an hour's at the full hour, those of several hours counted from local midnight) or where a
session begins, and never hold more than one trading day, week or month. Must not know how prices are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from math import inf
from typing import NamedTuple

import numpy as np

from ibkit.paper.instruments import Instrument, Session
from ibkit.paper.market import hours
from ibkit.paper.market.book import minutes_of
from ibkit.paper.market.noise import Floats, Ints, seconds
from ibkit.paper.market.records import Bar
from ibkit.paper.market.sizes import Size, Unit
from ibkit.paper.market.sources import Source
from ibkit.paper.market.spine import STEP, STEP_SECONDS, STEPS
from ibkit.paper.market.tape import Brief

_CHUNK_MINUTES, _CHUNK_STEPS = 16384, 64  # minutes worked out at a time, whole and by their steps


class _Rows(NamedTuple):
    """Bars in the making, in order of time; ``key`` tells which bar a row goes to, ``day`` is an ordinal."""

    key: Floats
    begin: Floats
    day: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    turnover: Floats
    prints: Floats
    weight: Floats


class _Spans(NamedTuple):
    """Sessions as arrays: where bars are counted from, and which day, week or month each belongs to."""

    start: Floats
    previous_start: Floats  # of a session of the same day just before; -inf when there is none
    previous_end: Floats
    origin: Floats
    key: Floats
    begin: Floats  # of the bar, from a day on
    day: Floats


def bars(instrument: Instrument, source: Source, size: Size, start: float, end: float, regular: bool) -> list[Bar]:
    """Return the bars that begin in [start, end); see ``Market.bars``."""
    calendar = instrument.calendar
    before = {Unit.SECONDS: 1, Unit.DAY: 1, Unit.WEEK: 8, Unit.MONTH: 32}[size.unit]
    first = calendar.local_date(start) - timedelta(days=before)
    found = hours.sessions(instrument, first, calendar.local_date(end) + timedelta(days=1), regular)
    found = [s for s in found if s.start < end and s.end > start - size.seconds]
    if not found or not start < end:
        return []
    parts = [_join(rows, source.averages) for rows in _rows(instrument, source, size, found, start, end)]
    if not parts:
        return []
    whole = _join(_Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True))), source.averages)
    last_day = {float(k): float(d) for k, d in zip(whole.key, whole.day, strict=True)}
    if size.unit is not Unit.SECONDS:  # the day of a bar is its last trading day, whether or not something traded
        spans = _spans(instrument, size, found)
        last_day = {float(k): float(d) for k, d in zip(spans.key, spans.day, strict=True)}
    return list(_bars(whole, source, start, last_day))


def _rows(
    instrument: Instrument, source: Source, size: Size, found: list[Session], start: float, end: float
) -> Iterator[_Rows]:
    """Yield rows in order, in portions."""
    spans = _spans(instrument, size, found)
    minutes = minutes_of(found)
    session = np.repeat(np.arange(len(found)), [int((s.end - s.start) // 60) for s in found])
    if size.unit is Unit.SECONDS:
        wanted = (minutes * 60 < end) & ((minutes + 1) * 60 > start - size.seconds)
    else:
        wanted = (minutes * 60 < end) & (spans.begin[session] >= start)
    minutes, session = minutes[wanted], session[wanted]
    whole = size.seconds >= 60
    full = int(np.searchsorted(minutes, int(end // 60))) if whole else 0  # minutes that have ended by ``end``
    for n in range(0, full, _CHUNK_MINUTES):
        part = slice(n, min(n + _CHUNK_MINUTES, full))
        t = seconds(minutes[part])
        yield _placed(source.minutes(minutes[part]), t, session[part], spans, size, 60.0)
    for n in range(full, len(minutes), _CHUNK_STEPS):
        part = slice(n, n + _CHUNK_STEPS)
        t = (seconds(minutes[part])[:, None] + STEP_SECONDS).ravel()
        steps = Brief(*(column.ravel() for column in source.steps(minutes[part])))
        rows = _placed(steps, t, np.repeat(session[part], STEPS), spans, size, STEP)
        upto = int(np.searchsorted(t, end))
        keep = (t < end)[(steps.prints > 0)] if upto < len(t) else slice(None)
        yield _Rows(*(column[keep] for column in rows))


def _placed(brief: Brief, t: Floats, session: Ints, spans: _Spans, size: Size, weight: float) -> _Rows:
    """Tell for every row that has a price which bar it goes to."""
    there = brief.prints > 0
    t, session = t[there], session[there]
    open_, high, low, close, volume, count = (column[there] for column in brief)
    if size.unit is Unit.SECONDS:
        origin = spans.origin[session]
        mark = np.floor((t - origin) / size.seconds) * size.seconds + origin
        # A bar may begin in an earlier session of the same day, before a break.
        begin = np.maximum(
            mark, np.where(mark < spans.previous_end[session], spans.previous_start[session], spans.start[session])
        )
        key = mark * 2 + spans.day[session] % 2  # two days may share a mark
    else:
        begin, key = spans.begin[session], spans.key[session]
    turnover = (open_ + high + low + close) * 0.25 * volume
    return _Rows(
        key, begin, spans.day[session], open_, high, low, close, volume, turnover, count, np.full(len(t), weight)
    )


def _spans(instrument: Instrument, size: Size, found: list[Session]) -> _Spans:
    calendar = instrument.calendar
    previous = [(a.start, a.end) if a.day == b.day else (-inf, -inf) for a, b in pairwise(found)]
    previous.insert(0, (-inf, -inf))
    key = [_period(s.day, size.unit) for s in found]
    begins: dict[int, float] = {}
    for k, s in zip(key, found, strict=True):
        begins.setdefault(k, s.start)
    long = size.unit is Unit.SECONDS and size.seconds > 3600
    return _Spans(
        start=np.array([s.start for s in found]),
        previous_start=np.array([p[0] for p in previous]),
        previous_end=np.array([p[1] for p in previous]),
        origin=np.array([calendar.epoch(s.day, 0) if long else 0.0 for s in found]),
        key=np.array(key, dtype=np.float64),
        begin=np.array([begins[k] for k in key]),
        day=np.array([s.day.toordinal() for s in found], dtype=np.float64),
    )


def _period(day: date, unit: Unit) -> int:
    """The number of the day, week (from Monday) or month a day lies in."""
    if unit is Unit.MONTH:
        return day.year * 12 + day.month
    return (day.toordinal() - 1) // 7 if unit is Unit.WEEK else day.toordinal()


def _join(rows: _Rows, averages: bool) -> _Rows:
    """Add up neighbouring rows of one bar."""
    if not len(rows.key):
        return rows
    first = np.flatnonzero(np.concatenate(([True], rows.key[1:] != rows.key[:-1])))
    last = np.append(first[1:], len(rows.key)) - 1
    weight = np.add.reduceat(rows.weight, first)
    open_, close = rows.open[first], rows.close[last]
    if averages:
        open_ = np.add.reduceat(rows.open * rows.weight, first) / weight
        close = np.add.reduceat(rows.close * rows.weight, first) / weight
    return _Rows(
        rows.key[first],
        rows.begin[first],
        rows.day[last],
        open_,
        np.maximum.reduceat(rows.high, first),
        np.minimum.reduceat(rows.low, first),
        close,
        np.add.reduceat(rows.volume, first),
        np.add.reduceat(rows.turnover, first),
        np.add.reduceat(rows.prints, first),
        weight,
    )


def _bars(rows: _Rows, source: Source, start: float, last_day: dict[float, float]) -> Iterator[Bar]:
    keep = rows.begin >= start
    volume = np.where(rows.volume > 0, rows.volume, 1)
    wap = np.where(rows.volume > 0, rows.turnover / volume, rows.close)
    columns = (
        rows.key, rows.begin, rows.open, rows.high, rows.low, rows.close, rows.volume * source.unit, wap, rows.prints
    )  # fmt: skip
    for key, begin, open_, high, low, close, size, mean, count in zip(
        *(column[keep].tolist() for column in columns), strict=True
    ):
        if source.averages:
            open_, close = round(open_, 8), round(close, 8)
        day = date.fromordinal(int(last_day[key]))
        if source.trades:
            yield Bar(begin, day, open_, high, low, close, size, round(mean, 8), int(count))
        else:
            yield Bar(begin, day, open_, high, low, close, -1.0, -1.0, -1)
