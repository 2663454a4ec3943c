"""How a single value is written and read: as a text field, and as a protobuf field.

One class a kind of value; the names of the kinds are the words of the table (``tables/README.md``). These functions
are the obvious form of the rules: the interpreter uses them as they are, the compiler writes the common ones
into its functions and calls them for the rest. Must not know messages.

Every function here raises ValueError or TypeError for what does not fit; who calls adds message and field.
"""

from __future__ import annotations

import math
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple

from ibkit.model import (
    UNSET_DOUBLE,
    UNSET_INTEGER,
    FundAssetType,
    FundDistributionPolicyIndicator,
    OptionExerciseType,
    TagValue,
)
from ibkit.wire.numbers import (
    UNSET_TEXT,
    check_text,
    escape,
    float_text,
    integer,
    number,
    quantity,
    quantity_text,
    read_float,
    read_int,
    sendable,
    size,
    told,
    unescape,
)


class Slot(NamedTuple):
    """What a kind must know about the place of a value.

    ``unset`` is the value that stands for "nothing told" there; ``absent`` what a protobuf message without the
    field means (the same, but for texts and flags); ``server`` tells which side writes.
    """

    unset: object
    absent: object
    server: bool


# Any: a user may put any number type where a number belongs; the kinds settle that.
class Kind:
    """A kind of value: a text. The subclasses override what differs."""

    protobuf = "string"
    zero: object = ""

    def write(self, value: Any, slot: Slot) -> str:
        """Return the text of a value."""
        return check_text(value, slot.server)

    def read(self, text: str, slot: Slot) -> Any:
        """Return the value of a text."""
        return text

    def put(self, value: Any, slot: Slot) -> Any:
        """Return what a protobuf field is set to, None to leave it out."""
        return check_text(value, True) or None

    def put_item(self, value: Any, slot: Slot) -> Any:
        """Return what an item of a repeated protobuf field is set to; there nothing can be left out."""
        found = self.put(value, slot)
        return self.zero if found is None else found

    def get(self, value: Any, slot: Slot) -> Any:
        """Return the value of a protobuf field that is present."""
        return value


class Escaped(Kind):
    """A text whose characters beyond ASCII travel escaped; in protobuf they travel as they are."""

    def write(self, value: Any, slot: Slot) -> str:
        return escape(check_text(value, True))

    def read(self, text: str, slot: Slot) -> Any:
        return unescape(text)


class Int(Kind):
    """A whole number; unset is written as the number it is (``literal``) or as an empty text."""

    protobuf = "int32"
    zero = 0

    def __init__(self, literal: bool = True, protobuf: str = "int32") -> None:
        self.literal = literal
        self.protobuf = protobuf

    def write(self, value: Any, slot: Slot) -> str:
        found = integer(value)
        if found is None:
            return str(UNSET_INTEGER) if self.literal else ""
        return str(found)

    def read(self, text: str, slot: Slot) -> Any:
        found = read_int(text, slot.unset)
        return (
            found if slot.server or self.protobuf == "string" else sendable(found, 64 if "64" in self.protobuf else 32)
        )

    def put(self, value: Any, slot: Slot) -> Any:
        found = integer(value)
        if self.protobuf == "bool":
            return True if found else None
        if self.protobuf == "string":
            return None if not found else str(found)
        if found is None and slot.server and slot.unset != UNSET_INTEGER:
            return UNSET_INTEGER  # left out it would mean something else
        return found

    def get(self, value: Any, slot: Slot) -> Any:
        if self.protobuf == "string":
            return read_int(value, slot.unset)
        return int(value)


class Float(Kind):
    """A double; unset is written as the largest double (``literal``) or as an empty text."""

    protobuf = "double"
    zero = 0.0

    def __init__(self, literal: bool = True, protobuf: str = "double") -> None:
        self.literal = literal
        self.protobuf = protobuf

    def write(self, value: Any, slot: Slot) -> str:
        found = self._number(value, slot)
        if found is None:
            return (UNSET_TEXT if slot.server else repr(UNSET_DOUBLE)) if self.literal else ""
        return float_text(found)

    def _number(self, value: Any, slot: Slot) -> int | float | Decimal | None:
        if slot.unset != slot.unset and value != value:
            return None
        return number(value)

    def read(self, text: str, slot: Slot) -> Any:
        found = read_float(text, slot.unset)
        return found if slot.server else sendable(found)

    def put(self, value: Any, slot: Slot) -> Any:
        found = self._number(value, slot)
        if found is None:
            # Left out it would mean something else, such as 0.
            return UNSET_DOUBLE if slot.server and slot.unset != UNSET_DOUBLE else None
        return float(found) if self.protobuf == "double" else quantity_text(found)

    def get(self, value: Any, slot: Slot) -> Any:
        if self.protobuf == "string":
            return self.read(value, slot)
        return told(value, slot.unset) if slot.server else sendable(value)


class Strike(Float):
    """A strike: 0 is how contracts say that they have none, which is unset on the wire when a client asks."""

    def write(self, value: Any, slot: Slot) -> str:
        found = number(value)
        if not found:
            return "0.0" if slot.server else ""
        return float_text(found)

    def put(self, value: Any, slot: Slot) -> Any:
        found = number(value)
        return float(found) if found else None


class Quantity(Kind):
    """A quantity of any precision, as plain decimal text in both encodings."""

    zero: object = math.nan

    def write(self, value: Any, slot: Slot) -> str:
        if slot.unset != slot.unset and value != value:
            return ""
        found = number(value)
        return "" if found is None else quantity_text(found)

    def read(self, text: str, slot: Slot) -> Any:
        found = quantity(text, slot.unset)
        return found if slot.server else sendable(found)

    def put(self, value: Any, slot: Slot) -> Any:
        return self.write(value, slot) or None

    def get(self, value: Any, slot: Slot) -> Any:
        return self.read(value, slot)


class Size(Quantity):
    """A size of a tick, bar or increment: a float whatever its precision."""

    def read(self, text: str, slot: Slot) -> Any:
        return size(text, slot.unset)


class Bool(Kind):
    """A flag, 1 or 0; protobuf leaves False out unless ``always``."""

    protobuf = "bool"
    zero = False

    def __init__(self, always: bool = False) -> None:
        self.always = always

    def write(self, value: Any, slot: Slot) -> str:
        return "1" if value else "0"

    def read(self, text: str, slot: Slot) -> Any:
        if text == "1" or text == "true":
            return True
        if text == "0" or text == "" or text == "false":
            return False
        return read_int(text, 0) != 0

    def put(self, value: Any, slot: Slot) -> Any:
        return bool(value) if value or self.always else None


class Truth(Bool):
    """A flag written as a word."""

    def write(self, value: Any, slot: Slot) -> str:
        return "true" if value else "false"


class Tri(Bool):
    """A flag with a third value, None: leave it to the settings of TWS."""

    protobuf = "int32"
    zero: Any = None

    def write(self, value: Any, slot: Slot) -> str:
        return "" if value is None else super().write(value, slot)

    def read(self, text: str, slot: Slot) -> Any:
        return None if text == "" else super().read(text, slot)

    def put(self, value: Any, slot: Slot) -> Any:
        return None if value is None or value == UNSET_INTEGER else int(bool(value))

    def get(self, value: Any, slot: Slot) -> Any:
        return None if value == UNSET_INTEGER else bool(value)


class Optional(Kind):
    """A setting of TWS: None is "not told", everything else travels, even an empty text."""

    zero = None

    def __init__(self, protobuf: str) -> None:
        self.protobuf = protobuf

    def put(self, value: Any, slot: Slot) -> Any:
        if value is None:
            return None
        if self.protobuf == "bool":
            return bool(value)
        return check_text(value, True) if self.protobuf == "string" else integer(value)


class Conjunction(Kind):
    """How conditions are joined: 'a' for and, 'o' for or."""

    protobuf = "bool"
    zero = "a"

    def write(self, value: Any, slot: Slot) -> str:
        if value not in ("a", "o"):
            raise ValueError(f"{value!r} joins nothing: 'a' is and, 'o' is or")
        return str(value)

    def read(self, text: str, slot: Slot) -> Any:
        return "a" if text == "a" else "o"

    def put(self, value: Any, slot: Slot) -> Any:
        return self.write(value, slot) == "a"

    def get(self, value: Any, slot: Slot) -> Any:
        return "a" if value else "o"


class Amount(Kind):
    """An amount of money that users hold as text: UNSET_TEXT when it is not told. A double in protobuf."""

    protobuf = "double"
    zero = UNSET_TEXT

    def put(self, value: Any, slot: Slot) -> Any:
        text = check_text(value, True)
        amount = float(text) if text else UNSET_DOUBLE
        return None if amount == UNSET_DOUBLE else amount

    def get(self, value: Any, slot: Slot) -> Any:
        return UNSET_TEXT if value == UNSET_DOUBLE else repr(value)


class Multiplier(Kind):
    """The multiplier of a contract, which users hold as text. A double in protobuf."""

    protobuf = "double"

    def put(self, value: Any, slot: Slot) -> Any:
        text = check_text(value, True)
        return float(text) if text else None

    def get(self, value: Any, slot: Slot) -> Any:
        return "" if value == UNSET_DOUBLE else quantity_text(value)


class Tags(Kind):
    """A list of named options: ``tag=value;tag=value;`` in one text, a map in protobuf."""

    protobuf = "map"
    zero: object = ()

    def write(self, value: Any, slot: Slot) -> str:
        text = ""
        for tag, setting in value or ():
            tag, setting = check_text(tag, slot.server), check_text(setting, slot.server)
            if ";" in tag or "=" in tag or ";" in setting:
                raise ValueError(f"an option cannot contain ';': {tag!r}, {setting!r}")
            text += f"{tag}={setting};"
        return text

    def read(self, text: str, slot: Slot) -> Any:
        pairs = (option.partition("=") for option in text.split(";") if option)
        return [TagValue(tag, setting) for tag, _, setting in pairs]

    def put(self, value: Any, slot: Slot) -> Any:
        found: dict[str, str] = {}
        for tag, setting in value or ():
            if tag in found:
                raise ValueError(f"the option {tag!r} is given twice")
            found[check_text(tag, True)] = check_text(setting, True)
        return found or None

    def get(self, value: Any, slot: Slot) -> Any:
        # A map has no order; sorted, the same message is the same list in every run.
        return [TagValue(tag, setting) for tag, setting in sorted(value.items())]


class Code(Kind):
    """A value of an enum, as its code."""

    def __init__(self, enum: type[Enum], protobuf: str) -> None:
        self.enum = enum
        self.protobuf = protobuf
        self.none = next(iter(enum))
        self.zero = self.none

    def write(self, value: Any, slot: Slot) -> str:
        return str(self.enum(value).value)

    def read(self, text: str, slot: Slot) -> Any:
        return self.get(int(text or "-1") if self.protobuf == "int32" else text, slot)

    def put(self, value: Any, slot: Slot) -> Any:
        member = self.enum(value)
        return None if member is self.none else member.value

    def get(self, value: Any, slot: Slot) -> Any:
        try:
            return self.enum(value)
        except ValueError:
            return self.none


KINDS: Final[dict[str, Kind]] = {
    "str": Kind(),
    "escaped": Escaped(),
    "int": Int(),
    "int!": Int(),
    "int?": Int(literal=False),
    "int/bool": Int(protobuf="bool"),
    "int/str": Int(protobuf="string"),
    "long": Int(protobuf="int64"),
    "long?": Int(literal=False, protobuf="int64"),
    "float": Float(),
    "float!": Float(),
    "float?": Float(literal=False),
    "float/str": Float(protobuf="string"),
    "strike": Strike(),
    "quantity": Quantity(),
    "size": Size(),
    "bool": Bool(),
    "bool!": Bool(always=True),
    "truth": Truth(),
    "tri": Tri(),
    "bool~": Optional("bool"),
    "str~": Optional("string"),
    "int~": Optional("int32"),
    "conjunction": Conjunction(),
    "amount": Amount(),
    "multiplier": Multiplier(),
    "tags": Tags(),
    "fund-policy": Code(FundDistributionPolicyIndicator, "string"),
    "fund-assets": Code(FundAssetType, "string"),
    "exercise": Code(OptionExerciseType, "int32"),
}

LITERAL_UNSET: Final = frozenset({"int!", "int?", "long?", "float!", "float?"})
"""The kinds whose empty text means unset whatever the place; elsewhere it is what the place says."""
