"""Events without a connection: a program that uses operators and nothing else."""

from __future__ import annotations

import subprocess
import sys


def test_events_work_in_a_program_that_never_connects() -> None:
    code = "from ibkit import Event\nprint(Event.range(3).map(lambda x: x * 2).list().run())"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "[[0, 2, 4]]\n"), done.stderr
