"""What the explanation says in tables is what the code does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from ibkit import IB, OrderStatus, codes
from ibkit.codes import Consequence, Kind, Target
from ibkit.engine.orders import STATUS_PATIENCE_S
from ibkit.engine.throttle import MAX_REQUESTS, REQUESTS_INTERVAL_S, reserve
from ibkit.hosts.nesting import MAX_NESTING
from ibkit.paper import Limits

EXPLAIN = Path(__file__).parents[2] / "docs" / "explain"
REFERENCE = EXPLAIN.parent / "reference"

TARGETS = (Target.REQUEST, Target.STREAM, Target.NEW_ORDER, Target.LIVE_ORDER)
WORDS = {
    "nothing": {Consequence.NOTHING},
    "a line in the log": {Consequence.NOTHING},
    "fails": {Consequence.END_REQUEST},
    "ends": {Consequence.END_REQUEST, Consequence.REJECT_ORDER, Consequence.CANCEL_ORDER},
    "is refused": {Consequence.REJECT_ORDER},
    "the change or cancel failed": {Consequence.FAIL_ATTEMPT},
}
KINDS = {
    "information, warning": (Kind.INFO, Kind.WARNING),
    "state of a feed, of a connection": (Kind.FEED_STATE, Kind.CONNECTION_STATE),
    "request failed": (Kind.REQUEST_FAILED,),
    "order rejected": (Kind.ORDER_REJECTED,),
    "order dead (201, 202)": (Kind.ORDER_DEAD,),
    "modify or cancel failed": (Kind.ATTEMPT_FAILED,),
    "depends on what it is about (100, 110, 200, 321 ...)": (Kind.VARIES,),
    "unknown code": (Kind.UNKNOWN,),
}


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the body of the first table under a heading."""
    text = (EXPLAIN / page).read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    match = re.search(r"^\|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert match, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in match[1].splitlines()]


CODE_ROWS = rows("codes.md", "What a message does")


@pytest.mark.parametrize("row", CODE_ROWS, ids=lambda row: row[0])
def test_what_a_code_does(row: list[str]) -> None:
    for kind in KINDS[row[0]]:
        numbers = [number for number, code in codes.TABLE.items() if code.kind is kind] or [99999]
        for number in numbers:
            assert codes.lookup(number).kind is kind
            for target, words in zip(TARGETS, row[1:], strict=True):
                assert codes.consequence(number, target) in WORDS[words], (number, target)


def test_every_kind_is_explained() -> None:
    explained = {kind for row in CODE_ROWS for kind in KINDS[row[0]]}
    assert explained == set(Kind) - {Kind.LOCAL}  # the last is never sent by TWS
    named = [int(number) for row in CODE_ROWS for number in re.findall(r"\d+", row[0])]
    assert all(codes.lookup(number).kind in (Kind.ORDER_DEAD, Kind.VARIES) for number in named)


def test_the_states_of_an_order() -> None:
    text = (EXPLAIN / "order-states.md").read_text(encoding="utf-8")
    sets = (OrderStatus.WaitingStates, OrderStatus.WorkingStates, OrderStatus.ActiveStates, OrderStatus.DoneStates)
    table = re.findall(r"^\| (\w+) \| [^|]+ \| *(\w*) *\| *(\w*) *\| *(\w*) *\| *(\w*) *\|$", text, re.MULTILINE)
    table = [row for row in table if row[0] != "status"]
    assert len(table) == 9
    for status, *marks in table:
        assert [mark == "yes" for mark in marks] == [status in states for states in sets], status


def test_the_codes_that_change_a_status() -> None:
    refused = {number: codes.consequence(number, Target.NEW_ORDER) for number in (110, 103, 387, 321)}
    assert set(refused.values()) == {Consequence.REJECT_ORDER}
    for number in (399, 2109, 10349, 77777):
        assert codes.consequence(number, Target.NEW_ORDER) is Consequence.NOTHING
        assert codes.consequence(number, Target.LIVE_ORDER) is Consequence.NOTHING


def test_the_numbers() -> None:
    rate = (EXPLAIN / "throttle.md").read_text(encoding="utf-8")
    assert f"| messages in an interval | {MAX_REQUESTS} |" in rate
    assert f"| seconds of the interval | {REQUESTS_INTERVAL_S:g} |" in rate
    assert f"| {reserve(MAX_REQUESTS)} of {MAX_REQUESTS} |" in rate
    assert reserve(MAX_REQUESTS) == MAX_REQUESTS // 9
    assert MAX_NESTING == 20
    assert "twenty such calls" in (EXPLAIN / "who-waits.md").read_text(encoding="utf-8")
    assert STATUS_PATIENCE_S == 2
    assert "within two seconds" in (EXPLAIN / "order.md").read_text(encoding="utf-8")


def test_the_limits_of_the_paper_gateway() -> None:
    text = (REFERENCE / "limits.md").read_text(encoding="utf-8")
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "| " in line]
    enforced = {row[0].partition(" ")[0]: row[2].partition(",")[0] for row in table if len(row) == 5}
    limits = Limits()
    assert enforced["messages"] == f"{limits.messages_per_s:g}"
    assert limits.over_rate == "pace"
    assert enforced["clients"] == str(limits.clients)
    assert enforced["market"] == str(limits.lines)
    assert enforced["order"] == str(limits.depth_books)
    assert enforced["tick-by-tick"] == str(limits.tick_by_tick)
    assert enforced["scanners"] == str(limits.scanners)
    assert f"| historical requests at a time | 50 | {limits.histories} |" in text
    assert f"| account summaries at a time | 2 | {limits.summaries} |" in text
    assert not limits.historical_pacing


def test_every_limit_of_ib_stands_where_it_is_met() -> None:
    """The page of limits names sections of IB's documentation; so do the docstrings of the requests they are about."""
    text = (REFERENCE / "limits.md").read_text(encoding="utf-8")
    sections = {line.split("|")[-2].strip() for line in text.splitlines() if line.startswith("| ")} - {
        "stands in IB's TWS API documentation under"
    }
    docs = {name: " ".join((inspect.getdoc(getattr(IB, name)) or "").split()) for name in dir(IB)}
    said = {name: set(re.findall(r'"([^"]+)" of the TWS API documentation', doc)) for name, doc in docs.items()}
    assert set().union(*said.values()) == sections - {"Pacing Limitations", "Connectivity"}  # of all, and of connecting
    for name, found in said.items():
        assert not found or "IB's rule" in docs[name], name
