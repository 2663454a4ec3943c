"""What reading and writing share: values at paths, tests, and making objects of values. Must not know bytes."""

from __future__ import annotations

from typing import Any

from ibkit.errors import UnsupportedField
from ibkit.model import UNSET_DOUBLE, Contract, TagValue
from ibkit.wire.numbers import number
from ibkit.wire.shapes import Child, Choice, Leaf, Shape
from ibkit.wire.table import Attr, Message, Path, Rows, Value, When, table

# Any: values of every kind pass through here; the shapes know which.
Values = dict[str, Any]


def get(obj: Any, path: Path, shape: Shape) -> Any:
    """Return the value at a path; the default of its place where an object on the way is missing."""
    for name in path:
        if obj is None:
            node = shape.at(path)
            return node.default if isinstance(node, Leaf) else None
        obj = getattr(obj, name)
    return obj


def passes(row: When, value: Any) -> bool:
    """Tell whether the fields of a condition are there; raises ValueError or TypeError for what is no number."""
    if row.test == "one of":
        return value in row.values
    if row.test == "truthy":
        return bool(value)
    if row.test == "positive":
        given = number(value) if isinstance(value, str) else value
        return bool(given is not None and given != UNSET_DOUBLE and given > 0)
    return bool(value == float("inf"))


def join_expiry(message: Message, obj: Any, shape: Shape) -> str:
    """Return date, time and zone as the one text they travel in."""
    parts = [str(get(obj, path, shape)) for path in message.expiry]
    return " ".join(parts[: parts.index("")] if "" in parts else parts)


def split_expiry(text: str) -> list[str]:
    """Split a text into date, time and zone, as far as they are there."""
    date, _, rest = text.partition("-") if "-" in text else text.partition(" ")
    time, _, zone = rest.strip().partition("-" if "-" in text else " ")
    return [part for part in (date, time, zone.strip()) if part]


def check_supported(message: Message, needs: list[tuple[Path, int]], obj: Any, shape: Shape, version: int) -> None:
    """Raise UnsupportedField when a server is too old for the message or for a field that is given."""
    if message.since > version:
        raise UnsupportedField(message.name, message.since, version)
    for path, since in needs:
        if since > version:
            leaf = shape.at(path)
            value = get(obj, path, shape)
            if isinstance(leaf, Leaf) and value != leaf.default and value is not None and value != leaf.unset:
                raise UnsupportedField(".".join(path), since, version)


def needs_of(message: Message) -> list[tuple[Path, int]]:
    """Return the paths of a message that not every server knows, with the version each needs."""
    found: dict[Path, int] = {}

    def in_text(rows: Rows, since: int) -> None:
        for ranged in rows:
            row = ranged.row
            lo = max(since, ranged.since)
            if isinstance(row, Value) and lo:
                found.setdefault(row.path, lo)
            elif isinstance(row, When):
                in_text(row.rows, lo)

    def in_protobuf(attrs: tuple[Attr, ...], prefix: Path) -> None:
        for attr in attrs:
            if attr.since:
                found.setdefault(prefix + attr.path, attr.since)
            record = table().records.get(attr.kind)
            if record is not None and not attr.many:
                in_protobuf(record.attrs, prefix + attr.path)

    in_text(message.rows, 0)
    in_protobuf(message.attrs, ())
    return list(found.items())


def put(values: Values, path: Path, value: Any) -> None:
    """Store a value at a path."""
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def found(values: Values, path: Path) -> Any:
    """Return the value at a path, None when it has not come yet."""
    node: Any = values
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node


def build(shape: Shape, values: Values) -> Any:
    """Make the object of a shape from the values that came; the others are at their defaults."""
    made = {name: build_node(shape.fields[name], value, values) for name, value in values.items()}
    if shape.is_tuple:
        for name, node in shape.fields.items():
            if name not in made:
                made[name] = missing(node)
        return shape.cls(**made)
    if shape.cls is Contract:
        return Contract.create(**made)
    obj = shape.cls()
    for name, value in made.items():
        setattr(obj, name, value)
    return obj


def build_node(node: Leaf | Child | Shape | Choice, value: Any, beside: Values | None = None) -> Any:
    """Make the value of a field: an object from a dict of values, anything else as it is."""
    if not isinstance(value, dict):
        return value
    if isinstance(node, Child):
        node = node.shape
    if isinstance(node, Shape):
        return build(node, value)
    assert isinstance(node, Choice)
    return build(node.cases[(value if node.own else beside or {})[node.by]], value)


def missing(node: Leaf | Child) -> Any:
    """Return what a field of a message is when nothing came for it."""
    if isinstance(node, Leaf):
        return [] if node.many or node.word == "tags" else node.unset
    if node.many:
        return []
    return None if node.nullable or isinstance(node.shape, Choice) else build(node.shape, {})


def tag_shape() -> Shape:
    """Return the shape of one named option."""
    shape = Shape(TagValue)
    for name in TagValue._fields:
        shape.fields[name] = Leaf("str", False, None, False, None)
    return shape


def chosen(shape: Shape, value: int) -> Shape:
    """Return a shape in which a choice by a value beside it is made."""
    found = Shape(shape.cls)
    for name, node in shape.fields.items():
        if isinstance(node, Child) and isinstance(node.shape, Choice) and not node.shape.own:
            node = Child(node.shape.cases[value], node.many, node.nullable)
        found.fields[name] = node
    return found
