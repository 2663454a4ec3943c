"""Spoils bytes: fields and numbers that lie, cuts, repetitions, protobuf that is none, floods of nesting.

Every function takes the generator first and returns new bytes; nothing here knows what a message means.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

RAW_ID_VERSION: Final = 201

NASTY_TEXTS: Final = (
    b"", b"0", b"1", b"-1", b"2", b"255", b"2147483647", b"2147483648", b"-2147483648", b"9223372036854775807",
    b"99999999999999999999999", b"-9223372036854775808", b"1.7976931348623157E308", b"1.7976931348623157e+308",
    b"1e400", b"-1e400", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"Infinite", b"0x10", b"1_000", b" 7 ", b"+5",
    b"5.0", b"1.5", b".5", b"1,5", b"true", b"false", b"none", b"?", b"\xd9\xa3", b"\xff\xfe", b"\xed\xa0\x80",
    b"\xf0\x9f\x92\xa9", b"\\u0000", b"\\ud800", b"\\u", b"%s%n", b"BAG", b"STK", b"OPT", b"20240110", b"20240230",
    b"99999999", b"20240110 25:61:61 Mars/Phobos", b"20240110-15:00:00", b"1704898800",
    b"999999999999999", b"-62135596801",
    b"9" * 400, b"9" * 5000, b"A" * 3000, b";" * 200, b"=;=;=", b"," * 500, b"sNaN", b"0E+999999999", b"1E-999999999",
    b"1E+999999999", b"\x01\x02\x03",
    b"1.0000000000000000E+999999999", b"1.0000000000000000E-999999999", b"-1.7976931348623157E308", b"2147483646",
)  # fmt: skip

NASTY_INTS: Final = (0, 1, 2, 127, 128, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


# -- text -----------------------------------------------------------------------------------------------------------


def text_fields(rng: random.Random, fields: list[bytes]) -> list[bytes]:
    """Spoil a list of text fields in one way."""
    fields = list(fields)
    at = rng.randrange(len(fields)) if fields else 0
    match rng.randrange(9):
        case 0 | 1 | 2 if fields:
            fields[at] = rng.choice(NASTY_TEXTS)
        case 3 if len(fields) > 1:
            other = rng.randrange(len(fields))
            fields[at], fields[other] = fields[other], fields[at]
        case 4 if fields:
            del fields[at]
        case 5:
            fields.insert(at, rng.choice(NASTY_TEXTS))
        case 6:
            del fields[at:]
        case 7:
            fields += [rng.choice(NASTY_TEXTS)] * rng.choice((1, 3, 200))
        case _ if fields:
            fields[at] = fields[rng.randrange(len(fields))] + fields[at]
    return fields


def text_body(rng: random.Random, body: bytes, raw_ids: bool) -> bytes:
    """Spoil the fields of a text message; its id stays, mostly."""
    head, rest = (body[:4], body[4:]) if raw_ids else (b"", body)
    fields = rest.split(b"\0")[:-1]
    first, fields = ([], fields) if raw_ids or rng.random() < 0.03 else (fields[:1], fields[1:])
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        fields = text_fields(rng, fields)
    end = b"\0" if rng.random() < 0.97 else b""
    return head + b"\0".join(first + fields) + (end if first or fields else b"")


# -- protobuf -------------------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    """Return a number as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def split_protobuf(data: bytes) -> list[tuple[int, int, bytes]] | None:
    """Return the fields of a protobuf message (number, wire type, value without length), None when it is none."""
    found: list[tuple[int, int, bytes]] = []
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if at < 0 or not number:
            return None
        if kind == 0:
            end = _read_varint(data, at)[1]
            value = data[at:end]
        elif kind in (1, 5):
            end = at + (8 if kind == 1 else 4)
            value = data[at:end]
        elif kind == 2:
            length, begin = _read_varint(data, at)
            end = begin + length if begin >= 0 else -1
            value = data[begin:end]
        else:
            return None
        if end < 0 or end > len(data):
            return None
        found.append((number, kind, value))
        at = end
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(10):
        if at + place >= len(data):
            return 0, -1
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number, at + place + 1
    return 0, -1


def join_protobuf(fields: list[tuple[int, int, bytes]]) -> bytes:
    """Return fields as one message."""
    parts = []
    for number, kind, value in fields:
        parts.append(varint(number << 3 | kind))
        if kind == 2:
            parts.append(varint(len(value)))
        parts.append(value)
    return b"".join(parts)


def nasty_value(rng: random.Random, kind: int) -> bytes:
    """Return a value of a wire type that is at the edge of what it can be."""
    if kind == 0:
        return varint(rng.choice(NASTY_INTS)) if rng.random() < 0.9 else b"\xff" * 9 + b"\x01"
    if kind == 1:
        return rng.choice((b"\0" * 8, b"\xff" * 8, b"\0" * 6 + b"\xf0\x7f", b"\0" * 6 + b"\xf8\x7f", rng.randbytes(8)))
    if kind == 5:
        return rng.randbytes(4)
    return rng.choice(NASTY_TEXTS)


def nested(rng: random.Random) -> bytes:
    """Return a message in a message in a message ..., as deep as a hostile peer likes."""
    number, data = rng.randint(1, 30), b""
    for _ in range(rng.choice((50, 99, 101, 500))):
        data = join_protobuf([(number, 2, data)])
    return data


def protobuf_fields(rng: random.Random, data: bytes, depth: int = 0) -> bytes:
    """Spoil one field of a protobuf message, or of one inside it; garbage where it is none."""
    fields = split_protobuf(data)
    if not fields:
        return rng.randbytes(rng.randint(0, 20)) if rng.random() < 0.5 else nested(rng)
    at = rng.randrange(len(fields))
    number, kind, value = fields[at]
    match rng.randrange(11):
        case 0 | 1 | 2:
            fields[at] = (number, kind, nasty_value(rng, kind))
        case 3 | 4 if kind == 2 and len(value) > 2 and depth < 6:
            fields[at] = (number, kind, protobuf_fields(rng, value, depth + 1))
        case 5:
            other = rng.choice((0, 1, 2, 5))
            fields[at] = (number, other, nasty_value(rng, other))
        case 6:
            fields[at] = (rng.choice((1, 2, 3, 4, 5, 19, 200, 2**29 - 1)), kind, value)
        case 7:
            del fields[at]
        case 8:
            fields += [fields[at]] * rng.choice((1, 10, 300))
        case 9:
            rng.shuffle(fields)
        case _:
            fields[at] = (number, 2, nested(rng))
    return join_protobuf(fields)


# -- any ------------------------------------------------------------------------------------------------------------


def flip(rng: random.Random, body: bytes) -> bytes:
    """Change some bytes, cut or lengthen the rest."""
    data = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.2:
        del data[rng.randint(0, len(data)) :]
    if rng.random() < 0.2:
        data += rng.randbytes(rng.randint(1, 30))
    return bytes(data)


def rename(rng: random.Random, body: bytes, raw_ids: bool) -> bytes:
    """Give a body another message id."""
    number = rng.choice(
        (0, 1, 4, 5, 11, 17, 110, 111, 199, 200, 201, 204, 205, 310, 999, 2**31 - 1, rng.randrange(2**32))
    )
    if raw_ids:
        return number.to_bytes(4, "big") + body[4:]
    name = rng.choice((b"%d" % number, b"-1", b"", b"1.5", b"\xd9\xa3", b"00005", b"9" * 30, b"1_7"))
    return name + b"\0" + body.partition(b"\0")[2]


def mutate(rng: random.Random, body: bytes, raw_ids: bool) -> bytes:
    """Return a body spoiled in a random way."""
    chance = rng.random()
    if chance < 0.08:
        return flip(rng, body)
    if chance < 0.13:
        return rename(rng, body, raw_ids)
    if chance < 0.15:
        return rng.randbytes(rng.randint(0, 60))
    if raw_ids and len(body) >= 4 and int.from_bytes(body[:4], "big") > 200:
        data = body[4:]
        for _ in range(rng.choice((1, 1, 2, 4))):
            data = protobuf_fields(rng, data)
        return body[:4] + data
    return text_body(rng, body, raw_ids)


Chunks = Callable[[random.Random, bytes], list[bytes]]


def chunks(rng: random.Random, data: bytes) -> list[bytes]:
    """Cut a stream at random places: byte by byte, in pieces, or not at all."""
    chance = rng.random()
    if chance < 0.6 or not data:
        return [data]
    if chance < 0.65 and len(data) < 400:
        return [data[i : i + 1] for i in range(len(data))]
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 5)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
