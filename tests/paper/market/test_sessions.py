"""When instruments trade, and how far back a duration goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import InvalidRequest
from ibkit.paper.instruments import Catalogue
from ibkit.paper.market import Market
from ibkit.paper.market.sizes import bar_size, duration
from tests.paper.market.kinds import KINDS, Kinds, moment

NEW_YORK = ZoneInfo("America/New_York")


@given(day=st.dates(date(2005, 2, 1), date(2034, 12, 31)))
def test_at_ten_in_new_york_us_stocks_trade(market: Market, kinds: Kinds, day: date) -> None:
    stock = kinds["stock"]
    t = datetime(day.year, day.month, day.day, 10, tzinfo=NEW_YORK).timestamp()
    assert market.is_open(stock, t, use_rth=True) == bool(stock.calendar.hours(day).liquid)
    if day.weekday() == 1 and not market.is_open(stock, t):
        assert (day.month, day.day) in {(1, 1), (1, 2), (7, 4), (12, 25), (6, 19), (12, 26), (7, 3), (12, 24)}


@given(name=st.sampled_from(list(KINDS)), hours=st.integers(-3000, 500), rth=st.booleans())
def test_openings(market: Market, kinds: Kinds, name: str, hours: int, rth: bool) -> None:
    instrument = kinds[name]
    t = moment("2026-11-18 10:00") + hours * 3600
    opened = market.next_open(instrument, t, rth)
    if opened == inf:
        assert 0 < instrument.expires <= t + 4 * 86400
        return
    assert opened >= t
    assert market.is_open(instrument, opened, rth)
    assert market.is_open(instrument, t, rth) == (opened == t)
    if rth:
        assert market.is_open(instrument, opened)


def test_sessions_end_with_the_instrument(market: Market, kinds: Kinds) -> None:
    future = kinds["future"]  # ends on Friday, 18 December 2026, 08:30 Chicago
    spans = market.sessions(future, date(2026, 12, 16), date(2026, 12, 31))
    assert [s.day.day for s in spans] == [16, 17, 18]
    assert spans[-1].end == future.expires == moment("2026-12-18 08:30", "America/Chicago")
    assert market.next_open(future, future.expires) == inf
    assert not market.is_open(future, future.expires)
    assert market.is_open(future, future.expires - 1)


@pytest.mark.parametrize(
    ("name", "text", "rth", "start"),
    [
        ("stock", "1 D", True, "2026-11-18 09:30"),
        ("stock", "1 D", False, "2026-11-18 04:00"),
        ("stock", "2 D", True, "2026-11-17 09:30"),
        ("stock", "5 D", True, "2026-11-12 09:30"),
        ("stock", "60 S", True, "2026-11-18 10:29"),
        ("stock", "7200 S", True, "2026-11-17 15:00"),  # an hour of today, an hour of yesterday
        ("stock", "1 W", True, "2026-11-12 09:30"),
        ("stock", "1 M", True, "2026-10-19 09:30"),
        ("stock", "1 Y", True, "2025-11-19 09:30"),
        ("forex", "1 D", True, "2026-11-17 17:15"),
        ("forex", "1 W", False, "2026-11-11 17:15"),
        ("crypto", "1 D", False, "2026-11-18 00:00"),
    ],
)
def test_durations(market: Market, kinds: Kinds, name: str, text: str, rth: bool, start: str) -> None:
    end = moment("2026-11-18 10:30")
    assert market.history_start(kinds[name], text, end, rth) == moment(start)


def test_durations_when_closed(market: Market, kinds: Kinds) -> None:
    stock = kinds["stock"]
    sunday = moment("2026-11-15 12:00")
    assert market.history_start(stock, "1 D", sunday, True) == moment("2026-11-13 09:30")
    assert market.history_start(stock, "600 S", sunday, True) == moment("2026-11-13 15:50")
    before_the_open = moment("2026-11-18 08:00")
    assert market.history_start(stock, "1 D", before_the_open, True) == moment("2026-11-17 09:30")
    assert market.history_start(stock, "1 D", before_the_open, False) == moment("2026-11-18 04:00")


def test_durations_end_at_the_listing(market: Market, kinds: Kinds) -> None:
    end = moment("2026-11-18 10:30")
    stock, option = kinds["stock"], kinds["call"]
    assert market.history_start(stock, "68 Y", end, False) == market.head_timestamp(stock)
    for text in ("365 D", "5 Y"):
        assert market.history_start(option, text, end, True) == market.head_timestamp(option)
    early = moment("2025-01-03 10:00")
    assert market.history_start(option, "1 D", early, True) == early


@pytest.mark.parametrize("text", ["", "D", "1", "1D", "1 d", "0 D", "-1 D", "1.5 D", "1 X", "366 D", "86401 S", "69 Y"])
def test_durations_that_do_not_exist(market: Market, kinds: Kinds, text: str) -> None:
    with pytest.raises(InvalidRequest, match="duration"):
        market.history_start(kinds["stock"], text, moment("2026-11-18 10:30"), True)


def test_sizes_and_spans() -> None:
    assert bar_size("1 min").seconds == 60
    assert bar_size("1 sec") == bar_size("1 secs")
    assert duration(" 2 D ").number == 2


def test_schedules(market: Market, catalogue: Catalogue, kinds: Kinds) -> None:
    """Sessions are what SCHEDULE tells: a short day ends early, a holiday has none."""
    stock = kinds["stock"]
    spans = market.sessions(stock, date(2026, 11, 25), date(2026, 11, 28), use_rth=True)
    hours = [(datetime.fromtimestamp(s.start, NEW_YORK), datetime.fromtimestamp(s.end, NEW_YORK)) for s in spans]
    assert [f"{a:%d %H:%M}-{b:%H:%M}" for a, b in hours] == ["25 09:30-16:00", "27 09:30-13:00"]
    assert all(b - a <= timedelta(hours=6.5) for a, b in hours)
