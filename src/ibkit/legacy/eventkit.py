"""The names of eventkit: our events, operators and sources, under the names scripts import them by.

Must not know requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ibkit import events, operators
from ibkit.events import Event

_OTHER_NAMES: Final = {
    "AddableJoinOp": operators.Join,
    "Any": operators.Any_,
    "Array": operators.ArrayOf,
    "Deque": operators.DequeOf,
    "List": operators.ListOf,
    "Marble": operators.marble,
    "Range": Event.range,
    "Repeat": Event.repeat,
    "Timer": Event.timer,
}

_SAME: Final = tuple(name for name in operators.__all__ if not name.endswith(("Of", "_")))

NAMES: Final[Mapping[str, object]] = {
    **{name: getattr(operators, name) for name in _SAME},
    **_OTHER_NAMES,
    "Event": Event,
    "NO_VALUE": events.NO_VALUE,
}
