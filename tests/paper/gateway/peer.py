"""A client for tests: our own codec at the other end of a session, on a virtual clock."""

from __future__ import annotations

from typing import TypeVar

from ibkit.clock import VirtualClock
from ibkit.paper.gateway import Gateway, Session, start_moment
from ibkit.wire import Codec, FrameReader, Role, handshake
from ibkit.wire import messages as m

A = TypeVar("A")
START = start_moment("2024-01-10 10:00")


class World:
    """A gateway and its clock."""

    def __init__(self, start: str | float = START, **options: object) -> None:
        self.clock = VirtualClock(start if isinstance(start, float) else start_moment(start))
        self.gateway = Gateway(self.clock, **options)  # type: ignore[arg-type]  # checked there

    def client(self, client_id: int = 1, version: int = 225, start: bool = True) -> Client:
        """Return a connected client; with ``start`` it has started, and what that brought is read."""
        client = Client(self, version)
        if start:
            client.ask(m.StartApi(client_id, ""))
        return client

    def run(self, secs: float) -> None:
        """Let time pass, event by event."""
        end = self.clock.time() + secs
        while True:
            due = self.gateway.next_due()
            if due is None or due > end:
                break
            self.clock.advance(max(0.0, due - self.clock.time()))
            self.gateway.tick()
        self.clock.advance(end - self.clock.time())
        self.gateway.tick()


class Client:
    """One connection."""

    def __init__(self, world: World, version: int = 225, hello: bytes | None = None) -> None:
        self.world = world
        self.session: Session = world.gateway.connect("test")
        self._reader = FrameReader()
        self.greeting = b""
        self.send_bytes(handshake.client_hello(157, version) if hello is None else hello)
        self.greeting = self.session.output()
        self.version = 0
        if self.greeting:
            self._reader.feed(self.greeting)
            body = self._reader.next()
            assert body is not None
            self.version = handshake.read_server_hello(body).version
            self.codec = Codec(Role.CLIENT, self.version)

    def send_bytes(self, data: bytes) -> None:
        self.world.gateway.receive(self.session, data)

    def send(self, message: m.Request) -> None:
        """Send one request."""
        self.send_bytes(self.codec.encode(message))

    def read(self) -> list[m.Answer]:
        """Return what has come."""
        self._reader.feed(self.session.output())
        found: list[m.Answer] = []
        while (body := self._reader.next()) is not None:
            message = self.codec.decode(body)
            assert isinstance(message, tuple)
            found.append(message)  # type: ignore[arg-type]  # a client decodes answers
        assert not self.codec.trailing, self.codec.trailing
        assert not self.codec.unknown_ids, self.codec.unknown_ids
        return found

    def ask(self, message: m.Request, secs: float = 0.0) -> list[m.Answer]:
        """Send one request, let ``secs`` pass, return what has come."""
        self.send(message)
        if secs:
            self.world.run(secs)
        return self.read()

    def one(self, kind: type[A], message: m.Request, secs: float = 0.0) -> A:
        """Return the one answer of a kind."""
        found = only(kind, self.ask(message, secs))
        assert len(found) == 1, found
        return found[0]

    def error(self, message: m.Request, secs: float = 0.0) -> m.ErrMsg:
        """Return the one error that is the answer."""
        return self.one(m.ErrMsg, message, secs)

    def wait(self, secs: float) -> list[m.Answer]:
        """Let time pass, return what has come."""
        self.world.run(secs)
        return self.read()


def only(kind: type[A], messages: list[m.Answer]) -> list[A]:
    """Return the messages of one kind."""
    return [message for message in messages if isinstance(message, kind)]
