"""The conformance runner sees what is wrong, and what is missing: it must be able to fail."""

from __future__ import annotations

import sys
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
    line = Line("PNL", "answer", "text", "157-209", 10, 0, 1, "PNL at 157: not the same")
    assert report.failures([line], [GOOD, BAD]) == ["PNL at 157: not the same", "client at 225: a: did not come"]
    assert "fails at 225" in report.of_clients([GOOD, BAD])
    assert report.of_frames([line]).splitlines()[-1].split() == ["all", "10", "0", "1"]


# -- frames ---------------------------------------------------------------------------------------------------------


def test_every_message_is_compared_in_both_encodings() -> None:
    lines = frames.compare(1, (200, 225))
    assert {line.message for line in lines} == {message.name for message in table()}
    assert not [line for line in lines if line.differences]
    assert sum(line.encoding == "protobuf" for line in lines) > 160


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
    theirs = frames.official_calls
    swapped = {"unrealizedPnL": "realizedPnL", "realizedPnL": "unrealizedPnL"}

    def read(frame: bytes, at: int) -> Any:
        return [
            (name, {swapped.get(key, key): value for key, value in told.items()}) for name, told in theirs(frame, at)
        ]

    monkeypatch.setattr(frames, "official_calls", read)
    assert frames.answer_difference("PNL", made, version) is not None
