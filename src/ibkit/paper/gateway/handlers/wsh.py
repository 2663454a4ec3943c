"""The Wall Street Horizon calendar: event types, and made-up earnings dates by rule."""

from __future__ import annotations

import json
from datetime import date, timedelta

from ibkit.model.values import UNSET_INTEGER
from ibkit.paper.gateway import times
from ibkit.paper.gateway.handlers.base import Handlers, nothing
from ibkit.paper.gateway.refusal import Refusal
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import Standing
from ibkit.wire import messages as m

META = "wsh meta data"

_TYPES = {"wshe_ed": "Earnings Dates", "wshe_div": "Dividends", "wshe_cc": "Conference Calls"}
# The most TWS gives for one question.
_MOST = 100


def req_meta(session: Session, msg: m.ReqWshMetaData) -> None:
    if session.active(META):
        raise Refusal(10278, "Duplicate WSH metadata request")
    session.begin(META, msg.reqId, Standing())  # remembered: it has to come before events
    types = [{"name": name, "tag": tag} for tag, name in _TYPES.items()]
    session.send(m.WshMetaData(msg.reqId, json.dumps({"meta_data": {"event_types": types}})))


def cancel_meta(session: Session, msg: m.CancelWshMetaData) -> None:
    if not session.stop(META, msg.reqId):
        raise Refusal(10280, "Failed to cancel WSH metadata: there is no such request")


def req_events(session: Session, msg: m.ReqWshEventData) -> None:
    if not session.active(META):
        raise Refusal(10282, "WSH metadata was not requested")
    wanted = msg.wshEventData
    con_ids = [] if wanted.conId == UNSET_INTEGER else [wanted.conId]
    if wanted.filter:
        con_ids += _filtered(wanted.filter)
    if wanted.fillPortfolio:
        con_ids += [position.contract.conId for position in session.gateway.broker.positions()]
    limit = min(_MOST, wanted.totalLimit)
    today = times.today(session.now)
    first = _day(wanted.startDate, today)
    last = _day(wanted.endDate, first + timedelta(days=100))
    events = [event for con_id in dict.fromkeys(con_ids) for event in _earnings(session, con_id, first, last)]
    session.send(m.WshEventData(msg.reqId, json.dumps(events[:limit])))


def _filtered(text: str) -> list[int]:
    try:
        wanted = json.loads(text)
        return [int(con_id) for con_id in wanted.get("watchlist", [])]
    except (ValueError, AttributeError, TypeError) as error:
        raise Refusal(10283, f"Failed to request WSH events: the filter is no JSON object ({error})") from error


def _day(text: str, default: date) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if text else default
    except ValueError as error:
        raise Refusal(10283, f"Failed to request WSH events: {text!r} is no date (YYYYMMDD)") from error


def _earnings(session: Session, con_id: int, first: date, last: date) -> list[dict[str, object]]:
    """Earnings of a company: a day of its own in each January, April, July and October."""
    instrument = session.gateway.catalogue.by_con_id(con_id)
    if instrument is None or instrument.sec_type != "STK" or instrument.listing.stock_type == "ETF":
        return []
    found: list[dict[str, object]] = []
    for year in range(first.year, last.year + 1):
        for month in (1, 4, 7, 10):
            day = date(year, month, 15 + con_id % 14)
            day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
            if first <= day <= last:
                found.append(
                    {
                        "conid": con_id,
                        "event_type": "wshe_ed",
                        "data": {
                            "ticker": instrument.contract.symbol,
                            "company_name": instrument.listing.long_name,
                            "earnings_date": f"{day:%Y-%m-%d}",
                            "fiscal_quarter": f"Q{(month - 2) // 3 % 4 + 1}",
                            "time_of_day": "AFTER MARKET" if con_id % 2 else "BEFORE MARKET",
                        },
                    }
                )
    return found


HANDLERS: Handlers = {
    m.ReqWshMetaData: req_meta,
    m.CancelWshMetaData: cancel_meta,
    m.ReqWshEventData: req_events,
    m.CancelWshEventData: nothing,
}
