"""What a blocking call lets another thread do, while it serves the connections of its own.

Inside a running loop a coroutine can only be run by another loop, in another thread: asyncio allows no second
one here, and we do not patch it. Must not know connections.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ibkit.emitter import Emitter
from ibkit.hosts import pump
from ibkit.hosts.station import Station

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Aside(Generic[T]):
    """A function that runs in a thread of its own; ``told`` is called there at the end."""

    def __init__(self, fn: Callable[[], T], told: Callable[[], object]) -> None:
        self._future: Future[T] = Future()
        self._fn = fn
        self._told = told
        threading.Thread(target=self._run, name="ibkit aside", daemon=True).start()

    def _run(self) -> None:
        try:
            self._future.set_result(self._fn())
        except BaseException as error:  # whatever it is: it belongs to the one who waits
            self._future.set_exception(error)
        self._told()

    def done(self) -> bool:
        """Tell whether it has ended."""
        return self._future.done()

    def result(self) -> T:
        """Return its result or raise its exception."""
        return self._future.result()


class _Loop:
    """Runs awaitables in a loop in another thread."""

    def __init__(self, awaitables: Sequence[Awaitable[Any]], told: Callable[[], object]) -> None:
        import asyncio

        self._awaitables = awaitables
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self._aside = Aside(lambda: asyncio.run(self._main()), told)
        self.done, self.result = self._aside.done, self._aside.result

    async def _main(self) -> list[Any]:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        if self._cancelled:
            raise asyncio.CancelledError
        return await asyncio.gather(*self._awaitables)

    def cancel(self) -> None:
        """Cancel what has not ended."""
        self._cancelled = True
        if not self.done() and self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # it has ended just now
                self._loop.call_soon_threadsafe(self._task.cancel)


def run_beside(me: Station, awaitables: Sequence[Awaitable[Any]], timeout: float | None) -> list[Any]:
    """Wait inside a running loop: here for futures and events, in a thread for coroutines.

    Raises RuntimeError for futures that need the loop that runs here.
    """
    import asyncio

    here: dict[int, Future[Any] | asyncio.Future[Any]] = {}
    there: dict[int, Awaitable[Any]] = {}
    for i, each in enumerate(awaitables):
        if isinstance(each, Emitter):
            emission = here[i] = _next_emission(each)
            emission.add_done_callback(lambda _: me.wake())  # another thread may hold what emits
        elif isinstance(each, asyncio.Future):
            if each not in me.awaited and not each.done():
                raise RuntimeError(
                    f"{each!r} belongs to the loop that runs here, which cannot go on before this call returns: "
                    "await it instead, or give the coroutine itself to run()"
                )
            here[i] = each
        else:
            there[i] = each
    loop = _Loop(list(there.values()), me.wake) if there else None

    def finished() -> bool:
        return all(future.done() for future in here.values()) and (loop is None or loop.done())

    try:
        if not pump.wait(me, finished, timeout, patient=True):
            raise TimeoutError(f"it took longer than {timeout} s")
    finally:
        if loop is not None:
            loop.cancel()
    results = dict(zip(there, loop.result(), strict=True)) if loop is not None else {}
    results.update((i, future.result()) for i, future in here.items())
    return [results[i] for i in range(len(awaitables))]


def _next_emission(event: Emitter) -> Future[Any]:
    """Return a future of what ``event`` emits next."""
    future: Future[Any] = Future()

    def emitted(*args: Any) -> None:
        if not future.done():
            future.set_result(args[0] if len(args) == 1 else args or Emitter.NO_VALUE)
            event.disconnect(emitted, failed, ended)

    def failed(_: Emitter, error: BaseException) -> None:
        if not future.done():
            future.set_exception(error)
            event.disconnect(emitted, failed, ended)

    def ended(_: Emitter) -> None:
        if not future.done():
            future.set_exception(ValueError(f"event {event.name()!r} ended while it was awaited"))
            event.disconnect(emitted, failed, ended)

    if event.done():
        raise ValueError(f"event {event.name()!r} is done already: it will emit no more")
    event.connect(emitted, failed, ended)
    return future
