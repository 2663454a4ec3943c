"""The core of events: who wants to know is told, in order, and no failure goes unseen.

``Event`` has the interface of the eventkit library that ib_insync users know, with one rule of its own:

**A listener that is on the stack is not re-entered.** When a listener waits inside a library call and
the same event is emitted meanwhile, the other listeners hear of it at once and this one as soon as it
returns. A *fact* event (a fill, a status, an error; the default) delivers everything it missed, in
order; an event made with ``changed=True`` (a ticker, bars) delivers one emission for each object that
changed. Every listener is told in the order of emission.

An exception in a listener never stops the other listeners: it is logged on the logger ``ibkit.event``
with the listener's name, and offered on the event's ``error_event`` and on ``Event.on_error``.
SystemExit and KeyboardInterrupt pass through; what the remaining listeners did not get is delivered
ahead of the next emission.

Awaiting events and coroutine listeners need a loop. This module knows none: it uses the ``Runtime`` that
was installed with ``set_runtime``.
"""

from __future__ import annotations

import logging
import types
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar, Final, Self

from ibkit.runtime import Promise, runtime

logger = logging.getLogger("ibkit.event")

Listener = Callable[..., object]


class _NoValue:
    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<NoValue>"


NO_VALUE: Final = _NoValue()


class _Slot:
    """One listener of one event."""

    __slots__ = ("active", "busy", "func", "missed", "ref")

    def __init__(self, func: Listener, ref: weakref.ref[Any] | None) -> None:
        self.func = func
        self.ref = ref  # of the object of a bound method; None: func is called as it is
        self.active = True
        self.busy = False
        self.missed: deque[tuple[Any, ...]] | None = None

    def alive(self) -> bool:
        return self.active and (self.ref is None or self.ref() is not None)

    def keep(self, args: tuple[Any, ...], coalesce: bool) -> None:
        """Remember an emission for later."""
        if self.missed is None:
            self.missed = deque()
        elif coalesce:
            for i, earlier in enumerate(self.missed):
                if (merged := _merge(earlier, args)) is not None:
                    self.missed[i] = merged
                    return
        self.missed.append(args)

    def matches(self, listener: Listener) -> bool:
        if self.ref is not None:
            return (
                isinstance(listener, types.MethodType)
                and self.func is listener.__func__
                and self.ref() is listener.__self__
            )
        return self.func is listener or bool(self.func == listener)

    def name(self) -> str:
        func = self.func.func if isinstance(self.func, partial) else self.func
        label = getattr(func, "__qualname__", None) or repr(func)
        return f"{getattr(func, '__module__', None) or '?'}.{label}"


def _merge(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Make one emission of two that say "changed"; None when they are about different things.

    Sets of changed objects are united; a flag (bars, hasNewBar) stays up once it was up.
    """
    if not new:
        return new
    if isinstance(new[0], set):
        return (old[0] | new[0],)
    if old[0] is not new[0]:
        return None
    return new if len(new) == 1 else (new[0], old[1] or new[1])


class _Frame:
    """An emission in progress to several listeners."""

    __slots__ = ("args", "index", "slots")

    def __init__(self, slots: tuple[_Slot, ...], args: tuple[Any, ...]) -> None:
        self.slots = slots
        self.args = args
        self.index = 0  # of the next listener to be told


class Emitter:
    """An event without operators; see ``ibkit.events.Event``."""

    __slots__ = (
        "__weakref__",
        "_changed",
        "_done",
        "_done_event",
        "_error_event",
        "_frames",
        "_name",
        "_plain",
        "_slots",
        "_value",
    )  # fmt: skip

    NO_VALUE: ClassVar[_NoValue] = NO_VALUE
    logger: ClassVar[logging.Logger] = logger
    on_error: ClassVar[Emitter]
    """Emits (event, listener name, exception) for every listener of any event that raised."""

    def __init__(self, name: str = "", _with_error_done_events: bool = True, *, changed: bool = False) -> None:
        self._name = name
        self._plain = not _with_error_done_events
        self._changed = changed
        self._slots: tuple[_Slot, ...] = ()
        self._frames: list[_Frame] | None = None
        self._value: tuple[Any, ...] | None = None
        self._done = False
        self._error_event: Emitter | None = None
        self._done_event: Emitter | None = None

    # -- telling -------------------------------------------------------------------------------------

    def emit(self, *args: Any) -> None:
        """Tell all listeners."""
        self._value = args
        slots = self._slots
        if not slots:
            return
        if len(slots) == 1 and not self._frames:
            self._deliver(slots[0], args)
        else:
            self._emit_to_many(slots, args)

    __call__ = emit

    def emit_threadsafe(self, *args: Any) -> None:
        """Emit from any thread; the listeners run on the thread that owns the connection."""
        runtime().post(lambda: self.emit(*args))

    def _deliver(self, slot: _Slot, args: tuple[Any, ...]) -> None:
        if slot.busy:
            self._keep(slot, args)
            return
        caught_up = bool(slot.missed)
        if caught_up:  # left over from a run that SystemExit or KeyboardInterrupt cut short
            self._keep(slot, args)
            args = self._missed(slot)
        slot.busy = True
        try:
            while True:
                try:
                    if slot.ref is None:
                        result = slot.func(*args)
                    else:
                        obj = slot.ref()
                        if obj is None:
                            self._drop(slot)
                            return
                        result = slot.func(obj, *args)
                    if result is not None and hasattr(result, "__await__") and not isinstance(result, Emitter):
                        runtime().spawn(self._watch(slot, result))  # pyright: ignore[reportArgumentType]
                except Exception as error:  # the listener's failure, whatever it is: reported, never swallowed
                    self._failed(slot, error)
                if not slot.missed or not slot.active:
                    return
                args = self._missed(slot)
                caught_up = True
        finally:
            slot.busy = False
            if caught_up:
                self._caught_up()

    def _emit_to_many(self, slots: tuple[_Slot, ...], args: tuple[Any, ...]) -> None:
        frames = self._frames
        if frames is None:
            frames = self._frames = []
        frame = _Frame(slots, args)
        frames.append(frame)
        try:
            # Nested in an emission of this event, those who still wait for the outer one get it first.
            for each in tuple(frames):
                self._advance(each)
        except BaseException:
            for each in frames:
                for slot in each.slots[each.index :]:
                    self._keep(slot, each.args)
                each.index = len(each.slots)
            raise
        finally:
            frames.remove(frame)

    def hurry(self) -> None:
        """Tell those who still wait for their turn in an emission in progress, because what it is about will change."""
        for frame in tuple(self._frames or ()):
            self._advance(frame)

    def _keep(self, slot: _Slot, args: tuple[Any, ...]) -> None:
        """Remember an emission for a listener that cannot have it now."""
        slot.keep(args, self._changed)

    def _missed(self, slot: _Slot) -> tuple[Any, ...]:
        """Return the first emission that was kept for a listener, which is about to have it."""
        assert slot.missed
        return slot.missed.popleft()

    def _caught_up(self) -> None:
        """Take note that a listener has had what was kept for it."""

    def _advance(self, frame: _Frame) -> None:
        while frame.index < len(frame.slots):
            slot = frame.slots[frame.index]
            frame.index += 1
            if slot.active:
                self._deliver(slot, frame.args)

    async def _watch(self, slot: _Slot, awaitable: Awaitable[object]) -> None:
        """Await what a listener returned and report its failure like that of a plain listener."""
        try:
            await awaitable
        except Exception as error:
            self._failed(slot, error)

    def _failed(self, slot: _Slot, error: Exception) -> None:
        logger.error("%s failed on event %r: %r", slot.name(), self._name, error, exc_info=error)
        if self._error_event is not None:
            self._error_event.emit(self, error)
        if self is not Emitter.on_error:
            Emitter.on_error.emit(self, slot.name(), error)

    # -- listening -----------------------------------------------------------------------------------

    def connect(
        self,
        listener: Listener,
        error: Listener | None = None,
        done: Listener | None = None,
        keep_ref: bool = False,
    ) -> Self:
        """Call ``listener`` with every emission; return this event.

        Args:
            listener: a function or other callable, or an operator. What it returns is ignored, except that a
                coroutine is run. A listener connected twice is called twice.
            error: called with (event, exception) when a listener of this event raises.
            done: called with (event) when the event is set done.
            keep_ref: hold the object of a bound method; else the listener ends with that object.
        """
        if not callable(listener):
            raise TypeError(f"a listener must be callable, got {listener!r}")
        if isinstance(listener, Emitter) and (set_source := getattr(listener, "set_source", None)):
            set_source(self)  # an operator listens to more than values
            return self
        slot = _Slot(listener, None)
        if isinstance(listener, types.MethodType) and not keep_ref:
            with suppress(TypeError):  # an object that knows no weak references is held
                slot = _Slot(listener.__func__, weakref.ref(listener.__self__))
        self._slots = (*(s for s in self._slots if s.alive()), slot)
        if error is not None:
            self.error_event.connect(error, keep_ref=keep_ref)
        if done is not None:
            self.done_event.connect(done, keep_ref=keep_ref)
        return self

    def disconnect(self, listener: Listener, error: Listener | None = None, done: Listener | None = None) -> Self:
        """Stop calling ``listener`` (once, if it was connected several times).

        Unknown listeners are ignored.
        """
        for slot in self._slots:
            if slot.matches(listener):
                self._drop(slot)
                break
        if error is not None and self._error_event is not None:
            self._error_event.disconnect(error)
        if done is not None and self._done_event is not None:
            self._done_event.disconnect(done)
        return self

    def disconnect_obj(self, obj: object) -> None:
        """Stop calling the methods of ``obj``, and ``obj`` itself."""
        for slot in self._slots:
            func = slot.func
            owner = slot.ref() if slot.ref is not None else getattr(func, "__self__", None)
            if owner is obj or func is obj:
                self._drop(slot)
        for sub in (self._error_event, self._done_event):
            if sub is not None:
                sub.disconnect_obj(obj)

    def once(self, listener: Listener) -> Self:
        """Call ``listener`` with the next emission only."""

        def first(*args: Any) -> object:
            self.disconnect(first)
            return listener(*args)

        first.__qualname__ = getattr(listener, "__qualname__", repr(listener))
        first.__module__ = getattr(listener, "__module__", first.__module__)
        return self.connect(first)

    def clear(self) -> None:
        """Disconnect all listeners."""
        for slot in self._slots:
            slot.active = False
        self._slots = ()
        for sub in (self._error_event, self._done_event):
            if sub is not None:
                sub.clear()

    def _drop(self, slot: _Slot) -> None:
        slot.active = False
        self._slots = tuple(s for s in self._slots if s is not slot)

    def __iadd__(self, listener: Listener) -> Self:
        return self.connect(listener)

    def __isub__(self, listener: Listener) -> Self:
        return self.disconnect(listener)

    def __len__(self) -> int:
        return sum(slot.alive() for slot in self._slots)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, listener: Listener) -> bool:
        return any(slot.alive() and slot.matches(listener) for slot in self._slots)

    # -- state ---------------------------------------------------------------------------------------

    def name(self) -> str:
        """Return the name of the event."""
        return self._name

    def value(self) -> Any:
        """Return the last emission.

        NO_VALUE if there was none, the argument itself if it was one, else a tuple.
        """
        return NO_VALUE if self._value is None else _unpack(self._value)

    def done(self) -> bool:
        """Tell whether the event has ended and will emit no more."""
        return self._done

    def set_done(self) -> None:
        """End the event: its waiters and iterations end, ``done_event`` is emitted once."""
        if not self._done:
            self._done = True
            if self._done_event is not None:
                self._done_event.emit(self)

    @property
    def error_event(self) -> Emitter:
        """Emits (event, exception) when a listener raised."""
        if self._plain:
            raise AttributeError(f"event {self._name!r} is an error or done event itself")
        if self._error_event is None:
            self._error_event = Emitter("error", False)
        return self._error_event

    @property
    def done_event(self) -> Emitter:
        """Emits (event) when the event was set done."""
        if self._plain:
            raise AttributeError(f"event {self._name!r} is an error or done event itself")
        if self._done_event is None:
            self._done_event = Emitter("done", False)
        return self._done_event

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self._name}, {[slot.name() for slot in self._slots]}>"

    def __getstate__(self) -> tuple[str, bool, bool]:
        return self._name, self._plain, self._changed  # listeners do not travel: a copy starts with none

    def __setstate__(self, state: tuple[str, bool, bool]) -> None:
        name, plain, changed = state
        Emitter.__init__(self, name, not plain, changed=changed)

    # -- waiting -------------------------------------------------------------------------------------

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for the next emission; raises ValueError when the event is done or ends meanwhile."""
        if self._done:
            raise ValueError(f"event {self._name!r} is done already: it will emit no more")
        future = runtime().future()

        def on_event(*args: Any) -> None:
            if not future.done():
                future.set_result(_unpack(args))

        def on_error(_: Emitter, error: BaseException) -> None:
            if not future.done():
                future.set_exception(error)

        def on_done(_: Emitter) -> None:
            if not future.done():
                future.set_exception(ValueError(f"event {self._name!r} ended while it was awaited"))

        self.connect(on_event, on_error, on_done)
        try:
            return (yield from future.__await__())
        finally:
            self.disconnect(on_event, on_error, on_done)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.aiter()

    async def aiter(self, skip_to_last: bool = False, tuples: bool = False) -> AsyncIterator[Any]:
        """Iterate over the emissions until the event is done.

        Args:
            skip_to_last: when the loop body was slow, continue with the latest emission and drop the
                ones before.
            tuples: always yield tuples, also for single values.
        """
        if self._done:
            return
        arrived: deque[tuple[Any, ...]] = deque()
        failure: list[BaseException] = []
        waiter: Promise | None = None

        def wake() -> None:
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

        def on_event(*args: Any) -> None:
            if skip_to_last:
                arrived.clear()
            arrived.append(args)
            wake()

        def on_error(_: Emitter, error: BaseException) -> None:
            failure.append(error)
            wake()

        def on_done(_: Emitter) -> None:
            wake()

        self.connect(on_event, on_error, on_done)
        try:
            while True:
                while arrived:
                    args = arrived.popleft()
                    yield args if tuples else _unpack(args)
                if failure:
                    raise failure[0]
                if self._done:
                    return
                waiter = runtime().future()
                await waiter
        finally:
            self.disconnect(on_event, on_error, on_done)


def _unpack(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 else args or NO_VALUE


Emitter.on_error = Emitter("on_error", False)
