"""Holidays and business days of the markets, made by rule for any year.

``full`` days are closed everywhere in that market; ``bridge`` days close the cash market while Globex trades until
noon. Rules are those NYSE, CME, Deutsche Boerse, LSE and the Toronto exchanges publish; one-off closures are listed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

Kind = Literal["full", "bridge"]
DAY = timedelta(days=1)

# Days of national mourning: cash markets closed, Globex shortened.
_ONE_OFF_US = (date(2018, 12, 5), date(2025, 1, 9))


def easter(year: int) -> date:
    """Return Easter Sunday (Gregorian, the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * shift) // 451
    month, day = divmod(h + shift - 7 * m + 114, 31)
    return date(year, month, day + 1)


def nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th given weekday (Monday 0) of a month; n = -1 is the last one."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = month_end(year, month)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def month_end(year: int, month: int) -> date:
    """Return the last calendar day of a month."""
    return date(year + month // 12, month % 12 + 1, 1) - DAY


def _observed(day: date) -> date:
    """Move a weekend holiday to Friday (from Saturday) or Monday (from Sunday), as US exchanges do."""
    return day + {5: -DAY, 6: DAY}.get(day.weekday(), timedelta())


def _next_monday(day: date) -> date:
    """Move a weekend holiday to the following Monday."""
    return day + timedelta(days=(7 - day.weekday()) % 7) if day.weekday() >= 5 else day


@lru_cache(maxsize=256)
def us(year: int) -> dict[date, Kind]:
    """Holidays of NYSE and Nasdaq; CME trades half a day on the bridge days."""
    days: dict[date, Kind] = {
        nth_weekday(year, 1, 0, 3): "bridge",  # Martin Luther King
        nth_weekday(year, 2, 0, 3): "bridge",  # Presidents
        easter(year) - 2 * DAY: "full",
        nth_weekday(year, 5, 0, -1): "bridge",  # Memorial
        _observed(date(year, 7, 4)): "bridge",
        nth_weekday(year, 9, 0, 1): "bridge",  # Labor
        nth_weekday(year, 11, 3, 4): "bridge",  # Thanksgiving
        _observed(date(year, 12, 25)): "full",
    }
    if year >= 2022:
        days[_observed(date(year, 6, 19))] = "bridge"  # Juneteenth
    new_year = date(year, 1, 1)
    if new_year.weekday() != 5:  # a Saturday New Year is not moved into the old year
        days[_observed(new_year)] = "full"
    for day in _ONE_OFF_US:
        if day.year == year:
            days[day] = "bridge"
    return days


@lru_cache(maxsize=256)
def us_short(year: int) -> frozenset[date]:
    """Days on which NYSE closes at 13:00: before Independence Day and Christmas, after Thanksgiving."""
    eves = [date(year, 7, 3), date(year, 12, 24), nth_weekday(year, 11, 3, 4) + DAY]
    return frozenset(d for d in eves if d.weekday() < 5 and d not in us(year))


@lru_cache(maxsize=256)
def xetra(year: int) -> dict[date, Kind]:
    """Holidays of Xetra and Eurex."""
    sunday = easter(year)
    fixed = [(1, 1), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31)]
    days = [sunday - 2 * DAY, sunday + DAY, *(date(year, m, d) for m, d in fixed)]
    return dict.fromkeys(days, "full")


@lru_cache(maxsize=256)
def london(year: int) -> dict[date, Kind]:
    """Bank holidays of England (the regular ones)."""
    sunday = easter(year)
    christmas, boxing = date(year, 12, 25), date(year, 12, 26)
    if christmas.weekday() >= 5 or boxing.weekday() >= 5:  # each is moved to the next free weekday
        moved = [d for d in (date(year, 12, n) for n in range(25, 29)) if d.weekday() < 5][:2]
    else:
        moved = [christmas, boxing]
    days = [
        _next_monday(date(year, 1, 1)),
        sunday - 2 * DAY,
        sunday + DAY,
        nth_weekday(year, 5, 0, 1),
        nth_weekday(year, 5, 0, -1),
        nth_weekday(year, 8, 0, -1),
        *moved,
    ]
    return dict.fromkeys(days, "full")


@lru_cache(maxsize=256)
def toronto(year: int) -> dict[date, Kind]:
    """Holidays of the Toronto exchanges."""
    victoria = date(year, 5, 24)
    days = [
        _next_monday(date(year, 1, 1)),
        nth_weekday(year, 2, 0, 3),
        easter(year) - 2 * DAY,
        victoria - timedelta(days=victoria.weekday()),
        _next_monday(date(year, 7, 1)),
        nth_weekday(year, 8, 0, 1),
        nth_weekday(year, 9, 0, 1),
        nth_weekday(year, 10, 0, 2),
        *sorted(london_christmas(year)),
    ]
    return dict.fromkeys(days, "full")


def london_christmas(year: int) -> set[date]:
    """The two days Christmas and Boxing Day are kept on, moved off the weekend."""
    return {d for d in london(year) if d.month == 12}


@lru_cache(maxsize=256)
def christmas(year: int) -> dict[date, Kind]:
    """Christmas and New Year alone: the holidays of forex and metals."""
    return {date(year, 1, 1): "full", date(year, 12, 25): "full"}


def none(year: int) -> dict[date, Kind]:
    """No holidays: crypto."""
    return {}


Holidays = Callable[[int], dict[date, Kind]]


def is_business_day(day: date, holidays: Holidays = us) -> bool:
    """Tell whether ``day`` is a weekday and no holiday."""
    return day.weekday() < 5 and day not in holidays(day.year)


def business_day_before(day: date, n: int = 1, holidays: Holidays = us) -> date:
    """Return the n-th business day strictly before ``day``."""
    while n:
        day -= DAY
        n -= is_business_day(day, holidays)
    return day


def on_or_before(day: date, holidays: Holidays = us) -> date:
    """Return ``day`` if it is a business day, else the one before it."""
    return day if is_business_day(day, holidays) else business_day_before(day, 1, holidays)
