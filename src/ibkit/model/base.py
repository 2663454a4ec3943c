"""What all data classes share: conversion, comparison with their defaults, lazy events.

Must not know any particular data class.
"""

from __future__ import annotations

import builtins
import dataclasses
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


_DEFAULTS: dict[type, tuple[tuple[str, object], ...]] = {}


def _defaults(cls: type) -> tuple[tuple[str, object], ...]:
    """The (name, default) pairs of a dataclass, worked out once; MISSING where a field has no default."""
    found = _DEFAULTS.get(cls)
    if found is None:
        if not dataclasses.is_dataclass(cls):
            raise TypeError(f"{cls.__name__} is not a dataclass")
        found = _DEFAULTS[cls] = tuple(
            (f.name, f.default if f.default_factory is dataclasses.MISSING else f.default_factory())
            for f in dataclasses.fields(cls)
        )
    return found


def dataclassAsDict(obj: object) -> dict[str, Any]:  # Any: the values of a record of any class
    """Return the fields of a dataclass instance as a dict; nested objects stay as they are.

    Raises TypeError when ``obj`` is not a dataclass instance.
    """
    return {name: getattr(obj, name) for name, _ in _defaults(type(obj))}


def dataclassAsTuple(obj: object) -> tuple[Any, ...]:
    """Return the field values of a dataclass instance in field order; nested objects stay as they are."""
    return tuple([getattr(obj, name) for name, _ in _defaults(type(obj))])


def dataclassNonDefaults(obj: object) -> dict[str, Any]:
    """Return the fields whose value differs from the default.

    NaN, None and empty lists and dicts are left out.
    """
    fields: Iterable[tuple[str, object]] = _defaults(type(obj))
    if isinstance(obj, SparseRecord):
        held = obj.__dict__
        fields = [each for each in fields if each[0] in held]
    return {
        name: value
        for name, default in fields
        if (value := getattr(obj, name)) is not default
        and value is not None
        and value == value
        and value != default
        and value != []
        and value != {}
    }


def dataclassUpdate(obj: T, *sources: object, **changes: object) -> T:
    """Copy the fields of ``sources``, then ``changes``, onto the dataclass instance ``obj``; return it."""
    known = {name for name, _ in _defaults(type(obj))}
    for source in sources:
        changes = {**dataclassAsDict(source), **changes}
    for name, value in changes.items():
        if name not in known:
            raise TypeError(unknown_field(type(obj), name))
        setattr(obj, name, value)
    return obj


def dataclassRepr(obj: object) -> str:
    """Return ``ClassName(field=value, ...)`` with only the fields that differ from their default."""
    return show(obj, dataclassNonDefaults(obj))


def show(obj: object, fields: dict[str, Any]) -> str:
    """Return ``ClassName(name=value, ...)`` for the given fields."""
    return f"{type(obj).__qualname__}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


def unknown_field(cls: type, name: str) -> str:
    """Word the complaint about a keyword no field has; names the nearest field."""
    near = get_close_matches(name, [field for field, _ in _defaults(cls)], 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{cls.__name__}() got an unexpected keyword argument {name!r}{hint}"


class Record:
    """Base of all mutable data classes: equality and repr by fields, and the methods ib_insync users know.

    Being equal by value and mutable, they are no dict keys, except where a class says otherwise.
    Equality and repr are here once instead of generated for each class: that would double the time of ``import ibkit``.
    """

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented

    def __repr__(self) -> str:
        return show(self, dataclassAsDict(self))

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
    """A record with very many fields of which few are ever given: an object holds those, its class the defaults.

    Making, copying, comparing and sending one costs as much as it was given. ``__dict__`` is what it holds; ``dict()``
    and ``dataclasses.asdict`` tell all fields. A class is made sparse by the decorator ``sparse``.
    """

    def __eq__(self, other: object) -> bool:
        return not different(self, other) if type(self) is type(other) else NotImplemented


def different(a: object, b: object) -> list[str]:
    """Return the fields in which two sparse records of one kind differ."""
    mine, theirs = a.__dict__, b.__dict__
    if mine == theirs:
        return []
    return [name for name in {**mine, **theirs} if getattr(a, name) != getattr(b, name)]


class _MadeOnRead:
    """The default of a field that must not be shared: made for the object that is asked for it."""

    def __init__(self, name: str, make: Callable[[], object]) -> None:
        self._name = name
        self._make = make

    def __get__(self, obj: object | None, owner: type) -> object:
        if obj is None:
            raise AttributeError(f"{owner.__name__} has no attribute {self._name!r}; its objects have")
        # There is no __set__: from now on the object's own is found first.
        made = obj.__dict__[self._name] = self._make()
        return made


def sparse(cls: type[T]) -> type[T]:
    """Let the objects of a data class derived from ``SparseRecord`` hold only the fields that they are given."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    names = tuple(field.name for field in fields)
    known = frozenset(names)

    def __init__(self: object, *args: object, **given: object) -> None:
        if not known.issuperset(given):
            raise TypeError(unknown_field(type(self), next(name for name in given if name not in known)))
        self.__dict__.update(given)
        if args:
            if len(args) > len(names):
                raise TypeError(f"{cls.__name__}() takes {len(names)} positional arguments, got {len(args)}")
            for name, value in zip(names, args, strict=False):
                if name in given:
                    raise TypeError(f"{cls.__name__}() got {name!r} twice, by position and by name")
                self.__dict__[name] = value

    __init__.__wrapped__ = cls.__init__  # type: ignore[attr-defined]  # its signature is the one that users see
    cls.__init__ = __init__  # type: ignore[method-assign]
    for field in fields:
        if field.default_factory is not dataclasses.MISSING:
            setattr(cls, field.name, _MadeOnRead(field.name, field.default_factory))
    return cls


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
