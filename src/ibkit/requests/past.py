"""What is sent for bars, ticks and schedules of the past, and for bars that keep coming.

What TWS would refuse for its form is refused here, before anything is sent, with what would be right. Must
not know what becomes of the answers; ``engine.history`` and ``engine.bars`` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, TypeAlias

from ibkit.dates import formatIBDatetime
from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.subscription import Subscription
from ibkit.errors import InvalidRequest, RequestError
from ibkit.events import interrupt
from ibkit.model import (
    BarDataList,
    Contract,
    HistogramData,
    HistoricalSchedule,
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    RealTimeBarList,
    TagValue,
)
from ibkit.requests import refusing
from ibkit.requests.base import DefaultNumber
from ibkit.requests.lenient import or_else
from ibkit.wire import messages as m

When: TypeAlias = datetime | date | str | None
HistoricalTicks: TypeAlias = list[HistoricalTick] | list[HistoricalTickBidAsk] | list[HistoricalTickLast]

BAR_SIZES: Final = (
    "1 secs", "5 secs", "10 secs", "15 secs", "30 secs",
    "1 min", "2 mins", "3 mins", "5 mins", "10 mins", "15 mins", "20 mins", "30 mins",
    "1 hour", "2 hours", "3 hours", "4 hours", "8 hours",
    "1 day", "1 week", "1 month",
)  # fmt: skip
WHAT_TO_SHOW: Final = (
    "TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST", "HISTORICAL_VOLATILITY",
    "OPTION_IMPLIED_VOLATILITY", "REBATE_RATE", "FEE_RATE", "YIELD_BID", "YIELD_ASK", "YIELD_BID_ASK",
    "YIELD_LAST", "AGGTRADES",
)  # fmt: skip
REAL_TIME_SHOWS: Final = ("TRADES", "MIDPOINT", "BID", "ASK")
TICK_SHOWS: Final = ("TRADES", "MIDPOINT", "BID_ASK", "AGGTRADES")

_OTHER_NAMES: Final = {"1 sec": "1 secs", "1W": "1 week", "1M": "1 month"}  # TWS takes these, too
_DURATION: Final = re.compile(r"[1-9]\d* [SDWMY]")
_CANCEL_TICKS_VERSION: Final = 215

HISTORY_S: Final = DefaultNumber(60)
"""Seconds to wait for bars, unless ``IB.RequestTimeout`` is shorter or another limit is given."""


# -- what is refused here ------------------------------------------------------------------------------------


def one_of(name: str, value: str, valid: Sequence[str], hint: str = "") -> str:
    if value not in valid:
        raise InvalidRequest(f"{name} {value!r} is not valid; valid are: {', '.join(valid)}{hint}")
    return value


def _bar_size(text: str) -> str:
    return one_of("barSizeSetting", _OTHER_NAMES.get(text, text), BAR_SIZES)


def _what_to_show(text: str) -> str:
    if text.upper() == "SCHEDULE":
        raise InvalidRequest("whatToShow 'SCHEDULE' has sessions as its answer: use reqHistoricalSchedule")
    return one_of("whatToShow", text.upper(), WHAT_TO_SHOW)


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text.upper()):
        raise InvalidRequest(
            f"durationStr {text!r} is not valid; valid is a whole number, a blank and one of S (seconds), D (days), "
            "W (weeks), M (months), Y (years), such as '1800 S', '1 D', '2 W', '6 M' or '1 Y'"
        )
    return text.upper()


# -- bars ----------------------------------------------------------------------------------------------------


def historical_data(
    engine: Engine,
    contract: Contract,
    end: When,
    duration: str,
    bar_size: str,
    what_to_show: str,
    use_rth: bool,
    format_date: int,
    keep_up_to_date: bool,
    options: list[TagValue],
    timeout: float,
) -> Call[BarDataList]:
    if keep_up_to_date and end:
        raise InvalidRequest(
            f"keepUpToDate bars end now, but endDateTime is {end!r}: leave endDateTime empty, or keepUpToDate off"
        )
    asked = (_bar_size(bar_size), _duration(duration), int(use_rth), _what_to_show(what_to_show))
    history = engine.state.history
    req_id = engine.next_id()
    bars = BarDataList()
    bars.reqId = req_id
    bars.contract = contract
    bars.endDateTime = end
    bars.durationStr = duration
    bars.barSizeSetting = bar_size
    bars.whatToShow = what_to_show
    bars.useRTH = use_rth
    bars.formatDate = format_date
    bars.keepUpToDate = keep_up_to_date
    bars.chartOptions = options
    message = m.ReqHistoricalData(
        req_id, contract, formatIBDatetime(end), *asked, format_date, keep_up_to_date, options
    )
    cancel = m.CancelHistoricalData(req_id)
    name = f"reqHistoricalData({contract}, {duration!r}, {bar_size!r}, {what_to_show!r})"
    if timeout is HISTORY_S and 0 < engine.request_timeout() < timeout:
        timeout = engine.request_timeout()
    call: Call[object] = engine.ask(message, key=req_id, name=name, contract=contract, cancel=cancel, timeout=timeout)
    history.bars[req_id] = bars
    if keep_up_to_date:
        history.loading.add(req_id)

        def on_error(engine: Engine, error: RequestError) -> None:
            history.drop(req_id)
            interrupt(bars, "updateEvent", error)

        engine.state.subscriptions[req_id] = Subscription(
            req_id,
            "historicalData",
            bars,
            message,
            cancel,
            on_error=on_error,
            on_restart=lambda: history.loading.add(req_id),
            contract=contract,
        )

    def settle(call: Call[object]) -> None:
        if call.error is not None or not keep_up_to_date:
            history.drop(req_id)
            engine.state.subscriptions.pop(req_id, None)

    call.add_done_callback(settle)
    return or_else(engine, call, bars).map(lambda _: bars)


def historical_schedule(
    engine: Engine, contract: Contract, num_days: int, end: When, use_rth: bool
) -> Call[HistoricalSchedule]:
    req_id = engine.next_id()
    message = m.ReqHistoricalData(
        req_id,
        contract,
        formatIBDatetime(end),
        "1 day",
        _duration(f"{num_days} D"),
        int(use_rth),
        "SCHEDULE",
        1,
        False,
        [],
    )
    refusing.check(message, engine.version)
    return engine.ask(
        message,
        key=req_id,
        name=f"reqHistoricalSchedule({contract}, {num_days})",
        contract=contract,
        cancel=m.CancelHistoricalData(req_id),
    )


def cancel_historical_data(engine: Engine, bars: BarDataList) -> bool:
    engine.state.history.drop(bars.reqId)
    return engine.unsubscribe(bars.reqId) is not None


def real_time_bars(
    engine: Engine,
    contract: Contract,
    bar_size: int,
    what_to_show: str,
    use_rth: bool,
    options: list[TagValue],
) -> RealTimeBarList:
    history = engine.state.history
    req_id = engine.next_id()
    bars = RealTimeBarList()
    bars.reqId = req_id
    bars.contract = contract
    bars.barSize = bar_size
    bars.whatToShow = what_to_show
    bars.useRTH = use_rth
    bars.realTimeBarsOptions = options

    def on_error(engine: Engine, error: RequestError) -> None:
        history.drop(req_id)
        interrupt(bars, "updateEvent", error)

    engine.subscribe(
        Subscription(
            req_id,
            "realTimeBars",
            bars,
            m.ReqRealTimeBars(req_id, contract, bar_size, what_to_show, use_rth, options),
            m.CancelRealTimeBars(req_id),
            on_error,
            contract=contract,
        )
    )
    history.real_time[req_id] = bars
    return bars


def cancel_real_time_bars(engine: Engine, bars: RealTimeBarList) -> bool:
    engine.state.history.drop(bars.reqId)
    return engine.unsubscribe(bars.reqId) is not None


# -- ticks and the rest --------------------------------------------------------------------------------------


def ticks_of(
    contract: Contract,
    start: When,
    end: When,
    number: int,
    what_to_show: str,
    use_rth: bool,
    ignore_size: bool,
    options: Sequence[TagValue],
) -> Callable[[Engine], Call[HistoricalTicks]]:
    """Check a request for ticks and return what sends it."""
    show = one_of("whatToShow", what_to_show.upper(), TICK_SHOWS)
    if bool(start) is bool(end):
        raise InvalidRequest(
            f"give one of startDateTime and endDateTime and leave the other empty; got {start!r} and {end!r}"
        )

    def send(engine: Engine) -> Call[HistoricalTicks]:
        req_id = engine.next_id()
        message = m.ReqHistoricalTicks(
            req_id,
            contract,
            formatIBDatetime(start),
            formatIBDatetime(end),
            number,
            show,
            int(use_rth),
            ignore_size,
            list(options or ()),
        )
        return engine.ask(
            message,
            key=req_id,
            name=f"reqHistoricalTicks({contract}, {show!r})",
            contract=contract,
            cancel=m.CancelHistoricalTicks(req_id) if engine.version >= _CANCEL_TICKS_VERSION else None,
        )

    return send


def head_timestamp(
    engine: Engine, contract: Contract, what_to_show: str, use_rth: bool, format_date: int
) -> Call[datetime]:
    req_id = engine.next_id()
    cancel = m.CancelHeadTimestamp(req_id)
    call: Call[datetime] = engine.ask(
        m.ReqHeadTimestamp(req_id, contract, int(use_rth), what_to_show, format_date),
        key=req_id,
        name=f"reqHeadTimeStamp({contract}, {what_to_show!r})",
        contract=contract,
        cancel=cancel,
    )

    def settle(call: Call[datetime]) -> None:
        if call.error is None:  # TWS counts the request as a running one until it is cancelled
            engine.send(cancel)

    call.add_done_callback(settle)
    return call


def histogram_data(engine: Engine, contract: Contract, use_rth: bool, period: str) -> Call[list[HistogramData]]:
    req_id = engine.next_id()
    return engine.ask(
        m.ReqHistogramData(req_id, contract, use_rth, period),
        key=req_id,
        name=f"reqHistogramData({contract}, {period!r})",
        contract=contract,
        cancel=m.CancelHistogramData(req_id),
    )
