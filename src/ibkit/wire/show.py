"""Prints one message as it is at a server version: ``python -m ibkit.wire.show PLACE_ORDER 176``.

Shows its fields, what is doubtful about them, and the functions that were written for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.resources import files

from ibkit.wire import compiler
from ibkit.wire.compiler.stream import STREAMED
from ibkit.wire.handshake import MAX_VERSION
from ibkit.wire.shapes import Child, Leaf, Shape, shape_of
from ibkit.wire.table import (
    PROTOBUF_OFFSET,
    Attr,
    Const,
    Count,
    Expiry,
    ListOf,
    Mask,
    Maybe,
    Message,
    Path,
    Row,
    Rows,
    Switch,
    Value,
    When,
    rows_at,
    table,
)


def describe(name: str, version: int) -> Iterator[str]:
    """Yield the lines that describe a message; raises KeyError for a name that is none."""
    message = table().message(name)
    side = "a client sends it" if message.request else "a server sends it"
    yield f"{name} ({message.id}), {side}, ibkit.wire.messages.{message.class_name}"
    if message.since > version:
        yield f"unknown to servers of version {version}: it came with {message.since}"
        return
    if message.by_protobuf(version):
        yield f"protobuf {message.protobuf}, id {message.id + PROTOBUF_OFFSET}"
        yield from (f"  {line}" for line in _attrs(message.attrs, version))
        yield from (f"  {'.'.join(zipped.path)}  in {'.'.join(zipped.of)}, {zipped.number}" for zipped in message.zips)
    else:
        since = f", protobuf from {message.protobuf_since}" if message.protobuf else ""
        yield f"text{since}"
        yield from (f"  {line}" for line in _rows(message, message.rows, shape_of(name), version))
    yield from _doubts(message)
    yield ""
    yield from compiler.writer_source(name, version).text().splitlines()
    yield ""
    yield from compiler.reader_source(name, version, message.by_protobuf(version)).text().splitlines()
    if name in STREAMED:
        yield ""
        yield from compiler.stream_source(version, [name]).text().splitlines()


def _attrs(attrs: tuple[Attr, ...], version: int, prefix: str = "") -> Iterator[str]:
    for attr in attrs:
        number = ".".join(map(str, attr.numbers)) or ("inline" if attr.inline else "")
        if not number or attr.since > version:
            continue
        name = prefix + ".".join(attr.path)
        many = "[]" if attr.many else ""
        rest = f", as {'.'.join(attr.names)}" if attr.names[-1] != attr.path[-1] else ""
        rest += f", since {attr.since}" if attr.since else ""
        rest += ", only in answers" if attr.answer else ""
        yield f"{name + many:<60} {attr.kind:<20} {number}{rest}"
        for record in _records(attr.kind):
            yield from _attrs(table().records[record].attrs, version, f"{name}{many}.")


def _records(kind: str) -> list[str]:
    if kind in table().unions:
        return list(table().unions[kind].cases.values())
    return [kind] if kind in table().records else []


def _rows(message: Message, rows: Rows, shape: Shape | None, version: int) -> Iterator[str]:
    for row in rows_at(rows, version):
        yield from _row(message, row, shape, version)


def _row(message: Message, row: Row, shape: Shape | None, version: int) -> Iterator[str]:
    match row:
        case Const(text):
            yield f"constant {text!r}"
        case Value(path, kind):
            yield f"{'.'.join(path):<60} {kind or _kind(shape, path)}"
        case When(path, test, values, below):
            words = {"truthy": "is not empty", "positive": "> 0", "infinite": "is infinite"}
            yield f"if {'.'.join(path)} {words.get(test) or 'is ' + ' or '.join(values)}"
            yield from (f"  {line}" for line in _rows(message, below, shape, version))
        case ListOf(path, below):
            yield f"count of {'.'.join(path)}, then for each"
            yield from (f"  {line}" for line in _rows(message, below, _inside(shape, path), version))
        case Maybe(path, below):
            yield f"1 if there is {'.'.join(path)}, then"
            yield from (f"  {line}" for line in _rows(message, below, _inside(shape, path), version))
        case Switch(path, cases):
            for value, case in cases.items():
                yield f"if {'.'.join(path)} is {value}"
                yield from (f"  {line}" for line in _rows(message, case, None, version))
        case Mask(paths):
            yield f"mask of {', '.join('.'.join(path) for path in paths)}"
        case Count(path, sent):
            yield f"number of {'.'.join(path)}{'' if sent else ', which only some clients send'}"
        case Expiry():
            yield f"date, time and zone: {', '.join('.'.join(path) for path in message.expiry)}"


def _inside(shape: Shape | None, path: Path) -> Shape | None:
    node = shape.at(path) if shape else None
    return node.shape if isinstance(node, Child) and isinstance(node.shape, Shape) else None


def _kind(shape: Shape | None, path: Path) -> str:
    try:
        node = shape.at(path) if shape else None
    except KeyError:
        node = None
    return node.word + ("*" if node.many else "") if isinstance(node, Leaf) else ""


def _doubts(message: Message) -> Iterator[str]:
    text = (files("ibkit.wire") / "tables" / "doubts.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        words = line.split(None, 3)
        if words and (words[0] == message.name or (words[0] == "*" and "answers" in words[1] and not message.request)):
            yield f"{words[2]}: {words[1]} ({words[3]})"


def main(arguments: list[str]) -> int:
    """Print the message named by the arguments; return the exit code."""
    if not arguments or len(arguments) > 2:
        print("usage: python -m ibkit.wire.show MESSAGE [SERVER VERSION]")
        print(" ".join(message.name for message in table()))
        return 2
    version = int(arguments[1]) if len(arguments) > 1 else MAX_VERSION
    try:
        for line in describe(arguments[0].upper(), version):
            print(line.rstrip())
    except KeyError:
        print(f"no message is named {arguments[0]}; there are", " ".join(message.name for message in table()))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
