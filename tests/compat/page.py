"""The page of the docs that lists where ibkit differs on purpose: ``python -m tests.compat.page`` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.compat.semantics import BEHAVIOURS

PAGE = Path(__file__).parents[2] / "docs" / "explain" / "differences.md"

SECTIONS = {
    "1": "Connecting",
    "2": "Disconnecting",
    "3": "Ticks and tickers",
    "4": "Bars and scanners",
    "5": "Orders and trades",
    "6": "Errors and warnings",
    "7": "Requests",
    "8": "Contracts",
    "10": "The message rate",
}

BEGINNING = """\
# Where ibkit differs on purpose

How ib_insync 0.9.86 and ib_async 2.1.0 behave was written down, behaviour by behaviour. For each there is a test: that
ibkit does the same, or what it does instead. These are the second kind: theirs is a bug there, or hides something. All
else is as in theirs; where the two differ from one another, as in ib_insync. `ibkit run` fails as they do.

"""


def page() -> str:
    """Return the text of the page."""
    lines = [BEGINNING]
    for section, title in SECTIONS.items():
        lines.append(f"## {title}\n\n| about | ibkit | tests |\n|---|---|---|\n")
        for item, behaviour in BEHAVIOURS.items():
            if item.partition(".")[0] == section and behaviour.differs:
                tests = ", ".join(f"`{test}`" for test in behaviour.tests)
                lines.append(f"| {behaviour.about} | {behaviour.differs} | {tests} |\n")
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
