"""The first words on a connection: which versions the client speaks, which one the server chose.

The client sends ``API``, a NUL and one frame ``v157..225``; the server answers one frame with its version and
its time, always as text. Must not know messages.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ibkit.errors import HandshakeError
from ibkit.wire.framing import frame

MIN_VERSION = 157
"""The oldest server version the library speaks."""

MAX_VERSION = 225
"""The newest server version the library speaks."""

_PREFIX = b"API\0"
_LONGEST_HELLO = 4096  # a version range and a few words of options; more is no TWS client
_HELLO = re.compile(r"v(\d{1,9})(?:\.\.(\d{1,9}))?(?: (.*))?", re.DOTALL)


class ClientHello(NamedTuple):
    """What a client offers: the versions it speaks and its connect options, such as ``+PACEAPI``."""

    lo: int
    hi: int
    options: str


class ServerHello(NamedTuple):
    """What a server answers: the version of the conversation and its time, such as '20240105 10:11:12 EST'."""

    version: int
    time_text: str


def client_hello(lo: int = MIN_VERSION, hi: int = MAX_VERSION, options: str = "") -> bytes:
    """Return what a client sends first; ``options`` are the connect options, such as ``+PACEAPI``."""
    text = f"v{lo}..{hi}" if lo < hi else f"v{lo}"
    return _PREFIX + frame((f"{text} {options}" if options else text).encode())


def read_client_hello(data: bytes) -> tuple[ClientHello | None, int]:
    """Read what a client sent first.

    Returns the hello and how many bytes it took, or (None, 0) while more bytes are needed. Raises HandshakeError
    when this is no TWS client.
    """
    if data[:4] != _PREFIX[: len(data)]:
        raise HandshakeError(f"no TWS client: it begins with {data[:20]!r} instead of {_PREFIX!r}")
    if len(data) < 8:
        return None, 0
    length = int.from_bytes(data[4:8], "big")
    if length > _LONGEST_HELLO:
        raise HandshakeError(f"no TWS client: it announces its versions in {length} bytes")
    end = 8 + length
    if len(data) < end:
        return None, 0
    text = bytes(data[8:end]).decode("utf-8", "backslashreplace").rstrip("\0")
    match = _HELLO.fullmatch(text)
    if match is None:
        raise HandshakeError(f"no TWS client: its versions are {text!r}, expected something like 'v157..225'")
    lo = int(match[1])
    return ClientHello(lo, int(match[2] or lo), match[3] or ""), end


def server_hello(version: int, time_text: str) -> bytes:
    """Return what a server answers; send it in one piece, and nothing more until the client has answered."""
    return frame(f"{version}\0{time_text}\0".encode())


def read_server_hello(body: bytes) -> ServerHello:
    """Read the body of the server's answer; raises HandshakeError when it is none, or the version too old."""
    fields = body.decode("utf-8", "backslashreplace").split("\0")
    if len(fields) != 3 or fields[2] or not fields[0].isascii() or not fields[0].isdigit():
        raise HandshakeError(f"the other side is no TWS or IB Gateway: it answered {body[:60]!r}. Check host and port")
    version = int(fields[0])
    if version < MIN_VERSION:
        raise HandshakeError(
            f"TWS or IB Gateway speaks protocol version {version}, at least {MIN_VERSION} is needed: update it"
        )
    return ServerHello(version, fields[1])
