"""The service thread: it holds one connection for a program that never waits in the library.

Must not know engines or links.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ibkit.hosts import pump
from ibkit.hosts.station import Held, here


def start(held: Held, open_it: Callable[[], None], close_it: Callable[[str], None]) -> None:
    """Have a new thread open ``held`` and serve it to its end; returns when it is open."""
    opened = threading.Event()
    failure: list[BaseException] = []

    def run() -> None:
        me = here()
        me.home_loop.wanted = True  # handlers may be coroutines
        with me.wait("the connection's own thread"):
            try:
                open_it()
            except BaseException as error:
                failure.append(error)
                return
            finally:
                opened.set()
            try:
                pump.wait(me, lambda: held.station is None)
            except SystemExit:  # it ends this thread, as it would any other, and must not end it silently
                close_it("a handler in the connection's own thread raised SystemExit, which ends that thread")

    threading.Thread(target=run, name="ibkit service", daemon=True).start()
    opened.wait()
    if failure:
        raise failure[0]
