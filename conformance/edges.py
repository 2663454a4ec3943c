"""Values at the edges, one at a time in every field of every request: unset, zero, negative, huge, infinite, exact
decimals, texts that cannot be sent. Where ibkit means to send something else than the official client, a reason is
named here, and nowhere else.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from ibapi.const import UNSET_LONG

from ibkit.errors import EncodeError, UnsupportedField
from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER, TagValue
from ibkit.wire import MAX_VERSION, Codec, Role
from ibkit.wire.interpreter.values import build, get, needs_of, put
from ibkit.wire.shapes import Leaf, Shape, shape_of
from ibkit.wire.table import Message, Path, table
from tests.wire.official import official_frame
from tests.wire.strategies import travelling
from tests.wire.test_official import as_the_official_client_would
from tests.wire.test_official_answers import leaves
from tests.wire.vectors import canonical
from tests.wire.whole import WORDS, whole

_FLOATS: Final = (
    0.0, -0.0, -1.5, 3, 1e-7, 123456789.123456789, 1e308, -1e308, UNSET_DOUBLE, math.inf, -math.inf, math.nan,
    Decimal("0.12345678901234567890123456789"), Decimal("1E+30"), Decimal("1E-12"), "12.5",
)  # fmt: skip
_TEXTS: Final = ("", "a ~!=,", "tab\tline\r\n", "é", "日本", "\x07", "\ud800", "x\0y", None)
VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "int": (0, -1, UNSET_INTEGER, UNSET_INTEGER - 1, -(2**31), 1.5, "7"),
    "long": (0, -1, UNSET_INTEGER, 2**53 + 1, UNSET_LONG, 1.5),
    "float": _FLOATS,
    "strike": _FLOATS,
    "quantity": (*_FLOATS, Decimal("123456789012345678901234567890.5"), UNSET_INTEGER),
    "str": _TEXTS,
    "multiplier": ("", "0.5", "100", "é"),
    "tri": (None, True, False),
    "bool": (True, False),
    "tags": (
        (),
        (TagValue("a", ""),),
        (TagValue("", ""),),
        (TagValue("a", "b"), TagValue("c", "d")),
        (TagValue("é", "b"),),
        (TagValue("a;b", "c"),),
        (TagValue("a", "b"), TagValue("a", "c")),
    ),
}


REFUSED: Final = "refused"
TOO_OLD: Final = {503, 10372}
"""The official client's codes for what a server is too old for."""


class Known(str):
    """A difference that is meant: its reason."""


NAN: Final = Known("NaN is refused: the official client sends Python's `nan`, which is no number to TWS")
INFINITY: Final = Known(
    "infinity in text is `Infinity` in every field: the official client writes it so in some, Python's `inf` in others"
)
DECIMAL: Final = Known(
    "a Decimal is written in plain digits: the official client writes very large and small ones as `1E+30`"
)
WHOLE: Final = Known("a fraction in a whole number's place is refused: the official client sends it in text")
NUL: Final = Known("a text with a NUL or a lone surrogate is refused in both encodings")
NONE: Final = Known("None for a text is an empty text, as in ib_insync; the official client refuses it in text")
UNSET: Final = Known(
    "the values that ib_insync calls unset (2147483647, 1.7976931348623157e+308) are unset wherever a number belongs: "
    "the official client has other ones for quantities and for ids of 64 bits, and forgets "
    "discretionaryAmt in protobuf"
)
TEXT: Final = Known("a number given as text is taken in both encodings; the official client refuses it in protobuf")
OPTION: Final = Known(
    "an option with `;` in it, or in protobuf one given twice, is refused: the official client sends something else"
)
TOO_NEW: Final = Known(
    "a field that the server is too old for is always refused: the official client leaves those that came after the "
    "text form out of text orders without a word"
)
REASONS: Final = (NAN, INFINITY, DECIMAL, WHOLE, NUL, NONE, UNSET, TEXT, OPTION, TOO_NEW)


def family(word: str) -> str:
    """Return the group of kinds that a kind belongs to."""
    return word.partition("/")[0].rstrip("!?~")


def edges(name: str, version: int) -> Iterator[tuple[Path, Any, Any]]:
    """Give each value for each field of a request: its path, the value, and the message with it."""
    shape = shape_of(name)
    bases = whole(name, version)
    too_new = {path for path, since in needs_of(table().message(name)) if since > version}
    for path in leaves(shape):
        if path in too_new or path[-1] in WORDS or path[-1] == "condType":
            continue
        leaf = shape.leaf(path)
        base = next((each for each in bases if _travels(name, each, version, path)), None)
        if base is None or (leaf.many and leaf.word != "tags"):
            continue
        for value in VALUES.get(family(leaf.word), ()):
            yield path, value, changed(base, path, value, shape)


def _travels(name: str, made: Any, version: int, path: Path) -> bool:
    names = {"".join(part.partition("[")[0] for part in each.split("]")) for each in travelling(name, made, version)}
    return ".".join(path) in names


def changed(made: Any, path: Path, value: Any, shape: Shape) -> Any:
    """Return a copy of a message with one value changed, in the first item where there is a list on the way."""
    if len(path) == 1:
        return copy.deepcopy(made)._replace(**{path[0]: list(value) if isinstance(value, tuple) else value})
    made = copy.deepcopy(made)
    owner = made
    for part in path[:-1]:
        owner = getattr(owner, part)
        owner = owner[0] if isinstance(owner, list) else owner
    if isinstance(owner, tuple):  # a row
        raise TypeError(f"{path} cannot be changed")
    setattr(owner, path[-1], list(value) if isinstance(value, tuple) else value)
    return made


def refusals(name: str, version: int) -> Iterator[tuple[Path, Any]]:
    """Give requests in which nothing is told but one field that a server is too old for."""
    shape = shape_of(name)
    for path, since in needs_of(table().message(name)):
        if since <= version or not isinstance(shape.at(path), Leaf):
            continue
        for made in whole(name, MAX_VERSION):
            value = get(made, path, shape)
            if value not in (None, "", False):
                told: dict[str, Any] = {}
                put(told, path, value)
                yield path, build(shape, told)
                break


def refusal_difference(name: str, path: Path, made: Any, version: int) -> str | None:
    """Return what is different when a server is too old for a field: the refusal, the field or version it names."""
    message = table().message(name)
    theirs, errors = official_frame(made, version)
    try:
        ours = Codec(Role.CLIENT, version).encode(made)
    except UnsupportedField as error:
        since = dict(needs_of(message))[path]
        if (error.field, error.needs_version) != (".".join(path), since):
            return f"{'.'.join(path)} needs {since}, and the refusal says: {error}"
        if any(TOO_OLD & set(each) for each in errors):
            return REFUSED
        if theirs is not None and not message.by_protobuf(version) and since > message.protobuf_since:
            return TOO_NEW
        return f"{'.'.join(path)}: refused here alone: {error}"
    return f"{'.'.join(path)}: sent as {ours.hex()}, and not {theirs.hex() if theirs else errors}"


def edge_difference(name: str, path: Path, value: Any, made: Any, version: int) -> str | None:
    """Return what is different between our frame and the official client's; a Known one when it is meant."""
    message = table().message(name)
    made = as_the_official_client_would(name, made, version)
    leaf = shape_of(name).leaf(path)
    try:
        theirs, errors = official_frame(made, version)
    except Exception as error:  # it lets some errors through, and refuses with others: both are a refusal
        theirs, errors = None, [error]
    try:
        ours: bytes | None = Codec(Role.CLIENT, version).encode(made)
        refusal: EncodeError | None = None
    except UnsupportedField as error:
        return f"{'.'.join(path)} = {value!r}: refused as too new: {error}"
    except EncodeError as error:
        ours, refusal = None, error
    if ours is None and theirs is None:
        return (
            None
            if str(refusal).startswith((".".join(path), path[0]))
            else f"the refusal names another field: {refusal}"
        )
    if ours is not None and theirs is not None:
        if canonical(name, ours) == canonical(name, theirs):
            return None
        if not message.by_protobuf(version):
            for reason, told in ((INFINITY, spelled), (DECIMAL, plain)):
                if told(theirs[4:]) == ours[4:]:
                    return reason
    return _meant(name, leaf, value, ours, theirs, path) or (
        f"{'.'.join(path)} = {value!r}: {ours.hex() if ours else refusal} and not {theirs.hex() if theirs else errors}"
    )


def _meant(name: str, leaf: Leaf, value: Any, ours: bytes | None, theirs: bytes | None, path: Path) -> Known | None:
    if ours is None:
        if isinstance(value, float) and math.isnan(value):
            return NAN
        if family(leaf.word) in ("int", "long") and value == 1.5:
            return WHOLE
        if isinstance(value, str) and ("\0" in value or "\ud800" in value):
            return NUL
        if leaf.word == "tags" and (len({tag for tag, _ in value}) < len(value) or ";" in value[0].tag):
            return OPTION
    if theirs is None and value is None:
        return NONE
    if theirs is None and value in ("7", "12.5"):
        return TEXT
    unset = value in (UNSET_INTEGER, UNSET_LONG) if isinstance(value, int) else value == UNSET_DOUBLE
    other = leaf.word in ("quantity", "long", "int/bool") or path[-1] == "discretionaryAmt" or name.endswith("CONFIG")
    if unset and other:
        return UNSET
    return None


def spelled(body: bytes) -> bytes:
    """Return text fields with infinity in TWS's spelling."""
    names = {b"inf": b"Infinity", b"-inf": b"-Infinity"}
    return b"\0".join(names.get(field, field) for field in body.split(b"\0"))


def plain(body: bytes) -> bytes:
    """Return text fields with decimals that have an exponent in plain digits."""
    return b"\0".join(
        f"{Decimal(field.decode()):f}".encode() if field in (b"1E+30", b"1E-12") else field
        for field in body.split(b"\0")
    )


def requests() -> list[Message]:
    """Return the messages that a client sends."""
    return [message for message in table() if message.request]
