"""Write down the public surface of ib_insync or ib_async as JSON: names, parameters, defaults, fields.

Run it in an environment that has the package: ``python dump.py ib_insync > ib_insync.json``. Only facts of the interface are
written, no code.
"""

import dataclasses
import importlib
import inspect
import json
import sys
from typing import Any


def text(value: Any) -> str:
    """A default as text; objects of the package by their class name alone."""
    if type(value).__module__.split(".")[0] in ("ib_insync", "ib_async"):
        return type(value).__name__
    return repr(value)


def parameters(obj: Any) -> list[list[str]] | None:
    try:
        found = inspect.signature(obj).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        [p.name, p.kind.name, "" if p.default is p.empty else text(p.default)]
        for p in found
        if p.name != "self"
    ]


def fields(cls: type) -> list[list[str]]:
    if hasattr(cls, "_fields"):
        return [[name, text(cls._field_defaults.get(name, ""))] for name in cls._fields]
    found = []
    for f in dataclasses.fields(cls):
        if f.default is not dataclasses.MISSING:
            found.append([f.name, text(f.default)])
        elif f.default_factory is not dataclasses.MISSING:
            found.append([f.name, text(f.default_factory())])
        else:
            found.append([f.name, ""])
    return found


def methods(cls: type) -> dict[str, Any]:
    found = {}
    for name, member in inspect.getmembers(cls):
        if name.startswith("_"):
            continue
        if inspect.isfunction(member):
            kind = "coroutine" if inspect.iscoroutinefunction(member) else "function"
            found[name] = {"kind": kind, "parameters": parameters(member)}
        elif not callable(member):
            found[name] = {"kind": "attribute", "value": text(member)}
    return found


def describe(obj: Any) -> dict[str, Any]:
    if inspect.isclass(obj):
        entry: dict[str, Any] = {"kind": "class", "parameters": parameters(obj), "members": methods(obj)}
        if hasattr(obj, "_fields") or dataclasses.is_dataclass(obj):
            entry["fields"] = fields(obj)
        return entry
    if inspect.ismodule(obj):
        public = getattr(obj, "__all__", None) or [n for n in vars(obj) if not n.startswith("_")]
        functions = {
            name: parameters(member)
            for name in sorted(public)
            if inspect.isfunction(member := getattr(obj, name)) and member.__module__ == obj.__name__
        }
        return {"kind": "module", "functions": functions}
    return {"kind": "value", "value": text(obj)}


def main() -> None:
    package = importlib.import_module(sys.argv[1])
    surface = {name: describe(getattr(package, name)) for name in sorted(package.__all__)}
    extra = {
        f"{module}.{name}": describe(getattr(importlib.import_module(f"{package.__name__}.{module}"), name))
        for module, names in {
            "contract": ["TradingSession"],
            "ticker": ["Bar", "BarList", "Tickfilter", "TimeBars", "TickBars", "VolumeBars", "Midpoints"],
            "objects": ["DynamicObject"],
        }.items()
        for name in names
    }
    json.dump({"package": package.__name__, "names": surface, "submodules": extra}, sys.stdout, indent=1, sort_keys=True)


main()
