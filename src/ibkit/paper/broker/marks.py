"""What things are worth at a moment: marks of instruments, rates of currencies.

Currency rates come from the same market as everything else, and a forex position is valued at the ratio of the two
rates, so that cash and positions always agree. Must not know accounts.
"""

from __future__ import annotations

from typing import Protocol

from ibkit.model import Forex
from ibkit.paper.instruments import Catalogue, Instrument, Prints
from ibkit.paper.market import Quote, Tick


class Prices(Protocol):
    """The part of the market the broker uses; ``ibkit.paper.market.Market`` is one."""

    def quote(self, instrument: Instrument, t: float) -> Quote:
        """Return the state of an instrument at ``t``."""
        ...

    def ticks(self, instrument: Instrument, t0: float, t1: float) -> list[Tick]:
        """Return what happened in (t0, t1]."""
        ...


# Kinds whose notional is not paid: only gains, losses and fees touch the cash.
UNPAID = frozenset({"FUT", "CFD"})


def worth(instrument: Instrument, quantity: float, price: float) -> float:
    """Return what ``quantity`` units at ``price`` are worth, in the instrument's currency."""
    return quantity * price / instrument.price_magnifier * instrument.multiplier


class Marks:
    """Quotes, marks and rates at a moment, remembered while the moment stays the same."""

    def __init__(self, catalogue: Catalogue, prices: Prices, base: str) -> None:
        self.base = base
        self._catalogue = catalogue
        self._prices = prices
        self._at = float("nan")
        self._quotes: dict[Instrument, Quote] = {}
        self._pairs: dict[str, tuple[Instrument, bool] | None] = {}

    def quote(self, instrument: Instrument, t: float) -> Quote:
        """Return the quote at ``t``; of an expired instrument its last one."""
        if t != self._at:
            self._at = t
            self._quotes.clear()
        found = self._quotes.get(instrument)
        if found is None:
            moment = min(t, instrument.expires) if instrument.expires else t
            found = self._quotes[instrument] = self._prices.quote(instrument, moment)
        return found

    def mark(self, instrument: Instrument, t: float) -> float:
        """Return the price a position is valued at: the last trade held within the quote, else the midpoint."""
        if instrument.sec_type == "CASH":
            return self.rate(instrument.contract.symbol, t) / self.rate(instrument.currency, t)
        quote = self.quote(instrument, t)
        quoted = quote.bid == quote.bid and quote.ask == quote.ask
        if instrument.prints is not Prints.TRADES and quoted:
            return quote.mid
        if quote.last != quote.last:
            return quote.mid if quoted else quote.close
        return min(max(quote.last, quote.bid), quote.ask) if quoted else quote.last

    def value(self, instrument: Instrument, quantity: float, t: float) -> float:
        """Return the market value of a position in the instrument's currency."""
        return worth(instrument, quantity, self.mark(instrument, t)) if quantity else 0.0

    def rate(self, currency: str, t: float) -> float:
        """Return what one unit of ``currency`` is worth in the base currency.

        Raises ValueError for a currency that no pair of the catalogue leads to.
        """
        if currency == self.base:
            return 1.0
        if currency not in self._pairs:
            self._pairs[currency] = self._pair(currency)
        pair = self._pairs[currency]
        if pair is None:
            raise ValueError(f"no forex pair leads from {currency} to {self.base}")
        instrument, inverse = pair
        mid = self.quote(instrument, t).mid
        return 1 / mid if inverse else mid

    def knows(self, currency: str) -> bool:
        """Tell whether ``currency`` can be converted into the base currency."""
        if currency != self.base and currency not in self._pairs:
            self._pairs[currency] = self._pair(currency)
        return currency == self.base or self._pairs[currency] is not None

    def convert(self, amount: float, currency: str, into: str, t: float) -> float:
        """Return ``amount`` of one currency in another."""
        return amount if currency == into else amount * self.rate(currency, t) / self.rate(into, t)

    def _pair(self, currency: str) -> tuple[Instrument, bool] | None:
        for symbol, quoted, inverse in ((currency, self.base, False), (self.base, currency, True)):
            if found := self._catalogue.find(Forex(symbol=symbol, currency=quoted)):
                return found[0], inverse
        return None
