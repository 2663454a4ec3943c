"""The only place that waits: who serves a connection, on which thread, and what a blocking call does meanwhile.

* ``Host`` serves one connection: ``open`` a link, ``wait`` for a call, make a ``future`` of it, ``act`` where
  the connection is held.
* ``run``, ``sleep``, ``schedule``, ``wait_until``, ``time_range``, ``use_qt`` are what users know from ``util``.

How it fits together: station.py says which thread holds a connection, pump.py is the blocking wait, watch.py
the eyes of an event loop, service.py the thread of ``IB(background=True)``, virtual.py simulated time;
contract.py pins what all of them promise. Importing it installs the runtime of events, nothing else.

Must not know any message or request.
"""

from ibkit.hosts.host import Host
from ibkit.hosts.waiting import (
    connect_link,
    get_loop,
    run,
    runtime,
    schedule,
    sleep,
    time_range,
    time_range_async,
    use_qt,
    wait_until,
    wait_until_async,
)
from ibkit.links.socket import connect_async as connect_link_async
from ibkit.runtime import set_runtime

__all__ = [
    "Host",
    "connect_link",
    "connect_link_async",
    "get_loop",
    "run",
    "runtime",
    "schedule",
    "sleep",
    "time_range",
    "time_range_async",
    "use_qt",
    "wait_until",
    "wait_until_async",
]

set_runtime(runtime)
