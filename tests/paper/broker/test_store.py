"""A broker that is killed comes back with nothing lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.model import (
    UNSET_DOUBLE,
    Bag,
    ComboLeg,
    Contract,
    ExecutionFilter,
    LimitOrder,
    MarketOrder,
    Option,
    Order,
    PriceCondition,
    Stock,
    StopOrder,
    TagValue,
    TimeCondition,
)
from ibkit.paper.broker import INSTANT, REALISTIC, Broker, Models
from ibkit.paper.broker.packing import pack, unpack
from ibkit.paper.broker.store import StoreError
from tests.paper.broker.scripted import AAPL, CATALOGUE, EURUSD, Desk, Notes, at, instrument


def restart(desk: Desk, path: Path, now: float | None = None, kill: bool = True) -> Desk:
    """Start another broker on the same file; ``kill``: as after kill -9, on a copy of what is on disk."""
    if kill:
        copy = path.with_name(path.name + "x")
        for suffix in ("", "-wal"):
            if (path.parent / f"{path.name}{suffix}").exists():
                (copy.parent / f"{copy.name}{suffix}").write_bytes((path.parent / f"{path.name}{suffix}").read_bytes())
    else:
        desk.broker.close()
        copy = path
    again = Desk.__new__(Desk)
    again.__dict__.update(desk.__dict__)
    again.now = desk.now if now is None else now
    again.notes = Notes()
    again.broker = Broker(CATALOGUE, desk.market, again.now, models=desk.models, store=str(copy))
    again.broker.listener = again.notes
    return again


def facts(desk: Desk) -> dict[str, object]:
    """Everything a client can ask for."""
    broker = desk.broker
    return {
        "open": repr(broker.open_orders()),
        "completed": repr(broker.completed_orders()),
        "executions": repr(broker.executions(ExecutionFilter(), 1)),
        "positions": repr(broker.positions()),
        "values": broker.account_values(desk.now, Desk.ACCOUNT),
        "portfolio": repr(broker.portfolio(desk.now, Desk.ACCOUNT)),
        "pnl": repr(broker.pnl(desk.now, Desk.ACCOUNT, "")),
        "next": broker.next_order_id(1),
        "due": broker.next_due(desk.now),
    }


def busy_desk(path: Path, models: Models = INSTANT) -> Desk:
    desk = Desk(models, store=str(path))
    desk.place(MarketOrder("BUY", 300))
    desk.place(MarketOrder("BUY", 50_000), EURUSD)
    desk.place(MarketOrder("SELL", 100))
    parent = desk.place(LimitOrder("BUY", 100, 99.50, transmit=False))
    desk.place(LimitOrder("SELL", 100, 101.00, parentId=parent, transmit=False))
    desk.place(StopOrder("SELL", 100, 98.00, parentId=parent))
    desk.place(Order(orderType="TRAIL", action="SELL", totalQuantity=50, auxPrice=0.50))
    visa = instrument(Stock("V", "SMART", "USD")).con_id
    desk.place(
        MarketOrder("BUY", 10, conditions=[PriceCondition(conId=visa, price=221.0), TimeCondition(time="20240109")])
    )
    desk.place(MarketOrder("BUY", 10, conditions=[PriceCondition(conId=visa, price=221.0)]))
    desk.cancel(desk.place(LimitOrder("BUY", 100, Decimal("99.45"), orderRef="gone")))
    desk.trade(100.60)
    return desk


@pytest.mark.parametrize("kill", [True, False])
@pytest.mark.parametrize("models", [INSTANT, REALISTIC])
def test_everything_comes_back(tmp_path: Path, kill: bool, models: Models) -> None:
    path = tmp_path / "books.db"
    desk = busy_desk(path, models)
    before = facts(desk)
    assert facts(restart(desk, path, kill=kill)) == before


def test_orders_go_on_where_they_stopped(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = busy_desk(path)
    again = restart(desk, path)
    again.set(99.40, 99.45)
    again.trade(100.05)
    assert again.filled(4) == [(100, 99.50)]  # the bracket's parent
    assert again.filled(7) == [(50, 99.40)]  # the trailing stop: 100.60 - 0.50
    assert again.status(6) == "PreSubmitted"
    again.trade(97.95)
    assert again.filled(6) == [(100, 99.40)]
    assert again.status(5) == "Cancelled"
    known = {f.execution.execId for f in desk.notes.fills} | {r.order.permId for r in desk.notes.reports}
    assert not {f.execution.execId for f in again.notes.fills} & known
    number = again.place(LimitOrder("BUY", 1, 90.0))
    assert again.report(number).order.permId not in known
    assert again.codes() == [202]


def test_a_condition_holds_after_the_restart(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    again = restart(busy_desk(path), path)
    again.market.set(Stock("V", "SMART", "USD"), again.now - 5, 221.0, 221.1)
    again.trade(221.5, what=Stock("V", "SMART", "USD"))
    assert [n for n in range(1, 11) if again.filled(n)] == [9]


def test_what_the_market_did_meanwhile_happens_at_the_next_advance(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(store=str(path))
    number = desk.place(LimitOrder("BUY", 100, 99.00, tif="GTC"))
    day = desk.place(LimitOrder("BUY", 100, 90.00))
    desk.market.set(AAPL, at("11:00"), 98.90, 98.95)
    again = restart(desk, path, now=at("20240109 10:00"))
    again.go()
    assert again.filled(number) == [(100, 99.00)]
    assert again.notes.fills[0].execution.time.timestamp() == at("11:00")
    assert again.status(day) == "Cancelled"


def test_a_clock_that_was_turned_back_counts(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(now=at("15:00"), store=str(path))
    number = desk.place(LimitOrder("BUY", 100, 99.00, tif="GTC"))
    again = restart(desk, path, now=at("10:00"))
    again.set(98.90, 98.95)
    assert again.filled(number) == [(100, 99.00)]


def test_what_was_not_transmitted_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(store=str(path))
    desk.place(LimitOrder("BUY", 100, 99.00, transmit=False))
    assert restart(desk, path).broker.open_orders() == []


def test_combos_come_back(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(store=str(path))
    ids = [instrument(Option("MSFT", "20240119", k, "C", "SMART")).con_id for k in (290, 300)]
    for con_id, bid in zip(ids, (8.0, 3.0), strict=True):
        found = CATALOGUE.by_con_id(con_id)
        assert found is not None
        desk.market.set(found, desk.now - 1, bid, bid + 0.05)
    legs = [ComboLeg(ids[0], 1, "BUY", "SMART"), ComboLeg(ids[1], 1, "SELL", "SMART")]
    bag = Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=legs)
    desk.place(MarketOrder("BUY", 1), bag)
    waiting = desk.place(LimitOrder("BUY", 1, 4.50), bag)
    before = facts(desk)
    again = restart(desk, path)
    assert facts(again) == before
    found = CATALOGUE.by_con_id(ids[0])
    assert found is not None
    again.market.set(found, again.now + 1, 7.0, 7.05)
    again.go(2)
    assert again.status(waiting) == "Filled"


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(store=str(path))
    with pytest.raises(StoreError, match="another gateway"):
        Desk(store=str(path))
    desk.broker.close()
    text = tmp_path / "text.db"
    text.write_text("this is no database, it is only a longer text about one")
    with pytest.raises(StoreError, match=r"text\.db cannot be used"):
        Desk(store=str(text))
    with pytest.raises(StoreError):
        Desk(store=str(tmp_path / "no" / "where.db"))


def test_old_orders_leave_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(store=str(path))
    desk.place(MarketOrder("BUY", 100))
    desk.go(to=at("20240116 10:00:01"))
    desk.market.set(AAPL, desk.now - 1, 100.0, 100.02)
    desk.place(MarketOrder("BUY", 100))
    again = restart(desk, path)
    assert len(again.broker.executions(ExecutionFilter(lastNDays=7), 1)) == 1
    assert again.position() == 200


CONDITIONS = st.builds(
    PriceCondition, price=st.floats(1, 100), conId=st.integers(1, 9), conjunction=st.sampled_from("ao")
)


@given(
    st.builds(
        Order,
        totalQuantity=st.one_of(st.floats(1, 100), st.decimals(1, 100, places=4), st.integers(1, 9)),
        lmtPrice=st.one_of(st.none(), st.just(UNSET_DOUBLE), st.floats(-5, 5), st.just(float("inf"))),
        usePriceMgmtAlgo=st.sampled_from([None, True, False]),
        conditions=st.lists(CONDITIONS, max_size=3),
        algoParams=st.lists(st.builds(TagValue, st.text(), st.text()), max_size=2),
        orderRef=st.text(),
    )
)
def test_orders_pack(order: Order) -> None:
    again = unpack(pack(order))
    assert isinstance(again, Order)
    assert again.dict() == order.dict()
    assert type(again.totalQuantity) is type(order.totalQuantity)


def test_contracts_pack_as_their_kind() -> None:
    bag = Bag(symbol="X", comboLegs=[ComboLeg(1, 2, "BUY")])
    for contract in (AAPL, EURUSD, bag, Contract(secType="IOPT", symbol="Y")):
        again = unpack(pack(contract))
        assert again == contract
        assert type(again) is type(Contract.recreate(contract))
    with pytest.raises(TypeError, match="cannot store"):
        pack(object())


def test_models_are_not_part_of_the_store(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    desk = Desk(store=str(path))
    desk.place(MarketOrder("BUY", 100))
    desk.models = replace(INSTANT, fees="none")
    again = restart(desk, path)
    again.place(MarketOrder("SELL", 100))
    assert again.notes.commissions[0].commission == 0
