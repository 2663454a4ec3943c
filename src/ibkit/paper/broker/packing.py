"""Records as JSON and back, for the store: fields that differ from their default, by name.

Must not know the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache

from ibkit.model import (
    ComboLeg,
    CommissionReport,
    Contract,
    DeltaNeutralContract,
    Execution,
    Order,
    OrderComboLeg,
    SoftDollarTier,
    TagValue,
)
from ibkit.model.base import dataclassAsDict
from ibkit.model.conditions import CONDITION_CLASSES
from ibkit.model.objects import OptionExerciseType

# What JSON can hold.
Packed = None | bool | int | float | str | list["Packed"] | dict[str, "Packed"]

_CLASSES: dict[str, Callable[..., object]] = {
    **{
        cls.__name__: cls
        for cls in (
            ComboLeg, CommissionReport, DeltaNeutralContract, Execution, Order, OrderComboLeg, SoftDollarTier, TagValue,
            *CONDITION_CLASSES.values(),
        )
    },
    "Contract": Contract.create,
}  # fmt: skip


@cache
def _blank(cls: Callable[[], object]) -> dict[str, object]:
    return dataclassAsDict(cls())


def pack(value: object) -> Packed:
    """Return a record, or anything a record holds, in a form JSON can write."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return {"#": "Decimal", "value": str(value)}
        case datetime():
            return {"#": "datetime", "value": value.isoformat()}
        case OptionExerciseType():
            return {"#": "OptionExerciseType", "value": value.value}
        case Enum():
            return {"#": "Enum", "value": str(value.value)}
        case tuple() if isinstance(value, TagValue):
            return {"#": "TagValue", "tag": value.tag, "value": value.value}
        case list():
            return [pack(item) for item in value]
    if not is_dataclass(value):
        raise TypeError(f"cannot store a {type(value).__name__}")
    cls: type = Contract if isinstance(value, Contract) else Order if isinstance(value, Order) else type(value)
    blank = _blank(cls)
    fields = {
        name: pack(field)
        for name, field in dataclassAsDict(value).items()
        if field is not blank[name] and (field != blank[name] or type(field) is not type(blank[name]))
    }
    return {"#": cls.__name__, **fields}


def unpack(packed: Packed) -> object:
    """Return what ``pack`` was given; contracts as their subclass, orders as plain Order."""
    if isinstance(packed, list):
        return [unpack(item) for item in packed]
    if not isinstance(packed, dict):
        return packed
    fields = {name: unpack(field) for name, field in packed.items() if name != "#"}
    name = str(packed["#"])
    match name:
        case "Decimal":
            return Decimal(str(fields["value"]))
        case "datetime":
            return datetime.fromisoformat(str(fields["value"]))
        case "OptionExerciseType":
            return OptionExerciseType(fields["value"])
    return _CLASSES[name](**fields)
