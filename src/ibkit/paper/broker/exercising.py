"""The exercise and the lapse of options a client holds, asked for before they end.

The request becomes an order under its own id, as TWS has it: it waits, may be cancelled, and is carried out at the
end of the option's trading day, or at once where the models say that instructions are final. Must not know prices
beyond the mark of the underlying.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from ibkit.model import Order
from ibkit.model.objects import OptionExerciseType
from ibkit.paper.broker import hours, lifecycle, texts
from ibkit.paper.broker.clearing import book, deliver, delivers
from ibkit.paper.broker.live import EPSILON, Live, Stage, route
from ibkit.paper.broker.state import State
from ibkit.paper.broker.texts import Refusal
from ibkit.paper.instruments import Instrument

EXERCISE, LAPSE = 1, 2


class Instruction(NamedTuple):
    """What is asked for: exercise or lapse so many units; ``override`` does it against the natural action."""

    action: int
    units: float
    account: str = ""
    override: bool = False
    manual_order_time: str = ""
    customer_account: str = ""
    professional_customer: bool = False


def take(
    state: State, client_id: int, order_id: int, option: Instrument, wanted: Instruction, t: float
) -> Refusal | None:
    """Take an instruction in; return why not."""
    if (client_id, order_id) in state.orders.by_key:
        return texts.DUPLICATE_ID
    account = wanted.account
    if len(state.accounts) > 1:
        if not account:
            return texts.invalid("The account code is required for this operation.")
        if account not in state.accounts:
            return texts.invalid(f"Invalid account code '{account}'.")
    account = account or next(iter(state.accounts))
    free = _free(state, account, option)
    if free <= EPSILON:
        return texts.not_processed(f"No unlapsed position exists in this option in account {account}.")
    if wanted.action == EXERCISE and not option.american:
        return texts.not_processed("Exercise ignored because option can be exercised at expiration only.")
    if not wanted.override and (refusal := _unnatural(state, option, wanted.action, t)):
        return refusal
    live = _order(state, client_id, order_id, option, wanted, account, min(wanted.units, free), t)
    state.orders.add(live)
    lifecycle.tell(state, live)
    if state.models.final_exercise:
        carry_out(state, live, t)
    else:
        lifecycle.refresh(state, live, t)
    return None


def _free(state: State, account: str, option: Instrument) -> float:
    """Return how much of a long position no other instruction is about."""
    books = state.accounts.get(account)
    holding = books.holdings.get(option.con_id) if books else None
    if holding is None:
        return 0.0
    told = sum(
        live.total
        for live in state.orders.open.values()
        if live.exercise and live.instrument is option and live.account == account
    )
    return holding.quantity - told


def _unnatural(state: State, option: Instrument, action: int, t: float) -> Refusal | None:
    """Refuse what makes no sense by price: exercise out of the money, lapse in the money."""
    assert option.underlying is not None
    inside = option.right * (state.marks.mark(option.underlying, t) - option.contract.strike) > 0
    if action == EXERCISE and not inside:
        return texts.not_processed("Exercise ignored because option is not in-the-money.")
    if action == LAPSE and inside:
        return texts.not_processed("Lapse ignored because option is in-the-money.")
    return None


def _order(
    state: State,
    client_id: int,
    order_id: int,
    option: Instrument,
    wanted: Instruction,
    account: str,
    units: float,
    t: float,
) -> Live:
    order = Order(
        action="BUY",  # whatever is done, and to what: seen so on real gateways
        totalQuantity=units,
        orderType="LMT",
        lmtPrice=0.0,
        tif="DAY",
        account=account,
        manualOrderTime=wanted.manual_order_time,
        customerAccount=wanted.customer_account,
        professionalCustomer=wanted.professional_customer,
    )
    return Live(
        client_id=client_id,
        order_id=order_id,
        perm_id=state.orders.perm_id(),
        account=account,
        instrument=option,
        contract=route(option.contract, option),
        order=order,
        placed=t,
        total=units,
        stage=Stage.HELD,
        exercise=wanted.action,
        arrives=t,
        expires=inf,
        auction=min(hours.day_end(option, t, True), option.expires),
    )


def carry_out(state: State, live: Live, t: float) -> None:
    """Do what an instruction says, if what it is about is still held."""
    account = state.accounts[live.account]
    holding = account.holding(live.instrument)
    if holding.quantity < live.total - EPSILON:
        lifecycle.complain(state, live, texts.TOO_FEW_OPTIONS)
        lifecycle.cancel(state, live, t, lifecycle.BY_SYSTEM)
    elif live.exercise == LAPSE:
        book(state, account, live.instrument, -live.total, 0.0, OptionExerciseType.Lapse, t, live=live)
    elif delivers(live.instrument, t):
        deliver(state, account, holding, live.total, OptionExerciseType.Exercise, t, live)
    else:
        worth = _intrinsic(state, live.instrument, t)
        book(state, account, live.instrument, -live.total, worth, OptionExerciseType.Exercise, t, live=live)


def _intrinsic(state: State, option: Instrument, t: float) -> float:
    assert option.underlying is not None
    return option.right * (state.marks.mark(option.underlying, t) - option.contract.strike)
