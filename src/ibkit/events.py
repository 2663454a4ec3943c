"""Events as users see them: ``Event`` with its operators and sources.

How an event tells its listeners is in emitter.py, what the operators do in operators.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from datetime import datetime, time
from operator import not_
from typing import Any, Generic, Self, TypeVar, overload

from ibkit.emitter import NO_VALUE, Emitter, Listener
from ibkit.runtime import Promise, Runtime, Timer, runtime, set_runtime

__all__ = [
    "NO_VALUE", "Event", "LazyEvent", "Listener", "Promise", "Runtime", "Timer",
    "fire", "interrupt", "runtime", "set_runtime",
]  # fmt: skip


class Event(Emitter):
    """Something that happens; connect listeners with ``+=`` and they are called with what is emitted.

    >>> event = Event('price')
    >>> event += print
    >>> event.emit('AAPL', 189.5)
    AAPL 189.5

    Args:
        name: for logs and repr.
        changed: emissions say "this object changed": a busy listener gets one for each object, not all
            of them.

    Waiting: ``await event`` for the next value, ``async for value in event`` for all.
    Operators make new events of this one:

    * choose: filter skip take takewhile dropwhile takeuntil unique changes last
    * shape: map star pluck pack constant count enumerate timestamp previous pairwise
    * sum up: reduce sum product mean min max any all ema list deque chunk
    * combine: merge concat chain zip ziplatest switch fork pipe (``|``)
    * time: delay timeout debounce throttle sample
    * fail: errors end_on_error

    Sources: ``Event.init create wait aiterate sequence repeat range timerange timer marble``.
    """

    __slots__ = ()

    @staticmethod
    def init(obj: object, event_names: Iterable[str]) -> None:
        """Give ``obj`` a new event under each of the names."""
        for name in event_names:
            setattr(obj, name, Event(name))

    def filter(self, predicate: Callable[..., object] = bool) -> ops.Filter:
        """Emit what satisfies ``predicate``."""
        return ops.Filter(predicate, source=self)

    def skip(self, count: int = 1) -> ops.Skip:
        """Leave out the first ``count`` emissions."""
        return ops.Skip(count, source=self)

    def take(self, count: int = 1) -> ops.Take:
        """Emit the first ``count`` emissions and end."""
        return ops.Take(count, source=self)

    def takewhile(self, predicate: Callable[..., object] = bool) -> ops.TakeWhile:
        """Emit until ``predicate`` fails, and end."""
        return ops.TakeWhile(predicate, source=self)

    def dropwhile(self, predicate: Callable[..., object] = not_) -> ops.DropWhile:
        """Leave out what comes before ``predicate`` fails for the first time."""
        return ops.DropWhile(predicate, source=self)

    def takeuntil(self, notifier: Emitter) -> ops.TakeUntil:
        """Emit until ``notifier`` emits, and end."""
        return ops.TakeUntil(notifier, source=self)

    def constant(self, constant: object) -> ops.Constant:
        """Emit ``constant`` each time."""
        return ops.Constant(constant, source=self)

    def iterate(self, it: Iterable[Any]) -> ops.Iterate:
        """Emit the next item of ``it`` each time; end with it."""
        return ops.Iterate(it, source=self)

    def count(self, start: int = 0, step: int = 1) -> ops.Count:
        """Emit a running number."""
        return ops.Count(start, step, source=self)

    def enumerate(self, start: int = 0, step: int = 1) -> ops.Enumerate:
        """Put a running number before each emission."""
        return ops.Enumerate(start, step, source=self)

    def timestamp(self) -> ops.Timestamp:
        """Put the time (epoch seconds) before each emission."""
        return ops.Timestamp(source=self)

    def partial(self, *left_args: object) -> ops.Partial:
        """Put fixed arguments before each emission."""
        return ops.Partial(*left_args, source=self)

    def partial_right(self, *right_args: object) -> ops.PartialRight:
        """Put fixed arguments after each emission."""
        return ops.PartialRight(*right_args, source=self)

    def star(self) -> ops.Star:
        """Emit the items of an emitted tuple as arguments."""
        return ops.Star(source=self)

    def pack(self) -> ops.Pack:
        """Emit the arguments as one tuple."""
        return ops.Pack(source=self)

    def pluck(self, *selections: int | str) -> ops.Pluck:
        """Emit chosen arguments, or attributes such as "0.contract.symbol" or ".bid"."""
        return ops.Pluck(*selections, source=self)

    def map(
        self,
        func: Callable[..., Any],
        timeout: float | None = None,
        ordered: bool = True,
        task_limit: int | None = None,
    ) -> ops.Map:
        """Emit ``func`` of each emission; coroutines are run, ``task_limit`` at a time."""
        return ops.Map(func, timeout, ordered, task_limit, source=self)

    def emap(self, constr: Callable[..., Any], joiner: ops.Join) -> ops.Join:
        """Make an event of each emission and emit what ``joiner``, such as ``Merge()``, makes of them all."""
        return joiner.follow(self, constr)

    def mergemap(self, constr: Callable[..., Any]) -> ops.Merge:
        """Make an event of each emission and emit all of them as they come."""
        return ops.Merge().follow(self, constr)

    def concatmap(self, constr: Callable[..., Any]) -> ops.Concat:
        """Make an event of each emission; emit one until it ends, then what the newest emits."""
        return ops.Concat().follow(self, constr)

    def chainmap(self, constr: Callable[..., Any]) -> ops.Chain:
        """Make an event of each emission and emit one after the other; nothing is lost."""
        return ops.Chain().follow(self, constr)

    def switchmap(self, constr: Callable[..., Any]) -> ops.Switch:
        """Make an event of each emission and emit the newest one only."""
        return ops.Switch().follow(self, constr)

    def reduce(self, func: Callable[[Any, Any], Any], initializer: object = NO_VALUE) -> ops.Reduce:
        """Emit the running result of ``func(result, value)``."""
        return ops.Reduce(func, initializer, source=self)

    def min(self) -> ops.Min:
        """Emit the smallest value so far."""
        return ops.Min(source=self)

    def max(self) -> ops.Max:
        """Emit the largest value so far."""
        return ops.Max(source=self)

    def sum(self, start: Any = 0) -> ops.Sum:
        """Emit the sum so far."""
        return ops.Sum(start, source=self)

    def product(self, start: Any = 1) -> ops.Product:
        """Emit the product so far."""
        return ops.Product(start, source=self)

    def mean(self) -> ops.Mean:
        """Emit the mean so far."""
        return ops.Mean(source=self)

    def any(self) -> ops.Any_:
        """Emit whether any value so far was true."""
        return ops.Any_(source=self)

    def all(self) -> ops.All:
        """Emit whether all values so far were true."""
        return ops.All(source=self)

    def ema(self, n: float | None = None, weight: float | None = None) -> ops.Ema:
        """Emit the exponential moving average over ``n`` values, or with ``weight``."""
        return ops.Ema(n, weight, source=self)

    def previous(self, count: int = 1) -> ops.Previous:
        """Emit what was emitted ``count`` times before."""
        return ops.Previous(count, source=self)

    def pairwise(self) -> ops.Pairwise:
        """Emit (previous, current)."""
        return ops.Pairwise(source=self)

    def changes(self) -> ops.Changes:
        """Emit what differs from the emission before."""
        return ops.Changes(source=self)

    def unique(self, key: Callable[..., Any] | None = None) -> ops.Unique:
        """Emit only what was never emitted before."""
        return ops.Unique(key, source=self)

    def last(self) -> ops.Last:
        """Emit the last emission when the source ends."""
        return ops.Last(source=self)

    def list(self) -> ops.ListOf:
        """Emit the list of all values when the source ends."""
        return ops.ListOf(source=self)

    def deque(self, count: int = 0) -> ops.DequeOf:
        """Emit a deque of the last ``count`` values (0: all)."""
        return ops.DequeOf(count, source=self)

    def array(self, count: int = 0) -> ops.ArrayOf:
        """Emit a numpy array of the last ``count`` values (0: all)."""
        return ops.ArrayOf(count, source=self)

    def chunk(self, size: int) -> ops.Chunk:
        """Emit lists of ``size`` values, the rest when the source ends."""
        return ops.Chunk(size, source=self)

    def chunkwith(self, timer: Emitter, emit_empty: bool = True) -> ops.ChunkWith:
        """Emit the list of values since the last emission of ``timer``."""
        return ops.ChunkWith(timer, emit_empty, source=self)

    def chain(self, *sources: Emitter) -> ops.Chain:
        """Emit the sources one after the other; nothing is lost."""
        return ops.Chain(self, *sources)

    def merge(self, *sources: Emitter) -> ops.Merge:
        """Emit what any source emits."""
        return ops.Merge(self, *sources)

    def concat(self, *sources: Emitter) -> ops.Concat:
        """Emit the sources one after the other; what a later one emits too early is lost."""
        return ops.Concat(self, *sources)

    def switch(self, *sources: Emitter) -> ops.Switch:
        """Emit the source that emitted last in the order given; a later one silences those before it."""
        return ops.Switch(self, *sources)

    def zip(self, *sources: Emitter) -> ops.Zip:
        """Emit tuples of one value of each source."""
        return ops.Zip(self, *sources)

    def ziplatest(self, *sources: Emitter, partial: bool = True) -> ops.Ziplatest:
        """Emit the latest values of all sources whenever one emits.

        ``partial``: also before all have emitted.
        """
        return ops.Ziplatest(self, *sources, partial=partial)

    def delay(self, delay: float) -> ops.Delay:
        """Emit everything ``delay`` seconds later."""
        return ops.Delay(delay, source=self)

    def timeout(self, timeout: float) -> ops.Timeout:
        """Emit once, without arguments, and end when nothing came for ``timeout`` seconds; values are not passed on."""
        return ops.Timeout(timeout, source=self)

    def throttle(self, maximum: float, interval: float, cost_func: Callable[..., float] | None = None) -> ops.Throttle:
        """Emit at most ``maximum`` (0: any number) per ``interval`` seconds; the rest waits, nothing is lost."""
        return ops.Throttle(maximum, interval, cost_func, source=self)

    def debounce(self, delay: float, on_first: bool = False) -> ops.Debounce:
        """Emit the last (or first) of a burst; a burst ends with ``delay`` quiet seconds."""
        return ops.Debounce(delay, on_first, source=self)

    def copy(self) -> ops.Copy:
        """Emit shallow copies."""
        return ops.Copy(source=self)

    def deepcopy(self) -> ops.Deepcopy:
        """Emit deep copies."""
        return ops.Deepcopy(source=self)

    def sample(self, timer: Emitter) -> ops.Sample:
        """Emit the latest emission whenever ``timer`` emits."""
        return ops.Sample(timer, source=self)

    def errors(self) -> ops.Errors:
        """Emit the errors of this event."""
        return ops.Errors(source=self)

    def end_on_error(self) -> ops.EndOnError:
        """End with the first error."""
        return ops.EndOnError(source=self)

    def pipe(self, *targets: ops.Op) -> ops.Op:
        """Feed this event through the operators one after the other; return the last one."""
        source: Event = self
        for target in targets:
            target.set_source(source)
            source = target
        return targets[-1]

    def fork(self, *targets: ops.Op) -> ops.Fork:
        """Feed this event to each of the operators; return them as one that can be joined again."""
        for target in targets:
            target.set_source(self)
        return ops.Fork(targets)

    def __or__(self, target: ops.Op) -> ops.Op:
        return self.pipe(target)

    def __getitem__(self, targets: ops.Op | tuple[ops.Op, ...]) -> ops.Fork:
        return self.fork(*(targets if isinstance(targets, tuple) else (targets,)))

    def run(self) -> Any:
        """Wait until the event has ended, while messages are processed; return the list of all its values.

        For events that end by themselves, such as ``Event.timer(0.25, count=10)``.
        """
        return runtime().run(self.list())

    @staticmethod
    def create(obj: Any) -> Event:
        """Make an event of an event, an awaitable, an async iterable or an event's constructor."""
        if isinstance(obj, Event):
            return obj
        if hasattr(obj, "__aiter__"):
            return Event.aiterate(obj)
        if hasattr(obj, "__await__"):
            return Event.wait(obj)
        raise TypeError(f"cannot make an event of {obj!r}")

    @staticmethod
    def wait(future: Awaitable[Any]) -> ops.Wait:
        """Emit the result of an awaitable and end."""
        return ops.Wait(future)

    @staticmethod
    def aiterate(ait: AsyncIterable[Any]) -> ops.Aiterate:
        """Emit what an async iterable yields and end with it."""
        return ops.Aiterate(ait)

    @staticmethod
    def sequence(values: Iterable[Any], interval: float = 0, times: Iterable[float] | None = None) -> ops.Sequence:
        """Emit the values, ``interval`` seconds apart or at ``times`` (seconds from now), and end."""
        return ops.Sequence(values, interval, times)

    @staticmethod
    def repeat(
        value: object = NO_VALUE, count: int = 1, interval: float = 0, times: Iterable[float] | None = None
    ) -> ops.Sequence:
        """Emit ``value`` ``count`` times, and end."""
        return ops.Sequence([value] * count, interval, times)

    @staticmethod
    def range(*args: int, interval: float = 0, times: Iterable[float] | None = None) -> ops.Sequence:
        """Emit the numbers of ``range(*args)``, and end."""
        return ops.Sequence(range(*args), interval, times)

    @staticmethod
    def timerange(
        start: time | datetime | float = 0, end: time | datetime | float | None = None, step: float = 1
    ) -> ops.Timerange:
        """Emit the aware time every ``step`` seconds from ``start`` to ``end``, and end.

        Numbers are seconds from now; a ``datetime.time`` means today; naive times are local.
        """
        return ops.Timerange(start, end, step)

    @staticmethod
    def timer(interval: float, count: int | None = None) -> ops.Sequence:
        """Emit the seconds since the start, every ``interval`` seconds, ``count`` times (None: for ever)."""
        return ops.Sequence(ops.ticks(interval, count), interval, first=interval)

    @staticmethod
    def marble(s: str, interval: float = 0, times: Iterable[float] | None = None) -> ops.Op:
        """Emit the characters of ``s``: ``-`` and space are a moment without emission, ``|`` is the end."""
        return ops.marble(s, interval, times)


EventT = TypeVar("EventT", bound=Event)


class LazyEvent(Generic[EventT]):
    """An attribute that holds an event, made when somebody first asks for it.

    Most trades and tickers have no listeners of their own, and an event for each would cost more than
    the object. Owners emit with ``fire``, which does nothing when there is no event yet: the event ``x`` of an
    object is kept as ``_x``, which is None until then.
    """

    def __init__(self, cls: type[EventT], changed: bool = False) -> None:
        self.cls = cls
        self.changed = changed
        self.name = ""
        self._kept_as = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self._kept_as = "_" + name
        setattr(owner, self._kept_as, None)

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: object, owner: type) -> EventT: ...
    def __get__(self, obj: object | None, owner: type) -> Self | EventT:
        if obj is None:
            return self
        event: EventT | None = getattr(obj, self._kept_as)
        if event is None:
            event = self.cls(self.name, changed=self.changed)
            setattr(obj, self._kept_as, event)
        return event

    def __set__(self, obj: object, event: EventT) -> None:  # also for ``trade.fillEvent += listener``
        setattr(obj, self._kept_as, event)


def made(owner: object, name: str) -> Event | None:
    """Return the lazy event ``name`` of ``owner``, if anybody ever asked for it."""
    event: Event | None = getattr(owner, "_" + name, None)
    return event


def fire(owner: object, name: str, *args: Any) -> None:
    """Emit the lazy event ``name`` of ``owner``, if anybody ever asked for it."""
    event: Event | None = getattr(owner, "_" + name, None)
    if event is not None:
        event.emit(*args)


def interrupt(owner: object, name: str, error: BaseException) -> None:
    """Let those who wait for the lazy event ``name`` of ``owner`` have an error; the event may go on."""
    event = made(owner, name)
    if event is not None and not event.done():
        event.error_event.emit(event, error)


# Operators are events themselves, so they can only come after Event.
from ibkit import operators as ops  # noqa: E402
