"""What a gateway sends: one immutable record a message, its fields named as the official client's callbacks.

Numbers that are not told are UNSET_DOUBLE or UNSET_INTEGER where the table says so, sizes NaN. Dates and times are
the texts of the wire. Must not know how a message is read; ``ibkit.wire.table`` does.
"""

from __future__ import annotations

from collections.abc import Sequence

from ibkit.model import (
    UNSET_DOUBLE,
    CommissionReport,
    Contract,
    ContractDescription,
    ContractDetails,
    DeltaNeutralContract,
    DepthMktDataDescription,
    Execution,
    FamilyCode,
    HistoricalSession,
    NewsProvider,
    Order,
    OrderState,
    PriceIncrement,
    SmartComponent,
    SoftDollarTier,
    TwsConfig,
    UpdateConfigResult,
)
from ibkit.model import HistogramData as HistogramRow
from ibkit.model.tuples import NamedTuple
from ibkit.wire.messages.rows import BarRow, ScannerRow, TickBidAskRow, TickLastRow, TickRow


class TickPrice(NamedTuple):
    """TICK_PRICE (1): tickPrice."""

    reqId: int
    tickType: int
    price: float
    size: float
    attrMask: int


class TickSize(NamedTuple):
    """TICK_SIZE (2): tickSize."""

    reqId: int
    tickType: int
    size: float


class OrderStatus(NamedTuple):
    """ORDER_STATUS (3): orderStatus."""

    orderId: int
    status: str
    filled: float
    remaining: float
    avgFillPrice: float
    permId: int
    parentId: int
    lastFillPrice: float
    clientId: int
    whyHeld: str
    mktCapPrice: float


class ErrMsg(NamedTuple):
    """ERR_MSG (4): error."""

    reqId: int
    errorCode: int
    errorString: str
    advancedOrderRejectJson: str
    errorTime: int


class OpenOrder(NamedTuple):
    """OPEN_ORDER (5): openOrder."""

    order: Order
    contract: Contract
    orderState: OrderState


class AcctValue(NamedTuple):
    """ACCT_VALUE (6): updateAccountValue."""

    key: str
    val: str
    currency: str
    accountName: str


class PortfolioValue(NamedTuple):
    """PORTFOLIO_VALUE (7): updatePortfolio."""

    contract: Contract
    position: float
    marketPrice: float
    marketValue: float
    averageCost: float
    unrealizedPNL: float
    realizedPNL: float
    accountName: str


class AcctUpdateTime(NamedTuple):
    """ACCT_UPDATE_TIME (8): updateAccountTime."""

    timeStamp: str


class NextValidId(NamedTuple):
    """NEXT_VALID_ID (9): nextValidId."""

    orderId: int


class ContractData(NamedTuple):
    """CONTRACT_DATA (10): contractDetails."""

    reqId: int
    contractDetails: ContractDetails


class ExecutionData(NamedTuple):
    """EXECUTION_DATA (11): execDetails."""

    reqId: int
    contract: Contract
    execution: Execution
    time: str


class MarketDepth(NamedTuple):
    """MARKET_DEPTH (12): updateMktDepth."""

    reqId: int
    position: int
    operation: int
    side: int
    price: float
    size: float


class MarketDepthL2(NamedTuple):
    """MARKET_DEPTH_L2 (13): updateMktDepthL2."""

    reqId: int
    position: int
    marketMaker: str
    operation: int
    side: int
    price: float
    size: float
    isSmartDepth: bool


class NewsBulletins(NamedTuple):
    """NEWS_BULLETINS (14): updateNewsBulletin."""

    msgId: int
    msgType: int
    newsMessage: str
    originExch: str


class ManagedAccts(NamedTuple):
    """MANAGED_ACCTS (15): managedAccounts."""

    accountsList: str


class ReceiveFa(NamedTuple):
    """RECEIVE_FA (16): receiveFA."""

    faData: int
    cxml: str


class HistoricalData(NamedTuple):
    """HISTORICAL_DATA (17): historicalData."""

    reqId: int
    startDateStr: str
    endDateStr: str
    bars: Sequence[BarRow]


class BondContractData(NamedTuple):
    """BOND_CONTRACT_DATA (18): bondContractDetails."""

    reqId: int
    contractDetails: ContractDetails


class ScannerParameters(NamedTuple):
    """SCANNER_PARAMETERS (19): scannerParameters."""

    xml: str


class ScannerData(NamedTuple):
    """SCANNER_DATA (20): scannerData."""

    reqId: int
    rows: list[ScannerRow]


class TickOptionComputation(NamedTuple):
    """TICK_OPTION_COMPUTATION (21): tickOptionComputation."""

    reqId: int
    tickType: int
    tickAttrib: int
    impliedVol: float
    delta: float
    optPrice: float
    pvDividend: float
    gamma: float
    vega: float
    theta: float
    undPrice: float


class TickGeneric(NamedTuple):
    """TICK_GENERIC (45): tickGeneric."""

    reqId: int
    tickType: int
    value: float


class TickString(NamedTuple):
    """TICK_STRING (46): tickString."""

    reqId: int
    tickType: int
    value: str


class TickEfp(NamedTuple):
    """TICK_EFP (47): tickEFP."""

    reqId: int
    tickType: int
    basisPoints: float
    formattedBasisPoints: str
    totalDividends: float
    holdDays: int
    futureLastTradeDate: str
    dividendImpact: float
    dividendsToLastTradeDate: float


class CurrentTime(NamedTuple):
    """CURRENT_TIME (49): currentTime."""

    time: int


class RealTimeBars(NamedTuple):
    """REAL_TIME_BARS (50): realtimeBar."""

    reqId: int
    time: int
    open_: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count_: int


class FundamentalData(NamedTuple):
    """FUNDAMENTAL_DATA (51): fundamentalData."""

    reqId: int
    data: str


class ContractDataEnd(NamedTuple):
    """CONTRACT_DATA_END (52): contractDetailsEnd."""

    reqId: int


class OpenOrderEnd(NamedTuple):
    """OPEN_ORDER_END (53): openOrderEnd."""


class AcctDownloadEnd(NamedTuple):
    """ACCT_DOWNLOAD_END (54): accountDownloadEnd."""

    accountName: str


class ExecutionDataEnd(NamedTuple):
    """EXECUTION_DATA_END (55): execDetailsEnd."""

    reqId: int


class DeltaNeutralValidation(NamedTuple):
    """DELTA_NEUTRAL_VALIDATION (56): deltaNeutralValidation."""

    reqId: int
    deltaNeutralContract: DeltaNeutralContract


class TickSnapshotEnd(NamedTuple):
    """TICK_SNAPSHOT_END (57): tickSnapshotEnd."""

    reqId: int


class MarketDataType(NamedTuple):
    """MARKET_DATA_TYPE (58): marketDataType."""

    reqId: int
    marketDataType: int


class CommissionAndFeesReport(NamedTuple):
    """COMMISSION_AND_FEES_REPORT (59): commissionAndFeesReport."""

    commissionAndFeesReport: CommissionReport


class PositionData(NamedTuple):
    """POSITION_DATA (61): position."""

    account: str
    contract: Contract
    position: float
    avgCost: float


class PositionEnd(NamedTuple):
    """POSITION_END (62): positionEnd."""


class AccountSummary(NamedTuple):
    """ACCOUNT_SUMMARY (63): accountSummary."""

    reqId: int
    account: str
    tag: str
    value: str
    currency: str


class AccountSummaryEnd(NamedTuple):
    """ACCOUNT_SUMMARY_END (64): accountSummaryEnd."""

    reqId: int


class VerifyMessageApi(NamedTuple):
    """VERIFY_MESSAGE_API (65): verifyMessageAPI."""

    apiData: str


class VerifyCompleted(NamedTuple):
    """VERIFY_COMPLETED (66): verifyCompleted."""

    isSuccessful: bool
    errorText: str


class DisplayGroupList(NamedTuple):
    """DISPLAY_GROUP_LIST (67): displayGroupList."""

    reqId: int
    groups: str


class DisplayGroupUpdated(NamedTuple):
    """DISPLAY_GROUP_UPDATED (68): displayGroupUpdated."""

    reqId: int
    contractInfo: str


class VerifyAndAuthMessageApi(NamedTuple):
    """VERIFY_AND_AUTH_MESSAGE_API (69): verifyAndAuthMessageAPI."""

    apiData: str
    xyzChallange: str


class VerifyAndAuthCompleted(NamedTuple):
    """VERIFY_AND_AUTH_COMPLETED (70): verifyAndAuthCompleted."""

    isSuccessful: bool
    errorText: str


class PositionMulti(NamedTuple):
    """POSITION_MULTI (71): positionMulti."""

    reqId: int
    account: str
    contract: Contract
    pos: float
    avgCost: float
    modelCode: str


class PositionMultiEnd(NamedTuple):
    """POSITION_MULTI_END (72): positionMultiEnd."""

    reqId: int


class AccountUpdateMulti(NamedTuple):
    """ACCOUNT_UPDATE_MULTI (73): accountUpdateMulti."""

    reqId: int
    account: str
    modelCode: str
    key: str
    value: str
    currency: str


class AccountUpdateMultiEnd(NamedTuple):
    """ACCOUNT_UPDATE_MULTI_END (74): accountUpdateMultiEnd."""

    reqId: int


class SecurityDefinitionOptionParameter(NamedTuple):
    """SECURITY_DEFINITION_OPTION_PARAMETER (75): securityDefinitionOptionParameter."""

    reqId: int
    exchange: str
    underlyingConId: int
    tradingClass: str
    multiplier: str
    expirations: list[str]
    strikes: list[float]


class SecurityDefinitionOptionParameterEnd(NamedTuple):
    """SECURITY_DEFINITION_OPTION_PARAMETER_END (76): securityDefinitionOptionParameterEnd."""

    reqId: int


class SoftDollarTiers(NamedTuple):
    """SOFT_DOLLAR_TIERS (77): softDollarTiers."""

    reqId: int
    tiers: list[SoftDollarTier]


class FamilyCodes(NamedTuple):
    """FAMILY_CODES (78): familyCodes."""

    familyCodes: list[FamilyCode]


class SymbolSamples(NamedTuple):
    """SYMBOL_SAMPLES (79): symbolSamples."""

    reqId: int
    contractDescriptions: list[ContractDescription]


class MktDepthExchanges(NamedTuple):
    """MKT_DEPTH_EXCHANGES (80): mktDepthExchanges."""

    depthMktDataDescriptions: list[DepthMktDataDescription]


class TickReqParams(NamedTuple):
    """TICK_REQ_PARAMS (81): tickReqParams."""

    tickerId: int
    minTick: float
    bboExchange: str
    snapshotPermissions: int
    lastPricePrecision: float = UNSET_DOUBLE
    lastSizePrecision: float = UNSET_DOUBLE


class SmartComponents(NamedTuple):
    """SMART_COMPONENTS (82): smartComponents."""

    reqId: int
    smartComponentMap: list[SmartComponent]


class NewsArticle(NamedTuple):
    """NEWS_ARTICLE (83): newsArticle."""

    requestId: int
    articleType: int
    articleText: str


class TickNews(NamedTuple):
    """TICK_NEWS (84): tickNews."""

    tickerId: int
    timeStamp: int
    providerCode: str
    articleId: str
    headline: str
    extraData: str


class NewsProviders(NamedTuple):
    """NEWS_PROVIDERS (85): newsProviders."""

    newsProviders: list[NewsProvider]


class HistoricalNews(NamedTuple):
    """HISTORICAL_NEWS (86): historicalNews."""

    requestId: int
    time: str
    providerCode: str
    articleId: str
    headline: str


class HistoricalNewsEnd(NamedTuple):
    """HISTORICAL_NEWS_END (87): historicalNewsEnd."""

    requestId: int
    hasMore: bool


class HeadTimestamp(NamedTuple):
    """HEAD_TIMESTAMP (88): headTimestamp."""

    reqId: int
    headTimestamp: str


class HistogramData(NamedTuple):
    """HISTOGRAM_DATA (89): histogramData."""

    reqId: int
    items: list[HistogramRow]


class HistoricalDataUpdate(NamedTuple):
    """HISTORICAL_DATA_UPDATE (90): historicalDataUpdate."""

    reqId: int
    bar: BarRow


class RerouteMktDataReq(NamedTuple):
    """REROUTE_MKT_DATA_REQ (91): rerouteMktDataReq."""

    reqId: int
    conId: int
    exchange: str


class RerouteMktDepthReq(NamedTuple):
    """REROUTE_MKT_DEPTH_REQ (92): rerouteMktDepthReq."""

    reqId: int
    conId: int
    exchange: str


class MarketRule(NamedTuple):
    """MARKET_RULE (93): marketRule."""

    marketRuleId: int
    priceIncrements: list[PriceIncrement]


class Pnl(NamedTuple):
    """PNL (94): pnl."""

    reqId: int
    dailyPnL: float
    unrealizedPnL: float
    realizedPnL: float


class PnlSingle(NamedTuple):
    """PNL_SINGLE (95): pnlSingle."""

    reqId: int
    pos: float
    dailyPnL: float
    unrealizedPnL: float
    realizedPnL: float
    value: float


class HistoricalTicks(NamedTuple):
    """HISTORICAL_TICKS (96): historicalTicks."""

    reqId: int
    ticks: list[TickRow]
    done: bool


class HistoricalTicksBidAsk(NamedTuple):
    """HISTORICAL_TICKS_BID_ASK (97): historicalTicksBidAsk."""

    reqId: int
    ticks: list[TickBidAskRow]
    done: bool


class HistoricalTicksLast(NamedTuple):
    """HISTORICAL_TICKS_LAST (98): historicalTicksLast."""

    reqId: int
    ticks: list[TickLastRow]
    done: bool


class TickByTick(NamedTuple):
    """TICK_BY_TICK (99): tickByTick*."""

    reqId: int
    tickType: int
    tick: TickLastRow | TickBidAskRow | TickRow


class OrderBound(NamedTuple):
    """ORDER_BOUND (100): orderBound."""

    permId: int
    clientId: int
    orderId: int


class CompletedOrder(NamedTuple):
    """COMPLETED_ORDER (101): completedOrder."""

    contract: Contract
    order: Order
    orderState: OrderState


class CompletedOrdersEnd(NamedTuple):
    """COMPLETED_ORDERS_END (102): completedOrdersEnd."""


class ReplaceFaEnd(NamedTuple):
    """REPLACE_FA_END (103): replaceFAEnd."""

    reqId: int
    text: str


class WshMetaData(NamedTuple):
    """WSH_META_DATA (104): wshMetaData."""

    reqId: int
    dataJson: str


class WshEventData(NamedTuple):
    """WSH_EVENT_DATA (105): wshEventData."""

    reqId: int
    dataJson: str


class HistoricalSchedule(NamedTuple):
    """HISTORICAL_SCHEDULE (106): historicalSchedule."""

    reqId: int
    startDateTime: str
    endDateTime: str
    timeZone: str
    sessions: list[HistoricalSession]


class UserInfo(NamedTuple):
    """USER_INFO (107): userInfo."""

    reqId: int
    whiteBrandingId: str


class HistoricalDataEnd(NamedTuple):
    """HISTORICAL_DATA_END (108): historicalDataEnd."""

    reqId: int
    start: str
    end: str


class CurrentTimeInMillis(NamedTuple):
    """CURRENT_TIME_IN_MILLIS (109): currentTimeInMillis."""

    timeInMillis: int


class ConfigResponse(NamedTuple):
    """CONFIG_RESPONSE (110): configResponseProtoBuf."""

    reqId: int
    config: TwsConfig


class UpdateConfigResponse(NamedTuple):
    """UPDATE_CONFIG_RESPONSE (111): updateConfigResponseProtoBuf."""

    reqId: int
    result: UpdateConfigResult
