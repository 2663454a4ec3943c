"""What an order waits for at the broker: price, time, margin, execution, volume and percent change conditions.

Conditions are joined by the conjunction each of them carries towards the next; "and" binds closer than "or". They are
levels, not crossings: all must hold at one moment, an execution once it has happened. Must not know orders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import floor, inf

from ibkit.model import (
    ExecutionCondition,
    MarginCondition,
    OrderCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from ibkit.paper.broker import hours
from ibkit.paper.broker.triggers import Trigger, tick_of
from ibkit.paper.instruments import Catalogue, Instrument
from ibkit.paper.market import Quote, Tick

# How often a margin condition is looked at, in seconds: margins move with every price.
MARGIN_STEP = 1.0


class BadCondition(ValueError):
    """A condition that cannot be watched; the text says why."""


def joined(values: Sequence[bool], conjunctions: Sequence[str]) -> bool:
    """Return the truth of a chain; ``conjunctions[i]`` ('a' or 'o') joins ``values[i]`` with the next one."""
    result, group = False, True
    for n, value in enumerate(values):
        group = group and value
        if n == len(values) - 1 or conjunctions[n] == "o":
            result, group = result or group, True
    return result


class Watch:
    """One condition and whether it holds."""

    def __init__(self, condition: OrderCondition, home: Instrument, catalogue: Catalogue, ignore_rth: bool) -> None:
        self.condition = condition
        self.holds = False
        self.instrument: Instrument | None = None
        self.at = inf  # TimeCondition: when it changes
        self._regular = not ignore_rth
        self._trigger: Trigger | None = None
        match condition:
            case PriceCondition() | VolumeCondition() | PercentChangeCondition():
                self.instrument = catalogue.by_con_id(condition.conId)
                if self.instrument is None:
                    raise BadCondition(f"Invalid condition: no contract has conId {condition.conId}")
                if isinstance(condition, PriceCondition):
                    self._trigger = Trigger(self.instrument, condition.triggerMethod, condition.isMore)
            case TimeCondition():
                self.at = hours.start_of(condition.time, home)
            case MarginCondition() | ExecutionCondition():
                pass
            case _:
                raise BadCondition(f"Invalid condition: unknown type {condition.condType}")

    def look(self, tick: Tick, quote: Callable[[], Quote]) -> None:
        """Take in a tick of the condition's instrument; ``quote`` gives its whole state when needed."""
        instrument = self.instrument
        if instrument is None or (self._regular and not hours.session(instrument, tick.time, True)):
            return
        match self.condition:
            case PriceCondition(price=level):
                # A tick without a price for the method changes nothing.
                if self._trigger and self._trigger.reading(tick) == self._trigger.reading(tick):
                    self.holds = self._trigger.reached(tick, level)
            case VolumeCondition(volume=level, isMore=more):
                volume = quote().volume
                self.holds = volume >= level if more else volume <= level
            case PercentChangeCondition(changePercent=level, isMore=more):
                state = quote()
                change = (state.last / state.close - 1) * 100
                self.holds = change >= level if more else change <= level

    def tell_time(self, t: float) -> None:
        """Take in that it is ``t``."""
        if isinstance(self.condition, TimeCondition):
            self.holds = t >= self.at if self.condition.isMore else t <= self.at

    def tell_cushion(self, cushion: float) -> None:
        """Take in the account's margin cushion (excess liquidity over net liquidation)."""
        if isinstance(self.condition, MarginCondition):
            percent = cushion * 100
            self.holds = (
                percent >= self.condition.percent if self.condition.isMore else percent <= self.condition.percent
            )

    def tell_execution(self, instrument: Instrument, exchange: str) -> None:
        """Take in that the account traded ``instrument``."""
        condition = self.condition
        if isinstance(condition, ExecutionCondition):
            self.holds = self.holds or (
                condition.symbol.upper() in ("", instrument.contract.symbol)
                and condition.secType.upper() in ("", instrument.sec_type)
                and condition.exch.upper() in ("", "*", "SMART", exchange, instrument.contract.primaryExchange)
            )


class Conditions:
    """All conditions of one order."""

    def __init__(
        self, conditions: Sequence[OrderCondition], home: Instrument, catalogue: Catalogue, ignore_rth: bool
    ) -> None:
        self.watches = [Watch(condition, home, catalogue, ignore_rth) for condition in conditions]
        self._conjunctions = [watch.condition.conjunction for watch in self.watches]
        self.instruments = {watch.instrument for watch in self.watches if watch.instrument}
        self.margin = any(isinstance(watch.condition, MarginCondition) for watch in self.watches)

    @property
    def met(self) -> bool:
        """Whether the conditions hold together right now."""
        return joined([watch.holds for watch in self.watches], self._conjunctions)

    def begin(self, t: float, quote: Callable[[Instrument], Quote]) -> None:
        """Take in the state of the market as the order arrives."""
        for watch in self.watches:
            if watch.instrument and hours.session(watch.instrument, t, False):
                instrument = watch.instrument
                state = tick_of(quote(instrument))._replace(time=t)
                watch.look(state, partial(quote, instrument))
            watch.tell_time(t)

    def look(self, instrument: Instrument, tick: Tick, quote: Callable[[], Quote]) -> None:
        """Take in a tick."""
        for watch in self.watches:
            if watch.instrument is instrument:
                watch.look(tick, quote)

    def tell(self, t: float, cushion: Callable[[], float]) -> None:
        """Take in the time and, where a condition asks for it, the margin cushion."""
        for watch in self.watches:
            watch.tell_time(t)
            if isinstance(watch.condition, MarginCondition):
                watch.tell_cushion(cushion())

    def executed(self, instrument: Instrument, exchange: str) -> None:
        """Take in a trade of the account."""
        for watch in self.watches:
            watch.tell_execution(instrument, exchange)

    def next_change(self, t: float) -> float:
        """Return when time alone may change something, after ``t``."""
        moments = [_after(watch, t) for watch in self.watches]
        if self.margin:
            moments.append((floor(t / MARGIN_STEP) + 1) * MARGIN_STEP)
        return min(moments, default=inf)


def _after(watch: Watch, t: float) -> float:
    """When a time condition changes, after ``t``: "before" conditions end just after their moment."""
    if not isinstance(watch.condition, TimeCondition):
        return inf
    moment = watch.at if watch.condition.isMore else watch.at + 1e-3
    return moment if moment > t else inf
