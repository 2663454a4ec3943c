"""The data files of the catalogue, read once; knows their columns, not their meaning."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

Row = dict[str, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    """Return the rows of ``data/<name>.csv``, one dict a line."""
    text = (resources.files("ibkit.paper.instruments") / "data" / f"{name}.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def number(row: Row, column: str, default: float = 0.0) -> float:
    """Return a column as a number; ``default`` when it is empty."""
    return float(row[column]) if row.get(column) else default
