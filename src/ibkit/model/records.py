"""How the data classes of users are made, and how their objects keep the fields.

To users, type checkers and the functions of ``dataclasses`` a ``record`` is a data class. But ``dataclasses`` would
need longer to make these classes than all the rest of ``import ibkit`` takes; here nothing is compiled before the
first object of a class is made.

Must not know any particular data class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import field
    from inspect import Signature

__all__ = [
    "REQUIRED",
    "Keeper",
    "Made",
    "Signed",
    "assign",
    "field",
    "fields_of",
    "record",
    "set_stored",
    "sparse_init",
    "stored",
    "unknown_field",
]

T = TypeVar("T")

REQUIRED = object()
"""Stands for the default of a field that has none."""


class Keeper:
    """Anything that keeps its fields in a dict of its own."""


stored: Callable[[Any], dict[str, Any]] = vars(Keeper)["__dict__"].__get__
"""Return the dict of what an object keeps; ``__dict__`` is the same but that a sparse record keeps everything then."""

set_stored: Callable[[Any, dict[str, Any]], None] = vars(Keeper)["__dict__"].__set__
"""Make a dict the one of what an object keeps."""


class Made:
    """The default of a field that objects must not share: made for the object that is asked for it."""

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, obj: object | None, owner: type) -> object:
        if obj is None:
            raise AttributeError(f"type object {owner.__name__!r} has no attribute {self.name!r}, its objects have")
        # One step, so that two threads get the same. There is no __set__: from now on the object's own is found first.
        return stored(obj).setdefault(self.name, self.make())


def _field(*, default_factory: Callable[[], object]) -> Made:
    return Made(default_factory)


def _record(cls: type[T]) -> type[T]:
    fields: dict[str, object] = {}
    for base in reversed(cls.__mro__[1:]):
        fields.update(vars(base).get("_record_fields", {}))
    for name, kind in cls.__annotations__.items():
        if not kind.startswith("ClassVar"):
            fields[name] = vars(cls).get(name, REQUIRED)
    namespace: dict[str, object] = {
        "_record_fields": fields,
        "__match_args__": tuple(fields),
        "__dataclass_fields__": _Dataclass("__dataclass_fields__"),
        "__dataclass_params__": _Dataclass("__dataclass_params__"),
        "__signature__": _SIGNATURE,
    }
    constructor: object = cls.__init__
    if constructor is not sparse_init:
        namespace["__init__"] = _first_init(cls, fields)
    for name, value in namespace.items():
        setattr(cls, name, value)
    return cls


if not TYPE_CHECKING:
    field, record = _field, _record


def _first_init(cls: type, fields: Mapping[str, object]) -> Callable[..., None]:
    """Return a constructor that, when it is first called, makes the real one and takes its place."""

    def __init__(self: object, /, *args: object, **given: object) -> None:
        names: dict[str, object] = {"MADE": object()}
        parameters, lines = [], []
        for name, default in fields.items():
            value = name
            if isinstance(default, Made):
                names[f"make_{name}"] = default.make
                value = f"make_{name}() if {name} is MADE else {name}"
                parameters.append(f"{name}=MADE")
            elif default is REQUIRED:
                parameters.append(name)
            else:
                names[f"default_{name}"] = default
                parameters.append(f"{name}=default_{name}")
            lines.append(f" self.{name} = {value}")
        exec(f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(lines), names)
        real: Any = names["__init__"]
        real.__qualname__ = f"{cls.__qualname__}.__init__"
        real.of_record = True
        cls.__init__ = real  # type: ignore[misc]  # what this one is there for
        real(self, *args, **given)

    __init__.of_record = True  # type: ignore[attr-defined]
    return __init__


def sparse_init(self: Any, /, *args: object, **given: object) -> None:
    """Construct an object that keeps the given fields only."""
    if args:
        cls, names = type(self), list(type(self)._record_fields)
        if len(args) > len(names):
            raise TypeError(f"{cls.__name__}() takes {len(names)} fields, not {len(args)}")
        for name, value in zip(names, args, strict=False):
            if name in given:
                raise TypeError(f"{cls.__name__}() got {name!r} twice, by position and by name")
            setattr(self, name, value)
    assign(self, given)
    if (finish := getattr(self, "__post_init__", None)) is not None:
        finish()


def assign(self: Any, fields: Mapping[str, object]) -> None:
    """Set fields of a record; raises TypeError for a name that is none of them."""
    known = self._record_fields
    for name, value in fields.items():
        if name not in known:
            raise TypeError(unknown_field(type(self), name))
        setattr(self, name, value)


sparse_init.of_record = True  # type: ignore[attr-defined]


def unknown_field(cls: type, name: str) -> str:
    """Word the complaint about a keyword no field has; names the nearest field."""
    from difflib import get_close_matches

    near = get_close_matches(name, fields_of(cls), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{cls.__name__}() got an unexpected keyword argument {name!r}{hint}"


# -- what others ask a class for -----------------------------------------------------------------------------

_FOREIGN: dict[type, Mapping[str, object]] = {}


def fields_of(cls: type) -> Mapping[str, object]:
    """Return the fields of a record or another data class with their defaults, which may be REQUIRED or Made.

    Raises TypeError when it is no data class.
    """
    for base in cls.__mro__:
        names = vars(base)
        if "_record_fields" in names:
            fields: Mapping[str, object] = names["_record_fields"]
            return fields
        if "__dataclass_fields__" in names:
            return _FOREIGN.get(base) or _FOREIGN.setdefault(base, _fields_of_dataclass(base))
    raise TypeError(f"{cls.__name__} is not a dataclass")


def _fields_of_dataclass(cls: Any) -> Mapping[str, object]:
    import dataclasses

    def default_of(field: dataclasses.Field[Any]) -> object:
        if field.default_factory is not dataclasses.MISSING:
            return Made(field.default_factory)
        return REQUIRED if field.default is dataclasses.MISSING else field.default

    return {field.name: default_of(field) for field in dataclasses.fields(cls)}


class _Dataclass:
    """What the functions of ``dataclasses`` look for on a class; made when one of them does."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, obj: object | None, owner: type) -> object:
        import dataclasses

        cls = next(each for each in owner.__mro__ if vars(each).get(self.name) is self)
        kinds: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            kinds.update(vars(base).get("__annotations__", {}))

        def described(default: object) -> Any:
            if isinstance(default, Made):
                return dataclasses.field(default_factory=default.make)
            return dataclasses.field() if default is REQUIRED else dataclasses.field(default=default)

        fields = [(name, kinds[name], described(default)) for name, default in fields_of(cls).items()]
        twin: Any = dataclasses.make_dataclass(cls.__name__, fields, init=False, repr=False, eq=False)
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(cls, name, getattr(twin, name))
        return getattr(cls, self.name)


class Signed:
    """The signature of a class whose constructor, of this name, is one that was made here."""

    def __init__(self, constructor: str, fields: Callable[[Any], Mapping[str, object]]) -> None:
        self._constructor = constructor
        self._fields = fields

    def __get__(self, obj: object | None, owner: Any) -> Signature:
        if obj is not None or not hasattr(getattr(owner, self._constructor), "of_record"):
            raise AttributeError("__signature__")
        from inspect import Parameter, Signature

        def default_of(default: object) -> object:
            return Parameter.empty if default is REQUIRED else default.make() if isinstance(default, Made) else default

        fields = self._fields(owner).items()
        kind = Parameter.POSITIONAL_OR_KEYWORD
        return Signature([Parameter(name, kind, default=default_of(default)) for name, default in fields])


_SIGNATURE = Signed("__init__", fields_of)
