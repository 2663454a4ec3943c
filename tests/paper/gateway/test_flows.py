"""No request is met with silence: each of them, at server versions of both forms, to its documented end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, get_args

import pytest

from ibkit.model import Contract, MarketOrder, OrderCancel
from ibkit.paper.gateway import Limits
from ibkit.paper.gateway.handlers import HANDLERS
from ibkit.wire import messages as m
from tests.paper.gateway.flows import (
    ABSENT,
    ACCOUNT,
    APPLE,
    APPLE_ID,
    BARS,
    CANCELS,
    FIRST,
    FLOWS,
    SILENT,
    SINCE,
    SPENT,
    STREAM,
    UPDATED,
    Cancel,
    Flow,
)
from tests.paper.gateway.peer import Client, World, only

VERSIONS = (157, 176, 200, 213, 225)
REQUESTS = set(get_args(m.Request))

Answers = list[m.Answer]


def _kind(flow: Flow) -> type:
    return type(flow.said(World().client()))


def _connect(version: int, client_id: int = 1, **limits: Any) -> Client:
    return World(server_version=version, limits=Limits(over_rate="ignore", **limits)).client(client_id)


def _name(row: Flow | Cancel) -> str:
    if isinstance(row, Cancel):
        return type(row.cancel).__name__
    ends = row.ends.__name__ if isinstance(row.ends, type) else row.ends
    return f"{_kind(row).__name__}-{ends}"


def _cases(rows: Sequence[Flow | Cancel]) -> list[Any]:
    """Each row at each server version that knows all of it."""
    found = []
    for row in rows:
        kinds = [type(row.begin), type(row.cancel)] if isinstance(row, Cancel) else [_kind(row), *map(type, row.before)]
        since = max(SINCE.get(kind, 0) for kind in kinds)
        found += [pytest.param(row, version, id=f"{_name(row)}-{version}") for version in VERSIONS if version >= since]
    return found


ANSWERED = {_kind(flow) for flow in FLOWS}


def test_every_request_is_in_the_tables() -> None:
    confirmed = {type(row.cancel) for row in CANCELS if row.confirmed}
    assert set(HANDLERS) == REQUESTS
    assert len(REQUESTS) == 85
    start = {m.StartApi, m.ReqHistoricalData}  # each connection begins with the one; the other has rows of its own
    assert ANSWERED | confirmed | set(SILENT) | start == REQUESTS
    # Answered here, silent there: an order to cancel or none, client 0 or another.
    assert ANSWERED & set(SILENT) == {m.ReqGlobalCancel, m.ReqAutoOpenOrders}
    assert all(SILENT.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_start(version: int) -> None:
    client = _connect(version, client_id=0)
    client = client.world.client(5, start=False)
    answers = client.ask(m.StartApi(5, ""))
    assert answers[:2] == [m.ManagedAccts(ACCOUNT), m.NextValidId(1)]
    assert {error.errorCode for error in only(m.ErrMsg, answers)} == {2104, 2106, 2158}
    assert all(error.reqId == -1 for error in only(m.ErrMsg, answers))
    assert client.error(m.StartApi(5, "")).errorCode == 322
    taken = client.world.client(5, start=False)
    assert taken.error(m.StartApi(5, "")).errorCode == 326
    assert taken.session.closed


@pytest.mark.parametrize(("flow", "version"), _cases(FLOWS))
def test_every_request_comes_to_its_end(flow: Flow, version: int) -> None:
    client = _connect(version)
    request = flow.said(client)
    for row in flow.before:
        client.ask(row, secs=3)
    answers = client.ask(request, secs=flow.secs)
    errors = only(m.ErrMsg, answers)
    kinds = [type(answer) for answer in answers]
    if isinstance(flow.ends, int):
        assert [error.errorCode for error in errors] == [flow.ends]
        assert errors[0].reqId in (-1, *(value for value in request if isinstance(value, int)))
        assert errors[0].errorString
        assert kinds == [m.ErrMsg]
    else:
        assert {error.errorCode for error in errors} == set(flow.codes)
    if isinstance(flow.ends, str) and flow.ends not in (FIRST, STREAM):
        assert only(m.OrderStatus, answers)[-1].status == flow.ends
    firsts = [kinds.index(kind) for kind in flow.answers]  # each has come ...
    assert firsts == sorted(firsts)  # ... in this order
    if isinstance(flow.ends, type):
        assert kinds.count(flow.ends) == 1
        assert kinds[-1] is flow.ends
    elif flow.ends == FIRST:
        assert kinds == list(flow.answers)
    if flow.ends != STREAM:
        assert client.wait(5) == []
    if flow.answers:
        CHECKS[type(request)](client, request, answers)
    assert not client.session.closed


@pytest.mark.parametrize(("row", "version"), _cases(CANCELS))
def test_a_cancel_ends_what_goes_on(row: Cancel, version: int) -> None:
    client = _connect(version)
    assert client.ask(row.begin, secs=31)
    assert client.session.streams
    answers = client.ask(row.cancel)
    assert [error.errorCode for error in only(m.ErrMsg, answers)] == ([row.confirmed] if row.confirmed else [])
    assert len(answers) == bool(row.confirmed)
    assert not client.session.streams
    client.world.client(2).ask(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10)), secs=5)  # things happen ...
    assert client.wait(400) == []  # ... and are not told
    assert client.ask(row.begin, secs=31)  # the id is free again


@pytest.mark.parametrize(("row", "version"), _cases(SPENT))
def test_a_cancel_of_what_was_answered_says_nothing(row: Cancel, version: int) -> None:
    client = _connect(version)
    if isinstance(row.begin, m.ReqWshEventData):
        client.ask(m.ReqWshMetaData(1))
    told = client.ask(row.begin)
    assert told
    assert client.ask(row.cancel, secs=5) == []
    again = client.ask(row.begin)
    assert [type(answer) for answer in again] == [type(answer) for answer in told]


@pytest.mark.parametrize("version", VERSIONS)
class TestSilence:
    """The effect of what TWS does not answer, beyond cancels."""

    def test_the_log_level(self, version: int, caplog: pytest.LogCaptureFixture) -> None:
        client = _connect(version)
        caplog.set_level(logging.INFO, "ibkit.paper")
        assert client.ask(m.SetServerLoglevel(5), secs=1) == []
        client.ask(m.ReqIds(1))
        assert "ReqIds" in caplog.text
        caplog.clear()
        assert client.ask(m.SetServerLoglevel(2), secs=1) == []
        caplog.clear()
        client.ask(m.ReqIds(1))
        assert not caplog.text

    def test_the_market_data_type(self, version: int) -> None:
        client = _connect(version, market_data="delayed")
        assert client.error(m.ReqMktData(1, APPLE, "", False, False, [])).errorCode in (354, 10089)
        assert client.ask(m.ReqMarketDataType(3), secs=1) == []
        answers = client.ask(m.ReqMktData(2, APPLE, "", False, False, []), secs=3)
        assert only(m.MarketDataType, answers) == [m.MarketDataType(2, 3)]
        assert {price.tickType for price in only(m.TickPrice, answers)} & {66, 67, 68}

    def test_binding_by_client_0(self, version: int) -> None:
        client = _connect(version, client_id=0)
        assert client.ask(m.ReqAutoOpenOrders(True), secs=1) == []

    def test_cancelling_nothing(self, version: int) -> None:
        client = _connect(version)
        assert client.ask(m.ReqGlobalCancel(OrderCancel()), secs=1) == []


@pytest.mark.parametrize(
    ("request_", "code", "version"),
    [
        pytest.param(request, code, version, id=f"{type(request).__name__}-{version}")
        for request, code in ABSENT
        for version in VERSIONS
        if version >= SINCE.get(type(request), 0)
    ],
)
def test_what_is_not_there_is_told(request_: m.Request, code: int, version: int) -> None:
    client = _connect(version)
    assert client.error(request_).errorCode == code
    assert client.wait(3) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_bars_end_as_their_version_has_it(version: int) -> None:
    client = _connect(version)
    answers = client.ask(BARS, secs=3)
    assert [type(answer) for answer in answers] == [m.HistoricalData, m.HistoricalDataEnd][: 1 + (version >= 196)]
    _bars(client, BARS, answers)
    schedule = BARS._replace(whatToShow="SCHEDULE", barSizeSetting="1 day", durationStr="1 W")
    if version >= 165:
        told = client.one(m.HistoricalSchedule, schedule, 3)
        assert len(told.sessions) >= 4
        starts = [session.startDateTime for session in told.sessions]
        assert starts == sorted(starts)
        assert (told.startDateTime, told.endDateTime) == (starts[0], told.sessions[-1].endDateTime)


# -- content -------------------------------------------------------------------------------------------------------


def _one(kind: type[Any], answers: Answers) -> Any:
    (found,) = only(kind, answers)
    return found


def _bars(client: Client, request: Any, answers: Answers) -> None:
    rows = _one(m.HistoricalData, answers).bars
    assert len(rows) >= 30
    assert [row.date for row in rows] == sorted({row.date for row in rows})
    assert all(row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high for row in rows)
    updates = [answer.bar for answer in only(m.HistoricalDataUpdate, answers)]
    assert all(row.date >= rows[-1].date for row in updates)


def _quote(client: Client, request: m.ReqMktData, answers: Answers) -> None:
    prices = {tick.tickType: tick.price for tick in only(m.TickPrice, answers)}
    sizes = {tick.tickType for tick in only(m.TickSize, answers)}
    assert 0 < prices[1] <= prices[2]
    assert prices[7] <= prices[4] <= prices[6] or request.contract.secType == "OPT"  # low, last, high
    params = only(m.TickReqParams, answers)[0]
    assert params.minTick > 0
    assert round(prices[1] / float(params.minTick), 6) == round(prices[1] / float(params.minTick))
    assert {0, 3} <= sizes or all(tick.size > 0 for tick in only(m.TickPrice, answers) if tick.tickType in (1, 2))
    if request.contract.secType == "OPT":
        model = [row for row in only(m.TickOptionComputation, answers) if row.tickType == 13][-1]
        assert 0 < model.impliedVol < 3
        assert 0 < model.delta < 1
        assert model.undPrice > 0


def _greeks(client: Client, request: Any, answers: Answers) -> None:
    row = _one(m.TickOptionComputation, answers)
    assert (row.reqId, row.tickType, row.undPrice) == (1, 53, 160.0)
    if isinstance(request, m.ReqCalcImpliedVolat):
        assert row.optPrice == 8.0
        back = client.one(m.TickOptionComputation, m.ReqCalcOptionPrice(2, request.contract, row.impliedVol, 160.0, []))
        assert back.optPrice == pytest.approx(8.0, abs=1e-3)  # some seconds later
    else:
        assert row.impliedVol == 0.3
        assert row.optPrice > 5.0


def _depth(client: Client, request: Any, answers: Answers) -> None:
    rows: list[Any] = [*only(m.MarketDepth, answers), *only(m.MarketDepthL2, answers)]
    first = rows[:10]
    assert {row.operation for row in first} == {0}
    bids = [row.price for row in first if row.side == 1]
    asks = [row.price for row in first if row.side == 0]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] <= asks[0]


def _ticks(client: Client, request: Any, answers: Answers) -> None:
    for row in only(m.TickByTick, answers):
        tick = row.tick
        if isinstance(tick, m.TickBidAskRow):
            assert 0 < tick.priceBid <= tick.priceAsk
        else:
            assert tick.price > 0
            assert isinstance(tick, m.TickLastRow)
            assert tick.size > 0


def _five_seconds(client: Client, request: Any, answers: Answers) -> None:
    rows = only(m.RealTimeBars, answers)
    assert [row.time % 5 for row in rows] == [0] * len(rows)
    assert all(row.low <= min(row.open_, row.close) <= max(row.open_, row.close) <= row.high for row in rows)


def _past_ticks(client: Client, request: Any, answers: Answers) -> None:
    (told,) = answers
    assert isinstance(told, m.HistoricalTicksLast | m.HistoricalTicksBidAsk | m.HistoricalTicks)
    assert told.done
    assert len(told.ticks) >= 10
    times = [row.time for row in told.ticks]
    assert times == sorted(times)


def _details(client: Client, request: Any, answers: Answers) -> None:
    details = _one(m.ContractData, answers).contractDetails
    assert (details.contract.conId, details.contract.symbol) == (APPLE_ID, "AAPL")
    assert details.minTick == 0.01
    assert details.timeZoneId == "US/Eastern"
    assert "SMART" in details.validExchanges.split(",")
    assert len(details.validExchanges.split(",")) == len(details.marketRuleIds.split(","))


def _chains(client: Client, request: Any, answers: Answers) -> None:
    for row in only(m.SecurityDefinitionOptionParameter, answers):
        assert row.underlyingConId == APPLE_ID
        assert list(row.strikes) == sorted(row.strikes)
        assert min(row.expirations) >= "20240110"


def _rule(client: Client, request: Any, answers: Answers) -> None:
    steps = _one(m.MarketRule, answers).priceIncrements
    assert [step.lowEdge for step in steps] == sorted(step.lowEdge for step in steps)
    assert all(step.increment > 0 for step in steps)


def _histogram(client: Client, request: Any, answers: Answers) -> None:
    items = _one(m.HistogramData, answers).items
    assert [item.price for item in items] == sorted({item.price for item in items})
    assert all(item.count > 0 for item in items)


def _headlines(client: Client, request: m.ReqHistoricalNews, answers: Answers) -> None:
    rows = only(m.HistoricalNews, answers)
    assert 0 < len(rows) <= 5
    assert [row.time for row in rows] == sorted((row.time for row in rows), reverse=True)
    assert {row.providerCode for row in rows} <= set(request.providerCodes.split("+"))
    read = client.one(m.NewsArticle, m.ReqNewsArticle(9, rows[0].providerCode, rows[0].articleId, []))
    assert rows[0].headline.split()[0] in read.articleText


def _order(client: Client, request: Any, answers: Answers) -> None:
    statuses = only(m.OrderStatus, answers)
    assert len({row.permId for row in statuses}) == 1
    assert all(row.filled + row.remaining == statuses[0].filled + statuses[0].remaining for row in statuses)
    fills = [row.execution for row in only(m.ExecutionData, answers)]
    costs = [row.commissionAndFeesReport for row in only(m.CommissionAndFeesReport, answers)]
    assert {cost.execId for cost in costs} == {fill.execId for fill in fills}
    if statuses[-1].status == "Filled":
        assert sum(fill.shares for fill in fills) == statuses[-1].filled
    else:
        assert (statuses[-1].filled, fills) == (0, [])


def _open(client: Client, request: Any, answers: Answers) -> None:
    order, status = _one(m.OpenOrder, answers), _one(m.OrderStatus, answers)
    assert (order.order.orderId, order.order.lmtPrice, order.orderState.status) == (2, 50.0, status.status)
    assert order.order.permId == status.permId


def _completed(client: Client, request: Any, answers: Answers) -> None:
    row = _one(m.CompletedOrder, answers)
    assert row.orderState.status == "Filled"
    assert row.orderState.completedStatus == "Filled Size: 10"
    assert row.order.permId


def _executions(client: Client, request: Any, answers: Answers) -> None:
    fills, costs = only(m.ExecutionData, answers), only(m.CommissionAndFeesReport, answers)
    assert sum(fill.execution.shares for fill in fills) == 10
    assert all(fill.reqId == 1 for fill in fills)
    assert [cost.commissionAndFeesReport.execId for cost in costs] == [fill.execution.execId for fill in fills]


def _updates(client: Client, request: Any, answers: Answers) -> None:
    values = {row.key: row.val for row in only(m.AcctValue, answers) if row.currency in ("USD", "")}
    held = only(m.PortfolioValue, answers)
    assert {row.accountName for row in held} == {ACCOUNT}
    total = sum(row.marketValue for row in held[:1])
    assert float(values["NetLiquidation"]) == pytest.approx(float(values["TotalCashValue"]) + total, abs=1)


def _positions(client: Client, request: Any, answers: Answers) -> None:
    rows: list[Any] = [*only(m.PositionData, answers), *only(m.PositionMulti, answers)]
    (row,) = rows
    assert (row.account, row.contract.conId, row.avgCost > 0) == (ACCOUNT, APPLE_ID, True)
    assert (row.pos if isinstance(row, m.PositionMulti) else row.position) == 10


def _summary(client: Client, request: Any, answers: Answers) -> None:
    row = only(m.AccountSummary, answers)[0]
    assert (row.account, row.tag, row.currency, float(row.value)) == (ACCOUNT, "NetLiquidation", "USD", 1_000_000)


def _multi(client: Client, request: Any, answers: Answers) -> None:
    values = {row.key: row.value for row in only(m.AccountUpdateMulti, answers)}
    assert float(values["NetLiquidation"]) > 0


def _pnl_single(client: Client, request: Any, answers: Answers) -> None:
    rows = only(m.PnlSingle, answers)
    assert all(row.pos == 10 and row.value > 0 and row.realizedPnL == 0 for row in rows)
    assert rows[0].dailyPnL == pytest.approx(rows[0].unrealizedPnL)


def _json(kind: type[Any]) -> Callable[[Client, Any, Answers], None]:
    def check(client: Client, request: Any, answers: Answers) -> None:
        assert json.loads(_one(kind, answers).dataJson)

    return check


def _says(test: Callable[[Client, Any], object]) -> Callable[[Client, Any, Answers], None]:
    """The one answer passes a test."""

    def check(client: Client, request: Any, answers: Answers) -> None:
        assert test(client, answers[-1])

    return check


CHECKS: dict[type, Callable[[Client, Any, Answers], None]] = {
    m.ReqIds: _says(lambda client, row: row.orderId == 1),
    m.ReqCurrentTime: _says(lambda client, row: abs(row.time - client.world.clock.time()) < 12),
    m.ReqCurrentTimeInMillis: _says(lambda client, row: abs(row.timeInMillis / 1000 - client.world.clock.time()) < 12),
    m.ReqManagedAccts: _says(lambda client, row: row.accountsList == ACCOUNT),
    m.VerifyRequest: _says(lambda client, row: row.apiData),
    m.VerifyMessage: _says(lambda client, row: row.isSuccessful and not row.errorText),
    m.VerifyAndAuthRequest: _says(lambda client, row: row.apiData),
    m.VerifyAndAuthMessage: _says(lambda client, row: row.isSuccessful and not row.errorText),
    m.ReqUserInfo: _says(lambda client, row: row.reqId == 1),
    m.ReqConfig: _says(lambda client, row: row.config.api.settings.allowLocalhostOnly is True),
    m.UpdateConfig: _says(lambda client, row: row.result.status == "success"),
    m.QueryDisplayGroups: _says(lambda client, row: row.groups.split("|")[0] == "1"),
    m.SubscribeToGroupEvents: _says(lambda client, row: row.contractInfo == "none"),
    m.UpdateDisplayGroup: _says(lambda client, row: row.contractInfo == f"{APPLE_ID}@SMART"),
    m.ReqMktData: _quote,
    m.ReqMktDepth: _depth,
    m.ReqTickByTickData: _ticks,
    m.ReqRealTimeBars: _five_seconds,
    m.ReqMktDepthExchanges: _says(lambda client, row: all(d.exchange for d in row.depthMktDataDescriptions)),
    m.ReqSmartComponents: _says(lambda client, row: len({c.exchangeLetter for c in row.smartComponentMap}) > 10),
    m.ReqScannerParameters: _says(lambda client, row: row.xml.startswith("<?xml")),
    m.ReqScannerSubscription: _says(lambda client, row: [r.rank for r in row.rows] == [0, 1, 2, 3, 4]),
    m.ReqCalcImpliedVolat: _greeks,
    m.ReqCalcOptionPrice: _greeks,
    m.ReqHistoricalData: _bars,
    m.ReqHeadTimestamp: _says(lambda client, row: row.headTimestamp < "2024"),
    m.ReqHistogramData: _histogram,
    m.ReqHistoricalTicks: _past_ticks,
    m.ReqContractData: _details,
    m.ReqMatchingSymbols: _says(lambda client, row: "AAPL" in {d.contract.symbol for d in row.contractDescriptions}),
    m.ReqSecDefOptParams: _chains,
    m.ReqMarketRule: _rule,
    m.ReqSoftDollarTiers: _says(lambda client, row: row.tiers == []),
    m.ReqFamilyCodes: _says(lambda client, row: [code.accountID for code in row.familyCodes] == [ACCOUNT]),
    m.ReqNewsProviders: _says(lambda client, row: {p.code for p in row.newsProviders} == {"BRFG", "BRFUPDN", "DJNL"}),
    m.ReqNewsArticle: _says(lambda client, row: row.articleType == 0 and row.articleText),
    m.ReqHistoricalNews: _headlines,
    m.ReqNewsBulletins: _says(lambda client, row: row.msgType == 1 and row.newsMessage),
    m.ReqWshMetaData: _json(m.WshMetaData),
    m.ReqWshEventData: _json(m.WshEventData),
    m.PlaceOrder: _order,
    m.CancelOrder: _order,
    m.ReqGlobalCancel: _order,
    m.ExerciseOptions: _order,
    m.ReqOpenOrders: _open,
    m.ReqAllOpenOrders: _open,
    m.ReqCompletedOrders: _completed,
    m.ReqExecutions: _executions,
    m.ReqAcctData: _updates,
    m.ReqAccountSummary: _summary,
    m.ReqPositions: _positions,
    m.ReqPositionsMulti: _positions,
    m.ReqAccountUpdatesMulti: _multi,
    m.ReqPnl: _says(lambda client, row: row.unrealizedPnL == row.realizedPnL == 0),
    m.ReqPnlSingle: _pnl_single,
}


def test_every_answer_is_looked_at() -> None:
    assert set(CHECKS) == {_kind(flow) for flow in FLOWS if flow.answers}


@pytest.mark.parametrize("version", [215, 225])
def test_a_cancel_drops_what_has_not_come_yet(version: int) -> None:
    client = _connect(version)
    options = m.ReqContractData(1, Contract(secType="OPT", symbol="AAPL", exchange="SMART", currency="USD"))
    begun = client.ask(options)
    assert only(m.ContractData, begun)
    assert not only(m.ContractDataEnd, begun)
    assert client.ask(m.CancelContractData(1), secs=5) == []
    late = _connect(version, history_delay_s=5.0)
    assert late.ask(UPDATED) == []
    assert [error.errorCode for error in only(m.ErrMsg, late.ask(m.CancelHistoricalData(1), secs=9))] == [162]


def test_an_id_in_use_is_refused() -> None:
    client = _connect(225)
    for start, code in (
        (m.ReqRealTimeBars(3, APPLE, 5, "TRADES", True, []), 322),
        (m.ReqMktData(1, APPLE, "", False, False, []), 102),
        (UPDATED._replace(reqId=6), 386),
    ):
        client.ask(start)
        assert client.error(start).errorCode == code


def test_a_handler_that_fails_is_an_error_of_its_request_alone(caplog: pytest.LogCaptureFixture) -> None:
    client = _connect(225)

    def broken(session: object, msg: object) -> None:
        raise RuntimeError("a bug")

    client.world.gateway.handlers = {**HANDLERS, m.ReqMarketRule: broken}
    error = client.error(m.ReqMarketRule(26))
    assert error.errorCode == 322
    assert "a bug" in caplog.text
    assert isinstance(client.ask(m.ReqCurrentTime())[0], m.CurrentTime)
