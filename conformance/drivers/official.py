"""The official client behind ``wire.Wire``: its callbacks become events, its log is watched for what it drops."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

from ibapi import contract as ib_contract
from ibapi import order as ib_order
from ibapi import order_condition as ib_condition
from ibapi.client import EClient
from ibapi.common import WshEventData
from ibapi.execution import ExecutionFilter
from ibapi.order_cancel import OrderCancel
from ibapi.protobuf.ConfigRequest_pb2 import ConfigRequest
from ibapi.protobuf.UpdateConfigRequest_pb2 import UpdateConfigRequest
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper

from conformance.drivers.wire import PATIENCE_S, Events

CLASSES: dict[str, Callable[[], Any]] = {
    "Contract": ib_contract.Contract,
    "ComboLeg": ib_contract.ComboLeg,
    "Order": ib_order.Order,
    "OrderCancel": OrderCancel,
    "ExecutionFilter": ExecutionFilter,
    "ScannerSubscription": ScannerSubscription,
    "WshEventData": WshEventData,
    "PriceCondition": ib_condition.PriceCondition,
    "TimeCondition": ib_condition.TimeCondition,
}


class Trouble(logging.Handler):
    """A message the client cannot read is a line in its log and nothing else."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.listeners: list[Events] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING or text == "BadMessage" or "no field" in text:
            for events in self.listeners:
                events.tell("trouble", text)


_trouble = Trouble()
_log = logging.getLogger("ibapi")
_log.setLevel(logging.INFO)
_log.propagate = False
_log.addHandler(_trouble)


class _Wrapper(EWrapper):  # type: ignore[misc]  # the official client has no types
    """Tells every callback."""

    def __init__(self, events: Events) -> None:
        super().__init__()
        self._events = events


def _teller(name: str) -> Callable[..., None]:
    def tell(self: _Wrapper, *args: Any) -> None:
        if name == "error":
            args = (args[0], args[2], args[3])  # the time and the JSON are the wire's matter
        elif name in _PROTOBUF:
            args = (args[0].reqId, args[0])
        self._events.tell(name, *args)

    return tell


# The two messages that have no other callback.
_PROTOBUF = ("configResponseProtoBuf", "updateConfigResponseProtoBuf")

for _name, _method in inspect.getmembers(EWrapper, inspect.isfunction):
    if not _name.startswith("_") and (_name in _PROTOBUF or not _name.endswith("ProtoBuf")):
        setattr(_Wrapper, _name, _teller(_name))


class Official:
    """One connection of the official client, its message loop in a thread."""

    name = "official"

    def __init__(self, host: str, port: int, client_id: int, verify: bool = False) -> None:
        self.events = Events()
        self._where = (host, port)
        self._client = EClient(_Wrapper(self.events))
        _trouble.listeners.append(self.events)
        self._client.extraAuth = verify  # the program begins the session itself then
        self._client.connect(host, port, client_id)
        self._thread = threading.Thread(target=self._client.run, daemon=True)
        self._thread.start()

    def version(self) -> int:
        """Return the negotiated server version."""
        return int(self._client.serverVersion() or 0)

    def call(self, name: str, *args: Any) -> None:
        """Call a request of the client; the few that differ from other clients' get what they need."""
        if name == "reqConfig":
            self._client.reqConfigProtoBuf(ConfigRequest(reqId=args[0]))
        elif name == "updateConfig":
            req_id, told = args
            request = UpdateConfigRequest(reqId=req_id)
            request.api.CopyFrom(told.api)
            self._client.updateConfigProtoBuf(request)
        else:
            getattr(self._client, name)(*args, *_APPENDED.get(name, ()))

    def make(self, kind: str, **fields: Any) -> Any:
        """Return an object of the client's classes."""
        if kind == "TagValue":
            return TagValue(**fields)
        found = CLASSES[kind]()
        for name, value in fields.items():
            setattr(found, name, value)
        return found

    def again(self, client_id: int, verify: bool = False) -> Official:
        """Return another connection to the same gateway."""
        return Official(*self._where, client_id, verify)

    def close(self) -> None:
        """Hang up and wait for the threads."""
        self._client.disconnect()
        self._thread.join(PATIENCE_S)
        _trouble.listeners.remove(self.events)


# Arguments that the official client has and others do not, at their neutral values.
_APPENDED: dict[str, tuple[Any, ...]] = {
    "reqMktData": ([],),
    "reqMktDepth": ([],),
    "reqRealTimeBars": ([],),
    "reqHistoricalData": ([],),
    "reqHistoricalTicks": ([],),
    "reqScannerSubscription": ([], []),
    "reqHistoricalNews": ([],),
    "reqNewsArticle": ([],),
    "reqFundamentalData": ([],),
    "calculateImpliedVolatility": ([],),
    "calculateOptionPrice": ([],),
    "exerciseOptions": ("", "", False),
}
