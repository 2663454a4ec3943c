"""Helpers for users: tables and plots, waiting, logging, dates and numbers.

The functions that wait serve every connection of the process; they are those of hosts/. pandas and
matplotlib are optional and imported when a function needs them. Must not know requests or the engine.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ibkit import clock
from ibkit.dates import formatIBDatetime, parseIBDatetime
from ibkit.events import Event
from ibkit.model import (
    EPOCH,
    UNSET_DOUBLE,
    UNSET_INTEGER,
    DynamicObject,
    dataclassAsDict,
    dataclassAsTuple,
    dataclassNonDefaults,
    dataclassRepr,
    dataclassUpdate,
)
from ibkit.model.records import fields_of

if TYPE_CHECKING:
    import asyncio
    from types import ModuleType

    import pandas as pd
    from matplotlib.figure import Figure

__all__ = [
    "EPOCH",
    "UNSET_DOUBLE",
    "UNSET_INTEGER",
    "allowCtrlC",
    "barplot",
    "dataclassAsDict",
    "dataclassAsTuple",
    "dataclassNonDefaults",
    "dataclassRepr",
    "dataclassUpdate",
    "df",
    "formatIBDatetime",
    "formatSI",
    "getLoop",
    "globalErrorEvent",
    "isNan",
    "isnamedtupleinstance",
    "logToConsole",
    "logToFile",
    "parseIBDatetime",
    "patchAsyncio",
    "run",
    "schedule",
    "sleep",
    "startLoop",
    "timeRange",
    "timeRangeAsync",
    "timeit",
    "tree",
    "useQt",
    "waitUntil",
    "waitUntilAsync",
]

Time_t: TypeAlias = time | datetime
"""A moment for the functions that wait: a time means today."""

globalErrorEvent: Final = Event("globalErrorEvent")
"""Emits the ConnectionError of every connection that breaks.

It only tells: no other connection is disturbed.
"""


# -- tables and trees --------------------------------------------------------------------------------


def df(objs: Iterable[Any], labels: Iterable[str] | None = None) -> pd.DataFrame | None:
    """Make a pandas DataFrame of records: bars, ticks, positions, account values, trades, ...

    Args:
        objs: objects of one kind (data classes, named tuples, scanner or fundamental objects), or
            anything pandas takes row by row.
        labels: the columns to keep; all when not given.

    Returns: a DataFrame with one row for each object, or None when there are no objects.

    Raises ImportError when pandas is not installed.

    >>> from ibkit import BarData, util
    >>> util.df([BarData(close=1.5), BarData(close=1.6)])[['close']]
       close
    0    1.5
    1    1.6
    """
    rows = list(objs)
    if not rows:
        return None
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("util.df needs pandas: pip install 'ibkit[pandas]'") from error
    first = rows[0]
    if hasattr(first, "__dataclass_fields__"):
        names = list(fields_of(type(first)))
    elif isnamedtupleinstance(first):
        names = list(first._fields)
    else:
        frame = pd.DataFrame.from_records([vars(row) for row in rows] if isinstance(first, DynamicObject) else rows)
        return frame if labels is None else frame[[c for c in frame if c in set(labels)]]
    if labels is not None:
        wanted = set(labels)
        names = [name for name in names if name in wanted]
    columns = {name: list(map(attrgetter(name), rows)) for name in names}
    return pd.DataFrame({name: _fast_column(pd, values) for name, values in columns.items()})


def _fast_column(pd: ModuleType, values: list[Any]) -> Any:
    """Return what pandas makes of values, sooner: whole seconds in one time zone are converted all at once."""
    if type(values[0]) is not datetime or len(values) < 100 or set(map(type, values)) != {datetime}:
        return values
    kind = pd.Series(values[:1]).dtype
    if not isinstance(kind, pd.DatetimeTZDtype) or len({value.tzinfo for value in values}) > 1:
        return values
    stamps = pd.Series(list(map(datetime.timestamp, values)))
    seconds = stamps.astype("int64")
    if (seconds != stamps).any() or (abs(seconds) > 9e9).any():  # fractions; beyond what nanoseconds can count
        return values
    moments = seconds.astype("datetime64[s]").astype(f"datetime64[{kind.unit}]")
    return moments.dt.tz_localize("UTC").dt.tz_convert(kind.tz)


def tree(obj: object) -> Any:
    """Return ``obj`` as nested dicts, lists, texts and numbers, fit for ``json.dumps``.

    A data class becomes ``{class name: {field: value}}`` with the fields that differ from their default,
    a named tuple a dict, dates their ISO text, anything unknown its ``str``.

    Args:
        obj: anything.

    >>> from ibkit import Stock, util
    >>> util.tree(Stock('AAPL', 'SMART', 'USD'))
    {'Stock': {'secType': 'STK', 'symbol': 'AAPL', 'exchange': 'SMART', 'currency': 'USD'}}
    """
    if obj is None or isinstance(obj, bool | int | float | str | bytes):
        return obj
    if isinstance(obj, date | time):
        return obj.isoformat()
    if isinstance(obj, dict):
        return {key: tree(value) for key, value in obj.items()}
    if isnamedtupleinstance(obj):
        return {name: tree(getattr(obj, name)) for name in obj._fields}  # type: ignore[attr-defined]  # checked
    if isinstance(obj, list | tuple | set | frozenset):
        return [tree(value) for value in obj]
    if hasattr(type(obj), "__dataclass_fields__"):
        return {type(obj).__qualname__: tree(dataclassNonDefaults(obj))}
    return str(obj)


def isnamedtupleinstance(x: object) -> bool:
    """Tell whether ``x`` is an instance of a named tuple."""
    return isinstance(x, tuple) and isinstance(getattr(type(x), "_fields", None), tuple)


def barplot(bars: Iterable[Any], title: str = "", upColor: str = "blue", downColor: str = "red") -> Figure:
    """Draw candles of bars: historical, real-time, or bars of ticks.

    Args:
        bars: objects with open (or open_), high, low, close and date (or time), or a DataFrame with such
            columns.
        title: text above the plot.
        upColor: color of bars that close higher than they open.
        downColor: color of the other bars.

    Raises ImportError when matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("util.barplot needs matplotlib: pip install 'ibkit[plot]'") from error
    if hasattr(bars, "itertuples"):
        bars = bars.itertuples()  # pyright: ignore[reportAttributeAccessIssue]  # a DataFrame
    rows = [
        (
            getattr(bar, "date", None) or getattr(bar, "time", None),
            bar.open_ if hasattr(bar, "open_") else bar.open,
            bar.high,
            bar.low,
            bar.close,
        )
        for bar in bars
    ]
    figure, axes = pyplot.subplots(figsize=(10, 6))
    x = range(len(rows))
    colors = [upColor if close > open_ else downColor for _, open_, _, _, close in rows]
    if rows:
        axes.vlines(x, [row[3] for row in rows], [row[2] for row in rows], colors=colors, linewidth=1)
        bottoms = [min(row[1], row[4]) for row in rows]
        heights = [abs(row[4] - row[1]) for row in rows]
        axes.bar(x, heights, bottom=bottoms, width=0.6, color=colors)
    ticks = sorted({round(i * (len(rows) - 1) / 6) for i in range(7)}) if rows else []
    intraday = any(isinstance(row[0], datetime) for row in rows)
    form = "%Y-%m-%d\n%H:%M" if intraday else "%Y-%m-%d"
    moments = [rows[i][0] for i in ticks]
    axes.set_xticks(ticks, ["" if moment is None else moment.strftime(form) for moment in moments])
    axes.set_title(title)
    axes.grid(True, alpha=0.3)
    figure.tight_layout()
    return figure


# -- logging -----------------------------------------------------------------------------------------


def logToFile(path: str, level: int = logging.INFO) -> None:
    """Write log messages from ``level`` on to a file, in addition to where they go already."""
    _log_to(logging.FileHandler(path), level)


def logToConsole(level: int = logging.INFO) -> None:
    """Write log messages from ``level`` on to the console (standard error); twice does not print twice."""
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler and handler.stream is sys.stderr:
            logging.getLogger("ibkit").setLevel(level)
            return
    _log_to(logging.StreamHandler(), level)


def _log_to(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    # Where the program has set up logging itself, only the level of this library is touched.
    (logging.getLogger("ibkit") if root.handlers else root).setLevel(level)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    root.addHandler(handler)


# -- numbers -----------------------------------------------------------------------------------------


def isNan(x: float) -> bool:
    """Tell whether ``x`` is not a number."""
    return x != x


def formatSI(n: float) -> str:
    """Format with an SI prefix and three digits.

    12345 is '12.3 k', 0.0012 is '1.20 m', an int below 1000 '12 '.
    """
    if n != n or math.isinf(n):
        return f"{n} "
    sign, n = ("-", -n) if n < 0 else ("", n)
    if n < 1e-24:
        return f"{sign}0 " if isinstance(n, int) else f"{sign}0.00 "
    if isinstance(n, int) and n < 1000:
        return f"{sign}{n} "
    digits, exponent = f"{n:.2e}".split("e")
    group, shift = divmod(int(exponent), 3)
    group = min(group, 8)
    number = float(digits) * 10 ** (int(exponent) - 3 * group)
    prefix = "yzafpnum kMGTPEZY"[group + 8].strip()
    return f"{sign}{number:.{max(0, 2 - shift)}f} {prefix}"


@contextmanager
def timeit(title: str = "Run") -> Iterator[None]:
    """Print how long a with block took."""
    real = clock.SystemClock()
    start = real.monotonic()
    yield
    print(f"{title} took {formatSI(real.monotonic() - start)}s")


# -- waiting -----------------------------------------------------------------------------------------
# The implementations are in hosts/, imported on first use: they bring asyncio with them.


def run(*awaitables: Awaitable[Any], timeout: float | None = None) -> Any:
    """Run awaitables and return their results; without any, process messages until interrupted.

    Args:
        *awaitables: coroutines, futures or events; one gives its result, several a list of results.
        timeout: seconds; TimeoutError when they take longer. None waits for ever.

    Returns: the result or results, None without awaitables.

    >>> ib.run(ib.reqCurrentTimeAsync(), ib.reqManagedAcctsAsync())
    [datetime.datetime(2024, 1, 10, 15, 0, tzinfo=datetime.timezone.utc), ['DU1234567']]
    """
    from ibkit import hosts

    return hosts.run(*awaitables, timeout=timeout)


def sleep(secs: float = 0.02) -> bool:
    """Wait while messages are processed and events happen; use it instead of ``time.sleep``.

    Args:
        secs: how long.

    Returns True.

    >>> ticker = ib.reqMktData(Forex('EURUSD'))
    >>> ib.sleep(2)
    True
    >>> ticker.hasBidAsk()
    True
    """
    from ibkit import hosts

    return hosts.sleep(secs)


def schedule(time: time | datetime, callback: Callable[..., object], *args: Any) -> Any:
    """Call ``callback(*args)`` at a time while messages are processed.

    Args:
        time: a time (of today) or datetime; naive ones are local, past ones mean at once.
        callback: a function.
        *args: its arguments.

    Returns: a handle with ``cancel()``.

    >>> from datetime import timedelta
    >>> handle = ib.schedule(ib.reqCurrentTime() + timedelta(seconds=5), print, 'five seconds later')
    >>> ib.sleep(6)
    five seconds later
    True
    """
    from ibkit import hosts

    return hosts.schedule(time, callback, *args)


def waitUntil(t: time | datetime) -> bool:
    """Wait until a time, while messages are processed.

    Args:
        t: a time (of today) or datetime; naive ones are local.

    Returns True.

    >>> from datetime import timedelta
    >>> ib.waitUntil(ib.reqCurrentTime() + timedelta(minutes=5))
    True
    >>> f'{ib.reqCurrentTime():%X}'
    '15:05:00'
    """
    from ibkit import hosts

    return hosts.wait_until(t)


async def waitUntilAsync(t: time | datetime) -> bool:
    """Wait like ``waitUntil``, and let the loop go on. Returns True."""
    from ibkit import hosts

    return await hosts.wait_until_async(t)


def timeRange(start: time | datetime, end: time | datetime, step: float) -> Iterator[datetime]:
    """Yield times that are ``step`` seconds apart, each when it has come.

    Args:
        start: a time (of today) or datetime; naive ones are local. Times that are over are left out.
        end: the last time at the latest.
        step: seconds.

    Raises ValueError when ``step`` is not positive.

    >>> from datetime import timedelta
    >>> start = ib.reqCurrentTime()
    >>> [f'{t:%X}' for t in ib.timeRange(start, start + timedelta(minutes=10), step=300)]
    ['15:00:00', '15:05:00', '15:10:00']
    """
    from ibkit import hosts

    return hosts.time_range(start, end, step)


def timeRangeAsync(start: time | datetime, end: time | datetime, step: float) -> AsyncIterator[datetime]:
    """Yield times like ``timeRange``, for ``async for``."""
    from ibkit import hosts

    return hosts.time_range_async(start, end, step)


def getLoop() -> asyncio.AbstractEventLoop:
    """Return the event loop that runs in this thread, or the one the library would run awaitables in."""
    from ibkit import hosts

    return hosts.get_loop()


def startLoop() -> None:
    """Do nothing: blocking calls work in notebooks as they are, and asyncio is not patched."""


def patchAsyncio() -> None:
    """Do nothing: blocking calls work inside a running loop as they are, and asyncio is not patched."""


def allowCtrlC() -> None:
    """Do nothing: Ctrl-C interrupts every blocking call as it is."""


def useQt(qtLib: str = "PyQt5", period: float = 0.01) -> None:
    """Run a Qt application beside the library: its events are processed every ``period`` seconds.

    Args:
        qtLib: PyQt5, PyQt6, PySide2 or PySide6.
        period: seconds.

    Raises ImportError when ``qtLib`` is not installed, ValueError when it is none of the four.
    """
    from ibkit import hosts

    hosts.use_qt(qtLib, period)
