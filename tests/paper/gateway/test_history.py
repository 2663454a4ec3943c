"""Historical bars, their updates, schedules, head timestamps, histograms and ticks."""

from __future__ import annotations

import pytest

from ibkit.model import Contract
from ibkit.paper.gateway import Limits
from ibkit.paper.gateway.handlers import history
from ibkit.paper.gateway.handlers.history import BAR_SIZES
from ibkit.wire import messages as m
from tests.paper.gateway.peer import START, Client, World, only

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
EURUSD = Contract(secType="CASH", symbol="EUR", exchange="IDEALPRO", currency="USD")
ES = Contract(secType="CONTFUT", symbol="ES", exchange="CME")


def query(
    contract: Contract = APPLE, *, req_id: int = 1, end: str = "", size: str = "15 mins", duration: str = "2 D",
    what: str = "TRADES", form: int = 1, keep: bool = False, rth: int = 1,
) -> m.ReqHistoricalData:  # fmt: skip
    return m.ReqHistoricalData(req_id, contract, end, size, duration, rth, what, form, keep, [])


def bars(client: Client, request: m.ReqHistoricalData) -> list[m.BarRow]:
    return client.one(m.HistoricalData, request).bars


@pytest.mark.parametrize("version", [157, 173, 174, 193, 196, 213, 225])
def test_the_end_and_the_dates_by_version(version: int) -> None:
    answers = World().client(version=version).ask(query())
    data = answers[0]
    assert isinstance(data, m.HistoricalData)
    first = data.bars[0].date
    assert first == ("20240109  09:30:00" if version < 174 else "20240109 09:30:00 US/Eastern")
    if version < 196:
        assert len(answers) == 1
        assert data.startDateStr
        assert data.endDateStr
    else:
        assert isinstance(answers[1], m.HistoricalDataEnd)
        assert answers[1].start.startswith("20240109 09:30:00")


def test_bars_ascend_and_hold_together() -> None:
    found = bars(World().client(), query(form=2))
    times = [int(bar.date) for bar in found]
    assert times == sorted(set(times))
    assert len(found) == 26 + 2  # yesterday, and this morning's first half hour
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in found)
    assert all(bar.low <= bar.wap <= bar.high and bar.volume > 0 and bar.barCount > 0 for bar in found)


@pytest.mark.parametrize("size", BAR_SIZES)
def test_every_bar_size(size: str) -> None:
    seconds = BAR_SIZES[size]
    duration = "1800 S" if seconds < 60 else "1 D" if seconds < 3600 else "1 M" if seconds < 86400 else "1 Y"
    found = bars(World().client(), query(size=size, duration=duration))
    assert found
    assert (len(found[0].date) == 8) == (seconds >= 86400)


@pytest.mark.parametrize("duration", ["60 S", "86400 S", "1 D", "365 D", "1 W", "52 W", "1 M", "12 M", "1 Y", "68 Y"])
def test_every_unit_of_durations(duration: str) -> None:
    assert bars(World().client(), query(size="1 day" if duration[-1] != "S" else "1 min", duration=duration))


@pytest.mark.parametrize(
    "what",
    [
        "TRADES",
        "MIDPOINT",
        "BID",
        "ASK",
        "BID_ASK",
        "ADJUSTED_LAST",
        "HISTORICAL_VOLATILITY",
        "OPTION_IMPLIED_VOLATILITY",
    ],
)
def test_everything_there_is_to_show(what: str) -> None:
    assert bars(World().client(), query(what=what, size="1 day", duration="1 M"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"size": "15 min"}, 321),
        ({"duration": "2 days"}, 321),
        ({"duration": "0 D"}, 321),
        ({"duration": "400 D"}, 321),
        ({"duration": "90000 S"}, 321),
        ({"size": "1 secs", "duration": "1 D"}, 162),
        ({"size": "5 secs", "duration": "1 Y"}, 162),
        ({"what": "NONSENSE"}, 321),
        ({"contract": EURUSD, "what": "TRADES"}, 321),
        ({"contract": Contract(secType="STK", symbol="NOSUCH", exchange="SMART", currency="USD")}, 200),
        ({"form": 7}, 321),
        ({"end": "tomorrow"}, 10314),
        ({"end": "20240105 10:00:00 US/Eastern", "keep": True}, 321),
        ({"keep": True, "what": "BID_ASK"}, 321),
        ({"contract": ES, "end": "20240105 10:00:00 US/Eastern"}, 10339),
        ({"what": "SCHEDULE", "size": "1 hour"}, 10295),
        ({"size": "5 secs", "duration": "60 S", "end": "20220105 10:00:00 US/Eastern"}, 162),
        ({"end": "19900105 10:00:00 US/Eastern"}, 162),
    ],
)
def test_what_cannot_be_had(change: dict[str, object], code: int) -> None:
    assert World().client().error(query(**change)).errorCode == code  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "duration"), [("1 min", "1 Y"), ("30 secs", "6 M"), ("5 secs", "365 D")])
def test_what_fits_into_no_message_is_refused_before_it_is_made(size: str, duration: str) -> None:
    client = World().client()
    request = m.ReqHistoricalData(1, APPLE, "", size, duration, 0, "TRADES", 1, False, [])
    error = client.error(request)
    assert error.errorCode == 162
    assert "Time length exceed max" in error.errorString
    histogram = client.error(m.ReqHistogramData(2, APPLE, False, "1 year"))
    assert (histogram.errorCode, "exceed max" in histogram.errorString) == (10188, True)


FUTURE = Contract(secType="FUT", symbol="ES", lastTradeDateOrContractMonth="202403", exchange="CME", currency="USD")


@pytest.mark.parametrize("contract", [APPLE, EURUSD, FUTURE], ids=lambda contract: contract.secType)
@pytest.mark.parametrize(
    ("size", "duration"), [("30 secs", "3 D"), ("1 min", "1 W"), ("20 mins", "1 M"), ("1 hour", "2 M")]
)
@pytest.mark.parametrize("rth", [0, 1])
def test_a_long_history_is_made_in_pieces_and_is_the_same(
    contract: Contract, size: str, duration: str, rth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = m.ReqHistoricalData(1, contract, "", size, duration, rth, "MIDPOINT", 2, False, [])
    whole = World().client().one(m.HistoricalData, request)
    monkeypatch.setattr(history, "AT_ONCE", 40)
    world = World()
    client, other = world.client(1), world.client(2)
    assert client.ask(request) == []
    assert isinstance(other.ask(m.ReqCurrentTime())[0], m.CurrentTime)
    assert client.error(request).errorCode == 386
    told = only(m.HistoricalData, client.wait(5))
    assert told == [whole]
    assert client.wait(60) == []


def test_a_long_history_can_be_cancelled_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 40)
    client = World().client()
    assert client.ask(m.ReqHistoricalData(1, APPLE, "", "1 min", "1 M", 1, "TRADES", 2, True, [])) == []
    assert client.error(m.CancelHistoricalData(1)).errorCode == 162
    assert client.wait(60) == []


def test_a_wrong_bar_size_is_told_the_right_ones() -> None:
    text = World().client().error(query(size="15 min")).errorString
    assert all(size in text for size in BAR_SIZES)


def test_a_time_without_zone_is_a_warning_of_new_servers() -> None:
    answers = World().client().ask(query(end="20240105 10:00:00"))
    assert only(m.ErrMsg, answers)[0].errorCode == 2174
    assert only(m.HistoricalData, answers)
    assert not only(m.ErrMsg, World().client(version=173).ask(query(end="20240105  10:00:00")))
    assert not only(m.ErrMsg, World().client().ask(query(end="20240105-15:00:00")))


def test_history_does_not_depend_on_when_it_is_asked_for() -> None:
    end = "20240109 16:00:00 US/Eastern"
    early, late = World("2024-01-10 10:00"), World("2024-01-12 15:00")
    assert bars(early.client(), query(end=end)) == bars(late.client(), query(end=end))


class TestKeepUpToDate:
    """Bars that grow."""

    def test_updates_lead_to_the_same_bars_as_history(self) -> None:
        client = World().client()
        live = {bar.date: bar for bar in bars(client, query(size="1 min", duration="3600 S", keep=True))}
        updates = [update.bar for update in only(m.HistoricalDataUpdate, client.wait(330))]
        assert [bar.date for bar in updates] == sorted(bar.date for bar in updates)
        for bar in updates:
            live[bar.date] = bar
        past = {bar.date: bar for bar in bars(client, query(req_id=2, size="1 min", duration="600 S"))}
        assert past == {date: live[date] for date in past}
        assert len(updates) >= 250

    @pytest.mark.parametrize("version", [176, 225])
    def test_fifteen_minutes_of_midpoints_over_the_close(self, version: int) -> None:
        client = World("2024-01-10 15:40").client(version=version)
        live = {bar.date: bar for bar in bars(client, query(what="MIDPOINT", keep=True))}
        for update in only(m.HistoricalDataUpdate, client.wait(3600)):
            live[update.bar.date] = update.bar
        past = bars(client, query(req_id=2, what="MIDPOINT"))
        assert past == [live[bar.date] for bar in past]

    def test_cancelling_says_so(self) -> None:
        client = World().client()
        client.ask(query(keep=True))
        assert client.error(m.CancelHistoricalData(1)).errorCode == 162
        assert client.wait(10) == []
        assert client.error(m.CancelHistoricalData(1)).errorCode == 366


def test_history_may_take_its_time() -> None:
    client = World(limits=Limits(history_delay_s=0.5)).client()
    for n in range(1, 40):
        client.send(query(req_id=n))
    assert client.read() == []
    assert len(only(m.HistoricalData, client.wait(0.6))) == 39
    client.send(query(req_id=50))
    assert client.error(m.CancelHistoricalData(50)).errorCode == 162
    assert client.wait(1) == []
    client.send(query(req_id=51, end="19900105 10:00:00 US/Eastern"))
    assert only(m.ErrMsg, client.wait(1))[0][:2] == (51, 162)


def test_small_bars_may_be_paced() -> None:
    client = World(limits=Limits(historical_pacing=True)).client()
    small = {"size": "5 secs", "duration": "60 S"}
    assert bars(client, query(**small))  # type: ignore[arg-type]
    assert "pacing" in client.error(query(**small)).errorString  # type: ignore[arg-type]
    client.wait(16)
    assert bars(client, query(**small))  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [165, 200, 225])
def test_schedules(version: int) -> None:
    client = World().client(version=version)
    schedule = client.one(m.HistoricalSchedule, query(what="SCHEDULE", size="1 day", duration="5 D"))
    assert schedule.timeZone == "US/Eastern"
    assert [session.refDate for session in schedule.sessions] == [
        "20240104",
        "20240105",
        "20240108",
        "20240109",
        "20240110",
    ]
    assert schedule.sessions[0].startDateTime == "20240104-09:30:00"
    assert schedule.sessions[0].endDateTime == "20240104-16:00:00"


def test_head_timestamps() -> None:
    client = World().client(version=200)
    epoch = client.one(m.HeadTimestamp, m.ReqHeadTimestamp(1, APPLE, 1, "TRADES", 2)).headTimestamp
    text = client.one(m.HeadTimestamp, m.ReqHeadTimestamp(2, APPLE, 1, "TRADES", 1)).headTimestamp
    assert int(epoch) < START
    assert len(text) == 17
    assert client.error(m.ReqHeadTimestamp(3, EURUSD, 1, "TRADES", 1)).errorCode == 162


def test_histograms() -> None:
    client = World().client()
    items = client.one(m.HistogramData, m.ReqHistogramData(1, APPLE, True, "3 days")).items
    assert [item.price for item in items] == sorted(item.price for item in items)
    assert all(item.count > 0 for item in items)
    assert client.error(m.ReqHistogramData(2, APPLE, True, "soon")).errorCode == 321
    assert client.error(m.ReqHistogramData(3, APPLE, True, "20 years")).errorCode == 10188


class TestHistoricalTicks:
    """So many ticks from a moment, or before one."""

    @pytest.mark.parametrize("what", ["TRADES", "BID_ASK", "MIDPOINT"])
    def test_before_and_from_a_moment_agree(self, what: str) -> None:
        client = World().client()

        def ticks(req_id: int, start: str, end: str, number: int) -> list[object]:
            request = m.ReqHistoricalTicks(req_id, APPLE, start, end, number, what, 1, False, [])
            answer = client.ask(request)[0]
            assert isinstance(answer, m.HistoricalTicks | m.HistoricalTicksBidAsk | m.HistoricalTicksLast)
            assert answer.done
            return list(answer.ticks)

        before = ticks(1, "", "20240110 10:00:00 US/Eastern", 100)
        assert 100 <= len(before) < 120
        times = [tick.time for tick in before]  # type: ignore[attr-defined]
        assert times == sorted(times)
        assert times[-1] < START
        again = ticks(2, client.world.gateway and _text(times[0]), "", len(before))
        assert again[: len(before)] == before

    def test_they_reach_back_over_the_night(self) -> None:
        client = World("2024-01-10 09:30:10").client()
        request = m.ReqHistoricalTicks(1, APPLE, "", "20240110 09:30:05 US/Eastern", 500, "TRADES", 1, False, [])
        ticks = client.one(m.HistoricalTicksLast, request).ticks
        assert len(ticks) >= 500
        assert ticks[0].time < START - 12 * 3600

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"start": "20240109 10:00:00 US/Eastern"}, 321),
            ({"end": ""}, 321),
            ({"number": 1001}, 321),
            ({"what": "NONSENSE"}, 321),
            ({"contract": EURUSD, "what": "TRADES"}, 10187),
        ],
    )
    def test_refusals(self, change: dict[str, object], code: int) -> None:
        values = {
            "contract": APPLE,
            "start": "",
            "end": "20240109 10:00:00 US/Eastern",
            "number": 10,
            "what": "TRADES",
            **change,
        }
        request = m.ReqHistoricalTicks(
            1,
            values["contract"],
            values["start"],
            values["end"],
            values["number"],
            values["what"],
            1,
            False,
            [],  # type: ignore[arg-type]
        )
        assert World().client().error(request).errorCode == code


def _text(epoch: int) -> str:
    from ibkit.paper.gateway import times

    return times.stamp(epoch, 225)
