"""Historical bars and schedules, and bars that are kept up to date."""

from __future__ import annotations

import re
from datetime import date, timedelta

from ibkit.model import HistoricalSession
from ibkit.paper.gateway import times, units
from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.handlers.series import read_moment
from ibkit.paper.gateway.hours import Hours
from ibkit.paper.gateway.refusal import Refusal, history_error, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.market import Bar
from ibkit.wire import messages as m

KIND = "historical data"
UPDATE_S = 1.0
SCHEDULE_SINCE, END_SINCE = 165, 196
"""The server versions from which there are schedules, and the end of the bars is a message of its own."""

# Seconds of a bar; IB's names.
BAR_SIZES = {
    "1 secs": 1, "5 secs": 5, "10 secs": 10, "15 secs": 15, "30 secs": 30, "1 min": 60, "2 mins": 120,
    "3 mins": 180, "5 mins": 300, "10 mins": 600, "15 mins": 900, "20 mins": 1200, "30 mins": 1800,
    "1 hour": 3600, "2 hours": 7200, "3 hours": 10800, "4 hours": 14400, "8 hours": 28800,
    "1 day": 86400, "1 week": 604800, "1 month": 2_592_000,
}  # fmt: skip
DAY = 86400
_SMALL = 30  # bars of this many seconds and fewer are paced, and kept for half a year
_SMALL_KEPT_S = 183 * DAY
_KEPT_UP = ("TRADES", "MIDPOINT", "BID", "ASK")
_DURATION = re.compile(r"(\d+) ([SDWMY])")
# The longest duration of each unit, and the seconds of one.
_UNITS = {"S": (86400, 1), "D": (365, DAY), "W": (52, 7 * DAY), "M": (12, 31 * DAY), "Y": (68, 366 * DAY)}
MOST_SECOND_BARS_S = 2000
MOST_BARS = 130_000
"""What fits into one message of the protocol."""

AT_ONCE = 20_000
"""Bars made in one go: a long history must not hold up the other clients."""

PAUSE_S = 0.01


TOO_LONG = history_error("Time length exceed max.")


class Query:
    """One historical data request: the bars, then their updates where they are kept up to date."""

    def __init__(self, session: Session, msg: m.ReqHistoricalData, instrument: Instrument, end: float) -> None:
        self.session, self.msg, self.instrument = session, msg, instrument
        self.due = session.now + session.gateway.limits.history_delay_s
        self._end = end
        self._what = msg.whatToShow.upper()
        self._rth = bool(msg.useRTH)
        self._intraday = BAR_SIZES[msg.barSizeSetting] < DAY
        self._lots = units.Lots(session.version, instrument)
        self._hours = Hours(session.gateway, instrument, self._rth)
        self._last: tuple[float, m.BarRow] | None = None
        self._rows: list[m.BarRow] = []
        self._newest = 0.0  # the time of the last of them
        self._from: float | None = None  # where the rest of a long history begins

    def size(self) -> float:
        """Return how many bars there are at most: what the hours of the market have room for."""
        if not self._intraday:
            return 0.0
        end = min(self._end, self.session.now)
        start = self.session.gateway.market.history_start(self.instrument, self.msg.durationStr, end, self._rth)
        seconds = BAR_SIZES[self.msg.barSizeSetting]
        if end - start <= MOST_BARS * seconds:
            return (end - start) / seconds
        calendar = self.instrument.calendar
        days = calendar.local_date(start), calendar.local_date(end)
        spans = self.session.gateway.market.sessions(self.instrument, *days, self._rth)
        return sum(span.end - span.start for span in spans) / seconds

    def advance(self, now: float) -> bool:
        if self._last is None:
            if not self._load(now):
                self.due = now + PAUSE_S
                return True
        else:
            self._update(now, *self._last)
        self.due = following(now, UPDATE_S)
        if not self._hours.is_open(now):
            self.due = max(self.due, self._hours.next_open(now))
        return self.msg.keepUpToDate

    def _load(self, now: float) -> bool:
        """Make the bars, or a part of many, and tell them; False: there are more to be made."""
        session, msg = self.session, self.msg
        end = self._end = min(self._end, now) if self._from is None else self._end
        start = session.gateway.market.history_start(self.instrument, msg.durationStr, end, self._rth)
        if self._what == "SCHEDULE":
            self._schedule(start, end)
            return True
        begin = start if self._from is None else self._from
        until = self._break(begin, end)
        bars = self._bars(begin, until)
        self._rows += map(self._row, bars)
        self._newest = bars[-1].time if bars else self._newest
        if until < end:
            self._from = until
            return False
        rows, self._rows = self._rows, []
        if not rows:
            name = (
                f"{self.instrument.contract.localSymbol}@{msg.contract.exchange or self.instrument.contract.exchange}"
            )
            raise history_error(f"HMDS query returned no data: {name} {self._what.title()}")
        self._last = (self._newest, rows[-1])
        zone = self.instrument.calendar.zone
        first, last = times.stamp(start, session.version, zone), times.stamp(end, session.version, zone)
        session.send(m.HistoricalData(msg.reqId, first, last, rows))
        if session.version >= END_SINCE:
            session.send(m.HistoricalDataEnd(msg.reqId, first, last))
        return True

    def _break(self, begin: float, end: float) -> float:
        """Return where to pause: at a midnight, across which no bar of an hour or less reaches."""
        seconds = BAR_SIZES[self.msg.barSizeSetting]
        if seconds > 3600 or end - begin <= AT_ONCE * seconds:
            return end
        calendar = self.instrument.calendar
        day = calendar.local_date(begin) + timedelta(days=max(1, AT_ONCE * seconds // DAY))
        return min(end, calendar.epoch(day, 0))

    def _update(self, now: float, since: float, told: m.BarRow) -> None:
        for bar in self._bars(since, now):
            row = self._row(bar)
            if row != told:
                self.session.send(m.HistoricalDataUpdate(self.msg.reqId, row))
            self._last = (bar.time, row)

    def _bars(self, start: float, end: float) -> list[Bar]:
        market = self.session.gateway.market
        return market.bars(self.instrument, self._what, self.msg.barSizeSetting, start, end, self._rth)

    def _row(self, bar: Bar) -> m.BarRow:
        zone = self.instrument.calendar.zone
        text = (
            times.bar(bar.time, self.msg.formatDate, self.session.version, zone) if self._intraday else _day(bar.date)
        )
        volume = self._lots.history(bar.volume)
        return m.BarRow(text, bar.open, bar.high, bar.low, bar.close, volume, bar.wap, bar.count)

    def _schedule(self, start: float, end: float) -> None:
        calendar = self.instrument.calendar
        zone = calendar.zone
        spans = self.session.gateway.market.sessions(
            self.instrument, calendar.local_date(start), calendar.local_date(end), self._rth
        )

        def text(t: float) -> str:
            return times.local(t, zone).strftime("%Y%m%d-%H:%M:%S")

        sessions = [HistoricalSession(text(span.start), text(span.end), _day(span.day)) for span in spans]
        first = sessions[0].startDateTime if sessions else text(start)
        last = sessions[-1].endDateTime if sessions else text(end)
        self.session.send(m.HistoricalSchedule(self.msg.reqId, first, last, zone, sessions))


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def req_historical_data(session: Session, msg: m.ReqHistoricalData) -> None:
    if session.find(KIND, msg.reqId) is not None:
        raise Refusal(386, "Duplicate ticker id for API historical data query")
    instrument = find_one(session.gateway.catalogue, msg.contract)
    _check(session, msg, instrument)
    end = read_moment(session, msg.reqId, msg.endDateTime) if msg.endDateTime.strip() else session.now
    if BAR_SIZES[msg.barSizeSetting] <= _SMALL:
        if end < session.now - _SMALL_KEPT_S:
            raise history_error("Bars of 30 seconds and less are kept for six months")
        _pace(session, msg, instrument)
    query = Query(session, msg, instrument, end)
    if query.size() > MOST_BARS:
        raise TOO_LONG
    if query.due > session.now or query.advance(session.now):
        session.begin(KIND, msg.reqId, query)


def _check(session: Session, msg: m.ReqHistoricalData, instrument: Instrument) -> None:
    what = msg.whatToShow.upper()
    if msg.barSizeSetting not in BAR_SIZES:
        raise invalid(f"Historical data bar size setting is invalid. Legal ones are: {', '.join(BAR_SIZES)}")
    if what not in instrument.what_to_show or (what == "SCHEDULE" and session.version < SCHEDULE_SINCE):
        raise invalid(
            f"No {msg.whatToShow or 'such'} data for {instrument.sec_type}: "
            f"it has {', '.join(sorted(instrument.what_to_show))}"
        )
    if what == "SCHEDULE" and msg.barSizeSetting != "1 day":
        raise Refusal(10295, "Schedule requests are only supported with the bar size 1 day")
    if msg.formatDate not in (1, 2, 3):
        raise invalid(f"Incorrect format of dates {msg.formatDate}: 1, 2 or 3")
    if msg.contract.secType == "CONTFUT" and msg.endDateTime.strip():
        raise Refusal(10339, "Setting end date/time for continuous future security type is not allowed.")
    if msg.keepUpToDate and msg.endDateTime.strip():
        raise invalid("End date/time cannot be set when the bars are kept up to date")
    if msg.keepUpToDate and what not in _KEPT_UP:
        raise invalid(f"Bars of {what} cannot be kept up to date: {', '.join(_KEPT_UP)}")
    _check_duration(msg)
    if sum(len(other.active(KIND)) for other in session.gateway.sessions) >= session.gateway.limits.histories:
        raise history_error("Max number of historical data requests has been reached")


def _check_duration(msg: m.ReqHistoricalData) -> None:
    duration = _DURATION.fullmatch(msg.durationStr.strip())
    if duration is None or not int(duration[1]):
        raise invalid(
            "Historical data duration is invalid: a number and one of S (seconds), D, W, M or Y, such as '2 D'"
        )
    number, unit = int(duration[1]), duration[2]
    most, seconds = _UNITS[unit]
    if number > most:
        longer = {"S": "86400 seconds must be made in days", "D": "365 days must be made in years"}
        raise invalid(
            f"Historical data requests for durations longer than {longer.get(unit, f'{most} {unit} are not allowed')}"
        )
    bar_s = BAR_SIZES[msg.barSizeSetting]
    if bar_s == 1 and number * seconds > MOST_SECOND_BARS_S:
        raise TOO_LONG


def _pace(session: Session, msg: m.ReqHistoricalData, instrument: Instrument) -> None:
    if not session.gateway.limits.historical_pacing:
        return
    series = (instrument.con_id, msg.contract.exchange, msg.whatToShow)
    query = (series, msg.endDateTime, msg.durationStr, msg.barSizeSetting, msg.useRTH)
    weight = 2 if msg.whatToShow.upper() == "BID_ASK" else 1
    if broken := session.gateway.pacing.violation(session.now, query, series, weight):
        raise history_error(f"Historical data request pacing violation: {broken}")


def cancel_historical_data(session: Session, msg: m.CancelHistoricalData) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(366, f"No historical data query found for ticker id:{msg.reqId}")
    session.error(
        msg.reqId, 162, f"Historical Market Data Service error message:API historical data query cancelled: {msg.reqId}"
    )


HANDLERS: Handlers = {
    m.ReqHistoricalData: req_historical_data,
    m.CancelHistoricalData: cancel_historical_data,
}
