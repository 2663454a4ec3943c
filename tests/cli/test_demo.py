"""The demo ends by itself within a minute, without a terminal, and leaves a chart."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path


def test_demo(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "ibkit.cli", "demo", "--out", tmp_path / "pictures"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert time.monotonic() - began < 60
    text = done.stdout
    for chapter in (
        "Connect",
        "Contracts",
        "Live prices",
        "histories",
        "market order",
        "bracket",
        "condition",
        "Greeks",
    ):
        assert chapter in text
    assert "on_filled: BOT V 200 @ " in text
    bracket = [
        line.split() for line in text.splitlines() if line.strip().startswith(("entry", "take profit", "stop loss"))
    ]
    assert [line[-1] for line in bracket] == ["Filled", "Filled", "Cancelled"], text
    assert "the order filled by itself: 100 MA @ " in text
    picture = tmp_path / "pictures" / "demo.png"
    assert str(picture) in text.replace("\n", "")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 50_000
