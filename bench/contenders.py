"""Who takes part: the clients, and the environment that each one's library lives in.

Environments are made once under build/bench, with venv and pip; ibkit's own is installed from this checkout. A stamp
in each says what it holds. Must not know what is measured.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"

# What pip installs for each library.
REQUIREMENTS = {
    "ibkit": (f"--editable={ROOT}[pandas]", "uvloop"),
    "ib_async": ("ib_async==2.1.0", "pandas"),
    "ib_insync": ("ib_insync==0.9.86", "pandas"),
    "ibapi": ("nautilus_ibapi==10.46.1", "protobuf"),  # which it needs and does not name
}

TEXT, PROTOBUF = 176, 225
"""The server versions: the newest that ib_insync speaks, and the newest of all."""


@dataclass(frozen=True)
class Contender:
    """A client at a server version. ``host``: how it waits."""

    family: str
    module: str
    host: str
    version: int

    @property
    def library(self) -> str:
        """What it imports; the raw loop needs ibkit to make requests before the measurement."""
        return "ibkit" if self.family == "raw" else self.family

    @property
    def name(self) -> str:
        """What the report calls it."""
        host = "" if self.host == "blocking" else f" {self.host}"
        return f"{self.family}{host} {self.version}"


CONTENDERS = (
    Contender("raw", "raw", "blocking", TEXT),
    Contender("raw", "raw", "blocking", PROTOBUF),
    Contender("ibkit", "insync", "blocking", TEXT),
    Contender("ib_async", "insync", "blocking", TEXT),
    Contender("ibkit", "insync", "blocking", PROTOBUF),
    Contender("ib_insync", "insync", "blocking", TEXT),
    Contender("ibkit", "insync", "asyncio", TEXT),
    Contender("ibkit", "insync", "asyncio", PROTOBUF),
    Contender("ibkit", "insync", "uvloop", TEXT),
    Contender("ibkit", "insync", "uvloop", PROTOBUF),
    Contender("ibapi", "official", "blocking", TEXT),
    Contender("ibapi", "official", "blocking", PROTOBUF),
)


def environment(library: str) -> Path:
    """Return the interpreter of a library's environment; make it when it is missing."""
    home = BUILD / library
    python = home / "bin" / "python"
    stamp = home / ".installed"
    wanted = "\n".join((sys.version, *REQUIREMENTS[library]))
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {library} into {home.relative_to(ROOT)} (once)", file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *REQUIREMENTS[library]], check=True, timeout=600)
        stamp.write_text(wanted)
    return python


def versions(python: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the installed versions of distributions in an environment, without those that it does not have."""
    code = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: pass\n"
    )
    done = subprocess.run([python, "-c", code, *names], check=True, capture_output=True, text=True, timeout=60)
    return dict(line.split() for line in done.stdout.splitlines())
