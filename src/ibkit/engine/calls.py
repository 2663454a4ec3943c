"""The registry of requests that wait for an answer.

A request with an id is known by that id. The others (positions, open orders, the time ...) are known by a text, and
TWS's answer does not tell which request it belongs to. So of one text only one request is on the wire at a time:

* asking the same again while it is on the wire waits for the same answer;
* asking something else under the same text (the orders of all clients instead of ours) waits for its turn;
* an answer that comes when nobody wants it any more still belongs to the request it was for: it holds its
  place until its end has come, for at most ``PATIENCE_S`` seconds.

So no answer is given to the wrong one, none is given in part, and no asker is forgotten.

Every request has a deadline, counted from the moment when it was sent: what waits for the message rate, or for its
turn, is not late. Must not know what is asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, Final, Protocol, TypeVar

from ibkit.engine.call import Call
from ibkit.engine.timers import Timer, Timers
from ibkit.errors import RequestTimeout
from ibkit.model import Contract
from ibkit.wire import messages as m

T = TypeVar("T")

PATIENCE_S: Final = 10.0
"""Seconds that an answer nobody waits for any more keeps a different request of the same key waiting."""

LIST: Final = object()
"""Stands for the list of what was added to the answer."""


class Sender(Protocol):
    """The part of the engine that this registry uses."""

    now: float
    timers: Timers
    is_open: bool

    def check(self, message: m.Request) -> None:
        """Raise what ``send`` would raise."""

    def send(self, message: m.Request, on_sent: Callable[[float], object] | None = None) -> None:
        """Send a request and tell ``on_sent`` when it was written; raises EncodeError, NotConnected."""

    def request_timeout(self) -> float:
        """Return the seconds in which a request must be answered unless it says otherwise; 0 for no limit."""
        ...


class _Request:
    """One request, on the wire or waiting for its turn, and those who want its answer."""

    __slots__ = ("answer", "askers", "cancel", "contract", "deadlines", "message", "patience", "sent", "unanswered")

    def __init__(self, message: m.Request, contract: Contract | None, cancel: m.Request | None) -> None:
        self.message = message
        self.contract = contract
        self.cancel = cancel
        self.askers: list[Call[Any]] = []  # Any: each key has its own kind of answer
        self.answer: list[Any] = []  # Any: what was told since the last end
        self.unanswered = 0  # how many ends are still to come
        self.patience: Timer | None = None
        self.sent = False
        self.deadlines: list[Callable[[float], object]] = []  # to be told when it is sent

    def was_sent(self, now: float) -> None:
        """Begin to count its deadlines."""
        self.sent = True
        deadlines, self.deadlines = self.deadlines, []
        for begin in deadlines:
            begin(now)


def _equal(a: m.Request, b: m.Request) -> bool:
    return type(a) is type(b) and a == b  # as tuples, two messages without fields are equal whatever they ask


class Calls:
    """All requests of one connection that wait for an answer."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._on_wire: dict[Hashable, _Request] = {}
        self._queues: dict[Hashable, deque[_Request]] = {}

    # -- asking --------------------------------------------------------------------------------------

    def ask(
        self,
        message: m.Request,
        *,
        key: Hashable,
        name: str,
        contract: Contract | None = None,
        cancel: m.Request | None = None,
        timeout: float | None = None,
    ) -> Call[T]:
        """Send a request (or join one that is on the wire) and return the call for its answer.

        Args:
            message: the request.
            key: its id, or a text when the answer carries none.
            name: for texts.
            contract: what it is about, for errors.
            cancel: what to send when nobody wants the answer any more.
            timeout: seconds after it was sent in which it must be answered, else it fails with RequestTimeout; None for
                the usual ones, 0 for no limit.

        Raises EncodeError, NotConnected; then nothing was sent and nothing is waited for.
        """
        request = self._on_wire.get(key)
        if request is None:
            request = _Request(message, contract, cancel)
            self._send(key, request)
        elif _equal(request.message, message):
            if not request.askers:
                self._send(key, request)  # what is still to come may never come: ask again
        else:
            request = self._line_up(key, message, contract, cancel)

        asked = request
        call: Call[T] = Call(name, lambda: self._leave(key, asked, call))
        request.askers.append(call)
        seconds = self._sender.request_timeout() if timeout is None else timeout
        if seconds:
            self._limit(key, asked, call, seconds)
        return call

    def _limit(self, key: Hashable, request: _Request, call: Call[T], seconds: float) -> None:
        """Fail ``call`` when it has no answer so many seconds after the request was sent."""

        def expire() -> None:
            self._leave(key, request, call)
            call.fail(RequestTimeout(call.name, seconds))

        def begin(now: float) -> None:
            timer = self._sender.timers.at(now + seconds, expire)
            call.add_done_callback(lambda _: timer.cancel())

        if request.sent:
            begin(self._sender.now)
        else:
            request.deadlines.append(begin)

    def _line_up(
        self, key: Hashable, message: m.Request, contract: Contract | None, cancel: m.Request | None
    ) -> _Request:
        queue = self._queues.setdefault(key, deque())
        for request in queue:
            if _equal(request.message, message):
                return request
        self._sender.check(message)
        request = _Request(message, contract, cancel)
        queue.append(request)
        return request

    def _send(self, key: Hashable, request: _Request) -> None:
        request.sent = False
        self._sender.send(request.message, request.was_sent)
        self._on_wire[key] = request
        request.unanswered += 1
        if request.patience is not None:
            request.patience.cancel()
            request.patience = None

    def _leave(self, key: Hashable, request: _Request, call: Call[Any]) -> None:
        """Take note that ``call`` no longer waits."""
        if call not in request.askers:
            return
        request.askers.remove(call)
        if request.askers:
            return
        if self._on_wire.get(key) is not request:
            queue = self._queues[key]
            queue.remove(request)
            return
        if isinstance(key, int):  # ids are never used again: what still comes for it is ignored
            del self._on_wire[key]
        else:
            self._be_patient(key, request)
        if request.cancel is not None and self._sender.is_open:
            self._sender.send(request.cancel)

    def _be_patient(self, key: Hashable, request: _Request) -> None:
        timers = self._sender.timers
        request.patience = timers.at(self._sender.now + PATIENCE_S, lambda: self._next(key))

    def _next(self, key: Hashable) -> None:
        """Give the place of ``key`` to the next request, if there is one."""
        self._on_wire.pop(key, None)
        queue = self._queues.get(key)
        if queue:
            self._send(key, queue.popleft())
        elif queue is not None:
            del self._queues[key]

    # -- answering -----------------------------------------------------------------------------------

    def add(self, key: Hashable, item: Any) -> None:  # Any: each key has its own kind of answer
        """Add to the answer of the request on the wire."""
        request = self._on_wire.get(key)
        if request is not None:
            request.answer.append(item)

    def finish(self, key: Hashable, result: Any = LIST) -> bool:  # Any: as above
        """Answer those who wait on ``key``, with the list of what was added unless ``result`` is given.

        Returns: False when nobody waits.
        """
        request = self._on_wire.get(key)
        if request is None:
            return False
        answer, askers = self._end(key, request)
        for call in askers:
            call.succeed(list(answer) if result is LIST else result)
        return bool(askers)

    def fail(self, key: Hashable, error: Exception) -> bool:
        """Fail those who wait on ``key``; False when nobody waits."""
        request = self._on_wire.get(key)
        if request is None:
            return False
        _, askers = self._end(key, request)
        for call in askers:
            call.fail(error)
        return bool(askers)

    def _end(self, key: Hashable, request: _Request) -> tuple[list[Any], list[Call[Any]]]:
        answer, request.answer = request.answer, []
        askers, request.askers = request.askers, []
        request.unanswered -= 1
        if isinstance(key, int):
            del self._on_wire[key]
        elif request.unanswered <= 0:
            if request.patience is not None:
                request.patience.cancel()
            self._next(key)
        elif request.patience is None:
            self._be_patient(key, request)
        return answer, askers

    def fail_all(self, error: Exception) -> None:
        """Fail everything: the connection has ended."""
        requests = [*self._on_wire.values(), *(each for queue in self._queues.values() for each in queue)]
        self._on_wire.clear()
        self._queues.clear()
        askers = [call for request in requests for call in request.askers]
        for request in requests:  # first of all: one that fails may cancel others
            request.askers = []
        for call in askers:
            call.fail(error)

    # -- looking -------------------------------------------------------------------------------------

    def waiting(self, key: Hashable) -> bool:
        """Tell whether somebody waits for the request on the wire."""
        request = self._on_wire.get(key)
        return request is not None and bool(request.askers)

    def asks(self, key: Hashable, kind: type) -> bool:
        """Tell whether somebody waits for a request on the wire, and it is of a kind."""
        request = self._on_wire.get(key)
        return request is not None and bool(request.askers) and isinstance(request.message, kind)

    def contract(self, key: Hashable) -> Contract | None:
        """Return the contract a pending request is about."""
        request = self._on_wire.get(key)
        return None if request is None else request.contract

    def only_without_id(self) -> Hashable | None:
        """Return the key of the only pending request that has no id; None when there are several, or none."""
        keys = [key for key, request in self._on_wire.items() if request.askers and not isinstance(key, int)]
        return keys[0] if len(keys) == 1 else None
