"""Tick-by-tick data: every quote change or every trade, in order."""

from __future__ import annotations

from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers, needs_live
from ibkit.paper.gateway.handlers.pastticks import newest, row_of
from ibkit.paper.gateway.hours import Hours
from ibkit.paper.gateway.refusal import Refusal, duplicate_id, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.instrument import Prints
from ibkit.paper.market import Tick
from ibkit.wire import messages as m

KIND = "tick-by-tick data"

# Asked for as, told as, and what history calls it.
_TYPES = {"Last": (1, "TRADES"), "AllLast": (2, "TRADES"), "BidAsk": (3, "BID_ASK"), "MidPoint": (4, "MIDPOINT")}
CADENCE_S = 0.25
# Data older than this is not told after a standstill, as with a real feed.
OLDEST_S = 600.0


class Ticks:
    """One subscription."""

    def __init__(self, session: Session, msg: m.ReqTickByTickData, instrument: Instrument) -> None:
        self.session, self.req_id, self.instrument = session, msg.reqId, instrument
        self.kind, self._what = _TYPES[msg.tickType]
        self.due = following(session.now, CADENCE_S)
        self._ignore_size = msg.ignoreSize
        self._seen = session.now
        self._hours = Hours(session.gateway, instrument)
        self._last: Tick | None = None

    def advance(self, now: float) -> bool:
        since, self._seen = max(self._seen, now - OLDEST_S), now
        for tick in self.session.gateway.market.ticks(self.instrument, since, now):
            if self._counts(tick):
                self.session.send(m.TickByTick(self.req_id, self.kind, row_of(tick, self._what, self.instrument)))
        self.due = following(now, CADENCE_S)
        if not self._hours.is_open(now):
            self.due = max(self.due, self._hours.next_open(now))
        return True

    def _counts(self, tick: Tick) -> bool:
        if self._what == "TRADES":
            return tick.kind == "trade"
        if tick.kind != "quote":
            return False
        before, self._last = self._last, tick
        if before is None:
            return True
        if self._what == "MIDPOINT":
            return before.bid + before.ask != tick.bid + tick.ask
        return not self._ignore_size or (before.bid, before.ask) != (tick.bid, tick.ask)


def req_tick_by_tick(session: Session, msg: m.ReqTickByTickData) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    if session.find(KIND, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    needs_live(session, Refusal(10189, "Failed to request tick-by-tick data:No market data permissions"))
    if msg.tickType not in _TYPES:
        raise invalid(f"Incorrect tick type {msg.tickType}: Last, AllLast, BidAsk or MidPoint")
    if instrument.sec_type in ("OPT", "FOP", "BAG", "FUND") or (
        msg.tickType in ("Last", "AllLast") and instrument.prints is Prints.QUOTES
    ):
        raise Refusal(
            10189, f"Failed to request tick-by-tick data:No {msg.tickType} tick-by-tick data for {instrument.sec_type}"
        )
    if instrument.prints is Prints.VALUE and msg.tickType not in ("Last", "AllLast"):
        raise Refusal(10189, f"Failed to request tick-by-tick data:No quotes for {instrument.sec_type}")
    if sum(len(other.active(KIND)) for other in session.gateway.sessions) >= session.gateway.limits.tick_by_tick:
        raise Refusal(10190, "Max number of tick-by-tick requests has been reached")
    stream = Ticks(session, msg, instrument)
    session.begin(KIND, msg.reqId, stream)
    if msg.numberOfTicks > 0:
        what = _TYPES[msg.tickType][1]
        session.send(newest(session, msg.reqId, instrument, what, min(msg.numberOfTicks, 1000), msg.ignoreSize))


def cancel_tick_by_tick(session: Session, msg: m.CancelTickByTickData) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(300, f"Can't find EId with tickerId:{msg.reqId}")


HANDLERS: Handlers = {
    m.ReqTickByTickData: req_tick_by_tick,
    m.CancelTickByTickData: cancel_tick_by_tick,
}
