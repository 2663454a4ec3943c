"""Ticks: what each one does to its ticker.

A quote tick whose price and size are what the ticker has already tells nothing and is left out; the
``prev`` fields hold the value before the last change. A tick type nobody knows is counted and still listed
among the ticker's ticks. Numbers are kept as TWS sends them (-1: there is no quote), unless
``IBDefaults`` names other values for "empty".

Must not know who asked for the data; ``engine.market`` does.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from ibkit import dates
from ibkit.engine import ticktypes
from ibkit.engine.market import Feed, TickByTick
from ibkit.model import (
    Dividends,
    EfpData,
    FundamentalRatios,
    TickAttrib,
    TickAttribBidAsk,
    TickAttribLast,
    TickByTickAllLast,
    TickByTickBidAsk,
    TickByTickMidPoint,
    TickData,
    Ticker,
)
from ibkit.model.values import UNSET_DOUBLE, nan
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

# Shared by all ticks: there are only so many combinations of flags.
PRICE_ATTRIBS = tuple(TickAttrib(bool(mask & 1), bool(mask & 2), bool(mask & 4)) for mask in range(8))
LAST_ATTRIBS = {(a, b): TickAttribLast(a, b) for a in (False, True) for b in (False, True)}
BID_ASK_ATTRIBS = {(a, b): TickAttribBidAsk(a, b) for a in (False, True) for b in (False, True)}


def _feed(engine: Engine, req_id: int) -> Feed | None:
    market = engine.state.market
    feed = market.feeds.get(req_id)
    if feed is None:
        market.stray_ticks += 1
    return feed


def tick_price(engine: Engine, msg: m.TickPrice) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    _, tick_type, price, size, mask = msg
    if price == UNSET_DOUBLE or price != price:
        return  # nothing but the size, which comes as a tick of its own
    ticker = feed.ticker
    market = engine.state.market
    quote = ticktypes.QUOTE_PRICES.get(tick_type)
    if quote is not None:
        if price == -1 and size == 0:
            price, size = _empty(engine)
        if not _set_quote(ticker, quote, price, size) and quote is not ticktypes.LAST:
            return
        setattr(ticker, quote.attrib, PRICE_ATTRIBS[mask & 7])
    elif name := ticktypes.PRICES.get(tick_type):
        setattr(ticker, name, price)
    else:
        market.unknown(tick_type)
    if price or size:
        feed.ticks.append(TickData(engine.batch_time, tick_type, price, size))
    market.touch(feed)


def _empty(engine: Engine) -> tuple[float, float]:
    """Return what stands for the price and size of an empty quote."""
    defaults = engine.settings.defaults
    # What users may put there (None, say) is theirs to handle.
    return cast("tuple[float, float]", (defaults.emptyPrice, defaults.emptySize))


def _set_quote(ticker: Ticker, quote: ticktypes.Quote, price: float, size: float) -> bool:
    """Set one side of the quote; tell whether anything changed. A size that is not told (NaN) stays."""
    changed = False
    old = getattr(ticker, quote.price)
    if price != old:
        setattr(ticker, quote.prev_price, old)
        setattr(ticker, quote.price, price)
        changed = True
    old = getattr(ticker, quote.size)
    if size != old and size == size:
        setattr(ticker, quote.prev_size, old)
        setattr(ticker, quote.size, size)
        changed = True
    return changed


def tick_size(engine: Engine, msg: m.TickSize) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    _, tick_type, size = msg
    if size != size:
        return
    ticker = feed.ticker
    market = engine.state.market
    price = -1.0
    quote = ticktypes.QUOTE_SIZES.get(tick_type)
    if quote is not None:
        price = getattr(ticker, quote.price)
        old = getattr(ticker, quote.size)
        if quote is ticktypes.LAST:
            if ticker.isUnset(price):
                return  # a size without a trade
        elif size == old:
            return
        if size != old:
            setattr(ticker, quote.prev_size, old)
            setattr(ticker, quote.size, size)
    elif name := ticktypes.SIZES.get(tick_type):
        setattr(ticker, name, size)
    else:
        market.unknown(tick_type)
    if price or size:
        feed.ticks.append(TickData(engine.batch_time, tick_type, price, size))
    market.touch(feed)


def tick_generic(engine: Engine, msg: m.TickGeneric) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    market = engine.state.market
    if name := ticktypes.GENERICS.get(msg.tickType):
        setattr(feed.ticker, name, msg.value)
    else:
        market.unknown(msg.tickType)
    feed.ticks.append(TickData(engine.batch_time, msg.tickType, msg.value, 0.0))
    market.touch(feed)


def tick_string(engine: Engine, msg: m.TickString) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    _, tick_type, value = msg
    ticker = feed.ticker
    market = engine.state.market
    try:
        if name := ticktypes.TEXTS.get(tick_type):
            setattr(ticker, name, value)
        elif tick_type in ticktypes.TRADES:
            _trade(engine, feed, tick_type, value)
        elif name := ticktypes.TIMES.get(tick_type):
            if value and int(value):  # '0': there was no trade yet
                setattr(ticker, name, datetime.fromtimestamp(int(value), engine.settings.defaults.timezone))
        elif tick_type == ticktypes.FUNDAMENTAL_RATIOS:
            ticker.fundamentalRatios = _ratios(value)
        elif tick_type == ticktypes.DIVIDENDS:
            ticker.dividends = _dividends(value)
        elif tick_type != ticktypes.OLD_NEWS:
            market.unknown(tick_type)
    except (OverflowError, OSError) as error:  # a number that is no time
        raise ValueError(f"{value!r} as the value of tick type {tick_type}") from error
    market.touch(feed)


def _trade(engine: Engine, feed: Feed, tick_type: int, text: str) -> None:
    """Apply 'price;size;epoch ms;total volume;VWAP;single'; each part may be empty."""
    ticker = feed.ticker
    price_text, size_text, ms, volume, vwap, *_ = (*text.split(";"), "", "", "", "", "")
    price, size = float(price_text or 0), float(size_text or 0)
    if volume:
        setattr(ticker, ticktypes.TRADES[tick_type], float(volume))
    if vwap:
        ticker.vwap = float(vwap)
    if ms:
        ticker.rtTime = datetime.fromtimestamp(int(ms) / 1000, engine.settings.defaults.timezone)
    if price and size:
        _set_quote(ticker, ticktypes.LAST, price, size)
        feed.ticks.append(TickData(engine.batch_time, tick_type, price, size))


def _ratios(text: str) -> FundamentalRatios:
    """Parse 'TAG=value;...'; -99999.99 stands for "not known"."""
    values: dict[str, object] = {}
    for pair in text.split(";"):
        tag, equals, value = pair.partition("=")
        if not equals:
            continue
        try:
            number = float(value)
        except ValueError:  # some are texts, such as a currency
            values[tag] = value
        else:
            values[tag] = nan if number == -99999.99 else number
    return FundamentalRatios(**values)


def _dividends(text: str) -> Dividends:
    """Parse 'past 12 months,next 12 months,next date,next amount'; each part may be empty."""
    past, coming, day, amount, *_ = (*text.split(","), "", "", "", "")
    return Dividends(
        float(past) if past else None,
        float(coming) if coming else None,
        dates.parse_date(day) if day else None,
        float(amount) if amount else None,
    )


def tick_efp(engine: Engine, msg: m.TickEfp) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    if name := ticktypes.EFPS.get(msg.tickType):
        setattr(feed.ticker, name, EfpData(*msg[2:]))
    else:
        engine.state.market.unknown(msg.tickType)
    engine.state.market.touch(feed)


# -- tick by tick --------------------------------------------------------------------------------------------


def tick_by_tick(engine: Engine, msg: m.TickByTick) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is not None:
        add_tick_by_tick(engine, feed, msg.tickType, msg.tick)


def add_tick_by_tick(
    engine: Engine, feed: Feed, tick_type: int, row: m.TickLastRow | m.TickBidAskRow | m.TickRow
) -> None:
    """Add a tick of a tick-by-tick stream; its time is the exchange's, to the second."""
    ticker = feed.ticker
    time = datetime.fromtimestamp(row.time, engine.settings.defaults.timezone)
    tick: TickByTick
    if isinstance(row, m.TickLastRow):
        attrib = LAST_ATTRIBS[row.pastLimit, row.unreported]
        tick = TickByTickAllLast(tick_type, time, row.price, row.size, attrib, row.exchange, row.specialConditions)
        _set_quote(ticker, ticktypes.LAST, row.price, row.size)
    elif isinstance(row, m.TickBidAskRow):
        flags = BID_ASK_ATTRIBS[row.bidPastLow, row.askPastHigh]
        tick = TickByTickBidAsk(time, row.priceBid, row.priceAsk, row.sizeBid, row.sizeAsk, flags)
        _set_quote(ticker, ticktypes.BID, row.priceBid, row.sizeBid)
        _set_quote(ticker, ticktypes.ASK, row.priceAsk, row.sizeAsk)
    else:
        tick = TickByTickMidPoint(time, row.price)
    feed.tick_by_ticks.append(tick)
    engine.state.market.touch(feed)


REDUCERS: Reducers = {
    m.TickPrice: tick_price,
    m.TickSize: tick_size,
    m.TickGeneric: tick_generic,
    m.TickString: tick_string,
    m.TickEfp: tick_efp,
    m.TickByTick: tick_by_tick,
}
