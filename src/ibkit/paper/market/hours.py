"""When an instrument trades: its calendar, from its listing to its last moment. Must not know prices."""

from __future__ import annotations

from datetime import date
from math import ceil, inf

from ibkit.paper.instruments import Instrument, Session


def sessions(instrument: Instrument, d0: date, d1: date, regular: bool = False) -> list[Session]:
    """Return the sessions of the trading days d0 to d1, both included, cut at listing and expiry."""
    return [s for full in instrument.calendar.sessions(d0, d1, regular) if (s := _cut(instrument, full))]


def session_at(instrument: Instrument, t: float, regular: bool = False) -> Session | None:
    """Return the session that holds ``t``; None when it does not trade then."""
    full = instrument.calendar.session_at(t, regular)
    session = _cut(instrument, full) if full else None
    return session if session and session.start <= t < session.end else None


def last_session(instrument: Instrument, t: float, regular: bool = False) -> Session | None:
    """Return the session that holds ``t`` or the latest one before it; None before the listing."""
    if instrument.expires:
        t = min(t, instrument.expires)
    while True:
        full = instrument.calendar.last_session(t, regular)
        if full.end <= instrument.listed:
            return None
        session = _cut(instrument, full)
        if session and session.start <= t:
            return session
        t = full.start - 1.0


def next_open(instrument: Instrument, t: float, regular: bool = False) -> float:
    """Return the first moment at or after ``t`` at which it trades; infinity when it never will again."""
    t = max(t, instrument.listed)
    while not instrument.expires or t < instrument.expires:
        full = instrument.calendar.next_session(t, regular)
        session = _cut(instrument, full)
        if session:
            return max(t, session.start)
        t = full.end
    return inf


def _cut(instrument: Instrument, session: Session) -> Session | None:
    start, end = session.start, session.end
    if instrument.listed > start:
        start = ceil(instrument.listed / 60) * 60.0  # sessions are whole minutes
    if instrument.expires and instrument.expires < end:
        end = instrument.expires
    return Session(start, end, session.day) if start < end else None
