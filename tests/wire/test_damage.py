"""On damaged messages too, a compiled function agrees with the interpreter, or leaves the message to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import MalformedMessage
from ibkit.wire import compiler, interpreter
from ibkit.wire.table import table
from tests.wire.test_laws import SETTINGS
from tests.wire.vectors import Vector, comparable, load

VECTORS: dict[tuple[str, str], list[Vector]] = {}
for vector in load("outgoing") + load("incoming"):
    VECTORS.setdefault((vector.message, vector.form), []).append(vector)
TEXTS = st.sampled_from(
    ["", "0", "1", "-1", "5.0", "1.5", "1e5", "-0", "abc", "nan", "inf", "Infinity", "Infinite", "2147483647", "true",
     "2147483648", "9223372036854775807", "1.7976931348623157E308", "1.7976931348623157e+308", "9" * 30, "9" * 5000,
     " 7 ", "1_0", "\u0663", "\\u00e9", "a;b=c;;d", "20240119 08:30 US/Central", "BAG", "PEG BENCH"]
)  # fmt: skip


def outcomes(name: str, version: int, protobuf: bool, body: bytes) -> tuple[Any, Any]:
    """Return what the interpreter makes of a body, and the compiled function; None where they refuse."""
    text = body[4:] if version >= 201 else body.partition(b"\0")[2]
    slow: Any = None
    fast: Any = None
    try:
        if protobuf:
            message, left = interpreter.read_protobuf(name, text, body)
        else:
            message, left = interpreter.read_text(name, version, text, body)
        slow = comparable(message) if not left else None
    except MalformedMessage:
        pass
    try:
        read = compiler.reader(name, version, protobuf)
        fast = comparable(read(body if version >= 201 else str(body, "utf-8", "backslashreplace").split("\0")))
    except Exception:  # whatever it is, the codec asks the interpreter then
        pass
    return slow, fast


@pytest.mark.parametrize("name", sorted({name for name, form in VECTORS if form == "text"}))
@SETTINGS
@given(data=st.data())
def test_damaged_text(name: str, data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(VECTORS[name, "text"]))
    body = vector.frame[4:]
    head, text = (
        (body[:4], body[4:]) if vector.version >= 201 else (body.partition(b"\0")[0] + b"\0", body.partition(b"\0")[2])
    )
    fields = text.split(b"\0")
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(fields) - 1))
        match data.draw(st.sampled_from(["change", "change", "remove", "insert"])):
            case "change":
                fields[index] = data.draw(TEXTS).encode()
            case "remove" if len(fields) > 1:
                del fields[index]
            case _:
                fields.insert(index, data.draw(TEXTS).encode())
    slow, fast = outcomes(name, vector.version, False, head + b"\0".join(fields))
    assert fast is None or fast == slow


@pytest.mark.parametrize("name", sorted({name for name, form in VECTORS if form != "text"}))
@SETTINGS
@given(data=st.data())
def test_damaged_protobuf(name: str, data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(VECTORS[name, "protobuf"]))
    body = bytearray(vector.frame[4:])
    for _ in range(data.draw(st.integers(1, 3))):
        if len(body) > 4:
            index = data.draw(st.integers(4, len(body) - 1))
            if data.draw(st.booleans()):
                body[index] = data.draw(st.integers(0, 255))
            else:
                del body[index : index + data.draw(st.integers(1, 9))]
    slow, fast = outcomes(name, vector.version, True, bytes(body))
    assert fast is None or fast == slow


def test_every_message_is_damaged_in_every_form_it_has() -> None:
    forms = {
        (message.name, form) for message in table() for form in ("text", "protobuf") if message.has_form(form != "text")
    }
    missing = {name for name, form in forms - set(VECTORS)}
    assert missing <= {"REQ_CONFIG", "UPDATE_CONFIG", "CANCEL_CONTRACT_DATA", "CANCEL_HISTORICAL_TICKS"}  # no frames
