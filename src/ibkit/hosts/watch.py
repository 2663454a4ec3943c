"""The eyes of an asyncio loop: it watches the connections of its thread, and says when something is due.

Where the loop cannot watch descriptors (``add_reader`` raises NotImplementedError: the Proactor loop of
Windows), a feeder thread does. Must not know engines or links.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ibkit.hosts import unread, virtual
from ibkit.hosts.feeder import Feeder

if TYPE_CHECKING:
    import asyncio

    from ibkit.hosts.station import Station

LOOK: Final = 16
"""Reads between looks whether a loop of ours still has tasks."""

LATER_S = 0.01
"""Real seconds until we look again whether a blocking call has ended."""

PASSES = 12
"""Rounds of the loop in which tasks can act on what they got, before simulated time moves on.

An answer takes one round for each task and each ``gather`` that it has to go through.
"""


class Watch:
    """One loop that watches for one station; used in the thread of both."""

    def __init__(self, station: Station, loop: asyncio.AbstractEventLoop) -> None:
        self.station = station
        self.loop = loop
        self.done: Callable[[], bool] | None = None
        """While a blocking call runs the loop: whether it has what it waits for."""
        self.stopped = False
        """Whether the last run of the loop was ended by us and not by somebody's ``loop.stop()``."""
        self.unsettled = False
        """Whether a connection has begun, or ceased, to wait until it can write."""
        self._asked = False  # whether the loop is about to call ``_woken``
        self._writing: dict[int, bool] = {}
        self._feeders: dict[int, Feeder] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0  # not asked of the handle: uvloop's have no when() if they are due at once
        self._driving = False
        self._beat: asyncio.TimerHandle | None = None
        own = station.home_loop.mine
        self._own = own if own is loop else None
        self._checks = 0
        if self._own is not None:
            self._own.on_run = self._begin  # until it runs it need not know what is due
        self.reconcile()

    # -- which descriptors ---------------------------------------------------------------------------

    def reconcile(self) -> None:
        """Watch the connections that the station holds, and no others."""
        wanted = {} if self.loop.is_closed() else self.station.by_fd
        self.station.changed = False
        for fd in [fd for fd in self._writing if fd not in wanted]:
            self._forget(fd)
        for fd, held in wanted.items():
            # One that is watched already may be another connection with the same number: begin anew.
            self._forget(fd)
            self._watch(fd, held.backlog())
        self._tell_own()
        self._begin_beat()

    def _begin_beat(self) -> None:
        """Note from time to time that the loop is free; our own one only while it runs for long."""
        own = self._own
        wanted = own is None or (own.running and not own.brief)
        if wanted and self._beat is None and self.station.by_fd and not unread.said():
            self._beat = self.loop.call_later(unread.BEAT_S, self._note_free)

    def _tell_own(self) -> None:
        """Tell a loop of ours how many of its descriptors are ours."""
        if self._own is not None and not self._own.ended:
            self._own.watch_for(len(self._writing) - len(self._feeders))

    def _watch(self, fd: int, write: bool) -> None:
        self._writing[fd] = write
        try:
            self.loop.add_reader(fd, self._ready, fd)
            if write:
                self.loop.add_writer(fd, self._ready, fd)
        except NotImplementedError:
            self._feeders[fd] = Feeder(fd, write, lambda: self.loop.call_soon_threadsafe(self._ready, fd))

    def _forget(self, fd: int) -> None:
        if self._writing.pop(fd, None) is None:
            return
        feeder = self._feeders.pop(fd, None)
        if feeder is not None:
            feeder.close()
        elif not self.loop.is_closed():
            self.loop.remove_reader(fd)
            self.loop.remove_writer(fd)
        self._tell_own()

    def _adjust_writing(self) -> None:
        self.unsettled = False
        for fd, held in self.station.by_fd.items():
            backlog = held.backlog()
            feeder = self._feeders.get(fd)
            if feeder is not None:
                self._writing[fd] = backlog
                feeder.go_on(backlog)
            elif self._writing.get(fd) is not backlog:
                self._writing[fd] = backlog
                if backlog:
                    self.loop.add_writer(fd, self._ready, fd)
                else:
                    self.loop.remove_writer(fd)

    # -- what the loop calls -------------------------------------------------------------------------

    def _ready(self, fd: int) -> None:
        station = self.station
        station.enter()
        try:
            held = station.by_fd.get(fd)
            if station.watch is not self or held is None:
                self._forget(fd)
            else:
                held.ready()
        finally:
            station.leave()

    def wake(self) -> None:
        """Have the loop do what another thread asks for; from any thread."""
        if self._asked:  # it will come after this: a loop that does not run must not collect what it is told
            return
        try:
            self._asked = True
            self.loop.call_soon_threadsafe(self._woken)
        except RuntimeError:  # the loop is closed
            pass
        except BaseException:  # interrupted: it may not have been told
            self._asked = False
            raise

    def _woken(self) -> None:
        """Do what other threads asked for."""
        self._asked = False  # first: what is asked for from now on may come too late for this time
        self._serve(seek=True)
        self.stop()

    def _due(self) -> None:
        self._timer = None
        self._serve()

    def _serve(self, seek: bool = False) -> None:
        station = self.station
        if station.watch is not self:
            return
        station.enter()
        try:
            station.heard()
            if seek:
                station.seek()
            station.serve()
        finally:
            station.leave()

    def _check(self) -> None:
        """End the run of the loop if the blocking call that runs it has what it waits for, or need not run it."""
        if self.done is None:
            return
        self._checks += 1
        if self.done() or (self._own is not None and not self._checks % LOOK and not self._own.has_tasks()):
            self.stop()

    def stop(self) -> None:
        """End the run of the loop by a blocking call."""
        if self.done is not None:
            self.stopped = True
            self.loop.stop()

    def _note_free(self) -> None:
        """Note that the loop is free to read; so a loop that idles is told from one that is blocked."""
        self._beat = None
        self.station.served = time.monotonic()
        self._begin_beat()

    # -- what is due ---------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Look at what is due when a loop of ours begins to run."""
        if self.station.depth:
            self.arm()
        else:  # the program runs it, and another thread may be about to take a connection from us
            self.station.enter()
            self.station.leave()

    def arm(self) -> None:
        """Have the loop call us when something is due, or can be written; end its run when nobody needs it."""
        station = self.station
        if self.loop.is_closed():
            return
        if station.changed:
            self.reconcile()
        if self._own is not None:
            if not self._own.running:
                return
            self._begin_beat()
        secs = station.due_in()
        if secs is not None:
            due = self.loop.time() + secs
            if self._timer is None or due < self._timer_due - 1e-4:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer_due = due
                self._timer = self.loop.call_at(due, self._due)
        if self.unsettled or self._feeders:
            self._adjust_writing()
        self._check()  # a task may have finished it, or a wait of a task
        if not station.pumped:
            return
        if self.done is not None:
            self.stop()  # simulated time passes in another way than by running the loop
        elif not self._driving and not station.waits and virtual.is_awaited(station):
            self._driving = True
            self.loop.call_soon(self._drive, PASSES)

    def _drive(self, passes: int) -> None:
        """Let simulated time pass while somebody awaits something in the running loop."""
        station = self.station
        if station.watch is not self:
            return
        if station.waits:  # a blocking call lets the time pass, and runs us on the way
            self.loop.call_later(LATER_S, self._drive, PASSES)
            return
        if passes:
            self.loop.call_soon(self._drive, passes - 1)
            return
        going_on = False
        station.enter()
        try:
            going_on = station.serve() or virtual.move(station, None)
            station.serve()
        finally:
            self._driving = not going_on  # at the end of the world we do not come again by ourselves
            station.leave()  # comes again, once: two who drive would leave the tasks no time
            if not going_on:
                self._driving = False

    def run(self, done: Callable[[], bool], secs: float | None) -> None:
        """Run the loop until ``done``, ``secs`` have passed, or somebody stops it."""
        self.arm()  # what was scheduled while the call was beginning
        timer = None if secs is None else self.loop.call_later(max(0.0, secs), self.stop)
        self.stopped = False
        self.done = done
        try:
            self.loop.run_forever()
        finally:
            self.done = None
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        """Watch no more."""
        for fd in tuple(self._writing):
            self._forget(fd)
        if self._own is not None:
            self._own.on_run = None
        for timer in (self._timer, self._beat):
            if timer is not None:
                timer.cancel()
        self._timer = self._beat = None
