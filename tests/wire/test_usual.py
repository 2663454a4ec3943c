"""The short ways of orders: what is prepared or remembered gives the same as reading the table, whatever changes."""

from __future__ import annotations

import copy
import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import IbkitError
from ibkit.model import (
    UNSET_DOUBLE,
    UNSET_INTEGER,
    ComboLeg,
    Contract,
    DeltaNeutralContract,
    LimitOrder,
    MarketOrder,
    Order,
    OrderComboLeg,
    OrderState,
    PriceCondition,
    SoftDollarTier,
    StopLimitOrder,
    StopOrder,
    TagValue,
)
from ibkit.wire import MAX_VERSION, MIN_VERSION, Codec, Role, compiler, interpreter
from ibkit.wire import messages as m
from ibkit.wire.framing import frame
from tests.wire.test_laws import SETTINGS
from tests.wire.vectors import canonical, comparable

VERSIONS = (MIN_VERSION, 163, 176, 178, 190, 201, 203, 212, MAX_VERSION)
FIELDS = [field.name for field in dataclasses.fields(Order)]
STATES = [field.name for field in dataclasses.fields(OrderState)]
CONTRACT = [field.name for field in dataclasses.fields(Contract)]
LISTS: dict[str, Any] = {
    "conditions": [PriceCondition(price=5.0)],
    "orderComboLegs": [OrderComboLeg(1.5)],
    "algoParams": [TagValue("a", "b")],
    "smartComboRoutingParams": [TagValue("a", "b")],
    "orderMiscOptions": [TagValue("a", "b")],
    "softDollarTier": SoftDollarTier("n", "v", "d"),
    "comboLegs": [ComboLeg(1, 1, "BUY", "SMART")],
    "deltaNeutralContract": DeltaNeutralContract(1, 0.5, 2.0),
}
VALUES = [
    "", "x", "PEG BENCH", "PEG MID", "PEGBEST", "VOL", 0, 1, -1, 7, 0.0, 1.0, 0.5, -2.25, 100.0, True, False, None,
    UNSET_DOUBLE, UNSET_INTEGER, Decimal("1.10"), Decimal(1), float("inf"), [], "a\0b", "é",
]  # fmt: skip


def fitting(cls: type, name: str) -> list[Any]:
    """Return values that a field may have, its default among them."""
    default = getattr(cls(), name)
    if name in LISTS:
        return [default, LISTS[name]]
    if isinstance(default, list):
        return [default]
    if name == "multiplier" or "Margin" in name or "equity" in name:
        return [default, "5.5"] if isinstance(default, str) else [default, 5.5]
    if isinstance(default, str):
        return [default, "x", "", "0", "IBKRATS", "PEG MID"]
    if isinstance(default, bool) or default is None:
        return [default, True, False]
    return [default, 7, 0, 1] if isinstance(default, int) else [default, 7.25, 0.0, 1.0]


def outcome(version: int, message: Any, fast: bool) -> bytes | None:
    """Return the frame, None when it is refused."""
    try:
        return (
            Codec(Role.CLIENT, version).encode(message) if fast else frame(interpreter.write(*name(version, message)))
        )
    except (IbkitError, TypeError, ValueError):
        return None


def name(version: int, message: Any) -> tuple[str, int, Any]:
    return "PLACE_ORDER", version, message


def check_encoding(version: int, message: Any) -> None:
    expected, found = outcome(version, message, False), outcome(version, message, True)
    if expected is None or found is None:
        assert expected is found
    else:
        assert canonical("PLACE_ORDER", found) == canonical("PLACE_ORDER", expected)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_an_order_is_sent_as_the_table_says(field: str, version: int) -> None:
    contract = Contract(secType="STK", symbol="A", exchange="SMART", currency="USD")
    for value in [*VALUES, LISTS.get(field)]:
        order = LimitOrder("BUY", 1, 12.5, tif="DAY")
        setattr(order, field, value)
        check_encoding(version, m.PlaceOrder(7, contract, order))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("field", CONTRACT)
def test_each_field_of_a_contract_is_sent_as_the_table_says(field: str, version: int) -> None:
    for value in [*fitting(Contract, field), "BAG"]:
        contract = Contract(secType="STK", symbol="A", exchange="SMART", currency="USD")
        setattr(contract, field, value)
        check_encoding(version, m.PlaceOrder(7, contract, MarketOrder("BUY", 1.0)))


class Own(LimitOrder):
    """A user's class that gives a field in another way than setting it."""

    tif = "GTC"

    @property
    def orderRef(self) -> str:  # type: ignore[override]
        return "mine"


@SETTINGS
@given(data=st.data())
def test_an_order_is_sent_as_it_is_now(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    makers = [
        lambda: LimitOrder("BUY", 1, 2.0),
        lambda: StopOrder("BUY", 1, 2.0),
        lambda: StopLimitOrder("SELL", 1, 2.0, 3.0),
        lambda: Own("BUY", 1, 2.0),
        Order,
    ]
    order = data.draw(st.sampled_from(makers))()
    contract = Contract(secType="STK", symbol="A", exchange="SMART", currency="USD")
    for _ in range(data.draw(st.integers(1, 6))):  # each time the same objects
        if data.draw(st.booleans()):
            field = data.draw(st.sampled_from([each for each in FIELDS if each != "orderRef"]))
            setattr(order, field, data.draw(st.sampled_from(fitting(Order, field))))
        else:
            field = data.draw(st.sampled_from(CONTRACT))
            setattr(contract, field, data.draw(st.sampled_from(fitting(Contract, field))))
        check_encoding(version, m.PlaceOrder(7, contract, order))


def test_what_is_no_field_does_not_travel() -> None:
    for version in VERSIONS:
        order = LimitOrder("BUY", 1, 2.0)
        before = outcome(version, m.PlaceOrder(7, Contract(), order), True)
        order.note = "mine"  # type: ignore[attr-defined]
        assert outcome(version, m.PlaceOrder(7, Contract(), order), True) == before != None  # noqa: E711


def told(version: int, contract: Contract, order: Order, state: OrderState) -> tuple[Any, Any]:
    """Return an order as it was told, read by the compiled function and by the table."""
    body = Codec(Role.SERVER, version).encode(m.OpenOrder(order, contract, state))[4:]
    head = 4 if version >= 201 else body.index(b"\0") + 1
    protobuf = int.from_bytes(body[:4], "big") > 200 if version >= 201 else False
    if protobuf:
        slow, _ = interpreter.read_protobuf("OPEN_ORDER", body[head:], body)
    else:
        slow, _ = interpreter.read_text("OPEN_ORDER", version, body[head:], body)
    read = compiler.reader("OPEN_ORDER", version, protobuf)
    return read(body if version >= 201 else body.decode().split("\0")), slow


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("part", "field"),
    [*((1, each) for each in FIELDS), *((0, each) for each in CONTRACT), *((2, each) for each in STATES)],
)
def test_a_change_of_any_field_is_seen_after_the_same_order_was_told_before(
    part: int, field: str, version: int
) -> None:
    parts = (
        Contract(secType="STK", conId=5, symbol="A", exchange="SMART", currency="USD"),
        Order(orderId=7, clientId=1, permId=9, action="BUY", totalQuantity=100.0, orderType="LMT", lmtPrice=12.5,
              auxPrice=0.0, tif="DAY", account="DU1", clearingIntent="IB", volatilityType=0, ocaType=3, cashQty=0.0),
        OrderState(status="Submitted"),
    )  # fmt: skip
    for value in fitting(type(parts[part]), field):
        told(version, *parts)
        changed = copy.deepcopy(parts)
        setattr(changed[part], field, value)
        fast, slow = told(version, *changed)
        assert comparable(fast) == comparable(slow)
        again, _ = told(version, *changed)
        assert comparable(again) == comparable(slow)


@pytest.mark.parametrize("version", VERSIONS)
def test_orders_that_are_told_share_nothing(version: int) -> None:
    parts = (Contract(secType="STK", symbol="A"), Order(orderId=7, action="BUY"), OrderState(status="Submitted"))
    (first, _), (second, _) = told(version, *parts), told(version, *parts)
    for a, b in zip(first, second, strict=True):
        assert a is not b
        assert comparable(a) == comparable(b)
    first.order.conditions.append(PriceCondition())
    first.order.tif = "GTC"
    first.orderState.status = "Filled"
    first.contract.symbol = "B"
    third, _ = told(version, *parts)
    assert comparable(third) == comparable(second)
