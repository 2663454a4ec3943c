"""Executions, market data records and the other small things the broker sends.

What ib_insync has as a NamedTuple is one here. Must not know orders, events or the wire.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from datetime import date as date_
from enum import Enum, Flag, auto
from numbers import Real

from ibkit.model.base import Alias, Record, named_tuple_methods
from ibkit.model.contract import Contract
from ibkit.model.records import field, record
from ibkit.model.tuples import NamedTuple
from ibkit.model.values import EPOCH, UNSET_DOUBLE, UNSET_INTEGER, nan


@record
class ScannerSubscription(Record):
    """What a market scanner looks for; unset limits do not filter."""

    numberOfRows: int = -1
    instrument: str = ""
    locationCode: str = ""
    scanCode: str = ""
    abovePrice: float = UNSET_DOUBLE
    belowPrice: float = UNSET_DOUBLE
    aboveVolume: int = UNSET_INTEGER
    marketCapAbove: float = UNSET_DOUBLE
    marketCapBelow: float = UNSET_DOUBLE
    moodyRatingAbove: str = ""
    moodyRatingBelow: str = ""
    spRatingAbove: str = ""
    spRatingBelow: str = ""
    maturityDateAbove: str = ""
    maturityDateBelow: str = ""
    couponRateAbove: float = UNSET_DOUBLE
    couponRateBelow: float = UNSET_DOUBLE
    excludeConvertible: bool = False
    averageOptionVolumeAbove: int = UNSET_INTEGER
    scannerSettingPairs: str = ""
    stockTypeFilter: str = ""


class OptionExerciseType(Enum):
    """How an execution came from an option exercise; the value is the number TWS sends."""

    NoneItem = -1
    Exercise = 1
    Lapse = 2
    DoNothing = 3
    Assigned = 100
    AutoexerciseClearing = 101
    Expired = 102
    Netting = 103
    AutoexerciseTrading = 200


@record
class Execution(Record):
    """One execution of an order; ``side`` is BOT or SLD, ``time`` is aware (UTC).

    ``execId`` ends in a revision: a correction repeats the id with a higher last part.
    """

    execId: str = ""
    time: datetime = EPOCH
    acctNumber: str = ""
    exchange: str = ""
    side: str = ""
    shares: float = 0.0
    price: float = 0.0
    permId: int = 0
    clientId: int = 0
    orderId: int = 0
    liquidation: int = 0
    cumQty: float = 0.0
    avgPrice: float = 0.0
    orderRef: str = ""
    evRule: str = ""
    evMultiplier: float = 0.0
    modelCode: str = ""
    lastLiquidity: int = 0
    pendingPriceRevision: bool = False
    submitter: str = ""
    optExerciseOrLapseType: OptionExerciseType = OptionExerciseType.NoneItem


@record
class CommissionReport(Record):
    """What an execution cost.

    The amounts are NaN until the broker's report has arrived: an unknown commission is not 0.
    """

    execId: str = ""
    commission: float = nan
    currency: str = ""
    realizedPNL: float = nan
    yield_: float = nan
    yieldRedemptionDate: int = 0

    commissionAndFees = Alias[float]("commission")


@record
class ExecutionFilter(Record):
    """Which executions to ask for; empty fields do not filter. ``specificDates`` are YYYYMMDD numbers."""

    clientId: int = 0
    acctCode: str = ""
    time: str = ""
    symbol: str = ""
    secType: str = ""
    exchange: str = ""
    side: str = ""
    lastNDays: int = UNSET_INTEGER
    specificDates: list[int] = field(default_factory=list)


@record
class TickAttrib(Record):
    """Flags of a price tick."""

    canAutoExecute: bool = False
    pastLimit: bool = False
    preOpen: bool = False


@record
class TickAttribBidAsk(Record):
    """Flags of a bid/ask tick."""

    bidPastLow: bool = False
    askPastHigh: bool = False


@record
class TickAttribLast(Record):
    """Flags of a last-trade tick."""

    pastLimit: bool = False
    unreported: bool = False


@record
class HistogramData(Record):
    """How much was traded at a price."""

    price: float = 0.0
    count: float = 0

    size = Alias[float]("count")


@record
class NewsProvider(Record):
    """A source of news."""

    code: str = ""
    name: str = ""


@record
class DepthMktDataDescription(Record):
    """An exchange that offers market depth."""

    exchange: str = ""
    secType: str = ""
    listingExch: str = ""
    serviceDataType: str = ""
    aggGroup: int = UNSET_INTEGER


@record
class PnL(Record):
    """Profit and loss of an account; NaN where the broker told nothing (yet)."""

    account: str = ""
    modelCode: str = ""
    dailyPnL: float = nan
    unrealizedPnL: float = nan
    realizedPnL: float = nan


@record
class PnLSingle(Record):
    """Profit and loss of one position; NaN where the broker told nothing (yet)."""

    account: str = ""
    modelCode: str = ""
    conId: int = 0
    dailyPnL: float = nan
    unrealizedPnL: float = nan
    realizedPnL: float = nan
    position: float = 0
    value: float = nan


@record
class TradeLogEntry(Record):
    """One line of the log of a trade."""

    time: datetime
    status: str = ""
    message: str = ""
    errorCode: int = 0


@record
class HistoricalSession(Record):
    """One trading session, as texts in the zone of its schedule."""

    startDateTime: str = ""
    endDateTime: str = ""
    refDate: str = ""


@record
class HistoricalSchedule(Record):
    """The trading sessions of a span of days."""

    startDateTime: str = ""
    endDateTime: str = ""
    timeZone: str = ""
    sessions: list[HistoricalSession] = field(default_factory=list)


@record
class WshEventData(Record):
    """Which Wall Street Horizon events to ask for."""

    conId: int = UNSET_INTEGER
    filter: str = ""
    fillWatchlist: bool = False
    fillPortfolio: bool = False
    fillCompetitors: bool = False
    startDate: str = ""
    endDate: str = ""
    totalLimit: int = UNSET_INTEGER


class AccountValue(NamedTuple):
    """One value of an account, as text."""

    account: str
    tag: str
    value: str
    currency: str
    modelCode: str


class TickData(NamedTuple):
    """One tick of a batch; ``tickType`` is TWS's number."""

    time: datetime
    tickType: int
    price: float
    size: float


class HistoricalTick(NamedTuple):
    """A midpoint of the past."""

    time: datetime
    price: float
    size: float


class HistoricalTickBidAsk(NamedTuple):
    """A quote of the past."""

    time: datetime
    tickAttribBidAsk: TickAttribBidAsk
    priceBid: float
    priceAsk: float
    sizeBid: float
    sizeAsk: float


class HistoricalTickLast(NamedTuple):
    """A trade of the past."""

    time: datetime
    tickAttribLast: TickAttribLast
    price: float
    size: float
    exchange: str
    specialConditions: str


class TickByTickAllLast(NamedTuple):
    """A trade; ``tickType`` 1 is Last, 2 is AllLast."""

    tickType: int
    time: datetime
    price: float
    size: float
    tickAttribLast: TickAttribLast
    exchange: str
    specialConditions: str


class TickByTickBidAsk(NamedTuple):
    """A quote."""

    time: datetime
    bidPrice: float
    askPrice: float
    bidSize: float
    askSize: float
    tickAttribBidAsk: TickAttribBidAsk


class TickByTickMidPoint(NamedTuple):
    """A midpoint."""

    time: datetime
    midPoint: float


class MktDepthData(NamedTuple):
    """One change of the order book; ``operation`` 0 insert 1 update 2 delete, ``side`` 0 ask 1 bid."""

    time: datetime
    position: int
    marketMaker: str
    operation: int
    side: int
    price: float
    size: float


class DOMLevel(NamedTuple):
    """One level of the order book."""

    price: float
    size: float
    marketMaker: str


class PriceIncrement(NamedTuple):
    """The smallest price step from ``lowEdge`` on."""

    lowEdge: float
    increment: float


class PortfolioItem(NamedTuple):
    """A position with its value."""

    contract: Contract
    position: float
    marketPrice: float
    marketValue: float
    averageCost: float
    unrealizedPNL: float
    realizedPNL: float
    account: str


class Position(NamedTuple):
    """A position."""

    account: str
    contract: Contract
    position: float
    avgCost: float


class Fill(NamedTuple):
    """An execution with its contract and cost; ``time`` is when the fill became known (aware, UTC)."""

    contract: Contract
    execution: Execution
    commissionReport: CommissionReport
    time: datetime


@named_tuple_methods
class EfpData(NamedTuple):
    """An exchange-for-physical quote."""

    basisPoints: float
    formattedBasisPoints: str
    impliedFuture: float
    holdDays: int
    futureLastTradeDate: str
    dividendImpact: float
    dividendsToLastTradeDate: float


@named_tuple_methods
class OptionComputation(NamedTuple):
    """Price, volatility and greeks of an option; None where the broker computed nothing.

    ``+`` and ``-`` with another one, and ``*`` with a number, add up or scale the values of a position.
    """

    tickAttrib: int
    impliedVol: float | None = None
    delta: float | None = None
    optPrice: float | None = None
    pvDividend: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    undPrice: float | None = None

    # Arithmetic on greeks instead of the joining and repeating of tuples, as users of ib_async expect.
    def __add__(self, other: OptionComputation) -> OptionComputation:  # type: ignore[override]
        """Return the sum of all but the price of the underlying; a None counts as 0 unless both are None."""
        if not isinstance(other, OptionComputation):
            return NotImplemented
        pairs = zip(self[1:-1], other[1:-1], strict=True)
        values = [None if a is None and b is None else (a or 0.0) + (b or 0.0) for a, b in pairs]
        return OptionComputation(self.tickAttrib, *values)._replace(undPrice=self.undPrice)

    def __radd__(self, other: object) -> OptionComputation:
        """Let ``sum`` begin with 0."""
        return self if other == 0 else NotImplemented

    def __sub__(self, other: OptionComputation) -> OptionComputation:
        """Return the difference of all but the price of the underlying; a None counts as 0 unless both are None."""
        return self + other * -1 if isinstance(other, OptionComputation) else NotImplemented

    def __mul__(self, factor: float) -> OptionComputation:  # type: ignore[override]
        """Return the values times ``factor``, but for the price of the underlying; None stays None."""
        if not isinstance(factor, Real):
            return NotImplemented
        values = [None if a is None else a * factor for a in self[1:-1]]
        return OptionComputation(self.tickAttrib, *values)._replace(undPrice=self.undPrice)

    def __rmul__(self, factor: float) -> OptionComputation:  # type: ignore[override]
        return self * factor


@named_tuple_methods
class OptionChain(NamedTuple):
    """The expirations and strikes of an underlying on one exchange and trading class."""

    exchange: str
    underlyingConId: int
    tradingClass: str
    multiplier: str
    expirations: list[str]
    strikes: list[float]


@named_tuple_methods
class Dividends(NamedTuple):
    """Dividends of the past and next twelve months, and the next one."""

    past12Months: float | None
    next12Months: float | None
    nextDate: date_ | None
    nextAmount: float | None


@named_tuple_methods
class NewsArticle(NamedTuple):
    """A news article; ``articleType`` 0 is text or HTML, 1 is PDF in base64."""

    articleType: int
    articleText: str


@named_tuple_methods
class HistoricalNews(NamedTuple):
    """A headline of the past."""

    time: datetime
    providerCode: str
    articleId: str
    headline: str


@named_tuple_methods
class NewsTick(NamedTuple):
    """A headline; ``timeStamp`` is epoch milliseconds."""

    timeStamp: int
    providerCode: str
    articleId: str
    headline: str
    extraData: str


@named_tuple_methods
class NewsBulletin(NamedTuple):
    """A bulletin of the broker; ``msgType`` 1 regular, 2 exchange no longer, 3 exchange again available."""

    msgId: int
    msgType: int
    message: str
    origExchange: str


@named_tuple_methods
class FamilyCode(NamedTuple):
    """The family an account belongs to."""

    accountID: str
    familyCodeStr: str


@named_tuple_methods
class SmartComponent(NamedTuple):
    """The exchange behind a letter of a consolidated quote."""

    bitNumber: int
    exchange: str
    exchangeLetter: str


@named_tuple_methods
class ConnectionStats(NamedTuple):
    """Traffic of a connection; ``startTime`` in epoch seconds, ``duration`` in seconds."""

    startTime: float
    duration: float
    numBytesRecv: int
    numBytesSent: int
    numMsgRecv: int
    numMsgSent: int


class DynamicObject:
    """An object whose attributes are its keyword arguments."""

    def __init__(self, **kwargs: object) -> None:
        self.__dict__.update(kwargs)

    def __getattr__(self, name: str) -> float:
        # Only reached for a missing attribute; here for type checkers, which cannot know the names.
        raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self.__dict__)}")

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({fields})"


class FundamentalRatios(DynamicObject):
    """Fundamental ratios of tick type 47; see IB's page "Fundamental Ratios" for the names."""


@record
class IBDefaults(Record):
    """What stands for missing values.

    The price and size of an empty quote, of unset ticker fields, and the zone of time stamps. ``unset``
    is the value tickers start with. Use ``IB(defaults=IBDefaults(...))``.
    """

    emptyPrice: float | None = -1
    emptySize: float | None = 0
    unset: float | None = nan
    timezone: tzinfo = UTC


class StartupFetch(Flag):
    """What ``IB.connect`` asks for before it returns."""

    POSITIONS = auto()
    ORDERS_OPEN = auto()
    ORDERS_COMPLETE = auto()
    ACCOUNT_UPDATES = auto()
    SUB_ACCOUNT_UPDATES = auto()
    EXECUTIONS = auto()


StartupFetchNONE = StartupFetch(0)
StartupFetchALL = ~StartupFetchNONE

CommissionAndFeesReport = CommissionReport
