"""Time passes: ticks of the instruments that matter and everything that is due, in the order of their moments.

The result does not depend on how often ``advance`` is called, only on the moments themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from heapq import merge
from math import floor, inf

from ibkit.paper.broker import exercising, expiry, hours, lifecycle, trading
from ibkit.paper.broker.live import Live
from ibkit.paper.broker.matching import out_of_reach
from ibkit.paper.broker.state import State
from ibkit.paper.instruments import Instrument
from ibkit.paper.market import Market, Tick

# Ticks are fetched in spans that grow while nothing happens, and start small again when something does.
FIRST_SPAN, LAST_SPAN = 2.0, 600.0


def advance(state: State, now: float) -> None:
    """Let everything happen that happens in (state.now, now]."""
    span = FIRST_SPAN
    while state.now < now:
        watched = state.watched()
        until = max(state.now, min(now, _due(state)))
        if watched:
            until = min(until, state.now + span)
        version = state.version
        state.now = _run(state, watched, until)
        _wake(state, state.now)
        span = min(span * 2, LAST_SPAN) if state.version == version else FIRST_SPAN
    state.orders.prune(state.now)


def next_due(state: State, now: float) -> float | None:
    """Return when something may happen next, None when nothing will."""
    due = _due(state)
    for instrument in state.watched():
        session = hours.session(instrument, now, False)
        due = min(due, next_step(now) if session else hours.next_open(instrument, now, False))
    return None if due == inf else max(due, now)


def next_step(t: float) -> float:
    """Return the first moment after ``t`` at which the market may move: it moves in the middle of its steps."""
    step = Market.STEP
    return (floor(t / step - 0.5) + 1.5) * step


def _due(state: State) -> float:
    wake = min((live.wake for live in state.orders.open.values()), default=inf)
    return min(wake, expiry.next_expiry(state))


def _wake(state: State, t: float) -> None:
    for live in [live for live in state.orders.open.values() if live.wake <= t]:
        if live.done:
            continue
        if live.exercise and t >= live.auction:
            exercising.carry_out(state, live, t)
        else:
            lifecycle.wake(state, live, t)
    trading.settle(state, t)
    expiry.settle_expired(state, t)


def _run(state: State, watched: dict[Instrument, list[Live]], until: float) -> float:
    """Show orders the ticks up to ``until``; stop after a moment that changes what matters. Return where it stopped."""
    moment, version = state.now, state.version
    for tick, instrument in _ticks(state, list(watched), until):
        if tick.time != moment and state.version != version:
            return moment
        moment = tick.time
        state.touch(instrument).see(tick, moment, fresh=True)
        for live in watched[instrument]:
            if not live.done:
                _show(state, live, instrument, tick)
        trading.settle(state, moment)
    return moment if state.version != version else until


def _show(state: State, live: Live, instrument: Instrument, tick: Tick) -> None:
    conditions = live.conditions
    if conditions is not None and instrument in conditions.instruments:
        conditions.look(instrument, tick, partial(state.marks.quote, instrument, tick.time))
        if conditions.met:
            lifecycle.refresh(state, live, tick.time)
    if live.instrument is instrument and not out_of_reach(live, tick):
        trading.meet(state, live, tick, tick.time, fresh=True)


def _ticks(state: State, instruments: list[Instrument], until: float) -> Iterator[tuple[Tick, Instrument]]:
    """All ticks in (state.now, until], by moment, at one moment in the order of ``instruments``."""
    streams = (
        [(tick.time, n, k, tick) for k, tick in enumerate(state.prices.ticks(instrument, state.now, until))]
        for n, instrument in enumerate(instruments)
    )
    for _, n, _, tick in merge(*streams):
        yield tick, instruments[n]
