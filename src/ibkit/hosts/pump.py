"""The wait: what every blocking call does until it has what it waits for.

Two ways to wait. The *bare* pump polls the descriptors of this thread; no event loop is involved, so it works
in a notebook cell, in a callback of a running loop, in a worker thread, inside a handler. Where no loop runs
and the thread has one with something to do, the outermost wait *runs that loop* instead, so that the program's
tasks and the handlers that are coroutines make progress. A loop of ours says when it has something to do; any other
one is always run.

Must not know what is waited for.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeGuard

from ibkit.hosts import interrupts, loops, virtual
from ibkit.hosts.poller import MAX_WAIT_S
from ibkit.hosts.station import Held, Station
from ibkit.hosts.watch import PASSES

if TYPE_CHECKING:
    import asyncio

    from ibkit.hosts.ownloop import OwnLoop

RECHECK_S = 0.25
"""Seconds between looks at a connection that a loop holds, which cannot tell us that it has ended."""

STALLED_S = 2.0
"""Seconds without a sign of life after which a connection is taken from a loop that somebody blocks."""

TASK_CHECK_S = 0.2
"""Seconds between looks whether the task we block was cancelled; asyncio.run turns Ctrl-C into that."""

IDLE_TURNS = 64
"""Turns in simulated time after which a loop without tasks is run nevertheless, for its timers."""

LAST_PASSES = 50
"""Rounds of the loop before simulated time is said to have come to its end."""

REST_S = 0.02
"""Real seconds between looks, when simulated time has come to an end but what is waited for is real."""


class DeadEnd(Exception):
    """A wait in simulated time cannot end: nothing will ever happen."""


def wait(
    station: Station,
    done: Callable[[], bool],
    secs: float | None = None,
    want: Held | None = None,
    stoppable: bool = False,
    patient: bool = False,
    runs_loop: bool = False,
) -> bool:
    """Serve the connections of this thread until ``done``, or until ``secs`` have passed.

    Args:
        station: of this thread, inside ``station.wait(..., want)``.
        done: looked at between batches.
        secs: of ``want``'s clock, or the station's; None for ever.
        want: a connection that another thread may hold; it is served here as soon as that one is not active.
        stoppable: return also when somebody stops the thread's loop.
        patient: go on in real time when nothing will ever happen in simulated time: it may come from elsewhere.
        runs_loop: what is waited for is done by the thread's loop; so it has to run, also in a nested wait.

    Returns what ``done`` says in the end: False means that the time is over, or the loop was stopped.
    Raises DeadEnd when nothing will ever happen in simulated time, unless ``patient``.
    """
    turn = _Wait(station, done, secs, want)
    if turn.task is None:
        return _go_on(turn, runs_loop, stoppable, patient)
    with interrupts.noticed() as turn.interrupts:
        return _go_on(turn, runs_loop, stoppable, patient)


def _go_on(turn: _Wait, runs_loop: bool, stoppable: bool, patient: bool) -> bool:
    station, done, want = turn.station, turn.done, turn.want
    outermost = loops.running_loop() is None and (runs_loop or len(station.waits) < 2)
    station.seek()
    station.serve()
    for count in itertools.count():
        loop = station.home_loop.parked() if outermost else None
        if loop is not None and (station.changed or station.watch is None or station.watch.loop is not loop):
            station.watch_with(loop)  # before we look: from now on, ``wake`` reaches the loop
            station.seek()
            station.serve()
        if done():
            return True
        left = turn.left()
        if count and left is not None and left <= 0:
            return False
        if want is not None and want.station is not station:
            turn.ask_for(want)
        if station.pumped and (want is None or want.pumped):
            if not turn.simulate(left, loop):
                if not patient:
                    raise DeadEnd
                turn.rest(loop)
        elif loop is None or turn.is_quiet(loop):
            if loop is not None and loop.stop_wanted:
                loop.stop_wanted = False
                if stoppable:
                    return done()
            if not turn.poll(left, loop):
                continue
        elif turn.run(left) and stoppable:
            return done()
        station.seek()
        station.serve()
    raise AssertionError("unreachable")


class _Wait:
    """One wait in progress."""

    def __init__(self, station: Station, done: Callable[[], bool], secs: float | None, want: Held | None) -> None:
        self.station = station
        self.done = done
        self.want = want
        self._now = station.now if want is None else want.clock.monotonic
        self._end = None if secs is None else self._now() + secs
        self.task = loops.current_task()
        self.interrupts: Sequence[int] = ()
        self._cancels = 0 if self.task is None else self.task.cancelling()
        self._asked_at: float | None = None
        self._asked: Station | None = None
        self._turns = 0
        self._dry = False
        self._ran = False  # whether the loop has called something since we polled

    def left(self) -> float | None:
        """Return how many seconds are left."""
        return None if self._end is None else self._end - self._now()

    def is_quiet(self, loop: asyncio.AbstractEventLoop) -> TypeGuard[OwnLoop]:
        """Tell whether we can wait without ``loop``; call what it has to call now, if that is little."""
        own = self.station.home_loop.mine
        if own is None or loop is not own or own.foreign:
            return False
        if own.asked or (own.due is not None and own.due <= own.time()):
            if own.has_tasks():
                return False
            if not own.stop_wanted:
                own.run_once()
                self._ran = True
        return True

    def poll(self, left: float | None, loop: OwnLoop | None = None) -> bool:
        """Wait for the descriptors of this thread, and read from those that are ready.

        Tells whether there may be something to do besides reading. ``loop`` has to be looked at in time.
        """
        station = self.station
        secs = station.due_in()
        if left is not None and (secs is None or left < secs):
            secs = left
        if loop is not None:
            if loop.asked or self._ran:  # what has been called may be what is waited for
                secs, self._ran = 0.0, False
            elif loop.due is not None:
                secs = _earlier(secs, loop.due - loop.time())
        if self._asked_at is not None:
            secs = _earlier(secs, RECHECK_S)
        if self.task is not None:
            secs = _earlier(secs, TASK_CHECK_S)
        ready = station.poller.wait(secs)
        busy = not ready or (secs is not None and secs <= 0.0) or len(station.by_fd) != len(station.held)
        for fd in ready:
            busy |= fd == station.ear
            station.read(fd)
        if self.task is not None and self.task.cancelling() > self._cancels:
            import asyncio

            raise asyncio.CancelledError("the task was cancelled while it waited in a blocking call")
        if self.interrupts:
            raise KeyboardInterrupt
        return busy

    def run(self, left: float | None) -> bool:
        """Run the loop that watches for this thread; True when somebody else stopped it."""
        watch = self.station.watch
        assert watch is not None
        watch.run(self.done, _earlier(left, MAX_WAIT_S if self._asked_at is None else RECHECK_S))
        return not watch.stopped

    def simulate(self, left: float | None, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Let simulated time pass when everybody has done what can be done now; False when there is no more."""
        import asyncio

        station = self.station
        ready = station.poller.wait(0)
        for fd in ready:
            station.read(fd)
        if station.serve() or ready:
            return True
        # What was served may have finished a future, which has callbacks to run, be there a task or not.
        if loop is not None and (not self._turns % IDLE_TURNS or station.awaited or asyncio.all_tasks(loop)):
            self._run_briefly(loop, PASSES)
        self._turns += 1
        if self.done() or virtual.move(station, left, self.want):
            self._dry = False
            return True
        if loop is None or self._dry:
            return False
        self._dry = True  # and so the next time, unless a task finds something to do
        self._run_briefly(loop, LAST_PASSES)
        return True

    def _run_briefly(self, loop: asyncio.AbstractEventLoop, passes: int) -> None:
        over = False

        def go_on(left: int) -> None:
            if over:  # somebody else has stopped the loop before
                return
            if left and not self.done():
                loop.call_soon(go_on, left - 1)
            else:
                loop.stop()

        loop.call_soon(go_on, passes - 1)
        loop.run_forever()
        over = True

    def rest(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Let a little real time pass."""
        if loop is None:
            self.poll(REST_S)
        else:
            loop.call_later(REST_S, loop.stop)
            loop.run_forever()

    def ask_for(self, want: Held) -> None:
        """Ask the station that holds ``want`` for a sign of life; without one, take it over."""
        holder = want.station
        now = time.monotonic()
        asked_at = self._asked_at
        if holder is None:
            return
        answered = asked_at is None or want.alive >= asked_at
        # One that took over meanwhile does not know of us: it need not have looked at what it was to do.
        if asked_at is None or holder is not self._asked or (answered and now - asked_at > RECHECK_S):
            self._asked_at, self._asked = now, holder
            holder.wake()
        elif not answered and now - asked_at > STALLED_S:
            self.station.seek(stalled=want)


def _earlier(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else min(a, b)
