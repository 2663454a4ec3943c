"""The loop that we make for a thread: it knows whether it has anything to do.

Must not know who waits, or for what.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

Ts = TypeVarTuple("Ts")


class OwnLoop(asyncio.SelectorEventLoop):
    """A loop that knows what it is asked for, be it by a task, a future, a timer or another thread."""

    def __init__(self) -> None:
        self._eyes = selectors.DefaultSelector()
        super().__init__(self._eyes)
        self._own_descriptors = len(self._eyes.get_map())
        self.ours = 0
        """How many descriptors it watches for connections."""
        self.foreign = False
        """Whether it watches for other descriptors or for signals, so that it always has to run."""
        self.asked = False
        """Whether there may be something to be called at once."""
        self.due: float | None = None
        """When there may be something to be called, in its ``time()``."""
        self.running = False
        self.stop_wanted = False
        """Whether it was told to stop while it did not run."""
        self.on_run: Callable[[], object] | None = None
        """Called before it runs."""
        self.nudge: Callable[[], object] | None = None
        """Called, on any thread, when something was asked for from another thread."""
        self._timers: set[asyncio.TimerHandle] = set()
        self._many = 64
        self._signals = False
        self.brief = False
        """Whether it runs only to call what can be called now."""
        self.ended = False
        """Whether it is closed."""

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Have something called, and take note of it."""
        self.asked = True
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Have something called, and tell who waits meanwhile."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self.asked = True
        if self.nudge is not None and not self.running:
            self.nudge()
        return handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Have something called at a time, and take note of it."""

        def called(*args: *Ts) -> object:
            self._timers.discard(handle)
            return callback(*args)

        called.__wrapped__ = callback  # type: ignore[attr-defined]  # what asyncio shows of it is the callback
        handle = super().call_at(when, called, *args, context=context)
        self._timers.add(handle)
        if self.due is None or when < self.due:
            self.due = when
        if len(self._timers) > self._many:
            self._look_at_timers()
            self._many = max(64, 2 * len(self._timers))
        return handle

    def add_reader(self, fd: FileDescriptorLike, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Watch a descriptor."""
        super().add_reader(fd, callback, *args)
        self._look()

    def remove_reader(self, fd: FileDescriptorLike) -> bool:
        """Watch a descriptor no longer."""
        found = super().remove_reader(fd)
        self._look()
        return found

    def add_writer(self, fd: FileDescriptorLike, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Watch a descriptor until it can be written."""
        super().add_writer(fd, callback, *args)
        self._look()

    def remove_writer(self, fd: FileDescriptorLike) -> bool:
        """Look no longer whether a descriptor can be written."""
        found = super().remove_writer(fd)
        self._look()
        return found

    def close(self) -> None:
        """Close for good."""
        super().close()
        self.ended = True

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Have something called when a signal comes; from now on the loop always has to run."""
        self._signals = self.foreign = True
        super().add_signal_handler(sig, callback, *args)

    def stop(self) -> None:
        """Stop, or do not begin to run."""
        if not self.running or self.brief:
            self.stop_wanted = self.asked = True
        super().stop()

    def run_forever(self) -> None:
        """Run until it is stopped."""
        self.running = True
        self.asked = self.stop_wanted = False
        try:
            if self.on_run is not None:
                self.on_run()
            super().run_forever()
        finally:
            self.running = False
            self._look()
            self._look_at_timers()

    def run_once(self) -> None:
        """Call what can be called now; whoever stops us meanwhile means the wait that calls us."""
        self.call_soon(super().stop)
        self.brief = True
        try:
            self.run_forever()
        finally:
            self.brief = False

    def has_tasks(self) -> bool:
        """Tell whether a task of it has not ended."""
        return bool(asyncio.all_tasks(self))

    def watch_for(self, ours: int) -> None:
        """Take note of how many descriptors it watches for connections."""
        self.ours = ours
        self._look()

    def _look(self) -> None:
        descriptors = len(self._eyes.get_map() or ())
        self.foreign = self._signals or descriptors > self._own_descriptors + self.ours

    def _look_at_timers(self) -> None:
        self._timers = {handle for handle in self._timers if not handle.cancelled()}
        self.due = min((handle.when() for handle in self._timers), default=None)
