"""Writes and reads the text form by following the table. Must not know frames nor ids."""

from __future__ import annotations

from typing import Any, NoReturn

from ibkit.errors import EncodeError, MalformedMessage
from ibkit.model import TagValue
from ibkit.wire.interpreter.values import (
    Values,
    build,
    build_node,
    chosen,
    found,
    get,
    join_expiry,
    passes,
    put,
    split_expiry,
    tag_shape,
)
from ibkit.wire.shapes import Child, Leaf, Shape
from ibkit.wire.table import (
    Const,
    Count,
    Expiry,
    ListOf,
    Mask,
    Maybe,
    Message,
    Rows,
    Switch,
    Value,
    When,
    rows_at,
)


class TextWriter:
    """Writes the fields of one message."""

    def __init__(self, message: Message, shape: Shape, version: int, server: bool) -> None:
        self.message = message
        self.shape = shape
        self.version = version
        self.server = server
        self.fields: list[str] = []
        self.root: Any = None

    def write(self, obj: Any) -> list[str]:
        """Return the text fields of a message, without its id."""
        self.root = obj
        self._rows(self.message.rows, obj, self.shape, "")
        return self.fields

    def _rows(self, rows: Rows, obj: Any, shape: Shape, prefix: str) -> None:
        for row in rows_at(rows, self.version):
            match row:
                case Const(text):
                    self.fields.append(text)
                case Value(path, kind):
                    leaf = shape.leaf(path)
                    self._value(get(obj, path, shape), leaf.as_kind(kind), prefix + ".".join(path))
                case When(path, _, _, below):
                    if self._passes(row, get(obj, path, shape), prefix + ".".join(path)):
                        self._rows(below, obj, shape, prefix)
                case Maybe(path, below):
                    inner = get(obj, path, shape)
                    self.fields.append("0" if inner is None else "1")
                    if inner is not None:
                        self._rows(below, inner, shape.inner(path), prefix + ".".join(path) + ".")
                case ListOf(path, below):
                    self._list(shape.at(path), get(obj, path, shape) or (), below, prefix + ".".join(path))
                case Switch(path, cases):
                    value = get(obj, path, shape)
                    if value not in cases:
                        raise EncodeError(f"{prefix}{'.'.join(path)}: {value!r} is none of {sorted(cases)}")
                    self._rows(cases[value], obj, chosen(shape, int(value)), prefix)
                case Mask(paths):
                    bits = sum(1 << bit for bit, path in enumerate(paths) if get(obj, path, shape))
                    self.fields.append(str(bits))
                case Count(path, sent):
                    if sent:
                        self.fields.append(str(len(get(obj, path, shape) or ())))
                case Expiry():
                    text = join_expiry(self.message, self.root, self.shape)
                    self._value(text, self.shape.leaf(self.message.expiry[0]), ".".join(self.message.expiry[0]))

    def _passes(self, row: When, value: Any, name: str) -> bool:
        try:
            return passes(row, value)
        except (ValueError, TypeError) as error:
            raise EncodeError(f"{name}: {error}") from None

    def _value(self, value: Any, leaf: Leaf, name: str) -> None:
        try:
            if leaf.many:
                self.fields.append(str(len(value or ())))
                self.fields.extend(leaf.kind.write(item, leaf.slots[self.server]) for item in value or ())
            else:
                self.fields.append(leaf.kind.write(value, leaf.slots[self.server]))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise EncodeError(f"{name}: {error}") from None

    def _list(self, node: Leaf | Child, items: Any, below: Rows, name: str) -> None:
        self.fields.append(str(len(items)))
        for index, item in enumerate(items):
            shape = tag_shape() if isinstance(node, Leaf) else shape_of_item(node, item)
            if shape is None:
                raise EncodeError(f"{name}[{index}]: {item!r} cannot be sent")
            if isinstance(node, Leaf):
                item = self._option(item, f"{name}[{index}]")
            self._rows(below, item, shape, f"{name}[{index}].")

    def _option(self, item: Any, name: str) -> TagValue:
        try:
            return TagValue(*item)
        except TypeError:
            raise EncodeError(f"{name}: {item!r} is no option with a value") from None


def shape_of_item(node: Child, item: Any) -> Shape | None:
    """Return the shape of an item of a list, None when its class is none of the possible ones."""
    if isinstance(node.shape, Shape):
        return node.shape
    return node.shape.cases.get(getattr(item, node.shape.by, -1))


class TextReader:
    """Reads the fields of one message."""

    def __init__(self, message: Message, shape: Shape, version: int, server: bool, body: bytes) -> None:
        self.message = message
        self.shape = shape
        self.version = version
        self.server = server  # the side that wrote
        self.body = body
        self.fields: list[str] = []
        self.index = 0

    def read(self, fields: list[str]) -> tuple[Any, int]:
        """Return the message and how many fields are left over; raises MalformedMessage."""
        self.fields = fields
        values: Values = {}
        self._rows(self.message.rows, values, self.shape, "")
        return build(self.shape, values), len(fields) - self.index

    def _take(self, name: str) -> str:
        if self.index >= len(self.fields):
            raise MalformedMessage(self.message.name, name, "(missing)", self.body)
        self.index += 1
        return self.fields[self.index - 1]

    def _fail(self, name: str) -> NoReturn:
        raise MalformedMessage(self.message.name, name, self.fields[self.index - 1], self.body)

    def _count(self, name: str) -> int:
        count = self._int(name)
        if not 0 <= count <= len(self.fields) - self.index:
            self._fail(name)
        return count

    def _rows(self, rows: Rows, values: Values, shape: Shape, prefix: str) -> None:
        for row in rows_at(rows, self.version):
            match row:
                case Const():
                    self._take(prefix + "(constant)")
                case Value(path, kind):
                    leaf = shape.leaf(path)
                    put(values, path, self._value(leaf.as_kind(kind), prefix + ".".join(path)))
                case When(path, _, _, below):
                    if passes(row, found(values, path)):
                        self._rows(below, values, shape, prefix)
                case Maybe(path, below):
                    name = prefix + ".".join(path)
                    text = self._take(name)
                    if text not in ("", "0", "1"):
                        self._fail(name)
                    if text == "1":
                        inner: Values = {}
                        put(values, path, inner)
                        self._rows(below, inner, shape.inner(path), name + ".")
                case ListOf(path, below):
                    put(values, path, self._list(shape.at(path), below, prefix + ".".join(path)))
                case Switch(path, cases):
                    value = found(values, path)
                    if value not in cases:
                        self._fail(prefix + ".".join(path))
                    self._rows(cases[value], values, chosen(shape, value), prefix)
                case Mask(paths):
                    bits = self._int(prefix + ".".join(paths[0]))
                    for bit, path in enumerate(paths):
                        put(values, path, bool(bits >> bit & 1))
                case Count(path):
                    if len(self.fields) - self.index > 1:
                        self._int(".".join(path))
                case Expiry():
                    parts = split_expiry(self._take(".".join(self.message.expiry[0])))
                    for path, part in zip(self.message.expiry, parts, strict=False):
                        put(values, path, part)

    def _int(self, name: str) -> int:
        try:
            return int(self._take(name) or 0)
        except ValueError:
            self._fail(name)

    def _value(self, leaf: Leaf, name: str) -> Any:
        slot = leaf.slots[self.server]
        try:
            if leaf.many:
                return [leaf.kind.read(self._take(name), slot) for _ in range(self._count(name))]
            return leaf.kind.read(self._take(name), slot)
        except (ValueError, OverflowError, ArithmeticError):
            self._fail(name)

    def _list(self, node: Leaf | Child, below: Rows, name: str) -> list[Any]:
        items = []
        for index in range(self._count(name)):
            inner: Values = {}
            shape = tag_shape() if isinstance(node, Leaf) else item_shape(node)
            self._rows(below, inner, shape, f"{name}[{index}].")
            items.append(TagValue(**inner) if isinstance(node, Leaf) else build_node(node.shape, inner))
        return items


def item_shape(node: Child) -> Shape:
    """Return the shape of the items of a list; where their class is open, one with the fields of all classes."""
    if isinstance(node.shape, Shape):
        return node.shape
    shape = Shape(object)
    for case in node.shape.cases.values():
        shape.fields.update(case.fields)
    return shape
