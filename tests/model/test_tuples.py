"""Named tuples are those of ``typing`` to everybody who asks."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
import typing
from typing import Any

import pytest

import ibkit
from ibkit import DOMLevel, OptionComputation, TagValue, util
from ibkit.wire import messages

TUPLES = sorted(
    {
        obj
        for module in (ibkit, messages)
        for obj in vars(module).values()
        if isinstance(obj, type) and issubclass(obj, tuple) and hasattr(obj, "_fields")
    },
    key=lambda cls: (cls.__module__, cls.__name__),
)


def twin_of(cls: Any) -> Any:
    """Return what ``typing`` makes of the same text."""
    twin: Any = typing.NamedTuple(cls.__name__, [(name, Any) for name in cls._fields])
    twin.__new__.__defaults__ = tuple(cls._field_defaults.values())
    return twin


def test_there_are_many() -> None:
    assert len(TUPLES) > 200


@pytest.mark.parametrize("cls", TUPLES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_class_is_what_typing_would_make_of_it(cls: Any) -> None:
    twin = twin_of(cls)
    assert cls.__bases__ == (tuple,)
    assert list(inspect.signature(cls).parameters) == list(inspect.signature(twin).parameters)
    values = list(range(len(cls._fields)))
    one, other = cls(*values), twin(*values)
    assert one == other == cls._make(values) == cls(**dict(zip(cls._fields, values, strict=True)))
    assert repr(one) == repr(other)
    assert one._asdict() == other._asdict()
    assert list(inspect.signature(cls).parameters) == list(inspect.signature(twin).parameters)
    for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert type(again) is cls
        assert again == one
    assert not hasattr(one, "__dict__")
    assert cls.__match_args__ == cls._fields == twin._fields
    required = [name for name in cls._fields if name not in cls._field_defaults]
    assert cls(*range(len(required)))[len(required) :] == tuple(cls._field_defaults.values())
    assert [getattr(one, name) for name in cls._fields] == values
    for wrong in (values[: len(required) - 1] if required else [*values, 0], [*values, 0]):
        with pytest.raises(TypeError):
            cls(*wrong)
        with pytest.raises(TypeError, match="arguments, got"):
            cls._make([*values, 0])


def test_replace() -> None:
    level = DOMLevel(1.0, 2.0, "X")
    assert level._replace(size=3.0) == DOMLevel(1.0, 3.0, "X")
    with pytest.raises(ValueError, match="sizes"):
        level._replace(sizes=3.0)  # type: ignore[call-arg]
    if sys.version_info >= (3, 13):
        assert copy.replace(level, price=5.0).price == 5.0


def test_methods_of_the_class_come_first() -> None:
    assert OptionComputation(0, 1.0) * 2 == OptionComputation(0, 2.0)
    assert OptionComputation._field_defaults["delta"] is None


def test_named_tuples_are_no_data_classes() -> None:
    with pytest.raises(TypeError):
        util.dataclassAsDict(TagValue("a", "b"))
    assert util.isnamedtupleinstance(TagValue("a", "b"))
