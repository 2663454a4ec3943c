"""What the first connection of a process needs: an eye on its children, and on its end.

Must not know what a connection is.
"""

from __future__ import annotations

import atexit
import os

from ibkit.hosts import station, unread

_prepared = False


def prepare() -> None:
    """Prepare the process for connections, once."""
    global _prepared
    if _prepared:
        return
    _prepared = True
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=station.forget_all)
    atexit.register(_at_exit)


def _at_exit() -> None:
    """Look a last time: a program that polls with time.sleep may never come back to us."""
    if station.main is not None and not station.main.depth:
        unread.look(station.main, 0.0)
