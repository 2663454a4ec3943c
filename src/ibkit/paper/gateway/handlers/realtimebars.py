"""Real-time bars: one every five seconds."""

from __future__ import annotations

from math import isnan

from ibkit.paper.gateway import units
from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers, needs_live
from ibkit.paper.gateway.hours import Hours
from ibkit.paper.gateway.refusal import Refusal, duplicate_id
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.market import Bar
from ibkit.wire import messages as m

KIND = "real-time bars"
BAR_S = 5.0
_WHATS = ("TRADES", "MIDPOINT", "BID", "ASK")
# Bars older than this are not told after a standstill.
OLDEST_S = 3600.0


class Bars:
    """One subscription."""

    def __init__(self, session: Session, msg: m.ReqRealTimeBars, instrument: Instrument) -> None:
        self.session, self.req_id, self.instrument = session, msg.reqId, instrument
        self._what, self._rth = msg.whatToShow.upper(), msg.useRTH
        self._hours = Hours(session.gateway, instrument, msg.useRTH)
        self._lots = units.Lots(session.version, instrument)
        self._from = following(session.now, BAR_S) - BAR_S  # the bar we are in is told whole
        self.due = self._from + BAR_S
        self._close = float("nan")

    def advance(self, now: float) -> bool:
        end = following(now, BAR_S) - BAR_S
        start = max(self._from, end - OLDEST_S)
        self._from = end
        market = self.session.gateway.market
        bars = {bar.time: bar for bar in market.bars(self.instrument, self._what, "5 secs", start, end, self._rth)}
        for n in range(int((end - start) / BAR_S)):
            t = start + n * BAR_S
            bar = bars.get(t) or self._quiet(t)
            if bar is not None:
                self._close = bar.close
                self._tell(bar)
        self.due = end + BAR_S
        if not self._hours.is_open(end):
            self.due = max(self.due, self._hours.next_open(end) + BAR_S)
        return True

    def _quiet(self, t: float) -> Bar | None:
        """A bar without a trade: nothing moves. None when the market is closed, or nothing is known yet."""
        if not self._hours.is_open(t):
            return None
        if isnan(self._close):
            self._close = self.session.gateway.market.quote(self.instrument, t).last
        close = self._close
        return (
            None
            if isnan(close)
            else Bar(t, self.instrument.calendar.local_date(t), close, close, close, close, 0.0, close, 0)
        )

    def _tell(self, bar: Bar) -> None:
        volume = self._lots.history(bar.volume)
        self.session.send(
            m.RealTimeBars(
                self.req_id, int(bar.time), bar.open, bar.high, bar.low, bar.close, volume, bar.wap, bar.count
            )
        )


def req_real_time_bars(session: Session, msg: m.ReqRealTimeBars) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    if session.find(KIND, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    needs_live(session, Refusal(420, "Invalid Real-time Query:No market data permissions"))
    if msg.barSize != BAR_S:
        raise Refusal(420, f"Invalid Real-time Query:Bar size {msg.barSize} is not supported, 5 is")
    what = msg.whatToShow.upper()
    if what not in _WHATS or what not in instrument.what_to_show:
        raise Refusal(420, f"Invalid Real-time Query:No {msg.whatToShow} data for {instrument.sec_type}")
    session.begin(KIND, msg.reqId, Bars(session, msg, instrument))


def cancel_real_time_bars(session: Session, msg: m.CancelRealTimeBars) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(300, f"Can't find EId with tickerId:{msg.reqId}")


HANDLERS: Handlers = {m.ReqRealTimeBars: req_real_time_bars, m.CancelRealTimeBars: cancel_real_time_bars}
