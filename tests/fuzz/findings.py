"""What a run found: exceptions that got out, failures that were only logged, promises that were not kept.

One finding a cause, however often it comes, with what reproduces the first of them.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HANG_S = 60.0
"""A single step that takes longer hangs: all stacks are shown, and the run ends."""


@dataclass
class Finding:
    """One cause."""

    cause: str
    first: str
    """What reproduces it."""
    detail: str
    count: int = 1


@dataclass
class Findings:
    """All causes of a run, and what was counted."""

    rows: dict[str, Finding] = field(default_factory=dict)
    frames: int = 0
    sessions: int = 0
    malformed: int = 0
    unknown: int = 0
    cut_off: int = 0
    where: str = ""
    """What is being done."""
    most_s: float = 0.0
    slowest: str = ""

    def note(self, cause: str, detail: str = "") -> None:
        """Note a finding."""
        row = self.rows.get(cause)
        if row is None:
            self.rows[cause] = Finding(cause, self.where, detail)
        else:
            row.count += 1

    def failed(self, error: BaseException) -> None:
        """Note an exception that should have been caught, or not have been."""
        self.note(cause_of(error), "".join(traceback.format_exception(error, limit=-8)))

    def took(self, secs: float) -> None:
        """Note how long a frame took."""
        if secs > self.most_s:
            self.most_s, self.slowest = secs, self.where

    def __str__(self) -> str:
        lines = [f"{row.count} times {row.cause}\n  first: {row.first}\n{row.detail}" for row in self.rows.values()]
        return "\n".join(lines)


def cause_of(error: BaseException) -> str:
    """Return one line that is the same for the same fault: the error and where in the library it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "ibkit" in Path(frame.filename).parts]
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside"
    return f"{type(error).__name__} at {place}"


class Watcher(logging.Handler):
    """Makes findings of exceptions that the library caught and logged: they are faults, though nothing broke."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.ERROR)
        self.findings = findings
        self.lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        if record.exc_info and record.exc_info[1] is not None:
            self.findings.failed(record.exc_info[1])


@contextmanager
def watched(findings: Findings) -> Iterator[Watcher]:
    """Watch the library's log, keep it off the screen."""
    logger = logging.getLogger("ibkit")
    watcher = Watcher(findings)
    before = logger.propagate
    logger.addHandler(watcher)
    logger.propagate = False
    try:
        yield watcher
    finally:
        logger.propagate = before
        logger.removeHandler(watcher)


@contextmanager
def no_hang() -> Iterator[None]:
    """End the process with all stacks when what is inside does not come back."""
    stream = sys.__stderr__
    assert stream is not None
    faulthandler.dump_traceback_later(HANG_S, exit=True, file=stream)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
