"""Order books: rows by position, a plain list as the law."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine import depth, market
from ibkit.model import DOMLevel, Stock, Ticker
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS, EngineUnderTest

CONTRACT = Stock("AAPL", "SMART", "USD")


def open_book(peer: EngineUnderTest, smart: bool = False) -> Ticker:
    return depth.open_book(peer.engine, CONTRACT, 5, smart, [])


def row(position: int, operation: int, side: int, price: float, size: float = 1.0) -> m.MarketDepth:
    return m.MarketDepth(1, position, operation, side, price, size)


def prices(levels: list[DOMLevel]) -> list[float]:
    return [level.price for level in levels]


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_build_a_book(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = open_book(peer, True)
    (request,) = peer.requests()
    assert (request.reqId, request.numRows, request.isSmartDepth) == (1, 5, True)
    peer.send(row(0, 0, 1, 100.0), row(1, 0, 1, 99.0), row(0, 0, 1, 101.0), row(0, 0, 0, 102.0, 7.0))
    assert prices(ticker.domBids) == [101.0, 100.0, 99.0]
    assert ticker.domAsks == [DOMLevel(102.0, 7.0, "")]
    assert ticker.domBidsDict == dict(enumerate(ticker.domBids))
    assert [(tick.position, tick.operation, tick.side, tick.price) for tick in ticker.domTicks] == [
        (0, 0, 1, 100.0),
        (1, 0, 1, 99.0),
        (0, 0, 1, 101.0),
        (0, 0, 0, 102.0),
    ]
    peer.send(m.MarketDepthL2(1, 1, "ARCA", 1, 1, 100.5, 3.0, True), row(0, 2, 1, 0.0))
    assert ticker.domBids == [DOMLevel(100.5, 3.0, "ARCA"), DOMLevel(99.0, 1.0, "")]
    assert [(tick.price, tick.size, tick.marketMaker) for tick in ticker.domTicks] == [
        (100.5, 3.0, "ARCA"),
        (101.0, 0.0, ""),  # the level that was deleted
    ]
    assert peer.engine.state.market.misplaced_rows == 0


@pytest.mark.parametrize(
    ("rows", "bids"),
    [
        ([row(3, 1, 1, 5.0)], [5.0]),  # an update of nothing
        ([row(3, 0, 1, 5.0)], [5.0]),  # an insert beyond the end
        ([row(-1, 0, 1, 5.0), row(-1, 0, 1, 6.0)], [6.0, 5.0]),
        ([row(0, 2, 1, 5.0)], []),  # a delete of nothing
        ([row(0, 0, 1, 5.0), row(-1, 2, 1, 5.0)], [5.0]),
    ],
)
def test_rows_out_of_bounds_are_counted_and_do_no_harm(rows: list[m.MarketDepth], bids: list[float]) -> None:
    peer = EngineUnderTest()
    ticker = open_book(peer)
    peer.send(*rows)
    assert prices(ticker.domBids) == bids
    assert peer.engine.state.market.misplaced_rows > 0


def test_a_reset_empties_the_book_and_tells_every_level() -> None:
    peer = EngineUnderTest()
    ticker = open_book(peer)
    peer.send(row(0, 0, 1, 100.0), row(1, 0, 1, 99.0), row(0, 0, 0, 101.0))
    peer.send(m.ErrMsg(1, 317, "Market depth data has been RESET.", "", 0), row(0, 0, 1, 98.0))
    assert prices(ticker.domBids) == [98.0]
    assert not ticker.domAsks
    assert [(tick.operation, tick.side, tick.position, tick.price) for tick in ticker.domTicks] == [
        (2, 0, 0, 101.0),
        (2, 1, 1, 99.0),
        (2, 1, 0, 100.0),
        (0, 1, 0, 98.0),
    ]
    assert peer.engine.state.subscriptions  # it goes on


def test_cancelling_empties_the_book() -> None:
    peer = EngineUnderTest()
    ticker = open_book(peer, True)
    peer.send(row(0, 0, 1, 100.0))
    feed = peer.engine.state.market.find(CONTRACT)
    assert feed is not None
    peer.requests()
    assert market.close_stream(peer.engine, feed, market.MKT_DEPTH)
    assert peer.requests() == [m.CancelMktDepth(1, True)]
    assert (ticker.domBids, ticker.domBidsDict) == ([], {})


def test_asking_again_begins_with_an_empty_book() -> None:
    peer = EngineUnderTest()
    ticker = open_book(peer)
    peer.send(row(0, 0, 1, 100.0))
    open_book(peer)
    peer.send(row(0, 0, 1, 99.0), m.MarketDepth(2, 0, 0, 1, 98.0, 1.0))
    assert prices(ticker.domBids) == [98.0]


_operation = st.tuples(st.integers(0, 2), st.integers(-2, 12), st.integers(1, 5))


@given(st.lists(_operation, max_size=40))
def test_a_book_is_a_list_of_levels(operations: list[tuple[int, int, int]]) -> None:
    levels: list[DOMLevel] = []
    law: list[float] = []
    for operation, position, price in operations:
        told, fitted = depth.apply(levels, position, operation, DOMLevel(float(price), 1.0, ""))
        if operation == 0:
            law.insert(min(max(position, 0), len(law)), price)
            assert fitted is (0 <= position < len(law))
        elif 0 <= position < len(law):
            assert fitted
            if operation == 1:
                law[position] = price
            else:
                assert told == DOMLevel(law.pop(position), 0.0, "")
        else:
            assert not fitted
            if operation == 1:
                law.insert(min(max(position, 0), len(law)), price)
        assert prices(levels) == law
