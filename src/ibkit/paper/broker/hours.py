"""When an order may trade and when it ends: the calendar seen from an order. Must not know prices."""

from __future__ import annotations

from datetime import date, datetime

from ibkit import dates
from ibkit.paper.instruments import Instrument, Session

# Kinds that trade in regular hours unless the order says otherwise. Futures, forex and the rest trade in all hours:
# for them ``outsideRth`` matters for stop triggers only.
_REGULAR_KINDS = frozenset({"STK", "OPT", "BOND", "FUND", "WAR"})


class BadTime(ValueError):
    """A date or time of an order that cannot be read."""


def needs_regular(instrument: Instrument, outside_rth: bool, regular_only: bool) -> bool:
    """Tell whether an order trades in regular hours only."""
    kind = instrument.sec_type
    stock_like = kind in _REGULAR_KINDS or (kind == "CFD" and instrument.underlying is not None)
    if kind == "BAG":
        stock_like = any(leg.sec_type in _REGULAR_KINDS for leg, _ in instrument.legs)
    return stock_like and (regular_only or not outside_rth)


def trigger_needs_regular(instrument: Instrument, outside_rth: bool) -> bool:
    """Tell whether a stop may be triggered in regular hours only: futures too, unless the order says otherwise."""
    return not outside_rth and instrument.sec_type in ("FUT", "FOP")


def session(instrument: Instrument, t: float, regular: bool) -> Session | None:
    """Return the session that holds ``t``, None when the market is closed."""
    return instrument.calendar.session_at(t, regular)


def next_open(instrument: Instrument, t: float, regular: bool) -> float:
    """Return the first moment at or after ``t`` at which the instrument trades."""
    return max(t, instrument.calendar.next_session(t, regular).start)


def boundary(instrument: Instrument, t: float, regular: bool) -> float:
    """Return when the market next opens or closes, after ``t``."""
    now = session(instrument, t, regular)
    return now.end if now else instrument.calendar.next_session(t, regular).start


def day_end(instrument: Instrument, t: float, regular: bool) -> float:
    """Return the end of the trading day that holds ``t``, or of the next one when the market is closed."""
    now = instrument.calendar.next_session(t, regular)
    hours = instrument.calendar.hours(now.day)
    return (hours.liquid if regular else hours.trading)[-1].end


def day_limit(instrument: Instrument, day: date, regular: bool) -> float:
    """Return the end of trading on ``day``; midnight after it when there is none."""
    hours = instrument.calendar.hours(day)
    spans = hours.liquid if regular else hours.trading
    return spans[-1].end if spans else instrument.calendar.epoch(day, 1440)


def moment(text: str, instrument: Instrument) -> tuple[float | date, bool]:
    """Read a time of an order: epoch seconds or a plain date, and whether it named its zone.

    A time without a zone is in the zone of the instrument's exchange; ``yyyymmdd-hh:mm:ss`` is UTC.
    Raises BadTime.
    """
    try:
        found = dates.parseIBDatetime(text.strip())
    except ValueError as error:
        raise BadTime(text) from error
    if not isinstance(found, datetime):
        return found, True
    if found.tzinfo is not None:
        return found.timestamp(), True
    dashed = text.strip()[8:9] == "-"
    zone = dates.zone("UTC" if dashed else instrument.calendar.zone)
    return found.replace(tzinfo=zone).timestamp(), dashed


def start_of(text: str, instrument: Instrument) -> float:
    """Read ``goodAfterTime``: epoch seconds; a plain date is its midnight. Raises BadTime."""
    found, _ = moment(text, instrument)
    return instrument.calendar.epoch(found, 0) if isinstance(found, date) else found


def end_of(text: str, instrument: Instrument, regular: bool) -> float:
    """Read ``goodTillDate``: epoch seconds; a plain date is the end of its trading. Raises BadTime."""
    found, _ = moment(text, instrument)
    return day_limit(instrument, found, regular) if isinstance(found, date) else found


def text(t: float, instrument: Instrument, day: str = "%Y-%m-%d") -> str:
    """Write a moment as TWS does in messages, in the exchange's zone: ``2024-01-05 09:30:00 US/Eastern``."""
    zone = instrument.calendar.zone
    return f"{datetime.fromtimestamp(t, dates.zone(zone)).strftime(f'{day} %H:%M:%S')} {zone}"
