"""Lets foreign clients loose on the gateway and collects what came of every capability."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from conformance.capabilities import IB_STAR, Client, wanted
from conformance.environments import BUILD, node_modules, python_of
from conformance.gateways import ROOT, gateway

LONGEST_S = 600


class Result(NamedTuple):
    """What came of a capability, with one client at one server version."""

    client: str
    version: int
    capability: str
    ok: bool
    detail: str


def command(client: Client) -> list[str]:
    """Return the command that runs the checks with a client, but for host and port."""
    python = str(python_of(client.driver)) if client.driver in IB_STAR else sys.executable
    return [python, "-m", "conformance.drivers", client.driver]


def run(client: Client, version: int, only: str = "") -> Iterator[Result]:
    """Run the checks with a client at a gateway of a server version, as they are done; raises Unavailable."""
    log = BUILD / "logs" / f"{client.driver}-{version}.txt"
    reported: set[str] = set()
    start = command(client)
    more = ["--modules", str(node_modules())] if client.driver == "stoqey" else []
    with gateway(version, log) as port, log.with_suffix(".errors.txt").open("w") as errors:
        process = subprocess.Popen(
            [*start, "127.0.0.1", str(port), *more, "--only", only],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                row = json.loads(line)
                reported.add(row["capability"])
                yield Result(client.name, version, row["capability"], row["ok"], row["detail"])
            process.wait(LONGEST_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    yield from _missing(client, version, reported, only, process.returncode, log)


def _names(client: Client, version: int) -> Result:
    """Check that the tests of our public names hold them to what this library really has."""
    command = [str(python_of(client.driver)), str(ROOT / "tests" / "compat" / "dump.py"), client.driver, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    detail = (done.stdout + done.stderr).strip().rpartition("\n")[2]
    return Result(client.name, version, "public names as written down", not done.returncode, detail)


def _missing(client: Client, version: int, reported: set[str], only: str, status: int, log: Path) -> Iterator[Result]:
    """Return what should have been reported and was not, and failures inside the gateway."""
    for capability in wanted(client.driver, version):
        if only in capability.name and capability.name not in reported:
            errors = log.with_suffix(".errors.txt")
            detail = f"not reported (exit status {status}); see {errors.relative_to(ROOT)}"
            yield Result(client.name, version, capability.name, False, detail)
    if not only and client.driver in IB_STAR:
        yield _names(client, version)
    if not only:
        failures = log.read_text().count("Traceback (most recent call last)")
        yield Result(
            client.name, version, "gateway without a failure", not failures,
            f"{failures} failures in {log.relative_to(ROOT)}" if failures else "none logged",
        )  # fmt: skip
