"""Builds the protobuf messages from the table, for google.protobuf to read and write.

Field presence is explicit everywhere and texts must be UTF-8, as in IB's own schema. Must not know what the
fields mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from ibkit.wire.kinds import KINDS
from ibkit.wire.table import Attr, Table, table

_PACKAGE = "ibkit.wire"
_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "double": _Field.TYPE_DOUBLE,
    "string": _Field.TYPE_STRING,
    "bool": _Field.TYPE_BOOL,
}

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
                fields[number] = (name, f"{owner}_{name}", False)
            owner = fields[number][1]
            self.messages.setdefault(owner, {})
        self.messages[owner].setdefault(attr.numbers[-1], (names[-1], self._type(attr), attr.many))


def _file(messages: dict[str, _Fields]) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="ibkit.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, (field_name, kind, repeated) in sorted(fields.items()):
            label = _Field.LABEL_REPEATED if repeated or kind == "map" else _Field.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            if kind == "map":
                entry_name = f"{field_name[0].upper()}{field_name[1:]}Entry"
                entry = message.nested_type.add(name=entry_name)
                entry.options.map_entry = True
                for entry_number, part in ((1, "key"), (2, "value")):
                    entry.field.add(
                        name=part, number=entry_number, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING
                    )
                field.type = _Field.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{name}.{entry_name}"
            elif kind in _TYPES:
                field.type = _TYPES[kind]
                field.options.packed = repeated and kind != "string"
            else:
                field.type = _Field.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{kind}"
            if label == _Field.LABEL_OPTIONAL and field.type != _Field.TYPE_MESSAGE:
                # Proto3 has presence of plain values through a oneof of their own.
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
    return file


def schema(source: Table) -> dict[str, Any]:  # Any: classes that google.protobuf makes at run time
    """Return the class of every protobuf message of a table, by name."""
    messages = _Collector(source).messages
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_file(messages).SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in messages
    }


@cache
def classes() -> dict[str, Any]:
    """Return the classes of the package's table; built once, when the first protobuf message is met."""
    return schema(table())
