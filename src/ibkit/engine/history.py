"""Historical data: answers about the past, and the bar lists that are kept up to date from then on.

Below server version 196 the bars themselves end the answer, from 196 on a message of its own does. Bars that
are asked for again, after the broker or the connection has lost the subscription, replace what they overlap
in the list the user holds, so that the gap is filled.

Must not know how the data is asked for; what happens to a list afterwards is in ``engine.bars``.
"""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, tzinfo
from typing import TYPE_CHECKING

from ibkit import dates
from ibkit.engine import ticks
from ibkit.engine.ticktypes import TICK_BY_TICK
from ibkit.events import fire, made
from ibkit.model import (
    BarData,
    BarDataList,
    HistoricalSchedule,
    HistoricalTick,
    HistoricalTickBidAsk,
    HistoricalTickLast,
    RealTimeBarList,
)
from ibkit.model.records import field, record
from ibkit.wire import messages as m
from ibkit.wire.messages.rows import Bars

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

# The version from which HISTORICAL_DATA_END ends the answer.
END_MESSAGE = 196


@record
class History:
    """The bar lists that are being loaded or kept up to date, by request id."""

    bars: dict[int, BarDataList] = field(default_factory=dict)
    loading: set[int] = field(default_factory=set)
    """Those of ``bars`` whose answer has not ended."""
    arrived: dict[int, list[BarData]] = field(default_factory=dict)
    """Bars of answers that have not ended."""
    real_time: dict[int, RealTimeBarList] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget all lists; the users' own stay as they are, iterations over their events end."""
        self.end_subscriptions()

    def end_subscriptions(self) -> None:
        """Forget all lists; iterations over their events end."""
        lists: list[BarDataList | RealTimeBarList] = [*self.bars.values(), *self.real_time.values()]
        for each in (self.bars, self.loading, self.arrived, self.real_time):
            each.clear()
        for bars in lists:
            if (event := made(bars, "updateEvent")) is not None:
                event.set_done()

    def forget_connection(self) -> None:
        """Drop what was under way; subscribed lists are asked for again on the next connection."""
        self.arrived.clear()

    def drop(self, req_id: int) -> None:
        """Load or update a list no more; harmless when it is over already."""
        self.bars.pop(req_id, None)
        self.arrived.pop(req_id, None)
        self.real_time.pop(req_id, None)
        self.loading.discard(req_id)


# -- bars ----------------------------------------------------------------------------------------------------


def convert(engine: Engine, rows: Sequence[m.BarRow]) -> list[BarData]:
    """Make bars of rows; a date and time without a zone is in the zone of TWS. Raises ValueError."""
    moments, *values = rows.columns if isinstance(rows, Bars) else zip(*rows, strict=True) if rows else [()]
    with collector_paused():
        bars = list(map(BarData, dates.parse_column(moments), *values))
    if bars and isinstance(first := bars[0].date, datetime) and first.tzinfo is None:
        zone = engine.zone_of_tws()
        for bar in bars:
            if isinstance(bar.date, datetime):
                bar.date = aware(bar.date, zone)
    return bars


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the cyclic garbage collector from looking at new objects again and again while there come ever more."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def aware(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return ``moment`` as an aware time in ``zone``; None is the zone of this machine."""
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def position(moment: date | datetime) -> float:
    """Return a number that orders the dates of bars, be they days or moments."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    return datetime.combine(moment, time(), UTC).timestamp()


def merge(bars: list[BarData], loaded: Sequence[BarData]) -> bool:
    """Put freshly loaded bars into a list in place of those they overlap; tell whether the last one is new."""
    if not loaded:
        return False
    is_new = not bars or position(loaded[-1].date) > position(bars[-1].date)
    begin = bisect_left(bars, position(loaded[0].date), key=lambda bar: position(bar.date))
    end = bisect_left(bars, position(loaded[-1].date), begin, key=lambda bar: position(bar.date))
    if end < len(bars) and bars[end].date == loaded[-1].date:
        end += 1
    bars[begin:end] = loaded
    return is_new


def historical_data(engine: Engine, msg: m.HistoricalData) -> None:
    history = engine.state.history
    if msg.reqId not in history.bars:
        return
    bars = convert(engine, msg.bars)
    if msg.reqId in history.arrived:
        history.arrived[msg.reqId] += bars
    else:
        history.arrived[msg.reqId] = bars
    if engine.version < END_MESSAGE:
        _loaded(engine, msg.reqId)


def historical_data_end(engine: Engine, msg: m.HistoricalDataEnd) -> None:
    _loaded(engine, msg.reqId)


def _loaded(engine: Engine, req_id: int) -> None:
    history = engine.state.history
    bars = history.bars.get(req_id)
    if bars is None:
        return
    history.loading.discard(req_id)
    arrived = history.arrived.pop(req_id, [])
    if not bars:  # the usual case, and no list that users hold may have its bars checked and sorted
        bars.extend(arrived)
        if engine.calls.finish(req_id, bars):
            return
        has_new_bar = bool(arrived)
    else:
        has_new_bar = merge(bars, arrived)
    if arrived:
        tell(engine, bars, has_new_bar)


def tell(engine: Engine, bars: BarDataList | RealTimeBarList, has_new_bar: bool) -> None:
    """Emit that a list has changed."""
    engine.events.barUpdateEvent.emit(bars, has_new_bar)
    fire(bars, "updateEvent", bars, has_new_bar)


# -- ticks and the rest --------------------------------------------------------------------------------------


def historical_ticks(engine: Engine, msg: m.HistoricalTicks) -> None:
    zone = engine.settings.defaults.timezone
    if not _into_stream(engine, msg):
        for row in msg.ticks:
            time = datetime.fromtimestamp(row.time, zone)
            engine.calls.add(msg.reqId, HistoricalTick(time, row.price, row.size))
    _end_of_ticks(engine, msg)


def historical_ticks_bid_ask(engine: Engine, msg: m.HistoricalTicksBidAsk) -> None:
    zone = engine.settings.defaults.timezone
    if not _into_stream(engine, msg):
        for row in msg.ticks:
            time = datetime.fromtimestamp(row.time, zone)
            attrib = ticks.BID_ASK_ATTRIBS[row.bidPastLow, row.askPastHigh]
            engine.calls.add(
                msg.reqId,
                HistoricalTickBidAsk(time, attrib, row.priceBid, row.priceAsk, row.sizeBid, row.sizeAsk),
            )
    _end_of_ticks(engine, msg)


def historical_ticks_last(engine: Engine, msg: m.HistoricalTicksLast) -> None:
    zone = engine.settings.defaults.timezone
    if not _into_stream(engine, msg):
        for row in msg.ticks:
            time = datetime.fromtimestamp(row.time, zone)
            attrib = ticks.LAST_ATTRIBS[row.pastLimit, row.unreported]
            engine.calls.add(
                msg.reqId,
                HistoricalTickLast(time, attrib, row.price, row.size, row.exchange, row.specialConditions),
            )
    _end_of_ticks(engine, msg)


_Ticks = m.HistoricalTicks | m.HistoricalTicksBidAsk | m.HistoricalTicksLast


def _into_stream(engine: Engine, msg: _Ticks) -> bool:
    """Put the past ticks that a tick-by-tick stream begins with into its ticker."""
    feed = engine.state.market.feeds.get(msg.reqId)
    if feed is None:
        return False
    for row in msg.ticks:
        ticks.add_tick_by_tick(engine, feed, TICK_BY_TICK.get(feed.kind(msg.reqId), 0), row)
    return True


def _end_of_ticks(engine: Engine, msg: _Ticks) -> None:
    if msg.done:
        engine.calls.finish(msg.reqId)


def head_timestamp(engine: Engine, msg: m.HeadTimestamp) -> None:
    moment = dates.parseIBDatetime(msg.headTimestamp)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    elif moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    engine.calls.finish(msg.reqId, moment)


def histogram_data(engine: Engine, msg: m.HistogramData) -> None:
    engine.calls.finish(msg.reqId, msg.items)


def historical_schedule(engine: Engine, msg: m.HistoricalSchedule) -> None:
    schedule = HistoricalSchedule(msg.startDateTime, msg.endDateTime, msg.timeZone, msg.sessions)
    engine.calls.finish(msg.reqId, schedule)


REDUCERS: Reducers = {
    m.HistoricalData: historical_data,
    m.HistoricalDataEnd: historical_data_end,
    m.HistoricalTicks: historical_ticks,
    m.HistoricalTicksBidAsk: historical_ticks_bid_ask,
    m.HistoricalTicksLast: historical_ticks_last,
    m.HeadTimestamp: head_timestamp,
    m.HistogramData: histogram_data,
    m.HistoricalSchedule: historical_schedule,
}
