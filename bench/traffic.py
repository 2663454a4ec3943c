"""Streams of market data, encoded before anything is measured: ticks, tick-by-tick data, market depth.

Every message changes something, so that no client may leave one out; the same numbers give the same stream. Must not
know connections.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bench.clients.job import digest
from ibkit.wire import Codec
from ibkit.wire import messages as m

NEW_YORK = ZoneInfo("America/New_York")

LEVELS = 10
"""Of each side of an order book."""

ASK_SIDE, BID_SIDE = 0, 1
INSERT, UPDATE, DELETE = 0, 1, 2
BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME = 0, 1, 2, 3, 4, 5, 8


@dataclass
class Stream:
    """Frames to send, and what a client must know after them.

    ``image`` is what comes right after subscribing, before the measurement: it sets every value once.
    """

    image: list[bytes] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    expected: dict[str, object] = field(default_factory=dict)


class Book:
    """The values of one ticker, prices in cents and sizes in lots, as they are walked along."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.bid = 5000 + rng.randrange(15_000)
        self.ask = self.bid + 2
        self.last = self.bid + 1
        self.bid_size, self.ask_size, self.last_size = 5, 7, 1
        self.volume = 10_000
        self._marked: set[str] = set()

    def step(self, value: int) -> int:
        """Return a price that is near, but another."""
        return max(100, value + self._rng.choice((-3, -2, -1, 1, 2, 3)))

    def size(self, old: int) -> int:
        """Return another size."""
        new = self._rng.randrange(1, 40)
        return new if new != old else new + 1

    def side_size(self, side: str) -> int:
        """Return another size of a side of the quote; the first one is one that never comes again.

        So the stream can be sent again and again, and changes something each time.
        """
        if side not in self._marked:
            self._marked.add(side)
            return 99
        return self.size(self.bid_size if side == "bid" else self.ask_size)

    def values(self) -> tuple[float, ...]:
        """Return what the ticker must show."""
        return (
            self.bid / 100, self.bid_size * 100, self.ask / 100, self.ask_size * 100,
            self.last / 100, self.last_size * 100, self.volume * 100,
        )  # fmt: skip


def ticks(codec: Codec, ids: Sequence[int], count: int) -> Stream:
    """Quotes and trades as TICK_PRICE with a size, sizes and volumes as TICK_SIZE, over all tickers."""
    rng = random.Random(1)
    stream = Stream()
    books = {req_id: Book(rng) for req_id in ids}
    encode = codec.encode
    for req_id, book in books.items():
        stream.image += (
            encode(m.TickPrice(req_id, BID, book.bid / 100, book.bid_size * 100.0, 1)),
            encode(m.TickPrice(req_id, ASK, book.ask / 100, book.ask_size * 100.0, 1)),
            encode(m.TickPrice(req_id, LAST, book.last / 100, book.last_size * 100.0, 0)),
            encode(m.TickSize(req_id, VOLUME, book.volume * 100.0)),
        )
    for _ in range(count):
        req_id = rng.choice(ids)
        book = books[req_id]
        kind = rng.random()
        message: m.Answer
        if kind < 0.3:
            book.bid, book.bid_size = book.step(book.bid), book.side_size("bid")
            message = m.TickPrice(req_id, BID, book.bid / 100, book.bid_size * 100.0, 1)
        elif kind < 0.6:
            book.ask, book.ask_size = book.step(book.ask), book.side_size("ask")
            message = m.TickPrice(req_id, ASK, book.ask / 100, book.ask_size * 100.0, 1)
        elif kind < 0.7:
            book.last, book.last_size = book.step(book.last), book.size(book.last_size)
            message = m.TickPrice(req_id, LAST, book.last / 100, book.last_size * 100.0, 0)
        elif kind < 0.8:
            book.bid_size = book.side_size("bid")
            message = m.TickSize(req_id, BID_SIZE, book.bid_size * 100.0)
        elif kind < 0.9:
            book.ask_size = book.side_size("ask")
            message = m.TickSize(req_id, ASK_SIZE, book.ask_size * 100.0)
        else:
            book.volume += book.size(0)
            message = m.TickSize(req_id, VOLUME, book.volume * 100.0)
        stream.frames.append(encode(message))
    stream.expected = {"ticks": count, "values": digest(book.values() for book in books.values())}
    return stream


def tick_by_tick(codec: Codec, ids: Sequence[int], count: int) -> Stream:
    """Trades on the even subscriptions, quotes on the odd ones."""
    rng = random.Random(2)
    stream = Stream()
    books = {req_id: Book(rng) for req_id in ids}
    odd = set(ids[1::2])

    def message(req_id: int, second: int) -> m.TickByTick:
        book = books[req_id]
        time = 1_704_466_800 + second
        if req_id in odd:
            book.bid, book.ask = book.step(book.bid), book.step(book.ask)
            book.bid_size, book.ask_size = book.size(book.bid_size), book.size(book.ask_size)
            quote = m.TickBidAskRow(
                time, book.bid / 100, book.ask / 100, book.bid_size * 100.0, book.ask_size * 100.0, False, False
            )
            return m.TickByTick(req_id, 3, quote)
        book.last, book.last_size = book.step(book.last), book.size(book.last_size)
        trade = m.TickLastRow(time, book.last / 100, book.last_size * 100.0, False, False, "NASDAQ", "")
        return m.TickByTick(req_id, 2, trade)

    stream.image = [codec.encode(message(req_id, 0)) for req_id in ids]
    stream.frames = [codec.encode(message(rng.choice(ids), 1 + i // 1000)) for i in range(count)]
    rows = [book.values()[:4] if req_id in odd else book.values()[4:6] for req_id, book in books.items()]
    stream.expected = {"ticks": count, "values": digest(rows)}
    return stream


def depth(codec: Codec, ids: Sequence[int], count: int) -> Stream:
    """Changes of order books; now and then the last level goes and comes back."""
    rng = random.Random(3)
    stream = Stream()
    books: dict[tuple[int, int], list[tuple[float, float]]] = {}
    encode = codec.encode
    for req_id in ids:
        for side in (ASK_SIDE, BID_SIDE):
            levels = books[req_id, side] = []
            for position in range(LEVELS):
                price = (10_000 + (position + 1) * (1 if side == ASK_SIDE else -1)) / 100
                levels.append((price, 100.0))
                stream.image.append(encode(m.MarketDepth(req_id, position, INSERT, side, price, 100.0)))
    while len(stream.frames) < count:
        req_id, side = rng.choice(ids), rng.randrange(2)
        levels = books[req_id, side]
        position = rng.randrange(LEVELS)
        price, size = levels[position]
        new = (price, 100.0 * (size // 100 % 40 + 1))
        levels[position] = new
        if position == LEVELS - 1 and len(stream.frames) + 2 <= count:
            stream.frames.append(encode(m.MarketDepth(req_id, position, DELETE, side, 0.0, 0.0)))
            stream.frames.append(encode(m.MarketDepth(req_id, position, INSERT, side, *new)))
        else:
            stream.frames.append(encode(m.MarketDepth(req_id, position, UPDATE, side, *new)))
    rows = (level for req_id in ids for side in (BID_SIDE, ASK_SIDE) for level in books[req_id, side])
    stream.expected = {"ticks": count, "values": digest(rows)}
    return stream


STREAMS: dict[str, Callable[[Codec, Sequence[int], int], Stream]] = {
    "ticks": ticks,
    "tick-by-tick": tick_by_tick,
    "depth": depth,
}


def bars(codec: Codec, req_id: int, count: int, date_format: int) -> tuple[bytes, dict[str, object]]:
    """Return the answer to a request for bars of one minute, and what a client must make of it."""
    rng = random.Random(4)
    first = 1_704_067_200  # 2024-01-01 00:00 UTC
    cents, rows = 10_000, []
    for i in range(count):
        moment = first + 60 * i
        cents = max(100, cents + rng.randrange(-9, 10))
        high, low, close = cents + rng.randrange(9), cents - rng.randrange(9), cents + rng.randrange(-4, 5)
        date = str(moment) if date_format == 2 else _new_york(moment)
        volume = float(rng.randrange(100, 90_000))
        rows.append(m.BarRow(date, cents / 100, high / 100, low / 100, close / 100, volume, cents / 100, 1 + i % 400))
    start, end = _new_york(first), _new_york(first + 60 * count)
    answer = codec.encode(m.HistoricalData(req_id, start, end, rows))
    if codec.version >= 196:  # the version from which the end is a message of its own
        answer += codec.encode(m.HistoricalDataEnd(req_id, start, end))
    last = first + 60 * (count - 1)
    expected = {"bars": count, "values": digest((row.close, row.volume) for row in rows), "first": first, "last": last}
    return answer, expected


def _new_york(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, NEW_YORK):%Y%m%d %H:%M:%S} US/Eastern"
