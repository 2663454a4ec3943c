"""How deep blocking calls may wait inside one another, and how that is told. Must not know what waits."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from ibkit.errors import NestingTooDeep

MAX_NESTING = 20
"""Blocking calls on one stack: each is a handler that waits inside a wait, about 20 Python frames."""

_LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def check(waits: Sequence[str]) -> None:
    """Raise NestingTooDeep, naming the chain, when one more blocking call would be too many."""
    if len(waits) >= MAX_NESTING:
        raise NestingTooDeep(
            f"{MAX_NESTING} blocking calls wait inside one another: {_outline(waits)}. "
            f"The handlers on the stack are {_outline(_handlers())}. A handler that waits is called again "
            "by other events meanwhile: make it a coroutine ('async def', await the ...Async methods), "
            "or let it only note what to do and do it in the main program"
        )


def _outline(names: Sequence[str]) -> str:
    shown = names if len(names) <= 6 else [*names[:3], f"... ({len(names) - 6} more)", *names[-3:]]
    return " > ".join(shown) or "unknown"


def _handlers() -> list[str]:
    """Return the functions on the stack that the library called, outermost first."""
    names = [
        frame.f_code.co_qualname
        for frame, _ in traceback.walk_stack(sys._getframe())
        if not frame.f_code.co_filename.startswith(_LIBRARY)
        and frame.f_back is not None
        and frame.f_back.f_code.co_filename.startswith(_LIBRARY)
    ]
    return names[::-1]
