"""``python -m conformance``: proves the wire and the gateway against foreign clients, prints one table.

Exit status 1 when anything differs or does not work, environments that cannot be made included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

from conformance import clients, environments, frames, mutants, report
from conformance.capabilities import CLIENTS, IB_STAR, Client
from conformance.clients import Result

# Examples of each law.
LAW_EXAMPLES = 50
# Mistakes in the table that a quick run judges.
QUICK_MUTANTS = 200


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer frames and server versions, for CI")
    parser.add_argument("--part", action="append", help="only this: 'wire', or a client by its driver")
    parser.add_argument("--version", type=int, help="clients at this server version alone")
    parser.add_argument("--only", default="", help="only capabilities whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="tell every capability when it is done")
    return parser.parse_args()


def let_loose(client: Client, version: int, only: str, verbose: bool) -> list[Result]:
    """Run one client at one server version and tell how it went."""
    began, found = time.monotonic(), []
    for row in clients.run(client, version, only):
        found.append(row)
        if verbose or not row.ok:
            print(
                f"  {client.name} at {version}: {'ok' if row.ok else 'FAILS'}: {row.capability}: {row.detail}",
                flush=True,
            )
    bad = sum(not row.ok for row in found)
    print(f"{client.name} at server version {version}: {len(found)} results, {bad} failures, "
          f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    return found


def prepare(chosen: list[Client]) -> list[Result]:
    """Make the environments before anything is timed; returns a failure for each client that has none."""
    missing = []
    for client in chosen:
        try:
            if client.driver in IB_STAR:
                environments.python_of(client.driver)
            elif client.driver == "stoqey":
                environments.node_modules()
        except environments.Unavailable as error:
            print(f"{client.name}: {error}", file=sys.stderr, flush=True)
            missing.append(Result(client.name, client.versions[-1], "environment", False, str(error)))
    return missing


def main() -> int:
    """Run what the command line says."""
    args = arguments()
    began = time.monotonic()
    chosen = [client for client in CLIENTS if not args.part or client.driver in args.part]
    missing = prepare(chosen)
    absent = {row.client for row in missing}
    jobs = [
        (client, version)
        for client in chosen
        if client.name not in absent
        for version in ([args.version] if args.version else client.quick if args.quick else client.versions)
    ]
    lines: list[frames.Line] = []
    work: Future[list[frames.Line]] | None = None
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as beside:
        if not args.part or "wire" in args.part:
            work = beside.submit(frames.compare, frames.QUICK if args.quick else frames.FULL)
            judged = beside.submit(mutants.result, QUICK_MUTANTS if args.quick else 0)
        with ThreadPoolExecutor(2) as pool:  # clients wait for the gateway most of the time
            runs = list(pool.map(lambda job: let_loose(*job, args.only, args.verbose), jobs))
        results = missing + [row for run in runs for row in run]
        if work is not None:
            lines = work.result()
            results.append(judged.result())
            if not args.quick:
                results += frames.tests_of_the_wire(LAW_EXAMPLES)
    print()
    if lines:
        print(report.of_frames(lines) + "\n")
    if results:
        print(report.of_clients(results) + "\n")
    wrong = report.failures(lines, results)
    print(
        f"{report.total(lines)[0]} frames compared, {report.total(lines)[3]} differences; "
        f"{len(results)} capabilities asked for, {sum(not row.ok for row in results)} failures; "
        f"{time.monotonic() - began:.0f} s"
    )
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
