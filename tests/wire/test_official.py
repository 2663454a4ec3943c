"""Differential tests against the official client: for random requests, at many versions, our bytes are its bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import EncodeError, UnsupportedField
from ibkit.wire import Codec, Role
from ibkit.wire.interpreter.values import build, needs_of, put
from ibkit.wire.shapes import Leaf, shape_of
from ibkit.wire.table import Path, table
from tests.wire.official import official_frame
from tests.wire.strategies import messages
from tests.wire.test_laws import SETTINGS, versions_of
from tests.wire.vectors import canonical

REQUESTS = [message.name for message in table() if message.request]
# Options that the official Python client drops in text, though it takes them.
DROPPED = {
    "REQ_MKT_DATA": "mktDataOptions",
    "REQ_MKT_DEPTH": "mktDepthOptions",
    "REQ_CALC_IMPLIED_VOLAT": "implVolOptions",
    "REQ_CALC_OPTION_PRICE": "optPrcOptions",
}


def as_the_official_client_would(name: str, message: Any, version: int) -> Any:
    """Take away what the official client has no way to send."""
    if name in DROPPED and not table().message(name).by_protobuf(version):
        message = message._replace(**{DROPPED[name]: []})
    order = getattr(message, "order", None)
    if order is not None:
        order.faProfile, order.eTradeOnly, order.firmQuoteOnly = "", False, False
        order.nbboPriceCap = type(order)().nbboPriceCap
        if abs(float(order.totalQuantity)) < 1e-6:  # in text it writes such numbers with an exponent
            order.totalQuantity = 0.0
    if name in ("REQ_FA", "REPLACE_FA"):
        message = message._replace(faData=3 if message.faData == 3 else 1)  # no profiles from 177 on
    return message


@pytest.mark.parametrize("name", REQUESTS)
@SETTINGS
@given(data=st.data())
def test_a_client_sends_the_bytes_of_the_official_client(name: str, data: st.DataObject) -> None:
    version = data.draw(versions_of(name))
    message = as_the_official_client_would(name, data.draw(messages(name)), version)
    frame, errors = official_frame(message, version)
    codec = Codec(Role.CLIENT, version)
    if errors:  # then ours refuses too
        with pytest.raises(EncodeError):
            codec.encode(message)
        return
    assert frame is not None
    try:
        ours = codec.encode(message)
    except UnsupportedField as error:
        ours, needs = b"", error.needs_version
    if ours:
        assert canonical(name, ours) == canonical(name, frame)
    else:  # it leaves what came after the text form out of text orders without a word
        row = table().message(name)
        assert not row.by_protobuf(version)
        assert needs > row.protobuf_since


# ------------------------------------------------------------------------------------------------ refusals


def refusals() -> list[tuple[str, Path, int]]:
    return [
        (message.name, path, since)
        for message in table()
        if message.request
        for path, since in needs_of(message)
        if since > message.since and isinstance(shape_of(message.name).at(path), Leaf)
    ]


@pytest.mark.parametrize(("name", "path", "since"), refusals(), ids=lambda value: str(value))
def test_a_field_that_the_server_is_too_old_for_is_refused(name: str, path: Path, since: int) -> None:
    shape = shape_of(name)
    node = shape.leaf(path)
    value: Any = {"bool": True, "tri": True, "str": "20240105 10:00:00"}.get(node.word, [20240105] if node.many else 7)
    values: dict[str, Any] = {}
    put(values, path, value)
    message = build(shape, values)
    with pytest.raises(UnsupportedField) as caught:
        Codec(Role.CLIENT, since - 1).encode(message)
    assert (caught.value.field, caught.value.needs_version) == (".".join(path), since)
    assert str(since) in str(caught.value)
    Codec(Role.CLIENT, since).encode(message)
    frame, errors = official_frame(message, since - 1)
    assert frame is None, "the official client sends this"
    assert errors[0][2] in (503, 10372), errors


@pytest.mark.parametrize("name", [message.name for message in table() if message.request and message.since > 157])
def test_a_message_that_the_server_is_too_old_for_is_refused(name: str) -> None:
    message = table().message(name)
    with pytest.raises(UnsupportedField) as caught:
        Codec(Role.CLIENT, message.since - 1).encode(build(shape_of(name), {}))
    assert caught.value.needs_version == message.since
    Codec(Role.CLIENT, message.since).encode(build(shape_of(name), {}))
    frame, errors = official_frame(build(shape_of(name), {}), message.since - 1)
    assert frame is None
    assert errors[0][2] == 503
