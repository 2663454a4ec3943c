"""The dates and times of a gateway: which form goes into which message at which server version.

A gateway is logged in to one zone, as TWS is; times before server version 174 are in it and do not say so.
Must not know sessions or messages.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ibkit import dates

ZONE = "US/Eastern"
"""The zone the simulated TWS is logged in to."""

ZONES_SINCE = 174
"""The server version from which times name their zone."""

Z_SINCE = 214
"""The server version from which UTC forms end in Z."""


class Moment(NamedTuple):
    """A moment as a client wrote it; ``zoned`` tells whether it said which zone it meant."""

    epoch: float
    zoned: bool


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local(t: float, zone: str = ZONE) -> datetime:
    """Return epoch seconds as a datetime in ``zone``."""
    return datetime.fromtimestamp(t, _zone(zone))


def today(t: float) -> date:
    """Return the date in New York."""
    return local(t).date()


def connection_time(t: float) -> str:
    """``20240105 10:11:12 EST``: the time in the answer to the handshake."""
    return local(t).strftime("%Y%m%d %H:%M:%S %Z")


def stamp(t: float, version: int, zone: str = ZONE) -> str:
    """``20240105 10:11:12 US/Eastern``; for old clients two blanks, no zone, and the gateway's own zone."""
    if version < ZONES_SINCE:
        return local(t).strftime("%Y%m%d  %H:%M:%S")
    return f"{local(t, zone):%Y%m%d %H:%M:%S} {zone}"


def utc(t: float, version: int) -> str:
    """``20240105-15:11:12``, in UTC; with a Z where the server says so."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y%m%d-%H:%M:%S") + ("Z" if version >= Z_SINCE else "")


def clock(t: float) -> str:
    """``10:11``: the time of an account update."""
    return local(t).strftime("%H:%M")


def news(t: float) -> str:
    """``2024-01-05 15:11:12.0``, in UTC: the time of a headline of the past."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d %H:%M:%S.0")


def bar(t: float, format_date: int, version: int, zone: str) -> str:
    """Return the time of an intraday bar in the form the client asked for: 1 zoned, 2 epoch, 3 without the year."""
    if format_date == 2:
        return str(int(t))
    text = stamp(t, version, zone)
    return text[4:] if format_date == 3 else text


def read(text: str) -> Moment:
    """Read a time a client wrote: ``20240105 10:11:12 US/Eastern``, ``20240105-15:11:12`` (UTC), ``20240105``.

    Without a zone it is in the gateway's; a date alone means its end. Raises ValueError for anything else.
    """
    text = text.strip()
    found = dates.parseIBDatetime(text)
    if not isinstance(found, datetime):
        return Moment(datetime(found.year, found.month, found.day, 23, 59, 59, tzinfo=_zone(ZONE)).timestamp(), False)
    if found.tzinfo is not None:
        return Moment(found.timestamp(), True)
    dashed = text[8:9] == "-" and text[:8].isdecimal()
    return Moment(found.replace(tzinfo=UTC if dashed else _zone(ZONE)).timestamp(), dashed)


def read_utc(text: str) -> float:
    """Read a time of news, ``2024-01-05 15:11:12.0``: UTC where it does not say otherwise; raises ValueError."""
    found = dates.parseIBDatetime(text.strip())
    if not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=UTC)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
