"""The way of orders: hours, times in force, changes, cancels, families, OCA groups."""

from __future__ import annotations

import pytest

from ibkit.model import LimitOrder, MarketOrder, Order, Stock, StopOrder
from ibkit.paper.broker import INSTANT, REALISTIC, Fills, Latency, Models
from tests.paper.broker.scripted import AAPL, EURUSD, Desk, at

VISIBLE = Models(fills=Fills(), latency=Latency())
MSFT = Stock("MSFT", "SMART", "USD")
SLOW = Models(latency=Latency(1.0, 1.0), fills=INSTANT.fills)


# -- hours and time in force ------------------------------------------------------------------------------------


def test_a_day_order_ends_with_the_regular_session() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0))
    desk.go(to=at("15:59:59"))
    assert desk.status(number) == "Submitted"
    desk.go(to=at("16:00"))
    assert (desk.status(number), desk.codes(number)) == ("Cancelled", [202])
    completed = desk.broker.completed_orders()[0]
    assert completed.state.completedTime == "20240108 16:00:00 US/Eastern"
    assert completed.state.completedStatus == "Cancelled by System"


def test_outside_rth_ends_with_the_evening_session() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0, outsideRth=True))
    desk.go(to=at("19:59:59"))
    assert desk.status(number) == "Submitted"
    desk.go(to=at("20:00"))
    assert desk.status(number) == "Cancelled"


def test_a_gtc_order_sleeps_at_night_and_works_in_the_morning() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0, tif="GTC"))
    desk.market.set(AAPL, at("17:00"), 89.0, 89.1)  # the evening does not count
    desk.go(to=at("18:00"))
    assert (desk.status(number), desk.filled(number)) == ("PreSubmitted", [])
    desk.market.set(AAPL, at("20240109 09:30:00.125"), 89.5, 89.6)
    desk.go(to=at("20240109 09:30"))
    assert (desk.status(number), desk.filled(number)) == ("Submitted", [])  # yesterday's quote is no market
    desk.go(to=at("20240109 09:30:01"))
    assert desk.filled(number) == [(100, 89.6)]  # it opened below the limit


def test_a_market_order_after_hours_is_held_until_the_open() -> None:
    desk = Desk(now=at("20240106 12:00"))  # Saturday
    number = desk.place(MarketOrder("BUY", 100))
    assert (desk.status(number), desk.codes(number)) == ("PreSubmitted", [399])
    assert desk.broker.next_due(desk.now) == at("09:30")
    desk.market.set(AAPL, at("09:30:00.125"), 101.0, 101.1)
    desk.go(to=at("09:31"))
    assert desk.filled(number) == [(100, 101.1)]


def test_good_till_date() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0, tif="GTD", goodTillDate="20240108 18:30:00 UTC"))
    evening = desk.place(LimitOrder("BUY", 100, 90.0, tif="GTD", goodTillDate="20240109"))
    desk.go(to=at("13:30:01"))
    assert (desk.status(number), desk.status(evening)) == ("Cancelled", "Submitted")
    assert desk.codes() == [202]
    desk.go(to=at("20240109 16:00"))
    assert desk.status(evening) == "Cancelled"


def test_minutes() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0, tif="Minutes", duration=5))
    desk.go(299)
    assert desk.status(number) == "Submitted"
    desk.go(1)
    assert desk.status(number) == "Cancelled"


def test_forex_trades_around_the_clock() -> None:
    desk = Desk(now=at("20:00"))
    number = desk.place(MarketOrder("BUY", 30_000), EURUSD)
    assert desk.filled(number) == [(30_000, 1.1001)]
    day = desk.place(LimitOrder("BUY", 30_000, 1.05, tif="DAY"), EURUSD)
    desk.go(to=at("20240109 16:59:59"))
    assert desk.status(day) == "Submitted"
    desk.go(to=at("20240109 17:00"))
    assert desk.status(day) == "Cancelled"


# -- changing and cancelling ------------------------------------------------------------------------------------


def test_a_change_takes_the_new_price() -> None:
    desk = Desk(SLOW)
    number = desk.place(LimitOrder("BUY", 100, 90.0))
    desk.go(2)
    desk.place(LimitOrder("BUY", 200, 101.0), order_id=number)
    assert desk.report(number).order.lmtPrice == 90.0  # still on its way
    desk.go(1)
    report = desk.report(number)
    assert (report.order.lmtPrice, report.order.totalQuantity) == (101.0, 200)
    assert desk.filled(number) == [(200, 100.02)]
    assert len({r.order.permId for r in desk.notes.reports}) == 1


def test_a_fill_overtakes_a_change() -> None:
    desk = Desk(SLOW)
    number = desk.place(LimitOrder("BUY", 100, 99.95))
    desk.go(2)
    desk.place(LimitOrder("BUY", 100, 90.0), order_id=number)
    desk.market.set(AAPL, desk.now + 0.5, 99.90, 99.92)
    desk.go(2)
    assert desk.filled(number) == [(100, 99.95)]
    assert desk.codes(number) == [104]


def test_what_a_change_may_not_touch() -> None:
    desk = Desk(VISIBLE)
    number = desk.place(LimitOrder("BUY", 300, 100.02))
    desk.place(LimitOrder("SELL", 300, 100.02), order_id=number)
    desk.place(LimitOrder("BUY", 300, 100.02), MSFT, order_id=number)
    desk.place(StopOrder("BUY", 300, 110.00), order_id=number)
    desk.place(LimitOrder("BUY", 200, 100.02), order_id=number)  # 200 are filled
    desk.place(LimitOrder("BUY", 300, 100.025), order_id=number)
    assert desk.codes(number) == [105, 105, 329, 104, 110]
    assert (desk.status(number), desk.report(number).status.remaining) == ("Submitted", 100)
    desk.place(MarketOrder("BUY", 300), order_id=number)
    desk.set(100.10, 100.12)
    assert desk.filled(number) == [(200, 100.02), (100, 100.12)]


def test_a_change_loses_the_place_in_the_book() -> None:
    desk = Desk(VISIBLE)
    number = desk.place(LimitOrder("BUY", 100, 100.00))
    desk.place(LimitOrder("BUY", 100, 100.01), order_id=number)
    desk.set(100.00, 100.01, ask_size=500)
    assert desk.filled(number) == [(100, 100.01)]


def test_cancel_is_confirmed() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0))
    desk.cancel(number)
    assert desk.notes.events[-2:] == [("error", number, 202), ("status", number, "Cancelled")]
    assert desk.notes.errors[-1][2] == "Order Canceled - reason:"
    assert desk.broker.completed_orders()[0].state.completedStatus == "Cancelled by Trader"


def test_an_order_may_fill_while_its_cancel_is_under_way() -> None:
    desk = Desk(SLOW)
    number = desk.place(LimitOrder("BUY", 100, 99.95))
    desk.go(2)
    desk.cancel(number)
    assert desk.status(number) == "PendingCancel"
    desk.cancel(number)
    assert desk.codes(number) == [161]
    desk.market.set(AAPL, desk.now + 0.5, 99.90, 99.92)
    desk.go(2)
    assert (desk.status(number), desk.filled(number)) == ("Filled", [(100, 99.95)])
    assert 202 not in desk.codes()


def test_cancels_that_cannot_be() -> None:
    desk = Desk()
    desk.cancel(77)
    filled, other = desk.place(MarketOrder("BUY", 100)), desk.place(LimitOrder("BUY", 1, 90.0), client_id=2)
    desk.cancel(filled)
    desk.cancel(other + 7)
    assert [(code, text) for _, code, text in desk.notes.errors] == [
        (10147, "OrderId 77 that needs to be cancelled is not found."),
        (10148, f"OrderId {filled} that needs to be cancelled cannot be cancelled, state: Filled."),
        (10147, f"OrderId {other + 7} that needs to be cancelled is not found."),
    ]


def test_global_cancel_ends_the_orders_of_all_clients() -> None:
    desk = Desk(REALISTIC)
    desk.place(LimitOrder("BUY", 100, 90.0))
    desk.place(StopOrder("SELL", 100, 90.0), client_id=2)
    desk.go(1)
    desk.broker.global_cancel(desk.now)
    desk.go(1)
    assert desk.broker.open_orders() == []
    assert desk.codes() == [202, 202]


def test_deactivated_orders_stay_but_do_not_work() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 99.95))
    desk.place(LimitOrder("BUY", 100, 99.95, deactivate=True), order_id=number)
    assert desk.status(number) == "Inactive"
    desk.set(99.0, 99.1)
    assert desk.filled(number) == []
    assert len(desk.broker.open_orders()) == 1
    desk.place(LimitOrder("BUY", 100, 99.95), order_id=number)
    assert desk.filled(number) == [(100, 99.1)]


# -- families ---------------------------------------------------------------------------------------------------


def bracket(desk: Desk, size: float = 100, entry: float = 99.50, take: float = 101.0, stop: float = 98.0) -> list[int]:
    parent = desk.place(LimitOrder("BUY", size, entry, transmit=False))
    profit = desk.place(LimitOrder("SELL", size, take, parentId=parent, transmit=False))
    return [parent, profit, desk.place(StopOrder("SELL", size, stop, parentId=parent))]


def test_nothing_is_sent_before_the_last_child() -> None:
    desk = Desk()
    parent = desk.place(LimitOrder("BUY", 100, 100.10, transmit=False))
    desk.place(LimitOrder("SELL", 100, 101.0, parentId=parent, transmit=False))
    desk.go(60)
    assert desk.notes.events == []
    assert desk.broker.open_orders() == []
    desk.place(StopOrder("SELL", 100, 98.0, parentId=parent))
    assert desk.filled(parent) == [(100, 100.02)]


def test_children_wait_for_the_parent_and_one_ends_the_other() -> None:
    desk = Desk()
    parent, profit, stop = bracket(desk)
    assert [desk.status(n) for n in (parent, profit, stop)] == ["Submitted", "PreSubmitted", "PreSubmitted"]
    assert [desk.report(n).status.whyHeld for n in (parent, profit, stop)] == ["", "child", "child,trigger"]
    group = str(desk.report(parent).order.permId)
    assert [(desk.report(n).order.ocaGroup, desk.report(n).status.parentId) for n in (profit, stop)] == [
        (group, parent)
    ] * 2
    desk.set(99.45, 99.48)
    assert [desk.status(n) for n in (parent, profit, stop)] == ["Filled", "Submitted", "PreSubmitted"]
    assert desk.report(stop).status.whyHeld == "trigger"
    desk.set(101.20, 101.22)
    assert desk.filled(profit) == [(100, 101.0)]
    assert (desk.status(stop), desk.codes(stop)) == ("Cancelled", [202])
    assert desk.position() == 0
    assert desk.broker.open_orders() == []


def test_the_stop_ends_the_profit_taker() -> None:
    desk = Desk()
    _, profit, stop = bracket(desk)
    desk.set(99.45, 99.48)
    desk.set(97.90, 97.95)
    desk.trade(97.95)
    assert desk.filled(stop) == [(100, 97.90)]
    assert desk.status(profit) == "Cancelled"


def test_partly_filled_children_shrink_each_other() -> None:
    desk = Desk(VISIBLE)
    parent, profit, stop = bracket(desk, size=200)
    desk.set(99.40, 99.50, ask_size=200)
    assert desk.status(parent) == "Filled"
    desk.set(101.00, 101.05, bid_size=50)
    report = desk.report(stop)
    assert desk.filled(profit) == [(50, 101.0)]
    assert (report.status.status, report.status.remaining, report.order.totalQuantity) == ("PreSubmitted", 150, 150)
    desk.set(97.90, 97.95, bid_size=500)
    desk.trade(97.90)
    assert desk.filled(stop) == [(150, 97.90)]
    assert desk.status(profit) == "Cancelled"
    assert desk.position() == 0


def test_cancelling_the_parent_cancels_the_children() -> None:
    desk = Desk()
    parent, profit, stop = bracket(desk)
    desk.cancel(parent)
    assert [desk.status(n) for n in (parent, profit, stop)] == ["Cancelled"] * 3
    assert desk.codes() == [202] * 3


def test_children_of_a_partly_filled_parent_keep_what_it_traded() -> None:
    desk = Desk(VISIBLE)
    bracket(desk, size=200, entry=100.02)
    desk.set(100.10, 100.12)
    parent, profit, _ = bracket(desk, size=400, entry=100.12)
    assert desk.filled(parent) == [(200, 100.12)]
    desk.cancel(parent)
    assert (desk.status(profit), desk.report(profit).status.remaining) == ("Submitted", 200)


def test_cancelling_one_child_leaves_the_other() -> None:
    desk = Desk()
    parent, profit, stop = bracket(desk)
    desk.cancel(profit)
    assert [desk.status(n) for n in (parent, profit, stop)] == ["Submitted", "Cancelled", "PreSubmitted"]


def test_a_rejected_parent_takes_its_children_along() -> None:
    desk = Desk()
    parent, _, _ = bracket(desk, size=50_000)
    assert desk.status(parent) == "Inactive"
    assert desk.broker.open_orders() == []
    assert desk.codes(parent) == [201]
    late = desk.place(LimitOrder("SELL", 100, 101.0, parentId=parent))
    assert desk.codes(late) == [201]


def test_a_child_of_a_filled_parent_works_at_once() -> None:
    desk = Desk()
    parent = desk.place(MarketOrder("BUY", 100))
    child = desk.place(LimitOrder("SELL", 100, 101.0, parentId=parent))
    assert desk.status(child) == "Submitted"


def test_grandchildren_go_with_the_family() -> None:
    desk = Desk()
    first = desk.place(LimitOrder("BUY", 100, 90.0, transmit=False))
    second = desk.place(LimitOrder("SELL", 100, 101.0, parentId=first, transmit=False))
    desk.place(LimitOrder("BUY", 100, 89.0, parentId=second))
    assert [(r.order_id, r.status.status) for r in desk.notes.reports] == [
        (1, "Submitted"),
        (2, "PreSubmitted"),
        (3, "PreSubmitted"),
    ]


def test_time_does_not_run_backwards() -> None:
    desk = Desk()
    desk.go(60)
    desk.broker.advance(desk.now - 30)
    desk.broker.place(desk.now - 30, 1, 1, AAPL, MarketOrder("BUY", 100))
    assert desk.notes.fills[0].execution.time.timestamp() == desk.now


def test_staged_orders_can_be_changed_and_sent() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0, transmit=False))
    desk.place(LimitOrder("BUY", 50, 101.0), order_id=number)
    assert desk.filled(number) == [(50, 100.02)]


def test_staged_orders_can_be_cancelled() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 90.0, transmit=False))
    desk.cancel(number)
    assert (desk.status(number), desk.codes(number)) == ("ApiCancelled", [202])


def test_auto_cancel_parent() -> None:
    desk = Desk()
    parent = desk.place(LimitOrder("BUY", 100, 90.0))
    child = desk.place(LimitOrder("SELL", 100, 101.0, parentId=parent, autoCancelParent=True))
    desk.cancel(child)
    assert desk.status(parent) == "Cancelled"


# -- OCA --------------------------------------------------------------------------------------------------------


def oca(desk: Desk, kind: int, first: Order, second: Order) -> tuple[int, int]:
    for order in (first, second):
        order.ocaGroup, order.ocaType = "mine", kind
    return desk.place(first), desk.place(second)


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_a_full_fill_cancels_the_group(kind: int) -> None:
    desk = Desk()
    first, second = oca(desk, kind, LimitOrder("BUY", 100, 99.9), LimitOrder("BUY", 50, 99.8))
    stranger = desk.place(LimitOrder("BUY", 50, 99.7, ocaGroup="other"))
    desk.set(99.85, 99.9)
    assert desk.filled(first) == [(100, 99.9)]
    assert [desk.status(second), desk.status(stranger)] == ["Cancelled", "Submitted"]


@pytest.mark.parametrize(
    ("kind", "status", "left"), [(1, "Cancelled", 100), (2, "Submitted", 60), (3, "Submitted", 60)]
)
def test_a_partial_fill_cancels_or_reduces(kind: int, status: str, left: float) -> None:
    desk = Desk(VISIBLE)
    first, second = oca(desk, kind, LimitOrder("BUY", 100, 99.9), LimitOrder("BUY", 100, 99.8))
    desk.set(99.85, 99.9, ask_size=40)
    assert desk.filled(first) == [(40, 99.9)]
    assert (desk.status(second), desk.report(second).status.remaining) == (status, left)


def test_the_group_shrinks_in_proportion() -> None:
    desk = Desk(VISIBLE)
    _, second = oca(desk, 2, LimitOrder("BUY", 100, 99.9), LimitOrder("BUY", 300, 99.8))
    desk.set(99.85, 99.9, ask_size=50)
    assert desk.report(second).status.remaining == 150


# -- delays -----------------------------------------------------------------------------------------------------


def test_an_order_meets_the_market_when_it_gets_there() -> None:
    desk = Desk(REALISTIC)
    number = desk.place(MarketOrder("BUY", 100))
    desk.market.set(AAPL, desk.now + 0.01, 100.20, 100.22)
    desk.go(1)
    assert desk.filled(number) == [(100, 100.22)]
    delay = desk.notes.fills[0].execution.time.timestamp() - at("10:00")
    assert 0.05 <= delay <= 0.15


def test_several_steps_of_time_or_one() -> None:
    def run(steps: int) -> list[tuple[object, ...]]:
        desk = Desk(REALISTIC)
        for n in range(40):
            desk.market.set(AAPL, desk.now + n * 0.25 + 0.125, 100 + n * 0.01, 100.02 + n * 0.01, 100, 100)
        bracket(desk, size=300, entry=100.10, take=100.30, stop=98.0)
        desk.place(MarketOrder("SELL", 500))
        for _ in range(steps):
            desk.go(20 / steps)
        return desk.notes.events

    assert run(1) == run(4) == run(64)
