"""Builds the protobuf messages from the table, for google.protobuf to read and write.

Field presence is explicit everywhere and texts must be UTF-8, as in IB's own schema. The description of a message is
written as bytes when it is asked for: google.protobuf's own classes for that are slow to import, and a connection
needs few messages at its beginning. Must not know what the fields mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final, TypeAlias

from google.protobuf import descriptor_pool, message_factory

from ibkit.wire.kinds import KINDS
from ibkit.wire.table import Attr, Table, Zip, table

_PACKAGE = "ibkit.wire"

# Words of descriptor.proto.
_OPTIONAL, _REPEATED = 1, 3
_MESSAGE: Final = 11
_TYPES: Final = {"double": 1, "int64": 3, "int32": 5, "bool": 8, "string": 9}

Fields: TypeAlias = dict[int, tuple[str, str, bool]]
"""The fields of a message: number -> (name, type, repeated); a type is a word above, "map" or a message."""


class Descriptions(dict[str, Fields]):
    """The fields of every protobuf message of a table by its name, each collected when it is first asked for."""

    def __init__(self, source: Table) -> None:
        super().__init__()
        self._source = source
        carried = dict(source.carried())
        self._carries: dict[str, list[str]] = {}
        for name, protobuf in carried.items():
            self._carries.setdefault(protobuf, []).append(name)
        for name, nested in source.nested():
            if isinstance(nested, Zip):
                self["ComboLeg"][nested.number] = (nested.name, "double", False)
            else:
                self._put_inside(carried[name], nested)

    def __missing__(self, protobuf: str) -> Fields:
        fields = self[protobuf] = {}
        for name in self._carries.get(protobuf, ()):
            records = self._source.records
            self._put(fields, records[name].attrs if name in records else self._source.message(name).attrs)
        return fields

    def _put(self, fields: Fields, attrs: Iterable[Attr]) -> None:
        for attr in attrs:
            if attr.inline:
                self._put(fields, self._source.records[attr.kind].attrs)
            elif len(attr.numbers) == 1:
                fields[attr.numbers[0]] = (attr.names[-1], self._type(attr), attr.many)

    def _type(self, attr: Attr) -> str:
        if attr.kind in KINDS:
            return KINDS[attr.kind].protobuf
        if attr.kind in self._source.unions:
            return attr.kind
        return self._source.records[attr.kind].protobuf

    def _put_inside(self, owner: str, attr: Attr) -> None:
        for index, number in enumerate(attr.numbers[:-1]):
            fields = self[owner]
            if number not in fields:
                name = attr.names[index]
                # Those of one name are one message, as in IB's schema: what one of them has none of the others lacks.
                fields[number] = (name, f"{name[0].upper()}{name[1:]}", False)
            owner = fields[number][1]
        self[owner].setdefault(attr.numbers[-1], (attr.names[-1], self._type(attr), attr.many))


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


def _file(name: str, fields: Fields) -> bytes:
    """Return the FileDescriptorProto of a file that has one message."""
    needed = [_put(3, f"{other}.proto") for other in _parts(name, fields)]
    return b"".join(
        (_put(1, f"{name}.proto"), _put(2, _PACKAGE), *needed, _put(4, _message(name, fields)), _put(12, "proto3"))
    )


def _parts(name: str, fields: Fields) -> set[str]:
    """Return the other messages that lie inside a message."""
    return {kind for _, kind, _ in fields.values() if kind not in _TYPES and kind not in ("map", name)}


def _message(name: str, fields: Fields) -> bytes:
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


class Classes(dict[str, Any]):  # Any: classes that google.protobuf makes at run time
    """The class of every protobuf message of a table by name, described and made when it is first asked for."""

    def __init__(self, source: Table) -> None:
        super().__init__()
        self._messages = Descriptions(source)
        self._pool = descriptor_pool.DescriptorPool()
        self._described: set[str] = set()

    def __missing__(self, name: str) -> Any:
        self._describe(name)
        made = self[name] = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        return made

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
