"""What each tick does to its ticker: a function for each tick type, made from the tables of ``ticktypes``.

**Receivers** apply one tick to the feed it is for. Ticks in their usual form go straight from the buffer to them
(``ibkit.wire.compiler.stream``), others by way of a message and the reducers of ``engine.ticks``, which see to what
is unusual. Receivers tell nobody: listeners hear at the end of the batch.

A quote tick whose price and size are what the ticker has already tells nothing and is left out; the ``prev`` fields
hold the value before the last change. Numbers are kept as TWS sends them (-1: there is no quote), unless
``IBDefaults`` names other values for "empty".

Must not know who asked for the data; ``engine.market`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias, cast

from ibkit import dates
from ibkit.engine import ticktypes
from ibkit.engine.market import Feed
from ibkit.model import (
    Dividends,
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
from ibkit.model.values import nan

# Shared by all ticks: there are only so many combinations of flags.
_ATTRIBS = [TickAttrib(bool(mask & 1), bool(mask & 2), bool(mask & 4)) for mask in range(8)]
PRICE_ATTRIBS = (*_ATTRIBS * 32,)  # bits that mean nothing yet change nothing
LAST_ATTRIBS = {(a, b): TickAttribLast(a, b) for a in (False, True) for b in (False, True)}
BID_ASK_ATTRIBS = {(a, b): TickAttribBidAsk(a, b) for a in (False, True) for b in (False, True)}
ORDINARY_TRADE, ORDINARY_QUOTE = LAST_ATTRIBS[False, False], BID_ASK_ATTRIBS[False, False]

_new = tuple.__new__  # making a NamedTuple through its class takes twice as long

Priced: TypeAlias = Callable[[Feed, float, float, int], None]
"""Applies a price with its size and its mask of flags, less than 256."""
Sized: TypeAlias = Callable[[Feed, float], None]
"""Applies a size, or a number of another meaning."""
Told: TypeAlias = Callable[[Feed, str], None]
"""Applies a text."""


def _empty(ticker: Ticker) -> tuple[float, float]:
    """Return what stands for the price and size of an empty quote."""
    defaults = ticker.defaults
    # What users may put there (None, say) is theirs to handle.
    return cast("tuple[float, float]", (defaults.emptyPrice, defaults.emptySize))


# -- quotes --------------------------------------------------------------------------------------------------

# One function for each side, with the names of its fields in it: these are the most frequent messages of all, and
# finding a field by a name that is known only when it runs takes four times as long.


def set_last(ticker: Ticker, price: float, size: float) -> None:
    """Set the last trade."""
    if price != (old := ticker.last):
        ticker.prevLast = old
        ticker.last = price
    if size != (old := ticker.lastSize):
        ticker.prevLastSize = old
        ticker.lastSize = size


def bid_price(tick_type: int) -> Priced:
    """Make the receiver of a bid."""

    def receive(feed: Feed, price: float, size: float, mask: int) -> None:
        ticker = feed.ticker
        if price == -1.0 and size == 0:
            price, size = _empty(ticker)
        if price != (old := ticker.bid):
            ticker.prevBid = old
            ticker.bid = price
            if size != (old := ticker.bidSize):
                ticker.prevBidSize = old
                ticker.bidSize = size
        elif size != (old := ticker.bidSize):
            ticker.prevBidSize = old
            ticker.bidSize = size
        else:
            return
        ticker.bidAttrib = PRICE_ATTRIBS[mask]
        if price or size:
            feed.ticks.append(_new(TickData, (feed.market.time, tick_type, price, size)))
        if not feed.changed:
            feed.touch()

    return receive


def ask_price(tick_type: int) -> Priced:
    """Make the receiver of an ask."""

    def receive(feed: Feed, price: float, size: float, mask: int) -> None:
        ticker = feed.ticker
        if price == -1.0 and size == 0:
            price, size = _empty(ticker)
        if price != (old := ticker.ask):
            ticker.prevAsk = old
            ticker.ask = price
            if size != (old := ticker.askSize):
                ticker.prevAskSize = old
                ticker.askSize = size
        elif size != (old := ticker.askSize):
            ticker.prevAskSize = old
            ticker.askSize = size
        else:
            return
        ticker.askAttrib = PRICE_ATTRIBS[mask]
        if price or size:
            feed.ticks.append(_new(TickData, (feed.market.time, tick_type, price, size)))
        if not feed.changed:
            feed.touch()

    return receive


def last_price(tick_type: int) -> Priced:
    """Make the receiver of a trade, which is one even if its price and size are those of the one before."""

    def receive(feed: Feed, price: float, size: float, mask: int) -> None:
        ticker = feed.ticker
        if price == -1.0 and size == 0:
            price, size = _empty(ticker)
        set_last(ticker, price, size)
        ticker.lastAttrib = PRICE_ATTRIBS[mask]
        if price or size:
            feed.ticks.append(_new(TickData, (feed.market.time, tick_type, price, size)))
        if not feed.changed:
            feed.touch()

    return receive


def bid_size(tick_type: int) -> Sized:
    """Make the receiver of the size of a bid."""

    def receive(feed: Feed, size: float) -> None:
        ticker = feed.ticker
        if size != (old := ticker.bidSize):
            ticker.prevBidSize = old
            ticker.bidSize = size
            price = ticker.bid
            if price or size:
                feed.ticks.append(_new(TickData, (feed.market.time, tick_type, price, size)))
            if not feed.changed:
                feed.touch()

    return receive


def ask_size(tick_type: int) -> Sized:
    """Make the receiver of the size of an ask."""

    def receive(feed: Feed, size: float) -> None:
        ticker = feed.ticker
        if size != (old := ticker.askSize):
            ticker.prevAskSize = old
            ticker.askSize = size
            price = ticker.ask
            if price or size:
                feed.ticks.append(_new(TickData, (feed.market.time, tick_type, price, size)))
            if not feed.changed:
                feed.touch()

    return receive


def last_size(tick_type: int) -> Sized:
    """Make the receiver of the size of a trade; before there was one it means nothing."""

    def receive(feed: Feed, size: float) -> None:
        ticker = feed.ticker
        if not ticker.isUnset(ticker.last):
            if size != (old := ticker.lastSize):
                ticker.prevLastSize, ticker.lastSize = old, size
            feed.add(tick_type, ticker.last, size)

    return receive


# -- everything else that is one number or text --------------------------------------------------------------


def price_field(tick_type: int, name: str) -> Priced:
    """Make the receiver of a price that is kept in one field."""

    def receive(feed: Feed, price: float, size: float, mask: int) -> None:
        setattr(feed.ticker, name, price)
        feed.add(tick_type, price, size)

    return receive


def size_field(tick_type: int, name: str) -> Sized:
    """Make the receiver of a size that is kept in one field."""

    def receive(feed: Feed, size: float) -> None:
        setattr(feed.ticker, name, size)
        feed.ticks.append(_new(TickData, (feed.market.time, tick_type, -1.0, size)))
        if not feed.changed:
            feed.touch()

    return receive


def number_field(tick_type: int, name: str) -> Sized:
    """Make the receiver of a number that is kept in one field; it is listed even if it is 0."""

    def receive(feed: Feed, value: float) -> None:
        setattr(feed.ticker, name, value)
        feed.ticks.append(TickData(feed.market.time, tick_type, value, 0.0))
        if not feed.changed:
            feed.touch()

    return receive


def text_field(name: str) -> Told:
    """Make the receiver of a text that is kept in one field."""

    def receive(feed: Feed, text: str) -> None:
        setattr(feed.ticker, name, text)
        if not feed.changed:
            feed.touch()

    return receive


def time_field(name: str) -> Told:
    """Make the receiver of epoch seconds; 0 means that there was no trade yet."""

    def receive(feed: Feed, text: str) -> None:
        if text and int(text):
            setattr(feed.ticker, name, datetime.fromtimestamp(int(text), feed.ticker.defaults.timezone))
        feed.touch()

    return receive


def trade_details(tick_type: int, name: str) -> Told:
    """Make the receiver of 'price;size;epoch ms;total volume;VWAP;single'; each part may be empty."""

    def receive(feed: Feed, text: str) -> None:
        ticker = feed.ticker
        price_text, size_text, ms, volume, vwap, *_ = (*text.split(";"), "", "", "", "", "")
        price, size = float(price_text or 0), float(size_text or 0)
        if volume:
            setattr(ticker, name, float(volume))
        if vwap:
            ticker.vwap = float(vwap)
        if ms:
            ticker.rtTime = datetime.fromtimestamp(int(ms) / 1000, ticker.defaults.timezone)
        if price and size:
            set_last(ticker, price, size)
            feed.ticks.append(TickData(feed.market.time, tick_type, price, size))
        feed.touch()

    return receive


def fundamental_ratios(feed: Feed, text: str) -> None:
    feed.ticker.fundamentalRatios = _ratios(text)
    feed.touch()


def dividends(feed: Feed, text: str) -> None:
    feed.ticker.dividends = _dividends(text)
    feed.touch()


def nothing(feed: Feed, text: str) -> None:
    """Take a text whose content comes in another way."""
    feed.touch()


_PRICES = {ticktypes.BID: bid_price, ticktypes.ASK: ask_price, ticktypes.LAST: last_price}
_SIZES = {ticktypes.BID: bid_size, ticktypes.ASK: ask_size, ticktypes.LAST: last_size}

PRICES: dict[int, Priced] = {
    **{tick_type: _PRICES[quote](tick_type) for tick_type, quote in ticktypes.QUOTE_PRICES.items()},
    **{tick_type: price_field(tick_type, name) for tick_type, name in ticktypes.PRICES.items()},
}
SIZES: dict[int, Sized] = {
    **{tick_type: _SIZES[quote](tick_type) for tick_type, quote in ticktypes.QUOTE_SIZES.items()},
    **{tick_type: size_field(tick_type, name) for tick_type, name in ticktypes.SIZES.items()},
}
GENERICS: dict[int, Sized] = {
    tick_type: number_field(tick_type, name) for tick_type, name in ticktypes.GENERICS.items()
}
TEXTS: dict[int, Told] = {
    **{tick_type: text_field(name) for tick_type, name in ticktypes.TEXTS.items()},
    **{tick_type: time_field(name) for tick_type, name in ticktypes.TIMES.items()},
    **{tick_type: trade_details(tick_type, name) for tick_type, name in ticktypes.TRADES.items()},
    ticktypes.FUNDAMENTAL_RATIOS: fundamental_ratios,
    ticktypes.DIVIDENDS: dividends,
    ticktypes.OLD_NEWS: nothing,
}


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


# -- tick by tick --------------------------------------------------------------------------------------------


def trade_tick(tick_type: int) -> Callable[[Feed, int, float, float, bool, bool, str, str], None]:
    """Make the receiver of the ticks of a stream of trades; their time is the exchange's, to the second."""

    def receive(
        feed: Feed, time: int, price: float, size: float, past: bool, unreported: bool, exchange: str, conditions: str
    ) -> None:
        ticker = feed.ticker
        attrib = LAST_ATTRIBS[past, unreported] if past or unreported else ORDINARY_TRADE
        moment = feed.market.moments[time]
        tick = _new(TickByTickAllLast, (tick_type, moment, price, size, attrib, exchange, conditions))
        if price != (old := ticker.last):
            ticker.prevLast = old
            ticker.last = price
        if size != (old := ticker.lastSize) and size == size:
            ticker.prevLastSize = old
            ticker.lastSize = size
        feed.tick_by_ticks.append(tick)
        if not feed.changed:
            feed.touch()

    return receive


def quote_tick(
    feed: Feed, time: int, bid: float, ask: float, bid_size: float, ask_size: float, past_low: bool, past_high: bool
) -> None:
    """Receive a tick of a stream of quotes."""
    ticker = feed.ticker
    attrib = BID_ASK_ATTRIBS[past_low, past_high] if past_low or past_high else ORDINARY_QUOTE
    tick = _new(TickByTickBidAsk, (feed.market.moments[time], bid, ask, bid_size, ask_size, attrib))
    if bid != (old := ticker.bid):
        ticker.prevBid = old
        ticker.bid = bid
    if bid_size != (old := ticker.bidSize) and bid_size == bid_size:
        ticker.prevBidSize = old
        ticker.bidSize = bid_size
    if ask != (old := ticker.ask):
        ticker.prevAsk = old
        ticker.ask = ask
    if ask_size != (old := ticker.askSize) and ask_size == ask_size:
        ticker.prevAskSize = old
        ticker.askSize = ask_size
    feed.tick_by_ticks.append(tick)
    if not feed.changed:
        feed.touch()


def midpoint_tick(feed: Feed, time: int, price: float, size: float) -> None:
    """Receive a tick of a stream of midpoints."""
    feed.tick_by_ticks.append(TickByTickMidPoint(feed.market.moments[time], price))
    if not feed.changed:
        feed.touch()


TRADE_TICKS = {tick_type: trade_tick(tick_type) for tick_type in (0, 1, 2)}  # 0: past ticks of an unknown stream
TICK_BY_TICKS: dict[int, Callable[..., None]] = {
    1: TRADE_TICKS[1],
    2: TRADE_TICKS[2],
    3: quote_tick,
    4: midpoint_tick,
}
