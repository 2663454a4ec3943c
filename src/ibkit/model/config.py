"""The settings of TWS that the API can read and change (server version 219 and up).

None means "not told" in an answer and "leave as it is" in a change. Must not know the wire.
"""

from __future__ import annotations

from ibkit.model.base import Record
from ibkit.model.records import field, record


@record
class LockAndExitConfig(Record):
    """When TWS logs off."""

    autoLogoffTime: str | None = None
    autoLogoffPeriod: str | None = None
    autoLogoffType: str | None = None


@record
class MessageConfig(Record):
    """A message box of TWS and what it does by default."""

    id: int | None = None
    title: str | None = None
    message: str | None = None
    defaultAction: str | None = None
    enabled: bool | None = None


@record
class ApiPrecautionsConfig(Record):
    """Which precautions TWS skips for API orders."""

    bypassOrderPrecautions: bool | None = None
    bypassBondWarning: bool | None = None
    bypassNegativeYieldConfirmation: bool | None = None
    bypassCalledBondWarning: bool | None = None
    bypassSameActionPairTradeWarning: bool | None = None
    bypassFlaggedAccountsWarning: bool | None = None
    bypassPriceBasedVolatilityWarning: bool | None = None
    bypassRedirectOrderWarning: bool | None = None
    bypassNoOverfillProtection: bool | None = None
    bypassRouteMarketableToBBO: bool | None = None


@record
class ApiSettingsConfig(Record):
    """The API settings page of TWS."""

    readOnlyApi: bool | None = None
    totalQuantityForMutualFunds: bool | None = None
    downloadOpenOrdersOnConnection: bool | None = None
    includeVirtualFxPositions: bool | None = None
    prepareDailyPnL: bool | None = None
    sendStatusUpdatesForVolatilityOrders: bool | None = None
    encodeApiMessages: str | None = None
    socketPort: int | None = None
    useNegativeAutoRange: bool | None = None
    createApiMessageLogFile: bool | None = None
    includeMarketDataInLogFile: bool | None = None
    exposeTradingScheduleToApi: bool | None = None
    splitInsuredDepositFromCashBalance: bool | None = None
    sendZeroPositionsForTodayOnly: bool | None = None
    letApiAccountRequestsSwitchSubscription: bool | None = None
    useAccountGroupsWithAllocationMethods: bool | None = None
    loggingLevel: str | None = None
    masterClientId: int | None = None
    bulkDataTimeout: int | None = None
    componentExchSeparator: str | None = None
    showForexDataIn1_10Pips: bool | None = None
    allowForexTradingIn1_10Pips: bool | None = None
    roundAccountValuesToNearestWholeNumber: bool | None = None
    sendMarketDataInLotsForUsStocks: bool | None = None
    showAdvancedOrderRejectInUi: bool | None = None
    rejectMessagesAboveMaxRate: bool | None = None
    maintainConnectionOnIncorrectFields: bool | None = None
    compatibilityModeNasdaqStocks: bool | None = None
    sendInstrumentTimezone: str | None = None
    sendForexDataInCompatibilityMode: bool | None = None
    maintainAndResubmitOrdersOnReconnect: bool | None = None
    historicalDataMaxSize: int | None = None
    autoReportNettingEventContractTrades: bool | None = None
    optionExerciseRequestType: str | None = None
    allowLocalhostOnly: bool | None = None
    trustedIPs: list[str] = field(default_factory=list)


@record
class ApiConfig(Record):
    """Everything under API in TWS's settings."""

    precautions: ApiPrecautionsConfig | None = None
    settings: ApiSettingsConfig | None = None


@record
class OrdersSmartRoutingConfig(Record):
    """The smart routing settings of TWS."""

    seekPriceImprovement: bool | None = None
    preOpenReroute: bool | None = None
    doNotRouteToDarkPools: bool | None = None
    defaultAlgorithm: str | None = None


@record
class OrdersConfig(Record):
    """The order settings of TWS."""

    smartRouting: OrdersSmartRoutingConfig | None = None


@record
class TwsConfig(Record):
    """The settings of TWS as a whole: the answer to a config request, or the changes to make."""

    lockAndExit: LockAndExitConfig | None = None
    messages: list[MessageConfig] = field(default_factory=list)
    api: ApiConfig | None = None
    orders: OrdersConfig | None = None


@record
class UpdateConfigWarning(Record):
    """A warning TWS gives before it changes a setting; send it back to accept it."""

    messageId: int | None = None
    title: str | None = None
    message: str | None = None


@record
class UpdateConfigResult(Record):
    """What came of a change of settings."""

    status: str = ""
    message: str = ""
    changedFields: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[UpdateConfigWarning] = field(default_factory=list)
