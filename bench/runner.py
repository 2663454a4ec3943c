"""Runs scenarios: a gateway process for each server version, a new client process for each run, A B A B.

What a client reports is compared with what the gateway says must come of it; a run with another outcome counts as a
failure and its numbers are dropped. Must not know what the numbers mean.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from bench.clients.job import PROFILE
from bench.contenders import BUILD, ROOT, Contender
from bench.plays import PLAYS
from bench.scenarios import Params, Scenario

STARTUP_S = 120.0
"""For a gateway to make its traffic."""

GATEWAY_S = 30.0
"""For a gateway to say what came of a client that has ended."""

CLIENT_S = 300.0
LONG_CLIENT_S = 900.0


class RunFailed(Exception):
    """A run that gave no number."""


@dataclass(frozen=True)
class Cores:
    """Which core the client has to itself, and which one the gateway; None where nothing can be pinned."""

    client: int | None
    gateway: int | None

    @classmethod
    def choose(cls) -> Self:
        """Take the last two that this process may use."""
        if not hasattr(os, "sched_getaffinity"):
            return cls(None, None)
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[-1], cores[-2]) if len(cores) > 1 else cls(None, None)


@dataclass
class Results:
    """The numbers of all good runs of one contender in one scenario, and what went wrong in the others."""

    scenario: str
    contender: Contender
    metrics: dict[str, list[float]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, metrics: Mapping[str, float]) -> None:
        """Take the numbers of one run."""
        for name, value in metrics.items():
            self.metrics.setdefault(name, []).append(value)


class GatewayProcess:
    """A gateway that serves client after client."""

    def __init__(self, kind: str, params: Params, version: int, core: int | None) -> None:
        self._given = json.dumps({"kind": kind, "params": params, "version": version, "core": core})
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.gateway", self._given],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        try:
            self.port = int(self.line(STARTUP_S)["port"])
        except BaseException:
            self.close()
            raise

    def line(self, patience_s: float) -> dict[str, Any]:
        """Return the next thing it says."""
        stdout: IO[bytes] | None = self._process.stdout
        assert stdout is not None
        if not select.select([stdout], [], [], patience_s)[0]:
            raise RunFailed(f"the gateway said nothing for {patience_s:g} s")
        line = stdout.readline()
        if not line:
            raise RunFailed("the gateway has ended")
        said: dict[str, Any] = json.loads(line)
        return said

    def restart(self) -> None:
        """Begin anew."""
        self.close()
        self._start()

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Runner:
    """Runs what is asked for.

    Args:
        pythons: the interpreter of each library.
        quick: take the small numbers.
        repeat: how often each contender runs.
        profiles: a folder for profiles (of cProfile) of what is measured; the numbers mean nothing then.
    """

    def __init__(self, pythons: Mapping[str, Path], quick: bool, repeat: int, profiles: Path | None = None) -> None:
        self._pythons = pythons
        self._profiles = profiles
        self._quick, self._repeat = quick, repeat
        self.cores = Cores.choose()

    def run(self, scenario: Scenario, contenders: Sequence[Contender]) -> list[Results]:
        """Run one scenario with all contenders, in turns."""
        params = scenario.params(self._quick)
        results = [Results(scenario.name, contender) for contender in contenders]
        with self._gateways(scenario.kind, params, {each.version for each in contenders}) as gateways:
            for turn in range(-1 if scenario.cold else 0, 1 if scenario.once else self._repeat):
                for result in results:
                    try:
                        metrics = self._once(scenario, params, result.contender, gateways)
                    except RunFailed as failure:
                        result.failures.append(str(failure))
                    else:
                        if turn >= 0:
                            result.add(metrics)
        return results

    @contextlib.contextmanager
    def _gateways(self, kind: str, params: Params, versions: set[int]) -> Iterator[dict[int, GatewayProcess]]:
        gateways: dict[int, GatewayProcess] = {}
        try:
            if kind in PLAYS:
                for version in sorted(versions):
                    gateways[version] = GatewayProcess(kind, params, version, self.cores.gateway)
            yield gateways
        finally:
            for gateway in gateways.values():
                gateway.close()

    def _once(
        self, scenario: Scenario, params: Params, contender: Contender, gateways: Mapping[int, GatewayProcess]
    ) -> dict[str, float]:
        python = self._pythons[contender.library]
        if scenario.kind == "import":
            file = Path(__file__).parent / "clients" / "importing.py"
            core = "" if self.cores.client is None else str(self.cores.client)
            return dict(self._client([str(python), str(file), contender.library, core], CLIENT_S)["metrics"])
        gateway = gateways.get(contender.version)
        job = {
            "kind": scenario.kind,
            "library": contender.library,
            "host": contender.host,
            "port": gateway.port if gateway else 0,
            "version": contender.version,
            "params": params,
            "core": self.cores.client,
        }
        command = [str(python), "-m", f"bench.clients.{contender.module}", json.dumps(job)]
        name = f"{scenario.name}-{contender.name}".replace(" ", "-")
        try:
            said = self._client(command, LONG_CLIENT_S if scenario.once else CLIENT_S, name)
        except RunFailed:
            if gateway is not None:
                gateway.restart()  # nobody knows what it is waiting for
            raise
        if gateway is None:
            return dict(said["metrics"])
        told = gateway.line(GATEWAY_S)
        if told["faults"]:
            raise RunFailed(f"the gateway: {told['faults']}")
        expected = told["outcome"]
        wrong = {
            name: (value, expected.get(name)) for name, value in said["outcome"].items() if value != expected.get(name)
        }
        if wrong or not said["outcome"]:
            raise RunFailed(f"a wrong outcome (is, must be): {wrong}")
        return {**said["metrics"], **told["metrics"]}

    def _client(self, command: Sequence[str], patience_s: float, name: str = "") -> dict[str, Any]:
        # Byte code is kept, as for anybody who runs a program twice, in a place of our own.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if self._profiles is not None and name:
            environment[PROFILE] = str(self._profiles / f"{name}.prof")
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=patience_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise RunFailed(f"the client took longer than {patience_s:g} s") from None
        lines = done.stdout.splitlines()
        if done.returncode or not lines:
            raise RunFailed(f"the client ended with {done.returncode}: {done.stderr[-2000:]}")
        said: dict[str, Any] = json.loads(lines[-1])
        return said
