"""What TWS answers to each request, and what ends it: one row a request, as data.

The rows follow IB's documentation and logs of real gateways; ``SILENT`` names every request that TWS does not answer,
with the reason, so that no other silence can pass for one. ``test_flows.py`` holds the gateway to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

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
from ibkit.wire import messages as m
from tests.paper.gateway.peer import Client

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
NASDAQ = Contract(secType="STK", symbol="AAPL", exchange="NASDAQ", currency="USD")
NOBODY = Contract(secType="STK", symbol="NOSUCHTHING", exchange="SMART", currency="USD")
CALL = Contract(
    secType="OPT", symbol="AAPL", lastTradeDateOrContractMonth="20240119", right="C", strike=155.0, exchange="SMART",
    currency="USD",
)  # fmt: skip
APPLE_ID: Final = 265598
ACCOUNT: Final = "DU1234567"
GAINERS = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN", numberOfRows=5)

FIRST = "the first answer"
STREAM = "its cancel"


class Flow(NamedTuple):
    """A request and how it goes.

    ``answers`` come in this order, each at least once. ``ends`` is what ends it: ``FIRST``, ``STREAM``, a closing
    message, a status an order ends in, or the code of an error. ``before`` is what has to be said first, ``secs`` how
    long it takes at most, ``codes`` the messages that go with it and tell of nothing wrong.
    """

    request: m.Request | Callable[[Client], m.Request]
    answers: tuple[type, ...]
    ends: str | type | int
    before: tuple[m.Request, ...] = ()
    secs: float = 6.0
    codes: tuple[int, ...] = ()

    def said(self, client: Client) -> m.Request:
        """Return the request itself; some hang on what the gateway has."""
        return self.request(client) if callable(self.request) else self.request


def _article(client: Client) -> m.Request:
    gateway = client.world.gateway
    stock = gateway.catalogue.find(APPLE)[0]
    story = gateway.newsroom.between(stock, gateway.now - 7 * 86400, gateway.now, frozenset())[-1]
    return m.ReqNewsArticle(1, story.provider, story.article_id, [])


BUY = m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10))
REST = m.PlaceOrder(2, APPLE, LimitOrder("BUY", 10, 50.0))
BARS = m.ReqHistoricalData(1, APPLE, "", "1 min", "3600 S", 1, "TRADES", 1, False, [])
UPDATED = BARS._replace(keepUpToDate=True)

FLOWS: Final = (
    # -- the session
    Flow(m.ReqIds(1), (m.NextValidId,), FIRST),
    Flow(m.ReqCurrentTime(), (m.CurrentTime,), FIRST),
    Flow(m.ReqCurrentTimeInMillis(), (m.CurrentTimeInMillis,), FIRST),
    Flow(m.ReqManagedAccts(), (m.ManagedAccts,), FIRST),
    Flow(m.VerifyRequest("app", "1"), (m.VerifyMessageApi,), FIRST),
    Flow(m.VerifyMessage("answer"), (m.VerifyCompleted,), FIRST),
    Flow(m.VerifyAndAuthRequest("app", "1", "key"), (m.VerifyAndAuthMessageApi,), FIRST),
    Flow(m.VerifyAndAuthMessage("data", "response"), (m.VerifyAndAuthCompleted,), FIRST),
    Flow(m.ReqUserInfo(1), (m.UserInfo,), FIRST),
    Flow(m.ReqConfig(1), (m.ConfigResponse,), FIRST),
    Flow(m.UpdateConfig(1, TwsConfig(), [], False), (m.UpdateConfigResponse,), FIRST),
    Flow(m.QueryDisplayGroups(1), (m.DisplayGroupList,), FIRST),
    Flow(m.SubscribeToGroupEvents(1, 1), (m.DisplayGroupUpdated,), STREAM),
    Flow(
        m.UpdateDisplayGroup(1, f"{APPLE_ID}@SMART"), (m.DisplayGroupUpdated,), FIRST, (m.SubscribeToGroupEvents(1, 2),)
    ),
    # -- market data
    Flow(m.ReqMktData(1, APPLE, "233", False, False, []), (m.TickReqParams, m.TickPrice), STREAM),
    Flow(m.ReqMktData(1, APPLE, "", True, False, []), (m.TickReqParams, m.TickPrice), m.TickSnapshotEnd, secs=12),
    Flow(m.ReqMktData(1, CALL, "", False, False, []), (m.TickReqParams, m.TickOptionComputation), STREAM),
    Flow(m.ReqMktDepth(1, NASDAQ, 5, False, []), (m.MarketDepth,), STREAM),
    Flow(m.ReqMktDepth(1, APPLE, 5, True, []), (m.MarketDepthL2,), STREAM, codes=(2152,)),
    Flow(m.ReqTickByTickData(1, APPLE, "BidAsk", 0, False), (m.TickByTick,), STREAM),
    Flow(m.ReqTickByTickData(1, APPLE, "Last", 5, False), (m.HistoricalTicksLast, m.TickByTick), STREAM, secs=60),
    Flow(m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, []), (m.RealTimeBars,), STREAM, secs=11),
    Flow(m.ReqMktDepthExchanges(), (m.MktDepthExchanges,), FIRST),
    Flow(m.ReqSmartComponents(1, "9c0001"), (m.SmartComponents,), FIRST),
    Flow(m.ReqScannerParameters(), (m.ScannerParameters,), FIRST),
    Flow(m.ReqScannerSubscription(1, GAINERS, [], []), (m.ScannerData,), STREAM),
    Flow(m.ReqCalcImpliedVolat(1, CALL, 8.0, 160.0, []), (m.TickOptionComputation,), FIRST),
    Flow(m.ReqCalcOptionPrice(1, CALL, 0.3, 160.0, []), (m.TickOptionComputation,), FIRST),
    # -- history
    Flow(UPDATED, (m.HistoricalData, m.HistoricalDataUpdate), STREAM),
    Flow(m.ReqHeadTimestamp(1, APPLE, 1, "TRADES", 1), (m.HeadTimestamp,), FIRST),
    Flow(m.ReqHistogramData(1, APPLE, True, "1 day"), (m.HistogramData,), FIRST),
    Flow(
        m.ReqHistoricalTicks(1, APPLE, "", "20240110-15:00:00", 10, "TRADES", 1, False, []),
        (m.HistoricalTicksLast,),
        FIRST,
    ),
    Flow(
        m.ReqHistoricalTicks(1, APPLE, "20240110-14:45:00", "", 10, "BID_ASK", 1, False, []),
        (m.HistoricalTicksBidAsk,),
        FIRST,
    ),
    Flow(
        m.ReqHistoricalTicks(1, APPLE, "", "20240110-15:00:00", 10, "MIDPOINT", 1, False, []),
        (m.HistoricalTicks,),
        FIRST,
    ),
    # -- what there is
    Flow(m.ReqContractData(1, APPLE), (m.ContractData,), m.ContractDataEnd),
    Flow(m.ReqContractData(1, NOBODY), (), 200),  # and no end
    Flow(m.ReqMatchingSymbols(1, "App"), (m.SymbolSamples,), FIRST),
    Flow(
        m.ReqSecDefOptParams(1, "AAPL", "", "STK", APPLE_ID),
        (m.SecurityDefinitionOptionParameter,),
        m.SecurityDefinitionOptionParameterEnd,
    ),
    Flow(m.ReqMarketRule(26), (m.MarketRule,), FIRST),
    Flow(m.ReqSoftDollarTiers(1), (m.SoftDollarTiers,), FIRST),
    Flow(m.ReqFamilyCodes(), (m.FamilyCodes,), FIRST),
    # -- news and calendar
    Flow(m.ReqNewsProviders(), (m.NewsProviders,), FIRST),
    Flow(_article, (m.NewsArticle,), FIRST),
    Flow(m.ReqNewsArticle(1, "BRFG", "BRFG$1-1", []), (), 10172),
    Flow(
        m.ReqHistoricalNews(1, APPLE_ID, "BRFG+BRFUPDN+DJNL", "", "", 5, []), (m.HistoricalNews,), m.HistoricalNewsEnd
    ),
    Flow(m.ReqHistoricalNews(1, APPLE_ID, "ZACKS", "", "", 5, []), (), 321),  # a provider nobody subscribed
    Flow(m.ReqNewsBulletins(True), (m.NewsBulletins,), STREAM),
    Flow(m.ReqWshMetaData(1), (m.WshMetaData,), FIRST),
    Flow(m.ReqWshEventData(2, WshEventData(conId=APPLE_ID)), (m.WshEventData,), FIRST, (m.ReqWshMetaData(1),)),
    Flow(m.ReqWshEventData(2, WshEventData(conId=APPLE_ID)), (), 10282),  # the metadata has to come before
    Flow(m.ReqFundamentalData(1, APPLE, "ReportSnapshot", []), (), 10358),  # the service has ended
    # -- orders
    Flow(
        BUY,
        (m.OpenOrder, m.OrderStatus, m.ExecutionData, m.CommissionAndFeesReport),
        "Filled",
    ),
    Flow(m.CancelOrder(2, OrderCancel()), (m.OrderStatus,), "Cancelled", (REST,), codes=(202,)),
    Flow(m.CancelOrder(7, OrderCancel()), (), 10147),
    Flow(m.ReqGlobalCancel(OrderCancel()), (m.OrderStatus,), "Cancelled", (REST,), codes=(202,)),
    Flow(m.ReqOpenOrders(), (m.OpenOrder, m.OrderStatus), m.OpenOrderEnd, (REST,)),
    Flow(m.ReqAllOpenOrders(), (m.OpenOrder, m.OrderStatus), m.OpenOrderEnd, (REST,)),
    Flow(m.ReqAutoOpenOrders(True), (), 327),  # the privilege of client 0
    Flow(m.ReqCompletedOrders(False), (m.CompletedOrder,), m.CompletedOrdersEnd, (BUY,)),
    Flow(
        m.ReqExecutions(1, ExecutionFilter()),
        (m.ExecutionData, m.CommissionAndFeesReport),
        m.ExecutionDataEnd,
        (BUY,),
    ),
    Flow(
        m.ExerciseOptions(2, CALL, 1, 1, ACCOUNT, 1, "", "", False),
        (m.OpenOrder, m.OrderStatus, m.ExecutionData, m.CommissionAndFeesReport),
        "Filled",
        (m.PlaceOrder(1, CALL, MarketOrder("BUY", 1)),),
        7 * 3600,
    ),
    Flow(m.ExerciseOptions(2, CALL, 1, 1, ACCOUNT, 1, "", "", False), (), 322),
    # -- the account
    Flow(
        m.ReqAcctData(True, ACCOUNT),
        (m.AcctValue, m.PortfolioValue, m.AcctUpdateTime, m.AcctDownloadEnd),
        STREAM,
        (BUY,),
    ),
    Flow(m.ReqAccountSummary(1, "All", "NetLiquidation"), (m.AccountSummary, m.AccountSummaryEnd), STREAM),
    Flow(m.ReqPositions(), (m.PositionData, m.PositionEnd), STREAM, (BUY,)),
    Flow(m.ReqPositionsMulti(1, ACCOUNT, ""), (m.PositionMulti, m.PositionMultiEnd), STREAM, (BUY,)),
    Flow(
        m.ReqAccountUpdatesMulti(1, ACCOUNT, "", False), (m.AccountUpdateMulti, m.AccountUpdateMultiEnd), STREAM, (BUY,)
    ),
    Flow(m.ReqPnl(1, ACCOUNT, ""), (m.Pnl,), STREAM),
    Flow(m.ReqPnlSingle(1, ACCOUNT, "", APPLE_ID), (m.PnlSingle,), STREAM, (BUY,)),
    Flow(m.ReqFa(1), (), 321),  # an advisor's
    Flow(m.ReplaceFa(1, "<xml/>", 1), (), 321),
)


class Cancel(NamedTuple):
    """A request that only ends another, and the error that confirms it, where there is one."""

    begin: m.Request
    cancel: m.Request
    confirmed: int = 0


_ENDED = "what it began ends; TWS confirms no cancel of this kind"
_PAST = "the one answer has been given, or is dropped; TWS confirms no cancel of this kind"

CANCELS: Final = (
    Cancel(m.ReqMktData(1, APPLE, "", False, False, []), m.CancelMktData(1)),
    Cancel(m.ReqMktDepth(1, NASDAQ, 5, False, []), m.CancelMktDepth(1, False)),
    Cancel(m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, []), m.CancelRealTimeBars(1)),
    Cancel(m.ReqTickByTickData(1, APPLE, "BidAsk", 0, False), m.CancelTickByTickData(1)),
    Cancel(m.ReqScannerSubscription(1, GAINERS, [], []), m.CancelScannerSubscription(1), 162),
    Cancel(UPDATED, m.CancelHistoricalData(1), 162),
    Cancel(m.ReqPnl(1, ACCOUNT, ""), m.CancelPnl(1)),
    Cancel(m.ReqPnlSingle(1, ACCOUNT, "", APPLE_ID), m.CancelPnlSingle(1)),
    Cancel(m.ReqAccountSummary(1, "All", "NetLiquidation"), m.CancelAccountSummary(1)),
    Cancel(m.ReqAcctData(True, ""), m.ReqAcctData(False, "")),
    Cancel(m.ReqAccountUpdatesMulti(1, "", "", False), m.CancelAccountUpdatesMulti(1)),
    Cancel(m.ReqPositions(), m.CancelPositions()),
    Cancel(m.ReqPositionsMulti(1, "", ""), m.CancelPositionsMulti(1)),
    Cancel(m.ReqNewsBulletins(True), m.CancelNewsBulletins()),
    Cancel(m.SubscribeToGroupEvents(1, 1), m.UnsubscribeFromGroupEvents(1)),
    Cancel(m.ReqWshMetaData(1), m.CancelWshMetaData(1)),
)
"""Cancels of what goes on."""

SPENT: Final = (
    Cancel(m.ReqHeadTimestamp(1, APPLE, 1, "TRADES", 1), m.CancelHeadTimestamp(1)),
    Cancel(m.ReqHistogramData(1, APPLE, True, "1 day"), m.CancelHistogramData(1)),
    Cancel(m.ReqCalcImpliedVolat(1, CALL, 8.0, 160.0, []), m.CancelCalcImpliedVolat(1)),
    Cancel(m.ReqCalcOptionPrice(1, CALL, 0.3, 160.0, []), m.CancelCalcOptionPrice(1)),
    Cancel(m.ReqFundamentalData(1, APPLE, "ReportSnapshot", []), m.CancelFundamentalData(1)),
    Cancel(m.ReqWshEventData(2, WshEventData(conId=APPLE_ID)), m.CancelWshEventData(2)),
    Cancel(m.ReqContractData(1, APPLE), m.CancelContractData(1)),
    Cancel(
        m.ReqHistoricalTicks(1, APPLE, "", "20240110-15:00:00", 10, "TRADES", 1, False, []), m.CancelHistoricalTicks(1)
    ),
)
"""Cancels of what has been answered: they free the id and say nothing."""

SILENT: Final[dict[type, str]] = {
    m.SetServerLoglevel: "it sets how much the gateway logs about this client; only a wrong level is told (319)",
    m.ReqMarketDataType: "it changes what later REQ_MKT_DATA get, which then tell their MARKET_DATA_TYPE",
    m.ReqGlobalCancel: "each cancelled order tells of itself; without one there is nothing to tell",
    m.ReqAutoOpenOrders: "manual orders tell of themselves when they are bound; only a client other than 0 is refused",
    **{type(row.cancel): _ENDED for row in CANCELS if not row.confirmed and type(row.cancel) is not m.ReqAcctData},
    **{type(row.cancel): _PAST for row in SPENT},
}
"""Requests that TWS does not answer, and why that is no silence."""

ABSENT: Final[tuple[tuple[m.Request, int], ...]] = (
    (m.CancelMktData(99), 300),
    (m.CancelMktDepth(99, False), 310),
    (m.CancelScannerSubscription(99), 365),
    (m.CancelHistoricalData(99), 366),
    (m.CancelRealTimeBars(99), 300),
    (m.CancelPnl(99), 10185),
    (m.CancelPnlSingle(99), 10185),
    (m.CancelTickByTickData(99), 300),
    (m.CancelWshMetaData(99), 10280),
    (m.UnsubscribeFromGroupEvents(99), 321),
    (m.UpdateDisplayGroup(99, "8314@SMART"), 321),
    (m.SetServerLoglevel(9), 319),
    (m.ReqMarketDataType(9), 321),
    (m.StartApi(1, ""), 322),
)
"""Cancels of what is not there, and values that cannot be."""

SINCE: Final[dict[type, int]] = {
    m.ReqWshMetaData: 161, m.CancelWshMetaData: 161, m.ReqWshEventData: 161, m.CancelWshEventData: 161,
    m.ReqUserInfo: 167, m.ReqCurrentTimeInMillis: 197, m.CancelContractData: 215, m.CancelHistoricalTicks: 215,
    m.ReqConfig: 219, m.UpdateConfig: 221,
}  # fmt: skip
"""The server versions from which some requests exist; the others always did."""
