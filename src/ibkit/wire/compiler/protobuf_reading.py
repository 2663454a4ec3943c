"""Writes functions that read the protobuf form: parse, take the fields, convert. Must not know frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.unknown_fields import UnknownFieldSet

from ibkit.model import Contract
from ibkit.model.base import SparseRecord
from ibkit.wire.compiler.objects import Tree, construct, hold, seal
from ibkit.wire.compiler.remembered import Contracts, Prototypes
from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.text_reading import expiry_parts
from ibkit.wire.compiler.usual import OWN
from ibkit.wire.compiler.values import TEXTS, Getter, name_of
from ibkit.wire.interpreter.protobuf import whole
from ibkit.wire.kinds import Bool, Escaped, Float, Int, Quantity, Size, Tri
from ibkit.wire.messages.rows import BarRow, Bars
from ibkit.wire.protobuf import classes
from ibkit.wire.shapes import Child, Choice, Leaf, Shape
from ibkit.wire.table import Attr, Message, Path, Table

_CARRIER: Path = ("contractDetails", "contract", "lastTradeDateOrContractMonth")


def absent(leaf: Leaf) -> Any:
    """Return what a value is when the message does not carry it."""
    return leaf.absent


ALIKE: Final = object()
"""Stands for the value of a field that is not there when that is what it reads as."""


class Part(dict[str, "str | Tree"]):
    """What is known of an object that is one part of the message, in the variable ``name``."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.fields: dict[str, str] = {}
        """The names of the protobuf fields in it, by the names of the values that they tell."""
        self.lines: list[list[str]] = []
        """Lines that its values need, but for plain ones."""
        self.elsewhere: set[str] = set()
        """The names of values that other parts of the message may tell as well."""


class Simple(str):
    """An expression for a value that is what the field of a protobuf message says.

    Args:
        expression: it.
        of: the name of the variable with the protobuf message.
        field: the name of the field.
        absent: the value when the field is not there; ``ALIKE``: what it reads as then.
    """

    __slots__ = ("absent", "field", "of")

    def __new__(cls, expression: str, of: str, field: str, absent: object = ALIKE) -> Simple:
        made = super().__new__(cls, expression)
        made.of, made.field, made.absent = of, field, absent
        return made

    of: str
    field: str
    absent: object


class ProtobufReaderSource:
    """Writes the function that reads one message."""

    def __init__(self, table: Table, message: Message, shape: Shape, server: bool) -> None:
        self.table = table
        self.message = message
        self.shape = shape
        self.server = server  # the side that wrote
        self.source = Source()
        self.tree: Tree = {}
        self.checked: set[str] = set()

    def write(self) -> Source:
        """Return the source of ``read(body)``."""
        source, cls = self.source, classes()[self.message.protobuf]
        source.use("parse", cls.FromString)
        source.use("unknown", UnknownFieldSet)
        with source.block(f"def {self.message.name}(body):"):
            source.add("p = parse(body[4:])")
            source.add("if len(unknown(p)): raise Unusual")
            tree = self.tree
            self._attrs(self.message.attrs, cls.DESCRIPTOR, "p", tree, self.shape)
            for zipped in self.message.zips:
                # Prices are there for all legs or for none.
                legs = self._legs(zipped.of)
                price = f"x.{zipped.name} if x.HasField({zipped.name!r}) else UNSET"
                inner = self.shape.inner(zipped.path[:-1])
                made = construct(source, inner, {zipped.path[-1]: price}, absent)
                has = f"any([x.HasField({zipped.name!r}) for x in {legs}])"
                put(tree, zipped.path[:-1], f"([{made} for x in {legs}] if {has} else [])")
                if isinstance(part := tree[zipped.path[0]], Part):
                    part.elsewhere.add(zipped.path[1])
            if self.message.expiry:
                source.use("expiry_parts", expiry_parts)
                text = find(tree, _CARRIER)
                source.add(f"e0, e1, e2 = expiry_parts({text})")
                put(tree, _CARRIER, "''")
                for index, path in enumerate(self.message.expiry):
                    default = find(tree, path)
                    put(tree, path, f"(e{index} or {default})" if default else f"e{index}")
            for attr in self.message.attrs:
                if attr.when is not None:
                    source.add(f"if {find(tree, attr.path)} is None: raise Unusual")
                    break
            for name, part in tree.items():
                if isinstance(part, Part):
                    inner = self.shape.inner((name,))
                    tree[name] = self._contract(part, inner) if inner.cls is Contract else self._sparse(part, inner)
            source.add(f"return {construct(source, self.shape, tree, absent)}")
        return source

    def _sparse(self, part: Part, shape: Shape) -> str:
        """Write statements that make a sparse object; return its name.

        Its own fields are read and taken away; if what is left has come before, so have the values.
        """
        source, fields, rest = self.source, self.source.fresh("d"), self.source.fresh("m")
        own: Tree = {}
        common: Tree = {}
        for name, told in part.items():
            node = shape.fields[name]
            alike = (name in part.fields or isinstance(node, Child)) and name not in part.elsewhere | OWN
            (common if alike else own)[name] = told
        source.add(f"{fields} = {{}}")
        hold(source, fields, shape, own, absent)
        for name in own:
            if name in part.fields:
                source.add(f"{part.name}.ClearField({part.fields[name]!r})")
        memo = source.use(f"known_{part.name}", Prototypes())
        source.add(f"k = {part.name}.SerializeToString()")
        source.add(f"{rest} = {memo}.get(k)")
        with source.block(f"if {rest} is None:"):
            source.paste(part.lines)
            source.add(f"{rest} = {{}}")
            # Nearly all fields of an order, in a loop: writing and compiling a line for each takes longer than reading.
            simple = {name: told for name, told in common.items() if isinstance(told, Simple) and told.of == part.name}
            table = tuple((told.field, name, told.absent, shape.leaf((name,)).default) for name, told in simple.items())
            source.add(f"{source.use('simple', read_simple)}({part.name}, {source.use('FIELDS', table)}, {rest})")
            hold(source, rest, shape, {name: told for name, told in common.items() if name not in simple}, absent)
            source.add(f"{memo}.keep(k, {rest})")
        source.add(f"{fields}.update({rest})")
        return seal(source, shape, fields)

    def _contract(self, part: Part, shape: Shape) -> str:
        """Write statements that make a contract, which mostly is one that has come before; return its name."""
        source, made = self.source, self.source.fresh("c")
        making = construct(source, shape, dict(part), absent)
        if part.elsewhere:
            source.paste(part.lines, 0)
            return making
        memo = source.use(f"known_{part.name}", Contracts())
        source.add(f"k = {part.name}.SerializeToString()")
        source.add(f"{made} = {memo}.again(k)")
        with source.block(f"if {made} is None:"):
            source.paste(part.lines)
            source.add(f"{made} = {memo}.keep(k, {making})")
        return made

    def _legs(self, path: Path) -> str:
        attr = next(attr for attr in self.message.attrs if attr.path == path[:1])
        return f"p.{attr.names[0]}.{path[1]}"

    def _attrs(self, attrs: tuple[Attr, ...], descriptor: Any, p: str, tree: Tree, shape: Shape) -> None:
        """Tell in ``tree`` where the values are; ``p`` is the name of the protobuf message."""
        for attr in attrs:
            if attr.inline:
                inner = tree.setdefault(attr.path[0], {})
                assert isinstance(inner, dict)
                self._attrs(self.table.records[attr.kind].attrs, descriptor, p, inner, shape.inner(attr.path))
            elif attr.numbers:
                self._attr(attr, descriptor, p, tree, shape)

    def _attr(self, attr: Attr, descriptor: Any, p: str, tree: Tree, shape: Shape) -> None:
        source = self.source
        for number in attr.numbers[:-1]:  # what is not there reads as empty
            field = descriptor.fields_by_number[number]
            p, descriptor = f"{p}.{field.name}", field.message_type
            if p not in self.checked:
                self.checked.add(p)
                source.add(f"if len(unknown({p})): raise Unusual")
        field = descriptor.fields_by_number[attr.numbers[-1]]
        node = shape.at(attr.path)
        if isinstance(node, Leaf):
            found = find(tree, attr.path)
            self._note(tree, attr.path, p, field.name)
            put(tree, attr.path, self._value(node, p, field.name, found))
            return
        record = self.table.records.get(attr.kind)
        if attr.many:
            name = source.fresh("l")
            if isinstance(node.shape, Choice):
                self._choices(name, f"{p}.{field.name}", field.message_type, node.shape, attr)
            else:
                assert record is not None
                self._items(name, f"{p}.{field.name}", field.message_type, node.shape, record.attrs)
            put(tree, attr.path, name)
            return
        assert record is not None
        if attr.when is not None:
            self._chosen(attr, field, p, tree, node.shape, record.attrs)
        elif node.nullable:
            name = source.fresh("o")
            assert isinstance(node.shape, Shape)
            source.add(f"{name} = None")
            with source.block(f"if {p}.HasField({field.name!r}):"):
                inner: Tree = {}
                here = self._part(p, field.name)
                self._attrs(record.attrs, field.message_type, here, inner, node.shape)
                source.add(f"{name} = {construct(source, node.shape, inner, absent)}")
            put(tree, attr.path, name)
        else:
            assert isinstance(node.shape, Shape)
            name, below = self._part(p, field.name), find(tree, attr.path)
            remembered = issubclass(node.shape.cls, SparseRecord) or node.shape.cls is Contract
            if remembered and tree is self.tree and not attr.path[1:] and not isinstance(below, Part):
                part = Part(name)
                part.update(below if isinstance(below, dict) else {})
                part.elsewhere.update(part)
                put(tree, attr.path, below := part)
            elif not isinstance(below, dict):
                self._note(tree, attr.path, p, field.name)
                put(tree, attr.path, below := {})
            mark = source.mark()
            self._attrs(record.attrs, field.message_type, name, below, node.shape)
            if isinstance(below, Part) and below.name == name:
                below.lines = source.cut(mark)

    def _note(self, tree: Tree, path: Path, p: str, field: str) -> None:
        """Take note of where a value comes from: the part of the message that its object is, or elsewhere."""
        if isinstance(tree, Part) and not path[1:]:
            if p == tree.name:
                tree.fields[path[0]] = field
            else:
                tree.elsewhere.add(path[0])

    def _part(self, p: str, field: str) -> str:
        name = self.source.fresh("q")
        self.source.add(f"{name} = {p}.{field}")
        self.source.add(f"if len(unknown({name})): raise Unusual")
        return name

    def _items(self, name: str, items: str, descriptor: Any, shape: Shape | Choice, attrs: tuple[Attr, ...]) -> None:
        source = self.source
        assert isinstance(shape, Shape)
        x = source.fresh("t")
        if shape.cls is BarRow:
            values: Tree = {}
            self._attrs(attrs, descriptor, x, values, shape)
            source.add(f"if len({items}) and len(unknown({items}[0])): raise Unusual")
            source.add(f"{name} = {source.use('Bars', Bars)}(tuple([] for _ in range({len(BarRow._fields)})))")
            puts = [source.fresh("a") for _ in BarRow._fields]
            source.add(f"{', '.join(puts)} = [column.append for column in {name}.columns]")
            with source.block(f"for {x} in {items}:"):
                for put_value, field in zip(puts, BarRow._fields, strict=True):
                    source.add(f"{put_value}({values[field]})")
            return
        with source.block(f"def {name}_item({x}):"):
            inner: Tree = {}
            self._attrs(attrs, descriptor, x, inner, shape)
            source.add(f"return {construct(source, shape, inner, absent)}")
        source.add(f"{name} = [{name}_item({x}) for {x} in {items}]")
        # A field that servers have gained is in all items, so the first one tells.
        source.add(f"if {name} and len(unknown({items}[0])): raise Unusual")

    def _choices(self, name: str, items: str, descriptor: Any, choice: Choice, attr: Attr) -> None:
        source, x = self.source, self.source.fresh("t")
        union = self.table.unions[attr.kind]
        any_case = self.table.records[next(iter(union.cases.values()))]
        by = next(inner for inner in any_case.attrs if inner.path == (union.by,)).names[-1]
        source.add(f"{name} = []")
        source.add(f"if {items} and len(unknown({items}[0])): raise Unusual")
        with source.block(f"for {x} in {items}:"):
            for index, (value, shape) in enumerate(choice.cases.items()):
                with source.block(f"{'elif' if index else 'if'} {x}.{by} == {value}:"):
                    inner: Tree = {}
                    self._attrs(self.table.records[union.cases[value]].attrs, descriptor, x, inner, shape)
                    source.add(f"{name}.append({construct(source, shape, inner, absent)})")
            with source.block("else:"):
                source.add("raise Unusual")

    def _chosen(
        self, attr: Attr, field: Any, p: str, tree: Tree, choice: Shape | Choice, attrs: tuple[Attr, ...]
    ) -> None:
        source = self.source
        assert isinstance(choice, Choice)
        assert attr.when is not None
        name = find(tree, attr.path)
        if not isinstance(name, str):
            name = source.fresh("o")
            source.add(f"{name} = None")
            put(tree, attr.path, name)
        with source.block(f"if {p}.HasField({field.name!r}):"):
            source.add(f"if {find(tree, (attr.when[0],))} not in {attr.when[1]!r}: raise Unusual")
            inner: Tree = {}
            shape = choice.cases[attr.when[1][0]]
            self._attrs(attrs, field.message_type, self._part(p, field.name), inner, shape)
            source.add(f"{name} = {construct(source, shape, inner, absent)}")

    def _value(self, leaf: Leaf, p: str, field: str, found: object) -> str:
        """Return an expression for a value; ``found`` is what another field of the message said before."""
        source, kind, x = self.source, leaf.kind, f"{p}.{field}"
        if not self.server and kind.protobuf in ("string", "map"):
            x = f"{source.use('whole', whole)}({x})"
        getter = Getter(kind, leaf.slots[self.server])
        if leaf.many:
            plain = leaf.word in ("str", "int", "float")
            return f"list({x})" if plain else f"[{source.use(name_of('get', leaf), getter)}(x) for x in {x}]"
        if leaf.word == "tags":
            v = source.fresh("v")
            return f"({source.use('get_tags', getter)}({v}) if ({v} := {x}) else [])"
        other = found if isinstance(found, str) else source.literal(leaf.absent)
        has = f"{p}.HasField({field!r})"
        if (leaf.word in TEXTS or isinstance(kind, Escaped)) and kind.protobuf == "string":
            if isinstance(found, str):
                return f"({x} or {other})"
            return Simple(x, p, field) if self.server else x
        if isinstance(kind, Quantity):
            v, d = source.fresh("v"), source.fresh("d")
            test = f"-1e18 < ({d} := float({v})) < 2147483647.0"
            if not isinstance(kind, Size):
                test = f"len({v}) < 16 and {test}"
            general = source.use(name_of("get", leaf), getter)
            return f"({other} if not ({v} := {x}) else {d} if {test} else {general}({v}))"
        simple = type(kind) is Bool or (isinstance(kind, Int | Float) and kind.protobuf in ("int32", "int64", "double"))
        simple = simple and (self.server or not isinstance(kind, Float))
        if simple and leaf.unset == leaf.unset:
            zero = type(leaf.absent) in (int, float, bool) and leaf.absent == 0 and not isinstance(found, str)
            if zero or (type(kind) is Bool and not kind.always):
                return Simple(x, p, field)
            v = source.fresh("v")
            expression = f"({v} if ({v} := {x}) or {has} else {other})"
            return expression if isinstance(found, str) else Simple(expression, p, field, leaf.absent)
        if simple and isinstance(kind, Float) and other == "nan":
            v = source.fresh("v")
            return f"({v} if (({v} := {x}) or {has}) and {v} != UNSET else nan)"
        if isinstance(kind, Int | Float | Tri) or kind.protobuf in ("double", "bool", "int32"):
            return f"({source.use(name_of('get', leaf), getter)}({x}) if {has} else {other})"
        if kind.protobuf == "string":
            return f"({source.use(name_of('get', leaf), getter)}({x}) if {has} else {other})"
        return x


def read_simple(proto: Any, fields: Iterable[tuple[str, str, object, object]], told: dict[str, object]) -> None:
    """Put simple fields that are not at their defaults into ``told``.

    ``fields``: the name in the protobuf message and in ``told``, the value when it is not there, and the default.
    """
    for field, name, absent, default in fields:
        value = getattr(proto, field)
        if not value and absent is not ALIKE and not proto.HasField(field):
            value = absent
        if value != default:
            told[name] = value


def put(tree: Tree, path: Path, value: str | Tree) -> None:
    """Store what is known of a value at a path."""
    for name in path[:-1]:
        below = tree.setdefault(name, {})
        assert isinstance(below, dict)
        tree = below
    tree[path[-1]] = value


def find(tree: Tree, path: Path) -> str | Tree | None:
    """Return what is known of a value at a path."""
    node: str | Tree | None = tree
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node
