"""Our frames against the official client's: every message, at every server version.

Requests must be its bytes, or be refused as it refuses them; of answers it must read every value that we put into them
and leave nothing over, and so must we. The values: each field with one of its own (``tests/wire/whole.py``), random
ones, those at the edges (``edges.py``), and answers with something missing (``absent.py``). Which values that client
does not hand on is said in ``tests/wire``.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings

from conformance.absent import DROPPED, absence_difference, absences, answers
from conformance.clients import Result
from conformance.edges import (
    REFUSED,
    TOO_NEW,
    TOO_OLD,
    Known,
    edge_difference,
    edges,
    refusal_difference,
    refusals,
    requests,
)
from conformance.gateways import ROOT
from ibkit.errors import EncodeError, UnsupportedField
from ibkit.wire import MAX_VERSION, MIN_VERSION, Codec, Role
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import Message, table
from tests.wire.official import official_frame, official_protobufs, official_reading, twin, unknown_fields
from tests.wire.strategies import flat, messages, travelling
from tests.wire.test_official import as_the_official_client_would
from tests.wire.test_official_answers import equal, is_told, official_values, their_name
from tests.wire.vectors import canonical, comparable
from tests.wire.whole import bounds, whole

ALL = tuple(range(MIN_VERSION, MAX_VERSION + 1))
# Where framing, encodings and fields change most.
FEW = (157, 163, 164, 176, 177, 187, 190, 193, 200, 201, 203, 206, 208, 210, 213, 219, 225)
# The forms that servers in use have.
FORMS = (176, 200, 225)


class Plan(NamedTuple):
    """How much is compared."""

    random: int
    """Random messages of a name at a server version."""
    versions: tuple[int, ...]
    """Where random messages are compared; whole ones also wherever the form of the message changes."""
    edges: tuple[int, ...]
    """Where every value at the edges is tried in every field of the requests."""
    absences: tuple[int, ...]
    """Where every field of the answers is left out; no versions: wherever their form changes."""


FULL = Plan(12, ALL, ALL, ())
QUICK = Plan(4, FEW, FORMS, FORMS)


class Line(NamedTuple):
    """What was compared of a message in one encoding."""

    message: str
    direction: str
    encoding: str
    versions: str
    compared: str
    """At how many of these versions."""
    frames: int
    refused: int
    """How often both clients refused what the server is too old for."""
    meant: int
    """How often ibkit means to send something else: see ``edges.REASONS``."""
    differences: int
    first: str
    """The first difference."""


Difference = str | None


def samples(message: Message, count: int) -> list[Any]:
    """Return random messages of a name; the same ones in every run."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(messages(message.name, plain=not message.request))
    def collect(made: Any) -> None:
        found.append(made)

    collect()
    return found


def request_difference(name: str, made: Any, version: int) -> Difference:
    """Return what is different between our frame and the official client's."""
    made = as_the_official_client_would(name, made, version)
    theirs, errors = official_frame(made, version)
    try:
        ours = Codec(Role.CLIENT, version).encode(made)
    except UnsupportedField as error:
        if any(TOO_OLD & set(each) for each in errors):
            return REFUSED
        message = table().message(name)
        dropped = not message.by_protobuf(version) and error.needs_version > message.protobuf_since
        return TOO_NEW if dropped else f"refused as too new here alone: {error}"
    except EncodeError as error:
        return REFUSED if errors else f"refused here alone: {error}"
    if theirs is None:
        return f"refused there alone: {errors}"
    if canonical(name, ours) != canonical(name, theirs):
        return f"{ours.hex()} and not {theirs.hex()}"
    return back(name, ours, Role.SERVER, Role.CLIENT, version)


def back(name: str, frame: bytes, reader: Role, writer: Role, version: int) -> Difference:
    """Return what is lost when the other side decodes a frame, by the interpreter and by the compiled function."""
    codec = Codec(reader, version)
    first, second = codec.decode(frame[4:]), codec.decode(frame[4:])
    if comparable(first) != comparable(second):
        return f"compiled and interpreted differ: {first} {second}"
    if codec.trailing:
        return "fields left over"
    again = Codec(writer, version).encode(second)  # type: ignore[arg-type]  # it is a message: its id is known
    same = comparable(codec.decode(again[4:])) == comparable(second)
    return None if same else f"{frame.hex()} comes back as {again.hex()}"


def answer_difference(name: str, made: Any, version: int) -> Difference:
    """Return what the official decoder, or ours, reads differently from what we sent."""
    if name == "TICK_PRICE":
        made = made._replace(attrMask=made.attrMask & 7)
    frame = Codec(Role.SERVER, version).encode(made)
    lost = back(name, frame, Role.CLIENT, Role.SERVER, version)
    if lost:
        return lost
    calls, left = official_reading(frame, version)
    if left:
        return f"the official decoder leaves {left} of {frame.hex()}"
    if not calls or (name == "HISTORICAL_DATA" and not made.bars):
        silent = name == "HISTORICAL_DATA" or getattr(made, "tickType", None) == -1
        return None if silent else "the official decoder drops it"
    told, travelled = official_values(name, calls), travelling(name, made, version)
    for field, value in flat(made, shape_of(name)).items():
        if field in travelled and is_told(field, value, made) and (name, version, field) not in DROPPED:
            theirs = told.get(their_name(field), told.get(field, KeyError))
            if theirs is KeyError or not equal(field, value, theirs):
                return f"{field}: {value!r} was read as {theirs!r}"
    return None


def smart_components_difference(name: str, made: Any, version: int) -> Difference:
    """Return what the official decoder reads differently: it hands on a list in text, a map in protobuf."""
    frame = Codec(Role.SERVER, version).encode(made)
    [(_, told)], left = official_reading(frame, version)
    if left:
        return f"the official decoder leaves {left} of {frame.hex()}"
    rows = told["smartComponentMap"]
    if isinstance(rows, dict):
        # What has no letter gets a blank there.
        theirs = [(bit, exchange, letter.strip()) for bit, (exchange, letter) in rows.items()]
        ours = [
            (row[0], row[1], row[2].strip()) for row in {row.bitNumber: row for row in made.smartComponentMap}.values()
        ]
    else:
        theirs = [(row.bitNumber, row.exchange, row.exchangeLetter) for row in rows]
        ours = [tuple(row) for row in made.smartComponentMap]
    if (told["reqId"], sorted(theirs)) != (made.reqId, sorted(ours)):
        return f"{made} was read as {told}"
    return back(name, frame, Role.CLIENT, Role.SERVER, version)


def configuration_difference(name: str, made: Any, version: int) -> Difference:
    """Return what the official client hands on differently: the protobuf message as it is, for programs to read."""
    frame = Codec(Role.SERVER, version).encode(made)
    [(_, proto)] = official_protobufs(frame, version)
    if unknown_fields(proto):
        return f"unknown fields in {frame.hex()}"
    if proto != twin(made):
        return f"{made} was read as {proto}"
    return back(name, frame, Role.CLIENT, Role.SERVER, version)


def judge(name: str) -> Callable[[str, Any, int], Difference]:
    """Return what compares a message."""
    if name == "SMART_COMPONENTS":
        return smart_components_difference
    if name in ("CONFIG_RESPONSE", "UPDATE_CONFIG_RESPONSE"):
        return configuration_difference
    return request_difference if table().message(name).request else answer_difference


def samples_at(message: Message, version: int, plan: Plan, random: list[Any]) -> Iterator[Difference]:
    """Compare everything that the plan wants to be compared of a message at a server version."""
    name, difference = message.name, judge(message.name)
    for made in whole(name, version):
        yield difference(name, made, version)
    if version in plan.versions:
        for made in random:
            yield difference(name, made, version)
    if message.request and message.since <= version:
        for path, made in refusals(name, version):
            yield refusal_difference(name, path, made, version)
    if version in plan.edges and message in requests():
        for path, value, made in edges(name, version):
            yield edge_difference(name, path, value, made, version)
    if version in (plan.absences or bounds(name)) and message in answers():
        for made in whole(name, version)[:2]:
            for data in absences(name, made, version):
                yield absence_difference(name, data, version)


def compare(plan: Plan) -> list[Line]:
    """Compare every message; a line for each encoding."""
    logging.getLogger("ibapi").setLevel(logging.CRITICAL)  # what it cannot read is seen here
    found: list[Line] = []
    for message in table():
        found += _lines(message, samples(message, plan.random), plan)
    return found


def _lines(message: Message, random: list[Any], plan: Plan) -> Iterator[Line]:
    for protobuf in (False, True):
        there = [v for v in ALL if v >= message.since and message.by_protobuf(v) is protobuf]
        mine = [v for v in there if v in plan.versions or v in bounds(message.name)]
        if not mine:
            continue
        frames, refused, meant, wrong = 0, 0, 0, []
        for version in mine:
            for found in samples_at(message, version, plan, random):
                frames += 1
                refused += found == REFUSED
                meant += isinstance(found, Known)
                if not (found is None or found == REFUSED or isinstance(found, Known)):
                    wrong.append(f"{message.name} at {version}: {found}")
        yield Line(
            message.name,
            "request" if message.request else "answer",
            "protobuf" if protobuf else "text",
            f"{there[0]}-{there[-1]}",
            f"{len(mine)} of {len(there)}",
            frames,
            refused,
            meant,
            len(wrong),
            wrong[0] if wrong else "",
        )


def missing(lines: list[Line]) -> list[str]:
    """Return what was not compared: every message must be, in every encoding that it has."""
    there = {(line.message, line.encoding) for line in lines if line.frames}
    return [
        f"{message.name}: not compared in {encoding}"
        for message in table()
        for encoding, protobuf in (("text", False), ("protobuf", True))
        if message.has_form(protobuf) and (message.name, encoding) not in there
    ]


TESTS = {
    "laws, {} examples each": ("tests/wire",),
    "no request is met with silence": ("tests/paper/gateway/test_flows.py",),
    "hostile input": ("tests/fuzz",),
    "the matrix of the docs is fresh": ("tests/conformance/test_matrix.py",),
}
"""The tests that are part of the proof, by what they prove."""


def tests_of_the_wire(examples: int) -> list[Result]:
    """Run the tests of the wire (laws, vectors of the official client, damaged messages), the flows and the fuzzers."""
    return [_tests(what.format(examples), paths, examples) for what, paths in TESTS.items()]


def _tests(what: str, paths: Sequence[str], examples: int) -> Result:
    command = [sys.executable, "-m", "pytest", *paths, "-p", "no:cacheprovider", "--timeout", "1200"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"IBKIT_EXAMPLES": str(examples)},
    )  # fmt: skip
    print("".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith("FAILED")), end="", flush=True)
    last = done.stdout.strip().rpartition("\n")[2]
    passed, failed = (sum(map(int, re.findall(rf"(\d+) {word}", last))) for word in ("passed", "failed|error"))
    wrong = failed or done.returncode or not passed
    return Result("tests of the wire", MAX_VERSION, what, not wrong, last)
