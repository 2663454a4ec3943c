"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import machine, report
from bench.contenders import BUILD, CONTENDERS, Contender, environment
from bench.runner import Results, Runner
from bench.scenarios import SCENARIOS, Scenario

REPEAT, QUICK_REPEAT = 5, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 when anything failed."""
    given = _parser().parse_args(arguments)
    scenarios = _chosen(given.only)
    clients = given.clients.split(",") if given.clients else []
    contenders = [each for each in CONTENDERS if not clients or _wanted(each, clients)]
    if not contenders:
        raise SystemExit(f"no client is called {given.clients}: {', '.join(each.name for each in CONTENDERS)}")
    repeat = given.repeat or (QUICK_REPEAT if given.quick else REPEAT)
    libraries = dict.fromkeys(each.library for each in contenders)
    here = Path(sys.executable)
    pythons = {library: here if given.here else environment(library) for library in libraries}
    load, began = os.getloadavg()[0], time.monotonic()
    if given.profile is not None:
        given.profile.mkdir(parents=True, exist_ok=True)
    runner = Runner(pythons, given.quick, repeat, given.profile)
    results: list[Results] = []
    for scenario in scenarios:
        print(f"{scenario.name}: {scenario.title}", file=sys.stderr, flush=True)
        taking_part = [each for each in contenders if _takes_part(each, scenario)]
        for result in runner.run(scenario, taking_part):
            results.append(result)
            print(f"  {_line(scenario, result)}", file=sys.stderr, flush=True)
    command = shlex.join(["python", "-m", "bench", *(sys.argv[1:] if arguments is None else arguments)])
    text = report.write(
        results, machine.describe(pythons, load), command, time.monotonic() - began, repeat, given.quick
    )
    out = Path(given.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    print(f"report: {out}", file=sys.stderr)
    return 1 if any(result.failures for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description="Measure ibkit beside other clients.")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that everything works")
    parser.add_argument("--only", metavar="NAMES", help="scenarios, separated by commas; --list shows them")
    parser.add_argument("--clients", metavar="NAMES", help="clients, separated by commas: ibkit, 'ibkit asyncio 176'")
    parser.add_argument("--repeat", type=int, metavar="N", help=f"runs of each client (default {REPEAT})")
    parser.add_argument("--out", default=str(BUILD / "report.md"), help="the report (default %(default)s)")
    parser.add_argument("--here", action="store_true", help="make no environments, use this one for all clients")
    parser.add_argument(
        "--profile",
        type=lambda text: Path(text).resolve(),
        metavar="DIR",
        help="write cProfile's files of what is measured there",
    )
    parser.add_argument("--list", action=_List, help="show scenarios and clients")
    return parser


class _List(argparse.Action):
    """Shows what there is, and ends."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        for scenario in SCENARIOS:
            print(f"{scenario.name:16}{scenario.title}")
        print("clients:", ", ".join(each.name for each in CONTENDERS))
        parser.exit()


def _chosen(names: str | None) -> list[Scenario]:
    if not names:
        return list(SCENARIOS)
    by_name = {each.name: each for each in SCENARIOS}
    unknown = [name for name in names.split(",") if name not in by_name]
    if unknown:
        raise SystemExit(f"no scenario is called {', '.join(unknown)}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names.split(",")]


def _wanted(contender: Contender, clients: Sequence[str]) -> bool:
    return contender.family in clients or contender.name in clients


def _takes_part(contender: Contender, scenario: Scenario) -> bool:
    return contender.family in scenario.families and (scenario.hosts or contender.host == "blocking")


def _line(scenario: Scenario, result: Results) -> str:
    numbers = ", ".join(
        f"{min(values):.4g}..{max(values):.4g} {unit}"
        for metric, unit in scenario.metrics.items()
        if (values := result.metrics.get(metric))
    )
    failed = f" {len(result.failures)} FAILED: {result.failures[0]}" if result.failures else ""
    return f"{result.contender.name:20} {numbers}{failed}"


if __name__ == "__main__":
    sys.exit(main())
