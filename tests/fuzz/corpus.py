"""Valid messages to begin with, as bodies of frames: made from the table, and as the official client sends them."""

from __future__ import annotations

import random
from functools import cache
from typing import Final, NamedTuple

from ibkit.errors import EncodeError
from ibkit.wire import Codec, Role
from ibkit.wire.table import RAW_ID_VERSION, table
from tests.fuzz import mutation, values
from tests.wire.vectors import load

VERSIONS: Final = (157, 163, 164, 176, 178, 193, 200, 201, 203, 206, 208, 210, 213, 225)
"""Server versions where something changes: framing, encodings, fields."""

_SAMPLES: Final = 8  # random messages of each name


class Body(NamedTuple):
    """The body of a valid frame and the name of its message."""

    name: str
    data: bytes


@cache
def bodies(requests: bool, version: int) -> tuple[Body, ...]:
    """Return valid bodies of one direction at a server version; the same ones in every run."""
    rng = random.Random(f"corpus {requests} {version}")
    codec = Codec(Role.CLIENT if requests else Role.SERVER, version)
    found = []
    for name in values.names(requests):
        if table().message(name).since > version:
            continue
        for _ in range(_SAMPLES):
            try:
                found.append(Body(name, codec.encode(values.message(rng, name))[4:]))
            except EncodeError:  # a field that this version does not have, options given twice ...
                continue
    side = "outgoing" if requests else "incoming"
    found += [Body(row.message, row.frame[4:]) for row in load(side) if row.version == version]
    return tuple(found)


@cache
def by_name(requests: bool, version: int) -> dict[str, tuple[Body, ...]]:
    """Return the valid bodies by the names of their messages."""
    found: dict[str, list[Body]] = {}
    for body in bodies(requests, version):
        found.setdefault(body.name, []).append(body)
    return {name: tuple(group) for name, group in found.items()}


def body(rng: random.Random, requests: bool, version: int, valid: float) -> bytes:
    """Return the body of a frame: as it should be with the probability ``valid``, else spoiled."""
    groups = by_name(requests, version)
    chosen = rng.choice(groups[rng.choice(tuple(groups))]).data
    if rng.random() < valid:
        return chosen
    if rng.random() < 0.01:  # what only the other side says
        chosen = rng.choice(bodies(not requests, version)).data
    return mutation.mutate(rng, chosen, version >= RAW_ID_VERSION)
