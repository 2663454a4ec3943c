"""How the data classes of users are made, and how their objects keep the fields.

To users, type checkers and the functions of ``dataclasses`` a ``record`` is a data class. But ``dataclasses`` would
need longer to make these classes than all the rest of ``import ibkit`` takes; here nothing is compiled before a class
has made some objects.

Must not know any particular data class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as record
    from dataclasses import field
    from inspect import Signature

__all__ = [
    "REQUIRED",
    "SELDOM",
    "Keeper",
    "Made",
    "Signed",
    "assign",
    "bind",
    "field",
    "fields_of",
    "record",
    "set_stored",
    "signature_of",
    "sparse_init",
    "stored",
    "unknown_field",
]

T = TypeVar("T")

REQUIRED = object()
"""Stands for the default of a field that has none."""


SELDOM = 3
"""How many objects a class makes before its constructor is compiled; that takes as long as making a hundred."""


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
    """Return a constructor that makes a faster one and gives it its place when it is called again and again."""
    calls = 0

    def __init__(self: object, /, *args: object, **given: object) -> None:
        nonlocal calls
        calls += 1
        if calls > SELDOM:
            real = cls.__init__ = _compiled_init(cls, fields)  # type: ignore[misc]  # it is what this one is there for
            real(self, *args, **given)
            return
        for name, value in bind(cls.__name__, fields, args, given).items():
            setattr(self, name, value)
        if (finish := getattr(self, "__post_init__", None)) is not None:
            finish()

    __init__.of_record = True  # type: ignore[attr-defined]
    return __init__


def bind(
    what: str, fields: Mapping[str, object], args: tuple[object, ...], given: dict[str, object]
) -> dict[str, object]:
    """Return all fields with the values that arguments give them; raises TypeError."""
    values = by_position(what, fields, args, given)
    for name in values:
        if name not in fields:
            raise TypeError(unknown_field(what, name, fields))
    missing = [name for name, default in fields.items() if default is REQUIRED and name not in values]
    if missing:
        raise TypeError(f"{what}() misses {', '.join(missing)}")
    return {
        name: values[name] if name in values else default.make() if isinstance(default, Made) else default
        for name, default in fields.items()
    }


def by_position(
    what: str, fields: Mapping[str, object], args: tuple[object, ...], given: dict[str, object]
) -> dict[str, object]:
    """Return arguments by name; raises TypeError."""
    if len(args) > len(fields):
        raise TypeError(f"{what}() takes {len(fields)} positional arguments but {len(args)} were given")
    values = dict(zip(fields, args, strict=False))
    if twice := values.keys() & given.keys():
        raise TypeError(f"{what}() got {', '.join(twice)} twice, by position and by name")
    return {**values, **given}


def _compiled_init(cls: type, fields: Mapping[str, object]) -> Any:
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
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec(f"def __init__(self, {', '.join(parameters)}):\n" + ("\n".join(lines) or " pass"), names)
    made: Any = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.of_record = True
    return made


def sparse_init(self: Any, /, *args: object, **given: object) -> None:
    """Construct an object that keeps the given fields only."""
    if args:
        given = by_position(type(self).__name__, self._record_fields, args, given)
    assign(self, given)
    if (finish := getattr(self, "__post_init__", None)) is not None:
        finish()


def assign(self: Any, fields: Mapping[str, object]) -> None:
    """Set fields of a record; raises TypeError for a name that is none of them."""
    known = self._record_fields
    for name, value in fields.items():
        if name not in known:
            raise TypeError(unknown_field(type(self).__name__, name, known))
        setattr(self, name, value)


sparse_init.of_record = True  # type: ignore[attr-defined]


def unknown_field(what: str, name: str, fields: Iterable[str]) -> str:
    """Word the complaint about a keyword no field has; names the nearest field."""
    from difflib import get_close_matches

    near = get_close_matches(name, fields, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{what}() got an unexpected keyword argument {name!r}{hint}"


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
        return signature_of(self._fields(owner))


def signature_of(fields: Mapping[str, object]) -> Signature:
    """Return the signature of a function whose arguments are fields."""
    from inspect import Parameter, Signature

    parameters = []
    for name, default in fields.items():
        shown = default.make() if isinstance(default, Made) else Parameter.empty if default is REQUIRED else default
        parameters.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=shown))
    return Signature(parameters)


_SIGNATURE = Signed("__init__", fields_of)
