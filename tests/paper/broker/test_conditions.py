"""Conditions are watched by the broker, not by the client that set them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.model import (
    ExecutionCondition,
    LimitOrder,
    MarginCondition,
    MarketOrder,
    Order,
    OrderCondition,
    PercentChangeCondition,
    PriceCondition,
    Stock,
    TimeCondition,
    VolumeCondition,
)
from ibkit.paper.broker.conditions import joined
from tests.paper.broker.scripted import EURUSD, Desk, at, instrument

VISA, MASTERCARD = Stock("V", "SMART", "USD"), Stock("MA", "SMART", "USD")
V = instrument(VISA).con_id


def desk_with_cards(now: float | None = None) -> Desk:
    desk = Desk(now=now)
    desk.market.set(VISA, desk.now - 1, 219.98, 220.02)
    desk.market.trade(VISA, desk.now - 1, 220.00, 100)
    desk.market.set(MASTERCARD, desk.now - 1, 369.98, 370.02)
    return desk


def conditional(*conditions: OrderCondition, **fields: object) -> Order:
    return MarketOrder("BUY", 10, conditions=list(conditions), **fields)


def test_visa_holds_a_mastercard_order_at_the_broker() -> None:
    desk = desk_with_cards()
    number = desk.place(conditional(PriceCondition(conId=V, exch="SMART", isMore=True, price=221.0)), MASTERCARD)
    assert desk.status(number) == "PreSubmitted"
    desk.trade(220.90, what=VISA)
    assert (desk.status(number), desk.filled(number)) == ("PreSubmitted", [])
    desk.trade(221.05, what=VISA)
    assert desk.filled(number) == [(10, 370.02)]
    assert [event for event in desk.notes.events if event[0] == "order"] == [
        ("order", number, "PreSubmitted"),
        ("order", number, "Submitted"),
        ("order", number, "Filled"),
    ]


def test_a_condition_that_holds_already_holds_nothing_back() -> None:
    desk = desk_with_cards()
    number = desk.place(conditional(PriceCondition(conId=V, isMore=False, price=220.0)), MASTERCARD)
    assert desk.filled(number) == [(10, 370.02)]


@pytest.mark.parametrize(
    ("method", "bid", "ask", "expected"),
    [(4, 221.0, 221.1, True), (4, 220.9, 221.5, False), (8, 220.9, 221.1, True), (2, 222.0, 222.1, False)],
)
def test_trigger_methods(method: int, bid: float, ask: float, expected: bool) -> None:
    desk = desk_with_cards()
    number = desk.place(conditional(PriceCondition(conId=V, price=221.0, triggerMethod=method)), MASTERCARD)
    desk.set(bid, ask, what=VISA)
    assert (desk.filled(number) != []) is expected


def test_double_last_wants_two_prints() -> None:
    desk = desk_with_cards()
    number = desk.place(conditional(PriceCondition(conId=V, price=221.0, triggerMethod=3)), MASTERCARD)
    desk.trade(221.1, 50, VISA)
    assert desk.filled(number) == []
    desk.trade(221.1, 50, VISA)
    assert desk.filled(number) == [(10, 370.02)]


def test_time() -> None:
    desk = desk_with_cards()
    after = desk.place(conditional(TimeCondition(time="20240108 10:30:00 US/Eastern", isMore=True)), MASTERCARD)
    before = desk.place(conditional(TimeCondition(time="20240108 10:30:00 US/Eastern", isMore=False)), MASTERCARD)
    assert desk.filled(before) == [(10, 370.02)]
    desk.go(to=at("10:29:59.9"))
    assert desk.filled(after) == []
    assert desk.broker.next_due(desk.now) == at("10:30")
    desk.go(to=at("10:30"))
    assert desk.filled(after) == [(10, 370.02)]


def test_volume_and_percent_change() -> None:
    desk = desk_with_cards()
    visa = instrument(VISA)
    desk.market.volumes[visa], desk.market.closes[visa] = 1_000.0, 220.0
    volume = desk.place(conditional(VolumeCondition(conId=V, volume=1_500)), MASTERCARD)
    change = desk.place(conditional(PercentChangeCondition(conId=V, changePercent=1.0)), MASTERCARD)
    desk.trade(221.0, 300, VISA)
    assert desk.filled(volume) == desk.filled(change) == []
    desk.trade(222.3, 100, VISA)
    assert (desk.filled(volume), desk.filled(change)) == ([(10, 370.02)], [(10, 370.02)])


def test_an_execution_of_the_account() -> None:
    desk = desk_with_cards()
    number = desk.place(conditional(ExecutionCondition(symbol="V", secType="STK", exch="SMART")), MASTERCARD)
    desk.place(MarketOrder("BUY", 10), EURUSD)
    desk.go(5)
    assert desk.filled(number) == []
    desk.place(MarketOrder("BUY", 10), VISA)
    assert desk.filled(number) == [(10, 370.02)]


def test_margin_cushion() -> None:
    desk = desk_with_cards()
    number = desk.place(conditional(MarginCondition(percent=60, isMore=False)), MASTERCARD)
    desk.go(10)
    assert desk.filled(number) == []
    desk.place(MarketOrder("BUY", 18_000))
    desk.go(1)
    assert desk.filled(number) == [(10, 370.02)]


def test_and_binds_closer_than_or() -> None:
    desk = desk_with_cards()
    one = PriceCondition(conId=V, price=221.0).And()
    two = TimeCondition(time="20240108 11:00:00 US/Eastern").Or()
    three = ExecutionCondition(symbol="AAPL", secType="STK")
    both, either = (desk.place(conditional(one, two, three), MASTERCARD) for _ in range(2))
    desk.trade(221.5, what=VISA)
    assert desk.filled(both) == []
    desk.go(to=at("11:00"))
    assert desk.filled(both) == desk.filled(either) == [(10, 370.02)]


def test_conditions_wait_for_regular_hours_unless_told_otherwise() -> None:
    desk = desk_with_cards(now=at("17:00"))
    asked = PriceCondition(conId=V, price=221.0, triggerMethod=4)
    plain = desk.place(LimitOrder("BUY", 10, 380.0, outsideRth=True, conditions=[asked]), MASTERCARD)
    always = desk.place(
        LimitOrder("BUY", 10, 380.0, outsideRth=True, conditions=[asked], conditionsIgnoreRth=True), MASTERCARD
    )
    desk.set(222.0, 222.1, what=VISA)
    assert desk.filled(plain) == []
    assert desk.filled(always) == [(10, 370.02)]


def test_a_condition_may_cancel_instead() -> None:
    desk = desk_with_cards()
    asked = PriceCondition(conId=V, price=221.0)
    order = LimitOrder("BUY", 10, 360.0, conditions=[asked], conditionsCancelOrder=True)
    number = desk.place(order, MASTERCARD)
    assert desk.status(number) == "Submitted"
    desk.trade(221.0, what=VISA)
    assert (desk.status(number), desk.codes(number)) == ("Cancelled", [202])


def test_conditions_hold_after_a_change() -> None:
    desk = desk_with_cards()
    asked = PriceCondition(conId=V, price=221.0)
    number = desk.place(conditional(asked), MASTERCARD)
    changed = conditional(asked)
    changed.totalQuantity = 20
    desk.place(changed, MASTERCARD, order_id=number)
    desk.go(5)
    assert (desk.status(number), desk.filled(number)) == ("PreSubmitted", [])
    desk.trade(221.5, what=VISA)
    assert desk.filled(number) == [(20, 370.02)]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ao")), min_size=1, max_size=8))
def test_the_chain_is_what_python_says(chain: list[tuple[bool, str]]) -> None:
    words = " ".join(f"{value} {'and' if word == 'a' else 'or'}" for value, word in chain).rsplit(" ", 1)[0]
    assert joined([value for value, _ in chain], [word for _, word in chain]) is eval(words)


def test_prices_are_not_invented_for_what_trades_quotes_only() -> None:
    desk = desk_with_cards()
    euro = instrument(EURUSD).con_id
    number = desk.place(conditional(PriceCondition(conId=euro, price=1.2000, isMore=True)), MASTERCARD)
    desk.set(1.1999, 1.2001, 1e6, 1e6, EURUSD)
    assert desk.filled(number) == []
    desk.set(1.2000, 1.2001, 1e6, 1e6, EURUSD)
    assert desk.filled(number) == [(10, 370.02)]
