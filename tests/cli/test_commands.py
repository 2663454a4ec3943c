"""The command itself: help, version, and what it says when something is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ibkit
from ibkit.cli.commands import app


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"ibkit {ibkit.__version__}\n")


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in ("demo", "paper", "run", "doctor"))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, ibkit.cli.commands\n"
        "heavy = {'numpy', 'pandas', 'matplotlib', 'google.protobuf', 'ibkit.ib', 'ibkit.paper.broker'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_packages_it_says_what_to_install(tmp_path: Path, missing: str) -> None:
    code = f"import sys\nsys.modules[{missing!r}] = None\nfrom ibkit.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip install 'ibkit[cli]'" in done.stderr


@pytest.mark.parametrize("missing", ["numpy", "pandas", "matplotlib"])
def test_the_demo_says_what_to_install(missing: str) -> None:
    code = (
        f"import sys\nsys.modules[{missing!r}] = None\nsys.argv = ['ibkit', 'demo']\nfrom ibkit.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"the demo needs {missing}: pip install 'ibkit[all]'" in done.stderr
