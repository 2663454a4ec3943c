"""Historical data as users ask for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ibkit.errors import InvalidRequest, PacingViolation, RequestTimeout
from ibkit.model import BarDataList, HistogramData, HistoricalSession, HistoricalTick, Stock
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.desk import Desk, desk

AAPL = Stock("AAPL", "SMART", "USD")


def row(minute: int, close: float = 1.0) -> m.BarRow:
    return m.BarRow(f"20240105 10:{minute:02d}:00 US/Eastern", 1.0, 2.0, 0.5, close, 100.0, 1.25, 7)


class Broker:
    """Answers for one server version."""

    def __init__(self, version: int = 225) -> None:
        self.version = version

    def __call__(self, request: Any) -> list[m.Answer] | None:
        match request:
            case m.ReqHistoricalData(reqId=req_id, contract=contract, whatToShow=show):
                if contract.symbol == "SLOW":
                    return []
                if contract.symbol == "FAST":
                    text = "Historical Market Data Service error message:pacing violation"
                    return [m.ErrMsg(req_id, 162, text, "", 0)]
                if show == "SCHEDULE":
                    return [m.HistoricalSchedule(req_id, "a", "b", "US/Eastern", [HistoricalSession("a", "b", "c")])]
                answer: list[m.Answer] = [m.HistoricalData(req_id, "", "", [row(0), row(1)])]
                return answer if self.version < 196 else [*answer, m.HistoricalDataEnd(req_id, "", "")]
            case m.ReqHeadTimestamp(reqId=req_id):
                return [m.HeadTimestamp(req_id, "19801212-14:30:00")]
            case m.ReqHistogramData(tickerId=req_id):
                return [m.HistogramData(req_id, [HistogramData(1.0, 2.0)])]
            case m.ReqHistoricalTicks(reqId=req_id):
                return [m.HistoricalTicks(req_id, [m.TickRow(1_704_466_800, 1.0, 0.0)], True)]
            case m.ReqRealTimeBars(reqId=req_id):
                return [m.RealTimeBars(req_id, 1_704_466_800, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1)]
        return None


def get(at: Desk, symbol: str = "AAPL", **more: Any) -> BarDataList:
    contract = Stock(symbol, "SMART", "USD")
    return at.ib.reqHistoricalData(contract, "", "1 D", "1 min", "TRADES", True, **more)


@pytest.fixture
def at() -> Iterator[Desk]:
    with desk(Broker()) as it:
        yield it


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_bars(version: int, how: str) -> None:
    with desk(Broker(version), version, how) as at:
        assert [bar.date.minute for bar in get(at)] == [0, 1]  # type: ignore[union-attr]
        schedule = at.ib.reqHistoricalSchedule(AAPL, 5)
        assert (schedule.timeZone, len(schedule.sessions)) == ("US/Eastern", 1)
        assert at.ib.reqHeadTimeStamp(AAPL, "TRADES", True) == datetime(1980, 12, 12, 14, 30, tzinfo=UTC)
        assert at.ib.reqHistogramData(AAPL, True, "3 days") == [HistogramData(1.0, 2.0)]
        ticks = at.ib.reqHistoricalTicks(AAPL, "", datetime(2024, 1, 5, tzinfo=UTC), 10, "MIDPOINT", False)
        assert ticks == [HistoricalTick(datetime(2024, 1, 5, 15, tzinfo=UTC), 1.0, 0.0)]


def test_everything_in_a_loop() -> None:
    async def main() -> None:
        with desk(Broker()) as at:
            bars, schedule, head, histogram, ticks = await asyncio.gather(
                at.ib.reqHistoricalDataAsync(AAPL, "", "1 D", "1 min", "TRADES", True),
                at.ib.reqHistoricalScheduleAsync(AAPL, 5),
                at.ib.reqHeadTimeStampAsync(AAPL, "TRADES", True),
                at.ib.reqHistogramDataAsync(AAPL, True, "3 days"),
                at.ib.reqHistoricalTicksAsync(AAPL, "", "20240105 00:00:00 UTC", 10, "MIDPOINT", False),
            )
            assert (len(bars), len(schedule.sessions), head.year, len(histogram), len(ticks)) == (2, 1, 1980, 1, 1)

    asyncio.run(main())


def test_giving_up_in_a_loop_cancels_on_the_wire() -> None:
    async def main() -> list[Any]:
        with desk(Broker()) as at:
            slow = Stock("SLOW", "SMART", "USD")
            task = asyncio.ensure_future(at.ib.reqHistoricalDataAsync(slow, "", "1 D", "1 min", "TRADES", True))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert not at.ib._state.history.bars
            await at.ib.reqHeadTimeStampAsync(AAPL, "TRADES", True)
            return at.script.requests

    assert m.CancelHistoricalData in [type(request) for request in asyncio.run(main())]


def test_keeping_bars_up_to_date(at: Desk) -> None:
    told: list[tuple[int, bool]] = []
    bars = get(at, keepUpToDate=True)
    bars.updateEvent += lambda changed, is_new: told.append((len(changed), is_new))
    assert at.ib.realtimeBars() == [bars]
    at.script.say(m.HistoricalDataUpdate(bars.reqId, row(1, 3.0)), m.HistoricalDataUpdate(bars.reqId, row(2)))
    at.ib.sleep(1)
    assert told == [(2, False), (3, True)]
    at.asked()
    at.ib.cancelHistoricalData(bars)
    assert at.asked() == [m.CancelHistoricalData(bars.reqId)]
    assert at.ib.realtimeBars() == []


def test_real_time_bars(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[Any, bool]] = []
    at.ib.barUpdateEvent += lambda bars, is_new: told.append((bars, is_new))
    bars = at.ib.reqRealTimeBars(AAPL, 5, "midpoint", False)
    at.ib.sleep(1)
    assert told == [(bars, True)]
    assert at.ib.realtimeBars() == [bars]
    at.ib.cancelRealTimeBars(bars)
    assert at.asked() == [m.ReqRealTimeBars(at.id, AAPL, 5, "MIDPOINT", False, []), m.CancelRealTimeBars(at.id)]
    with caplog.at_level(logging.ERROR):
        at.ib.cancelRealTimeBars(bars)
    assert "not subscribed" in caplog.text
    with pytest.raises(InvalidRequest, match="TRADES, MIDPOINT, BID, ASK"):
        at.ib.reqRealTimeBars(AAPL, 5, "BID_ASK", False)


def test_a_timeout_of_the_request(at: Desk) -> None:
    with pytest.raises(RequestTimeout, match="60 s"):
        get(at, "SLOW")
    at.asked()
    with pytest.raises(RequestTimeout, match="5 s"):
        get(at, "SLOW", timeout=5)
    assert [type(request) for request in at.asked()] == [m.ReqHistoricalData, m.CancelHistoricalData]
    at.ib.RequestTimeout = 3
    with pytest.raises(RequestTimeout, match="3 s"):
        get(at, "SLOW")
    assert len(get(at)) == 2


def test_what_the_broker_refuses(at: Desk) -> None:
    with pytest.raises(PacingViolation):
        get(at, "FAST")
    at.ib.RaiseRequestErrors = False
    assert list(get(at, "FAST")) == []
    assert list(get(at, "SLOW", timeout=1)) == []


def test_what_is_refused_before_it_is_sent(at: Desk) -> None:
    with pytest.raises(InvalidRequest, match=r"1 secs, 5 secs.*15 mins.*1 month"):
        at.ib.reqHistoricalData(AAPL, "", "1 D", "15 min", "TRADES", True)
    with pytest.raises(InvalidRequest, match="MIDPOINT"):
        at.ib.reqHistoricalTicks(AAPL, "", "20240105", 10, "LAST", True)
    assert at.asked() == []
    assert isinstance(InvalidRequest("x"), ValueError)
