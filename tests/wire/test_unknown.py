"""What a newer peer says and no table knows: it is left out and counted, wherever in a message it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ibkit.wire import Codec, Role
from ibkit.wire.protobuf import classes
from ibkit.wire.table import table
from tests.wire.vectors import comparable
from tests.wire.whole import whole

UNKNOWN = b"\x82\x7d\x03new"  # field 2000
PROTOBUF = [message.name for message in table() if message.protobuf]
# Some clients send a count before the last field of two requests: two fields too many are a count and it.
TEXT = [
    (message.name, version)
    for message in table()
    for version in (176, 200, 212)
    if message.has_form(False) and message.since <= version and not message.by_protobuf(version)
    if message.name not in ("REQ_CALC_IMPLIED_VOLAT", "REQ_CALC_OPTION_PRICE")
]


def codecs(name: str, version: int) -> tuple[Codec, Codec]:
    client, server = Codec(Role.CLIENT, version), Codec(Role.SERVER, version)
    return (client, server) if table().message(name).request else (server, client)


def parts(proto: Any) -> Iterator[Any]:
    """Give a protobuf message and the messages inside; of lists the first items."""
    yield proto
    for field, value in proto.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            yield from parts(value[0] if hasattr(value, "add") else value)


@pytest.mark.parametrize("name", PROTOBUF)
def test_an_unknown_protobuf_field_is_counted_wherever_it_is(name: str) -> None:
    writer, _ = codecs(name, 225)
    cls = classes()[table().message(name).protobuf]
    body = writer.encode(whole(name, 225)[0])[4:]
    count = len(list(parts(cls.FromString(body[4:]))))
    for index in range(count):
        proto = cls.FromString(body[4:])
        list(parts(proto))[index].MergeFromString(UNKNOWN)
        more = body[:4] + proto.SerializeToString()
        assert len(more) > len(body)
        _, reader = codecs(name, 225)
        expected = comparable(reader.decode(body))
        for times in range(1, 4):
            assert comparable(reader.decode(more)) == expected
            assert reader.trailing == {name: times}
            assert comparable(reader.decode(body)) == expected


@pytest.mark.parametrize(("name", "version"), TEXT)
def test_a_text_field_too_many_is_counted(name: str, version: int) -> None:
    writer, reader = codecs(name, version)
    body = writer.encode(whole(name, version)[0])[4:]
    expected = comparable(reader.decode(body))
    for times in range(1, 4):
        assert comparable(reader.decode(body + b"new\0")) == expected
        assert reader.trailing == {name: times}
        assert comparable(reader.decode(body)) == expected


@pytest.mark.parametrize("version", [157, 176, 200, 201, 213, 225])
@pytest.mark.parametrize("role", list(Role))
def test_an_unknown_id_is_counted(role: Role, version: int) -> None:
    reader = Codec(role, version)
    known = {message.id for message in table() if message.request is (role is Role.SERVER)}
    unknown = [number for number in range(1, 200) if number not in known]
    for number in unknown:
        reader.decode(number.to_bytes(4, "big") + b"x\0" if version >= 201 else b"%d\0x\0" % number)
    assert reader.unknown_ids == dict.fromkeys(unknown, 1)
    assert reader.not_understood() == {f"message {number}": 1 for number in unknown}
