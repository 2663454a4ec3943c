"""Orders that wait for a price: trailing stops that follow, stops that are adjusted, the moment of the trigger.

Must not know fills.
"""

from __future__ import annotations

from ibkit.model import UNSET_DOUBLE
from ibkit.paper.broker import hours, lifecycle
from ibkit.paper.broker.live import Live, copy_order, price_of
from ibkit.paper.broker.state import State
from ibkit.paper.market import Tick


def elected(state: State, live: Live, tick: Tick, t: float) -> bool:
    """Take in a tick: adjust the order, let its stop follow, and tell whether its trigger price is reached."""
    if hours.trigger_needs_regular(live.instrument, live.order.outsideRth) and not hours.session(
        live.instrument, t, True
    ):
        return False
    level = price_of(live.order.triggerPrice)
    if live.adjuster is not None and level is not None and live.adjuster.reached(tick, level):
        _adjust(state, live, t)
    trigger = live.trigger
    if trigger is None:
        return True
    if live.trailing:
        _follow(state, live, trigger.reading(tick))
    return live.stop is not None and trigger.reached(tick, live.stop)


def _follow(state: State, live: Live, price: float) -> None:
    """Move a trailing stop after the market; never back."""
    if price != price:
        return
    percent = price_of(live.order.trailingPercent)
    amount = price * percent / 100 if percent else price_of(live.order.auxPrice) or 0.0
    step = live.instrument.increment(price)
    stop = round((price + live.sign * amount) / step) * step
    if live.stop is None or (stop - live.stop) * live.sign < 0:
        live.stop = round(stop, 10)
        state.unsaved.add(live)
        if live.order.orderType == "TRAIL LIMIT":
            live.limit = round(live.stop + live.sign * live.offset, 10)


def _adjust(state: State, live: Live, t: float) -> None:
    """Turn a stop into what it was to become at its trigger price."""
    order = copy_order(live.order)
    order.orderType, order.adjustedOrderType, order.triggerPrice = order.adjustedOrderType, "", UNSET_DOUBLE
    if order.orderType.startswith("TRAIL"):
        order.trailStopPrice = order.adjustedStopPrice
        by_percent = order.adjustableTrailingUnit == 100
        order.trailingPercent = order.adjustedTrailingAmount if by_percent else UNSET_DOUBLE
        order.auxPrice = UNSET_DOUBLE if by_percent else order.adjustedTrailingAmount
    else:
        order.auxPrice = order.adjustedStopPrice
    if order.orderType.endswith(("LMT", "LIMIT")):
        order.lmtPrice = order.adjustedStopLimitPrice
    lifecycle.set_terms(live, order, t)
    lifecycle.tell(state, live)
