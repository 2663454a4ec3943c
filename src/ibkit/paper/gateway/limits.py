"""What a gateway allows: rates, lines and permissions, as data.

The numbers are IB's defaults (they change them now and then). Must not know sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one gateway.

    ``market_data`` is 'live' (everything is subscribed) or 'delayed' (nothing is: clients get quotes of a quarter of
    an hour ago once they have asked for market data type 3 or 4). ``over_rate`` says what happens above
    ``messages_per_s``: 'pace' reads later, 'reject' answers error 100 and ends the session at the third time.
    ``history_delay_s`` is how long a history takes to come.
    """

    messages_per_s: float = 50.0
    over_rate: Literal["pace", "reject", "ignore"] = "pace"
    clients: int = 32
    lines: int = 100
    depth_books: int = 3
    tick_by_tick: int = 5
    scanners: int = 10
    summaries: int = 2
    histories: int = 50
    history_delay_s: float = 0.0
    historical_pacing: bool = False
    market_data: Literal["live", "delayed"] = "live"


DELAY_S = 900.0
"""How old delayed market data is."""

BREACHES = 3
"""Breaches of the message rate after which TWS ends a session."""


# Epoch seconds are exact to a quarter of a microsecond: what is due then must not be a little too early.
_NOISE = 1e-4


class Rate:
    """A bucket that lets ``per_s`` messages through a second, and as many at once."""

    def __init__(self, per_s: float, now: float) -> None:
        self.per_s = per_s
        self._tokens = per_s
        self._at = now

    def take(self, now: float) -> bool:
        """Tell whether one more may pass now."""
        if now > self._at:
            self._tokens = min(self.per_s, self._tokens + (now - self._at) * self.per_s)
            self._at = now
        if self._tokens < 1 - _NOISE:
            return False
        self._tokens -= 1
        return True

    def next(self) -> float:
        """Return the moment at which the next one may pass."""
        return self._at + max(0.0, 1 - self._tokens) / self.per_s


class Pacing:
    """IB's three rules for small historical bars: what was asked in the last ten minutes, on one login."""

    def __init__(self) -> None:
        self._asked: list[tuple[float, object, object]] = []

    def violation(self, now: float, query: object, series: object, weight: int) -> str:
        """Note a query (``series``: its contract, exchange and tick type); return what it violates, or ''."""
        self._asked = [row for row in self._asked if row[0] > now - 600]
        if any(at > now - 15 and q == query for at, q, _ in self._asked):
            return "identical query within 15 seconds"
        if sum(at > now - 2 and s == series for at, _, s in self._asked) >= 5:
            return "six queries for one contract, exchange and tick type within 2 seconds"
        if len(self._asked) + weight > 60:
            return "more than 60 queries within ten minutes"
        self._asked += [(now, query, series)] * weight
        return ""
