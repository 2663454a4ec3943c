"""The host of one connection: it drives the engine, on the thread that holds the connection.

What a host promises is in contract.py, who holds what in station.py, how is waited in pump.py. Must not know
any particular engine, request or message.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ibkit.clock import Clock
from ibkit.errors import NotConnected, ProtocolError, RequestTimeout
from ibkit.hosts import loops, process, pump, service, station
from ibkit.hosts.contract import Call, Engine, Link
from ibkit.hosts.station import Station, here
from ibkit.hosts.work import Job, Posted, Waiter, Watching, Work

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

logger = logging.getLogger("ibkit")

LOOKS = 64
"""Reads before deadlines are looked at: more than the kernel keeps for a program that is busy."""


class Host:
    """Serves one connection.

    Args:
        engine: what is driven.
        clock: for the engine's times and for timeouts; a simulated one must be the one the link's peer moves.
        background: hold the connection in a thread of its own; handlers run there.
    """

    home: Station

    def __init__(self, engine: Engine, clock: Clock, *, background: bool = False) -> None:
        self.clock = clock
        self.station: Station | None = None
        self.pumped = False
        self.alive = 0.0
        self._engine = engine
        self._background = background
        self._link: Link | None = None
        self._batch = 0  # the number of the one that is being handled, 0 when there is none
        self._batches = 0
        self._jobs: deque[Work] = deque()
        self._waiters: list[Waiter] = []
        self._reason = ""
        self._backlog = False  # whether the link has not taken everything
        self._over = False  # the engine knows that it is closed

    # -- life ----------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether there is a link that is served."""
        return self._link is not None

    @property
    def reason(self) -> str:
        """Why the connection has ended; '' while it has not."""
        return self._reason

    def open(self, link: Link) -> None:
        """Begin to serve ``link``: on this thread, or in a thread of its own when made with ``background``."""
        if self._link is not None:
            raise RuntimeError("this host serves a connection already; every connection has its own host")
        process.prepare()
        self.pumped = link.pump(self.clock.monotonic()) is not None
        if self._background:
            if self.pumped:
                raise ValueError("a peer that lives in this thread cannot be served by another one")
            service.start(self, lambda: self._open(link), self.close)
        else:
            self._open(link)

    def _open(self, link: Link) -> None:
        here_now = here()
        here_now.enter()
        try:
            with station.lock:
                self._link = link
                self._backlog = link.pending() > 0
                self.home = here_now
                station.connections.append(self)
                here_now.take_up(self)
            if loops.running_loop() is None and (loop := here_now.home_loop.parked()) is not None:
                here_now.watch_with(loop)
            link.notify(self._notified)
            self._flush()
        except BaseException as error:
            self._end(f"it could not be opened: {error!r}")
            raise
        finally:
            here_now.leave()

    def close(self, reason: str) -> None:
        """Close the link, and tell the engine; harmless when it is closed."""
        with contextlib.suppress(NotConnected):
            self.act(lambda: self._end(reason))

    def _end(self, reason: str) -> None:
        """Go out of service; on the thread that holds the connection."""
        link = self._link
        if link is None:
            return
        with station.lock:
            self._link = None
            jobs, self._jobs = self._jobs, deque()
        self._reason = reason
        self._batch = 0
        here().release(self)
        for job in jobs:
            job.fail(NotConnected(f"not connected: {reason}"))
        link.close()
        try:
            self._engine.closed(reason)
        except Exception:  # whatever it is: there is no connection left that it could end
            logger.exception("the end of the connection to %s was not handled", link.name)
        self._over = True
        self._wake_waiters()

    def abandon(self) -> None:
        """Forget the connection, which belongs to the parent process."""
        link, self._link = self._link, None
        self.station = None
        self._over = True
        self._reason = "it belongs to the parent process; connect again in this one"
        if link is not None:
            link.abandon()

    # -- asking --------------------------------------------------------------------------------------

    def act(self, fn: Callable[[], T]) -> T:
        """Run ``fn`` on the thread that holds the connection, write what it has to say, return its result.

        Where that thread is not active, this one takes the connection over. Raises NotConnected, and what
        ``fn`` raises.
        """
        me = here()
        if self._link is None:
            raise self._not_connected()
        if self.station is me and me.depth:  # in a handler: nobody can take the connection from us
            me.settle()
            try:
                return fn()
            finally:
                self._flush()
                me.rearm()
        if not me.claim(self):
            return self._hand_over(fn, me)
        try:
            if self._link is None:
                raise self._not_connected()
            try:
                return fn()
            finally:
                self._flush()
        finally:
            me.leave()

    def _hand_over(self, fn: Callable[[], T], me: Station) -> T:
        job = Job(fn, me)
        with station.lock:
            if self._link is None:
                raise self._not_connected()
            self._jobs.append(job)
        with me.wait("a call handed to another thread", self):
            pump.wait(me, lambda: job.done, want=self)
        return job.result()

    def wait(self, call: Call[T], timeout: float | None = None) -> T:
        """Wait for ``call`` while everything else goes on, and return its result.

        Args:
            call: one of this connection.
            timeout: seconds; None for ever.

        Raises RequestTimeout when there is no answer in time (the call is cancelled), and the call's error.
        Leaving by KeyboardInterrupt or SystemExit cancels the call, too.
        """
        me = here()
        waiter = Waiter(me)
        me.begin(call.name, self)
        try:
            if self.station is not me:
                self._ask_to_be_woken(call, waiter)
            # It is done, and not in the middle of its batch that another thread handles. Who was told of its end need
            # not look at batches: the next one may have begun.
            answered = pump.wait(
                me,
                lambda: self._over or (call.done and (waiter.told or not self._batch or self.station is me)),
                timeout,
                want=self,
            )
        except pump.DeadEnd:
            answered = False
        except BaseException:
            self._give_up(call)
            raise
        finally:
            me.end()
        if not answered:
            self._give_up(call)
            raise RequestTimeout(call.name, float("inf") if timeout is None else timeout)
        if not call.done:
            raise self._not_connected()
        return call.result()

    def _ask_to_be_woken(self, call: Call[T], waiter: Waiter) -> None:
        """Have ``waiter`` told after the batch that finishes ``call``, which another thread handles."""
        with station.lock:
            holder = self.station
            if self._link is not None and holder is not None:
                self._jobs.append(Watching(call, lambda _: self._waiters.append(waiter)))
            else:  # the other thread is about to fail the call, and then wakes all who wait
                self._waiters.append(waiter)
        if holder is not None:
            holder.wake()

    def future(self, call: Call[T]) -> asyncio.Future[T]:
        """Return a future of the running loop (or of the one that blocking calls will run) for ``call``.

        Cancelling it cancels the call.
        """
        from ibkit.hosts.futures import CallFuture  # brings asyncio with it

        me = here()
        loop = loops.running_loop() or me.home_loop.get()
        future: asyncio.Future[T] = CallFuture(loop, lambda: self._give_up(call))
        thread = threading.get_ident()

        def answer() -> None:
            if not future.done():
                try:
                    future.set_result(call.result())
                except Exception as error:  # the call's, whatever it is
                    future.set_exception(error)

        def call_done(_: object) -> None:
            if threading.get_ident() == thread:
                answer()
            else:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(answer)
                    me.posted.append(answer)  # a blocking call may wait for it, and keep the loop from running
                    me.nudge()

        if call.done:
            answer()
        else:
            me.awaited.add(future)
            future.add_done_callback(me.awaited.discard)
            self.act(lambda: call.add_done_callback(call_done))
        return future

    def _give_up(self, call: Call[T]) -> None:
        """Cancel ``call``, and write what that has to say."""
        with contextlib.suppress(NotConnected):
            if not call.done:
                self.act(call.cancel)

    def post(self, fn: Callable[[], object]) -> None:
        """Have ``fn`` called soon on the thread that holds the connection; returns at once."""
        with station.lock:
            holder = self.station
            if holder is None:
                raise self._not_connected()
            self._jobs.append(Posted(fn))
        holder.wake()

    def _not_connected(self) -> NotConnected:
        return NotConnected(f"not connected: {self._reason}") if self._reason else NotConnected()

    # -- serving -------------------------------------------------------------------------------------

    def fileno(self) -> int | None:
        """Return what to select on, or None."""
        return None if self._link is None else self._link.fileno()

    def ready(self) -> bool:
        """Read once, and handle it; tells whether there was anything."""
        link = self._link
        if link is None:
            return False
        try:
            if self._backlog:
                link.flush()
                self._look_after(link)
            data = link.read()
            if data is None:
                return False
            if not data:
                self._finish_batch()
                self._end(f"{link.name} closed the connection")
                return True
            self._batch = self._batches = self._batches + 1
            clock = self.clock
            self._engine.receive(data, clock.monotonic(), clock.time())
            self._finish_batch()
            self._flush()
        except OSError as error:
            self._end(f"the connection to {link.name} broke: {error.strerror or error}")
        except ProtocolError as error:
            self._end(str(error))
        except Exception as error:  # a reducer that does not catch its own: the state cannot be trusted any more
            self._broke(error)
        return True

    def serve(self) -> bool:
        """Do what can be done without reading from descriptors; tells whether something else was read."""
        self.alive = time.monotonic()
        try:
            if self._batch:
                self._finish_batch()
            for _ in range(len(self._jobs)):  # what is posted meanwhile wakes us again: deadlines have to be met, too
                if self._jobs:
                    self._jobs.popleft().run()
            if self._link is None:
                return False
            due = self._engine.deadline()
            if due is not None and due <= self.clock.monotonic():
                # The program may have been busy: what is there already came in time.
                looks = 0
                while looks < LOOKS and self.ready():
                    looks += 1
                if self._link is None:
                    return False
                self._engine.fire(self.clock.monotonic(), self.clock.time())
            self._flush()
        except ProtocolError as error:
            self._end(str(error))
        except Exception as error:  # as above
            self._broke(error)
        return self._link is not None and self._link.fileno() is None and self.ready()

    def _finish_batch(self) -> None:
        """Handle what is left of a read, and tell what has changed; nested waits do it for the outer ones."""
        engine = self._engine
        while (number := self._batch) and self._link is not None:
            now = self.clock.monotonic()
            while self._link is not None and engine.step(now):
                pass
            if self._batch == number and self._link is not None:
                engine.end_batch(now)
                if self._batch == number:  # else a handler has waited, and the wait has read on
                    self._batch = 0
        self._batch = 0
        if self._waiters:
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.tell()

    def _flush(self) -> None:
        link = self._link
        if link is None:
            return
        data = self._engine.output(self.clock.monotonic())
        if data:
            link.write(data)
            if link.pending():
                self._look_after(link)
        if self._waiters and not self._batch:
            self._wake_waiters()

    def _look_after(self, link: Link) -> None:
        """Note whether ``link`` has to be written to when it can take more."""
        self._backlog = link.pending() > 0
        here().look_after(self)

    def _broke(self, error: Exception) -> None:
        logger.error("the connection ends, because a message was not handled: %r", error, exc_info=error)
        self._end(f"internal error: {error!r}")

    def due_in(self) -> float | None:
        """Return in how many seconds ``serve`` must be called at the latest, or None."""
        due = self._engine.deadline()
        return None if due is None else max(0.0, due - self.clock.monotonic())

    def backlog(self) -> bool:
        """Tell whether bytes wait for the descriptor to take them."""
        return self._link is not None and self._link.pending() > 0

    def pump(self, secs: float | None) -> bool:
        """Let a peer in this thread act for at most so many seconds of its clock."""
        link = self._link
        return link is not None and bool(link.pump(None if secs is None else self.clock.monotonic() + secs))

    def _notified(self) -> None:
        """Look at a link without descriptor; called on any thread."""
        holder = self.station
        if holder is not None and not (holder.depth and threading.get_ident() == holder.thread.ident):
            holder.wake()
