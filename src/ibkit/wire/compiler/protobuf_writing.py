"""Writes functions that write the protobuf form: set what is not at its default. Must not know frames."""

from __future__ import annotations

from typing import Any

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER
from ibkit.model.records import stored
from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.text_writing import unsupported
from ibkit.wire.compiler.usual import CLASSES, FIELDS, Later, part_of, plan
from ibkit.wire.compiler.values import TEXTS, ItemPutter, Putter, name_of
from ibkit.wire.framing import MAX_LENGTH
from ibkit.wire.interpreter import write
from ibkit.wire.interpreter.values import join_expiry
from ibkit.wire.kinds import Bool, Float, Int, Kind, Quantity, Strike, Tags
from ibkit.wire.protobuf import classes
from ibkit.wire.shapes import Child, Choice, Leaf, Shape
from ibkit.wire.table import Attr, Message, Path, Table


class ProtobufWriterSource:
    """Writes the function that writes one message."""

    def __init__(self, table: Table, message: Message, shape: Shape, version: int, server: bool, wire_id: int) -> None:
        self.table = table
        self.message = message
        self.shape = shape
        self.version = version
        self.server = server
        self.wire_id = wire_id
        self.source = Source()

    def write(self, needs: list[tuple[Path, int]]) -> Source:
        """Return the source of ``write(message) -> frame``; ``needs`` as ``needs_of`` tells."""
        source, cls = self.source, classes()[self.message.protobuf]
        part = "" if self.server else part_of(self.message, self.shape)
        if not part:
            return self._whole(needs)
        whole = ProtobufWriterSource(self.table, self.message, self.shape, self.version, self.server, self.wire_id)
        source.use("unusual", Later(lambda: whole._whole(needs), self.message.name))
        self._plan(part, cls)
        with source.block(f"def {self.message.name}(m):"):
            self._usual(part, cls, [(path, since) for path, since in needs if path[0] != part])
            source.add("return unusual(m)")
        return source

    def _whole(self, needs: list[tuple[Path, int]]) -> Source:
        """Return the source for any message."""
        source, cls = self.source, classes()[self.message.protobuf]
        source.use("proto", cls)
        with source.block(f"def {self.message.name}(m):"):
            unsupported(source, self.shape, needs, self.version, lambda path: ".".join(("m", *path)))
            source.add("p = proto()")
            self._attrs(self.message.attrs, cls.DESCRIPTOR, "p", "m", self.shape)
            for zipped in self.message.zips:
                self._zip(zipped.of, zipped.path, zipped.name)
            if self.message.expiry:
                self._expiry(cls.DESCRIPTOR)
            self._finish()
        return source

    def _finish(self) -> None:
        source = self.source
        source.add("b = p.SerializeToString()")
        source.add(f"if len(b) > {MAX_LENGTH - 4}: raise Unusual")
        source.add(f"return (len(b) + 4).to_bytes(4, 'big') + {self.wire_id.to_bytes(4, 'big')!r} + b")

    def _plan(self, part: str, cls: Any) -> None:
        """Write the functions that put usual fields into a message which is prepared for an order at its defaults."""
        source = self.source
        blank = self.shape.cls(*(self._blank(name) for name in self.shape.cls._fields))
        base = cls.FromString(write(self.message.name, self.version, blank)[4:])
        put: dict[str, str] = {}
        paths = [*(attr.path for attr in self.message.attrs), *(zipped.path for zipped in self.message.zips)]
        travelling = {path[1] for path in paths if path[0] == part and path[1:]}
        for attr in self.message.attrs:
            if attr.path != (part,):
                for number in attr.numbers[:1]:
                    base.ClearField(cls.DESCRIPTOR.fields_by_number[number].name)
                continue
            inside = cls.DESCRIPTOR.fields_by_number[attr.numbers[0]]
            for inner in self.table.records[attr.kind].attrs:
                if inner.since > self.version or inner.answer or not inner.numbers:
                    continue
                name = inner.path[0]
                travelling.add(name)
                node = self.shape.inner((part,)).at(inner.path)
                if name not in FIELDS or not isinstance(node, Leaf) or len(inner.numbers) != 1:
                    continue
                field = inside.message_type.fields_by_number[inner.numbers[0]]
                put[name] = f"(1, {name})"
                with source.block(f"def {name}(p, x):"):
                    if getattr(base, inside.name).HasField(field.name):
                        source.add(f"p.{inside.name}.ClearField({field.name!r})")
                    self._value(node, f"p.{inside.name}", field.name, "x")
        source.use("BASE", base.SerializeToString())
        source.use("parse", cls.FromString)
        source.add(f"PLAN = {plan(source, self.message, self.shape, part, travelling, put, self.version)}")

    def _blank(self, name: str) -> object:
        """Return an empty part of the message, or a zero."""
        node = self.shape.fields[name]
        return node.shape.cls() if isinstance(node, Child) and isinstance(node.shape, Shape) else 0

    def _usual(self, part: str, cls: Any, needs: list[tuple[Path, int]]) -> None:
        """Write the short way for an order that gives nothing unusual."""
        source = self.source
        unsupported(source, self.shape, needs, self.version, lambda path: ".".join(("m", *path)))
        source.add(f"o = m.{part}")
        with source.block(f"if type(o) in {source.use('USUAL', CLASSES)}:"):
            source.add("p = parse(BASE)")
            with source.block(f"for name, value in {source.use('kept', stored)}(o).items():"):
                source.add("i, w = PLAN[name]")
                source.add("if i > 0: w(p, value)")
                source.add("elif i and (value != w or type(value) is not type(w)): break")
            with source.block("else:"):
                others = tuple(attr for attr in self.message.attrs if attr.path[0] != part)
                self._attrs(others, cls.DESCRIPTOR, "p", "m", self.shape)
                self._finish()

    def _zip(self, of: Path, path: Path, field: str) -> None:
        source = self.source
        attr = next(attr for attr in self.message.attrs if attr.path == of[:1])
        leaf = self.shape.inner(path[:-1]).leaf(path[-1:])
        items = ".".join(("m", *path[:-1]))
        with source.block(f"for x, t in zip(p.{attr.names[0]}.{of[1]}, {items} or ()):"):
            self._value(leaf, "x", field, f"t.{path[-1]}")

    def _expiry(self, descriptor: Any) -> None:
        source, p = self.source, "p"
        for number in self.message.expiry_numbers[:-1]:
            field = descriptor.fields_by_number[number]
            p, descriptor = f"{p}.{field.name}", field.message_type
        name = descriptor.fields_by_number[self.message.expiry_numbers[-1]].name
        source.use("MESSAGE", self.message)
        source.use("SHAPE", self.shape)
        source.add(f"e = {source.use('join_expiry', join_expiry)}(MESSAGE, m, SHAPE)")
        source.add(f"{p}.ClearField({name!r})")
        source.add(f"if e: {p}.{name} = e")

    def _attrs(self, attrs: tuple[Attr, ...], descriptor: Any, p: str, obj: str, shape: Shape) -> None:
        """Write the settings of the fields of the protobuf message ``p`` from the object ``obj``."""
        for attr in attrs:
            if attr.since > self.version or (attr.answer and not self.server):
                continue
            if attr.inline:
                inner = self._name(".".join((obj, *attr.path)))
                self._attrs(self.table.records[attr.kind].attrs, descriptor, p, inner, shape.inner(attr.path))
            elif attr.numbers:
                self._attr(attr, descriptor, p, obj, shape)

    def _attr(self, attr: Attr, descriptor: Any, p: str, obj: str, shape: Shape) -> None:
        source = self.source
        for number in attr.numbers[:-1]:
            field = descriptor.fields_by_number[number]
            p, descriptor = f"{p}.{field.name}", field.message_type
        field = descriptor.fields_by_number[attr.numbers[-1]]
        value = ".".join((obj, *attr.path))
        node = shape.at(attr.path)
        if isinstance(node, Leaf):
            self._value(node, p, field.name, value)
            return
        record = self.table.records.get(attr.kind)
        if attr.many:
            item, target = source.fresh("t"), source.fresh("q")
            with source.block(f"for {item} in {value} or ():"):
                source.add(f"{target} = {p}.{field.name}.add()")
                if isinstance(node.shape, Choice):
                    self._choices(attr, field.message_type, target, item, node.shape)
                else:
                    assert record is not None
                    self._attrs(record.attrs, field.message_type, target, item, node.shape)
            return
        assert record is not None
        if attr.when is not None:
            assert isinstance(node.shape, Choice)
            with source.block(f"if {obj}.{attr.when[0]} in {attr.when[1]!r}:"):
                inner = node.shape.cases[attr.when[1][0]]
                self._record(record.attrs, field, p, self._name(value), inner)
            return
        assert isinstance(node.shape, Shape)
        name = self._name(value)
        if node.nullable:
            with source.block(f"if {name} is not None:"):
                self._record(record.attrs, field, p, name, node.shape)
        else:
            self._record(record.attrs, field, p, name, node.shape)

    def _record(self, attrs: tuple[Attr, ...], field: Any, p: str, obj: str, shape: Shape) -> None:
        target = self._name(f"{p}.{field.name}")
        self.source.add(f"{target}.SetInParent()")
        self._attrs(attrs, field.message_type, target, obj, shape)

    def _choices(self, attr: Attr, descriptor: Any, p: str, obj: str, choice: Choice) -> None:
        source = self.source
        union = self.table.unions[attr.kind]
        for index, (value, shape) in enumerate(choice.cases.items()):
            with source.block(f"{'elif' if index else 'if'} {obj}.{choice.by} == {value}:"):
                self._attrs(self.table.records[union.cases[value]].attrs, descriptor, p, obj, shape)
        with source.block("else:"):
            source.add("raise Unusual")

    def _name(self, expression: str) -> str:
        name = self.source.fresh("o")
        self.source.add(f"{name} = {expression}")
        return name

    def _value(self, leaf: Leaf, p: str, field: str, value: str) -> None:
        source, kind = self.source, leaf.kind
        target, v = f"{p}.{field}", source.fresh("v")
        putter = Putter(kind, leaf.slots[self.server])
        if leaf.many:
            general = source.use(name_of("put_item", leaf), ItemPutter(kind, leaf.slots[self.server]))
            source.add(f"{target}.extend([{general}(x) for x in {value} or ()])")
        elif isinstance(kind, Tags):
            source.add(f"if {v} := {value}: {target}.update({source.use('put_tags', putter)}({v}))")
        elif type(kind) is Bool:
            test = "" if kind.always else f"if {value}: "
            source.add(f"{test}{target} = {f'bool({value})' if kind.always else 'True'}")
        elif type(kind) is Kind:
            right = f"{v} if '\\0' not in {v} else {self._general(leaf, putter)}({v})"
            source.add(f"if ({v} := {value}) != '': {target} = {right}")
        elif self._omits(leaf) and isinstance(kind, Int):
            right = f"{v} if type({v}) is int else {self._general(leaf, putter)}({v})"
            source.add(f"if ({v} := {value}) != {UNSET_INTEGER}: {target} = {right}")
        elif self._omits(leaf) and type(kind) is Float:
            right = f"{v} if type({v}) is float and {v} == {v} else {self._general(leaf, putter)}({v})"
            source.add(f"if ({v} := {value}) != UNSET: {target} = {right}")
        elif self.server and isinstance(kind, Int) and kind.protobuf in ("int32", "int64"):
            source.add(f"{target} = {v} if type({v} := {value}) is int else {self._general(leaf, putter)}({v})")
        elif self.server and type(kind) is Float and kind.protobuf == "double" and leaf.unset == leaf.unset:
            plain = f"type({v} := {value}) is float and {v} == {v}"
            source.add(f"{target} = {v} if {plain} else {self._general(leaf, putter)}({v})")
        elif isinstance(kind, Strike):
            right = f"{v} if type({v}) is float and -UNSET < {v} < UNSET else {self._general(leaf, putter)}({v})"
            source.add(f"if {v} := {value}: {target} = {right}")
        else:
            general = source.use(name_of("put", leaf), putter)
            if isinstance(kind, Quantity) and kind.protobuf == "string":
                whole = f"(type({v} := {value}) is int or (type({v}) is float and {v}.is_integer())) and 0 < {v} < 1e9"
                value = f"str(int({v})) if {whole} else {general}({v})"
                source.add(f"if ({v} := {value}) is not None: {target} = {v}")
            elif leaf.word in TEXTS and putter("") is None:
                source.add(f"if ({v} := {value}) != '' and ({v} := {general}({v})) is not None: {target} = {v}")
            else:
                source.add(f"if ({v} := {general}({value})) is not None: {target} = {v}")

    def _general(self, leaf: Leaf, putter: Putter) -> str:
        """Return the name of a function for values that are not of the plain type; None makes protobuf refuse."""
        return self.source.use(name_of("put", leaf), putter)

    def _omits(self, leaf: Leaf) -> bool:
        """Tell whether an unset number is left out and any other is set as it is."""
        if leaf.kind.protobuf not in ("int32", "int64", "double"):
            return False
        return not self.server or leaf.unset in (UNSET_INTEGER, UNSET_DOUBLE)
