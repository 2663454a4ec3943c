"""Ctrl-C while a task blocks its loop.

Whoever handles the signal by way of the loop, as a notebook does for a cell that awaits, is not heard before the loop
runs again. So a blocking wait in a task takes note of the signal itself. Must not know what is waited for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noticed() -> Iterator[list[int]]:
    """Give a list that is not empty once Ctrl-C was pressed; whoever handles it is called as well.

    Nothing is done where it raises KeyboardInterrupt by itself, and outside the main thread, which alone gets signals.
    """
    seen: list[int] = []
    handler = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if not callable(handler) or handler is signal.default_int_handler:
        yield seen
        return
    handle_too = handler

    def handle(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        handle_too(number, frame)

    signal.signal(signal.SIGINT, handle)
    try:
        yield seen
    finally:
        if signal.getsignal(signal.SIGINT) is handle:  # else somebody has set another one meanwhile
            signal.signal(signal.SIGINT, handler)
