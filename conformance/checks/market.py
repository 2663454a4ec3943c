"""Quotes, ticks, depth, bars: in order, and in agreement with one another."""

from __future__ import annotations

from itertools import pairwise

from conformance.capabilities import INSTRUMENTS
from conformance.checks.base import World, check, for_each, near
from conformance.drivers.api import Bar, Tick

# What a kind is quoted with, and its bars: an index is no quote, a fund has a price a day.
QUOTED = {"index": "last", "fund": "close"}
SHOWN = {"bond": "MIDPOINT", "forex": "MIDPOINT", "cfd": "MIDPOINT", "commodity": "MIDPOINT", "crypto": "MIDPOINT"}


@for_each("quotes", INSTRUMENTS)
def quotes(world: World, kind: str) -> str:
    quote = world.api.quote(world.fields(kind), want=QUOTED.get(kind, "bid ask bidSize askSize"))
    if kind in QUOTED:
        value = getattr(quote, QUOTED[kind])
        assert value > 0, quote
        return f"{QUOTED[kind]} {value:g}"
    assert quote.bid < quote.ask, quote
    assert quote.bidSize > 0, quote
    assert quote.askSize > 0, quote
    if kind != "combo":
        assert quote.bid > 0, quote
        assert quote.ask < quote.bid * 1.5, quote
    if quote.high == quote.high and quote.low == quote.low:
        assert quote.low <= quote.high, quote
        if quote.last == quote.last:
            assert quote.low <= quote.last <= quote.high, quote
    return f"{quote.bid:g} to {quote.ask:g}"


@check("rerouted quotes")
def rerouted(world: World) -> str:
    con_id, exchange = world.api.rerouted({**INSTRUMENTS["stock"], "secType": "CFD"})
    assert con_id == world.details("stock").contract.conId, con_id
    quote = world.api.quote({"conId": con_id, "exchange": exchange})
    return f"to {con_id} at {exchange}: {quote.bid:g} to {quote.ask:g}"


@check("generic ticks")
def generic(world: World) -> str:
    quote = world.api.quote(world.fields("stock"), "165,233,236,258,318", "bid ask last volume")
    assert len(quote.extra) >= 5, quote.extra
    return ", ".join(sorted(quote.extra, key=lambda name: (len(name), name)))


@check("snapshot")
def snapshot(world: World) -> str:
    quote = world.api.snapshot(world.fields("stock"))
    assert 0 < quote.bid < quote.ask, quote
    return f"{quote.bid:g} to {quote.ask:g}"


@check("regulatory snapshot")
def regulatory(world: World) -> str:
    quote = world.api.snapshot(world.fields("stock"), regulatory=True)
    assert 0 < quote.bid < quote.ask, quote
    return f"{quote.bid:g} to {quote.ask:g}"


@check("frozen and delayed data")
def data_types(world: World) -> str:
    found = []
    for kind in (2, 3, 4, 1):
        world.api.data_type(kind)
        quote = world.api.quote(world.fields("stock"))
        assert 0 < quote.bid < quote.ask, quote
        found.append(str(quote.dataType))
    assert found[-1] == "1", found
    return f"asked for 2, 3, 4, 1; got {', '.join(found)}"


def book(rows: tuple[list[Tick], list[Tick]]) -> str:
    bids, asks = rows
    assert [tick.price for tick in bids] == sorted((tick.price for tick in bids), reverse=True), bids
    assert [tick.price for tick in asks] == sorted(tick.price for tick in asks), asks
    assert bids[0].price < asks[0].price, rows
    assert all(tick.size > 0 for tick in bids + asks), rows
    return f"{bids[0].price:g} to {asks[0].price:g}, {len(bids)} rows"


@check("depth")
def depth(world: World) -> str:
    return book(world.api.depth({**INSTRUMENTS["stock"], "exchange": "NASDAQ"}, 5, False))


@check("smart depth")
def smart_depth(world: World) -> str:
    return book(world.api.depth(world.fields("stock"), 5, True))


def in_order(ticks: list[Tick]) -> list[Tick]:
    assert len(ticks) >= 3, ticks
    times = [tick.time for tick in ticks]
    assert times == sorted(times), times
    return ticks


@check("tick-by-tick: last")
def last(world: World) -> str:
    ticks = in_order(world.api.tick_by_tick(world.fields("stock"), "Last", 0))
    assert all(tick.price > 0 and tick.size > 0 for tick in ticks), ticks
    return f"{len(ticks)} ticks"


@check("tick-by-tick: all last")
def all_last(world: World) -> str:
    ticks = in_order(world.api.tick_by_tick(world.fields("stock"), "AllLast", 0))
    assert all(tick.price > 0 and tick.size > 0 for tick in ticks), ticks
    return f"{len(ticks)} ticks"


@check("tick-by-tick: bid ask")
def bid_ask(world: World) -> str:
    ticks = in_order(world.api.tick_by_tick(world.fields("stock"), "BidAsk", 0))
    assert all(0 < tick.bid < tick.ask for tick in ticks), ticks
    return f"{len(ticks)} ticks"


@check("tick-by-tick: midpoint")
def midpoint(world: World) -> str:
    ticks = in_order(world.api.tick_by_tick(world.fields("forex"), "MidPoint", 0))
    assert all(tick.price > 0 for tick in ticks), ticks
    return f"{len(ticks)} ticks"


# -- bars -----------------------------------------------------------------------------------------------------------


def sound(bars: list[Bar]) -> list[Bar]:
    """See that bars are in order and each is possible."""
    assert bars, "no bars"
    times = [bar.time for bar in bars]
    assert times == sorted(set(times)), times
    for bar in bars:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high, bar
    return bars


@for_each("bars", INSTRUMENTS)
def bars(world: World, kind: str) -> str:
    world.api.expect(162, 321)
    if kind == "combo":
        what, size, duration = "MIDPOINT", "1 hour", "1 D"
    else:
        what, size, duration = SHOWN.get(kind, "TRADES"), "1 hour", "2 D"
    if kind == "fund":
        size, duration = "1 day", "1 W"
    rows = sound(world.api.bars(world.fields(kind), duration, size, what))
    if kind not in ("fund", "combo"):
        quote = world.api.quote(world.fields(kind), want=QUOTED.get(kind, "bid ask"))
        value = quote.last if kind == "index" else (quote.bid + quote.ask) / 2
        assert near(rows[-1].close, value, 0.15 if "option" in kind else 0.03), (rows[-1], value)
    return f"{len(rows)} bars, the last closed at {rows[-1].close:g}"


@check("bars of every size")
def sizes(world: World) -> str:
    found = []
    for size, duration in (
        ("1 secs", "60 S"), ("5 secs", "300 S"), ("10 secs", "300 S"), ("15 secs", "600 S"), ("30 secs", "1800 S"),
        ("1 min", "1800 S"), ("2 mins", "3600 S"), ("3 mins", "3600 S"), ("5 mins", "7200 S"), ("10 mins", "1 D"),
        ("15 mins", "1 D"), ("20 mins", "1 D"), ("30 mins", "2 D"), ("1 hour", "2 D"), ("2 hours", "1 W"),
        ("3 hours", "1 W"), ("4 hours", "1 W"), ("8 hours", "1 W"), ("1 day", "1 M"), ("1 week", "3 M"),
        ("1 month", "1 Y"),
    ):  # fmt: skip
        rows = sound(world.api.bars(world.fields("stock"), duration, size, "TRADES", rth=False))
        found.append(f"{size}: {len(rows)}")
    return ", ".join(found)


@check("bars of every kind")
def kinds(world: World) -> str:
    api, stock = world.api, world.fields("stock")
    end = "20240109-21:00:00"  # the market goes on between two requests
    shown = {
        what: sound(api.bars(stock, "2 D", "1 hour", what, end=end)) for what in ("TRADES", "MIDPOINT", "BID", "ASK")
    }
    for bid, ask in zip(shown["BID"], shown["ASK"], strict=True):
        assert bid.close < ask.close, (bid, ask)
    spread = api.bars(stock, "2 D", "1 hour", "BID_ASK")
    assert all(bar.open <= bar.close for bar in spread), spread  # averages of bid and ask
    adjusted = sound(api.bars(stock, "1 W", "1 day", "ADJUSTED_LAST"))
    vols = [api.bars(stock, "1 W", "1 day", what) for what in ("HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY")]
    assert all(0 < bar.close < 5 for rows in vols for bar in rows), vols
    return f"{len(shown['TRADES'])} hours of TRADES, MIDPOINT, BID, ASK; {len(adjusted)} days of the others"


@check("bars aggregate")
def aggregate(world: World) -> str:
    stock, end = world.fields("stock"), "20240109-21:00:00"
    fine = sound(world.api.bars(stock, "1 D", "5 mins", "TRADES", end=end))
    coarse = sound(world.api.bars(stock, "1 D", "1 hour", "TRADES", end=end))
    day = sound(world.api.bars(stock, "1 D", "1 day", "TRADES", end=end))[-1]
    for rows in (fine, coarse):
        assert rows[0].open == day.open, (rows[0], day)
        assert rows[-1].close == day.close, (rows[-1], day)
        assert max(bar.high for bar in rows) == day.high, day
        assert min(bar.low for bar in rows) == day.low, day
        assert near(sum(bar.volume for bar in rows), day.volume, 1e-6), (sum(bar.volume for bar in rows), day)
    return f"{len(fine)} bars of 5 minutes make {len(coarse)} of an hour and one day"


@check("bars kept up to date")
def live(world: World) -> str:
    past, news = world.api.live_bars(world.fields("stock"), "5 secs", "TRADES")
    sound(past)
    assert news[0].time >= past[-1].time, (past[-1], news[0])
    assert [bar.time for bar in news] == sorted(bar.time for bar in news), news
    return f"{len(past)} bars and {len(news)} updates"


@check("real-time bars")
def real_time(world: World) -> str:
    found = []
    for what in ("TRADES", "MIDPOINT", "BID", "ASK"):
        rows = sound(world.api.real_time_bars(world.fields("stock"), what, 3))
        assert all(b.time - a.time == 5 for a, b in pairwise(rows)), rows
        found.append(f"{what}: {len(rows)}")
    return ", ".join(found)


def past_ticks(world: World, what: str) -> list[Tick]:
    stock = world.fields("stock")
    before = in_order(world.api.past_ticks(stock, "", "20240109-18:00:00", 50, what))
    after = in_order(world.api.past_ticks(stock, "20240109-18:00:00", "", 50, what))
    assert len(before) >= 50, len(before)
    assert len(after) >= 50, len(after)
    assert before[-1].time <= 1_704_823_200 <= after[0].time, (before[-1], after[0])
    return before + after


@check("historical ticks: last")
def past_last(world: World) -> str:
    ticks = past_ticks(world, "TRADES")
    assert all(tick.price > 0 and tick.size > 0 for tick in ticks), ticks
    return f"{len(ticks)} ticks"


@check("historical ticks: bid ask")
def past_bid_ask(world: World) -> str:
    ticks = past_ticks(world, "BID_ASK")
    assert all(0 < tick.bid < tick.ask for tick in ticks), ticks
    return f"{len(ticks)} ticks"


@check("historical ticks: midpoint")
def past_midpoint(world: World) -> str:
    ticks = past_ticks(world, "MIDPOINT")
    assert all(tick.price > 0 for tick in ticks), ticks
    return f"{len(ticks)} ticks"


@check("head timestamp")
def head(world: World) -> str:
    found = {
        kind: world.api.head(world.fields(kind), SHOWN.get(kind, "TRADES")) for kind in ("stock", "forex", "index")
    }
    assert all("19" < text[:2] < "21" and len(text) >= 8 for text in found.values()), found
    return ", ".join(found.values())


@check("histogram")
def histogram(world: World) -> str:
    rows = world.api.histogram(world.fields("stock"), "3 days")
    prices = [price for price, _ in rows]
    assert prices == sorted(set(prices)), prices
    assert all(size > 0 for _, size in rows), rows
    return f"{len(rows)} prices"


@check("trading schedule")
def schedule(world: World) -> str:
    rows = world.api.schedule(world.fields("stock"), 5)
    assert len(rows) == 5, rows
    days = [row.day for row in rows]
    assert days == sorted(set(days)), days
    assert all(row.start < row.end and row.start[:8] == row.day for row in rows), rows
    return ", ".join(days)


# -- options --------------------------------------------------------------------------------------------------------


@check("greeks")
def greeks(world: World) -> str:
    found = world.api.greeks(world.fields("option"))
    assert 0 < found.delta < 1, found
    assert 0 < found.impliedVol < 5, found
    assert found.gamma > 0 > found.theta, found
    assert found.vega > 0, found
    quote = world.api.quote(world.fields("option"))
    assert quote.bid * 0.8 <= found.price <= quote.ask * 1.2, (found, quote)
    assert near(found.undPrice, world.spot(), 0.03), found
    return f"delta {found.delta:.3f}, volatility {found.impliedVol:.3f}"


@check("implied volatility and price")
def implied(world: World) -> str:
    option, spot = world.fields("option"), world.spot()
    for vol in (0.15, 0.3, 0.6):
        price = world.api.option_price(option, vol, spot).price
        back = world.api.implied_vol(option, price, spot).impliedVol
        assert near(back, vol, 0.01), (vol, price, back)
    return f"0.6 is worth {price:.2f}, which is {back:.4f}"
