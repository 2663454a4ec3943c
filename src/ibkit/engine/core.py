"""The engine of one connection: it takes bytes and moments, keeps the state, and says what to send and when to wake it.

``hosts.contract.Engine`` tells how it is driven. Everything that knows a domain is in that domain's module: its
reducers (one function for each message) are merged here. Must not know sockets, threads, loops or clocks.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, TypeVar

from ibkit.dates import zone
from ibkit.engine import (
    account,
    bars,
    completed,
    depth,
    executions,
    history,
    malformed,
    market,
    news,
    options,
    orders,
    reference,
    scanner,
    session,
    system,
    ticks,
    traffic,
)
from ibkit.engine.call import Call
from ibkit.engine.calls import Calls
from ibkit.engine.signals import IBEvents
from ibkit.engine.state import State
from ibkit.engine.subscription import Subscription
from ibkit.engine.throttle import DefaultLimits, Limits, Throttle
from ibkit.engine.timers import Timer, Timers
from ibkit.errors import ConnectionLost, MalformedMessage, NotConnected, ProtocolError
from ibkit.model import ConnectionStats, Contract, IBDefaults
from ibkit.model.values import EPOCH
from ibkit.wire import Codec, FrameReader
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.wire.compiler.stream import Stream

logger = logging.getLogger("ibkit.engine")

T = TypeVar("T")
Reducer: TypeAlias = Callable[["Engine", Any], None]  # Any: each takes the message it is registered for
Reducers: TypeAlias = Mapping[type, Reducer]

AnyReceivers: TypeAlias = Callable[..., None] | Mapping[int, Callable[..., None]]  # each takes a feed and fields
Receivers: TypeAlias = Mapping[type, AnyReceivers]


def _name_of(cls: type) -> str:
    """Return the name of a message in the tables: the first word of what its class says."""
    return (cls.__doc__ or "").partition(" ")[0]


REDUCERS: Final[dict[type, Reducer]] = {}
for _module in (
    account, bars, completed, depth, executions, history, market, news, options, orders, reference, scanner,
    session, system, ticks,
):  # fmt: skip
    for _message, _reducer in _module.REDUCERS.items():
        assert _message not in REDUCERS, f"two reducers for {_message}"
        REDUCERS[_message] = _reducer

# What comes by the thousand goes to its receivers without becoming a message, if nothing is unusual about it.
RECEIVERS: Final[dict[type, AnyReceivers]] = {**ticks.RECEIVERS, **depth.RECEIVERS}
DIRECT: Final = {_name_of(cls): receivers for cls, receivers in RECEIVERS.items()}

# A text that is no date, no number, a moment that no clock shows: the reducers' part of decoding.
UNDIGESTED: Final = (ValueError, OverflowError, OSError)

# What goes ahead of data requests.
URGENT: Final = frozenset({m.PlaceOrder, m.CancelOrder, m.ReqGlobalCancel, m.ExerciseOptions})


class Settings(Protocol):
    """What a user sets on an IB, class or instance."""

    RequestTimeout: float
    QuietTimeout: float
    SnapshotTimeout: float
    RaiseRequestErrors: bool
    MaxSyncedSubAccounts: int
    TimezoneTWS: str
    defaults: IBDefaults


class DefaultSettings:
    """Settings of an engine that is used without an IB."""

    RequestTimeout: float = 60
    QuietTimeout: float = 10
    SnapshotTimeout: float = 20
    RaiseRequestErrors: bool = True
    MaxSyncedSubAccounts: int = 50
    TimezoneTWS: str = ""

    def __init__(self) -> None:
        self.defaults = IBDefaults()


class Engine:
    """One connection.

    Args:
        events: where to tell what happens.
        state: what is known already, from an earlier connection; it is carried on.
        settings: see ``Settings``; read whenever they matter.
        client_id: of this connection.
        limits: the message rate.
        options: connect options for the gateway, such as "+PACEAPI".
        capabilities: optional capabilities of the client, as START_API tells them.
        readonly: whether TWS refuses everything about orders.
        name: of the gateway, for texts.
        request_timeout: returns the seconds in which a request must be answered; None for ``settings.RequestTimeout``.
    """

    def __init__(
        self,
        events: IBEvents,
        state: State | None = None,
        settings: Settings | None = None,
        *,
        client_id: int = 1,
        limits: Limits | None = None,
        options: str = "",
        capabilities: str = "",
        readonly: bool = False,
        name: str = "the gateway",
        request_timeout: Callable[[], float] | None = None,
    ) -> None:
        self.events = events
        self.state = state if state is not None else State()
        self.settings: Settings = settings if settings is not None else DefaultSettings()
        self.request_timeout = request_timeout or (lambda: self.settings.RequestTimeout)
        """Returns the seconds in which a request must be answered unless it says otherwise; 0 for no limit."""
        self.client_id = client_id
        self.options = options
        self.capabilities = capabilities
        self.readonly = readonly
        self.name = name
        self.version = 0
        """The negotiated server version; 0 before the handshake."""
        self.ready = False
        """Whether the gateway takes requests: it has told the next order id and the accounts."""
        self.is_open = True
        self.wanted_end = False
        """Whether the user ended the connection."""
        self.refusal: Exception | None = None
        """Why the connection is about to end, when the gateway said so or cannot be understood any more."""
        self.ending: Exception | None = None
        """What ended everything that was pending."""
        self.on_closed: Callable[[str], object] | None = None
        """Told the reason when the connection has ended, before disconnectedEvent."""
        self.on_throttle: Callable[[bool], object] | None = None
        """Told True when the message rate begins to hold requests back, False when it has ended."""

        self.now = 0.0
        """Monotonic seconds of what is being done."""
        self.wall = 0.0
        """Epoch seconds of what is being done."""
        self.batch_time = EPOCH
        """When the current batch was read."""
        self.last_read = 0.0
        """Monotonic seconds of the last read."""
        self.idle_timer: Timer | None = None
        """Of IB.setTimeout."""
        self.malformed = 0
        """How many messages could not be decoded."""

        self.timers = Timers()
        self.calls = Calls(self)
        self.session = session.Session()
        self._frames = FrameReader()
        self._traffic = traffic.Traffic()
        self._codec: Codec | None = None
        self._stream: Stream | None = None  # takes ticks straight from the frames
        self._throttle = Throttle(limits or DefaultLimits())
        self._held_back = False
        self._greeting: list[bytes] = []  # the handshake: goes out before everything else, and is not counted
        self._started = 0.0  # epoch seconds
        self._timed, self._time = 0.0, EPOCH  # a moment that was asked for, and what it is as a datetime
        self._bytes_received = self._bytes_sent = self._messages_received = self._messages_sent = 0

    # -- driven by a host ----------------------------------------------------------------------------

    def touch(self, now: float, wall: float) -> None:
        """Take note of the time, before something is asked for outside of a batch."""
        self.now = now
        self.wall = wall
        if not self._started:
            self._started = wall

    def receive(self, data: bytes, now: float, wall: float) -> None:
        """Store what was read."""
        self.touch(now, wall)
        self.last_read = now
        self.batch_time = self.time()
        self.state.market.begin(self.batch_time)
        if traffic.logger.isEnabledFor(logging.DEBUG):
            self._traffic.received(data, self._bytes_received, self._frames.pending(), self.version)
        self._bytes_received += len(data)
        self._frames.feed(data)

    def step(self, now: float) -> bool:
        """Apply one message whole, and before it all that can be applied without telling anybody; False at the end.

        Raises ProtocolError when the rest of the stream cannot be understood.
        """
        self.now = now
        frames = self._frames
        try:
            if self._stream is not None and self.is_open:
                market = self.state.market
                frames.join()
                taken = self._stream(frames, market.by_text, market.feeds, self._undigested)
                self._messages_received += taken  # not in one: others may have been counted meanwhile
            body = frames.next()
            if body is None or not self.is_open:
                return False
            self._messages_received += 1
            if self._codec is None:
                session.server_hello(self, body)
                return True
        except ProtocolError as error:
            self.refusal = error
            raise
        try:
            message = self._codec.decode(body)
        except MalformedMessage as error:
            malformed.report(self, error)
            return True
        cls = type(message)
        if cls in RECEIVERS and self._stream is None:  # made when it pays
            self._stream = self._codec.stream(DIRECT)
        reducer = REDUCERS.get(cls)
        if reducer is not None:
            try:
                reducer(self, message)
            except UNDIGESTED as error:
                self._undigested(_name_of(cls), body, error)
        return True

    def _undigested(self, name: str, body: bytes, error: Exception) -> None:
        malformed.report(self, MalformedMessage(name, "text", str(error), body))

    def end_batch(self, now: float) -> None:
        """Tell what changed in the batch."""
        self.now = now
        market.seal(self)
        self.events.updateEvent.emit()
        market.deliver(self)
        self._tell_throttle()

    def output(self, now: float) -> bytes:
        """Return what may be written now, and forget it."""
        throttle = self._throttle
        if not (throttle.orders or throttle.others or self._greeting):
            return b""
        frames = throttle.take(now)
        if self._greeting:
            frames = [*self._greeting, *frames]
            self._greeting.clear()
        if not frames:
            return b""
        self._messages_sent += len(frames)
        data = frames[0] if len(frames) == 1 else b"".join(frames)
        self._bytes_sent += len(data)
        return data

    def deadline(self) -> float | None:
        """Return when ``fire`` must be called, or None."""
        due, throttle = self.timers.next(), self._throttle
        if not (throttle.orders or throttle.others):
            return due
        send = throttle.next_at()
        return due if send is None or (due is not None and due < send) else send

    def fire(self, now: float, wall: float) -> None:
        """Do what is due."""
        self.touch(now, wall)
        self.timers.run(now)
        self._tell_throttle()

    def closed(self, reason: str) -> None:
        """Fail everything that is pending: the link is closed."""
        if not self.is_open:
            return
        self.is_open = False
        was_ready, self.ready = self.ready, False
        self.timers.clear()
        self._throttle.clear()
        if self.wanted_end:
            self.state.end_subscriptions()
        self.state.forget_connection()
        error = self.ending = self.refusal or ConnectionLost(self._farewell(reason, was_ready))
        if was_ready and not self.wanted_end:  # that a gateway goes away is usual, what cannot be understood is not
            logger.log(logging.INFO if self.refusal is None else logging.WARNING, "%s", error)
        self.session.ready.fail(error)
        self.calls.fail_all(error)
        if was_ready:
            orders.connection_lost(self, error)
            self.state.interrupt(error)
        if self.on_closed is not None:
            self.on_closed(reason)
        if was_ready:
            self.events.disconnectedEvent.emit()

    # -- used by requests and reducers ---------------------------------------------------------------

    def time(self) -> datetime:
        """Return the time of what is being done."""
        zone_of_user = self.settings.defaults.timezone
        if self.wall != self._timed or self._time.tzinfo is not zone_of_user or zone_of_user is None:
            self._timed, self._time = self.wall, datetime.fromtimestamp(self.wall, zone_of_user)
        return self._time

    def next_id(self) -> int:
        """Return an id for a request or an order that was never used before."""
        self._must_be_open()
        req_id = self.state.next_id
        self.state.next_id += 1
        return req_id

    def check(self, message: m.Request) -> None:
        """Raise what ``send`` would raise: EncodeError, NotConnected."""
        self._must_be_open().encode(message)

    def prepare(self, *kinds: type[m.Request]) -> None:
        """Make ready to write messages of these kinds, so that the first is as fast as the next."""
        self._must_be_open().prepare(*kinds)

    def send(self, message: m.Request, on_sent: Callable[[float], object] | None = None) -> None:
        """Queue a request, and tell ``on_sent`` the moment when it is written; raises EncodeError, NotConnected."""
        frame = self._must_be_open().encode(message)
        if traffic.logger.isEnabledFor(logging.DEBUG):
            traffic.sent(message)
        self._throttle.put(frame, type(message) in URGENT, on_sent)

    def greet(self, frame: bytes) -> None:
        """Queue a part of the handshake."""
        self._greeting.append(frame)

    def speak(self, codec: Codec) -> None:
        """Take messages from now on, in the negotiated version."""
        self._codec = codec

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
        """Send a request and return the call for its answer; see ``Calls.ask``."""
        return self.calls.ask(message, key=key, name=name, contract=contract, cancel=cancel, timeout=timeout)

    def subscribe(self, subscription: Subscription) -> None:
        """Begin a subscription and keep it in the registry; raises EncodeError, NotConnected."""
        self.send(subscription.start)
        self.state.subscriptions[subscription.req_id] = subscription

    def unsubscribe(self, req_id: int) -> Subscription | None:
        """End a subscription; returns it, or None when there is none of that id."""
        subscription = self.state.subscriptions.pop(req_id, None)
        if subscription is not None and subscription.cancel is not None and self.is_open:
            self.send(subscription.cancel)
        return subscription

    def restart_subscriptions(self, cancel_first: bool) -> None:
        """Begin every subscription again.

        ``cancel_first``: on the same connection, where TWS may still hold the id.
        """
        for subscription in list(self.state.subscriptions.values()):
            if not self.is_open:  # a handler has ended the connection
                return
            self.restart_subscription(subscription, cancel_first)

    def restart_subscription(self, subscription: Subscription, cancel_first: bool) -> None:
        """Begin one subscription again, with the same id."""
        subscription.interrupted = False
        if cancel_first and subscription.cancel is not None:
            subscription.echoes += 1
            self.send(subscription.cancel)
        if subscription.on_restart is not None:
            subscription.on_restart()
        self.send(subscription.start)

    def zone_of_tws(self) -> Any:  # Any: what astimezone takes, a zone or None for that of this machine
        """Return the zone of times that TWS tells without one: IB.TimezoneTWS, or None for the local one."""
        return zone(self.settings.TimezoneTWS) if self.settings.TimezoneTWS else None

    def stats(self) -> ConnectionStats:
        """Return the traffic so far."""
        return ConnectionStats(
            self._started,
            self.wall - self._started,
            self._bytes_received,
            self._bytes_sent,
            self._messages_received,
            self._messages_sent,
        )

    def not_understood(self) -> Counter[str]:
        """Return what came that could not be decoded, or that no table knows, and how often."""
        found = self._codec.not_understood() if self._codec is not None else Counter[str]()
        if self.malformed:
            found["malformed messages"] = self.malformed
        return found

    def _farewell(self, reason: str, was_ready: bool) -> str:
        if was_ready or self.wanted_end:
            return f"the connection to {self.name} has ended: {reason}"
        return (
            f"{self.name} did not let us in: {reason}. Another program may use client id {self.client_id}, "
            "or the gateway does not accept connections from this machine (Settings, API, 'Trusted IPs')"
        )

    def _must_be_open(self) -> Codec:
        if self._codec is None or not self.is_open:
            raise NotConnected()
        return self._codec

    def _tell_throttle(self) -> None:
        held_back = bool(self._throttle.orders or self._throttle.others)
        if held_back is not self._held_back:
            self._held_back = held_back
            if self.on_throttle is not None:
                self.on_throttle(held_back)
