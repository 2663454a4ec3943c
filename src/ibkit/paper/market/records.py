"""What the market tells: quotes, ticks, bars, sessions, greeks; and the shocks it is told.

Moments are epoch seconds. Prices are NaN where there is none.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple


class Quote(NamedTuple):
    """The state of one instrument at a moment, as a TWS ticker would show it.

    ``open high low volume`` belong to the trading day; for stocks open, high and low count regular hours only.
    ``close`` is the previous trading day's. NaN: nothing to show (no trade yet, or no such price).
    """

    time: float  # of the latest change, epoch seconds
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    last: float
    last_size: float
    volume: float
    open: float
    high: float
    low: float
    close: float

    @property
    def mid(self) -> float:
        """Halfway between bid and ask."""
        return (self.bid + self.ask) / 2


class Tick(NamedTuple):
    """One change of the quote, or one trade; both carry the quote in force.

    A trade has ``price`` and ``size``; for a quote change ``price`` is NaN and ``size`` 0.0.
    """

    time: float
    kind: Literal["quote", "trade"]
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    price: float
    size: float


class Bar(NamedTuple):
    """Prices over a span that begins at ``time``; ``date`` is the trading day it belongs to.

    For day bars and longer only ``date`` goes on the wire; a week's or month's date is its last trading day.
    ``volume``, ``wap`` and ``count`` are -1 where they mean nothing (MIDPOINT, BID, ASK, BID_ASK, volatilities).
    """

    time: float
    date: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int  # type: ignore[assignment]  # the protocol's name hides tuple.count


class Greeks(NamedTuple):
    """Model values of an option at a moment; ``theta`` is per day, ``vega`` per volatility point (0.01)."""

    implied_vol: float
    delta: float
    price: float
    gamma: float
    vega: float
    theta: float
    under_price: float


class Shock(NamedTuple):
    """A scripted move: ``percent`` on everything that hangs on ``symbol``, spread over ``over_s`` seconds.

    The move is permanent. It begins with the first step at or after ``at``; everything before stays as it was.
    """

    symbol: str
    percent: float
    at: float
    over_s: float = 0.0
