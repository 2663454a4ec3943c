"""Frames of the official client, and the values they carry.

``data/vectors.json.gz`` was made by running that client (10.46): what it sent, and what its decoder accepted.
Rows are [message, server version, form, scenario, values, frame in hex]. The names of values are the client's:
flat paths in text frames; incoming protobuf frames have their values as nested protobuf fields.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from ibkit.model import TagValue
from ibkit.wire.interpreter.values import build, put
from ibkit.wire.protobuf import classes
from ibkit.wire.shapes import Child, Choice, Leaf, Shape, shape_of
from ibkit.wire.table import Path as FieldPath
from ibkit.wire.table import table


class Vector(NamedTuple):
    message: str
    version: int
    form: str
    scenario: str
    values: dict[str, Any]
    frame: bytes

    @property
    def label(self) -> str:
        return f"{self.message}-{self.version}-{self.form}-{self.scenario}"


def load(side: str) -> list[Vector]:
    raw = json.loads(gzip.decompress((Path(__file__).parent / "data" / "vectors.json.gz").read_bytes()))
    return [Vector(*row[:5], bytes.fromhex(row[5])) for row in raw[side]]


OURS = {  # where our names differ from the official client's
    "commissionAndFees": "commission",
    "minCommissionAndFees": "minCommission",
    "maxCommissionAndFees": "maxCommission",
    "commissionAndFeesCurrency": "commissionCurrency",
}
OURS_IN = {
    ("TICK_BY_TICK", "bidPrice"): "tick.priceBid",
    ("TICK_BY_TICK", "askPrice"): "tick.priceAsk",
    ("TICK_BY_TICK", "bidSize"): "tick.sizeBid",
    ("TICK_BY_TICK", "askSize"): "tick.sizeAsk",
    ("TICK_BY_TICK", "midPoint"): "tick.price",
    ("EXECUTION_DATA", "execution.time"): "time",
    ("REAL_TIME_BARS", "count"): "count_",
    ("CONTRACT_DATA", "mdSizeMultiplier"): "contractDetails.mdSizeMultiplier",
    ("BOND_CONTRACT_DATA", "mdSizeMultiplier"): "contractDetails.mdSizeMultiplier",
    ("OPEN_ORDER", "faProfile"): "order.faProfile",
    ("COMPLETED_ORDER", "faProfile"): "order.faProfile",
    ("OPEN_ORDER", "eTradeOnly"): "order.eTradeOnly",
    ("OPEN_ORDER", "firmQuoteOnly"): "order.firmQuoteOnly",
    ("OPEN_ORDER", "nbboPriceCap"): "order.nbboPriceCap",
}


def value_of(raw: Any) -> Any:
    """Undo the marks of the file: {"float": text} and {"decimal": text}."""
    if isinstance(raw, dict) and len(raw) == 1:
        if "float" in raw:
            return float(raw["float"])
        if "decimal" in raw:
            return Decimal(raw["decimal"])
    return raw


def our_path(message: str, name: str, shape: Shape) -> FieldPath | None:
    name = OURS_IN.get((message, name), name)
    path = tuple(OURS.get(part, part) for part in name.split("."))
    if message == "TICK_BY_TICK" and path[0] not in shape.fields:
        path = ("tick", *path)
    try:
        shape.at(path)
    except KeyError:
        return path if message == "TICK_BY_TICK" else None
    return path


def our_item(item: dict[str, Any], case: Shape | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, raw in item.items():
        if name == "size" and case is not None and "count" in case.fields:
            name = "count"  # histogram
        if name == "exchange" and case is not None and "exch" in case.fields:
            name = "exch"  # conditions
        if name == "conjunction":
            raw = "a" if raw else "o"
        put(values, tuple(OURS.get(part, part) for part in name.split(".")), value_of(raw))
    return values


MASKS = {
    "HISTORICAL_TICKS_BID_ASK": ("askPastHigh", "bidPastLow"),
    "HISTORICAL_TICKS_LAST": ("pastLimit", "unreported"),
}


def message_of(vector: Vector) -> Any:
    """Make our message of the values of a text vector, or of an outgoing protobuf one."""
    shape = shape_of(vector.message)
    values: dict[str, Any] = {}
    flags = {}
    for name, raw in vector.values.items():
        value = value_of(raw)
        if name == "mask":
            kind = vector.values["tickType"]
            names = ("bidPastLow", "askPastHigh") if kind == 3 else ("pastLimit", "unreported")
            for bit, flag in enumerate(names):
                put(values, ("tick", flag), bool(value >> bit & 1))
            continue
        path = our_path(vector.message, name, shape)
        if path is None:
            continue  # placeholders that mean nothing
        node = shape.at(path) if path[0] != "tick" else None
        if isinstance(node, Leaf) and node.word == "tags":
            value = [TagValue(*(pair.values() if isinstance(pair, dict) else pair)) for pair in value]
        elif isinstance(node, Child) and node.many:
            value = [make_item(vector.message, node, item) for item in value]
        elif isinstance(node, Child) and node.nullable:
            flags[path] = value
            continue
        elif value is None and isinstance(node, Leaf):
            value = None if node.word == "tri" else node.unset
        elif isinstance(node, Leaf) and node.word in ("fund-policy", "fund-assets"):
            value = node.kind.read(value, node.slots[True])
        elif isinstance(node, Leaf) and node.word == "tri":
            value = bool(value)
        elif isinstance(node, Leaf) and node.word == "truth":
            value = value in (True, "true")
        elif name in ("mdSizeMultiplier", "eTradeOnly", "firmQuoteOnly", "nbboPriceCap"):
            value = node.kind.read(value, node.slots[True])
        elif isinstance(value, list):
            value = [value_of(item) for item in value]
        elif isinstance(value, Decimal):
            value = float(value)
        put(values, path, value)
    return build(shape, values)


def make_item(message: str, node: Child, item: Any) -> Any:
    if not isinstance(item, dict):
        return value_of(item)
    if isinstance(node.shape, Choice):
        case: Shape | None = node.shape.cases[item["condType"]]
    else:
        case = node.shape
    values = our_item(item, case)
    if message in MASKS and "mask" in values:
        bits = values.pop("mask")
        for bit, flag in enumerate(MASKS[message]):
            values[flag] = bool(bits >> bit & 1)
    values = {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    assert case is not None
    return build(case, {name: value for name, value in values.items() if name in case.fields})


def canonical(message: str, frame: bytes) -> bytes:
    """Return a frame with its protobuf maps in a fixed order: they have none of their own."""
    wire_id = int.from_bytes(frame[4:8], "big")
    protobuf = table().message(message).protobuf
    if not protobuf or not 200 < wire_id < 400 or frame[4:5] != b"\0":
        return frame
    proto = classes()[protobuf].FromString(frame[8:])
    return frame[:8] + bytes(proto.SerializeToString(deterministic=True))


def comparable(obj: Any) -> Any:
    """Return nested tuples of a message's values, in which NaN equals NaN and contracts are equal by value."""
    if isinstance(obj, tuple):
        return (type(obj).__name__, *(comparable(value) for value in obj))
    if isinstance(obj, list) and obj and isinstance(obj[0], TagValue):
        return sorted(obj)  # in protobuf they are a map
    if isinstance(obj, Sequence) and not isinstance(obj, str | bytes):
        return [comparable(value) for value in obj]
    if dataclasses.is_dataclass(obj):
        names = [field.name for field in dataclasses.fields(obj)]
        return (type(obj).__name__, {name: comparable(getattr(obj, name)) for name in names})
    if isinstance(obj, float) and obj != obj:
        return "NaN"
    if isinstance(obj, Decimal) and Decimal(repr(float(obj))) == obj:
        return float(obj)
    return obj
