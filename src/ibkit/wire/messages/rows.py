"""Rows of the lists that messages carry: bars, ticks, scanner results; as the wire tells them.

Must not know what users hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

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


class Bars(Sequence[BarRow]):
    """Rows of bars as they were read: column by column, a hundred thousand at once; a row is made when asked for."""

    __slots__ = ("columns",)

    def __init__(self, columns: tuple[list[Any], ...]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, index: int) -> BarRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[BarRow]: ...
    def __getitem__(self, index: int | slice) -> BarRow | list[BarRow]:
        if isinstance(index, slice):
            return list(map(BarRow, *[column[index] for column in self.columns]))
        return BarRow(*[column[index] for column in self.columns])

    def __iter__(self) -> Iterator[BarRow]:
        return map(BarRow, *self.columns)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list

    def __repr__(self) -> str:
        return repr(list(self))


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
