"""Which asyncio loop runs in this thread, and which one a blocking call may run.

The loop that we make for a thread is an ``OwnLoop``: it knows whether it has anything to do, so that a wait can do
without it. Only public calls of asyncio are used, and nothing of it is replaced. Must not know connections.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from ibkit.hosts.ownloop import OwnLoop


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, if any."""
    loaded = sys.modules.get("asyncio")  # nobody runs a loop without it
    if loaded is None:
        return None
    try:
        loop: asyncio.AbstractEventLoop = loaded.get_running_loop()
    except RuntimeError:
        return None
    return loop


def current_task() -> asyncio.Task[object] | None:
    """Return the task that runs in this thread, if any."""
    if running_loop() is None:
        return None
    import asyncio

    return asyncio.current_task()


class HomeLoop:
    """The loop of one thread that is not running: blocking calls run it, so that tasks get on meanwhile.

    It is the thread's current loop, so that ``asyncio.get_event_loop()`` means the loop that our waits run.
    """

    def __init__(self, thread: threading.Thread) -> None:
        self._is_main = thread is threading.main_thread()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.mine: OwnLoop | None = None
        """The one that we made."""
        self._asked = False
        self.nudge: Callable[[], object] | None = None
        """What a loop of ours calls when another thread wants something of it."""
        self.wanted = self._is_main
        """Whether the outermost wait of the thread runs a loop even if nobody has asked for one yet."""

    def parked(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop that the outermost wait of this thread should run, if any."""
        mine = self.mine
        if mine is not None and not mine.ended:
            import asyncio

            try:
                if asyncio.get_event_loop() is mine:
                    return None if mine.running else mine
            except RuntimeError:  # no loop is the current one any more
                pass
        loop = self.get() if self.wanted else self.find()
        return None if loop is None or loop.is_running() else loop  # it may run in another thread

    def get(self) -> asyncio.AbstractEventLoop:
        """Return the loop, a new one if there is none; must be called in its thread."""
        return self.find() or self._make()

    def _make(self) -> OwnLoop:
        """Make a loop of ours the current one of the thread."""
        import asyncio

        from ibkit.hosts.ownloop import OwnLoop

        loop = self._loop = self.mine = OwnLoop()
        loop.nudge = self.nudge
        asyncio.set_event_loop(loop)
        self._asked = True
        if self._is_main:
            atexit.register(_close_at_exit, loop, os.getpid())
        return loop

    def find(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop if there is one already; must be called in its thread."""
        current = self._current()
        if current is not None:
            self._loop = current
        elif self._loop is not None:
            if self._loop.is_closed():
                self._loop = None
            else:  # asyncio.run leaves "no loop" behind
                import asyncio

                asyncio.set_event_loop(self._loop)
        return self._loop

    def _current(self) -> asyncio.AbstractEventLoop | None:
        """Return the loop that was set in this thread, if it is open."""
        import asyncio

        try:
            loop = asyncio.get_event_loop() if self._asked else self._ask()
        except RuntimeError:
            return None
        return None if loop.is_closed() else loop

    def _ask(self) -> asyncio.AbstractEventLoop:
        """Ask for the current loop for the first time; raises RuntimeError when there is none.

        In the main thread, asking makes a loop where none was set. From Python 3.12 on a DeprecationWarning
        comes before that; made an exception, it keeps the loop from being made. Before, the loop is made; nobody
        can have it, so that ours takes its place.
        """
        import asyncio

        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            try:
                loop = asyncio.get_event_loop()
            except DeprecationWarning as warning:
                raise RuntimeError(str(warning)) from warning
        self._asked = True
        if self._is_main and sys.version_info < (3, 12):
            fresh = asyncio.SelectorEventLoop()
            # Tasks, timers and all who look at a loop refer to it; asyncio alone refers to a new one.
            unknown = (
                type(loop) is type(fresh)
                and sys.getrefcount(loop) == sys.getrefcount(fresh) + 1
                and loop.get_exception_handler() is None
                and loop.get_debug() == fresh.get_debug()
            )
            fresh.close()
            if unknown:
                loop.close()
                return self._make()
            atexit.register(_close_at_exit, loop, os.getpid())
        return loop

    def close(self) -> None:
        """Close the loop if it is ours; its thread has ended."""
        if self.mine is not None and not self.mine.is_running():
            self.mine.close()

    def forget(self) -> None:
        """Begin anew in a child process: closing a loop there would disturb the parent, which shares its selector."""
        if self._loop is not None:
            import asyncio

            asyncio.set_event_loop(None)
        self._loop = self.mine = None


def _close_at_exit(loop: asyncio.AbstractEventLoop, pid: int) -> None:
    """End the tasks that are left, as ``asyncio.run`` would, and close the loop."""
    if os.getpid() != pid or loop.is_running() or loop.is_closed():
        return
    import asyncio

    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(Exception):  # nobody is left to be told, and the loop must be closed
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
