"""Writes expressions that make the objects of messages. Must not know bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ibkit.model import Contract
from ibkit.model.base import SparseRecord
from ibkit.model.records import Made, fields_of, set_stored
from ibkit.wire.compiler.source import Source
from ibkit.wire.shapes import Child, Choice, Leaf, Shape

# What is known about an object while its function is being written: expressions, and trees for its parts.
Tree: TypeAlias = "dict[str, str | Tree]"

_classes: dict[str, type[Contract]] = {}


class Given(str):
    """An expression for a value, and a test that is false only when the value is the default of its field.

    ``tested``: a shorter expression, for when the test was true.
    """

    __slots__ = ("test", "tested")

    def __new__(cls, expression: str, test: str, tested: str) -> Given:
        given = super().__new__(cls, expression)
        given.test, given.tested = test, tested
        return given

    test: str
    tested: str


def construct(source: Source, shape: Shape, tree: Tree, missing: Callable[[Leaf], Any]) -> str:
    """Return an expression that makes the object of a shape; what is not in ``tree`` is at its default.

    ``missing`` tells what a value of a tuple is when nothing came for it.
    """
    if shape.is_tuple:
        values = [_part(source, shape.fields[name], tree.get(name), missing) for name in shape.cls._fields]
        source.use("new", tuple.__new__)
        return f"new({source.use(shape.cls.__name__, shape.cls)}, ({''.join(value + ', ' for value in values)}))"
    if issubclass(shape.cls, SparseRecord):
        return _sparse(source, shape, tree, missing)
    values = []
    told = 0
    for index, (name, default) in enumerate(fields_of(shape.cls).items()):
        if name in tree:
            values.append(_part(source, shape.fields[name], tree[name], missing))
            told = index + 1
        elif isinstance(default, Made):
            part = shape.fields.get(name)
            whole = isinstance(part, Child) and isinstance(part.shape, Shape) and not part.many
            values.append(_part(source, part, None, missing) if whole and part else source.literal(default.make()))
        else:
            values.append(source.literal(default))
    if shape.cls is Contract:
        return f"{source.use('contract', make_contract)}({', '.join(values[:told])})"
    return f"{source.use(shape.cls.__name__, shape.cls)}({', '.join(values[:told])})"


def _sparse(source: Source, shape: Shape, tree: Tree, missing: Callable[[Leaf], Any]) -> str:
    """Write statements that make an object which holds only what differs from its class's defaults; return its name."""
    held = source.fresh("d")
    source.add(f"{held} = {{}}")
    hold(source, held, shape, tree, missing)
    return seal(source, shape, held)


def seal(source: Source, shape: Shape, held: str) -> str:
    """Write statements that make a sparse object of the dict in the name ``held``; return its name."""
    made = source.fresh("s")
    source.add(f"{made} = {source.use('bare', object.__new__)}({source.use(shape.cls.__name__, shape.cls)})")
    source.add(f"{source.use('keep', set_stored)}({made}, {held})")
    return made


def hold(source: Source, held: str, shape: Shape, tree: Tree, missing: Callable[[Leaf], Any]) -> None:
    """Write statements that put what differs from the defaults of a class into the dict in the name ``held``."""
    for name, told in tree.items():
        node = shape.fields[name]
        target = f"{held}[{name!r}]"
        if isinstance(told, Given):
            source.add(f"if {told.test}: {target} = {told.tested}")
            continue
        tests = [] if isinstance(told, str) else _tests(told)
        if tests:
            source.add(f"if {' or '.join(tests)}: {target} = {_part(source, node, told, missing)}")
            continue
        value = _part(source, node, told, missing)
        if isinstance(node, Child) or node.many or node.word == "tags":
            source.add(f"if v := {value}: {target} = v")
        else:
            source.add(f"if (v := {value}) != {source.literal(node.default)}: {target} = v")


def _tests(tree: Tree) -> list[str]:
    """Return tests of which one is true when any part of an object may differ from its default; none when not known."""
    tests = [told.test for told in tree.values() if isinstance(told, Given)]
    return tests if len(tests) == len(tree) else []


def _part(source: Source, node: Leaf | Child, told: str | Tree | None, missing: Callable[[Leaf], Any]) -> str:
    if isinstance(told, str):
        return told
    if isinstance(node, Leaf):
        value = missing(node)
        return "[]" if node.many or node.word == "tags" else source.literal(value)
    if node.many:
        return "[]"
    if told is None and (node.nullable or isinstance(node.shape, Choice)):
        return "None"
    assert isinstance(node.shape, Shape)
    return construct(source, node.shape, told or {}, missing)


def make_contract(secType: str = "", *fields: Any) -> Contract:
    """Make a contract of the class that fits its security type."""
    cls = _classes.get(secType)
    if cls is None:
        cls = type(Contract.create(secType=secType))
        if len(_classes) < 100:  # a server could send anything
            _classes[secType] = cls
    obj = cls.__new__(cls)
    Contract.__init__(obj, secType, *fields)
    return obj
