"""The gateway under test: ``ibkit paper``, as a user starts it, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
START = "2024-01-10 10:00"
SPEED = 20


@contextmanager
def gateway(server_version: int, log: Path) -> Iterator[int]:
    """Run a gateway; gives its port. What it logs goes to a file."""
    command = [
        sys.executable,
        "-c",
        "from ibkit.cli import main; main()",
        "paper",
        "--port",
        "0",
        "--server-version",
        str(server_version),
    ]
    command += ["--start", START, "--speed", str(SPEED), "-v"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r":(\d+)\s*$", line)
            if found is None:
                raise RuntimeError(f"the gateway did not start: {line!r}; see {log}")
            yield int(found[1])
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
