"""The places where stories are played in this process; ``elsewhere`` has those that need a process of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import uvloop

from ibkit import IB, ConnectionLost, Event, LimitOrder, MarketOrder, Stock, util
from ibkit.paper import Limits
from tests.hosts.conftest import NoReaders
from tests.scenarios.stage import AwaitingPlace, Place, World, drive

NFLX = Stock("NFLX", "SMART", "USD", conId=15124833)


# -- the gateway in the same thread, its bytes cut in every way --------------------------------------------------


class Blocking(Place):
    """A plain script."""

    name = "blocking"
    in_thread = True


class Asyncio(AwaitingPlace):
    """``asyncio.run``."""

    name = "asyncio"
    in_thread = True

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        asyncio.run(whole)


# -- one after the other -----------------------------------------------------------------------------------------


class Script(Place):
    """A plain script: the main thread, no loop."""

    name = "script"


class BlockingInALoop(AwaitingPlace):
    """Blocking calls where a loop runs already, which goes on in between."""

    name = "blocking in a loop"
    awaits = False

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        asyncio.run(whole)

    async def connect(self, world: World, ib: IB, clientId: int) -> None:
        world.other.connect(ib, clientId)

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        return world.wait_for(ib, name, args, kwargs)

    async def request_all(self, world: World, name: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        return await Place.request_all(self, world, name, arguments)


class Loop(AwaitingPlace):
    """``asyncio.run``, which reads the socket by ``add_reader``."""

    name = "loop"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        asyncio.run(whole)


class Uvloop(AwaitingPlace):
    """uvloop."""

    name = "uvloop"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(whole)


class Feeder(AwaitingPlace):
    """A loop without ``add_reader``, as the Proactor loop of Windows."""

    name = "feeder"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=NoReaders) as runner:
            runner.run(whole)


class Run(AwaitingPlace):
    """A script that hands its coroutine to ``ib.run``."""

    name = "ib.run"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        world.ib.run(whole)


class LoopsInTurn(AwaitingPlace):
    """A script that starts a loop for every wait; what it does in between happens without one."""

    name = "loops in turn"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        drive(whole)

    async def connect(self, world: World, ib: IB, clientId: int) -> None:
        asyncio.run(AwaitingPlace.connect(self, world, ib, clientId))

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        return asyncio.run(AwaitingPlace.request(self, world, ib, name, args, kwargs))

    async def request_all(self, world: World, name: str, arguments: list[tuple[Any, ...]]) -> list[Any]:
        return asyncio.run(AwaitingPlace.request_all(self, world, name, arguments))

    async def sleep(self, world: World, secs: float) -> None:
        async def sleep() -> None:
            world.ib.sleep(0)  # a loop watches once something of the library is called in it
            await AwaitingPlace.sleep(self, world, secs)

        asyncio.run(sleep())


class AsyncHandler(AwaitingPlace):
    """A script that waits, while a handler that is a coroutine does everything."""

    name = "async handler"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        outcome: Future[None] = Future()
        go = Event("go")

        async def handler() -> None:
            try:
                outcome.set_result(await whole)
            except BaseException as error:
                outcome.set_exception(error)

        go += handler
        go.emit()
        while not outcome.done():
            util.sleep(0.001)
        outcome.result()


class Nested(Place):
    """Inside five handlers that wait: of a ticker, an order, bars, an error and a disconnect, in another gateway."""

    name = "five deep"
    runs_tasks = False

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        outer = World(Script(), world.version)
        chain: list[str] = []
        outcome: Future[None] = Future()

        def enter(name: str) -> bool:
            if name in chain:
                return False
            chain.append(name)
            return True

        def on_ticker(_: object) -> None:
            if enter("ticker"):
                trade = outer.ib.placeOrder(NFLX, MarketOrder("BUY", 1))
                trade.filledEvent += on_order
                outer.pause(5)

        def on_order(_: object) -> None:
            if enter("order"):
                bars = outer.ib.reqHistoricalData(NFLX, "", "1 D", "1 min", "TRADES", True, keepUpToDate=True)
                bars.updateEvent += on_bar
                outer.pause(70)

        def on_bar(*_: object) -> None:
            if enter("bar"):
                outer.ib.errorEvent += on_error
                outer.ib.placeOrder(NFLX, LimitOrder("BUY", -1, 1.0))
                outer.pause(5)

        def on_error(*_: object) -> None:
            if enter("error"):
                other.disconnectedEvent += on_disconnect
                other.disconnect()

        def on_disconnect() -> None:
            if enter("disconnect"):
                outer.other.connect(other, 9)
                try:
                    drive(whole)
                except BaseException as error:
                    outcome.set_exception(error)
                else:
                    outcome.set_result(None)

        other = IB()
        try:
            outer.other.connect(outer.ib, 8)
            outer.other.connect(other, 9)
            outer.ib.reqMktData(NFLX).updateEvent += on_ticker
            outer.pause(20)
            assert chain == ["ticker", "order", "bar", "error", "disconnect"]
            assert other.isConnected()
        finally:
            other.disconnect()
            outer.ib.disconnect()
            outer.other.stop()
        outcome.result(0)


# -- threads -----------------------------------------------------------------------------------------------------


def in_thread(fn: Callable[[], Any]) -> Future[Any]:
    """Call ``fn`` in a new thread."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(fn())
        except BaseException as error:
            future.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    future.thread = thread  # type: ignore[attr-defined]
    return future


def joined(fn: Callable[[], Any]) -> Any:
    """Call ``fn`` in a new thread, and do nothing until it has ended."""
    future = in_thread(fn)
    future.thread.join()  # type: ignore[attr-defined]
    return future.result(0)


class Worker(Place):
    """A worker thread; the main thread, where everything was connected, waits in the library."""

    name = "worker"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        first = self.connect(world, world.ib, 1)
        drive(first)
        future = in_thread(lambda: drive(whole))
        while not future.done():
            util.sleep(0.001)
        future.result()

    async def connect(self, world: World, ib: IB, clientId: int) -> None:
        if not ib.isConnected():  # the main thread has connected the first one
            world.other.connect(ib, clientId)


class OwnerComputes(Place):
    """A new worker thread for every request, while the main thread, where everything was connected, is elsewhere."""

    name = "owner computes"

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        return joined(lambda: world.wait_for(ib, name, args, kwargs))


class Turn:
    """Something to wait for that the place knows how to wait for."""

    def __await__(self) -> Generator[Turn, None, None]:
        yield self


class ThreadPerCall(Place):
    """After every wait the story goes on in a new thread, and the one before has ended: Streamlit, Flask."""

    name = "thread per call"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        def step() -> bool:
            try:
                whole.send(None)
            except StopIteration:
                return False
            return True

        while joined(step):
            pass

    async def connect(self, world: World, ib: IB, clientId: int) -> None:
        world.other.connect(ib, clientId)
        await Turn()

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        try:
            return world.wait_for(ib, name, args, kwargs)
        finally:
            await Turn()

    async def sleep(self, world: World, secs: float) -> None:
        world.pause(secs)
        await Turn()


class Crowd(Place):
    """Twenty threads that ask at once, again and again: one for the story, the others for the time."""

    name = "twenty threads"
    alone = False

    def client(self) -> IB:
        ib = IB()
        ib.client.MaxRequests = 0  # else the twenty would have to queue, and time would pass
        return ib

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        with ThreadPoolExecutor(20) as self._pool:
            drive(whole)

    async def request(self, world: World, ib: IB, name: str, args: Any, kwargs: Any) -> Any:
        together = threading.Barrier(20)

        def ask(number: int) -> Any:
            together.wait(30)
            if not number:
                return world.wait_for(ib, name, args, kwargs)
            # A scripted peer gives the time as part of its script.
            return util.sleep(0) if world.scripted else world.wait_for(ib, "reqCurrentTime", (), {})

        futures = [self._pool.submit(ask, number) for number in range(20)]
        while not all(future.done() for future in futures):
            util.sleep(0.001)
        answer = futures[0].result()
        assert all(future.result() for future in futures[1:])
        return answer


class Background(Place):
    """``IB(background=True)``: handlers run in a thread of the connection's own."""

    name = "background"

    def client(self) -> IB:
        return IB(background=True)


class BesideFailures(Place):
    """One of three IBs: while it goes on, one of the others loses its connection, with a request under way."""

    name = "several"

    def run(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        drive(self._beside(world, whole))

    async def _beside(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        next_door = World(Script(), world.version, limits=Limits(history_delay_s=1e6))
        lost, kept = IB(), IB()
        ended: list[str] = []
        lost.disconnectedEvent += lambda: ended.append("lost")
        kept.disconnectedEvent += lambda: ended.append("kept")
        try:
            next_door.other.connect(lost, 1)
            next_door.other.connect(kept, 2)
            waiting = asyncio.ensure_future(
                lost.reqHistoricalDataAsync(NFLX, "", "1 D", "1 hour", "TRADES", True), loop=util.getLoop()
            )
            world.later(0.1, lambda: next_door.tell(lambda: next(iter(next_door.paper.gateway.sessions)).end("bye")))
            await whole
            for _ in range(1000):
                if ended:
                    break
                world.pause(0.1)
            assert ended == ["lost"]
            util.sleep(0.001)
            assert isinstance(waiting.exception(), ConnectionLost)
            assert next_door.blocking(kept).reqCurrentTime()
        finally:
            lost.disconnect()
            kept.disconnect()
            next_door.other.stop()


PLACES: tuple[type[Place], ...] = (
    Script,
    BlockingInALoop,
    Loop,
    Uvloop,
    Feeder,
    Run,
    LoopsInTurn,
    AsyncHandler,
    Nested,
    Worker,
    OwnerComputes,
    ThreadPerCall,
    Crowd,
    Background,
    BesideFailures,
)
