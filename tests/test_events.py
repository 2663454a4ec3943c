"""Events: who is told what, in which order, and what happens to failures."""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import pickle
import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit import hosts
from ibkit.events import Event, LazyEvent, fire, made, runtime, set_runtime
from ibkit.hosts.events import HostRuntime


@pytest.fixture
def loop_runtime() -> HostRuntime:
    """The runtime of programs, which importing the hosts has installed."""
    assert isinstance(runtime(), HostRuntime)
    return hosts.runtime


def test_listeners_are_called_in_order_with_what_is_emitted() -> None:
    event = Event("e")
    got: list[object] = []
    event += lambda *args: got.append(("a", *args))
    event += lambda *args: got.append(("b", *args))
    event.emit(1, 2)
    event(3)
    assert got == [("a", 1, 2), ("b", 1, 2), ("a", 3), ("b", 3)]
    assert event.value() == 3
    assert len(event) == 2


def test_an_event_is_true_even_without_listeners_and_has_no_value_at_first() -> None:
    event = Event("e")
    assert event
    assert len(event) == 0
    assert event.value() is Event.NO_VALUE
    assert not Event.NO_VALUE
    event.emit()
    assert event.value() is Event.NO_VALUE
    assert event.name() == "e"


def test_the_same_listener_counts_as_often_as_it_is_connected() -> None:
    event, got = Event(), list[int]()
    event += got.append
    event += got.append
    event.emit(1)
    event -= got.append
    event.emit(2)
    event -= got.append
    event -= got.append  # unknown by now: ignored
    event.emit(3)
    assert got == [1, 1, 2]


def test_only_callables_can_listen() -> None:
    with pytest.raises(TypeError, match="callable"):
        Event().connect(None)  # type: ignore[arg-type]


class Owner:
    def __init__(self) -> None:
        self.got: list[object] = []

    def on(self, *args: object) -> None:
        self.got.append(args)


def test_a_bound_method_does_not_keep_its_object_alive() -> None:
    event, owner = Event(), Owner()
    event += owner.on
    assert owner.on in event
    event.emit(1)
    assert owner.got == [(1,)]
    del owner
    gc.collect()
    event.emit(2)
    assert len(event) == 0


def test_keep_ref_holds_the_object_of_a_bound_method() -> None:
    event, got = Event(), list[object]()

    class Loud:
        def on(self, value: object) -> None:
            got.append(value)

    event.connect(Loud().on, keep_ref=True)
    gc.collect()
    event.emit(1)
    assert got == [1]


def test_functions_partials_and_callable_objects_are_held() -> None:
    event, got = Event(), list[object]()

    class Callable_:
        def __call__(self, value: object) -> None:
            got.append(value)

    event += Callable_()
    event += partial(lambda tag, value: got.append((tag, value)), "p")
    gc.collect()
    event.emit(1)
    assert got == [1, ("p", 1)]


def test_disconnect_obj_and_clear() -> None:
    event, one, two = Event(), Owner(), Owner()
    event += one.on
    event += two.on
    event.disconnect_obj(one)
    event.emit(1)
    assert (one.got, two.got) == ([], [(1,)])
    event.clear()
    event.emit(2)
    assert two.got == [(1,)]


def test_once_is_called_once_even_when_it_emits_again() -> None:
    event, got = Event(), list[int]()

    def again(value: int) -> None:
        got.append(value)
        if value < 5:
            event.emit(value + 1)

    event.once(again)
    event.emit(1)
    event.emit(2)
    assert got == [1]
    assert len(event) == 0


def test_a_listener_removed_by_an_earlier_one_is_not_called_any_more() -> None:
    event, got = Event(), list[str]()

    def first(_: object) -> None:
        event.disconnect(second)

    def second(_: object) -> None:
        got.append("second")

    event += first
    event += second
    event.emit(1)
    assert got == []


def test_a_failing_listener_is_logged_with_its_name_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    event, got, errors, everywhere = Event("price"), list[int](), list[object](), list[object]()

    def broken(_: int) -> None:
        raise ZeroDivisionError("oops")

    def note(source: Event, name: str, error: Exception) -> None:
        everywhere.append((source, name, type(error)))

    event += broken
    event += got.append
    event.error_event.connect(lambda source, error: errors.append((source, str(error))))
    Event.on_error.connect(note)
    try:
        with caplog.at_level(logging.ERROR, "ibkit.event"):
            event.emit(1)
    finally:
        Event.on_error.disconnect(note)
    assert got == [1]
    assert errors == [(event, "oops")]
    assert [(s, e) for s, _, e in everywhere] == [(event, ZeroDivisionError)]  # type: ignore[misc]
    assert "broken" in caplog.text
    assert "price" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_failing_error_listener_ends_there(caplog: pytest.LogCaptureFixture) -> None:
    event = Event("e")

    def broken(*_: object) -> None:
        raise RuntimeError("again and again")

    event.connect(broken, error=broken)
    Event.on_error.connect(broken)
    try:
        event.emit(1)
    finally:
        Event.on_error.disconnect(broken)
    assert caplog.text.count("again and again") >= 3


@pytest.mark.parametrize("leave", [SystemExit, KeyboardInterrupt])
def test_leaving_passes_through_and_the_others_get_it_later(leave: type[BaseException]) -> None:
    event, got = Event(), list[int]()
    leaving = [True]

    def quitter(value: int) -> None:
        if leaving.pop() if leaving else False:
            raise leave

    event += quitter
    event += got.append
    with pytest.raises(leave):
        event.emit(1)
    assert got == []
    event.emit(2)
    assert got == [1, 2]


def test_a_fact_emitted_meanwhile_waits_for_the_busy_listener_and_reaches_the_others_at_once() -> None:
    event, log = Event("fill"), list[str]()

    def busy(value: int) -> None:
        log.append(f"busy {value}")
        if value == 1:  # a blocking call inside the handler: more facts come in
            event.emit(2)
            event.emit(3)
        log.append(f"busy {value} done")

    event += lambda value: log.append(f"before {value}")
    event += busy
    event += lambda value: log.append(f"after {value}")
    event.emit(1)
    assert log == [
        "before 1", "busy 1",
        "after 1", "before 2", "after 2", "before 3", "after 3",
        "busy 1 done", "busy 2", "busy 2 done", "busy 3", "busy 3 done",
    ]  # fmt: skip


def test_what_changed_meanwhile_is_told_once() -> None:
    event, got = Event("ticker", changed=True), list[object]()
    a, b = object(), object()

    def busy(ticker: object) -> None:
        got.append(ticker)
        if len(got) == 1:
            for ticker in (a, b, a, a):
                event.emit(ticker)

    event += busy
    event.emit(a)
    assert got == [a, a, b]


def test_a_new_bar_is_not_lost_when_updates_are_told_at_once() -> None:
    event, got = Event("bars", changed=True), list[bool]()
    bars = [0]

    def busy(_: object, has_new_bar: bool) -> None:
        got.append(has_new_bar)
        if len(got) == 1:
            event.emit(bars, True)
            event.emit(bars, False)

    event += busy
    event.emit(bars, False)
    assert got == [False, True]


def test_sets_of_changed_objects_are_united() -> None:
    event, got = Event("pending", changed=True), list[set[int]]()

    def busy(tickers: set[int]) -> None:
        got.append(tickers)
        if len(got) == 1:
            event.emit({2})
            event.emit({3})

    event += busy
    event.emit({1})
    assert got == [{1}, {2, 3}]


def test_leaving_from_a_nested_emission_unwinds_and_keeps_the_facts() -> None:
    event, got = Event("fill"), list[int]()

    def busy(value: int) -> None:
        got.append(value)
        if value == 1:
            event.emit(2)
            raise SystemExit

    event += busy
    with pytest.raises(SystemExit):
        event.emit(1)
    event.emit(3)
    assert got == [1, 2, 3]


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 3), st.booleans())
def test_every_listener_hears_every_fact_in_order_however_emissions_nest(
    nestings: list[int], listeners: int, with_failures: bool
) -> None:
    """Each listener emits further facts while it runs, as told by ``nestings``."""
    event = Event("fact")
    heard: list[list[int]] = [[] for _ in range(listeners)]
    emitted: list[int] = []
    todo = list(nestings)

    def emit() -> None:
        if len(emitted) < 60:
            emitted.append(len(emitted))
            event.emit(emitted[-1])

    def listener(own: list[int], value: int) -> None:
        own.append(value)
        for _ in range(todo.pop() if todo else 0):
            emit()
        if with_failures and value % 3 == 0:
            raise ValueError(value)

    for own in heard:
        event += partial(listener, own)
    logging.disable(logging.CRITICAL)
    try:
        emit()
    finally:
        logging.disable(logging.NOTSET)
    assert all(own == emitted for own in heard)


def test_done_is_told_once() -> None:
    event, got = Event("e"), list[object]()
    event.connect(lambda: None, done=got.append)
    assert not event.done()
    event.set_done()
    event.set_done()
    assert event.done()
    assert got == [event]


def test_error_and_done_events_have_none_of_their_own() -> None:
    with pytest.raises(AttributeError):
        _ = Event("e").error_event.error_event


def test_copies_and_pickles_start_without_listeners() -> None:
    event = Event("e", changed=True)
    event += print
    for twin in (copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert (twin.name(), len(twin)) == ("e", 0)
        twin.emit(1)


class Thing:
    changed = LazyEvent(Event, changed=True)


def test_a_lazy_event_is_made_when_somebody_asks() -> None:
    thing, got = Thing(), list[int]()
    fire(thing, "changed", 1)
    assert made(thing, "changed") is None
    thing.changed += got.append
    fire(thing, "changed", 2)
    assert got == [2]
    assert thing.changed is thing.changed
    assert thing.changed.name() == "changed"


def test_a_coroutine_listener_is_run_and_its_failure_seen(
    loop_runtime: HostRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    event, got = Event("e"), list[int]()

    async def listener(value: int) -> None:
        await asyncio.sleep(0)
        got.append(value)
        raise OSError("late failure")

    async def main() -> None:
        event.connect(listener)
        event.emit(1)
        assert got == []
        await asyncio.gather(*loop_runtime.tasks())

    asyncio.run(main())
    assert got == [1]
    assert "late failure" in caplog.text


def test_a_coroutine_listener_without_a_runtime_says_so(caplog: pytest.LogCaptureFixture) -> None:
    from ibkit import runtime

    before = runtime._runtime
    set_runtime(None)

    async def work() -> None: ...

    coroutine = work()
    try:
        event = Event("e")
        event += lambda: coroutine
        event.emit()
        assert "set_runtime" in caplog.text
    finally:
        set_runtime(before)
    coroutine.close()  # else whichever test runs when it is collected is told that it was never awaited


def test_awaiting_gives_the_next_emission(loop_runtime: HostRuntime) -> None:
    async def main() -> None:
        event = Event("e")
        asyncio.get_running_loop().call_soon(event.emit, 1)
        assert await event == 1
        asyncio.get_running_loop().call_soon(event.emit, 1, 2)
        assert await event == (1, 2)
        asyncio.get_running_loop().call_soon(event.set_done)
        with pytest.raises(ValueError, match="ended"):
            await event
        with pytest.raises(ValueError, match="done already"):
            await event
        assert len(event) == 0

    asyncio.run(main())


def test_awaiting_with_a_timeout_leaves_no_listener(loop_runtime: HostRuntime) -> None:
    async def main() -> None:
        event = Event("e")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(event, 0)
        assert len(event) == 0

    asyncio.run(main())


def test_iterating_gives_all_emissions_until_done(loop_runtime: HostRuntime) -> None:
    async def main() -> None:
        event = Event("e")

        def feed() -> None:
            for i in range(3):
                event.emit(i)
            event.set_done()

        asyncio.get_running_loop().call_soon(feed)
        assert [value async for value in event] == [0, 1, 2]
        assert [value async for value in event] == []

    asyncio.run(main())


def test_iterating_can_skip_to_the_last(loop_runtime: HostRuntime) -> None:
    async def main() -> None:
        event = Event("e")

        def feed() -> None:
            for i in range(3):
                event.emit(i)
            event.set_done()

        asyncio.get_running_loop().call_soon(feed)
        got = [value async for value in event.aiter(skip_to_last=True, tuples=True)]
        assert got == [(2,)]

    asyncio.run(main())


def test_emitting_from_another_thread(loop_runtime: HostRuntime) -> None:
    async def main() -> None:
        event, got = Event("e"), list[int]()
        threads: set[int] = set()
        event += got.append
        event += lambda _: threads.add(threading.get_ident())
        event.emit_threadsafe(1)
        assert got == []
        await asyncio.to_thread(event.emit_threadsafe, 2)
        while len(got) < 2:
            await asyncio.sleep(0)
        assert got == [1, 2]
        assert threads == {threading.get_ident()}

    asyncio.run(main())
