"""Clocks: where the library gets the time from.

Two times, never mixed: ``time()`` is epoch seconds and stamps what happens, ``monotonic()`` only ever
grows and is for deadlines. ``default`` is the clock a new ``IB`` uses; ``ibkit run --paper`` replaces it
with the clock of the simulated market. Must not know anything else of the library.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def time(self) -> float:
        """Return epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; their zero means nothing."""
        ...


class SystemClock:
    """The clock of this machine."""

    # The functions themselves: they are asked several times for every read.
    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)


class ScaledClock:
    """A clock whose date is simulated and runs ``speed`` times as fast; deadlines stay real.

    Args:
        start_epoch: epoch seconds it shows now.
        speed: simulated seconds for one real second; more than 0.
        real: the clock it runs on.

    Raises ValueError when ``speed`` is not positive.
    """

    def __init__(self, start_epoch: float, speed: float = 1.0, real: Clock | None = None) -> None:
        if not speed > 0:
            raise ValueError(f"the speed of a clock must be more than 0, got {speed!r}")
        self.speed = speed
        self._start_epoch = start_epoch
        self._real: Clock = real or SystemClock()
        self._start = self._real.monotonic()

    def time(self) -> float:
        """Return simulated epoch seconds."""
        return self._start_epoch + (self._real.monotonic() - self._start) * self.speed

    def monotonic(self) -> float:
        """Return real seconds that never go back."""
        return self._real.monotonic()


class VirtualClock:
    """A clock that stands still until it is told to advance; both of its times move together."""

    def __init__(self, start_epoch: float = 0.0) -> None:
        self._start_epoch = start_epoch
        self._elapsed = 0.0

    def time(self) -> float:
        """Return simulated epoch seconds."""
        return self._start_epoch + self._elapsed

    def monotonic(self) -> float:
        """Return simulated seconds since the clock was made."""
        return self._elapsed

    def advance(self, secs: float) -> None:
        """Move the clock forward; raises ValueError for a negative (or NaN) number of seconds."""
        if not secs >= 0:
            raise ValueError(f"a clock cannot go back: advance({secs!r})")
        self._elapsed += secs


default: Clock = SystemClock()


def seconds_until(epoch: float, clock: Clock | None = None) -> float:
    """Return how many monotonic seconds a clock, the default one, needs to show ``epoch``; 0 when that is past."""
    clock = clock or default
    return max(0.0, epoch - clock.time()) / float(getattr(clock, "speed", 1.0))


def utc(epoch: float) -> datetime:
    """Return epoch seconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(epoch, UTC)
