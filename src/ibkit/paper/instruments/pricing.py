"""How the price of an instrument is made, as data: factors, weights, carry, strikes.

The market (``paper/market``) evaluates these; nothing here computes a price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ibkit.paper.instruments.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Factor:
    """One random path: its name, its volatility per year and the hours in which it is lively.

    ``activity`` names a row of ``market.path.ACTIVITY``: us, europe, globex, fx or always.
    """

    key: str
    sigma: float
    activity: str = "us"


@dataclass(frozen=True, slots=True)
class Root:
    """A price that stands on nothing else: ``base * exp(sum of weight * factor path)``."""

    key: str
    base: float
    factors: tuple[tuple[Factor, float], ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """``root * scale``; with ``expires`` (epoch seconds) a forward: times ``exp(carry * years to expires)``.

    ``rolls`` are the forwards a continuous future was before: (until, expires), oldest first.
    """

    root: Root
    scale: float = 1.0
    carry: float = 0.0
    expires: float = 0.0
    rolls: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class OptionOn:
    """A Black-Scholes price without interest on ``underlying``; ``volatility`` is the at-the-money level's root."""

    underlying: Instrument
    strike: float
    sign: int  # +1 call, -1 put
    expires: float  # epoch seconds
    volatility: Root


@dataclass(frozen=True, slots=True)
class LegSum:
    """The signed sum of other instruments' prices: what a combo costs."""

    legs: tuple[tuple[Instrument, int], ...]  # (instrument, +ratio to buy or -ratio to sell)


Pricing: TypeAlias = Spot | OptionOn | LegSum
