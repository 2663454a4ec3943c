"""When a price counts as reached: TWS's trigger methods, for stops, touches, trailing stops and conditions.

A rising trigger (buy stop, "is more") looks at the bid, a falling one at the ask, as TWS documents it; "double" methods
want two readings in a row, or one with more size than the reading before. Not modelled: TWS's further filters on
Last (within the quote, leeway of half a percent). Must not know orders.
"""

from __future__ import annotations

from ibkit.paper.instruments import Instrument, Prints
from ibkit.paper.market import Quote, Tick

DEFAULT, DOUBLE_BID_ASK, LAST, DOUBLE_LAST, BID_ASK, LAST_OR_BID_ASK, MIDPOINT = 0, 1, 2, 3, 4, 7, 8


def default_method(instrument: Instrument) -> int:
    """Return the method an instrument's orders use unless they say otherwise."""
    if instrument.prints is Prints.VALUE:
        return LAST
    if instrument.prints is Prints.QUOTES:
        return BID_ASK
    return DOUBLE_BID_ASK if instrument.sec_type == "OPT" and instrument.currency == "USD" else LAST


def tick_of(quote: Quote) -> Tick:
    """Return a quote as the tick that a newcomer sees first: the state, and the last trade without its size."""
    return Tick(quote.time, "quote", quote.bid, quote.ask, quote.bid_size, quote.ask_size, quote.last, 0.0)


class Trigger:
    """Watches one instrument with one method in one direction."""

    def __init__(self, instrument: Instrument, method: int, rising: bool) -> None:
        method = method or default_method(instrument)
        if instrument.prints is Prints.QUOTES and method in (LAST, DOUBLE_LAST, LAST_OR_BID_ASK):
            # TWS says such an order may never trigger; quotes are all there is, so they are used.
            method = BID_ASK
        self.method = method
        self.rising = rising
        self._streak = 0
        self._size = 0.0

    def reading(self, tick: Tick) -> float:
        """Return the price the method looks at; NaN when this tick has none."""
        match self.method:
            case m if m in (LAST, DOUBLE_LAST):
                return tick.price
            case m if m == MIDPOINT:
                return (tick.bid + tick.ask) / 2
            case m if m == LAST_OR_BID_ASK and tick.price == tick.price:
                side = tick.bid if self.rising else tick.ask
                if side != side:
                    return tick.price
                return max(tick.price, side) if self.rising else min(tick.price, side)
            case _:
                return tick.bid if self.rising else tick.ask

    def reached(self, tick: Tick, level: float) -> bool:
        """Take in a tick and tell whether ``level`` is reached."""
        price = self.reading(tick)
        if price != price or (self.method == DOUBLE_BID_ASK and tick.kind != "quote"):
            return False
        hit = price >= level if self.rising else price <= level
        if self.method not in (DOUBLE_BID_ASK, DOUBLE_LAST):
            return hit
        size = tick.size if self.method == DOUBLE_LAST else tick.bid_size if self.rising else tick.ask_size
        grown, self._size = self._streak > 0 and size > self._size, size
        self._streak = self._streak + 1 if hit else 0
        return self._streak >= 2 or (hit and grown)
