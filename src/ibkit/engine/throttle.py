"""How much may be sent: TWS drops a client that sends too many messages a second.

A sliding window over what was sent, and two queues: orders and their cancels go ahead of everything else, and a few
messages a second are kept for them, so that an order never waits for a burst of data requests. Pure data: ``take``
gives what may be sent now, ``next_at`` tells when there is more. Must not know what the bytes mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

MAX_REQUESTS = 45
"""Messages per interval by default; TWS allows half the number of market data lines, at least 50 (limits.md, 1)."""

REQUESTS_INTERVAL_S = 1.0


class Limits(Protocol):
    """The rate, as a user may change it at any time; ``MaxRequests`` 0 means no limit."""

    MaxRequests: int
    RequestsInterval: float


class DefaultLimits:
    """The rate when nobody changes it."""

    MaxRequests = MAX_REQUESTS
    RequestsInterval = REQUESTS_INTERVAL_S


Waiting: TypeAlias = tuple[bytes, Callable[[float], object] | None]
"""A frame, and whom to tell when it has been sent."""


def reserve(max_requests: int) -> int:
    """Return how many messages an interval are kept for orders: 5 of the 50 that TWS allows by default."""
    return max(1, max_requests // 9)


class Throttle:
    """What waits to be sent."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.orders: deque[Waiting] = deque()
        """What waits to be sent and goes ahead."""
        self.others: deque[Waiting] = deque()
        """What else waits to be sent."""
        self._sent: deque[float] = deque()  # when

    def put(self, frame: bytes, urgent: bool, on_sent: Callable[[float], object] | None = None) -> None:
        """Queue a frame.

        Args:
            frame: what to send.
            urgent: whether it is an order or a cancel.
            on_sent: told the moment when the frame is given out.
        """
        (self.orders if urgent else self.others).append((frame, on_sent))

    def take(self, now: float) -> list[bytes]:
        """Return the frames that may be sent at ``now``, and forget them."""
        if not self.orders and not self.others:
            return []
        limit, interval = self._limits.MaxRequests, self._limits.RequestsInterval
        sent = self._sent
        while sent and sent[0] + interval <= now:
            sent.popleft()
        given: list[Waiting] = []
        while self.orders and (not limit or len(sent) < limit + reserve(limit)):
            given.append(self.orders.popleft())
            sent.append(now)
        while self.others and not self.orders and (not limit or len(sent) < limit):
            given.append(self.others.popleft())
            sent.append(now)
        if not limit:
            sent.clear()
        for _, on_sent in given:
            if on_sent is not None:
                on_sent(now)
        return [frame for frame, _ in given]

    def next_at(self) -> float | None:
        """Return when something may be sent again; None when nothing waits."""
        if not self.orders and not self.others:
            return None
        limit = self._limits.MaxRequests
        if self.orders:
            limit += reserve(limit)
        over = len(self._sent) - limit
        if not self._limits.MaxRequests or over < 0:
            return 0.0  # at once
        return self._sent[over] + self._limits.RequestsInterval

    def waiting(self) -> int:
        """Return how many frames wait."""
        return len(self.orders) + len(self.others)

    def clear(self) -> None:
        """Forget everything that waits."""
        self.orders.clear()
        self.others.clear()
