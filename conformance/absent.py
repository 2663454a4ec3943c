"""Answers with one field empty or left out, read by both clients: the unset rules.

Everything else of the message must be read alike; what is missing must be "not told" for both, each in its own words:
the official client reads an empty number as 0 or as one of its unset values, ibkit as the default of the attribute,
as ib_insync does. Where the official client fails on an empty field, ibkit may read on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from ibapi.const import UNSET_DECIMAL, UNSET_LONG

from ibkit.errors import MalformedMessage
from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER
from ibkit.wire import Codec, Role
from ibkit.wire.framing import frame
from ibkit.wire.numbers import UNSET_TEXT
from ibkit.wire.protobuf import classes
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import Message, table
from tests.wire.official import official_reading
from tests.wire.strategies import flat, travelling
from tests.wire.test_official_answers import ANSWERS, equal, is_told, normal, official_values, their_name

# What stands for "not told" in ours and in theirs.
_NOTHING: Final = (
    "",
    0,
    False,
    None,
    -1,
    UNSET_DOUBLE,
    UNSET_INTEGER,
    UNSET_LONG,
    UNSET_DECIMAL,
    UNSET_TEXT,
    "a",
    "None",
)

# Without the mask the official decoder takes its unset number for one, all of whose bits are set.
_MISREAD: Final = {("TICK_PRICE", "attrMask")}
# Read by the official decoder, and dropped: version 163 alone had it, under another name.
DROPPED: Final = {("CONTRACT_DATA", 163, "contractDetails.suggestedSizeIncrement")}


def answers() -> list[Message]:
    """Return the messages whose values the official client tells by callbacks of its own."""
    return [table().message(name) for name in ANSWERS]


def absences(name: str, made: Any, version: int) -> Iterator[bytes]:
    """Give the frames of a message with one field empty, or left out of its protobuf message."""
    whole = Codec(Role.SERVER, version).encode(made)
    body = whole[4:]
    if table().message(name).by_protobuf(version):
        proto = classes()[table().message(name).protobuf].FromString(body[4:])
        for _ in _cleared(proto):
            yield frame(body[:4] + proto.SerializeToString())
        return
    head = body[:4] if version >= 201 else body.partition(b"\0")[0] + b"\0"
    fields = body[len(head) :].split(b"\0")[:-1]
    for index in range(len(fields)):
        less = [*fields[:index], b"", *fields[index + 1 :]]
        yield frame(head + b"".join(field + b"\0" for field in less))


def _cleared(proto: Any) -> Iterator[None]:
    """Clear one field after the other, in the messages inside too, and put each back."""
    for field, value in list(proto.ListFields()):
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else [value]:
                yield from _cleared(inner)
        before = type(proto)()
        before.CopyFrom(proto)
        proto.ClearField(field.name)
        yield
        proto.CopyFrom(before)


def absence_difference(name: str, data: bytes, version: int) -> str | None:
    """Return what both clients read differently of a frame with something missing."""
    try:
        calls, left = official_reading(data, version)
    except Exception:  # an empty number is more than it can take, in some places
        calls, left = [], []
    try:
        codec = Codec(Role.CLIENT, version)
        ours = codec.decode(data[4:])
    except MalformedMessage as error:
        return f"ours alone fails: {error}" if calls else None
    if not calls:
        return None
    if bool(left) != bool(codec.trailing):  # a count that is missing leaves over what it counts
        return f"the official decoder leaves {left}, ours {dict(codec.trailing)}"
    if name == "HISTORICAL_DATA" and not ours.bars:  # told by an end alone, as travels at old versions
        return None
    told, travelled = official_values(name, calls), travelling(name, ours, version)
    for field, value in flat(ours, shape_of(name)).items():
        if field not in travelled or not is_told(field, value, ours):
            continue
        if (name, field) in _MISREAD or (name, version, field) in DROPPED:
            continue
        theirs = told.get(their_name(field), told.get(field, KeyError))
        if theirs is KeyError or not (
            same(value, theirs) or equal(field, value, theirs) or (nothing(value) and nothing(theirs))
        ):
            return f"{field}: {value!r} and {theirs!r} of {data.hex()}"
    return None


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether both are told, and the same."""
    return not nothing(ours) and normal(ours) == normal(theirs)


def nothing(value: Any) -> bool:
    """Tell whether a value says that nothing was told."""
    if isinstance(value, list | tuple | set | dict):
        return not value
    if isinstance(value, float | Decimal) and math.isnan(value):
        return True
    return value in _NOTHING
