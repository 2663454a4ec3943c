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


class Unavailable(Exception):
    """An environment that cannot be made here."""


def python_of(name: str) -> Path:
    """Return the interpreter of the environment where a library lives: both have a package of the same name."""
    home = BUILD / name
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = home / ".conformance"
    wanted = "\n".join(PACKAGES[name])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {wanted} into {home.relative_to(ROOT)} (once)", flush=True)
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[name]]
        if subprocess.run(command, check=False).returncode:
            raise Unavailable(f"{wanted} could not be installed")
        stamp.write_text(wanted)
    return python


def node_modules() -> Path:
    """Return the directory in which @stoqey/ib is installed, as the lock file says."""
    home = BUILD / "node"
    lock = (NODE / "package-lock.json").read_text()
    stamp = home / ".conformance"
    if not stamp.exists() or stamp.read_text() != lock:
        if shutil.which("npm") is None:
            raise Unavailable("@stoqey/ib needs Node.js 20 or newer with npm (on Debian: apt install nodejs npm)")
        print(f"installing @stoqey/ib into {home.relative_to(ROOT)} (once)", flush=True)
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, home / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
        if subprocess.run(command, cwd=home, check=False).returncode:
            raise Unavailable("@stoqey/ib could not be installed")
        stamp.write_text(lock)
    return home
