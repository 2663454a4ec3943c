"""Ticks of the past, by number: so many from a moment on, or so many before one; as rows of messages."""

from __future__ import annotations

from collections.abc import Iterator

from ibkit.paper.gateway import units
from ibkit.paper.gateway.session import Session
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.calendar import Session as Hours
from ibkit.paper.market import Tick
from ibkit.wire import messages as m

Row = m.TickLastRow | m.TickBidAskRow | m.TickRow
Answer = m.HistoricalTicksLast | m.HistoricalTicksBidAsk | m.HistoricalTicks

CHUNK_S = 300.0
"""How much of a session is looked at in one go."""

SESSIONS = 10
"""How many sessions are searched before giving up."""


def row_of(tick: Tick, what: str, instrument: Instrument) -> Row:
    """Return a tick as a row: a trade (TRADES), a quote (BID_ASK) or a midpoint (MIDPOINT)."""
    time = int(tick.time)
    if what == "TRADES":
        exchange = instrument.contract.primaryExchange or instrument.contract.exchange
        return m.TickLastRow(time, tick.price, tick.size, False, False, exchange, "")
    if what == "BID_ASK":
        return m.TickBidAskRow(time, tick.bid, tick.ask, tick.bid_size, tick.ask_size, False, False)
    return m.TickRow(time, (tick.bid + tick.ask) / 2, 0.0)


def newest(
    session: Session,
    req_id: int,
    instrument: Instrument,
    what: str,
    number: int,
    ignore_size: bool,
    end: float | None = None,
    use_rth: bool = False,
) -> Answer:
    """Return the last ``number`` ticks before ``end`` (default: now), whole seconds, oldest first."""
    end = session.now if end is None else min(end, session.now)
    rows: list[Row] = []
    for t0, t1 in _backwards(instrument, end, use_rth):
        if len(rows) >= number:
            # More of the same second may lie in this chunk.
            rows = [
                row for row in _rows(session, instrument, what, ignore_size, t0, t1) if row.time == rows[0].time
            ] + rows
            break
        rows = _rows(session, instrument, what, ignore_size, t0, t1) + rows
    if len(rows) > number:
        rows = [row for row in rows if row.time >= rows[-number].time]
    return answer(session, req_id, instrument, what, rows)


def oldest(
    session: Session,
    req_id: int,
    instrument: Instrument,
    what: str,
    number: int,
    ignore_size: bool,
    start: float,
    use_rth: bool = False,
) -> Answer:
    """Return the first ``number`` ticks from ``start`` on, whole seconds, oldest first."""
    rows: list[Row] = []
    for t0, t1 in _forwards(instrument, start, session.now, use_rth):
        if len(rows) >= number:
            rows += [row for row in _rows(session, instrument, what, ignore_size, t0, t1) if row.time == rows[-1].time]
            break
        rows += _rows(session, instrument, what, ignore_size, t0, t1)
    if len(rows) > number:
        rows = [row for row in rows if row.time <= rows[number - 1].time]
    return answer(session, req_id, instrument, what, rows)


def answer(session: Session, req_id: int, instrument: Instrument, what: str, rows: list[Row]) -> Answer:
    """Return rows of one kind as their message."""
    lots = units.Lots(session.version, instrument)
    if what == "TRADES":
        last = [row._replace(size=lots.history(row.size)) for row in rows if isinstance(row, m.TickLastRow)]
        return m.HistoricalTicksLast(req_id, last, True)
    if what == "BID_ASK":
        quotes = [
            row._replace(sizeBid=lots.history(row.sizeBid), sizeAsk=lots.history(row.sizeAsk))
            for row in rows
            if isinstance(row, m.TickBidAskRow)
        ]
        return m.HistoricalTicksBidAsk(req_id, quotes, True)
    return m.HistoricalTicks(req_id, [row for row in rows if isinstance(row, m.TickRow)], True)


def _rows(session: Session, instrument: Instrument, what: str, ignore_size: bool, t0: float, t1: float) -> list[Row]:
    wanted = "trade" if what == "TRADES" else "quote"
    ticks = [tick for tick in session.gateway.market.ticks(instrument, t0, t1) if tick.kind == wanted]
    if ignore_size or what == "MIDPOINT":
        before = None
        kept = []
        for tick in ticks:
            if before is None or (tick.bid, tick.ask, tick.price) != (before.bid, before.ask, before.price):
                kept.append(tick)
            before = tick
        ticks = kept if what != "TRADES" else ticks
    return [row_of(tick, what, instrument) for tick in ticks]


def _forwards(instrument: Instrument, start: float, end: float, use_rth: bool) -> Iterator[tuple[float, float]]:
    t = start
    for _ in range(SESSIONS):
        span: Hours = instrument.calendar.next_session(t, use_rth)
        t = max(t, span.start)
        while t < min(span.end, end):
            yield t, min(t + CHUNK_S, span.end, end)
            t += CHUNK_S
        t = span.end
        if t >= end:
            return


def _backwards(instrument: Instrument, end: float, use_rth: bool) -> Iterator[tuple[float, float]]:
    t = end
    for _ in range(SESSIONS):
        span: Hours = instrument.calendar.last_session(t - 1e-6, use_rth)
        t = min(t, span.end)
        while t > span.start:
            yield max(t - CHUNK_S, span.start), t
            t -= CHUNK_S
        t = span.start
