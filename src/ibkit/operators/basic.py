"""Operators that choose, shape and sum up emissions.

Must not know time, tasks or several sources.
"""

from __future__ import annotations

import copy
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from operator import not_
from typing import Any

from ibkit import clock
from ibkit.emitter import NO_VALUE, Emitter
from ibkit.operators.op import Op, unpack

# -- choose ------------------------------------------------------------------------------------------


class Filter(Op):
    def __init__(self, predicate: Callable[..., object] = bool, source: Emitter | None = None) -> None:
        self._predicate = predicate
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        if self._predicate(*args):
            self.emit(*args)


class Skip(Op):
    def __init__(self, count: int = 1, source: Emitter | None = None) -> None:
        self._left = count
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        if self._left > 0:
            self._left -= 1
        else:
            self.emit(*args)


class Take(Op):
    def __init__(self, count: int = 1, source: Emitter | None = None) -> None:
        self._left = count
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self._left -= 1
        if self._left >= 0:
            self.emit(*args)
        if self._left <= 0:
            self.end()


class TakeWhile(Filter):
    def on_source(self, *args: Any) -> None:
        if self._predicate(*args):
            self.emit(*args)
        else:
            self.end()


class DropWhile(Filter):
    _open = False

    def __init__(self, predicate: Callable[..., object] = not_, source: Emitter | None = None) -> None:
        super().__init__(predicate, source)

    def on_source(self, *args: Any) -> None:
        self._open = self._open or not self._predicate(*args)
        if self._open:
            self.emit(*args)


class TakeUntil(Op):
    def __init__(self, notifier: Emitter, source: Emitter | None = None) -> None:
        super().__init__(source)
        notifier.connect(self._on_notifier, keep_ref=True)

    def _on_notifier(self, *args: Any) -> None:
        self.end()


class Changes(Op):
    _last: Any = NO_VALUE

    def on_source(self, *args: Any) -> None:
        if args != self._last:
            self._last = args
            self.emit(*args)


class Unique(Op):
    def __init__(self, key: Callable[..., Any] | None = None, source: Emitter | None = None) -> None:
        self._key = key
        self._seen: set[Any] = set()
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        key = args if self._key is None else self._key(*args)
        if key not in self._seen:
            self._seen.add(key)
            self.emit(*args)


class Last(Op):
    _last: tuple[Any, ...] | None = None

    def on_source(self, *args: Any) -> None:
        self._last = args

    def on_source_done(self, source: Emitter) -> None:
        if self._last is not None:
            self.emit(*self._last)
        self.end()


# -- shape -------------------------------------------------------------------------------------------


class Constant(Op):
    def __init__(self, constant: object, source: Emitter | None = None) -> None:
        self._constant = constant
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self.emit(self._constant)


class Iterate(Op):
    def __init__(self, it: Iterable[Any], source: Emitter | None = None) -> None:
        self._it = iter(it)
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        try:
            value = next(self._it)
        except StopIteration:
            self.end()
        else:
            self.emit(value)


class Count(Op):
    def __init__(self, start: int = 0, step: int = 1, source: Emitter | None = None) -> None:
        self._numbers = itertools.count(start, step)
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self.emit(next(self._numbers))


class Enumerate(Count):
    def on_source(self, *args: Any) -> None:
        self.emit(next(self._numbers), *args)


class Timestamp(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(clock.default.time(), *args)


class Partial(Op):
    def __init__(self, *left_args: object, source: Emitter | None = None) -> None:
        self._args = left_args
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self.emit(*self._args, *args)


class PartialRight(Partial):
    def on_source(self, *args: Any) -> None:
        self.emit(*args, *self._args)


class Star(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(*args[0])


class Pack(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(args)


class Pluck(Op):
    def __init__(self, *selections: int | str, source: Emitter | None = None) -> None:
        self._paths = [self._path(s) for s in selections]
        super().__init__(source)

    @staticmethod
    def _path(selection: int | str) -> tuple[int, list[str]]:
        """The index of an argument (0 when the text names none) and the attributes to follow from it."""
        if isinstance(selection, int):
            return selection, []
        first, *names = selection.split(".")
        if not first:
            return 0, names
        return (int(first), names) if first.isdecimal() else (0, [first, *names])

    def on_source(self, *args: Any) -> None:
        values = []
        for index, names in self._paths:
            value = args[index]
            for name in names:
                value = getattr(value, name)
            values.append(value)
        self.emit(*values)


class Copy(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(*map(copy.copy, args))


class Deepcopy(Op):
    def on_source(self, *args: Any) -> None:
        self.emit(*map(copy.deepcopy, args))


# -- sum up ------------------------------------------------------------------------------------------


class Reduce(Op):
    def __init__(
        self,
        func: Callable[[Any, Any], Any],
        initializer: object = NO_VALUE,
        source: Emitter | None = None,
    ) -> None:
        self._func = func
        self._result: Any = initializer
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        value = unpack(args)
        self._result = value if self._result is NO_VALUE else self._func(self._result, value)
        self.emit(self._result)


class Min(Reduce):
    def __init__(self, source: Emitter | None = None) -> None:
        super().__init__(min, source=source)


class Max(Reduce):
    def __init__(self, source: Emitter | None = None) -> None:
        super().__init__(max, source=source)


class Sum(Reduce):
    def __init__(self, start: Any = 0, source: Emitter | None = None) -> None:
        super().__init__(lambda a, b: a + b, start, source)


class Product(Reduce):
    def __init__(self, start: Any = 1, source: Emitter | None = None) -> None:
        super().__init__(lambda a, b: a * b, start, source)


class Any_(Reduce):
    def __init__(self, source: Emitter | None = None) -> None:
        super().__init__(lambda a, b: a or bool(b), False, source)


class All(Reduce):
    def __init__(self, source: Emitter | None = None) -> None:
        super().__init__(lambda a, b: a and bool(b), True, source)


class Mean(Op):
    _count = 0
    _sum: Any = 0

    def on_source(self, *args: Any) -> None:
        self._count += 1
        self._sum += args[0]
        self.emit(self._sum / self._count)


class Ema(Op):
    def __init__(self, n: float | None = None, weight: float | None = None, source: Emitter | None = None) -> None:
        if (n is None) == (weight is None):
            raise ValueError("give either the number of values n or the weight of the newest one")
        self._weight = weight if weight is not None else 2.0 / ((n or 0) + 1)
        self._ema: Any = NO_VALUE
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        value = args[0]
        self._ema = value if self._ema is NO_VALUE else self._ema + self._weight * (value - self._ema)
        self.emit(self._ema)


class Previous(Op):
    def __init__(self, count: int = 1, source: Emitter | None = None) -> None:
        self._count = count
        self._seen: deque[tuple[Any, ...]] = deque()
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self._seen.append(args)
        if len(self._seen) > self._count:
            self.emit(*self._seen.popleft())


class Pairwise(Op):
    _last: Any = NO_VALUE

    def on_source(self, *args: Any) -> None:
        value = unpack(args)
        last, self._last = self._last, value
        if last is not NO_VALUE:
            self.emit(last, value)


class ListOf(Op):
    def __init__(self, source: Emitter | None = None) -> None:
        self._values: list[Any] = []
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self._values.append(unpack(args))

    def on_source_done(self, source: Emitter) -> None:
        self.emit(self._values)
        self.end()


class DequeOf(Op):
    def __init__(self, count: int = 0, source: Emitter | None = None) -> None:
        self._values: deque[Any] = deque(maxlen=count or None)
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self._values.append(unpack(args))
        self.emit(self._values)


class Chunk(Op):
    def __init__(self, size: int, source: Emitter | None = None) -> None:
        self._size = size
        self._values: list[Any] = []
        super().__init__(source)

    def on_source(self, *args: Any) -> None:
        self._values.append(unpack(args))
        if len(self._values) >= self._size:
            self._flush()

    def on_source_done(self, source: Emitter) -> None:
        if self._values:
            self._flush()
        self.end()

    def _flush(self) -> None:
        values, self._values = self._values, []
        self.emit(values)


class ChunkWith(Op):
    def __init__(self, timer: Emitter, emit_empty: bool = True, source: Emitter | None = None) -> None:
        self._emit_empty = emit_empty
        self._values: list[Any] = []
        super().__init__(source)
        timer.connect(self._on_timer, done=self._on_timer_done, keep_ref=True)

    def on_source(self, *args: Any) -> None:
        self._values.append(unpack(args))

    def _on_timer(self, *args: Any) -> None:
        if self._values or self._emit_empty:
            values, self._values = self._values, []
            self.emit(values)

    def _on_timer_done(self, timer: Emitter) -> None:
        if self._values:
            self._on_timer()
        self.end()

    def on_source_done(self, source: Emitter) -> None:
        self._on_timer_done(source)


# -- fail --------------------------------------------------------------------------------------------


class Errors(Op):
    def set_source(self, source: Emitter) -> None:
        # Only what goes wrong is wanted, and the error event of an event has no error event of its own.
        self._source = source
        source.error_event.connect(self.emit, keep_ref=True)
        source.done_event.connect(self.on_source_done, keep_ref=True)

    def end(self) -> None:
        if self._source is not None:
            self._source.error_event.disconnect(self.emit)
            self._source.done_event.disconnect(self.on_source_done)
            self._source = None
        self.set_done()


class EndOnError(Op):
    def on_source_error(self, source: Emitter, error: BaseException) -> None:
        self.error_event.emit(source, error)
        self.end()
