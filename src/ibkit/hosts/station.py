"""Stations: every thread that uses the library has one, and a connection is held by one of them.

Holding is what replaces a lock. The station that holds a connection enters its engine; it is *active*
while its thread is inside the library or runs the event loop the connection is attached to. Nobody takes
a connection from an active station; what other threads want is handed to it (``Host.call``). From a
station that is not active (its thread computes, sleeps, has ended) the next one that comes takes over.

The one lock here is held for a few assignments, never while foreign code runs.

Must not know engines or links.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from typing import Protocol

from ibkit.errors import NestingTooDeep

MAX_NESTING = 20
"""Blocking calls on one stack: each is a handler that waits inside a wait, about 20 Python frames."""

RECHECK_S = 0.25
"""Seconds between looks at a connection held by a loop, which cannot tell us that it has ended."""

lock = threading.Lock()
waiting: set[Station] = set()
"""Stations that want a connection another one holds; woken when a station ceases to be active."""


class Station:
    """One thread, as far as the library is concerned."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.depth = 0
        """Library calls on the stack of this thread that may enter engines."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop that watches for this station: the one seen running last, or its own."""
        self.waits: list[str] = []
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._stoppable = False
        self.stopped = False
        """Whether the last run of the own loop was ended by ``poke`` and not by somebody's loop.stop()."""
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)

    # -- holding -------------------------------------------------------------------------------------

    def active(self) -> bool:
        """Tell whether this thread looks after the connections it holds."""
        return self.depth > 0 or (self.loop is not None and self.loop.is_running())

    def enter(self) -> None:
        """Become active; always followed by ``leave``."""
        self.depth += 1

    def leave(self) -> None:
        """End what ``enter`` began."""
        with lock:
            self.depth -= 1
            others = tuple(waiting) if waiting and not self.depth else ()
        for station in others:
            if station is not self:
                station.wake()

    @contextlib.contextmanager
    def wait(self, name: str) -> Iterator[None]:
        """Be active for a blocking call; raises NestingTooDeep, naming the chain."""
        if len(self.waits) >= MAX_NESTING:
            raise NestingTooDeep(
                f"{MAX_NESTING} blocking calls wait inside one another: {_outline(self.waits)}. "
                f"The handlers on the stack are {_outline(_handlers())}. A handler that waits is called again "
                "by other events meanwhile: make it a coroutine ('async def', await the ...Async methods), "
                "or let it only note what to do and do it in the main program"
            )
        self.waits.append(name)
        self.depth += 1
        try:
            yield
        finally:
            self.waits.pop()
            self.leave()

    # -- being told ----------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return what becomes readable when somebody calls ``wake``."""
        return self._ear.fileno()

    def wake(self) -> None:
        """End a wait of this station, from any thread."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: the thread has ended
            self._mouth.send(b"\0")

    def heard(self) -> None:
        """Take note of all calls of ``wake``."""
        with contextlib.suppress(OSError):  # nothing (more) to read
            while len(self._ear.recv(1024)) == 1024:
                pass

    def poke(self) -> None:
        """End a run of the own loop, or a wait, so that what it waits for is looked at again."""
        if threading.get_ident() != self.thread.ident:
            self.wake()
        elif self._stoppable and self._own_loop is not None:
            self.stopped = True
            self._own_loop.stop()

    # -- loops ---------------------------------------------------------------------------------------

    def parked_loop(self) -> asyncio.AbstractEventLoop | None:
        """Return a loop that a blocking call should run: none where one runs already, or none is needed."""
        if running_loop() is not None:
            return None
        if self.thread is threading.main_thread():
            return self.home_loop()
        with contextlib.suppress(RuntimeError):  # the thread has no loop
            loop = asyncio.get_event_loop()
            if not loop.is_closed():
                self._own_loop = loop
        return None if self._own_loop is None or self._own_loop.is_closed() else self._own_loop

    def home_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop of this thread that is not running: the current one, else a new one."""
        loop = self._own_loop
        if loop is not None and loop.is_closed():
            loop = None
        if self.thread is not threading.main_thread():
            if loop is None:
                loop = asyncio.SelectorEventLoop()
        elif (found := _current_loop(known=self._own_loop is not None)) is not None:
            loop = found
        else:
            if loop is None:
                loop = asyncio.SelectorEventLoop()
                atexit.register(_close_loop, loop, os.getpid())
            # So that the script's asyncio.get_event_loop() is the loop that our waits run.
            asyncio.set_event_loop(loop)
        self._own_loop = loop
        return loop

    def run_loop(self, loop: asyncio.AbstractEventLoop, secs: float | None) -> None:
        """Run the own loop until somebody pokes or ``secs`` have passed."""
        timer = None if secs is None else loop.call_later(max(0.0, secs), self.poke)
        self.stopped = False
        self._stoppable = True
        try:
            loop.run_forever()
        finally:
            self._stoppable = False
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Give back what the system lent; the thread has ended."""
        self._ear.close()
        self._mouth.close()
        if self._own_loop is not None and not self._own_loop.is_running():
            self._own_loop.close()


class _Tenant:
    """Lives in the thread's local storage, so that it dies with the thread."""

    def __init__(self, close: bool = True) -> None:
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
    tenant = _local.tenant
    if tenant is None:
        tenant = _local.tenant = _Tenant()
    return tenant.station


def forget_all() -> None:
    """Begin anew in a child process: nothing of the parent's may be used, or even be collected.

    The child shares the parent's selectors and wake sockets: closing a loop in the child would take the
    parent's sockets out of the parent's selector.
    """
    global lock, _local
    lock = threading.Lock()
    _inherited.extend((_local, _local.tenant, *waiting))
    tenant = _local.tenant
    _local = _Local()
    waiting.clear()
    if tenant is not None and tenant.station._own_loop is not None:
        asyncio.set_event_loop(None)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, if any."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _HasLoop(Protocol):
    loop: asyncio.AbstractEventLoop | None


def _current_loop(known: bool) -> asyncio.AbstractEventLoop | None:
    """Return the loop the main thread has set, if it is open.

    Asking for it makes one, with a DeprecationWarning, when none was ever set. Once we have set one, no
    warning can come any more; the first time we turn it into an exception, which also keeps it from being made.
    """
    try:
        if known:
            loop = asyncio.get_event_loop()
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("error", DeprecationWarning)
                loop = asyncio.get_event_loop()
    except (RuntimeError, DeprecationWarning):
        return None
    return None if loop.is_closed() else loop


def _close_loop(loop: asyncio.AbstractEventLoop, pid: int) -> None:
    if os.getpid() == pid and not loop.is_running():
        loop.close()


def _outline(names: list[str]) -> str:
    shown = names if len(names) <= 6 else [*names[:3], f"... ({len(names) - 6} more)", *names[-3:]]
    return " > ".join(shown) or "unknown"


_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _handlers() -> list[str]:
    """Return the functions on the stack that the library called, outermost first."""
    names: list[str] = []
    inside = False
    for frame, _ in traceback.walk_stack(sys._getframe()):
        ours = frame.f_code.co_filename.startswith(_LIBRARY)
        if ours and not inside and frame.f_back is not None:
            pass
        inside = ours
        if not ours and frame.f_back is not None and frame.f_back.f_code.co_filename.startswith(_LIBRARY):
            names.append(frame.f_code.co_qualname)
    return names[::-1]
