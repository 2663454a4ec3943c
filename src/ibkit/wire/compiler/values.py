"""Writes expressions that turn texts into values and values into texts. Must not know the order of fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER
from ibkit.wire.compiler.source import Source
from ibkit.wire.kinds import (
    Bool,
    Escaped,
    Float,
    Int,
    Kind,
    Quantity,
    Size,
    Slot,
    Strike,
    Tags,
    Tri,
    Truth,
)
from ibkit.wire.numbers import UNSET_TEXT, escape, unescape
from ibkit.wire.shapes import Leaf

TEXTS = ("str", "amount", "multiplier")
"""Kinds whose values are the texts themselves."""


class Reader(NamedTuple):
    """The function that reads any text of a kind at a place; equal ones share a name in a source."""

    kind: Kind
    slot: Slot

    def __call__(self, text: str) -> object:
        return self.kind.read(text, self.slot)


class Writer(NamedTuple):
    """The function that writes any value of a kind at a place."""

    kind: Kind
    slot: Slot

    def __call__(self, value: object) -> str:
        return self.kind.write(value, self.slot)


class Putter(NamedTuple):
    """The function that turns any value of a kind into what a protobuf field is set to."""

    kind: Kind
    slot: Slot

    def __call__(self, value: object) -> object:
        return self.kind.put(value, self.slot)


class ItemPutter(NamedTuple):
    """The function that turns any value of a kind into an item of a repeated protobuf field."""

    kind: Kind
    slot: Slot

    def __call__(self, value: object) -> object:
        return self.kind.put_item(value, self.slot)


class Getter(NamedTuple):
    """The function that turns a protobuf field that is present into a value."""

    kind: Kind
    slot: Slot

    def __call__(self, value: object) -> object:
        return self.kind.get(value, self.slot)


def name_of(verb: str, leaf: Leaf) -> str:
    """Return a name for the function of a kind."""
    return f"{verb}_{leaf.word.strip('!?~').replace('/', '_').replace('-', '_')}"


def read_text(source: Source, leaf: Leaf, x: str, server: bool, strict: bool) -> str:
    """Return an expression for the value of the text in the name ``x``.

    ``strict`` leaves an empty text to the interpreter: the numbers of ticks and bars are never empty.
    """
    kind, unset = leaf.kind, source.literal(leaf.unset)
    general = source.use(name_of("read", leaf), Reader(kind, leaf.slots[server])) if leaf.word not in TEXTS else ""
    if leaf.word in TEXTS:
        return x
    if isinstance(kind, Escaped):
        source.use("unescape", unescape)
        return f"({x} if '\\\\u' not in {x} else unescape({x}))"
    if not server and isinstance(kind, Int | Float | Quantity):
        return f"{general}({x})"
    if isinstance(kind, Int):
        return f"int({x})" if strict else f"(0 if {x} == '0' else int({x}) if {x} else {unset})"
    if isinstance(kind, Float) and leaf.unset == leaf.unset:
        # Reading the unset literal takes ten times as long as recognizing it, and an order has a dozen.
        return f"float({x})" if strict else f"({unset} if not {x} else UNSET if {x} == {UNSET_TEXT!r} else float({x}))"
    if isinstance(kind, Float):
        number = source.fresh("d")
        test = f"{x} == {UNSET_TEXT!r} or ({number} := float({x})) == UNSET"
        return f"(nan if not {x} or {test} else {number})"
    if isinstance(kind, Quantity):
        number = source.fresh("d")
        test = f"-1e18 < ({number} := float({x})) < {UNSET_INTEGER}.0"  # beyond are the numbers that mean unset
        if not isinstance(kind, Size):
            test = f"len({x}) < 16 and {test}"
        return (
            f"({number} if {test} else {general}({x}))"
            if strict
            else (f"({unset} if not {x} else {number} if {test} else {general}({x}))")
        )
    if type(kind) is Bool:
        return f"({x} == '1' or ({x} != '0' and {general}({x})))"
    return f"{general}({x})"


def read_column(source: Source, leaf: Leaf, texts: str) -> str:
    """Return an expression for the values of the texts in the list ``texts``, which a server sent.

    As with ``strict``, an empty number is left to the interpreter.
    """
    kind = leaf.kind
    if leaf.word in TEXTS:
        return texts
    if type(kind) is Int:
        return f"list(map(int, {texts}))"
    if type(kind) is Float and leaf.unset == leaf.unset:
        return f"list(map(float, {texts}))"
    general = source.use(name_of("read", leaf), Reader(kind, leaf.slots[True]))
    if type(kind) is Size:
        return f"{source.use('sizes_in', sizes_in)}({texts}, {general})"
    return f"list(map({general}, {texts}))"


def sizes_in(texts: list[str], general: Callable[[str], Any]) -> list[float]:
    """Return the sizes of texts; none of them stands for no size in all but a few columns."""
    found = list(map(float, texts))
    if found and min(found) > -1e18 and max(found) < UNSET_INTEGER and (total := sum(found)) == total:
        return found
    return list(map(general, texts))


def quiet_texts(leaf: Leaf, server: bool) -> list[str]:
    """Return texts whose value is the default of a field."""
    quiet: list[str] = []
    for text in ("", "0", UNSET_TEXT, "" if isinstance(leaf.default, float) else str(leaf.default)):
        try:
            value = leaf.kind.read(text, leaf.slots[server])
        except (ValueError, TypeError):
            continue
        if type(value) is type(leaf.default) and value == leaf.default and text not in quiet:
            quiet.append(text)
    return quiet


def write_text(source: Source, leaf: Leaf, value: str, server: bool) -> str:
    """Return an expression for the text of the value that the expression ``value`` has."""
    kind = leaf.kind
    if leaf.word in TEXTS:
        return value  # joining texts fails for what is none
    if isinstance(kind, Escaped):
        return f"{source.use('escape', escape)}({value})"
    if isinstance(kind, Truth):
        return f"('true' if {value} else 'false')"
    v = source.fresh("v")
    if isinstance(kind, Tri):
        return f"('' if ({v} := {value}) is None else '1' if {v} else '0')"
    if isinstance(kind, Bool):
        return f"('1' if {value} else '0')"
    general = source.use(name_of("write", leaf), Writer(kind, leaf.slots[server]))
    if isinstance(kind, Int):
        if kind.literal:
            return f"(str({v}) if type({v} := {value}) is int else {general}({v}))"
        return f"('' if ({v} := {value}) == {UNSET_INTEGER} else str({v}) if type({v}) is int else {general}({v}))"
    finite = f"type({v}) is float and -UNSET < {v} < UNSET"
    if isinstance(kind, Strike):
        none = "'0.0'" if server else "''"
        return f"({none} if not ({v} := {value}) else repr({v}) if {finite} else {general}({v}))"
    if isinstance(kind, Float) and leaf.unset == leaf.unset:
        literal = UNSET_TEXT if server else repr(UNSET_DOUBLE)
        none = repr(literal if kind.literal else "")
        return f"({none} if ({v} := {value}) == UNSET else repr({v}) if {finite} else {general}({v}))"
    if isinstance(kind, Quantity):
        whole = f"(type({v} := {value}) is int or (type({v}) is float and {v}.is_integer())) and -1e15 < {v} < 1e15"
        return f"(str(int({v})) if {whole} and {v} != {UNSET_INTEGER} else {general}({v}))"
    if isinstance(kind, Tags):
        return f"({general}({v}) if ({v} := {value}) else '')"
    return f"{general}({value})"
