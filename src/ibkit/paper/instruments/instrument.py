"""One tradable thing: identity, tick sizes, hours, and how its price is made.

Must not know how contracts are searched for, nor any price.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from ibkit.model import Contract
from ibkit.paper.instruments.calendar import Calendar
from ibkit.paper.instruments.pricing import Pricing
from ibkit.paper.instruments.rules import MarketRule


class Prints(Enum):
    """What an instrument shows: trades and quotes, quotes alone (forex, CFDs), or a value alone (indices, funds)."""

    TRADES = "trades"
    QUOTES = "quotes"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Liquidity:
    """How much trades in a day, how many ticks wide the quote is, its size; sizes are multiples of ``unit``."""

    day_volume: float = 0.0
    spread_ticks: float = 1.0
    quote_size: float = 1.0
    unit: float = 1.0


@dataclass(frozen=True, slots=True)
class Listing:
    """The texts of ContractDetails that do not depend on the date."""

    long_name: str = ""
    market_name: str = ""
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    stock_type: str = ""
    order_types: str = ""
    valid_exchanges: str = ""
    contract_month: str = ""  # YYYYMM
    last_trade_time: str = ""  # HH:MM in the calendar's zone
    isin: str = ""
    extra: tuple[tuple[str, object], ...] = ()  # further ContractDetails fields (bonds, funds)


@dataclass(frozen=True, eq=False, repr=False, slots=True, weakref_slot=True)
class Instrument:
    """Everything the simulated broker knows about one contract.

    ``contract`` is fully qualified and shared: copy it before changing it. Prices are in ``contract.currency``
    after division by ``price_magnifier`` (corn quotes cents: 100); the value of one unit is
    ``price / price_magnifier * multiplier``. Sizes come in steps of ``lot``. ``commission_class`` names a row of the
    broker's fee table. ``expires`` is the last moment of trading, epoch seconds (0.0: never); ``expiry`` its date.
    ``volatility`` is the yearly volatility of the underlying price, a base for margins.
    Two instruments are equal when they are the same object; the catalogue makes one object a contract.
    """

    con_id: int
    contract: Contract
    calendar: Calendar
    rule: MarketRule
    pricing: Pricing
    listing: Listing
    liquidity: Liquidity
    commission_class: str
    prints: Prints = Prints.TRADES
    multiplier: float = 1.0
    price_magnifier: int = 1
    lot: float = 1.0
    min_size: float = 1.0
    volatility: float = 0.3
    underlying: Instrument | None = None
    expiry: date | None = None
    expires: float = 0.0
    american: bool = False  # an option that can be exercised on any day
    listed: float = 0.0  # first moment of its history, epoch seconds
    legs: tuple[tuple[Instrument, int], ...] = ()  # combos: (instrument, +ratio bought or -ratio sold)
    routes: frozenset[str] = field(default_factory=frozenset)  # every exchange name it answers to, aliases too

    def __repr__(self) -> str:
        contract = self.contract
        return f"<{contract.secType} {contract.localSymbol or contract.symbol} {contract.exchange} {self.con_id}>"

    @property
    def sec_type(self) -> str:
        """STK, OPT, FUT, CONTFUT, FOP, IND, CASH, CFD, BOND, FUND, CMDTY, CRYPTO or BAG."""
        return self.contract.secType

    @property
    def is_option(self) -> bool:
        """Whether it is an option, on whatever."""
        return self.contract.secType in ("OPT", "FOP")

    @property
    def right(self) -> int:
        """+1 for a call, -1 for a put, 0 for what is no option."""
        return {"C": 1, "P": -1}.get(self.contract.right[:1], 0)

    @property
    def currency(self) -> str:
        """The currency the price is in."""
        return self.contract.currency

    @property
    def what_to_show(self) -> frozenset[str]:
        """The ``whatToShow`` values history can be had for."""
        return _SHOWS[self.prints] | (_VOLATILITIES if self.sec_type in ("STK", "IND", "FUT", "CONTFUT") else _NONE)

    def increment(self, price: float) -> float:
        """Return the smallest step at ``price`` by the market rule."""
        return self.rule.increment(price)

    def is_valid_price(self, price: float) -> bool:
        """Tell whether ``price`` lies on the market rule's grid."""
        return self.rule.is_valid(price)


_NONE: frozenset[str] = frozenset()
_QUOTES = frozenset({"MIDPOINT", "BID", "ASK", "BID_ASK", "SCHEDULE"})
_SHOWS = {
    Prints.TRADES: _QUOTES | {"TRADES", "ADJUSTED_LAST", "AGGTRADES"},
    Prints.QUOTES: _QUOTES,
    Prints.VALUE: frozenset({"TRADES", "SCHEDULE"}),
}
_VOLATILITIES = frozenset({"HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"})
