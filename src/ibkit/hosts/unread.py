"""Says, once, that data waits unread because the program blocks.

Nothing is received while a program neither waits in the library nor runs its event loop: ib_insync's users
know it, newcomers write ``time.sleep`` and wonder. Must not know what the data is.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibkit.hosts.station import Station

logger = logging.getLogger("ibkit")

PATIENCE_S = 3.0
"""Data that waits for longer than this is worth a word."""

BEAT_S = 1.0
"""Seconds between two notes of when a loop was last free; so one that idles is told from one that is blocked."""

_said = False


def said() -> bool:
    """Tell whether there is nothing more to say."""
    return _said


def look(station: Station, slack: float) -> None:
    """Look for unread data when a thread comes back into the library.

    Args:
        station: of that thread; ``served`` says when it was there last.
        slack: seconds by which ``served`` may be too early.
    """
    away = time.monotonic() - station.served - slack
    if not _said and away > PATIENCE_S and any(fd in station.by_fd for fd in station.poller.wait(0)):
        say(away)


def say(secs: float) -> None:
    """Log the warning, if it was not logged before."""
    global _said
    if not _said:
        _said = True
        logger.warning(
            "data has been waiting unread for up to %.1f s, because the program was busy elsewhere: orders, "
            "prices and positions do not change meanwhile. Wait with ib.sleep(...) instead of time.sleep(...), "
            "move long computations into a thread, or use IB(background=True). (Said once.)",
            secs,
        )


def reset() -> None:
    """Make the next occasion count again; for tests."""
    global _said
    _said = False
