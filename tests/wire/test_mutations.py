"""A wrong table is caught: two neighbours swapped, or a version shifted - the official frames tell.

Each mutant is a copy of the table with one mistake. Through the frames of the official client it must show.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pytest

from ibkit.wire import Codec, Role
from ibkit.wire.interpreter.protobuf import ProtobufReader, ProtobufWriter
from ibkit.wire.interpreter.text import TextReader, TextWriter
from ibkit.wire.protobuf import schema
from ibkit.wire.shapes import message_shape
from ibkit.wire.table import Table
from tests.wire.vectors import Vector, canonical, comparable, load, message_of

FOLDER = files("ibkit.wire") / "tables"
TEXTS = {
    name: (FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in ("requests", "answers", "records", "blocks")
}
VECTORS: dict[str, list[Vector]] = defaultdict(list)
for vector in load("outgoing") + [vector for vector in load("incoming") if vector.form == "text"]:
    VECTORS[vector.message].append(vector)


def caught(texts: dict[str, str], names: list[str]) -> bool:
    """Tell whether a table with a mistake in the given messages fails on the official frames."""
    try:
        mutant = Table(lambda file: texts[file.removesuffix(".txt")])
        return any(fails(mutant, vector) for name in names for vector in VECTORS[name])
    except (KeyError, ValueError, TypeError, AssertionError):
        return True  # not even a table any more


@lru_cache(maxsize=2)
def classes_of(mutant: Table) -> dict[str, Any]:
    return schema(mutant)


def fails(mutant: Table, vector: Vector) -> bool:
    """Tell whether a frame of the official client is written or read in another way."""
    message = mutant.message(vector.message)
    shape = message_shape(message, mutant)
    server = not message.request
    sent = message_of(vector)
    body = vector.frame[4:]
    try:
        if message.by_protobuf(vector.version) != (vector.form == "protobuf"):
            return message.request  # a server may still send text
        if vector.form == "protobuf":
            cls = classes_of(mutant)[message.protobuf]
            proto = cls()
            ProtobufWriter(mutant, message, shape, vector.version, server).write(proto, sent)
            frame = vector.frame[:8] + proto.SerializeToString()
            read = ProtobufReader(mutant, message, shape, server, body).read(cls.FromString(body[4:]))
            again = Codec(Role.CLIENT, vector.version).encode(read)
            expected = canonical(vector.message, vector.frame)
            return canonical(vector.message, frame) != expected or canonical(vector.message, again) != expected
        fields = (body[4:] if vector.version >= 201 else body.partition(b"\0")[2]).decode().split("\0")[:-1]
        written = TextWriter(message, shape, vector.version, server).write(sent)
        read, left = TextReader(message, shape, vector.version, server, body).read(fields)
    except Exception:  # any failure is a catch
        return True
    if vector.message == "OPEN_ORDER":  # two fields that nobody reads
        for index in (56 if vector.version < 177 else 55, 29):
            del written[index], fields[index]
    return bool(left or written != fields or comparable(read) != comparable(sent))


def test_the_table_itself_is_not_caught() -> None:
    assert not caught(TEXTS, list(VECTORS))


def sections(file: str) -> list[tuple[str, list[str]]]:
    """Return the name and the lines of every message of a table file."""
    found = []
    for part in re.split(r"\n(?=(?:request|answer) )", TEXTS[file])[1:]:
        lines = part.splitlines()
        found.append((lines[0].split()[1], lines))
    return found


NO_FIELD = ("list", "when", "optional", "switch", "case", "since", "use", "count", "expiry", "zip", "text", "=")


def swaps(lines: list[str]) -> list[str]:
    """Return the message with two neighbouring text fields swapped, for each such pair."""
    start = lines.index("  text") + 1 if "  text" in lines else 1
    found = []
    for index in range(start, len(lines) - 1):
        one, two = lines[index], lines[index + 1]
        level = len(one) - len(one.lstrip())
        if not two.strip() or level != len(two) - len(two.lstrip()):
            continue
        if one.split()[0] in NO_FIELD or two.split()[0] in NO_FIELD:
            continue
        mutant = [*lines]
        mutant[index], mutant[index + 1] = two, one
        found.append("\n".join(mutant))
    return found


def mutants() -> list[Any]:
    dice = random.Random(7)
    found = []
    for file in ("requests", "answers"):
        for name, lines in sections(file):
            if not VECTORS[name]:
                continue
            original = "\n".join(lines)
            choices = swaps(lines)
            for mutant in dice.sample(choices, min(len(choices), 4)):
                texts = TEXTS | {file: TEXTS[file].replace(original, mutant)}
                found.append(pytest.param(texts, [name], id=f"{name}-swap-{len(found)}"))
    return found


def there(bounds: dict[str, int], version: int) -> bool:
    return bounds.get("since", 0) <= version < bounds.get("before", 999)


def shifted() -> list[Any]:
    """Return tables in which one version bound is one too high or low, where a frame can tell."""
    found = []
    for file in ("requests", "answers"):
        for name, lines in sections(file):
            versions = {vector.version for vector in VECTORS[name] if vector.form == "text"}
            original = "\n".join(lines)
            for index, line in enumerate(lines[1:], 1):
                bounds = {match[1]: int(match[2]) for match in re.finditer(r"(since|before)[= ](\d+)", line)}
                for word, bound in bounds.items():
                    later = min((version for version in versions if version >= bound), default=0) + 1
                    if not any(there(bounds, v) != there(bounds | {word: later}, v) for v in versions):
                        continue  # no frame at a version between the two
                    mutant = [*lines]
                    mutant[index] = re.sub(rf"({word}[= ]){bound}", rf"\g<1>{later}", line)
                    texts = TEXTS | {file: TEXTS[file].replace(original, "\n".join(mutant))}
                    found.append(pytest.param(texts, [name], id=f"{name}-{word}-{bound}-{len(found)}"))
    return found


@pytest.mark.parametrize(("texts", "names"), mutants())
def test_two_neighbours_swapped_are_caught(texts: dict[str, str], names: list[str]) -> None:
    assert caught(texts, names)


@pytest.mark.parametrize(("texts", "names"), shifted())
def test_a_shifted_version_is_caught(texts: dict[str, str], names: list[str]) -> None:
    assert caught(texts, names)


def in_both_forms() -> dict[str, tuple[str, re.Match[str], list[int]]]:
    """Return the requests that are text, and protobuf from some version on: first line, what tells it, versions."""
    found = {}
    for name, lines in sections("requests"):
        versions = sorted(vector.version for vector in VECTORS[name])
        match = re.search(r"protobuf=\w+:(\d+)", lines[0])
        if match is not None and any(version < int(match[1]) for version in versions):
            found[name] = lines[0], match, versions
    return found


BOTH = in_both_forms()


@pytest.mark.parametrize("name", BOTH)
def test_a_shifted_protobuf_version_is_caught(name: str) -> None:
    line, match, versions = BOTH[name]
    since = int(match[1])
    first = next(version for version in versions if version >= since)
    mutant = line.replace(match[0], match[0].replace(match[1], str(first + 1)))
    texts = TEXTS | {"requests": TEXTS["requests"].replace(line + "\n", mutant + "\n")}
    assert caught(texts, [name])
