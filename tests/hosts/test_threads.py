"""Several threads and one connection: nobody races, nobody waits for nothing, no connection is left alone."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from ibkit import hosts
from ibkit.clock import SystemClock
from ibkit.errors import ConnectionLost, NotConnected, RequestTimeout
from ibkit.hosts import Host, pump, station
from ibkit.links.memory import memory_pair
from tests.hosts.conftest import Client, Stage, in_thread, without
from tests.hosts.fakes import Answer, FakeEngine


def test_a_thread_that_computes_lets_another_take_over(pump_stage: Stage) -> None:
    client = pump_stage.client()
    main = station.here()
    assert client.host.station is main
    holders: list[object] = []

    def worker() -> None:
        assert client.request("echo from a worker") == "from a worker"
        holders.append(client.host.station)

    in_thread(worker)
    assert holders != [main]
    assert client.request("echo back at home") == "back at home"
    assert client.host.station is main


def test_a_thread_that_waits_is_handed_what_others_want(pump_stage: Stage) -> None:
    client = pump_stage.client()
    answers: list[str] = []
    enough = client.ask("never")

    def worker() -> None:
        answers.append(client.request("echo x"))
        client.host.act(lambda: enough.finish("enough"))

    thread = threading.Thread(target=worker)
    thread.start()
    assert client.host.wait(enough, 10) == "enough"
    thread.join()
    assert answers == ["x"]


def test_what_is_handed_over_raises_where_it_was_asked(pump_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    client = pump_stage.client()
    enough = client.ask("never")
    failure: list[BaseException] = []

    def fail() -> None:
        raise KeyError("no such thing")

    def worker() -> None:
        try:
            client.host.act(fail)
        except KeyError as error:
            failure.append(error)
        client.host.act(lambda: enough.finish())

    thread = threading.Thread(target=worker)
    thread.start()
    client.host.wait(enough, 10)
    thread.join()
    assert len(failure) == 1
    assert not caplog.records


@without("memory")  # where the peer lives in one thread
@pytest.mark.parametrize("main_does", ["waits", "computes"])
def test_twenty_threads_ask_at_once(stage: Stage, main_does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "STALLED_S", 0.05)  # where main computes, it blocks its loop
    monkeypatch.setattr(pump, "RECHECK_S", 0.02)

    def scenario() -> None:
        client = stage.client()
        inside: list[int] = []

        def check(_: str) -> None:
            assert not inside, "two threads are in the engine"
            inside.append(1)
            time.sleep(0)
            inside.clear()

        client.engine.line += check
        barrier = threading.Barrier(20)

        def worker(i: int) -> list[str]:
            barrier.wait()
            answers = []
            for j in range(10):
                client.host.act(partial(client.engine.say, f"push hello {i} {j}"))
                answers.append(client.request(f"echo {i} {j}"))
            return answers

        with ThreadPoolExecutor(20) as pool:
            futures = [pool.submit(worker, i) for i in range(20)]
            if main_does == "waits":
                while not all(future.done() for future in futures):
                    hosts.sleep(0.001)
            assert [future.result() for future in futures] == [[f"{i} {j}" for j in range(10)] for i in range(20)]

    stage.run(scenario)


def test_a_thread_that_ended_is_taken_over_from(pump_stage: Stage) -> None:
    clients: list[Client] = []
    in_thread(lambda: clients.append(pump_stage.client()))
    client = clients[0]
    assert not client.host.home.thread.is_alive()
    client.peer.push("news")
    while "news" not in client.engine.diary:
        hosts.sleep(0.001)  # adopts it, although nothing was asked of it here
    assert client.host.home is station.here()


def test_a_wait_takes_the_connection_when_its_holder_ends(pump_stage: Stage) -> None:
    clients: list[Client] = []
    connected, go = threading.Event(), threading.Event()

    def owner() -> None:
        client = pump_stage.client()
        clients.append(client)
        connected.set()
        while not go.is_set():
            hosts.sleep(0.01)

    thread = threading.Thread(target=owner)
    thread.start()
    connected.wait()
    call = clients[0].ask("later 0.1 x")  # handed to the owner
    go.set()
    assert clients[0].host.wait(call, 10) == "x"
    thread.join()


def test_home_takes_back_what_a_worker_leaves_alone(pump_stage: Stage) -> None:
    client = pump_stage.client()
    asking, release = threading.Event(), threading.Event()

    def worker() -> None:
        client.request("echo x")
        asking.set()
        release.wait()  # it computes, and the connection is still its own

    thread = threading.Thread(target=worker)
    thread.start()
    asking.wait()
    assert client.host.station is not station.here()
    client.peer.push("news")
    while "news" not in client.engine.diary:
        hosts.sleep(0.001)
    assert client.host.station is station.here()
    release.set()
    thread.join()


def test_home_is_told_when_a_worker_has_done_with_the_connection(pump_stage: Stage) -> None:
    client = pump_stage.client()
    asked = threading.Event()

    def worker() -> None:
        call = client.ask("later 0.1 x")
        asked.set()
        client.host.wait(call, 10)
        client.peer.push("news")

    def handler(_: str) -> None:
        raise SystemExit

    client.engine.line += handler
    thread = threading.Thread(target=worker)
    thread.start()
    asked.wait()
    with pytest.raises(SystemExit):
        hosts.sleep(10)
    thread.join()
    assert client.host.station is station.here()


def test_threads_that_ask_one_another_do_not_deadlock(pump_stage: Stage) -> None:
    mine = pump_stage.client()
    theirs: list[Client] = []
    ready = threading.Event()
    got: list[str] = []

    def worker() -> None:
        client = pump_stage.client()
        theirs.append(client)
        client.engine.line += lambda _: got.append(mine.request("echo asked by the worker"))
        ready.set()
        while len(got) < 2:
            hosts.sleep(0.001)

    mine.engine.line += lambda _: got.append(theirs[0].request("echo asked by main"))
    thread = threading.Thread(target=worker)
    thread.start()
    ready.wait()
    theirs[0].peer.push("ping")
    mine.peer.push("ping")
    while len(got) < 2:
        hosts.sleep(0.001)
    thread.join()
    assert sorted(got) == ["asked by main", "asked by the worker"]


def test_a_wait_of_another_thread_is_cancelled_on_the_wire(pump_stage: Stage) -> None:
    client = pump_stage.client()
    done = client.ask("never")

    def worker() -> None:
        try:
            with pytest.raises(RequestTimeout):
                client.request("never", 0.05)
            client.peer.wait_heard("cancel 2")
        finally:
            client.host.act(lambda: done.finish())

    thread = threading.Thread(target=worker)
    thread.start()
    client.host.wait(done, 10)
    thread.join()
    assert "cancel 2" in client.peer.heard


def test_the_end_is_told_to_all_who_wait(pump_stage: Stage) -> None:
    client = pump_stage.client()
    errors: list[Exception] = []
    asked = threading.Barrier(6)

    def worker() -> None:
        call = client.ask("never")
        asked.wait()
        try:
            client.host.wait(call)
        except ConnectionLost as error:
            errors.append(error)

    threads = [threading.Thread(target=worker) for _ in range(5)]
    for thread in threads:
        thread.start()
    while asked.n_waiting < 5:
        hosts.sleep(0.001)
    asked.wait()
    client.peer.hang_up()
    for thread in threads:
        while thread.is_alive():
            hosts.sleep(0.001)
    assert len(errors) == 5


def test_closing_from_another_thread(pump_stage: Stage) -> None:
    client = pump_stage.client()
    call = client.ask("never")
    me = station.here()

    def worker() -> None:
        while not me.waits:  # else it would take the connection over
            time.sleep(0.001)
        client.host.close("enough")

    thread = threading.Thread(target=worker)
    thread.start()
    with pytest.raises(ConnectionLost, match="enough"):
        client.host.wait(call)
    thread.join()
    assert client.engine.threads == {threading.get_ident()}


def test_work_for_a_connection_that_ends_is_refused() -> None:
    job: list[BaseException] = []
    link, _peer = memory_pair("peer")
    host = Host(FakeEngine(), SystemClock())
    host.open(link)

    def worker() -> None:
        try:
            host.act(lambda: None)
        except NotConnected as error:
            job.append(error)

    me = station.here()
    me.enter()
    try:
        thread = threading.Thread(target=worker)
        thread.start()
        while not host._jobs:
            time.sleep(0.001)
        host.post(lambda: None)
        host.close("bye")
    finally:
        me.leave()
    thread.join()
    assert "bye" in str(job[0])
    with pytest.raises(NotConnected, match="bye"):
        host.post(lambda: None)


# -- loops that hold connections ---------------------------------------------------------------------


def test_a_running_loop_is_handed_what_threads_want(pump_stage: Stage) -> None:
    async def main() -> None:
        client = pump_stage.client()
        here = threading.get_ident()
        answers = await asyncio.gather(*(asyncio.to_thread(client.request, f"echo {i}") for i in range(10)))
        assert answers == [f"{i}" for i in range(10)]
        assert client.engine.threads == {here}
        client.host.close("bye")

    asyncio.run(main())


def test_a_loop_that_somebody_blocks_is_taken_over_from(pump_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "STALLED_S", 0.05)
    monkeypatch.setattr(pump, "RECHECK_S", 0.02)

    async def main() -> None:
        client = pump_stage.client()
        with ThreadPoolExecutor() as pool:  # blocks the loop until the threads have their answers
            assert list(pool.map(lambda i: client.request(f"echo {i}"), range(3))) == ["0", "1", "2"]
        while client.host.station is not station.here():
            await asyncio.sleep(0.001)
        assert await client.arequest("echo at home") == "at home"
        client.host.close("bye")

    asyncio.run(main())


def test_a_future_for_a_connection_of_another_thread(background_stage: Stage) -> None:
    async def main() -> None:
        client = background_stage.client()
        answers = await asyncio.gather(*(client.arequest(f"later 0.0{i} {i}") for i in range(5)))
        assert answers == ["0", "1", "2", "3", "4"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.host.future(client.ask("never")), 0.02)
        client.peer.wait_heard("cancel 6")

    asyncio.run(main())


# -- the service thread ------------------------------------------------------------------------------


def test_a_service_thread_receives_while_the_program_blocks(background_stage: Stage) -> None:
    client = background_stage.client()
    heard = threading.Event()
    client.engine.line += lambda _: heard.set()
    client.peer.push("news")
    assert heard.wait(10)


def test_a_service_thread_runs_coroutine_handlers(background_stage: Stage) -> None:
    client = background_stage.client()
    got: list[str] = []
    heard = threading.Event()

    async def handler(line: str) -> None:
        await asyncio.sleep(0.001)
        got.append(await client.arequest(f"echo {line}"))
        heard.set()

    client.engine.line += handler
    client.peer.push("news")
    assert heard.wait(10)
    assert got == ["news"]


def test_a_service_thread_ends_with_its_connection(background_stage: Stage) -> None:
    client = background_stage.client()
    assert client.host.station is not None
    thread = client.host.station.thread
    client.engine.line += lambda _: client.host.close("enough")
    client.peer.push("stop")
    thread.join(10)
    assert not thread.is_alive()
    assert client.engine.closed_reasons == ["enough"]


def test_system_exit_in_a_service_thread_closes_the_connection(background_stage: Stage) -> None:
    client = background_stage.client()

    def handler(_: str) -> None:
        raise SystemExit

    client.engine.line += handler
    call = client.ask("never")
    client.peer.push("quit")
    with pytest.raises(ConnectionLost, match="SystemExit"):
        client.host.wait(call)


def test_opening_in_the_background_raises_here() -> None:
    engine = FakeEngine()
    link, _ = memory_pair("peer", lambda until: False)
    with pytest.raises(ValueError, match="lives in this thread"):
        Host(engine, SystemClock(), background=True).open(link)

    def broken(now: float) -> bytes:
        raise ZeroDivisionError

    engine.output = broken  # type: ignore[method-assign]
    link, _ = memory_pair("peer")
    host = Host(engine, SystemClock(), background=True)
    with pytest.raises(ZeroDivisionError):
        host.open(link)
    assert not host.is_open


def test_a_memory_link_with_a_peer_in_another_thread() -> None:
    link, end = memory_pair("peer")
    engine = FakeEngine()
    host = Host(engine, SystemClock())
    host.open(link)
    arrived = threading.Event()
    end.notify(arrived.set)

    def peer() -> None:
        for _ in range(3):
            arrived.wait()
            arrived.clear()
            data = end.read()
            if data:
                number = data.split()[0].decode()
                end.write(f"{number} answer\n".encode())

    thread = threading.Thread(target=peer)
    thread.start()
    for _ in range(3):
        call: Answer = host.act(lambda: engine.ask("please"))
        assert host.wait(call, 10) == "answer"
    thread.join()
    host.close("bye")


def test_a_loop_hears_a_memory_link_of_another_thread() -> None:
    async def main() -> None:
        link, end = memory_pair("peer")
        engine = FakeEngine()
        host = Host(engine, SystemClock())
        host.open(link)
        heard = asyncio.Event()
        engine.line += lambda _: heard.set()
        thread = threading.Thread(target=end.write, args=(b"news\n",))
        thread.start()
        await asyncio.wait_for(heard.wait(), 10)
        thread.join()
        host.close("bye")

    asyncio.run(main())


def test_a_thread_that_takes_over_is_not_blamed_for_its_idleness(
    pump_stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    client = pump_stage.client()
    idle, go = threading.Event(), threading.Event()

    def worker() -> None:
        hosts.sleep(0)
        station.here().served -= 100  # it was here long ago
        idle.set()
        go.wait()
        client.request("echo x")

    thread = threading.Thread(target=worker)
    thread.start()
    idle.wait()
    client.peer.push("news")
    client.request("echo x")
    client.peer.push("news")
    go.set()
    thread.join()
    assert not caplog.records


def test_stations_give_back_what_they_took() -> None:
    fds: list[Callable[[], int]] = []

    def worker() -> None:
        hosts.sleep(0)
        fds.append(station.here()._ear.fileno)

    in_thread(worker)
    assert fds[0]() == -1
