"""Bars that keep coming."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine.bars import update
from ibkit.model import BarData, BarDataList, RealTimeBar, RealTimeBarList, Stock
from ibkit.requests import past
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS, EngineUnderTest

CONTRACT = Stock("AAPL", "SMART", "USD")


def row(minute: int, close: float = 1.0) -> m.BarRow:
    return m.BarRow(f"20240105 10:{minute:02d}:00 US/Eastern", 1.0, 2.0, 0.5, close, 100.0, 1.25, 7)


def keep(peer: EngineUnderTest, *rows: m.BarRow) -> BarDataList:
    call = past.historical_data(peer.engine, CONTRACT, "", "1 D", "1 min", "TRADES", True, 1, True, [], 60.0)
    peer.send(m.HistoricalData(1, "", "", list(rows)))
    if peer.engine.version >= 196:
        peer.send(m.HistoricalDataEnd(1, "", ""))
    peer.told.clear()
    return call.result()


@pytest.mark.parametrize("version", VERSIONS)
def test_updates(version: int) -> None:
    peer = EngineUnderTest(version)
    bars = keep(peer, row(0), row(1))
    told: list[tuple[str, int, bool]] = []
    bars.updateEvent += lambda changed, is_new: told.append(("list", len(changed), is_new))
    peer.events.barUpdateEvent += lambda changed, is_new: told.append(("ib", len(changed), is_new))

    held = bars[-1]
    peer.send(m.HistoricalDataUpdate(1, row(1, 1.5)))
    assert told == [("ib", 2, False), ("list", 2, False)]
    assert bars[-1].close == 1.5
    assert held.close == 1.0  # the bar that somebody may hold is not touched
    told.clear()
    peer.send(m.HistoricalDataUpdate(1, row(1, 1.5)), m.HistoricalDataUpdate(1, row(0, 7.0)))
    assert told == []
    peer.send(m.HistoricalDataUpdate(1, row(2)))
    assert told == [("ib", 3, True), ("list", 3, True)]
    assert [bar.close for bar in bars] == [1.0, 1.5, 1.0]


def test_the_first_bar_of_an_empty_list_is_new() -> None:
    peer = EngineUnderTest()
    bars = keep(peer)
    peer.send(m.HistoricalDataUpdate(1, row(0)))
    assert peer.told == [("barUpdateEvent", bars, True)]
    assert len(bars) == 1


def test_updates_of_nobody_are_ignored() -> None:
    peer = EngineUnderTest()
    bars = keep(peer, row(0))
    assert past.cancel_historical_data(peer.engine, bars)
    assert peer.requests()[-1] == m.CancelHistoricalData(1)
    peer.send(m.HistoricalDataUpdate(1, row(1)), m.RealTimeBars(5, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1))
    assert len(bars) == 1
    assert not past.cancel_historical_data(peer.engine, bars)


def test_a_stream_that_is_refused_is_over() -> None:
    peer = EngineUnderTest()
    keep(peer, row(0))
    peer.send(m.ErrMsg(1, 162, "Historical Market Data Service error message:HMDS query returned no data", "", 0))
    assert not peer.engine.state.history.bars
    assert not peer.engine.state.subscriptions


@pytest.mark.parametrize("version", VERSIONS)
def test_real_time_bars(version: int) -> None:
    peer = EngineUnderTest(version)
    bars = past.real_time_bars(peer.engine, CONTRACT, 5, "TRADES", True, [])
    assert peer.requests() == [m.ReqRealTimeBars(1, CONTRACT, 5, "TRADES", True, [])]
    told: list[tuple[RealTimeBarList, bool]] = []
    bars.updateEvent += lambda *changed: told.append(changed)
    peer.send(m.RealTimeBars(1, 1_704_466_800, 1.0, 3.0, 0.5, 2.0, 100.0, 1.5, 9))
    assert list(bars) == [RealTimeBar(datetime(2024, 1, 5, 15, tzinfo=UTC), -1, 1.0, 3.0, 0.5, 2.0, 100.0, 1.5, 9)]
    assert told == [(bars, True)]
    assert ("barUpdateEvent", bars, True) in peer.told
    assert past.cancel_real_time_bars(peer.engine, bars)
    assert peer.requests() == [m.CancelRealTimeBars(1)]
    assert not past.cancel_real_time_bars(peer.engine, bars)


def test_bars_that_a_busted_trade_ends_are_asked_for_again() -> None:
    peer = EngineUnderTest()
    real_time = past.real_time_bars(peer.engine, CONTRACT, 5, "TRADES", True, [])
    peer.requests()
    peer.send(m.ErrMsg(1, 10225, "Bust event occurred, current subscription is deactivated.", "", 0))
    cancel, again = peer.requests()
    assert cancel == m.CancelRealTimeBars(1)
    assert again == m.ReqRealTimeBars(1, CONTRACT, 5, "TRADES", True, [])
    peer.send(m.RealTimeBars(1, 1_704_466_800, 1.0, 3.0, 0.5, 2.0, 100.0, 1.5, 9))
    assert len(real_time) == 1


def test_a_refused_subscription_of_real_time_bars_is_over() -> None:
    peer = EngineUnderTest()
    past.real_time_bars(peer.engine, CONTRACT, 5, "TRADES", True, [])
    peer.send(m.ErrMsg(1, 420, "Invalid Real-time Query:No market data permissions", "", 0))
    assert not peer.engine.state.history.real_time


def test_the_end_that_the_user_wants_ends_the_lists_events() -> None:
    peer = EngineUnderTest()
    bars = keep(peer, row(0))
    event = bars.updateEvent
    peer.engine.wanted_end = True
    peer.engine.closed("disconnect() was called")
    assert event.done()
    assert not peer.engine.state.history.bars


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from([1.0, 2.0]))))
def test_bars_stay_in_order_and_the_event_says_what_happened(updates: list[tuple[int, float]]) -> None:
    bars = BarDataList()
    for day, close in updates:
        before = list(bars)
        is_new = update(bars, BarData(date(2024, 1, 1) + timedelta(days=day), close=close))
        assert [bar.date for bar in bars] == sorted({bar.date for bar in bars})
        if is_new:
            assert bars[:-1] == before
        elif is_new is None:
            assert list(bars) == before
        else:
            assert bars[:-1] == before[:-1]
            assert bars[-1] != before[-1]
