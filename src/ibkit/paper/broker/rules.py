"""Order types and times in force as tables: what each needs, where it may go, what is simulated.

Data only; ``intake`` checks orders against it, ``live`` and ``matching`` act on it.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Trigger(Enum):
    """What wakes an order that waits for a price."""

    NONE = "none"
    STOP = "stop"  # the price moves against: a buy above the market
    TOUCH = "touch"  # the price comes to meet: a buy below the market
    TRAIL = "trail"  # a stop that follows the market


class Peg(Enum):
    """What a limit that follows the quote hangs on."""

    NONE = "none"
    SAME = "same side"
    OTHER = "opposite side"
    MID = "midpoint"


class TypeRule(NamedTuple):
    """One order type. ``limit``: lmtPrice is needed; ``cap``: it may be given; ``snap``: the peg is taken once."""

    trigger: Trigger = Trigger.NONE
    limit: bool = False
    cap: bool = False
    peg: Peg = Peg.NONE
    snap: bool = False
    at_close: bool = False
    rest_as_limit: bool = False
    kinds: frozenset[str] | None = None  # security types, None: all
    regular_only: bool = False  # outsideRth does not apply
    submit_on_condition: bool = False
    cancel_on_condition: bool = False


_STOCKS = frozenset({"STK"})

TYPES: dict[str, TypeRule] = {
    "MKT": TypeRule(regular_only=True, submit_on_condition=True),
    "LMT": TypeRule(limit=True, submit_on_condition=True, cancel_on_condition=True),
    "STP": TypeRule(Trigger.STOP),
    "STP LMT": TypeRule(Trigger.STOP, limit=True),
    "TRAIL": TypeRule(Trigger.TRAIL),
    "TRAIL LIMIT": TypeRule(Trigger.TRAIL, cap=True),
    "MIT": TypeRule(Trigger.TOUCH),
    "LIT": TypeRule(Trigger.TOUCH, limit=True),
    "MOC": TypeRule(at_close=True, kinds=frozenset({"STK", "FUT"}), regular_only=True),
    "LOC": TypeRule(at_close=True, limit=True, kinds=_STOCKS, regular_only=True),
    "MTL": TypeRule(rest_as_limit=True, regular_only=True),
    "REL": TypeRule(peg=Peg.SAME, cap=True, kinds=_STOCKS, submit_on_condition=True),
    "PEG PRIM": TypeRule(peg=Peg.SAME, cap=True, kinds=_STOCKS),
    "PEG MKT": TypeRule(peg=Peg.OTHER, cap=True, kinds=_STOCKS),
    "PEG MID": TypeRule(peg=Peg.MID, cap=True, kinds=_STOCKS),
    "MIDPRICE": TypeRule(
        peg=Peg.MID,
        cap=True,
        kinds=_STOCKS,
        regular_only=True,
        submit_on_condition=True,
        cancel_on_condition=True,
    ),
    "SNAP PRIM": TypeRule(peg=Peg.SAME, snap=True, kinds=_STOCKS, submit_on_condition=True),
    "SNAP MKT": TypeRule(peg=Peg.OTHER, snap=True, kinds=_STOCKS, submit_on_condition=True),
    "SNAP MID": TypeRule(peg=Peg.MID, snap=True, kinds=_STOCKS, submit_on_condition=True),
}
ALIASES = {
    "STPLMT": "STP LMT",
    "TRAILLMT": "TRAIL LIMIT",
    "TRAIL LMT": "TRAIL LIMIT",
    "PEGMID": "PEG MID",
    "PEGMKT": "PEG MKT",
    "PEGPRI": "PEG PRIM",
    "PEGPRIM": "PEG PRIM",
}
# Types of TWS that are not simulated: 387, as TWS says where an exchange does not have them.
NOT_SIMULATED = frozenset(
    {
        "TRAIL LIT", "TRAIL MIT", "MKT PRT", "STP PRT", "PASSV REL", "PEG BENCH", "PEGBENCH", "PEG BEST", "PEGBEST",
        "PEG STK", "BOX TOP", "FIX PEGGED", "VOL", "LMT + MKT", "REL + LMT", "REL + MKT", "TRAIL LMT + MKT",
        "TRAIL REL + MKT", "VWAP", "TWAP", "QUOTE", "PPV", "PDV", "PMV", "PSV",
    }
)  # fmt: skip

TIFS = frozenset({"DAY", "GTC", "IOC", "FOK", "GTD", "OPG", "MINUTES"})
# Known to TWS, not available for the instruments and types here.
REFUSED_TIFS = frozenset({"DTC", "AUC"})
OPENING_TYPES = frozenset({"MKT", "LMT"})
OPENING_KINDS = frozenset({"STK"})
IMMEDIATE_TYPES = frozenset({"MKT", "LMT", "MTL"})
IMMEDIATE = frozenset({"IOC", "FOK"})

ACTIONS = frozenset({"BUY", "SELL", "SSHORT", "SLONG"})
TRIGGER_METHODS = frozenset({0, 1, 2, 3, 4, 7, 8})
NOT_TRADABLE = frozenset({"IND", "CONTFUT", "NEWS"})
FRACTION_TYPES = frozenset({"MKT", "LMT", "STP", "STP LMT"})
CASH_TYPES = frozenset({"MKT", "LMT"})
CASH_KINDS = frozenset({"STK", "CASH", "CRYPTO", "FUND"})
# A type may be changed into one of these while the order lives.
CHANGES = {"LMT": frozenset({"MKT"}), "STP": frozenset({"TRAIL", "STP LMT"}), "STP LMT": frozenset({"STP"})}
# What a stop may be adjusted into, and from what.
ADJUSTABLE = frozenset({"STP", "STP LMT"})
ADJUSTED = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT"})
# IB's limit of active orders per contract, side and account.
MAX_ACTIVE = 20
# Below this many units of the base currency a forex order is an odd lot (IdealPro minimum, the same for all here).
IDEALPRO_MINIMUM = 20_000.0
