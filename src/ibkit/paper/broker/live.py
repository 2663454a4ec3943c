"""One order inside the broker: its terms, where it stands, what it has traded; and its reports.

Only data and what can be told from it. The desk moves it along. Must not know the market.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import inf, isfinite

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER, CommissionReport, Contract, Execution, Order, OrderState
from ibkit.model import OrderStatus as Status
from ibkit.model.base import dataclassAsDict
from ibkit.model.values import Number, is_unset
from ibkit.paper.broker.conditions import Conditions
from ibkit.paper.broker.hours import needs_regular
from ibkit.paper.broker.reports import CompletedReport, ExecutionReport, OrderReport
from ibkit.paper.broker.rules import TYPES, Trigger, TypeRule
from ibkit.paper.broker.texts import Refusal
from ibkit.paper.broker.triggers import Trigger as PriceTrigger
from ibkit.paper.instruments import Instrument

# A quantity below this is nothing: what float arithmetic leaves over.
EPSILON = 1e-9
# How TWS writes a margin that it does not tell.
UNSET_TEXT = "1.7976931348623157E308"


class Stage(Enum):
    """Where an order stands."""

    STAGED = "in TWS, not transmitted"
    SENT = "on its way to the exchange"
    HELD = "waiting for its parent, a time, a condition or the market's hours"
    OFF = "de-activated by its owner"
    ARMED = "waiting for its trigger price"
    WORKING = "in the market"
    DONE = "ended"


_STATUS = {
    Stage.STAGED: Status.PendingSubmit,
    Stage.SENT: Status.PreSubmitted,
    Stage.HELD: Status.PreSubmitted,
    Stage.OFF: Status.Inactive,
    Stage.ARMED: Status.PreSubmitted,
    Stage.WORKING: Status.Submitted,
}


@dataclass(slots=True)
class Part:
    """What an order traded in one contract (a combo: in one leg) and what that cost."""

    quantity: float = 0.0
    value: float = 0.0  # sum of size times price
    commission: float = 0.0
    currency: str = ""

    @property
    def average(self) -> float:
        """The average price."""
        return self.value / self.quantity if self.quantity else 0.0


@dataclass(slots=True, eq=False)
class Live:
    """An order. Moments are epoch seconds; ``inf`` is never."""

    client_id: int
    order_id: int
    perm_id: int
    account: str
    instrument: Instrument
    contract: Contract
    order: Order  # the terms in force; the broker's own copy
    placed: float
    total: float
    stage: Stage = Stage.STAGED
    why: str = ""
    final: str = ""  # the status it ended with
    filled: float = 0.0
    value: float = 0.0
    last_price: float = 0.0
    parts: dict[int, Part] = field(default_factory=dict)
    # What holds it back.
    arrives: float = inf
    starts: float = 0.0  # goodAfterTime, and the next opening for OPG
    expires: float = inf
    auction: float = inf  # when its closing auction is
    released: bool = True  # False: its conditions have not been met yet
    parent: Live | None = None
    children: list[Live] = field(default_factory=list)
    warnings: tuple[Refusal, ...] = ()  # told once it is sent
    exercise: int = 0  # 1 exercises an option, 2 lets it lapse, when its "auction" is: it trades nothing
    # Prices that move.
    elected: bool = False
    stop: float | None = None
    limit: float | None = None
    offset: float = 0.0  # TRAIL LIMIT: from stop to limit
    resting: bool = False  # it has stood in the book at its present price
    # Changes under way: when they reach the exchange.
    cancel_at: float = inf
    cancel_text: str = ""
    amend_at: float = inf
    amended: Order | None = None
    messages: int = 0  # requests about it so far: gives each its own delay
    # Timers and watchers, rebuilt when a stored order comes back.
    wake: float = inf
    retry_at: float = inf
    conditions: Conditions | None = None
    trigger: PriceTrigger | None = None
    adjuster: PriceTrigger | None = None
    done_at: float = 0.0
    done_text: str = ""

    @property
    def rule(self) -> TypeRule:
        """What its type means."""
        return TYPES[self.order.orderType]

    @property
    def regular(self) -> bool:
        """Whether it trades in regular hours only."""
        return needs_regular(self.instrument, self.order.outsideRth, self.rule.regular_only)

    @property
    def waits_for_parent(self) -> bool:
        """Whether it is a child whose parent has not traded and ended."""
        return self.parent is not None and not (self.parent.done and self.parent.filled > 0)

    @property
    def sign(self) -> int:
        """+1 when it buys, -1 when it sells."""
        return 1 if self.order.action in ("BUY", "SLONG") else -1

    @property
    def remaining(self) -> float:
        """What is left to trade."""
        left = self.total - self.filled
        return left if left > EPSILON else 0.0

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.stage is Stage.DONE

    @property
    def key(self) -> tuple[int, int]:
        """Client and order id."""
        return self.client_id, self.order_id

    @property
    def oca_group(self) -> str:
        """The group in which one order's fill cancels or reduces the others; '' for none."""
        return self.order.ocaGroup

    @property
    def oca_type(self) -> int:
        """1 cancel, 2 or 3 reduce; 3 unless the order says otherwise, as TWS shows it."""
        return self.order.ocaType if self.order.ocaType in (1, 2, 3) else 3

    @property
    def trailing(self) -> bool:
        """Whether its stop follows the market."""
        return self.rule.trigger is Trigger.TRAIL

    @property
    def status(self) -> str:
        """The status as TWS names it."""
        if self.stage is Stage.DONE:
            return self.final
        if self.cancel_at < inf:
            return Status.PendingCancel
        return _STATUS[self.stage]


def price_of(value: Number | None) -> float | None:
    """Return a price field as a float; None when it is not given, or no finite number."""
    return None if value is None or is_unset(value) or not isfinite(value) else float(value)


def copy_order(order: Order) -> Order:
    """Return a copy as a plain Order; lists inside are shared, nobody changes them."""
    copy = Order.__new__(Order)
    copy.__dict__.update(order.__dict__)
    return copy


def route(contract: Contract, instrument: Instrument) -> Contract:
    """Return the instrument's contract as reports show it: qualified, with the exchange that was asked for."""
    shown = Contract.create(**dataclassAsDict(instrument.contract))
    shown.exchange = contract.exchange or shown.exchange
    if contract.secType == "BAG":
        shown.comboLegs = contract.comboLegs
        shown.comboLegsDescrip = contract.comboLegsDescrip
    return shown


def _shown(live: Live) -> Order:
    """The order as TWS gives it back: ids and account filled, what it worked out itself in place."""
    order = copy_order(live.order)
    order.orderId, order.clientId, order.permId = live.order_id, live.client_id, live.perm_id
    order.account = live.account
    order.totalQuantity = live.total if live.total != float(order.totalQuantity) else order.totalQuantity
    order.filledQuantity = live.filled
    order.ocaType = live.oca_type
    order.tif = order.tif or "DAY"
    if live.parent is not None:
        order.parentPermId = live.parent.perm_id
    if live.trailing:
        order.trailStopPrice = UNSET_DOUBLE if live.stop is None else live.stop
        if order.orderType == "TRAIL LIMIT" and live.limit is not None:
            order.lmtPrice = live.limit
    elif live.rule.rest_as_limit and live.limit is not None:
        order.lmtPrice = live.limit
    # What TWS answers where the client left the default.
    order.clearingIntent = order.clearingIntent or "IB"
    order.deltaNeutralOrderType = order.deltaNeutralOrderType or "None"
    order.adjustedOrderType = order.adjustedOrderType or "None"
    if order.volatilityType == UNSET_INTEGER:
        order.volatilityType = 0
    if order.referencePriceType == UNSET_INTEGER:
        order.referencePriceType = 0
    order.displaySize = order.displaySize or UNSET_INTEGER
    return order


def _state(live: Live) -> OrderState:
    state = OrderState(status=live.status)
    for name in (
        "initMarginBefore", "maintMarginBefore", "equityWithLoanBefore", "initMarginChange", "maintMarginChange",
        "equityWithLoanChange", "initMarginAfter", "maintMarginAfter", "equityWithLoanAfter",
    ):  # fmt: skip
        setattr(state, name, UNSET_TEXT)
    parts = list(live.parts.values())
    if parts and len({part.currency for part in parts}) == 1 and live.filled:
        state.commission = round(sum(part.commission for part in parts), 6)
        state.commissionCurrency = parts[0].currency
    return state


def report(live: Live) -> OrderReport:
    """Return the order as it stands."""
    status = Status(
        orderId=live.order_id,
        status=live.status,
        filled=live.filled,
        remaining=live.remaining,
        avgFillPrice=live.value / live.filled if live.filled else 0.0,
        permId=live.perm_id,
        parentId=live.order.parentId,
        lastFillPrice=live.last_price,
        clientId=live.client_id,
        whyHeld=live.why,
        mktCapPrice=0.0,
    )
    return OrderReport(live.contract, _shown(live), _state(live), status)


def completed(live: Live, time_text: str) -> CompletedReport:
    """Return an order that has ended, as completed orders are told."""
    state = _state(live)
    state.completedTime = time_text
    state.completedStatus = live.done_text
    return CompletedReport(live.contract, _shown(live), state)


@dataclass(slots=True, eq=False)
class FillRecord:
    """An execution in the broker's books; ``zone`` is its exchange's."""

    contract: Contract
    execution: Execution
    at: float
    zone: str
    commission: CommissionReport | None = None

    def report(self) -> ExecutionReport:
        """Return it as it is told."""
        return ExecutionReport(self.contract, self.execution, self.commission, self.zone)
