"""The other end of the wire, for tests: real bytes in a gateway's role, sent by a script.

``EngineUnderTest`` drives an engine by hand, message by message. ``Script`` is a gateway behind a memory link, whose
answers are a function of the request; together with a virtual clock nothing ever waits for real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ibkit.clock import VirtualClock
from ibkit.engine.core import Engine, Settings
from ibkit.engine.signals import IBEvents
from ibkit.engine.state import State
from ibkit.links.memory import MemoryLink, memory_pair
from ibkit.wire import Codec, FrameReader, Role, handshake
from ibkit.wire import messages as m

TEXT_OLD, TEXT_LAST, PROTOBUF, NEWEST = VERSIONS = (176, 200, 213, 225)
START = 1_704_898_800.0  # 2024-01-10 15:00:00 UTC


class Gateway:
    """Encodes what a gateway sends and decodes what it gets; counts nothing, decides nothing."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.codec = Codec(Role.SERVER, version)
        self.hello: handshake.ClientHello | None = None
        self._start = bytearray()
        self._frames = FrameReader()

    def server_hello(self) -> bytes:
        return handshake.server_hello(self.version, "20240110 10:00:00 EST")

    def encode(self, *messages: Any) -> bytes:
        return b"".join(message if isinstance(message, bytes) else self.codec.encode(message) for message in messages)

    def decode(self, data: bytes) -> list[Any]:
        """Return the requests in ``data``; the hello is taken note of."""
        if self.hello is None:
            self._start += data
            self.hello, used = handshake.read_client_hello(bytes(self._start))
            data = bytes(self._start[used:]) if self.hello else b""
        self._frames.feed(data)
        requests = []
        while (body := self._frames.next()) is not None:
            requests.append(self.codec.decode(body))
        return requests


class EngineUnderTest:
    """An engine, the gateway it talks to, and everything it told."""

    def __init__(
        self,
        version: int = NEWEST,
        *,
        ready: bool = True,
        state: State | None = None,
        settings: Settings | None = None,
        client_id: int = 1,
        accounts: str = "DU1",
        next_id: int = 1,
        how: str = "glued",
    ) -> None:
        from ibkit.engine import session

        self.events = IBEvents()
        self.told: list[tuple[Any, ...]] = []
        for name in IBEvents.events:
            if name in ("updateEvent", "errorDetailsEvent"):  # what they tell is told by others, too
                continue
            getattr(self.events, name).connect(self._note(name))
        self.engine = Engine(self.events, state, settings, client_id=client_id, name="test gateway")
        self.gateway = Gateway(version)
        self.how = how
        self.now = 100.0
        self.engine.touch(self.now, START)
        session.begin(self.engine)
        self.sent: list[Any] = []
        if ready:
            self.requests()
            self.feed(self.gateway.server_hello())
            self.requests()
            self.send(m.ManagedAccts(accounts), m.NextValidId(next_id))
            self.requests()
            self.told.clear()

    def _note(self, name: str) -> Callable[..., None]:
        def note(*args: Any) -> None:
            self.told.append((name, *args))

        return note

    def names(self) -> list[str]:
        """Return the events since the last look."""
        names = [told[0] for told in self.told]
        self.told.clear()
        return names

    def send(self, *messages: Any) -> None:
        """Let the gateway say something."""
        if self.how == "whole":
            for message in messages:
                self.feed(self.gateway.encode(message))
        else:
            self.feed(self.gateway.encode(*messages))

    def feed(self, data: bytes) -> None:
        """Let bytes arrive, all at once or one by one."""
        pieces = [data[i : i + 1] for i in range(len(data))] if self.how == "bytes" else [data]
        for piece in pieces:
            self.engine.receive(piece, self.now, START + self.now - 100)
            while self.engine.step(self.now):
                pass
            self.engine.end_batch(self.now)

    def requests(self) -> list[Any]:
        """Return what the client has sent since the last look."""
        found = self.gateway.decode(self.engine.output(self.now))
        self.sent += found
        return found

    def pass_time(self, secs: float) -> None:
        """Let time pass, and what is due happen."""
        end = self.now + secs
        while (due := self.engine.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.engine.fire(self.now, START + self.now - 100)
            self.engine.output(self.now) if self.engine.version == 0 else self.requests()
        self.now = end
        self.engine.touch(self.now, START + self.now - 100)


Answers = Callable[[Any], Iterable[Any] | None]


def usual(request: Any, accounts: str = "DU1", next_id: int = 1) -> list[Any]:
    """Answer what a client asks when it connects to a gateway where nothing has happened."""
    match request:
        case m.StartApi():
            return [m.ManagedAccts(accounts), m.NextValidId(next_id)]
        case m.ReqPositions():
            return [m.PositionEnd()]
        case m.ReqOpenOrders() | m.ReqAllOpenOrders():
            return [m.OpenOrderEnd()]
        case m.ReqCompletedOrders():
            return [m.CompletedOrdersEnd()]
        case m.ReqAcctData(True, account):
            return [m.AcctDownloadEnd(account)]
        case m.ReqAccountUpdatesMulti(reqId=req_id):
            return [m.AccountUpdateMultiEnd(req_id)]
        case m.ReqExecutions(reqId=req_id):
            return [m.ExecutionDataEnd(req_id)]
        case m.ReqCurrentTime():
            return [m.CurrentTime(1_704_898_800)]
    return []


class Script:
    """A gateway in the thread of the client: answers each request by a function, moves the clock when all wait.

    ``answers`` returns the messages (or raw bytes) for a request; None for the usual ones. ``later`` holds what is
    said at a moment of the clock without being asked. ``hang_up`` closes the link.
    """

    def __init__(self, version: int = NEWEST, answers: Answers | None = None, how: str = "glued") -> None:
        self.clock = VirtualClock(START)
        self.gateway = Gateway(version)
        self.answers = answers or (lambda request: None)
        self.how = how
        self.requests: list[Any] = []
        self.later: list[tuple[float, Callable[[], object]]] = []
        self.cut_after: int | None = None
        """Bytes after which the line goes dead and is closed."""
        self.written = 0
        self._greeted = False
        self.link, self.end = memory_pair("script", self._pump)

    def say(self, *messages: Any) -> None:
        """Send messages, or raw bytes."""
        data = self.gateway.encode(*messages)
        pieces = [data[i : i + 1] for i in range(len(data))] if self.how == "bytes" else [data]
        for piece in pieces:
            self._write(piece)

    def _write(self, data: bytes) -> None:
        if self.cut_after is not None and self.written + len(data) >= self.cut_after:
            data = data[: max(0, self.cut_after - self.written)]
            self.end.write(data)
            self.end.close()
        else:
            self.end.write(data)
        self.written += len(data)

    def after(self, secs: float, *messages: Any) -> None:
        """Send messages some seconds from now."""
        self.later.append((self.clock.monotonic() + secs, lambda: self.say(*messages)))

    def hang_up(self) -> None:
        """Close the link."""
        self.end.close()

    def _pump(self, until: float | None) -> bool:
        if self._react():
            return True
        self.later.sort(key=lambda item: item[0])
        due = self.later[0][0] if self.later else None
        if due is not None and (until is None or due <= until):
            self.clock.advance(max(0.0, due - self.clock.monotonic()))
            self.later.pop(0)[1]()
            return True
        if until is None:
            return False
        self.clock.advance(max(0.0, until - self.clock.monotonic()))
        return True

    def _react(self) -> bool:
        reacted = False
        while data := self.end.read():
            reacted = True
            requests = self.gateway.decode(data)
            if self.gateway.hello is not None and not self._greeted:
                self._greeted = True
                self._write(self.gateway.server_hello())
            for request in requests:
                self.requests.append(request)
                answers = self.answers(request)
                for answer in usual(request) if answers is None else answers:
                    self.say(answer)
        return reacted

    def of(self, kind: type) -> list[Any]:
        """Return the requests of one kind so far."""
        return [request for request in self.requests if isinstance(request, kind)]


__all__ = [
    "NEWEST", "PROTOBUF", "START", "TEXT_LAST", "TEXT_OLD", "VERSIONS",
    "EngineUnderTest", "Gateway", "MemoryLink", "Script", "usual",
]  # fmt: skip
