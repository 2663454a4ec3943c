"""The table of all messages, read from the files in ``tables/``; their form is told in ``tables/README.md``.

This is the one description of the protocol: the interpreter follows it, the compiler turns it into functions,
the protobuf messages are built from it. Read when the first codec is made, never at import. Must not know how
anything is encoded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")

Path: TypeAlias = tuple[str, ...]


class Attr(NamedTuple):
    """A value of a message or record: where users find it, what it is, and where protobuf carries it.

    ``kind`` is a word of ``kinds.KINDS`` or the name of a record or union. ``numbers`` are the protobuf field
    numbers on the way to it and ``names`` their names; no numbers: it does not travel in protobuf. ``inline``:
    the fields of the record lie directly in the message.
    """

    path: Path
    kind: str
    many: bool = False
    nullable: bool = False
    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    inline: bool = False
    since: int = 0
    answer: bool = False  # servers tell it, clients do not send it
    absent: int | None = None  # what it means when protobuf does not carry it, where that is not "unset"
    when: tuple[str, tuple[int, ...]] | None = None  # only for these values of another attribute


class Record(NamedTuple):
    """A Python class that travels inside messages, and the protobuf message it travels in."""

    name: str
    protobuf: str
    attrs: tuple[Attr, ...]


class Union(NamedTuple):
    """Several records in one place; the attribute ``by`` tells which."""

    name: str
    by: str
    cases: dict[int, str]


class Const(NamedTuple):
    """A text field without meaning for users: written as it is, ignored when read."""

    text: str


class Value(NamedTuple):
    """A text field; ``kind`` overrides the kind of the attribute."""

    path: Path
    kind: str | None


class When(NamedTuple):
    """Fields that are there only when an earlier value passes the test: truthy, one of, positive, infinite."""

    path: Path
    test: str
    values: tuple[str, ...]
    rows: Rows


class ListOf(NamedTuple):
    """A count, then that many repetitions of the rows."""

    path: Path
    rows: Rows


class Maybe(NamedTuple):
    """1 and the rows, or 0: an object that may be missing."""

    path: Path
    rows: Rows


class Switch(NamedTuple):
    """Fields that depend on an earlier value."""

    path: Path
    cases: dict[int, Rows]


class Mask(NamedTuple):
    """A number whose bits are flags, the lowest first."""

    paths: tuple[Path, ...]


class Count(NamedTuple):
    """The number of options in the field after it, which some clients send and others do not."""

    path: Path
    sent: bool


class Expiry(NamedTuple):
    """The one field that holds the date, time and zone of the message's ``expiry``."""


Row: TypeAlias = Const | Value | When | ListOf | Maybe | Switch | Mask | Count | Expiry


class Ranged(NamedTuple):
    """A row and the server versions it exists in."""

    since: int
    before: int
    row: Row


Rows: TypeAlias = tuple[Ranged, ...]


class Zip(NamedTuple):
    """One value of each item of a list that protobuf carries in the items of another list."""

    path: Path
    of: Path
    number: int
    name: str


class Message(NamedTuple):
    """A message: its attributes in the order of the record in ``ibkit.wire.messages``, and its text form."""

    name: str
    id: int
    request: bool
    since: int
    protobuf: str
    protobuf_since: int
    attrs: tuple[Attr, ...]
    rows: Rows
    zips: tuple[Zip, ...]
    expiry: tuple[Path, ...]
    expiry_numbers: tuple[int, ...]

    @property
    def class_name(self) -> str:
        """The name of the record in ``ibkit.wire.messages``."""
        return class_name(self.name)

    def has_form(self, protobuf: bool) -> bool:
        """Tell whether the message exists as protobuf, or as text."""
        return bool(self.protobuf) if protobuf else not self.protobuf or self.since < self.protobuf_since

    def by_protobuf(self, version: int) -> bool:
        """Tell whether the message is a protobuf message at a server version."""
        return bool(self.protobuf) and version >= self.protobuf_since


def class_name(message: str) -> str:
    """Return the name of a message's record in ``ibkit.wire.messages``."""
    return "".join(word.capitalize() for word in message.split("_"))


class Line(NamedTuple):
    """A line of a table and the lines that are indented below it."""

    words: list[str]
    below: list[Line]


NEVER = 1 << 30

RAW_ID_VERSION = 201
"""From this server version on the message id is four raw bytes instead of a text field."""

PROTOBUF_OFFSET = 200
"""What is added to the id of a message in protobuf form."""


def lines(text: str) -> list[Line]:
    """Read indented lines as a tree; a comment begins with '#', after a blank or at the start of a line."""
    root = Line([], [])
    stack = [(-1, root)]
    for raw in text.splitlines():
        code = raw.partition(" #")[0]
        words = code.split()
        if not words or code[0] == "#":
            continue
        indent = len(code) - len(code.lstrip())
        while stack[-1][0] >= indent:
            stack.pop()
        line = Line(words, [])
        stack[-1][1].below.append(line)
        stack.append((indent, line))
    return root.below


def entries(text: str, *kinds: str) -> list[dict[str, str]]:
    """Return the texts of a file's entries by name, for each kind; kind and name are the first words of an entry."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for entry in re.split(r"\n(?=[^\s#])", text):
        words = entry.split(None, 2)
        if words and words[0][0] != "#":
            if words[0] not in found:
                raise ValueError(f"an entry begins with {' or '.join(kinds)}, not with {words[0]!r}")
            found[words[0]][words[1]] = entry
    return list(found.values())


class Entries(Mapping[str, T]):
    """Entries of one kind by name; each is parsed when it is first asked for, which saves most of the work."""

    def __init__(self, texts: Mapping[str, str], parse: Callable[[Line], T]) -> None:
        self._texts = texts
        self._parse = parse
        self._parsed: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        found = self._parsed.get(name)
        if found is None:
            found = self._parsed[name] = self._parse(lines(self._texts[name])[0])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def heads(self) -> Iterator[list[str]]:
        """Yield the words of the first line of each."""
        return (text.partition("\n")[0].split() for text in self._texts.values())

    def lines_like(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
        """Yield the name of each and the words of those of its lines that a pattern finds."""
        for name, text in self._texts.items():
            for line in pattern.findall(text):
                yield name, line.partition(" #")[0].split()


NESTED: Final = re.compile(r"^  (?:zip .*|\S+ +\S+ +\d+\.\d.*)$", re.MULTILINE)
"""The lines of what lies deeper than the protobuf message it is listed in."""


def _options(words: list[str]) -> dict[str, str]:
    return {key: value or "1" for key, _, value in (word.partition("=") for word in words)}


def _path(word: str) -> Path:
    return tuple(word.split("."))


def _attr(words: list[str]) -> Attr:
    path, kind = _path(words[0]), words[1]
    has_number = len(words) > 2 and (words[2][0].isdigit() or words[2] in ("-", "inline"))
    number = words[2] if has_number else "-"
    options = _options(words[3 if has_number else 2 :])
    when = options.get("when")
    by, _, values = when.partition(":") if when else ("", "", "")
    many, nullable = kind.endswith("*"), kind.endswith("?") and kind[0].isupper()
    return Attr(
        path,
        kind[:-1] if many or nullable else kind,
        many,
        nullable,
        tuple(int(part) for part in number.split(".")) if number[0].isdigit() else (),
        _path(options.get("as", path[-1])),
        number == "inline",
        int(options.get("since", 0)),
        "answer" in options,
        int(options["absent"]) if "absent" in options else None,
        (by, tuple(int(value) for value in values.split(","))) if when else None,
    )


def _zip(words: list[str]) -> Zip:
    return Zip(_path(words[1]), _path(words[2]), int(words[3]), words[4].partition("=")[2])


def _record(line: Line) -> Record:
    return Record(line.words[1], line.words[-1], tuple(_attr(attr.words) for attr in line.below))


def _union(line: Line) -> Union:
    return Union(line.words[1], line.words[3], {int(case.words[0]): case.words[1] for case in line.below})


class Table:
    """All messages by name and by id; each is parsed when it is first asked for."""

    def __init__(self, read: Callable[[str], str]) -> None:
        records, unions = entries(read("records.txt"), "record", "union")
        (blocks,) = entries(read("blocks.txt"), "block")
        (requests,) = entries(read("requests.txt"), "request")
        (answers,) = entries(read("answers.txt"), "answer")
        self.records: Entries[Record] = Entries(records, _record)
        self.unions: Entries[Union] = Entries(unions, _union)
        self._blocks: Entries[list[Line]] = Entries(blocks, lambda line: line.below)
        self._requests: Entries[Message] = Entries(requests, self._message)
        self._answers: Entries[Message] = Entries(answers, self._message)
        self.requests = {int(number): name for _, name, number, *_ in self._requests.heads()}
        self.answers = {int(number): name for _, name, number, *_ in self._answers.heads()}

    def __iter__(self) -> Iterator[Message]:
        return map(self.message, (*self._requests, *self._answers))

    def message(self, name: str) -> Message:
        """Return a message by its name, such as PLACE_ORDER; raises KeyError."""
        return (self._requests if name in self._requests else self._answers)[name]

    def carried(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each record and message, and of the protobuf message it travels in."""
        for _, name, *words in self.records.heads():
            yield name, words[-1] if words else name
        for kind in (self._requests, self._answers):
            for _, name, _, *words in kind.heads():
                if protobuf := _options(words).get("protobuf", "").partition(":")[0]:
                    yield name, protobuf

    def nested(self) -> Iterator[tuple[str, Attr | Zip]]:
        """Yield what lies deeper than the protobuf message it is listed in, and the name of that record or message."""
        for kind in (self.records, self._requests, self._answers):
            for name, words in kind.lines_like(NESTED):
                yield name, _zip(words) if words[0] == "zip" else _attr(words)

    def _message(self, line: Line) -> Message:
        kind, name, number = line.words[:3]
        options = _options(line.words[3:])
        protobuf, _, protobuf_since = options.get("protobuf", "").partition(":")
        attrs: list[Attr] = []
        zips: list[Zip] = []
        expiry: tuple[Path, ...] = ()
        expiry_numbers: tuple[int, ...] = ()
        simple: list[Line] = []
        text: list[Line] | None = None
        for below in line.below:
            words = below.words
            match words[0]:
                case "text" if below.below:
                    text = below.below
                case "zip":
                    zips.append(_zip(words))
                case "expiry":
                    expiry = tuple(_path(word) for word in words[2:])
                    expiry_numbers = tuple(int(part) for part in words[1].split("."))
                case "=":
                    simple.append(below)
                case _:
                    attrs.append(_attr(words))
                    versions = [word for word in words[2:] if word.startswith(("since=", "before="))]
                    simple.append(Line([words[0], *versions], []))
        since = int(options.get("since", 0))
        if protobuf and since >= int(protobuf_since):
            text = []  # never was text
        return Message(
            name,
            int(number),
            kind == "request",
            since,
            protobuf,
            int(protobuf_since or 0),
            tuple(attrs),
            tuple(self._rows(simple if text is None else text, 0, NEVER)),
            tuple(zips),
            expiry,
            expiry_numbers,
        )

    def _rows(self, below: list[Line], since: int, before: int) -> Iterator[Ranged]:
        """Turn the lines of a text form into rows, blocks put in and version groups dissolved."""
        for line in below:
            words = [word.rstrip(":") for word in line.words]
            rest = [word for word in words if not word.startswith(("since=", "before="))]
            options = _options([word for word in words if word not in rest])
            lo, hi = max(since, int(options.get("since", 0))), min(before, int(options.get("before", NEVER)))
            if rest[0] == "use":
                yield from self._rows(self._blocks[rest[1]], lo, hi)
            elif rest[0] == "since":
                yield from self._rows(line.below, max(lo, int(rest[1])), hi)
            else:
                yield Ranged(lo, hi, self._row(rest, line))

    def _row(self, words: list[str], line: Line) -> Row:
        below = tuple(self._rows(line.below or [Line([word], []) for word in words[2:]], 0, NEVER))
        match words[0]:
            case "=":
                return Const("" if words[1] == "''" else words[1])
            case "when":
                values = tuple(" ".join(words[3:]).split(" | "))
                test = "truthy" if len(words) == 2 else {">": "positive", "=": "one of"}[words[2]]
                if values == ("Infinity",):
                    test = "infinite"
                return When(_path(words[1]), test, values, tuple(self._rows(line.below, 0, NEVER)))
            case "list":
                return ListOf(_path(words[1]), below)
            case "optional":
                return Maybe(_path(words[1]), below)
            case "switch":
                cases = {}
                for case in line.below:
                    inside = case.below or [Line([word], []) for word in case.words[2:]]
                    cases[int(case.words[1].rstrip(":"))] = tuple(self._rows(inside, 0, NEVER))
                return Switch(_path(words[1]), cases)
            case "mask":
                return Mask(tuple(_path(word) for word in words[1:]))
            case "count" if len(words) == 3:
                return Count(_path(words[1]), words[2] == "sent")
            case "expiry":
                return Expiry()
        return Value(_path(words[0]), words[1] if len(words) > 1 else None)


def rows_at(rows: Rows, version: int) -> list[Row]:
    """Return the rows that exist at a server version."""
    return [ranged.row for ranged in rows if ranged.since <= version < ranged.before]


@cache
def table() -> Table:
    """Return the table of the package; read once."""
    return Table(text_of)


def text_of(name: str) -> str:
    """Return the text of a file of the package's table."""
    # What importlib.resources does in the end; importing that takes longer than reading the table.
    loader: Any = getattr(__spec__, "loader", None)
    data: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), "tables", name))
    return data.decode()
