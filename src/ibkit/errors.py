"""Everything the library raises, one class for each consequence.

::

    IbkitError
      NotConnected (ConnectionError)         a request needs a connection and there is none
        ConnectionRefused (ConnectionRefusedError)   nobody listens at host and port
        ConnectionLost                       the connection ended while something waited for it
        ClientIdInUse                        326: another program uses the client id
      RequestError                           the broker answered a request with an error
        ContractUnknown                      no contract fits
        ContractAmbiguous                    several contracts fit; they are in .possibles
        NoMarketDataPermission               the data is not subscribed
        NoData                               the request was fine, but there is no data for it
        PacingViolation                      too many requests in too short a time
        TooManySubscriptions                 a limit of simultaneous subscriptions is reached
        OrderRejected                        the broker refused an order
      RequestTimeout (TimeoutError)          no answer came in time; the request was cancelled
      ProtocolError                          what came over the wire makes no sense
        HandshakeError                       the other side is no TWS, or speaks another version
        FrameTooLong                         an impossible message length
        MalformedMessage                     one message that cannot be decoded
      EncodeError (ValueError)               a value that has no form on the wire; nothing was sent
        UnsupportedField                     a field or request the connected server is too old for
      InvalidRequest (ValueError)            an argument that cannot work; nothing was sent
      NestingTooDeep (RuntimeError)          blocking calls inside handlers inside blocking calls ...
      OrderStateError (AssertionError)       a change to an order that has ended; nothing was sent
      FlexError (in ibkit.flex)              a Flex report could not be had, or is none

A text says what happened, to what, and what to do next. Must not know anything but the codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ibkit import codes


def _rebuild(cls: type[IbkitError], args: tuple[object, ...], state: dict[str, object]) -> IbkitError:
    error = cls.__new__(cls, *args)
    error.args = args  # OSError takes them in __init__, which we do not call
    error.__dict__.update(state)
    return error


class IbkitError(Exception):
    """Base of everything the library raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:  # the constructors take more than the text
        return _rebuild, (type(self), self.args, self.__dict__)


class NotConnected(IbkitError, ConnectionError):
    """A request needs a connection and there is none."""

    def __init__(self, text: str = "not connected: call ib.connect() first") -> None:
        super().__init__(text)


class ConnectionRefused(NotConnected, ConnectionRefusedError):
    """Nobody listens at host and port."""

    def __init__(self, host: str, port: int, reason: str = "") -> None:
        super().__init__(
            f"no TWS or IB Gateway answers at {host}:{port}{f' ({reason})' if reason else ''}. "
            "Is it running, is its API enabled (Settings, API, 'Enable ActiveX and Socket Clients'), "
            "and is this the port it shows there? TWS uses 7496 (live), 7497 (paper), "
            "Gateway 4001 and 4002. Without an account, `ibkit paper` starts a simulated gateway at port 4002."
        )
        self.host = host
        self.port = port


class ConnectionLost(NotConnected):
    """The connection ended while something waited for it."""


class ClientIdInUse(NotConnected):
    """Another program is connected with the same client id."""

    code = 326

    def __init__(self, clientId: int) -> None:
        super().__init__(
            f"client id {clientId} is in use by another connection: connect with another clientId, "
            "or disconnect the program that uses this one"
        )
        self.clientId = clientId


class RequestError(IbkitError):
    """The broker answered a request with an error.

    Attributes: ``reqId``, ``code`` and ``message`` as the broker sent them; ``contract`` the request was
        about, or None; ``advancedOrderRejectJson`` what TWS tells about overriding the rejection of an
        order, or ''; ``time`` when it happened (aware), None below server version 194.
    """

    time: datetime | None = None

    def __init__(
        self,
        reqId: int,
        code: int,
        message: str,
        contract: object | None = None,
        advancedOrderRejectJson: str = "",
    ) -> None:
        text = f"API error: {code}: {message}"
        if contract is not None:
            text += f", contract: {contract}"
        if advice := codes.lookup(code).advice:
            text += f" ({advice})"
        super().__init__(text)
        self.reqId = reqId
        self.code = code
        self.message = message
        self.contract = contract
        self.advancedOrderRejectJson = advancedOrderRejectJson


class ContractUnknown(RequestError):
    """No contract fits the description."""


class ContractAmbiguous(RequestError):
    """Several contracts fit the description; they are in ``possibles``."""

    def __init__(
        self,
        reqId: int,
        code: int,
        message: str,
        contract: object | None = None,
        advancedOrderRejectJson: str = "",
        possibles: Sequence[object] = (),
    ) -> None:
        if possibles:
            message += f"; possibles are {', '.join(map(str, possibles))}"
        super().__init__(reqId, code, message, contract, advancedOrderRejectJson)
        self.possibles = list(possibles)


class NoMarketDataPermission(RequestError):
    """The data is not subscribed."""


class NoData(RequestError):
    """The request was fine, but the broker has no data for it."""


class PacingViolation(RequestError):
    """Too many requests in too short a time."""


class TooManySubscriptions(RequestError):
    """A limit of simultaneous subscriptions is reached."""


class OrderRejected(RequestError):
    """The broker refused an order."""


class RequestTimeout(IbkitError, TimeoutError):
    """No answer came in time; the request was cancelled.

    Attributes: ``request`` names what was waited for, ``timeout`` is in seconds.
    """

    def __init__(self, request: str, timeout: float) -> None:
        super().__init__(
            f"no answer to {request} within {timeout:g} s; the request was cancelled. "
            "Wait longer (IB.RequestTimeout or the timeout argument), ask for less, "
            "or look for a message box in TWS that waits for you"
        )
        self.request = request
        self.timeout = timeout


class ProtocolError(IbkitError):
    """What came over the wire makes no sense."""


class HandshakeError(ProtocolError):
    """The other side is no TWS or IB Gateway, or its version does not fit."""


class FrameTooLong(ProtocolError):
    """A message announces an impossible length."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"a message of {length} bytes was announced, at most {limit} are possible: "
            "the other side does not speak the TWS protocol, or the stream is damaged. "
            "Check host and port and connect again"
        )
        self.length = length
        self.limit = limit


class MalformedMessage(ProtocolError):
    """One message that cannot be decoded; the connection goes on with the next one.

    Attributes: ``name`` of the message, ``field``, ``text`` that does not fit it, and the beginning of
        the ``body``.
    """

    def __init__(self, name: str, field: str, text: str, body: bytes) -> None:
        super().__init__(f"{name}: field {field} cannot be {text[:120]!r}; message begins {body[:120]!r}")
        self.name = name
        self.field = field
        self.text = text
        self.body = body


class EncodeError(IbkitError, ValueError):
    """A value that has no form on the wire; nothing was sent."""


class UnsupportedField(EncodeError):
    """A field, or a whole request, that the connected server is too old for.

    Nothing was sent (the official client's error 503). ``field`` names a request as the protocol does, in capitals.
    """

    code = 503

    def __init__(self, field: str, needs_version: int, server_version: int) -> None:
        what, way_out = field, "leave it at its default, or update TWS or IB Gateway"
        if field.isupper():
            what, way_out = f"the request {field}", "update TWS or IB Gateway to use it"
        super().__init__(
            f"{what} needs server version {needs_version}, but the connected one has {server_version}: {way_out}"
        )
        self.field = field
        self.needs_version = needs_version
        self.server_version = server_version


class InvalidRequest(IbkitError, ValueError):
    """An argument that cannot work; nothing was sent."""


class NestingTooDeep(IbkitError, RuntimeError):
    """Blocking calls inside event handlers, inside blocking calls, and so on; the text names the chain."""


class OrderStateError(IbkitError, AssertionError):
    """A change to an order that has ended already; nothing was sent."""


_NO_PERMISSION = {354, 10089, 10090, 10091, 10168, 10186, 10187, 10276, 10277}
_TOO_MANY = {101, 309, 10190}
_CLASS_BY_WORDS = (  # for the codes whose text says what it is: 162, 200, 420, 10187, 10189 ...
    ("pacing violation", PacingViolation),
    ("no market data permission", NoMarketDataPermission),
    ("not subscribed", NoMarketDataPermission),
    ("returned no data", NoData),
    ("no data of type", NoData),
    ("ambiguous", ContractAmbiguous),
)


def request_error(
    reqId: int,
    code: int,
    message: str,
    contract: object | None = None,
    advancedOrderRejectJson: str = "",
) -> RequestError:
    """Make the most specific RequestError for an error message of TWS."""
    words = message.lower()
    cls: type[RequestError] = RequestError
    if code in _TOO_MANY:
        cls = TooManySubscriptions
    elif code == 100:
        cls = PacingViolation
    elif by_words := [found for phrase, found in _CLASS_BY_WORDS if phrase in words]:
        cls = by_words[0]
    elif code == 200:
        cls = ContractUnknown
    elif code in _NO_PERMISSION:
        cls = NoMarketDataPermission
    elif codes.lookup(code).kind in (codes.Kind.ORDER_REJECTED, codes.Kind.ORDER_DEAD):
        cls = OrderRejected
    return cls(reqId, code, message, contract, advancedOrderRejectJson)
