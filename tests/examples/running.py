"""Running scripts as users do: in a process of their own, with this interpreter."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "examples" / "guide"
PRINTED = Path(__file__).parent / "printed"

START = "2024-01-10 10:00"
"""A day of the market, so that every run sees the same."""

PRICE = r"\d+\.\d+"
"""A price as scripts print it."""


def environment(port: int | None = None) -> dict[str, str]:
    """Return the environment of a script that is to find a gateway at ``port``."""
    found = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if port is not None:
        found |= {"IBKIT_HOST": "127.0.0.1", "IBKIT_PORT": str(port)}
    return found


def run(
    *command: str | Path, port: int | None = None, timeout: float = 60, warnings: str = "error"
) -> subprocess.CompletedProcess[str]:
    """Run a Python program to its end."""
    return subprocess.run(
        [sys.executable, "-W", warnings, *map(str, command)],
        env=environment(port),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def check(done: subprocess.CompletedProcess[str], expected: list[str], errors: str = "") -> None:
    """Check that these lines were printed in this order, and nothing else than ``errors`` on standard error."""
    lines = iter(done.stdout.splitlines())
    for pattern in expected:
        assert any(re.fullmatch(pattern, line) for line in lines), f"no {pattern!r} in\n{done.stdout}\n{done.stderr}"
    assert re.fullmatch(errors, done.stderr, re.DOTALL), done.stderr
    assert done.returncode == 0


def run_until(pattern: str, *command: str | Path) -> str:
    """Run a program that never ends until it prints a line; then interrupt it, as Ctrl-C would. Return its output."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        output = ""
        try:
            for line in process.stdout:
                output += line
                if re.fullmatch(pattern, line.rstrip("\n")):
                    break
            else:
                raise AssertionError(f"it ended without {pattern!r}:\n{output}")
        finally:
            process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait(30)
    return output
