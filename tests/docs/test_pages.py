"""What the README and the docs say runs: Python blocks are executed, commands and links exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ibkit.paper import PaperGateway

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of one language."""
    return [code for name, code in BLOCK.findall(page.read_text(encoding="utf-8")) if name == language]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name)
def test_python_blocks_run_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    with PaperGateway(port=0, seed=1) as gateway:
        env = {**os.environ, "IBKIT_PORT": str(gateway.port), "PYTHONWARNINGS": "error"}
        done = subprocess.run(
            [sys.executable, script], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_languages_of_blocks_are_ones_that_are_checked(page: Path) -> None:
    assert {language for language, _ in BLOCK.findall(page.read_text(encoding="utf-8"))} <= {"python", "sh", "text"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    commands = [line for code in blocks(page, "sh") for line in code.splitlines() if line and not line.startswith("#")]
    for command in commands:
        words = command.split()
        match words[0]:
            case "make":
                assert set(words[1:]) <= targets, command
            case "pip":
                assert set(re.findall(r"\[(\w+)\]", command)) <= extras.keys(), command
            case "ibkit":
                help_text = _ibkit(words[1], "--help")
                assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", help_text))
            case "python":
                assert (ROOT / words[1]).exists(), command
            case _:
                pytest.fail(f"{command!r} is not checked")


def test_the_first_script_runs_under_ibkit_run(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(blocks(ROOT / "README.md", "python")[0], encoding="utf-8")
    assert "Filled" in _ibkit("run", "--paper", "first.py", cwd=tmp_path)


def _ibkit(*arguments: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ibkit.cli", *arguments],
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
