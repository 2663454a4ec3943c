"""Nobody sleeps on when what it waits for is there: with the looks from time to time put off, a lost word is fatal.

Each test makes the one order of events happen that could lose a word; bounds only end what has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ibkit import hosts
from ibkit.errors import IbkitError
from ibkit.hosts import pump, station
from ibkit.hosts.station import Station
from tests.hosts.conftest import Client, Stage

NEVER = 3600.0
BOUND_S = 3.0


@pytest.fixture(autouse=True)
def _no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "RECHECK_S", NEVER)
    monkeypatch.setattr(pump, "STALLED_S", NEVER)


class Worker:
    """A thread that has a station before it begins."""

    def __init__(self, fn: Callable[[], object]) -> None:
        self.failure: list[BaseException] = []
        self._fn = fn
        self._go = threading.Event()
        self._known = threading.Event()
        self.station: Station
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self._known.wait()

    def _run(self) -> None:
        self.station = station.here()
        self._known.set()
        self._go.wait()
        try:
            self._fn()
        except BaseException as error:
            self.failure.append(error)

    def go(self) -> None:
        self._go.set()

    def wait_until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + BOUND_S
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.001)

    def end(self) -> None:
        """Wait for its end, without looking after the connections of this thread."""
        self.thread.join(BOUND_S)
        alive = self.thread.is_alive()
        assert not alive, f"it sleeps on, waiting for {self.station.waits}"
        if self.failure:
            raise self.failure[0]


def test_who_is_woken_in_the_middle_of_the_next_batch_goes_on(
    pump_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = pump_stage.client()
    call = client.ask("never")
    worker = Worker(lambda: client.host.wait(call))
    wake, late = worker.station.wake, threading.Event()
    in_time: list[bool] = []

    def handler(_: str) -> None:
        late.set()
        wake()  # the thread was slow
        worker.thread.join(BOUND_S)
        in_time.append(not worker.thread.is_alive())

    client.engine.line += handler
    me = station.here()
    with me.wait("the worker"):
        worker.go()
        worker.wait_until(lambda: worker.station in station.waiting and client.host._jobs)
        me.serve()
        monkeypatch.setattr(worker.station, "wake", lambda: wake() if late.is_set() else None)
        client.peer.push("1 x")
        while not call.done:
            client.host.ready()
        client.peer.push("news")
        while not in_time:
            client.host.ready()
    assert in_time == [True]
    worker.end()


def test_a_wait_inside_a_wait_leaves_the_outer_one_in_the_queue(pump_stage: Stage) -> None:
    client = pump_stage.client()
    call = client.ask("never")
    others: list[Client] = []
    nested = threading.Event()

    def handler(_: str) -> None:
        hosts.sleep(0)
        nested.set()

    def work() -> None:
        others.append(pump_stage.client())
        others[0].engine.line += handler
        client.host.wait(call)

    worker = Worker(work)
    me = station.here()
    me.enter()
    try:
        worker.go()
        worker.wait_until(lambda: worker.station in station.waiting)
        others[0].peer.push("news")
        assert nested.wait(BOUND_S)
        client.peer.push("1 x")
    finally:
        me.leave()
    worker.end()


def test_who_takes_over_in_between_is_asked_as_well(pump_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pump_stage.client()
    worker = Worker(lambda: client.host.act(lambda: None))
    loop = asyncio.new_event_loop()
    other = threading.Thread(target=loop.run_forever, daemon=True)
    other.start()
    wake = worker.station.wake

    async def act() -> None:
        client.host.act(lambda: None)

    def wake_late() -> None:
        asyncio.run_coroutine_threadsafe(act(), loop).result(BOUND_S)
        monkeypatch.setattr(worker.station, "wake", wake)
        wake()

    me = station.here()
    asked = threading.Event()
    monkeypatch.setattr(me, "wake", asked.set)
    me.enter()
    try:
        worker.go()
        assert asked.wait(BOUND_S)
        monkeypatch.setattr(worker.station, "wake", wake_late)
    finally:
        me.leave()
    try:
        worker.end()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        other.join()
        loop.close()


def test_word_that_comes_while_a_loop_is_taken_up_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    timer: list[str] = []
    watch_with = Station.watch_with

    def quit_it() -> None:
        raise SystemExit

    def watch_late(self: Station, loop: asyncio.AbstractEventLoop) -> None:
        monkeypatch.setattr(Station, "watch_with", watch_with)
        self.posted.append(quit_it)  # as another thread would
        self.wake()
        watch_with(self, loop)

    def work() -> None:
        loop = asyncio.SelectorEventLoop()
        asyncio.set_event_loop(loop)
        loop.call_later(1.0, timer.append, "late")
        try:
            with pytest.raises(SystemExit):
                hosts.sleep(1.5)
            assert not timer
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    monkeypatch.setattr(Station, "watch_with", watch_late)
    worker = Worker(work)
    worker.go()
    worker.end()


@pytest.mark.parametrize("how", ["close", "cancel", "finish", "wait"])
def test_a_task_ends_what_the_wait_that_runs_it_waits_for(pump_stage: Stage, how: str) -> None:
    client = pump_stage.client()
    call = client.ask("never")
    late: list[bool] = []

    async def task() -> None:
        await asyncio.sleep(0.01)
        if how == "close":
            client.host.close("enough")
        elif how == "wait":
            client.peer.push("1 x")
            client.request("echo y")
        else:
            client.host.act(call.cancel if how == "cancel" else call.finish)
        await asyncio.sleep(1.0)
        late.append(True)

    async def ended() -> None:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    running = hosts.get_loop().create_task(task())
    with contextlib.suppress(IbkitError):  # the call's
        client.host.wait(call, BOUND_S)
    assert call.done
    assert not late
    hosts.run(ended())


@pytest.mark.parametrize("what", ["future", "event"])
def test_a_running_loop_that_is_blocked_hears_a_connection_of_another_thread(
    background_stage: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(pump, "TASK_CHECK_S", NEVER)
    client = background_stage.client()

    async def main() -> None:
        if what == "future":
            future = client.host.future(client.ask("later 0.05 news"))
            assert hosts.run(future) == "news"
        else:
            client.ask("later 0.05 push").add_done_callback(lambda _: client.engine.line.emit("news"))
            assert hosts.run(client.engine.line) == "news"

    worker = Worker(lambda: asyncio.run(main()))
    worker.go()
    worker.end()


def test_a_loop_that_does_not_run_does_not_collect_what_it_is_told(
    pump_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = pump_stage.client()
    loop = hosts.get_loop()
    loop.run_until_complete(asyncio.sleep(0))  # what it was told before
    told: list[object] = []
    call_soon_threadsafe = loop.call_soon_threadsafe

    def call(callback: Callable[[], object]) -> None:
        told.append(callback)
        call_soon_threadsafe(callback)

    monkeypatch.setattr(loop, "call_soon_threadsafe", call)
    worker = Worker(lambda: [client.request(f"echo {i}") for i in range(20)])
    worker.go()
    worker.end()
    assert len(told) == 1
    loop.run_until_complete(asyncio.sleep(0.001))
    assert client.host.station is station.here(), "the loop has heard it, and taken the connection home"
    worker = Worker(lambda: client.request("echo x"))
    worker.go()
    worker.end()
    assert len(told) == 2


def test_a_loop_begins_to_run_as_one_who_holds_the_connection(
    pump_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = pump_stage.client()
    depths: list[int] = []
    due_in = client.host.due_in

    def look() -> float | None:
        depths.append(station.here().depth)
        return due_in()

    monkeypatch.setattr(client.host, "due_in", look)
    hosts.get_loop().run_until_complete(asyncio.sleep(0))
    assert depths
    assert all(depths), "nobody can take it meanwhile"


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that change places all the time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("main_does", ["wait", "compute", "come and go", "run tasks", "await"])
def test_nothing_is_lost_between_hasty_threads(pump_stage: Stage, main_does: str) -> None:
    client = pump_stage.client()
    engine, host = client.engine, client.host
    answers: list[str] = []

    def handler(line: str) -> None:
        if line.endswith("5"):
            answers.append(client.request(f"echo {line}"))  # a wait inside whatever waits there

    def ask(name: int) -> None:
        for i in range(40):
            host.act(lambda i=i: engine.say(f"push news {name} {i}"))  # type: ignore[misc]
            answers.append(client.request(f"echo {name} {i}", None))

    engine.line += handler
    workers = [Worker(lambda name=name: ask(name)) for name in range(6)]  # type: ignore[misc]
    end = time.monotonic() + BOUND_S

    def is_over() -> bool:
        return not any(worker.thread.is_alive() for worker in workers) or time.monotonic() > end

    async def look() -> None:
        await asyncio.sleep(0)
        for worker in workers:
            worker.go()
        while not is_over():
            await asyncio.sleep(0.001)

    if main_does == "await":
        asyncio.run(look())
    elif main_does == "run tasks":
        hosts.run(look())
    else:
        for worker in workers:
            worker.go()
        while main_does != "compute" and not is_over():
            hosts.sleep(0.001)
            if main_does == "come and go":
                time.sleep(0.001)
    for worker in workers:
        worker.end()
    assert {f"{name} {i}" for name in range(6) for i in range(40)} <= set(answers)
