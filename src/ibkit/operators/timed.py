"""Operators that take time, or run coroutines.

Timers and tasks are those of the installed runtime.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ibkit.emitter import Emitter
from ibkit.events import Event
from ibkit.operators.op import Op
from ibkit.runtime import Timer, runtime


class Delay(Op):
    def __init__(self, delay: float, source: Emitter | None = None) -> None:
        self._delay = delay
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        runtime().call_later(self._delay, lambda: self.emit(*args))

    def on_source_error(self, source: Emitter, error: BaseException) -> None:
        runtime().call_later(self._delay, lambda: self.error_event.emit(source, error))

    def on_source_done(self, source: Emitter) -> None:
        runtime().call_later(self._delay, self.end)


class Timeout(Op):
    def __init__(self, timeout: float, source: Emitter | None = None) -> None:
        self._timeout = timeout
        self._timer: Timer | None = None
        super().__init__(source)
        if not self.done():
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = runtime().call_later(self._timeout, self._late)

    def _late(self) -> None:
        self.emit()
        self.end()

    def on_source(self, *args: Any) -> None:
        self._arm()  # what comes is not passed on, as in eventkit: a timeout tells of silence alone

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().end()


class Debounce(Op):
    def __init__(self, interval: float, on_first: bool = False, source: Emitter | None = None) -> None:
        self._delay = interval
        self._on_first = on_first
        self._timer: Timer | None = None
        self._held: tuple[Any, ...] | None = None
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        quiet = self._timer is None
        if self._timer is not None:
            self._timer.cancel()
        self._timer = runtime().call_later(self._delay, self._flush)
        if not self._on_first:
            self._held = args
        elif quiet:
            self.emit(*args)

    def _flush(self) -> None:
        self._timer = None
        if self._held is not None:
            args, self._held = self._held, None
            self.emit(*args)

    def on_source_done(self, source: Emitter) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._flush()
        self.end()


class Throttle(Op):
    """``status_event`` emits True when emissions begin to wait and False when none waits any more."""

    status_event: Event

    def __init__(
        self,
        maximum: float,
        interval: float,
        cost_func: Callable[..., float] | None = None,
        source: Emitter | None = None,
    ) -> None:
        self.status_event = Event("status")
        self._maximum = maximum
        self._interval = interval
        self._cost_func = cost_func
        self._queue: deque[tuple[tuple[Any, ...], float]] = deque()
        self._spent: deque[tuple[float, float]] = deque()  # (when, cost) within the last interval
        self._timer: Timer | None = None
        self._source_done = False
        super().__init__(source)

    def set_limit(self, maximum: float, interval: float) -> None:
        """Change the limit for what comes next."""
        self._maximum = maximum
        self._interval = interval

    def on_source(self, *args: Any) -> None:
        self._queue.append((args, self._cost_func(*args) if self._cost_func else 1))
        if self._timer is None:
            self._send()

    def on_source_done(self, source: Emitter) -> None:
        self._source_done = True
        if not self._queue:
            self.end()

    def _send(self) -> None:
        was_waiting = self._timer is not None
        self._timer = None
        while self._queue:
            now = runtime().now()
            while self._spent and self._spent[0][0] <= now - self._interval:
                self._spent.popleft()
            args, cost = self._queue[0]
            # One that alone costs more than the maximum goes when nothing else was sent.
            if self._maximum and self._spent and sum(c for _, c in self._spent) + cost > self._maximum:
                self._timer = runtime().call_later(self._spent[0][0] + self._interval - now, self._send)
                break
            self._queue.popleft()
            self._spent.append((now, cost))
            self.emit(*args)
        is_waiting = self._timer is not None
        if is_waiting != was_waiting:
            self.status_event.emit(is_waiting)
        if self._source_done and not self._queue:
            self.end()


class Sample(Op):
    def __init__(self, timer: Emitter, source: Emitter | None = None) -> None:
        self._latest: tuple[Any, ...] | None = None
        super().__init__(source)
        timer.connect(self._on_timer, done=self.on_source_done, keep_ref=True)

    def on_source(self, *args: Any) -> None:
        self._latest = args

    def _on_timer(self, *args: Any) -> None:
        if self._latest is not None:
            self.emit(*self._latest)


class Map(Op):
    """Results of coroutines come in the order of their emissions unless ``ordered`` is False."""

    def __init__(
        self,
        func: Callable[..., Any],
        timeout: float | None = None,
        ordered: bool = True,
        task_limit: int | None = None,
        source: Emitter | None = None,
    ) -> None:
        self._func = func
        self._timeout = timeout
        self._ordered = ordered
        self._limit = task_limit
        self._waiting: deque[tuple[list[Any], Awaitable[Any]]] = deque()
        self._running = 0
        self._results: deque[list[Any]] = deque()  # in the order of the emissions: [] until it is there
        self._source_done = False
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        result = self._func(*args)
        if not hasattr(result, "__await__"):
            self.emit(result)
            return
        place: list[Any] = []
        if self._ordered:
            self._results.append(place)
        self._waiting.append((place, result))
        self._start()

    def on_source_done(self, source: Emitter) -> None:
        self._source_done = True
        if not self._running and not self._waiting:
            self.end()

    def _start(self) -> None:
        while self._waiting and (self._limit is None or self._running < self._limit):
            self._running += 1
            runtime().spawn(self._run(*self._waiting.popleft()))

    async def _run(self, place: list[Any], awaitable: Awaitable[Any]) -> None:
        try:
            result = await self._bounded(awaitable)
        except Exception as error:  # whatever the user's coroutine raised goes to those who listen for errors
            if self._ordered:
                self._results.remove(place)
            self.error_event.emit(self, error)
        else:
            if self._ordered:
                place.append(result)
            else:
                self.emit(result)
        self._running -= 1
        while self._results and self._results[0]:
            self.emit(*self._results.popleft())
        self._start()
        if self._source_done and not self._running:
            self.end()

    async def _bounded(self, awaitable: Awaitable[Any]) -> Any:
        """Await with the timeout; the coroutine itself goes on when it is too slow."""
        if not self._timeout:
            return await awaitable
        promise = runtime().future()

        async def watch() -> None:
            try:
                result = await awaitable
            except Exception as error:  # handed on to whoever waits for the promise
                if not promise.done():
                    promise.set_exception(error)
            else:
                if not promise.done():
                    promise.set_result(result)

        def late() -> None:
            if not promise.done():
                promise.set_exception(TimeoutError(f"no result within {self._timeout} s"))

        timer = runtime().call_later(self._timeout, late)
        runtime().spawn(watch())
        try:
            return await promise
        finally:
            timer.cancel()
