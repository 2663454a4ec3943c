"""Writes expressions that make the objects of messages. Must not know bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

from ibkit.model import Contract
from ibkit.wire.compiler.source import Source
from ibkit.wire.shapes import Child, Choice, Leaf, Shape

# What is known about an object while its function is being written: expressions, and trees for its parts.
Tree: TypeAlias = "dict[str, str | Tree]"

_MOST_ARGUMENTS = 30  # beyond this Python gives up sharing the names of an object's attributes anyway
_classes: dict[str, type[Contract]] = {}


def construct(source: Source, shape: Shape, tree: Tree, missing: Callable[[Leaf], Any]) -> str:
    """Return an expression that makes the object of a shape; what is not in ``tree`` is at its default.

    ``missing`` tells what a value of a tuple is when nothing came for it.
    """
    if shape.is_tuple:
        values = [_part(source, shape.fields[name], tree.get(name), missing) for name in shape.cls._fields]
        source.use("new", tuple.__new__)
        return f"new({source.use(shape.cls.__name__, shape.cls)}, ({''.join(value + ', ' for value in values)}))"
    fields = {field.name: field for field in dataclasses.fields(shape.cls)}
    values = []
    told = 0
    for index, (name, field) in enumerate(fields.items()):
        if name in tree:
            values.append(_part(source, shape.fields[name], tree[name], missing))
            told = index + 1
        elif field.default_factory is not dataclasses.MISSING:
            part = shape.fields.get(name)
            made = isinstance(part, Child) and isinstance(part.shape, Shape) and not part.many
            default = field.default_factory()
            values.append(_part(source, part, None, missing) if made and part else source.literal(default))
        else:
            values.append(source.literal(field.default))
    if shape.cls is Contract:
        return f"{source.use('contract', make_contract)}({', '.join(values[:told])})"
    cls = source.use(shape.cls.__name__, shape.cls)
    if len(fields) <= _MOST_ARGUMENTS:
        return f"{cls}({', '.join(values[:told])})"
    pairs = ", ".join(f"{name!r}: {value}" for name, value in zip(fields, values, strict=True))
    return f"{source.use('make', make_big)}({cls}, {{{pairs}}})"


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


def make_big(cls: Any, fields: dict[str, Any]) -> Any:
    """Make an object of a class with very many fields, all of them given."""
    obj = cls.__new__(cls)
    obj.__dict__ = fields
    return obj


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
