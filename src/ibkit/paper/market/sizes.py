"""Bar sizes and durations as IB writes them. Must not know instruments or prices."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple

from ibkit.errors import InvalidRequest


class Unit(Enum):
    """What a bar is cut by."""

    SECONDS = "seconds"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Size(NamedTuple):
    """A bar size; ``seconds`` is its length, nominal from a day on."""

    text: str
    unit: Unit
    seconds: int


SIZES: dict[str, Size] = {
    size.text: size
    for size in (
        *(Size(f"{n} secs", Unit.SECONDS, n) for n in (1, 5, 10, 15, 30)),
        Size("1 min", Unit.SECONDS, 60),
        *(Size(f"{n} mins", Unit.SECONDS, n * 60) for n in (2, 3, 5, 10, 15, 20, 30)),
        Size("1 hour", Unit.SECONDS, 3600),
        *(Size(f"{n} hours", Unit.SECONDS, n * 3600) for n in (2, 3, 4, 8)),
        Size("1 day", Unit.DAY, 86400),
        Size("1 week", Unit.WEEK, 7 * 86400),
        Size("1 month", Unit.MONTH, 31 * 86400),
    )
}
_OTHER_WORDS = {"1 sec": "1 secs", "1W": "1 week", "1M": "1 month", "1D": "1 day"}

# The longest duration IB takes in each unit.
MOST = {"S": 86400, "D": 365, "W": 52, "M": 12, "Y": 68}


class Duration(NamedTuple):
    """So many of S (seconds of trading), D (trading days), W, M or Y (on the calendar)."""

    number: int
    unit: str


def bar_size(text: str) -> Size:
    """Read a bar size; raises InvalidRequest that lists them all."""
    size = SIZES.get(_OTHER_WORDS.get(text, text))
    if size is None:
        raise InvalidRequest(f"bar size {text!r} does not exist; there are {', '.join(SIZES)}")
    return size


def duration(text: str) -> Duration:
    """Read a duration such as '2 D'; raises InvalidRequest."""
    match = re.fullmatch(r"\s*(\d{1,6})\s+([SDWMY])\s*", text)
    if not match or not int(match[1]):
        raise InvalidRequest(
            f"duration {text!r} does not exist: write a whole number, a blank and S (seconds), D (days), W (weeks), "
            "M (months) or Y (years), such as '3600 S' or '2 D'"
        )
    found = Duration(int(match[1]), match[2])
    if found.number > MOST[found.unit]:
        raise InvalidRequest(f"duration {text!r} is too long: at most {MOST[found.unit]} {found.unit}")
    return found


def back(day: date, length: Duration) -> date:
    """Return the day W, M or Y before ``day``, on the calendar."""
    if length.unit == "W":
        return day - timedelta(weeks=length.number)
    months = day.year * 12 + day.month - 1 - length.number * (12 if length.unit == "Y" else 1)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
