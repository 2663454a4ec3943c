"""What a client sends: one immutable record a message, its fields named as the official client's arguments.

Must not know how a message is written; ``ibkit.wire.table`` does. A field that a server is too old for is an
``UnsupportedField`` unless it is at its default. The fields of every record are held equal to the table by
``tests/wire/test_messages.py``.
"""

from __future__ import annotations

from ibkit.model import (
    Contract,
    ExecutionFilter,
    Order,
    OrderCancel,
    ScannerSubscription,
    TagValue,
    TwsConfig,
    UpdateConfigWarning,
    WshEventData,
)
from ibkit.model.tuples import NamedTuple


class ReqMktData(NamedTuple):
    """REQ_MKT_DATA (1): reqMktData."""

    reqId: int
    contract: Contract
    genericTickList: str
    snapshot: bool
    regulatorySnapshot: bool
    mktDataOptions: list[TagValue]


class CancelMktData(NamedTuple):
    """CANCEL_MKT_DATA (2): cancelMktData."""

    reqId: int


class PlaceOrder(NamedTuple):
    """PLACE_ORDER (3): placeOrder."""

    orderId: int
    contract: Contract
    order: Order


class CancelOrder(NamedTuple):
    """CANCEL_ORDER (4): cancelOrder."""

    orderId: int
    orderCancel: OrderCancel


class ReqOpenOrders(NamedTuple):
    """REQ_OPEN_ORDERS (5): reqOpenOrders."""


class ReqAcctData(NamedTuple):
    """REQ_ACCT_DATA (6): reqAccountUpdates."""

    subscribe: bool
    acctCode: str


class ReqExecutions(NamedTuple):
    """REQ_EXECUTIONS (7): reqExecutions."""

    reqId: int
    execFilter: ExecutionFilter


class ReqIds(NamedTuple):
    """REQ_IDS (8): reqIds."""

    numIds: int


class ReqContractData(NamedTuple):
    """REQ_CONTRACT_DATA (9): reqContractDetails."""

    reqId: int
    contract: Contract


class ReqMktDepth(NamedTuple):
    """REQ_MKT_DEPTH (10): reqMktDepth."""

    reqId: int
    contract: Contract
    numRows: int
    isSmartDepth: bool
    mktDepthOptions: list[TagValue]


class CancelMktDepth(NamedTuple):
    """CANCEL_MKT_DEPTH (11): cancelMktDepth."""

    reqId: int
    isSmartDepth: bool


class ReqNewsBulletins(NamedTuple):
    """REQ_NEWS_BULLETINS (12): reqNewsBulletins."""

    allMsgs: bool


class CancelNewsBulletins(NamedTuple):
    """CANCEL_NEWS_BULLETINS (13): cancelNewsBulletins."""


class SetServerLoglevel(NamedTuple):
    """SET_SERVER_LOGLEVEL (14): setServerLogLevel."""

    logLevel: int


class ReqAutoOpenOrders(NamedTuple):
    """REQ_AUTO_OPEN_ORDERS (15): reqAutoOpenOrders."""

    bAutoBind: bool


class ReqAllOpenOrders(NamedTuple):
    """REQ_ALL_OPEN_ORDERS (16): reqAllOpenOrders."""


class ReqManagedAccts(NamedTuple):
    """REQ_MANAGED_ACCTS (17): reqManagedAccts."""


class ReqFa(NamedTuple):
    """REQ_FA (18): requestFA."""

    faData: int


class ReplaceFa(NamedTuple):
    """REPLACE_FA (19): replaceFA."""

    faData: int
    cxml: str
    reqId: int


class ReqHistoricalData(NamedTuple):
    """REQ_HISTORICAL_DATA (20): reqHistoricalData."""

    reqId: int
    contract: Contract
    endDateTime: str
    barSizeSetting: str
    durationStr: str
    useRTH: int
    whatToShow: str
    formatDate: int
    keepUpToDate: bool
    chartOptions: list[TagValue]


class ExerciseOptions(NamedTuple):
    """EXERCISE_OPTIONS (21): exerciseOptions."""

    reqId: int
    contract: Contract
    exerciseAction: int
    exerciseQuantity: int
    account: str
    override: int
    manualOrderTime: str
    customerAccount: str
    professionalCustomer: bool


class ReqScannerSubscription(NamedTuple):
    """REQ_SCANNER_SUBSCRIPTION (22): reqScannerSubscription."""

    reqId: int
    subscription: ScannerSubscription
    scannerSubscriptionFilterOptions: list[TagValue]
    scannerSubscriptionOptions: list[TagValue]


class CancelScannerSubscription(NamedTuple):
    """CANCEL_SCANNER_SUBSCRIPTION (23): cancelScannerSubscription."""

    reqId: int


class ReqScannerParameters(NamedTuple):
    """REQ_SCANNER_PARAMETERS (24): reqScannerParameters."""


class CancelHistoricalData(NamedTuple):
    """CANCEL_HISTORICAL_DATA (25): cancelHistoricalData."""

    reqId: int


class ReqCurrentTime(NamedTuple):
    """REQ_CURRENT_TIME (49): reqCurrentTime."""


class ReqRealTimeBars(NamedTuple):
    """REQ_REAL_TIME_BARS (50): reqRealTimeBars."""

    reqId: int
    contract: Contract
    barSize: int
    whatToShow: str
    useRTH: bool
    realTimeBarsOptions: list[TagValue]


class CancelRealTimeBars(NamedTuple):
    """CANCEL_REAL_TIME_BARS (51): cancelRealTimeBars."""

    reqId: int


class ReqFundamentalData(NamedTuple):
    """REQ_FUNDAMENTAL_DATA (52): reqFundamentalData."""

    reqId: int
    contract: Contract
    reportType: str
    fundamentalDataOptions: list[TagValue]


class CancelFundamentalData(NamedTuple):
    """CANCEL_FUNDAMENTAL_DATA (53): cancelFundamentalData."""

    reqId: int


class ReqCalcImpliedVolat(NamedTuple):
    """REQ_CALC_IMPLIED_VOLAT (54): calculateImpliedVolatility."""

    reqId: int
    contract: Contract
    optionPrice: float
    underPrice: float
    implVolOptions: list[TagValue]


class ReqCalcOptionPrice(NamedTuple):
    """REQ_CALC_OPTION_PRICE (55): calculateOptionPrice."""

    reqId: int
    contract: Contract
    volatility: float
    underPrice: float
    optPrcOptions: list[TagValue]


class CancelCalcImpliedVolat(NamedTuple):
    """CANCEL_CALC_IMPLIED_VOLAT (56): cancelCalculateImpliedVolatility."""

    reqId: int


class CancelCalcOptionPrice(NamedTuple):
    """CANCEL_CALC_OPTION_PRICE (57): cancelCalculateOptionPrice."""

    reqId: int


class ReqGlobalCancel(NamedTuple):
    """REQ_GLOBAL_CANCEL (58): reqGlobalCancel."""

    orderCancel: OrderCancel


class ReqMarketDataType(NamedTuple):
    """REQ_MARKET_DATA_TYPE (59): reqMarketDataType."""

    marketDataType: int


class ReqPositions(NamedTuple):
    """REQ_POSITIONS (61): reqPositions."""


class ReqAccountSummary(NamedTuple):
    """REQ_ACCOUNT_SUMMARY (62): reqAccountSummary."""

    reqId: int
    groupName: str
    tags: str


class CancelAccountSummary(NamedTuple):
    """CANCEL_ACCOUNT_SUMMARY (63): cancelAccountSummary."""

    reqId: int


class CancelPositions(NamedTuple):
    """CANCEL_POSITIONS (64): cancelPositions."""


class VerifyRequest(NamedTuple):
    """VERIFY_REQUEST (65): verifyRequest."""

    apiName: str
    apiVersion: str


class VerifyMessage(NamedTuple):
    """VERIFY_MESSAGE (66): verifyMessage."""

    apiData: str


class QueryDisplayGroups(NamedTuple):
    """QUERY_DISPLAY_GROUPS (67): queryDisplayGroups."""

    reqId: int


class SubscribeToGroupEvents(NamedTuple):
    """SUBSCRIBE_TO_GROUP_EVENTS (68): subscribeToGroupEvents."""

    reqId: int
    groupId: int


class UpdateDisplayGroup(NamedTuple):
    """UPDATE_DISPLAY_GROUP (69): updateDisplayGroup."""

    reqId: int
    contractInfo: str


class UnsubscribeFromGroupEvents(NamedTuple):
    """UNSUBSCRIBE_FROM_GROUP_EVENTS (70): unsubscribeFromGroupEvents."""

    reqId: int


class StartApi(NamedTuple):
    """START_API (71): startApi."""

    clientId: int
    optCapab: str


class VerifyAndAuthRequest(NamedTuple):
    """VERIFY_AND_AUTH_REQUEST (72): verifyAndAuthRequest."""

    apiName: str
    apiVersion: str
    opaqueIsvKey: str


class VerifyAndAuthMessage(NamedTuple):
    """VERIFY_AND_AUTH_MESSAGE (73): verifyAndAuthMessage."""

    apiData: str
    xyzResponse: str


class ReqPositionsMulti(NamedTuple):
    """REQ_POSITIONS_MULTI (74): reqPositionsMulti."""

    reqId: int
    account: str
    modelCode: str


class CancelPositionsMulti(NamedTuple):
    """CANCEL_POSITIONS_MULTI (75): cancelPositionsMulti."""

    reqId: int


class ReqAccountUpdatesMulti(NamedTuple):
    """REQ_ACCOUNT_UPDATES_MULTI (76): reqAccountUpdatesMulti."""

    reqId: int
    account: str
    modelCode: str
    ledgerAndNLV: bool


class CancelAccountUpdatesMulti(NamedTuple):
    """CANCEL_ACCOUNT_UPDATES_MULTI (77): cancelAccountUpdatesMulti."""

    reqId: int


class ReqSecDefOptParams(NamedTuple):
    """REQ_SEC_DEF_OPT_PARAMS (78): reqSecDefOptParams."""

    reqId: int
    underlyingSymbol: str
    futFopExchange: str
    underlyingSecType: str
    underlyingConId: int


class ReqSoftDollarTiers(NamedTuple):
    """REQ_SOFT_DOLLAR_TIERS (79): reqSoftDollarTiers."""

    reqId: int


class ReqFamilyCodes(NamedTuple):
    """REQ_FAMILY_CODES (80): reqFamilyCodes."""


class ReqMatchingSymbols(NamedTuple):
    """REQ_MATCHING_SYMBOLS (81): reqMatchingSymbols."""

    reqId: int
    pattern: str


class ReqMktDepthExchanges(NamedTuple):
    """REQ_MKT_DEPTH_EXCHANGES (82): reqMktDepthExchanges."""


class ReqSmartComponents(NamedTuple):
    """REQ_SMART_COMPONENTS (83): reqSmartComponents."""

    reqId: int
    bboExchange: str


class ReqNewsArticle(NamedTuple):
    """REQ_NEWS_ARTICLE (84): reqNewsArticle."""

    reqId: int
    providerCode: str
    articleId: str
    newsArticleOptions: list[TagValue]


class ReqNewsProviders(NamedTuple):
    """REQ_NEWS_PROVIDERS (85): reqNewsProviders."""


class ReqHistoricalNews(NamedTuple):
    """REQ_HISTORICAL_NEWS (86): reqHistoricalNews."""

    reqId: int
    conId: int
    providerCodes: str
    startDateTime: str
    endDateTime: str
    totalResults: int
    historicalNewsOptions: list[TagValue]


class ReqHeadTimestamp(NamedTuple):
    """REQ_HEAD_TIMESTAMP (87): reqHeadTimeStamp."""

    reqId: int
    contract: Contract
    useRTH: int
    whatToShow: str
    formatDate: int


class ReqHistogramData(NamedTuple):
    """REQ_HISTOGRAM_DATA (88): reqHistogramData."""

    tickerId: int
    contract: Contract
    useRTH: bool
    timePeriod: str


class CancelHistogramData(NamedTuple):
    """CANCEL_HISTOGRAM_DATA (89): cancelHistogramData."""

    tickerId: int


class CancelHeadTimestamp(NamedTuple):
    """CANCEL_HEAD_TIMESTAMP (90): cancelHeadTimeStamp."""

    reqId: int


class ReqMarketRule(NamedTuple):
    """REQ_MARKET_RULE (91): reqMarketRule."""

    marketRuleId: int


class ReqPnl(NamedTuple):
    """REQ_PNL (92): reqPnL."""

    reqId: int
    account: str
    modelCode: str


class CancelPnl(NamedTuple):
    """CANCEL_PNL (93): cancelPnL."""

    reqId: int


class ReqPnlSingle(NamedTuple):
    """REQ_PNL_SINGLE (94): reqPnLSingle."""

    reqId: int
    account: str
    modelCode: str
    conid: int


class CancelPnlSingle(NamedTuple):
    """CANCEL_PNL_SINGLE (95): cancelPnLSingle."""

    reqId: int


class ReqHistoricalTicks(NamedTuple):
    """REQ_HISTORICAL_TICKS (96): reqHistoricalTicks."""

    reqId: int
    contract: Contract
    startDateTime: str
    endDateTime: str
    numberOfTicks: int
    whatToShow: str
    useRth: int
    ignoreSize: bool
    miscOptions: list[TagValue]


class ReqTickByTickData(NamedTuple):
    """REQ_TICK_BY_TICK_DATA (97): reqTickByTickData."""

    reqId: int
    contract: Contract
    tickType: str
    numberOfTicks: int
    ignoreSize: bool


class CancelTickByTickData(NamedTuple):
    """CANCEL_TICK_BY_TICK_DATA (98): cancelTickByTickData."""

    reqId: int


class ReqCompletedOrders(NamedTuple):
    """REQ_COMPLETED_ORDERS (99): reqCompletedOrders."""

    apiOnly: bool


class ReqWshMetaData(NamedTuple):
    """REQ_WSH_META_DATA (100): reqWshMetaData."""

    reqId: int


class CancelWshMetaData(NamedTuple):
    """CANCEL_WSH_META_DATA (101): cancelWshMetaData."""

    reqId: int


class ReqWshEventData(NamedTuple):
    """REQ_WSH_EVENT_DATA (102): reqWshEventData."""

    reqId: int
    wshEventData: WshEventData


class CancelWshEventData(NamedTuple):
    """CANCEL_WSH_EVENT_DATA (103): cancelWshEventData."""

    reqId: int


class ReqUserInfo(NamedTuple):
    """REQ_USER_INFO (104): reqUserInfo."""

    reqId: int


class ReqCurrentTimeInMillis(NamedTuple):
    """REQ_CURRENT_TIME_IN_MILLIS (105): reqCurrentTimeInMillis."""


class CancelContractData(NamedTuple):
    """CANCEL_CONTRACT_DATA (106): cancelContractData."""

    reqId: int


class CancelHistoricalTicks(NamedTuple):
    """CANCEL_HISTORICAL_TICKS (107): cancelHistoricalTicks."""

    reqId: int


class ReqConfig(NamedTuple):
    """REQ_CONFIG (108): reqConfigProtoBuf."""

    reqId: int


class UpdateConfig(NamedTuple):
    """UPDATE_CONFIG (109): updateConfigProtoBuf."""

    reqId: int
    config: TwsConfig
    acceptedWarnings: list[UpdateConfigWarning]
    resetAPIOrderSequence: bool
