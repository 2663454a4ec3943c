"""No request is met with silence: a sample of each, and what the answer must hold."""

from __future__ import annotations

from typing import get_args

import pytest

from ibkit.model import (
    Contract,
    ExecutionFilter,
    LimitOrder,
    MarketOrder,
    OrderCancel,
    ScannerSubscription,
    TwsConfig,
    WshEventData,
)
from ibkit.paper.gateway.handlers import HANDLERS
from ibkit.wire import messages as m
from tests.paper.gateway.peer import Client, World, only

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
NASDAQ = Contract(secType="STK", symbol="AAPL", exchange="NASDAQ", currency="USD")
SPY_OPTION = Contract(
    secType="OPT", symbol="SPY", lastTradeDateOrContractMonth="20240216", right="C", strike=0.0, exchange="SMART",
    currency="USD",
)  # fmt: skip
APPLE_ID = 265598
GAINERS = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")

# A request and what must come of it: a kind of answer, or the code of an error.
SAMPLES: list[tuple[m.Request, type | int]] = [
    (m.ReqMktData(1, APPLE, "233", False, False, []), m.TickPrice),
    (m.ReqMktDepth(1, NASDAQ, 5, False, []), m.MarketDepth),
    (m.PlaceOrder(1, APPLE, LimitOrder("BUY", 1, 1.0)), m.OpenOrder),
    (m.CancelOrder(77, OrderCancel()), 10147),
    (m.ReqOpenOrders(), m.OpenOrderEnd),
    (m.ReqAcctData(True, "DU1234567"), m.AcctDownloadEnd),
    (m.ReqExecutions(1, ExecutionFilter()), m.ExecutionDataEnd),
    (m.ReqIds(1), m.NextValidId),
    (m.ReqContractData(1, APPLE), m.ContractDataEnd),
    (m.ReqNewsBulletins(True), m.NewsBulletins),
    (m.SetServerLoglevel(9), 319),
    (m.ReqAutoOpenOrders(True), 327),
    (m.ReqAllOpenOrders(), m.OpenOrderEnd),
    (m.ReqManagedAccts(), m.ManagedAccts),
    (m.ReqFa(1), 321),
    (m.ReplaceFa(1, "<xml/>", 1), 321),
    (m.ReqHistoricalData(1, APPLE, "", "1 min", "3600 S", 1, "TRADES", 1, False, []), m.HistoricalData),
    (m.ExerciseOptions(1, SPY_OPTION, 1, 1, "", 0, "", "", False), 200),
    (m.ReqScannerSubscription(1, GAINERS, [], []), m.ScannerData),
    (m.ReqScannerParameters(), m.ScannerParameters),
    (m.ReqCurrentTime(), m.CurrentTime),
    (m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, []), m.RealTimeBars),
    (m.ReqFundamentalData(1, APPLE, "ReportSnapshot", []), 10358),
    (m.ReqCalcImpliedVolat(1, SPY_OPTION, 5.0, 470.0, []), 200),
    (m.ReqCalcOptionPrice(1, SPY_OPTION, 0.2, 470.0, []), 200),
    (m.ReqMarketDataType(9), 321),
    (m.ReqPositions(), m.PositionEnd),
    (m.ReqAccountSummary(1, "All", "NetLiquidation"), m.AccountSummaryEnd),
    (m.VerifyRequest("app", "1"), m.VerifyMessageApi),
    (m.VerifyMessage("answer"), m.VerifyCompleted),
    (m.QueryDisplayGroups(1), m.DisplayGroupList),
    (m.SubscribeToGroupEvents(1, 2), m.DisplayGroupUpdated),
    (m.UpdateDisplayGroup(1, "8314@SMART"), 321),
    (m.UnsubscribeFromGroupEvents(1), 321),
    (m.StartApi(1, ""), 322),
    (m.VerifyAndAuthRequest("app", "1", "key"), m.VerifyAndAuthMessageApi),
    (m.VerifyAndAuthMessage("data", "response"), m.VerifyAndAuthCompleted),
    (m.ReqPositionsMulti(1, "DU1234567", ""), m.PositionMultiEnd),
    (m.ReqAccountUpdatesMulti(1, "DU1234567", "", False), m.AccountUpdateMultiEnd),
    (m.ReqSecDefOptParams(1, "AAPL", "", "STK", APPLE_ID), m.SecurityDefinitionOptionParameterEnd),
    (m.ReqSoftDollarTiers(1), m.SoftDollarTiers),
    (m.ReqFamilyCodes(), m.FamilyCodes),
    (m.ReqMatchingSymbols(1, "App"), m.SymbolSamples),
    (m.ReqMktDepthExchanges(), m.MktDepthExchanges),
    (m.ReqSmartComponents(1, "9c0001"), m.SmartComponents),
    (m.ReqNewsArticle(1, "BRFG", "BRFG$1-1", []), 10172),
    (m.ReqNewsProviders(), m.NewsProviders),
    (m.ReqHistoricalNews(1, APPLE_ID, "BRFG", "", "", 5, []), m.HistoricalNewsEnd),
    (m.ReqHeadTimestamp(1, APPLE, 1, "TRADES", 1), m.HeadTimestamp),
    (m.ReqHistogramData(1, APPLE, True, "1 day"), m.HistogramData),
    (m.ReqMarketRule(26), m.MarketRule),
    (m.ReqPnl(1, "DU1234567", ""), m.Pnl),
    (m.ReqPnlSingle(1, "DU1234567", "", APPLE_ID), m.PnlSingle),
    (m.ReqHistoricalTicks(1, APPLE, "", "20240110-15:00:00", 10, "TRADES", 1, False, []), m.HistoricalTicksLast),
    (m.ReqTickByTickData(1, APPLE, "BidAsk", 0, False), m.TickByTick),
    (m.ReqCompletedOrders(False), m.CompletedOrdersEnd),
    (m.ReqWshMetaData(1), m.WshMetaData),
    (m.ReqWshEventData(1, WshEventData(conId=APPLE_ID)), 10282),
    (m.ReqUserInfo(1), m.UserInfo),
    (m.ReqCurrentTimeInMillis(), m.CurrentTimeInMillis),
    (m.ReqConfig(1), m.ConfigResponse),
    (m.UpdateConfig(1, TwsConfig(), [], False), m.UpdateConfigResponse),
    # Cancels of what is not there.
    (m.CancelMktData(99), 300),
    (m.CancelMktDepth(99, False), 310),
    (m.CancelScannerSubscription(99), 365),
    (m.CancelHistoricalData(99), 366),
    (m.CancelRealTimeBars(99), 300),
    (m.CancelPnl(99), 10185),
    (m.CancelPnlSingle(99), 10185),
    (m.CancelTickByTickData(99), 300),
    (m.CancelWshMetaData(99), 10280),
]  # fmt: skip

# What TWS says nothing to: it has been answered already, or there is nothing to say.
SILENT: list[m.Request] = [
    m.CancelNewsBulletins(), m.CancelFundamentalData(9), m.CancelCalcImpliedVolat(9), m.CancelCalcOptionPrice(9),
    m.CancelAccountSummary(9), m.CancelPositions(), m.CancelPositionsMulti(9), m.CancelAccountUpdatesMulti(9),
    m.CancelHistogramData(9), m.CancelHeadTimestamp(9), m.CancelWshEventData(9), m.CancelContractData(9),
    m.CancelHistoricalTicks(9), m.ReqGlobalCancel(OrderCancel()), m.SetServerLoglevel(2), m.ReqMarketDataType(3),
    m.ReqAcctData(False, ""),
]  # fmt: skip

REQUESTS = set(get_args(m.Request))


def test_every_request_has_a_handler_and_a_sample() -> None:
    assert set(HANDLERS) == REQUESTS
    assert {type(sample) for sample, _ in SAMPLES} | {type(sample) for sample in SILENT} == REQUESTS
    assert len(REQUESTS) == 85


SINCE = {
    m.ReqWshMetaData: 161, m.CancelWshMetaData: 161, m.ReqWshEventData: 161, m.CancelWshEventData: 161,
    m.ReqUserInfo: 167, m.ReqCurrentTimeInMillis: 197, m.CancelContractData: 215, m.CancelHistoricalTicks: 215,
    m.ReqConfig: 219, m.UpdateConfig: 221,
}  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "wanted", "version"),
    [
        pytest.param(request, wanted, version, id=f"{type(request).__name__}-{version}")
        for request, wanted in SAMPLES
        for version in (157, 176, 200, 201, 213, 225)
        if version >= SINCE.get(type(request), 0)
    ],
)
def test_every_request_is_answered(request_: m.Request, wanted: type | int, version: int) -> None:
    client = World(server_version=version).client()
    answers = client.ask(request_, secs=6)
    if isinstance(wanted, int):
        assert [error.errorCode for error in only(m.ErrMsg, answers)] == [wanted]
    else:
        assert only(wanted, answers), answers
        assert not only(m.ErrMsg, answers), answers
    assert not client.session.closed


@pytest.mark.parametrize("request_", SILENT, ids=lambda request: type(request).__name__)
def test_what_tws_says_nothing_to(request_: m.Request) -> None:
    client = World().client()
    assert client.ask(request_, secs=1) == []


def test_cancels_end_streams() -> None:
    world = World()
    client = world.client()
    streams: list[tuple[m.Request, m.Request]] = [
        (m.ReqMktData(1, APPLE, "", False, False, []), m.CancelMktData(1)),
        (m.ReqMktDepth(2, NASDAQ, 5, False, []), m.CancelMktDepth(2, False)),
        (m.ReqRealTimeBars(3, APPLE, 5, "TRADES", True, []), m.CancelRealTimeBars(3)),
        (m.ReqTickByTickData(4, APPLE, "AllLast", 0, False), m.CancelTickByTickData(4)),
        (m.ReqScannerSubscription(5, GAINERS, [], []), m.CancelScannerSubscription(5)),
        (m.ReqHistoricalData(6, APPLE, "", "1 min", "3600 S", 1, "TRADES", 1, True, []), m.CancelHistoricalData(6)),
        (m.ReqPnl(7, "DU1234567", ""), m.CancelPnl(7)),
        (m.ReqPnlSingle(8, "DU1234567", "", APPLE_ID), m.CancelPnlSingle(8)),
        (m.ReqAccountSummary(9, "All", "NetLiquidation"), m.CancelAccountSummary(9)),
        (m.ReqAcctData(True, ""), m.ReqAcctData(False, "")),
        (m.ReqAccountUpdatesMulti(10, "", "", False), m.CancelAccountUpdatesMulti(10)),
        (m.ReqPositions(), m.CancelPositions()),
        (m.ReqPositionsMulti(11, "", ""), m.CancelPositionsMulti(11)),
        (m.ReqNewsBulletins(True), m.CancelNewsBulletins()),
        (m.ReqWshMetaData(12), m.CancelWshMetaData(12)),
        (m.SubscribeToGroupEvents(13, 1), m.UnsubscribeFromGroupEvents(13)),
    ]
    for start, _ in streams:
        client.send(start)
    client.wait(31)
    assert len(client.session.streams) == len(streams)
    for _, cancel in streams:
        client.send(cancel)
    client.read()
    assert client.session.streams == {}
    assert client.wait(400) == []
    assert world.gateway.next_due() is None


def test_an_id_in_use_is_refused() -> None:
    client = World().client()
    start = m.ReqRealTimeBars(3, APPLE, 5, "TRADES", True, [])
    client.ask(start)
    assert client.error(start).errorCode == 322
    line = m.ReqMktData(1, APPLE, "", False, False, [])
    client.ask(line)
    assert client.error(line).errorCode == 102
    bars = m.ReqHistoricalData(6, APPLE, "", "1 min", "3600 S", 1, "TRADES", 1, True, [])
    client.ask(bars)
    assert client.error(bars).errorCode == 386


def test_a_handler_that_fails_is_an_error_of_its_request_alone(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    client = world.client()

    def broken(session: object, msg: object) -> None:
        raise RuntimeError("a bug")

    world.gateway.handlers = {**HANDLERS, m.ReqMarketRule: broken}
    error = client.error(m.ReqMarketRule(26))
    assert error.errorCode == 322
    assert "a bug" in caplog.text
    assert isinstance(client.ask(m.ReqCurrentTime())[0], m.CurrentTime)


def test_silence_is_not_for_market_orders() -> None:
    client: Client = World().client()
    answers = client.ask(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10)), secs=5)
    assert [status.status for status in only(m.OrderStatus, answers)][-1] == "Filled"
