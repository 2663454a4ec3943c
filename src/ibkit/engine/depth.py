"""Market depth: the order book of a ticker, kept level by level.

The broker addresses levels by their position: an insert moves the others down, a delete moves them up. A
row for a position that does not exist does the nearest sensible thing (an update becomes an insert at the
end) and is counted, because the book is then not what the broker thinks it is.

Must not know what else fills a ticker.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from ibkit.engine.market import MKT_DEPTH, Feed, open_stream
from ibkit.model import Contract, DOMLevel, MktDepthData, TagValue, Ticker
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Receivers, Reducers

logger = logging.getLogger("ibkit.market")

INSERT: Final = 0
UPDATE: Final = 1
DELETE: Final = 2
ASK: Final = 0
BID: Final = 1

BOOK_RESET: Final = 317
"""The code that tells that the book is about to be sent anew."""


_new = tuple.__new__  # making a NamedTuple through its class takes twice as long


def apply(levels: list[DOMLevel], position: int, operation: int, level: DOMLevel) -> tuple[DOMLevel, bool]:
    """Apply one row to one side of the book.

    Args:
        levels: the side, best level first.
        position: counts from 0.
        operation: 0 insert, 1 update, 2 delete.
        level: the new level; ignored by deletes.

    Returns: the level that the row is about (the deleted one with size 0), and whether the row fitted.
    """
    exists = 0 <= position < len(levels)
    if operation == DELETE:
        if not exists:
            return DOMLevel(level.price, 0.0, level.marketMaker), False
        gone = levels.pop(position)
        return DOMLevel(gone.price, 0.0, gone.marketMaker), True
    if operation == UPDATE and exists:
        levels[position] = level
        return level, True
    levels.insert(max(position, 0), level)
    return level, operation == INSERT and 0 <= position < len(levels)


def depth_row(
    feed: Feed, position: int, operation: int, side: int, price: float, size: float, market_maker: str = ""
) -> None:
    """Receive a row of a book."""
    levels = feed.ticker.domBids if side == BID else feed.ticker.domAsks
    level = _new(DOMLevel, (price, size, market_maker))
    if operation == UPDATE and 0 <= position < len(levels):  # most are; ``apply`` would do the same
        levels[position] = level
    else:
        level, fitted = apply(levels, position, operation, level)
        price, size = level.price, level.size
        if not fitted:
            feed.market.misplaced_rows += 1
            logger.info("market depth of %s: no level at position %d", feed.ticker.contract, position)
    row = (feed.market.time, position, market_maker, operation, side, price, size)
    feed.dom_ticks.append(_new(MktDepthData, row))
    if not feed.changed:
        feed.touch()


def depth_row_l2(
    feed: Feed, position: int, market_maker: str, operation: int, side: int, price: float, size: float, smart: bool
) -> None:
    """Receive a row of a book with market makers."""
    depth_row(feed, position, operation, side, price, size, market_maker)


def market_depth(engine: Engine, msg: m.MarketDepth) -> None:
    if (feed := _feed(engine, msg.reqId)) is not None:
        depth_row(feed, *msg[1:])


def market_depth_l2(engine: Engine, msg: m.MarketDepthL2) -> None:
    if (feed := _feed(engine, msg.reqId)) is not None:
        depth_row_l2(feed, *msg[1:])


def _feed(engine: Engine, req_id: int) -> Feed | None:
    market = engine.state.market
    feed = market.feeds.get(req_id)
    if feed is None:
        market.stray_ticks += 1
    return feed


def clear(engine: Engine, feed: Feed) -> None:
    """Empty the book, telling of each level as deleted, the last one first."""
    for side, levels in ((ASK, feed.ticker.domAsks), (BID, feed.ticker.domBids)):
        for position in range(len(levels) - 1, -1, -1):
            gone = levels.pop()
            feed.dom_ticks.append(
                MktDepthData(engine.batch_time, position, gone.marketMaker, DELETE, side, gone.price, 0.0)
            )
            feed.touch()


def open_book(engine: Engine, contract: Contract, num_rows: int, smart: bool, options: list[TagValue]) -> Ticker:
    """Begin to fill the order book of ``contract``; an earlier request for it is cancelled."""

    def make(req_id: int) -> tuple[m.Request, m.Request]:
        start = m.ReqMktDepth(req_id, contract, num_rows, smart, options)
        return start, m.CancelMktDepth(req_id, smart)

    def on_notice(engine: Engine, code: int, text: str) -> None:
        if code == BOOK_RESET:
            clear(engine, feed)

    feed, subscription = open_stream(engine, contract, MKT_DEPTH, make)
    subscription.on_notice = on_notice
    return feed.ticker


RECEIVERS: Receivers = {
    m.MarketDepth: depth_row,
    m.MarketDepthL2: depth_row_l2,
}

REDUCERS: Reducers = {
    m.MarketDepth: market_depth,
    m.MarketDepthL2: market_depth_l2,
}
