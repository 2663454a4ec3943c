"""The benchmark runs: outcomes are checked and a report is written. Nothing here looks at a clock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import report
from bench.contenders import CONTENDERS
from bench.runner import Results, Runner
from bench.scenarios import SCENARIOS, TARGETS
from bench.traffic import STREAMS
from ibkit.wire import Codec, FrameReader, Role

ROOT = Path(__file__).parents[2]
PATIENCE_S = 100


def run(tmp_path: Path, *arguments: str) -> str:
    out = tmp_path / "report.md"
    command = [sys.executable, "-m", "bench", "--quick", "--here", "--out", str(out), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_text()


def test_every_scenario_that_is_short_runs_with_ibkit_and_the_raw_loop(tmp_path: Path) -> None:
    names = "burst,tick-by-tick,depth,tick-to-order,orders,modify,connect-full,bars-text,frame-epoch,growth"
    text = run(tmp_path, "--only", names, "--clients", "raw,ibkit 176,ibkit 225")
    for name in names.split(","):
        assert f"`{name}`" in text
    assert "| ibkit 225 |" in text
    assert "Failures" not in text
    assert "python -m bench --quick" in text


def test_the_official_client_runs_in_both_forms(tmp_path: Path) -> None:
    text = run(tmp_path, "--only", "burst,orders", "--clients", "ibapi")
    assert "| ibapi 176 |" in text
    assert "| ibapi 225 |" in text


def test_a_wrong_outcome_is_a_failure(tmp_path: Path) -> None:
    """The check checks: a gateway that promises another outcome makes the run fail."""
    code = (
        "import sys; from bench import runner, __main__\n"
        "line = runner.GatewayProcess.line\n"
        "def lie(self, patience_s):\n"
        "    said = line(self, patience_s)\n"
        "    said.get('outcome', {})['ticks'] = -1\n"
        "    return said\n"
        "runner.GatewayProcess.line = lie\n"
        "sys.exit(__main__.main(sys.argv[1:]))\n"
    )
    out = tmp_path / "report.md"
    arguments = ["--quick", "--here", "--only", "burst", "--clients", "raw", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 1
    assert "a wrong outcome" in out.read_text()


def test_names_that_do_not_exist_are_told() -> None:
    for arguments in (["--only", "nothing"], ["--clients", "nobody"]):
        command = [sys.executable, "-m", "bench", "--here", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode != 0
        assert arguments[1] in done.stderr


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_streams_are_what_they_say_at_every_version(name: str) -> None:
    ids, count = (7, 9, 11), 500
    outcomes = []
    for version in (176, 225):
        stream = STREAMS[name](Codec(Role.SERVER, version), ids, count)
        frames = FrameReader()
        frames.feed(b"".join(stream.frames))
        codec = Codec(Role.CLIENT, version)
        messages = [codec.decode(body) for body in iter(frames.next, None)]
        assert len(messages) == count == stream.expected["ticks"]
        assert not codec.unknown_ids
        outcomes.append((messages, stream.expected))
    assert outcomes[0] == outcomes[1]


def test_every_target_names_a_scenario_and_a_metric() -> None:
    metrics = {scenario.name: scenario.metrics for scenario in SCENARIOS}
    for target in TARGETS:
        assert target.metric in metrics[target.scenario]
        assert not target.against or target.metric in metrics[target.against]


def test_the_report_compares_with_the_peer_in_the_same_run() -> None:
    by_name = {each.name: each for each in CONTENDERS}
    results = []
    for name, costs in {"ibkit 176": (1.0, 5.0, 2.0), "ib_async 176": (20.0, 10.0, 9.0)}.items():
        result = Results("burst", by_name[name])
        for cost in costs:
            result.add({"cpu_us": cost})
        results.append(result)
    text = report.write(results, {"processor": "one"}, "make bench", 60.0, 3, False)
    assert "| burst ticks, CPU per message | blocking 176 | 0.2 | 0.2 | met |" in text
    assert "| ibkit 176 | 2 (1-5) | 0.20 |" in text
    assert "| ib_async 176 | 10 (9-20) | 1.00 |" in text
    results[1].failures.append("it broke")
    assert "- burst, ib_async 176: it broke" in report.write(results, {}, "make bench", 60.0, 3, False)


def test_a_client_that_does_not_start_is_a_failure_and_the_next_one_runs() -> None:
    raw = next(each for each in CONTENDERS if each.name == "raw 176")
    burst = next(each for each in SCENARIOS if each.name == "burst")
    runner = Runner({"ibkit": Path("/bin/false")}, quick=True, repeat=1)
    [result] = runner.run(burst, [raw])
    assert [text.split(":")[0] for text in result.failures] == ["the client ended with 1"]
    assert not result.metrics
