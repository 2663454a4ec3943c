"""Accounts: pictures and changes, nothing stale, nothing doubled (semantics.md 7)."""

from __future__ import annotations

import math
from typing import Any

from ibkit.engine.call import Call
from ibkit.engine.state import State
from ibkit.engine.subscription import Subscription
from ibkit.model import UNSET_DOUBLE, AccountValue, FamilyCode, Option, PnL, PnLSingle, Position, SoftDollarTier, Stock
from ibkit.wire import messages as m
from tests.engine.peer import EngineUnderTest
from tests.engine.test_orders import Connected

AAPL = Stock("AAPL", "", "USD", conId=265598, primaryExchange="NASDAQ")
CALL = Option("AAPL", "20240119", 180.0, "C", conId=7, currency="USD")


def ask(under: EngineUnderTest, message: m.Request, key: Any) -> Call[Any]:
    return under.engine.ask(message, key=key, name=type(message).__name__)


def test_values_of_both_kinds_share_their_keys(connected: Connected) -> None:
    """semantics.md 7: account updates and multi with model '' write the same keys."""
    under = connected()
    call = ask(under, m.ReqAcctData(True, "DU1"), "accountUpdates")
    under.send(
        m.AcctValue("NetLiquidation", "1", "USD", "DU1"),
        m.AccountUpdateMulti(5, "DU1", "", "NetLiquidation", "2", "USD"),
        m.AccountUpdateMulti(5, "DU1", "model", "NetLiquidation", "3", "USD"),
        m.AcctUpdateTime("10:00"),
        m.AcctDownloadEnd("DU1"),
    )
    assert call.result() is None
    values = list(under.engine.state.account.values.values())
    assert values == [
        AccountValue("DU1", "NetLiquidation", "2", "USD", ""),
        AccountValue("DU1", "NetLiquidation", "3", "USD", "model"),
    ]
    assert under.names() == ["accountValueEvent"] * 3
    assert under.engine.state.account.update_time == "10:00"


def _portfolio(size: float, contract: Stock | Option = AAPL, account: str = "DU1") -> m.PortfolioValue:
    return m.PortfolioValue(contract, size, 10.0, 10.0 * size, 9.0, 1.0, 0.0, account)


def test_the_portfolio_follows_and_forgets_what_is_closed(connected: Connected) -> None:
    under = connected()
    under.send(_portfolio(5.0), _portfolio(1.0, CALL), m.AcctDownloadEnd("DU1"))
    items = list(under.engine.state.account.portfolio.values())
    assert [(type(item.contract), item.position) for item in items] == [(Stock, 5.0), (Option, 1.0)]
    under.send(_portfolio(0.0))
    assert [item.contract.conId for item in under.engine.state.account.portfolio.values()] == [7]
    assert under.names() == ["updatePortfolioEvent"] * 3  # the closing is told as well


def test_positions_follow_and_are_answers(connected: Connected) -> None:
    under = connected()
    call = ask(under, m.ReqPositions(), "positions")
    under.send(m.PositionData("DU1", AAPL, 5.0, 9.0), m.PositionData("DU1", CALL, 1.0, 2.0), m.PositionEnd())
    assert [position.position for position in call.result()] == [5.0, 1.0]
    assert isinstance(call.result()[1].contract, Option)
    under.send(m.PositionData("DU1", AAPL, 0.0, 0.0))
    assert [position.contract.conId for position in under.engine.state.account.positions.values()] == [7]
    assert under.names() == ["positionEvent"] * 3


def test_what_was_closed_without_us_is_gone_after_the_next_picture() -> None:
    """An entry that the new connection does not tell is not in the account any more; peers keep it."""
    state = State()
    first = EngineUnderTest(state=state)
    first.send(m.PositionData("DU1", AAPL, 5.0, 9.0), m.PositionData("DU1", CALL, 1.0, 2.0), m.PositionEnd())
    first.send(_portfolio(5.0), _portfolio(1.0, CALL), m.AcctDownloadEnd("DU1"))
    first.send(m.PositionData("DU1", AAPL, 6.0, 9.0))
    first.engine.closed("cut")
    assert len(state.account.positions) == len(state.account.portfolio) == 2  # readable meanwhile
    second = EngineUnderTest(state=state)
    second.send(m.PositionData("DU1", CALL, 1.0, 2.0), m.PositionEnd(), _portfolio(1.0, CALL), m.AcctDownloadEnd("DU1"))
    assert [key[1] for key in state.account.positions] == [7]
    assert [key[1] for key in state.account.portfolio] == [7]


def test_the_picture_of_one_account_leaves_the_others() -> None:
    under = EngineUnderTest(accounts="DU1,DU2")
    under.send(_portfolio(5.0), m.AcctDownloadEnd("DU1"), _portfolio(6.0, account="DU2"), m.AcctDownloadEnd("DU2"))
    assert {item.account for item in under.engine.state.account.portfolio.values()} == {"DU1", "DU2"}


def test_positions_of_models_are_answers_and_events(connected: Connected) -> None:
    under = connected()
    call: Call[list[Position]] = ask(under, m.ReqPositionsMulti(4, "DU1", "model"), 4)
    under.send(m.PositionMulti(4, "DU1", AAPL, 3.0, 9.0, "model"), m.PositionMultiEnd(4))
    (position,) = call.result()
    assert position.position == 3.0
    assert under.told == [("positionMultiEvent", position, "model")]


def test_the_summary_is_kept_by_account_tag_and_currency(connected: Connected) -> None:
    under = connected()
    call = ask(under, m.ReqAccountSummary(4, "All", "NetLiquidation"), 4)
    under.send(
        m.AccountSummary(4, "DU1", "NetLiquidation", "1", "USD"),
        m.AccountSummary(4, "DU1", "NetLiquidation", "2", "USD"),
        m.AccountSummaryEnd(4),
        m.AccountSummaryEnd(4),
    )
    assert call.done
    assert [value.value for value in under.engine.state.account.summary.values()] == ["2"]
    assert under.names() == ["accountSummaryEvent"] * 2


def test_profit_and_loss_is_nan_where_nothing_is_told(connected: Connected) -> None:
    """peer-weaknesses.md 1.21: peers show 1.797e308."""
    under = connected()
    accounts = under.engine.state.account
    pnl = accounts.pnl[4] = PnL("DU1")
    single = accounts.pnl_single[5] = PnLSingle("DU1", "", 265598)
    for req_id, message in ((4, m.ReqPnl(4, "DU1", "")), (5, m.ReqPnlSingle(5, "DU1", "", 265598))):
        under.engine.subscribe(Subscription(req_id, "pnl", pnl, message))
    under.send(
        m.Pnl(4, 5.5, UNSET_DOUBLE, UNSET_DOUBLE),
        m.PnlSingle(5, 100.0, 1.0, UNSET_DOUBLE, 2.0, UNSET_DOUBLE),
        m.Pnl(99, 1.0, 1.0, 1.0),
    )
    assert pnl.dailyPnL == 5.5
    assert math.isnan(pnl.unrealizedPnL)
    assert (single.position, single.dailyPnL, single.realizedPnL) == (100.0, 1.0, 2.0)
    assert math.isnan(single.value)
    assert under.told == [("pnlEvent", pnl), ("pnlSingleEvent", single)]


def test_what_advisors_ask_for(connected: Connected) -> None:
    under = connected()
    groups = ask(under, m.ReqFa(1), "fa-1")
    aliases = ask(under, m.ReqFa(3), "fa-3")
    codes = ask(under, m.ReqFamilyCodes(), "familyCodes")
    tiers = ask(under, m.ReqSoftDollarTiers(8), 8)
    replaced = ask(under, m.ReplaceFa(1, "<xml/>", 9), 9)
    under.send(
        m.ReceiveFa(3, "<aliases/>"),
        m.ReceiveFa(1, "<groups/>"),
        m.FamilyCodes([FamilyCode("DU1", "F1")]),
        m.SoftDollarTiers(8, [SoftDollarTier("a", "b", "c")]),
        m.ReplaceFaEnd(9, "done"),
    )
    assert (groups.result(), aliases.result(), replaced.result()) == ("<groups/>", "<aliases/>", "done")
    assert codes.result() == [FamilyCode("DU1", "F1")]
    assert tiers.result() == [SoftDollarTier("a", "b", "c")]


def test_reset_forgets_and_a_wanted_end_unfollows() -> None:
    under = EngineUnderTest()
    accounts = under.engine.state.account
    accounts.pnl[4] = PnL("DU1")
    accounts.summary_id = 7
    under.send(m.AcctValue("NetLiquidation", "1", "USD", "DU1"))
    under.engine.wanted_end = True
    under.engine.closed("disconnect() was called")
    assert accounts.values
    assert not accounts.pnl
    assert accounts.summary_id is None
    accounts.reset()
    assert not accounts.values
