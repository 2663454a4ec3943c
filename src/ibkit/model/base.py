"""What all data classes share: conversion, comparison with their defaults, lazy events.

Must not know any particular data class.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from ibkit.model.records import Keeper, Made, assign, fields_of, sparse_init, stored, unknown_field

T = TypeVar("T")


def dataclassAsDict(obj: object) -> dict[str, Any]:  # Any: the values of a record of any class
    """Return the fields of a dataclass instance as a dict; nested objects stay as they are.

    Raises TypeError when ``obj`` is not a dataclass instance.
    """
    return {name: getattr(obj, name) for name in fields_of(type(obj))}


def dataclassAsTuple(obj: object) -> tuple[Any, ...]:
    """Return the field values of a dataclass instance in field order; nested objects stay as they are."""
    return tuple([getattr(obj, name) for name in fields_of(type(obj))])


def dataclassNonDefaults(obj: object) -> dict[str, Any]:
    """Return the fields whose value differs from the default.

    NaN, None and empty lists and dicts are left out.
    """
    fields = fields_of(type(obj))
    kept = stored(obj) if isinstance(obj, SparseRecord) else fields
    found = {}
    for name, default in fields.items():
        if name in kept:
            value = getattr(obj, name)
            if value is None or value != value or value in ([], {}) or value is default:
                continue
            if value != (default.make() if isinstance(default, Made) else default):
                found[name] = value
    return found


def dataclassUpdate(obj: T, *sources: object, **changes: object) -> T:
    """Copy the fields of ``sources``, then ``changes``, onto the dataclass instance ``obj``; return it."""
    known = fields_of(type(obj))
    for source in sources:
        changes = {**dataclassAsDict(source), **changes}
    for name, value in changes.items():
        if name not in known:
            raise TypeError(unknown_field(type(obj).__name__, name, known))
        setattr(obj, name, value)
    return obj


def dataclassRepr(obj: object) -> str:
    """Return ``ClassName(field=value, ...)`` with only the fields that differ from their default."""
    return show(obj, dataclassNonDefaults(obj))


def show(obj: object, fields: dict[str, Any]) -> str:
    """Return ``ClassName(name=value, ...)`` for the given fields."""
    return f"{type(obj).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


class Record(Keeper):
    """Base of all mutable data classes: equality and repr by fields, and the methods ib_insync users know.

    Being equal by value and mutable, they are no dict keys, except where a class says otherwise.
    """

    _assign = assign  # for the keywords of the constructors of subclasses

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented

    def __repr__(self) -> str:
        return show(self, dataclassAsDict(self))

    def __replace__(self, /, **changes: object) -> Self:
        """Return a copy with other values of some fields, for ``copy.replace``."""
        return type(self)(**{**dataclassAsDict(self), **changes})

    def dict(self) -> builtins.dict[str, Any]:
        """Return the fields as a dict (not recursive)."""
        return dataclassAsDict(self)

    def tuple(self) -> builtins.tuple[Any, ...]:
        """Return the field values in field order (not recursive)."""
        return dataclassAsTuple(self)

    def update(self, *sources: object, **changes: object) -> Self:
        """Copy the fields of other instances, then the given ones, onto this object; return it."""
        return dataclassUpdate(self, *sources, **changes)

    def nonDefaults(self) -> builtins.dict[str, Any]:
        """Return the fields that differ from their default."""
        return dataclassNonDefaults(self)


class SparseRecord(Record):
    """A record with many fields of which few are ever given: an object keeps those, its class has the defaults.

    Making, copying, comparing and sending one costs as much as it was given. Users do not notice: who asks for the
    ``__dict__`` finds all fields in it.
    """

    def __eq__(self, other: object) -> bool:
        return not different(self, other) if type(self) is type(other) else NotImplemented

    if not TYPE_CHECKING:
        __init__ = sparse_init

        @property
        def __dict__(self) -> builtins.dict[str, Any]:
            kept = stored(self)
            for name in fields_of(type(self)):
                if name not in kept:
                    kept.setdefault(name, getattr(self, name))  # one step: another thread may set it
            return kept

    def __setstate__(self, state: builtins.dict[str, Any] | builtins.tuple[Any, ...]) -> None:
        """Take what a copy or a pickle tells; without this it would ask for the ``__dict__``, and fill it."""
        kept, slots = state if isinstance(state, tuple) else (state, None)
        stored(self).update(kept or {})
        for name, value in (slots or {}).items():  # of a user's class
            setattr(self, name, value)


def different(a: object, b: object) -> list[str]:
    """Return the fields in which two sparse records of one kind differ."""
    mine, theirs = stored(a), stored(b)
    if mine == theirs:
        return []
    fields = fields_of(type(a))
    return [
        name
        for name in {**mine, **theirs}
        if name in fields and (x := getattr(a, name)) is not (y := getattr(b, name)) and x != y
    ]


def named_tuple_methods(cls: type[T]) -> type[T]:
    """Give a NamedTuple the methods of ``Record``, for users of ib_async, where these classes are data classes."""

    def as_dict(self: Any) -> dict[str, Any]:  # Any: of any of the classes
        """Return the fields as a dict (not recursive)."""
        found: dict[str, Any] = self._asdict()
        return found

    def as_tuple(self: Any) -> tuple[Any, ...]:
        """Return the field values in field order (not recursive)."""
        return tuple(self)

    def update(self: Any, *srcObjs: object, **kwargs: object) -> None:
        """Raise AttributeError: the fields cannot be changed."""
        raise AttributeError(f"a {type(self).__name__} cannot be changed: make another one with _replace()")

    def non_defaults(self: Any) -> dict[str, Any]:
        """Return the fields that differ from their default."""
        defaults = self._field_defaults
        return {
            name: value
            for name, value in self._asdict().items()
            if value is not None and value == value and value not in ([], {}) and value != defaults.get(name, _NOTHING)
        }

    for name, method in (("dict", as_dict), ("tuple", as_tuple), ("update", update), ("nonDefaults", non_defaults)):
        setattr(cls, name, method)
    return cls


_NOTHING = object()


class Alias(Generic[T]):
    """A second name of a field, readable and writable."""

    def __init__(self, field: str) -> None:
        self.field = field

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: object, owner: type) -> T: ...
    def __get__(self, obj: object | None, owner: type) -> Self | T:
        if obj is None:
            return self
        value: T = getattr(obj, self.field)
        return value

    def __set__(self, obj: object, value: T) -> None:
        setattr(obj, self.field, value)
