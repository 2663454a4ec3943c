"""Simulated time: while somebody waits, peers that live in the thread act, and their clock moves.

Must not know engines or links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ibkit.clock import VirtualClock

if TYPE_CHECKING:
    from ibkit.hosts.station import Held, Station

STEP_S: Final = 1e-6
"""The least time that passes where clocks differ: one that shows large numbers cannot show what is left on another."""


def move(station: Station, secs: float | None, want: Held | None = None) -> bool:
    """Let the peers in this thread act, until one of them has, at most for ``secs`` of their clock.

    The world of ``want`` goes first: what somebody waits for must not be late because another world is idle.

    Returns False when nothing will ever happen: nobody has anything to do, and nothing is due.
    """
    due = station.due_in()
    limit = due if secs is None else secs if due is None else min(secs, due)
    clocks: dict[int, list[Held]] = {}
    for held in station.pumped:
        clocks.setdefault(id(held.clock), []).append(held)
    groups = sorted(clocks.values(), key=lambda group: want not in group)
    if not groups:
        return False
    if limit is not None and len(groups) > 1:
        limit = max(limit, STEP_S)
    before = groups[0][0].clock.monotonic()
    going_on = _act(groups[0], limit)
    passed = groups[0][0].clock.monotonic() - before
    for group in groups[1:]:  # other worlds: they see the same time pass
        end = group[0].clock.monotonic() + passed
        while (left := end - group[0].clock.monotonic()) > 0 and _act(group, left):
            pass
    return going_on


def _act(group: list[Held], limit: float | None) -> bool:
    """Let those who share a clock act, the first that has something to do; else let the time pass."""
    clock = group[0].clock
    before = clock.monotonic()
    if any(held.pump(limit) for held in group):
        return True
    if limit is None:
        return False
    if isinstance(clock, VirtualClock):
        clock.advance(max(0.0, before + limit - clock.monotonic()))
    return True


def is_awaited(station: Station) -> bool:
    """Tell whether somebody in the running loop waits for something that takes simulated time."""
    return station.timers.next() is not None or any(not future.done() for future in station.awaited)
