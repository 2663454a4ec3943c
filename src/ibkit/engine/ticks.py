"""Ticks as messages: which receiver applies each one, and what is unusual about it.

A tick type nobody knows is counted and still listed among the ticker's ticks. What ticks do to tickers is in
``engine.receivers``. Must not know who asked for the data; ``engine.market`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkit.engine import ticktypes
from ibkit.engine.market import Feed
from ibkit.engine.receivers import BID_ASK_ATTRIBS as BID_ASK_ATTRIBS  # for past ticks, too
from ibkit.engine.receivers import (
    GENERICS,
    PRICES,
    SIZES,
    TEXTS,
    TICK_BY_TICKS,
    TRADE_TICKS,
    midpoint_tick,
    quote_tick,
    trade_tick,
)
from ibkit.engine.receivers import LAST_ATTRIBS as LAST_ATTRIBS
from ibkit.model import EfpData, TickData
from ibkit.model.values import UNSET_DOUBLE
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Receivers, Reducers


def add_tick_by_tick(
    engine: Engine, feed: Feed, tick_type: int, row: m.TickLastRow | m.TickBidAskRow | m.TickRow
) -> None:
    """Add a tick of a tick-by-tick stream."""
    if isinstance(row, m.TickLastRow):
        receive = TRADE_TICKS.get(tick_type) or trade_tick(tick_type)
        receive(feed, *row)
    elif isinstance(row, m.TickBidAskRow):
        quote_tick(feed, *row)
    else:
        midpoint_tick(feed, *row)


# -- messages ------------------------------------------------------------------------------------------------


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
    if size != size and (quote := ticktypes.QUOTE_PRICES.get(tick_type)) is not None:
        size = getattr(feed.ticker, quote.size)  # it is not told, so it stays
    if (receive := PRICES.get(tick_type)) is not None:
        receive(feed, price, size, mask & 7)
    else:
        feed.market.unknown(tick_type)
        feed.add(tick_type, price, size)


def tick_size(engine: Engine, msg: m.TickSize) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    _, tick_type, size = msg
    if size != size:
        return
    if (receive := SIZES.get(tick_type)) is not None:
        receive(feed, size)
    else:
        feed.market.unknown(tick_type)
        feed.add(tick_type, -1.0, size)


def tick_generic(engine: Engine, msg: m.TickGeneric) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    if (receive := GENERICS.get(msg.tickType)) is not None:
        receive(feed, msg.value)
    else:
        feed.market.unknown(msg.tickType)
        feed.ticks.append(TickData(feed.market.time, msg.tickType, msg.value, 0.0))
        feed.touch()


def tick_string(engine: Engine, msg: m.TickString) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    if (receive := TEXTS.get(msg.tickType)) is not None:
        receive(feed, msg.value)
    else:
        feed.market.unknown(msg.tickType)
        feed.touch()


def tick_efp(engine: Engine, msg: m.TickEfp) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is None:
        return
    if name := ticktypes.EFPS.get(msg.tickType):
        setattr(feed.ticker, name, EfpData(*msg[2:]))
    else:
        feed.market.unknown(msg.tickType)
    feed.touch()


def tick_by_tick(engine: Engine, msg: m.TickByTick) -> None:
    feed = _feed(engine, msg.reqId)
    if feed is not None:
        add_tick_by_tick(engine, feed, msg.tickType, msg.tick)


RECEIVERS: Receivers = {
    m.TickPrice: PRICES,
    m.TickSize: SIZES,
    m.TickByTick: TICK_BY_TICKS,
    m.TickString: TEXTS,
    m.TickGeneric: GENERICS,
}

REDUCERS: Reducers = {
    m.TickPrice: tick_price,
    m.TickSize: tick_size,
    m.TickGeneric: tick_generic,
    m.TickString: tick_string,
    m.TickEfp: tick_efp,
    m.TickByTick: tick_by_tick,
}
