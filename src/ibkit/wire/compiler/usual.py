"""Which orders are usual: what most of them give, and so what the written functions treat in a shorter way.

An order holds only what it was given (``SparseRecord``). Where that is nothing but a few usual fields, all others
are written as one prepared text, or one prepared message. Must not know how anything is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ibkit.model import LimitOrder, MarketOrder, Order, StopLimitOrder, StopOrder
from ibkit.model.base import SparseRecord
from ibkit.wire.compiler.source import Source
from ibkit.wire.interpreter.values import needs_of
from ibkit.wire.shapes import Child, Shape
from ibkit.wire.table import Message

CLASSES: Final = frozenset({Order, LimitOrder, MarketOrder, StopOrder, StopLimitOrder})
"""Classes whose objects hold what they were given in ``stored``, and nowhere else."""

FIELDS: Final = frozenset(
    (
        "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif", "ocaGroup", "ocaType", "account",
        "openClose", "orderRef", "transmit", "parentId", "outsideRth", "hidden", "displaySize", "triggerMethod",
        "goodAfterTime", "goodTillDate", "allOrNone", "minQty", "trailStopPrice", "trailingPercent", "modelCode",
        "cashQty", "rule80A", "clearingIntent", "clientId", "permId",
    )
)  # fmt: skip
"""What many orders give; the whole of them is written for each of these in its own place."""

OWN: Final = frozenset(
    ("orderId", "permId", "parentId", "totalQuantity", "filledQuantity", "lmtPrice", "auxPrice", "trailStopPrice",
     "orderRef", "commission")
)  # fmt: skip
"""Fields in which one order that is told differs from the next; most others are alike in all orders of an account."""

SILENT: Final = 0
"""Stands for a field that does not travel."""


class Later:
    """The function for what is not usual, written when it is needed."""

    def __init__(self, write: Callable[[], Source], name: str) -> None:
        self._write = write
        self._name = name
        self._function: Callable[[Any], bytes] | None = None

    def __call__(self, message: Any) -> bytes:
        function = self._function
        if function is None:
            function = self._function = self._write().function(self._name)
        return function(message)


class Unlisted(dict[str, Any]):
    """What to do with each field of an order by its name; what is no field of the table does not travel."""

    def __missing__(self, name: str) -> tuple[int, None]:
        return SILENT, None


def part_of(message: Message, shape: Shape) -> str:
    """Return the name of the part of a request that is a sparse record; empty when there is none."""
    for name, node in shape.fields.items():
        if isinstance(node, Child) and isinstance(node.shape, Shape) and issubclass(node.shape.cls, SparseRecord):
            return name if message.request else ""
    return ""


def plan(
    source: Source, message: Message, shape: Shape, part: str, travelling: set[str], put: dict[str, str], version: int
) -> str:
    """Return the text of the dict that tells what to do with each field of the part.

    A field of ``put`` has its own place; any other that travels, or would need a newer server, must be at its default.
    """
    inner = shape.inner((part,))
    default = inner.cls()
    late = {path[1] for path, since in needs_of(message) if path[0] == part and since > version}
    entries = []
    for name in inner.fields:
        if name in put:
            entries.append(f"{name!r}: {put[name]}")
        elif name in travelling or name in late:
            entries.append(f"{name!r}: (-1, {source.literal(getattr(default, name))})")
    return f"{source.use('Unlisted', Unlisted)}({{{', '.join(entries)}}})"
