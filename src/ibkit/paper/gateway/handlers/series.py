"""History other than bars: ticks of the past, the first moment of data, the histogram of prices."""

from __future__ import annotations

import re

from ibkit.paper.gateway import times
from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers, nothing
from ibkit.paper.gateway.handlers.pastticks import newest, oldest
from ibkit.paper.gateway.refusal import Refusal, history_error, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.instruments.instrument import Prints
from ibkit.wire import messages as m

MOST_TICKS = 1000
LONGEST_HISTOGRAM_S = 93 * 86400  # the other clients wait while one is made
_TICKS = {"TRADES": "TRADES", "AGGTRADES": "TRADES", "BID_ASK": "BID_ASK", "MIDPOINT": "MIDPOINT"}

_PERIOD = re.compile(r"(\d+) *(S|D|W|M|Y|second|minute|hour|day|week|month|year)s?", re.IGNORECASE)
_SECONDS = {
    "s": 1, "second": 1, "minute": 60, "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "week": 604800,
    "m": 2_592_000, "month": 2_592_000, "y": 31_536_000, "year": 31_536_000,
}  # fmt: skip


def req_historical_ticks(session: Session, msg: m.ReqHistoricalTicks) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    what = _TICKS.get(msg.whatToShow.upper())
    if what is None:
        raise invalid(f"Incorrect what to show {msg.whatToShow}: TRADES, BID_ASK or MIDPOINT")
    if bool(msg.startDateTime) == bool(msg.endDateTime):
        raise invalid("Exactly one of start date and end date has to be given")
    if not 1 <= msg.numberOfTicks <= MOST_TICKS:
        raise invalid(f"Number of ticks must be 1 to {MOST_TICKS}")
    if instrument.prints is (Prints.QUOTES if what == "TRADES" else Prints.VALUE):
        raise Refusal(10187, f"Failed to request historical ticks:No {msg.whatToShow} data for {instrument.sec_type}")
    moment = read_moment(session, msg.reqId, msg.startDateTime or msg.endDateTime)
    find = oldest if msg.startDateTime else newest
    session.send(
        find(session, msg.reqId, instrument, what, msg.numberOfTicks, msg.ignoreSize, moment, bool(msg.useRth))
    )


def read_moment(session: Session, req_id: int, text: str) -> float:
    """Read a time a client wrote; raises Refusal 10314. A missing zone is a warning, as with TWS."""
    try:
        moment = times.read(text)
    except ValueError as error:
        raise Refusal(
            10314,
            "End Date/Time: The date, time, or time-zone entered is invalid. The correct format is "
            "yyyymmdd hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional. E.g.: 20031126 15:59:00 US/Eastern. "
            "Note that there is a space between the date and time, and between the time and time-zone. UTC is "
            f"written yyyymmdd-hh:mm:ss. ({error})",
        ) from error
    if not moment.zoned and session.version >= times.ZONES_SINCE:
        session.error(
            req_id,
            2174,
            "Warning: You submitted request with date-time attributes without explicit time zone. Please switch to "
            "use yyyymmdd-hh:mm:ss in UTC or use instrument time zone, like US/Eastern.",
        )
    return moment.epoch


def req_head_timestamp(session: Session, msg: m.ReqHeadTimestamp) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    if msg.whatToShow.upper() not in instrument.what_to_show:
        raise history_error(f"No head time stamp: no {msg.whatToShow} data for {instrument.contract.localSymbol}")
    if msg.formatDate not in (1, 2):
        raise invalid(f"Incorrect format of dates {msg.formatDate}: 1 or 2")
    first = session.gateway.market.head_timestamp(instrument)
    text = str(int(first)) if msg.formatDate == 2 else times.utc(first, session.version)
    session.send(m.HeadTimestamp(msg.reqId, text))


def req_histogram(session: Session, msg: m.ReqHistogramData) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    period = _PERIOD.fullmatch(msg.timePeriod.strip())
    if period is None or not int(period[1]):
        raise invalid(f"Incorrect time period {msg.timePeriod!r}: such as '3 days' or '1 week'")
    if instrument.prints is not Prints.TRADES:
        raise Refusal(10188, f"Failed to request histogram data:No trades of {instrument.contract.localSymbol}")
    span = int(period[1]) * _SECONDS[period[2].lower()]
    if span > LONGEST_HISTOGRAM_S:
        raise Refusal(10188, "Failed to request histogram data:Time length exceed max.")
    market = session.gateway.market
    start = max(session.now - span, market.head_timestamp(instrument))
    session.send(m.HistogramData(msg.tickerId, market.histogram(instrument, start, session.now, msg.useRTH)))


HANDLERS: Handlers = {
    m.ReqHistoricalTicks: req_historical_ticks,
    m.CancelHistoricalTicks: nothing,
    m.ReqHeadTimestamp: req_head_timestamp,
    m.CancelHeadTimestamp: nothing,
    m.ReqHistogramData: req_histogram,
    m.CancelHistogramData: nothing,
}
