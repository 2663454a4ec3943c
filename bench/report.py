"""The report: Markdown with the targets, the numbers of every scenario, the machine, and how to repeat it.

Must not know how anything was measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.contenders import PROTOBUF, TEXT
from bench.runner import Results
from bench.scenarios import PEER, SCENARIOS, TARGETS, Target

NOTES = """\
CPU is user and system time of the client process, from getrusage, around one call in which everything arrives. Each
run is a new process; the clients take turns (A B A B); client and gateway have a core each. The gateway's traffic is
made beforehand; after every run the outcome is compared with what must have come of it: the last values of every
ticker and the number of ticks seen, each order filled once with its commission, every bar. `raw` only cuts the stream
into messages and splits them: the floor. Numbers behind a client's name are server versions: 176 is spoken as text,
225 as protobuf. Numbers are medians, with the smallest and the largest in brackets.
"""


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, and whether that is good enough; None where it was not measured."""

    target: Target
    contender: str
    value: float | None

    @property
    def met(self) -> bool | None:
        """Tell whether it was met."""
        return None if self.value is None else self.value <= self.target.limit


class Table:
    """All results, to be looked up."""

    def __init__(self, results: Sequence[Results]) -> None:
        self.results = results

    def median(self, scenario: str, metric: str, family: str, host: str, version: int) -> float | None:
        """Return a median, None when there is none."""
        for each in self.results:
            contender = each.contender
            if (each.scenario, contender.family, contender.host) == (scenario, family, host) and (
                contender.version == version
            ):
                values = each.metrics.get(metric)
                return statistics.median(values) if values else None
        return None

    def verdicts(self) -> Iterator[Verdict]:
        """Compare everything with its target."""
        for target in TARGETS:
            versions = sorted(
                {r.contender.version for r in self.results if r.scenario == target.scenario} & {TEXT, PROTOBUF}
            )
            for host in target.hosts:
                for version in versions or (TEXT,):
                    yield Verdict(target, f"{host} {version}", self._value(target, host, version))

    def _value(self, target: Target, host: str, version: int) -> float | None:
        scenario, metric = target.scenario, target.metric
        own = self.median(scenario, metric, "ibkit", host, version)
        if own is None or target.of == "value":
            return own
        if target.of == "itself":
            return _ratio(own, self.median(target.against, metric, "ibkit", host, version))
        peer = self.median(scenario, metric, PEER, "blocking", TEXT)
        if target.of == "ratio":
            return _ratio(own, peer)
        floor, peers_floor = (self.median(scenario, metric, "raw", "blocking", each) for each in (version, TEXT))
        if floor is None or peer is None or peers_floor is None:
            return None
        return _ratio(own - floor, peer - peers_floor)


def _ratio(a: float, b: float | None) -> float | None:
    return a / b if b else None


def write(
    results: Sequence[Results], machine: Mapping[str, str], command: str, seconds: float, repeat: int, quick: bool
) -> str:
    """Return the report."""
    table = Table(results)
    parts = ["# ibkit beside other clients", ""]
    if quick:
        parts += ["**A quick run: it shows that everything works, and no more. Its numbers mean nothing.**", ""]
    parts += [f"Repeat it with `{command}`. It took {seconds / 60:.0f} minutes, {repeat} runs of each client.", ""]
    parts += ["| the machine | |", "|---|---|", *(f"| {name} | {text} |" for name, text in machine.items()), ""]
    parts += [NOTES, "## Targets", ""]
    if any(verdict.value is not None for verdict in table.verdicts()):
        parts += [f"Ratio to {PEER} in the same run, unless said otherwise.", "", *_targets(table), ""]
    for scenario in SCENARIOS:
        rows = [each for each in results if each.scenario == scenario.name]
        if rows:
            parts += [f"## {scenario.title}", "", f"`{scenario.name}`", "", *_rows(table, rows, scenario.metrics), ""]
    failures = [(each, text) for each in results for text in each.failures]
    if failures:
        parts += ["## Failures", ""]
        parts += [f"- {each.scenario}, {each.contender.name}: {text}" for each, text in failures]
        parts.append("")
    return "\n".join(parts)


def _targets(table: Table) -> Iterator[str]:
    yield "| work | ibkit | at most | measured | |"
    yield "|---|---|---|---|---|"
    for verdict in table.verdicts():
        if verdict.value is not None:
            met = "met" if verdict.met else "**not met**"
            yield (
                f"| {verdict.target.text} | {verdict.contender} | {verdict.target.limit:g} "
                f"| {verdict.value:.3g} | {met} |"
            )


def _rows(table: Table, rows: Sequence[Results], metrics: Mapping[str, str]) -> Iterator[str]:
    first = next(iter(metrics))
    yield f"| client | {' | '.join(metrics.values())} | to {PEER} |"
    yield "|---|" + "---|" * (len(metrics) + 1)
    for row in rows:
        peer = table.median(row.scenario, first, PEER, "blocking", TEXT)
        own = row.metrics.get(first)
        ratio = f"{statistics.median(own) / peer:.2f}" if own and peer else ""
        cells = " | ".join(_cell(row.metrics.get(metric)) for metric in metrics)
        yield f"| {row.contender.name} | {cells} | {ratio} |"


def _cell(values: Sequence[float] | None) -> str:
    if not values:
        return "-"
    median = _number(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({_number(min(values))}-{_number(max(values))})"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
