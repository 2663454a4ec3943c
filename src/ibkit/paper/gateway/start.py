"""When a simulated world begins: at a time the user gives, or in an open market.

Must not know gateways.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ibkit import dates
from ibkit.clock import Clock, SystemClock
from ibkit.paper.instruments import holidays

NEW_YORK = ZoneInfo("America/New_York")
OPENING_HOUR = 10
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def start_moment(text: str | None, clock: Clock | None = None) -> float:
    """Return epoch seconds of ``YYYY-MM-DD HH:MM`` with an optional zone; None: the latest trading day, 10:00 New York.

    Args:
        text: what the user wrote; without a zone it is New York time.
        clock: tells which day it is; the default is this machine's.

    Raises ValueError for a text that is no time.
    """
    if text is None:
        return _latest_trading_day((clock or SystemClock()).time())
    text = text.strip()
    if _DATE.fullmatch(text):
        text = f"{text} {OPENING_HOUR}:00"
    try:
        moment = dates.parseIBDatetime(text)
    except ValueError as error:
        raise ValueError(
            f"the start must be written 'YYYY-MM-DD HH:MM' or with a zone behind it, got {text!r}"
        ) from error
    if not isinstance(moment, datetime):  # YYYYMMDD
        moment = datetime(moment.year, moment.month, moment.day, OPENING_HOUR)
    return (moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)).timestamp()


def _latest_trading_day(now: float) -> float:
    moment = datetime.fromtimestamp(now, UTC).astimezone(NEW_YORK)
    opening = moment.replace(hour=OPENING_HOUR, minute=0, second=0, microsecond=0)
    day = holidays.on_or_before(moment.date() - timedelta(days=opening > moment))
    return datetime(day.year, day.month, day.day, OPENING_HOUR, tzinfo=NEW_YORK).timestamp()


def login(text: str) -> list[str]:
    """Return the accounts in a text; several are separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]
