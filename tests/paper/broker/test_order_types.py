"""Each order type, one story after the other, on a market written tick by tick."""

from __future__ import annotations

import pytest

from ibkit.model import LimitOrder, MarketOrder, Order, StopLimitOrder, StopOrder
from ibkit.paper.broker import INSTANT, REALISTIC, Fills, Latency, Models
from tests.paper.broker.scripted import AAPL, EURUSD, Desk, at, instrument

VISIBLE = Models(fills=Fills(queue_share=0.25), latency=Latency())


def order(kind: str, action: str = "BUY", size: float = 100, **fields: object) -> Order:
    return Order(orderType=kind, action=action, totalQuantity=size, **fields)


def test_market_order_takes_the_other_side() -> None:
    desk = Desk()
    buy, sell = desk.place(MarketOrder("BUY", 100)), desk.place(MarketOrder("SELL", 50))
    assert desk.filled(buy) == [(100, 100.02)]
    assert desk.filled(sell) == [(50, 100.00)]
    assert desk.report(buy).status.avgFillPrice == 100.02
    assert desk.position() == 50


def test_messages_of_a_fill_come_in_the_order_of_tws() -> None:
    desk = Desk(REALISTIC)
    desk.place(MarketOrder("BUY", 100))
    assert desk.notes.events == [("order", 1, "PreSubmitted")]
    desk.go(0.5)
    names = [event[:3:2] if event[0] == "order" else event[0] for event in desk.notes.events]
    assert names == [
        ("order", "PreSubmitted"),
        ("order", "Submitted"),
        "execution",
        ("order", "Filled"),
        "commission",
        "position",
        "account",
    ]
    (fill,), (cost,) = desk.notes.fills, desk.notes.commissions
    assert fill.commission is None
    assert cost.execId == fill.execution.execId
    assert cost.commission == 1.0


def test_limit_order_waits_and_fills_at_its_own_price() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 100, 99.90))
    assert desk.status(number) == "Submitted"
    desk.set(99.80, 99.85)
    assert desk.filled(number) == [(100, 99.90)]
    assert desk.notes.fills[0].execution.lastLiquidity == 1


def test_marketable_limit_order_gets_the_better_price() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("SELL", 100, 99.00))
    assert desk.filled(number) == [(100, 100.00)]
    assert desk.notes.fills[0].execution.lastLiquidity == 2


def test_partial_fills_by_the_size_at_the_touch() -> None:
    desk = Desk(VISIBLE)
    number = desk.place(MarketOrder("BUY", 450))
    assert desk.filled(number) == [(200, 100.02)]
    report = desk.report(number)
    assert (report.status.status, report.status.filled, report.status.remaining) == ("Submitted", 200, 250)
    desk.set(100.02, 100.04, ask_size=100)
    assert desk.filled(number) == [(200, 100.02), (100, 100.04)]
    desk.set(100.02, 100.05, ask_size=900)
    assert desk.filled(number)[2:] == [(150, 100.05)]
    report = desk.report(number)
    assert report.status.status == "Filled"
    assert report.status.avgFillPrice == pytest.approx((200 * 100.02 + 100 * 100.04 + 150 * 100.05) / 450)
    assert len({fill.execution.execId for fill in desk.notes.fills}) == 3
    assert [fill.execution.cumQty for fill in desk.notes.fills] == [200, 300, 450]


def test_the_same_size_is_not_sold_twice_and_comes_back() -> None:
    desk = Desk(VISIBLE)
    first, second = desk.place(MarketOrder("BUY", 150)), desk.place(MarketOrder("BUY", 100))
    assert desk.filled(first) == [(150, 100.02)]
    assert desk.filled(second) == [(50, 100.02)]
    desk.go(0.9)
    assert desk.filled(second) == [(50, 100.02)]
    desk.go(0.2)  # nobody else took it: the size is back after a second
    assert desk.filled(second) == [(50, 100.02), (50, 100.02)]


def test_prints_fill_a_resting_limit_order() -> None:
    desk = Desk(VISIBLE)
    number = desk.place(LimitOrder("BUY", 100, 100.00))
    desk.trade(100.00, 80)
    assert desk.filled(number) == [(20, 100.00)]  # a quarter: the queue ahead gets the rest
    desk.trade(99.99, 60)
    assert desk.filled(number) == [(20, 100.00), (60, 100.00)]


def test_no_quote_no_market_order() -> None:
    desk = Desk()
    desk.set(float("nan"), float("nan"), 0, 0)
    number = desk.place(MarketOrder("BUY", 100))
    assert desk.filled(number) == []
    desk.set(100.10, 100.12)
    assert desk.filled(number) == [(100, 100.12)]


def test_stop_order_waits_for_a_trade_at_its_price() -> None:
    desk = Desk()
    number = desk.place(StopOrder("SELL", 100, 99.50))
    report = desk.report(number)
    assert (report.status.status, report.status.whyHeld) == ("PreSubmitted", "trigger")
    desk.set(99.40, 99.42)  # the quote alone does not trigger a stock's stop
    assert desk.filled(number) == []
    desk.trade(99.50)
    assert desk.filled(number) == [(100, 99.40)]


def test_buy_stop_is_above_the_market() -> None:
    desk = Desk()
    number = desk.place(StopOrder("BUY", 100, 100.50))
    desk.trade(100.40)
    assert desk.filled(number) == []
    desk.trade(100.55)
    assert desk.filled(number) == [(100, 100.02)]


def test_stop_limit_order_keeps_its_limit_after_the_trigger() -> None:
    desk = Desk()
    number = desk.place(StopLimitOrder("SELL", 100, lmtPrice=99.45, stopPrice=99.50))
    desk.set(99.30, 99.32)
    desk.trade(99.48)
    assert desk.status(number) == "Submitted"
    assert desk.filled(number) == []
    desk.set(99.50, 99.52)
    assert desk.filled(number) == [(100, 99.45)]


def test_trailing_stop_follows_up_and_never_down() -> None:
    desk = Desk()
    number = desk.place(order("TRAIL", "SELL", auxPrice=0.50))
    assert desk.report(number).order.trailStopPrice > 1e9  # told once it has a first price
    desk.trade(101.00)
    desk.trade(100.60)
    assert desk.broker.open_orders()[0].order.trailStopPrice == 100.50
    assert desk.filled(number) == []
    desk.trade(100.49)
    assert desk.filled(number) == [(100, 100.00)]


def test_trailing_stop_by_percent_with_a_first_price() -> None:
    desk = Desk()
    number = desk.place(order("TRAIL", "BUY", trailingPercent=1.0, trailStopPrice=102.00))
    desk.trade(100.00)
    assert desk.broker.open_orders()[0].order.trailStopPrice == 101.00
    desk.trade(101.00)
    assert desk.filled(number) == [(100, 100.02)]


def test_trailing_stop_limit_moves_its_limit_along() -> None:
    desk = Desk()
    number = desk.place(order("TRAIL LIMIT", "SELL", auxPrice=0.50, lmtPriceOffset=0.10, trailStopPrice=99.40))
    desk.trade(100.30)
    shown = desk.broker.open_orders()[0].order
    assert (shown.trailStopPrice, shown.lmtPrice) == (99.80, 99.70)
    desk.set(99.60, 99.62)
    desk.trade(99.80)
    assert (desk.status(number), desk.filled(number)) == ("Submitted", [])
    desk.set(99.75, 99.77)
    assert desk.filled(number) == [(100, 99.70)]


def adjustable(kind: str, **fields: object) -> Order:
    """A sell stop at 99 that changes once the price has risen to 102."""
    return order("STP", "SELL", auxPrice=99.00, adjustedOrderType=kind, triggerPrice=102.00, **fields)


def test_a_stop_adjusted_to_a_better_stop() -> None:
    desk = Desk()
    number = desk.place(adjustable("STP", adjustedStopPrice=101.00))
    desk.trade(101.50)
    assert desk.report(number).order.auxPrice == 99.00
    desk.trade(102.00)
    shown = desk.report(number).order
    assert (shown.orderType, shown.auxPrice, shown.adjustedOrderType) == ("STP", 101.00, "None")
    assert desk.status(number) == "PreSubmitted"
    desk.trade(100.99)
    assert desk.filled(number) == [(100, 100.00)]


def test_a_stop_adjusted_to_a_stop_limit_and_to_trailing_stops() -> None:
    desk = Desk()
    limit = desk.place(adjustable("STP LMT", adjustedStopPrice=101.00, adjustedStopLimitPrice=100.50))
    amount = desk.place(adjustable("TRAIL", adjustedStopPrice=101.00, adjustedTrailingAmount=0.50))
    percent = desk.place(
        adjustable("TRAIL", adjustedStopPrice=101.00, adjustedTrailingAmount=1.0, adjustableTrailingUnit=100)
    )
    desk.trade(102.00)
    desk.trade(103.00)
    shown = {report.order_id: report.order for report in desk.broker.open_orders()}
    assert (shown[limit].orderType, shown[limit].auxPrice, shown[limit].lmtPrice) == ("STP LMT", 101.00, 100.50)
    assert (shown[amount].orderType, shown[amount].trailStopPrice) == ("TRAIL", 102.50)
    assert (shown[percent].trailStopPrice, shown[percent].trailingPercent) == (101.97, 1.0)


def test_market_if_touched_is_below_the_market_for_a_buyer() -> None:
    desk = Desk()
    number = desk.place(order("MIT", auxPrice=99.00))
    desk.trade(99.10)
    assert desk.filled(number) == []
    desk.trade(99.00)
    assert desk.filled(number) == [(100, 100.02)]


def test_limit_if_touched_keeps_its_limit() -> None:
    desk = Desk()
    number = desk.place(order("LIT", auxPrice=99.50, lmtPrice=99.20))
    desk.set(99.45, 99.47)
    desk.trade(99.47)
    assert desk.filled(number) == []
    desk.set(99.10, 99.15)
    assert desk.filled(number) == [(100, 99.20)]


def test_market_to_limit_leaves_the_rest_at_the_first_price() -> None:
    desk = Desk(VISIBLE)
    number = desk.place(order("MTL", size=300))
    assert desk.filled(number) == [(200, 100.02)]
    assert desk.report(number).order.lmtPrice == 100.02
    desk.set(100.02, 100.05, ask_size=900)
    assert desk.filled(number) == [(200, 100.02)]
    desk.set(99.98, 100.00, ask_size=900)
    assert desk.filled(number) == [(200, 100.02), (100, 100.02)]


def test_market_on_close_takes_the_last_price() -> None:
    desk = Desk()
    number = desk.place(order("MOC"))
    assert desk.status(number) == "Submitted"
    desk.market.trade(AAPL, at("15:59:59"), 101.37)
    desk.market.trade(AAPL, at("16:00:01"), 105.00)
    desk.go(to=at("16:00:02"))
    assert desk.filled(number) == [(100, 101.37)]
    assert desk.notes.fills[0].execution.time.timestamp() == at("16:00")


def test_limit_on_close_is_cancelled_when_the_close_is_worse() -> None:
    desk = Desk()
    good, bad = desk.place(order("LOC", lmtPrice=102.00)), desk.place(order("LOC", lmtPrice=101.00))
    desk.market.trade(AAPL, at("15:59:59"), 101.37)
    desk.go(to=at("16:00:01"))
    assert desk.filled(good) == [(100, 101.37)]
    assert (desk.filled(bad), desk.status(bad), desk.codes(bad)) == ([], "Cancelled", [202])


def test_opening_orders_trade_with_the_first_print_of_the_next_day() -> None:
    desk = Desk()
    market, limit = desk.place(order("MKT", tif="OPG")), desk.place(order("LMT", tif="OPG", lmtPrice=100.00))
    desk.market.set(AAPL, at("20240109 09:30:00.125"), 100.90, 101.10)
    desk.market.trade(AAPL, at("20240109 09:30:00.375"), 101.00)
    desk.go(to=at("20240109 09:31"))
    assert desk.filled(market) == [(100, 101.00)]
    assert (desk.filled(limit), desk.status(limit)) == ([], "Cancelled")


def test_relative_order_hangs_on_its_own_side() -> None:
    desk = Desk()
    number = desk.place(order("REL", auxPrice=0.01, lmtPrice=100.50))  # bids 100.01
    desk.trade(100.01, 40)
    desk.go(1)
    assert desk.filled(number) == [(100, 100.01)]
    capped = desk.place(order("REL", auxPrice=0.01, lmtPrice=99.90))
    desk.trade(99.95, 40)
    assert desk.filled(capped) == []


def test_midpoint_order_trades_at_the_middle() -> None:
    desk = Desk()
    number = desk.place(order("MIDPRICE", lmtPrice=101.00))
    desk.trade(100.00)
    assert desk.filled(number) == [(100, 100.01)]


@pytest.mark.parametrize(
    ("kind", "offset", "limit"), [("SNAP MKT", 0.01, 100.01), ("SNAP PRIM", 0.01, 100.01), ("SNAP MID", 0.0, 100.01)]
)
def test_snap_orders_take_the_quote_once(kind: str, offset: float, limit: float) -> None:
    desk = Desk()
    number = desk.place(order(kind, auxPrice=offset))
    desk.set(100.50, 100.52)
    desk.trade(100.50)
    assert desk.filled(number) == []
    desk.set(99.00, 99.02)
    assert desk.filled(number) == [(100, limit)]


def test_pegged_to_market_follows_the_other_side() -> None:
    desk = Desk()
    number = desk.place(order("PEG MKT", auxPrice=0.02))  # bids ask - 0.02
    desk.set(100.48, 100.52)
    desk.trade(100.48)
    assert desk.filled(number) == [(100, 100.50)]


def test_all_or_none_and_fill_or_kill() -> None:
    desk = Desk(VISIBLE)
    every = desk.place(LimitOrder("BUY", 300, 100.02, allOrNone=True))
    kill = desk.place(LimitOrder("BUY", 300, 100.02, tif="FOK"))
    assert desk.filled(every) == desk.filled(kill) == []
    assert desk.status(kill) == "Cancelled"
    desk.set(100.00, 100.02, ask_size=500)
    assert desk.filled(every) == [(300, 100.02)]


def test_immediate_or_cancel_takes_what_is_there() -> None:
    desk = Desk(VISIBLE)
    number = desk.place(LimitOrder("BUY", 300, 100.05, tif="IOC"))
    assert desk.filled(number) == [(200, 100.02)]
    assert (desk.status(number), desk.codes(number)) == ("Cancelled", [202])


def test_slippage_hits_market_orders_only() -> None:
    desk = Desk(Models(fills=INSTANT.fills, latency=Latency(), slippage=2))
    market, limit = desk.place(MarketOrder("BUY", 100)), desk.place(LimitOrder("BUY", 100, 101.00))
    assert desk.filled(market) == [(100, pytest.approx(100.04))]
    assert desk.filled(limit) == [(100, 100.02)]


def test_forex_stop_looks_at_the_quote() -> None:
    desk = Desk()
    number = desk.place(StopOrder("SELL", 100_000, 1.0950), EURUSD)
    desk.set(1.0949, 1.0951, 1e6, 1e6, EURUSD)
    assert desk.filled(number) == []
    desk.set(1.0948, 1.0949, 1e6, 1e6, EURUSD)  # a sale is triggered by the ask
    assert desk.filled(number) == [(100_000, 1.0948)]


def test_execution_carries_what_tws_tells() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100, orderRef="mine"))
    (fill,) = desk.notes.fills
    execution = fill.execution
    assert (execution.side, execution.acctNumber, execution.orderRef) == ("BOT", Desk.ACCOUNT, "mine")
    assert (execution.clientId, execution.orderId, execution.exchange) == (1, 1, "NASDAQ")
    assert execution.permId == desk.report(1).order.permId
    parts = execution.execId.split(".")
    assert [len(part) for part in parts] == [8, 8, 2, 2]
    assert fill.contract.conId == instrument(AAPL).con_id
    assert fill.contract.exchange == "SMART"
    assert fill.zone == "US/Eastern"
