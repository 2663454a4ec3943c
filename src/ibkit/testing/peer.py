"""A server whose every answer is scripted: for what a real one does once a year.

Must not know any broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ibkit.clock import VirtualClock
from ibkit.links.memory import MemoryLink, memory_pair
from ibkit.wire import MAX_VERSION, Codec, FrameReader, Role, Unknown, handshake
from ibkit.wire import messages as m

R = TypeVar("R")


class ScriptedPeer:
    """Speaks the protocol and knows nothing: what it answers to which request is up to you.

    ``requests`` holds everything it was sent. It answers START_API and what a connecting client asks for with an
    empty account; ``on`` adds or replaces answers, ``at`` sends something later, ``hang_up`` ends it.

    >>> peer = ScriptedPeer(server_version=200)
    >>> peer.on(m.ReqCurrentTime, lambda msg: [m.CurrentTime(1704898800)])
    >>> ib = IB().connectLink(peer.link, clock=peer.clock)
    >>> ib.reqCurrentTime()
    datetime.datetime(2024, 1, 10, 15, 0, tzinfo=datetime.timezone.utc)
    """

    def __init__(
        self, server_version: int = MAX_VERSION, account: str = "DU1234567", start: float = 1704898800.0
    ) -> None:
        self.clock = VirtualClock(start)
        self.requests: list[m.Message | Unknown] = []
        self.link: MemoryLink
        self.link, self._end = memory_pair("scripted peer", self._pump)
        self._wanted = server_version
        self._reader = FrameReader()
        self._greeting = b""
        self._codec: Codec | None = None
        self._later: list[tuple[float, m.Answer]] = []
        # Any: each function takes the message it stands beside.
        self._answers: dict[type, Callable[[Any], Iterable[m.Answer]]] = {
            m.StartApi: lambda msg: [m.ManagedAccts(account), m.NextValidId(1)],
            m.ReqPositions: lambda msg: [m.PositionEnd()],
            m.ReqOpenOrders: lambda msg: [m.OpenOrderEnd()],
            m.ReqAllOpenOrders: lambda msg: [m.OpenOrderEnd()],
            m.ReqCompletedOrders: lambda msg: [m.CompletedOrdersEnd()],
            m.ReqAcctData: lambda msg: [m.AcctDownloadEnd(account)] if msg.subscribe else [],
            m.ReqAccountUpdatesMulti: lambda msg: [m.AccountUpdateMultiEnd(msg.reqId)],
            m.ReqExecutions: lambda msg: [m.ExecutionDataEnd(msg.reqId)],
        }

    def on(self, kind: type[R], answer: Callable[[R], Iterable[m.Answer]]) -> None:
        """Answer requests of ``kind`` with what ``answer`` returns; an empty list is silence."""
        self._answers[kind] = answer

    def send(self, *messages: m.Answer) -> None:
        """Send at once."""
        if self._codec is None:
            raise RuntimeError("nobody has connected yet")
        self._end.write(b"".join(self._codec.encode(message) for message in messages))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are, such as half a frame."""
        self._end.write(data)

    def at(self, secs: float, *messages: m.Answer) -> None:
        """Send in ``secs`` seconds of the clock."""
        self._later += [(self.clock.time() + secs, message) for message in messages]
        self._later.sort(key=lambda row: row[0])

    def hang_up(self) -> None:
        """End the connection."""
        self._end.close()

    def received(self, kind: type[R]) -> list[R]:
        """Return the requests of one kind, in order."""
        return [request for request in self.requests if isinstance(request, kind)]

    def _pump(self, until: float | None) -> bool:
        if self._read():
            return True
        if not self._later:
            return False
        due = self._later[0][0]
        wait = max(0.0, due - self.clock.time())
        left = wait if until is None else max(0.0, until - self.clock.monotonic())
        self.clock.advance(min(wait, left))
        while wait <= left and self._later and self._later[0][0] <= due:
            self.send(self._later.pop(0)[1])
        return True

    def _read(self) -> bool:
        acted = False
        while data := self._end.read():
            acted = True
            if self._codec is None:
                data = self._greet(data)
            self._reader.feed(data)
            while self._codec is not None and (body := self._reader.next()) is not None:
                self._take(self._codec.decode(body))
        return acted

    def _greet(self, data: bytes) -> bytes:
        self._greeting += data
        hello, consumed = handshake.read_client_hello(self._greeting)
        if hello is None:
            return b""
        version = min(hello.hi, self._wanted)
        self._codec = Codec(Role.SERVER, version)
        self._end.write(handshake.server_hello(version, "20240110 10:00:00 EST"))
        return self._greeting[consumed:]

    def _take(self, request: m.Message | Unknown) -> None:
        self.requests.append(request)
        answer = self._answers.get(type(request))
        if answer is not None:
            self.send(*answer(request))
