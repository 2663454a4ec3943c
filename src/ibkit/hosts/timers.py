"""Callbacks that are due at a moment. Must not know who waits for them."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable

logger = logging.getLogger("ibkit")


class Timer:
    """A callback that was scheduled and can be cancelled."""

    __slots__ = ("fn",)

    def __init__(self, fn: Callable[[], object]) -> None:
        self.fn: Callable[[], object] | None = fn

    def cancel(self) -> None:
        """Do not call it; harmless when it was called."""
        self.fn = None

    def cancelled(self) -> bool:
        """Tell whether it will not be called (any more)."""
        return self.fn is None

    def fire(self) -> None:
        """Call it, once."""
        fn, self.fn = self.fn, None
        if fn is not None:
            try:
                fn()
            except Exception:  # the callback's failure, whatever it is: it must not stop the others
                logger.exception("a scheduled callback failed: %r", fn)


class Timers:
    """The timers of one thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()

    def add(self, when: float, timer: Timer) -> None:
        """Have ``timer`` fired at ``when``; equal moments keep their order."""
        heapq.heappush(self._heap, (when, next(self._count), timer))

    def next(self) -> float | None:
        """Return when the earliest is due."""
        while self._heap and self._heap[0][2].fn is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def fire(self, now: float) -> None:
        """Fire what is due; what is added meanwhile waits for the next time."""
        if not self._heap or self._heap[0][0] > now:
            return
        limit = next(self._count)
        later: list[tuple[float, int, Timer]] = []
        try:
            while self._heap and self._heap[0][0] <= now:
                entry = heapq.heappop(self._heap)
                if entry[1] > limit:
                    later.append(entry)
                else:
                    entry[2].fire()
        finally:
            for entry in later:
                heapq.heappush(self._heap, entry)
