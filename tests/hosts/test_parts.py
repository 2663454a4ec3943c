"""The parts of the hosts on their own: descriptors, timers, the feeder thread."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.hosts.feeder import Feeder
from ibkit.hosts.poller import Poller
from ibkit.hosts.timers import Timer, Timers


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.fixture(params=["poll", "select"])
def poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Poller:
    """Both ways to wait; Windows has no poll."""
    if request.param == "select":
        monkeypatch.delattr(select, "poll", raising=False)
    return Poller()


def test_a_poller_says_what_is_ready(poller: Poller, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    fd = ours.fileno()
    assert poller.wait(0) == []
    poller.watch(fd)
    assert poller.wait(0.001) == []
    theirs.send(b"x")
    assert poller.wait(None) == [fd]
    assert poller.wait(-1) == [fd]
    ours.recv(1)
    assert poller.wait(0) == []
    poller.watch(fd, write=True)
    assert poller.wait(None) == [fd]
    poller.watch(fd, write=False)
    assert poller.wait(0) == []
    theirs.send(b"x")
    poller.forget(fd)
    poller.forget(fd)
    assert poller.wait(0) == []


def test_a_long_wait_is_possible(poller: Poller, pair: tuple[socket.socket, socket.socket]) -> None:
    poller.watch(pair[0].fileno(), write=True)
    assert poller.wait(1e12)


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=30), st.lists(st.floats(0, 10), max_size=5))
def test_timers_fire_once_in_order_and_not_too_early(timers: list[tuple[float, bool]], looks: list[float]) -> None:
    pending = Timers()
    fired: list[tuple[float, int]] = []
    handles = []
    for i, (when, cancelled) in enumerate(timers):
        handle = Timer(lambda when=when, i=i: fired.append((when, i)))  # type: ignore[misc]
        pending.add(when, handle)
        handles.append(handle)
        if cancelled:
            handle.cancel()
    wanted = sorted((when, i) for i, (when, cancelled) in enumerate(timers) if not cancelled)
    for now in sorted(looks):
        pending.fire(now)
        assert fired == [(when, i) for when, i in wanted if when <= now]
        left = [when for when, _ in wanted if when > now]
        assert pending.next() == (left[0] if left else None)
    pending.fire(10)
    assert fired == wanted
    assert all(handle.cancelled() for handle in handles)


def test_a_timer_that_sets_another_does_not_go_round_for_ever() -> None:
    pending, fired = Timers(), list[int]()

    def again() -> None:
        fired.append(1)
        pending.add(0, Timer(again))

    pending.add(0, Timer(again))
    pending.fire(1)
    assert fired == [1]
    assert pending.next() == 0
    pending.fire(1)
    assert fired == [1, 1]


def test_a_feeder_tells_once_until_it_is_told_to_go_on(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    told = threading.Semaphore(0)
    feeder = Feeder(ours.fileno(), False, told.release)
    theirs.send(b"x")
    assert told.acquire(timeout=10)
    assert not told.acquire(timeout=0.01)
    feeder.go_on(False)  # it was not read
    assert told.acquire(timeout=10)
    ours.recv(1)
    feeder.go_on(True)
    assert told.acquire(timeout=10)  # it can be written
    feeder.close()


def test_a_feeder_survives_the_loop_it_tells(pair: tuple[socket.socket, socket.socket]) -> None:
    told = threading.Event()

    def closed_loop() -> None:
        told.set()
        raise RuntimeError("Event loop is closed")

    feeder = Feeder(pair[0].fileno(), True, closed_loop)
    assert told.wait(10)
    feeder.close()
