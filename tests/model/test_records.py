"""Records are data classes to everybody who asks, whether their objects keep all fields or the given ones only."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ibkit
from ibkit import (
    BarData,
    Contract,
    LimitOrder,
    MarketOrder,
    Order,
    OrderState,
    OrderStateNumeric,
    PriceCondition,
    SoftDollarTier,
    Stock,
    TagValue,
    Ticker,
    Trade,
    TradeLogEntry,
)
from ibkit.model import Record, nan
from ibkit.model.base import SparseRecord, different
from ibkit.model.records import fields_of, set_stored, stored

RECORDS = sorted(
    (obj for obj in vars(ibkit.model).values() if isinstance(obj, type) and issubclass(obj, Record)),
    key=lambda cls: cls.__name__,
)
SPARSE = [cls for cls in RECORDS if issubclass(cls, SparseRecord) and "_record_fields" in vars(cls)]
NAMES = [field.name for field in dataclasses.fields(Order)]


def plain(cls: type) -> type:
    """Return the data class that ``dataclasses`` makes of the same fields."""
    fields = [
        (field.name, field.type, copy.copy(field))
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]  # each is one
    ]
    return dataclasses.make_dataclass(cls.__name__, fields)


@pytest.mark.parametrize("cls", [cls for cls in RECORDS if "_record_fields" in vars(cls)], ids=lambda cls: cls.__name__)
def test_records_are_what_dataclasses_would_make_of_them(cls: Any) -> None:
    twin: Any = plain(cls)
    assert dataclasses.is_dataclass(cls)
    assert cls.__match_args__ == twin.__match_args__
    ours, theirs = inspect.signature(cls).parameters, inspect.signature(twin).parameters
    assert list(ours) == list(theirs)
    assert {name: each.kind for name, each in ours.items()} == {name: each.kind for name, each in theirs.items()}
    required = [name for name, each in theirs.items() if each.default is inspect.Parameter.empty]
    given: dict[str, Any] = dict.fromkeys(required, 1)
    record, other = cls(**given), twin(**given)
    values = {field.name: getattr(other, field.name) for field in dataclasses.fields(twin)}
    assert repr(record.dict()) == repr(values)
    assert repr(dataclasses.asdict(record)) == repr(dataclasses.asdict(other))
    assert set(vars(record)) == set(vars(other))
    for name in cls.__match_args__:
        assert hasattr(cls, name) == hasattr(twin, name), name
        assert not hasattr(cls, name) or getattr(cls, name) is getattr(twin, name), name


@pytest.mark.parametrize("cls", [Order, BarData, TradeLogEntry], ids=lambda cls: cls.__name__)
def test_what_a_constructor_refuses(cls: Any) -> None:
    count = len(fields_of(cls))
    with pytest.raises(TypeError):
        cls(*range(count + 1))
    with pytest.raises(TypeError):
        cls(1, nothing=2)
    with pytest.raises(TypeError):
        cls(1, **{next(iter(fields_of(cls))): 2})


def test_fields_may_be_given_by_position() -> None:
    order = Order(1, 2, 3, "BUY", orderType="LMT")
    assert (order.orderId, order.clientId, order.permId, order.action, order.orderType) == (1, 2, 3, "BUY", "LMT")


def test_an_object_keeps_what_it_was_given() -> None:
    order = LimitOrder("BUY", 1, 2.5, tif="GTC")
    kept = {"action": "BUY", "totalQuantity": 1, "orderType": "LMT", "lmtPrice": 2.5, "tif": "GTC"}
    assert stored(order) == kept
    for twin in (copy.copy(order), copy.deepcopy(order), pickle.loads(pickle.dumps(order))):
        assert type(twin) is LimitOrder
        assert stored(twin) == kept
        assert twin.dict() == order.dict()
        assert order.nonDefaults() == kept
    assert set(stored(Ticker(Stock("V")))) == {"contract", "defaults"}


def test_who_asks_for_the_dict_gets_all_fields_and_may_change_them() -> None:
    order = LimitOrder("BUY", 1, 2.5)
    assert set(vars(order)) == set(NAMES)
    assert vars(order) is order.__dict__
    order.__dict__["tif"] = "GTC"
    order.__dict__.update(account="DU1")
    assert (order.tif, order.account) == ("GTC", "DU1")
    order.transmit = False
    assert vars(order)["transmit"] is False
    vars(order)["conditions"].append(PriceCondition())
    assert order.conditions == [PriceCondition()]
    other = Order()
    other.__dict__.update(order.__dict__)
    assert other.dict() == order.dict()
    assert not different(other, order)


def test_a_list_is_the_objects_own() -> None:
    one, other = Order(), Order()
    one.algoParams.append(TagValue("a", "b"))
    assert one.algoParams == [TagValue("a", "b")]
    assert other.algoParams == Order().algoParams == []
    assert copy.deepcopy(one).algoParams is not one.algoParams
    assert copy.copy(one).algoParams is one.algoParams
    with pytest.raises(AttributeError, match="algoParams"):
        _ = Order.algoParams


def test_defaults_can_be_read_of_the_class() -> None:
    assert (Order.tif, Order.transmit, Order.openClose, Ticker.marketDataType) == ("", True, "O", 1)


def test_own_attributes_stay_with_the_object() -> None:
    order, ticker = MarketOrder("BUY", 1), Ticker(Stock("V"))
    order.strategy = "mine"  # type: ignore[attr-defined]
    ticker.seen = 3  # type: ignore[attr-defined]
    assert copy.copy(order).strategy == pickle.loads(pickle.dumps(order)).strategy == "mine"
    assert vars(ticker)["seen"] == 3
    assert "strategy" not in order.dict()
    with pytest.raises(AttributeError, match="limitPrice"):
        _ = order.limitPrice  # type: ignore[attr-defined]


def test_replace_and_match() -> None:
    order = Order(action="BUY", totalQuantity=1)
    sale = dataclasses.replace(order, action="SELL")
    assert (sale.action, sale.totalQuantity, order.action) == ("SELL", 1, "BUY")
    match sale:
        case Order(action="SELL", totalQuantity=quantity):
            assert quantity == 1
        case _:
            pytest.fail("no match")
    if sys.version_info >= (3, 13):
        assert copy.replace(sale, action="BUY").action == "BUY"
    assert dataclasses.replace(BarData(close=1.0), open=2.0) == BarData(open=2.0, close=1.0)


class Marked(Order):
    mark: str = "none"

    def __init__(self, mark: str, **given: Any) -> None:
        super().__init__(**given)
        self.mark = mark


@dataclasses.dataclass(eq=False)
class Tagged(Order):
    tags: list[str] = dataclasses.field(default_factory=list)
    note: str = ""


class Slotted(Order):
    __slots__ = ("extra",)


def test_classes_of_users() -> None:
    marked = Marked("x", action="BUY")
    assert (marked.mark, marked.action, marked.tif) == ("x", "BUY", "")
    assert pickle.loads(pickle.dumps(marked)).mark == "x"
    assert marked.nonDefaults() == {"action": "BUY"}
    tagged = Tagged(action="BUY", note="n")
    assert [field.name for field in dataclasses.fields(Tagged)] == [*NAMES, "tags", "note"]
    assert tagged.nonDefaults() == {"action": "BUY", "note": "n"}
    assert tagged.dict()["tags"] == []
    assert (tagged.conditions, Tagged().tags) == ([], [])
    assert inspect.signature(Tagged).parameters["note"].default == ""
    slotted = Slotted(action="BUY")
    slotted.extra = 1
    twin = copy.copy(slotted)
    assert (twin.extra, twin.action) == (1, "BUY")


def test_a_class_of_the_same_name_is_described_with_its_own_defaults() -> None:
    kinds = {field.name: field.default for field in dataclasses.fields(OrderState)}
    numeric = {field.name: field.default for field in dataclasses.fields(OrderStateNumeric)}
    assert kinds["initMarginBefore"] == ""
    assert numeric["initMarginBefore"] is nan
    assert kinds.keys() == numeric.keys()


def test_equal_is_what_has_equal_fields() -> None:
    assert OrderState(status="a") == OrderState(status="a", warningText="")
    assert OrderState(status="a") != OrderState(status="b")
    assert OrderState(initMarginBefore="") == OrderState()
    state = OrderState()
    assert state.orderAllocations == []  # now it keeps one
    assert state == OrderState()
    assert OrderStateNumeric() == OrderStateNumeric(initMarginBefore=nan)
    assert OrderState() != OrderStateNumeric()
    state.mine = 1  # type: ignore[attr-defined]
    assert state == OrderState()


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "x", 0, 1, 2.5, True, None, nan])))
def test_keeping_little_is_not_seen(values: dict[str, Any]) -> None:
    sparse, full = Order(**values), Order()
    vars(full)
    full.update(**values)
    assert repr(sparse.dict()) == repr(full.dict())
    assert repr(sparse) == repr(full)
    assert not different(sparse, full)
    assert repr(copy.deepcopy(full)) == repr(pickle.loads(pickle.dumps(sparse)))


def test_the_dict_of_an_object_can_be_set_as_a_whole() -> None:
    order = LimitOrder.__new__(LimitOrder)
    set_stored(order, {"action": "BUY"})
    assert order.action == "BUY"
    assert order.tif == ""


def test_parts_of_a_trade() -> None:
    one, other = Trade(), Trade(Contract("STK"), Order(orderId=1))
    assert one.order is not Trade().order
    assert (other.contract.secType, other.order.orderId, other.fills) == ("STK", 1, [])
    assert not SoftDollarTier()
