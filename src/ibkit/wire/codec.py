"""Messages to frames and back, for one side of a connection at one server version.

Must not know who reads or writes the bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from ibkit.errors import EncodeError, MalformedMessage
from ibkit.wire.framing import frame
from ibkit.wire.interpreter.protobuf import ProtobufReader, ProtobufWriter
from ibkit.wire.interpreter.text import TextReader, TextWriter
from ibkit.wire.interpreter.values import check_supported, needs_of
from ibkit.wire.messages import Message as AnyMessage
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import table

RAW_ID_VERSION = 201
"""From this server version on the message id is four raw bytes instead of a text field."""

PROTOBUF_OFFSET = 200
"""What is added to the id of a message in protobuf form."""


class Role(Enum):
    """The side of a connection: a client sends requests, a server answers."""

    CLIENT = "client"
    SERVER = "server"


class Unknown(NamedTuple):
    """A message whose id nobody knows; ``body`` is all of it, id included."""

    id: int
    body: bytes


class Codec:
    """Encodes what one side sends and decodes what it gets, at a negotiated server version.

    ``unknown_ids`` counts messages with ids that are in no table, ``trailing`` counts messages that had more
    fields than the table knows, by name. Both are tolerated: newer servers send more.
    """

    def __init__(self, role: Role, version: int) -> None:
        self.role = role
        self.version = version
        self.unknown_ids: Counter[int] = Counter()
        self.trailing: Counter[str] = Counter()
        self._server = role is Role.SERVER
        source = table()
        self._incoming = source.requests if self._server else source.answers
        outgoing = source.answers if self._server else source.requests
        self._outgoing = {source.message(name).class_name: name for name in outgoing.values()}
        self._encoders: dict[type, Callable[[Any], bytes]] = {}
        self._raw_ids = version >= RAW_ID_VERSION

    def encode(self, message: AnyMessage) -> bytes:
        """Return the whole frame of a message, length included.

        Raises EncodeError for a value that has no form on the wire, UnsupportedField for a message or field that
        the server is too old for.
        """
        return frame(self._encode(message))

    def decode(self, body: bytes) -> AnyMessage | Unknown:
        """Return the message in a frame's body; raises MalformedMessage."""
        if self._raw_ids:
            if len(body) < 4:
                raise MalformedMessage("message", "id", "(missing)", body)
            wire_id = int.from_bytes(body[:4], "big")
            if wire_id > PROTOBUF_OFFSET:
                return self._decode_protobuf(wire_id - PROTOBUF_OFFSET, body[4:], body)
            return self._decode_text(wire_id, body[4:], body)
        head, _, rest = body.partition(b"\0")
        if not head.isdigit():
            raise MalformedMessage("message", "id", head[:20].decode("utf-8", "backslashreplace"), body)
        return self._decode_text(int(head), rest, body)

    def _decode_text(self, number: int, rest: bytes, body: bytes) -> AnyMessage | Unknown:
        name = self._incoming.get(number)
        if name is None:
            self.unknown_ids[number] += 1
            return Unknown(number, body)
        fields = rest.decode("utf-8", "backslashreplace").split("\0")
        if not fields[-1]:
            fields.pop()
        reader = TextReader(table().message(name), shape_of(name), self.version, not self._server, body)
        message, left = reader.read(fields)
        if left:
            self.trailing[name] += 1
        found: AnyMessage = message
        return found

    def _decode_protobuf(self, number: int, data: bytes, body: bytes) -> AnyMessage | Unknown:
        from google.protobuf.message import DecodeError
        from google.protobuf.unknown_fields import UnknownFieldSet

        from ibkit.wire.protobuf import classes

        name = self._incoming.get(number)
        message = table().message(name) if name else None
        if message is None or not message.protobuf:
            self.unknown_ids[number + PROTOBUF_OFFSET] += 1
            return Unknown(number + PROTOBUF_OFFSET, body)
        try:
            proto = classes()[message.protobuf].FromString(data)
        except DecodeError as error:
            raise MalformedMessage(message.name, "(protobuf)", str(error), body) from None
        if len(UnknownFieldSet(proto)):
            self.trailing[message.name] += 1
        reader = ProtobufReader(table(), message, shape_of(message.name), not self._server, body)
        found: AnyMessage = reader.read(proto)
        return found

    def _encode(self, obj: AnyMessage) -> bytes:
        name = self._outgoing.get(type(obj).__name__)
        if name is None:
            raise EncodeError(f"{type(obj).__name__} is no message that a {self.role.value} sends")
        message = table().message(name)
        shape = shape_of(name)
        check_supported(message, [] if self._server else needs_of(message), obj, shape, self.version)
        if message.by_protobuf(self.version):
            from ibkit.wire.protobuf import classes

            proto = classes()[message.protobuf]()
            ProtobufWriter(table(), message, shape, self.version, self._server).write(proto, obj)
            head = (message.id + PROTOBUF_OFFSET).to_bytes(4, "big")
            data: bytes = proto.SerializeToString()
            return head + data
        fields = TextWriter(message, shape, self.version, self._server).write(obj)
        text = "".join(field + "\0" for field in fields).encode()
        if self._raw_ids:
            return message.id.to_bytes(4, "big") + text
        return b"%d\0" % message.id + text
