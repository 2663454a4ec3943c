"""The environments of the foreign clients, made when they are missing: under build/conformance."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from conformance.gateways import ROOT

BUILD = ROOT / "build" / "conformance"
PACKAGES = {"ib_insync": ("ib_insync==0.9.86",), "ib_async": ("ib_async==2.1.0",)}
NODE = ROOT / "conformance" / "drivers" / "node"


LONGEST_S = 300
NODE_VERSION = 20


class Unavailable(Exception):
    """An environment that cannot be made here."""


def _install(what: str, command: list[str], where: Path) -> None:
    """Run an installer; raises Unavailable with what it said."""
    print(f"installing {what} into build/conformance/{where.name} (once)", flush=True)
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} could not be installed within {LONGEST_S} s: is the registry reachable?") from None
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise Unavailable(f"{what} could not be installed (exit status {done.returncode}):\n{said}")


def _check_node() -> None:
    """Raise Unavailable when Node.js is missing or too old."""
    needed = f"@stoqey/ib needs Node.js {NODE_VERSION} or newer with npm (on Debian: apt install nodejs npm)"
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Unavailable(f"{needed}: there is no {program}")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False, timeout=60).stdout.strip()
    if not (said[1:].split(".")[0].isdigit() and int(said[1:].split(".")[0]) >= NODE_VERSION):
        raise Unavailable(f"{needed}: this is {said or 'none that runs'}")


def python_of(name: str) -> Path:
    """Return the interpreter of the environment where a library lives: both have a package of the same name."""
    home = BUILD / name
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = home / ".conformance"
    wanted = "\n".join(PACKAGES[name])
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[name]]
        _install(wanted, command, home)
        stamp.write_text(wanted)
    return python


def node_modules() -> Path:
    """Return the directory in which @stoqey/ib is installed, as the lock file says."""
    home = BUILD / "node"
    lock = (NODE / "package-lock.json").read_text()
    stamp = home / ".conformance"
    _check_node()
    if not stamp.exists() or stamp.read_text() != lock:
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, home / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
        _install("@stoqey/ib", command, home)
        stamp.write_text(lock)
    return home
