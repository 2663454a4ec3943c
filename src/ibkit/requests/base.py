"""How a request is waited for: the three ways that every public method takes.

Each request is written once, as a function from the engine to a ``Call``; ``_wait`` blocks for its answer, ``_future``
returns at once with something to await, ``_do`` is for what has no answer. All run the function on the thread that
holds the connection, and write what it has to say before they return.

Of ``ib_insync``'s asynchronous methods some are coroutine functions and some return a future that was sent already;
programs depend on it (``asyncio.create_task`` takes coroutines alone, ``asyncio.wait`` futures alone). So the
coroutine functions are coroutine functions here too (``async def xAsync(...): return await self._future(...)``), the
others return what ``_future`` returns.

Must not know any request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ibkit import clock as clocks
from ibkit import hosts
from ibkit.clock import Clock
from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.signals import IBEvents
from ibkit.engine.state import State
from ibkit.errors import NotConnected
from ibkit.model import IBDefaults

T = TypeVar("T")


class DefaultNumber(int):
    """A default that can be told from the same number given by the user."""


class Connection:
    """An engine and the host that serves it."""

    def __init__(self, engine: Engine, host: hosts.Host, clock: Clock) -> None:
        self.engine = engine
        self.host = host
        self.clock = clock


class Requests(IBEvents):
    """Base of the request mixins: the connection, the state, and how to wait."""

    RequestTimeout: float = 60
    """Seconds in which a request must be answered, counted from when it was sent; else it is cancelled and raises
    RequestTimeout, be it waited for or awaited. 0 for no limit. Requests with a ``timeout`` of their own, such as
    ``reqHistoricalData`` and ``connect``, go by that."""

    QuietTimeout: float = 10
    """The same for requests that TWS leaves unanswered when there is nothing to tell: ``reqMatchingSymbols``,
    ``reqMarketRule``, ``reqHistoricalNews``, ``calculateImpliedVolatility``, ``calculateOptionPrice`` and
    ``requestFA``."""

    SnapshotTimeout: float = 20
    """The same for each contract of ``reqTickers``: TWS ends a snapshot after eleven seconds, unless it has no data."""

    RaiseRequestErrors: bool = True
    """Whether a request the broker refuses raises; False: it returns what it has, as ib_insync does."""

    MaxSyncedSubAccounts: int = 50
    """With more accounts than this, ``connect`` does not ask for the values of each."""

    TimezoneTWS: str = ""
    """The zone of execution times that old gateways send without one; '' means that of this machine."""

    def __init__(self, defaults: IBDefaults | None = None, *, background: bool = False) -> None:
        super().__init__()
        self.defaults = defaults if defaults is not None else IBDefaults()
        self._background = background
        self._state = State()
        self._connection: Connection | None = None

    def _connected(self) -> Connection:
        """Return the connection; raises NotConnected."""
        connection = self._connection
        if connection is None or not connection.engine.ready:
            raise NotConnected()
        return connection

    def _do(self, act: Callable[[Engine], T]) -> T:
        """Run ``act`` where the connection is held, write what it has to say, return its result.

        Raises NotConnected, and what ``act`` raises.
        """
        return run(self._connected(), act)

    def _request_timeout(self) -> float:
        """Return the seconds in which a request must be answered unless it says otherwise; 0 for no limit."""
        return self.RequestTimeout

    def _wait_limit(self) -> float | None:
        """Return the seconds that a blocking call may take as a whole; None: as long as its requests may take."""
        return None

    def _wait(self, start: Callable[[Engine], Call[T]]) -> T:
        """Send a request and wait for its answer, from any thread; what else arrives is handled meanwhile.

        Raises NotConnected, RequestTimeout (the request is cancelled), and the error of the answer.
        """
        connection = self._connected()
        return connection.host.wait(run(connection, start), self._wait_limit())

    def _future(self, start: Callable[[Engine], Call[T]]) -> Awaitable[T]:
        """Send a request now and return a future of the running loop for its answer.

        Cancelling the future cancels the request. Raises NotConnected.
        """
        connection = self._connected()
        return connection.host.future(run(connection, start))


def run(connection: Connection, act: Callable[[Engine], T]) -> T:
    """Run ``act`` where the connection is held, with the time set, and write what it has to say."""
    engine, clock = connection.engine, connection.clock

    def now() -> T:
        engine.touch(clock.monotonic(), clock.time())
        return act(engine)

    return connection.host.act(now)


def default_clock() -> Clock:
    """Return the clock of programs that do not bring their own."""
    return clocks.default
