"""What an order would do to an account: the answer to what-if, and the check before an order is accepted."""

from __future__ import annotations

from ibkit.model import Contract, OrderState
from ibkit.model import OrderStatus as Status
from ibkit.paper.broker import texts
from ibkit.paper.broker.fees import fee
from ibkit.paper.broker.intake import Taken
from ibkit.paper.broker.live import UNSET_TEXT, copy_order, price_of
from ibkit.paper.broker.margin import Margins, Step, margins
from ibkit.paper.broker.marks import worth
from ibkit.paper.broker.reports import OrderReport
from ibkit.paper.broker.state import State
from ibkit.paper.broker.texts import Refusal
from ibkit.paper.instruments import Instrument

# A change of the available funds below this is rounding, not risk.
_CENT = 0.01


def legs_of(instrument: Instrument, quantity: float) -> list[tuple[Instrument, float]]:
    """Return what a signed trade of ``quantity`` moves: the instrument itself, or a combo's legs."""
    return [(leg, ratio * quantity) for leg, ratio in instrument.legs] or [(instrument, quantity)]


def commission(state: State, instrument: Instrument, quantity: float, price: float, t: float) -> tuple[float, str]:
    """Return what a signed trade would cost, and in which currency; a combo's legs at their marks."""
    cost, currency = 0.0, instrument.currency
    for leg, units in legs_of(instrument, quantity):
        row = fee(state.models.fees, leg)
        currency = row.currency or leg.currency
        each = state.marks.mark(leg, t) if instrument.legs else price
        value = state.marks.convert(abs(worth(leg, units, each)), leg.currency, currency, t)
        cost += row.total(abs(units), value, units < 0)
    return cost, currency


def _before_and_after(
    state: State, taken: Taken, account: str, t: float, fee_in_base: float
) -> tuple[Margins, Margins]:
    sign = 1 if taken.order.action in ("BUY", "SLONG") else -1
    steps = tuple(Step(leg, units) for leg, units in legs_of(taken.instrument, sign * taken.total))
    steps = (steps[0]._replace(fee=fee_in_base), *steps[1:])
    books = state.accounts[account]
    return margins(books, state.marks, t), margins(books, state.marks, t, steps)


def refusal(state: State, taken: Taken, t: float) -> Refusal | None:
    """Return the rejection of an order the account cannot carry; what lowers the risk always passes."""
    before, after = _before_and_after(state, taken, taken.order.account, t, 0.0)
    if after.available < 0 and after.available < before.available - _CENT:
        return texts.margin(after.equity_with_loan, after.initial, state.models.currency)
    return None


def what_if(state: State, client_id: int, order_id: int, contract: Contract, taken: Taken, t: float) -> OrderReport:
    """Return the preview of an order."""
    order = copy_order(taken.order)
    sign = 1 if order.action in ("BUY", "SLONG") else -1
    price = price_of(order.lmtPrice) or state.marks.mark(taken.instrument, t)
    cost, currency = commission(state, taken.instrument, sign * taken.total, price, t)
    base = state.models.currency
    before, after = _before_and_after(state, taken, order.account, t, state.marks.convert(cost, currency, base, t))
    order.orderId, order.clientId, order.whatIf = order_id, client_id, True
    return OrderReport(
        contract, order, _state(before, after, cost, currency, base), Status(order_id, Status.PreSubmitted)
    )


def _state(before: Margins, after: Margins, cost: float, currency: str, base: str) -> OrderState:
    state = OrderState(
        status=Status.PreSubmitted, commission=round(cost, 6), commissionCurrency=currency, marginCurrency=base
    )
    for name, field in (
        ("initMargin", "initial"),
        ("maintMargin", "maintenance"),
        ("equityWithLoan", "equity_with_loan"),
    ):
        old, new = getattr(before, field), getattr(after, field)
        for suffix, amount in (("Before", old), ("Change", new - old), ("After", new)):
            setattr(state, name + suffix, f"{amount:.2f}" if amount == amount else UNSET_TEXT)
    return state
