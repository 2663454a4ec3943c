"""Collects the lines of a function that is being written, and the values its names stand for.

Must not know messages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ibkit.model import UNSET_DOUBLE


class Unusual(Exception):
    """A written function met something it has no straight way for: the interpreter takes over."""


# Any: a written function may use any value, and its own type is known only to who asked for it.
class Source:
    """The lines of one function, and what its names stand for."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = []
        self._indent = 0
        self._counter = 0
        self.names: dict[str, Any] = {"Unusual": Unusual, "UNSET": UNSET_DOUBLE, "nan": math.nan, "inf": math.inf}

    def add(self, line: str) -> None:
        """Write a line."""
        self._lines.append(["    " * self._indent + line])

    def place(self) -> list[str]:
        """Return a place between two lines, to be filled later through ``fill``."""
        hole: list[str] = [""]
        hole[0] = "    " * self._indent
        self._lines.append(hole)
        return hole

    @staticmethod
    def fill(hole: list[str], line: str) -> None:
        """Write a line at a place that was kept."""
        hole.append(hole[0] + line)

    def mark(self) -> int:
        """Return where the next line goes."""
        return len(self._lines)

    def cut(self, mark: int) -> list[list[str]]:
        """Take away the lines since a mark."""
        lines, self._lines[mark:] = self._lines[mark:], []
        return lines

    def paste(self, lines: list[list[str]], deeper: int = 1) -> None:
        """Write lines that were taken away, so many blocks deeper than they were."""
        self._lines += [["    " * deeper + line for line in group] for group in lines]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a line that opens a block, and indent what is written inside."""
        self.add(head)
        self._indent += 1
        yield
        self._indent -= 1

    def fresh(self, stem: str) -> str:
        """Return a name nothing has yet."""
        self._counter += 1
        return f"{stem}{self._counter}"

    def use(self, name: str, value: Any) -> str:
        """Let a name stand for a value; return it, or another one when it is taken."""
        while name in self.names and self.names[name] is not value and self.names[name] != value:
            name = self.fresh(name + "_")
        self.names[name] = value
        return name

    def literal(self, value: Any) -> str:
        """Return an expression for a constant."""
        if type(value) is float:
            if value == UNSET_DOUBLE:
                return "UNSET"
            return repr(value) if math.isfinite(value) else "nan" if value != value else f"float({str(value)!r})"
        if value is None or type(value) in (int, bool, str):
            return repr(value)
        if value == [] or value == ():
            return "[]"
        return self.use(f"{type(value).__name__}_{getattr(value, 'name', 'value')}", value)

    def text(self) -> str:
        """Return the function as it will be compiled."""
        lines = [line for group in self._lines for line in group if line.strip()]
        return "\n".join(lines) + "\n"

    def function(self, name: str) -> Any:
        """Compile the function; the one place where written text becomes running code."""
        names = dict(self.names)
        exec(compile(self.text(), f"<ibkit.wire {name}>", "exec"), names)  # our own text, made of the table
        return names[name]
