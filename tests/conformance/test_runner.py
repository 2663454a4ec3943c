"""The conformance runner sees what is wrong, and what is missing: it must be able to fail."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conformance import __main__ as runner
from conformance import capabilities, clients, environments, frames, report
from conformance.capabilities import CAPABILITIES, CLIENTS, Capability
from conformance.checks import base
from conformance.drivers import __main__ as drivers
from conformance.frames import Line
from ibkit.wire import messages as m
from ibkit.wire.table import table

GOOD = clients.Result("client", 176, "a", True, "fine")
BAD = clients.Result("client", 225, "a", False, "did not come")


class Silent:
    """A client that asks nothing."""

    def __init__(self, *complaints: str) -> None:
        self._complaints = list(complaints)

    def complaints(self) -> list[str]:
        return self._complaints


def test_every_capability_has_a_check_and_every_check_a_capability() -> None:
    assert drivers.__doc__  # importing it has registered them
    assert set(base.CHECKS) == {one.name for one in CAPABILITIES}
    assert len({one.name for one in CAPABILITIES}) == len(CAPABILITIES) > 100


def test_what_a_client_lacks_has_a_reason() -> None:
    drivers_ = {client.driver for client in CLIENTS}
    for one in CAPABILITIES:
        assert set(one.lacks) < drivers_, one
        assert all(one.lacks.values()), one
    assert len(capabilities.wanted("official", 225)) == len(CAPABILITIES)


@pytest.mark.parametrize("complaint", ["", "dropped: a message"])
def test_a_complaint_of_the_client_fails_the_row(complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base.CHECKS, "x", lambda world: "fine")
    rows: list[base.Row] = []
    base.run(Silent(*[complaint] * bool(complaint)), [Capability("x")], rows.append)
    assert [row.ok for row in rows] == [not complaint]


def test_a_check_that_fails_is_a_row_and_the_next_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(world: base.World) -> str:
        raise AssertionError("bid above ask")

    monkeypatch.setitem(base.CHECKS, "x", wrong)
    monkeypatch.setitem(base.CHECKS, "y", lambda world: "fine")
    rows: list[base.Row] = []
    base.run(Silent(), [Capability("x"), Capability("y")], rows.append)
    assert [row.ok for row in rows] == [False, True]
    assert "bid above ask" in rows[0].detail


def test_what_is_not_reported_is_a_failure(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.txt"
    log.write_text("Traceback (most recent call last):\n")
    monkeypatch.setattr(clients, "ROOT", tmp_path)
    client = CLIENTS[0]
    wanted = [one.name for one in capabilities.wanted(client.driver, 225)]
    rows = list(clients._missing(client, 225, set(wanted[1:]), "", 1, log))
    assert [(row.capability, row.ok) for row in rows] == [(wanted[0], False), ("gateway without a failure", False)]


NPM = "#!/bin/sh\necho 'ENOTFOUND: no such registry' >&2\nexit 7\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins for Node.js are shell scripts")
@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        ({}, "there is no node"),
        ({"node": "#!/bin/sh\necho v20.1.0\n"}, "there is no npm"),
        ({"node": "#!/bin/sh\necho v18.1.0\n", "npm": NPM}, "this is v18.1.0"),
        ({"node": "#!/bin/sh\necho v20.1.0\n", "npm": NPM}, "(exit status 7):\nENOTFOUND: no such registry"),
    ],
)
def test_a_client_that_cannot_be_installed_fails_the_run(
    programs: dict[str, str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name, script in programs.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(environments, "BUILD", tmp_path / "build")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["conformance", "--part", "stoqey"])
    assert runner.main() == 1
    assert reason in capsys.readouterr().out


def test_the_report_names_every_failure() -> None:
    line = Line("PNL", "answer", "text", "157-209", "53 of 53", 10, 0, 2, 1, "PNL at 157: not the same")
    found = report.failures([line], [GOOD, BAD])
    assert (found[0], found[-1]) == ("PNL at 157: not the same", "client at 225: a: did not come")
    assert "PNL: not compared in protobuf" in found
    assert "PNL: not compared in text" not in found
    assert "fails at 225" in report.of_clients([GOOD, BAD])
    assert ["all", "10", "0", "2", "1"] in [line.split() for line in report.of_frames([line]).splitlines()]


@pytest.mark.parametrize(("differences", "caught"), [(0, True), (1, True), (0, False)])
def test_a_difference_ends_the_run_with_an_error(
    differences: int, caught: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    line = Line("PNL", "answer", "text", "157-209", "53 of 53", 10, 0, 0, differences, "PNL at 157: not the same")
    row = clients.Result("tests of the wire", 225, "mistakes in the table", caught, "PNL swapped: not caught")
    monkeypatch.setattr(runner, "ProcessPoolExecutor", lambda count, mp_context: ThreadPoolExecutor(count))
    monkeypatch.setattr(frames, "compare", lambda plan: [line])
    monkeypatch.setattr(runner.mutants, "result", lambda count: row)
    monkeypatch.setattr(report, "missing", lambda lines: [])
    monkeypatch.setattr(sys, "argv", ["conformance", "--quick", "--part", "wire"])
    assert runner.main() == (differences or not caught)
    told = capsys.readouterr().out
    assert ("PNL at 157: not the same" in told) is bool(differences)
    assert ("PNL swapped: not caught" in told) is not caught


# -- frames ---------------------------------------------------------------------------------------------------------


def test_every_message_is_compared_in_both_encodings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "bounds", lambda name: [200, 225])
    lines = frames.compare(frames.Plan(1, (200, 225), (), (0,)))
    assert not report.failures(lines, [])
    assert {line.message for line in lines} == {message.name for message in table()}
    assert (sum(line.direction == "request" for line in lines), len(lines)) == (81 + 83, 81 + 83 + 84 + 82)


def test_the_full_plan_compares_every_message_at_every_server_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "samples", lambda message, count: [])
    monkeypatch.setattr(frames, "samples_at", lambda message, version, plan, random: iter([None]))
    lines = frames.compare(frames.FULL)
    assert not frames.missing(lines)
    for message in table():
        compared = sum(line.frames for line in lines if line.message == message.name)
        assert compared == frames.MAX_VERSION - max(message.since, frames.MIN_VERSION) + 1


@pytest.mark.parametrize("version", [176, 200, 210, 225])
def test_a_field_too_many_is_seen(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, encode = m.Pnl(1, 2.0, 3.0, 4.0), frames.Codec.encode

    def more(codec: Any, message: Any) -> bytes:
        body = encode(codec, message)[4:] + (b"\x82\x08\x01x" if version >= 210 else b"7\0")
        return len(body).to_bytes(4, "big") + body

    monkeypatch.setattr(frames.Codec, "encode", more)
    monkeypatch.setattr(frames, "back", lambda *args: None)
    assert "leaves" in str(frames.answer_difference("PNL", made, version))


def test_a_request_that_is_not_the_official_one_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = m.ReqMarketRule(27)
    monkeypatch.setattr(frames, "as_the_official_client_would", lambda name, made, version: made)
    assert frames.request_difference("REQ_MARKET_RULE", m.ReqMarketRule(26), 176) is None
    theirs = frames.official_frame(wrong, 176)
    monkeypatch.setattr(frames, "official_frame", lambda made, version: theirs)
    assert frames.request_difference("REQ_MARKET_RULE", m.ReqMarketRule(26), 176) is not None


@pytest.mark.parametrize("version", [176, 225])
def test_an_answer_that_is_read_differently_is_seen(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = m.Pnl(1, 2.0, 3.0, 4.0)
    assert frames.answer_difference("PNL", made, version) is None
    theirs = frames.official_reading
    swapped = {"unrealizedPnL": "realizedPnL", "realizedPnL": "unrealizedPnL"}

    def read(frame: bytes, at: int) -> Any:
        calls, left = theirs(frame, at)
        return [(name, {swapped.get(key, key): value for key, value in told.items()}) for name, told in calls], left

    monkeypatch.setattr(frames, "official_reading", read)
    assert frames.answer_difference("PNL", made, version) is not None
