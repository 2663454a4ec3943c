"""One suite over every host: a scenario is a function that blocks, and each stage runs it somewhere else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ibkit import hosts
from ibkit.hosts import station, unread
from tests.hosts.fakes import Answer, FakeEngine, MemoryPeer, Peer, SocketPeer, clock_of


class NoReaders(asyncio.SelectorEventLoop):
    """A loop that cannot watch descriptors, as the Proactor loop of Windows."""

    def add_reader(self, *args: Any) -> None:
        raise NotImplementedError

    add_writer = add_reader


class Client:
    """An engine and its host, at one peer."""

    def __init__(self, peer: Peer, background: bool = False) -> None:
        self.peer = peer
        self.engine = FakeEngine()
        self.clock = clock_of(peer)
        self.host = hosts.Host(self.engine, self.clock, background=background)
        self.host.open(peer.link)

    def ask(self, text: str) -> Answer:
        return self.host.act(lambda: self.engine.ask(text))

    def request(self, text: str, timeout: float | None = 10.0) -> str:
        """Ask and wait."""
        return self.host.wait(self.ask(text), timeout)

    async def arequest(self, text: str) -> str:
        """Ask and await."""
        return await self.host.future(self.ask(text))


class Stage:
    """One place where programs run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.simulated = name == "memory"
        self.same_thread = name != "background"
        self.peers: list[Peer] = []
        self.clients: list[Client] = []

    def client(self) -> Client:
        """Connect to a new peer."""
        peer: Peer = MemoryPeer() if self.simulated else SocketPeer()
        self.peers.append(peer)
        client = Client(peer, background=self.name == "background")
        self.clients.append(client)
        return client

    def run(self, scenario: Callable[[], None]) -> None:
        """Run a scenario, and end its connections where it ran."""

        def whole() -> None:
            try:
                scenario()
            finally:
                for client in self.clients:
                    client.host.close("end of the test")

        async def inside() -> None:
            whole()

        if self.name == "worker":
            in_thread(whole)
        elif self.name == "loop":
            asyncio.run(inside())
        elif self.name == "feeder":
            with asyncio.Runner(loop_factory=NoReaders) as runner:
                runner.run(inside())
        else:
            whole()


def in_thread(fn: Callable[[], object]) -> None:
    """Run ``fn`` in a thread and raise what it raises."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            fn()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


STAGES = ("pump", "worker", "loop", "feeder", "background", "memory")


def without(*names: str) -> pytest.MarkDecorator:
    """Run a test on every stage but those on which what it tells of does not exist."""
    return pytest.mark.parametrize("stage", [name for name in STAGES if name not in names], indirect=True)


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Every host in turn."""
    yield from _staged(Stage(request.param))


@pytest.fixture
def pump_stage() -> Iterator[Stage]:
    """A plain script."""
    yield from _staged(Stage("pump"))


@pytest.fixture
def memory_stage() -> Iterator[Stage]:
    """A plain script in simulated time."""
    yield from _staged(Stage("memory"))


@pytest.fixture
def background_stage() -> Iterator[Stage]:
    """A plain script whose connections have their own threads."""
    yield from _staged(Stage("background"))


def _staged(stage: Stage) -> Iterator[Stage]:
    yield stage
    for client in stage.clients:
        client.host.close("end of the test")
    for peer in stage.peers:
        peer.close()
    assert not station.connections


@pytest.fixture(autouse=True)
def _nothing_said() -> Iterator[None]:
    unread.reset()
    yield
    unread.reset()
