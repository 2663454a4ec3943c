"""Asyncio: data flows while the loop runs, awaiting works, nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from ibkit import hosts
from ibkit.clock import VirtualClock
from ibkit.errors import ConnectionLost, RequestTimeout
from ibkit.events import Event
from ibkit.hosts import Host, station, virtual
from ibkit.links.memory import memory_pair
from tests.hosts.conftest import Client, NoReaders, Stage
from tests.hosts.fakes import Answer, FakeEngine, SocketPeer


class AsyncStage:
    """A kind of loop."""

    def __init__(self, name: str, stage: Stage) -> None:
        self.name = name
        self.stage = stage

    def client(self) -> Client:
        return self.stage.client()

    def run(self, scenario: Coroutine[Any, Any, None]) -> None:
        async def whole() -> None:
            try:
                await scenario
            finally:
                for client in self.stage.clients:
                    client.host.close("end of the test")

        if self.name == "run":
            hosts.run(whole())
        elif self.name == "uvloop":
            uvloop = pytest.importorskip("uvloop")
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(whole())
        elif self.name == "feeder":
            with asyncio.Runner(loop_factory=NoReaders) as runner:
                runner.run(whole())
        else:
            asyncio.run(whole())


LOOPS = ("asyncio", "uvloop", "feeder", "run", "simulated", "simulated run", "background")


def on(*names: str) -> pytest.MarkDecorator:
    """Run a test on some kinds of loops: those on which what it tells of exists."""
    return pytest.mark.parametrize("loop_stage", names, indirect=True)


IN_REAL_TIME = on(*(name for name in LOOPS if "simulated" not in name))


@pytest.fixture(params=LOOPS)
def loop_stage(request: pytest.FixtureRequest) -> Iterator[AsyncStage]:
    """Every kind of loop in turn."""
    name: str = request.param
    stage = Stage("memory" if "simulated" in name else "background" if name == "background" else "pump")
    yield AsyncStage(name.removeprefix("simulated").strip(), stage)
    for client in stage.clients:
        client.host.close("end of the test")
    for peer in stage.peers:
        peer.close()
    assert not station.connections


async def emission(event: Event) -> Any:
    """Wait for what is emitted next."""
    return await event


def test_awaiting_gives_the_answer(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        assert await client.arequest("echo hello") == "hello"
        assert await client.arequest("later 0.01 world") == "world"

    loop_stage.run(scenario())


def test_many_answers_take_one_wait(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        futures = [client.host.future(client.ask(f"later 0.0{i % 5} {i}")) for i in range(50)]
        assert await asyncio.gather(*futures) == [f"{i}" for i in range(50)]

    loop_stage.run(scenario())


def test_a_call_that_is_done_makes_a_future_that_is_done(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        call = client.ask("echo x")
        assert await client.host.future(call) == "x"
        future = client.host.future(call)
        assert future.done()
        assert await future == "x"

    loop_stage.run(scenario())


def test_an_error_is_raised_where_it_is_awaited(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        call = client.ask("never")
        future = client.host.future(call)
        client.peer.hang_up()
        with pytest.raises(ConnectionLost):
            await future

    loop_stage.run(scenario())


@IN_REAL_TIME  # as timeouts of asyncio are
def test_cancelling_an_await_cancels_on_the_wire_before_it_is_left(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        call = client.ask("never")
        task = asyncio.ensure_future(client.host.future(call))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert call.done
        client.peer.wait_heard("cancel 1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await client.host.future(client.ask("never"))
        client.peer.wait_heard("cancel 2")

    loop_stage.run(scenario())


@IN_REAL_TIME  # simulated time stands still meanwhile
def test_data_flows_while_the_program_does_not_ask(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()
        client.engine.line += lambda _: loop.call_soon_threadsafe(heard.set)
        client.peer.push("news")
        await asyncio.wait_for(heard.wait(), 10)

    loop_stage.run(scenario())


def test_blocking_calls_work_in_a_running_loop(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        future = client.host.future(client.ask("later 0.01 awaited"))
        assert client.request("echo blocked for") == "blocked for"
        hosts.sleep(0.001)
        assert await future == "awaited"
        with pytest.raises(RequestTimeout):
            client.request("never", 0.01)

    loop_stage.run(scenario())


def test_events_can_be_awaited(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        one = asyncio.ensure_future(emission(client.engine.line))
        await asyncio.sleep(0)
        client.host.act(lambda: client.engine.say("push one"))
        assert await one == "one"
        got: list[str] = []

        async def listen() -> None:
            async for line in client.engine.line:
                got.append(line)
                if line == "last":
                    return

        task = asyncio.create_task(listen())
        await asyncio.sleep(0)
        for word in ("two", "three", "last"):
            client.host.act(lambda word=word: client.engine.say(f"push {word}"))  # type: ignore[misc]
        await task
        assert got == ["two", "three", "last"]

    loop_stage.run(scenario())


def test_coroutine_handlers_run(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        answers: list[str] = []
        done = Event("done")

        async def handler(line: str) -> None:
            answers.append(await client.arequest(f"echo {line}"))
            done.emit(line)

        client.engine.line += handler
        ping = asyncio.ensure_future(emission(done))
        await asyncio.sleep(0)
        client.host.act(lambda: client.engine.say("push ping"))
        assert await ping == "ping"
        assert answers == ["ping"]

    loop_stage.run(scenario())


def test_what_the_throttle_holds_back_is_written_while_the_loop_runs(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        late = asyncio.ensure_future(emission(client.engine.line))
        await asyncio.sleep(0)
        now = client.clock.monotonic()
        client.host.act(lambda: client.engine.hold_back("push late", now + 0.02))
        assert await late == "late"

    loop_stage.run(scenario())


def test_what_is_due_at_once_is_done_once(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        client.engine.due = client.clock.monotonic()
        for _ in range(3):  # each asks the loop for a timer that is due already
            client.host.act(lambda: None)
        assert await client.arequest("echo x") == "x"
        assert len(client.engine.fired) == 1

    loop_stage.run(scenario())


def test_what_does_not_fit_is_written_while_the_loop_runs(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        if isinstance(client.peer, SocketPeer):
            client.peer.deaf = True
        client.host.act(lambda: client.engine.say("x" * 8_000_000))
        await asyncio.sleep(0)
        client.peer.listen()
        assert await client.arequest("echo on") == "on"
        assert len(client.peer.heard[0]) == 8_000_000

    loop_stage.run(scenario())


def test_the_end_is_told_while_the_loop_runs(loop_stage: AsyncStage) -> None:
    async def scenario() -> None:
        client = loop_stage.client()
        closed = asyncio.ensure_future(emission(client.engine.closed_event))
        await asyncio.sleep(0)
        client.peer.hang_up()
        assert "closed the connection" in await closed
        anew = loop_stage.client()
        assert await anew.arequest("echo again") == "again"

    loop_stage.run(scenario())


@on("asyncio", "uvloop", "feeder", "run", "simulated", "simulated run")
def test_times_can_be_awaited(loop_stage: AsyncStage) -> None:
    from datetime import UTC, datetime

    async def scenario() -> None:
        client = loop_stage.client()
        start = client.clock.time()
        expected = [start + 0.01, start + 0.02, start + 0.03]
        first, last = (datetime.fromtimestamp(moment, UTC) for moment in (expected[0], expected[-1]))
        moments = [moment.timestamp() async for moment in hosts.time_range_async(first, last, 0.01)]
        # A slow machine may be late for the first ones.
        assert moments == pytest.approx(expected[len(expected) - len(moments) :], abs=1e-3)
        assert not moments or client.clock.time() >= moments[-1]
        if loop_stage.stage.simulated:
            assert len(moments) == 3

    loop_stage.run(scenario())


# -- from loop to loop -------------------------------------------------------------------------------


def test_a_connection_moves_from_loop_to_loop(pump_stage: Stage) -> None:
    client = pump_stage.client()

    async def main(text: str) -> str:
        future = client.host.future(client.ask(f"later 0.01 {text}"))
        client.peer.push(f"news {text}")
        assert await client.engine.line == f"news {text}"
        return await future

    assert client.request("echo before") == "before"
    assert asyncio.run(main("one")) == "one"
    assert client.request("echo between") == "between"
    assert asyncio.run(main("two")) == "two"
    loop = hosts.get_loop()
    assert loop.run_until_complete(main("three")) == "three"
    assert hosts.run(main("four")) == "four"
    assert client.request("echo after") == "after"


def test_several_connections_outlive_a_loop(pump_stage: Stage) -> None:
    async def main() -> None:
        for client in clients:
            assert await client.arequest("echo x") == "x"

    clients = [pump_stage.client(), pump_stage.client()]
    asyncio.run(main())
    clients.append(pump_stage.client())  # the loop that watched is closed
    asyncio.run(main())
    clients.pop(0).host.close("bye")
    assert [client.request("echo y") for client in clients] == ["y", "y"]


def test_the_scripts_own_loop_is_the_one_that_waits_run(pump_stage: Stage) -> None:
    before = hosts.get_loop()
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)
    try:
        client = pump_stage.client()
        ticks: list[int] = []

        async def count() -> None:
            while True:
                ticks.append(1)
                await asyncio.sleep(0.001)

        task = mine.create_task(count())
        assert client.request("later 0.03 x") == "x"
        assert len(ticks) > 2
        task.cancel()
        client.host.close("bye")
        hosts.sleep(0)
        assert task.cancelled()
    finally:
        asyncio.set_event_loop(before)
        mine.close()


def test_tasks_progress_while_a_script_blocks(pump_stage: Stage) -> None:
    client = pump_stage.client()
    got: list[str] = []

    async def task() -> None:
        await asyncio.sleep(0.001)
        got.append(await client.arequest("echo from the task"))

    running = hosts.get_loop().create_task(task())
    while not running.done():
        hosts.sleep(0.005)
    assert got == ["from the task"]


def test_a_worker_runs_the_loop_it_has(pump_stage: Stage) -> None:
    failures: list[BaseException] = []

    def worker() -> None:
        try:
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            with contextlib.closing(loop):
                client = pump_stage.client()
                task = loop.create_task(client.arequest("echo x"))
                while not task.done():
                    hosts.sleep(0.001)
                assert task.result() == "x"
                client.host.close("bye")
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
    assert not failures


def test_a_loop_that_runs_in_another_thread_is_left_alone(pump_stage: Stage) -> None:
    before = hosts.get_loop()
    theirs = asyncio.new_event_loop()
    thread = threading.Thread(target=theirs.run_forever)
    thread.start()
    asyncio.set_event_loop(theirs)
    try:
        client = pump_stage.client()
        assert client.request("echo x") == "x"
        future = asyncio.run_coroutine_threadsafe(client.arequest("echo y"), theirs)
        while not future.done():
            hosts.sleep(0.001)
        assert future.result() == "y"
        client.host.close("bye")
    finally:
        asyncio.set_event_loop(before)
        theirs.call_soon_threadsafe(theirs.stop)
        thread.join()
        theirs.close()


def test_a_future_made_in_a_script_is_answered_by_run(pump_stage: Stage) -> None:
    client = pump_stage.client()
    futures = [client.host.future(client.ask(f"later 0.01 {i}")) for i in range(3)]
    assert hosts.run(*futures) == ["0", "1", "2"]
    assert hosts.run(asyncio.gather(*(client.host.future(client.ask(f"echo {i}")) for i in range(3)))) == [
        "0",
        "1",
        "2",
    ]


def test_nothing_is_left_to_warn_about(pump_stage: Stage) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client = pump_stage.client()
        client.request("echo x")
        asyncio.run(client.arequest("echo y"))
        client.host.close("bye")
        gc.collect()


def test_the_loop_is_not_kept_busy(pump_stage: Stage) -> None:
    async def main() -> None:
        client = pump_stage.client()
        assert await client.arequest("echo x") == "x"
        turns = 0
        loop = asyncio.get_running_loop()

        def count() -> None:
            nonlocal turns
            turns += 1
            loop.call_later(0.005, count)

        count()
        before = len(client.engine.reads)
        await asyncio.sleep(0.05)
        assert turns <= 11
        assert len(client.engine.reads) == before
        client.host.close("bye")

    asyncio.run(main())


# -- simulated time in a running loop ----------------------------------------------------------------


def test_simulated_time_passes_while_somebody_awaits(memory_stage: Stage) -> None:
    async def main() -> None:
        client = memory_stage.client()
        assert await client.arequest("later 3600 an hour") == "an hour"
        assert client.clock.monotonic() == pytest.approx(3600)
        await asyncio.sleep(0.01)
        assert client.clock.monotonic() == pytest.approx(3600)
        client.host.close("bye")

    asyncio.run(main())


def test_simulated_time_passes_for_what_was_asked_before_the_loop_ran(memory_stage: Stage) -> None:
    client = memory_stage.client()
    future = client.host.future(client.ask("later 60 a minute"))
    hosts.sleep(1)
    assert not future.done()
    assert hosts.get_loop().run_until_complete(future) == "a minute"
    assert client.clock.monotonic() == pytest.approx(60)


def test_simulated_time_stops_at_the_end_of_the_world(memory_stage: Stage) -> None:
    async def main() -> None:
        client = memory_stage.client()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.host.future(client.ask("never")), 0.05)
        assert not virtual.is_awaited(station.here())
        assert await client.arequest("later 5 goes on") == "goes on"
        client.host.close("bye")

    asyncio.run(main())


def test_a_script_in_simulated_time_runs_its_tasks(memory_stage: Stage) -> None:
    client = memory_stage.client()
    got: list[str] = []

    async def handler(line: str) -> None:
        got.append(await client.arequest(f"later 60 {line}"))
        got.append(await client.arequest("later 60 again"))

    client.engine.line += handler
    client.peer.push("news")
    hosts.sleep(3600)
    assert got == ["news", "again"]
    assert client.clock.monotonic() == pytest.approx(3600)


def test_an_hour_passes_in_a_blink_and_every_run_is_the_same(memory_stage: Stage) -> None:
    def run() -> list[str]:
        client = memory_stage.client()
        for i in range(14_400):
            client.peer.broker.at(i * 0.25, f"tick {i}")
        seen: list[str] = []
        client.engine.line += lambda line: seen.append(f"{client.clock.monotonic():.2f} {line}")
        hosts.sleep(3600)
        client.host.close("bye")
        return seen

    first = run()
    assert len(first) == 14_400
    assert first == run()


@pytest.mark.parametrize("kind", ["blocking", "asyncio", "run"])
def test_simulated_time_stands_still_while_there_is_something_to_read(
    memory_stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    client = memory_stage.client()
    link = client.peer.link
    read, rest = link.read, bytearray()

    def read_one() -> bytes | None:
        rest.extend(read() or b"")
        byte = bytes(rest[:1])
        del rest[:1]
        return byte or None

    monkeypatch.setattr(link, "read", read_one)
    client.peer.broker.at(5.0, "later")

    async def main() -> None:
        assert await client.arequest(f"echo {'x' * 100}") == "x" * 100
        assert client.clock.monotonic() == 0.0

    if kind == "blocking":
        assert client.request(f"echo {'x' * 100}") == "x" * 100
        assert client.clock.monotonic() == 0.0
    elif kind == "asyncio":
        asyncio.run(main())
    else:
        hosts.run(main())
    assert "later" not in client.engine.diary


def test_two_simulated_worlds_see_the_same_time_pass(memory_stage: Stage) -> None:
    first, second = memory_stage.client(), memory_stage.client()
    second.peer.broker.at(100.0, "news")
    hosts.sleep(3600)
    assert first.clock.monotonic() == pytest.approx(3600)
    assert second.clock.monotonic() == pytest.approx(3600)
    assert second.engine.diary[0] == "news"


def test_a_wait_that_cannot_end_in_simulated_time_ends() -> None:
    clock = VirtualClock()
    link, _ = memory_pair("nobody", lambda until: False)
    engine = FakeEngine()
    host = Host(engine, clock)
    host.open(link)
    call: Answer = host.act(lambda: engine.ask("never"))
    with pytest.raises(RequestTimeout):
        host.wait(call)
    with pytest.raises(RequestTimeout):
        host.wait(host.act(lambda: engine.ask("never")), 5.0)
    assert clock.monotonic() == 5.0
    assert hosts.run(asyncio.sleep(0.01, "real")) == "real"
    assert hosts.run(asyncio.to_thread(str, 5)) == "5"
    assert hosts.run() is None
    host.close("bye")
