"""Writes functions that write the text form: all fields in a row, joined and checked once. Must not know ids."""

from __future__ import annotations

from collections.abc import Callable

from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.text_reading import condition
from ibkit.wire.compiler.values import write_text
from ibkit.wire.framing import MAX_LENGTH
from ibkit.wire.interpreter.values import chosen, join_expiry
from ibkit.wire.shapes import Child, Choice, Leaf, Shape
from ibkit.wire.table import (
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
)

# What the official client refuses to send: all characters but printable ASCII, tab and line ends.
_REFUSED = bytes(code for code in range(1, 128) if not (32 <= code < 127 or code in (9, 10, 13)))


class TextWriterSource:
    """Writes the function that writes one message."""

    def __init__(self, message: Message, shape: Shape, version: int, server: bool, raw_ids: bool) -> None:
        self.message = message
        self.shape = shape
        self.version = version
        self.server = server
        self.raw_ids = raw_ids
        self.source = Source()
        self.fields: list[str] = [] if raw_ids else [repr(str(message.id))]
        self.started = False
        self.objects: dict[Path, str] = {}

    def write(self, needs: list[tuple[Path, int]]) -> Source:
        """Return the source of ``write(message) -> frame``; ``needs`` as ``needs_of`` tells."""
        source = self.source
        with source.block(f"def {self.message.name}(m):"):
            unsupported(source, self.shape, needs, self.version, self._object)
            self._rows(self.message.rows, "m", self.shape)
            self.fields.append("''")
            self._flush()
            source.add("b = '\\0'.join(p)" + (".encode()" if self.server else ".encode('ascii')"))
            source.add("if b.count(0) != len(p) - 1: raise Unusual")
            if not self.server:
                source.use("REFUSED", _REFUSED)
                source.add("if len(b.translate(None, REFUSED)) != len(b): raise Unusual")
            extra = " + 4" if self.raw_ids else ""
            source.add(f"if len(b){extra} > {MAX_LENGTH}: raise Unusual")
            head = f" + {self.message.id.to_bytes(4, 'big')!r}" if self.raw_ids else ""
            source.add(f"return (len(b){extra}).to_bytes(4, 'big'){head} + b")
        return source

    def _flush(self) -> None:
        """Write the fields that were collected."""
        if not self.started:
            self.source.add(f"p = [{', '.join(self.fields)}]")
            self.started = True
        elif len(self.fields) == 1:
            self.source.add(f"p.append({self.fields[0]})")
        elif self.fields:
            self.source.add(f"p += ({', '.join(self.fields)})")
        self.fields = []

    def _object(self, path: Path) -> str:
        """Return the name of a variable that holds an object of the message."""
        if not path:
            return "m"
        if path not in self.objects:
            parent = self._object(path[:-1])
            name = self.source.fresh("o")
            if self.started:
                self._flush()
            self.source.add(f"{name} = {parent}.{path[-1]}")
            self.objects[path] = name
        return self.objects[path]

    def _get(self, obj: str, path: Path) -> str:
        """Return an expression for the value at a path of the object in the name ``obj``."""
        if obj == "m":
            return f"{self._object(path[:-1])}.{path[-1]}"
        return ".".join((obj, *path))

    def _rows(self, rows: Rows, obj: str, shape: Shape) -> None:
        for row in rows_at(rows, self.version):
            self._row(row, obj, shape)

    def _row(self, row: Row, obj: str, shape: Shape) -> None:
        source = self.source
        match row:
            case Const(text):
                self.fields.append(repr(text))
            case Value(path, word):
                leaf = shape.leaf(path).as_kind(word)
                if leaf.many:
                    items = self._items(obj, path)
                    one = Leaf(leaf.word, False, leaf.kind.zero, True, None)
                    source.add(f"p += [{write_text(source, one, 'x', self.server)} for x in {items}]")
                else:
                    value = self._get(obj, path)  # may write what came before
                    self.fields.append(write_text(source, leaf, value, self.server))
            case When(path, _, _, below):
                value = self._get(obj, path)
                self._flush()
                name = source.fresh("w")
                source.add(f"{name} = {value}")
                with source.block(f"if {condition(row, name)}:"):
                    self._rows(below, obj, shape)
                    self._flush()
            case Maybe(path, below):
                value = self._get(obj, path)
                self._flush()
                name = source.fresh("w")
                source.add(f"{name} = {value}")
                with source.block(f"if {name} is None:"):
                    source.add("p.append('0')")
                with source.block("else:"):
                    self.fields.append("'1'")
                    self._rows(below, name, shape.inner(path))
                    self._flush()
            case ListOf(path, below):
                self._list(path, below, obj, shape)
            case Switch(path, cases):
                self._switch(path, cases, obj, shape)
            case Mask(paths):
                bits = [f"({1 << bit} if {self._get(obj, path)} else 0)" for bit, path in enumerate(paths)]
                self.fields.append(f"str({' | '.join(bits)})")
            case Count(path, sent):
                if sent:
                    value = self._get(obj, path)
                    self.fields.append(f"str(len({value} or ()))")
            case Expiry():
                self.fields.append(f"{source.use('join_expiry', join_expiry)}(MESSAGE, m, SHAPE)")
                source.use("MESSAGE", self.message)
                source.use("SHAPE", self.shape)

    def _items(self, obj: str, path: Path) -> str:
        """Write the count of a list; return the name that holds it."""
        value = self._get(obj, path)
        items = self.source.fresh("l")
        self._flush()
        self.source.add(f"{items} = {value} or ()")
        self.source.add(f"p.append(str(len({items})))")
        return items

    def _list(self, path: Path, below: Rows, obj: str, shape: Shape) -> None:
        source = self.source
        items = self._items(obj, path)
        node = shape.at(path)
        if isinstance(node, Leaf):
            with source.block(f"for tag, value in {items}:"):
                source.add("p += (tag, value)")
            return
        item = source.fresh("t")
        with source.block(f"for {item} in {items}:"):
            if isinstance(node.shape, Shape):
                self._rows(below, item, node.shape)
                self._flush()
                return
            rows = rows_at(below, self.version)
            switch = rows[-1]
            assert isinstance(switch, Switch)
            by = source.fresh("b")
            source.add(f"{by} = {item}.{node.shape.by}")
            for index, (value, case) in enumerate(switch.cases.items()):
                with source.block(f"{'elif' if index else 'if'} {by} == {value}:"):
                    self.fields.append(repr(str(value)))
                    self._rows(case, item, node.shape.cases[value])
                    self._flush()
            with source.block("else:"):
                source.add("raise Unusual")

    def _switch(self, path: Path, cases: dict[int, Rows], obj: str, shape: Shape) -> None:
        source = self.source
        value = self._get(obj, path)
        for name, node in shape.fields.items():
            if isinstance(node, Child) and isinstance(node.shape, Choice):
                self._object((name,))
        self._flush()
        for index, (number, rows) in enumerate(cases.items()):
            with source.block(f"{'elif' if index else 'if'} {value} == {number}:"):
                self._rows(rows, obj, chosen(shape, number))
                self._flush()
        with source.block("else:"):
            source.add("raise Unusual")


def unsupported(
    source: Source,
    shape: Shape,
    needs: list[tuple[Path, int]],
    version: int,
    name_of: Callable[[Path], str],
) -> None:
    """Write a test that stops when a field is given that the server is too old for."""
    tests = [
        f"{name_of(path[:-1])}.{path[-1]} != {source.literal(shape.leaf(path).default)}"
        for path, since in needs
        if since > version and isinstance(shape.at(path), Leaf)
    ]
    if tests:
        source.add(f"if {' or '.join(tests)}: raise Unusual")
