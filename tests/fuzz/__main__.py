"""Fuzzes both sides: ``python -m tests.fuzz --frames 1000000 --seed 1``.

Every finding names what reproduces it, such as ``--side client --seed 1 --session 17``; exit status 1 then.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time

from tests.fuzz import client_side, gateway_side
from tests.fuzz.findings import Findings, watched

SIDES = ("client", "gateway")


def fuzz(
    side: str, seed: int, frames: int, only: int | None = None, versions: tuple[int, ...] | None = None
) -> Findings:
    """Fuzz one side until it has taken ``frames`` frames; ``only``: nothing but what reproduces that session."""
    findings = Findings()
    more = {} if versions is None else {"versions": versions}
    world: gateway_side.World | None = None
    number = 0
    if only is not None:  # sessions of a gateway share it with those before them
        number = only if side == "client" else only - only % gateway_side.SESSIONS
    with watched(findings) as watcher:
        while findings.frames < frames and (only is None or number <= only):
            findings.where = f"--side {side} --seed {seed} --session {number}"
            findings.sessions += 1
            name = f"{side} {seed} {number}"
            if side == "client":
                client_side.run_session(findings, watcher, name, **more)
            else:
                if world is None or number % gateway_side.SESSIONS == 0:
                    world = gateway_side.World(random.Random(f"world {name}"))
                gateway_side.run_session(findings, watcher, name, world, **more)
            number += 1
            if only is None and number % 500 == 0:
                print(f"  {side}: {findings.frames} frames, {len(findings.rows)} findings", file=sys.stderr, flush=True)
    return findings


def main() -> int:
    """Fuzz as the command line says and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=20_000, help="for each side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", choices=SIDES, action="append")
    parser.add_argument("--session", type=int, help="run this session alone, to reproduce a finding")
    args = parser.parse_args()
    found = 0
    for side in args.side or SIDES:
        began = time.monotonic()
        findings = fuzz(side, args.seed, args.frames if args.session is None else 1 << 60, args.session)
        took = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{side}: {findings.frames} frames in {findings.sessions} sessions, {took:.0f} s; "
            f"{findings.malformed} malformed, {findings.unknown} unknown, {findings.cut_off} connections ended for it; "
            f"slowest step {findings.most_s:.2f} s ({findings.slowest}); peak memory {peak} MB; "
            f"{len(findings.rows)} findings"
        )
        if findings.rows:
            print(findings)
        found += len(findings.rows)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
