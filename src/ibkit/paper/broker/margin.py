"""How much of an account is tied up, and whether it can carry one more position.

Percent rules in the spirit of Reg T and of IB's pages, as a table; not IB's risk-based figures. Every position counts
on its own, but for short options: covered by shares they cost nothing, covered by a long option the most the two can
lose. Must not know orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ibkit.paper.broker.accounts import Account
from ibkit.paper.broker.hedged import shorts
from ibkit.paper.broker.marks import UNPAID, Marks, worth
from ibkit.paper.instruments import Instrument


class Rule(NamedTuple):
    """Parts of the notional: initial and maintenance, long and short; ``volatile``: at least this times volatility."""

    initial_long: float
    maintenance_long: float
    initial_short: float
    maintenance_short: float
    volatile: float = 0.0


RULES: dict[str, Rule] = {
    "STK": Rule(0.50, 0.25, 0.50, 0.30),
    "FUND": Rule(0.50, 0.25, 1.0, 1.0),
    "BOND": Rule(0.25, 0.20, 0.25, 0.20),
    "CMDTY": Rule(0.10, 0.08, 0.10, 0.08),
    "CRYPTO": Rule(1.0, 1.0, 1.0, 1.0),
    "CFD": Rule(0.05, 0.05, 0.05, 0.05, volatile=0.35),
    "FUT": Rule(0.02, 0.02, 0.02, 0.02, volatile=0.33),
}
# Futures: initial is this times maintenance.
FUTURE_INITIAL = 1.1
# A CFD on a single stock.
STOCK_CFD = 0.20
# Net worth in another currency than the account's, either way.
CURRENCY = 0.03
# Short options: premium plus the larger of 20 % of the underlying less what it is out of the money, and 10 %.
OPTION_FULL, OPTION_LEAST = 0.20, 0.10
# What buying power is to available funds: 4 for intraday trades of a margin account.
BUYING_POWER = 4.0


class Margins(NamedTuple):
    """An account's totals in base currency."""

    net_liquidation: float
    equity_with_loan: float
    initial: float
    maintenance: float
    gross: float  # sum of the absolute values of stock and option positions

    @property
    def available(self) -> float:
        """Equity with loan value beyond the initial margin."""
        return self.equity_with_loan - self.initial

    @property
    def excess(self) -> float:
        """Equity with loan value beyond the maintenance margin."""
        return self.equity_with_loan - self.maintenance

    @property
    def cushion(self) -> float:
        """Excess as part of the net liquidation value."""
        return self.excess / self.net_liquidation if self.net_liquidation else 0.0


class Step(NamedTuple):
    """A trade that may be made: what is bought (sold: negative quantity), with what fee in base currency."""

    instrument: Instrument
    quantity: float
    fee: float = 0.0


def requirement(instrument: Instrument, quantity: float, marks: Marks, t: float) -> tuple[float, float]:
    """Return initial and maintenance margin of a position other than options, in the instrument's currency."""
    if not quantity or instrument.sec_type == "CASH":
        return 0.0, 0.0
    notional = abs(worth(instrument, quantity, marks.mark(instrument, t)))
    rule = RULES.get(instrument.sec_type, RULES["STK"])
    initial, maintenance = rule[:2] if quantity > 0 else rule[2:4]
    if instrument.sec_type == "CFD" and instrument.underlying is not None:
        initial = maintenance = STOCK_CFD
    elif rule.volatile:
        maintenance = max(maintenance, rule.volatile * instrument.volatility)
        initial = max(initial, maintenance * (FUTURE_INITIAL if instrument.sec_type == "FUT" else 1.0))
    return notional * initial, notional * maintenance


def short_options(held: Mapping[Instrument, float], marks: Marks, t: float) -> Iterator[tuple[Instrument, float]]:
    """Yield what each short option of an account ties up, in its currency; parts of one may come apart."""
    for option, units, width in shorts(held):
        naked = _naked(option, units, marks, t)
        yield option, naked if width is None else min(naked, worth(option, units, width))


def _naked(instrument: Instrument, quantity: float, marks: Marks, t: float) -> float:
    under, mark = instrument.underlying, marks.mark(instrument, t)
    if under is None:
        return worth(instrument, quantity, mark)
    spot = marks.mark(under, t)
    out = max(0.0, instrument.right * (instrument.contract.strike - spot))
    return worth(instrument, quantity, mark + max(OPTION_FULL * spot - out, OPTION_LEAST * spot))


def margins(account: Account, marks: Marks, t: float, steps: tuple[Step, ...] = ()) -> Margins:
    """Return the totals of an account, as they are or as they would be after ``steps``."""
    cash = dict(account.cash)
    held = {h.instrument: [h.quantity, h.cost] for h in account.holdings.values() if h.quantity}
    for step in steps:
        place = held.setdefault(step.instrument, [0.0, 0.0])
        # Valued at the mark: what the price of the trade differs from it is neither paid nor gained here.
        marked = marks.value(step.instrument, step.quantity, t)
        place[0] += step.quantity
        currency = step.instrument.currency
        if step.instrument.sec_type == "CASH":
            symbol = step.instrument.contract.symbol
            cash[symbol] = cash.get(symbol, 0.0) + step.quantity
            cash[currency] = cash.get(currency, 0.0) - marked
        elif step.instrument.sec_type in UNPAID:
            place[1] += marked
        else:
            cash[currency] = cash.get(currency, 0.0) - marked
        cash[account.base] = cash.get(account.base, 0.0) - step.fee
    worths = dict(cash)
    options = initial = maintenance = gross = 0.0
    for instrument, (quantity, cost) in held.items():
        if instrument.sec_type == "CASH" or not quantity:
            continue
        rate = marks.rate(instrument.currency, t)
        value = marks.value(instrument, quantity, t)
        equity = value - cost if instrument.sec_type in UNPAID else value
        worths[instrument.currency] = worths.get(instrument.currency, 0.0) + equity
        if instrument.is_option:
            options += value * rate
        else:
            first, second = requirement(instrument, quantity, marks, t)
            initial += first * rate
            maintenance += second * rate
        if instrument.sec_type not in UNPAID:
            gross += abs(value) * rate
    for option, need in short_options({instrument: quantity for instrument, (quantity, _) in held.items()}, marks, t):
        initial += need * marks.rate(option.currency, t)
        maintenance += need * marks.rate(option.currency, t)
    net = sum(amount * marks.rate(currency, t) for currency, amount in worths.items())
    abroad = CURRENCY * sum(
        abs(amount) * marks.rate(currency, t) for currency, amount in worths.items() if currency != account.base
    )
    return Margins(net, net - options, initial + abroad, maintenance + abroad, gross)
