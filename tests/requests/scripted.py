"""An IB connected to a script, and what scripts of orders and accounts answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ibkit import IB
from tests.engine.peer import NEWEST, Answers, Script

Said = dict[type, Callable[[Any], list[Any]]]


def by_kind(said: Said) -> Answers:
    """Answer requests of some kinds, the others as usual."""

    def answers(request: Any) -> list[Any] | None:
        answer = said.get(type(request))
        return None if answer is None else answer(request)

    return answers


@contextmanager
def connected(said: Said | None = None, version: int = NEWEST, ib: IB | None = None, **kwargs: Any) -> Iterator[Any]:
    """Give (ib, script) with the connection made; it ends with the block."""
    script = Script(version, by_kind(said or {}))
    ib = ib or IB()
    ib.connectLink(script.link, clock=script.clock, **kwargs)
    try:
        yield ib, script
    finally:
        ib.disconnect()
