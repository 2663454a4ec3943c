"""Accounts as a user asks for them (semantics.md 7, api-inventory.md 1.2 to 1.4)."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ibkit import FamilyCode, InvalidRequest, RequestError, RequestTimeout, SoftDollarTier, Stock
from ibkit.ib import IB
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.scripted import connected

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


def _values(request: m.ReqAcctData) -> list[Any]:
    if not request.subscribe:
        return []
    account = request.acctCode
    return [
        m.AcctValue("NetLiquidation", "1000", "USD", account),
        m.PortfolioValue(AAPL, 5.0, 10.0, 50.0, 9.0, 5.0, 0.0, account),
        m.AcctUpdateTime("10:00"),
        m.AcctDownloadEnd(account),
    ]


def _summary(request: m.ReqAccountSummary) -> list[Any]:
    return [
        m.AccountSummary(request.reqId, "DU1", "NetLiquidation", "1000", "USD"),
        m.AccountSummary(request.reqId, "DU2", "NetLiquidation", "2000", "USD"),
        m.AccountSummaryEnd(request.reqId),
    ]


def _positions(request: m.ReqPositions) -> list[Any]:
    return [
        m.PositionData("DU1", AAPL, 5.0, 9.0),
        m.PositionData("DU2", AAPL, 7.0, 9.0),
        m.PositionEnd(),
    ]


SAID = {
    m.ReqAcctData: _values,
    m.ReqAccountSummary: _summary,
    m.ReqPositions: _positions,
    m.ReqPnl: lambda request: [m.Pnl(request.reqId, 5.0, 6.0, 7.0)],
    m.ReqPnlSingle: lambda request: [m.PnlSingle(request.reqId, 5.0, 1.0, 2.0, 3.0, 50.0)],
    m.ReqPositionsMulti: lambda request: [
        m.PositionMulti(request.reqId, "DU1", AAPL, 5.0, 9.0, request.modelCode),
        m.PositionMultiEnd(request.reqId),
    ],
    m.ReqFamilyCodes: lambda request: [m.FamilyCodes([FamilyCode("DU1", "F1")])],
    m.ReqSoftDollarTiers: lambda request: [m.SoftDollarTiers(request.reqId, [SoftDollarTier("a", "b", "c")])],
    m.ReplaceFa: lambda request: [m.ReplaceFaEnd(request.reqId, "replaced")],
    m.ReqFa: lambda request: [m.ReceiveFa(request.faData, "<groups/>")] if request.faData == 1 else [],
}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_known_after_connecting(version: int) -> None:
    with connected(SAID, version) as (ib, _):
        (value,) = ib.accountValues()
        assert (value.tag, value.value, value.account) == ("NetLiquidation", "1000", "DU1")
        assert ib.accountUpdateTime() == "10:00"
        assert ib.accountValues("DU9") == []
        (item,) = ib.portfolio()
        assert (item.contract.symbol, item.marketValue, item.account) == ("AAPL", 50.0, "DU1")
        assert ib.portfolio("DU9") == []
        assert [position.position for position in ib.positions()] == [5.0, 7.0]
        assert [position.position for position in ib.positions("DU2")] == [7.0]
        assert [position.position for position in ib.reqPositions()] == [5.0, 7.0]
        assert len(ib.run(ib.reqPositionsAsync())) == 2


def test_the_summary_is_asked_for_once_and_then_read() -> None:
    with connected(SAID) as (ib, script):
        assert [value.value for value in ib.accountSummary()] == ["1000", "2000"]
        assert [value.value for value in ib.accountSummary("DU2")] == ["2000"]
        assert len(ib.run(ib.accountSummaryAsync())) == 2
        assert ib.reqAccountSummary() is None
        assert len(script.of(m.ReqAccountSummary)) == 1
        request = script.of(m.ReqAccountSummary)[0]
        assert request.groupName == "All"
        assert "$LEDGER:ALL" in request.tags
        script.say(m.AccountSummary(request.reqId, "DU1", "NetLiquidation", "1100", "USD"))
        ib.sleep(0)
        assert ib.accountSummary("DU1")[0].value == "1100"
        ib.cancelAccountSummary()
        ib.accountSummary()
        assert len(script.of(m.ReqAccountSummary)) == 2
        assert len(script.of(m.CancelAccountSummary)) == 1


def test_a_summary_that_is_refused_is_asked_for_again() -> None:
    with connected({m.ReqAccountSummary: lambda r: [m.ErrMsg(r.reqId, 322, "too many", "", 0)]}) as (ib, script):
        for _ in range(2):
            with pytest.raises(RequestError, match="too many"):
                ib.accountSummary()
        assert len(script.of(m.ReqAccountSummary)) == 2


def test_accounts_are_followed_and_left() -> None:
    with connected(SAID) as (ib, script):
        assert ib.reqAccountUpdates("DU2") is None
        assert {value.account for value in ib.accountValues()} == {"DU1", "DU2"}
        ib.run(ib.reqAccountUpdatesAsync("DU2"))
        ib.cancelAccountUpdates("DU2")
        ib.cancelPositions()
        ib.sleep(0)
        assert script.of(m.ReqAcctData)[-1] == m.ReqAcctData(False, "DU2")
        assert len(script.of(m.CancelPositions)) == 1


def test_values_and_positions_of_models() -> None:
    with connected(SAID) as (ib, script):
        ib.reqAccountUpdatesMulti("DU1", "model")
        ib.run(ib.reqAccountUpdatesMultiAsync("DU1", "model"))  # again: in place of the first
        ib.cancelAccountUpdatesMulti("DU1", "model")
        ib.cancelAccountUpdatesMulti("DU1", "model")
        (position,) = ib.reqPositionsMulti("DU1", "model")
        assert position.position == 5.0
        assert len(ib.run(ib.reqPositionsMultiAsync("DU1"))) == 1
        ib.cancelPositionsMulti("DU1", "model")
        ib.cancelPositionsMulti("DU1", "no such model")
        ib.sleep(0)
        assert len(script.of(m.CancelAccountUpdatesMulti)) == 2
        assert len(script.of(m.CancelPositionsMulti)) == 1


def test_profit_and_loss_is_followed_in_one_object() -> None:
    with connected(SAID) as (ib, script):
        pnl = ib.reqPnL("DU1")
        assert math.isnan(pnl.dailyPnL)
        assert ib.reqPnL("DU1") is pnl
        single = ib.reqPnLSingle("DU1", "", 265598)
        assert ib.reqPnLSingle("DU1", "", 265598) is single
        heard: list[Any] = []
        ib.pnlEvent += heard.append
        ib.pnlSingleEvent += heard.append
        ib.sleep(0)
        assert (pnl.dailyPnL, pnl.unrealizedPnL, pnl.realizedPnL) == (5.0, 6.0, 7.0)
        assert (single.position, single.dailyPnL, single.value) == (5.0, 1.0, 50.0)
        assert heard == [pnl, single]
        assert ib.pnl() == ib.pnl("DU1") == [pnl]
        assert ib.pnl("DU2") == ib.pnlSingle(conId=1) == []
        assert ib.pnlSingle("DU1", conId=265598) == [single]
        ib.cancelPnL("DU1")
        ib.cancelPnLSingle("DU1", "", 265598)
        ib.cancelPnL("DU1")
        ib.cancelPnLSingle("DU1", "", 265598)
        ib.sleep(0)
        assert ib.pnl() == ib.pnlSingle() == []
        assert [len(script.of(kind)) for kind in (m.ReqPnl, m.CancelPnl, m.ReqPnlSingle, m.CancelPnlSingle)] == [1] * 4


def test_a_profit_and_loss_that_is_refused_is_not_followed() -> None:
    def refuse(request: Any) -> list[Any]:
        return [m.ErrMsg(request.reqId, 321, "Invalid account", "", 0)]

    with connected({m.ReqPnl: refuse, m.ReqPnlSingle: refuse}) as (ib, _):
        ib.reqPnL("DU9")
        ib.reqPnLSingle("DU9", "", 1)
        ib.sleep(0)
        assert ib.pnl() == ib.pnlSingle() == []


def test_followed_things_are_followed_again_after_a_cut() -> None:
    ib = IB()
    with connected(SAID, ib=ib) as (_, script):
        pnl = ib.reqPnL("DU1")
        ib.accountSummary()
        script.hang_up()
        ib.sleep(0)
        assert not ib.isConnected()
        with connected(SAID, ib=ib) as (_, second):
            ib.sleep(0)
            assert [request.account for request in second.of(m.ReqPnl)] == ["DU1"]
            assert len(second.of(m.ReqAccountSummary)) == 1
            assert ib.reqPnL("DU1") is pnl
            ib.accountSummary()
            assert len(second.of(m.ReqAccountSummary)) == 1


def test_advisors() -> None:
    with connected(SAID) as (ib, script):
        assert ib.requestFA(1) == "<groups/>"
        assert ib.run(ib.requestFAAsync(1)) == "<groups/>"
        with pytest.raises(RequestTimeout):
            ib.requestFA(3)
        ib.RaiseRequestErrors = False
        assert ib.requestFA(3) is None  # semantics.md 7: as ib_insync after four seconds
        with pytest.raises(InvalidRequest, match="groups"):
            ib.requestFA(2)
        ib.replaceFA(1, "<groups/>")
        ib.sleep(0)
        sent = script.of(m.ReplaceFa)[0]
        assert (sent.faData, sent.cxml) == (1, "<groups/>")
        assert sent.reqId > 0
        answer = ib.run(ib.replaceFAAsync(1, "<more/>"))
        assert answer == "replaced"
        with pytest.raises(InvalidRequest, match="groups"):
            ib.run(ib.replaceFAAsync(2, "<profiles/>"))
        assert ib.reqFamilyCodes() == ib.run(ib.reqFamilyCodesAsync()) == [FamilyCode("DU1", "F1")]
        assert ib.reqSoftDollarTiers() == ib.run(ib.reqSoftDollarTiersAsync()) == [SoftDollarTier("a", "b", "c")]
