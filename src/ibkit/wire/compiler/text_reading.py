"""Writes functions that read the text form: split once, take fields by position, convert. Must not know frames."""

from __future__ import annotations

from typing import Any

from ibkit.model.base import SparseRecord
from ibkit.wire.compiler.objects import Given, Tree, construct, hold, seal
from ibkit.wire.compiler.remembered import Tails
from ibkit.wire.compiler.source import Source
from ibkit.wire.compiler.usual import OWN
from ibkit.wire.compiler.values import quiet_texts, read_column, read_text
from ibkit.wire.interpreter.values import chosen, split_expiry, tag_shape
from ibkit.wire.kinds import KINDS
from ibkit.wire.messages.rows import BarRow, Bars
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


def expiry_parts(text: str) -> list[str]:
    """Split a text into date, time and zone; what is missing is empty."""
    return [*split_expiry(text), "", "", ""][:3]


def missing(leaf: Leaf) -> Any:
    """Return what a value is when no field came for it."""
    return leaf.unset


class _Place:
    """The object whose fields are being read: its shape, what is known of it, and where its defaults go."""

    def __init__(self, shape: Shape, hole: list[str], conditional: bool = False) -> None:
        self.shape = shape
        self.hole = hole
        self.conditional = conditional
        self.tree: Tree = {}

    def find(self, path: Path) -> str | Tree | None:
        node: str | Tree | None = self.tree
        for name in path:
            node = node.get(name) if isinstance(node, dict) else None
        return node

    def put(self, path: Path, expression: str) -> None:
        node = self.tree
        for name in path[:-1]:
            below = node.setdefault(name, {})
            assert isinstance(below, dict)
            node = below
        node[path[-1]] = expression


class TextReaderSource:
    """Writes the function that reads one message."""

    def __init__(self, message: Message, shape: Shape, version: int, server: bool, raw_ids: bool) -> None:
        self.message = message
        self.shape = shape
        self.version = version
        self.server = server  # the side that wrote
        self.source = Source()
        self.skip = 0 if raw_ids else 1  # the id is a field, or it is not
        self.raw_ids = raw_ids
        self.offset: int | None = self.skip  # where the next field is, None: in the variable i
        self.run: list[str] = []  # names of the fields that come next
        self.fields: dict[Path, str] = {}  # those that are always there, by what they tell
        self.twin = self._told_twice()
        self.noted = ""  # the field that tells it first
        self.deciding: list[Path] = []  # what decides whether others are there
        self.fixed: dict[str, int] = {}  # where those are whose place does not depend on others
        self.waiting: list[str] = []  # lines that need those

    def write(self) -> Source:
        """Return the source of ``read(fields)``, or of ``read(body)`` where ids are raw."""
        source = self.source
        name = self.message.name
        with source.block(f"def {name}({'body' if self.raw_ids else 'f'}):"):
            if self.raw_ids:
                source.add("f = str(body[4:], 'utf-8', 'backslashreplace').split('\\0')")
            place = _Place(self.shape, source.place())
            look = source.place()
            self._rows(self.message.rows, place)
            short = self._short(place.tree)
            if short is not None:
                short.look_for(source, look, name)
            if self.offset is not None:
                # The last text is the empty one behind the last NUL.
                source.add(f"{', '.join(['_'] * self.skip + self.run + ['end'])}{'' if self.run else ','} = f")
                source.add("if end: raise Unusual")
                self.run = []
                self._flush_waiting()
            else:
                self._flush()
                source.add("if len(f) != i + 1 or f[i]: raise Unusual")
            made = construct(source, self.shape, place.tree, missing)
            if short is None:
                source.add(f"return {made}")
            else:
                source.add(f"made = {made}")
                source.add(f"TAILS.keep(t, made, {'j' if short.twin else None})")
                source.add("return made")
        if short is not None:
            self._known(short, place.tree)
        return source

    def _told_twice(self) -> Path | None:
        """Return what a message tells twice of an order's own, if anything."""
        rows = rows_at(self.message.rows, self.version)
        own = [row.path for row in rows if isinstance(row, Value) and row.path[-1] in OWN]
        return next((path for path in own if own.count(path) > 1), None)

    def _short(self, tree: Tree) -> Tails | None:
        """Work out where in a message about an order its own fields end and those begin that most orders share."""
        parts = [name for name, part in tree.items() if isinstance(part, dict)]
        if not any(issubclass(self.shape.inner((name,)).cls, SparseRecord) for name in parts) or not self.server:
            return None
        ends = OWN - {"parentId"}  # far from the others, and most orders have none
        own = [index for path, field in self.fields.items() if path[-1] in ends and (index := self.fixed.get(field))]
        if not own:
            return None
        cut = max(own) + 1
        told: dict[str, Tree] = {name: {} for name in self.shape.fields}
        last: dict[str, int] = {}
        for path, field in self.fields.items():
            known = tree.get(path[0])
            if path[1:] and not path[2:] and isinstance(known, dict) and isinstance(value := known.get(path[1]), Given):
                if self.fixed.get(field, cut) < cut:
                    told[path[0]][path[1]] = value
                elif path[1] in OWN and field in self.run:
                    told[path[0]][path[1]] = value
                    last[field] = self.run.index(field) - len(self.run) - 1
        deciding = [index for path in self.deciding if (index := self.fixed.get(self.fields.get(path, ""), cut)) < cut]
        short = Tails(self.shape, told, cut, last, deciding)
        if self.twin is not None:
            short.twin = self.fields[self.twin]
            return short if short.twin in last else None
        return short

    def _known(self, short: Tails, tree: Tree) -> None:
        """Write the function for a message whose shared fields are like those of an earlier one."""
        source = self.source
        names = [""] * short.cut
        for field, index in self.fixed.items():
            if index < short.cut:
                names[index] = field
        taken = ", ".join(name or "_" for name in names[self.skip :])
        with source.block(f"def {self.message.name}_known({', '.join(('f', *short.last, 'known'))}):"):
            source.add(f"{taken} = f[{self.skip}:{short.cut}]")
            made: Tree = {}
            for place, name in enumerate(self.shape.cls._fields):
                inner = self.shape.inner((name,))
                if issubclass(inner.cls, SparseRecord):
                    fields = source.fresh("d")
                    source.add(f"{fields} = known[{place + 1}].copy()")
                    hold(source, fields, inner, short.told[name], missing)
                    made[name] = seal(source, inner, fields)
                else:
                    made[name] = construct(source, inner, short.told[name], missing)
            source.add(f"return {construct(source, self.shape, made, missing)}")

    # -------------------------------------------------------------------------------------------- positions

    def _flush(self) -> None:
        """Take the fields that were announced."""
        if self.run:
            count, targets = len(self.run), ", ".join(self.run)
            here = "i" if self.offset is None else str(self.offset)
            there = f"i + {count}" if self.offset is None else str(self.offset + count)
            self.source.add(f"{targets} = f[{here}]" if count == 1 else f"{targets} = f[{here}:{there}]")
            if self.noted in self.run:
                self.source.add(f"j = {here} + {self.run.index(self.noted)}")
            if self.offset is None:
                self.source.add(f"i += {count}")
            else:
                self.offset += count
            self.run = []
        self._flush_waiting()

    def _flush_waiting(self) -> None:
        for line in self.waiting:
            self.source.add(line)
        self.waiting = []

    def _moving(self) -> None:
        """From here on positions are known only when the function runs."""
        self._flush()
        if self.offset is not None:
            self.source.add(f"i = {self.offset}")
            self.offset = None

    def _field(self) -> str:
        """Announce the next field; return its name."""
        name = self.source.fresh("x")
        self.run.append(name)
        return name

    # -------------------------------------------------------------------------------------------- rows

    def _rows(self, rows: Rows, place: _Place) -> None:
        for row in rows_at(rows, self.version):
            self._row(row, place)

    def _row(self, row: Row, place: _Place) -> None:
        source = self.source
        match row:
            case Const():
                self.run.append("_")
            case Value(path, word):
                leaf = place.shape.leaf(path).as_kind(word)
                if leaf.many:
                    self._scalars(path, leaf, place)
                else:
                    strict = owner(place.shape, path).is_tuple and not place.conditional
                    field = self._field()
                    if not place.conditional and place.shape is self.shape:
                        if path == self.twin and path not in self.fields:
                            self.noted = field
                        self.fields[path] = field
                        if self.offset is not None:
                            self.fixed[field] = self.offset + len(self.run) - 1
                    value = read_text(source, leaf, field, self.server, strict)
                    quiet = quiet_texts(leaf, self.server)
                    test = " and ".join(f"{field} != {text!r}" if text else field for text in quiet) or "True"
                    tested = read_text(source, leaf, field, self.server, strict=True) if "" in quiet else value
                    self._store(place, path, Given(value, test, tested))
            case When(path, _, _, below):
                value = self._named(place, path)
                self.deciding.append(path)
                self._moving()
                with source.block(f"if {condition(row, value)}:"):
                    self._branch(below, place)
            case Maybe(path, below):
                flag = self._field()
                self._moving()
                var = self._variable(place, path, "None")
                with source.block(f"if {flag} == '1':"):
                    inner = _Place(place.shape.inner(path), source.place())
                    self._rows(below, inner)
                    self._flush()
                    source.add(f"{var} = {construct(source, inner.shape, inner.tree, missing)}")
                with source.block(f"elif {flag} != '0' and {flag}:"):
                    source.add("raise Unusual")
            case ListOf(path, below):
                self._list(path, below, place)
            case Switch(path, cases):
                self._switch(path, cases, place)
            case Mask(paths):
                bits = self._field()
                for bit, path in enumerate(paths):
                    self._store(place, path, f"(int({bits}) & {1 << bit} != 0)")
            case Count():
                self._moving()
                with source.block("if len(f) - i > 2:"):
                    source.add("int(f[i] or 0)")
                    source.add("i += 1")
            case Expiry():
                parts = [self.source.fresh("e") for _ in range(3)]
                field = self._field()
                self.waiting.append(f"{', '.join(parts)} = {source.use('expiry_parts', expiry_parts)}({field})")
                for path, part in zip(self.message.expiry, parts, strict=False):
                    self._store(place, path, part)

    def _store(self, place: _Place, path: Path, expression: str) -> None:
        if place.conditional:
            default = self.source.literal(place.shape.leaf(path).default)
            self.waiting.append(f"{self._variable(place, path, default)} = {expression}")
        else:
            place.put(path, expression)

    def _variable(self, place: _Place, path: Path, default: str) -> str:
        """Return the name of a variable for a value that may not come; it begins with its default."""
        known = place.find(path)
        if isinstance(known, str) and known.isidentifier() and known.startswith("c"):
            return known
        name = self.source.fresh("c")
        self.source.fill(place.hole, f"{name} = {default}")
        place.put(path, name)
        return name

    def _named(self, place: _Place, path: Path) -> str:
        """Return the name of a variable that holds a value read before."""
        known = place.find(path)
        assert isinstance(known, str)
        if known.isidentifier():
            return known
        name = self.source.fresh("w")
        self._flush()
        self.source.add(f"{name} = {known}")
        place.put(path, name)
        return name

    def _branch(self, rows: Rows, place: _Place) -> None:
        """Read fields that are there only sometimes."""
        before, place.conditional = place.conditional, True
        self._rows(rows, place)
        self._flush()
        place.conditional = before

    def _scalars(self, path: Path, leaf: Leaf, place: _Place) -> None:
        source = self.source
        count, items = self._count(), source.fresh("l")
        one = Leaf(leaf.word, False, leaf.kind.zero, True, None)
        source.add(f"{items} = f[i:i + {count}]")
        source.add(f"i += {count}")
        source.add(f"if len({items}) != {count}: raise Unusual")
        if KINDS[leaf.word] is not KINDS["str"]:
            source.add(f"{items} = [{read_text(source, one, 'x', self.server, True)} for x in {items}]")
        place.put(path, items)

    def _count(self) -> str:
        field, count = self._field(), self.source.fresh("n")
        self._moving()
        self.source.add(f"{count} = int({field})")
        return count

    def _list(self, path: Path, below: Rows, place: _Place) -> None:
        source = self.source
        node = place.shape.at(path)
        count = self._count()
        items = self._variable(place, path, "[]") if place.conditional else source.fresh("l")
        if not place.conditional:
            place.put(path, items)
        rows = rows_at(below, self.version)
        shape = tag_shape() if isinstance(node, Leaf) else node.shape
        if isinstance(shape, Shape) and all(fixed(row, shape) for row in rows):
            self._table(items, count, rows, shape)
        else:
            assert isinstance(node, Child)
            source.add(f"{items} = []")
            source.add(f"if {count} < 0: raise Unusual")
            with source.block(f"for _ in range({count}):"):
                self._item(items, below, node)

    def _table(self, items: str, count: str, rows: list[Row], shape: Shape) -> None:
        """Read a list whose items have a fixed number of fields: cut out its columns and go through them at once."""
        source, width = self.source, len(rows)
        run, self.run = self.run, []
        item = _Place(shape, [])
        for row in rows:
            self._row(row, item)
        names, self.run = self.run, run
        columns = [f"part[{k}::{width}]" if width > 1 else "part" for k, name in enumerate(names) if name != "_"]
        targets = [name for name in names if name != "_"]
        source.add(f"part = f[i:i + {width} * {count}]")
        source.add(f"i += {width} * {count}")
        source.add(f"if len(part) != {width} * {count}: raise Unusual")
        if shape.cls is BarRow and self.server:
            words = [shape.leaf(row.path).as_kind(row.kind) for row in rows if isinstance(row, Value)]
            of_bars = [read_column(source, leaf, column) for leaf, column in zip(words, columns, strict=True)]
            source.add(f"{items} = {source.use('Bars', Bars)}(({', '.join(of_bars)}))")
            return
        made = construct(source, shape, item.tree, missing)
        several = f"{', '.join(targets)} in zip({', '.join(columns)})" if len(targets) > 1 else f"{targets[0]} in part"
        source.add(f"{items} = [{made} for {several}]")

    def _item(self, items: str, below: Rows, node: Child) -> None:
        """Read one item of a list whose items differ in their fields."""
        source, hole = self.source, self.source.place()
        if isinstance(node.shape, Shape):
            place = _Place(node.shape, hole)
            self._rows(below, place)
            self._flush()
            source.add(f"{items}.append({construct(source, node.shape, place.tree, missing)})")
            return
        rows = rows_at(below, self.version)
        switch = rows[-1]
        assert isinstance(switch, Switch)
        by = self._field()
        self._flush()
        source.add(f"{by} = int({by})")
        for index, (value, case) in enumerate(switch.cases.items()):
            shape = node.shape.cases[value]
            with source.block(f"{'elif' if index else 'if'} {by} == {value}:"):
                place = _Place(shape, source.place())
                place.put((node.shape.by,), by)
                self._rows(case, place)
                self._flush()
                source.add(f"{items}.append({construct(source, shape, place.tree, missing)})")
        with source.block("else:"):
            source.add("raise Unusual")

    def _switch(self, path: Path, cases: dict[int, Rows], place: _Place) -> None:
        """Read the object whose class a value beside it tells."""
        source = self.source
        value = self._named(place, path)
        self._moving()
        name = next(
            name
            for name, node in place.shape.fields.items()
            if isinstance(node, Child) and isinstance(node.shape, Choice)
        )
        var = source.fresh("o")
        for index, (number, rows) in enumerate(cases.items()):
            with source.block(f"{'elif' if index else 'if'} {value} == {number}:"):
                inner = _Place(chosen(place.shape, number), source.place())
                self._rows(rows, inner)
                self._flush()
                tree = inner.tree[name]
                assert isinstance(tree, dict)
                source.add(f"{var} = {construct(source, inner.shape.inner((name,)), tree, missing)}")
        with source.block("else:"):
            source.add("raise Unusual")
        place.put((name,), var)


def fixed(row: Row, shape: Shape) -> bool:
    """Tell whether a row is one field, whatever the message says."""
    return isinstance(row, Const | Mask) or (isinstance(row, Value) and not shape.leaf(row.path).many)


def owner(shape: Shape, path: Path) -> Shape:
    """Return the shape of the object whose attribute a path ends at."""
    return shape.inner(path[:-1]) if path[1:] else shape


def condition(row: When, value: str) -> str:
    """Return the expression of a test on the value in the name ``value``."""
    if row.test == "one of":
        return f"{value} == {row.values[0]!r}" if len(row.values) == 1 else f"{value} in {row.values!r}"
    if row.test == "positive":
        return f"{value} is not None and 0 < {value} and {value} != UNSET"
    return f"{value} == inf" if row.test == "infinite" else value
