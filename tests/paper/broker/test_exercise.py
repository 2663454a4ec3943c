"""Options that end: exercised, assigned, lapsed, expired; and the books that must agree afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.model import UNSET_DOUBLE, Contract, Future, FuturesOption, MarketOrder, Option, Stock
from ibkit.model.objects import OptionExerciseType
from ibkit.paper.broker import INSTANT, Models
from ibkit.paper.broker.marks import worth
from tests.paper.broker.scripted import CATALOGUE, Desk, at, instrument

MSFT = Stock("MSFT", "SMART", "USD")
CALL = Option("MSFT", "20240119", 300, "C", "SMART")
PUT = Option("MSFT", "20240119", 320, "P", "SMART")
ES = Future("ES", "202403", "CME")
QUARTERLY = FuturesOption("ES", "20240315", 4500, "C", "CME")
WEEKLY = FuturesOption("ES", "20240119", 4500, "C", "CME", tradingClass="EW3")
SPX = Option("SPX", "20240119", 4500, "C", "SMART", tradingClass="SPXW")

PRICES: list[tuple[Contract, float, float]] = [
    (MSFT, 310.00, 310.02),
    (CALL, 11.00, 11.05),
    (PUT, 12.00, 12.05),
    (ES, 4600.00, 4600.25),
    (QUARTERLY, 120.00, 120.25),
    (WEEKLY, 110.00, 110.25),
    (SPX, 110.00, 110.20),
    (SPX_INDEX := Contract(secType="IND", symbol="SPX", exchange="CBOE", currency="USD"), 4600.00, 4600.10),
]
PATIENT = replace(INSTANT, final_exercise=False)


def desk(models: Models = INSTANT, now: str = "20240118 10:00", **options: object) -> Desk:
    """A desk with prices for options and what they are on."""
    made = Desk(models, at(now), **options)  # type: ignore[arg-type]
    for contract, bid, ask in PRICES:
        made.market.set(contract, made.now - 1, bid, ask, 500, 500)
    return made


def test_a_call_becomes_shares_at_its_strike() -> None:
    world = desk()
    world.place(MarketOrder("BUY", 3), CALL)
    key = world.exercise(CALL, 2)
    assert (world.position(CALL), world.position(MSFT)) == (1, 200)
    option, shares = (fill.execution for fill in world.notes.fills[-2:])
    assert (option.side, option.shares, option.price, option.orderId) == ("SLD", 2, 0.0, key)
    assert (shares.side, shares.shares, shares.price, shares.orderId) == ("BOT", 200, 300.0, 0)
    assert option.optExerciseOrLapseType is shares.optExerciseOrLapseType is OptionExerciseType.Exercise
    report = world.report(key)
    assert (report.status.status, report.status.filled, report.status.remaining) == ("Filled", 2, 0)
    costs = world.notes.commissions[-2:]
    assert [(cost.commission, cost.realizedPNL) for cost in costs] == [(0.0, 0.0), (0.0, UNSET_DOUBLE)]
    # The premium and its commission are part of what the shares cost.
    (held,) = [p for p in world.broker.positions() if p.contract.secType == "STK"]
    assert held.avgCost == pytest.approx(300 + 11.05 + 1.95 / 300)
    assert world.value("TotalCashValue") == pytest.approx(1_000_000 - 3 * 1105 - 1.95 - 60_000)


def test_a_put_sells_shares_at_its_strike() -> None:
    world = desk()
    world.place(MarketOrder("BUY", 100), MSFT)
    world.place(MarketOrder("BUY", 1), PUT)
    before = world.value("TotalCashValue")
    world.exercise(PUT)
    assert world.broker.positions() == []
    assert world.value("TotalCashValue") == pytest.approx(before + 32_000)
    gain = world.notes.commissions[-1].realizedPNL
    assert gain == pytest.approx(100 * (320 - 12.05 - 310.02) - 1.0 - 1.0)


def test_what_is_against_the_natural_action_needs_the_override() -> None:
    world = desk()
    out = Option("MSFT", "20240119", 320, "C", "SMART")
    world.market.set(out, world.now - 1, 1.00, 1.05, 500, 500)
    world.place(MarketOrder("BUY", 1), out)
    world.place(MarketOrder("BUY", 1), CALL)
    world.exercise(out)
    assert world.notes.errors[-1][1:] == (
        322,
        "Error processing request.Exercise ignored because option is not in-the-money.",
    )
    world.exercise(CALL, action=2)
    assert world.notes.errors[-1][1:] == (322, "Error processing request.Lapse ignored because option is in-the-money.")
    assert (world.position(out), world.position(CALL), world.position(MSFT)) == (1, 1, 0)
    world.exercise(out, override=True)
    assert (world.position(out), world.position(MSFT)) == (0, 100)
    key = world.exercise(CALL, action=2, override=True)
    assert world.position(CALL) == 0
    last = world.notes.fills[-1].execution
    assert (last.price, last.orderId, last.optExerciseOrLapseType) == (0.0, key, OptionExerciseType.Lapse)
    assert world.notes.commissions[-1].realizedPNL == pytest.approx(-1105 - 1.0)


def test_only_what_is_held_long_can_be_exercised() -> None:
    world = desk()
    none = (322, "Error processing request.No unlapsed position exists in this option in account DU1234567.")
    world.exercise(CALL)
    assert world.notes.errors[-1][1:] == none
    world.place(MarketOrder("SELL", 1), CALL)
    world.exercise(CALL)
    assert world.notes.errors[-1][1:] == none
    world.exercise(CALL, account="U9")
    assert world.notes.errors[-1][2].endswith("in account U9.")
    world.place(MarketOrder("BUY", 3), CALL)
    world.exercise(CALL, 50)  # no more than is held
    assert (world.position(CALL), world.position(MSFT)) == (0, 200)
    assert world.broker.open_orders() == []


def test_several_accounts_have_to_be_named() -> None:
    world = desk(accounts=("DU1234567", "DU2"))
    world.place(MarketOrder("BUY", 1, account="DU2"), CALL)
    for account, said in (
        ("", "The account code is required for this operation."),
        ("U9", "Invalid account code 'U9'."),
        ("DU1234567", "No unlapsed position exists in this option in account DU1234567."),
    ):
        world.exercise(CALL, account=account)
        assert said in world.notes.errors[-1][2]
    world.exercise(CALL, account="DU2")
    assert {(p.account, p.contract.symbol, p.position) for p in world.broker.positions()} == {("DU2", "MSFT", 100)}


def test_index_options_wait_for_their_end_and_pay_cash() -> None:
    world = desk(now="20240119 10:00")
    world.place(MarketOrder("BUY", 1), SPX)
    world.exercise(SPX)
    assert "can be exercised at expiration only" in world.notes.errors[-1][2]
    cash = world.value("TotalCashValue")
    world.go(to=at("20240119 18:00"))
    assert world.broker.positions() == []
    assert world.value("TotalCashValue") == pytest.approx(cash + 100 * 100.05)


def test_an_option_on_a_future_becomes_the_future() -> None:
    world = desk()
    world.place(MarketOrder("BUY", 2), QUARTERLY)
    cash = world.value("TotalCashValue")
    world.exercise(QUARTERLY, 2)
    assert (world.position(QUARTERLY), world.position(ES)) == (0, 2)
    assert world.value("TotalCashValue") == pytest.approx(cash)
    (held,) = world.broker.positions()
    assert held.avgCost == pytest.approx(4500 * 50)
    assert world.notes.commissions[-2].realizedPNL == pytest.approx(-2 * (120.25 * 50 + 1.42))


# -- instructions that wait ----------------------------------------------------------------------------------------


def test_an_instruction_waits_for_the_end_of_the_day() -> None:
    world = desk(PATIENT)
    world.place(MarketOrder("BUY", 1), CALL)
    key = world.exercise(CALL)
    report = world.report(key)
    assert report.status.status == "PreSubmitted"
    order = report.order
    assert (order.action, order.orderType, order.totalQuantity, order.tif) == ("BUY", "LMT", 1, "DAY")
    assert [r.order_id for r in world.broker.open_orders()] == [key]
    world.exercise(CALL)  # the one contract is spoken for
    assert "No unlapsed position" in world.notes.errors[-1][2]
    world.go(to=at("20240118 15:59"))
    assert world.position(CALL) == 1
    world.go(to=at("20240118 16:16"))
    assert (world.position(CALL), world.position(MSFT)) == (0, 100)
    assert world.status(key) == "Filled"
    assert [done.state.completedStatus for done in world.broker.completed_orders()][-1] == "Filled Size: 1"


def test_an_instruction_can_be_cancelled_and_not_changed() -> None:
    world = desk(PATIENT)
    world.place(MarketOrder("BUY", 1), CALL)
    key = world.exercise(CALL)
    world.place(MarketOrder("BUY", 1), CALL, order_id=key)
    assert world.codes(key) == [105]
    world.cancel(key)
    assert world.codes(key) == [105, 322, 202]
    assert [event[0] for event in world.notes.events[-3:]] == ["error", "status", "error"]
    assert world.status(key) == "Cancelled"
    again = world.exercise(CALL)
    world.broker.global_cancel(world.now)
    assert world.status(again) == "Cancelled"
    world.go(to=at("20240118 18:00"))
    assert (world.position(CALL), world.position(MSFT)) == (1, 0)


def test_what_has_been_sold_meanwhile_cannot_be_exercised() -> None:
    world = desk(PATIENT)
    world.place(MarketOrder("BUY", 1), CALL)
    key = world.exercise(CALL)
    world.place(MarketOrder("SELL", 1), CALL)
    world.go(to=at("20240118 18:00"))
    assert world.codes(key) == [399, 322, 202]
    assert (world.status(key), world.position(MSFT)) == ("Cancelled", 0)


def test_a_lapse_keeps_the_last_day_from_delivering() -> None:
    world = desk(PATIENT, now="20240119 10:00")
    world.place(MarketOrder("BUY", 2), CALL)
    world.exercise(CALL, 1, action=2, override=True)
    world.go(to=at("20240119 18:00"))
    assert (world.position(CALL), world.position(MSFT)) == (0, 100)
    kinds = [fill.execution.optExerciseOrLapseType for fill in world.notes.fills[1:]]
    assert kinds == [OptionExerciseType.Lapse, OptionExerciseType.Exercise, OptionExerciseType.Exercise]


def test_a_store_keeps_instructions(tmp_path: Path) -> None:
    path = str(tmp_path / "store")
    world = desk(PATIENT, store=path)
    world.place(MarketOrder("BUY", 1), CALL)
    key = world.exercise(CALL)
    world.broker.close()
    again = desk(PATIENT, store=path)
    assert [r.order_id for r in again.broker.open_orders()] == [key]
    again.go(to=at("20240118 18:00"))
    assert (again.position(CALL), again.position(MSFT)) == (0, 100)


# -- the last day --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "action", "shares", "kind"),
    [
        (CALL, "BUY", 100, OptionExerciseType.Exercise),
        (CALL, "SELL", -100, OptionExerciseType.Assigned),
        (PUT, "BUY", -100, OptionExerciseType.Exercise),
        (PUT, "SELL", 100, OptionExerciseType.Assigned),
    ],
)
def test_options_on_shares_deliver_at_their_end(
    option: Option, action: str, shares: float, kind: OptionExerciseType
) -> None:
    world = desk(now="20240119 15:00")
    world.place(MarketOrder(action, 1), option)
    world.go(to=at("20240119 18:00"))
    assert (world.position(option), world.position(MSFT)) == (0, shares)
    assert {fill.execution.optExerciseOrLapseType for fill in world.notes.fills[1:]} == {kind}
    assert {fill.execution.orderId for fill in world.notes.fills[1:]} == {0}


def test_options_out_of_the_money_expire_worthless() -> None:
    world = desk(now="20240119 15:00")
    world.place(MarketOrder("BUY", 1), CALL)
    world.set(290.00, 290.02, what=MSFT)
    world.go(to=at("20240119 18:00"))
    assert world.broker.positions() == []
    last = world.notes.fills[-1].execution
    assert (last.side, last.price, last.optExerciseOrLapseType) == ("SLD", 0.0, OptionExerciseType.Expired)
    assert world.notes.commissions[-1].realizedPNL == pytest.approx(-1105 - 1.0)


def test_options_on_futures_deliver_the_future_that_outlives_them() -> None:
    world = desk(now="20240119 15:00")
    world.place(MarketOrder("BUY", 1), WEEKLY)
    world.go(to=at("20240119 18:00"))
    assert (world.position(WEEKLY), world.position(ES)) == (0, 1)


# -- laws ----------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(range(7)),  # of PRICES; contracts without a conId have no hash
        st.sampled_from(["buy", "sell", "exercise", "lapse", "move", "night"]),
        st.integers(1, 3),
        st.booleans(),
    ),
    max_size=16,
)


@settings(max_examples=80, deadline=None)
@given(STEPS, st.booleans())
def test_positions_are_the_sum_of_executions_and_the_books_agree(
    steps: list[tuple[int, str, int, bool]], final: bool
) -> None:
    world = desk(replace(INSTANT, final_exercise=final, cash=1e8), now="20240117 10:00")
    for place, what, units, flag in steps:
        contract = PRICES[place][0]
        thing = instrument(contract)
        if thing.expires and world.now >= thing.expires:
            continue
        if what in ("buy", "sell"):
            size = units * (100 if thing.sec_type == "STK" else 1)
            world.place(MarketOrder(what.upper(), size), contract)
        elif what in ("exercise", "lapse") and thing.sec_type in ("OPT", "FOP"):
            world.exercise(contract, units, 1 if what == "exercise" else 2, flag)
        elif what == "move":
            for moved in (MSFT, ES, SPX_INDEX):
                quote = world.market.quote(instrument(moved), world.now)
                factor = 1.03 if flag else 0.97
                world.market.set(moved, world.now + 1, round(quote.bid * factor), round(quote.ask * factor) + 0.25)
            world.go(1)
        elif what == "night":
            world.go(86_400)
    world.go(to=at("20240120 12:00"))
    sums: dict[int, float] = {}
    cash = 1e8 - sum(cost.commission for cost in world.notes.commissions)
    for fill in world.notes.fills:
        signed = fill.execution.shares * (1 if fill.execution.side == "BOT" else -1)
        sums[fill.contract.conId] = sums.get(fill.contract.conId, 0.0) + signed
        thing = CATALOGUE.by_con_id(fill.contract.conId)
        assert thing is not None
        if thing.sec_type != "FUT":  # whose gains alone move the cash
            cash -= worth(thing, signed, fill.execution.price)
    held = {p.contract.conId: p.position for p in world.broker.positions()}
    assert held == {con_id: pytest.approx(size) for con_id, size in sums.items() if abs(size) > 1e-9}
    futures = world.broker._state.accounts[Desk.ACCOUNT].holdings.get(instrument(ES).con_id)
    # The gains of the future include its commissions, which have been counted.
    own = {f.execution.execId for f in world.notes.fills if f.contract.secType == "FUT"}
    paid = sum(cost.commission for cost in world.notes.commissions if cost.execId in own)
    if futures is not None:
        cash += futures.realized + paid - futures.fees
    assert world.value("TotalCashValue") == pytest.approx(cash, abs=0.05)
    pnl = world.broker.pnl(world.now, Desk.ACCOUNT, "")
    total = world.value("NetLiquidation") - 1e8
    account = world.broker._state.accounts[Desk.ACCOUNT]
    gains = sum(holding.realized for holding in account.holdings.values()) + pnl.unrealizedPnL
    assert total == pytest.approx(gains, abs=0.05)
    assert not any(status in ("PreSubmitted", "Submitted") for status in map(world.status, _exercised(world)))
    costs = {cost.execId for cost in world.notes.commissions}
    assert costs == {fill.execution.execId for fill in world.notes.fills}


def _exercised(world: Desk) -> set[int]:
    return {report.order_id for report in world.notes.reports if report.order.lmtPrice == 0.0}
