"""Writes and reads the protobuf form by following the table. Must not know frames nor ids."""

from __future__ import annotations

from typing import Any

from ibkit.errors import EncodeError, MalformedMessage
from ibkit.wire.interpreter.values import Values, build, found, get, join_expiry, put, split_expiry
from ibkit.wire.shapes import Child, Choice, Leaf, Shape
from ibkit.wire.table import Attr, Message, Path, Table

# Any: the classes of protobuf messages exist at run time only.


class ProtobufWriter:
    """Fills the protobuf message of one message."""

    def __init__(self, source: Table, message: Message, shape: Shape, version: int, server: bool) -> None:
        self.source = source
        self.message = message
        self.shape = shape
        self.version = version
        self.server = server

    def write(self, proto: Any, obj: Any) -> None:
        """Set the fields of ``proto`` from a message; raises EncodeError."""
        self._attrs(self.message.attrs, proto, obj, self.shape, "")
        for zipped in self.message.zips:
            legs = step(proto, self._numbers(zipped.of))
            items = get(obj, zipped.path[:-1], self.shape) or ()
            for leg, item in zip(legs, items, strict=False):
                price = self.shape.inner(zipped.path[:-1]).leaf(zipped.path[-1:])
                self._set(leg, zipped.name, getattr(item, zipped.path[-1]), price, ".".join(zipped.path))
        if self.message.expiry:
            text = join_expiry(self.message, obj, self.shape)
            where = step(proto, self.message.expiry_numbers[:-1])
            name = field_name(where, self.message.expiry_numbers[-1])
            where.ClearField(name)
            if text:
                setattr(where, name, text)

    def _numbers(self, path: Path) -> tuple[int, ...]:
        """Return the protobuf numbers on the way to a list of a record of the message."""
        attr = next(attr for attr in self.message.attrs if attr.path == path[:1])
        inner = next(inner for inner in self.source.records[attr.kind].attrs if inner.path == path[1:])
        return attr.numbers + inner.numbers

    def _attrs(self, attrs: tuple[Attr, ...], proto: Any, obj: Any, shape: Shape, prefix: str) -> None:
        for attr in attrs:
            travels = attr.numbers or attr.inline
            if not travels or attr.since > self.version or (attr.answer and not self.server):
                continue
            value = get(obj, attr.path, shape)
            node = shape.at(attr.path)
            name = prefix + ".".join(attr.path)
            if isinstance(node, Leaf):
                where = step(proto, attr.numbers[:-1])
                self._set(where, field_name(where, attr.numbers[-1]), value, node, name)
            elif attr.inline:
                assert isinstance(node.shape, Shape)
                self._attrs(self.source.records[attr.kind].attrs, proto, value, node.shape, name + ".")
            elif attr.many:
                target = getattr(proto, attr.names[-1])
                for index, item in enumerate(value or ()):
                    self._record(attr, node, target.add(), item, f"{name}[{index}]")
            elif attr.when is not None:
                if getattr(obj, attr.when[0]) in attr.when[1]:
                    self._record(attr, node, getattr(proto, attr.names[-1]), value, name, getattr(obj, attr.when[0]))
            elif value is not None or not node.nullable:
                inner = step(proto, attr.numbers)
                inner.SetInParent()
                self._record(attr, node, inner, value, name)

    def _record(self, attr: Attr, node: Child, proto: Any, value: Any, name: str, by: int | None = None) -> None:
        kind, shape = attr.kind, node.shape
        if isinstance(shape, Choice):
            case = getattr(value, shape.by, None) if shape.own else by
            if case not in shape.cases:
                raise EncodeError(f"{name}: {value!r} cannot be sent")
            if shape.own:
                kind = self.source.unions[attr.kind].cases[case]
            shape = shape.cases[case]
        proto.SetInParent()
        self._attrs(self.source.records[kind].attrs, proto, value, shape, name + ".")

    def _set(self, proto: Any, field: str, value: Any, leaf: Leaf, name: str) -> None:
        slot = leaf.slots[self.server]
        try:
            if leaf.many:
                getattr(proto, field).extend(leaf.kind.put_item(item, slot) for item in value or ())
                return
            found = leaf.kind.put(value, slot)
            if found is not None:
                if leaf.word == "tags":
                    getattr(proto, field).update(found)
                else:
                    setattr(proto, field, found)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise EncodeError(f"{name}: {error}") from None


class ProtobufReader:
    """Reads the protobuf message of one message."""

    def __init__(self, source: Table, message: Message, shape: Shape, server: bool, body: bytes) -> None:
        self.source = source
        self.message = message
        self.shape = shape
        self.server = server  # the side that wrote
        self.body = body

    def read(self, proto: Any) -> Any:
        """Return the message; raises MalformedMessage."""
        values: Values = {}
        self._attrs(self.message.attrs, proto, values, self.shape, "")
        for zipped in self.message.zips:
            legs = found(values, zipped.of) or []
            prices = self._prices(proto, zipped.of, zipped.name) if legs else []
            shape = self.shape.inner(zipped.path[:-1])
            items = [build(shape, {} if price is None else {zipped.path[-1]: price}) for price in prices]
            put(values, zipped.path[:-1], items if any(price is not None for price in prices) else [])
        if self.message.expiry:
            carrier = ("contractDetails", "contract", "lastTradeDateOrContractMonth")
            text = found(values, carrier)
            put(values, carrier, "")
            for path, part in zip(self.message.expiry, split_expiry(text), strict=False):
                put(values, path, part)
        for attr in self.message.attrs:
            if attr.when is not None and found(values, attr.path) is None:
                raise MalformedMessage(self.message.name, ".".join(attr.path), "(missing)", self.body)
        return build(self.shape, values)

    def _prices(self, proto: Any, path: Path, name: str) -> list[Any]:
        for part in path:
            proto = getattr(proto, part)
        return [getattr(leg, name) if leg.HasField(name) else None for leg in proto]

    def _attrs(self, attrs: tuple[Attr, ...], proto: Any, values: Values, shape: Shape, prefix: str) -> None:
        for attr in attrs:
            if not attr.numbers and not attr.inline:
                continue
            node = shape.at(attr.path)
            name = prefix + ".".join(attr.path)
            if attr.inline:
                inner: Values = {}
                put(values, attr.path, inner)
                self._attrs(self.source.records[attr.kind].attrs, proto, inner, shape.inner(attr.path), name + ".")
                continue
            where = step(proto, attr.numbers[:-1])
            field = field_name(where, attr.numbers[-1])
            present = attr.many or attr.kind == "tags" or where.HasField(field)
            if isinstance(node, Leaf):
                if present:
                    put(values, attr.path, self._get(getattr(where, field), node, name))
                elif found(values, attr.path) is None:
                    put(values, attr.path, node.absent)
            elif attr.many:
                items = getattr(where, field)
                put(values, attr.path, [self._item(attr, node, item, f"{name}[{i}]") for i, item in enumerate(items)])
            elif attr.when is not None:
                if present:
                    if values[attr.when[0]] not in attr.when[1]:
                        raise MalformedMessage(self.message.name, attr.when[0], str(values[attr.when[0]]), self.body)
                    record: Values = {}
                    put(values, attr.path, record)
                    assert isinstance(node.shape, Choice)
                    chosen = node.shape.cases[attr.when[1][0]]
                    self._attrs(self.source.records[attr.kind].attrs, getattr(where, field), record, chosen, name + ".")
            elif present or not node.nullable:
                assert isinstance(node.shape, Shape)
                if not isinstance(found(values, attr.path), dict):
                    put(values, attr.path, {})
                record = found(values, attr.path)
                self._attrs(self.source.records[attr.kind].attrs, getattr(where, field), record, node.shape, name + ".")
            else:
                put(values, attr.path, None)

    def _item(self, attr: Attr, node: Child, proto: Any, name: str) -> Any:
        kind, shape = attr.kind, node.shape
        values: Values = {}
        if isinstance(shape, Choice):
            by = next(a for a in self.source.records[self.source.unions[kind].cases[1]].attrs if a.path == (shape.by,))
            case = getattr(proto, by.names[-1])
            if case not in shape.cases:
                raise MalformedMessage(self.message.name, f"{name}.{shape.by}", str(case), self.body)
            kind, shape = self.source.unions[kind].cases[case], shape.cases[case]
        self._attrs(self.source.records[kind].attrs, proto, values, shape, name + ".")
        return build(shape, values)

    def _get(self, value: Any, leaf: Leaf, name: str) -> Any:
        slot = leaf.slots[self.server]
        try:
            if not self.server and leaf.kind.protobuf in ("string", "map"):
                whole(value)
            if leaf.many:
                return [leaf.kind.get(item, slot) for item in value]
            return leaf.kind.get(value, slot)
        except (ValueError, OverflowError, ArithmeticError):
            raise MalformedMessage(self.message.name, name, str(value), self.body) from None


def whole(value: Any) -> Any:
    """Return a text, or texts; raises ValueError for a NUL, which cannot be told to clients that speak text."""
    if "\0" in (value if isinstance(value, str) else "".join([*value, *getattr(value, "values", list)()])):
        raise ValueError("a text contains a NUL")
    return value


def field_name(proto: Any, number: int) -> str:
    """Return the name of the field with a number."""
    name: str = proto.DESCRIPTOR.fields_by_number[number].name
    return name


def step(proto: Any, numbers: tuple[int, ...]) -> Any:
    """Return what lies at a path of field numbers."""
    for number in numbers:
        proto = getattr(proto, field_name(proto, number))
    return proto
