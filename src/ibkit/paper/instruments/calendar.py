"""When an instrument trades: sessions of any date, made by rule.

Must not know instruments or prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Session(NamedTuple):
    """One uninterrupted span of trading: [start, end) in epoch seconds, and the trading day it counts for."""

    start: float
    end: float
    day: date


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The trading hours of a market, in its own zone."""

    name: str
    zone: str
