"""Prices depend on seed, instrument, moment and shocks alone; quotes make sense."""

from __future__ import annotations

from datetime import date
from math import isnan, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.errors import InvalidRequest
from ibkit.model import ComboLeg, Contract, Future, Option, Stock
from ibkit.paper.instruments import Catalogue, Instrument, Prints
from ibkit.paper.market import Market, Quote, Shock, Tick
from tests.paper.market.kinds import KINDS, Kinds, moment

NAMES = st.sampled_from([*KINDS, "combo"])
# A quarter of an hour of some day of three weeks, and a moment in it.
MOMENTS = st.integers(0, 21 * 96 - 1).flatmap(
    lambda n: st.floats(0, 899).map(lambda s: moment("2026-11-01 12:00") + n * 900 + s)
)


def same(a: Quote, b: Quote) -> bool:
    return all(x == y or (isnan(x) and isnan(y)) for x, y in zip(a, b, strict=True))


@settings(max_examples=150)
@given(name=NAMES, t=MOMENTS)
def test_quotes_are_sane(market: Market, kinds: Kinds, name: str, t: float) -> None:
    instrument = kinds[name]
    quote = market.quote(instrument, t)
    assert quote.time <= t
    if t <= market.head_timestamp(instrument):
        assert isnan(quote.bid)
        return
    if instrument.prints is Prints.VALUE:
        assert isnan(quote.bid)
        assert isnan(quote.ask)
        assert quote.last > 0
    else:
        assert quote.bid < quote.ask
        assert instrument.is_valid_price(quote.bid)
        assert instrument.is_valid_price(quote.ask)
        assert quote.bid_size > 0
        assert quote.ask_size > 0
        assert quote.bid > 0 or name == "combo"
    if instrument.prints is Prints.QUOTES:
        assert isnan(quote.last)
        assert isnan(quote.volume)
    elif not isnan(quote.last):
        assert instrument.is_valid_price(quote.last)
        assert quote.last > 0
    if not isnan(quote.open):
        assert quote.low <= quote.open <= quote.high
    in_regular_hours = market.is_open(instrument, t, use_rth=True)
    if in_regular_hours and instrument.prints is Prints.TRADES and not isnan(quote.high):
        assert quote.low <= quote.last <= quote.high


@settings(max_examples=60)
@given(name=NAMES, t=st.integers(0, 6 * 3600 * 4), steps=st.integers(1, 600))
def test_ticks_lead_from_one_quote_to_the_next(market: Market, kinds: Kinds, name: str, t: int, steps: int) -> None:
    instrument = kinds[name]
    t0 = moment("2026-11-18 09:31") + t / 4
    t1 = t0 + steps / 4
    before, after = market.quote(instrument, t0), market.quote(instrument, t1)
    ticks = market.ticks(instrument, t0, t1)
    assert [tick.time for tick in ticks] == sorted(tick.time for tick in ticks)
    assert all(t0 < tick.time <= t1 for tick in ticks)
    state = [before.bid, before.ask, before.bid_size, before.ask_size]
    last, size, traded = before.last, before.last_size, 0.0
    for tick in ticks:
        if tick.kind == "quote":
            assert isnan(tick.price)
            assert tick.size == 0.0
            state = [tick.bid, tick.ask, tick.bid_size, tick.ask_size]
        else:
            last, size = tick.price, tick.size
            traded += tick.size
            if instrument.prints is Prints.TRADES:
                assert tick.price in (tick.bid, tick.ask)
                assert tick.size > 0
    if instrument.prints is not Prints.VALUE:
        assert state == [after.bid, after.ask, after.bid_size, after.ask_size]
    if instrument.prints is Prints.TRADES:
        assert (last, size) == (after.last, after.last_size) or isnan(after.last)
        assert after.volume - before.volume == pytest.approx(traded, abs=1e-6)
    assert after.time == (ticks[-1].time if ticks else before.time)


@settings(max_examples=40)
@given(name=NAMES, t=MOMENTS)
def test_the_days_figures_are_the_day_bar(market: Market, kinds: Kinds, name: str, t: float) -> None:
    instrument = kinds[name]
    t = float(int(t))
    if not market.is_open(instrument, t - 0.25, use_rth=True):
        return
    quote = market.quote(instrument, t)
    what = "MIDPOINT" if instrument.prints is Prints.QUOTES else "TRADES"
    day = market.sessions(instrument, date(2026, 10, 31), date(2026, 11, 24))
    start = next(s for s in day if s.start < t <= s.end)
    begin = min(s.start for s in day if s.day == start.day)
    regular = instrument.calendar.regular_stats
    bars = market.bars(instrument, what, "1 day", begin, t, regular)
    if not bars:
        assert isnan(quote.open)
        return
    (bar,) = bars
    assert (quote.open, quote.high, quote.low) == (bar.open, bar.high, bar.low)
    if instrument.prints is Prints.TRADES:
        if not regular:
            assert quote.volume == pytest.approx(bar.volume)
        assert quote.last == bar.close


@settings(max_examples=25)
@given(
    asked=st.lists(st.tuples(NAMES, MOMENTS, st.sampled_from(["quote", "ticks", "bars", "days"])), max_size=12),
    name=NAMES,
    t=MOMENTS,
)
def test_what_was_asked_before_changes_nothing(
    market: Market,
    catalogue: Catalogue,
    kinds: Kinds,
    asked: list[tuple[str, float, str]],
    name: str,
    t: float,
) -> None:
    fresh = Market(7, catalogue)
    for other, moment_, question in asked:
        what = "MIDPOINT" if "MIDPOINT" in kinds[other].what_to_show else "TRADES"
        match question:
            case "quote":
                market.quote(kinds[other], moment_)
            case "ticks":
                market.ticks(kinds[other], moment_, moment_ + 90)
            case "bars":
                market.bars(kinds[other], what, "5 mins", moment_ - 7000, moment_, False)
            case _ if other != "combo":
                market.bars(kinds[other], what, "1 day", moment_ - 30 * 86400, moment_, False)
    assert same(market.quote(kinds[name], t), fresh.quote(kinds[name], t))
    assert str(market.ticks(kinds[name], t, t + 2)) == str(fresh.ticks(kinds[name], t, t + 2))


def test_seeds_make_worlds(catalogue: Catalogue, kinds: Kinds) -> None:
    t = moment("2026-11-18 10:00")
    one, again, two = Market(1, catalogue), Market(1, Catalogue(1, date(2026, 11, 1))), Market(2, catalogue)
    for name, instrument in kinds.items():
        if name in ("call", "put", "far", "daily", "fop", "combo"):
            assert same(one.quote(instrument, t), again.quote(instrument, t))
            continue
        assert same(one.quote(instrument, t), again.quote(instrument, t))
        assert not same(one.quote(instrument, t), two.quote(instrument, t)), name


RECORDED = {
    "stock": (508.91, 508.96, 508.96),
    "forex": (1.20285, 1.2029),
    "future": (4336.5, 4336.75, 4337.25),
    "call": (4.2, 4.25, 4.25),
}


def test_the_same_in_every_process(market: Market, kinds: Kinds) -> None:
    """Recorded once: a change here changes the history of everybody's simulated market."""
    t = moment("2026-11-18 10:00:07")
    for name, recorded in RECORDED.items():
        quote = market.quote(kinds[name], t)
        assert (quote.bid, quote.ask, quote.last)[: len(recorded)] == recorded, name


def test_one_path_moves_all_that_hangs_on_it(market: Market, kinds: Kinds) -> None:
    t = moment("2026-11-18 13:00")
    index, etf, future = (market.quote(kinds[n], t) for n in ("index", "etf", "future"))
    assert etf.mid * 10 == pytest.approx(index.last, rel=1e-3)
    assert future.mid == pytest.approx(index.last * (1 + 0.03 * 30 / 365), rel=1e-3)


def test_a_continuous_future_is_its_front(market: Market, catalogue: Catalogue, kinds: Kinds) -> None:
    hogs = kinds["hogs"]
    front = catalogue.by_con_id(hogs.con_id)
    assert front is not None
    assert front.sec_type == "FUT"
    t = moment("2026-11-18 11:00")
    assert same(market.quote(hogs, t), market.quote(front, t))


def test_closed_markets_show_where_they_stopped(market: Market, kinds: Kinds) -> None:
    stock = kinds["stock"]
    friday, sunday = moment("2026-11-13 20:00"), moment("2026-11-15 12:00")
    assert same(market.quote(stock, friday), market.quote(stock, sunday))
    assert market.ticks(stock, friday, sunday) == []
    assert market.quote(stock, sunday).time > friday - 60
    monday = market.quote(stock, moment("2026-11-16 04:00:01"))
    assert monday.time > sunday
    (bar,) = market.bars(stock, "TRADES", "1 day", moment("2026-11-13 00:00"), friday, True)
    assert monday.close == bar.close  # of regular hours
    assert isnan(monday.open)
    assert same(market.quote(stock, moment("2026-11-16 04:00")), market.quote(stock, sunday))


def test_before_the_listing_there_is_nothing(market: Market, kinds: Kinds) -> None:
    quote = market.quote(kinds["call"], moment("2025-01-02 12:00"))
    assert all(isnan(x) for x in quote[1:])
    assert market.ticks(kinds["call"], moment("2025-01-02 12:00"), moment("2025-01-02 12:01")) == []
    first = market.head_timestamp(kinds["call"])
    assert market.is_open(kinds["call"], first)
    assert market.quote(kinds["call"], first + 60).bid > 0


@pytest.mark.parametrize("name", list(KINDS))
def test_prices_keep_their_size(market: Market, kinds: Kinds, name: str) -> None:
    """Twenty years of history stay within a plausible range of the base, so strikes and examples make sense."""
    instrument = kinds[name]
    if instrument.expires and instrument.sec_type != "CONTFUT":
        return
    what = "MIDPOINT" if instrument.prints is Prints.QUOTES else "TRADES"
    closes = []
    for year in range(2006, 2027):
        for month in (3, 9):
            begin, end = moment(f"{year}-{month:02}-10 00:00"), moment(f"{year}-{month:02}-16 00:00")
            closes.append(market.bars(instrument, what, "1 day", begin, end, True)[0].close)
    middle = sorted(closes)[len(closes) // 2]
    widest = max(abs(log(close / middle)) for close in closes)
    assert 0.002 < widest < max(0.2, 0.9 * instrument.volatility), (middle, min(closes), max(closes))


def test_prices_the_guide_speaks_of(market: Market, kinds: Kinds) -> None:
    t = moment("2026-11-18 10:00")
    for name, low, high in (
        ("stock", 420, 640), ("forex", 1.12, 1.25), ("bitcoin", 15000, 33000), ("gold", 1650, 2150), ("hogs", 53, 80),
    ):  # fmt: skip
        assert low < market.quote(kinds[name], t).mid < high, name


# -- shocks ---------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    name=st.sampled_from(["stock", "call", "gold", "combo"]),
    offset=st.integers(0, 480),
    percent=st.floats(-30, 30),
    over=st.sampled_from([0.0, 2.0, 45.0, 300.0]),
)
def test_shocks_leave_the_past_alone(
    market: Market, catalogue: Catalogue, kinds: Kinds, name: str, offset: int, percent: float, over: float
) -> None:
    instrument = kinds[name]
    symbol = {"stock": "NFLX", "gold": "XAUUSD"}.get(name, "MSFT")
    at = moment("2026-11-18 11:00") + offset / 4
    shocked = Market(7, catalogue, [Shock(symbol, percent, at, over)])
    begin, end = at - 150, at + 400
    plain, moved = market.ticks(instrument, begin, end), shocked.ticks(instrument, begin, end)

    def past(ticks: list[Tick]) -> str:
        return str([t for t in ticks if t.time < at])

    assert past(plain) == past(moved)
    assert same(market.quote(instrument, at - 0.25), shocked.quote(instrument, at - 0.25))
    what = "TRADES" if instrument.prints is Prints.TRADES else "MIDPOINT"
    before = at - at % 60
    for size in ("1 secs", "1 min", "15 mins"):
        assert market.bars(instrument, what, size, before - 3000, before, True) == shocked.bars(
            instrument, what, size, before - 3000, before, True
        )
    if name in ("stock", "gold"):
        a, b = market.quote(instrument, at + over + 1).mid, shocked.quote(instrument, at + over + 1).mid
        assert b / a == pytest.approx(1 + percent / 100, abs=0.0005)
    # Bars over the shock still add up.
    large = shocked.bars(instrument, what, "5 mins", before - 300, end, True)
    small = shocked.bars(instrument, what, "1 secs", large[0].time, end, True) if large else []
    for bar, stop in zip(large, [b.time for b in large[1:]] + [end], strict=True):
        inside = [s for s in small if bar.time <= s.time < stop]
        assert (bar.open, bar.close) == (inside[0].open, inside[-1].close)
        assert (bar.high, bar.low) == (max(s.high for s in inside), min(s.low for s in inside))
        assert bar.count in (-1, sum(s.count for s in inside))


def test_a_shock_moves_all_that_hangs_on_the_symbol(market: Market, catalogue: Catalogue, kinds: Kinds) -> None:
    at = moment("2026-11-18 11:00:30")
    shocked = Market(7, catalogue)
    shocked.quote(kinds["index"], at)
    shocked.shock(Shock("SPX", -5.0, at))
    assert shocked.shocks == (Shock("SPX", -5.0, at),)
    t = at + 600
    for name in ("etf", "future"):
        assert shocked.quote(kinds[name], t).mid / market.quote(kinds[name], t).mid == pytest.approx(0.95, abs=1e-3)
    assert shocked.quote(kinds["stock"], t).mid < 0.96 * market.quote(kinds["stock"], t).mid  # by its beta of 1.2
    assert shocked.quote(kinds["vix"], t).last > 1.1 * market.quote(kinds["vix"], t).last
    assert same(shocked.quote(kinds["gold"], t), market.quote(kinds["gold"], t))


def test_a_currency_is_shocked_by_its_pair(market: Market, catalogue: Catalogue, kinds: Kinds) -> None:
    at = moment("2026-11-18 11:00")
    shocked = Market(7, catalogue, [Shock("USDJPY", 2.0, at), Shock("EURUSD", 1.0, at)])
    for name, factor in (("yen", 1.02), ("forex", 1.01)):
        assert shocked.quote(kinds[name], at + 60).mid / market.quote(kinds[name], at + 60).mid == pytest.approx(
            factor, abs=2e-4
        )


def test_shocks_that_cannot_be(catalogue: Catalogue) -> None:
    with pytest.raises(InvalidRequest, match="NOSUCH"):
        Market(1, catalogue, [Shock("NOSUCH", 1.0, 0.0)])
    with pytest.raises(InvalidRequest, match="-100"):
        Market(1, catalogue, [Shock("SPX", -100.0, 0.0)])


# -- combos ---------------------------------------------------------------------------------------------------------


def combo(catalogue: Catalogue, legs: list[tuple[Contract, int]]) -> Instrument:
    rows = []
    for contract, ratio in legs:
        (leg,) = catalogue.find(contract)
        rows.append(ComboLeg(conId=leg.con_id, ratio=abs(ratio), action="BUY" if ratio > 0 else "SELL"))
    (found,) = catalogue.find(Contract(secType="BAG", symbol="X", exchange="SMART", currency="USD", comboLegs=rows))
    return found


@pytest.mark.parametrize(
    "legs",
    [
        [(Future("ES", "202703", "CME"), 1), (Future("ES", "202612", "CME"), -1)],
        [(Stock("NFLX", "SMART", "USD"), 1), (Stock("SPY", "SMART", "USD"), -2)],
        [(Option("MSFT", "20261218", 215, "C", "SMART"), -1), (Stock("MSFT", "SMART", "USD"), 100)],
    ],
)
def test_a_combo_costs_what_its_legs_cost(
    market: Market, catalogue: Catalogue, legs: list[tuple[Contract, int]]
) -> None:
    found = combo(catalogue, legs)
    for t in (moment("2026-11-18 10:00:07"), moment("2026-11-18 15:59:59"), moment("2026-11-17 18:30")):
        quote = market.quote(found, t)
        bid = ask = 0.0
        for leg, ratio in found.legs:
            one = market.quote(leg, min(t, quote.time))
            bid += ratio * (one.bid if ratio > 0 else one.ask)
            ask += ratio * (one.ask if ratio > 0 else one.bid)
        assert (quote.bid, quote.ask) == (pytest.approx(bid), pytest.approx(ask))
        assert found.is_valid_price(quote.bid)


def test_a_leg_that_is_closed_keeps_its_last_quote(market: Market, catalogue: Catalogue) -> None:
    found = combo(catalogue, [(Stock("MSFT", "SMART", "USD"), 1), (Option("MSFT", "20261218", 215, "C", "SMART"), -1)])
    evening = moment("2026-11-18 18:00")  # the share trades, the option does not
    stock, option = (market.quote(leg, evening) for leg, _ in found.legs)
    assert market.quote(found, evening).bid == pytest.approx(stock.bid - option.ask)
    bars = market.bars(found, "MIDPOINT", "1 min", evening, evening + 300, False)
    assert len(bars) == 5


# -- histogram ------------------------------------------------------------------------------------------------------


def test_histogram_counts_what_was_traded(market: Market, kinds: Kinds) -> None:
    t0, t1 = moment("2026-11-18 10:00"), moment("2026-11-18 10:20:30")
    found = market.histogram(kinds["stock"], t0, t1, True)
    trades = [tick for tick in market.ticks(kinds["stock"], t0, t1) if tick.kind == "trade"]
    expected: dict[float, float] = {}
    for trade in trades:
        expected[trade.price] = expected.get(trade.price, 0.0) + trade.size
    assert {row.price: row.count for row in found} == expected
    assert [row.price for row in found] == sorted(expected)
    assert market.histogram(kinds["forex"], t0, t1, True) == []
