"""When an instrument trades: sessions of any date, made by rule.

A calendar is a row: zone, weekdays, spans in minutes from the local midnight of the trading day (negative: the
evening before), and what holidays and short days do to them. Must not know instruments or prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ibkit.paper.instruments import holidays

Spans = tuple[tuple[int, int], ...]


class Session(NamedTuple):
    """One uninterrupted span of trading: [start, end) in epoch seconds, and the trading day it counts for."""

    start: float
    end: float
    day: date


class Hours(NamedTuple):
    """The sessions of one trading day: all of them, and the regular ones."""

    trading: tuple[Session, ...]
    liquid: tuple[Session, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The trading hours of a market, in its own zone.

    ``bridge_end`` and ``short_end`` cut the day on bridge holidays (None: closed) and on short days;
    ``short_late`` is where extended hours end on a short day.
    ``regular_stats`` tells whether the day's open, high and low count regular hours only.
    """

    name: str
    zone: str
    trading: Spans
    liquid: Spans
    holidays: holidays.Holidays
    bridge_end: int | None = None
    short_end: int | None = None
    short_late: int | None = None
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    regular_stats: bool = False

    def hours(self, day: date) -> Hours:
        """Return the sessions of a trading day; none when it is closed."""
        return _hours(self, day)

    def sessions(self, d0: date, d1: date, regular: bool = False) -> list[Session]:
        """Return the sessions of the trading days d0 to d1, both included, in order."""
        days = (d0 + timedelta(days=n) for n in range((d1 - d0).days + 1))
        return [s for day in days for s in (self.hours(day).liquid if regular else self.hours(day).trading)]

    def local_date(self, t: float) -> date:
        """Return the date in the calendar's zone at epoch second ``t``."""
        return datetime.fromtimestamp(t, ZoneInfo(self.zone)).date()

    def session_at(self, t: float, regular: bool = False) -> Session | None:
        """Return the session that holds ``t``, None when the market is closed then."""
        day = self.local_date(t)
        for session in self.sessions(day, day + timedelta(days=1), regular):
            if session.start <= t < session.end:
                return session
        return None

    def last_session(self, t: float, regular: bool = False) -> Session:
        """Return the session that holds ``t`` or the latest one before it."""
        day = self.local_date(t) + timedelta(days=1)
        while True:
            begun = [s for s in self.sessions(day - timedelta(days=6), day, regular) if s.start <= t]
            if begun:
                return begun[-1]
            day -= timedelta(days=7)

    def next_session(self, t: float, regular: bool = False) -> Session:
        """Return the session that holds ``t`` or the first one after it."""
        day = self.local_date(t)
        while True:
            for session in self.sessions(day, day + timedelta(days=6), regular):
                if session.end > t:
                    return session
            day += timedelta(days=7)

    def previous_day(self, day: date) -> date:
        """Return the trading day before ``day``."""
        day -= timedelta(days=1)
        while not self.hours(day).liquid:
            day -= timedelta(days=1)
        return day

    def epoch(self, day: date, minutes: int) -> float:
        """Return the epoch second of ``minutes`` after local midnight of ``day`` on the wall clock."""
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
        return wall.replace(tzinfo=ZoneInfo(self.zone)).timestamp()

    def text(self, first: date, days: int, regular: bool = False) -> str:
        """Return the hours as ContractDetails writes them: ``20240105:0400-20240105:2000;20240106:CLOSED``."""
        zone = ZoneInfo(self.zone)
        parts = []
        for n in range(days):
            day = first + timedelta(days=n)
            sessions = self.sessions(day, day, regular)
            parts += [
                "-".join(datetime.fromtimestamp(t, zone).strftime("%Y%m%d:%H%M") for t in (s.start, s.end))
                for s in sessions
            ] or [f"{day:%Y%m%d}:CLOSED"]
        return ";".join(parts)


@lru_cache(maxsize=65536)
def _hours(calendar: Calendar, day: date) -> Hours:
    if day.weekday() not in calendar.weekdays:
        return Hours((), ())
    kind = calendar.holidays(day.year).get(day)
    cut = late = None
    if kind:
        if kind == "full" or calendar.bridge_end is None:
            return Hours((), ())
        cut = late = calendar.bridge_end
    elif calendar.short_end is not None and day in holidays.us_short(day.year):
        cut, late = calendar.short_end, calendar.short_late or calendar.short_end
    return Hours(_sessions(calendar, day, calendar.trading, late), _sessions(calendar, day, calendar.liquid, cut))


def _sessions(calendar: Calendar, day: date, spans: Spans, cut: int | None) -> tuple[Session, ...]:
    limit = 10_000 if cut is None else cut
    found = [
        Session(calendar.epoch(day, start), calendar.epoch(day, min(end, limit)), day)
        for start, end in spans
        if start < limit
    ]
    return tuple(found)


def utc(t: float) -> datetime:
    """Return epoch seconds as an aware UTC datetime."""
    return datetime.fromtimestamp(t, UTC)


_ALL = (0, 1, 2, 3, 4, 5, 6)
_GLOBEX: Spans = ((-420, 960),)
_NEW_YORK_24: Spans = ((-360, 1020),)

# Minutes of the local day. Sources: the exchanges' published hours and the hours TWS shows for these contracts.
CALENDARS: dict[str, Calendar] = {
    c.name: c
    for c in (
        Calendar(
            "US_STOCK", "US/Eastern", ((240, 1200),), ((570, 960),), holidays.us,
            short_end=780, short_late=1020, regular_stats=True,
        ),
        Calendar("US_OPTION", "US/Eastern", ((570, 960),), ((570, 960),), holidays.us, short_end=780),
        Calendar("US_INDEX_OPTION", "US/Central", ((510, 915),), ((510, 915),), holidays.us, short_end=735),
        Calendar("US_INDEX", "US/Eastern", ((570, 960),), ((570, 960),), holidays.us, short_end=780),
        Calendar("US_FUND", "US/Eastern", ((570, 960),), ((570, 960),), holidays.us, short_end=780),
        Calendar("US_BOND", "US/Eastern", ((480, 1020),), ((480, 1020),), holidays.us, short_end=840),
        Calendar("CME", "US/Central", _GLOBEX, ((510, 960),), holidays.us, bridge_end=720, short_end=735),
        Calendar("CFE", "US/Central", _GLOBEX, ((510, 915),), holidays.us, bridge_end=690, short_end=735),
        Calendar(
            "NYMEX", "US/Eastern", _NEW_YORK_24, ((570, 1020),), holidays.us, bridge_end=810, short_end=825
        ),
        Calendar(
            "GRAINS", "US/Central", ((-300, 465), (510, 800)), ((510, 800),), holidays.us, short_end=725
        ),
        Calendar("LIVESTOCK", "US/Central", ((510, 785),), ((510, 785),), holidays.us, short_end=735),
        Calendar("FX", "US/Eastern", ((-405, 1020),), ((-405, 1020),), holidays.christmas),
        Calendar("METAL", "US/Eastern", _NEW_YORK_24, _NEW_YORK_24, holidays.christmas),
        Calendar("CRYPTO", "US/Eastern", ((0, 1440),), ((0, 1440),), holidays.none, weekdays=_ALL),
        Calendar("XETRA", "MET", ((540, 1050),), ((540, 1050),), holidays.xetra),
        Calendar("EUREX", "MET", ((70, 1320),), ((480, 1320),), holidays.xetra),
        Calendar("LONDON", "GB-Eire", ((480, 990),), ((480, 990),), holidays.london),
        Calendar("TORONTO", "US/Eastern", ((570, 960),), ((570, 960),), holidays.toronto),
    )
}  # fmt: skip
