"""Named tuples that are quickly made.

To users and type checkers they are those of ``typing``, of which the hundreds of this library would take a sixth of
``import ibkit``: here no constructor is compiled before the first object of a class is made. Annotations are texts
(``from __future__ import annotations``) and stay so. Must not know any particular class.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ibkit.model.records import REQUIRED, SELDOM, Signed, bind

if TYPE_CHECKING:
    from typing import NamedTuple

__all__ = ["NamedTuple"]


_GETTER: Any = type(vars(namedtuple("_", "field"))["field"])  # for what it is made of
"""What reads one place of a tuple: as fast as an attribute can be."""


def _make(cls: Any, values: Iterable[object]) -> Any:
    """Make one of a sequence."""
    made = tuple.__new__(cls, values)
    if len(made) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
    return made


def _replace(self: Any, /, **changes: object) -> Any:
    """Return one with other values of some fields."""
    unknown = [name for name in changes if name not in self._fields]
    if unknown:
        raise ValueError(f"Got unexpected field names: {unknown!r}")
    return _make(type(self), [changes.get(name, value) for name, value in zip(self._fields, self, strict=True)])


def _asdict(self: Any) -> dict[str, Any]:
    """Return a dict of the fields."""
    return dict(zip(self._fields, self, strict=True))


def _repr(self: Any) -> str:
    fields = ", ".join([f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)])
    return f"{type(self).__name__}({fields})"


def _getnewargs(self: Any) -> tuple[Any, ...]:
    return tuple(self)


def _fields_of(cls: Any) -> dict[str, object]:
    return {name: cls._field_defaults.get(name, REQUIRED) for name in cls._fields}


_METHODS = {
    "__slots__": (),
    "__repr__": _repr,
    "__getnewargs__": _getnewargs,
    "__replace__": _replace,
    "__signature__": Signed("__new__", _fields_of),
    "_make": classmethod(_make),
    "_replace": _replace,
    "_asdict": _asdict,
}


def _first_new(fields: Mapping[str, object]) -> Callable[..., Any]:
    """Return a ``__new__`` that makes a faster one and gives it its place when it is called again and again."""
    calls = 0

    def __new__(cls: Any, /, *args: object, **given: object) -> Any:
        nonlocal calls
        calls += 1
        if calls > SELDOM:
            owner = next(each for each in cls.__mro__ if "_fields" in vars(each))
            real = _compiled_new(owner, fields)
            owner.__new__ = staticmethod(real)
            return real(cls, *args, **given)
        return tuple.__new__(cls, bind(cls.__name__, fields, args, given).values())

    __new__.of_record = True  # type: ignore[attr-defined]
    return __new__


def _compiled_new(cls: type, fields: Mapping[str, object]) -> Any:
    names: dict[str, object] = {f"default_{name}": value for name, value in fields.items()}
    names["new"] = tuple.__new__
    parameters = "".join(
        f", {name}" if default is REQUIRED else f", {name}=default_{name}" for name, default in fields.items()
    )
    values = "".join(f"{name}, " for name in fields)
    exec(f"def __new__(cls{parameters}): return new(cls, ({values}))", names)
    made: Any = names["__new__"]
    made.__qualname__ = f"{cls.__qualname__}.__new__"
    made.of_record = True
    return made


class _Maker(type):
    """Makes classes of named tuples; they are plain classes derived from ``tuple``."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, namespace)
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in fields if field in namespace}
        made = {
            **_METHODS,
            **namespace,
            "_fields": fields,
            "_field_defaults": defaults,
            "__match_args__": fields,
            "__new__": _first_new({field: defaults.get(field, REQUIRED) for field in fields}),
        }
        for index, field in enumerate(fields):
            made[field] = _GETTER(index, "")
        return type(name, (tuple,), made)


if not TYPE_CHECKING:

    class NamedTuple(metaclass=_Maker):
        """A tuple with names for its places, like ``typing.NamedTuple``."""
