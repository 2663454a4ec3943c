"""Bars that keep coming: real-time bars, and historical bars that are kept up to date.

A bar that is kept up to date comes again and again while it forms: the first time it is appended (a new bar;
the one before it is complete), then it replaces itself. Lists stay in the order of time.

Must not know how bars are asked for.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ibkit.engine.history import convert, position, tell
from ibkit.model import BarData, BarDataList, RealTimeBar
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers


def update(bars: BarDataList, bar: BarData) -> bool | None:
    """Take a bar into a list.

    Returns: True when it is a new bar, False when it replaced the last one, None when it tells nothing new.
    """
    if not bars:
        bars.append(bar)
        return True
    last = bars[-1]
    now, before = position(bar.date), position(last.date)
    if now > before:
        bars.append(bar)
        return True
    if now < before or bar == last:
        return None
    bars[-1] = bar
    return False


def historical_data_update(engine: Engine, msg: m.HistoricalDataUpdate) -> None:
    history = engine.state.history
    bars = history.bars.get(msg.reqId)
    if bars is None or msg.reqId in history.loading:  # the answer that is under way will hold this bar too
        return
    has_new_bar = update(bars, *convert(engine, [msg.bar]))
    if has_new_bar is not None:
        tell(engine, bars, has_new_bar)


def real_time_bars(engine: Engine, msg: m.RealTimeBars) -> None:
    bars = engine.state.history.real_time.get(msg.reqId)
    if bars is None:
        return
    bars.append(
        RealTimeBar(
            datetime.fromtimestamp(msg.time, engine.settings.defaults.timezone),
            -1,
            msg.open_,
            msg.high,
            msg.low,
            msg.close,
            msg.volume,
            msg.wap,
            msg.count_,
        )
    )
    tell(engine, bars, True)


REDUCERS: Reducers = {
    m.HistoricalDataUpdate: historical_data_update,
    m.RealTimeBars: real_time_bars,
}
