"""Connecting, synchronizing, waiting for updates, disconnecting.

After the handshake the state is fetched as ib_insync fetches it: positions, open and completed orders and account
values side by side, then executions, so that fills find their trades. A trade that was held while there was no
connection is unknown until all three questions about orders are answered. Must not know how bytes travel.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self, TypeVar

from ibkit.clock import Clock
from ibkit.engine import completed, session, system
from ibkit.engine.call import Call, Conversation, converse, settle
from ibkit.engine.core import Engine
from ibkit.errors import ConnectionLost, InvalidRequest, NotConnected, RequestTimeout
from ibkit.hosts import Host, connect_link, connect_link_async
from ibkit.hosts.contract import Link
from ibkit.model import ExecutionFilter, StartupFetch, StartupFetchALL
from ibkit.requests import account as account_requests
from ibkit.requests import orders as order_requests
from ibkit.requests.base import Connection, DefaultNumber, Requests, default_clock, run
from ibkit.requests.client import Client
from ibkit.requests.wrapper import Wrapper
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")

T = TypeVar("T")


class _DefaultText(str):
    """A default that can be told from the same text given by the user."""


HOST = _DefaultText("127.0.0.1")
PORT = DefaultNumber(7497)
CLIENT_ID = DefaultNumber(1)

forced: tuple[str, int] | None = None
"""Host and port of every connection from now on, whatever is asked for; ``ibkit run --paper`` sets it."""


def target(host: str, port: int, client_id: int) -> tuple[str, int, int]:
    """Return host, port and client id, with IBKIT_HOST, IBKIT_PORT and IBKIT_CLIENT_ID in place of what was not given.

    Raises InvalidRequest when the environment holds no number where one belongs.
    """
    client_id = _number("IBKIT_CLIENT_ID", client_id) if client_id is CLIENT_ID else client_id
    if forced is not None:
        return *forced, client_id
    return (
        os.environ.get("IBKIT_HOST") or str(host) if host is HOST else host,
        _number("IBKIT_PORT", port) if port is PORT else port,
        client_id,
    )


def _number(name: str, default: int) -> int:
    text = os.environ.get(name)
    if not text:
        return int(default)
    try:
        return int(text)
    except ValueError:
        raise InvalidRequest(f"the environment variable {name} must be a number, it is {text!r}") from None


class Startup(NamedTuple):
    """What ``connect`` fetches, and how long it waits for each thing; see ``connect``."""

    client_id: int
    timeout: float
    readonly: bool
    account: str
    raise_sync_errors: bool
    fetch: StartupFetch


# -- the conversation ------------------------------------------------------------------------------------


def _start(engine: Engine, startup: Startup) -> Conversation[None]:
    ready = engine.session.ready
    if startup.timeout:
        late = RequestTimeout(f"the handshake with {engine.name}", startup.timeout)
        timer = engine.timers.at(engine.now + startup.timeout, lambda: ready.fail(late))
        ready.add_done_callback(lambda _: timer.cancel())
    yield ready

    engine.session.syncing = True
    questions = _ask(engine, startup)
    yield settle(questions.values(), "the state at startup")
    _check(engine)
    if StartupFetch.EXECUTIONS in startup.fetch:
        fills = order_requests.executions(engine, ExecutionFilter(), startup.timeout)
        questions["executions"] = fills.map(lambda answer: answer)
        yield settle([fills], "executions")
        _check(engine)
    engine.session.syncing = False

    failures = {name: call.error for name, call in questions.items() if call.error is not None}
    for name, error in failures.items():
        text = f"request timed out after {startup.timeout:g} s" if isinstance(error, RequestTimeout) else str(error)
        logger.error("connect: %s could not be fetched: %s", name, text)
    told = {name for name in questions if name not in failures}
    completed.settle(engine, complete={"open orders", "completed orders", "executions"} <= told)
    engine.restart_subscriptions(cancel_first=False)
    if failures and startup.raise_sync_errors:
        texts = "; ".join(f"{name}: {error}" for name, error in failures.items())
        raise NotConnected(f"connected, but not everything could be fetched: {texts}")
    logger.info("Synchronization complete")
    if not startup.readonly:  # in the first wait, that the first order need not wait for it
        engine.timers.at(engine.now, lambda: engine.prepare(m.PlaceOrder, m.CancelOrder))
    engine.events.connectedEvent.emit()


def _check(engine: Engine) -> None:
    """Raise what ended the connection meanwhile, if anything did."""
    if engine.ending is not None:
        raise engine.ending


def _ask(engine: Engine, startup: Startup) -> dict[str, Call[object]]:
    """Ask for everything but executions, in ib_insync's order."""
    accounts, timeout, fetch = engine.session.accounts, startup.timeout, startup.fetch
    account = startup.account or (accounts[0] if len(accounts) == 1 else "")
    if engine.client_id == 0:
        engine.send(m.ReqAutoOpenOrders(True))
    questions: dict[str, Call[object]] = {}

    def ask(name: str, call: Call[T]) -> None:
        questions[name] = call.map(lambda answer: answer)

    if StartupFetch.POSITIONS in fetch:
        ask("positions", account_requests.positions(engine, timeout))
    if StartupFetch.ORDERS_OPEN in fetch and not startup.readonly:
        ask("open orders", order_requests.open_orders(engine, timeout))
    if StartupFetch.ORDERS_COMPLETE in fetch and not startup.readonly:
        ask("completed orders", order_requests.completed_orders(engine, False, timeout))
    if StartupFetch.ACCOUNT_UPDATES in fetch and account:
        ask(f"account updates of {account}", account_requests.account_updates(engine, account, timeout))
    if StartupFetch.SUB_ACCOUNT_UPDATES in fetch and len(accounts) <= engine.settings.MaxSyncedSubAccounts:
        for each in accounts:
            ask(f"values of {each}", account_requests.account_values_once(engine, each, timeout))
    return questions


# -- the requests ----------------------------------------------------------------------------------------


class ConnectRequests(Requests):
    """The connection itself."""

    client: Client
    wrapper: Wrapper

    def connect(
        self,
        host: str = HOST,
        port: int = PORT,
        clientId: int = CLIENT_ID,
        timeout: float = 4,
        readonly: bool = False,
        account: str = "",
        raiseSyncErrors: bool = False,
        fetchFields: StartupFetch = StartupFetchALL,
    ) -> Self:
        """Connect to TWS or IB Gateway and fetch the state of orders and accounts.

        Args:
            host: name or address; when not given, the environment variable IBKIT_HOST, else 127.0.0.1.
            port: TWS uses 7496 (live) and 7497 (paper), IB Gateway 4001 and 4002, ``ibkit paper`` 4002; when not
                given, IBKIT_PORT, else 7497.
            clientId: a number no other program uses on this gateway; it owns the orders it places. 0 also sees
                orders entered by hand. When not given, IBKIT_CLIENT_ID, else 1.
            timeout: seconds for the handshake, and for each part of the state; 0 waits for ever.
            readonly: True when the API is read-only in TWS: orders are not asked for.
            account: whose values and portfolio to follow; not needed when there is one account.
            raiseSyncErrors: raise when a part of the state cannot be fetched, instead of logging it.
            fetchFields: the parts of the state to fetch.

        Returns: this object, so that ``ib = IB().connect()`` and ``with IB().connect() as ib:`` work. A connection
        that was open is closed first.

        Raises ConnectionRefused when nothing listens there, ClientIdInUse, RequestTimeout, ProtocolError (such as
            HandshakeError), ConnectionLost, and NotConnected for failures of ``raiseSyncErrors``.

        >>> ib = IB()
        >>> ib.connect('127.0.0.1', 7497, clientId=1)
        <IB connected to 127.0.0.1:... clientId=1>
        >>> ib.managedAccounts()
        ['DU1234567']
        >>> ib.disconnect()
        """
        host, port, clientId = target(host, port, clientId)
        self.disconnect()
        self.client.host, self.client.port = host, port
        with self._telling():
            link = connect_link(host, port, timeout or None)
        startup = Startup(clientId, timeout, readonly, account, raiseSyncErrors, fetchFields)
        return self._connect(link, startup, default_clock())

    async def connectAsync(
        self,
        host: str = HOST,
        port: int = PORT,
        clientId: int = CLIENT_ID,
        timeout: float = 4,
        readonly: bool = False,
        account: str = "",
        raiseSyncErrors: bool = False,
        fetchFields: StartupFetch = StartupFetchALL,
    ) -> Self:
        """Connect like ``connect``, in the running loop."""
        host, port, clientId = target(host, port, clientId)
        self.disconnect()
        self.client.host, self.client.port = host, port
        with self._telling():
            link = await connect_link_async(host, port, timeout or None)
        startup = Startup(clientId, timeout, readonly, account, raiseSyncErrors, fetchFields)
        connection, call = self._open(link, startup, default_clock())
        try:
            await connection.host.future(call)
        except BaseException as error:
            connection.host.close(f"API connection failed: {error}")
            raise
        return self

    def connectLink(
        self,
        link: Link,
        clientId: int = 1,
        timeout: float = 4,
        readonly: bool = False,
        account: str = "",
        raiseSyncErrors: bool = False,
        fetchFields: StartupFetch = StartupFetchALL,
        clock: Clock | None = None,
    ) -> Self:
        """Connect like ``connect``, over a link that is open already, such as one in memory.

        Args:
            link: to the gateway; see ``ibkit.links``.
            clientId: as for ``connect``, as everything that follows.
            timeout: seconds for the handshake, and for each part of the state; 0 waits for ever.
            readonly: True when orders are not to be asked for.
            account: whose values and portfolio to follow.
            raiseSyncErrors: raise when a part of the state cannot be fetched.
            fetchFields: the parts of the state to fetch.
            clock: of the connection; a simulated gateway in the same thread moves it. None for the usual one.

        Returns: this object.

        Raises HandshakeError, ClientIdInUse, RequestTimeout, ConnectionLost; NotConnected as ``connect`` does.

        >>> from ibkit.paper import in_process
        >>> paper = in_process(seed=7)
        >>> ib = IB()
        >>> with ib.connectLink(paper.link(), clock=paper.clock):
        ...     ib.sleep(3600)  # an hour of the market, in no time
        ...     print(paper.clock.monotonic())
        True
        3600.0
        """
        self.disconnect()
        startup = Startup(clientId, timeout, readonly, account, raiseSyncErrors, fetchFields)
        return self._connect(link, startup, clock or default_clock())

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell ``client.apiError`` that nobody could be reached."""
        try:
            yield
        except (OSError, TimeoutError) as error:  # whatever the network says; those of ours are such errors, too
            self.client.apiError.emit(f"API connection failed: {error}")
            raise

    def _connect(self, link: Link, startup: Startup, clock: Clock) -> Self:
        connection, call = self._open(link, startup, clock)
        try:
            connection.host.wait(call, self._wait_limit())
        except BaseException as error:
            connection.host.close(f"API connection failed: {error}")
            raise
        return self

    def _open(self, link: Link, startup: Startup, clock: Clock) -> tuple[Connection, Call[None]]:
        engine = Engine(
            self,
            self._state,
            self,
            client_id=startup.client_id,
            limits=self.client,
            options=self.client.connectOptions,
            capabilities=self.client.optCapab,
            readonly=startup.readonly,
            name=link.name,
            request_timeout=self._request_timeout,
        )
        self.client.clientId = startup.client_id
        engine.on_closed = lambda reason: self._ended(engine, reason)
        engine.on_throttle = self.client.throttled
        connection = Connection(engine, Host(engine, clock, background=self._background), clock)
        engine.touch(clock.monotonic(), clock.time())
        session.begin(engine)
        engine.session.ready.add_done_callback(self._begun)
        self._connection = connection
        connection.host.open(link)
        try:
            call = run(connection, lambda engine: converse(_start(engine, startup), f"connect to {link.name}"))
        except NotConnected as error:  # refused before we come to ask: the thread that serves it knows why
            raise engine.session.ready.error or error from None
        return connection, call

    def _begun(self, ready: Call[None]) -> None:
        if ready.error is None:
            self.client.apiStart.emit()

    def _ended(self, engine: Engine, reason: str) -> None:
        """Be told that a connection has ended."""
        connection = self._connection
        if connection is not None and connection.engine is engine:
            self._connection = None
        self.client.ended(reason, engine)

    def disconnect(self) -> None:
        """Close the connection; what is known stays readable. Harmless when there is none.

        Pending requests fail with ConnectionLost at once; subscriptions end; disconnectedEvent is emitted.

        >>> ib.disconnect()
        >>> ib.isConnected(), ib.managedAccounts()
        (False, ['DU1234567'])
        """
        connection = self._connection
        if connection is not None:
            connection.engine.wanted_end = True
            connection.host.close("disconnect() was called")

    def isConnected(self) -> bool:
        """Tell whether the gateway takes requests.

        >>> ib.isConnected()
        True
        """
        return self._connection is not None and self._connection.engine.ready

    def waitOnUpdate(self, timeout: float = 0) -> bool:
        """Wait until something came in from the network, and was handled.

        Args:
            timeout: seconds; 0 for ever.

        Returns: False when the time is over.

        Raises ConnectionLost when the connection ends meanwhile, NotConnected when there is none.

        >>> ticker = ib.reqMktData(Forex('EURUSD'))
        >>> while ib.waitOnUpdate(timeout=10) and not ticker.hasBidAsk():
        ...     pass
        >>> ticker.bid < ticker.ask
        True
        """
        connection = self._connected()
        call: Call[bool] = Call("waitOnUpdate()")

        def updated() -> None:
            call.succeed(True)

        def ended() -> None:
            call.fail(ConnectionLost(f"the connection ended while waitOnUpdate() waited: {connection.host.reason}"))

        self.updateEvent.connect(updated)
        self.disconnectedEvent.connect(ended)
        try:
            return connection.host.wait(call, timeout or None)
        except RequestTimeout:
            return False
        finally:
            self.updateEvent.disconnect(updated)
            self.disconnectedEvent.disconnect(ended)

    def loopUntil(self, condition: Callable[[], object] | None = None, timeout: float = 0) -> Iterator[object]:
        """Iterate once for every update, until a condition holds.

        Args:
            condition: its value is yielded each time; the iteration ends when that is true. None: never.
            timeout: seconds, after which False is yielded and the iteration ends; 0 for ever.

        Returns: an iterator over the values of the condition.

        Raises ConnectionLost when the connection ends meanwhile, NotConnected when there is none.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> for done in ib.loopUntil(trade.isDone, timeout=10):
        ...     status = trade.orderStatus.status
        >>> done, status
        (True, 'Filled')
        """
        clock = self._connected().clock
        end = clock.monotonic() + timeout
        while True:
            value = condition() if condition is not None else None
            if value:
                yield value
                return
            if timeout and clock.monotonic() >= end:
                yield False
                return
            yield value
            left = max(end - clock.monotonic(), 1e-9) if timeout else 0
            self.waitOnUpdate(left)

    def setTimeout(self, timeout: float = 60) -> None:
        """Have timeoutEvent emitted, once, when nothing came in from the network for a time.

        Args:
            timeout: seconds; 0 to take it back. Set it again after it was emitted.

        Raises NotConnected.

        >>> ib.timeoutEvent += lambda idle: print(f'nothing for {idle:.0f} seconds')
        >>> ib.setTimeout(5)
        >>> ib.sleep(6)
        nothing for 5 seconds
        True
        """
        self._do(lambda engine: system.watch_idle(engine, timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()
