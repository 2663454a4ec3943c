"""Waiting for descriptors: poll() where there is one, else select().

One object lives as long as its thread, because building one for every wait would cost more than the wait.
Must not know what is read or written.
"""

from __future__ import annotations

import os
import select
import time

MAX_WAIT_S = 0.2 if os.name == "nt" else 86400.0
"""Longest single wait: on Windows, Ctrl-C does not interrupt select(); elsewhere the system's numbers are small."""


class Poller:
    """The descriptors that one thread waits for."""

    def __init__(self) -> None:
        self._poll = select.poll() if hasattr(select, "poll") else None
        self._writing: dict[int, bool] = {}

    def watch(self, fd: int, write: bool = False) -> None:
        """Wait until ``fd`` can be read, and with ``write`` also until it can be written."""
        if self._writing.get(fd) is write:
            return
        self._writing[fd] = write
        if self._poll is not None:
            self._poll.register(fd, select.POLLIN | select.POLLOUT if write else select.POLLIN)

    def forget(self, fd: int) -> None:
        """Do not wait for ``fd`` any more; must be called before it is closed."""
        if self._writing.pop(fd, None) is not None and self._poll is not None:
            self._poll.unregister(fd)

    def wait(self, secs: float | None) -> list[int]:
        """Return the descriptors that are ready, none when ``secs`` have passed; it may also return early."""
        limit = MAX_WAIT_S if secs is None or secs > MAX_WAIT_S else secs if secs > 0.0 else 0.0
        if self._poll is not None:
            return [fd for fd, _ in self._poll.poll(limit * 1000)]
        reading = list(self._writing)
        writing = [fd for fd, write in self._writing.items() if write]
        if not reading:  # Windows refuses to select on nothing
            time.sleep(limit)
            return []
        readable, writable, _ = select.select(reading, writing, [], limit)
        return list({*readable, *writable})
