"""Short options, and what covers them: the shares they are on, or a long option that ends no earlier.

Must not know prices or accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor
from typing import NamedTuple

from ibkit.paper.instruments import Instrument


class Short(NamedTuple):
    """So many units of a short option; ``width`` is the most it can lose against its cover, None without one."""

    option: Instrument
    units: float
    width: float | None


def shorts(held: Mapping[Instrument, float]) -> Iterator[Short]:
    """Split the short options of an account into those that are covered, by how much, and those that are not.

    Shares cover what is deepest in the money first; after them comes the long option that leaves the least to lose.
    Every share and every long option covers once.
    """
    free = {instrument: quantity for instrument, quantity in held.items() if instrument.is_option and quantity > 0}
    used: dict[Instrument, float] = {}
    sold = [option for option, quantity in held.items() if option.is_option and quantity < 0]
    for option in sorted(sold, key=lambda option: (option.right * option.contract.strike, option.con_id)):
        left = -held[option]
        by_shares = min(left, _contracts(option, held, used))
        if by_shares:
            yield Short(option, by_shares, 0.0)
            left -= by_shares
        for long, width in sorted(_covers(option, free), key=lambda cover: (cover[1], cover[0].con_id)):
            paired = min(left, free[long])
            if paired:
                free[long] -= paired
                left -= paired
                yield Short(option, paired, width)
        if left:
            yield Short(option, left, None)


def _contracts(option: Instrument, held: Mapping[Instrument, float], used: dict[Instrument, float]) -> float:
    """Return how many contracts the underlying covers that has not been used yet, and use it."""
    under = option.underlying
    if under is None:
        return 0.0
    each = option.multiplier / under.multiplier
    there = held.get(under, 0.0) * option.right - used.get(under, 0.0)
    contracts = min(-held[option], floor(max(0.0, there) / each + 1e-9))
    used[under] = used.get(under, 0.0) + contracts * each
    return float(contracts)


def _covers(option: Instrument, free: Mapping[Instrument, float]) -> Iterator[tuple[Instrument, float]]:
    for long, units in free.items():
        alike = long.underlying is option.underlying and long.right == option.right
        if units > 0 and alike and long.multiplier == option.multiplier and long.expires >= option.expires:
            yield long, max(0.0, option.right * (long.contract.strike - option.contract.strike))
