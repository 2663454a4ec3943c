"""The Python side of the table: which object each value belongs to, and what stands for nothing told there.

Must not know bytes.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from ibkit import model
from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER
from ibkit.model.records import REQUIRED, Made, fields_of
from ibkit.wire import messages
from ibkit.wire.kinds import KINDS, LITERAL_UNSET, Kind, Slot
from ibkit.wire.messages import answers, rows
from ibkit.wire.table import Attr, Message, Path, Table, Union, table


class Leaf:
    """A value: how it is written, and what its place says about it."""

    def __init__(self, word: str, many: bool, default: object, has_default: bool, absent: int | None) -> None:
        self.word = word
        self.kind: Kind = KINDS[word]
        self.many = many
        self.default = default if has_default else self.kind.zero
        told = default in (UNSET_DOUBLE, UNSET_INTEGER) or default is None or default != default
        if has_default and told:
            self.unset = default
        elif word in LITERAL_UNSET:
            self.unset = UNSET_DOUBLE if word.startswith("float") else UNSET_INTEGER
        else:
            self.unset = self.default
        item = self.unset  # what an item of a list is that is not told
        if many or word == "tags":
            self.default = self.unset = []
        numeric = self.kind.zero == 0 and not isinstance(self.kind.zero, bool | str)
        self.absent = absent if absent is not None else self.unset if numeric else self.kind.zero
        if self.kind.zero != self.kind.zero:  # sizes and quantities
            self.absent = self.unset
        unset = item if many else self.unset
        self.slots = (Slot(unset, self.absent, False), Slot(unset, self.absent, True))

    def as_kind(self, word: str | None) -> Leaf:
        """Return the same place with another kind, as a text row may say."""
        if word is None or word == self.word:
            return self
        return Leaf(word, self.many, self.default, True, None)


class Child:
    """An object or a list of objects inside another one."""

    def __init__(self, shape: Shape | Choice, many: bool, nullable: bool) -> None:
        self.shape = shape
        self.many = many
        self.nullable = nullable


class Choice:
    """An object whose class another value tells: a value of its own, or one beside it."""

    def __init__(self, by: str, own: bool, cases: dict[int, Shape]) -> None:
        self.by = by
        self.own = own
        self.cases = cases


# Any: the class of a record or message; the shapes are where its fields are known.
class Shape:
    """A class and its fields, as far as they travel."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls
        self.is_tuple = issubclass(cls, tuple)
        self.fields: dict[str, Leaf | Child] = {}

    def default_of(self, name: str) -> tuple[object, bool]:
        """Return the default of a field of the class and whether it has one."""
        if self.is_tuple:
            return self.cls._field_defaults.get(name), name in self.cls._field_defaults
        default = fields_of(self.cls)[name]
        return (None, False) if default is REQUIRED or isinstance(default, Made) else (default, True)

    def at(self, path: Path) -> Leaf | Child:
        """Return what lies at a path; raises KeyError."""
        node = self.fields[path[0]]
        for name in path[1:]:
            if isinstance(node, Leaf) or isinstance(node.shape, Choice):
                raise KeyError(path)
            node = node.shape.fields[name]
        return node

    def leaf(self, path: Path) -> Leaf:
        """Return the value at a path; raises KeyError when there is none."""
        node = self.at(path)
        if not isinstance(node, Leaf):
            raise KeyError(path)
        return node

    def inner(self, path: Path) -> Shape:
        """Return the shape of the object, or of the objects in the list, at a path; raises KeyError."""
        node = self.at(path)
        if isinstance(node, Leaf) or isinstance(node.shape, Choice):
            raise KeyError(path)
        return node.shape


Node: TypeAlias = Leaf | Child


def class_of(name: str) -> Any:
    """Return the class of a record by its name, None when it only is a part of another one."""
    for module in (rows, model, answers):
        if hasattr(module, name):
            return getattr(module, name)
    return None


def _add(shape: Shape, attrs: tuple[Attr, ...], source: Table) -> None:
    """Give ``shape`` the fields that ``attrs`` describe; records first, so that paths find their parents."""
    for attr in sorted(attrs, key=lambda attr: (attr.kind in KINDS, len(attr.path))):
        parent = shape
        for name in attr.path[:-1]:
            parent = parent.inner((name,))
        name = attr.path[-1]
        if attr.kind in KINDS:
            default, has_default = parent.default_of(name)
            parent.fields[name] = Leaf(attr.kind, attr.many, default, has_default, attr.absent)
        elif attr.kind in source.unions:
            union = source.unions[attr.kind]
            parent.fields[name] = Child(_choice(union, source), attr.many, attr.nullable)
        elif attr.when is not None:
            node = parent.fields.setdefault(name, Child(Choice(attr.when[0], False, {}), False, False))
            if not isinstance(node, Child) or not isinstance(node.shape, Choice):
                raise KeyError(f"{attr.path} is no choice")
            for value in attr.when[1]:
                node.shape.cases[value] = record_shape(attr.kind, source)
        elif class_of(attr.kind) is None:
            _add(parent.inner((name,)), source.records[attr.kind].attrs, source)
        else:
            parent.fields[name] = Child(record_shape(attr.kind, source), attr.many, attr.nullable)


def _choice(union: Union, source: Table) -> Choice:
    cases = {value: record_shape(name, source) for value, name in union.cases.items()}
    return Choice(union.by, True, cases)


def record_shape(name: str, source: Table) -> Shape:
    """Return the shape of a record."""
    shape = Shape(class_of(name))
    _add(shape, source.records[name].attrs, source)
    return shape


def message_shape(message: Message, source: Table) -> Shape:
    """Return the shape of a message."""
    shape = Shape(getattr(messages, message.class_name))
    _add(shape, message.attrs, source)
    return shape


@cache
def shape_of(name: str) -> Shape:
    """Return the shape of a message of the package's table."""
    return message_shape(table().message(name), table())
