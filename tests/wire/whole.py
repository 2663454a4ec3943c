"""Whole messages: every field of a message with a value of its own, so that one in another's place is seen.

What a flag or a word decides differs from variant to variant, so that every field travels in one of them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

from ibkit.model import TagValue
from ibkit.wire.interpreter.values import build, get, needs_of
from ibkit.wire.shapes import Child, Choice, Leaf, Shape, shape_of
from ibkit.wire.table import Path, Ranged, Rows, table
from tests.wire.strategies import flat, travelling
from tests.wire.vectors import comparable

VARIANTS = 8
# What decides about the fields after it: one of them in each variant.
WORDS: dict[str, tuple[Any, ...]] = {
    "secType": ("FUND", "BAG", "OPT", "FUND", "FUND", "BAG", "FUND", "STK"),
    "orderType": ("LMT", "PEG BENCH", "PEG BEST", "PEG MID", "PEGBENCH", "PEGBEST", "PEGMID", "PEG BEST"),
    "exchange": ("SMART", "IBKRATS", "IBKRATS", "SMART", "NYSE", "IBKRATS", "SMART", "IBKRATS"),
    "competeAgainstBestOffset": (0.05, 0.06, 0.07, 0.08, 0.09, float("inf"), 0.11, float("inf")),
    "lastTradeDateOrContractMonth": ("20240119", "202401"),
    "maturity": ("20301231",),
    "lastTradeTime": ("",),  # travels behind a date; test_codec.py has its tests
    "faData": (1, 3),  # profiles are no more
    "attrMask": tuple(range(8)),  # the other bits mean nothing
}


class _Maker:
    """Makes the values of one variant."""

    def __init__(self, name: str, variant: int) -> None:
        self.name = name
        self.variant = variant
        self.numbers = count(101)
        self.flags = count(1)

    def leaf(self, name: str, node: Leaf) -> Any:
        if name in WORDS:
            words = WORDS[name]
            return words[self.variant % len(words)]
        if node.word == "tags":
            return [TagValue(f"t{next(self.numbers)}", f"v{next(self.numbers)}") for _ in range(2)]
        if node.many:
            return [self.one(node) for _ in range(2)]
        return self.one(node)

    def flag(self) -> bool:
        """Return the next flag: each has a pattern of its own over the variants, and is True and False in some."""
        return bool((next(self.flags) * 37 % 254 + 1) >> self.variant & 1)

    def one(self, node: Leaf) -> Any:
        kind, number = node.word, next(self.numbers)
        if kind in ("bool", "bool!", "truth"):
            return self.flag()
        if kind in ("tri", "bool~"):
            flag = self.flag()
            return flag if self.variant % 3 else None
        if kind == "int/bool":
            return int(self.flag())
        if kind == "conjunction":
            return "ao"[self.flag()]
        if kind in ("amount", "multiplier"):
            return f"{number}.5" if kind == "amount" else str(number)
        if kind in ("str", "escaped", "str~"):
            return f"s{number}"
        if kind.startswith(("int", "long")):
            return number
        if hasattr(node.kind, "enum"):
            members = list(node.kind.enum)
            return members[1 + (number + self.variant) % (len(members) - 1)]
        return float(number) if self.name in ("CONTRACT_DATA", "BOND_CONTRACT_DATA") else number + 0.25

    def values(self, shape: Shape) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, node in sorted(shape.fields.items(), key=lambda pair: isinstance(pair[1], Child)):
            if isinstance(node, Leaf):
                found[name] = self.leaf(name, node)
            elif isinstance(node.shape, Choice):
                cases = list(node.shape.cases)
                if node.many:
                    found[name] = [self.case(node.shape, value) for value in cases]
                else:
                    found[node.shape.by] = value = cases[self.variant % len(cases)]
                    found[name] = build(node.shape.cases[value], self.values(node.shape.cases[value]))
            elif node.many:
                found[name] = [build(node.shape, self.values(node.shape)) for _ in range(2)]
            else:
                found[name] = build(node.shape, self.values(node.shape))
        return found

    def case(self, shape: Choice, value: int) -> Any:
        return build(shape.cases[value], self.values(shape.cases[value]) | {shape.by: value})


@cache
def _whole(name: str) -> tuple[Any, ...]:
    shape = shape_of(name)
    found: list[Any] = []
    for variant in range(VARIANTS):
        made = build(shape, _Maker(name, variant).values(shape))
        if comparable(made) not in map(comparable, found):  # contracts are equal by their ids alone
            found.append(made)
    return tuple(found)


def whole(name: str, version: int) -> list[Any]:
    """Return the variants of a message in which everything is told that a server version knows."""
    message, shape = table().message(name), shape_of(name)
    needs = [path for path, since in needs_of(message) if since > version] if message.request else []
    found = []
    for each in _whole(name):
        made = copy.deepcopy(each)
        for path in needs:
            made = without(made, path, shape)
        found.append(made)
    return found


def without(made: Any, path: Path, shape: Shape) -> Any:
    """Return a message with one value at its default."""
    node = shape.at(path)
    if not isinstance(node, Leaf):
        return made
    owner = get(made, path[:-1], shape)
    if len(path) == 1:
        return made._replace(**{path[0]: node.default})
    if owner is not None:
        setattr(owner, path[-1], node.default)
    return made


def bounds(name: str) -> list[int]:
    """Return the server versions at which the form of a message changes, and those just before."""
    message = table().message(name)
    found = {157, 200, 201, 225, message.since, message.protobuf_since}

    def rows(below: Rows) -> Iterator[Ranged]:
        for ranged in below:
            yield ranged
            yield from rows(getattr(ranged.row, "rows", ()))

    for ranged in rows(message.rows):
        found.update((ranged.since, ranged.before))
    found.update(since for _, since in needs_of(message))
    found.update(version - 1 for version in tuple(found))
    return sorted(version for version in found if max(157, message.since) <= version <= 225)


def told(name: str, version: int) -> set[str]:
    """Return the paths of the values that travel at a server version and differ from their defaults somewhere."""
    found: set[str] = set()
    shape = shape_of(name)
    for made in whole(name, version):
        values = flat(made, shape)
        found.update(path for path in travelling(name, made, version) if values.get(path, 0) not in (None, "", False))
    return found
