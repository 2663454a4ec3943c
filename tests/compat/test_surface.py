"""Every public name, parameter, default, field, attribute and event of ib_insync and ib_async is there, or there is a
reason (api-inventory.md).

What they have was written down by ``dump.py`` from the packages themselves; reasons are in ``differences.py``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ibkit
from ibkit import IB, legacy
from tests.compat import dump
from tests.compat.differences import REASONS

PACKAGES = ("ib_insync", "ib_async")
HERE = Path(__file__).parent

Entry = dict[str, Any]


def theirs(package: str) -> Entry:
    found: Entry = json.loads((HERE / f"{package}.json").read_text(encoding="utf-8"))
    return found


# -- comparing -------------------------------------------------------------------------------------------


def parameters(path: str, want: list[str], have: list[str]) -> Iterator[str]:
    """Tell where a callable does not take what theirs takes; more parameters, with defaults, may follow."""
    names = [parameter.partition("=")[0] for parameter in have]
    keywords = set(names[names.index("*") + 1 :]) if "*" in names else set()
    position = 0
    for parameter in want:
        name, equals, default = parameter.partition("=")
        if name == "*":
            keywords.update(names)
            continue
        if name.startswith("*"):
            if name[:-1].rstrip(name[1:]) and not any(each.startswith(name[: name.rindex("*") + 1]) for each in names):
                yield f"{path}: takes no {name}"
            keywords.update(names)
            continue
        if name.startswith("_") and position < len(names):
            position += 1  # not meant to be named
            continue
        if name not in names:
            yield f"{path}: has no parameter {name}"
            continue
        found = have[names.index(name)].partition("=")[2]
        if name not in keywords and names[position : position + 1] != [name]:
            yield f"{path}: {name} is not parameter {position}"
        if equals and not same(default, found):
            yield f"{path}: {name} is {found or 'required'} by default and not {default}"
        position += 1
    given = {parameter.partition("=")[0] for parameter in want} | {
        name for name, parameter in zip(names, want, strict=False) if parameter.startswith("_")
    }
    for parameter in have:
        name = parameter.partition("=")[0]
        if "=" not in parameter and not name.startswith("*") and name not in given:
            yield f"{path}: requires {name}"


def same(theirs: str, ours: str) -> bool:
    if theirs == "[]":
        return ours in ("[]", "()")  # an empty tuple instead of a list that all calls would share
    try:
        return theirs == ours or float(theirs) == float(ours)
    except ValueError:
        return False


def contains(ours: object, theirs: str) -> bool:
    """Tell whether a list of names begins with theirs."""
    return isinstance(ours, tuple) and str(list(ours))[1:-1].startswith(theirs[1:-1])


def class_differences(path: str, want: Entry, cls: Any) -> Iterator[str]:
    have = dump.describe_class(cls)
    wanted_fields = want.get("fields")
    if wanted_fields is not None:
        # Those that ours has more come last.
        ours = have.get("fields") or [f"{name}=" for name in dir(cls)]
        names = [field.partition("=")[0] for field in ours]
        wanted_names = [field.partition("=")[0] for field in wanted_fields]
        if "fields" in have and names[: len(wanted_names)] != [name for name in wanted_names if name in names]:
            yield f"{path}.*: the fields come in another order"
        for field in wanted_fields:
            name, equals, default = field.partition("=")
            if name not in names:
                yield f"{path}.{name}: no such field"
                continue
            found = ours[names.index(name)].partition("=")[2]
            if equals and not same(default, found):
                yield f"{path}.{name}: is {found or 'required'} by default and not {default or 'required'}"
    elif want.get("init") is not None:
        yield from parameters(path, want["init"], dump.parameters(cls) or [])
    for name, (kind, *takes) in want.get("methods", {}).items():
        member = getattr(cls, name, None)
        if member is None or not callable(member):
            yield f"{path}.{name}(): no such method"
        elif kind != "class":
            is_static = isinstance(inspect.getattr_static(cls, name), staticmethod)
            ours_kind = "async" if inspect.iscoroutinefunction(member) else "static" if is_static else ""
            if ours_kind != kind:
                yield f"{path}.{name}(): is {ours_kind or 'a method'} and not {kind or 'a method'}"
            yield from parameters(f"{path}.{name}()", takes, dump.parameters(member, method=not is_static) or [])
    for name, value in want.get("values", {}).items():
        missing = object()
        found = getattr(cls, name, missing)
        if found is missing:
            yield f"{path}.{name}: no such value"
        elif not same(value, dump.text(found)) and not contains(found, value):
            yield f"{path}.{name}: is {dump.text(found)} and not {value}"
    made = {"Client": IB().client, "Wrapper": IB().wrapper}.get(cls.__name__)
    held = dump.attributes_of_objects(cls) | set(dir(cls)) | set(dir(made))
    for name in want.get("attributes", ()):
        if name not in held:
            yield f"{path}.{name}: no such attribute"
    for name in want.get("special", ()):
        if (getattr(cls, name.split()[0], None) is None) is not name.endswith("None"):
            yield f"{path}.{name.split()[0]}: {'there' if name.endswith('None') else 'not there'}"


def differences(path: str, want: Entry, obj: Any) -> Iterator[str]:
    if "call" in want:
        yield from parameters(path, want["call"] or [], dump.parameters(obj) or [])
    elif "value" in want:
        if not same(want["value"], dump.text(obj)) and not want["value"].startswith("typing."):
            yield f"{path}: is {dump.text(obj)} and not {want['value']}"
    elif "module" in want:
        if not isinstance(obj, ModuleType):
            yield f"{path}: no module"
    elif want and not inspect.isclass(obj):
        if not callable(obj) or "methods" in want or "init" not in want:
            yield f"{path}: no class"
        yield from parameters(path, want["init"] or [], dump.parameters(obj) or [])  # a function that makes one
    elif want:
        yield from class_differences(path, want, obj)


def all_differences(package: str) -> Iterator[str]:
    """What of a package ibkit does not have as it is there."""
    dumped, modules = theirs(package), legacy.stand_ins()
    stand_in = modules[package]
    places: list[tuple[str, Entry, ModuleType]] = [
        ("", dumped["names"], stand_in),
        *((f"{name}.", entries, modules[f"{package}.{name}"]) for name, entries in dumped["modules"].items()),
        ("eventkit.", dumped["eventkit"], modules["eventkit"]),
    ]
    for prefix, entries, module in places:
        for name, want in entries.items():
            path = f"{package}:{prefix}{name}"
            missing = object()
            try:
                obj = getattr(module, name, missing)
            except ImportError:  # it says what there is instead
                obj = missing
            if obj is missing:
                yield f"{path}: not there"
            elif prefix and prefix != "eventkit." and not want:
                continue  # compared under the name of the package
            else:
                yield from differences(path, want, obj)


# -- the tests -------------------------------------------------------------------------------------------


def pattern_fits(pattern: str, path: str) -> bool:
    package, _, name = pattern.partition(":")
    theirs_package, _, theirs_name = path.partition(":")
    return package in ("*", theirs_package) and fnmatchcase(theirs_name, name)


def reasons_for(difference: str) -> list[str]:
    path = difference.partition(": ")[0]
    return [pattern for pattern in REASONS if pattern_fits(pattern, path)]


@pytest.mark.parametrize("package", PACKAGES)
def test_whatever_differs_has_a_reason(package: str) -> None:
    assert [each for each in all_differences(package) if not reasons_for(each)] == []


def test_every_reason_excuses_something() -> None:
    found = [each for package in PACKAGES for each in all_differences(package)]
    used = {pattern for each in found for pattern in reasons_for(each)}
    assert sorted(set(REASONS) - used) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_itself_has_the_names(package: str) -> None:
    """One changed import line is enough."""
    assert [name for name in theirs(package)["names"] if name not in ibkit.__all__] == []


def test_a_missing_name_and_a_changed_default_are_found() -> None:
    class Ours:
        def ask(self, a: int, c: int = 1) -> None: ...

    want = {"init": [], "methods": {"ask": ["", "a", "b", "c=2"], "tell": [""]}, "attributes": ["x"]}
    assert list(class_differences("p:Ours", want, Ours)) == [
        "p:Ours.ask(): has no parameter b",
        "p:Ours.ask(): c is 1 by default and not 2",
        "p:Ours.tell(): no such method",
        "p:Ours.x: no such attribute",
    ]


def test_every_request_says_what_it_does() -> None:
    public = [name for name in dir(IB) if not name.startswith("_") and callable(getattr(IB, name))]
    assert [name for name in public if not inspect.getdoc(getattr(IB, name))] == []
