"""The books: cash, positions and gains agree at every moment."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.model import UNSET_DOUBLE, Contract, Forex, Future, LimitOrder, MarketOrder, Option, Stock
from ibkit.paper.broker import INSTANT, Models
from ibkit.paper.broker.accounts import Account, day_start, next_day
from ibkit.paper.broker.marks import Marks
from ibkit.paper.instruments import Instrument
from tests.paper.broker.scripted import AAPL, CATALOGUE, EURUSD, Desk, Script, at, instrument

SAP = Stock("SAP", "SMART", "EUR")
ES = Future("ES", "202403", "CME")
USDJPY = Forex("USDJPY")
EURJPY = Forex("EURJPY")
CALL = Option("MSFT", "20240119", 300, "C", "SMART")
MSFT = Stock("MSFT", "SMART", "USD")


def world(desk: Desk, now: float) -> list[Instrument]:
    """Prices for a bit of everything."""
    market = desk.market
    market.set(ES, now - 1, 4500.00, 4500.25, 50, 50)
    market.set(SAP, now - 1, 150.00, 150.02, 300, 300)
    market.set(USDJPY, now - 1, 145.00, 145.01, 1e6, 1e6)
    market.set(EURJPY, now - 1, 159.50, 159.52, 1e6, 1e6)
    market.set(MSFT, now - 1, 300.00, 300.02)
    market.set(CALL, now - 1, 5.00, 5.05, 10, 10)
    return [instrument(c) for c in (AAPL, ES, SAP, EURUSD, USDJPY, EURJPY, MSFT, CALL)]


def test_cost_and_gain_as_ib_counts_them() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100))
    (position,) = desk.broker.positions()
    assert (position.position, position.avgCost) == (100, pytest.approx(100.03))  # 100.02 + 1.00 / 100
    assert desk.notes.commissions[0].realizedPNL == UNSET_DOUBLE
    desk.set(101.00, 101.02)
    desk.place(MarketOrder("SELL", 40))
    report = desk.notes.commissions[1]
    assert report.commission == pytest.approx(1.0 + 40 * 0.000166 + 4040 * 0.0000278, abs=1e-6)
    assert report.realizedPNL == pytest.approx(40 * 101.00 - report.commission - 40 * 100.03)
    (item,) = desk.broker.portfolio(desk.now, Desk.ACCOUNT)
    assert (item.position, item.averageCost) == (60, pytest.approx(100.03))
    assert item.marketPrice == 101.00  # the last trade, held within the quote
    assert item.marketValue == pytest.approx(6060)
    assert item.unrealizedPNL == pytest.approx(60 * (101.00 - 100.03))
    assert item.realizedPNL == pytest.approx(report.realizedPNL)


def test_short_positions() -> None:
    desk = Desk()
    desk.place(MarketOrder("SELL", 100))
    (position,) = desk.broker.positions()
    cost = desk.notes.commissions[0].commission
    assert (position.position, position.avgCost) == (-100, pytest.approx(100.00 - cost / 100))
    desk.set(99.00, 99.02)
    desk.place(MarketOrder("BUY", 150))  # through zero
    (position,) = desk.broker.positions()
    assert (position.position, position.avgCost) == (50, pytest.approx(99.02 + 1.0 / 150))
    assert desk.notes.commissions[1].realizedPNL == pytest.approx(100 * (100.00 - 99.02) - cost - 100 / 150)


def test_a_closed_position_is_told_once_with_size_zero() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100))
    desk.place(MarketOrder("SELL", 100))
    assert [p.position for p in desk.notes.positions] == [100, 0]
    assert desk.broker.positions() == []
    (item,) = desk.broker.portfolio(desk.now, Desk.ACCOUNT)
    assert (item.position, item.marketValue, item.unrealizedPNL) == (0, 0, 0)
    assert item.realizedPNL < 0


def test_futures_count_the_multiplier_and_move_no_cash() -> None:
    desk = Desk()
    world(desk, desk.now)
    desk.place(MarketOrder("BUY", 2), ES)
    (position,) = desk.broker.positions()
    assert position.avgCost == pytest.approx(4500.25 * 50 + 2.25)
    assert desk.value("TotalCashValue") == pytest.approx(1_000_000 - 4.50)
    assert desk.value("NetLiquidation") == pytest.approx(1_000_000 - 4.50 - 2 * 50 * 0.125, abs=13)
    desk.set(4510.00, 4510.25, 50, 50, ES)
    desk.place(MarketOrder("SELL", 2), ES)
    assert desk.value("TotalCashValue") == pytest.approx(1_000_000 + 2 * 50 * 9.75 - 9.0)
    assert desk.value("InitMarginReq") == 0
    assert desk.notes.commissions[1].realizedPNL == pytest.approx(2 * 50 * 9.75 - 9.0)


def test_forex_moves_two_currencies() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100_000), EURUSD)
    assert desk.value("CashBalance", "EUR") == pytest.approx(100_000)
    assert desk.value("CashBalance") == pytest.approx(1_000_000 - 110_010 - 2.2002)
    assert desk.notes.commissions[0].commission == pytest.approx(2.2002)
    (position,) = desk.broker.positions()
    assert (position.position, position.avgCost) == (100_000, pytest.approx(1.1001))
    desk.set(1.2000, 1.2001, 1e6, 1e6, EURUSD)
    (item,) = desk.broker.portfolio(desk.now, Desk.ACCOUNT)
    assert item.unrealizedPNL == pytest.approx(100_000 * (1.20005 - 1.1001))
    assert desk.value("NetLiquidation") == pytest.approx(1_000_000 + item.unrealizedPNL - 2.2002, abs=0.01)


def test_yen_convert_through_the_pair_that_exists() -> None:
    desk = Desk()
    world(desk, desk.now)
    desk.place(MarketOrder("BUY", 30_000), USDJPY)
    assert desk.value("CashBalance", "JPY") == pytest.approx(-30_000 * 145.01)
    assert desk.value("ExchangeRate", "JPY") == pytest.approx(1 / 145.005)
    assert desk.notes.commissions[0].currency == "USD"
    assert desk.notes.commissions[0].commission == 2.0


def test_foreign_stocks_are_paid_in_their_own_currency() -> None:
    desk = Desk()
    world(desk, desk.now)
    desk.place(MarketOrder("BUY", 100), SAP)
    assert desk.value("CashBalance", "EUR") == pytest.approx(-15_002 - 7.501)
    assert desk.value("StockMarketValue", "EUR") == pytest.approx(15_001)
    desk.set(1.3000, 1.3001, 1e6, 1e6, EURUSD)
    # What is held is financed in euros: the rate moves the gain alone.
    assert desk.value("NetLiquidation") == pytest.approx(1_000_000 + 1.30005 * (15_001 - 15_002 - 7.501), abs=0.01)


def test_daily_gain_starts_at_midnight_in_new_york() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100))
    desk.set(110.00, 110.02)
    first = desk.broker.pnl(desk.now, Desk.ACCOUNT, "")
    assert first.dailyPnL == pytest.approx(100 * (110.00 - 100.02) - 1.0)
    desk.go(to=at("20240109 08:00"))
    assert desk.broker.pnl(desk.now, Desk.ACCOUNT, "").dailyPnL == 0
    desk.market.set(AAPL, at("20240109 09:40"), 112.00, 112.02)
    desk.go(to=at("20240109 10:00"))
    pnl = desk.broker.pnl(desk.now, Desk.ACCOUNT, "")
    single = desk.broker.pnl_single(desk.now, Desk.ACCOUNT, "", instrument(AAPL).con_id)
    assert (pnl.dailyPnL, single.dailyPnL) == (pytest.approx(200), pytest.approx(200))
    assert (single.position, single.value) == (100, pytest.approx(11_200))
    assert pnl.unrealizedPnL == pytest.approx(100 * (112.00 - 100.02) - 1.0)
    assert pnl.realizedPnL == 0
    desk.place(MarketOrder("SELL", 100))
    pnl = desk.broker.pnl(desk.now, Desk.ACCOUNT, "")
    assert pnl.unrealizedPnL == 0
    assert pnl.dailyPnL == pytest.approx(200 - desk.notes.commissions[-1].commission)


def test_unknown_positions_have_no_pnl() -> None:
    desk = Desk()
    single = desk.broker.pnl_single(desk.now, Desk.ACCOUNT, "", 1)
    assert single.position == 0
    assert single.dailyPnL != single.dailyPnL
    assert desk.broker.pnl(desk.now, Desk.ACCOUNT, "model").dailyPnL != 0


def test_options_have_no_loan_value_and_short_ones_cost_margin() -> None:
    desk = Desk()
    world(desk, desk.now)
    desk.place(MarketOrder("BUY", 2), CALL)
    assert desk.value("OptionMarketValue") == pytest.approx(2 * 100 * 5.025)
    assert desk.value("EquityWithLoanValue") == pytest.approx(1_000_000 - 2 * 505 - 1.30)
    assert desk.value("InitMarginReq") == 0
    desk.place(MarketOrder("SELL", 3), CALL)
    assert desk.value("InitMarginReq") == pytest.approx(100 * (5.025 + 0.2 * 300.01))


def test_values_and_summary_have_the_tags_of_tws() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 1000))
    rows = desk.broker.account_values(desk.now, Desk.ACCOUNT)
    values = {(row.tag, row.currency): row.value for row in rows}
    assert values["NetLiquidation", "USD"] == "999985.00"
    assert values["BuyingPower", "USD"] == f"{4 * (999_985 - 50_005):.2f}"
    assert values["Cushion", ""] == "0.974997"
    assert values["CashBalance", "BASE"] == values["CashBalance", "USD"] == "899975.0000"
    assert values["AccountReady", ""] == "true"
    tags = "NetLiquidation,BuyingPower,ReqTMargin,Nothing,Cushion"
    told = desk.broker.summary(desk.now, Desk.ACCOUNT, tags)
    assert [row.tag for row in told] == ["NetLiquidation", "BuyingPower", "ReqTMargin", "Cushion"]
    ledger = desk.broker.summary(desk.now, Desk.ACCOUNT, "$LEDGER")
    assert {row.currency for row in ledger} == {"BASE"}
    assert {row.currency for row in desk.broker.summary(desk.now, Desk.ACCOUNT, "$LEDGER:ALL")} == {"BASE", "USD"}
    assert {row.currency for row in desk.broker.summary(desk.now, Desk.ACCOUNT, "$LEDGER:USD")} == {"USD"}


def test_every_official_summary_tag_is_told() -> None:
    official = [
        "AccountType", "NetLiquidation", "TotalCashValue", "SettledCash", "AccruedCash", "BuyingPower",
        "EquityWithLoanValue", "PreviousDayEquityWithLoanValue", "GrossPositionValue", "ReqTEquity", "ReqTMargin",
        "SMA", "InitMarginReq", "MaintMarginReq", "AvailableFunds", "ExcessLiquidity", "Cushion", "FullInitMarginReq",
        "FullMaintMarginReq", "FullAvailableFunds", "FullExcessLiquidity", "LookAheadNextChange",
        "LookAheadInitMarginReq", "LookAheadMaintMarginReq", "LookAheadAvailableFunds", "LookAheadExcessLiquidity",
        "HighestSeverity", "DayTradesRemaining", "Leverage",
    ]  # fmt: skip
    told = Desk().broker.summary(at("10:00"), Desk.ACCOUNT, ",".join(official))
    assert [row.tag for row in told] == official


def test_the_day_begins_at_midnight() -> None:
    assert day_start(at("00:00")) == day_start(at("23:59:59")) == at("00:00")
    assert next_day(at("20240309 12:00")) == at("20240310 00:00")
    assert next_day(at("20240310 12:00")) - next_day(at("20240309 12:00")) == 23 * 3600


# -- laws -------------------------------------------------------------------------------------------------------

TRADES = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.integers(-5, 5).filter(bool),
        st.floats(0.90, 1.10),
        st.floats(0, 20),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(TRADES)
def test_cash_and_positions_reconcile(trades: list[tuple[int, int, float, float, bool]]) -> None:
    desk, now = Desk(), at("10:00")
    things = world(desk, now)
    marks = Marks(CATALOGUE, desk.market, "USD")
    account = Account("DU1", "USD", 1e6, {"USD": 1e6})
    account.roll(marks, now)
    held: dict[Instrument, float] = {}
    for n, lots, factor, fee, move in trades:
        thing, now = things[n], now + 60
        size = lots * (25_000.0 if thing.sec_type == "CASH" else 10.0)
        price = marks.mark(thing, now) * factor
        if move:  # the market moves, currencies too
            quote = desk.market.quote(thing, now)
            desk.market.set(thing, now, quote.bid * factor, quote.ask * factor)
        account.book(thing, size, price, fee, "USD" if thing.sec_type == "CASH" else thing.currency)
        held[thing] = held.get(thing, 0.0) + size
        total = account.net_liquidation(marks, now)
        gains = account.total(marks, now, "realized") + account.total(marks, now, "unrealized")
        assert total - 1e6 == pytest.approx(gains - account.charged(marks, now), abs=1e-4)
        daily = account.total(marks, now, "daily") - account.charged(marks, now, today=True)
        assert daily == pytest.approx(total - 1e6, abs=1e-4)
    for thing, size in held.items():
        assert account.holdings[thing.con_id].quantity == pytest.approx(size)
        if not size:
            assert account.holdings[thing.con_id].basis == 0


ACTIONS = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 3, 6]), st.booleans(), st.integers(1, 6), st.floats(-0.02, 0.02)), max_size=20
)


@settings(max_examples=60, deadline=None)
@given(ACTIONS, st.sampled_from([INSTANT, Models()]))
def test_orders_fills_positions_and_cash_agree(actions: list[tuple[int, bool, int, float]], models: Models) -> None:
    contracts: list[Contract] = [AAPL, ES, SAP, EURUSD, USDJPY, EURJPY, MSFT]
    desk = Desk(models)
    world(desk, desk.now)
    for n, limit, size, move in actions:
        contract = contracts[n]
        thing = instrument(contract)
        units = size * (10_000.0 if thing.sec_type == "CASH" else 1.0 if thing.sec_type == "FUT" else 100.0)
        quote = desk.market.quote(thing, desk.now)
        step = thing.rule.min_tick * 4
        price = round(quote.ask * (1 + move) / step) * step
        action = "BUY" if move > 0 else "SELL"
        desk.place(LimitOrder(action, units, price) if limit else MarketOrder(action, units), contract)
        bid = round(quote.bid * (1 + move / 3) / step) * step
        desk.market.set(thing, desk.now + 1, bid, bid + thing.rule.min_tick, 250, 250)
        desk.go(2)
        for report in desk.notes.reports:
            fills = desk.filled(report.order_id)
            latest = desk.report(report.order_id)
            total = sum(shares for shares, _ in fills)
            assert latest.status.filled == pytest.approx(total)
            assert total <= latest.order.totalQuantity + 1e-9
            if total:
                assert latest.status.avgFillPrice == pytest.approx(sum(s * p for s, p in fills) / total)
            if latest.order.orderType == "LMT":
                sign = 1 if latest.order.action == "BUY" else -1
                assert all((p - latest.order.lmtPrice) * sign <= 1e-9 for _, p in fills)
    sums: dict[int, float] = {}
    for fill in desk.notes.fills:
        sign = 1 if fill.execution.side == "BOT" else -1
        sums[fill.contract.conId] = sums.get(fill.contract.conId, 0.0) + sign * fill.execution.shares
    held = {p.contract.conId: p.position for p in desk.broker.positions()}
    assert held == {con_id: pytest.approx(size) for con_id, size in sums.items() if abs(size) > 1e-9}
    pnl = desk.broker.pnl(desk.now, Desk.ACCOUNT, "")
    assert desk.value("NetLiquidation") - 1e6 == pytest.approx(pnl.realizedPnL + pnl.unrealizedPnL, abs=0.02)
    assert pnl.dailyPnL == pytest.approx(pnl.realizedPnL + pnl.unrealizedPnL, abs=0.02)
    ids = [fill.execution.execId for fill in desk.notes.fills]
    assert len(set(ids)) == len(ids)


def test_script_is_a_market() -> None:
    script = Script()
    script.set(AAPL, 10.0, 1.0, 2.0)
    assert script.quote(instrument(AAPL), 9.0).bid != 1.0
    assert script.ticks(instrument(AAPL), 9.0, 10.0)[0].bid == 1.0
