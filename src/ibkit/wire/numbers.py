"""Numbers and texts as the wire writes them: exact, short, and with its own words for what is not told.

Must not know fields. Every function here raises ValueError or TypeError for what does not fit.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Final

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER

UNSET_TEXT: Final = "1.7976931348623157E308"
"""How a server writes an unset double, and how amounts in texts say "not told"."""

UNSET_QUANTITIES: Final = frozenset(
    {"", "2147483647", "9223372036854775807", UNSET_TEXT, "1.7976931348623157e+308", "-9223372036854775808"}
)
_INFINITY_TEXTS = {"Infinite": math.inf, "-Infinite": -math.inf}  # what ib_insync and ib_async send


# Any: a user may put any number type where a number belongs; this is where that is settled.
def plain(value: Any) -> Any:
    """Turn a numpy scalar into the Python number it holds; leave everything else."""
    return value.item() if hasattr(value, "item") else value


def number(value: Any) -> int | float | Decimal | None:
    """Return a number as int, float or Decimal, and None when it is unset; NaN and no-numbers raise."""
    if type(value) is not float and type(value) is not int:
        if value is None:
            return None
        value = plain(value)
        if isinstance(value, str):
            value = _number_in(value)
        if not isinstance(value, int | float | Decimal):
            raise TypeError(f"{value!r} is no number")
    if value != value:
        raise ValueError("NaN has no form on the wire")
    return None if value in (UNSET_DOUBLE, UNSET_INTEGER) else value


def _number_in(text: str) -> Decimal:
    """Return the number that a text is: scripts pass on what they read from files and from other answers."""
    try:
        return Decimal(text)
    except ArithmeticError:
        raise TypeError(f"{text!r} is no number") from None


def integer(value: Any) -> int | None:
    """Return a whole number as int, and None when it is unset; anything else raises."""
    found = number(value)
    if found is None or type(found) is int:
        return found
    if found != found // 1:
        raise ValueError(f"{value!r} is no whole number")
    return int(found)


def check_text(value: Any, server: bool) -> str:
    """Return a value as the text of a field; raises when TWS would not take it."""
    if not isinstance(value, str):
        if value is None:
            return ""
        value = plain(value)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise TypeError(f"{value!r} is no text")
        value = quantity_text(value)
    if value.isascii() and value.isprintable():
        return str(value)
    if "\0" in value:
        raise ValueError(f"{value!r} contains a NUL")
    if not server and not _ASCII.fullmatch(value):
        raise ValueError(f"{value!r} contains characters that TWS does not take (only ASCII may be sent)")
    value.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return str(value)


_ASCII = re.compile(r"[\t\n\r -~]*")


def quantity_text(value: int | float | Decimal) -> str:
    """Return the shortest plain decimal text of a number, without exponent."""
    if type(value) is int:
        return str(value)
    if type(value) is float and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"{value!r} is no quantity")
    return f"{exact:f}"


def quantity(text: str, unset: object) -> object:
    """Read a quantity: a float when that is exact, else a Decimal."""
    if len(text) < 16:
        return unset if text in UNSET_QUANTITIES else float(text)
    if text in UNSET_QUANTITIES:
        return unset
    short = float(text)
    exact = Decimal(text)
    if abs(exact.adjusted()) > 400:  # beyond all doubles; written out it would fill the memory
        raise ValueError(f"{text!r} is no quantity")
    return short if Decimal(repr(short)) == exact else exact


def size(text: str, unset: object) -> object:
    """Read a size of a tick or bar: always a float."""
    return unset if text in UNSET_QUANTITIES else float(text)


def read_float(text: str, unset: object) -> object:
    """Read a price or any other double; an empty text is ``unset``, and so is the literal where that is NaN."""
    if not text:
        return unset
    return told(_INFINITY_TEXTS[text] if text in _INFINITY_TEXTS else float(text), unset)


def told(value: float, unset: object) -> object:
    """Return a double as users see it: NaN instead of the unset literal where NaN stands for "not told"."""
    return unset if value == UNSET_DOUBLE and unset != unset else value


def read_int(text: str, unset: object) -> object:
    """Read a whole number; '5.0' is one too."""
    if not text:
        return unset
    try:
        return int(text)
    except ValueError:
        value = float(text)
        if not value.is_integer():
            raise
        return int(value)


def sendable(value: Any, bits: int = 0) -> Any:
    """Return a number that a client sent; raises ValueError for one that could not be told to other clients."""
    if value != value or (bits and not -(1 << bits - 1) <= value < 1 << bits - 1):
        raise ValueError(f"{value!r} has no form on the wire")
    return value


def float_text(value: int | float | Decimal) -> str:
    """Return the shortest exact text of a number as Python prints it; infinities in the protocol's words."""
    if isinstance(value, Decimal):
        if value.is_infinite():
            return "Infinity" if value > 0 else "-Infinity"
        return f"{value:f}"
    if isinstance(value, float):
        text = repr(float(value))
        return text if text[-1] != "f" else ("Infinity" if value > 0 else "-Infinity")
    return str(int(value))


def escape(text: str) -> str:
    r"""Write the characters beyond ASCII as ``\uXXXX``, as TWS does in error texts and company names."""
    if text.isascii():
        return text
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)


def unescape(text: str) -> str:
    r"""Turn ``\uXXXX`` back into characters; a pair of surrogates is one character."""
    if "\\u" not in text:
        return text
    found = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return found.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
