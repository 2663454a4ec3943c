"""Operators that take time, and those that make events of values, in simulated time; results are eventkit's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ibkit import Event
from ibkit.testing import virtual_world


def tens(value: int) -> Event:
    """Two values, a second apart."""
    return Event.sequence([value * 10, value * 10 + 1], 1.0)


async def late(value: int) -> int:
    return value


STREAMS: dict[str, tuple[Callable[[], Event], list[Any]]] = {
    "range": (lambda: Event.range(2, 8, 3), [2, 5]),
    "repeat": (lambda: Event.repeat("x", 3), ["x", "x", "x"]),
    "sequence": (lambda: Event.sequence("abc", 1.0), ["a", "b", "c"]),
    "marble": (lambda: Event.marble("a-b-c", interval=1.0), ["a", "b", "c"]),
    "timer": (lambda: Event.timer(1.0, 3), [1.0, 2.0, 3.0]),
    "delay": (lambda: Event.sequence([1, 2]).delay(5.0), [1, 2]),
    "throttle": (lambda: Event.sequence(range(5)).throttle(2, 3.0), [0, 1, 2, 3, 4]),
    "throttle without a limit": (lambda: Event.sequence(range(3)).throttle(0, 99.0), [0, 1, 2]),
    "timeout": (lambda: Event.sequence([1, 2], times=[0.0, 9.0]).timeout(3.0).constant("over"), ["over"]),
    "sample": (lambda: Event.sequence("abcdef", 1.0).sample(Event.timer(2.4, 2)), ["c", "e"]),
    "concatmap": (lambda: Event.sequence([1, 2], 0.5).concatmap(tens), [10, 20, 21]),
    "mergemap": (lambda: Event.sequence([1, 2], 0.5).mergemap(tens), [10, 20, 11, 21]),
    "switchmap": (lambda: Event.sequence([1, 2], 0.5).switchmap(tens), [10, 20, 21]),
    "chainmap": (lambda: Event.sequence([1, 2], 0.5).chainmap(tens), [10, 11, 20, 21]),
    "map of coroutines": (lambda: Event.sequence([3, 1]).map(late), [3, 1]),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_in_time(name: str) -> None:
    make, expected = STREAMS[name]
    with virtual_world() as world:
        world.ib.sleep(0)
        found: list[Any] = []
        event = make()
        event += found.append
        world.ib.sleep(30)
        assert found == expected
        assert event.done()


def test_values_of_an_async_iterator() -> None:
    async def values() -> AsyncIterator[int]:
        for value in range(3):
            await asyncio.sleep(0)
            yield value

    with virtual_world() as world:
        found: list[int] = []
        event = Event.aiterate(values())
        event += found.append
        world.ib.sleep(1)
        assert found == [0, 1, 2]
        assert event.done()


def test_moments_of_a_time_range_are_those_of_the_simulated_market() -> None:
    with virtual_world() as world:
        start = world.ib.reqCurrentTime()
        found: list[datetime] = []
        event = Event.timerange(start + timedelta(seconds=5), start + timedelta(seconds=15), 5)
        event += found.append
        world.ib.sleep(20)
        assert found == [start + timedelta(seconds=n) for n in (5, 10, 15)]
        assert event.done()


def test_two_streams() -> None:
    def feed(make: Callable[[Event, Event], Event], values: list[Any]) -> list[Any]:
        source, other, found = Event("source"), Event("other"), list[Any]()
        made = make(source, other)
        made += found.append
        for value in values:
            other.emit("now") if value == "other" else source.emit(value)
        source.set_done()
        return found

    assert feed(lambda a, b: a.chunkwith(b), [1, 2, "other", 3, "other", "other", 4]) == [[1, 2], [3], [], [4]]
    assert feed(lambda a, b: a.takeuntil(b), [1, 2, "other", 3]) == [1, 2]
    assert feed(lambda a, b: a.chain(b), [1, "other", 2]) == [1, 2, "now"]


def test_the_last_values_of_a_stream() -> None:
    source, found = Event(), list[list[int]]()
    source.deque(2).connect(lambda values: found.append(list(values)))
    for value in (1, 2, 3):
        source.emit(value)
    assert found == [[1], [1, 2], [2, 3]]


def test_a_stream_that_ends_with_an_error() -> None:
    source, found = Event(), list[int]()
    ended = source.end_on_error()
    ended += found.append
    source.emit(1)
    source.error_event.emit(source, ValueError("no more"))
    assert found == [1]
    assert ended.done()
