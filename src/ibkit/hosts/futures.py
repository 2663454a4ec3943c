"""The asyncio future of a call.

Must not know hosts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class CallFuture(asyncio.Future[T]):
    """A future of a call; cancelling it cancels the call at once, not only when the loop comes to it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, give_up: Callable[[], object]) -> None:
        super().__init__(loop=loop)
        self._give_up = give_up

    def cancel(self, msg: object = None) -> bool:
        """Cancel the future and the call."""
        cancelled = super().cancel(msg)
        if cancelled:
            self._give_up()
        return cancelled
