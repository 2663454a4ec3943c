"""Sessions, holidays and expiries, against dates the exchanges published."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.paper.instruments import expiries, holidays
from ibkit.paper.instruments.calendar import CALENDARS

DAYS = st.dates(date(2005, 1, 1), date(2040, 12, 31))


def local(name: str, day: date, regular: bool = False) -> list[str]:
    """Return the sessions of a day on the market's own clock."""
    calendar = CALENDARS[name]
    zone = ZoneInfo(calendar.zone)
    found = calendar.sessions(day, day, regular)
    return ["-".join(f"{datetime.fromtimestamp(t, zone):%d %H:%M}" for t in (s.start, s.end)) for s in found]


@given(name=st.sampled_from(sorted(CALENDARS)), day=DAYS)
def test_sessions_are_in_order_and_apart(name: str, day: date) -> None:
    calendar = CALENDARS[name]
    spans = calendar.sessions(day, day + timedelta(days=7))
    assert all(s.start < s.end for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(s.start % 60 == 0 and s.end % 60 == 0 for s in spans)
    for regular in calendar.sessions(day, day + timedelta(days=7), regular=True):
        assert any(s.start <= regular.start and regular.end <= s.end and s.day == regular.day for s in spans)


@given(name=st.sampled_from(sorted(CALENDARS)), day=DAYS, minute=st.integers(0, 1439), regular=st.booleans())
def test_finding_sessions(name: str, day: date, minute: int, regular: bool) -> None:
    calendar = CALENDARS[name]
    t = calendar.epoch(day, minute)
    now = calendar.session_at(t, regular)
    last, coming = calendar.last_session(t, regular), calendar.next_session(t, regular)
    assert last.start <= t < coming.end
    if now:
        assert now == last == coming
        assert now.start <= t < now.end
    else:
        assert last.end <= t < coming.start
        between = calendar.sessions(last.day, coming.day, regular)
        assert between.index(coming) == between.index(last) + 1


def test_hours_of_some_days() -> None:
    assert local("US_STOCK", date(2026, 11, 24)) == ["24 04:00-24 20:00"]
    assert local("US_STOCK", date(2026, 11, 24), True) == ["24 09:30-24 16:00"]
    assert local("US_STOCK", date(2026, 11, 27), True) == ["27 09:30-27 13:00"]
    assert local("US_STOCK", date(2026, 11, 26)) == []
    assert local("CME", date(2026, 11, 24)) == ["23 17:00-24 16:00"]
    assert local("CME", date(2026, 11, 26)) == ["25 17:00-26 12:00"]  # Thanksgiving: Globex until noon
    assert local("CME", date(2026, 12, 25)) == []
    assert local("FX", date(2026, 11, 23)) == ["22 17:15-23 17:00"]
    assert local("FX", date(2026, 11, 22)) == []
    assert local("GRAINS", date(2026, 11, 24)) == ["23 19:00-24 07:45", "24 08:30-24 13:20"]
    assert local("LIVESTOCK", date(2026, 11, 24)) == ["24 08:30-24 13:05"]
    assert local("CRYPTO", date(2026, 11, 22)) == ["22 00:00-23 00:00"]
    assert local("XETRA", date(2026, 12, 24)) == []
    assert local("LONDON", date(2026, 12, 28)) == []  # Boxing Day was a Saturday


def test_the_clock_changes() -> None:
    """Sessions keep their hours on the wall; the night of the change is an hour shorter or longer."""
    hours = [
        sum(s.end - s.start for s in CALENDARS["CRYPTO"].sessions(day, day)) / 3600
        for day in (date(2026, 3, 8), date(2026, 11, 1), date(2026, 11, 2))
    ]
    assert hours == [23, 25, 24]
    assert local("CME", date(2026, 3, 9)) == ["08 17:00-09 16:00"]


@pytest.mark.parametrize(
    ("year", "full", "bridge"),
    [
        (2020, ["01-01", "04-10", "12-25"], ["01-20", "02-17", "05-25", "07-03", "09-07", "11-26"]),
        (2021, ["01-01", "04-02", "12-24"], ["01-18", "02-15", "05-31", "07-05", "09-06", "11-25"]),
        (2022, ["04-15", "12-26"], ["01-17", "02-21", "05-30", "06-20", "07-04", "09-05", "11-24"]),
        (2023, ["01-02", "04-07", "12-25"], ["01-16", "02-20", "05-29", "06-19", "07-04", "09-04", "11-23"]),
        (2024, ["01-01", "03-29", "12-25"], ["01-15", "02-19", "05-27", "06-19", "07-04", "09-02", "11-28"]),
        (2025, ["01-01", "04-18", "12-25"], ["01-09", "01-20", "02-17", "05-26", "06-19", "07-04", "09-01", "11-27"]),
        (2026, ["01-01", "04-03", "12-25"], ["01-19", "02-16", "05-25", "06-19", "07-03", "09-07", "11-26"]),
    ],
)
def test_holidays_nyse_published(year: int, full: list[str], bridge: list[str]) -> None:
    days = holidays.us(year)
    for kind, expected in (("full", full), ("bridge", bridge)):
        assert sorted(f"{day:%m-%d}" for day, k in days.items() if k == kind) == expected


def test_short_days_nyse_published() -> None:
    short = {year: sorted(f"{d:%m-%d}" for d in holidays.us_short(year)) for year in (2023, 2024, 2025, 2026)}
    assert short == {
        2023: ["07-03", "11-24"],
        2024: ["07-03", "11-29", "12-24"],
        2025: ["07-03", "11-28", "12-24"],
        2026: ["11-27", "12-24"],
    }


def test_holidays_of_europe_and_toronto() -> None:
    assert [f"{d:%m-%d}" for d in sorted(holidays.london(2026))] == [
        "01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28",
    ]  # fmt: skip
    assert [f"{d:%m-%d}" for d in sorted(holidays.london(2022)) if d.month == 12] == ["12-26", "12-27"]
    assert date(2026, 5, 1) in holidays.xetra(2026)
    assert date(2026, 5, 18) in holidays.toronto(2026)  # Victoria
    assert {date(2026, 12, 25), date(2026, 12, 28)} <= holidays.toronto(2026).keys()
    assert holidays.easter(2026) == date(2026, 4, 5)
    assert holidays.none(2026) == {}


@given(year=st.integers(1990, 2090))
def test_easter_is_a_sunday_in_spring(year: int) -> None:
    sunday = holidays.easter(year)
    assert sunday.weekday() == 6
    assert date(year, 3, 22) <= sunday <= date(year, 4, 25)


@given(day=DAYS, n=st.integers(1, 10))
def test_business_days(day: date, n: int) -> None:
    before = holidays.business_day_before(day, n)
    assert before < day
    assert holidays.is_business_day(before)
    between = [
        d for d in (before + timedelta(days=k) for k in range((day - before).days)) if holidays.is_business_day(d)
    ]
    assert len(between) == n
    assert holidays.on_or_before(day) <= day


@pytest.mark.parametrize(
    ("rule", "year", "month", "last"),
    [
        ("third_friday", 2026, 12, date(2026, 12, 18)),  # ES
        ("third_friday", 2025, 4, date(2025, 4, 17)),  # Good Friday
        ("crude", 2026, 1, date(2025, 12, 19)),  # CL
        ("crude", 2024, 1, date(2023, 12, 19)),
        ("natgas", 2026, 1, date(2025, 12, 29)),
        ("last_friday", 2020, 12, date(2020, 12, 24)),  # BRR of the guide
        ("last_friday", 2026, 11, date(2026, 11, 27)),
        ("tenth_business_day", 2020, 12, date(2020, 12, 14)),  # HE
        ("tenth_business_day", 2026, 12, date(2026, 12, 14)),
        ("third_last_business_day", 2026, 12, date(2026, 12, 29)),  # GC
        ("before_15th", 2026, 12, date(2026, 12, 14)),  # corn
        ("seven_before_last", 2026, 12, date(2026, 12, 21)),  # ZN
        ("last_business_day", 2026, 12, date(2026, 12, 31)),  # ZF
        ("currency", 2026, 12, date(2026, 12, 14)),  # 6E
        ("before_third_wednesday", 2026, 12, date(2026, 12, 15)),  # 6C
        ("vix", 2026, 12, date(2026, 12, 16)),
        ("third_wednesday_next_quarter", 2026, 12, date(2027, 3, 16)),  # SR3
        ("bund", 2026, 12, date(2026, 12, 8)),
        ("last_thursday", 2026, 10, date(2026, 10, 29)),  # feeder cattle
        ("last_business_day_before", 2026, 12, date(2026, 11, 30)),  # RB
        ("brent", 2026, 12, date(2026, 10, 30)),
    ],
)
def test_last_days_the_exchanges_published(rule: str, year: int, month: int, last: date) -> None:
    assert expiries.RULES[rule](year, month) == last


@given(rule=st.sampled_from(sorted(expiries.RULES)), year=st.integers(2005, 2040), month=st.integers(1, 12))
def test_contracts_end_in_order_on_business_days(rule: str, year: int, month: int) -> None:
    first = expiries.RULES[rule](year, month)
    after = expiries.RULES[rule](year + month // 12, month % 12 + 1)
    assert first < after
    assert first.weekday() < 5
    assert abs((first - date(year, month, 15)).days) < 125


@given(day=DAYS, kind=st.sampled_from(["weekly", "daily"]))
def test_option_days(day: date, kind: str) -> None:
    found = expiries.option_days(day, kind)
    assert found == sorted(set(found))
    assert found[0] >= day
    assert (found[0] - day).days <= 8
    assert all(holidays.is_business_day(d) for d in found)
    assert all((d - day).days <= expiries.option_ahead(d, kind) for d in found)
    assert found[-1] - day > timedelta(days=600)
    # Tomorrow lists the same contracts, but for those that end today and those that are new.
    tomorrow = expiries.option_days(day + timedelta(days=1), kind)
    assert set(found) - set(tomorrow) <= {day}


def test_days_and_texts() -> None:
    calendar = CALENDARS["US_STOCK"]
    assert calendar.previous_day(date(2026, 11, 30)) == date(2026, 11, 27)
    days = calendar.text(date(2026, 11, 25), 3, regular=True)
    assert days == "20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300"
