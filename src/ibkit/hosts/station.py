"""Stations: every thread that uses the library has one, and a connection is held by one of them.

Holding is what replaces a lock. The station that holds a connection enters its engine; it is *active*
while its thread is inside the library or runs the event loop that watches for it. Nobody takes a connection
from an active station; what other threads want is handed to it. From a station that is not active (its
thread computes, sleeps, has ended) the next one that comes takes over. Where a connection was opened is its
home: that station takes it back when it waits and nobody else is at it.

The one lock here is held for a few assignments, never while foreign code runs.

Must not know engines or links.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from ibkit.clock import Clock, SystemClock
from ibkit.hosts import nesting, unread
from ibkit.hosts.loops import HomeLoop, running_loop
from ibkit.hosts.poller import Poller
from ibkit.hosts.timers import Timers
from ibkit.hosts.watch import Watch

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("ibkit")

lock = threading.Lock()
waiting: set[Station] = set()
"""Stations that want a connection another one holds; woken when a station ceases to be active."""
connections: list[Held] = []
"""All open connections, the newest last."""
main: Station | None = None
"""The station of the main thread."""


class Held(Protocol):
    """What a station needs of a connection; all but the attributes is called on the thread that holds it."""

    station: Station | None
    home: Station
    clock: Clock
    pumped: bool
    """Whether its peer lives in this thread, and acts while we wait."""
    alive: float
    """When ``serve`` was called last, in real seconds."""

    def fileno(self) -> int | None:
        """Return what to select on, or None."""

    def ready(self) -> bool:
        """Read once, and handle it; tells whether there was anything."""
        ...

    def serve(self) -> bool:
        """Do what can be done without reading from descriptors; tells whether something else was read."""
        ...

    def due_in(self) -> float | None:
        """Return in how many seconds ``serve`` must be called at the latest, or None."""

    def backlog(self) -> bool:
        """Tell whether bytes wait for the descriptor to take them."""
        ...

    def pump(self, secs: float | None) -> bool:
        """Let a peer in this thread act for at most so many seconds of its clock; see ``Link.pump``."""
        ...

    def post(self, fn: Callable[[], object]) -> None:
        """Have ``fn`` called soon on the thread that holds it; from any thread."""

    def abandon(self) -> None:
        """Forget the connection, which belongs to the parent process."""


class Station:
    """One thread, as far as the library is concerned."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.depth = 0
        """Library calls on the stack of this thread that may enter engines."""
        self.waits: list[str] = []
        """What the blocking calls on the stack wait for."""
        self.wants: list[Held | None] = []
        """The connection that each of them wants, which another station may hold."""
        self.held: dict[Held, int | None] = {}
        """The connections, with their descriptors."""
        self.by_fd: dict[int, Held] = {}
        self.pumped: list[Held] = []
        """Those whose peer lives in this thread, and acts while we wait."""
        self.changed = False
        """Whether ``watch`` is to be told which connections there are."""
        self.watch: Watch | None = None
        """The eyes of an event loop: of the one seen running last, or of the thread's own."""
        self.home_loop = HomeLoop(self.thread)
        self.poller = Poller()
        self.timers = Timers()
        self.awaited: weakref.WeakSet[asyncio.Future[Any]] = weakref.WeakSet()
        """Futures we gave out: while one is pending, somebody waits for simulated time to pass."""
        self.posted: deque[Callable[[], object]] = deque()
        self.served = time.monotonic()
        """When this thread was last inside the library, or its loop was free to be; in real seconds."""
        self._clock: Clock = SystemClock()
        self._offset = 0.0
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self.ear = self._ear.fileno()
        self.poller.watch(self.ear)
        self.home_loop.nudge = self.nudge

    # -- holding -------------------------------------------------------------------------------------

    def active(self) -> bool:
        """Tell whether this thread looks after the connections it holds."""
        return self.depth > 0 or self.has_running_loop()

    def has_running_loop(self) -> bool:
        """Tell whether the loop that watches for this station is running."""
        watch = self.watch
        return watch is not None and watch.loop.is_running()

    def enter(self) -> None:
        """Become active; always followed by ``leave``."""
        with lock:
            self.depth += 1
        self._arrive()

    def claim(self, held: Held) -> bool:
        """Become active and hold ``held``; False, and not active, when an active station holds it."""
        with lock:
            if held.station is not self and not self._take(held):
                return False
            self.depth += 1
        self._arrive()
        return True

    def leave(self) -> None:
        """End what ``enter`` or ``claim`` began."""
        watch = self.watch
        if watch is not None and (self.depth == 1 or watch.done is not None):
            watch.arm()
        if self.depth == 1:
            self.served = time.monotonic()
        with lock:
            self.depth -= 1
            if not waiting:
                return
            others = () if self.active() else tuple(waiting)
        for station in others:
            if station is not self:
                station.wake()

    def rearm(self) -> None:
        """Have the loop that a blocking call of this thread runs look again at what is due."""
        watch = self.watch
        if watch is not None and watch.done is not None:
            watch.arm()

    def begin(self, name: str, want: Held | None = None) -> None:
        """Be active for a blocking call, until ``end``; raises NestingTooDeep, naming the chain."""
        nesting.check(self.waits)
        self.enter()
        self.waits.append(name)
        self.wants.append(want)

    def end(self) -> None:
        """End what ``begin`` began."""
        self.waits.pop()
        self.wants.pop()
        if self in waiting and not self.waits:
            with lock:
                if not any(held.home is self and held.station is not self for held in connections):
                    waiting.discard(self)
        self.leave()

    @contextlib.contextmanager
    def wait(self, name: str, want: Held | None = None) -> Iterator[None]:
        """Be active for a blocking call; see ``begin``."""
        self.begin(name, want)
        try:
            yield
        finally:
            self.end()

    def seek(self, stalled: Held | None = None) -> None:
        """Take what the waits want, and take back the connections whose home is here, from who is not active.

        What cannot be had now is looked for again when another station wakes us. Must be active.

        Args:
            stalled: one to be taken also from a running loop, which somebody blocks.
        """
        if len(self.held) == len(connections):
            return
        with lock:
            complete = True
            for held in connections:
                if held in self.wants or held.home is self or not held.home.thread.is_alive():
                    complete &= self._take(held, held is not stalled)
            if complete:
                waiting.discard(self)
            else:
                waiting.add(self)
        self.settle()

    def _take(self, held: Held, patient: bool = True) -> bool:
        """Take ``held`` from its station unless that one is active; call it with the lock held."""
        holder = held.station
        if holder is self:
            return True
        if holder is not None:
            if holder.depth > 0 or (patient and holder.has_running_loop()):
                return False
            holder.let_go(held)
            self.served = max(self.served, holder.served)
            if held.home is holder and holder.thread.is_alive():
                waiting.add(holder)  # it is told when it can have the connection again
        self.take_up(held)
        return True

    def take_up(self, held: Held) -> None:
        """Hold a connection that nobody holds; call it with the lock held."""
        held.station = self
        if not held.home.thread.is_alive():
            held.home = self
        fd = held.fileno()
        self.held[held] = fd
        if fd is not None:
            self.by_fd[fd] = held
            self.poller.watch(fd, held.backlog())
        elif held.pumped:
            self.pumped.append(held)
        self.changed = True

    def let_go(self, held: Held) -> None:
        """Hold ``held`` no longer; call it with the lock held."""
        held.station = None
        fd = self.held.pop(held)
        if fd is not None:
            del self.by_fd[fd]
            self.poller.forget(fd)
        elif held in self.pumped:
            self.pumped.remove(held)
        self.changed = True

    def release(self, held: Held) -> None:
        """Hold a connection no longer that is about to be closed."""
        with lock:
            connections.remove(held)
            self.let_go(held)
        if self.watch is not None:
            self.watch.reconcile()

    def _arrive(self) -> None:
        self.settle()
        if self.depth == 1 and self.by_fd and time.monotonic() - self.served > unread.PATIENCE_S:
            unread.look(self, unread.BEAT_S if self.has_running_loop() else 0.0)

    def settle(self) -> None:
        """Have the loop that runs in this thread watch for us."""
        loop = running_loop()
        watch = self.watch
        if loop is not None and (watch is None or watch.loop is not loop):
            self.watch_with(loop)
        elif self.changed and watch is not None:
            watch.reconcile()

    def watch_with(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have ``loop`` watch for us: the one that runs here, or the one that is going to."""
        if self.watch is not None:
            if self.watch.loop is loop:
                if self.changed:
                    self.watch.reconcile()
                return
            self.watch.close()
        self.watch = Watch(self, loop)

    # -- serving -------------------------------------------------------------------------------------

    def serve(self) -> bool:
        """Do what can be done without reading from descriptors. Must be active.

        Tells whether something was read from links in memory, which may have more.
        """
        while self.posted:
            call_posted(self.posted.popleft())
        if self.timers.next() is not None:
            self.timers.fire(self.now())
        busy = False
        for held in tuple(self.held):
            if held.station is self:
                busy |= held.serve()
        return busy

    def read(self, fd: int) -> None:
        """Read what one descriptor has. Must be active."""
        if fd == self.ear:
            self.heard()
        elif (held := self.by_fd.get(fd)) is not None:
            held.ready()

    def look_after(self, held: Held) -> None:
        """Note whether ``held`` waits until it can write."""
        if (fd := self.held.get(held)) is not None:
            self.poller.watch(fd, held.backlog())
            if self.watch is not None:
                self.watch.unsettled = True

    def due_in(self) -> float | None:
        """Return in how many seconds ``serve`` must be called at the latest."""
        earliest = self.timers.next()
        secs = None if earliest is None else max(0.0, earliest - self.now())
        for held in self.held:
            due = held.due_in()
            if due is not None and (secs is None or due < secs):
                secs = due
        return secs

    def now(self) -> float:
        """Return the seconds that timers count in: those of a simulated clock while we hold one, else real ones."""
        clock = self.pumped[0].clock if self.pumped else _REAL
        if clock is not self._clock:  # go on from where the other clock was
            self._offset += self._clock.monotonic() - clock.monotonic()
            self._clock = clock
        return clock.monotonic() + self._offset

    # -- being told ----------------------------------------------------------------------------------

    def wake(self) -> None:
        """End a wait of this station, from any thread."""
        watch = self.watch
        if watch is None or watch.done is None or len(self.waits) > 1:  # else it does not listen, but run its loop
            self.nudge()
        if watch is not None:
            watch.wake()

    def nudge(self) -> None:
        """End the polling of this station, from any thread."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: the thread has ended
            self._mouth.send(b"\0")

    def heard(self) -> None:
        """Take note of all calls of ``wake``."""
        with contextlib.suppress(OSError):  # nothing (more) to read
            while len(self._ear.recv(1024)) == 1024:
                pass

    def close(self) -> None:
        """Give back what the system lent; the thread has ended."""
        self._ear.close()
        self._mouth.close()
        self.home_loop.close()


_REAL = SystemClock()


def call_posted(fn: Callable[[], object]) -> None:
    """Call what another thread posted."""
    try:
        fn()
    except Exception:  # its failure, whatever it is: nobody waits for it
        logger.exception("%r failed", fn)


class _Tenant:
    """Lives in the thread's local storage, so that it dies with the thread."""

    def __init__(self) -> None:
        self.station = Station()
        self._pid = os.getpid()

    def __del__(self) -> None:
        if os.getpid() == self._pid:
            self.station.close()


class _Local(threading.local):
    tenant: _Tenant | None = None


_local = _Local()
_inherited: list[object] = []


def here() -> Station:
    """Return the station of this thread."""
    global main
    tenant = _local.tenant
    if tenant is None:
        tenant = _local.tenant = _Tenant()
        if tenant.station.thread is threading.main_thread():
            main = tenant.station
    return tenant.station


def forget_all() -> None:
    """Begin anew in a child process: nothing of the parent's may be used, or even be collected.

    The child shares the parent's selectors and wake sockets: closing a loop in the child would take the
    parent's sockets out of the parent's selector.
    """
    global lock, main, _local
    main = None
    lock = threading.Lock()
    for held in connections:
        held.abandon()
    _inherited.extend((_local, _local.tenant, *waiting, *connections))
    tenant = _local.tenant
    _local = _Local()
    waiting.clear()
    connections.clear()
    if tenant is not None:
        tenant.station.home_loop.forget()
