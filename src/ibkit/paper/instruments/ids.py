"""conIds: the same contract has the same id in every catalogue, on every day.

Ids of futures and options are packed from their parts, so they can be read back without a list of all that ever
existed; everything else gets a hash of its identity, or IB's own id where the data file states it.

    0 0 hash                                        0 < id < 2**29
    0 1 number:7 (of the product) month:12          2**29 <= id < 2**30
    1   chain:6 day:14 strike:9 right:1             2**30 <= id < 2**31

``month`` counts from January 2000, ``day`` from 2005-01-01, ``strike`` in steps from the chain's lowest.
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import blake2b
from typing import NamedTuple

_FUTURE, _OPTION = 1 << 29, 1 << 30
_DAY_ZERO = date(2005, 1, 1)


class FutureId(NamedTuple):
    """What a future's conId says."""

    number: int
    year: int
    month: int


class OptionId(NamedTuple):
    """What an option's conId says; ``strike`` in steps, ``sign`` +1 call and -1 put."""

    chain: int
    day: date
    strike: int
    sign: int


def hashed(*identity: str) -> int:
    """Return the id of a contract that is its own identity (a stock, a pair, an index)."""
    digest = blake2b("|".join(identity).encode(), digest_size=8).digest()
    return 1 + int.from_bytes(digest, "big") % (_FUTURE - 1)


def future(number: int, year: int, month: int) -> int:
    """Return the id of a future."""
    return _FUTURE | number << 12 | (year - 2000) * 12 + month - 1


def option(chain: int, day: date, strike: int, sign: int) -> int:
    """Return the id of an option."""
    if not (0 <= strike < 512 and 0 <= chain < 64):
        raise ValueError(f"chain {chain}, strike step {strike}: out of the range a conId can hold (64, 512)")
    return _OPTION | chain << 24 | (day - _DAY_ZERO).days << 10 | strike << 1 | (sign < 0)


def parse(con_id: int) -> FutureId | OptionId | None:
    """Read a packed id back; None for a hashed one."""
    if con_id >= _OPTION << 1 or con_id < _FUTURE:
        return None
    if con_id < _OPTION:
        year, month = divmod(con_id & 0xFFF, 12)
        return FutureId(con_id >> 12 & 0x7F, 2000 + year, month + 1)
    day = _DAY_ZERO + timedelta(days=con_id >> 10 & 0x3FFF)
    return OptionId(con_id >> 24 & 0x3F, day, con_id >> 1 & 0x1FF, -1 if con_id & 1 else 1)
