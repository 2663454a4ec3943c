"""Bars, and the lists of them that keep growing while they are subscribed.

Lists are equal only to themselves and can be dict keys. Must not know who fills them in.
"""

from __future__ import annotations

from datetime import date as date_
from datetime import datetime
from typing import TypeVar

from ibkit.events import Event, LazyEvent
from ibkit.model.base import Alias, Record
from ibkit.model.contract import Contract, ScanData, TagValue
from ibkit.model.objects import ScannerSubscription
from ibkit.model.records import record
from ibkit.model.values import EPOCH, nan

T = TypeVar("T")


@record
class BarData(Record):
    """A historical bar; ``date`` is a date for bars of a day and longer, else a datetime.

    ``average`` is the WAP.
    """

    date: date_ | datetime = EPOCH
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: float = 0
    average: float = 0.0
    barCount: int = 0

    wap = Alias[float]("average")


@record
class RealTimeBar(Record):
    """A bar of five seconds; ``time`` is its start (aware, UTC), ``endTime`` is not used by TWS and -1."""

    time: datetime = EPOCH
    endTime: int = -1
    open_: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: float = 0.0
    wap: float = 0.0
    count: int = 0


@record
class Bar(Record):
    """A bar made of ticks; ``count`` is the number of ticks in it."""

    time: datetime | None
    open: float = nan
    high: float = nan
    low: float = nan
    close: float = nan
    volume: float = 0
    count: int = 0


class LiveList(list[T]):
    """A list that is told when it grows."""

    updateEvent = LazyEvent(Event, changed=True)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = object.__hash__  # type: ignore[assignment]  # list declares None


class BarDataList(LiveList[BarData]):
    """The answer to a historical data request; grows when ``keepUpToDate``: updateEvent(bars, hasNewBar)."""

    reqId: int
    contract: Contract
    endDateTime: datetime | date_ | str | None
    durationStr: str
    barSizeSetting: str
    whatToShow: str
    useRTH: bool
    formatDate: int
    keepUpToDate: bool
    chartOptions: list[TagValue]


class RealTimeBarList(LiveList[RealTimeBar]):
    """A subscription to real-time bars: updateEvent(bars, hasNewBar), where hasNewBar is always True."""

    reqId: int
    contract: Contract
    barSize: int
    whatToShow: str
    useRTH: bool
    realTimeBarsOptions: list[TagValue]


class ScanDataList(LiveList[ScanData]):
    """A subscription to a market scanner: updateEvent(rows) after every new ranking."""

    reqId: int
    subscription: ScannerSubscription
    scannerSubscriptionOptions: list[TagValue]
    scannerSubscriptionFilterOptions: list[TagValue]


class BarList(LiveList[Bar]):
    """Bars made of ticks: updateEvent(bars, hasNewBar)."""
