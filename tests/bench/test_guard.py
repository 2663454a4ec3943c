"""What the library does for a message is counted, so that it does not become slow unseen.

Calls of functions, Python's and C's, and bytes of objects are the same on every machine, however busy. The limits
leave a wide margin over what is needed today; a change that comes near one deserves a look at ``make bench``.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Self

import pytest

from bench.clients.job import contract_id, order_price, symbol
from bench.scenarios import Params
from ibkit import IB, LimitOrder, Stock, Ticker, Trade
from ibkit.wire import Codec
from tests.bench.in_memory import MemoryGateway

VERSIONS = (176, 225)


def count_calls(act: Callable[[], object], warm_up: bool = True) -> int:
    """Return how many functions are called inside ``act``, which is called once before."""
    calls = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    if warm_up:
        act()  # what is made on first use has been made then
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls


class Session:
    """A client at the gateway of a scenario, subscribed, with a listener as a program has it."""

    def __init__(self, kind: str, version: int, **params: int | float | str) -> None:
        given: Params = params
        self.gateway = MemoryGateway(kind, given, version)
        self.ib = IB()
        self.ib.client.MaxRequests = 0
        self.ib.connectLink(self.gateway.ours, clock=self.gateway.clock)
        self.seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ib.disconnect()

    def subscribe(self, stream: str, tickers: int) -> list[Ticker]:
        ib, found = self.ib, []
        for i in range(tickers):
            contract = stock(i)
            if stream == "tick-by-tick":
                found.append(ib.reqTickByTickData(contract, ("AllLast", "BidAsk")[i % 2]))
            elif stream == "depth":
                found.append(ib.reqMktDepth(contract, numRows=10))
            else:
                found.append(ib.reqMktData(contract))
        ib.reqCurrentTime()
        ib.pendingTickersEvent += self.listen
        return found

    def listen(self, tickers: set[Ticker]) -> None:
        for ticker in tickers:
            self.seen += len(ticker.ticks)


def stock(i: int) -> Stock:
    return Stock(symbol(i), "SMART", "USD", conId=contract_id(i))


def calls_per_tick(stream: str, version: int, tickers: int = 10, per_packet: int = 0) -> float:
    messages = max(2000, 20 * tickers)
    with Session("ticks", version, stream=stream, messages=messages, per_packet=per_packet) as session:
        session.subscribe(stream, tickers)
        calls = count_calls(session.ib.reqCurrentTime)
        assert stream != "ticks" or session.seen > 1.9 * messages
    return calls / messages


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("stream", "limit"), [("ticks", 8), ("tick-by-tick", 10), ("depth", 11)])
def test_calls_per_tick(stream: str, limit: int, version: int) -> None:
    assert calls_per_tick(stream, version) < limit


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stream", ["ticks", "tick-by-tick", "depth"])
def test_no_message_is_made_of_a_tick(stream: str, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    decode = Codec.decode

    def note(codec: Codec, body: bytes) -> object:
        decoded.append(body)
        return decode(codec, body)

    with Session("ticks", version, stream=stream, messages=2000) as session:
        session.subscribe(stream, 10)
        monkeypatch.setattr(Codec, "decode", note)
        session.ib.reqCurrentTime()
    assert len([body for body in decoded if len(body) > 20]) <= 2  # of those that the gateway decodes, none is a tick


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cost_of_a_tick_does_not_depend_on_how_many_tickers_there_are(version: int) -> None:
    assert calls_per_tick("ticks", version, tickers=400) < 1.5 * calls_per_tick("ticks", version, tickers=10)


def test_the_cost_of_a_tick_does_not_depend_on_how_many_came_before() -> None:
    with Session("ticks", 176, stream="ticks", messages=1000) as session:
        session.subscribe("ticks", 10)
        first = count_calls(session.ib.reqCurrentTime)
        for _ in range(20):
            session.ib.reqCurrentTime()
        assert count_calls(session.ib.reqCurrentTime) < 1.1 * first


def test_packets_cost_a_bounded_number_of_calls_each() -> None:
    whole = calls_per_tick("ticks", 176)
    assert calls_per_tick("ticks", 176, per_packet=10) - whole < 200 / 10
    assert calls_per_tick("ticks", 176, per_packet=1) - whole < 180


@pytest.mark.parametrize("version", VERSIONS)
def test_calls_per_order(version: int) -> None:
    orders = 200
    placed = 0
    with Session("orders", version, orders=orders, gap_ms=0) as session:
        ib = session.ib

        def place(*_: object) -> None:
            nonlocal placed
            if placed < orders:
                placed += 1
                ib.placeOrder(stock(0), LimitOrder("BUY", 100, order_price(0))).filledEvent += place

        def run() -> None:
            place()
            ib.reqCurrentTime()

        ib.placeOrder(stock(0), LimitOrder("BUY", 100, order_price(0)))
        ib.reqCurrentTime()
        calls = count_calls(run, warm_up=False)
        assert len(ib.fills()) == orders + 1
    assert calls / orders < 1000


def test_bytes_of_a_trade() -> None:
    def make() -> list[Trade]:
        return [Trade() for _ in range(200)]

    assert traced(make) / 200 < 1500


def test_bytes_of_an_order() -> None:
    def make() -> list[LimitOrder]:
        return [LimitOrder("BUY", 100, 12.5, tif="DAY", account="DU1") for _ in range(200)]

    assert traced(make) / 200 < 600


def test_bytes_of_a_ticker() -> None:
    with Session("memory_tickers", 176, stream="ticks", messages=100) as session:
        session.subscribe("ticks", 1)
        contracts = [stock(1 + i) for i in range(200)]

        def subscribe() -> list[Ticker]:
            tickers = [session.ib.reqMktData(each) for each in contracts]
            session.ib.reqCurrentTime()
            session.ib.reqCurrentTime()
            return tickers

        assert traced(subscribe) / 200 < 3000


def test_ticks_leave_nothing_behind() -> None:
    with Session("growth", 176, stream="ticks", messages=2000) as session:
        session.subscribe("ticks", 20)

        def play() -> None:
            for _ in range(5):
                session.ib.reqCurrentTime()

        play()
        assert traced(play) < 100_000  # the lists of the last batch


def traced(make: Callable[[], object]) -> int:
    """Return how many bytes are in use after ``make`` that were not before, with what it returned alive."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = make()
        gc.collect()
        size = tracemalloc.get_traced_memory()[0]
        del kept
    finally:
        tracemalloc.stop()
    return size


def test_bytes_and_calls_of_an_order() -> None:
    def make() -> list[LimitOrder]:
        return [LimitOrder("BUY", 100, order_price(0), tif="DAY", account="DU1") for _ in range(200)]

    make()
    assert traced(make) / 200 < 700
    assert count_calls(make) / 200 < 8
