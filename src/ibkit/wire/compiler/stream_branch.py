"""Writes the part of a stream's function that reads one message: the text form, and what both forms share.

Must not know frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from ibkit.wire.compiler.source import Source
from ibkit.wire.interpreter.values import chosen
from ibkit.wire.kinds import Bool, Float, Int, Size
from ibkit.wire.shapes import Leaf, Shape, shape_of
from ibkit.wire.table import RAW_ID_VERSION, Const, Mask, Message, Path, Row, Switch, Value, rows_at

T = TypeVar("T")

MOST_TEXTS: Final = 4096


class Memo(dict[bytes, T]):
    """What bytes on the wire say that come again and again: the present second, the name of an exchange."""

    def __init__(self, read: Callable[[bytes], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, data: bytes) -> T:
        if len(self) >= MOST_TEXTS:
            self.clear()
        self[data] = found = self._read(data)
        return found


SECONDS: Final = Memo(int)
WORDS: Final = Memo(bytes.decode)
SMALL: Final = {b"%d" % number: number for number in range(256)}
"""The whole numbers in ticks: types, masks, positions, sides."""
FLAGS: Final = {b"0": False, b"1": True}

SPLIT: Final = "data[first:end].split(b'\\0', 20)"
"""The fields of a message; no more than any tick has, for the message may be another one, and long."""

IN_RANGE: Final[dict[type, str]] = {Float: "{0} < 1e300", Size: "{0} * {0} < 4.6e18"}
"""What holds for ordinary numbers of a kind. Beyond are those that mean something else: the largest double, and of
sizes 2147483647 and the largest and least of 64 bits. NaN is not ordinary, either."""


class Branch:
    """Collects what is known of a message while the lines that read it are being written."""

    def __init__(self, source: Source, message: Message, typed: bool) -> None:
        self.source = source
        self.message = message
        self.typed = typed
        self.shape = shape_of(message.name)
        self.values: dict[Path, str] = {}
        """Expressions for the fields."""
        self.tests: list[str] = []
        """What must hold, else the message is unusual."""

    def write(self) -> None:
        """Write the lines; they return when the message is unusual."""
        raise NotImplementedError

    def address(self, subjects: str, subject: str, kind: str) -> None:
        """Write how the subject and the receiver are found; ``subject`` and ``kind`` are the names of the fields."""
        self.source.add(f"subject = {subjects}[{subject}]")
        if self.typed:
            self.source.add(f"receive = receive_{self.message.name}[{kind}]")

    def word(self, path: Path, data: str) -> str:
        """Return an expression for the text in some bytes: names come again, what a value tells does not."""
        return f"{data}.decode()" if path[-1] == "value" else f"{self.source.use('words', WORDS)}[{data}]"

    def hand_over(self, shape: Shape) -> None:
        """Write the end of a message of this shape, choices made: it counts as taken, its receiver is called."""
        source = self.source
        if self.tests:
            source.add(f"if not ({' and '.join(self.tests)}): return n")
        source.add("frames.start = end")
        fields = paths(shape)[2 if self.typed else 1 :]
        arguments = [self.values.get(path) or source.literal(shape.leaf(path).unset) for path in fields]
        receive = "receive" if self.typed else f"receive_{self.message.name}"
        source.add(f"{receive}({', '.join(['subject', *arguments])})")


def paths(shape: Shape) -> list[Path]:
    """Return the paths of all values of a shape, in the order of its fields."""
    found: list[Path] = []
    for name in shape.cls._fields:
        if isinstance(shape.fields[name], Leaf):
            found.append((name,))
        else:
            found += [(name, *path) for path in paths(shape.inner((name,)))]
    return found


def bits(count: int) -> dict[bytes, tuple[bool, ...]]:
    """Return what the texts of masks of so many flags say."""
    return {b"%d" % mask: tuple(mask >> bit & 1 == 1 for bit in range(count)) for mask in range(1 << count)}


class TextBranch(Branch):
    """Reads the text form: the names of fields by position, then what they say."""

    def __init__(self, source: Source, message: Message, typed: bool, version: int) -> None:
        super().__init__(source, message, typed)
        self.version = version
        self.skip = 0 if version >= RAW_ID_VERSION else 1  # the id is a field, or it is not

    def write(self) -> None:
        source = self.source
        rows = rows_at(self.message.rows, self.version)
        if not self.skip:  # where ids are texts, all fields are split already
            source.add(f"f = {SPLIT}")
        last = rows[-1]
        if not isinstance(last, Switch):
            self._layout(rows, self.shape)
            return
        source.add(f"if len(f) < {len(rows) + self.skip}: return n")
        cases: dict[str, list[int]] = {}  # those that are laid out alike
        for number, below in last.cases.items():
            cases.setdefault(repr(rows_at(below, self.version)), []).append(number)
        by = len(rows) - 2 + self.skip  # the field before the switch
        for index, numbers in enumerate(cases.values()):
            texts = tuple(str(number).encode() for number in numbers)
            with source.block(f"{'elif' if index else 'if'} f[{by}] in {texts!r}:"):
                inside = rows_at(last.cases[numbers[0]], self.version)
                self._layout([*rows[:-1], *inside], chosen(self.shape, numbers[0]))
        with source.block("else:"):
            source.add("return n")

    def _layout(self, rows: list[Row], shape: Shape) -> None:
        """Write how a message with these fields is read."""
        source = self.source
        self.values, self.tests = {}, []
        names = ["_" if isinstance(row, Const) else source.fresh("x") for row in rows]
        subject, kind = [name for name, row in zip(names, rows, strict=True) if not isinstance(row, Const)][:2]
        given = {subject, kind} if self.typed else {subject}
        with source.block("try:"):
            source.add(f"{', '.join(['_'] * self.skip + names)}, rest = f")
            source.add("if rest: return n")  # the last text is the empty one behind the last NUL
            self.address("by_text", subject, kind)
            for name, row in zip(names, rows, strict=True):
                if name not in given:
                    self._field(row, name, shape)
        with source.block("except (ValueError, KeyError):"):
            source.add("return n")
        self.hand_over(shape)

    def _field(self, row: Row, x: str, shape: Shape) -> None:
        """Write how the text in the name ``x`` is read."""
        source = self.source
        match row:
            case Const():
                return
            case Mask(paths):
                names = [source.fresh("v") for _ in paths]
                known = source.use(f"bits_{len(paths)}", bits(len(paths)))
                source.add(f"{', '.join(names)} = {known}[{x}]")
                self.values.update(zip(paths, names, strict=True))
            case Value(path, word):
                leaf = shape.leaf(path).as_kind(word)
                self.values[path] = self._value(path, leaf, x)
            case _:
                raise ValueError(f"{self.message.name} is too rich for a stream")

    def _value(self, path: Path, leaf: Leaf, x: str) -> str:
        source, kind = self.source, leaf.kind
        v = source.fresh("v")
        if type(kind) in IN_RANGE:
            source.add(f"{v} = float({x})")
            self.tests.append(IN_RANGE[type(kind)].format(v))
        elif isinstance(kind, Int):
            known = source.use("seconds", SECONDS) if path[-1] == "time" else source.use("small", SMALL)
            source.add(f"{v} = {known}[{x}]")
        elif type(kind) is Bool:
            source.add(f"{v} = {source.use('flags', FLAGS)}[{x}]")
        elif leaf.word in ("str", "escaped"):
            source.add(f"{v} = {self.word(path, x)}")
            if leaf.word == "escaped":  # what is escaped is unusual
                self.tests.append(f"'\\\\u' not in {v}")
        else:
            raise ValueError(f"{leaf.word} has no place in a stream")
        return v
