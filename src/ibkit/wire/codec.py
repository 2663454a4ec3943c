"""Messages to frames and back, for one side of a connection at one server version.

What reads the table and writes functions is imported when the first codec is made, not before: importing the
library stays fast. Must not know who reads or writes the bytes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ibkit.errors import EncodeError, MalformedMessage
from ibkit.wire.framing import MAX_LENGTH, frame

if TYPE_CHECKING:
    from ibkit.wire.compiler.stream import Receivers, Stream
    from ibkit.wire.messages import Message


logger = logging.getLogger("ibkit.wire")


class Role(Enum):
    """The side of a connection: a client sends requests, a server answers."""

    CLIENT = "client"
    SERVER = "server"


MOST_UNKNOWN = 1000
"""How many unknown ids are counted one by one."""


class Unknown(NamedTuple):
    """A message whose id nobody knows; ``body`` is all of it, id included."""

    id: int
    body: bytes


class Codec:
    """Encodes what one side sends and decodes what it gets, at a negotiated server version.

    ``unknown_ids`` counts messages with ids that are in no table, ``trailing`` counts messages that had more
    fields than the table knows, by name. Both are tolerated: newer servers send more. The first of each is logged.
    """

    def __init__(self, role: Role, version: int) -> None:
        from ibkit.wire import compiler, interpreter
        from ibkit.wire.table import PROTOBUF_OFFSET, RAW_ID_VERSION, class_name, table

        self.role = role
        self.version = version
        self.unknown_ids: Counter[int] = Counter()
        self.trailing: Counter[str] = Counter()
        self._table = source = table()
        self._compiler = compiler
        self._interpreter = interpreter
        server = role is Role.SERVER
        self._incoming = source.requests if server else source.answers
        outgoing = source.answers if server else source.requests
        self._outgoing = {class_name(name): name for name in outgoing.values()}
        self._raw_ids = version >= RAW_ID_VERSION
        self._protobuf_offset = PROTOBUF_OFFSET
        self._writers: dict[type, Callable[[Message], bytes]] = {}
        self._readers: dict[bytes, Callable[[bytes], Message]] = {}  # by raw id
        self._text_readers: dict[str, Callable[[list[str]], Message]] = {}  # by the id's text, below 201

    def encode(self, message: Message) -> bytes:
        """Return the whole frame of a message, length included.

        Raises EncodeError for a value that has no form on the wire, UnsupportedField for a message or field that
        the server is too old for.
        """
        write = self._writers.get(type(message)) or self._writer(type(message))
        try:
            return write(message)
        except Exception:  # the written function met something unusual: the interpreter does it, or says what is wrong
            body = self._interpreter.write(self._outgoing[type(message).__name__], self.version, message)
        if len(body) > MAX_LENGTH:
            raise EncodeError(f"{type(message).__name__}: {len(body)} bytes are more than TWS takes ({MAX_LENGTH})")
        return frame(body)

    def decode(self, body: bytes) -> Message | Unknown:
        """Return the message in a frame's body; raises MalformedMessage."""
        try:
            if self._raw_ids:
                return self._readers[body[:4]](body)
            fields = str(body, "utf-8", "backslashreplace").split("\0")
            return self._text_readers[fields[0]](fields)
        except Exception:  # not written yet, or something unusual: the slow way is to do it, or to say what is wrong
            return self._decode_slowly(body)

    def stream(self, receivers: Mapping[str, Receivers]) -> Stream:
        """Return what takes messages straight from the buffer; ``receivers`` are found by the name of the message."""
        return self._compiler.streamer(self.version, receivers)

    def prepare(self, *classes: type[Message]) -> None:
        """Write the functions for messages that will be sent, so that the first of a kind is as fast as the next."""
        for cls in classes:
            self._writer(cls)

    def _writer(self, cls: type) -> Callable[[Message], bytes]:
        name = self._outgoing.get(cls.__name__)
        if name is None:
            raise EncodeError(f"{cls.__name__} is no message that a {self.role.value} sends")
        writer = self._writers[cls] = self._compiler.writer(name, self.version)
        return writer

    def _decode_slowly(self, body: bytes) -> Message | Unknown:
        """Decode a message of a kind that has not come before, or that has something unusual."""
        head = b""
        if not self._raw_ids:
            head, _, text = body.partition(b"\0")
            if not head.isdigit() or len(head) > 9:
                raise MalformedMessage("message", "id", head[:20].decode("utf-8", "backslashreplace"), body)
            wire_id, protobuf = int(head), False
        elif len(body) < 4:
            raise MalformedMessage("message", "id", "(missing)", body)
        else:
            wire_id, text = int.from_bytes(body[:4], "big"), body[4:]
            protobuf = wire_id > self._protobuf_offset
        name = self._incoming.get(wire_id - self._protobuf_offset if protobuf else wire_id)
        too_new = self.role is Role.SERVER and name is not None and self._table.message(name).since > self.version
        if name is None or too_new or not self._table.message(name).has_form(protobuf):
            # Who sends ever new ones must not fill the memory: what is beyond the limit is counted under -1.
            full = len(self.unknown_ids) >= MOST_UNKNOWN and wire_id not in self.unknown_ids
            if not full and wire_id not in self.unknown_ids:
                logger.info("a message with the unknown id %d came (%d bytes) and was skipped", wire_id, len(body))
            self.unknown_ids[-1 if full else wire_id] += 1
            return Unknown(wire_id, body)
        if self._learn(name, body, head.decode(), protobuf):
            return self.decode(body)
        found: Message
        if protobuf:
            found, left = self._interpreter.read_protobuf(name, text, body)
        else:
            found, left = self._interpreter.read_text(name, self.version, text, body)
        if left:
            if name not in self.trailing:
                logger.info("%s has more fields than are known here: they are left out", name)
            self.trailing[name] += 1
        return found

    def not_understood(self) -> Counter[str]:
        """Return what came that is in no table, and how often."""
        found = Counter({f"message {n}" if n >= 0 else "other messages": c for n, c in self.unknown_ids.items()})
        found.update({f"more fields in {name}": count for name, count in self.trailing.items()})
        return found

    def _learn(self, name: str, body: bytes, head: str, protobuf: bool) -> bool:
        """Let the compiler write the function for a kind of message; False when that was done before."""
        if self._raw_ids:
            if body[:4] in self._readers:
                return False
            self._readers[body[:4]] = self._compiler.reader(name, self.version, protobuf)
            return True
        if head in self._text_readers:
            return False
        self._text_readers[head] = self._compiler.reader(name, self.version, protobuf)
        return True
