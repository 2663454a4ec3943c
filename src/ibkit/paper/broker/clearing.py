"""Bookings that no exchange makes: exercise, assignment, lapse, expiry, settlement in cash.

Each is told as an execution without commission. Must not know what asked for it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ibkit.model import UNSET_DOUBLE, CommissionReport, Execution
from ibkit.model import OrderStatus as Status
from ibkit.model.objects import OptionExerciseType
from ibkit.paper.broker import lifecycle
from ibkit.paper.broker.accounts import Account, Holding
from ibkit.paper.broker.live import FillRecord, Live, Part
from ibkit.paper.broker.marks import UNPAID
from ibkit.paper.broker.state import State
from ibkit.paper.broker.trading import held_contract, position
from ibkit.paper.instruments import Instrument


def delivers(option: Instrument, t: float) -> bool:
    """Tell whether an option turns into shares or a future at ``t``; the others settle in cash.

    A future that has ended with its option is nothing to deliver.
    """
    under = option.underlying
    if not option.is_option or under is None:
        return False
    return under.sec_type == "STK" or (under.sec_type == "FUT" and under.expires > t)


def book(
    state: State,
    account: Account,
    instrument: Instrument,
    quantity: float,
    price: float,
    kind: OptionExerciseType,
    t: float,
    *,
    counted: float | None = None,
    live: Live | None = None,
) -> None:
    """Book a signed quantity and tell it: to the owner of the order ``live`` that it fills, else to client 0.

    ``counted`` is the price that the cost of the position is worked out with, where that is another than the one told.
    """
    account.roll(state.marks, t)
    gain = account.book(instrument, quantity, price if counted is None else counted, 0.0, instrument.currency)
    execution = Execution(
        execId=f"{state.orders.exec_id()}.01.01",
        time=datetime.fromtimestamp(t, UTC),
        acctNumber=account.name,
        exchange=instrument.contract.exchange,
        side="SLD" if quantity < 0 else "BOT",
        shares=abs(quantity),
        price=price,
        permId=state.orders.perm_id() if live is None else live.perm_id,
        clientId=0 if live is None else live.client_id,
        orderId=0 if live is None else live.order_id,
        cumQty=abs(quantity),
        avgPrice=price,
        optExerciseOrLapseType=kind,
    )
    record = FillRecord(held_contract(instrument), execution, t, instrument.calendar.zone)
    state.orders.record(record)
    state.version += 1
    state.listener.execution(record.report())
    if live is not None:
        live.filled = abs(quantity)
        live.parts[instrument.con_id] = Part(live.filled, 0.0, 0.0, instrument.currency)
        lifecycle.end(state, live, t, Status.Filled, f"Filled Size: {live.filled:g}")
        lifecycle.tell(state, live)
    record.commission = CommissionReport(
        execution.execId, 0.0, instrument.currency, UNSET_DOUBLE if gain is None else round(gain, 6), UNSET_DOUBLE
    )
    state.listener.commission(execution.clientId, record.commission)
    state.listener.position(position(account.name, account.holding(instrument)))
    state.listener.account_changed(account.name)


def deliver(
    state: State,
    account: Account,
    holding: Holding,
    units: float,
    kind: OptionExerciseType,
    t: float,
    live: Live | None = None,
) -> None:
    """Turn ``units`` of a held option, long or short, into what it is on, at its strike.

    The premium becomes part of the cost of shares, as IB counts; that of an option on a future is a gain or a loss.
    """
    option, under = holding.instrument, holding.instrument.underlying
    assert under is not None
    side, right = (1 if holding.quantity > 0 else -1), option.right
    strike = option.contract.strike
    delivered = side * right * units * option.multiplier / under.multiplier
    if under.sec_type in UNPAID:
        book(state, account, option, -side * units, 0.0, kind, t, live=live)
        book(state, account, under, delivered, strike, kind, t)
    else:
        premium = holding.basis / holding.quantity / option.multiplier
        book(state, account, option, -side * units, 0.0, kind, t, counted=premium, live=live)
        book(state, account, under, delivered, strike, kind, t, counted=strike + right * premium)
