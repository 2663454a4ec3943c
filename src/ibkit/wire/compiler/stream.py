"""Writes the function that takes the messages of market data straight from the buffer to those who receive them.

These come by the thousand, so that whatever is done for each counts: one function cuts the frame, reads the fields
and calls the receiver with them; no message object is made. It stops before a message that is another one, incomplete
or in any way unusual (a number that is none, a field too much, a subject or type nobody knows): whoever
called it takes that one in the ordinary way and calls again.

Receivers get the subject (what the request id in the first field stands for) and the other fields; where a message
has a tick type, each type has a receiver of its own. What receivers raise is not taken for a failure to decode.

Must not know what subjects are and what receivers do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.stream_branch import SPLIT, Branch, TextBranch
from ibkit.wire.framing import FrameReader
from ibkit.wire.table import PROTOBUF_OFFSET, RAW_ID_VERSION, Message, table

# Any: receivers take a subject, which only who registers them knows, and the fields of their message.
Receiver: TypeAlias = Callable[..., None]
Receivers: TypeAlias = Receiver | Mapping[int, Receiver]
"""The receiver of a message, or one for each tick type."""

Failed: TypeAlias = Callable[[str, bytes, Exception], object]
Stream: TypeAlias = Callable[[FrameReader, Mapping[bytes, Any], Mapping[int, Any], Failed], int]
"""Takes messages from a buffer; returns how many.

Args: the buffer; the subjects by the text of their id and by their id; who is told the name, body and error of a
message whose receiver raised ValueError, OverflowError or OSError.
"""


STREAMED: Final[Mapping[str, bool]] = {
    "TICK_PRICE": True,
    "TICK_SIZE": True,
    "TICK_BY_TICK": True,
    "MARKET_DEPTH": False,
    "MARKET_DEPTH_L2": False,
    "TICK_STRING": True,
    "TICK_GENERIC": True,
}
"""The messages that come by the thousand, the most frequent ones first, and whether they have tick types."""


class StreamSource:
    """Writes the function for messages of ``STREAMED`` at a server version."""

    def __init__(self, version: int, names: Iterable[str]) -> None:
        self.version = version
        self.names = frozenset(names)
        self.raw_ids = version >= RAW_ID_VERSION
        self.source = Source()

    def write(self) -> Source:
        """Return the source of ``stream(frames, by_text, by_id, failed)``."""
        source, head = self.source, 8 if self.raw_ids else 4
        source.use("head_at", struct.Struct(">II" if self.raw_ids else ">I").unpack_from)
        with source.block("def stream(frames, by_text, by_id, failed):"):
            source.add("data, start, size = frames.data, frames.start, frames.size")
            with source.block("try:"), source.block("for n in range(size):"):
                source.add(f"first = start + {head}")
                # Who has taken messages meanwhile, such as the handler of a signal, has gone on from there.
                source.add("if first > size or frames.start != start: return n")
                source.add(f"{'length, kind' if self.raw_ids else 'length,'} = head_at(data, start)")
                source.add(f"end = first + length{' - 4' if self.raw_ids else ''}")
                source.add("if end > size: return n")
                if not self.raw_ids:
                    source.add(f"f = {SPLIT}")
                    source.add("kind = f[0]")
                self._branches()
                source.add("start = end")
            with source.block("except (ValueError, OverflowError, OSError) as error:"):  # a receiver's
                source.add("failed(names[kind], data[start + 4:end], error)")
                source.add("return n + 1")
            source.add("return 0")
        return source

    def _branches(self) -> None:
        """Write how each message is read, and what else ends the function."""
        source = self.source
        names: dict[int | bytes, str] = {}
        for name, typed in STREAMED.items():
            message = table().message(name)
            protobuf = message.by_protobuf(self.version)
            if name not in self.names or message.since > self.version:
                continue
            kind = self._kind(message, protobuf)
            with source.block(f"{'elif' if names else 'if'} kind == {kind!r}:"):
                self._branch(message, typed, protobuf).write()
            names[kind] = name
        with source.block("else:" if names else "if True:"):
            source.add("return n")
        source.use("names", names)

    def _kind(self, message: Message, protobuf: bool) -> int | bytes:
        wire_id = message.id + (PROTOBUF_OFFSET if protobuf else 0)
        return wire_id if self.raw_ids else str(wire_id).encode()

    def _branch(self, message: Message, typed: bool, protobuf: bool) -> Branch:
        if protobuf:
            from ibkit.wire.compiler.stream_protobuf import ProtobufBranch

            return ProtobufBranch(self.source, message, typed)
        return TextBranch(self.source, message, typed, self.version)
