"""Rows of the lists that messages carry: bars, ticks, scanner results; as the wire tells them.

Must not know what users hold.
"""

from __future__ import annotations

from ibkit.model import ContractDetails
from ibkit.model.tuples import NamedTuple


class BarRow(NamedTuple):
    """A historical bar; ``date`` is the text of the wire, ``wap`` and ``barCount`` mean nothing where they are -1."""

    date: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    barCount: int


class TickRow(NamedTuple):
    """A midpoint; ``time`` in epoch seconds."""

    time: int
    price: float
    size: float


class TickBidAskRow(NamedTuple):
    """A quote; ``time`` in epoch seconds."""

    time: int
    priceBid: float
    priceAsk: float
    sizeBid: float
    sizeAsk: float
    bidPastLow: bool
    askPastHigh: bool


class TickLastRow(NamedTuple):
    """A trade; ``time`` in epoch seconds."""

    time: int
    price: float
    size: float
    pastLimit: bool
    unreported: bool
    exchange: str
    specialConditions: str


class ScannerRow(NamedTuple):
    """One line of a ranking; ``rank`` counts from 0."""

    rank: int
    contractDetails: ContractDetails
    distance: str
    benchmark: str
    projection: str
    legsStr: str
