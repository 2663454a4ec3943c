"""Encodes and decodes by following the table, one value after the other: slow and obvious.

The compiler's functions must do the same (``tests/wire/test_compiler.py``), and the codec falls back to these here
for what is unusual and to find out which field of a message is wrong. Must not know frames.
"""

from __future__ import annotations

from typing import Any

from ibkit.errors import EncodeError, MalformedMessage
from ibkit.wire.interpreter.text import TextReader, TextWriter
from ibkit.wire.interpreter.values import check_supported, needs_of
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import PROTOBUF_OFFSET, RAW_ID_VERSION, table

# Any: a message of any class; the table tells which.


def write(name: str, version: int, obj: Any) -> bytes:
    """Return the body of a message, id included; raises EncodeError and UnsupportedField."""
    message, shape = table().message(name), shape_of(name)
    server = not message.request
    try:
        check_supported(message, needs_of(message) if message.request else [], obj, shape, version)
        if message.by_protobuf(version):
            return (message.id + PROTOBUF_OFFSET).to_bytes(4, "big") + _protobuf(name, version, obj)
        fields = TextWriter(message, shape, version, server).write(obj)
    except AttributeError as error:
        raise EncodeError(f"{message.class_name}: {error}") from None
    text = "".join(field + "\0" for field in fields).encode()
    if version >= RAW_ID_VERSION:
        return message.id.to_bytes(4, "big") + text
    return b"%d\0" % message.id + text


def _protobuf(name: str, version: int, obj: Any) -> bytes:
    from ibkit.wire.interpreter.protobuf import ProtobufWriter
    from ibkit.wire.protobuf import classes

    message = table().message(name)
    proto = classes()[message.protobuf]()
    ProtobufWriter(table(), message, shape_of(name), version, not message.request).write(proto, obj)
    data: bytes = proto.SerializeToString()
    return data


def read_text(name: str, version: int, text: bytes, body: bytes) -> tuple[Any, int]:
    """Return the message in text fields (its id left out) and how many fields are left; raises MalformedMessage."""
    message = table().message(name)
    fields = text.decode("utf-8", "backslashreplace").split("\0")
    if not fields[-1]:
        fields.pop()
    return TextReader(message, shape_of(name), version, not message.request, body).read(fields)


def read_protobuf(name: str, data: bytes, body: bytes) -> tuple[Any, int]:
    """Return the message in protobuf data and how many of its fields are unknown; raises MalformedMessage."""
    from google.protobuf.message import DecodeError

    from ibkit.wire.interpreter.protobuf import ProtobufReader
    from ibkit.wire.protobuf import classes

    message = table().message(name)
    try:
        proto = classes()[message.protobuf].FromString(data)
    except DecodeError as error:
        raise MalformedMessage(name, "(protobuf)", str(error), body) from None
    return ProtobufReader(table(), message, shape_of(name), not message.request, body).read(proto), unknown(proto)


def unknown(proto: Any) -> int:
    """Return how many fields of a protobuf message no table knows, those of the messages inside it included.

    Of a list the first item tells: a field that servers have gained is in all of them.
    """
    from google.protobuf.message import Message
    from google.protobuf.unknown_fields import UnknownFieldSet

    count = len(UnknownFieldSet(proto))
    for field, value in proto.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            count += unknown(value if isinstance(value, Message) else value[0])
    return count
