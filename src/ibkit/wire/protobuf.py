"""Builds the protobuf messages from the table, for google.protobuf to read and write.

Field presence is explicit everywhere and texts must be UTF-8, as in IB's own schema. The description of a message is
written as bytes when it is asked for: google.protobuf's own classes for that are slow to import, and a connection
needs few messages at its beginning. Must not know what the fields mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pool, message_factory

from ibkit.wire.kinds import KINDS
from ibkit.wire.table import Attr, Table, table

_PACKAGE = "ibkit.wire"

# Words of descriptor.proto.
_OPTIONAL, _REPEATED = 1, 3
_MESSAGE: Final = 11
_TYPES: Final = {"double": 1, "int64": 3, "int32": 5, "bool": 8, "string": 9}

# A message as it is being collected: number -> (name, type, repeated); a type is a word above, "map" or a message.
_Fields = dict[int, tuple[str, str, bool]]


class _Collector:
    """Collects the fields of every protobuf message of a table."""

    def __init__(self, source: Table) -> None:
        self.source = source
        self.messages: dict[str, _Fields] = {}
        self.todo: list[tuple[str, tuple[str, ...], Attr]] = []
        for record in source.records.values():
            if any(attr.numbers for attr in record.attrs):
                self._all(record.protobuf, record.attrs)
        for protobuf, attrs, zips in source.protobufs():
            self._all(protobuf, attrs)
            for zipped in zips:
                self.messages.setdefault("ComboLeg", {})[zipped.number] = (zipped.name, "double", False)
        for owner, names, attr in self.todo:  # what lies inside other messages, once those are known
            self._inside(owner, names, attr)

    def _all(self, owner: str, attrs: Iterable[Attr]) -> None:
        fields = self.messages.setdefault(owner, {})
        for attr in attrs:
            if attr.inline:
                self._all(owner, self.source.records[attr.kind].attrs)
            elif len(attr.numbers) == 1:
                fields[attr.numbers[0]] = (attr.names[-1], self._type(attr), attr.many)
            elif attr.numbers:
                self.todo.append((owner, attr.names, attr))

    def _type(self, attr: Attr) -> str:
        if attr.kind in KINDS:
            return KINDS[attr.kind].protobuf
        if attr.kind in self.source.unions:
            return attr.kind
        return self.source.records[attr.kind].protobuf

    def _inside(self, owner: str, names: tuple[str, ...], attr: Attr) -> None:
        for index, number in enumerate(attr.numbers[:-1]):
            fields = self.messages[owner]
            if number not in fields:
                name = names[index]
                # Those of one name are one message, as in IB's schema: what one of them has none of the others lacks.
                fields[number] = (name, f"{name[0].upper()}{name[1:]}", False)
            owner = fields[number][1]
            self.messages.setdefault(owner, {})
        self.messages[owner].setdefault(attr.numbers[-1], (names[-1], self._type(attr), attr.many))


def _put(number: int, value: int | str | bytes) -> bytes:
    """Return a field of a protobuf message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    return bytes((value & 0x7F | 0x80,)) + _varint(value >> 7)


def _file(name: str, fields: _Fields) -> bytes:
    """Return the FileDescriptorProto of a file that has one message."""
    needed = [_put(3, f"{other}.proto") for other in _parts(name, fields)]
    return b"".join(
        (_put(1, f"{name}.proto"), _put(2, _PACKAGE), *needed, _put(4, _message(name, fields)), _put(12, "proto3"))
    )


def _parts(name: str, fields: _Fields) -> set[str]:
    """Return the other messages that lie inside a message."""
    return {kind for _, kind, _ in fields.values() if kind not in _TYPES and kind not in ("map", name)}


def _message(name: str, fields: _Fields) -> bytes:
    """Return the DescriptorProto of a message."""
    parts, oneofs = [_put(1, name)], 0
    for number, (field_name, kind, repeated) in sorted(fields.items()):
        if kind == "map":
            entry = f"{field_name[0].upper()}{field_name[1:]}Entry"
            inside = b"".join(_put(2, _field(part, n, _OPTIONAL, "string")) for n, part in ((1, "key"), (2, "value")))
            parts.append(_put(3, _put(1, entry) + inside + _put(7, _put(7, 1))))  # map_entry
            parts.append(_put(2, _field(field_name, number, _REPEATED, f"{name}.{entry}")))
            continue
        field = _field(field_name, number, _REPEATED if repeated else _OPTIONAL, kind)
        if kind in _TYPES:
            field += _put(8, _put(2, int(repeated and kind != "string")))  # packed
            if not repeated:
                # Proto3 has presence of plain values through a oneof of their own.
                field += _put(9, oneofs) + _put(17, 1)
                parts.append(_put(8, _put(1, f"_{field_name}")))
                oneofs += 1
        parts.append(_put(2, field))
    return b"".join(parts)


def _field(name: str, number: int, label: int, kind: str) -> bytes:
    """Return the FieldDescriptorProto of a field; ``kind``: a word of ``_TYPES``, or a message."""
    of_message = kind not in _TYPES
    described = _put(1, name) + _put(3, number) + _put(4, label) + _put(5, _MESSAGE if of_message else _TYPES[kind])
    return described + _put(6, f".{_PACKAGE}.{kind}") if of_message else described


class Classes(Mapping[str, Any]):  # Any: classes that google.protobuf makes at run time
    """The class of every protobuf message of a table by name, described and made when it is asked for."""

    def __init__(self, source: Table) -> None:
        self._messages = _Collector(source).messages
        self._pool = descriptor_pool.DescriptorPool()
        self._described: set[str] = set()
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        made = self._made.get(name)
        if made is None:
            self._describe(name)
            made = self._made[name] = message_factory.GetMessageClass(
                self._pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
            )
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def _describe(self, name: str) -> None:
        """Tell google.protobuf of a message, and before it of those that lie inside."""
        if name not in self._described:
            self._described.add(name)
            fields = self._messages[name]
            for other in _parts(name, fields):
                self._describe(other)
            self._pool.AddSerializedFile(_file(name, fields))


@cache
def classes() -> Classes:
    """Return the classes of the package's table; built once, when the first protobuf message is met."""
    return Classes(table())
