"""What each operator makes of a stream of values: a table of (operator, input, output)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit import Event, Op, operators


def run(make: Callable[[Event], Event], values: list[Any], end: bool = True) -> list[Any]:
    """Feed ``values`` to an operator and return what it emits; tuples are several arguments."""
    source = Event("source")
    found: list[Any] = []
    make(source).connect(lambda *args: found.append(args[0] if len(args) == 1 else args))
    for value in values:
        source.emit(*value) if isinstance(value, tuple) else source.emit(value)
    if end:
        source.set_done()
    return found


TABLE: dict[str, tuple[Callable[[Event], Event], list[Any], list[Any]]] = {
    "filter": (lambda e: e.filter(lambda x: x > 1), [1, 2, 3], [2, 3]),
    "filter of truth": (lambda e: e.filter(), [0, 2, ""], [2]),
    "skip": (lambda e: e.skip(2), [1, 2, 3], [3]),
    "take": (lambda e: e.take(2), [1, 2, 3], [1, 2]),
    "takewhile": (lambda e: e.takewhile(lambda x: x < 3), [1, 2, 3, 1], [1, 2]),
    "dropwhile": (lambda e: e.dropwhile(lambda x: x < 3), [1, 3, 1], [3, 1]),
    "changes": (lambda e: e.changes(), [1, 1, 2, 2, 1], [1, 2, 1]),
    "unique": (lambda e: e.unique(), [1, 2, 1, 3], [1, 2, 3]),
    "unique by key": (lambda e: e.unique(lambda x: x % 2), [1, 3, 2], [1, 2]),
    "last": (lambda e: e.last(), [1, 2, 3], [3]),
    "constant": (lambda e: e.constant("x"), [1, 2], ["x", "x"]),
    "iterate": (lambda e: e.iterate("ab"), [1, 2, 3], ["a", "b"]),
    "count": (lambda e: e.count(5, 2), ["a", "b"], [5, 7]),
    "enumerate": (lambda e: e.enumerate(), ["a", "b"], [(0, "a"), (1, "b")]),
    "partial": (lambda e: e.partial("x"), [1], [("x", 1)]),
    "partial_right": (lambda e: e.partial_right("x"), [1], [(1, "x")]),
    "pack": (lambda e: e.pack(), [(1, 2)], [(1, 2)]),
    "star": (lambda e: e.pack().star(), [(1, 2)], [(1, 2)]),
    "pluck": (lambda e: e.pluck(1), [("a", "b")], ["b"]),
    "pluck attribute": (lambda e: e.pluck(".real"), [3 + 4j], [3.0]),
    "map": (lambda e: e.map(lambda x: x * 2), [1, 2], [2, 4]),
    "reduce": (lambda e: e.reduce(lambda a, b: a * 10 + b), [1, 2, 3], [1, 12, 123]),
    "min": (lambda e: e.min(), [3, 1, 2], [3, 1, 1]),
    "max": (lambda e: e.max(), [1, 3, 2], [1, 3, 3]),
    "sum": (lambda e: e.sum(), [1, 2, 3], [1, 3, 6]),
    "product": (lambda e: e.product(), [2, 3], [2, 6]),
    "mean": (lambda e: e.mean(), [1, 3], [1, 2]),
    "any": (lambda e: e.any(), [0, 1, 0], [False, True, True]),
    "all": (lambda e: e.all(), [1, 0, 1], [True, False, False]),
    "ema": (lambda e: e.ema(weight=0.5), [2.0, 4.0], [2.0, 3.0]),
    "previous": (lambda e: e.previous(), [1, 2, 3], [1, 2]),
    "pairwise": (lambda e: e.pairwise(), [1, 2, 3], [(1, 2), (2, 3)]),
    "list": (lambda e: e.list(), [1, 2], [[1, 2]]),
    "chunk": (lambda e: e.chunk(2), [1, 2, 3], [[1, 2], [3]]),
    "pipe": (lambda e: e | Op() | Op(), [1, 2], [1, 2]),
    "chained": (lambda e: e.filter(lambda x: x > 1).map(lambda x: -x).sum(), [1, 2, 3], [-2, -5]),
}


@pytest.mark.parametrize(("make", "values", "expected"), TABLE.values(), ids=TABLE.keys())
def test_operator(make: Callable[[Event], Event], values: list[Any], expected: list[Any]) -> None:
    assert run(make, values) == expected


@pytest.mark.parametrize("make", [row[0] for row in TABLE.values()], ids=TABLE.keys())
def test_an_operator_ends_with_its_source(make: Callable[[Event], Event]) -> None:
    source = Event()
    operator = make(source)
    assert not operator.done()
    source.set_done()
    assert operator.done()


@given(st.lists(st.integers()), st.integers(0, 5))
def test_skip_and_take_share_a_stream(values: list[int], n: int) -> None:
    if n:
        assert run(lambda e: e.take(n), values) + run(lambda e: e.skip(n), values) == values


@given(st.lists(st.integers(-5, 5)), st.integers(1, 4))
def test_chunks_joined_are_the_stream(values: list[int], size: int) -> None:
    chunks = run(lambda e: e.chunk(size), values)
    assert [value for chunk in chunks for value in chunk] == values
    assert all(len(chunk) == size for chunk in chunks[:-1])


def test_merge_takes_from_all_and_ends_with_the_last() -> None:
    a, b = Event(), Event()
    found: list[int] = []
    merged = a.merge(b)
    merged += found.append
    a.emit(1)
    b.emit(2)
    a.set_done()
    b.emit(3)
    assert not merged.done()
    b.set_done()
    assert found == [1, 2, 3]
    assert merged.done()


def test_zip_waits_for_all_ziplatest_for_none() -> None:
    a, b = Event(), Event()
    pairs: list[tuple[Any, ...]] = []
    latest: list[tuple[Any, ...]] = []
    a.zip(b).connect(lambda *args: pairs.append(args), keep_ref=True)
    a.ziplatest(b, partial=False).connect(lambda *args: latest.append(args), keep_ref=True)
    a.emit(1)
    a.emit(2)
    b.emit("x")
    b.emit("y")
    assert pairs == [(1, "x"), (2, "y")]
    assert latest == [(2, "x"), (2, "y")]


def test_concat_and_switch() -> None:
    a, b = Event(), Event()
    one_by_one: list[Any] = []
    newest: list[Any] = []
    a.concat(b).connect(one_by_one.append)
    c, d = Event(), Event()
    c.switch(d).connect(newest.append)
    a.emit(1)
    a.set_done()
    b.emit(2)
    c.emit(1)
    d.emit(2)
    c.emit(3)
    assert one_by_one == [1, 2]
    assert 2 in newest


def test_fork_gives_each_branch_the_stream() -> None:
    source = Event()
    low, high = source[Event().filter(lambda x: x < 2), Event().filter(lambda x: x >= 2)]
    found: list[Any] = []
    low.connect(lambda x: found.append(("low", x)))
    high.connect(lambda x: found.append(("high", x)))
    source.emit(1)
    source.emit(2)
    assert found == [("low", 1), ("high", 2)]


def test_an_operator_of_ones_own() -> None:
    class Double(Op):
        def on_source(self, *args: Any) -> None:
            self.emit(args[0] * 2)

    assert run(lambda e: Double(e), [1, 2]) == [2, 4]


def test_errors_of_a_listener_can_be_listened_to(caplog: pytest.LogCaptureFixture) -> None:
    source = Event()
    seen: list[BaseException] = []
    source.errors().connect(lambda _event, error: seen.append(error))

    def fail(_: int) -> None:
        raise ArithmeticError("no")

    source += fail
    source.emit(1)
    assert [str(error) for error in seen] == ["no"]
    assert "no" in caplog.text


def test_operators_of_arrays_are_those_of_each_array() -> None:
    event = Event("prices")
    arrays = event.array(3)
    kinds = {
        "min": arrays.min(), "max": arrays.max(), "sum": arrays.sum(), "prod": arrays.prod(), "mean": arrays.mean(),
        "any": arrays.any(), "all": arrays.all(), "std": arrays.std(),
    }  # fmt: skip
    seen: dict[str, list[float]] = {name: [] for name in kinds}
    for name, op in kinds.items():
        op += seen[name].append
    for price in (1.0, 2.0, 3.0, 4.0):
        event.emit(price)
    assert seen["min"] == [1, 1, 1, 2]
    assert seen["max"] == [1, 2, 3, 4]
    assert seen["sum"] == [1, 3, 6, 9]
    assert seen["prod"] == [1, 2, 6, 24]
    assert seen["mean"] == [1, 1.5, 2, 3]
    assert seen["all"] == seen["any"] == [True] * 4
    assert seen["std"][0] != seen["std"][0]
    assert seen["std"][1:] == pytest.approx([0.5**0.5, 1, 1])


def test_an_event_for_each_emission_joined_by_any_joiner() -> None:
    parts: dict[int, Event] = {1: Event("one"), 2: Event("two")}
    source = Event("source")
    seen: list[str] = []
    joined = source.emap(lambda n: parts[n], operators.Merge())
    joined += seen.append
    piped = operators.Mergemap(lambda n: parts[n])
    source.pipe(piped)
    piped_seen: list[str] = []
    piped += piped_seen.append
    source.emit(1)
    source.emit(2)
    parts[2].emit("b")
    parts[1].emit("a")
    assert seen == piped_seen == ["b", "a"]
    source.set_done()
    for part in parts.values():
        part.set_done()
    assert joined.done()
    assert piped.done()


def test_a_fork_is_joined_by_any_joiner() -> None:
    source = Event("source")
    seen: list[object] = []
    joined = source.fork(operators.Max(), operators.Min()).join(operators.Zip())
    joined += lambda *args: seen.append(args)
    for n in (2, 3, 1):
        source.emit(n)
    assert seen == [(2, 2), (3, 2), (3, 1)]


def test_dropwhile_waits_for_something_true() -> None:
    source = Event("source")
    seen: list[int] = []
    kept = source.dropwhile()
    kept += seen.append
    for n in (0, 0, 5, 0):
        source.emit(n)
    assert seen == [5, 0]


def test_a_source_is_run_to_its_end() -> None:
    import ibkit.hosts  # installs what can wait

    assert ibkit.hosts
    assert Event.sequence("abc").run() == ["a", "b", "c"]
    assert Event.timer(0.001, count=3).map(lambda secs: round(secs * 1000)).run() == [1, 2, 3]
    assert Event.logger.name == "ibkit.event"
