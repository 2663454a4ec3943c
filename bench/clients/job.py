"""What every client has in common: what it is told to do, how it measures itself, what it reports.

Runs in the environment of every library, so it must not know any.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import cProfile

HOST = "127.0.0.1"
ACCOUNT = "DU1234567"

PROFILE = "IBKIT_BENCH_PROFILE"
"""The environment variable that names the file for a profile of what is measured."""

# The fields of a ticker that the traffic sets; all that a ticker's last values are compared by.
VALUES = ("bid", "bidSize", "ask", "askSize", "last", "lastSize", "volume")


def symbol(i: int) -> str:
    """Return the symbol of the i-th contract."""
    return f"S{i:04d}"


def contract_id(i: int) -> int:
    """Return the conId of the i-th contract."""
    return 100_001 + i


def order_price(i: int) -> float:
    """Return the price of the i-th tick or order of the scenarios about orders; two in a row differ."""
    return (5000 + i % 97) / 100


def digest(rows: Iterable[Sequence[object]]) -> str:
    """Return a short text that is equal for equal rows; numbers are compared as floats."""
    checksum = 0
    for row in rows:
        values = (value if isinstance(value, str) else repr(float(value)) for value in row)  # type: ignore[arg-type]
        checksum = zlib.crc32("|".join(values).encode(), checksum)
    return f"{checksum:08x}"


@dataclass
class Job:
    """What to do, as the runner says it on the command line; and what came of it."""

    kind: str
    library: str
    host: str
    port: int
    version: int
    params: Mapping[str, float | str]
    metrics: dict[str, float] = field(default_factory=dict)
    outcome: dict[str, object] = field(default_factory=dict)

    @classmethod
    def given(cls) -> Self:
        """Return the job of this process, and take the core that is meant for it."""
        given = json.loads(sys.argv[1])
        core = given.pop("core")
        if core is not None:
            os.sched_setaffinity(0, {core})
        return cls(**given)

    def number(self, name: str, default: int = 0) -> int:
        """Return a parameter of the scenario."""
        return int(self.params.get(name, default))

    def report(self) -> None:
        """Tell the runner."""
        print(json.dumps({"metrics": self.metrics, "outcome": self.outcome}), flush=True)


class Meter:
    """Measures what happens inside ``with``: CPU seconds of all threads of this process, and wall seconds.

    Where the environment names a file for a profile, it is written instead; the numbers mean nothing then.
    """

    cpu = wall = 0.0
    _profile: cProfile.Profile | None = None

    def __enter__(self) -> Self:
        if PROFILE in os.environ:
            import cProfile  # not by default: imports are measured, too

            self._profile = cProfile.Profile()
            self._profile.enable()
        gc.collect()
        self._wall = time.perf_counter()
        self._cpu = cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = cpu_seconds() - self._cpu
        self.wall = time.perf_counter() - self._wall
        if self._profile is not None:
            self._profile.disable()
            self._profile.dump_stats(os.environ[PROFILE])


def cpu_seconds() -> float:
    """Return the user and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_mb() -> float:
    """Return the memory of this process that is in RAM."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6
