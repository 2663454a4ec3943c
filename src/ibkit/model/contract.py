"""Contracts: what can be traded, and what the broker tells about it.

Must not know orders, quotes or the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, ClassVar

from ibkit import dates
from ibkit.model.base import (
    Record,
    dataclassAsDict,
    dataclassAsTuple,
    dataclassNonDefaults,
    show,
)
from ibkit.model.records import field, record
from ibkit.model.tuples import NamedTuple
from ibkit.model.values import UNSET_DOUBLE

# The conId that TWS gives to every combo: it identifies nothing.
COMBO_CON_ID = 28812380


class TagValue(NamedTuple):
    """A named option of a request or an algo."""

    tag: str
    value: str


@record
class ComboLeg(Record):
    """One leg of a combo: the contract, how many of it, and on which side (BUY, SELL, SSHORT)."""

    conId: int = 0
    ratio: int = 0
    action: str = ""
    exchange: str = ""
    openClose: int = 0
    shortSaleSlot: int = 0
    designatedLocation: str = ""
    exemptCode: int = -1


@record
class DeltaNeutralContract(Record):
    """The underlying of a delta-neutral combo."""

    conId: int = 0
    delta: float = 0.0
    price: float = 0.0


class TradingSession(NamedTuple):
    """A time span in which a contract trades; both ends are aware datetimes in the contract's zone."""

    start: datetime
    end: datetime


@record
class Contract(Record):
    """Anything that can be quoted or traded; use the subclasses for the common kinds.

    Fields that are not needed to find the contract may stay empty; ``IB.qualifyContracts``
    fills them in. ``secType`` is one of STK OPT FUT CONTFUT FOP IND CASH CFD BOND FUND CMDTY WAR
    IOPT BAG CRYPTO NEWS EVENT. ``strike`` is 0.0 and ``conId`` is 0 when unknown.
    """

    secType: str = ""
    conId: int = 0
    symbol: str = ""
    lastTradeDateOrContractMonth: str = ""
    strike: float = 0.0
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primaryExchange: str = ""
    currency: str = ""
    localSymbol: str = ""
    tradingClass: str = ""
    includeExpired: bool = False
    secIdType: str = ""
    secId: str = ""
    description: str = ""
    issuerId: str = ""
    comboLegsDescrip: str = ""
    comboLegs: list[ComboLeg] = field(default_factory=list)
    deltaNeutralContract: DeltaNeutralContract | None = None
    lastTradeDate: str = ""

    _kind: ClassVar[str] = ""  # the secType a subclass stands for, left out of its repr

    @staticmethod
    def create(**kwargs: Any) -> Contract:  # Any: forwarded to the fields, checked there
        """Make a contract of the subclass that fits ``secType``; other security types give a plain Contract.

        The security type is always kept: an IOPT becomes a Warrant whose secType stays IOPT.
        """
        sec_type = kwargs.get("secType", "")
        cls = _SUBCLASS.get(sec_type, Contract)
        contract = cls.__new__(cls)
        Contract.__init__(contract, **kwargs)
        return contract

    @staticmethod
    def recreate(c: Contract) -> Contract:
        """Return a copy of a contract as the subclass that fits its security type."""
        return Contract.create(**dataclassAsDict(c))

    def isHashable(self) -> bool:
        """Tell whether the contract can be a dict key: it has a conId of its own and is no combo."""
        return bool(self.conId and self.conId != COMBO_CON_ID and self.secType != "BAG")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contract):
            return NotImplemented
        return bool(self.conId and self.conId == other.conId) or (dataclassAsTuple(self) == dataclassAsTuple(other))

    def __hash__(self) -> int:
        if not self.isHashable():
            raise ValueError(f"{self} cannot be hashed, it has no conId of its own: call ib.qualifyContracts() first")
        # A continuous future shares its conId with the future it currently stands for.
        return -self.conId if self.secType == "CONTFUT" else self.conId

    def __repr__(self) -> str:
        fields = dataclassNonDefaults(self)
        if fields.get("secType") == self._kind:
            del fields["secType"]
        return show(self, fields)

    __str__ = __repr__


class Stock(Contract):
    """A stock or ETF: ``Stock('AAPL', 'SMART', 'USD')``."""

    _kind = "STK"

    def __init__(self, symbol: str = "", exchange: str = "", currency: str = "", **kwargs: object) -> None:
        super().__init__(self._kind, symbol=symbol, exchange=exchange, currency=currency)
        self._assign(kwargs)


class Option(Contract):
    """An option: ``Option('SPY', '20240119', 480, 'C', 'SMART')``; right is C, P, CALL or PUT."""

    _kind = "OPT"

    def __init__(
        self,
        symbol: str = "",
        lastTradeDateOrContractMonth: str = "",
        strike: float = 0.0,
        right: str = "",
        exchange: str = "",
        multiplier: str = "",
        currency: str = "",
        **kwargs: object,
    ) -> None:
        super().__init__(
            self._kind,
            symbol=symbol,
            lastTradeDateOrContractMonth=lastTradeDateOrContractMonth,
            strike=strike,
            right=right,
            exchange=exchange,
            multiplier=multiplier,
            currency=currency,
        )
        self._assign(kwargs)


class Future(Contract):
    """A future: ``Future('ES', '202412', 'CME')``."""

    _kind = "FUT"

    def __init__(
        self,
        symbol: str = "",
        lastTradeDateOrContractMonth: str = "",
        exchange: str = "",
        localSymbol: str = "",
        multiplier: str = "",
        currency: str = "",
        **kwargs: object,
    ) -> None:
        super().__init__(
            self._kind,
            symbol=symbol,
            lastTradeDateOrContractMonth=lastTradeDateOrContractMonth,
            exchange=exchange,
            localSymbol=localSymbol,
            multiplier=multiplier,
            currency=currency,
        )
        self._assign(kwargs)


class ContFuture(Contract):
    """A continuous future, for historical data: ``ContFuture('ES', 'CME')``."""

    _kind = "CONTFUT"

    def __init__(
        self,
        symbol: str = "",
        exchange: str = "",
        localSymbol: str = "",
        multiplier: str = "",
        currency: str = "",
        **kwargs: object,
    ) -> None:
        super().__init__(
            self._kind,
            symbol=symbol,
            exchange=exchange,
            localSymbol=localSymbol,
            multiplier=multiplier,
            currency=currency,
        )
        self._assign(kwargs)


class Forex(Contract):
    """A currency pair: ``Forex('EURUSD')``.

    Raises ValueError when ``pair`` is not six letters.
    """

    _kind = "CASH"

    def __init__(
        self,
        pair: str = "",
        exchange: str = "IDEALPRO",
        symbol: str = "",
        currency: str = "",
        **kwargs: object,
    ) -> None:
        if pair:
            if len(pair) != 6:
                raise ValueError(f"a currency pair is six letters, such as 'EURUSD'; got {pair!r}")
            symbol = symbol or pair[:3]
            currency = currency or pair[3:]
        super().__init__(self._kind, symbol=symbol, exchange=exchange, currency=currency)
        self._assign(kwargs)

    def __repr__(self) -> str:
        fields = dataclassNonDefaults(self)
        if fields.get("secType") == self._kind:
            del fields["secType"]
        if "symbol" not in fields or "currency" not in fields:
            return show(self, fields)
        pair = fields.pop("symbol") + fields.pop("currency")
        return ", ".join([f"Forex({pair!r}", *(f"{name}={value!r}" for name, value in fields.items())]) + ")"

    __str__ = __repr__

    def pair(self) -> str:
        """Return symbol and currency as one text, such as EURUSD."""
        return self.symbol + self.currency


class Index(Contract):
    """An index: ``Index('SPX', 'CBOE', 'USD')``."""

    _kind = "IND"

    def __init__(self, symbol: str = "", exchange: str = "", currency: str = "", **kwargs: object) -> None:
        super().__init__(self._kind, symbol=symbol, exchange=exchange, currency=currency)
        self._assign(kwargs)


class CFD(Contract):
    """A contract for difference: ``CFD('IBUS30')``."""

    _kind = "CFD"

    def __init__(self, symbol: str = "", exchange: str = "", currency: str = "", **kwargs: object) -> None:
        super().__init__(self._kind, symbol=symbol, exchange=exchange, currency=currency)
        self._assign(kwargs)


class Commodity(Contract):
    """A commodity: ``Commodity('XAUUSD', 'SMART', 'USD')``."""

    _kind = "CMDTY"

    def __init__(self, symbol: str = "", exchange: str = "", currency: str = "", **kwargs: object) -> None:
        super().__init__(self._kind, symbol=symbol, exchange=exchange, currency=currency)
        self._assign(kwargs)


class Bond(Contract):
    """A bond: ``Bond(secIdType='ISIN', secId='US03076KAA60')``."""

    _kind = "BOND"

    def __init__(self, **kwargs: object) -> None:
        super().__init__(self._kind)
        self._assign(kwargs)


class FuturesOption(Contract):
    """An option on a future: ``FuturesOption('ES', '202412', 5000, 'C', 'CME')``."""

    _kind = "FOP"

    def __init__(
        self,
        symbol: str = "",
        lastTradeDateOrContractMonth: str = "",
        strike: float = 0.0,
        right: str = "",
        exchange: str = "",
        multiplier: str = "",
        currency: str = "",
        **kwargs: object,
    ) -> None:
        super().__init__(
            self._kind,
            symbol=symbol,
            lastTradeDateOrContractMonth=lastTradeDateOrContractMonth,
            strike=strike,
            right=right,
            exchange=exchange,
            multiplier=multiplier,
            currency=currency,
        )
        self._assign(kwargs)


class MutualFund(Contract):
    """A mutual fund."""

    _kind = "FUND"

    def __init__(self, **kwargs: object) -> None:
        super().__init__(self._kind)
        self._assign(kwargs)


class Warrant(Contract):
    """A warrant (WAR), or with ``secType='IOPT'`` a structured product."""

    _kind = "WAR"

    def __init__(self, **kwargs: object) -> None:
        super().__init__(self._kind)
        self._assign(kwargs)


class Bag(Contract):
    """A combo; its parts are in ``comboLegs``."""

    _kind = "BAG"

    def __init__(self, **kwargs: object) -> None:
        super().__init__(self._kind)
        self._assign(kwargs)


class Crypto(Contract):
    """A crypto currency: ``Crypto('BTC', 'PAXOS', 'USD')``."""

    _kind = "CRYPTO"

    def __init__(self, symbol: str = "", exchange: str = "", currency: str = "", **kwargs: object) -> None:
        super().__init__(self._kind, symbol=symbol, exchange=exchange, currency=currency)
        self._assign(kwargs)


_KINDS: tuple[type[Contract], ...] = (
    Stock, Option, Future, ContFuture, Forex, Index, CFD, Commodity, Bond, FuturesOption, MutualFund,
    Warrant, Bag, Crypto,
)  # fmt: skip
_SUBCLASS: dict[str, type[Contract]] = {**{cls._kind: cls for cls in _KINDS}, "IOPT": Warrant}


class FundAssetType(Enum):
    """What a fund invests in; the value is the code TWS sends."""

    NoneItem = "None"
    Others = "000"
    MoneyMarket = "001"
    FixedIncome = "002"
    MultiAsset = "003"
    Equity = "004"
    Sector = "005"
    Guaranteed = "006"
    Alternative = "007"


class FundDistributionPolicyIndicator(Enum):
    """Whether a fund pays out or accumulates; the value is the code TWS sends."""

    NoneItem = "None"
    AccumulationFund = "N"
    IncomeFund = "Y"


@record
class IneligibilityReason(Record):
    """Why an account may not trade a contract."""

    id_: str = ""
    description: str = ""


@record
class ContractDetails(Record):
    """What the broker knows about a contract beyond its identity.

    ``tradingHours`` and ``liquidHours`` are texts in ``timeZoneId``; ``tradingSessions()`` and
    ``liquidSessions()`` return them as aware datetimes. ``minAlgoSize``, ``lastPricePrecision`` and
    ``lastSizePrecision`` are UNSET_DOUBLE when the server does not send them.
    """

    contract: Contract | None = None
    marketName: str = ""
    minTick: float = 0.0
    orderTypes: str = ""
    validExchanges: str = ""
    priceMagnifier: int = 0
    underConId: int = 0
    longName: str = ""
    contractMonth: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    timeZoneId: str = ""
    tradingHours: str = ""
    liquidHours: str = ""
    evRule: str = ""
    evMultiplier: float = 0
    mdSizeMultiplier: int = 1
    aggGroup: int = 0
    underSymbol: str = ""
    underSecType: str = ""
    marketRuleIds: str = ""
    secIdList: list[TagValue] = field(default_factory=list)
    realExpirationDate: str = ""
    lastTradeTime: str = ""
    stockType: str = ""
    minSize: float = 0.0
    sizeIncrement: float = 0.0
    suggestedSizeIncrement: float = 0.0
    cusip: str = ""
    ratings: str = ""
    descAppend: str = ""
    bondType: str = ""
    couponType: str = ""
    callable: bool = False
    putable: bool = False
    coupon: float = 0
    convertible: bool = False
    maturity: str = ""
    issueDate: str = ""
    nextOptionDate: str = ""
    nextOptionType: str = ""
    nextOptionPartial: bool = False
    notes: str = ""
    minAlgoSize: float = UNSET_DOUBLE
    lastPricePrecision: float = UNSET_DOUBLE
    lastSizePrecision: float = UNSET_DOUBLE
    fundName: str = ""
    fundFamily: str = ""
    fundType: str = ""
    fundFrontLoad: str = ""
    fundBackLoad: str = ""
    fundBackLoadTimeInterval: str = ""
    fundManagementFee: str = ""
    fundClosed: bool = False
    fundClosedForNewInvestors: bool = False
    fundClosedForNewMoney: bool = False
    fundNotifyAmount: str = ""
    fundMinimumInitialPurchase: str = ""
    fundSubsequentMinimumPurchase: str = ""
    fundBlueSkyStates: str = ""
    fundBlueSkyTerritories: str = ""
    fundDistributionPolicyIndicator: FundDistributionPolicyIndicator = FundDistributionPolicyIndicator.NoneItem
    fundAssetType: FundAssetType = FundAssetType.NoneItem
    ineligibilityReasonList: list[IneligibilityReason] = field(default_factory=list)
    eventContract1: str = ""
    eventContractDescription1: str = ""
    eventContractDescription2: str = ""

    def tradingSessions(self) -> list[TradingSession]:
        """Return the sessions of ``tradingHours``, closed days left out."""
        return list(_sessions(self.tradingHours, self.timeZoneId))

    def liquidSessions(self) -> list[TradingSession]:
        """Return the sessions of ``liquidHours``, closed days left out."""
        return list(_sessions(self.liquidHours, self.timeZoneId))


def _sessions(hours: str, zone: str) -> Iterator[TradingSession]:
    """Parse ``20240105:0400-20240105:2000;20240106:CLOSED``; no hours or no zone give no session."""
    if not hours or not zone:
        return
    tz = dates.zone(zone)
    for part in hours.split(";"):
        if not part or "CLOSED" in part:
            continue
        start, _, end = part.partition("-")
        if ":" not in end:  # old servers: 20180323:0400-2000
            end = f"{start.partition(':')[0]}:{end}"
        yield TradingSession(_moment(start, tz), _moment(end, tz))


def _moment(text: str, tz: tzinfo) -> datetime:
    """Parse ``20240105:0400``."""
    date, _, time = text.partition(":")
    return datetime(int(date[:4]), int(date[4:6]), int(date[6:8]), int(time[:2]), int(time[2:4]), tzinfo=tz)


@record
class ContractDescription(Record):
    """A match of a symbol search, and the kinds of derivative that exist on it."""

    contract: Contract | None = None
    derivativeSecTypes: list[str] = field(default_factory=list)


@record
class ScanData(Record):
    """One row of a scanner result; ``rank`` counts from 0."""

    rank: int
    contractDetails: ContractDetails
    distance: str
    benchmark: str
    projection: str
    legsStr: str
