"""What ``from ibkit import *`` loads: nothing that most programs would wait for without a use for it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "asyncio", "dataclasses", "google.protobuf", "importlib.resources", "inspect", "matplotlib",
    "numpy", "pandas", "pathlib", "rich", "ssl", "subprocess", "tempfile", "typer", "unittest", "urllib", "xml",
)  # fmt: skip


def test_importing_everything_loads_nothing_heavy() -> None:
    code = f"exec('from ibkit import *', {{}}); import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    # -I: what the test run has loaded or set has no part in it.
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n", done.stdout
