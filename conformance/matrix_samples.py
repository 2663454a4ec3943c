"""A conversation for each request, for the matrix: what has to go before it, and the request itself as the last.

Every one is held with the simulated gateway; what it answers is what the matrix says. Data, and a few lookups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

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
APPLE_ID: Final = 265598
ACCOUNT: Final = "DU1234567"
GAINERS = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN", numberOfRows=5)

Conversation = list[m.Request]


def _option(client: Client) -> Contract:
    catalogue = client.world.gateway.catalogue
    chain = catalogue.chains(catalogue.find(APPLE)[0], "SMART")[0]
    terms = {"strike": chain.strikes[len(chain.strikes) // 2], "lastTradeDateOrContractMonth": chain.expirations[3]}
    return Contract(secType="OPT", symbol="AAPL", exchange="SMART", currency="USD", right="C", **terms)


def _article(client: Client) -> tuple[str, str]:
    gateway = client.world.gateway
    stock = gateway.catalogue.find(APPLE)[0]
    story = gateway.newsroom.between(stock, gateway.now - 7 * 86400, gateway.now, frozenset())[-1]
    return story.provider, story.article_id


BARS = m.ReqHistoricalData(1, APPLE, "", "1 min", "3600 S", 1, "TRADES", 1, True, [])

STREAMS: Final[list[tuple[m.Request, m.Request]]] = [
    (m.ReqMktData(1, APPLE, "233", False, False, []), m.CancelMktData(1)),
    (m.ReqMktDepth(1, NASDAQ, 5, False, []), m.CancelMktDepth(1, False)),
    (m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, []), m.CancelRealTimeBars(1)),
    (m.ReqTickByTickData(1, APPLE, "AllLast", 0, False), m.CancelTickByTickData(1)),
    (m.ReqScannerSubscription(1, GAINERS, [], []), m.CancelScannerSubscription(1)),
    (BARS, m.CancelHistoricalData(1)),
    (m.ReqPnl(1, ACCOUNT, ""), m.CancelPnl(1)),
    (m.ReqPnlSingle(1, ACCOUNT, "", APPLE_ID), m.CancelPnlSingle(1)),
    (m.ReqAccountSummary(1, "All", "NetLiquidation"), m.CancelAccountSummary(1)),
    (m.ReqAccountUpdatesMulti(1, ACCOUNT, "", False), m.CancelAccountUpdatesMulti(1)),
    (m.ReqPositions(), m.CancelPositions()),
    (m.ReqPositionsMulti(1, ACCOUNT, ""), m.CancelPositionsMulti(1)),
    (m.ReqNewsBulletins(True), m.CancelNewsBulletins()),
    (m.ReqWshMetaData(1), m.CancelWshMetaData(1)),
    (m.SubscribeToGroupEvents(1, 1), m.UnsubscribeFromGroupEvents(1)),
    (m.ReqHeadTimestamp(1, APPLE, 1, "TRADES", 1), m.CancelHeadTimestamp(1)),
    (m.ReqHistogramData(1, APPLE, True, "1 day"), m.CancelHistogramData(1)),
    (m.ReqFundamentalData(1, APPLE, "ReportSnapshot", []), m.CancelFundamentalData(1)),
]
"""What begins something, and what ends it."""

BOUGHT = m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10))
RESTING = m.PlaceOrder(2, APPLE, LimitOrder("BUY", 10, 50.0))

# Some need what was bought before, or a resting order, to have anything to tell.
SINGLE: Final[list[Conversation]] = [
    [m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10))],
    [RESTING, m.CancelOrder(2, OrderCancel())],
    [RESTING, m.ReqGlobalCancel(OrderCancel())],
    [RESTING, m.ReqOpenOrders()],
    [RESTING, m.ReqAllOpenOrders()],
    [m.ReqAutoOpenOrders(True)],
    [BOUGHT, m.ReqCompletedOrders(False)],
    [BOUGHT, m.ReqExecutions(1, ExecutionFilter())],
    [BOUGHT, m.ReqAcctData(True, ACCOUNT)],
    [BOUGHT, m.ReqPositions()],
    [BOUGHT, m.ReqPositionsMulti(1, ACCOUNT, "")],
    [m.ReqIds(1)],
    [m.ReqContractData(1, APPLE)],
    [m.SetServerLoglevel(2)],
    [m.ReqManagedAccts()],
    [m.ReqFa(1)],
    [m.ReplaceFa(1, "<xml/>", 1)],
    [m.ReqScannerParameters()],
    [m.ReqCurrentTime()],
    [m.ReqMarketDataType(3)],
    [m.VerifyRequest("app", "1")],
    [m.VerifyMessage("answer")],
    [m.VerifyAndAuthRequest("app", "1", "key")],
    [m.VerifyAndAuthMessage("data", "response")],
    [m.QueryDisplayGroups(1)],
    [m.SubscribeToGroupEvents(1, 2), m.UpdateDisplayGroup(1, f"{APPLE_ID}@SMART")],
    [m.ReqSecDefOptParams(1, "AAPL", "", "STK", APPLE_ID)],
    [m.ReqSoftDollarTiers(1)],
    [m.ReqFamilyCodes()],
    [m.ReqMatchingSymbols(1, "App")],
    [m.ReqMktDepthExchanges()],
    [m.ReqSmartComponents(1, "9c0001")],
    [m.ReqNewsProviders()],
    [m.ReqHistoricalNews(1, APPLE_ID, "BRFG+BRFUPDN+DJNL", "", "", 5, [])],
    [m.ReqMarketRule(26)],
    [m.ReqHistoricalTicks(1, APPLE, "", "20240110-15:00:00", 10, "TRADES", 1, False, [])],
    [m.ReqWshMetaData(1), m.ReqWshEventData(2, WshEventData(conId=APPLE_ID))],
    [m.ReqWshMetaData(1), m.ReqWshEventData(2, WshEventData(conId=APPLE_ID)), m.CancelWshEventData(2)],
    [m.ReqUserInfo(1)],
    [m.ReqCurrentTimeInMillis()],
    [m.CancelContractData(9)],
    [m.CancelHistoricalTicks(9)],
    [m.ReqConfig(1)],
    [m.UpdateConfig(1, TwsConfig(), [], False)],
]

LOOKED_UP: Final[list[Callable[[Client], Conversation]]] = [
    lambda client: [m.ReqNewsArticle(1, *_article(client), [])],
    lambda client: [m.ReqCalcImpliedVolat(1, _option(client), 5.0, 160.0, [])],
    lambda client: [m.ReqCalcOptionPrice(1, _option(client), 0.2, 160.0, [])],
    lambda client: [m.ReqCalcImpliedVolat(1, _option(client), 5.0, 160.0, []), m.CancelCalcImpliedVolat(1)],
    lambda client: [m.ReqCalcOptionPrice(1, _option(client), 0.2, 160.0, []), m.CancelCalcOptionPrice(1)],
    lambda client: [
        m.PlaceOrder(1, _option(client), MarketOrder("BUY", 1)),
        m.ExerciseOptions(2, _option(client), 1, 1, ACCOUNT, 1, "", "", False),
    ],
]


def conversations() -> list[Callable[[Client], Conversation]]:
    """Return all conversations; START_API, which begins every one, is not among them."""

    def fixed(said: Conversation) -> Callable[[Client], Conversation]:
        return lambda client: said

    found = [fixed([start]) for start, _ in STREAMS]
    starts = {type(said[-1]) for said in SINGLE}
    found = [make for make, (start, _) in zip(found, STREAMS, strict=True) if type(start) not in starts]
    found += [fixed([start, cancel]) for start, cancel in STREAMS]
    return found + [fixed(said) for said in SINGLE] + LOOKED_UP
