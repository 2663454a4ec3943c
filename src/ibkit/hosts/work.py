"""What one thread wants of the thread that holds a connection, and what it gets for it.

Must not know hosts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar, cast

from ibkit.hosts.contract import Call
from ibkit.hosts.station import Station, call_posted

T = TypeVar("T")

logger = logging.getLogger("ibkit")


class Work(Protocol):
    """Something to be done by the thread that holds the connection."""

    def run(self) -> None: ...
    def fail(self, error: Exception) -> None: ...


class Job(Generic[T]):
    """Work that another thread waits for."""

    def __init__(self, fn: Callable[[], T], asker: Station) -> None:
        self._fn = fn
        self._asker = asker
        self._result: T | None = None
        self._error: Exception | None = None
        self.done = False

    def run(self) -> None:
        """Do it; SystemExit and KeyboardInterrupt pass, all else is for the one who asked."""
        try:
            self._result = self._fn()
        except Exception as error:
            self._error = error
        except BaseException as error:
            self._error = RuntimeError(f"the thread that holds the connection was interrupted by {error!r}")
            raise
        finally:
            self.done = True
            self._asker.wake()

    def fail(self, error: Exception) -> None:
        """Do not do it."""
        self._error = error
        self.done = True
        self._asker.wake()

    def result(self) -> T:
        """Return what came of it, or raise."""
        if self._error is not None:
            raise self._error
        return cast(T, self._result)


class Waiter:
    """A wait for a call of a connection that another thread holds."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.told = False
        """Whether the batch that finished the call is over."""

    def tell(self) -> None:
        """Say that it is."""
        self.told = True
        self._station.wake()


class Posted:
    """Work that nobody waits for."""

    def __init__(self, fn: Callable[[], object]) -> None:
        self._fn = fn

    def run(self) -> None:
        call_posted(self._fn)

    def fail(self, error: Exception) -> None:
        logger.warning("%r was not called: %s", self._fn, error)


class Watching:
    """Word to be given when a call is done, or the connection."""

    def __init__(self, call: Call[object], told: Callable[[object], object]) -> None:
        self._call = call
        self._told = told

    def run(self) -> None:
        self._call.add_done_callback(self._told)

    def fail(self, error: Exception) -> None:
        self._told(error)
