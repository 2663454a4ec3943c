"""Whether an order trades with what the market shows, at what price, how much.

The laws: never through the limit, never more than is left, never the same size at the touch twice (where the fill
model counts it). Must not know accounts, or what happens after a fill.
"""

from __future__ import annotations

from math import floor, inf
from typing import NamedTuple

from ibkit.paper.broker.live import Live, price_of
from ibkit.paper.broker.models import Fills, Models
from ibkit.paper.broker.rules import Peg
from ibkit.paper.instruments import Instrument
from ibkit.paper.market import Tick

ADDED, REMOVED = 1, 2  # Execution.lastLiquidity


class Touch:
    """What is left of the size at the touch, and of the last print, of one instrument."""

    def __init__(self, fills: Fills) -> None:
        self._fills = fills
        self._seen: tuple[float, ...] = ()
        self._left = {1: 0.0, -1: 0.0}  # for buyers at the ask, for sellers at the bid
        self.printed = 0.0  # what is left of the last print
        self.back_at = inf  # when size that was taken is back, even if the quote stays

    def see(self, tick: Tick, t: float, fresh: bool) -> None:
        """Take in the quote in force at ``t``; ``fresh``: the market has just made it."""
        seen = tick[2:6]
        if (fresh and tick.kind == "quote") or seen != self._seen or t >= self.back_at:
            self._seen = seen
            limit = None if self._fills.visible else inf
            self._left = {1: limit or _size(tick.ask_size), -1: limit or _size(tick.bid_size)}
            self.back_at = inf
        if fresh and tick.kind == "trade":
            self.printed = tick.size if self._fills.visible else inf

    def left(self, sign: int) -> float:
        """Return what a buyer (+1) or seller (-1) can still get at the touch."""
        return self._left[sign]

    def take(self, sign: int, size: float, printed: bool, t: float) -> None:
        """Note that ``size`` was taken, from the last print or from the touch."""
        if printed:
            self.printed -= size
        else:
            self._left[sign] -= size
            self.back_at = min(self.back_at, t + self._fills.refill)


def _size(value: float) -> float:
    return value if value == value and value > 0 else 0.0


def limit_price(live: Live, tick: Tick) -> float | None:
    """Return the price an order may not trade through now; None for a market order.

    A pegged order hangs on the quote, capped by its own limit; ``live.limit`` holds what is fixed.
    """
    rule = live.rule
    if rule.peg is Peg.NONE or (rule.snap and live.limit is not None):
        return live.limit
    offset = price_of(live.order.auxPrice) or 0.0
    near, far = (tick.bid, tick.ask) if live.sign > 0 else (tick.ask, tick.bid)
    match rule.peg:
        case Peg.SAME:
            price = near + live.sign * offset
        case Peg.OTHER:
            price = far - live.sign * offset
        case _:
            price = (near + far) / 2 - live.sign * offset
    cap = price_of(live.order.lmtPrice) or None if rule.cap else None
    if cap is not None:
        price = min(price, cap) if live.sign > 0 else max(price, cap)
    return round(price, 10)  # the digits of the market, not those of float arithmetic


class Take(NamedTuple):
    """A trade to be made; ``printed``: with a print that went by, not with the quote."""

    price: float
    size: float
    liquidity: int
    printed: bool = False


def out_of_reach(live: Live, tick: Tick) -> bool:
    """Tell quickly whether a tick passes by a limit order that rests in the book."""
    limit = live.limit
    if limit is None or not live.resting:
        return False
    if live.sign > 0:
        return tick.ask > limit and not tick.price <= limit
    return tick.bid < limit and not tick.price >= limit


def match(live: Live, tick: Tick, touch: Touch, models: Models) -> Take | None:
    """Return the trade an order makes with a tick, None for none."""
    sign, limit = live.sign, limit_price(live, tick)
    far = tick.ask if sign > 0 else tick.bid
    combo = live.instrument.sec_type == "BAG"
    if limit is not None and limit != limit:
        return None  # nothing to peg to
    if far == far and (far > 0 or combo) and (limit is None or (far - limit) * sign <= 0):
        size = _lots(live, touch.left(sign), live.instrument)
        if not size:
            return None
        if limit is None:
            return Take(far + sign * models.slippage * live.instrument.increment(far), size, REMOVED)
        # Who has been waiting in the book is hit at his own price; who comes gets the better one.
        return Take(limit, size, ADDED) if live.resting else Take(far, size, REMOVED)
    if limit is None:
        return None
    was, live.resting = live.resting, True
    if was and tick.kind == "trade" and (tick.price - limit) * sign <= 0:
        share = models.fills.queue_share if tick.price == limit else 1.0
        size = _lots(live, touch.printed * share if share < 1 else touch.printed, live.instrument)
        if size:
            return Take(limit, size, ADDED, printed=True)
    return None


def _lots(live: Live, available: float, instrument: Instrument) -> float:
    """Return how much of ``available`` an order takes: whole units, or all that is left of it."""
    remaining = live.remaining
    if available >= remaining:
        return remaining
    if live.order.allOrNone or live.order.tif == "FOK":
        return 0.0
    if available == inf or available <= 0:
        return 0.0
    unit = max(instrument.liquidity.unit, instrument.lot)
    size = floor(available / unit + 1e-9) * unit
    minimum = live.order.minQty
    if 0 < minimum < 2**31 - 1 and not live.filled and size < minimum:
        return 0.0
    return size
