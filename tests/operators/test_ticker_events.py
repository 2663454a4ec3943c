"""The streams of a ticker's updateEvent, and the bars that are made of them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from ibkit import Event, Stock, TickData, Ticker
from ibkit.model import BarList

START = datetime(2024, 1, 10, 15, tzinfo=UTC)
BID, ASK, LAST, BID_SIZE, ASK_SIZE, LAST_SIZE, RT_VOLUME = 1, 2, 4, 0, 3, 5, 48


class Market:
    """A ticker that is updated as the engine does it: fields and ticks first, then the event."""

    def __init__(self) -> None:
        self.ticker = Ticker(contract=Stock("AAPL", "SMART", "USD"))
        self.time = START

    def update(self, *ticks: tuple[int, float, float]) -> None:
        self.time += timedelta(seconds=1)
        ticker = self.ticker
        ticker.time = self.time
        ticker.ticks = [TickData(self.time, *tick) for tick in ticks]
        for kind, price, size in ticks:
            if kind == BID:
                ticker.bid, ticker.bidSize = price, size
            elif kind == ASK:
                ticker.ask, ticker.askSize = price, size
        ticker.updateEvent.emit(ticker)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trades", [(10.5, 100.0), (10.5, 300.0), (10.6, 5.0)]),
        ("bids", [(10.4, 7.0), (10.4, 9.0)]),
        ("asks", [(10.6, 8.0), (10.6, 4.0)]),
        ("bidasks", [(10.4, 7.0), (10.6, 8.0), (10.4, 9.0), (10.6, 4.0)]),
        ("midpoints", [(10.5, 0.0)] * 3),
    ],
)
def test_a_stream_has_the_ticks_of_its_kind(name: str, expected: list[tuple[float, float]]) -> None:
    market, found = Market(), list[tuple[datetime, float, float]]()
    stream = getattr(market.ticker.updateEvent, name)()
    stream.connect(lambda time, price, size: found.append((time, price, size)))
    market.update((BID, 10.4, 7.0), (ASK, 10.6, 8.0))
    market.update((LAST, 10.5, 100.0), (BID_SIZE, 10.4, 9.0), (99, 1.0, 1.0))
    market.update()  # an update without ticks tells no stream anything
    market.update((LAST_SIZE, 10.5, 300.0), (ASK_SIZE, 10.6, 4.0), (RT_VOLUME, 10.6, 5.0))
    assert [(pytest.approx(price), size) for _, price, size in found] == expected
    assert all(time.tzinfo is not None for time, _, _ in found)


def trades(market: Market, *prices_and_sizes: tuple[float, float]) -> None:
    for price, size in prices_and_sizes:
        market.update((LAST, price, size))


def values(bars: BarList) -> list[tuple[float, float, float, float, float, int]]:
    return [(bar.open, bar.high, bar.low, bar.close, bar.volume, bar.count) for bar in bars]


def test_bars_of_a_number_of_ticks() -> None:
    market, told, finished = Market(), list[bool](), list[BarList]()
    bars = market.ticker.updateEvent.trades().tickbars(2)
    bars += finished.append
    bars.bars.updateEvent += lambda _, has_new_bar: told.append(has_new_bar)
    trades(market, (10, 1), (12, 2), (11, 3), (9, 4), (8, 5))
    assert values(bars.bars) == [(10, 12, 10, 12, 3, 2), (11, 11, 9, 9, 7, 2), (8, 8, 8, 8, 5, 1)]
    assert finished == [bars.bars, bars.bars]
    assert told == [True, True]
    assert bars.bars[0].time == START + timedelta(seconds=1)


def test_bars_of_a_volume() -> None:
    market, finished = Market(), list[BarList]()
    bars = market.ticker.updateEvent.trades().volumebars(10)
    bars += finished.append
    trades(market, (10, 6), (11, 6), (12, 1), (9, 9), (10, 30))
    assert values(bars.bars) == [(10, 11, 10, 11, 12, 2), (12, 12, 9, 9, 10, 2), (10, 10, 10, 10, 30, 1)]
    assert len(finished) == 3


def test_bars_by_the_clock() -> None:
    market, timer = Market(), Event("timer")
    finished, told = list[float](), list[bool]()
    bars = market.ticker.updateEvent.trades().timebars(timer)
    bars.connect(lambda bar: finished.append(bar.close))
    bars.bars.updateEvent += lambda _, has_new_bar: told.append(has_new_bar)
    trades(market, (9, 1))  # before the first bar begins: it belongs to none
    timer.emit(START)
    trades(market, (10, 1), (12, 2))
    timer.emit(START + timedelta(minutes=1))
    timer.emit(START + timedelta(minutes=2))  # a minute without trades: the price of before
    trades(market, (11, 5))
    timer.set_done()
    assert finished == [12, 12]
    assert told == [False, False, True, True, False]
    first, quiet, forming = values(bars.bars)
    assert first == (10, 12, 10, 12, 3, 2)
    assert quiet == (12, 12, 12, 12, 0, 0)
    assert forming == (11, 11, 11, 11, 5, 1)
    assert [bar.time for bar in bars.bars] == [START + timedelta(minutes=n) for n in range(3)]
    assert bars.done()


def test_a_first_bar_without_trades_has_no_price() -> None:
    timer = Event("timer")
    bars = Market().ticker.updateEvent.trades().timebars(timer)
    timer.emit(START)
    timer.emit(START + timedelta(minutes=1))
    assert math.isnan(bars.bars[0].close)
