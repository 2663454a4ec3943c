"""A peer behind a real socket, whose clock moves only while somebody waits for it.

The peer lives in a thread, as a gateway on another machine would, and is talked to over TCP. But its clock is virtual:
it moves on to the next event when a client has read everything, has handled it, and waits. So an hour of the market
takes as long as its messages take, nothing depends on how fast the machine is, and a client that is slow is waited for.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import selectors
import socket
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from ibkit.clock import VirtualClock
from ibkit.errors import NotConnected
from ibkit.hosts import station
from ibkit.links.memory import MemoryLink

T = TypeVar("T")

LOOK_S = 0.0005
"""Real seconds between looks whether the clients have read everything; they say when they are done with it."""

QUIET_S = 0.005
"""Real seconds without a byte after which an answer is taken to need time of the market."""

STEP_S = 0.05
"""Seconds of the market between looks at clients that wait for an answer: they have deadlines of their own."""


class Clockwork:
    """Serves a peer at a port.

    Args:
        clock: of the peer; this thread moves it, and no other.
        link: makes the client's end of a new connection.
        pump: lets the peer act, at most until a moment of the clock; see ``ibkit.links.memory``.
    """

    def __init__(self, clock: VirtualClock, link: Callable[[], MemoryLink], pump: Callable[[float], bool]) -> None:
        self.clock = clock
        self._link = link
        self._pump = pump
        self._links: dict[socket.socket, MemoryLink] = {}
        self._work: deque[Callable[[], object]] = deque()
        self._later: list[tuple[float, Callable[[], object]]] = []
        self._wanted = clock.monotonic()
        """The moment somebody waits for."""
        self._settled = self._wanted
        """The moment until which everything has happened, and was handled by the clients."""
        self._asking = 0
        self._quiet_at = 0.0
        self._acks: list[tuple[station.Held, threading.Event]] = []
        self._running = True
        self._failure: BaseException | None = None
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)
        self._thread.start()

    # -- from other threads ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End it; raises what has gone wrong in it."""
        self._running = False
        self._wake()
        self._thread.join()
        for sock in (*self._links, self._ear, self._mouth, self._listener):
            sock.close()
        self._selector.close()
        if self._failure is not None:
            raise self._failure

    def call(self, fn: Callable[[], T]) -> T:
        """Run ``fn`` on the thread of the peer and return its result."""
        if threading.current_thread() is self._thread:
            return fn()
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(fn())
            except BaseException as error:  # raised where it was asked for
                future.set_exception(error)

        self._work.append(work)
        self._wake()
        return future.result(30)

    def later(self, secs: float, fn: Callable[[], object]) -> None:
        """Run ``fn`` on the thread of the peer in so many seconds of its clock."""
        self.call(lambda: self._later.append((self.clock.monotonic() + secs, fn)))

    def go_on(self, secs: float) -> Callable[[], bool]:
        """Let so many seconds pass; what is returned tells whether they have, and everything was handled."""

        def want() -> float:
            self._wanted = max(self._wanted, self.clock.monotonic() + secs)
            self._settled = min(self._settled, self._wanted - 1e-9)  # also to wait for no time at all is to wait
            return self._wanted

        moment = self.call(want)

        def reached() -> bool:
            if self._failure is not None:
                raise self._failure
            return self._settled >= moment

        return reached

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Let time pass, once nothing else happens: somebody waits for an answer."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        def count() -> None:
            self._asking += change

        self._work.append(count)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full, or it has ended
            self._mouth.send(b"\0")

    # -- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            patience: float | None = None
            while self._running:
                patience = self._turn(patience)
        except BaseException as error:  # told by ``stop`` and whoever waits
            self._failure = error
        finally:
            while self._work:
                self._work.popleft()()

    def _turn(self, patience: float | None) -> float | None:
        """Do what can be done now; returns how long to wait for what comes next, None for ever."""
        heard = self._hear(patience)
        now = self.clock.monotonic()
        self._pump(now)
        if self._tell() or heard:
            self._acks = []
            self._quiet_at = time.monotonic() + QUIET_S
            return 0
        in_a_hurry = self._wanted > self._settled
        if not in_a_hurry and not self._asking:
            return None
        if not self._handled(all_of_them=in_a_hurry):
            return LOOK_S
        if not in_a_hurry and (left := self._quiet_at - time.monotonic()) > 0:
            return left
        if in_a_hurry and now >= self._wanted - 1e-9:
            self._settled = self._wanted
            return 0
        step = STEP_S if self._asking else max(1.0, (self._wanted - now) / 4)
        self._move(min(now + step, self._wanted) if in_a_hurry else now + step)
        return 0

    def _hear(self, patience: float | None) -> bool:
        """Take what the clients have sent, and what other threads want; tells whether there was anything."""
        heard = False
        for key, _ in self._selector.select(patience):
            if key.fileobj is self._listener:
                sock, _address = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._links[sock] = self._link()
                self._selector.register(sock, selectors.EVENT_READ)
            elif key.fileobj is self._ear:
                self._ear.recv(4096)
                if not self._work:  # the ack of a client
                    continue
                while self._work:
                    self._work.popleft()()
            else:
                assert isinstance(key.fileobj, socket.socket)
                self._receive(key.fileobj)
            heard = True
        return heard

    def _receive(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(1 << 18)
        except OSError:
            data = b""
        if data:
            self._links[sock].write(data)
        else:
            self._links.pop(sock).close()
            self._selector.unregister(sock)
            sock.close()

    def _tell(self) -> bool:
        """Send what the peer has said; tells whether there was anything."""
        said = False
        for sock, link in tuple(self._links.items()):
            while (data := link.read()) is not None:
                said = True
                with contextlib.suppress(OSError):  # it has gone
                    if not data:
                        sock.shutdown(socket.SHUT_WR)  # closed when the client closes
                    else:
                        sock.sendall(data)
                if not data:
                    self._links[sock] = MemoryLink("a peer that has hung up; the client may still talk")
                    break
        return said

    def _move(self, until: float) -> None:
        """Let time pass until something happens, or ``until``."""
        until = min([until, *(when for when, _ in self._later)])
        if not self._pump(until):  # it has nothing to do, ever
            self.clock.advance(max(0.0, until - self.clock.monotonic()))
        for entry in [entry for entry in self._later if entry[0] <= self.clock.monotonic()]:
            self._later.remove(entry)
            entry[1]()

    def _note(self, ack: threading.Event) -> None:
        ack.set()
        self._wake()

    def _handled(self, all_of_them: bool) -> bool:
        """Tell whether the clients have read everything, and are done with it.

        Those that do not wait may be left out: somebody may wait for an answer while they compute.
        """
        with station.lock:
            connections = [held for held in station.connections if held.station is not None]
            if not all_of_them:
                connections = [held for held in connections if (holder := held.station) and holder.active()]
        if any(_unread(held) for held in connections) or not (connections or all_of_them):
            return False
        if not self._acks:
            for held in connections:
                ack = threading.Event()
                with contextlib.suppress(NotConnected):  # closed meanwhile
                    held.post(lambda ack=ack: self._note(ack))  # type: ignore[misc]
                    self._acks.append((held, ack))
        if not all(ack.is_set() or held not in connections for held, ack in self._acks):
            return False
        self._acks = []
        return not any(_unread(held) for held in connections)


def _unread(held: station.Held) -> bool:
    """Tell whether there is something in the socket of a connection."""
    fd = held.fileno()
    if fd is None or fd < 0:
        return False
    size = array.array("i", [0])
    try:
        fcntl.ioctl(fd, termios.FIONREAD, size)
    except OSError:  # closed meanwhile
        return False
    return size[0] > 0
