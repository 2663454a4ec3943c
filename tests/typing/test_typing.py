"""mypy and pyright see the types that users are told, find nothing else in them, and find mistakes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
GOOD = [HERE / "requests.py", HERE / "events.py"]
BAD = HERE / "mistakes.py"

MYPY = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty", "--hide-error-context"]
PYRIGHT = [sys.executable, "-m", "basedpyright", "--level", "error"]


@pytest.fixture(scope="module")
def complaints() -> dict[str, list[tuple[str, int, str]]]:
    """Return what each checker complains of: file, line, text."""
    found = {}
    files = list(map(str, [*GOOD, BAD]))
    running = {
        name: subprocess.Popen([*command, *files], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for name, command in (("mypy", MYPY), ("pyright", PYRIGHT))
    }
    for name, process in running.items():
        text = process.communicate(timeout=110)[0]
        assert process.returncode in (0, 1), text
        rows = re.findall(r"^ *(\S+\.py):(\d+)(?::\d+)?:? -? ?error: (.*)$", text, re.MULTILINE)
        found[name] = [(Path(path).name, int(line), words) for path, line, words in rows]
        assert found[name], text
    return found


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_types_are_those_that_are_told(checker: str, complaints: dict[str, list[tuple[str, int, str]]]) -> None:
    assert [each for each in complaints[checker] if each[0] != BAD.name] == []


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_mistakes_are_found(checker: str, complaints: dict[str, list[tuple[str, int, str]]]) -> None:
    lines = BAD.read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if "# wrong" in line}
    assert len(wrong) >= 15
    assert {line for name, line, _ in complaints[checker] if name == BAD.name} == wrong
