"""One account's books: cash by currency, holdings with their cost, gains realized, the day's start.

Everything a trade does to them is in ``Account.book``. The law: at every moment
``net liquidation - deposits = realized + unrealized - charges``, where charges are the fees that are in no holding's
cost. Commissions are part of a holding's cost, as IB has it, except for forex. Must not know orders or margins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ibkit import dates
from ibkit.paper.broker.marks import UNPAID, Marks, worth
from ibkit.paper.instruments import Instrument

_NEW_YORK = dates.zone("US/Eastern")
_NOTHING = 1e-9


def day_start(t: float) -> float:
    """Return the midnight (New York) at which the account day that holds ``t`` begins."""
    return datetime.fromtimestamp(t, _NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def next_day(t: float) -> float:
    """Return the midnight after ``t``."""
    local = datetime.fromtimestamp(t, _NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0)
    return (local.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=_NEW_YORK).timestamp()


@dataclass(slots=True, eq=False)
class Holding:
    """A position. Amounts are in the instrument's currency; a short position has negative quantity and cost.

    ``cost`` is what was paid without fees, ``fees`` the commissions of what is held. ``realized`` counts since the
    account was opened, ``realized_today`` and ``flow`` (money in from trades) since the day's start, at which the
    holding was worth ``opening``.
    """

    instrument: Instrument
    quantity: float = 0.0
    cost: float = 0.0
    fees: float = 0.0
    realized: float = 0.0
    realized_today: float = 0.0
    flow: float = 0.0
    opening: float = 0.0
    traded_today: bool = False

    @property
    def basis(self) -> float:
        """What the holding cost, commissions included."""
        return self.cost + self.fees

    @property
    def average_cost(self) -> float:
        """IB's avgCost: for one unit, multiplier and commissions included."""
        return self.basis / self.quantity if self.quantity else 0.0

    def unrealized(self, marks: Marks, t: float) -> float:
        """Return the gain that selling at the mark would bring."""
        return marks.value(self.instrument, self.quantity, t) - self.basis

    def daily(self, marks: Marks, t: float) -> float:
        """Return the gain since the day's start, fees included."""
        return marks.value(self.instrument, self.quantity, t) - self.opening + self.flow

    def equity(self, marks: Marks, t: float) -> float:
        """Return what it adds to net liquidation besides cash."""
        if self.instrument.sec_type == "CASH":
            return 0.0
        value = marks.value(self.instrument, self.quantity, t)
        return value - self.cost if self.instrument.sec_type in UNPAID else value

    def trade(self, quantity: float, price: float, commission: float) -> float | None:
        """Add a signed trade; return the gain it realized, None when it only opened."""
        held, value = self.quantity, worth(self.instrument, quantity, price)
        closing = min(abs(held), abs(quantity)) if held * quantity < 0 else 0.0
        gain = None
        closed = closing / abs(quantity)  # the part of the trade that closes
        if closing:
            part = closing / abs(held)
            gain = -value * closed - commission * closed - self.basis * part
            self.cost -= self.cost * part
            self.fees -= self.fees * part
            self.realized += gain
            self.realized_today += gain
        self.cost += value * (1 - closed)
        self.fees += commission * (1 - closed)
        self.quantity = held + quantity
        if abs(self.quantity) < _NOTHING:
            self.quantity = self.cost = self.fees = 0.0
        self.flow -= value + commission
        self.traded_today = True
        return gain


@dataclass(slots=True, eq=False)
class Account:
    """One account. ``charges`` are fees outside any holding's cost, by currency, since the account was opened."""

    name: str
    base: str
    deposits: float
    cash: dict[str, float] = field(default_factory=dict)
    holdings: dict[int, Holding] = field(default_factory=dict)
    charges: dict[str, float] = field(default_factory=dict)
    charges_today: dict[str, float] = field(default_factory=dict)
    opened: float = 0.0  # start of the current day
    opening_equity: float = 0.0  # net liquidation at that moment

    def holding(self, instrument: Instrument) -> Holding:
        """Return the holding of an instrument, an empty one when there is none yet."""
        found = self.holdings.get(instrument.con_id)
        if found is None:
            found = self.holdings[instrument.con_id] = Holding(instrument)
        return found

    def book(
        self, instrument: Instrument, quantity: float, price: float, commission: float, currency: str
    ) -> float | None:
        """Book a signed trade and its commission; return the realized gain, None when the trade only opened."""
        holding = self.holding(instrument)
        before = holding.cost
        if instrument.sec_type == "CASH":
            gain = holding.trade(quantity, price, 0.0)
            self._pay(instrument.contract.symbol, quantity)
            self._pay(instrument.currency, -worth(instrument, quantity, price))
            self.charges[currency] = self.charges.get(currency, 0.0) + commission
            self.charges_today[currency] = self.charges_today.get(currency, 0.0) + commission
        else:
            gain = holding.trade(quantity, price, commission)
            paid = worth(instrument, quantity, price)
            if instrument.sec_type in UNPAID:  # the notional stays in the cost, only the gain moves
                paid -= holding.cost - before
            self._pay(instrument.currency, -paid)
        self._pay(currency, -commission)
        return gain

    def _pay(self, currency: str, amount: float) -> None:
        self.cash[currency] = self.cash.get(currency, 0.0) + amount

    def net_liquidation(self, marks: Marks, t: float) -> float:
        """Return what the account is worth in the base currency."""
        return sum(amount * marks.rate(currency, t) for currency, amount in self.by_currency(marks, t).items())

    def by_currency(self, marks: Marks, t: float) -> dict[str, float]:
        """Return the net worth in each currency."""
        total = dict(self.cash)
        for holding in self.holdings.values():
            if holding.quantity:
                currency = holding.instrument.currency
                total[currency] = total.get(currency, 0.0) + holding.equity(marks, t)
        return total

    def total(self, marks: Marks, t: float, what: str) -> float:
        """Return the sum over holdings in base currency: unrealized, daily, realized or realized_today."""
        amount = 0.0
        for holding in self.holdings.values():
            part: float = (
                getattr(holding, what)(marks, t) if what in ("unrealized", "daily") else getattr(holding, what)
            )
            if part:
                amount += part * marks.rate(holding.instrument.currency, t)
        return amount

    def charged(self, marks: Marks, t: float, today: bool = False) -> float:
        """Return the charges in base currency."""
        charges = self.charges_today if today else self.charges
        return sum(amount * marks.rate(currency, t) for currency, amount in charges.items())

    def roll(self, marks: Marks, t: float) -> None:
        """Begin the account day that holds ``t``, if it has not begun."""
        start = day_start(t)
        if start <= self.opened:
            return
        first = not self.opened
        self.opened = start
        for con_id, holding in list(self.holdings.items()):
            if not holding.quantity and not holding.realized:
                del self.holdings[con_id]
                continue
            holding.opening = marks.value(holding.instrument, holding.quantity, start)
            holding.flow = holding.realized_today = 0.0
            holding.traded_today = False
        self.charges_today = {}
        self.opening_equity = self.deposits if first else self.net_liquidation(marks, start)
