"""A wait goes without the event loop of its thread; whatever is asked of that loop happens nevertheless, at once."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from ibkit import hosts
from ibkit.hosts.ownloop import OwnLoop
from ibkit.hosts.station import here
from tests.hosts.conftest import Client
from tests.hosts.fakes import SocketPeer


@pytest.fixture
def client() -> Iterator[Client]:
    peer = SocketPeer()
    client = Client(peer)
    yield client
    client.host.close("end of the test")
    peer.close()


@pytest.fixture
def loop(client: Client) -> Iterator[OwnLoop]:
    """A loop of ours as that of this thread, which has nothing to do."""
    home = here().home_loop
    before = home.get()
    asyncio.set_event_loop(None)
    mine = home._make()  # whatever earlier tests have left behind
    hosts.sleep(0)
    yield mine
    client.host.close("before its loop")
    mine.close()
    asyncio.set_event_loop(before)
    hosts.get_loop()


def wait_for(happened: list[object]) -> None:
    """Wait in the library until something has happened."""
    for _ in range(500):
        if happened:
            return
        hosts.sleep(0.01)
    raise AssertionError("it did not happen")


def test_a_quiet_wait_does_not_run_the_loop(client: Client, loop: OwnLoop) -> None:
    ran = []
    client.engine.line += lambda _: ran.append(loop.running)
    for _ in range(3):
        client.peer.push("news")
        client.request("echo y")
    wait_for(ran)
    assert not any(ran)


def ask_task(loop: OwnLoop, told: Callable[[], object]) -> None:
    async def task() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        told()

    loop.create_task(task())


kept: list[asyncio.Future[None]] = []


def ask_ensure_future(loop: OwnLoop, told: Callable[[], object]) -> None:
    async def task() -> None:
        told()

    kept.append(asyncio.ensure_future(task(), loop=loop))


def ask_call_soon(loop: OwnLoop, told: Callable[[], object]) -> None:
    loop.call_soon(lambda: loop.call_soon(told))


def ask_call_later(loop: OwnLoop, told: Callable[[], object]) -> None:
    loop.call_later(60, told).cancel()
    loop.call_later(0.02, told)


def ask_from_a_thread(loop: OwnLoop, told: Callable[[], object]) -> None:
    threading.Thread(target=lambda: loop.call_soon_threadsafe(told)).start()


def ask_executor(loop: OwnLoop, told: Callable[[], object]) -> None:
    loop.run_in_executor(None, int).add_done_callback(lambda _: told())


def ask_future(loop: OwnLoop, told: Callable[[], object]) -> None:
    future = loop.create_future()
    future.add_done_callback(lambda _: told())
    future.set_result(None)


def ask_reader(loop: OwnLoop, told: Callable[[], object]) -> None:
    a, b = socket.socketpair()

    def read() -> None:
        loop.remove_reader(a)
        a.close()
        b.close()
        told()

    loop.add_reader(a, read)
    b.send(b"x")


ASKED = [ask_task, ask_ensure_future, ask_call_soon, ask_call_later, ask_from_a_thread, ask_executor, ask_future,
         ask_reader]  # fmt: skip


@pytest.mark.parametrize("ask", ASKED)
def test_what_a_handler_asks_of_the_loop_happens(
    ask: Callable[[OwnLoop, Callable[[], object]], None], client: Client, loop: OwnLoop
) -> None:
    happened: list[object] = []
    client.engine.line += lambda _: ask(loop, lambda: happened.append(1))
    client.peer.push("news")
    wait_for(happened)
    hosts.sleep(0.05)
    assert happened == [1]
    assert client.request("echo still here") == "still here"


@pytest.mark.parametrize("ask", ASKED)
def test_what_was_asked_before_the_wait_happens_in_it(
    ask: Callable[[OwnLoop, Callable[[], object]], None], client: Client, loop: OwnLoop
) -> None:
    happened: list[object] = []
    ask(loop, lambda: happened.append(1))
    assert client.request("later 0.2 x") == "x"
    assert happened == [1]


def test_a_task_goes_on_while_data_comes_and_the_wait_is_quiet_again_after_it(client: Client, loop: OwnLoop) -> None:
    steps: list[int] = []

    async def task() -> None:
        for i in range(5):
            await asyncio.sleep(0.01)
            steps.append(i)
        assert await client.arequest("echo x") == "x"
        steps.append(5)

    loop.create_task(task())
    while 5 not in steps:
        client.request("echo y")
    assert steps == [0, 1, 2, 3, 4, 5]
    ran: list[bool] = []
    client.engine.line += lambda _: ran.append(loop.running)
    for _ in range(40):
        client.peer.push("news")
        client.request("echo z")
    assert not ran[-1]


def test_a_loop_that_the_program_sets_itself_is_run_from_then_on(client: Client, loop: OwnLoop) -> None:
    other = asyncio.new_event_loop()
    happened: list[object] = []

    def change(_: str) -> None:
        asyncio.set_event_loop(other)
        other.call_soon(happened.append, 1)

    client.engine.line += change
    client.peer.push("news")
    try:
        wait_for(happened)
        assert client.request("echo x") == "x"
    finally:
        client.host.close("before its loop")
        other.close()
        asyncio.set_event_loop(loop)


def test_the_program_can_run_the_loop_itself_and_is_served(client: Client, loop: OwnLoop) -> None:
    happened: list[object] = []
    client.engine.line += happened.append
    client.peer.push("news")

    async def main() -> None:
        while not happened:
            await asyncio.sleep(0.001)

    loop.run_until_complete(asyncio.wait_for(main(), 10))
    assert happened == ["news"]
    assert client.request("echo x") == "x"


def test_stopping_the_loop_ends_a_run_that_does_without_it(client: Client, loop: OwnLoop) -> None:
    client.engine.line += lambda _: loop.stop()
    client.peer.push("news")
    hosts.run(timeout=10)
    loop.call_soon_threadsafe(loop.stop)
    hosts.run(timeout=10)
    assert client.request("echo x") == "x"  # it stops nothing else


def test_timers_that_were_cancelled_are_not_kept(loop: OwnLoop) -> None:
    for _ in range(5000):
        loop.call_later(60, print).cancel()
    assert len(loop._timers) < 200


def test_a_program_that_turns_to_asyncio_late_finds_the_loop_that_serves_it() -> None:
    program = """
from tests.hosts.fakes import FakeEngine, SocketPeer
from ibkit import hosts
from ibkit.clock import SystemClock

peer = SocketPeer()
engine = FakeEngine()
host = hosts.Host(engine, SystemClock())
host.open(peer.link)
print(host.wait(host.act(lambda: engine.ask("echo x"))))

import asyncio

loop = asyncio.get_event_loop()
done = []

async def act(line):
    await asyncio.sleep(0.01)
    done.append(line)
    loop.stop()

engine.line += lambda line: asyncio.ensure_future(act(line))
peer.push("news")
loop.call_later(30, loop.stop)
loop.run_forever()
print(done)
host.close("bye")
peer.close()
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "x\n['news']\n"), ran.stderr
