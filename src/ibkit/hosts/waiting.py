"""Waiting as users know it: run, sleep, schedule and their kin. Must not know requests or engines."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import logging
import math
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from ibkit import clock as clocks
from ibkit import dates
from ibkit.clock import Clock
from ibkit.hosts import loops, pump, station
from ibkit.hosts.beside import Aside, run_beside
from ibkit.hosts.events import HostRuntime, current_loop
from ibkit.hosts.station import Station, here
from ibkit.hosts.timers import Timer
from ibkit.links import socket as sockets
from ibkit.links.socket import SocketLink

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("ibkit")

runtime = HostRuntime()

GOODBYE_S = 1.0
"""Seconds that cancelled coroutines get to end."""

ROUNDING_S = 1e-5
"""Seconds by which steps may miss the end of a time range: moments have microseconds, and steps are floats."""


def run(*awaitables: Awaitable[Any], timeout: float | None = None) -> Any:
    """Run awaitables and return their results; without any, process messages until interrupted.

    Args:
        awaitables: coroutines, futures or events; one gives its result, several a list of results.
        timeout: seconds; TimeoutError when awaitables take longer, the end of a run without any. None waits
            for ever.

    Without awaitables, it ends by KeyboardInterrupt, SystemExit or ``loop.stop()``. It goes on when connections
    end, so that handlers, timers and other threads can connect again; in simulated time it ends when nothing
    will ever happen. Where a loop runs already (a notebook, a handler) it returns at once: messages are processed
    there anyway.

    With awaitables and inside a running loop, coroutines run in a thread of their own; everything else happens
    here meanwhile. ``await`` is better there.
    """
    me = here()
    if awaitables:
        names = ", ".join(getattr(each, "__qualname__", type(each).__name__) for each in awaitables)
        with me.wait(f"run({names})"):
            results = (run_beside if loops.running_loop() else _run_here)(me, awaitables, timeout)
        return results[0] if len(awaitables) == 1 else results
    if loops.running_loop() is None and not me.waits:
        with me.wait("run()"), contextlib.suppress(pump.DeadEnd):
            pump.wait(me, _LastConnection().note, timeout, stoppable=True)
    return None


class _LastConnection:
    """Notes when the last connection is gone."""

    def __init__(self) -> None:
        self._was = False

    def note(self) -> bool:
        if self._was and not station.connections:
            logger.info("no connection is open; run() goes on, in case the program connects again")
        self._was = bool(station.connections)
        return False


def _run_here(me: Station, awaitables: tuple[Awaitable[Any], ...], timeout: float | None) -> list[Any]:
    """Run the loop of this thread."""
    import asyncio

    loop = me.home_loop.get()
    futures = [asyncio.ensure_future(each, loop=loop) for each in awaitables]
    whole = asyncio.gather(*futures)
    me.awaited.add(whole)  # its callbacks are still to run when the last task has ended

    def stop(_: object) -> None:
        if me.watch is not None:
            me.watch.stop()

    whole.add_done_callback(stop)
    try:
        if pump.wait(me, whole.done, timeout, patient=True, runs_loop=True):
            return whole.result()
    finally:
        if not whole.done():
            whole.cancel()
            pump.wait(me, whole.done, GOODBYE_S, patient=True, runs_loop=True)
            if whole.done() and not whole.cancelled():
                whole.exception()  # asyncio complains about exceptions that nobody has looked at
    raise TimeoutError(f"it took longer than {timeout} s")


def sleep(secs: float = 0.02) -> bool:
    """Wait while messages are processed and events happen. Returns True."""
    me = here()
    with me.wait(f"sleep({secs:g})"):
        pump.wait(me, lambda: False, max(0.0, secs))
    return True


# -- times -------------------------------------------------------------------------------------------


def schedule(when: time | datetime, callback: Callable[..., object], *args: Any) -> Timer:
    """Call ``callback(*args)`` at a time (of today) or datetime; naive ones are local, past ones mean at once.

    Returns: a handle with ``cancel()``.
    """
    clock = _clock()
    epoch = dates.epoch_of(when, clock.time())

    def look() -> None:
        left = _secs_until(epoch, clock)
        if left > 0 and not handle.cancelled():  # the clock was changed meanwhile, or the machine slept
            runtime.call_later(left, look)
        else:
            handle.fire()

    handle = Timer(lambda: callback(*args))
    runtime.call_later(_secs_until(epoch, clock), look)
    return handle


def wait_until(t: time | datetime) -> bool:
    """Wait until a time (of today) or datetime, while messages are processed. Returns True."""
    clock = _clock()
    epoch = dates.epoch_of(t, clock.time())
    while (left := _secs_until(epoch, clock)) > 0:
        sleep(left)
    return True


async def wait_until_async(t: time | datetime) -> bool:
    """Wait until a time (of today) or datetime. Returns True."""
    clock = _clock()
    epoch = dates.epoch_of(t, clock.time())
    while (left := _secs_until(epoch, clock)) > 0:
        promise = runtime.future()
        timer = runtime.call_later(left, lambda promise=promise: promise.set_result(None))  # type: ignore[misc]
        try:
            await promise
        finally:
            timer.cancel()
    return True


def time_range(start: time | datetime, end: time | datetime, step: float) -> Iterator[datetime]:
    """Yield the times from ``start`` to ``end``, ``step`` seconds apart, each when it has come.

    Times that are over are left out. Raises ValueError when ``step`` is not positive.
    """
    moments = _moments(start, end, step)
    return (moment for moment in moments if wait_until(moment))


def time_range_async(start: time | datetime, end: time | datetime, step: float) -> AsyncIterator[datetime]:
    """Like ``time_range``, for ``async for``."""
    moments = _moments(start, end, step)

    async def each() -> AsyncIterator[datetime]:
        for moment in moments:
            await wait_until_async(moment)
            yield moment

    return each()


def _moments(start: time | datetime, end: time | datetime, step: float) -> Iterator[datetime]:
    if not step > 0:
        raise ValueError(f"the step of a time range must be more than 0 seconds, got {step!r}")
    now = _clock().time()
    first, last = dates.epoch_of(start, now), dates.epoch_of(end, now)
    zone = start.tzinfo if isinstance(start, datetime) else None
    skipped = max(0, math.ceil((now - first) / step))
    return (
        datetime.fromtimestamp(first + i * step, UTC).astimezone(zone)
        for i in itertools.takewhile(lambda i: first + i * step <= last + ROUNDING_S, itertools.count(skipped))
    )


def _clock() -> Clock:
    """Return the clock of times of the day: a simulated one while this thread holds such a connection."""
    pumped = here().pumped
    return pumped[0].clock if pumped else clocks.default


def _secs_until(epoch: float, clock: Clock) -> float:
    return max(0.0, epoch - clock.time()) / float(getattr(clock, "speed", 1.0))


# -- the rest ----------------------------------------------------------------------------------------


def get_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop that runs in this thread, or the one that blocking calls run."""
    return current_loop()


def use_qt(qt_lib: str = "PyQt5", period: float = 0.01) -> None:
    """Process the events of a Qt application every ``period`` seconds while something waits here.

    Raises ImportError when ``qt_lib`` is not installed, ValueError when it is none that is known.
    """
    known = ("PyQt5", "PyQt6", "PySide2", "PySide6")
    if qt_lib not in known:
        raise ValueError(f"unknown Qt library {qt_lib!r}: known are {', '.join(known)}")
    widgets = importlib.import_module(f"{qt_lib}.QtWidgets")
    application = widgets.QApplication.instance() or widgets.QApplication(sys.argv)

    def step() -> None:
        runtime.call_later(period, step)
        application.processEvents()

    step()


def connect_link(host: str, port: int, timeout: float | None = None) -> SocketLink:
    """Connect a socket, while the other connections of this thread are served.

    Args:
        host: name or address.
        port: its number.
        timeout: seconds; None or 0 for as long as the system takes.

    Raises ConnectionRefused when nobody answers there, NotConnected when ``host`` has no address.
    """
    me = here()
    if not me.held and not _has_tasks(me):
        return sockets.connect(host, port, timeout)
    with me.wait(f"connect({host}:{port})"):
        aside = Aside(lambda: sockets.connect(host, port, timeout), me.wake)
        pump.wait(me, aside.done, patient=True)
    return aside.result()


def _has_tasks(me: Station) -> bool:
    if "asyncio" not in sys.modules:
        return False
    import asyncio

    loop = None if loops.running_loop() else me.home_loop.find()
    return loop is not None and not loop.is_running() and bool(asyncio.all_tasks(loop))
