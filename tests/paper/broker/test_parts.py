"""The small parts on their own: fees, trigger methods, filters, texts of time, presets."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.model import ExecutionFilter, Forex, Future, LimitOrder, MarketOrder, Option, Stock
from ibkit.paper.broker import PRESETS, Broker, Latency
from ibkit.paper.broker import hours as broker_hours
from ibkit.paper.broker.fees import FIXED, TABLES, Fee, fee
from ibkit.paper.broker.models import draw
from ibkit.paper.broker.triggers import Trigger, default_method
from ibkit.paper.instruments import futures, spots
from ibkit.paper.market import Tick
from tests.paper.broker.scripted import AAPL, CATALOGUE, EURUSD, Desk, at, instrument


def test_what_things_cost() -> None:
    stock = FIXED["stock_us"]
    assert stock.total(100, 16_500, False) == 1.0
    assert stock.total(1_000, 165_000, False) == 5.0
    assert stock.total(100, 50, False) == 0.5  # at most one percent
    assert FIXED["forex"].total(1_000_000, 1_100_000, True) == pytest.approx(22.0)
    assert FIXED["forex"].total(20_000, 22_000, True) == 2.0
    assert FIXED["option_us"].total(10, 5_000, True) == 6.5
    assert fee("fixed", instrument(Future("ES", "202403", "CME"))).total(2, 1e6, False) == 4.5
    assert fee("fixed", instrument(Future("MES", "202403", "CME"))).per_unit == 0.62
    assert fee("tiered", instrument(AAPL)).minimum == 0.35
    assert fee("none", instrument(AAPL)) == Fee()


def test_every_tradable_instrument_has_a_price() -> None:
    classes = {i.commission_class for i in spots.spots() if i.sec_type != "IND"} | {"option_us", "future_option"}
    assert classes <= set(FIXED)
    assert {f"future_{p.exchanges[0].lower()}" for p in futures.products()} <= set(FIXED)
    assert set(TABLES) == {"fixed", "tiered", "none"}


@given(st.lists(st.floats(1, 1000), min_size=1, max_size=20), st.booleans())
def test_an_order_costs_the_same_in_one_fill_or_many(sizes: list[float], sold: bool) -> None:
    row, charged = FIXED["stock_us"], 0.0
    total = 0.0
    for size in sizes:
        total += size
        charged += max(0.0, row.total(total, total * 100, sold) - charged)
    assert charged == pytest.approx(row.total(sum(sizes), sum(sizes) * 100, sold), abs=1e-5)


def quote(bid: float, ask: float, bid_size: float = 1, ask_size: float = 1) -> Tick:
    return Tick(0.0, "quote", bid, ask, bid_size, ask_size, nan, 0.0)


def trade(price: float, size: float = 1, bid: float = 9.0, ask: float = 11.0) -> Tick:
    return Tick(0.0, "trade", bid, ask, 1, 1, price, size)


def test_default_methods() -> None:
    kinds = [AAPL, EURUSD, Option("MSFT", "20240119", 300, "C", "SMART"), Future("ES", "202403", "CME")]
    assert [default_method(instrument(c)) for c in kinds] == [2, 4, 1, 2]


@pytest.mark.parametrize(
    ("method", "rising", "ticks", "expected"),
    [
        (2, True, [trade(9.9), quote(10.5, 10.6), trade(10.0)], [False, False, True]),
        (2, False, [trade(10.1), trade(9.9)], [False, True]),
        (3, True, [trade(10.0), trade(9.0), trade(10.0), trade(10.0)], [False, False, False, True]),
        (3, True, [trade(10.0, 1), trade(10.0, 2)], [False, True]),
        (4, True, [quote(9.9, 10.5), quote(10.0, 10.5)], [False, True]),
        (4, False, [quote(9.5, 10.1), quote(9.5, 10.0)], [False, True]),
        (1, True, [quote(10.0, 11), trade(10.0), quote(10.0, 11)], [False, False, True]),
        (1, False, [quote(8, 10.0), quote(8, 10.1), quote(8, 10.0), quote(8, 9.9)], [False, False, False, True]),
        (7, True, [quote(9.9, 11), trade(10.0), quote(10.0, 11)], [False, True, True]),
        (7, False, [quote(9.9, 11), trade(10.0)], [False, True]),
        (8, True, [quote(9.0, 10.9), quote(9.5, 10.5)], [False, True]),
    ],
)
def test_trigger_methods(method: int, rising: bool, ticks: list[Tick], expected: list[bool]) -> None:
    trigger = Trigger(instrument(AAPL), method, rising)
    assert [trigger.reached(tick, 10.0) for tick in ticks] == expected


def test_executions_pass_a_filter() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100))
    desk.go(60)
    desk.place(MarketOrder("SELL", 50_000), EURUSD)

    def found(**fields: object) -> list[str]:
        return [f.contract.symbol for f in desk.broker.executions(ExecutionFilter(**fields), 1)]  # type: ignore[arg-type]

    assert found() == ["AAPL", "EUR"]
    assert found(side="BUY") == found(side="BOT") == found(symbol="aapl") == found(secType="STK") == ["AAPL"]
    assert found(time="20240108 10:00:30 US/Eastern") == found(time="20240108-15:00:30") == ["EUR"]
    assert found(exchange="SMART") == found(exchange="NASDAQ") == ["AAPL"]
    assert found(clientId=2) == found(acctCode="DU7") == found(specificDates=[20240107]) == []
    assert found(specificDates=[20240108]) == found(clientId=1, acctCode=Desk.ACCOUNT) == ["AAPL", "EUR"]
    assert desk.broker.executions(ExecutionFilter(), 1)[0].commission is not None
    desk.go(to=at("20240109 12:00"))
    assert found() == []
    assert found(lastNDays=1) == ["AAPL", "EUR"]
    assert desk.broker.completed_orders() == []
    desk.go(to=at("20240117 12:00"))
    assert found(lastNDays=7) == []


def test_times_of_orders() -> None:
    apple = instrument(AAPL)
    assert broker_hours.start_of("20240108 10:30:00", apple) == at("10:30")
    assert broker_hours.start_of("20240108-15:30:00", apple) == at("10:30")
    assert broker_hours.start_of("20240108 09:30:00 US/Central", apple) == at("10:30")
    assert broker_hours.end_of("20240108", apple, True) == at("16:00")
    assert broker_hours.end_of("20240108", apple, False) == at("20:00")
    assert broker_hours.end_of("20240107", apple, True) == at("00:00")  # a Sunday: midnight after it
    with pytest.raises(broker_hours.BadTime):
        broker_hours.end_of("soon", apple, True)


def test_delays_are_drawn_from_the_seed() -> None:
    latency = Latency(0.05, 0.15)
    delays = [latency.delay(1, n) for n in range(100)]
    assert delays == [latency.delay(1, n) for n in range(100)]
    assert delays != [latency.delay(2, n) for n in range(100)]
    assert all(0.05 <= delay < 0.15 for delay in delays)
    assert len(set(delays)) == 100
    assert Latency().delay(1, 1) == 0.0
    assert 0 <= draw(1, 2, 3) < 1


def test_presets_have_names() -> None:
    assert list(PRESETS) == ["realistic", "instant", "ib_paper"]


def test_nothing_is_due_while_nothing_works() -> None:
    desk = Desk()
    assert desk.broker.next_due(desk.now) is None
    number = desk.place(LimitOrder("BUY", 100, 90.0))
    assert desk.broker.next_due(desk.now) == desk.now + 0.125
    assert desk.broker.next_due(desk.now + 0.125) == desk.now + 0.375
    assert desk.broker.next_due(desk.now + 0.3) == desk.now + 0.375
    desk.cancel(number)
    assert desk.broker.next_due(desk.now) is None


def test_nothing_is_asked_of_the_market_while_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 100))
    monkeypatch.setattr(desk.market, "ticks", lambda *_: pytest.fail("nothing works"))
    monkeypatch.setattr(desk.market, "quote", lambda *_: pytest.fail("nothing works"))
    desk.go(86_400 * 3)


def test_perm_ids_and_exec_ids_are_unique_over_accounts_and_clients() -> None:
    desk = Desk()
    broker = Broker(CATALOGUE, desk.market, desk.now, ("DU1", "DU2"), PRESETS["instant"])
    broker.listener = desk.notes
    for n in range(10):
        broker.place(desk.now, n % 3, 1 + n, AAPL, MarketOrder("BUY", 1, account=f"DU{1 + n % 2}"))
    perms = [f.execution.permId for f in desk.notes.fills]
    assert perms == sorted(set(perms))
    assert len(perms) == len({f.execution.execId for f in desk.notes.fills}) == 10
    assert {(p.account, p.position) for p in broker.positions()} == {("DU1", 5), ("DU2", 5)}


def test_forex_of_two_foreign_currencies_needs_both_rates() -> None:
    desk = Desk()
    pair = Forex("EURJPY")
    desk.market.set(Forex("USDJPY"), desk.now - 1, 145.0, 145.01, 1e6, 1e6)
    desk.market.set(pair, desk.now - 1, 159.5, 159.52, 1e6, 1e6)
    desk.place(MarketOrder("BUY", 20_000), pair)
    (item,) = desk.broker.portfolio(desk.now, Desk.ACCOUNT)
    assert item.marketPrice == pytest.approx(1.10005 * 145.005)  # by the two rates cash is converted with
    assert item.unrealizedPNL / 145.005 == pytest.approx(desk.value("NetLiquidation") - 1e6 + 2.0, abs=0.5)


def test_a_stock_in_pence_is_worth_pounds() -> None:
    desk = Desk()
    vodafone = next(i for i in spots.spots() if i.contract.currency == "GBP" and i.sec_type == "STK")
    contract = Stock(vodafone.contract.symbol, "SMART", "GBP")
    desk.market.set(Forex("GBPUSD"), desk.now - 1, 1.25, 1.2501, 1e6, 1e6)
    desk.market.set(contract, desk.now - 1, 70.0, 70.02, 1000, 1000)
    desk.place(MarketOrder("BUY", 1_000), contract)
    assert desk.value("CashBalance", "GBP") == pytest.approx(-1_000 * 0.7002 - 3.0)
