"""Moments when something has to be done, as data: whoever drives the engine asks for the next one and comes back.

Must not know a clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """One thing to do at one moment."""

    __slots__ = ("_timers", "fn", "when")

    def __init__(self, when: float, fn: Callable[[], object], timers: Timers) -> None:
        self.when = when
        self.fn: Callable[[], object] | None = fn
        self._timers = timers

    def cancel(self) -> None:
        """Do nothing when the moment has come; harmless afterwards."""
        if self.fn is not None:
            self.fn = None
            self._timers.cancelled()


class Timers:
    """Everything that has to be done some time, in order of its moment; the same moment: in order of asking."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._idle = 0  # cancelled ones in the heap, at most

    def at(self, when: float, fn: Callable[[], object]) -> Timer:
        """Have ``fn`` called at ``when`` (monotonic seconds)."""
        timer = Timer(when, fn, self)
        heapq.heappush(self._heap, (when, next(self._numbers), timer))
        return timer

    def cancelled(self) -> None:
        """Take note that one will do nothing: most deadlines are met, and they are not kept until they are over."""
        self._idle += 1
        if self._idle > 64 and self._idle * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].fn is not None]
            heapq.heapify(self._heap)
            self._idle = 0

    def next(self) -> float | None:
        """Return the next moment, None when there is nothing to do."""
        while self._heap and self._heap[0][2].fn is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Do what is due at ``now``; what is done may ask for more, and may call this again."""
        while (when := self.next()) is not None and when <= now:
            timer = heapq.heappop(self._heap)[2]
            fn, timer.fn = timer.fn, None
            if fn is not None:
                fn()

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
