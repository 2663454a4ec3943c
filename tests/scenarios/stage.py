"""The stage of the scenarios: a gateway, a clock, and a client that blocks or awaits, in one of many places.

A scenario is written once, as a coroutine function with ``@story``. ``await world.ask.reqX(...)`` is the blocking or
the Async form, ``await world.sleep(...)`` waits either way; where the client blocks, the story is driven by hand and
need not suspend. Handlers, which cannot await, use ``world.block.reqX(...)`` and ``world.pause(...)``: these block
everywhere.

Where it is played is a *place* (see ``places``). The gateway is in the same thread, with the bytes cut as the play
wants, or at the other end of a real socket. In both, time is virtual: what takes minutes there takes milliseconds here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol

from ibkit import IB, clock, util
from ibkit.clock import VirtualClock
from ibkit.hosts import station
from ibkit.links.memory import MemoryLink
from ibkit.paper import Limits, in_process
from ibkit.testing import ScriptedPeer
from tests.scenarios.clockwork import Clockwork

Cut = Literal["whole", "glued", "single"]

VERSIONS = (176, 200, 213, 225)
CUTS: tuple[Cut, ...] = ("whole", "glued", "single")
TEXT_AND_PROTOBUF = (176, 225)


class Story(Protocol):
    """A scenario."""

    limits: Limits | None
    scripted: bool
    versions: tuple[int, ...]
    __name__: str
    __module__: str

    def __call__(self, world: World) -> Coroutine[Any, Any, None]: ...


def story(
    *, limits: Limits | None = None, scripted: bool = False, versions: tuple[int, ...] = VERSIONS
) -> Callable[[Callable[[World], Coroutine[Any, Any, None]]], Callable[[Any], None]]:
    """Make a test of a scenario, for the fixture ``stage``.

    Args:
        limits: of the gateway.
        scripted: at the other end is a ``ScriptedPeer``, ``world.peer``, and no gateway.
        versions: of the server that it is about.
    """

    def decorate(fn: Any) -> Callable[[Any], None]:  # Any: a function that gets attributes
        fn.limits, fn.scripted, fn.versions = limits, scripted, versions

        def test(stage: Any) -> None:
            stage.play(fn)

        test.__name__, test.__qualname__, test.__module__ = fn.__name__, fn.__qualname__, fn.__module__
        test.__doc__ = fn.__doc__
        test.story = fn  # type: ignore[attr-defined]
        return test

    return decorate


# -- the other end ---------------------------------------------------------------------------------------------


class Other(Protocol):
    """Who is at the other end, and how it is reached."""

    clock: VirtualClock

    def connect(self, ib: IB, clientId: int) -> None: ...
    def connect_async(self, ib: IB, clientId: int) -> Awaitable[object]: ...
    def pause(self, secs: float) -> None: ...
    def rest(self, secs: float) -> Awaitable[object]: ...
    def later(self, secs: float, fn: Callable[[], object]) -> None: ...
    def at_peer(self, secs: float, fn: Callable[[], object]) -> None: ...
    def tell(self, fn: Callable[[], object]) -> None: ...
    def asking(self) -> contextlib.AbstractContextManager[None]: ...
    def stop(self) -> None: ...


class CutLink:
    """A link that hands its bytes over frame by frame, as many frames at once as there are, or byte by byte."""

    def __init__(self, link: MemoryLink, cut: Cut, all_links: list[CutLink]) -> None:
        self.name = link.name
        self._link = link
        self._cut = cut
        self._all = all_links
        all_links.append(self)
        self._stored = bytearray()

    def read(self) -> bytes | None:
        if self._cut == "glued":
            return self._link.read()
        while not (size := self._piece()):
            data = self._link.read()
            if not data:
                return data
            self._stored += data
        piece = bytes(self._stored[:size])
        del self._stored[:size]
        return piece

    def _piece(self) -> int:
        """Return how many of the stored bytes make the next read; 0 when there are not enough."""
        if self._cut == "single" or len(self._stored) < 4:
            return min(1, len(self._stored)) if self._cut == "single" else 0
        size = 4 + int.from_bytes(self._stored[:4], "big")
        if size > 1 << 24:  # nonsense
            return len(self._stored)
        return size if size <= len(self._stored) else 0

    def pump(self, until: float | None) -> bool | None:
        # The gateway may not move the clock while somebody still has something to read.
        return True if any(link._piece() for link in self._all) else self._link.pump(until)

    def fileno(self) -> None:
        return None

    def write(self, data: bytes) -> None:
        self._link.write(data)

    def pending(self) -> int:
        return self._link.pending()

    def flush(self) -> None:
        self._link.flush()

    def notify(self, fn: Callable[[], object]) -> None:
        self._link.notify(fn)

    def close(self) -> None:
        self._stored.clear()
        self._link.close()

    def abandon(self) -> None:
        self._link.abandon()


class InThread:
    """The other end lives in the thread of the client."""

    def __init__(self, clock: VirtualClock, link: Callable[[], MemoryLink], cut: Cut) -> None:
        self.clock = clock
        self._link = link
        self._cut = cut
        self._links: list[CutLink] = []

    def connect(self, ib: IB, clientId: int) -> None:
        link = self._link()
        ib.connectLink(CutLink(link, self._cut, self._links), clientId=clientId, clock=self.clock)

    async def connect_async(self, ib: IB, clientId: int) -> None:
        self.connect(ib, clientId)

    def pause(self, secs: float) -> None:
        util.sleep(secs)

    async def rest(self, secs: float) -> None:
        await util.waitUntilAsync(datetime.fromtimestamp(self.clock.time() + secs, UTC))

    def later(self, secs: float, fn: Callable[[], object]) -> None:
        util.schedule(datetime.fromtimestamp(self.clock.time(), UTC) + timedelta(seconds=secs), fn)

    def at_peer(self, secs: float, fn: Callable[[], object]) -> None:
        self.later(secs, fn)

    def tell(self, fn: Callable[[], object]) -> None:
        fn()

    def asking(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def stop(self) -> None:
        pass


class BehindASocket:
    """The other end is reached over TCP, by ``connect`` as everybody uses it."""

    def __init__(self, clock_: VirtualClock, link: Callable[[], MemoryLink], pump: Callable[[float], bool]) -> None:
        self.clock = clock_
        self._works = Clockwork(clock_, link, pump)

    @contextlib.contextmanager
    def _connecting(self) -> Iterator[None]:
        before, clock.default = clock.default, self.clock
        try:
            with self._works.asking():
                yield
        finally:
            clock.default = before

    def connect(self, ib: IB, clientId: int) -> None:
        with self._connecting():
            ib.connect(port=self._works.port, clientId=clientId)

    async def connect_async(self, ib: IB, clientId: int) -> None:
        with self._connecting():
            await ib.connectAsync(port=self._works.port, clientId=clientId)

    def go_on(self, secs: float) -> Callable[[], bool]:
        """Let so many seconds pass; what is returned tells whether they have."""
        return self._works.go_on(secs)

    def pause(self, secs: float) -> None:
        reached = self._works.go_on(secs)
        while not reached():
            util.sleep(0.001)

    async def rest(self, secs: float) -> None:
        reached = self._works.go_on(secs)
        while not reached():
            await asyncio.sleep(0.001)

    def later(self, secs: float, fn: Callable[[], object]) -> None:
        self._works.later(secs, lambda: station.connections[0].post(fn))

    def at_peer(self, secs: float, fn: Callable[[], object]) -> None:
        self._works.later(secs, fn)

    def tell(self, fn: Callable[[], object]) -> None:
        self._works.call(fn)

    def asking(self) -> contextlib.AbstractContextManager[None]:
        return self._works.asking()

    def stop(self) -> None:
        self._works.stop()


# -- what a story has in hand ------------------------------------------------------------------------------------


class World:
    """A gateway and its clients, in a place."""

    def __init__(
        self, place: Place, version: int, cut: Cut = "whole", limits: Limits | None = None, scripted: bool = False
    ) -> None:
        self.place = place
        self.version = version
        self.awaits = place.awaits
        self.scripted = scripted
        self.ib = place.client()
        self.clients: list[IB] = []
        self.peer: ScriptedPeer
        if scripted:
            self.peer = peer = ScriptedPeer(server_version=version)
            self.clock, link, pump = peer.clock, lambda: peer.link, peer.link.pump
        else:
            self.paper = in_process(server_version=version, limits=limits)
            self.clock, link, pump = self.paper.clock, self.paper.link, self.paper.pump
        self.other: Other
        if place.in_thread:
            self.other = InThread(self.clock, link, cut)
        else:
            self.other = BehindASocket(self.clock, link, lambda until: bool(pump(until)))

    async def connect(self, clientId: int = 1, ib: IB | None = None) -> IB:
        """Connect ``ib``, or a new one."""
        ib = ib or self.place.client()
        await self.place.connect(self, ib, clientId)
        self.clients.append(ib)
        return ib

    @property
    def ask(self) -> Asker:
        """Requests, as awaitables, whichever form they take."""
        return self.asking(self.ib)

    def asking(self, ib: IB) -> Asker:
        """Requests of another client."""
        return Asker(lambda name, args, kwargs: self.place.request(self, ib, name, args, kwargs))

    @property
    def block(self) -> Asker:
        """Requests that block, as in a handler."""
        return self.blocking(self.ib)

    def blocking(self, ib: IB) -> Asker:
        """Requests of another client that block."""
        return Asker(lambda name, args, kwargs: self.wait_for(ib, name, args, kwargs))

    def wait_for(self, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        """Make a blocking request."""
        with self.other.asking():
            return getattr(ib, name)(*args, **kwargs)

    async def ask_all(self, name: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        """Make the same request with different arguments, all at once."""
        return await self.place.request_all(self, name, arguments)

    async def sleep(self, secs: float) -> None:
        await self.place.sleep(self, secs)

    async def until(self, done: Callable[[], object], secs: float = 10) -> None:
        """Wait until something is true; fails when it takes longer than ``secs`` seconds of the market."""
        end = self.clock.time() + secs
        while not done():
            assert self.clock.time() < end, "it did not come true"
            await self.place.nap(self, secs / 200)

    def pause(self, secs: float) -> None:
        """Wait and block, also in a handler."""
        self.other.pause(secs)

    def later(self, secs: float, fn: Callable[[], object]) -> None:
        """Have ``fn`` called in so many seconds, where handlers are."""
        self.other.later(secs, fn)

    def tell(self, fn: Callable[[], object]) -> None:
        """Have ``fn`` called at the other end."""
        self.other.tell(fn)

    def at_peer(self, secs: float, fn: Callable[[], object]) -> None:
        """Have ``fn`` called in so many seconds, at the other end."""
        self.other.at_peer(secs, fn)

    def shock(self, symbol: str, percent: float, after_s: float = 0.0) -> None:
        """Move a price."""
        self.tell(lambda: self.paper.shock(symbol, percent, after_s=after_s))

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)

    async def tell_it(self, story: Callable[[World], Coroutine[Any, Any, None]]) -> None:
        """Connect, play, disconnect."""
        try:
            await self.connect(1, self.ib)
            await story(self)
        finally:
            for client in self.clients:
                await self.place.disconnect(self, client)


class Asker:
    """The requests of one client."""

    def __init__(self, request: Callable[[str, Any, Any], Any]) -> None:
        self._request = request

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: self._request(name, args, kwargs)


# -- places --------------------------------------------------------------------------------------------------------


class Place:
    """Where a story is played: by itself, in a plain script that blocks."""

    name: ClassVar[str]
    in_thread: ClassVar[bool] = False
    """Whether the gateway lives in the thread of the client; else it is behind a socket."""
    awaits: ClassVar[bool] = False
    """Whether requests are awaited."""
    runs_tasks: ClassVar[bool] = True
    """Whether tasks go on while the story sleeps; they do in an outermost wait, not in one inside a handler."""
    alone: ClassVar[bool] = True
    """Whether nobody but the story asks for something."""

    def client(self) -> IB:
        return IB()

    def play(self, make: Callable[[], World], story: Story) -> None:
        """Make a world, and play a story in it."""
        world = make()
        try:
            self.run(world, world.tell_it(story))
        finally:
            world.other.stop()

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        drive(whole)

    async def connect(self, world: World, ib: IB, clientId: int) -> None:
        world.other.connect(ib, clientId)

    async def disconnect(self, world: World, ib: IB) -> None:
        ib.disconnect()

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        return world.wait_for(ib, name, args, kwargs)

    async def request_all(self, world: World, name: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        with world.other.asking():
            answers: list[Any] = world.ib.run(*(getattr(world.ib, f"{name}Async")(*each) for each in arguments))
        return answers

    async def sleep(self, world: World, secs: float) -> None:
        world.pause(secs)

    async def nap(self, world: World, secs: float) -> None:
        """Sleep for a moment, in a loop that waits for something."""
        await self.sleep(world, secs)


class AwaitingPlace(Place):
    """A place where requests are awaited."""

    awaits = True

    async def connect(self, world: World, ib: IB, clientId: int) -> None:
        await world.other.connect_async(ib, clientId)

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        with world.other.asking():
            return await getattr(ib, f"{name}Async")(*args, **kwargs)

    async def request_all(self, world: World, name: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        with world.other.asking():
            return await asyncio.gather(*(getattr(world.ib, f"{name}Async")(*each) for each in arguments))

    async def sleep(self, world: World, secs: float) -> None:
        await world.other.rest(secs)


def drive(whole: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never really suspends."""
    try:
        whole.send(None)
    except StopIteration:
        return
    whole.close()
    raise AssertionError("a blocking story has suspended")
