"""Prints what was found: lines of equal columns, and what is wrong below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conformance.clients import Result
from conformance.edges import REASONS
from conformance.frames import Line, missing


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows in columns as wide as they need to be; numbers to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *texts]) for i in range(len(head))]
    numeric = [all(row[i].isdigit() for row in texts) for i in range(len(head))]
    lines = [list(head), ["-" * width for width in widths], *texts]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def of_frames(lines: list[Line]) -> str:
    """Return one row for each message and encoding, and their sum."""
    head = (
        "message", "direction", "encoding", "versions", "compared at", "frames compared", "refused by both", "meant",
        "differences",
    )  # fmt: skip
    text = table(head, [*(line[:9] for line in lines), ("all", "", "", "", "", *total(lines))])
    return f"{text}\n\nmeant: where ibkit sends something else than IB's client on purpose\n" + "\n".join(
        f"  {reason}" for reason in REASONS
    )


def total(lines: list[Line]) -> tuple[int, int, int, int]:
    """Return how many frames were compared, refused, meant to be different, and different."""
    return (
        sum(line.frames for line in lines),
        sum(line.refused for line in lines),
        sum(line.meant for line in lines),
        sum(line.differences for line in lines),
    )


def of_clients(results: list[Result]) -> str:
    """Return one row for each client and capability: at which server versions it works, and where not."""
    rows = []
    for client, capability in dict.fromkeys((row.client, row.capability) for row in results):
        mine = [row for row in results if (row.client, row.capability) == (client, capability)]
        good = ", ".join(str(row.version) for row in mine if row.ok)
        bad = ", ".join(str(row.version) for row in mine if not row.ok)
        rows.append((client, capability, good, f"fails at {bad}" if bad else "ok"))
    return table(("client", "capability", "at server version", "result"), rows)


def failures(lines: list[Line], results: list[Result]) -> list[str]:
    """Return what went wrong, a line each."""
    return (
        [line.first for line in lines if line.differences]
        + (missing(lines) if lines else [])
        + [f"{row.client} at {row.version}: {row.capability}: {row.detail}" for row in results if not row.ok]
    )
