"""Operators that join several sources.

Must not know time or tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from ibkit.emitter import NO_VALUE, Emitter
from ibkit.events import Event
from ibkit.operators.op import Op, unpack

# -- joins -------------------------------------------------------------------------------------------


class Join(Op):
    """Base of the operators with several sources; it ends with the last of them."""

    def __init__(self, *sources: Emitter) -> None:
        super().__init__()
        self._sources: list[Emitter] = []
        self._listeners: dict[int, Callable[..., None]] = {}
        self._parent: Emitter | None = None  # the event that still makes new sources
        for source in sources:
            self.add_source(source)
        if sources:
            self._finish()

    def add_source(self, source: Emitter) -> None:
        """Listen to one more source."""
        if source.done():
            return
        listener = partial(self.on_value, source)
        self._sources.append(source)
        self._listeners[id(source)] = listener
        source.connect(listener, self.on_source_error, self._on_one_done, keep_ref=True)

    def on_value(self, source: Emitter, *args: Any) -> None:
        """Take an emission of one of the sources."""
        raise NotImplementedError

    def remove_source(self, source: Emitter) -> None:
        """Stop listening to a source."""
        self._sources = [s for s in self._sources if s is not source]
        listener = self._listeners.pop(id(source), None)
        if listener is not None:
            source.disconnect(listener, self.on_source_error, self._on_one_done)

    def _on_one_done(self, source: Emitter) -> None:
        self.remove_source(source)
        self._finish()

    def _finish(self) -> None:
        if not self._sources and self._parent is None:
            self.set_done()

    def follow(self, parent: Emitter, constr: Callable[..., Any]) -> Self:
        """Add a source for each emission of ``parent``."""
        self._parent = parent

        def on_parent(*args: Any) -> None:
            self.add_source(Event.create(constr(*args)))

        def on_parent_done(_: Emitter) -> None:
            self._parent = None
            self._finish()

        parent.connect(on_parent, self.on_source_error, on_parent_done)
        return self


class Emap(Op):
    """Makes an event of each emission and emits what ``joiner`` makes of them all."""

    def __init__(self, constr: Callable[..., Any], joiner: Join, source: Emitter | None = None) -> None:
        self._constr = constr
        self._joiner = joiner
        joiner.connect(self.emit, self.on_source_error, self.on_source_done, keep_ref=True)
        super().__init__(source)

    def set_source(self, source: Emitter) -> None:
        self._joiner.follow(source, self._constr)


class Merge(Join):
    def on_value(self, source: Emitter, *args: Any) -> None:
        self.emit(*args)


class Switch(Join):
    _active: Emitter | None = None

    def on_value(self, source: Emitter, *args: Any) -> None:
        if source is not self._active:
            if self._active is not None:
                self.remove_source(self._active)
            self._active = source
        self.emit(*args)


class Concat(Join):
    def on_value(self, source: Emitter, *args: Any) -> None:
        while self._sources and self._sources[0] is not source:
            self.remove_source(self._sources[0])
        self.emit(*args)


class Chain(Join):
    def __init__(self, *sources: Emitter) -> None:
        self._queues: dict[int, list[tuple[Any, ...]]] = {}
        self._ended: set[int] = set()
        super().__init__(*sources)

    def add_source(self, source: Emitter) -> None:
        self._queues[id(source)] = []
        super().add_source(source)

    def on_value(self, source: Emitter, *args: Any) -> None:
        if self._sources[0] is source:
            self.emit(*args)
        else:
            self._queues[id(source)].append(args)

    def _on_one_done(self, source: Emitter) -> None:
        self._ended.add(id(source))
        while self._sources and id(self._sources[0]) in self._ended:
            self.remove_source(self._sources[0])
            if self._sources:
                for args in self._queues.pop(id(self._sources[0]), ()):
                    self.emit(*args)
        self._finish()


class Zip(Join):
    def __init__(self, *sources: Emitter) -> None:
        self._columns: list[tuple[Emitter, deque[Any]]] = []
        super().__init__(*sources)

    def add_source(self, source: Emitter) -> None:
        self._columns.append((source, deque()))
        super().add_source(source)

    def on_value(self, source: Emitter, *args: Any) -> None:
        for column_source, column in self._columns:
            if column_source is source:
                column.append(unpack(args))
        while self._columns and all(column for _, column in self._columns):
            self.emit(*[column.popleft() for _, column in self._columns])

    def _on_one_done(self, source: Emitter) -> None:
        super()._on_one_done(source)
        if any(s is source and not column for s, column in self._columns):
            self.set_done()  # no further tuple can become complete


class Ziplatest(Join):
    def __init__(self, *sources: Emitter, partial: bool = True) -> None:
        self._order: list[Emitter] = []
        self._latest: list[Any] = []
        self._partial = partial
        super().__init__(*sources)

    def add_source(self, source: Emitter) -> None:
        self._order.append(source)
        self._latest.append(source.value())
        super().add_source(source)

    def on_value(self, source: Emitter, *args: Any) -> None:
        for i, s in enumerate(self._order):
            if s is source:
                self._latest[i] = unpack(args)
        if self._partial or not any(value is NO_VALUE for value in self._latest):
            self.emit(*self._latest)


class Fork(list[Event]):
    """Several operators on one source, to be joined again."""

    def join(self, joiner: Join) -> Join:
        """Emit what ``joiner`` makes of them."""
        for source in self:
            joiner.add_source(source)
        return joiner

    def merge(self) -> Merge:
        """Emit what any of them emits."""
        return Merge(*self)

    def switch(self) -> Switch:
        """Emit the one that emitted last."""
        return Switch(*self)

    def concat(self) -> Concat:
        """Emit one after the other; what a later one emits too early ends the earlier ones."""
        return Concat(*self)

    def chain(self) -> Chain:
        """Emit one after the other; nothing is lost."""
        return Chain(*self)

    def zip(self) -> Zip:
        """Emit tuples of one value of each."""
        return Zip(*self)

    def ziplatest(self, partial: bool = True) -> Ziplatest:
        """Emit the latest values of all."""
        return Ziplatest(*self, partial=partial)


# -- an event for each emission ----------------------------------------------------------------------


class Mergemap(Emap):
    def __init__(self, constr: Callable[..., Any], source: Emitter | None = None) -> None:
        super().__init__(constr, Merge(), source)


class Concatmap(Emap):
    def __init__(self, constr: Callable[..., Any], source: Emitter | None = None) -> None:
        super().__init__(constr, Concat(), source)


class Chainmap(Emap):
    def __init__(self, constr: Callable[..., Any], source: Emitter | None = None) -> None:
        super().__init__(constr, Chain(), source)


class Switchmap(Emap):
    def __init__(self, constr: Callable[..., Any], source: Emitter | None = None) -> None:
        super().__init__(constr, Switch(), source)
