"""What was read of earlier orders and is read again: an account's orders differ in a few fields only.

A part of a message that has come before, byte for byte or field for field, says what it said; its values are taken
from there, and only what is an order's own is read. What one could change (a list) is never shared.

Must not know how the rest of a message is read.
"""

from __future__ import annotations

from typing import Any, Final

from ibkit.model import Contract
from ibkit.model.base import SparseRecord
from ibkit.model.records import set_stored, stored
from ibkit.wire.compiler.objects import Tree
from ibkit.wire.compiler.source import Source
from ibkit.wire.shapes import Shape

_MOST_TAILS: Final = 8
_MOST_PROTOTYPES: Final = 1000
"""An account with more contracts than this pays for all of them: orders and executions go through them in turn."""


class Tails:
    """What messages about orders said after the fields in which one order differs from the next; the latest first.

    Args:
        shape: of the message.
        told: expressions for what has to be read from every message, by part and field.
        cut: where the shared fields begin.
        last: the fields among those which have to be read too, with their places, counted from the end.
        deciding: places of earlier fields that decide which of the shared ones there are.
    """

    def __init__(
        self, shape: Shape, told: dict[str, Tree], cut: int, last: dict[str, int], deciding: list[int]
    ) -> None:
        self.shape = shape
        self.told = told
        self.cut = cut
        self.last = last
        self.deciding = deciding
        self.twin = ""
        """The one of ``last`` that is told twice, the first time somewhere in the middle."""
        self.known: list[tuple[Any, ...]] = []  # a tail, and for each part what it said

    def look_for(self, source: Source, place: list[str], name: str) -> None:
        """Write, at a place, what looks whether the shared fields have come before."""
        source.use("TAILS", self)
        source.use("KNOWN", self.known)
        source.fill(place, f"t = f[{self.cut}:]")
        source.fill(place, f"if len(t) < {len(self.last) + 30}: raise Unusual")
        for field, index in self.last.items():
            source.fill(place, f"{field} = t[{index}]")
            source.fill(place, f"t[{index}] = ''")
        for index in self.deciding:
            source.fill(place, f"t.append(f[{index}])")
        source.fill(place, "for known in KNOWN:")
        known = f"return {name}_known({', '.join(('f', *self.last, 'known'))})"
        if not self.twin:
            source.fill(place, f"    if known[0] == t: {known}")
            return
        source.fill(place, "    if len(known[0]) == len(t):")
        source.fill(place, "        x, t[known[-1]] = t[known[-1]], ''")
        source.fill(place, f"        if x == {self.twin} and known[0] == t: {known}")
        source.fill(place, "        t[known[-1]] = x")

    def keep(self, tail: list[str], message: Any, place: int | None) -> None:
        """Remember what the shared fields of a message said, unless it has values that one could change.

        ``place``: of the field that says the same as ``twin``, when there is one.
        """
        fields: list[dict[str, object]] = []
        for name, part in zip(self.shape.cls._fields, message, strict=True):
            told = self.told[name]
            rest = {field: value for field, value in stored(part).items() if field not in told}
            if isinstance(part, SparseRecord):
                if not all(value is None or isinstance(value, str | int | float) for value in rest.values()):
                    return
            elif any(rest[field] != value for field, value in stored(type(part)()).items() if field in rest):
                return
            fields.append(rest)
        if place is not None:
            tail[place - self.cut] = ""
            self.known.insert(0, (tail, *fields, place - self.cut))
        else:
            self.known.insert(0, (tail, *fields))
        del self.known[_MOST_TAILS:]


class Prototypes(dict[bytes, dict[str, object]]):
    """What parts of messages say, by their bytes: of a thousand orders most say the same but for a few fields."""

    def keep(self, body: bytes, fields: dict[str, object]) -> None:
        """Remember what a part says, unless it has values that one could change."""
        if all(value is None or isinstance(value, str | int | float) for value in fields.values()):
            if len(self) >= _MOST_PROTOTYPES:
                self.clear()
            self[body] = fields


class Contracts(dict[bytes, "tuple[type[Contract], dict[str, object]]"]):
    """Contracts by their bytes: an account has few, and they come again and again."""

    def again(self, body: bytes) -> Contract | None:
        """Return a new contract like the one of the same bytes, None when there was none."""
        found = self.get(body)
        if found is None:
            return None
        contract = object.__new__(found[0])
        fields = found[1].copy()
        fields["comboLegs"] = []
        set_stored(contract, fields)
        return contract

    def keep(self, body: bytes, contract: Contract) -> Contract:
        """Remember a contract, unless it has parts that one could change; return it."""
        if not contract.comboLegs and contract.deltaNeutralContract is None:
            if len(self) >= _MOST_PROTOTYPES:
                self.clear()
            self[body] = type(contract), stored(contract).copy()
        return contract
