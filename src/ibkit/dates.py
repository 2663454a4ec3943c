"""The dates and times of the wire: text to date or datetime and back, and the zones TWS names.

Everything here is on the path of every bar and every execution, so dates and zones are remembered, and
nothing goes through ``strptime``. Must not know anything else of the library, nor what time it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import repeat
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Names that TWS uses and the zone database does not know (or, like EST, knows without summer time).
_TWS_ZONES = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "EST5EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "GMT": "UTC",
    "UTC": "UTC",
    "Z": "UTC",
    "BST": "Europe/London",
    "MET": "Europe/Berlin",
    "CET": "Europe/Berlin",
    "CEST": "Europe/Berlin",
    "JST": "Asia/Tokyo",
    "HKT": "Asia/Hong_Kong",
    "AEST": "Australia/Sydney",
    "IST": "Asia/Kolkata",
    "Eastern Standard Time": "America/New_York",
    "Eastern Daylight Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Central Daylight Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "Mountain Daylight Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
    "Pacific Daylight Time": "America/Los_Angeles",
    "Greenwich Mean Time": "UTC",
    "Coordinated Universal Time": "UTC",
    "British Summer Time": "Europe/London",
    "Central European Time": "Europe/Berlin",
    "Central European Standard Time": "Europe/Berlin",
    "Central European Summer Time": "Europe/Berlin",
    "Middle Europe Time": "Europe/Berlin",
    "Eastern European Time": "Europe/Athens",
    "Eastern European Standard Time": "Europe/Athens",
    "Eastern European Summer Time": "Europe/Athens",
    "Japan Standard Time": "Asia/Tokyo",
    "Japan Time": "Asia/Tokyo",
    "Hong Kong Time": "Asia/Hong_Kong",
    "Hong Kong Standard Time": "Asia/Hong_Kong",
    "China Standard Time": "Asia/Shanghai",
    "Singapore Time": "Asia/Singapore",
    "India Standard Time": "Asia/Kolkata",
    "Australian Eastern Standard Time": "Australia/Sydney",
    "Moscow Standard Time": "Europe/Moscow",
}

_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[ \-T]+(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(.*)", re.DOTALL)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """Return the time zone TWS calls ``name``.

    Knows the names of the zone database (US/Eastern, America/New_York), the short and long names that
    TWS uses (EST, JST, 'Eastern European Time'), and forms like 'EST (Eastern Standard Time)' or
    'GMT+2'. EST and its like mean the place, with its summer time.

    Raises ValueError for a name nobody knows.
    """
    text = name.strip()
    known = _TWS_ZONES.get(text)
    if known is None:
        short, bracket, rest = text.partition("(")
        if bracket:
            try:
                return zone(short)
            except ValueError:
                return zone(rest.rstrip(") "))
        known = text
    if known == "UTC":
        return UTC
    if offset := re.fullmatch(r"(?:GMT|UTC)([+-])(\d{1,2})(?::?00)?", known):
        # POSIX turns the sign around: Etc/GMT-2 is two hours ahead.
        known = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{int(offset[2])}"
    try:
        return ZoneInfo(known)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}: use a name of the zone database such as 'US/Eastern'") from error


@lru_cache(maxsize=4096)
def parse_date(text: str) -> date:
    """Parse ``YYYYMMDD``; raises ValueError for anything else."""
    if not _DATE.fullmatch(text):
        raise ValueError(f"not a date: {text!r}; expected YYYYMMDD")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


@lru_cache(maxsize=90_000)  # a day of bars of one second
def _time_and_zone(text: str) -> time:
    """Parse the part of a bar's date that repeats from day to day: ``15:30:00 US/Eastern``."""
    if text[2:3] != ":" or text[5:6] != ":" or text[8:9] != " ":
        raise ValueError(f"not a time with a zone: {text!r}")
    return time(int(text[:2]), int(text[3:5]), int(text[6:8]), tzinfo=zone(text[9:]))


def parseIBDatetime(s: str) -> date | datetime:
    """Parse a date or time as TWS sends it.

    * ``20240105``: a date
    * ``1704463200`` (seconds since 1970): an aware datetime in UTC
    * ``20240105 15:30:00 US/Eastern``: an aware datetime in that zone
    * ``20240105-15:30:00Z``: an aware datetime in UTC
    * ``20240105  15:30:00``, ``20240105-15:30:00``, ``2024-01-05 15:30:00.0``: a naive datetime

    Raises ValueError for any other text.
    """
    if len(s) > 18 and s[8] == " ":  # the form of intraday bars, first and fast
        try:
            return datetime.combine(parse_date(s[:8]), _time_and_zone(s[9:]))
        except ValueError:
            pass  # another form, or none
    if len(s) == 8 and s.isdecimal():
        return parse_date(s)
    if s.removeprefix("-").isdecimal():
        try:
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(s))  # also before 1970, on every platform
        except OverflowError as error:
            raise ValueError(f"no moment of any calendar: {s[:40]!r}") from error
    match = _TIME.fullmatch(s.strip())
    if match is None:
        raise ValueError(f"not a date or time of TWS: {s!r}")
    year, month, day_, hour, minute, second, fraction, zone_name = match.groups()
    return datetime(
        int(year),
        int(month),
        int(day_),
        int(hour),
        int(minute),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        zone(zone_name) if zone_name else None,
    )


def parse_moment(text: str) -> date | datetime:
    """Parse a text as ``parseIBDatetime`` does, but return a moment that has a zone in UTC.

    Moments of the same minute, as executions bring them, are parsed once.
    """
    seconds = _SECONDS.get(text[15:17])
    if seconds is not None and len(text) > 18 and text[8] == text[17] == " " and text[11] == text[14] == ":":
        try:
            return _minute(text[:15], text[17:]) + seconds
        except ValueError:
            pass  # another form, or none
    return parseIBDatetime(text)


_SECONDS = {f"{second:02d}": timedelta(seconds=second) for second in range(60)}


@lru_cache(maxsize=1024)
def _minute(start: str, zone_name: str) -> datetime:
    """Return the beginning of a minute in UTC; raises ValueError when it is none, or has no zone."""
    moment = parseIBDatetime(f"{start}00{zone_name}")
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError(f"no zone: {zone_name!r}")
    return moment.astimezone(UTC)


def parse_column(texts: Sequence[str]) -> list[date | datetime]:
    """Parse texts that are most likely alike, the dates of bars, as ``parseIBDatetime`` does."""
    if not texts:
        return []
    try:
        if len(texts[0]) > 18:
            return [datetime.combine(_day(text[:9]), _time_and_zone(text[9:])) for text in texts]
        if set(map(len, texts)) == {10} and "".join(texts).isdecimal():
            return list(map(datetime.fromtimestamp, map(int, texts), repeat(UTC)))
    except (ValueError, OSError, OverflowError):
        pass  # they are not alike, or of another form
    return list(map(parseIBDatetime, texts))


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    """Parse ``YYYYMMDD`` and the blank that parts it from the time."""
    if text[8:] != " ":
        raise ValueError(f"not a date before a time: {text!r}")
    return parse_date(text[:8])


def formatIBDatetime(t: datetime | date | str | None) -> str:
    """Return a date or time as TWS takes it: ``YYYYMMDD HH:MM:SS UTC``.

    Args:
        t: a datetime (naive means the local time of this machine), a date (its last second, local time),
            a text (taken as it is), or None for ''.
    """
    if not t:
        return ""
    if isinstance(t, str):
        return t
    if not isinstance(t, datetime):
        t = datetime.combine(t, time(23, 59, 59))
    return t.astimezone(UTC).strftime("%Y%m%d %H:%M:%S UTC")


def epoch_of(moment: time | datetime | timedelta | float, now: float) -> float:
    """Return the epoch seconds of a moment.

    Args:
        moment: seconds from now, a time of today, or a datetime; naive ones are the local time of this
            machine.
        now: epoch seconds.
    """
    if isinstance(moment, time):
        moment = datetime.combine(datetime.fromtimestamp(now, moment.tzinfo), moment)
    if isinstance(moment, datetime):
        return moment.timestamp()
    return now + (moment.total_seconds() if isinstance(moment, timedelta) else moment)
