"""Combos: the legs trade, the whole is told."""

from __future__ import annotations

import pytest

from ibkit.model import Bag, ComboLeg, Contract, LimitOrder, MarketOrder, Option, Stock
from ibkit.paper.broker import REALISTIC
from tests.paper.broker.scripted import Desk, instrument

MSFT = Stock("MSFT", "SMART", "USD")
LOW = Option("MSFT", "20240119", 290, "C", "SMART")
HIGH = Option("MSFT", "20240119", 300, "C", "SMART")


def leg(contract: Contract, action: str, ratio: int = 1) -> ComboLeg:
    return ComboLeg(conId=instrument(contract).con_id, ratio=ratio, action=action, exchange="SMART")


SPREAD = Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=[leg(LOW, "BUY"), leg(HIGH, "SELL")])


def desk_with_options(**kwargs: object) -> Desk:
    desk = Desk(**kwargs)  # type: ignore[arg-type]
    desk.market.set(MSFT, desk.now - 1, 295.00, 295.02)
    desk.market.set(LOW, desk.now - 1, 8.00, 8.10, 10, 10)
    desk.market.set(HIGH, desk.now - 1, 3.00, 3.05, 10, 10)
    return desk


def test_a_spread_buys_one_leg_and_sells_the_other() -> None:
    desk = desk_with_options()
    number = desk.place(MarketOrder("BUY", 2), SPREAD)
    legs, whole = desk.notes.fills[:-1], desk.notes.fills[-1]
    assert [(f.execution.side, f.execution.shares, f.execution.price) for f in legs] == [
        ("BOT", 2, pytest.approx(8.10)),
        ("SLD", 2, 3.00),
    ]
    assert (whole.contract.secType, whole.execution.price, whole.execution.shares) == ("BAG", pytest.approx(5.10), 2)
    assert [len(f.execution.execId.split(".")) for f in desk.notes.fills] == [5, 5, 4]
    assert {f.order_id for f in desk.notes.fills} == {number}
    assert (desk.position(LOW), desk.position(HIGH)) == (2, -2)
    assert [c.execId for c in desk.notes.commissions] == [f.execution.execId for f in legs]
    report = desk.report(number)
    assert (report.status.status, report.status.avgFillPrice) == ("Filled", pytest.approx(5.10))
    assert report.contract.comboLegs == SPREAD.comboLegs
    assert report.state.commission == pytest.approx(1.30 * 2)


def test_leg_executions_come_before_the_combo_s_status() -> None:
    desk = desk_with_options(models=REALISTIC)
    desk.place(MarketOrder("BUY", 1), SPREAD)
    desk.go(1)
    names = [event[0] for event in desk.notes.events]
    assert names[2:8] == ["execution", "execution", "execution", "order", "commission", "commission"]


def test_a_limit_holds_for_the_whole_and_the_legs_add_up() -> None:
    desk = desk_with_options()
    number = desk.place(LimitOrder("BUY", 1, 4.90), SPREAD)
    assert desk.filled(number) == []
    desk.set(7.80, 7.85, 10, 10, LOW)
    *legs, whole = desk.notes.fills
    assert whole.execution.price == 4.90
    assert legs[0].execution.price - legs[1].execution.price == pytest.approx(whole.execution.price)


def test_selling_a_combo_turns_the_legs_around_and_prices_may_be_negative() -> None:
    desk = desk_with_options()
    number = desk.place(LimitOrder("SELL", 1, 4.90), SPREAD)
    assert [f.execution.side for f in desk.notes.fills] == ["SLD", "BOT", "SLD"]
    credit = Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=[leg(HIGH, "BUY"), leg(LOW, "SELL")])
    other = desk.place(LimitOrder("BUY", 1, -4.80), credit)
    assert (desk.status(number), desk.status(other)) == ("Filled", "Filled")
    assert desk.notes.fills[-1].execution.price < 0


def test_ratios() -> None:
    desk = desk_with_options()
    bag = Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=[leg(LOW, "BUY"), leg(HIGH, "SELL", 2)])
    desk.place(MarketOrder("BUY", 3), bag)
    *legs, whole = desk.notes.fills
    assert [f.execution.shares for f in legs] == [3, 6]
    assert legs[0].execution.price - 2 * legs[1].execution.price == pytest.approx(whole.execution.price)


def test_the_preview_of_a_combo_counts_its_legs() -> None:
    desk = desk_with_options()
    desk.place(MarketOrder("BUY", 1, whatIf=True), SPREAD)
    state = desk.notes.reports[0].state
    assert state.commission == pytest.approx(2.0)
    # What is sold is covered by what is bought, at a lower strike: there is nothing to lose but the price.
    assert float(state.initMarginAfter) == 0
    desk.place(MarketOrder("SELL", 1, whatIf=True), SPREAD)
    width = HIGH.strike - LOW.strike
    assert float(desk.notes.reports[1].state.initMarginAfter) == pytest.approx(100 * width, abs=0.01)
