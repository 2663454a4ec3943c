"""ib_insync and ib_async, unchanged, at our gateway: ``make conformance``.

Each lives in an environment of its own under build/conformance, made when it is missing. Exit status 1 when anything
does not work, an environment that cannot be made included.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from ibkit.paper import PaperGateway

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "build" / "conformance"
DAY = Path(__file__).with_name("day.py")
DUMP = ROOT / "tests" / "compat" / "dump.py"

LIBRARIES = {"ib_insync": ("ib_insync==0.9.86", "pandas"), "ib_async": ("ib_async==2.1.0", "pandas")}
SERVER_VERSIONS = (157, 176, 178, 225)  # both speak up to 176 or 178, whatever the gateway could do
PATIENCE_S = 300


def environment(name: str) -> Path:
    """Return the interpreter of a library's environment."""
    home = BUILD / name
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = home / ".installed"
    wanted = "\n".join(LIBRARIES[name])
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {name} into {home.relative_to(ROOT)} (once)", flush=True)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *LIBRARIES[name]], check=True)
        stamp.write_text(wanted)
    return python


def main() -> int:
    """Run every library at every server version."""
    failed = []
    for name in LIBRARIES:
        python = environment(name)
        # What the tests hold our public names to is what this library has.
        if subprocess.run([str(python), str(DUMP), name, "--check"], check=False, timeout=PATIENCE_S).returncode:
            failed.append(f"{name}.json")
        for version in SERVER_VERSIONS:
            print(f"{name} at server version {version}", flush=True)
            with PaperGateway(server_version=version, start="2024-01-10 10:00", speed=5) as gateway:
                command = [str(python), str(DAY), name, str(gateway.port)]
                done = subprocess.run(command, check=False, timeout=PATIENCE_S)
            if done.returncode:
                failed.append(f"{name} at {version}")
    print(f"failed: {', '.join(failed)}" if failed else "all is well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
