"""What becomes of positions in contracts that end: everything settles in cash at the last moment of trading.

Futures at their mark, options at what they are worth then. Must not know orders.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

from ibkit.model import UNSET_DOUBLE, CommissionReport, Execution
from ibkit.model.objects import OptionExerciseType
from ibkit.paper.broker.accounts import Account, Holding
from ibkit.paper.broker.live import FillRecord
from ibkit.paper.broker.marks import Marks
from ibkit.paper.broker.state import State
from ibkit.paper.broker.trading import held_contract, position
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
    if instrument.sec_type not in ("OPT", "FOP") or under is None:
        return marks.mark(instrument, at)
    sign = 1 if instrument.contract.right.startswith("C") else -1
    return max(0.0, sign * (marks.mark(under, at) - instrument.contract.strike))


def _settle(state: State, account: Account, holding: Holding, t: float) -> None:
    instrument, quantity = holding.instrument, holding.quantity
    price = final_price(instrument, state.marks)
    account.roll(state.marks, t)
    gain = account.book(instrument, -quantity, price, 0.0, instrument.currency)
    kind = OptionExerciseType.NoneItem
    if instrument.sec_type in ("OPT", "FOP"):
        worth = OptionExerciseType.Exercise if quantity > 0 else OptionExerciseType.Assigned
        kind = worth if price else OptionExerciseType.Expired
    execution = Execution(
        execId=f"{state.orders.exec_id()}.01.01",
        time=datetime.fromtimestamp(t, UTC),
        acctNumber=account.name,
        exchange=instrument.contract.exchange,
        side="SLD" if quantity > 0 else "BOT",
        shares=abs(quantity),
        price=price,
        permId=state.orders.perm_id(),
        cumQty=abs(quantity),
        avgPrice=price,
        optExerciseOrLapseType=kind,
    )
    record = FillRecord(held_contract(instrument), execution, t, instrument.calendar.zone)
    state.orders.record(record)
    state.version += 1
    state.listener.execution(record.report())
    record.commission = CommissionReport(
        execution.execId, 0.0, instrument.currency, 0.0 if gain is None else round(gain, 6), UNSET_DOUBLE
    )
    state.listener.commission(0, record.commission)
    state.listener.position(position(account.name, holding))
    state.listener.account_changed(account.name)
