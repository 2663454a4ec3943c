"""Mistakes in the table, one at a time: each must be seen by comparing with the official client.

    python -m conformance.mutants [--sample N]

Two neighbours swapped, two protobuf numbers exchanged, a server version one too low or too high: of every row of every
message, record and block. A mutant is caught when a request is not the official client's any more, is refused where
that client sends it or sent where it refuses, or when the official decoder reads something else from an answer.

No mutants are: neighbours of which no server version has both; a constant in a constant's place; the version from
which an answer is protobuf, or exists: the official decoder takes both forms at every version (``doubts.txt``); and
what stands in UNSEEN.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple
from unittest.mock import patch

from conformance.clients import Result
from ibkit.wire import MAX_VERSION, MIN_VERSION, Codec, Role
from ibkit.wire.interpreter import values
from ibkit.wire.interpreter.protobuf import ProtobufReader, ProtobufWriter
from ibkit.wire.interpreter.text import TextReader, TextWriter
from ibkit.wire.protobuf import Classes
from ibkit.wire.shapes import message_shape, shape_of
from ibkit.wire.table import PROTOBUF_OFFSET, RAW_ID_VERSION, Message, Table, table
from tests.wire.official import official_frame, official_protobufs, official_reading
from tests.wire.test_official import as_the_official_client_would
from tests.wire.vectors import canonical, comparable
from tests.wire.whole import bounds, whole

NAMES = ("requests", "answers", "records", "blocks")
TEXTS = {name: (files("ibkit.wire") / "tables" / f"{name}.txt").read_text(encoding="utf-8") for name in NAMES}
_TESTS = ("list", "when", "optional", "switch", "case", "since", "use", "count", "expiry", "zip", "text")


# What the official client does not tell, with the reason.
UNSEEN = {
    (
        "PLACE_ORDER",
        "order.eTradeOnly order.firmQuoteOnly",
    ): "it always writes 0 in both places; the order is ib_insync's",
}


class Mutant(NamedTuple):
    """A copy of one table with one mistake in it."""

    file: str
    section: str
    """The message, record or block."""
    kind: str
    what: str
    text: str
    line: int = 0


# -- making them ----------------------------------------------------------------------------------------------------


def mutants() -> list[Mutant]:
    """Return every mutant."""
    found = []
    for file in NAMES:
        lines = TEXTS[file].split("\n")
        heads = [number for number, line in enumerate(lines) if line and line[0].isalpha()]
        for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
            section = lines[head].split()[1]
            if lines[head].startswith("union"):
                continue
            text = next((n for n in range(head, end) if lines[n] == "  text"), 0)
            for kind, what, number, changed in _changes(lines, head, end, text, file):
                if (section, what) in UNSEEN:
                    continue
                mutant = [*lines]
                mutant[number : number + len(changed)] = changed
                found.append(Mutant(file, section, kind, what, "\n".join(mutant), number))
    return found


def _changes(lines: list[str], head: int, end: int, text: int, file: str) -> Iterator[tuple[str, str, int, list[str]]]:
    """Give every change within a section: its kind, what it is, the first line and the new lines."""
    for number in range(head, end):
        line = lines[number]
        code = line.partition(" #")[0]
        if not code.strip() or code.startswith("#"):
            continue
        for match in re.finditer(r"\b(since|before)([= ])(\d+)", code):
            if number == head and file == "answers":
                continue
            for step in (-1, 1):
                changed = f"{line[: match.start(3)]}{int(match[3]) + step}{line[match.end(3) :]}"
                yield "version", f"{code.strip()}: {int(match[3]) + step}", number, [changed]
        for match in re.finditer(r"protobuf=\w+:(\d+)", code if number == head and file == "requests" else ""):
            for step in (1,) if never_text(code) else (-1, 1):
                changed = f"{line[: match.start(1)]}{int(match[1]) + step}{line[match.end(1) :]}"
                yield "encoding", f"{code.strip()}: {int(match[1]) + step}", number, [changed]
        if never_text(lines[head]):
            text = end  # numbers alone
        fields = file == "blocks" or number > text > 0 or (text == 0 and file in ("requests", "answers"))
        if number > head and fields:
            words = code.split()
            first = {"list": 2, "case": 2, "mask": 1, "optional": 2}.get(words[0], len(words))
            first += len(words) > first and words[first].startswith("since=")
            for index in range(first, len(words) - 1):
                one, two = words[index], words[index + 1]
                if not two.startswith(("since=", "before=")):
                    swapped = [*words[:index], two, one, *words[index + 2 :]]
                    indent = " " * (len(code) - len(code.lstrip()))
                    yield "order", f"{one} {two}", number, [indent + " ".join(swapped)]
        if number + 1 >= end or number == head:
            continue
        after = lines[number + 1]
        if not after.strip() or _level(after) != _level(line) or after.strip().startswith("#"):
            continue
        if fields and line.split()[0] not in _TESTS and after.split()[0] not in _TESTS and _together(line, after):
            yield "order", f"{line.split()[0]} {after.split()[0]}", number, [after, line]
        one, two = _number(line), _number(after)
        if one and two and not number > text > 0:
            changed = [
                line[: one.start(1)] + two[1] + line[one.end(1) :],
                after[: two.start(1)] + one[1] + after[two.end(1) :],
            ]
            yield "number", f"{line.split()[0]} {after.split()[0]}", number, changed


def never_text(head: str) -> bool:
    """Tell whether a message never had another form than protobuf."""
    found = re.search(r"since=(\d+) protobuf=\w+:(\d+)", head)
    return found is not None and found[1] == found[2]


def _together(one: str, two: str) -> bool:
    """Tell whether a server version has both rows, and whether it matters which is first."""
    low = max(int(found) for found in ["0", *re.findall(r"since=(\d+)", one + " " + two)])
    high = min(int(found) for found in ["999", *re.findall(r"before=(\d+)", one + " " + two)])
    return low < high and not (one.split()[0] == two.split()[0] == "=")


def _level(line: str) -> int:
    return len(line) - len(line.lstrip())


def _number(line: str) -> re.Match[str] | None:
    """Find the protobuf number of an attribute."""
    return re.match(r"\s*[\w.]+\s+[\w/!?*~-]+\s+([\d.]+)(?:\s|$)", line)


# -- judging them ---------------------------------------------------------------------------------------------------


class Reference(NamedTuple):
    """What is right: a message, its frame, and what the official decoder makes of it when it is an answer."""

    version: int
    made: Any
    frame: bytes
    told: Any
    read: Any


@cache
def references(name: str) -> list[Reference]:
    """Return whole messages with their frames: the official client's, or ours as the official client reads them."""
    message = table().message(name)
    found = []
    for version in bounds(name):
        for made in whole(name, version):
            if not message.request:
                frame = Codec(Role.SERVER, version).encode(made)
                told: Any = _told(name, frame, version)
            else:
                made = as_the_official_client_would(name, made, version)
                theirs, errors = official_frame(made, version)
                if theirs is None:
                    raise AssertionError(f"{name} at {version}: {errors}")
                frame, told = theirs, None
            reader = Codec(Role.SERVER if message.request else Role.CLIENT, version)
            found.append(Reference(version, made, canonical(name, frame), told, comparable(reader.decode(frame[4:]))))
    return found


def _told(name: str, frame: bytes, version: int) -> str:
    """Return what the official client reads, as one text."""
    if name.endswith("CONFIG_RESPONSE"):
        return str(official_protobufs(frame, version))
    try:
        return repr([(call, _plain(told)) for call, told in official_reading(frame, version)[0]])
    except Exception as error:
        return f"fails: {type(error).__name__}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set):
        return sorted(value)
    return _plain(vars(value)) if hasattr(value, "__dict__") and vars(value) else str(value)


def users(mutant: Mutant) -> list[str]:
    """Return the messages that a mutant may change."""
    if mutant.file in ("requests", "answers"):
        return [mutant.section]
    return [name for name, parts in _parts().items() if mutant.section in parts]


@cache
def _parts() -> dict[str, set[str]]:
    """Return the records and blocks of every message."""
    inside: dict[str, set[str]] = {}

    def kinds(attrs: Any, found: set[str]) -> set[str]:
        for attr in attrs:
            union = table().unions.get(attr.kind)
            for name in union.cases.values() if union else [attr.kind]:
                if name in table().records and name not in found:
                    found.add(name)
                    kinds(table().records[name].attrs, found)
        return found

    for file in ("requests", "answers"):
        for part in re.split(r"\n(?=request |answer )", TEXTS[file]):
            if part.startswith(("request ", "answer ")):
                name = part.split()[1]
                inside[name] = kinds(table().message(name).attrs, set()) | set(re.findall(r"\buse (\S+)", part))
    return inside


def caught(mutant: Mutant) -> str:
    """Return the message through which a mutant is seen, "" when none tells."""
    texts = TEXTS | {mutant.file: mutant.text}
    for name in users(mutant):
        references(name)
    try:
        wrong = Table(lambda name: texts[name.removesuffix(".txt")])
        for name in users(mutant):
            message, shape = wrong.message(name), message_shape(wrong.message(name), wrong)
            if _needs_seen(name, message, wrong):
                return name
            classes = Classes(wrong) if mutant.kind != "order" else None
            if any(_seen(reference, name, message, shape, wrong, classes) for reference in references(name)):
                return name
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return f"no table: {type(error).__name__}"
    return ""


def _needs_seen(name: str, message: Message, wrong: Table) -> bool:
    """Tell whether a version that a request or its fields need is not the official client's."""
    right = table().message(name)
    if not message.request:
        return False
    with patch.object(values, "table", lambda: wrong):
        mistaken = dict(values.needs_of(message))
    wanted = dict(values.needs_of(right)) | {(): right.since}
    mistaken[()] = message.since
    for path, since in wanted.items():
        for version in range(*sorted((since, mistaken.get(path, since)))):
            if not max(MIN_VERSION, right.since - 1) <= version <= MAX_VERSION:
                continue
            alone = _alone(name, path)
            sent = official_frame(alone, version)[0] is not None
            if alone is not None and sent != (version >= mistaken.get(path, since)):
                return True
    return False


def _alone(name: str, path: tuple[str, ...]) -> Any:
    """Return a request in which nothing but one value is told."""
    shape = shape_of(name)
    if not path:
        return values.build(shape, {})
    told: dict[str, Any] = {}
    for made in whole(name, MAX_VERSION):
        value = values.get(made, path, shape)
        if value not in (None, "", False):
            values.put(told, path, value)
            break
    return values.build(shape, told)


def _seen(reference: Reference, name: str, message: Message, shape: Any, wrong: Table, classes: Any) -> bool:
    """Tell whether a mutant writes or reads a message in another way."""
    version, made, frame, told, read = reference
    server = not message.request
    body = frame[4:]
    protobuf = table().message(name).by_protobuf(version)
    try:
        if message.request and message.by_protobuf(version) != protobuf:
            return True
        if protobuf:
            if classes is None:
                return False
            cls = classes[message.protobuf]
            proto = cls()
            ProtobufWriter(wrong, message, shape, version, server).write(proto, made)
            written = (message.id + PROTOBUF_OFFSET).to_bytes(4, "big") + proto.SerializeToString(deterministic=True)
            again = ProtobufReader(wrong, message, shape, server, body).read(cls.FromString(body[4:]))
        else:
            fields = TextWriter(message, shape, version, server).write(made)
            head = message.id.to_bytes(4, "big") if version >= RAW_ID_VERSION else b"%d\0" % message.id
            written = head + "".join(field + "\0" for field in fields).encode()
            text = body[len(head) :].decode().split("\0")[:-1]
            again, left = TextReader(message, shape, version, server, body).read(text)
            if left:
                return True
    except Exception:  # whatever fails is seen
        return True
    if comparable(again) != read:
        return True
    if written == body:
        return False
    return message.request or _told(name, len(written).to_bytes(4, "big") + written, version) != told


def sample(count: int) -> list[Mutant]:
    """Return so many mutants, always the same ones; 0: all."""
    return random.Random(1).sample(mutants(), count) if count else mutants()


def judge(count: int = 0) -> tuple[Counter[str], list[Mutant]]:
    """Judge so many mutants, or all: how many of a kind are caught, and those that are not."""
    seen, alive = Counter[str](), []
    for mutant in sample(count):
        if caught(mutant):
            seen[mutant.kind] += 1
        else:
            alive.append(mutant)
    return seen, alive


def result(count: int = 0) -> Result:
    """Judge mutants, as a row of the report."""
    seen, alive = judge(count)
    caught_ = sum(seen.values())
    of = f"{count} of {len(mutants())}" if count else "all"
    detail = f"{caught_} caught {dict(seen)}" + "".join(f"; not caught: {each}" for each in map(_name, alive))
    return Result("tests of the wire", MAX_VERSION, f"mistakes in the table, {of}: {caught_} caught", not alive, detail)


def _name(mutant: Mutant) -> str:
    return f"{mutant.file} {mutant.section} {mutant.kind}: {mutant.what}"


def main() -> int:
    """Judge all mutants, or a sample of them."""
    parser = argparse.ArgumentParser(prog="python -m conformance.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="so many of them, always the same ones")
    began = time.monotonic()
    seen, alive = judge(parser.parse_args().sample)
    for mutant in alive:
        print(f"not caught: {_name(mutant)}")
    print(f"{sum(seen.values())} caught {dict(seen)}, {len(alive)} not, {time.monotonic() - began:.0f} s")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
