"""Which instruments a user's contract may mean: the comparison of fields, as TWS does it.

A field at its default does not restrict. Must not know where candidates come from.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from ibkit.model import Contract
from ibkit.model.values import is_unset
from ibkit.paper.instruments.instrument import Instrument

_RIGHTS = {"C": 1, "CALL": 1, "P": -1, "PUT": -1}
_ISLAND = {"ISLAND": "NASDAQ"}


class Wanted(NamedTuple):
    """The restrictions in a contract, in comparable form; empty or None where there is none."""

    symbol: str
    exchange: str
    primary: str
    currency: str
    local_symbol: str
    trading_class: str
    day: str  # YYYYMMDD, YYYYMM or YYYY
    strike: float | None
    sign: int | None
    multiplier: float | None
    isin: str
    cusip: str

    def expiry(self, day: date, month: str) -> bool:
        """Tell whether a contract that ends on ``day`` and belongs to ``month`` (YYYYMM) is meant."""
        return not self.day or (month == self.day if len(self.day) == 6 else f"{day:%Y%m%d}".startswith(self.day))


def wanted(contract: Contract) -> Wanted:
    """Read the restrictions out of a contract."""
    text = contract.lastTradeDateOrContractMonth.strip().replace("-", "")[:8].strip()
    strike = None if is_unset(contract.strike) or not contract.strike else float(contract.strike)
    return Wanted(
        symbol=contract.symbol.upper(),
        exchange=contract.exchange.upper(),
        primary=_ISLAND.get(contract.primaryExchange.upper(), contract.primaryExchange.upper()),
        currency=contract.currency.upper(),
        local_symbol=contract.localSymbol,
        trading_class=contract.tradingClass,
        day=text,
        strike=strike,
        sign=_RIGHTS.get(contract.right.upper()),
        multiplier=_number(contract.multiplier),
        isin=contract.secId if contract.secIdType == "ISIN" else "",
        cusip=contract.secId if contract.secIdType == "CUSIP" else "",
    )


def _number(text: str) -> float | None:
    """A multiplier as a number: '50' and '50.0' are the same; no text is no restriction."""
    try:
        return float(text) if text else None
    except ValueError:
        return float("nan")  # equals nothing: a multiplier that is no number matches no contract


def matches(instrument: Instrument, want: Wanted) -> bool:
    """Tell whether an instrument fits every restriction but those of expiry, strike and right (chains apply them)."""
    contract = instrument.contract
    return (
        (not want.symbol or want.symbol == contract.symbol)
        and (not want.exchange or want.exchange in instrument.routes)
        and (not want.primary or not contract.primaryExchange or want.primary == contract.primaryExchange)
        and (not want.currency or want.currency == contract.currency)
        and (not want.local_symbol or want.local_symbol.split() == contract.localSymbol.split())
        and (not want.trading_class or want.trading_class == contract.tradingClass)
        and (want.multiplier is None or want.multiplier == float(contract.multiplier or 1))
        and (not want.isin or want.isin == instrument.listing.isin)
        and (not want.cusip or want.cusip == dict(instrument.listing.extra).get("cusip"))
    )
