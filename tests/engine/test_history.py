"""Answers about the past, and what becomes of a list that is loaded again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine.history import convert, merge, position
from ibkit.errors import InvalidRequest, MalformedMessage, NoData, RequestTimeout, UnsupportedField
from ibkit.model import (
    BarData,
    HistogramData,
    HistoricalSchedule,
    HistoricalSession,
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    Stock,
    TickAttribBidAsk,
    TickAttribLast,
)
from ibkit.requests import past
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS, EngineUnderTest

CONTRACT = Stock("AAPL", "SMART", "USD")
NEW_YORK = ZoneInfo("US/Eastern")
each_version = pytest.mark.parametrize("version", VERSIONS)


def ask(peer: EngineUnderTest, keep: bool = False, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "contract": CONTRACT,
        "end": "",
        "duration": "1 D",
        "bar_size": "1 min",
        "what_to_show": "TRADES",
        "use_rth": True,
        "format_date": 1,
        "keep_up_to_date": keep,
        "options": [],
        "timeout": 60.0,
    }
    return past.historical_data(peer.engine, **{**arguments, **changes})


def row(minute: int, close: float = 1.0) -> m.BarRow:
    return m.BarRow(f"20240105 10:{minute:02d}:00 US/Eastern", 1.0, 2.0, 0.5, close, 100.0, 1.25, 7)


def answer(*rows: m.BarRow, req_id: int = 1, version: int = 225) -> list[m.Answer]:
    bars = m.HistoricalData(req_id, "20240104 10:00:00 US/Eastern", "20240105 10:00:00 US/Eastern", list(rows))
    if version < 196:
        return [bars]
    return [m.HistoricalData(req_id, "", "", list(rows)), m.HistoricalDataEnd(req_id, "", "")]


# -- bars ----------------------------------------------------------------------------------------------------


@each_version
def test_bars(version: int) -> None:
    peer = EngineUnderTest(version)
    call = ask(peer)
    (request,) = peer.requests()
    assert request == m.ReqHistoricalData(1, CONTRACT, "", "1 min", "1 D", 1, "TRADES", 1, False, [])
    peer.send(*answer(row(0), row(1, 1.5), version=version))
    bars = call.result()
    assert list(bars) == [
        BarData(datetime(2024, 1, 5, 10, 0, tzinfo=NEW_YORK), 1.0, 2.0, 0.5, 1.0, 100.0, 1.25, 7),
        BarData(datetime(2024, 1, 5, 10, 1, tzinfo=NEW_YORK), 1.0, 2.0, 0.5, 1.5, 100.0, 1.25, 7),
    ]
    assert (bars.reqId, bars.contract, bars.durationStr, bars.barSizeSetting) == (1, CONTRACT, "1 D", "1 min")
    assert (bars.whatToShow, bars.useRTH, bars.formatDate, bars.keepUpToDate) == ("TRADES", True, 1, False)
    assert "barUpdateEvent" not in peer.names()  # the answer is no update
    assert not peer.engine.state.history.bars
    assert not peer.engine.state.subscriptions


@pytest.mark.parametrize("version", [195, 196])
def test_what_ends_the_answer(version: int) -> None:
    peer = EngineUnderTest(version)
    call = ask(peer)
    peer.send(answer(row(0), version=version)[0])
    assert call.done is (version < 196)


def test_an_answer_in_parts() -> None:
    peer = EngineUnderTest(225)
    call = ask(peer)
    peer.send(m.HistoricalData(1, "", "", [row(0)]), m.HistoricalData(1, "", "", [row(1)]))
    peer.send(m.HistoricalDataEnd(1, "", ""))
    assert len(call.result()) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240105", date(2024, 1, 5)),
        ("1704466800", datetime(2024, 1, 5, 15, tzinfo=UTC)),
        ("20240105 10:00:00 US/Eastern", datetime(2024, 1, 5, 15, tzinfo=UTC)),
        ("20240105  10:00:00", datetime(2024, 1, 5, 15, tzinfo=UTC)),  # old servers: in the zone of TWS
    ],
)
def test_dates_are_dates_or_aware(text: str, expected: date) -> None:
    peer = EngineUnderTest()
    peer.engine.settings.TimezoneTWS = "US/Eastern"
    (bar,) = convert(peer.engine, [m.BarRow(text, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1)])
    assert bar.date == expected


def test_a_date_that_makes_no_sense_fails_the_request_alone() -> None:
    peer = EngineUnderTest()
    bad, good = ask(peer), ask(peer)
    peer.send(*answer(m.BarRow("someday", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1)), *answer(row(0), req_id=2))
    assert isinstance(bad.error, MalformedMessage)
    assert len(good.result()) == 1


def test_no_data() -> None:
    peer = EngineUnderTest()
    call = ask(peer)
    peer.send(m.ErrMsg(1, 162, "HMDS query returned no data: AAPL@SMART Trades", "", 0))
    with pytest.raises(NoData):
        call.result()
    assert not peer.engine.state.history.bars


def test_without_errors_a_refused_request_is_an_empty_list() -> None:
    peer = EngineUnderTest()
    peer.engine.settings.RaiseRequestErrors = False
    call = ask(peer, keep=True)
    peer.send(m.ErrMsg(1, 162, "HMDS query returned no data: AAPL@SMART Trades", "", 0))
    assert list(call.result()) == []


@pytest.mark.parametrize("keep", [False, True])
def test_a_timeout_cancels_and_raises(keep: bool) -> None:
    peer = EngineUnderTest()
    call = ask(peer, keep=keep)
    peer.requests()
    peer.pass_time(61)
    with pytest.raises(RequestTimeout, match=r"reqHistoricalData.*AAPL.*60 s"):
        call.result()
    assert m.CancelHistoricalData(1) in peer.sent
    assert not peer.engine.state.history.bars
    assert not peer.engine.state.subscriptions
    peer.send(*answer(row(0)))  # late: nobody wants it
    assert not call.error.__context__


def test_without_errors_a_timeout_is_an_empty_list(caplog: pytest.LogCaptureFixture) -> None:
    peer = EngineUnderTest()
    peer.engine.settings.RaiseRequestErrors = False
    call = ask(peer)
    peer.pass_time(61)
    assert list(call.result()) == []
    assert "no answer to reqHistoricalData" in caplog.text


def test_no_timeout_waits_for_ever() -> None:
    peer = EngineUnderTest()
    call = ask(peer, timeout=0)
    peer.pass_time(100_000)
    assert not call.done


# -- loaded again --------------------------------------------------------------------------------------------


def test_bars_that_are_kept_up_to_date_are_loaded_again_after_a_loss() -> None:
    peer = EngineUnderTest()
    call = ask(peer, keep=True)
    peer.send(*answer(row(0), row(1)))
    bars = call.result()
    peer.engine.closed("broken for a test")

    again = EngineUnderTest(state=peer.engine.state)
    again.engine.restart_subscriptions(cancel_first=False)
    assert [type(each) for each in again.requests()] == [m.ReqHistoricalData]
    again.send(m.HistoricalDataUpdate(1, row(3)))  # cannot be placed yet
    assert len(bars) == 2
    again.told.clear()
    again.send(*answer(row(1, 9.0), row(2), row(3)))
    assert [bar.close for bar in bars] == [1.0, 9.0, 1.0, 1.0]
    assert again.told == [("barUpdateEvent", bars, True)]
    again.send(m.HistoricalDataUpdate(1, row(4)))
    assert len(bars) == 5


def test_the_load_that_a_lost_connection_cut_short_is_forgotten() -> None:
    peer = EngineUnderTest()
    call = ask(peer, keep=True)
    peer.send(answer(row(0))[0])
    peer.engine.closed("broken for a test")
    assert call.error is not None
    assert not peer.engine.state.subscriptions
    assert not peer.engine.state.history.bars
    assert not peer.engine.state.history.arrived


def test_lost_data_is_asked_for_again_on_the_same_connection() -> None:
    peer = EngineUnderTest()
    call = ask(peer, keep=True)
    peer.send(*answer(row(0)))
    peer.requests()
    peer.send(m.ErrMsg(-1, 1101, "Connectivity has been restored - data lost.", "", 0))
    assert [type(each) for each in peer.requests()] == [m.CancelHistoricalData, m.ReqHistoricalData]
    peer.send(m.ErrMsg(1, 162, "API historical data query cancelled: 1", "", 0))  # of the one before
    peer.send(*answer(row(0), row(1)))
    assert len(call.result()) == 2


_day = st.integers(0, 40)


@given(st.sets(_day), st.sets(_day))
def test_merged_bars_stay_in_order_and_what_was_loaded_wins(had: set[int], loaded: set[int]) -> None:
    def made(days: set[int], close: float) -> list[BarData]:
        return [BarData(date(2024, 1, 1) + timedelta(days=day), close=close) for day in sorted(days)]

    bars = made(had, 1.0)
    is_new = merge(bars, made(loaded, 2.0))
    kept = {day for day in had if not loaded or day < min(loaded) or day > max(loaded)}
    assert [bar.date for bar in bars] == [bar.date for bar in made(kept | loaded, 0.0)]
    assert all(bar.close == 2.0 for bar in bars if (bar.date - date(2024, 1, 1)).days in loaded)  # type: ignore[operator]
    assert is_new is bool(loaded and (not had or max(loaded) > max(had)))


def test_the_order_of_days_and_moments() -> None:
    assert position(date(2024, 1, 5)) < position(datetime(2024, 1, 5, 12, tzinfo=UTC)) < position(date(2024, 1, 6))


# -- what is refused before it is sent -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bar_size": "15 min"}, "'15 min' is not valid; valid are: 1 secs.*15 mins.*1 day, 1 week, 1 month"),
        ({"bar_size": ""}, "barSizeSetting"),
        ({"duration": "1D"}, "durationStr '1D'.*'6 M'"),
        ({"duration": "0 D"}, "durationStr"),
        ({"duration": "1 H"}, "durationStr"),
        ({"duration": "1.5 D"}, "durationStr"),
        ({"what_to_show": "TRADE"}, "whatToShow 'TRADE'.*TRADES.*AGGTRADES"),
        ({"what_to_show": "SCHEDULE"}, "reqHistoricalSchedule"),
        ({"keep": True, "end": "20240105 10:00:00 UTC"}, "keepUpToDate"),
    ],
)
def test_refused_with_what_would_be_right(changes: dict[str, Any], words: str) -> None:
    peer = EngineUnderTest()
    with pytest.raises(InvalidRequest, match=words):
        ask(peer, **changes)
    assert peer.requests() == []
    assert not peer.engine.state.history.bars


@pytest.mark.parametrize("size", past.BAR_SIZES)
def test_every_bar_size_is_sent_as_it_is(size: str) -> None:
    peer = EngineUnderTest()
    ask(peer, bar_size=size)
    assert peer.requests()[0].barSizeSetting == size


def test_other_spellings_that_tws_takes() -> None:
    peer = EngineUnderTest()
    ask(peer, bar_size="1W", duration="2 y", what_to_show="midpoint")
    (request,) = peer.requests()
    assert (request.barSizeSetting, request.durationStr, request.whatToShow) == ("1 week", "2 Y", "MIDPOINT")


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (None, ""),
        ("20240105 10:00:00 US/Eastern", "20240105 10:00:00 US/Eastern"),
        (datetime(2024, 1, 5, 10, tzinfo=NEW_YORK), "20240105 15:00:00 UTC"),
    ],
)
def test_ends(end: Any, text: str) -> None:
    peer = EngineUnderTest()
    ask(peer, end=end)
    assert peer.requests()[0].endDateTime == text


# -- schedules, ticks and the rest ---------------------------------------------------------------------------


@each_version
def test_schedule(version: int) -> None:
    peer = EngineUnderTest(version)
    call = past.historical_schedule(peer.engine, CONTRACT, 5, "", True)
    (request,) = peer.requests()
    assert (request.whatToShow, request.barSizeSetting, request.durationStr) == ("SCHEDULE", "1 day", "5 D")
    session = HistoricalSession("20240105-09:30:00", "20240105-16:00:00", "20240105")
    peer.send(m.HistoricalSchedule(1, "20240105-09:30:00", "20240105-16:00:00", "US/Eastern", [session]))
    assert call.result() == HistoricalSchedule("20240105-09:30:00", "20240105-16:00:00", "US/Eastern", [session])


def test_schedules_need_a_server_that_knows_them() -> None:
    with pytest.raises(UnsupportedField, match="165"):
        past.historical_schedule(EngineUnderTest(164).engine, CONTRACT, 5, "", True)


@each_version
def test_historical_ticks(version: int) -> None:
    peer = EngineUnderTest(version)
    time = datetime(2024, 1, 5, 15, tzinfo=UTC)
    at = int(time.timestamp())

    def get(show: str) -> Any:
        return past.ticks_of(CONTRACT, time, "", 2, show, True, False, ())(peer.engine)

    trades, quotes, midpoints = get("TRADES"), get("BID_ASK"), get("midpoint")
    request = peer.requests()[2]
    assert (request.startDateTime, request.endDateTime, request.whatToShow) == ("20240105 15:00:00 UTC", "", "MIDPOINT")
    peer.send(
        m.HistoricalTicksLast(1, [m.TickLastRow(at, 100.0, 5.0, True, False, "ARCA", "I")], False),
        m.HistoricalTicksBidAsk(2, [m.TickBidAskRow(at, 99.0, 101.0, 3.0, 4.0, False, True)], True),
        m.HistoricalTicks(3, [m.TickRow(at, 100.25, 0.0)], True),
    )
    assert not trades.done
    peer.send(m.HistoricalTicksLast(1, [m.TickLastRow(at, 101.0, 6.0, False, True, "", "")], True))
    assert trades.result() == [
        HistoricalTickLast(time, TickAttribLast(True, False), 100.0, 5.0, "ARCA", "I"),
        HistoricalTickLast(time, TickAttribLast(False, True), 101.0, 6.0, "", ""),
    ]
    assert quotes.result() == [HistoricalTickBidAsk(time, TickAttribBidAsk(False, True), 99.0, 101.0, 3.0, 4.0)]
    assert midpoints.result() == [HistoricalTick(time, 100.25, 0.0)]


@pytest.mark.parametrize(
    ("start", "end", "show", "words"),
    [
        ("", "", "TRADES", "one of startDateTime and endDateTime"),
        ("20240105", "20240106", "TRADES", "one of startDateTime and endDateTime"),
        ("20240105", "", "BID", "MIDPOINT"),
    ],
)
def test_requests_for_ticks_that_are_refused(start: str, end: str, show: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        past.ticks_of(CONTRACT, start, end, 10, show, True, False, ())


@pytest.mark.parametrize(("version", "sent"), [(214, []), (215, [m.CancelHistoricalTicks(1)])])
def test_giving_up_ticks_cancels_them_where_that_exists(version: int, sent: list[m.Request]) -> None:
    peer = EngineUnderTest(version)
    call = past.ticks_of(CONTRACT, "", "20240105 10:00:00 UTC", 10, "TRADES", True, False, ())(peer.engine)
    peer.requests()
    call.cancel()
    assert peer.requests() == sent


@each_version
@pytest.mark.parametrize("text", ["19801212-14:30:00", "345479400", "19801212-14:30:00Z"])
def test_head_timestamp(version: int, text: str) -> None:
    peer = EngineUnderTest(version)
    call = past.head_timestamp(peer.engine, CONTRACT, "TRADES", True, 1)
    peer.requests()
    peer.send(m.HeadTimestamp(1, text))
    assert call.result() == datetime(1980, 12, 12, 14, 30, tzinfo=UTC)
    assert call.result().tzinfo is not None
    assert peer.requests() == [m.CancelHeadTimestamp(1)]


def test_a_head_timestamp_that_makes_no_sense() -> None:
    peer = EngineUnderTest()
    call = past.head_timestamp(peer.engine, CONTRACT, "TRADES", True, 1)
    peer.send(m.HeadTimestamp(1, "long ago"))
    assert isinstance(call.error, MalformedMessage)


@each_version
def test_histogram(version: int) -> None:
    peer = EngineUnderTest(version)
    call = past.histogram_data(peer.engine, CONTRACT, True, "3 days")
    assert peer.requests()[0].timePeriod == "3 days"
    peer.send(m.HistogramData(1, [HistogramData(100.0, 2.5), HistogramData(101.0, 3.0)]))
    assert call.result() == [HistogramData(100.0, 2.5), HistogramData(101.0, 3.0)]
