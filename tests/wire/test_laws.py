"""What is encoded is decoded to the same, for every message, at any server version, in both directions."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkit.errors import UnsupportedField
from ibkit.wire import MAX_VERSION, MIN_VERSION, Codec, Role, compiler, interpreter
from ibkit.wire.framing import frame
from ibkit.wire.interpreter.values import get, needs_of
from ibkit.wire.numbers import UNSET_TEXT
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import table
from tests.wire.strategies import flat, messages, travelling
from tests.wire.vectors import canonical, comparable

NAMES = [message.name for message in table()]
VERSIONS = st.integers(MIN_VERSION, MAX_VERSION)
EXAMPLES = int(os.environ.get("IBKIT_EXAMPLES", "8"))
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="IBKIT_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def versions_of(name: str) -> st.SearchStrategy[int]:
    """Return the versions that know a message and everything a request can carry."""
    message = table().message(name)
    bounds = sorted({MIN_VERSION, 163, 164, 176, 177, 200, 201, message.protobuf_since or 201, 212, MAX_VERSION})
    lowest = max(MIN_VERSION, message.since)
    return st.sampled_from([bound for bound in bounds if bound >= lowest]) | st.integers(lowest, MAX_VERSION)


def codecs(name: str, version: int) -> tuple[Codec, Codec]:
    client, server = Codec(Role.CLIENT, version), Codec(Role.SERVER, version)
    return (client, server) if table().message(name).request else (server, client)


def encode(name: str, message: Any, version: int) -> bytes | None:
    """Return the frame, None when a request has something the server is too old for."""
    sender, _ = codecs(name, version)
    shape, needs = shape_of(name), needs_of(table().message(name)) if table().message(name).request else []
    missing = {
        ".".join(path): since
        for path, since in needs
        if since > version and comparable(get(message, path, shape)) != comparable(shape.leaf(path).default)
    }
    if not missing:
        return sender.encode(message)
    with pytest.raises(UnsupportedField) as caught:
        sender.encode(message)
    assert missing[caught.value.field] == caught.value.needs_version
    return None


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(data=st.data())
def test_decode_undoes_encode(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name))
    version = data.draw(versions_of(name))
    sent = encode(name, message, version)
    if sent is None:
        return
    _, receiver = codecs(name, version)
    got = receiver.decode(sent[4:])
    again = receiver.decode(sent[4:])
    assert comparable(got) == comparable(again)
    assert not receiver.trailing
    shape = shape_of(name)
    before, after = flat(message, shape), flat(got, shape)
    travelled = travelling(name, message, version)
    for field, value in after.items():
        if field in travelled:
            assert comparable(value) in same(before[field]), field
        elif "[" not in field and not field.startswith("tick.") and value is not None:
            default = shape.leaf(tuple(field.split("."))).default
            assert comparable(value) in (*same(default), comparable(before.get(field))), field
    assert travelled - {"order.orderComboLegs.price"} <= set(after), travelled - set(after)


def same(value: Any) -> list[Any]:
    """Return what a value may come back as: an amount that is not told is one of two texts."""
    return [comparable(value), UNSET_TEXT] if value == "" else [comparable(value)]


@pytest.mark.parametrize("name", NAMES)
@SETTINGS
@given(data=st.data())
def test_compiled_functions_do_what_the_interpreter_does(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name))
    version = data.draw(versions_of(name))
    if encode(name, message, version) is None:
        return
    body = interpreter.write(name, version, message)
    assert canonical(name, compiler.writer(name, version)(message)) == canonical(name, frame(body))
    protobuf = table().message(name).by_protobuf(version)
    if protobuf:
        expected, left = interpreter.read_protobuf(name, body[4:], body)
        got = compiler.reader(name, version, True)(body)
    elif version >= 201:
        expected, left = interpreter.read_text(name, version, body[4:], body)
        got = compiler.reader(name, version, False)(body)
    else:
        expected, left = interpreter.read_text(name, version, body.split(b"\0", 1)[1], body)
        got = compiler.reader(name, version, False)(body.decode().split("\0"))
    assert not left
    assert comparable(got) == comparable(expected)
