"""Answers to different requests tell of one market and one account: what must agree, on the wire."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit import dates
from ibkit.model import Contract, ExecutionFilter, LimitOrder, MarketOrder, Order, OrderCancel
from ibkit.paper.gateway import Limits
from ibkit.wire import messages as m
from tests.paper.gateway.peer import Client, World, only

VERSIONS = (157, 200, 225)
DAY = "20240110"
KINDS = {
    "stock": Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD"),
    "german stock": Contract(secType="STK", symbol="SAP", exchange="SMART", currency="EUR"),
    "future": Contract(
        secType="FUT", symbol="ES", lastTradeDateOrContractMonth="202403", exchange="CME", currency="USD"
    ),
    "forex": Contract(secType="CASH", symbol="EUR", exchange="IDEALPRO", currency="USD"),
    "option": Contract(
        secType="OPT", symbol="AAPL", lastTradeDateOrContractMonth="20240119", right="C", strike=155.0,
        exchange="SMART", currency="USD",
    ),
    "index": Contract(secType="IND", symbol="SPX", exchange="CBOE", currency="USD"),
    "crypto": Contract(secType="CRYPTO", symbol="BTC", exchange="PAXOS", currency="USD"),
}  # fmt: skip
QUOTED = [kind for kind in KINDS if kind != "index"]
TRADED = [kind for kind in KINDS if kind != "forex"]
WITH_SIZES = [kind for kind in TRADED if kind != "index"]


def _client(version: int = 225, start: str = "2024-01-10 11:30") -> Client:
    return World(start, server_version=version, limits=Limits(over_rate="ignore")).client()


def _bars(
    client: Client, kind: str, size: str, duration: str, what: str = "TRADES", rth: int = 0, req_id: int = 1
) -> list[m.BarRow]:
    request = m.ReqHistoricalData(req_id, KINDS[kind], "", size, duration, rth, what, 2, False, [])
    rows = client.one(m.HistoricalData, request).bars
    assert rows
    moments = [row.date for row in rows]
    assert moments == sorted(set(moments))
    assert all(row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high for row in rows)
    return list(rows)


def _sum(rows: list[m.BarRow]) -> tuple[float, ...]:
    """Return what a bar over ``rows`` would show: open, high, low, close, volume, count."""
    sized = rows[0].barCount >= 0
    return (
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        sum(row.volume for row in rows) if sized else rows[0].volume,
        sum(row.barCount for row in rows) if sized else rows[0].barCount,
    )


def _figures(row: m.BarRow) -> tuple[float, ...]:
    return row.open, row.high, row.low, row.close, row.volume, row.barCount


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID", "ASK"])
@pytest.mark.parametrize("kind", KINDS)
def test_small_bars_add_up_to_large_ones(kind: str, what: str, version: int) -> None:
    if (what == "TRADES" and kind not in TRADED) or (what != "TRADES" and kind not in QUOTED):
        what = "MIDPOINT" if kind == "forex" else "TRADES"
    client = _client(version)
    for small, large, seconds in (("1 min", "5 mins", 300), ("5 secs", "1 min", 60), ("5 mins", "1 hour", 3600)):
        duration = "3600 S" if seconds < 3600 else "1 D"
        parts = _bars(client, kind, small, duration, what)
        wholes = [row for row in _bars(client, kind, large, duration, what) if int(row.date) >= int(parts[0].date)]
        assert len(wholes) >= 3
        for row, end in pairwise([*(int(row.date) for row in wholes), int(parts[-1].date) + seconds]):
            inside = [part for part in parts if row <= int(part.date) < end]
            (whole,) = [w for w in wholes if int(w.date) == row]
            assert _sum(inside) == pytest.approx(_figures(whole), rel=1e-9)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rth", [0, 1])
def test_a_day_is_the_sum_of_its_minutes(kind: str, rth: int, version: int) -> None:
    client = _client(version)
    what = "MIDPOINT" if kind == "forex" else "TRADES"
    days = _bars(client, kind, "1 day", "2 D", what, rth)
    minutes = _bars(client, kind, "1 min", "1 D", what, rth)
    assert len(days) == 2
    assert _sum(minutes) == pytest.approx(_figures(days[-1]), rel=1e-9)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", QUOTED)
def test_bids_stay_below_asks(kind: str, version: int) -> None:
    client = _client(version)
    bids, asks, mids, both = (
        _bars(client, kind, "1 min", "3600 S", what) for what in ("BID", "ASK", "MIDPOINT", "BID_ASK")
    )
    assert [row.date for row in bids] == [row.date for row in asks] == [row.date for row in mids]
    for bid, ask, mid in zip(bids, asks, mids, strict=True):
        assert 0 < bid.low <= mid.low <= mid.high <= ask.high
        assert bid.high <= ask.high
        assert bid.open < ask.open or kind == "option"
    for bid, ask, row in zip(bids, asks, both, strict=True):  # open and close are the mean bid and ask
        assert bid.low <= row.open <= bid.high + 1e-9
        assert ask.low - 1e-9 <= row.close <= ask.high
        assert (row.low, row.high) == (bid.low, ask.high)
    ticks = client.one(
        m.HistoricalTicksBidAsk,
        m.ReqHistoricalTicks(2, KINDS[kind], f"{DAY}-16:00:00", "", 200, "BID_ASK", 0, False, []),
    ).ticks
    assert ticks
    assert all(0 < tick.priceBid <= tick.priceAsk for tick in ticks)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", WITH_SIZES)
def test_past_ticks_are_what_bars_are_made_of(kind: str, version: int) -> None:
    client = _client(version)
    bars = {int(row.date): row for row in _bars(client, kind, "1 min", "1800 S")}
    start = min(bars) + 60
    asked = datetime.fromtimestamp(start, dates.zone("UTC")).strftime("%Y%m%d-%H:%M:%S")
    ticks = client.one(
        m.HistoricalTicksLast, m.ReqHistoricalTicks(2, KINDS[kind], asked, "", 1000, "TRADES", 0, False, [])
    ).ticks
    assert [tick.time for tick in ticks] == sorted(tick.time for tick in ticks)
    last_whole = max(tick.time for tick in ticks) // 60 * 60 if len(ticks) >= 1000 else max(bars)
    compared = 0
    for moment in range(start, last_whole, 60):
        inside = [tick for tick in ticks if moment <= tick.time < moment + 60]
        bar = bars.get(moment)
        assert (bar is None or not bar.barCount) == (not inside)
        if bar is not None and inside:
            prices = [tick.price for tick in inside]
            assert (prices[0], max(prices), min(prices), prices[-1]) == (bar.open, bar.high, bar.low, bar.close)
            assert sum(float(tick.size) for tick in inside) == pytest.approx(bar.volume)
            assert len(inside) == bar.barCount
            compared += 1
    assert compared or kind == "option"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_older_than_the_head_timestamp(kind: str) -> None:
    client = _client()
    what = "MIDPOINT" if kind == "forex" else "TRADES"
    head = int(client.one(m.HeadTimestamp, m.ReqHeadTimestamp(1, KINDS[kind], 0, what, 2)).headTimestamp)
    first = _bars(client, kind, "1 day", "68 Y", what)[0]
    assert datetime.fromtimestamp(head, dates.zone("UTC")).strftime("%Y%m%d") <= first.date
    assert head <= int(_bars(client, kind, "1 min", "1 D", what)[0].date)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", WITH_SIZES)
def test_a_histogram_counts_what_the_bars_count(kind: str, version: int) -> None:
    client = _client(version)
    items = client.one(m.HistogramData, m.ReqHistogramData(1, KINDS[kind], False, "1 hour")).items
    rows = [row for row in _bars(client, kind, "1 min", "3600 S") if int(row.date) >= client.world.clock.time() - 3600]
    lot = 100 if version < 175 and kind == "stock" else 1  # bars of old servers count lots
    assert sum(float(item.count) for item in items) == pytest.approx(sum(row.volume for row in rows) * lot)
    assert max(item.price for item in items) == max(row.high for row in rows if row.barCount)
    assert min(item.price for item in items) == min(row.low for row in rows if row.barCount)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rth", [0, 1])
def test_a_schedule_covers_all_bars(kind: str, rth: int) -> None:
    client = _client()
    what = "MIDPOINT" if kind == "forex" else "TRADES"
    request = m.ReqHistoricalData(9, KINDS[kind], "", "1 day", "1 W", rth, "SCHEDULE", 1, False, [])
    told = client.one(m.HistoricalSchedule, request)
    zone = dates.zone(told.timeZone)

    def moment(text: str) -> float:
        return datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=zone).timestamp()

    spans = [(moment(session.startDateTime), moment(session.endDateTime)) for session in told.sessions]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    rows = _bars(client, kind, "10 mins", "1 W", what, rth)
    assert all(any(start <= int(row.date) < end for start, end in spans) for row in rows)
    days = {session.refDate for session in told.sessions}
    assert {row.date for row in _bars(client, kind, "1 day", "3 D", what, rth)} <= days


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["stock", "future", "option", "index"])
def test_a_line_shows_the_day_that_bars_show(kind: str, version: int) -> None:
    client = _client(version)
    answers = client.ask(m.ReqMktData(1, KINDS[kind], "", False, False, []), secs=2)
    client.send(m.CancelMktData(1))
    prices = {tick.tickType: tick.price for tick in only(m.TickPrice, answers)}
    before, today = _bars(client, kind, "1 day", "2 D", rth=int(kind != "future"))
    assert (prices[6], prices[7], prices[9]) == (today.high, today.low, before.close)
    assert prices[7] <= prices[4] <= prices[6]
    if kind != "index":
        assert prices[1] <= prices[2]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_models_volatility_gives_its_price_back(version: int) -> None:
    client = _client(version)
    option = KINDS["option"]
    answers = client.ask(m.ReqMktData(1, option, "", False, False, []), secs=2)
    client.send(m.CancelMktData(1))
    for tick in only(m.TickOptionComputation, answers):
        if not 0 < tick.impliedVol < 10 or tick.tickType not in (10, 11, 13):
            continue
        told = client.one(m.TickOptionComputation, m.ReqCalcOptionPrice(2, option, tick.impliedVol, tick.undPrice, []))
        assert told.optPrice == pytest.approx(tick.optPrice, rel=1e-3)
        back = client.one(m.TickOptionComputation, m.ReqCalcImpliedVolat(3, option, tick.optPrice, tick.undPrice, []))
        assert back.impliedVol == pytest.approx(tick.impliedVol, rel=1e-3)


TRADES = st.lists(
    st.tuples(
        st.sampled_from(["stock", "german stock", "future", "forex", "option"]), st.booleans(), st.integers(1, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip
UNITS = {"stock": 100.0, "german stock": 50.0, "future": 1.0, "forex": 20_000.0, "option": 1.0}


@settings(max_examples=25, deadline=None)
@given(TRADES, st.sampled_from(VERSIONS))
def test_positions_are_the_sum_of_executions_and_every_execution_has_its_commission(
    trades: list[tuple[str, bool, int, bool]], version: int
) -> None:
    client = _client(version, "2024-01-10 10:30")
    told: list[m.Answer] = []
    for order_id, (kind, buys, lots, limit) in enumerate(trades, start=1):
        action, size = "BUY" if buys else "SELL", UNITS[kind] * lots
        order: Order = MarketOrder(action, size)
        if limit and kind == "stock":
            order = LimitOrder(action, size, 1000.0 if buys else 1.0)
        told += client.ask(m.PlaceOrder(order_id, KINDS[kind], order), secs=20)
    client.send(m.ReqGlobalCancel(OrderCancel()))
    told += client.wait(10)
    live = {row.execution.execId: row for row in only(m.ExecutionData, told)}
    costs = [row.commissionAndFeesReport for row in only(m.CommissionAndFeesReport, told)]
    assert sorted(cost.execId for cost in costs) == sorted(live)
    asked = client.ask(m.ReqExecutions(99, ExecutionFilter()))
    assert {row.execution.execId for row in only(m.ExecutionData, asked)} == set(live)
    assert [row.commissionAndFeesReport for row in only(m.CommissionAndFeesReport, asked)] == costs
    sums: dict[int, float] = {}
    for row in live.values():
        signed = float(row.execution.shares) * (1 if row.execution.side == "BOT" else -1)
        sums[row.contract.conId] = sums.get(row.contract.conId, 0.0) + signed
    held = {row.contract.conId: float(row.position) for row in only(m.PositionData, client.ask(m.ReqPositions()))}
    assert held == {con_id: pytest.approx(size) for con_id, size in sums.items() if size}
    updates = client.ask(m.ReqAcctData(True, ""))
    assert {row.contract.conId: float(row.position) for row in only(m.PortfolioValue, updates) if row.position} == held
    statuses = {row.orderId: row for row in only(m.OrderStatus, told)}
    for order_id, status in statuses.items():
        filled = sum(float(row.execution.shares) for row in live.values() if row.execution.orderId == order_id)
        assert float(status.filled) == pytest.approx(filled)
