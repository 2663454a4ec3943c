"""How long ``from LIBRARY import *`` takes in a new process; run as a file, so that little else is imported before."""

import os
import resource
import sys
import time

STATEMENTS = {"ibapi": "from ibapi.client import EClient; from ibapi.wrapper import EWrapper"}


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


library, core = sys.argv[1:]
if core:
    os.sched_setaffinity(0, {int(core)})
wall, used = time.perf_counter(), cpu()
exec(STATEMENTS.get(library, f"from {library} import *"), {})
used, wall = cpu() - used, time.perf_counter() - wall
print('{"metrics": {"cpu_ms": %f, "wall_ms": %f}, "outcome": {}}' % (1e3 * used, 1e3 * wall))  # noqa: UP031
