"""Last trading days of futures and options, by the exchanges' rules, for any year.

A rule takes year and month of the contract and returns the last day of trading. Sources: the contract
specifications of CME Group, Cboe and Eurex.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from ibkit.paper.instruments.holidays import (
    business_day_before,
    is_business_day,
    month_end,
    nth_weekday,
    on_or_before,
    us,
    xetra,
)

MONTH_CODES = "FGHJKMNQUVXZ"  # January to December


def third_friday(year: int, month: int) -> date:
    """Third Friday, or the business day before it."""
    return on_or_before(nth_weekday(year, month, 4, 3))


def _previous_month(year: int, month: int) -> tuple[int, int]:
    return (year - 1, 12) if month == 1 else (year, month - 1)


def _after_last(year: int, month: int) -> date:
    return month_end(year, month) + timedelta(days=1)


def crude(year: int, month: int) -> date:
    """Three business days before the 25th of the month before (four when the 25th is no business day)."""
    y, m = _previous_month(year, month)
    the_25th = date(y, m, 25)
    return business_day_before(on_or_before(the_25th), 3)


def vix(year: int, month: int) -> date:
    """Thirty days before the third Friday of the next month (the day before when that is a holiday)."""
    y, m = (year + 1, 1) if month == 12 else (year, month + 1)
    return on_or_before(third_friday(y, m) - timedelta(days=30))


def tenth_business_day(year: int, month: int) -> date:
    """Tenth business day of the contract month (lean hogs)."""
    day, n = date(year, month, 1) - timedelta(days=1), 10
    while n:
        day += timedelta(days=1)
        n -= is_business_day(day)
    return day


def last_thursday(year: int, month: int) -> date:
    """Last Thursday of the month; the one before when it or one of the four weekdays before it is a holiday."""
    day = nth_weekday(year, month, 3, -1)
    clear = all(is_business_day(day - timedelta(days=n)) for n in range(4))
    return day if clear else on_or_before(day - timedelta(days=7))


def third_wednesday_next_quarter(year: int, month: int) -> date:
    """Business day before the third Wednesday three months after the contract month (SOFR)."""
    y, m = (year + (month + 2) // 12, (month + 2) % 12 + 1)
    return business_day_before(nth_weekday(y, m, 2, 3))


def bund(year: int, month: int) -> date:
    """Two Eurex days before the tenth of the month (or the next Eurex day)."""
    day = date(year, month, 10)
    while not is_business_day(day, xetra):
        day += timedelta(days=1)
    return business_day_before(day, 2, xetra)


Rule = Callable[[int, int], date]

RULES: dict[str, Rule] = {
    "third_friday": third_friday,
    "vix": vix,
    "crude": crude,
    "crude_before": lambda y, m: business_day_before(crude(y, m)),
    "natgas": lambda y, m: business_day_before(date(y, m, 1), 3),
    "brent": lambda y, m: on_or_before(month_end(*_previous_month(*_previous_month(y, m)))),
    "last_business_day_before": lambda y, m: business_day_before(date(y, m, 1)),
    "last_business_day": lambda y, m: business_day_before(_after_last(y, m)),
    "third_last_business_day": lambda y, m: business_day_before(_after_last(y, m), 3),
    "seven_before_last": lambda y, m: business_day_before(_after_last(y, m), 8),
    "before_15th": lambda y, m: business_day_before(date(y, m, 15)),
    "tenth_business_day": tenth_business_day,
    "last_thursday": last_thursday,
    "last_friday": lambda y, m: on_or_before(nth_weekday(y, m, 4, -1)),
    "currency": lambda y, m: business_day_before(nth_weekday(y, m, 2, 3), 2),
    "before_third_wednesday": lambda y, m: business_day_before(nth_weekday(y, m, 2, 3), 1),
    "third_wednesday_next_quarter": third_wednesday_next_quarter,
    "bund": bund,
}


def months(codes: str, first: date, count: int, rule: Rule) -> Iterator[tuple[int, int, date]]:
    """Yield (year, month, last day) of the next ``count`` contracts whose last day is ``first`` or later."""
    year, month = first.year - 1, 1  # rules move the last day by at most a quarter around the contract month
    while count:
        if MONTH_CODES[month - 1] in codes:
            last = rule(year, month)
            if last >= first:
                yield year, month, last
                count -= 1
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


# How many days ahead options are listed.
WEEKLY_AHEAD, MONTHLY_AHEAD, LEAP_AHEAD, DAILY_AHEAD = 49, 275, 830, 14


def option_days(first: date, kind: str) -> list[date]:
    """Return the expirations listed on day ``first``: weekly or daily kind, months ahead and January leaps.

    Fridays (Thursdays before a Friday holiday) for seven weeks; third Fridays for nine months; third Fridays of
    January and June for 27 months; kind ``daily`` adds every business day of the next two weeks.
    """
    days: set[date] = set()
    friday = _friday(first)
    for week in range(120):
        nominal = friday + timedelta(days=7 * week)
        if (nominal - first).days <= _ahead(nominal):
            days.add(on_or_before(nominal))
    if kind == "daily":
        days.update(d for n in range(DAILY_AHEAD + 1) if is_business_day(d := first + timedelta(days=n), us))
    return sorted(d for d in days if d >= first)


def option_ahead(day: date, kind: str) -> int:
    """Return how many days before its last day an option is listed; ``am`` ones end a day before their Friday."""
    nominal = _friday(day)
    return _ahead(nominal) if kind == "am" or day == on_or_before(nominal) else DAILY_AHEAD


def _friday(day: date) -> date:
    return day - timedelta(days=day.weekday()) + timedelta(days=4)


def _ahead(friday: date) -> int:
    if not 15 <= friday.day <= 21:
        return WEEKLY_AHEAD
    return LEAP_AHEAD if friday.month in (1, 6) else MONTHLY_AHEAD
