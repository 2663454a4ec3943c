"""Orders, and what the broker says about them before and after they trade.

Must not know quotes, events or the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ibkit.model.base import Alias, Record, SparseRecord, dataclassNonDefaults, show
from ibkit.model.conditions import OrderCondition
from ibkit.model.contract import TagValue
from ibkit.model.records import field, fields_of, record
from ibkit.model.tuples import NamedTuple
from ibkit.model.values import UNSET_DOUBLE, UNSET_INTEGER, Number, is_unset, nan


@record
class SoftDollarTier(Record):
    """A soft dollar tier an order is charged to."""

    name: str = ""
    val: str = ""
    displayName: str = ""

    def __bool__(self) -> bool:
        """Tell whether there is a tier at all."""
        return bool(self.name or self.val or self.displayName)


@record
class OrderComboLeg(Record):
    """The price of one leg of a combo order."""

    price: Number = UNSET_DOUBLE


@record
class Order(SparseRecord):
    """An order; two orders are equal only when they are the same object.


    Prices and sizes may be float, int or Decimal. UNSET_DOUBLE and UNSET_INTEGER mean "not given".
    ``transmit=False`` keeps the order in TWS unsent. ``usePriceMgmtAlgo``, ``routeMarketableToBbo`` and
    ``seekPriceImprovement`` know a third value, None: leave it to the settings of TWS. The ``sl*`` and
    ``pt*`` fields ask TWS to attach a stop-loss and a profit-taker of its own presets.
    """

    orderId: int = 0
    clientId: int = 0
    permId: int = 0
    action: str = ""
    totalQuantity: Number = 0.0
    orderType: str = ""
    lmtPrice: Number | None = UNSET_DOUBLE
    auxPrice: Number | None = UNSET_DOUBLE
    tif: str = ""
    activeStartTime: str = ""
    activeStopTime: str = ""
    ocaGroup: str = ""
    ocaType: int = 0
    orderRef: str = ""
    transmit: bool = True
    parentId: int = 0
    blockOrder: bool = False
    sweepToFill: bool = False
    displaySize: int = 0
    triggerMethod: int = 0
    outsideRth: bool = False
    hidden: bool = False
    goodAfterTime: str = ""
    goodTillDate: str = ""
    rule80A: str = ""
    allOrNone: bool = False
    minQty: int = UNSET_INTEGER
    percentOffset: Number = UNSET_DOUBLE
    overridePercentageConstraints: bool = False
    trailStopPrice: Number = UNSET_DOUBLE
    trailingPercent: Number = UNSET_DOUBLE
    faGroup: str = ""
    faProfile: str = ""
    faMethod: str = ""
    faPercentage: str = ""
    designatedLocation: str = ""
    openClose: str = "O"
    origin: int = 0
    shortSaleSlot: int = 0
    exemptCode: int = -1
    discretionaryAmt: Number = 0.0
    eTradeOnly: bool = False
    firmQuoteOnly: bool = False
    nbboPriceCap: Number = UNSET_DOUBLE
    optOutSmartRouting: bool = False
    auctionStrategy: int = 0
    startingPrice: Number = UNSET_DOUBLE
    stockRefPrice: Number = UNSET_DOUBLE
    delta: Number = UNSET_DOUBLE
    stockRangeLower: Number = UNSET_DOUBLE
    stockRangeUpper: Number = UNSET_DOUBLE
    randomizePrice: bool = False
    randomizeSize: bool = False
    volatility: Number = UNSET_DOUBLE
    volatilityType: int = UNSET_INTEGER
    deltaNeutralOrderType: str = ""
    deltaNeutralAuxPrice: Number = UNSET_DOUBLE
    deltaNeutralConId: int = 0
    deltaNeutralSettlingFirm: str = ""
    deltaNeutralClearingAccount: str = ""
    deltaNeutralClearingIntent: str = ""
    deltaNeutralOpenClose: str = ""
    deltaNeutralShortSale: bool = False
    deltaNeutralShortSaleSlot: int = 0
    deltaNeutralDesignatedLocation: str = ""
    continuousUpdate: bool = False
    referencePriceType: int = UNSET_INTEGER
    basisPoints: Number = UNSET_DOUBLE
    basisPointsType: int = UNSET_INTEGER
    scaleInitLevelSize: int = UNSET_INTEGER
    scaleSubsLevelSize: int = UNSET_INTEGER
    scalePriceIncrement: Number = UNSET_DOUBLE
    scalePriceAdjustValue: Number = UNSET_DOUBLE
    scalePriceAdjustInterval: int = UNSET_INTEGER
    scaleProfitOffset: Number = UNSET_DOUBLE
    scaleAutoReset: bool = False
    scaleInitPosition: int = UNSET_INTEGER
    scaleInitFillQty: int = UNSET_INTEGER
    scaleRandomPercent: bool = False
    scaleTable: str = ""
    hedgeType: str = ""
    hedgeParam: str = ""
    account: str = ""
    settlingFirm: str = ""
    clearingAccount: str = ""
    clearingIntent: str = ""
    algoStrategy: str = ""
    algoParams: list[TagValue] = field(default_factory=list)
    smartComboRoutingParams: list[TagValue] = field(default_factory=list)
    algoId: str = ""
    whatIf: bool = False
    notHeld: bool = False
    solicited: bool = False
    modelCode: str = ""
    orderComboLegs: list[OrderComboLeg] = field(default_factory=list)
    orderMiscOptions: list[TagValue] = field(default_factory=list)
    referenceContractId: int = 0
    peggedChangeAmount: Number = 0.0
    isPeggedChangeAmountDecrease: bool = False
    referenceChangeAmount: Number = 0.0
    referenceExchangeId: str = ""
    adjustedOrderType: str = ""
    triggerPrice: Number | None = UNSET_DOUBLE
    adjustedStopPrice: Number = UNSET_DOUBLE
    adjustedStopLimitPrice: Number = UNSET_DOUBLE
    adjustedTrailingAmount: Number = UNSET_DOUBLE
    adjustableTrailingUnit: int = 0
    lmtPriceOffset: Number = UNSET_DOUBLE
    conditions: list[OrderCondition] = field(default_factory=list)
    conditionsCancelOrder: bool = False
    conditionsIgnoreRth: bool = False
    extOperator: str = ""
    softDollarTier: SoftDollarTier = field(default_factory=SoftDollarTier)
    cashQty: Number = UNSET_DOUBLE
    mifid2DecisionMaker: str = ""
    mifid2DecisionAlgo: str = ""
    mifid2ExecutionTrader: str = ""
    mifid2ExecutionAlgo: str = ""
    dontUseAutoPriceForHedge: bool = False
    isOmsContainer: bool = False
    discretionaryUpToLimitPrice: bool = False
    autoCancelDate: str = ""
    filledQuantity: Number = UNSET_DOUBLE
    refFuturesConId: int = 0
    autoCancelParent: bool = False
    shareholder: str = ""
    imbalanceOnly: bool = False
    routeMarketableToBbo: bool | None = None
    parentPermId: int = 0
    usePriceMgmtAlgo: bool | None = False
    duration: int = UNSET_INTEGER
    postToAts: int = UNSET_INTEGER
    advancedErrorOverride: str = ""
    manualOrderTime: str = ""
    minTradeQty: int = UNSET_INTEGER
    minCompeteSize: int = UNSET_INTEGER
    competeAgainstBestOffset: Number = UNSET_DOUBLE
    midOffsetAtWhole: Number = UNSET_DOUBLE
    midOffsetAtHalf: Number = UNSET_DOUBLE
    hedgeMaxSize: int = UNSET_INTEGER
    customerAccount: str = ""
    professionalCustomer: bool = False
    bondAccruedInterest: str = ""
    includeOvernight: bool = False
    manualOrderIndicator: int = UNSET_INTEGER
    submitter: str = ""
    postOnly: bool = False
    allowPreOpen: bool = False
    ignoreOpenAuction: bool = False
    deactivate: bool = False
    seekPriceImprovement: bool | None = None
    whatIfType: int = UNSET_INTEGER
    slOrderId: int = UNSET_INTEGER
    slOrderType: str = ""
    ptOrderId: int = UNSET_INTEGER
    ptOrderType: str = ""

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        fields = dataclassNonDefaults(self)
        if type(self) is not Order:
            fields.pop("orderType", None)
        return show(self, fields)

    __str__ = __repr__


class LimitOrder(Order):
    """Buy or sell at ``lmtPrice`` or better: ``LimitOrder('BUY', 100, 12.5)``."""

    def __init__(self, action: str, totalQuantity: Number, lmtPrice: Number, **kwargs: object) -> None:
        self.orderType = "LMT"
        self.action, self.totalQuantity, self.lmtPrice = action, totalQuantity, lmtPrice
        self._assign(kwargs)


class MarketOrder(Order):
    """Buy or sell at the market: ``MarketOrder('BUY', 100)``."""

    def __init__(self, action: str, totalQuantity: Number, **kwargs: object) -> None:
        self.orderType = "MKT"
        self.action, self.totalQuantity = action, totalQuantity
        self._assign(kwargs)


class StopOrder(Order):
    """Become a market order once ``stopPrice`` is touched: ``StopOrder('SELL', 100, 11.5)``."""

    def __init__(self, action: str, totalQuantity: Number, stopPrice: Number, **kwargs: object) -> None:
        self.orderType = "STP"
        self.action, self.totalQuantity, self.auxPrice = action, totalQuantity, stopPrice
        self._assign(kwargs)


class StopLimitOrder(Order):
    """Become a limit order at ``lmtPrice`` once ``stopPrice`` is touched."""

    def __init__(
        self,
        action: str,
        totalQuantity: Number,
        lmtPrice: Number,
        stopPrice: Number,
        **kwargs: object,
    ) -> None:
        self.orderType = "STP LMT"
        self.action, self.totalQuantity, self.lmtPrice, self.auxPrice = action, totalQuantity, lmtPrice, stopPrice
        self._assign(kwargs)


class BracketOrder(NamedTuple):
    """An entry with its profit-taker and stop-loss; place the three in this order."""

    parent: Order
    takeProfit: Order
    stopLoss: Order


@record
class OrderCancel(Record):
    """What a cancel may carry for regulated futures trading (CME tagging)."""

    manualOrderCancelTime: str = ""
    extOperator: str = ""
    manualOrderIndicator: int = UNSET_INTEGER


@record
class OrderAllocation(Record):
    """How an advisor's order is allocated to one account, as told by an order preview."""

    account: str = ""
    position: float = UNSET_DOUBLE
    positionDesired: float = UNSET_DOUBLE
    positionAfter: float = UNSET_DOUBLE
    desiredAllocQty: float = UNSET_DOUBLE
    allowedAllocQty: float = UNSET_DOUBLE
    isMonetary: bool = False


@record
class OrderStatus(Record):
    """The state of an order as the broker last told it; the class also holds the names of all states."""

    orderId: int = 0
    status: str = ""
    filled: float = 0.0
    remaining: float = 0.0
    avgFillPrice: float = 0.0
    permId: int = 0
    parentId: int = 0
    lastFillPrice: float = 0.0
    clientId: int = 0
    whyHeld: str = ""
    mktCapPrice: float = 0.0

    PendingSubmit: ClassVar[str] = "PendingSubmit"
    PendingCancel: ClassVar[str] = "PendingCancel"
    PreSubmitted: ClassVar[str] = "PreSubmitted"
    Submitted: ClassVar[str] = "Submitted"
    ApiPending: ClassVar[str] = "ApiPending"
    ApiCancelled: ClassVar[str] = "ApiCancelled"
    ApiUpdate: ClassVar[str] = "ApiUpdate"
    Cancelled: ClassVar[str] = "Cancelled"
    Filled: ClassVar[str] = "Filled"
    Inactive: ClassVar[str] = "Inactive"
    ValidationError: ClassVar[str] = "ValidationError"

    # Inactive is in no set: TWS uses it for rejected orders and for orders it holds and may yet activate.
    # A rejection is final by its error message, not by this status.
    DoneStates: ClassVar[frozenset[str]] = frozenset({"Filled", "Cancelled", "ApiCancelled"})
    ActiveStates: ClassVar[frozenset[str]] = frozenset(
        {"PendingSubmit", "ApiPending", "PreSubmitted", "Submitted", "ValidationError", "ApiUpdate"}
    )
    WaitingStates: ClassVar[frozenset[str]] = frozenset({"PendingSubmit", "ApiPending", "PreSubmitted"})
    WorkingStates: ClassVar[frozenset[str]] = frozenset({"Submitted", "ValidationError", "ApiUpdate"})

    @property
    def total(self) -> float:
        """Return filled plus remaining."""
        return self.filled + self.remaining


@record
class OrderState(SparseRecord):
    """What an order costs and what it does to the margin, as told by an order preview or an open order.

    The nine margin fields are texts as TWS sends them ('1.7976931348623157E308' means unset); the
    ``...OutsideRTH`` ones are floats. ``numeric()`` and ``formatted()`` return easier forms. The fields named
    ``...commission`` can also be read and set as ``...commissionAndFees``, TWS's newer name.
    """

    status: str = ""
    initMarginBefore: str = ""
    maintMarginBefore: str = ""
    equityWithLoanBefore: str = ""
    initMarginChange: str = ""
    maintMarginChange: str = ""
    equityWithLoanChange: str = ""
    initMarginAfter: str = ""
    maintMarginAfter: str = ""
    equityWithLoanAfter: str = ""
    commission: float = UNSET_DOUBLE
    minCommission: float = UNSET_DOUBLE
    maxCommission: float = UNSET_DOUBLE
    commissionCurrency: str = ""
    warningText: str = ""
    completedTime: str = ""
    completedStatus: str = ""
    marginCurrency: str = ""
    initMarginBeforeOutsideRTH: float = UNSET_DOUBLE
    maintMarginBeforeOutsideRTH: float = UNSET_DOUBLE
    equityWithLoanBeforeOutsideRTH: float = UNSET_DOUBLE
    initMarginChangeOutsideRTH: float = UNSET_DOUBLE
    maintMarginChangeOutsideRTH: float = UNSET_DOUBLE
    equityWithLoanChangeOutsideRTH: float = UNSET_DOUBLE
    initMarginAfterOutsideRTH: float = UNSET_DOUBLE
    maintMarginAfterOutsideRTH: float = UNSET_DOUBLE
    equityWithLoanAfterOutsideRTH: float = UNSET_DOUBLE
    suggestedSize: float = UNSET_DOUBLE
    rejectReason: str = ""
    orderAllocations: list[OrderAllocation] = field(default_factory=list)

    commissionAndFees = Alias[float]("commission")
    minCommissionAndFees = Alias[float]("minCommission")
    maxCommissionAndFees = Alias[float]("maxCommission")
    commissionAndFeesCurrency = Alias[str]("commissionCurrency")

    def transform(self, transformer: Callable[[object], object]) -> OrderStateNumeric:
        """Return a copy whose margins and commissions went through ``transformer``."""
        fields = self.dict()
        for name in _AMOUNTS:
            fields[name] = transformer(fields[name])
        return OrderStateNumeric(**fields)

    def numeric(self, digits: int = 2) -> OrderStateNumeric:
        """Return a copy with margins and commissions as floats rounded to ``digits``; None where unset."""

        def number(value: object) -> float | None:
            try:
                amount = float(str(value))
            except ValueError:  # '' or another word for "not told"
                return None
            return None if is_unset(amount) else round(amount, digits)

        return self.transform(number)

    def formatted(self, digits: int = 2) -> OrderStateNumeric:
        """Return a copy with margins and commissions as texts such as '12,345.67'; None where unset."""
        return self.numeric(8).transform(lambda value: None if value is None else f"{value:,.{digits}f}")


_AMOUNTS = [
    name
    for name in fields_of(OrderState)
    if ("Margin" in name and name != "marginCurrency") or "equity" in name or name.endswith("ommission")
]


@record
class OrderStateNumeric(OrderState):
    """An OrderState whose margins are numbers, as ``OrderState.numeric`` returns."""

    # The same fields with another type: the one place where users ask for floats instead of TWS's texts.
    initMarginBefore: float = nan  # type: ignore[assignment]
    maintMarginBefore: float = nan  # type: ignore[assignment]
    equityWithLoanBefore: float = nan  # type: ignore[assignment]
    initMarginChange: float = nan  # type: ignore[assignment]
    maintMarginChange: float = nan  # type: ignore[assignment]
    equityWithLoanChange: float = nan  # type: ignore[assignment]
    initMarginAfter: float = nan  # type: ignore[assignment]
    maintMarginAfter: float = nan  # type: ignore[assignment]
    equityWithLoanAfter: float = nan  # type: ignore[assignment]
