"""Streams: requests that keep answering. A session holds them by kind and request id and lets them act when due.

Must not know any particular stream.
"""

from __future__ import annotations

from math import floor, inf
from typing import Protocol

ASLEEP = inf
"""The ``due`` of a stream that waits for somebody to wake it."""


class Stream(Protocol):
    """A request that is being served."""

    due: float
    """The moment (epoch seconds) at which ``advance`` wants to be called."""

    def advance(self, now: float) -> bool:
        """Tell what there is to tell, set ``due`` anew; False: the stream has ended."""
        ...


class Standing:
    """A stream that acts only when somebody calls it."""

    due = ASLEEP

    def advance(self, now: float) -> bool:
        """Stand."""
        return True


def following(now: float, step: float) -> float:
    """Return the first multiple of ``step`` after ``now``."""
    return (floor(now / step + 1e-9) + 1) * step
