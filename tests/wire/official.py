"""The official client (package ibapi) without a network: what it sends for our messages, what it makes of our bytes."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet
from ibapi import contract as ibcontract
from ibapi import order as iborder
from ibapi import order_condition as ibcondition
from ibapi.client import EClient
from ibapi.common import WshEventData as IbWshEventData
from ibapi.decoder import Decoder
from ibapi.execution import ExecutionFilter as IbExecutionFilter
from ibapi.order_cancel import OrderCancel as IbOrderCancel
from ibapi.scanner import ScannerSubscription as IbScannerSubscription
from ibapi.softdollartier import SoftDollarTier as IbSoftDollarTier
from ibapi.tag_value import TagValue as IbTagValue
from ibapi.wrapper import EWrapper

from ibkit import model
from ibkit.model import UNSET_DOUBLE
from ibkit.wire.numbers import quantity_text
from ibkit.wire.table import Attr, table

# ------------------------------------------------------------------------------------------------ requests

_PLAIN = {
    model.ComboLeg: ibcontract.ComboLeg,
    model.DeltaNeutralContract: ibcontract.DeltaNeutralContract,
    model.OrderComboLeg: iborder.OrderComboLeg,
    model.OrderCancel: IbOrderCancel,
    model.ExecutionFilter: IbExecutionFilter,
    model.ScannerSubscription: IbScannerSubscription,
    model.WshEventData: IbWshEventData,
}
_CONDITIONS = {
    1: ibcondition.PriceCondition,
    3: ibcondition.TimeCondition,
    4: ibcondition.MarginCondition,
    5: ibcondition.ExecutionCondition,
    6: ibcondition.VolumeCondition,
    7: ibcondition.PercentChangeCondition,
}


def told(value: Any) -> Iterator[tuple[str, Any]]:
    """Give the fields of one of our records with their values."""
    return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))


def theirs(value: Any) -> Any:
    """Return the official client's object for one of ours."""
    if isinstance(value, model.TagValue):
        return IbTagValue(value.tag, value.value)
    if isinstance(value, list):
        return [theirs(item) for item in value]
    if isinstance(value, model.OrderCondition):
        made = _CONDITIONS[value.condType]()
        for name, item in told(value):
            if name == "conjunction":
                made.isConjunctionConnection = item == "a"
            elif name != "condType":
                setattr(made, {"exch": "exchange"}.get(name, name), item)
        return made
    if isinstance(value, model.SoftDollarTier):
        return IbSoftDollarTier(value.name, value.val, value.displayName)
    if isinstance(value, model.Contract):
        made = ibcontract.Contract()
    elif isinstance(value, model.Order):
        made = iborder.Order()
    elif type(value) in _PLAIN:
        made = _PLAIN[type(value)]()
    else:
        return value
    for name, item in told(value):
        setattr(made, name, theirs(item))
    if isinstance(value, model.Contract):
        made.strike = value.strike or UNSET_DOUBLE  # how each says that there is none
    if isinstance(value, model.ExecutionFilter):
        made.specificDates = value.specificDates or None
    if isinstance(value, model.Order):
        made.totalQuantity = Decimal(quantity_text(value.totalQuantity))
        made.algoParams = made.algoParams or None
        made.smartComboRoutingParams = made.smartComboRoutingParams or None
        made.orderMiscOptions = made.orderMiscOptions or None
    return made


class _Wire:
    """A connection that keeps what is sent."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def sendMsg(self, frame: bytes) -> None:
        self.frames.append(frame)

    def isConnected(self) -> bool:
        return True

    def disconnect(self) -> None: ...


class _Complaints(EWrapper):  # type: ignore[misc]
    def __init__(self) -> None:
        self.errors: list[tuple[Any, ...]] = []

    def error(self, *args: Any) -> None:
        self.errors.append(args)


def request_name(message: Any) -> str:
    """Return the name of the official request, which the record's docstring tells."""
    return str(type(message).__doc__).rstrip(".").rpartition(": ")[2]


def twin(message: Any) -> Any:
    """Return a message as the official client's protobuf class, filled by the names of the fields."""
    row = next(row for row in table() if row.class_name == type(message).__name__)
    proto = official_message(row.name, b"")
    _fill(proto, message, row.attrs)
    return proto


def _fill(proto: Any, value: Any, attrs: tuple[Attr, ...]) -> None:
    for attr in attrs:
        told, name = getattr(value, attr.path[-1]), attr.names[-1]
        record = table().records.get(attr.kind)
        if record is not None and attr.inline:
            _fill(proto, told, record.attrs)
            continue
        if told is None or ((told is False or told == "") and not attr.kind.endswith("~")):
            continue
        if record is None and attr.many:
            getattr(proto, name).extend(told)
        elif record is None:
            setattr(proto, name, told)
        elif attr.many:
            for item in told:
                _fill(getattr(proto, name).add(), item, record.attrs)
        else:
            getattr(proto, name).SetInParent()
            _fill(getattr(proto, name), told, record.attrs)


def official_frame(message: Any, version: int) -> tuple[bytes | None, list[Any]]:
    """Return the frame that the official client sends, None when it refuses; and its complaints."""
    wrapper = _Complaints()
    client = EClient(wrapper)
    client.conn = _Wire()
    client.serverVersion_ = version
    client.extraAuth = True
    client.setConnState(EClient.CONNECTED)
    name = request_name(message)
    values = {key: theirs(value) for key, value in message._asdict().items()}
    if name.endswith("ProtoBuf"):  # its configuration has no other form than the protobuf message
        getattr(client, name)(twin(message))
    elif name == "startApi":
        client.clientId, client.optCapab = values["clientId"], values["optCapab"]
        client.startApi()
    else:
        method = getattr(client, name)
        method(**{key: values[key] for key in inspect.signature(method).parameters})
    frames = client.conn.frames
    assert len(frames) <= 1
    return (frames[0] if frames else None), wrapper.errors


# ------------------------------------------------------------------------------------------------ answers


class Recorder(EWrapper):  # type: ignore[misc]
    """Keeps every callback with its arguments by name, and the protobuf messages handed on as they are."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.protobufs: list[tuple[str, Any]] = []

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") or name in ("calls", "protobufs") or not hasattr(EWrapper, name):
            return super().__getattribute__(name)
        return self._record(name)

    def _record(self, name: str) -> Callable[..., None]:
        names = [key for key in inspect.signature(getattr(EWrapper, name)).parameters if key != "self"]

        def callback(*args: Any) -> None:
            if name.endswith("ProtoBuf"):
                self.protobufs.append((name, *args))
            else:
                self.calls.append((name, dict(zip(names, args, strict=True))))

        # The decoder reads annotations of the methods it fills by signature.
        callback.__name__ = name
        return callback


class _Fields(tuple[bytes, ...]):
    """The text fields of a message; knows how far they were read."""

    reading: Iterator[bytes] = iter(())

    def __iter__(self) -> Iterator[bytes]:
        self.reading = super().__iter__()
        return self.reading


def official_reading(frame: bytes, version: int) -> tuple[list[tuple[str, dict[str, Any]]], list[Any]]:
    """Return the callbacks that the official decoder makes of a frame, and the fields that it leaves unread."""
    recorder = Recorder()
    decoder = Decoder(recorder, version)
    body = frame[4:]
    if version >= 201:
        number, body = int.from_bytes(body[:4], "big"), body[4:]
    else:
        head, _, body = body.partition(b"\0")
        number = int(head)
    if number > 200:
        decoder.processProtoBuf(body, number - 200)
        return recorder.calls, unknown_fields(official_message(table().answers[number - 200], body))
    fields = _Fields(body.split(b"\0")[:-1])
    decoder.interpret(fields, number)
    return recorder.calls, list(fields.reading)


def official_protobufs(frame: bytes, version: int) -> list[tuple[str, Any]]:
    """Return the protobuf messages that the official decoder hands on of a frame, with the names of the callbacks."""
    recorder = Recorder()
    Decoder(recorder, version).processProtoBuf(frame[8:], int.from_bytes(frame[4:8], "big") - 200)
    return recorder.protobufs


def official_calls(frame: bytes, version: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the callbacks that the official decoder makes of a frame."""
    return official_reading(frame, version)[0]


def official_message(name: str, data: bytes) -> Any:
    """Return protobuf data as the official client's class of a message."""
    protobuf = table().message(name).protobuf
    module = importlib.import_module(f"ibapi.protobuf.{protobuf}_pb2")
    return getattr(module, protobuf).FromString(data)


def unknown_fields(proto: Any) -> list[str]:
    """Return the fields that a protobuf message's class does not know, those of the messages inside it too."""
    found = [f"{proto.DESCRIPTOR.name} {field.field_number}" for field in UnknownFieldSet(proto)]
    for field, value in proto.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = list(value.values()) if field.message_type.fields_by_name["value"].message_type else []
        else:
            inner = list(value) if field.is_repeated else [value]
        for item in inner:
            found += unknown_fields(item)
    return found


def flat_official(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return the values of a callback's arguments by dotted names, those of lists by index."""
    if isinstance(value, Enum) or not (isinstance(value, dict) or hasattr(value, "__dict__")):
        return {prefix.rstrip("."): value}
    found: dict[str, Any] = {}
    for name, item in (value if isinstance(value, dict) else vars(value)).items():
        if isinstance(item, list | tuple):
            found[f"{prefix}{name}"] = item
            for index, entry in enumerate(item):
                found.update(flat_official(entry, f"{prefix}{name}[{index}]."))
        else:
            found.update(flat_official(item, f"{prefix}{name}."))
    return found
