"""What becomes of positions in contracts that end, at the last moment of trading.

Futures settle in cash at their mark. Options in the money are exercised or assigned: those on shares and futures
deliver them, those on an index pay what they are worth; the others are worth nothing. Must not know orders.
"""

from __future__ import annotations

from math import inf

from ibkit.model.objects import OptionExerciseType
from ibkit.paper.broker.accounts import Account, Holding
from ibkit.paper.broker.clearing import book, deliver, delivers
from ibkit.paper.broker.marks import Marks
from ibkit.paper.broker.state import State
from ibkit.paper.instruments import Instrument


def next_expiry(state: State) -> float:
    """Return when the first position ends, ``inf`` when none does."""
    moments = (
        holding.instrument.expires
        for account in state.accounts.values()
        for holding in account.holdings.values()
        if holding.quantity and holding.instrument.expires
    )
    return min(moments, default=inf)


def settle_expired(state: State, t: float) -> None:
    """Close all positions in contracts that have ended."""
    for account in state.accounts.values():
        for holding in list(account.holdings.values()):
            if holding.quantity and 0 < holding.instrument.expires <= t:
                _settle(state, account, holding, t)


def final_price(instrument: Instrument, marks: Marks) -> float:
    """Return what a contract is worth when it ends."""
    under, at = instrument.underlying, instrument.expires
    if not instrument.is_option or under is None:
        return marks.mark(instrument, at)
    return max(0.0, instrument.right * (marks.mark(under, at) - instrument.contract.strike))


def _settle(state: State, account: Account, holding: Holding, t: float) -> None:
    instrument, quantity = holding.instrument, holding.quantity
    price = final_price(instrument, state.marks)
    kind = OptionExerciseType.NoneItem
    if instrument.is_option:
        taken = OptionExerciseType.Exercise if quantity > 0 else OptionExerciseType.Assigned
        kind = taken if price else OptionExerciseType.Expired
    if price and delivers(instrument, instrument.expires):
        deliver(state, account, holding, abs(quantity), kind, t)
    else:
        book(state, account, instrument, -quantity, price, kind, t)
