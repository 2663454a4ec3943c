"""Writes the part of a stream's function that reads one message in its protobuf form, without making an object of it.

It knows the form in which messages are usually written: fields in the order of their numbers, small numbers in one
byte. Fields of fixed size that follow each other are unpacked together; each tag, each length and the end are
compared with what they must be. A message in another form, which protobuf allows, is left to the ordinary way.

Must not know frames.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product
from struct import Struct
from typing import Any, Final, NamedTuple

from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.stream_branch import IN_RANGE, Branch, Memo
from ibkit.wire.interpreter.values import chosen
from ibkit.wire.kinds import Float, Size
from ibkit.wire.shapes import Leaf, Shape
from ibkit.wire.table import Attr, Message, Path, table

VARINT: Final = 0
DOUBLE: Final = 1
BYTES: Final = 2
WIRE_TYPES: Final = {"int32": VARINT, "int64": VARINT, "bool": VARINT, "double": DOUBLE, "string": BYTES}

SECOND_BYTES: Final = 5
"""The bytes of a present time in epoch seconds, and of any until the year 3058."""


def read_second(data: bytes) -> int:
    """Return the number in bytes of which each but the last says that there is another."""
    if data[-1] > 127 or min(data[:-1]) < 128:
        raise ValueError("another number of bytes")
    return sum((byte & 127) << (7 * place) for place, byte in enumerate(data))


SECONDS: Final = Memo(read_second)


class Field(NamedTuple):
    """A field of a protobuf message: a value, or a message of which these are the fields."""

    number: int
    path: Path
    leaf: Leaf | None
    fields: tuple[Field, ...] = ()

    @property
    def tag(self) -> int:
        """The byte in front of it."""
        return self.number << 3 | (BYTES if self.leaf is None else WIRE_TYPES[self.leaf.kind.protobuf])


def fields_of(attrs: tuple[Attr, ...], shape: Shape, prefix: Path = ()) -> tuple[Field, ...]:
    """Return the fields of a message, or of a record in it, in the order of their numbers."""
    inside: dict[int, list[Attr]] = {}
    found = []
    for attr in attrs:
        number, *below = attr.numbers
        if below:
            inside.setdefault(number, []).append(attr._replace(numbers=tuple(below)))
        elif attr.kind in table().records:
            record = table().records[attr.kind].attrs
            found.append(Field(number, (), None, fields_of(record, shape.inner(attr.path), attr.path)))
        else:
            found.append(Field(number, prefix + attr.path, shape.leaf(attr.path)))
    found += [Field(number, (), None, fields_of(tuple(part), shape, prefix)) for number, part in inside.items()]
    return tuple(sorted(found))


class ProtobufBranch(Branch):
    """Reads the protobuf form: ``first`` is where its fields begin, ``i`` goes along."""

    def __init__(self, source: Source, message: Message, typed: bool) -> None:
        super().__init__(source, message, typed)
        self.format = "<"  # of what will be unpacked together at i
        self.names: list[str] = []
        self.subject = self.kind = ""  # the names of the first two values
        self.loose = False  # behind a text, where nothing waits to be unpacked
        self.opened: list[tuple[str, int]] = []  # names of lengths of messages, and what was before their first byte

    def write(self) -> None:
        source, attrs = self.source, self.message.attrs
        choices = [attr for attr in attrs if attr.when is not None]
        simple = fields_of(tuple(attr for attr in attrs if attr.when is None), self.shape)
        if not choices:
            with self._attempt():
                self._fields(simple)
                self._unpack()
                self.address("by_id", self.subject, self.kind)
            self.tests.append("i == end")
            self.hand_over(self.shape)
            return
        with self._attempt():
            self._fields(simple)
            tag, length = self._byte("t"), self._byte("l")
            self._unpack()
            self.address("by_id", self.subject, self.kind)
        before = self.tests
        for index, attr in enumerate(choices):
            assert attr.when is not None
            shape = chosen(self.shape, attr.when[1][0])
            expected = Field(attr.numbers[0], (), None).tag
            with source.block(f"{'elif' if index else 'if'} {tag} == {expected} and {self.kind} in {attr.when[1]!r}:"):
                self.tests = [*before, "i == end", f"{length} < 128"]
                with self._attempt():
                    source.add(f"last = i + {length}")
                    self.tests.append("last == end")
                    self._fields(
                        fields_of(table().records[attr.kind].attrs, shape.inner(attr.path), attr.path), inside=True
                    )
                    self._unpack()
                self.hand_over(shape)
        with source.block("else:"):
            source.add("return n")

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """Write lines that may fail where the message is unusual."""
        with self.source.block("try:"):
            yield
        with self.source.block("except (ValueError, KeyError, IndexError, unpack_error):"):
            self.source.use("unpack_error", struct.error)
            self.source.add("return n")

    # -- what is unpacked together -------------------------------------------------------------------

    def _byte(self, stem: str) -> str:
        """Announce a byte; return the name it will have."""
        name = self.source.fresh(stem)
        self.format += "B"
        self.names.append(name)
        return name

    def _tag(self, field: Field) -> None:
        """Announce the byte in front of a field, which must be the right one."""
        self.tests.append(f"{self._byte('t')} == {field.tag}")

    def _unpack(self) -> None:
        """Write how the announced bytes are taken."""
        source = self.source
        if self.names:
            names, size = ", ".join(self.names), struct.calcsize(self.format)
            if self.subject in self.names:
                self._begin(names, size)
            else:
                source.add(f"{names} = {self._unpacker(self.format)}(data, i)")
                source.add(f"i += {size}")
            for length, before in self.opened:
                last = source.fresh("last")
                source.add(f"{last} = i - {size - before} + {length}")
                self.tests.append(f"{last} == end and {length} < 128")
        self.format, self.names, self.opened = "<", [], []

    def _begin(self, names: str, size: int) -> None:
        """Write how the first bytes are taken: the id of the request has one, two or three."""
        source, subject = self.source, self.subject
        for width, code in enumerate(("B", "H", "HB")):
            with source.block(f"{'elif' if width else 'if'} data[first + {1 + width}] < 128:"):
                several = names.replace(f"{subject},", f"{subject}, high,", 1) if width == 2 else names
                form = f"<B{code}{self.format[3:]}"
                source.add(f"{several} = {self._unpacker(form)}(data, first)")
                source.add(f"i = first + {size + width}")
                if width:
                    low = f"{subject} & 127 | {subject} >> 1 & {127 << 7}"
                    source.add(f"{subject} = {low}{' | high << 14' if width == 2 else ''}")
        with source.block("else:"):
            source.add("return n")

    def _unpacker(self, form: str) -> str:
        return self.source.use(f"unpack_{form[1:]}", unpacker(form))

    # -- fields --------------------------------------------------------------------------------------

    def _fields(self, fields: tuple[Field, ...], inside: bool = False) -> None:
        """Write how fields are read; ``inside`` a message that ends where the outer one ends."""
        for field in fields:
            if field.leaf is not None:
                self._value(field, field.leaf, inside and field is fields[-1])
            elif all(below.leaf is not None and below.leaf.word == "bool" for below in field.fields):
                self._flags(field)
            else:
                self._tag(field)
                length = self._byte("l")
                self.opened.append((length, struct.calcsize(self.format)))
                self._fields(field.fields, inside=True)

    def _value(self, field: Field, leaf: Leaf, last: bool) -> None:
        source, kind, absent = self.source, leaf.kind, self.source.literal(leaf.absent)
        if kind.protobuf == "string":
            spare = last or (self.loose and not self.names)
            self.values[field.path] = self._text(field, leaf, absent if spare else "")
            return
        if kind.protobuf == "double":
            self._tag(field)
            v = source.fresh("v")
            self.format += "d"
            self.names.append(v)
            self.tests.append(IN_RANGE[Float].format(v))
        elif field.path[-1] == "time":
            self._tag(field)
            v = source.fresh("v")
            self.format += f"{SECOND_BYTES}s"
            self.names.append(v)
            v = f"{source.use('seconds', SECONDS)}[{v}]"
            self._unpack()
            name = source.fresh("v")
            source.add(f"{name} = {v}")
            v = name
        elif self.loose and not self.names:  # the last one, which may be missing
            v = source.fresh("v")
            known = source.use(f"last_{field.path[-1]}", last_number(field.tag, kind.protobuf == "bool", leaf.absent))
            source.add(f"{v} = {known}[data[i:end]]")
            source.add("i = end")
            self.values[field.path] = v
            return
        else:
            self._tag(field)
            v = self._byte("v")
            if not self.subject:
                self.subject = v
            else:
                self.kind = self.kind or v
                if not (self.typed and v == self.kind):  # that one is looked up
                    self.tests.append(f"{v} < {2 if kind.protobuf == 'bool' else 128}")
        self.values[field.path] = f"{v} == 1" if kind.protobuf == "bool" else v

    def _text(self, field: Field, leaf: Leaf, absent: str) -> str:
        """Write how a text is read, which may be missing when there is an expression for that; return its name."""
        source = self.source
        v = source.fresh("v")
        number = isinstance(leaf.kind, Size)
        in_range = IN_RANGE[Size].format(v) if number else ""

        def said(data: str) -> str:
            return f"float({data})" if number else self.word(field.path, data)

        if not absent:
            self._tag(field)
            length = self._byte("l")
            self._unpack()
            source.add(f"j = i + {length}")
            self.tests.append(f"{length} < 128")
            source.add(f"{v} = {said('data[i:j]')}")
            source.add("i = j")
            if in_range:
                self.tests.append(in_range)
        else:
            self._unpack()
            source.add(f"{v} = {absent}")
            with source.block(f"if i < end and data[i] == {field.tag}:"):
                source.add("j = i + 2 + data[i + 1]")
                source.add(f"{v} = {said('data[i + 2:j]')}")
                source.add(f"if not (j - i < 130{' and ' + in_range if in_range else ''}): return n")
                source.add("i = j")
        self.loose = True
        return v

    def _flags(self, field: Field) -> None:
        """Write how a message of flags is read, which may be missing."""
        source, flags = self.source, source_name(field)
        known = source.use(flags, flags_of(field))
        self._unpack()
        names = [source.fresh("v") for _ in field.fields]
        with source.block(f"if data[i] == {field.tag}:"):
            source.add("j = i + 2 + data[i + 1]")
            source.add(f"{', '.join(names)} = {known}[data[i + 2:j]]")
            source.add("i = j")
        with source.block("else:"):
            source.add(f"{' = '.join(names)} = False")
        for name, below in zip(names, field.fields, strict=True):
            self.values[below.path] = name
        self.loose = False


@cache
def unpacker(form: str) -> Callable[[bytes, int], tuple[Any, ...]]:  # Any: numbers and bytes, as the form says
    """Return the function that unpacks bytes of this form."""
    return Struct(form).unpack_from


def last_number(tag: int, flag: bool, absent: object) -> dict[bytes, object]:
    """Return what the end of a message means, where a small number is the last field."""
    found: dict[bytes, object] = {
        bytes((tag, number)): bool(number) if flag else number for number in range(2 if flag else 128)
    }
    found[b""] = absent
    return found


def flags_of(field: Field) -> dict[bytes, tuple[bool, ...]]:
    """Return what the bytes of a message of flags mean, in the forms in which they are usually written."""
    found: dict[bytes, tuple[bool, ...]] = {b"": (False,) * len(field.fields)}
    for states in product((None, False, True), repeat=len(field.fields)):
        told = [
            bytes((below.tag, state)) for below, state in zip(field.fields, states, strict=True) if state is not None
        ]
        found[b"".join(told)] = tuple(bool(state) for state in states)
    return found


def source_name(field: Field) -> str:
    """Return a name for the meanings of a message of flags."""
    return "flags_" + "_".join(below.path[-1] for below in field.fields)
