"""Bars: each size adds up from every smaller one, and from the ticks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise
from math import isnan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.errors import InvalidRequest
from ibkit.paper.market import Bar, Market
from ibkit.paper.market.sizes import SIZES, Unit
from tests.paper.market.kinds import KINDS, Kinds, moment

SMALL = [size.text for size in SIZES.values() if size.unit is Unit.SECONDS]
SHOWS = ("TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK")


def pairs(sizes: Iterable[str]) -> list[tuple[str, str]]:
    """All pairs of sizes of which the larger is a multiple of the smaller."""
    lengths = [(text, SIZES[text].seconds) for text in sizes]
    return [(a, b) for a, m in lengths for b, n in lengths if m < n and n % m == 0]


def added_up(small: list[Bar], large: list[Bar], what: str) -> list[Bar]:
    """Add small bars up to the spans of the large ones."""
    found = []
    edges = [bar.time for bar in large] + [float("inf")]
    for bar, (begin, end) in zip(large, pairwise(edges), strict=True):
        inside = [b for b in small if begin <= b.time < end]
        volume, count = sum(b.volume for b in inside), sum(b.count for b in inside)
        if what != "TRADES":
            volume, count = -1.0, -1
        found.append(
            bar._replace(
                open=inside[0].open,
                high=max(b.high for b in inside),
                low=min(b.low for b in inside),
                close=inside[-1].close,
                volume=pytest.approx(volume),
                count=count,
            )
        )
    return found


def figures(bars: list[Bar], what: str) -> list[tuple[float, ...]]:
    """The numbers that must agree exactly; a mean bid and ask (BID_ASK's open and close) need not."""
    return [(b.time, b.high, b.low, b.volume, b.count, *(() if what == "BID_ASK" else (b.open, b.close))) for b in bars]


@settings(max_examples=60)
@given(
    name=st.sampled_from([*KINDS, "combo"]),
    what=st.sampled_from(SHOWS),
    sizes=st.sampled_from(pairs(SMALL)),
    start=st.integers(0, 50),
    rth=st.booleans(),
)
def test_bars_within_a_day_add_up(
    market: Market, kinds: Kinds, name: str, what: str, sizes: tuple[str, str], start: int, rth: bool
) -> None:
    instrument = kinds[name]
    if what not in instrument.what_to_show:
        return
    seconds = SIZES[sizes[1]].seconds
    begin = moment("2026-11-17 20:00") + start * 1800
    end = begin + max(1800, 2 * seconds)
    large = market.bars(instrument, what, sizes[1], begin, end, rth)
    if not large:
        return
    small = market.bars(instrument, what, sizes[0], large[0].time, end, rth)
    assert figures(added_up(small, large, what), what) == figures(large, what)
    assert all(b.low <= min(b.open, b.close) <= max(b.open, b.close) <= b.high for b in large)
    assert [b.time for b in large] == sorted({b.time for b in large})
    assert all(begin <= b.time < end for b in large)


@pytest.mark.parametrize("name", ["stock", "forex", "future", "corn", "crypto", "xetra", "index", "put", "bond"])
@pytest.mark.parametrize("rth", [True, False])
@pytest.mark.parametrize(("small", "large"), [("30 mins", "1 day"), ("1 day", "1 week"), ("1 day", "1 month")])
def test_days_weeks_and_months_add_up(
    market: Market, kinds: Kinds, name: str, rth: bool, small: str, large: str
) -> None:
    instrument = kinds[name]
    what = "TRADES" if "TRADES" in instrument.what_to_show else "MIDPOINT"
    begin, end = moment("2026-09-01 00:00"), moment("2026-11-18 11:17:42")
    if large == "1 day":
        begin = moment("2026-11-05 00:00")
    big = market.bars(instrument, what, large, begin, end, rth)
    assert len(big) >= 2
    parts = market.bars(instrument, what, small, big[0].time, end, rth)
    assert figures(added_up(parts, big, what), what) == figures(big, what)


@settings(max_examples=40)
@given(
    name=st.sampled_from([*KINDS, "combo"]),
    what=st.sampled_from(SHOWS[:4]),
    begin=st.integers(0, 4 * 3600 * 6),
    length=st.integers(1, 4 * 200),
)
def test_ticks_make_the_bars(market: Market, kinds: Kinds, name: str, what: str, begin: int, length: int) -> None:
    """Whatever span of whole steps is taken, the ticks in it make the prices of the one-second bars in it."""
    instrument = kinds[name]
    if what not in instrument.what_to_show:
        return
    t0 = moment("2026-11-18 09:29") + begin / 4
    t1 = t0 + length / 4
    spans = market.sessions(instrument, date(2026, 11, 18), date(2026, 11, 19))
    session = next((s for s in spans if s.start <= t0 and t1 <= s.end), None)
    if session is None:
        return
    prices: dict[int, list[float]] = {}
    sizes: dict[int, float] = {}
    ticks = market.ticks(instrument, t0, t1)
    if what == "TRADES":
        for tick in ticks:
            if tick.kind == "trade":
                prices.setdefault(int(tick.time), []).append(tick.price)
                sizes[int(tick.time)] = sizes.get(int(tick.time), 0.0) + tick.size
    else:
        state = market.quote(instrument, t0)
        at = {tick.time: tick for tick in ticks if tick.kind == "quote"}
        for n in range(length):
            step = t0 + n / 4 + 0.125
            state = at.get(step, state)
            value = {"BID": state.bid, "ASK": state.ask, "MIDPOINT": round((state.bid + state.ask) / 2, 10)}[what]
            prices.setdefault(int(step), []).append(value)
    bars = market.bars(instrument, what, "1 secs", float(int(t0) - 1), t1, False)
    whole = [b for b in bars if b.time >= t0]  # the first second may have begun before t0
    assert [(b.open, b.high, b.low, b.close) for b in whole] == [
        (p[0], max(p), min(p), p[-1]) for second, p in sorted(prices.items()) if second >= t0
    ]
    if what == "TRADES":
        expected = [size for second, size in sorted(sizes.items()) if second >= t0]
        assert [b.volume for b in whole] == pytest.approx(expected)


@given(
    name=st.sampled_from(["stock", "forex", "hogs", "index", "call", "combo"]),
    size=st.sampled_from(SMALL),
    seconds=st.integers(1, 4 * 2400),
)
@settings(max_examples=40)
def test_the_last_bar_holds_what_happened_so_far(
    market: Market, kinds: Kinds, name: str, size: str, seconds: int
) -> None:
    instrument = kinds[name]
    what = "TRADES" if "TRADES" in instrument.what_to_show else "MIDPOINT"
    begin = moment("2026-11-18 10:00")
    end = begin + seconds / 4
    bars = market.bars(instrument, what, size, begin, end, True)
    if not bars:
        return
    ends = [b.time for b in bars[1:]] + [end]
    parts = [market.bars(instrument, what, "1 secs", b.time, e, True) for b, e in zip(bars, ends, strict=True)]
    flat = [b for part in parts for b in part]
    assert figures(added_up(flat, bars, what), what) == figures(bars, what)


@pytest.mark.parametrize("name", [*KINDS, "combo"])
def test_every_size_and_show_gives_bars(market: Market, kinds: Kinds, name: str) -> None:
    instrument = kinds[name]
    end = moment("2026-11-18 10:30")  # all of them trade
    for what in instrument.what_to_show - {"SCHEDULE"}:
        for text, size in SIZES.items():
            begin = end - min(max(4 * size.seconds, 3600), 86400 * 6)
            if size.unit in (Unit.WEEK, Unit.MONTH):
                begin = moment("2026-10-25 00:00")
                if name == "combo":
                    continue
            bars = market.bars(instrument, what, text, begin, end, False)
            assert bars or (name == "far" and what not in SHOWS[1:]), (what, text)
            for bar in bars:
                assert not any(isnan(x) for x in (bar.open, bar.high, bar.low, bar.close, bar.wap))
                assert bar.low <= bar.high
                assert bar.low > 0 or name == "combo"
                if what in ("TRADES", "ADJUSTED_LAST", "AGGTRADES"):
                    assert bar.volume >= 0
                    assert bar.count > 0
                    assert bar.low <= bar.wap <= bar.high
                else:
                    assert (bar.volume, bar.wap, bar.count) == (-1.0, -1.0, -1)


def times(bars: list[Bar]) -> list[str]:
    """Return when bars begin, in New York."""
    return [f"{datetime.fromtimestamp(b.time, ZoneInfo('America/New_York')):%d %H:%M}" for b in bars]


def test_hours_begin_on_the_clock_and_at_the_open(market: Market, kinds: Kinds) -> None:
    stock, forex, corn = kinds["stock"], kinds["forex"], kinds["corn"]
    day = moment("2026-11-18 00:00"), moment("2026-11-19 00:00")
    assert times(market.bars(stock, "TRADES", "1 hour", *day, True)) == [
        "18 09:30", "18 10:00", "18 11:00", "18 12:00", "18 13:00", "18 14:00", "18 15:00",
    ]  # fmt: skip
    assert times(market.bars(stock, "TRADES", "2 hours", *day, True)) == [
        "18 09:30",
        "18 10:00",
        "18 12:00",
        "18 14:00",
    ]
    assert times(market.bars(stock, "TRADES", "4 hours", *day, False)) == [
        "18 04:00", "18 08:00", "18 12:00", "18 16:00",
    ]  # fmt: skip
    # The forex day ends at 17:00 and the next begins at 17:15: no bar holds both.
    assert times(market.bars(forex, "BID", "8 hours", *day, False)) == ["18 00:00", "18 08:00", "18 16:00", "18 17:15"]
    # Corn pauses from 08:45 to 09:30 New York; a bar over the pause is one bar.
    assert times(market.bars(corn, "BID", "3 hours", *day, False)) == [
        "18 01:00", "18 04:00", "18 07:00", "18 10:00", "18 13:00", "18 20:00", "18 22:00",
    ]  # fmt: skip


def test_dates_are_trading_days(market: Market, kinds: Kinds) -> None:
    forex = kinds["forex"]
    week = moment("2026-11-15 12:00"), moment("2026-11-21 12:00")  # Sunday to Saturday
    days = market.bars(forex, "MIDPOINT", "1 day", *week, False)
    assert [b.date for b in days] == [date(2026, 11, d) for d in (16, 17, 18, 19, 20)]
    assert times(days)[0] == "15 17:15"
    assert [b.date for b in market.bars(forex, "MIDPOINT", "1 week", *week, False)] == [date(2026, 11, 20)]
    hours = market.bars(forex, "MIDPOINT", "1 hour", moment("2026-11-18 16:00"), moment("2026-11-18 19:00"), False)
    assert [b.date.day for b in hours] == [18, 19, 19]


def test_holidays_have_no_bars(market: Market, kinds: Kinds) -> None:
    stock = kinds["stock"]
    days = market.bars(stock, "TRADES", "1 day", moment("2025-11-24 00:00"), moment("2025-12-01 00:00"), True)
    assert [b.date.day for b in days] == [24, 25, 26, 28]  # Thanksgiving
    friday = market.bars(stock, "TRADES", "1 hour", moment("2025-11-28 00:00"), moment("2025-11-29 00:00"), True)
    assert times(friday) == ["28 09:30", "28 10:00", "28 11:00", "28 12:00"]  # closed at 13:00


def test_the_regular_hours_are_part_of_the_day(market: Market, kinds: Kinds) -> None:
    stock = kinds["stock"]
    span = moment("2026-11-18 00:00"), moment("2026-11-19 00:00")
    (regular,) = market.bars(stock, "TRADES", "1 day", *span, True)
    (whole,) = market.bars(stock, "TRADES", "1 day", *span, False)
    assert whole.low <= regular.low <= regular.high <= whole.high
    assert regular.volume < whole.volume < 1.4 * regular.volume
    inside = market.bars(stock, "TRADES", "30 mins", *span, True)
    assert {moment("2026-11-18 09:30") <= b.time < moment("2026-11-18 16:00") for b in inside} == {True}


def test_what_does_not_exist_is_refused_in_words(market: Market, kinds: Kinds) -> None:
    span = moment("2026-11-18 10:00"), moment("2026-11-18 11:00")
    with pytest.raises(InvalidRequest, match=r"'15 min' does not exist; there are 1 secs, .*15 mins"):
        market.bars(kinds["stock"], "TRADES", "15 min", *span, True)
    for what in ("YIELD_BID", "FEE_RATE", "trades", "SCHEDULE"):
        with pytest.raises(InvalidRequest, match=what):
            market.bars(kinds["stock"], what, "1 min", *span, True)
    with pytest.raises(InvalidRequest, match="TRADES"):
        market.bars(kinds["forex"], "TRADES", "1 min", *span, True)
    with pytest.raises(InvalidRequest, match="combos"):
        market.bars(kinds["combo"], "BID", "1 day", moment("2026-01-02 10:00"), span[1], True)


def test_levels(market: Market, kinds: Kinds) -> None:
    span = moment("2026-10-19 00:00"), moment("2026-11-18 12:00")
    for name in ("stock", "etf", "index"):
        implied = market.bars(kinds[name], "OPTION_IMPLIED_VOLATILITY", "1 day", *span, True)
        realized = market.bars(kinds[name], "HISTORICAL_VOLATILITY", "1 day", *span, True)
        assert len(implied) == len(realized) == 23
        assert all(0.05 < b.close < 1.5 for b in implied + realized)
        assert all(b.open == b.high == b.low == b.close for b in realized)
    # The index's is what VIX shows, in percent.
    vix = market.bars(kinds["vix"], "TRADES", "1 day", *span, True)
    spx = market.bars(kinds["index"], "OPTION_IMPLIED_VOLATILITY", "1 day", *span, True)
    assert [b.close * 100 for b in spx] == pytest.approx([b.close for b in vix], abs=0.2)


def test_nothing_before_the_listing_and_after_the_end(market: Market, kinds: Kinds) -> None:
    option = kinds["daily"]  # its last day is the 18th
    bars = market.bars(option, "MIDPOINT", "1 hour", moment("2026-11-17 00:00"), moment("2026-11-25 00:00"), False)
    assert {b.date.day for b in bars} == {17, 18}
    assert market.bars(option, "MIDPOINT", "1 day", moment("2020-01-01 00:00"), moment("2020-06-01 00:00"), False) == []
    end = moment("2026-11-18 10:00")
    assert market.bars(option, "MIDPOINT", "1 day", end, end, False) == []
