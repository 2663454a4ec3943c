"""Write down the public surface of ib_insync or ib_async as JSON: names, parameters, defaults, fields, attributes.

Run it in an environment that has the package: ``python dump.py ib_insync > ib_insync.json``, or with ``--check`` to
compare the package with the file that is here. Only facts of the interface are written, no code.
"""

import ast
import contextlib
import dataclasses
import enum
import importlib
import inspect
import json
import logging
import sys
from pathlib import Path
from typing import Any

MODULES = (
    "client", "connection", "contract", "decoder", "flexreport", "ib", "ibcontroller", "objects", "order", "ticker",
    "util", "version", "wrapper",
)  # fmt: skip
OURS = ("ib_insync", "ib_async", "eventkit")
SPECIAL = (
    "__add__", "__sub__", "__mul__", "__rmul__", "__radd__", "__or__", "__iadd__", "__isub__", "__getitem__", "__len__",
    "__contains__", "__bool__", "__call__", "__hash__", "__eq__", "__iter__", "__await__", "__aiter__", "__enter__",
    "__exit__", "__aenter__", "__aexit__", "__del__",
)  # fmt: skip
SHOWN = ("Event", "Op", "Order", "Contract")  # what their subclasses have from them is not said again


def text(value: Any) -> str:
    """A value as text; objects by their class name alone, what has no order sorted."""
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, logging.Logger) or (
        type(value).__module__.split(".")[0] in (*OURS, "ibkit") and not isinstance(value, (str, int))
    ):
        return type(value).__name__
    if inspect.isroutine(value):
        return "function"
    shown = repr(value)
    return type(value).__name__ if " object at 0x" in shown or " at 0x" in shown else shown


def parameters(obj: Any, method: bool = False) -> list[str] | None:
    """The parameters of a callable, each with its star or default; a keyword-only one comes after a '*'."""
    try:
        found = list(inspect.signature(obj).parameters.values())[1 if method else 0 :]
    except (TypeError, ValueError):
        return None
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    shown: list[str] = []
    keywords = False
    for p in found:
        if p.kind is p.VAR_POSITIONAL:
            keywords = True
        elif p.kind is p.KEYWORD_ONLY and not keywords:
            keywords = True
            shown.append("*")
        shown.append(stars.get(p.kind, "") + p.name + ("" if p.default is p.empty else f"={text(p.default)}"))
    return shown


def fields(cls: Any) -> list[str]:
    """The fields of a data class or named tuple, with their defaults."""
    if hasattr(cls, "_fields"):
        defaults = cls._field_defaults
        return [name + (f"={text(defaults[name])}" if name in defaults else "") for name in cls._fields]
    found = []
    for f in dataclasses.fields(cls):
        if f.name.startswith("_"):
            continue
        default = f.default
        if f.default_factory is not dataclasses.MISSING:
            default = f.default_factory()
        found.append(f.name + ("" if default is dataclasses.MISSING else f"={text(default)}"))
    return found


def attributes_of_objects(cls: Any) -> set[str]:
    """What objects of a class hold beside its fields: what its constructor sets, what it is annotated with."""
    names = set(inspect.get_annotations(cls))
    makers = {"Wrapper": (object(),), "Client": (object(),)}
    if not issubclass(cls, (BaseException, enum.Enum)) and not any(base.__name__ == "Event" for base in cls.__mro__):
        with contextlib.suppress(TypeError):  # it needs arguments: what its class tells is all there is
            names |= set(getattr(cls(*makers.get(cls.__name__, ())), "__dict__", ()))
    return names


def describe_class(cls: Any) -> dict[str, Any]:
    """The constructor, fields, methods, values and other attributes that a class does not have from elsewhere."""
    is_record = hasattr(cls, "_fields") or "__dataclass_fields__" in vars(cls)
    entry: dict[str, Any] = {"fields": fields(cls)} if is_record else {"init": parameters(cls)}
    if issubclass(cls, enum.Enum):
        entry = {}
    names = {field.partition("=")[0] for field in entry.get("fields", ())}
    methods: dict[str, Any] = {}
    values: dict[str, str] = {}
    attributes = {name for name in attributes_of_objects(cls) if not name.startswith("_")}
    elsewhere = [
        base for base in cls.__mro__[1:] if base.__module__.split(".")[0] not in OURS or base.__name__ in SHOWN
    ]
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        if name.startswith("_") or name in names:
            continue
        if any(inspect.getattr_static(base, name, None) is member for base in elsewhere):
            continue
        if name.startswith("on_source") and cls.__name__ != "Op":
            continue  # what an operator does, not what is asked of it
        value = getattr(cls, name, None)
        if isinstance(member, property) or (inspect.isdatadescriptor(member) and not inspect.isroutine(member)):
            attributes.add(name)
        elif inspect.isclass(value):
            methods[name] = ["class"]
        elif callable(value) and not isinstance(value, enum.Enum):
            is_static = isinstance(member, staticmethod)
            kind = "async" if inspect.iscoroutinefunction(value) else "static" if is_static else ""
            methods[name] = [kind, *(parameters(value, method=not is_static) or [])]
        else:
            values[name] = text(value)
    attributes -= set(values) | set(methods) | names | set(getattr(cls, "__dataclass_fields__", ()))
    own = {name for base in cls.__mro__ if base not in elsewhere for name in vars(base)}
    special = [name + (" None" if getattr(cls, name) is None else "") for name in SPECIAL if name in own]
    if is_record or issubclass(cls, BaseException):
        special = [name for name in special if name.strip() not in ("__eq__", "__hash__ None")]  # as its kind has it
    for key, found in (
        ("methods", methods), ("values", values), ("attributes", sorted(attributes)), ("special", special),
    ):  # fmt: skip
        if found:
            entry[key] = found
    return entry


def describe(obj: Any) -> Any:
    if inspect.isclass(obj):
        return describe_class(obj)
    if inspect.ismodule(obj):
        return {"module": obj.__name__.partition(".")[2]}
    if inspect.isfunction(obj):
        return {"call": parameters(obj)}
    return {"value": text(obj)}


def defined(module: Any) -> list[str]:
    """The public names that a module itself makes."""
    names: list[str] = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return sorted({name for name in names if not name.startswith("_")})


def surface(name: str) -> dict[str, Any]:
    package = importlib.import_module(name)
    names = {each: describe(getattr(package, each)) for each in sorted(package.__all__)}
    modules = {}
    for module_name in MODULES:
        module = importlib.import_module(f"{name}.{module_name}")
        modules[module_name] = {
            each: {} if each in names else describe(getattr(module, each)) for each in defined(module)
        }
    eventkit = importlib.import_module("eventkit")
    events = {
        each: describe(getattr(eventkit, each))
        for each in sorted(vars(eventkit))
        if inspect.isclass(getattr(eventkit, each)) and each != "Event"
    }
    return {"package": name, "names": names, "modules": modules, "eventkit": events}


def lines(found: dict[str, Any]) -> str:
    """JSON with one name a line."""
    parts = [f'"package": {json.dumps(found["package"])}']
    for part in ("names", "eventkit"):
        rows = ",\n".join(f"{json.dumps(n)}: {json.dumps(e, sort_keys=True)}" for n, e in found[part].items())
        parts.append(f'"{part}": {{\n{rows}\n}}')
    modules = []
    for module, entries in found["modules"].items():
        rows = ",\n".join(f"{json.dumps(n)}: {json.dumps(e, sort_keys=True)}" for n, e in entries.items())
        modules.append(f"{json.dumps(module)}: {{\n{rows}\n}}")
    parts.append('"modules": {\n' + ",\n".join(modules) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> int:
    check = "--check" in sys.argv
    (name,) = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    written = lines(surface(name))
    if not check:
        sys.stdout.write(written)
        return 0
    same = Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8") == written
    print(f"{name}: {'as written down' if same else 'not what tests/compat says: run dump.py again'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
