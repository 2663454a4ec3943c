"""A thread that watches a descriptor for a loop that cannot.

It moves no bytes and enters no engine: it only says "there is something", and waits until it is told to look
again. Must not know what it watches for.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from ibkit.hosts.poller import Poller


class Feeder:
    """Watches one descriptor; all methods are called by one thread, ``tell`` by the feeder's own."""

    def __init__(self, fd: int, write: bool, tell: Callable[[], object]) -> None:
        self._fd = fd
        self._write = write
        self._tell = tell
        self._closed = False
        self._looking = True
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"ibkit feeder of {fd}", daemon=True)
        self._thread.start()

    def go_on(self, write: bool) -> None:
        """Look again: what was there has been read. With ``write``, also look whether it can be written."""
        if not self._looking or write is not self._write:
            self._write = write
            self._looking = True
            self._wake()

    def close(self) -> None:
        """End the thread; must be called before the descriptor is closed."""
        self._closed = True
        self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._ear.close()
        self._mouth.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake anyway
            self._mouth.send(b"\0")

    def _run(self) -> None:
        poller = Poller()
        poller.watch(self._ear.fileno())
        while not self._closed:
            if self._looking:
                poller.watch(self._fd, self._write)
            ready = poller.wait(None)
            if self._ear.fileno() in ready:
                with contextlib.suppress(OSError):  # nothing (more) to read
                    self._ear.recv(1024)
            if self._fd in ready and not self._closed:
                poller.forget(self._fd)
                self._looking = False
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
                    self._tell()
