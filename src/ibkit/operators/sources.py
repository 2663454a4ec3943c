"""Events that are fed by something that is no event: times, values, coroutines.

Timers and tasks are those of the installed runtime.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterable, Awaitable, Iterable, Iterator
from datetime import UTC, datetime, time
from typing import Any

from ibkit import clock, dates
from ibkit.events import Event
from ibkit.operators.op import Op
from ibkit.runtime import Timer, runtime


class Wait(Event):
    __slots__ = ()

    def __init__(self, future: Awaitable[Any], name: str = "wait") -> None:
        super().__init__(name)
        runtime().spawn(self._run(future))

    async def _run(self, future: Awaitable[Any]) -> None:
        try:
            result = await future
        except Exception as error:  # whatever was awaited failed: those who listen for errors are told
            self.error_event.emit(self, error)
        else:
            self.emit(result)
        self.set_done()


class Aiterate(Event):
    __slots__ = ()

    def __init__(self, ait: AsyncIterable[Any]) -> None:
        super().__init__("aiterate")
        runtime().spawn(self._run(ait))

    async def _run(self, ait: AsyncIterable[Any]) -> None:
        try:
            async for value in ait:
                self.emit(value)
        except Exception as error:  # whatever was iterated over failed: those who listen for errors are told
            self.error_event.emit(self, error)
        self.set_done()


class Sequence(Event):
    """Emits values at times; the first is emitted after the caller had the time to connect listeners."""

    __slots__ = ("_start", "_steps", "_timer")

    def __init__(
        self,
        values: Iterable[Any],
        interval: float = 0,
        times: Iterable[float] | None = None,
        first: float = 0,
    ) -> None:
        super().__init__("sequence")
        moments = itertools.count(first, interval) if times is None else iter(times)
        self._steps: Iterator[tuple[Any, float]] = zip(values, moments, strict=False)
        self._start = runtime().now()
        self._timer: Timer | None = None
        self._schedule()

    def _schedule(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self.set_done()
            return
        value, moment = step
        delay = max(0.0, self._start + moment - runtime().now())
        self._timer = runtime().call_later(delay, lambda: self._fire(value))

    def _fire(self, value: Any) -> None:
        self.emit(value)
        self._schedule()


def ticks(interval: float, count: int | None) -> Iterator[float]:
    """Yield interval, 2 * interval, ...; ``count`` of them or for ever."""
    numbers = itertools.count(1) if count is None else range(1, count + 1)
    return (n * interval for n in numbers)


def marble(s: str, interval: float = 0, times: Iterable[float] | None = None) -> Op:
    """Make the source of a marble diagram; see ``Event.marble``."""
    characters = Sequence(s.replace("_", ""), interval, times)
    return characters.filter(lambda c: c not in "- ").takewhile(lambda c: c != "|")


class Timerange(Event):
    __slots__ = ("_clock", "_end", "_step", "_time", "_timer")

    def __init__(
        self,
        start: time | datetime | float = 0,
        end: time | datetime | float | None = None,
        step: float = 1,
    ) -> None:
        super().__init__("timerange")
        if not step > 0:
            raise ValueError(f"the step of a time range must be more than 0 seconds, got {step!r}")
        self._clock = runtime().clock()
        now = self._clock.time()
        self._time = dates.epoch_of(start, now)
        self._end = None if end is None else dates.epoch_of(end, now)
        self._step = step
        while self._time < now:
            self._time += step
        self._timer: Timer | None = None
        self._wait()

    def _wait(self) -> None:
        if self._end is not None and self._time > self._end:
            self.set_done()
            return
        self._timer = runtime().call_later(clock.seconds_until(self._time, self._clock), self._tick)

    def _tick(self) -> None:
        if self._clock.time() >= self._time:  # else woken early, or the clock was changed: wait for the rest
            moment = datetime.fromtimestamp(self._time, UTC).astimezone()
            self._time += self._step
            self.emit(moment)
        self._wait()
