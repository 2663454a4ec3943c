"""The way of an order: sent, held, armed, working, ended; and what moves it along.

Nothing here trades: an order that becomes active is put on ``state.fresh`` and meets the market in ``trading``.
"""

from __future__ import annotations

from math import inf

from ibkit.model import Order
from ibkit.model import OrderStatus as Status
from ibkit.paper.broker import hours, texts
from ibkit.paper.broker.conditions import Conditions
from ibkit.paper.broker.live import EPSILON, Live, Stage, price_of, report
from ibkit.paper.broker.margin import margins
from ibkit.paper.broker.rules import Trigger
from ibkit.paper.broker.state import State
from ibkit.paper.broker.texts import Refusal
from ibkit.paper.broker.triggers import Trigger as PriceTrigger
from ibkit.paper.instruments import Prints

BY_TRADER, BY_SYSTEM = "Cancelled by Trader", "Cancelled by System"
_FIXED_LIMIT = ("LMT", "STP LMT", "LIT", "LOC")


def set_terms(live: Live, order: Order, t: float) -> None:
    """Take an order's terms over: a new order's, or those of a modification that has arrived."""
    before = live.order if live.order is not order else None
    live.order = order
    live.total = float(order.totalQuantity)
    live.resting = False
    rule = live.rule
    if order.orderType in _FIXED_LIMIT:
        live.limit = price_of(order.lmtPrice)
    elif not (rule.rest_as_limit and live.filled):
        live.limit = None
    arm(live)
    if live.trailing:
        _set_trail(live, order, before)
    elif rule.trigger is not Trigger.NONE:
        live.stop = price_of(order.auxPrice)
    _set_times(live, order, t)
    if before is None or before.conditions != order.conditions:
        live.conditions = None
        live.released = not order.conditions or order.conditionsCancelOrder


def arm(live: Live) -> None:
    """Set the watchers of an order that waits for a price."""
    rule, order = live.rule, live.order
    live.trigger = live.adjuster = None
    if rule.trigger is Trigger.NONE or live.elected:
        return
    rising = (live.sign > 0) == (rule.trigger is not Trigger.TOUCH)
    live.trigger = PriceTrigger(live.instrument, order.triggerMethod, rising)
    if order.adjustedOrderType:  # at a price on the winning side
        live.adjuster = PriceTrigger(live.instrument, order.triggerMethod, not rising)


def _set_trail(live: Live, order: Order, before: Order | None) -> None:
    stop, limit = price_of(order.trailStopPrice), price_of(order.lmtPrice)
    if before is None or not before.orderType.startswith("TRAIL") or stop is not None:
        live.stop = stop
    if order.orderType == "TRAIL LIMIT":
        offset = price_of(order.lmtPriceOffset)
        if offset is None and limit is not None and stop is not None:
            offset = (limit - stop) * live.sign
        live.offset = offset or 0.0
        live.limit = None if live.stop is None else live.stop + live.sign * live.offset


def _set_times(live: Live, order: Order, t: float) -> None:
    instrument, regular = live.instrument, live.regular
    live.starts = hours.start_of(order.goodAfterTime, instrument) if order.goodAfterTime else 0.0
    begins = max(t, live.starts)
    live.auction = inf
    if order.tif == "OPG":
        now = hours.session(instrument, begins, True)
        live.starts = max(live.starts, hours.next_open(instrument, now.end if now else begins, True))
        begins = live.starts
    elif live.rule.at_close or instrument.prints is Prints.VALUE:
        live.auction = hours.day_end(instrument, begins, True)
    match order.tif:
        case "GTC":
            live.expires = inf
        case "GTD":
            live.expires = hours.end_of(order.goodTillDate, instrument, regular)
        case "MINUTES":
            live.expires = max(live.placed, live.starts) + 60.0 * order.duration
        case _:
            live.expires = hours.day_end(instrument, begins, regular)
    if instrument.expires:
        live.expires = min(live.expires, instrument.expires)


def send(state: State, live: Live, t: float, warnings: tuple[Refusal, ...] = ()) -> None:
    """Send a new order on its way to the exchange and confirm it."""
    live.arrives = t + _delay(state, live)
    live.stage = Stage.SENT
    if live.arrives > t:
        _, live.why = _stand(state, live, t)
        tell(state, live)
        _set_wake(live, t)
    else:
        arrive(state, live, t)
    for warning in warnings:
        complain(state, live, warning)


def arrive(state: State, live: Live, t: float) -> None:
    """The order has reached the exchange, or IB's servers that hold it."""
    live.arrives = min(live.arrives, t)
    refresh(state, live, t)


def _delay(state: State, live: Live) -> float:
    live.messages += 1
    return state.models.latency.delay(state.models.seed, live.perm_id, live.messages)


def refresh(state: State, live: Live, t: float) -> None:
    """See where the order stands now; tell it when that changed."""
    if live.done or live.stage is Stage.STAGED:
        return
    if t >= live.arrives:
        _see_conditions(state, live, t)
        if live.done:
            return
    stage, why = _stand(state, live, t)
    if (stage, why) != (live.stage, live.why):
        active = stage in (Stage.WORKING, Stage.ARMED) and stage is not live.stage
        live.stage, live.why = stage, why
        if stage is Stage.HELD:
            live.resting = False
        tell(state, live)
        if active:
            state.fresh.append(live)
    _set_wake(live, t)


def _see_conditions(state: State, live: Live, t: float) -> None:
    """Look at the conditions; release the order, or cancel it, when they are met."""
    order = live.order
    if not order.conditions or live.waits_for_parent or (live.released and not order.conditionsCancelOrder):
        return
    if live.conditions is None:
        live.conditions = Conditions(order.conditions, live.instrument, state.catalogue, order.conditionsIgnoreRth)
        live.conditions.begin(t, lambda instrument: state.marks.quote(instrument, t))
    live.conditions.tell(t, lambda: margins(state.accounts[live.account], state.marks, t).cushion)
    if live.conditions.met:
        live.conditions = None
        if order.conditionsCancelOrder:
            cancel(state, live, t, BY_SYSTEM)
        else:
            live.released = True


def _stand(state: State, live: Live, t: float) -> tuple[Stage, str]:
    """Return the stage an order belongs in at ``t``, and TWS's word for why it is held."""
    child = live.waits_for_parent
    armed = live.trigger is not None and not live.elected
    why = ",".join(word for word, holds in (("child", child), ("trigger", armed)) if holds)
    if t < live.arrives:
        return Stage.SENT, why
    if live.exercise:
        return Stage.HELD, ""
    if live.order.deactivate:
        return Stage.OFF, ""
    if child or t < live.starts or not live.released or not hours.session(live.instrument, t, live.regular):
        return Stage.HELD, why
    return (Stage.ARMED if armed else Stage.WORKING), why


def _set_wake(live: Live, t: float) -> None:
    """Set when time alone next does something to the order."""
    moments = [live.cancel_at, live.amend_at, live.expires, live.auction, live.retry_at, live.arrives, live.starts]
    if t >= live.arrives and not live.waits_for_parent:
        moments.append(hours.boundary(live.instrument, t, live.regular))
    if live.conditions is not None:
        moments.append(live.conditions.next_change(t))
    live.wake = min((moment for moment in moments if moment > t), default=inf)


def wake(state: State, live: Live, t: float) -> None:
    """Do what is due at ``t``: changes arrive, auctions and ends come, holds fall away."""
    if t >= live.cancel_at:
        cancel(state, live, t, live.cancel_text)
        return
    if t >= live.amend_at:
        _amend_arrived(state, live, t)
    if t >= live.auction and live.stage is Stage.WORKING:
        state.auctions.append(live)
        return
    if t >= live.expires:
        cancel(state, live, t, BY_SYSTEM)
        return
    if t >= live.retry_at:
        live.retry_at = inf
        state.fresh.append(live)
    refresh(state, live, t)


def ask_amend(state: State, live: Live, order: Order, t: float) -> None:
    """Send a modification on its way; the newest one counts."""
    live.amended, live.amend_at = order, t + _delay(state, live)
    if live.amend_at <= t:
        _amend_arrived(state, live, t)
        refresh(state, live, t)
    else:
        live.wake = min(live.wake, live.amend_at)
    state.changed(live)


def _amend_arrived(state: State, live: Live, t: float) -> None:
    order, live.amended, live.amend_at = live.amended, None, inf
    if order is None:
        return
    if float(order.totalQuantity) <= live.filled + EPSILON:
        complain(state, live, texts.FILLED)
        return
    set_terms(live, order, t)
    stage, why = _stand(state, live, t)
    if (stage, why) == (live.stage, live.why):  # else ``refresh`` tells
        tell(state, live)
    if stage is Stage.WORKING or stage is Stage.ARMED:
        state.fresh.append(live)


def ask_cancel(state: State, live: Live, t: float) -> None:
    """Send a cancel on its way; what IB itself holds ends at once."""
    delay = _delay(state, live) if live.stage is Stage.WORKING else 0.0
    if not delay:
        cancel(state, live, t, BY_TRADER)
        return
    live.cancel_at, live.cancel_text = t + delay, BY_TRADER
    live.wake = min(live.wake, live.cancel_at)
    state.changed(live)
    state.listener.status(report(live))


def cancel(state: State, live: Live, t: float, text: str) -> None:
    """End an order unfilled (or partly filled), with everything that hangs on it."""
    if live.done:
        return
    staged = live.stage is Stage.STAGED
    end(state, live, t, Status.ApiCancelled if staged else Status.Cancelled, text)
    if live.exercise:  # the order seen on real gateways
        complain(state, live, texts.NOT_EXERCISED)
        state.listener.status(report(live))
        complain(state, live, texts.CANCELLED)
    else:
        complain(state, live, texts.CANCELLED)
        state.listener.status(report(live))
    for child in list(live.children):
        if child.done:
            continue
        if live.filled > 0 and child.stage is not Stage.STAGED:
            _shrink_to_parent(child, live)
            refresh(state, child, t)
        else:
            cancel(state, child, t, text)
    if live.parent is not None and live.order.autoCancelParent:
        cancel(state, live.parent, t, text)


def _shrink_to_parent(child: Live, parent: Live) -> None:
    """A parent that ended partly filled leaves its children as much as it traded."""
    part = parent.filled / parent.total
    lot = child.instrument.lot
    child.total = max(lot, round(child.total * part / lot) * lot)


def reduce(state: State, live: Live, part: float, t: float) -> None:
    """Take ``part`` of what is left off an order, as OCA groups do; nothing left ends it."""
    lot = live.instrument.lot
    left = round(live.remaining * (1 - part) / lot) * lot
    if left < lot / 2:
        cancel(state, live, t, BY_SYSTEM)
        return
    live.total = live.filled + left
    tell(state, live)


def end(state: State, live: Live, t: float, final: str, text: str) -> None:
    """Close an order's file."""
    live.stage, live.final, live.why = Stage.DONE, final, ""
    live.done_at, live.done_text = t, text
    live.cancel_at = live.amend_at = live.wake = inf
    live.conditions = None
    state.changed(live)
    if live.perm_id in state.orders.open:
        state.orders.close(live)


def reject(state: State, live: Live, t: float, refusal: Refusal) -> None:
    """Refuse an order at IB's servers: the message, then the order as Inactive; its children go with it."""
    complain(state, live, refusal)
    end(state, live, t, Status.Inactive, refusal.text)
    tell(state, live)
    for child in list(live.children):
        cancel(state, child, t, BY_SYSTEM)


def tell(state: State, live: Live) -> None:
    """Report an order: openOrder and orderStatus."""
    state.changed(live)
    state.listener.order(report(live))


def complain(state: State, live: Live, refusal: Refusal) -> None:
    """Tell the owner what is the matter with an order."""
    state.listener.error(live.client_id, live.order_id, refusal.code, refusal.text)
