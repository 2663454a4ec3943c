"""``ib.client`` as programs written for ib_insync use it: a thin view of the connection.

Every request of the protocol can be sent raw, by the name and with the arguments of the official client. Answers to
raw requests reach events (errorEvent, accountValueEvent ...) but no caller. Must not know any answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, get_args

from ibkit.engine.throttle import MAX_REQUESTS, REQUESTS_INTERVAL_S
from ibkit.errors import NotConnected
from ibkit.events import Event
from ibkit.model import ConnectionStats, OrderCancel
from ibkit.wire import MAX_VERSION, MIN_VERSION
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine
    from ibkit.requests.base import Requests

# The docstring of a message ends in the official client's name for it: "REQ_MKT_DATA (1): reqMktData."
_RAW: Final[dict[str, type[m.Request]]] = {
    (cls.__doc__ or "").partition(": ")[2].rstrip("."): cls for cls in get_args(m.Request)
}

# Where the arguments come in another order than the fields.
_ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
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

    events: ClassVar[tuple[str, ...]] = ("apiStart", "apiEnd", "apiError", "throttleStart", "throttleEnd")

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self.MaxRequests: int = MAX_REQUESTS
        self.RequestsInterval: float = REQUESTS_INTERVAL_S
        self.connectOptions = ""
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

    def setConnectOptions(self, connectOptions: str) -> None:
        """Set what the next connection tells the gateway, such as '+PACEAPI' (pace instead of refusing)."""
        self.connectOptions = connectOptions

    def __getattr__(self, name: str) -> Callable[..., None]:
        cls = _RAW.get(name)
        if cls is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        names = _ARGUMENTS.get(name, cls._fields)
        defaults = _DEFAULTS.get(name, {})

        def send(*args: object, **kwargs: object) -> None:
            if len(args) > len(names):
                raise TypeError(f"{name}() takes {', '.join(names) or 'no arguments'}; {len(args)} were given")
            fields = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
            if isinstance(text := fields.get("orderCancel"), str):
                fields["orderCancel"] = OrderCancel(manualOrderCancelTime=text)
            message = cls(**fields)  # type: ignore[arg-type]  # raw: the encoder checks the values
            self._requests._do(lambda engine: engine.send(message))

        send.__name__ = name
        send.__doc__ = f"Send {cls.__doc__}"
        return send

    # -- told by the connection ----------------------------------------------------------------------

    def throttled(self, held_back: bool) -> None:
        """Be told that requests begin or cease to wait for the message rate."""
        (self.throttleStart if held_back else self.throttleEnd).emit()

    def ended(self, reason: str, engine: Engine) -> None:
        """Be told that a connection has ended."""
        if not engine.wanted_end:
            self.apiError.emit(reason)
            self.apiEnd.emit()
