"""One client of the gateway: bytes in, bytes out. Handshake, start, dispatch of its requests, its streams.

Must not know what any request means: the handlers do. Must not know sockets, threads or a clock; ``now`` is the
gateway's.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ibkit.errors import FrameTooLong, HandshakeError, InvalidRequest, MalformedMessage
from ibkit.paper.gateway import times
from ibkit.paper.gateway.limits import BREACHES, Rate
from ibkit.paper.gateway.refusal import Refusal, duplicate_id, failed, id_of, invalid, unreadable
from ibkit.paper.gateway.streams import Stream
from ibkit.wire import MIN_VERSION, Codec, FrameReader, Role, Unknown, handshake
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.paper.gateway.gateway import Gateway

log = logging.getLogger("ibkit.paper")

MOST_OUTPUT = 64 << 20
"""Bytes a client may leave unread before it is dropped."""

MOST_STREAMS = 2000
"""Requests of one client that may go on at the same time, whatever their kind."""


class StreamKey(NamedTuple):
    """What a stream is found by: the kind of request, and its id (0 where requests have none)."""

    kind: str
    req_id: int


_CONNECTIVITY = "Connectivity between IBKR and Trader Workstation"

# What may come before START_API: the extra authentication.
_BEFORE_START = (m.StartApi, m.VerifyRequest, m.VerifyMessage, m.VerifyAndAuthRequest, m.VerifyAndAuthMessage)


class Session:
    """One connection; ``closed`` is the reason once it has ended. What is in ``output`` then is still to be sent."""

    def __init__(self, gateway: Gateway, peer: str) -> None:
        self.gateway = gateway
        self.peer = peer
        self.version = 0
        self.client_id = -1
        self.started = False
        self.closed = ""
        self.market_data_type = 1
        self.log_level = logging.DEBUG  # of its messages
        self.streams: dict[StreamKey, Stream] = {}
        self.unreadable: Counter[str] = Counter()
        self._rate = Rate(gateway.limits.messages_per_s, gateway.now)
        self._breaches = 0
        self._wants_pace = False
        self._held: bytes | None = None
        self._paced_until: float | None = None
        self._greeting = bytearray()
        self._reader = FrameReader()
        self._codec: Codec | None = None
        self._out = bytearray()
        self._cut = gateway.cut_off_since is not None
        self._late = bytearray()  # what waits for the end of an outage

    def __str__(self) -> str:
        return f"client {self.client_id} ({self.peer})" if self.started else self.peer

    @property
    def now(self) -> float:
        """The moment of the gateway, epoch seconds."""
        return self.gateway.now

    # -- bytes --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take what was read, and answer it."""
        if self.closed:
            return
        if self._codec is None:
            self._greeting += data
            self._greet()
        else:
            self._reader.feed(data)
        self._work()

    def output(self) -> bytes:
        """Return what is to be written, and forget it."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def behind(self) -> int:
        """Return how many bytes were read and must wait, because their client is too fast."""
        return 0 if self._held is None and not self._cut else self._reader.pending()

    def unknown_ids(self) -> Counter[int]:
        """Return how often each message id came that nobody knows."""
        return self._codec.unknown_ids if self._codec else Counter()

    def end(self, reason: str) -> None:
        """Close this session."""
        if not self.closed:
            self.closed = reason
            self.streams.clear()
            log.info("%s: closed: %s", self, reason)

    # -- what handlers use --------------------------------------------------------------------------------------

    def send(self, message: m.Answer) -> None:
        """Send one message, in the form the client's version asks for."""
        if self._codec is not None and not self.closed:
            out = self._late if self._cut else self._out
            out += self._codec.encode(message)

    def error(self, req_id: int, code: int, text: str, reject_json: str = "") -> None:
        """Send an error, a warning or an information; ``req_id`` -1 is about no request."""
        log.log(self.log_level, "%s: < %d %d %s", self, req_id, code, text)
        self.send(m.ErrMsg(req_id, code, text, reject_json, int(self.now * 1000)))

    def refuse(self, req_id: int, refusal: Refusal) -> None:
        """Send a refusal as the error of a request."""
        self.error(req_id, refusal.code, refusal.text, refusal.reject_json)

    def begin(self, kind: str, req_id: int, stream: Stream) -> None:
        """Keep a stream going; raises Refusal when its id is in use."""
        key = StreamKey(kind, req_id)
        if key in self.streams:
            raise duplicate_id(req_id)
        if len(self.streams) >= MOST_STREAMS:
            raise failed(f"{MOST_STREAMS} requests of this client are going on already: cancel some")
        self.streams[key] = stream

    def stop(self, kind: str, req_id: int) -> bool:
        """End a stream; tells whether there was one."""
        return self.streams.pop(StreamKey(kind, req_id), None) is not None

    def find(self, kind: str, req_id: int) -> Stream | None:
        """Return a stream, if there is one."""
        return self.streams.get(StreamKey(kind, req_id))

    def active(self, kind: str) -> list[Stream]:
        """Return the streams of one kind."""
        return [stream for key, stream in self.streams.items() if key.kind == kind]

    # -- time ---------------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """Return when ``advance`` must be called, None: never."""
        if self._cut:
            return None
        dues = [stream.due for stream in self.streams.values()]
        if self._paced_until is not None:
            dues.append(self._paced_until)
        due = min(dues, default=float("inf"))
        return None if due == float("inf") else due

    def advance(self, now: float) -> None:
        """Let streams act that are due, and read on where the message rate held us up."""
        if self._cut:
            return
        for key, stream in list(self.streams.items()):
            if stream.due <= now and self.streams.get(key) is stream and not self._advance(key, stream, now):
                self.streams.pop(key, None)
        if self._paced_until is not None and self._paced_until <= now:
            self._paced_until = None
            self._work()

    def _advance(self, key: StreamKey, stream: Stream, now: float) -> bool:
        try:
            return stream.advance(now)
        except Refusal as refusal:
            self.refuse(key.req_id, refusal)
        except InvalidRequest as error:
            self.refuse(key.req_id, invalid(str(error)))
        except Exception:
            # One broken stream must not take the gateway down with all its other clients: told as TWS tells it.
            log.exception("%s: %s %d failed", self, key.kind, key.req_id)
            self.refuse(key.req_id, failed(f"{key.kind} failed in the gateway"))
        return False

    # -- outages ------------------------------------------------------------------------------------------------

    def cut_off(self) -> None:
        """Tell that TWS has lost its connection to IB; from now on nothing is read, and what happens is told later."""
        if self.started:
            self.error(-1, 1100, f"{_CONNECTIVITY} has been lost.")
        self._cut = True

    def restored(self, lost: frozenset[str]) -> None:
        """Tell that the connection is back, then what has happened meanwhile; ``lost`` kinds of streams have ended."""
        self._cut = False
        for key in list(self.streams):
            if key.kind in lost:
                del self.streams[key]
        if self.started:
            code, what = (1101, "data lost.") if lost else (1102, "data maintained.")
            self.error(-1, code, f"{_CONNECTIVITY} has been restored - {what}")
        self._out += self._late
        self._late.clear()
        self._work()

    # -- reading ------------------------------------------------------------------------------------------------

    def _greet(self) -> None:
        try:
            hello, consumed = handshake.read_client_hello(bytes(self._greeting))
        except HandshakeError as error:
            self.end(f"not a TWS API client: {error}")
            return
        if hello is None:
            return
        own = self.gateway.server_version
        self.version = min(hello.hi, own)
        rest = bytes(self._greeting[consumed:])
        self._greeting.clear()
        if self.version < max(hello.lo, MIN_VERSION):
            # The client is told what we are, so that it can say which side is too old; then nothing more comes.
            self._out += handshake.server_hello(self.version, times.connection_time(self.now))
            self.end(
                f"no common version: the client speaks {hello.lo} to {hello.hi}, this gateway {MIN_VERSION} to {own}"
            )
            return
        self._wants_pace = "+PACEAPI" in hello.options.upper()
        # One segment, and nothing behind it until START_API: the official client parses its first read alone.
        self._out += handshake.server_hello(self.version, times.connection_time(self.now))
        self._codec = Codec(Role.SERVER, self.version)
        self._reader.feed(rest)

    def _work(self) -> None:
        while not (self.closed or self._cut) and self._codec is not None and self._paced_until is None:
            try:
                body = self._reader.next() if self._held is None else self._held
            except FrameTooLong as error:
                self.end(str(error))
                return
            if body is None:
                return
            self._held = None
            if self._in_time(body):
                self._take(body, self._codec)
            if len(self._out) > MOST_OUTPUT:
                self._out.clear()
                self.end(f"the client asks for more than it reads: {MOST_OUTPUT} bytes wait for it")

    def _in_time(self, body: bytes) -> bool:
        """Apply the message rate: read ``body`` now, later, or never."""
        mode = self.gateway.limits.over_rate
        if mode == "ignore" or self._rate.take(self.now):
            return True
        if mode == "pace" or self._wants_pace:
            self._held = body
            self._paced_until = self._rate.next()
            return False
        self._breaches += 1
        most = int(self._rate.per_s)
        self.error(
            -1, 100, f"Max rate of messages per second has been exceeded:max={most} rec={most + 1} ({self._breaches})"
        )
        if self._breaches >= BREACHES:
            self.end(f"exceeded {most} messages a second {BREACHES} times")
        return False

    def _take(self, body: bytes, codec: Codec) -> None:
        try:
            message = codec.decode(body)
        except MalformedMessage as error:
            self.unreadable[type(error).__name__] += 1
            log.warning("%s: unreadable message: %s", self, error)
            self.refuse(-1, unreadable(str(error)))
            return
        if isinstance(message, Unknown):
            log.warning("%s: unknown message id %d (%d bytes)", self, message.id, len(message.body))
            self.refuse(-1, unreadable(f"Unknown message id {message.id}"))
            return
        log.log(self.log_level, "%s: > %s", self, message)
        self._answer(message)

    def _answer(self, message: m.Message) -> None:
        handler = self.gateway.handlers.get(type(message))
        if handler is None:
            self.refuse(-1, unreadable(f"{type(message).__name__} is no request"))
            return
        if not self.started and not isinstance(message, _BEFORE_START):
            self.error(id_of(message), 504, "Not connected: START_API has to come first")
            return
        try:
            handler(self, message)
        except Refusal as refusal:
            self.refuse(id_of(message), refusal)
        except InvalidRequest as error:
            self.refuse(id_of(message), invalid(str(error)))
        except Exception:
            # As TWS does: a request that fails inside ends with an error; the session and the other clients live on.
            log.exception("%s: %s failed", self, type(message).__name__)
            self.refuse(id_of(message), failed(f"{type(message).__name__} failed in the gateway"))
