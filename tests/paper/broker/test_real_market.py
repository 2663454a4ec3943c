"""The broker on the simulated market itself: same seed, same run, however time is cut."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.model import (
    CFD,
    Bag,
    ComboLeg,
    Contract,
    Crypto,
    Forex,
    Future,
    LimitOrder,
    MarketOrder,
    Option,
    Order,
    PriceCondition,
    Stock,
    StopOrder,
)
from ibkit.paper.broker import INSTANT, REALISTIC, Broker, Models
from ibkit.paper.instruments import Catalogue
from ibkit.paper.market import Market
from tests.paper.broker.scripted import Notes, at

ACCOUNT = "DU1234567"
START = at("10:00")


class Floor:
    """A broker on the simulated market."""

    def __init__(self, seed: int = 1, models: Models = REALISTIC) -> None:
        self.catalogue = Catalogue(seed, date(2024, 1, 8))
        self.market = Market(seed, self.catalogue)
        self.broker = Broker(self.catalogue, self.market, START, models=models)
        self.notes = Notes()
        self.broker.listener = self.notes
        self.now = START

    def contract(self, contract: Contract) -> Contract:
        (found,) = self.catalogue.find(contract)
        return Contract.recreate(found.contract)

    def place(self, order: Order, contract: Contract) -> int:
        number = self.broker.next_order_id(1)
        self.broker.place(self.now, 1, number, contract, order)
        return number

    def go(self, seconds: float) -> None:
        self.now += seconds
        self.broker.advance(self.now)


CONTRACTS: list[tuple[Contract, float]] = [
    (Stock("MSFT", "SMART", "USD"), 100),
    (Stock("SPY", "SMART", "USD"), 200),
    (Forex("EURUSD"), 50_000),
    (Forex("USDJPY"), 50_000),
    (Future("ES", "202403", "CME"), 2),
    (Future("HE", "202402", "CME"), 1),
    (Crypto("BTC", "PAXOS", "USD"), 0.5),
    (CFD("IBUS500", "SMART", "USD"), 5),
    (Stock("SAP", "SMART", "EUR"), 50),
    (Option("MSFT", "20240119", 290, "C", "SMART"), 3),
]


@pytest.mark.parametrize(("contract", "size"), CONTRACTS, ids=lambda value: getattr(value, "symbol", ""))
def test_everything_can_be_bought_and_sold(contract: Contract, size: float) -> None:
    floor = Floor()
    for action in ("BUY", "SELL"):
        number = floor.place(MarketOrder(action, size), floor.contract(contract))
        floor.go(30)
        assert floor.notes.errors == []
        latest = [r for r in floor.notes.reports if r.order_id == number][-1]
        assert latest.status.status == "Filled"
    assert floor.broker.positions() == []
    values = {row.tag: float(row.value) for row in floor.broker.summary(floor.now, ACCOUNT, "NetLiquidation")}
    pnl = floor.broker.pnl(floor.now, ACCOUNT, "")
    assert values["NetLiquidation"] - 1e6 == pytest.approx(pnl.realizedPnL, abs=0.02)


def test_fills_are_at_the_quote_of_their_moment() -> None:
    floor = Floor()
    contract = Stock("AAPL", "SMART", "USD")
    (apple,) = floor.catalogue.find(contract)
    floor.place(MarketOrder("BUY", 300), contract)
    floor.go(60)
    for fill in floor.notes.fills:
        quote = floor.market.quote(apple, fill.execution.time.timestamp())
        assert fill.execution.price == quote.ask
        assert fill.execution.shares <= quote.ask_size


def test_an_hour_with_a_bracket_in_steps_of_a_quarter_second_or_at_once() -> None:
    def run(step: float) -> list[tuple[object, ...]]:
        floor = Floor()
        contract = Stock("NFLX", "SMART", "USD")
        (netflix,) = floor.catalogue.find(contract)
        mid = round(floor.market.quote(netflix, START).mid, 2)
        parent = floor.place(LimitOrder("BUY", 700, round(mid * 0.999, 2), transmit=False), contract)
        floor.place(LimitOrder("SELL", 700, round(mid * 1.001, 2), parentId=parent, transmit=False), contract)
        floor.place(StopOrder("SELL", 700, round(mid * 0.997, 2), parentId=parent), contract)
        floor.place(Order(orderType="TRAIL", action="SELL", totalQuantity=100, trailingPercent=0.2), contract)
        for _ in range(round(3600 / step)):
            floor.go(step)
        return floor.notes.events

    assert run(3600) == run(7.5)
    assert len(run(3600)) > 10


def test_a_night_and_a_day_go_by_quickly() -> None:
    floor = Floor()
    contract = Stock("MSFT", "SMART", "USD")
    number = floor.place(LimitOrder("BUY", 100, 1.0, tif="GTC"), contract)
    floor.go(86_400 * 2)
    assert [e for e in floor.notes.events if e[0] == "order"][-1] == ("order", number, "Submitted")


def test_visa_and_mastercard() -> None:
    floor = Floor()
    visa, mastercard = Stock("V", "SMART", "USD"), Stock("MA", "SMART", "USD")
    (v,) = floor.catalogue.find(visa)
    level = round(floor.market.quote(v, START).last * 1.001, 2)
    condition = PriceCondition(conId=v.con_id, exch="SMART", isMore=True, price=level)
    number = floor.place(MarketOrder("BUY", 100, conditions=[condition]), mastercard)
    for _ in range(6):
        floor.go(3600)
        if floor.notes.fills:
            break
    fill = floor.notes.fills[0].execution
    at_fill = fill.time.timestamp()
    assert fill.orderId == number
    assert floor.market.quote(v, at_fill).last >= level
    lows = floor.market.ticks(v, START, at_fill - 0.001)
    assert all(tick.price < level for tick in lows if tick.kind == "trade")


def test_a_combo_of_the_simulated_market() -> None:
    floor = Floor()
    low, high = (floor.catalogue.find(Option("MSFT", "20240119", k, "C", "SMART"))[0].con_id for k in (280, 300))
    bag = Bag(
        symbol="MSFT",
        exchange="SMART",
        currency="USD",
        comboLegs=[ComboLeg(low, 1, "BUY", "SMART"), ComboLeg(high, 1, "SELL", "SMART")],
    )
    floor.place(MarketOrder("BUY", 1), bag)
    floor.go(10)
    *legs, whole = floor.notes.fills
    assert whole.execution.price == pytest.approx(legs[0].execution.price - legs[1].execution.price)


PLANS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["MKT", "LMT", "STP", "TRAIL", "MIT", "MTL", "REL"]),
        st.booleans(),
        st.integers(-30, 30),
        st.sampled_from([0.5, 3.0, 20.0, 61.7]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(PLANS, st.sampled_from([REALISTIC, INSTANT]), st.integers(1, 3))
def test_same_seed_same_run_and_no_law_broken(
    plan: list[tuple[int, str, bool, int, float]], models: Models, seed: int
) -> None:
    def run(parts: int) -> Floor:
        floor = Floor(seed, models)
        for which, kind, buy, ticks, wait in plan:
            contract, size = CONTRACTS[which]
            (thing,) = floor.catalogue.find(floor.contract(contract))
            step = thing.rule.min_tick
            price = round(round(floor.market.quote(thing, floor.now).mid / step) * step + ticks * step, 8)
            order = Order(action="BUY" if buy else "SELL", totalQuantity=size, orderType=kind, lmtPrice=price)
            order.auxPrice = price if kind in ("STP", "MIT") else step * (abs(ticks) + 1)
            floor.place(order, thing.contract)
            for _ in range(parts):
                floor.go(wait / parts)
        return floor

    one, many = run(1), run(5)
    assert one.notes.events == many.notes.events
    for fill in one.notes.fills:
        report = next(r for r in one.notes.reports if r.order_id == fill.order_id)
        sign = 1 if report.order.action == "BUY" else -1
        if report.order.orderType == "LMT":
            assert (fill.execution.price - report.order.lmtPrice) * sign <= 1e-9
    for report in one.notes.reports:
        assert report.status.filled <= report.order.totalQuantity + 1e-9
        assert report.status.filled + report.status.remaining == pytest.approx(report.order.totalQuantity)
    pnl = one.broker.pnl(one.now, ACCOUNT, "")
    (row,) = one.broker.summary(one.now, ACCOUNT, "NetLiquidation")
    assert float(row.value) - 1e6 == pytest.approx(pnl.realizedPnL + pnl.unrealizedPnL, abs=0.02)
