"""What all records share."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

import ibkit
from ibkit import (
    BarData,
    BarDataList,
    Contract,
    OptionComputation,
    Order,
    SoftDollarTier,
    Stock,
    Ticker,
    Trade,
    util,
)
from ibkit.events import made
from ibkit.model import Record, nan

RECORDS = sorted(
    (obj for obj in vars(ibkit).values() if isinstance(obj, type) and issubclass(obj, Record)),
    key=lambda cls: cls.__name__,
)


def _make(cls: type) -> object | None:
    try:
        return cls()
    except TypeError:
        return None  # needs arguments


@pytest.mark.parametrize("cls", RECORDS, ids=lambda c: c.__name__)
def test_records_convert_copy_and_travel(cls: type) -> None:
    record = _make(cls)
    names = [field.name for field in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else []
    if record is None:
        record = object.__new__(cls)
        for name in names:
            setattr(record, name, 0)
    if not names:  # the bases of all records and of all conditions
        return
    assert list(record.dict()) == names  # type: ignore[attr-defined]
    assert record.tuple() == tuple(record.dict().values())  # type: ignore[attr-defined]
    assert type(pickle.loads(pickle.dumps(record))) is cls
    assert copy.copy(record).dict().keys() == record.dict().keys()  # type: ignore[attr-defined]


def test_update_and_non_defaults() -> None:
    bar = BarData(close=1.0).update(BarData(open=2.0, close=3.0), volume=5)
    assert bar.nonDefaults() == {"open": 2.0, "close": 3.0, "volume": 5}
    with pytest.raises(TypeError, match="did you mean 'volume'"):
        bar.update(volumes=1)
    assert Ticker().nonDefaults() == {}


def test_a_soft_dollar_tier_is_true_when_there_is_one() -> None:
    assert not Order().softDollarTier
    assert SoftDollarTier("Tier")


def test_named_tuples_convert_like_ib_asyncs_data_classes() -> None:
    """peer-weaknesses.md 1.24: they stay tuples, and have the methods as well."""
    greeks = OptionComputation(0, delta=0.5)
    index, volatility, *_ = greeks
    assert (index, volatility, greeks[2]) == (0, None, 0.5)
    assert list(greeks.dict()) == list(OptionComputation._fields)
    assert greeks.tuple() == tuple(greeks)
    assert type(greeks.tuple()) is tuple
    assert greeks.nonDefaults() == {"tickAttrib": 0, "delta": 0.5}
    with pytest.raises(AttributeError, match="_replace"):
        greeks.update(delta=1.0)
    assert greeks._replace(delta=1.0).delta == 1.0


def test_equal_by_value_or_by_identity() -> None:
    assert BarData(close=1.0) == BarData(close=1.0)
    assert BarDataList() != BarDataList()
    assert len({BarDataList(), BarDataList()}) == 2
    assert Trade() != Trade()
    assert Ticker() != Ticker()


def test_events_are_made_when_they_are_wanted() -> None:
    trade = Trade()
    assert made(trade, "filledEvent") is None
    trade.filledEvent += print
    assert trade.filledEvent is trade.filledEvent
    assert len(trade.filledEvent) == 1


def test_a_copy_has_no_listeners() -> None:
    ticker = Ticker(contract=Stock("V"))
    ticker.updateEvent += print
    assert len(copy.deepcopy(ticker).updateEvent) == 0


def test_nan_is_shared_so_that_records_compare() -> None:
    assert ibkit.CommissionReport() == ibkit.CommissionReport()
    assert nan != nan


def test_the_module_functions_do_the_same() -> None:
    order = Order(action="BUY")
    assert util.dataclassNonDefaults(order) == {"action": "BUY"}
    assert util.dataclassAsDict(Contract(symbol="V"))["symbol"] == "V"
