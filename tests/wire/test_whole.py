"""The whole messages that are compared with the official client leave no field out, and no two values are the same."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from ibkit.wire.interpreter.values import needs_of
from ibkit.wire.shapes import shape_of
from ibkit.wire.table import table
from tests.wire.strategies import flat
from tests.wire.test_official_answers import leaves
from tests.wire.whole import WORDS, bounds, told, whole

NAMES = [message.name for message in table()]
ROUTING = (
    "conId", "symbol", "secType", "lastTradeDateOrContractMonth", "strike", "right", "exchange", "currency",
    "localSymbol", "tradingClass",
)  # fmt: skip

# Attributes of records that some messages do not carry. In requests: what only servers tell of an order or contract.
ONLY_TOLD = {
    "contract.lastTradeDate", "order.orderId", "order.autoCancelDate", "order.filledQuantity", "order.refFuturesConId",
    "order.shareholder", "order.parentPermId", "order.basisPoints", "order.basisPointsType",
}  # fmt: skip
# In answers: the parts of a record that the message has no place for, or another message has.
NO_PLACE = {
    "CONTRACT_DATA": {"contractDetails.maturity", "contractDetails.lastTradeTime"},  # the time travels in the date
    "BOND_CONTRACT_DATA": {"contractDetails.lastTradeTime"},
    "COMPLETED_ORDER": {
        "order.basisPoints", "order.basisPointsType", "order.auctionStrategy", "order.eTradeOnly",
        "order.firmQuoteOnly", "order.nbboPriceCap",
    },
    "SCANNER_DATA": {
        ".".join(path)
        for path in leaves(shape_of("SCANNER_DATA"))
        if path[:2] == ("rows", "contractDetails") and path[2] not in ("contract", "marketName")
    },
}  # fmt: skip


def plain(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_travels_at_some_server_version(name: str) -> None:
    travelled = {plain(path) for version in bounds(name) for path in told(name, version)}
    lacking = {".".join(path) for path in leaves(shape_of(name))} - travelled
    assert lacking == NO_PLACE.get(name, set()) or (table().message(name).request and lacking <= ONLY_TOLD)


@pytest.mark.parametrize("name", [name for name in NAMES if table().message(name).request])
def test_what_a_server_needs_a_version_for_is_told_from_there_on(name: str) -> None:
    needs = [(".".join(path), since) for path, since in needs_of(table().message(name))]
    for version in bounds(name):
        there = {plain(path) for path in told(name, version)}
        assert not [path for path, since in needs if path in there and since > version], version


@pytest.mark.parametrize("name", NAMES)
def test_no_two_values_of_a_message_are_the_same(name: str) -> None:
    shape = shape_of(name)
    for made in whole(name, 225):
        values = Counter(
            value
            for path, value in flat(made, shape).items()
            if isinstance(value, int | float | str)
            and not isinstance(value, bool)
            and plain(path).rpartition(".")[2] not in (*WORDS, "condType", "conjunction")
            and not (isinstance(value, int) and value in (0, 1))  # flags and masks
            and value == value
        )
        twice = {value for value, times in values.items() if times > 1 and value != ""}
        assert not twice


def test_flags_differ_from_each_other() -> None:
    for name in ("PLACE_ORDER", "OPEN_ORDER", "COMPLETED_ORDER", "CONTRACT_DATA", "BOND_CONTRACT_DATA"):
        shape, patterns = shape_of(name), Counter[tuple[object, ...]]()
        found = [flat(made, shape) for made in whole(name, 225)]
        for path, value in found[0].items():
            if isinstance(value, bool):
                patterns[tuple(values[path] for values in found)] += 1
        assert all(any(pattern) and not all(pattern) for pattern in patterns)
        assert max(patterns.values()) == 1, (name, patterns)
