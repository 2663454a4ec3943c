"""A request that waits for its answer, and what can be made of several.

A call is pending, done or failed, and ends once. Its callbacks run when it ends, on the thread that holds the
connection; hosts make blocking waits and futures of it. Must not know what is asked or how.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from ibkit.errors import IbkitError

T = TypeVar("T")
U = TypeVar("U")

Conversation = Generator["Call[Any]", Any, T]
"""A composite request: yields calls, is sent their results (or thrown their errors), returns its own result."""


class CallCancelled(IbkitError):
    """The one who asked no longer wants the answer."""


class Call(Generic[T]):
    """A request that waits for its answer.

    Args:
        name: what was asked, for texts: the request with its main arguments.
        cancel: what to do when nobody wants the answer any more, such as to cancel it on the wire.
    """

    __slots__ = ("_callbacks", "_cancel", "_done", "_error", "_result", "name")

    def __init__(self, name: str, cancel: Callable[[], object] | None = None) -> None:
        self.name = name
        self._cancel = cancel
        self._done = False
        self._result: T | None = None
        self._error: Exception | None = None
        self._callbacks: list[Callable[[Call[T]], object]] = []

    @classmethod
    def of(cls, value: T, name: str = "") -> Call[T]:
        """Return a call that is answered already."""
        call = cls(name)
        call.succeed(value)
        return call

    @property
    def done(self) -> bool:
        """Whether there is an answer or an error."""
        return self._done

    @property
    def error(self) -> Exception | None:
        """The error of a failed call."""
        return self._error

    def result(self) -> T:
        """Return the answer or raise the error; raises RuntimeError while there is neither."""
        if not self._done:
            raise RuntimeError(f"{self.name} has not been answered yet")
        if self._error is not None:
            raise self._error
        return cast(T, self._result)

    def add_done_callback(self, fn: Callable[[Call[T]], object]) -> None:
        """Call ``fn`` with this call when it is done, at once if it is already."""
        if self._done:
            fn(self)
        else:
            self._callbacks.append(fn)

    def succeed(self, result: T) -> None:
        """Answer the call; harmless when it is done."""
        if not self._done:
            self._result = result
            self._finish()

    def fail(self, error: Exception) -> None:
        """Fail the call; harmless when it is done."""
        if not self._done:
            self._error = error
            self._finish()

    def cancel(self) -> None:
        """Cancel the request on the wire and finish the call; harmless when it is done."""
        if not self._done:
            if self._cancel is not None:
                self._cancel()
            self.fail(CallCancelled(f"{self.name} was cancelled"))

    def map(self, fn: Callable[[T], U]) -> Call[U]:
        """Return a call whose answer is ``fn`` of this one's; an exception of ``fn`` fails it."""
        mapped: Call[U] = Call(self.name, self.cancel)

        def pass_on(call: Call[T]) -> None:
            if call._error is not None:
                mapped.fail(call._error)
                return
            try:
                mapped.succeed(fn(cast(T, call._result)))
            except Exception as error:  # whatever it is: it belongs to the one who waits
                mapped.fail(error)

        self.add_done_callback(pass_on)
        return mapped

    def _finish(self) -> None:
        self._done = True
        self._cancel = None
        callbacks, self._callbacks = self._callbacks, []
        for fn in callbacks:
            fn(self)

    def __repr__(self) -> str:
        state = "pending" if not self._done else "done" if self._error is None else f"failed: {self._error!r}"
        return f"<Call {self.name}, {state}>"


def gather(calls: Iterable[Call[T]], name: str = "several requests") -> Call[list[T]]:
    """Return a call for the answers of all, in order; the first failure fails it and cancels the rest."""
    pending = list(calls)
    left = len(pending)

    def cancel() -> None:
        for call in pending:
            call.cancel()

    together: Call[list[T]] = Call(name, cancel)

    def one_done(call: Call[T]) -> None:
        nonlocal left
        left -= 1
        if call.error is not None:
            if not together.done:
                together.fail(call.error)
                cancel()
        elif not left:
            together.succeed([each.result() for each in pending])

    for call in pending:
        call.add_done_callback(one_done)
    if not pending:
        together.succeed([])
    return together


def settle(calls: Iterable[Call[T]], name: str = "several requests") -> Call[list[Call[T]]]:
    """Return a call that ends when all of ``calls`` have, well or not; its answer is the calls themselves."""
    pending = list(calls)
    left = len(pending)

    def cancel() -> None:
        for call in pending:
            call.cancel()

    together: Call[list[Call[T]]] = Call(name, cancel)

    def one_done(_: Call[T]) -> None:
        nonlocal left
        left -= 1
        if not left:
            together.succeed(pending)

    for call in pending:
        call.add_done_callback(one_done)
    if not pending:
        together.succeed([])
    return together


def converse(conversation: Conversation[T], name: str = "several requests") -> Call[T]:
    """Run a conversation and return the call for its result.

    >>> def both(a, b):
    ...     first = yield a
    ...     second = yield b
    ...     return first + second
    >>> converse(both(Call.of(1), Call.of(2))).result()
    3
    """
    waiting_for: list[Call[Any]] = []

    def cancel() -> None:
        with suppress(ValueError):  # cancelled from within itself, by a handler: it is left with its next call
            conversation.close()
        for call in waiting_for:
            call.cancel()

    whole: Call[T] = Call(name, cancel)

    def go_on(answered: Call[Any] | None) -> None:
        # A loop and not a recursion: many calls are answered already when they are yielded.
        while not whole.done:
            try:
                if answered is None:
                    call = next(conversation)
                elif answered.error is not None:
                    call = conversation.throw(answered.error)
                else:
                    call = conversation.send(answered.result())
            except StopIteration as end:
                whole.succeed(end.value)
                return
            except Exception as error:  # whatever it is: it belongs to the one who waits
                whole.fail(error)
                return
            waiting_for[:] = [call]
            if not call.done:
                call.add_done_callback(go_on)
                return
            answered = call

    go_on(None)
    return whole
