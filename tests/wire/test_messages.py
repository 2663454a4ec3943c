"""The records of messages have the fields of the table, and the table is sound."""

from __future__ import annotations

import dataclasses
from importlib.resources import files
from typing import get_args

import pytest

from ibkit import model
from ibkit.wire import messages
from ibkit.wire.protobuf import classes
from ibkit.wire.shapes import Choice, Leaf, Shape, shape_of
from ibkit.wire.table import NEVER, ListOf, Maybe, Message, Rows, Switch, Table, Value, When, lines, table, text_of

MESSAGES = list(table())


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_record_and_table_have_the_same_fields(message: Message) -> None:
    cls = getattr(messages, message.class_name)
    named = list(dict.fromkeys(attr.path[0] for attr in message.attrs))
    assert list(cls._fields) == named
    assert f"{message.name} ({message.id}): " in cls.__doc__


def test_all_messages_are_there() -> None:
    assert (len(table().requests), len(table().answers)) == (85, 86)
    assert {cls.__name__ for cls in get_args(messages.Request)} == {m.class_name for m in MESSAGES if m.request}
    assert {cls.__name__ for cls in get_args(messages.Answer)} == {m.class_name for m in MESSAGES if not m.request}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_text_rows_name_values_of_the_message(message: Message) -> None:
    check_rows(message.rows, shape_of(message.name))


def check_rows(rows: Rows, shape: Shape) -> None:
    for ranged in rows:
        row = ranged.row
        assert ranged.since < ranged.before
        assert ranged.since == 0 or 157 < ranged.since <= 225
        assert ranged.before == NEVER or 157 < ranged.before <= 225
        match row:
            case Value(path, kind):
                shape.leaf(path).as_kind(kind)
            case When(path, _, _, below):
                shape.at(path)
                check_rows(below, shape)
            case Maybe(path, below):
                check_rows(below, shape.inner(path))
            case ListOf(path, below):
                node = shape.at(path)
                if not isinstance(node, Leaf) and isinstance(node.shape, Shape):
                    check_rows(below, node.shape)
            case Switch(path, cases):
                for node in shape.fields.values():
                    if not isinstance(node, Leaf) and isinstance(node.shape, Choice):
                        assert set(cases) == set(node.shape.cases)


def test_protobuf_numbers_are_used_once() -> None:
    for record in table().records.values():
        numbers = [attr.numbers for attr in record.attrs if attr.numbers]
        assert len(numbers) == len(set(numbers)), record.name
    for message in MESSAGES:
        numbers = [attr.numbers for attr in message.attrs if attr.numbers]
        assert len(numbers) == len(set(numbers)), message.name
    for name, cls in classes().items():
        assert cls.DESCRIPTOR.name == name
        assert cls.DESCRIPTOR.fields or name.endswith(("Request", "End", "CancelPositions", "CancelNewsBulletins"))


def names(cls: type) -> set[str]:
    return {field.name for field in dataclasses.fields(cls)}


def test_every_attribute_of_an_order_travels() -> None:
    """What users can set on an order or contract reaches the table; a new attribute needs a row."""
    shape = shape_of("PLACE_ORDER")
    for name, cls in (("order", model.Order), ("contract", model.Contract)):
        assert names(cls) == set(shape.inner((name,)).fields)
    assert names(model.ContractDetails) == set(shape_of("CONTRACT_DATA").inner(("contractDetails",)).fields)
    assert names(model.OrderState) == set(shape_of("OPEN_ORDER").inner(("orderState",)).fields)
    execution = set(shape_of("EXECUTION_DATA").inner(("execution",)).fields)
    assert names(model.Execution) - {"time"} == execution  # the time stays a text of the message


def test_doubts_are_about_something() -> None:
    text = (files("ibkit.wire") / "tables" / "doubts.txt").read_text(encoding="utf-8")
    known = {message.name for message in MESSAGES} | {"*", "ORDER_STATE"}
    for line in lines(text):
        assert line.words[0] in known
        assert line.words[2] in ("inferred", "documented")
        assert len(line.words) > 4


def test_what_lies_deeper_than_its_message_is_found() -> None:
    """It is looked for line by line, without reading the entries: nothing may be overlooked."""
    listed = list(table().nested())
    inside = [(each.name, attr) for each in (*table().records.values(), *MESSAGES) for attr in each.attrs]
    zips = [(message.name, zipped) for message in MESSAGES for zipped in message.zips]
    deep = [(name, attr) for name, attr in inside if len(attr.numbers) > 1]
    assert sorted(listed, key=repr) == sorted([*deep, *zips], key=repr)
    assert deep
    assert zips


def test_an_entry_of_no_kind_is_told() -> None:
    with pytest.raises(ValueError, match="not with 'anser'"):
        Table(lambda name: text_of(name).replace("answer TICK_SIZE", "anser TICK_SIZE"))


def test_a_name_that_is_none() -> None:
    with pytest.raises(KeyError):
        table().message("NO_SUCH_MESSAGE")
