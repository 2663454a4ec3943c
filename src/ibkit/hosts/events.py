"""What events need of the place where they run, as the hosts provide it: tasks, futures, timers.

Must not know connections beyond where they are held.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

from ibkit import clock as clocks
from ibkit.clock import Clock
from ibkit.errors import NotConnected
from ibkit.hosts import loops, station
from ibkit.hosts.station import here
from ibkit.hosts.timers import Timer

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("ibkit.event")


class Promise:
    """A future of the current loop that can be set from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self.future: asyncio.Future[Any] = loop.create_future()
        self._set = False

    def done(self) -> bool:
        """Tell whether it was set, or nobody awaits it any more."""
        return self._set or self.future.done()

    def set_result(self, result: Any) -> None:
        """End the waiting."""
        self._finish(lambda: self.future.set_result(result))

    def set_exception(self, exception: BaseException) -> None:
        """End the waiting with an exception."""
        self._finish(lambda: self.future.set_exception(exception))

    def _finish(self, finish: Callable[[], object]) -> None:
        self._set = True

        def now() -> None:
            if not self.future.done():
                finish()

        if threading.get_ident() == self._thread:
            now()
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(now)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.future.__await__()


class HostRuntime:
    """The runtime of programs that use hosts."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def spawn(self, awaitable: Awaitable[object]) -> asyncio.Task[object]:
        """Run ``awaitable`` in the running loop, or in the one that the blocking calls of this thread run."""

        async def run() -> object:
            return await awaitable

        task = current_loop().create_task(run())
        self._tasks.add(task)  # asyncio itself holds tasks weakly
        task.add_done_callback(self._ended)
        return task

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Wait for ``awaitable`` here and return its result."""
        from ibkit.hosts import waiting  # it makes the runtime

        return waiting.run(awaitable)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%r failed: %r", task, error, exc_info=error)

    def tasks(self) -> set[asyncio.Task[object]]:
        """Return what was spawned and has not ended."""
        return set(self._tasks)

    def future(self) -> Promise:
        """Return a pending future of the current loop."""
        promise = Promise(current_loop())
        me = here()
        me.enter()
        try:
            me.awaited.add(promise.future)
            promise.future.add_done_callback(me.awaited.discard)
        finally:
            me.leave()
        return promise

    def call_later(self, secs: float, fn: Callable[[], object]) -> Timer:
        """Call ``fn`` after ``secs`` seconds: here, or, if only other threads hold connections, in one of those."""
        me = here()
        timer = Timer(fn)
        if not me.held and station.connections:
            with contextlib.suppress(IndexError, NotConnected):  # closed meanwhile
                station.connections[-1].post(lambda: here().timers.add(here().now() + secs, timer))
                return timer
        me.enter()
        try:
            me.timers.add(me.now() + secs, timer)
        finally:
            me.leave()
        return timer

    def now(self) -> float:
        """Return monotonic seconds, simulated ones while this thread holds a simulated connection."""
        return here().now()

    def clock(self) -> Clock:
        """Return the clock of times of the day: a simulated one while this thread holds such a connection."""
        pumped = here().pumped
        return pumped[0].clock if pumped else clocks.default

    def post(self, fn: Callable[[], object]) -> None:
        """Call ``fn`` soon on the thread that holds the newest connection; without one, on the main thread."""
        with contextlib.suppress(IndexError, NotConnected):
            station.connections[-1].post(fn)
            return
        me = here()
        me.enter()  # has the loop that runs here watch for us
        me.leave()
        target = station.main or me
        target.posted.append(fn)
        target.wake()


def current_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs in this thread, or the one that blocking calls run."""
    return loops.running_loop() or here().home_loop.get()
