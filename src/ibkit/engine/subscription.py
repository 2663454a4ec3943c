"""A request that keeps answering, as data: how to begin it, how to end it, whom to tell when it fails.

Must not know what flows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ibkit.errors import RequestError
from ibkit.model import Contract
from ibkit.model.records import record
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine


@record
class Subscription:
    """One live subscription.

    ``start`` is sent when it begins, and again with the same id after TWS has lost its data (1101) or a broken
    connection was replaced, each time after a call of ``on_restart``; ``cancel`` ends it. ``on_error`` is told
    what the broker refuses; a subscription it refuses has ended and is not begun again.
    It and ``on_notice`` are given the engine of the present connection, which need not be the one the
    subscription began on.
    """

    req_id: int
    kind: str
    """For texts and look-ups, such as "mktData" or "pnl"."""
    subject: object
    """What it fills."""
    start: m.Request
    cancel: m.Request | None = None
    on_error: Callable[[Engine, RequestError], None] | None = None
    on_restart: Callable[[], None] | None = None
    """Prepares what it fills for a new beginning: empties an order book, registers the id again."""
    on_notice: Callable[[Engine, int, str], None] | None = None
    """Told the code and text of messages that do not end it."""
    contract: Contract | None = None
    """What it is about, for errors."""
    interrupted: bool = False
    """Whether TWS has stopped answering until its data farms are there again."""
    echoes: int = 0
    """How many messages that it was cancelled are still to come: it was cancelled to be begun again."""
