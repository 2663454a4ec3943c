"""Our bytes are the official client's bytes, and its bytes mean to us what they meant to it."""

from __future__ import annotations

from typing import Any

import pytest

from ibkit.wire import Codec, Role
from ibkit.wire.protobuf import classes
from ibkit.wire.table import table
from tests.wire.vectors import Vector, canonical, comparable, load, message_of

OUTGOING = load("outgoing")
INCOMING = load("incoming")


@pytest.mark.parametrize("vector", OUTGOING, ids=lambda vector: vector.label)
def test_a_client_sends_the_official_bytes(vector: Vector) -> None:
    frame = Codec(Role.CLIENT, vector.version).encode(message_of(vector))
    assert canonical(vector.message, frame) == canonical(vector.message, vector.frame)


@pytest.mark.parametrize("vector", OUTGOING, ids=lambda vector: vector.label)
def test_a_server_understands_the_official_client(vector: Vector) -> None:
    server = Codec(Role.SERVER, vector.version)
    message = server.decode(vector.frame[4:])
    sent = Codec(Role.CLIENT, vector.version).encode(message)
    assert canonical(vector.message, sent) == canonical(vector.message, vector.frame)
    assert not server.trailing
    if "bool" not in vector.scenario and vector.form == "text":
        assert comparable(message) == comparable(message_of(vector))


TEXT_IN = [vector for vector in INCOMING if vector.form == "text"]
# Some are read as text from servers that send them as protobuf.
TEXT_OUT = [each for each in TEXT_IN if not table().message(each.message).by_protobuf(each.version)]
PROTOBUF_IN = [vector for vector in INCOMING if vector.form != "text"]


@pytest.mark.parametrize("vector", TEXT_OUT, ids=lambda vector: vector.label)
def test_a_server_sends_what_the_official_decoder_takes(vector: Vector) -> None:
    frame = Codec(Role.SERVER, vector.version).encode(message_of(vector))
    assert known_fields(vector, frame) == known_fields(vector, vector.frame)


def known_fields(vector: Vector, frame: bytes) -> list[bytes]:
    """Return the text fields of a frame without those whose content nobody reads."""
    fields = frame[8:].split(b"\0") if vector.version >= 201 else frame[4:].split(b"\0")[1:]
    if vector.message == "OPEN_ORDER":  # the shares allocation and the NBBO price cap
        del fields[56 if vector.version < 177 else 55], fields[29]
    return fields


@pytest.mark.parametrize("vector", TEXT_IN, ids=lambda vector: vector.label)
def test_a_client_understands_what_the_official_decoder_takes(vector: Vector) -> None:
    client = Codec(Role.CLIENT, vector.version)
    assert comparable(client.decode(vector.frame[4:])) == comparable(message_of(vector))
    assert not client.trailing


@pytest.mark.parametrize("vector", PROTOBUF_IN, ids=lambda vector: vector.label)
def test_a_server_sends_back_all_that_a_client_read_from_protobuf(vector: Vector) -> None:
    client = Codec(Role.CLIENT, vector.version)
    message = client.decode(vector.frame[4:])
    assert not client.trailing
    frame = Codec(Role.SERVER, vector.version).encode(message)
    read = classes()[table().message(vector.message).protobuf].FromString
    sent, told = read(frame[8:]), read(vector.frame[8:])
    if vector.message == "OPEN_ORDER":
        told.orderId = told.order.orderId  # the one of the order counts
    told.DiscardUnknownFields()
    drop_what_is_not_told(told, with_prices="ORDER" in vector.message)
    drop_what_is_not_told(sent, with_prices=True)
    assert sent == told


CONDITION_OF_OTHER_TYPES = ("symbol", "secType", "percent", "changePercent", "time", "volume")
FLAGS_OF_THREE_VALUES = ("usePriceMgmtAlgo", "routeMarketableToBbo", "seekPriceImprovement")
SENTINELS_OF_NO_MEANING = ("fundDistributionPolicyIndicator", "fundAssetType", "marketMaker", "optExerciseOrLapseType")


def drop_what_is_not_told(proto: Any, with_prices: bool) -> None:
    """Clear what nobody misses: flags that are False, empty parts, prices of legs without an order, and so on."""
    for field, value in proto.ListFields():
        if value is False or field.name in SENTINELS_OF_NO_MEANING:
            proto.ClearField(field.name)
        elif field.name in FLAGS_OF_THREE_VALUES:
            setattr(proto, field.name, 1)
        elif field.name == "perLegPrice" and not with_prices:
            proto.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for item in value if hasattr(value, "add") else [value]:
                if field.name == "conditions":
                    for name in CONDITION_OF_OTHER_TYPES:
                        item.ClearField(name)
                drop_what_is_not_told(item, with_prices)
            if field.name.startswith("tickAttrib"):
                proto.ClearField(field.name)
