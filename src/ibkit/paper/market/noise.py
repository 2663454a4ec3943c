"""Randomness without state: numbers that depend on a name and a place alone.

A stream is a 64-bit key made of the seed and names; ``draw`` gives its bits at any place, in any order. Normals are
sums of four 16-bit parts and exponentials a table, so that they are the same on every machine. Must not know prices.
"""

from __future__ import annotations

from hashlib import blake2b
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S16, _S27, _S30, _S31, _S32, _S48 = (np.uint64(n) for n in (16, 27, 30, 31, 32, 48))
_LOW16 = np.uint64(0xFFFF)
_NORMAL_SCALE = sqrt(3.0) / 65536  # four uniforms on 0..65535 have the variance 65536**2 / 3

# -log(u) for the 65536 middles of [0, 1): an exponential of mean one.
_EXPONENTIAL: Floats = np.asarray(np.round(-np.log((np.arange(65536) + 0.5) / 65536), 9), dtype=np.float64)


def stream(seed: int, *names: str) -> np.uint64:
    """Return the key of the stream with these names."""
    digest = blake2b("|".join((str(seed), *names)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "big"))


def draw(key: np.uint64, places: Ints) -> Bits:
    """Return 64 random bits for every place (splitmix64)."""
    z = places.astype(np.uint64)
    z *= _GOLDEN
    z += key
    z ^= z >> _S30
    z *= _MIX_1
    z ^= z >> _S27
    z *= _MIX_2
    z ^= z >> _S31
    return z


def part(bits: Bits, shift: int, width: int) -> Ints:
    """Return ``width`` of the bits, from ``shift`` on, as integers."""
    return ((bits >> np.uint64(shift)) & np.uint64((1 << width) - 1)).astype(np.int64)


def normal(bits: Bits) -> Floats:
    """Turn bits into (nearly) standard normal numbers, never beyond 3.5."""
    parts = (bits & _LOW16) + (bits >> _S16 & _LOW16) + (bits >> _S32 & _LOW16) + (bits >> _S48)
    total: Floats = parts.astype(np.float64)
    total -= 131070.0
    total *= _NORMAL_SCALE
    return total


def exponential(bits: Bits, shift: int) -> Floats:
    """Turn 16 of the bits into exponential numbers of mean one, never beyond 11.8."""
    return _EXPONENTIAL[part(bits, shift, 16)]


def uniform(bits: Bits, shift: int) -> Floats:
    """Turn 16 of the bits into numbers inside (0, 1)."""
    return (part(bits, shift, 16) + 0.5) / 65536


def seconds(minutes: Ints) -> Floats:
    """Return when minutes begin."""
    return minutes.astype(np.float64) * 60.0
