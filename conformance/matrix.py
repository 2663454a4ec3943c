"""Writes docs/reference/protocol-matrix.md: request x server version x encoding x what the simulated gateway answers.

    python -m conformance.matrix

From the table of messages, and from asking the gateway. ``tests/conformance/test_matrix.py`` holds the page to what
this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from conformance.drivers.wire import INFORMATION
from conformance.gateways import ROOT
from conformance.matrix_samples import conversations
from ibkit.paper.gateway import Limits
from ibkit.wire import MAX_VERSION, MIN_VERSION
from ibkit.wire import messages as m
from ibkit.wire.table import Message, table
from tests.paper.gateway.flows import SILENT
from tests.paper.gateway.peer import World

PAGE = ROOT / "docs" / "reference" / "protocol-matrix.md"

VERSIONS = (MIN_VERSION, 200, MAX_VERSION)
"""Where the gateway is asked: the oldest, the last that is text alone, the newest."""

CERTAIN_FROM = 213
"""From here on it is certain which answers are protobuf: all that can be."""

INTRODUCTION = f"""# Protocol matrix

Every message of the TWS API that ibkit speaks, at every server version from {MIN_VERSION} to {MAX_VERSION}, in both \
encodings, and what the simulated gateway (`ibkit paper`) answers. `python -m conformance.matrix` writes this page \
from the table of messages (`src/ibkit/wire/tables`) and from asking the gateway at server versions \
{", ".join(map(str, VERSIONS))}; a test holds it to that.

*Text* and *protobuf* are the server versions at which a message has that form; a server older than both does not know \
it, and ibkit refuses to send it (`UnsupportedField`). ¹ marks what is inferred or only documented: see \
[below](#facts-that-are-not-checked). Where ibkit differs from IB's own client on purpose is told \
[there](official-client.md).

ibkit offers server versions {MIN_VERSION} to {MAX_VERSION}, so a newer TWS speaks {MAX_VERSION} with it. What such a \
TWS may say nevertheless and no table knows costs nothing but itself: messages with unknown ids are skipped, text \
fields behind the last known one and unknown protobuf fields are left out. They are counted, and \
`ib.client.notUnderstood()` tells them (`Counter({{'message 300': 2, 'more fields in TICK_PRICE': 5}})`); the first of \
each is logged by `ibkit.wire`, level INFO. The simulated gateway leaves out and logs the same of what clients send, \
and answers an unknown id with error 320.
"""

REQUESTS = """
## Requests

| Request | Id | Call of IB's client | Text | Protobuf | The simulated gateway answers |
|---|---:|---|---|---|---|
"""

ANSWERS = """
## Answers

| Answer | Id | Text | Protobuf | Told by the simulated gateway after |
|---|---:|---|---|---|
"""

DOUBTS = """
## Facts that are not checked

Everything above was checked by running IB's own client against it, except for these facts. *Inferred* is what follows \
from the code of clients, *documented* what IB's documentation or logs of others say.

| Message | What | How it is known | Remark |
|---|---|---|---|
"""

# What comes of itself, whatever was asked.
UNASKED = {"MANAGED_ACCTS", "NEXT_VALID_ID"}

# Answers that need more than one client or a rare moment.
ELSEWHERE = {
    "ORDER_BOUND": "never: nobody trades by hand there",
    "TICK_EFP": "never: TWS tells it of combos with single-stock futures, which have gone",
    "TICK_NEWS": "REQ_MKT_DATA with generic tick 292, when there is news",
    "DELTA_NEUTRAL_VALIDATION": "REQ_MKT_DATA of a delta-neutral combo",
    "REROUTE_MKT_DATA_REQ": "REQ_MKT_DATA of a CFD on a share",
    "REROUTE_MKT_DEPTH_REQ": "REQ_MKT_DEPTH of a CFD on a share",
    "TICK_SNAPSHOT_END": "REQ_MKT_DATA as a snapshot",
    "TICK_OPTION_COMPUTATION": "REQ_MKT_DATA of an option, and the calculations",
    "BOND_CONTRACT_DATA": "REQ_CONTRACT_DATA of a bond",
    "MARKET_DEPTH_L2": "REQ_MKT_DEPTH at SMART",
    "HISTORICAL_TICKS": "REQ_HISTORICAL_TICKS, MIDPOINT",
    "HISTORICAL_TICKS_BID_ASK": "REQ_HISTORICAL_TICKS, BID_ASK",
    "HISTORICAL_SCHEDULE": "REQ_HISTORICAL_DATA, SCHEDULE",
    "FUNDAMENTAL_DATA": "never: the service has ended (error 10358)",
    "RECEIVE_FA": "never: the account is no advisor's (error 321)",
    "REPLACE_FA_END": "never: the account is no advisor's (error 321)",
}


class Heard(NamedTuple):
    """What the gateway answered to a request: names of messages, and codes of errors."""

    answers: tuple[str, ...]
    errors: tuple[int, ...]
    ended: bool
    """Whether a stream ended."""


def name_of(message: object) -> str:
    """Return the name of a message in the table."""
    return str(type(message).__doc__).partition(" ")[0]


def hear(version: int) -> dict[str, Heard]:
    """Hold every conversation at a server version; return what came of each request."""
    found: dict[str, Heard] = {}
    for make in conversations():
        client = World(server_version=version, limits=Limits(over_rate="ignore")).client(version=version)
        said = make(client)
        name = name_of(said[-1])
        if any(table().message(name_of(request)).since > version for request in said):
            continue
        for request in said[:-1]:
            client.ask(request, secs=3)
        streams = len(client.session.streams)
        rows = client.ask(said[-1], secs=6)
        names = tuple(dict.fromkeys(name_of(row) for row in rows if not isinstance(row, m.ErrMsg)))
        errors = tuple(dict.fromkeys(row.errorCode for row in rows if isinstance(row, m.ErrMsg)))
        found[name] = Heard(names, errors, len(client.session.streams) < streams)
    client = World(server_version=version).client(version=version, start=False)
    rows = client.ask(m.StartApi(1, ""))
    names = tuple(dict.fromkeys(name_of(row) for row in rows if not isinstance(row, m.ErrMsg)))
    found["START_API"] = Heard(
        names, tuple(sorted({row.errorCode for row in rows if isinstance(row, m.ErrMsg)})), False
    )
    return found


def spans(message: Message) -> tuple[str, str]:
    """Return the server versions at which a message is text, and protobuf."""
    mark = "¹" if not message.request and 0 < message.protobuf_since < CERTAIN_FROM else ""
    first = max(MIN_VERSION, message.since)
    if not message.protobuf:
        return f"{first}-{MAX_VERSION}", ""
    if message.protobuf_since <= first:
        return "", f"{first}-{MAX_VERSION}"
    last = message.protobuf_since - 1
    return (f"{first}-{last}" if last > first else str(first)), f"{message.protobuf_since}-{MAX_VERSION}{mark}"


def told(heard: Heard, message: Message) -> str:
    """Return what was heard of a request, in words."""
    parts = [", ".join(heard.answers)] if heard.answers else []
    if heard.errors:
        codes = ", ".join(str(code) for code in heard.errors)
        word = "message" if all(code in INFORMATION for code in heard.errors) else "error"
        parts.append(f"{word} {codes}" + ("" if heard.answers or heard.ended else ", as TWS"))
    if parts and heard.ended:
        parts.append("what it began ends")
    return "; ".join(parts) or f"no answer by protocol: {SILENT[getattr(m, message.class_name)]}"


def doubts() -> list[tuple[str, str, str, str]]:
    """Return the facts that are not checked: message, what, how it is known, remark."""
    rows = []
    for line in (files("ibkit.wire") / "tables" / "doubts.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, what, how, remark = line.split(None, 3)
            rows.append((name, what, how, remark))
    return rows


def page() -> str:
    """Return the page."""
    heard = {version: hear(version) for version in VERSIONS}
    newest = heard[MAX_VERSION]
    lines = [INTRODUCTION, REQUESTS.rstrip("\n")]
    lines += _requests(heard, newest)
    lines += [ANSWERS.rstrip("\n"), *_answers(newest), DOUBTS.rstrip("\n")]
    lines += [f"| {'all' if name == '*' else f'`{name}`'} | {what.replace('-', ' ')} | {how} | {remark} |"
              for name, what, how, remark in doubts()]  # fmt: skip
    return "\n".join(lines) + "\n"


def _requests(heard: dict[int, dict[str, Heard]], newest: dict[str, Heard]) -> Iterator[str]:
    documented = {name for name, what, *_ in doubts() if what == "answers"}
    for message in table():
        if not message.request:
            continue
        text, protobuf = spans(message)
        call = str(getattr(m, message.class_name).__doc__).rstrip(".").rpartition(": ")[2]
        answer = told(newest[message.name], message)
        others = {told(rows[message.name], message) for rows in heard.values() if message.name in rows} - {answer}
        if others:
            answer += f" (older servers: {'; '.join(sorted(others))})"
        if message.name in documented:
            answer += " ¹"
        yield f"| `{message.name}` | {message.id} | `{call}` | {text} | {protobuf} | {answer} |"


def _answers(newest: dict[str, Heard]) -> Iterator[str]:
    for message in table():
        if message.request:
            continue
        text, protobuf = spans(message)
        after = [name for name, row in newest.items() if message.name in row.answers]
        if message.name in UNASKED:
            after = ["START_API", *(name for name in after if name != "START_API")]
        if message.name == "ERR_MSG":
            what = "whatever is refused"
        elif message.name in ELSEWHERE:
            what = ELSEWHERE[message.name]
        else:
            what = ", ".join(dict.fromkeys(after))
        yield f"| `{message.name}` | {message.id} | {text} | {protobuf} | {what} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)
