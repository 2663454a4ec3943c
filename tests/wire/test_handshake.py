"""The first words: what clients of all kinds say, and what a server answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import HandshakeError
from ibkit.wire import FrameReader, handshake
from ibkit.wire.framing import frame
from ibkit.wire.handshake import ClientHello, ServerHello


def test_a_client_says_what_the_official_one_says() -> None:
    assert handshake.client_hello() == b"API\0\0\0\0\x09v157..225"
    assert handshake.client_hello(100, 225, "+PACEAPI") == b"API\0\0\0\0\x12v100..225 +PACEAPI"
    assert handshake.client_hello(176, 176) == b"API\0\0\0\0\x04v176"


@pytest.mark.parametrize(
    ("text", "hello"),
    [
        ("v100..225", ClientHello(100, 225, "")),
        ("v157..176", ClientHello(157, 176, "")),
        ("v157..178 ", ClientHello(157, 178, "")),
        ("v213..225", ClientHello(213, 225, "")),
        ("v100..193", ClientHello(100, 193, "")),
        ("v176", ClientHello(176, 176, "")),
        ("v100..225 +PACEAPI", ClientHello(100, 225, "+PACEAPI")),
        ("v100..225 a b", ClientHello(100, 225, "a b")),
    ],
)
def test_a_server_understands_clients(text: str, hello: ClientHello) -> None:
    data = b"API\0" + frame(text.encode())
    assert handshake.read_client_hello(data + b"more") == (hello, len(data))


def test_a_server_waits_for_the_rest() -> None:
    data = handshake.client_hello(options="+PACEAPI")
    for end in range(len(data)):
        assert handshake.read_client_hello(data[:end]) == (None, 0)
    assert handshake.read_client_hello(data)[1] == len(data)


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n", b"A", b"API1", b"APIx" + frame(b"v1"), b"API\0\xff\xff\xff\xff", b"API\0" + frame(b"hello"),
     b"API\0" + frame(b"v..9"), b"API\0" + frame(b"v1..\xff")],
)  # fmt: skip
def test_a_server_knows_who_is_no_client(data: bytes) -> None:
    if data == b"A":
        assert handshake.read_client_hello(data) == (None, 0)
        return
    with pytest.raises(HandshakeError):
        handshake.read_client_hello(data)


@given(st.integers(157, 225), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_a_client_reads_what_a_server_answers(version: int, time: str) -> None:
    reader = FrameReader()
    reader.feed(handshake.server_hello(version, time))
    body = reader.next()
    assert body is not None
    assert handshake.read_server_hello(body) == ServerHello(version, time)


@pytest.mark.parametrize(
    "body", [b"", b"176", b"176\0now", b"x\0now\0", b"176\0a\0b\0", b"\xff\xfe\0\0", b"-5\0now\0", b"\xb2\0now\0"]
)
def test_a_client_knows_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(HandshakeError, match="no TWS"):
        handshake.read_server_hello(body)


def test_a_server_too_old_is_named() -> None:
    with pytest.raises(HandshakeError, match=r"156.*157"):
        handshake.read_server_hello(b"156\0now\0")
