"""``ib.client`` as programs written for ib_insync use it: a thin view of the connection.

Every request of the protocol can be sent raw, by the name and with the arguments of the official client. Answers to
raw requests reach events (errorEvent, accountValueEvent ...) but no caller. Must not know any answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, ClassVar, Final, get_args

from ibkit import hosts
from ibkit.engine.signals import IBEvents
from ibkit.engine.throttle import MAX_REQUESTS, REQUESTS_INTERVAL_S
from ibkit.errors import NotConnected
from ibkit.events import Event
from ibkit.model import ConnectionStats, OrderCancel, StartupFetchNONE
from ibkit.model.records import REQUIRED, bind, signature_of
from ibkit.requests import refusing
from ibkit.wire import MAX_VERSION, MIN_VERSION
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from inspect import Signature

    from ibkit.engine.core import Engine
    from ibkit.requests.connecting import ConnectRequests
    from ibkit.requests.wrapper import Wrapper

# The docstring of a message ends in the official client's name for it: "REQ_MKT_DATA (1): reqMktData."
_RAW: Final[dict[str, type[m.Request]]] = {
    (cls.__doc__ or "").partition(": ")[2].rstrip("."): cls for cls in get_args(m.Request)
}

# Where the arguments come in another order than the fields, or under another name: name=field.
_ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "cancelOrder": ("orderId", "manualCancelOrderTime=orderCancel"),
    "reqWshEventData": ("reqId", "data=wshEventData"),
    "replaceFA": ("reqId", "faData", "cxml"),
    "reqHeadTimeStamp": ("reqId", "contract", "whatToShow", "useRTH", "formatDate"),
    "reqHistoricalData": (
        "reqId", "contract", "endDateTime", "durationStr", "barSizeSetting", "whatToShow", "useRTH", "formatDate",
        "keepUpToDate", "chartOptions",
    ),
    "reqScannerSubscription": (
        "reqId", "subscription", "scannerSubscriptionOptions", "scannerSubscriptionFilterOptions",
    ),
}  # fmt: skip

# What ib_insync's methods have no argument for, or an optional one.
_DEFAULTS: Final[dict[str, dict[str, object]]] = {
    "cancelOrder": {"orderCancel": ""},
    "exerciseOptions": {"manualOrderTime": "", "customerAccount": "", "professionalCustomer": False},
    "reqGlobalCancel": {"orderCancel": ""},
    "reqIds": {"numIds": 1},
    "startApi": {"clientId": 0, "optCapab": ""},
}


class Client:
    """The connection, seen from below.

    ``MaxRequests`` messages are sent per ``RequestsInterval`` seconds at most; 0 means no limit.

    Events: apiStart(), apiEnd(), apiError(text), throttleStart(), throttleEnd().
    """

    DISCONNECTED: ClassVar[int] = 0
    CONNECTING: ClassVar[int] = 1
    CONNECTED: ClassVar[int] = 2

    MinClientVersion: ClassVar[int] = MIN_VERSION
    MaxClientVersion: ClassVar[int] = MAX_VERSION

    MaxRequests: int = MAX_REQUESTS
    RequestsInterval: float = REQUESTS_INTERVAL_S

    events: ClassVar[tuple[str, ...]] = ("apiStart", "apiEnd", "apiError", "throttleStart", "throttleEnd")

    def __init__(self, ib: ConnectRequests) -> None:
        if not isinstance(ib, IBEvents):
            raise TypeError(f"a client belongs to an IB and is made by it; got {ib!r}. Listen to the events of an IB "
                            "in place of the callbacks of a wrapper")  # fmt: skip
        self._requests = ib
        self.connectOptions = ""
        self.optCapab = ""
        self.host = ""
        self.port = 0
        self.clientId = -1
        self.apiStart = Event("apiStart")
        self.apiEnd = Event("apiEnd")
        self.apiError = Event("apiError")
        self.throttleStart = Event("throttleStart")
        self.throttleEnd = Event("throttleEnd")

    @property
    def connState(self) -> int:
        """DISCONNECTED, CONNECTING (the versions have not been agreed upon) or CONNECTED."""
        connection = self._requests._connection
        if connection is None:
            return self.DISCONNECTED
        return self.CONNECTED if connection.engine.version else self.CONNECTING

    def isConnected(self) -> bool:
        """Tell whether there is a connection whose versions have been agreed upon."""
        return self.connState == self.CONNECTED

    def isReady(self) -> bool:
        """Tell whether the gateway takes requests."""
        connection = self._requests._connection
        return connection is not None and connection.engine.ready

    def serverVersion(self) -> int:
        """Return the negotiated server version, 0 without a connection."""
        connection = self._requests._connection
        return 0 if connection is None else connection.engine.version

    def twsConnectionTime(self) -> str:
        """Return the gateway's time when the connection was made, as it was sent; '' without a connection."""
        connection = self._requests._connection
        return "" if connection is None else connection.engine.session.time_text

    def connectionStats(self) -> ConnectionStats:
        """Return the traffic so far; raises NotConnected."""
        return self._requests._do(lambda engine: engine.stats())

    def notUnderstood(self) -> Counter[str]:
        """Return what TWS sent that ibkit could not make use of, and how often; raises NotConnected.

        Messages with an id that it does not know, such as ``message 300``; messages that have more fields than it
        knows, such as ``more fields in TICK_PRICE``; and ``malformed messages``. Empty, as it should be, with a TWS
        that is not newer than this version of ibkit. The rest of the connection is not touched by any of them, and
        the first of each is logged: the first two by ``ibkit.wire``, level INFO.
        """
        return self._requests._do(lambda engine: engine.not_understood())

    def getReqId(self) -> int:
        """Return an id for a request or an order that was never used before; raises NotConnected."""
        return self._requests._do(lambda engine: engine.next_id())

    def updateReqId(self, minReqId: int) -> None:
        """Have the following ids be at least ``minReqId``."""
        state = self._requests._state
        state.next_id = max(state.next_id, minReqId)

    def getAccounts(self) -> list[str]:
        """Return the accounts of this login; raises NotConnected."""
        if not self.isReady():
            raise NotConnected()
        return list(self._requests._state.account.managed)

    @property
    def wrapper(self) -> Wrapper:
        """What is known: ``ib.wrapper``."""
        return self._requests.wrapper

    def connect(self, host: str, port: int, clientId: int, timeout: float | None = 2.0) -> None:
        """Connect without fetching the state; see ``IB.connect``."""
        self._requests.connect(host, port, clientId, timeout or 0, fetchFields=StartupFetchNONE)

    async def connectAsync(self, host: str, port: int, clientId: int, timeout: float | None = 2.0) -> None:
        """Connect like ``connect``, in the running loop."""
        await self._requests.connectAsync(host, port, clientId, timeout or 0, fetchFields=StartupFetchNONE)

    def disconnect(self) -> None:
        """Close the connection; see ``IB.disconnect``."""
        self._requests.disconnect()

    def run(self) -> None:
        """Process messages until interrupted."""
        hosts.run()

    def setOptionalCapabilities(self, optCapab: str) -> None:
        """Set what the next connection tells the gateway that this program can do; see IB's documentation."""
        self.optCapab = optCapab

    def setConnectOptions(self, connectOptions: str) -> None:
        """Set what the next connection tells the gateway, such as '+PACEAPI' (pace instead of refusing)."""
        self.connectOptions = connectOptions

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., None]: ...  # the requests, added below

    # -- told by the connection ----------------------------------------------------------------------

    def throttled(self, held_back: bool) -> None:
        """Be told that requests begin or cease to wait for the message rate."""
        (self.throttleStart if held_back else self.throttleEnd).emit()

    def ended(self, reason: str, engine: Engine) -> None:
        """Be told that a connection has ended."""
        if not engine.wanted_end:
            self.apiError.emit(reason)
            ready = engine.session.ready
            if ready.done and ready.error is None:
                self.apiEnd.emit()


class _Raw:
    """A method of ``Client`` that sends a request as it is."""

    def __init__(self, name: str, cls: type[m.Request]) -> None:
        self.__name__, self.__qualname__ = name, f"Client.{name}"
        self.__doc__ = f"Send {cls.__doc__}"
        self._cls: Callable[..., m.Request] = cls
        arguments = [argument.rpartition("=") for argument in _ARGUMENTS.get(name, cls._fields)]
        self._fields = {theirs or field: field for theirs, _, field in arguments}
        self._defaults = _DEFAULTS.get(name, {})
        self._arguments = {key: self._defaults.get(field, REQUIRED) for key, field in self._fields.items()}

    @property
    def __signature__(self) -> Signature:
        return signature_of({"self": REQUIRED, **self._arguments})

    def __get__(self, client: Client | None, owner: type[Client]) -> Callable[..., None]:
        return self if client is None else MethodType(self, client)

    def __call__(self, client: Client, *args: object, **kwargs: object) -> None:
        given = bind(self.__qualname__, self._arguments, args, kwargs)
        values = {**self._defaults, **{self._fields[key]: value for key, value in given.items()}}
        if isinstance(text := values.get("orderCancel"), str):
            values["orderCancel"] = OrderCancel(manualOrderCancelTime=text)
        message = self._cls(**values)

        def hand_over(engine: Engine) -> None:
            refusing.check(message, engine.version)
            engine.send(message)

        client._requests._do(hand_over)


for _name, _cls in _RAW.items():
    setattr(Client, _name, _Raw(_name, _cls))
