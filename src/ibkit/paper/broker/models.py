"""How the simulated broker differs from a perfect one: latency, liquidity, slippage, fees. Data, with three presets.

Nothing here knows orders; the same seed gives the same delays on every run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b


def draw(seed: int, *key: int) -> float:
    """Return a number in [0, 1) that depends on ``seed`` and ``key`` alone."""
    digest = blake2b(repr((seed, key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the gateway to the exchange, for a new order, a change or a cancel: between ``low`` and ``high``."""

    low: float = 0.0
    high: float = 0.0

    def delay(self, seed: int, *key: int) -> float:
        """Return the delay of one message; ``key`` names it."""
        return self.low + (self.high - self.low) * draw(seed, *key) if self.high else 0.0


@dataclass(frozen=True, slots=True)
class Fills:
    """How much trades at once.

    ``visible``: never more than stands at the touch; what was taken is back with the next quote, or after ``refill``
    seconds. ``queue_share``: the part of a print at exactly one's own limit that one gets (the queue ahead gets the
    rest); prints through the limit fill in full.
    """

    visible: bool = True
    refill: float = 1.0
    queue_share: float = 0.25


@dataclass(frozen=True, slots=True)
class Models:
    """The parameters of the simulation; the defaults are the preset ``realistic``.

    ``fees`` names a price list of ``fees.py``. ``slippage`` is in price increments and hits market orders only.
    ``refused`` are order types and times in force that are not available (answered with 387 or 111).
    ``cash`` is what an account starts with, in ``currency``. ``final_exercise``: options are exercised at once, as with
    TWS's setting that instructions are final; else at the end of their trading day, until which one may cancel.
    """

    fills: Fills = field(default_factory=Fills)
    latency: Latency = field(default_factory=lambda: Latency(0.05, 0.15))
    fees: str = "fixed"
    slippage: float = 0.0
    refused: frozenset[str] = frozenset()
    seed: int = 1
    cash: float = 1_000_000.0
    currency: str = "USD"
    final_exercise: bool = False


REALISTIC = Models()
INSTANT = Models(fills=Fills(visible=False, queue_share=1.0), latency=Latency(), final_exercise=True)
# IB's paper trading: top of book only, no auctions, no pegged-to-market, no price list of one's own.
IB_PAPER = Models(
    fills=Fills(queue_share=0.0), refused=frozenset({"MOC", "LOC", "OPG", "PEG MKT", "PEG MID", "SNAP MKT"})
)
PRESETS = {"realistic": REALISTIC, "instant": INSTANT, "ib_paper": IB_PAPER}
