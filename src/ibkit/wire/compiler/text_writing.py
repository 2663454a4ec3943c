"""Writes functions that write the text form: all fields in a row, joined and checked once. Must not know ids."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable

from ibkit.model.records import stored
from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.text_reading import condition
from ibkit.wire.compiler.usual import CLASSES, FIELDS, Later, part_of, plan
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


class _Usual:
    """The short way: the fields of an order that gives nothing unusual, and what must not be so for it."""

    def __init__(self, part: str, fields: list[str]) -> None:
        self.part = part
        self.fields = fields
        """Expressions of one or, where all of them never change, of several fields."""
        self.guards: list[str] = []
        """Tests of which none may be true."""
        self.objects: dict[Path, str] = {}
        self.open = True
        """Whether the last of the fields stands for itself, so that no constant can be joined to it."""
        self._joined = 0

    def always(self, text: str) -> None:
        """Add a field that is always the same."""
        if self.open or not self.fields:
            self.fields.append(repr(text))
            self.open = False
        else:
            self.fields[-1] = repr(f"{literal_eval(self.fields[-1])}\0{text}")
            self._joined += 1

    def name(self, path: Path) -> str:
        """Return an expression for a value at a path of the message."""
        self.open = True
        if len(path) == 1:
            return f"m.{path[0]}"
        return f"{self.objects.setdefault(path[:-1], f'c{len(self.objects)}')}.{path[-1]}"

    @property
    def nuls(self) -> str:
        """How many fields end."""
        return str(len(self.fields) - 1 + self._joined)


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
        usual = self._usual()
        if usual is not None:
            return self._short(usual, needs)
        return self._whole(needs)

    def _short(self, usual: _Usual, needs: list[tuple[Path, int]]) -> Source:
        """Return the source for usual orders, which leaves all others to another function."""
        source, part, name = self.source, usual.part, self.message.name
        whole = TextWriterSource(self.message, self.shape, self.version, self.server, self.raw_ids)
        source.use("unusual", Later(lambda: whole._whole(needs), name))
        foreign = [(path, since) for path, since in needs if path[0] != part]
        with source.block(f"def {name}(m):"):
            unsupported(source, self.shape, foreign, self.version, lambda path: ".".join(("m", *path)))
            source.add(f"o = m.{part}")
            with source.block(f"if type(o) in {source.use('USUAL', CLASSES)}:"):
                for path, variable in usual.objects.items():
                    source.add(f"{variable} = {'.'.join(('m', *path))}")
                source.add(f"p = [{', '.join(usual.fields)}]")
                with source.block(f"for name, value in {source.use('kept', stored)}(o).items():"):
                    source.add("i, w = PLAN[name]")
                    source.add("if i > 0: p[i] = value if w is None else w(value)")
                    source.add("elif i and (value != w or type(value) is not type(w)): break")
                with source.block("else:"):
                    guards = " or ".join(usual.guards) or "False"
                    with source.block(f"if not ({guards}):"):
                        self._finish(usual.nuls)
            source.add("return unusual(m)")
        return source

    def _whole(self, needs: list[tuple[Path, int]]) -> Source:
        """Return the source for any message."""
        source = self.source
        with source.block(f"def {self.message.name}(m):"):
            unsupported(source, self.shape, needs, self.version, self._object)
            self._rows(self.message.rows, "m", self.shape)
            self.fields.append("''")
            self._flush()
            self._finish("len(p) - 1")
        return source

    def _finish(self, nuls: str) -> None:
        """Write the end: the fields in the list ``p`` are joined and checked; ``nuls`` tells how many fields end."""
        source = self.source
        source.add("b = '\\0'.join(p)" + (".encode()" if self.server else ".encode('ascii')"))
        source.add(f"if b.count(0) != {nuls}: raise Unusual")
        if not self.server:
            source.use("REFUSED", _REFUSED)
            source.add("if len(b.translate(None, REFUSED)) != len(b): raise Unusual")
        extra = " + 4" if self.raw_ids else ""
        source.add(f"if len(b){extra} > {MAX_LENGTH}: raise Unusual")
        head = f" + {self.message.id.to_bytes(4, 'big')!r}" if self.raw_ids else ""
        source.add(f"return (len(b){extra}).to_bytes(4, 'big'){head} + b")

    def _usual(self) -> _Usual | None:
        """Work out the short way for a usual order, and write the functions that it needs; None where there is none."""
        part = "" if self.server else part_of(self.message, self.shape)
        if not part:
            return None
        source, usual = self.source, _Usual(part, list(self.fields))
        put: dict[str, str] = {}
        writers: dict[str, str] = {}
        for row in rows_at(self.message.rows, self.version):
            if not isinstance(row, Const | Value | When | Maybe | ListOf):
                return None
            own = not isinstance(row, Const) and row.path[0] == part
            if isinstance(row, Const):
                usual.always(row.text)
            elif isinstance(row, Value):
                leaf = self.shape.leaf(row.path).as_kind(row.kind)
                if not own:
                    usual.fields.append(write_text(source, leaf, usual.name(row.path), self.server))
                elif row.path[1] not in FIELDS or leaf.many:
                    default = self.shape.leaf(row.path).default
                    usual.always("0" if leaf.many else leaf.kind.write(default, leaf.slots[self.server]))
                else:
                    text = write_text(source, leaf, "x", self.server)
                    if text != "x" and text not in writers:
                        writers[text] = source.fresh("w")
                        with source.block(f"def {writers[text]}(x):"):
                            source.add(f"return {text}")
                    put[row.path[1]] = f"({len(usual.fields)}, {writers.get(text)})"
                    usual.fields.append(repr(leaf.kind.write(leaf.default, leaf.slots[self.server])))
                    usual.open = True
            elif isinstance(row, When):
                if not own or row.path[1] in FIELDS:
                    usual.guards.append(condition(row, f"o.{row.path[1]}" if own else usual.name(row.path)))
            elif own or isinstance(row, Maybe):
                if not own:
                    usual.guards.append(f"{usual.name(row.path)} is not None")
                usual.always("0")
            else:
                return None
        usual.always("")
        source.add(f"PLAN = {plan(source, self.message, self.shape, part, self._told(part), put, self.version)}")
        return usual

    def _told(self, part: str) -> set[str]:
        """Return the names of all fields of a part that may be written."""
        found: set[str] = set()

        def look(rows: Rows) -> None:
            for row in rows_at(rows, self.version):
                if isinstance(row, Mask):
                    found.update(path[-1] for path in row.paths if path[0] == part)
                elif isinstance(row, Value | When | ListOf | Maybe) and row.path[0] == part:
                    found.add(row.path[1])
                look(getattr(row, "rows", ()))

        look(self.message.rows)
        return found

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
