"""Moments when something has to be done, as data: whoever drives the engine asks for the next one and comes back.

Must not know a clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """One thing to do at one moment."""

    __slots__ = ("fn", "when")

    def __init__(self, when: float, fn: Callable[[], object]) -> None:
        self.when = when
        self.fn: Callable[[], object] | None = fn

    def cancel(self) -> None:
        """Do nothing when the moment has come; harmless afterwards."""
        self.fn = None


class Timers:
    """Everything that has to be done some time, in order of its moment; the same moment: in order of asking."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()

    def at(self, when: float, fn: Callable[[], object]) -> Timer:
        """Have ``fn`` called at ``when`` (monotonic seconds)."""
        timer = Timer(when, fn)
        heapq.heappush(self._heap, (when, next(self._numbers), timer))
        return timer

    def next(self) -> float | None:
        """Return the next moment, None when there is nothing to do."""
        while self._heap and self._heap[0][2].fn is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Do what is due at ``now``; what is done may ask for more, and may call this again."""
        while (when := self.next()) is not None and when <= now:
            fn = heapq.heappop(self._heap)[2].fn
            if fn is not None:
                fn()

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
