"""A description of the machine and of what ran on it, for the report."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.contenders import ROOT, versions

DISTRIBUTIONS = ("ibkit", "ib_async", "ib_insync", "nautilus_ibapi", "pandas", "protobuf", "uvloop")


def describe(pythons: Mapping[str, Path], load: float) -> dict[str, str]:
    """Return what a reader needs to judge the numbers, by heading; ``load`` is that before the run."""
    found: dict[str, str] = {}
    for python in pythons.values():
        found = {**versions(python, DISTRIBUTIONS), **found}
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version}" for name, version in sorted(found.items())),
        "checkout": _checkout(),
        "load before the run": f"{load:.1f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _checkout() -> str:
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run(
            [*git, "status", "--porcelain", "src"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return commit.stdout.strip() + (", with changes" if changes.stdout.strip() else "")
