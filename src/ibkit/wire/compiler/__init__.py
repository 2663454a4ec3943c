"""Turns the table into functions: one for each message, layout, encoding and direction, written on first use.

The functions know only the straight way; whatever is unusual (a value of an uncommon type, a field too much) makes
them raise, and the interpreter does it again. Must not know frames' limits nor connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.text_reading import TextReaderSource
from ibkit.wire.compiler.text_writing import TextWriterSource
from ibkit.wire.interpreter.values import needs_of
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import PROTOBUF_OFFSET, RAW_ID_VERSION, Message, Rows, table

if TYPE_CHECKING:
    from ibkit.wire.compiler.stream import Receivers, Stream


@cache
def layout(name: str, version: int) -> int:
    """Return the oldest server version at which a message is written as at ``version``."""
    message = table().message(name)
    bounds = {0, RAW_ID_VERSION, message.since, message.protobuf_since}
    bounds.update(attr.since for attr in message.attrs)
    for attr in message.attrs:
        if attr.kind in table().records:
            bounds.update(inner.since for inner in table().records[attr.kind].attrs)
    _bounds(message.rows, bounds)
    return max(bound for bound in bounds if bound <= version)


def _bounds(rows: Rows, bounds: set[int]) -> None:
    for ranged in rows:
        bounds.update((ranged.since, ranged.before))
        _bounds(getattr(ranged.row, "rows", ()), bounds)


def needs(message: Message) -> list[tuple[tuple[str, ...], int]]:
    """Return the fields of a request that not every server knows; an answer's are left out silently."""
    return needs_of(message) if message.request else []


def reader_source(name: str, version: int, protobuf: bool) -> Source:
    """Write the function that reads a message: from its text fields, or from a body where ids are raw."""
    message, shape = table().message(name), shape_of(name)
    if protobuf:
        from ibkit.wire.compiler.protobuf_reading import ProtobufReaderSource

        return ProtobufReaderSource(table(), message, shape, not message.request).write()
    return TextReaderSource(message, shape, version, not message.request, version >= RAW_ID_VERSION).write()


def writer_source(name: str, version: int) -> Source:
    """Write the function that makes a frame of a message."""
    message, shape = table().message(name), shape_of(name)
    if message.since > version:  # the interpreter tells the user
        source = Source()
        with source.block(f"def {name}(m):"):
            source.add("raise Unusual")
        return source
    if message.by_protobuf(version):
        from ibkit.wire.compiler.protobuf_writing import ProtobufWriterSource

        wire_id = message.id + PROTOBUF_OFFSET
        writer = ProtobufWriterSource(table(), message, shape, version, not message.request, wire_id)
        return writer.write(needs(message))
    raw_ids = version >= RAW_ID_VERSION
    return TextWriterSource(message, shape, version, not message.request, raw_ids).write(needs(message))


@cache
def _reader(name: str, version: int, protobuf: bool) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = reader_source(name, version, protobuf).function(name)
    return found


@cache
def _writer(name: str, version: int) -> Callable[[Any], bytes]:
    found: Callable[[Any], bytes] = writer_source(name, version).function(name)
    return found


def reader(name: str, version: int, protobuf: bool) -> Callable[[Any], Any]:
    """Return the function that reads a message at a server version."""
    return _reader(name, layout(name, version), protobuf)


def writer(name: str, version: int) -> Callable[[Any], bytes]:
    """Return the function that makes a frame of a message at a server version."""
    return _writer(name, layout(name, version))


def stream_source(version: int, names: Iterable[str]) -> Source:
    """Write the function that takes messages straight from the buffer, which are some of ``STREAMED``."""
    from ibkit.wire.compiler.stream import StreamSource

    return StreamSource(version, names).write()


def streamer(version: int, receivers: Mapping[str, Receivers]) -> Stream:
    """Return the function that takes messages straight from the buffer to their receivers, by name of the message."""
    source = stream_source(version, receivers)
    for name, to in receivers.items():
        keyed: object = to
        if isinstance(to, Mapping) and not table().message(name).by_protobuf(version):
            keyed = {b"%d" % kind: each for kind, each in to.items()}
        source.use(f"receive_{name}", keyed)
    found: Stream = source.function("stream")
    return found
