"""The gateway on a TCP port: one thread that moves bytes and keeps the clock.

The thread waits for sockets until the gateway has something to do. Other threads hand it work (``call``) and
never touch the gateway themselves. Must not know what the bytes mean.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeVar

from ibkit.clock import ScaledClock
from ibkit.paper import sockets
from ibkit.paper.gateway import Gateway, Limits, Models, Session, login, start_moment
from ibkit.paper.gateway.session import MOST_OUTPUT

T = TypeVar("T")
log = logging.getLogger("ibkit.paper")

CHUNK = 1 << 18
MOST_UNREAD = 1 << 20
"""Bytes of one client that may wait to be answered before its socket is left alone."""

MOST_CONNECTIONS = 256
"""Connections at once, closing ones among them: above that, nobody is waited for who is sent away."""

LINGER_S = 2.0
"""How long a closing connection may take to carry away what was said."""

GREETING_S = 30.0
"""How long a client may take to say who it is, before its place is given to others."""

DEAF_S = 0.5
"""How long nobody is let in after the system has refused a connection for want of descriptors."""

LONGEST_WAIT_S = 60.0


class _Connection:
    """A socket and its session."""

    def __init__(self, sock: socket.socket, session: Session, late_at: float) -> None:
        self.sock = sock
        self.session = session
        self.late_at = late_at
        self.unsent = bytearray()
        self.closing_at: float | None = None
        self.gone = False

    @property
    def silent(self) -> bool:
        """Whether we wait for the client to start the API; not while what it sent waits for the end of an outage."""
        return not (self.session.started or self.session.closed or self.session.behind())


class PaperGateway:
    """A simulated IB Gateway on a port, beside your program; use it as a context manager.

    Args:
        host: where to listen; '0.0.0.0' lets other machines in.
        port: 0 takes a free one, see ``port``.
        seed: of the market: the same seed, the same prices.
        server_version: the newest protocol version it speaks, 157 to 225.
        start: 'YYYY-MM-DD HH:MM' with an optional zone (default: New York), or None for 10:00 New York of the
            latest trading day.
        speed: simulated seconds for one real second.
        account: of the login; several are separated by commas.
        limits: rates, lines and permissions (``ibkit.paper.Limits``).
        models: how orders fill and what they cost (``ibkit.paper.broker.Models``).
        store: a file to keep orders and accounts in; None forgets them.

    Raises OSError when the port is in use, ValueError for an argument that cannot work.

    >>> with PaperGateway() as gateway, IB().connect(port=gateway.port) as ib:
    ...     ib.managedAccounts()
    ['DU1234567']
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        server_version: int = 225,
        start: str | None = None,
        speed: float = 1.0,
        account: str = "DU1234567",
        *,
        limits: Limits | None = None,
        models: Models | None = None,
        store: str | None = None,
    ) -> None:
        self.host = host
        self.port: int = port
        self._clock = ScaledClock(start_moment(start), speed)
        self._make: Callable[[], Gateway] = lambda: Gateway(
            self._clock,
            seed=seed,
            server_version=server_version,
            accounts=login(account),
            limits=limits,
            models=models,
            store=store,
        )
        self._gateway = self._make()
        self._stored = store is not None
        self._spent = False
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._connections: dict[socket.socket, _Connection] = {}
        self._gate = threading.Lock()
        self._serving = False
        self._ended = threading.Event()
        self._work: deque[Callable[[], None]] = deque()
        self._failure: BaseException | None = None
        self._deaf_until: float | None = None

    # -- from any thread ----------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen, and serve until ``stop``; after a stop, go on at the same port with the same orders and accounts."""
        if self._thread is not None:
            raise RuntimeError("this gateway runs already")
        if self._spent:
            self._gateway = self._make()
            self._spent = False
        with contextlib.ExitStack() as half_made:
            listener = half_made.enter_context(sockets.listen(self.host, self.port))
            selector = half_made.enter_context(selectors.DefaultSelector())
            pair = [half_made.enter_context(end) for end in socket.socketpair()]
            half_made.pop_all()
        self._listener = listener
        self._ear, self._mouth = pair
        for sock in pair:
            sock.setblocking(False)
        self._spent = self._stored
        self.port = listener.getsockname()[1]
        self._serving = True
        self._ended.clear()
        self._failure = None
        self._deaf_until = None
        self._thread = threading.Thread(
            target=self._serve, args=(selector,), name=f"ibkit-paper-{self.port}", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close all connections and end; harmless when it does not run.

        Raises what ended the gateway, if it has ended by itself.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._serving = False
        self._wake()
        self._ended.wait()
        thread.join()
        self._ear.close()
        self._mouth.close()
        if self._failure is not None:
            raise self._failure

    @property
    def running(self) -> bool:
        """Whether it serves clients."""
        return self._thread is not None and not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the gateway has ended, or ``timeout`` seconds."""
        # Not join(): a signal that comes in the middle of it makes CPython 3.11 take the thread for ended.
        if self._thread is not None:
            self._ended.wait(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def clock(self) -> ScaledClock:
        """The clock of the simulated world."""
        return self._clock

    def call(self, act: Callable[[Gateway], T]) -> T:
        """Run ``act`` on the thread of the gateway, between two messages, and return its result.

        Raises RuntimeError when the gateway does not run.
        """
        if threading.current_thread() is self._thread:
            return act(self._gateway)
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(act(self._gateway))
            except BaseException as error:
                future.set_exception(error)  # raised where it was asked for

        with self._gate:
            if not self._serving:
                raise RuntimeError("the gateway does not run: start() it")
            self._work.append(work)
            self._wake()
        return future.result()

    def shock(self, symbol: str, percent: float, over_s: float = 0.0, after_s: float = 0.0) -> None:
        """Move the price of ``symbol``, and of all that hangs on it, by ``percent``, for good.

        Args:
            symbol: a stock, an index, a currency pair (EURUSD) or a future's root (ES).
            percent: 5.0 lifts it by five per cent.
            over_s: simulated seconds the move takes.
            after_s: simulated seconds until it begins.

        Raises ValueError for a symbol nobody knows.

        >>> gateway.shock("V", percent=6, over_s=120)
        """
        self.call(lambda gateway: gateway.shock(symbol, percent, over_s, after_s))

    def cut_off(self) -> None:
        """Lose the connection to IB, as TWS does at night: clients are told (1100), then hear nothing.

        Orders fill meanwhile, and what is sent waits. ``restore`` ends it.

        >>> gateway.cut_off()
        """
        self.call(lambda gateway: gateway.cut_off())

    def restore(self, data_lost: bool = True) -> None:
        """Have the connection to IB back, and tell what has happened meanwhile.

        Args:
            data_lost: 1101, all subscriptions to market data have ended; False: 1102, they go on.

        >>> gateway.restore(data_lost=False)
        """
        self.call(lambda gateway: gateway.restore(data_lost))

    def disconnect_all(self) -> None:
        """Drop every client, as a gateway that restarts does; orders and accounts stay."""

        def drop(gateway: Gateway) -> None:
            for session in list(gateway.sessions):
                session.end("dropped")

        self.call(drop)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it has ended
            self._mouth.send(b"\0")

    # -- the thread ---------------------------------------------------------------------------------------------

    def _serve(self, selector: selectors.BaseSelector) -> None:
        assert self._listener is not None
        try:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._ear, selectors.EVENT_READ)
            while self._serving:
                self._turn(selector)
        except BaseException as error:
            # Nothing above this thread could see it: stop() raises it where the owner is.
            log.exception("the gateway has failed")
            self._failure = error
        finally:
            with self._gate:
                self._serving = False
            try:
                while self._work:  # whoever waits for these is answered before we go
                    self._work.popleft()()
                self._close_all(selector)
            finally:
                self._ended.set()

    def _turn(self, selector: selectors.BaseSelector) -> None:
        for key, events in selector.select(self._patience()):
            if key.fileobj is self._listener:
                self._accept(selector)
            elif key.fileobj is self._ear:
                sockets.drain(self._ear)
            else:
                self._handle(self._connections[key.fileobj], events)  # type: ignore[index]  # a socket of ours
        while self._work:
            self._work.popleft()()
        self._gateway.tick()
        if self._deaf_until is not None and self._clock.monotonic() >= self._deaf_until:
            self._deaf_until = None
            assert self._listener is not None
            selector.register(self._listener, selectors.EVENT_READ)
        for connection in list(self._connections.values()):
            self._settle(selector, connection)

    def _patience(self) -> float:
        """Return how long to wait for sockets."""
        waits = [LONGEST_WAIT_S]
        due = self._gateway.next_due()
        if due is not None:
            waits.append((due - self._clock.time()) / self._clock.speed)
        now = self._clock.monotonic()
        waits += [c.closing_at - now for c in self._connections.values() if c.closing_at is not None]
        waits += [c.late_at - now for c in self._connections.values() if c.silent]
        if self._deaf_until is not None:
            waits.append(self._deaf_until - now)
        return max(0.0, min(waits))

    def _accept(self, selector: selectors.BaseSelector) -> None:
        assert self._listener is not None
        try:
            sock, address = self._listener.accept()
        except OSError as error:
            if error.errno not in sockets.SPENT:  # it went away before we came
                log.info("a client left before it was let in: %s", error)
                return
            # The client still waits at the door: listening on would be a turn without end.
            log.warning("no client can be let in for %g s: %s", DEAF_S, error.strerror)
            selector.unregister(self._listener)
            self._deaf_until = self._clock.monotonic() + DEAF_S
            return
        sockets.prepare(sock)
        session = self._gateway.connect(f"{address[0]}:{address[1]}")
        self._connections[sock] = _Connection(sock, session, self._clock.monotonic() + GREETING_S)
        selector.register(sock, selectors.EVENT_READ)

    def _handle(self, connection: _Connection, events: int) -> None:
        if not events & selectors.EVENT_READ:
            return
        session = connection.session
        try:
            data = connection.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(connection, error)
            return
        if data:
            self._gateway.receive(session, data)
        else:
            connection.gone = True
            self._gateway.disconnect(session, "the client has disconnected")

    def _lose(self, connection: _Connection, error: OSError) -> None:
        connection.gone = True
        self._gateway.disconnect(connection.session, f"connection lost: {error.strerror or error}")

    def _settle(self, selector: selectors.BaseSelector, connection: _Connection) -> None:
        """Write what fits, and listen for what can happen next."""
        sock, session = connection.sock, connection.session
        if connection.silent and self._clock.monotonic() >= connection.late_at:
            self._gateway.disconnect(session, f"the client has not started the API within {GREETING_S:g} s")
        connection.unsent += session.output()
        self._write(connection)
        if len(connection.unsent) > MOST_OUTPUT:
            self._gateway.disconnect(session, f"the client has left {len(connection.unsent)} bytes unread")
            connection.unsent.clear()
        key = selector.get_map().get(sock)
        if session.closed and self._finished(connection):
            if key is not None:
                selector.unregister(sock)
            del self._connections[sock]
            sock.close()
            return
        events = 0
        if session.closed or session.behind() < MOST_UNREAD:
            events |= selectors.EVENT_READ
        if connection.unsent:
            events |= selectors.EVENT_WRITE
        if not events:
            if key is not None:
                selector.unregister(sock)
        elif key is None:
            selector.register(sock, events)
        elif key.events != events:
            selector.modify(sock, events)

    def _finished(self, connection: _Connection) -> bool:
        """Tell whether a closed session's socket can go: all is said, and the client has heard it.

        Closing a socket with unread data resets it, and a reset can overtake the last words.
        """
        if connection.gone or len(self._connections) > MOST_CONNECTIONS:
            return True
        if connection.closing_at is None:
            connection.closing_at = self._clock.monotonic() + LINGER_S
        if not connection.unsent:
            try:
                connection.sock.shutdown(socket.SHUT_WR)
            except OSError:
                return True
        return self._clock.monotonic() >= connection.closing_at

    def _write(self, connection: _Connection) -> None:
        while connection.unsent:
            try:
                sent = connection.sock.send(connection.unsent)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                connection.unsent.clear()
                self._lose(connection, error)
                return
            del connection.unsent[:sent]

    def _close_all(self, selector: selectors.BaseSelector) -> None:
        for session in list(self._gateway.sessions):
            self._gateway.disconnect(session, "the gateway has stopped")
        if self._stored:
            self._gateway.close()  # what it knows is in the store
        for connection in self._connections.values():
            connection.unsent += connection.session.output()
            self._write(connection)
            connection.sock.close()
        self._connections.clear()
        selector.close()
        assert self._listener is not None
        self._listener.close()
