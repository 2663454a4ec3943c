"""Contracts: identity, the subclasses, trading hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ibkit import (
    CFD,
    Bag,
    Bond,
    Commodity,
    ContFuture,
    Contract,
    ContractDetails,
    Crypto,
    Forex,
    Future,
    FuturesOption,
    Index,
    MutualFund,
    Option,
    Stock,
    Warrant,
)

KINDS = {
    Stock: "STK", Option: "OPT", Future: "FUT", ContFuture: "CONTFUT", Forex: "CASH", Index: "IND", CFD: "CFD",
    Commodity: "CMDTY", Bond: "BOND", FuturesOption: "FOP", MutualFund: "FUND", Warrant: "WAR", Bag: "BAG",
    Crypto: "CRYPTO",
}  # fmt: skip


@pytest.mark.parametrize(("cls", "kind"), KINDS.items())
def test_each_kind_has_its_class(cls: type[Contract], kind: str) -> None:
    assert cls().secType == kind
    assert type(Contract.create(secType=kind)) is cls
    copy = Contract.recreate(Contract(secType=kind, symbol="X", conId=7))
    assert type(copy) is cls
    assert copy == Contract(secType=kind, symbol="X", conId=7)


def test_a_structured_product_keeps_its_kind() -> None:
    """ib_insync turns IOPT into WAR."""
    contract = Contract.create(secType="IOPT")
    assert isinstance(contract, Warrant)
    assert contract.secType == "IOPT"


def test_same_conid_is_the_same_contract() -> None:
    assert Stock("V", "SMART", "USD", conId=1) == Contract(conId=1)
    assert len({Stock("V", conId=1), Contract(conId=1)}) == 1
    assert Stock("V") != Stock("MA")
    assert Stock("V") == Stock("V")


def test_what_has_no_identity_is_no_dict_key() -> None:
    for contract in (Stock("V"), Bag(conId=28812380), Contract(conId=28812380)):
        assert not contract.isHashable()
        with pytest.raises(ValueError, match="qualifyContracts"):
            hash(contract)


def test_a_continuous_future_is_another_key_than_the_future_it_stands_for() -> None:
    assert hash(ContFuture("ES", conId=5)) != hash(Future("ES", conId=5))


def test_a_pair_is_six_letters() -> None:
    assert (Forex("EURUSD").symbol, Forex("EURUSD").currency, Forex("EURUSD").pair()) == ("EUR", "USD", "EURUSD")
    with pytest.raises(ValueError, match="six letters"):
        Forex("EUR/USD")


def test_repr_shows_what_was_given() -> None:
    assert repr(Stock("V", "SMART", "USD")) == "Stock(symbol='V', exchange='SMART', currency='USD')"
    assert repr(Forex("EURUSD")) == "Forex('EURUSD', exchange='IDEALPRO')"
    assert repr(Contract(secType="STK")) == "Contract(secType='STK')"


def test_a_misspelt_field_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="did you mean 'primaryExchange'"):
        Stock("V", primaryExchagne="NYSE")


def test_hours_become_aware_datetimes() -> None:
    details = ContractDetails(
        timeZoneId="US/Eastern", tradingHours="20240105:0400-20240105:2000;20240106:CLOSED;20240107:1800-20240108:1700"
    )
    zone = ZoneInfo("US/Eastern")
    first, second = details.tradingSessions()
    assert (first.start, first.end) == (datetime(2024, 1, 5, 4, tzinfo=zone), datetime(2024, 1, 5, 20, tzinfo=zone))
    assert second.end == datetime(2024, 1, 8, 17, tzinfo=zone)
    assert ContractDetails().tradingSessions() == []
