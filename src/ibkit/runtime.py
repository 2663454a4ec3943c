"""What events need of the place where they run: tasks, futures, timers.

hosts/ installs an implementation on import; this module knows only its shape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol

from ibkit.clock import Clock


class Timer(Protocol):
    """A callback that was scheduled and can be cancelled."""

    def cancel(self) -> object: ...


class Promise(Protocol):
    """The part of a future that events use."""

    def done(self) -> bool: ...
    def set_result(self, result: Any) -> object: ...
    def set_exception(self, exception: BaseException) -> object: ...
    def __await__(self) -> Generator[Any, Any, Any]: ...


class Runtime(Protocol):
    """What events need of the place where they run."""

    def spawn(self, awaitable: Awaitable[object]) -> object:
        """Run ``awaitable`` to its end; it reports its own failure."""

    def run(self, awaitable: Awaitable[Any]) -> Any:
        """Wait for ``awaitable`` and return its result, while everything else goes on."""

    def future(self) -> Promise:
        """Return a pending future of the current loop."""
        ...

    def call_later(self, secs: float, fn: Callable[[], object]) -> Timer:
        """Call ``fn`` after ``secs`` seconds."""
        ...

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def clock(self) -> Clock:
        """Return the clock of times of the day: a simulated one where time is simulated."""
        ...

    def post(self, fn: Callable[[], object]) -> object:
        """Call ``fn`` soon on the thread that owns the connection; safe from any thread."""


_runtime: Runtime | None = None
_install: Callable[[], object] | None = None


def install_with(install: Callable[[], object]) -> None:
    """Have ``install`` called when a runtime is wanted and there is none: it calls ``set_runtime``."""
    global _install
    _install = install


def set_runtime(runtime: Runtime | None) -> None:
    """Install the runtime that runs coroutine listeners, timers and waiting."""
    global _runtime
    _runtime = runtime


def runtime() -> Runtime:
    """Return the installed runtime; raises RuntimeError when there is none."""
    if _runtime is None and _install is not None:
        _install()
    if _runtime is None:
        raise RuntimeError(
            "nothing is installed that could wait for events: import ibkit.hosts, or call ibkit.events.set_runtime"
        )
    return _runtime
