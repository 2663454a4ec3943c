"""Reference data as users ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ibkit.errors import ContractAmbiguous, ContractUnknown, RequestError, RequestTimeout
from ibkit.model import (
    Bond,
    Contract,
    ContractDescription,
    ContractDetails,
    DepthMktDataDescription,
    Future,
    OptionChain,
    PriceIncrement,
    SmartComponent,
    Stock,
)
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.desk import Desk, desk


def found(symbol: str, con_id: int, **more: Any) -> ContractDetails:
    fields = {"secType": "STK", "exchange": "NASDAQ", "primaryExchange": "NASDAQ", "currency": "USD", **more}
    return ContractDetails(Contract(symbol=symbol, conId=con_id, tradingClass="NMS", **fields), minTick=0.01)


def answers(request: Any) -> list[m.Answer] | None:
    match request:
        case m.ReqContractData(reqId=req_id, contract=contract):
            match contract.symbol:
                case "AAPL":
                    details = [found("AAPL", 265598)]
                case "ES":
                    details = [
                        found("ES", 1, secType="FUT", lastTradeDateOrContractMonth="20240315"),
                        found("ES", 2, secType="FUT", lastTradeDateOrContractMonth="20240621"),
                    ]
                case "MIXED":
                    details = [found("MIXED", 3, secType="FUT"), found("MIXED", 4)]
                case "NOTHING":
                    details = []
                case "BAD":
                    return [m.ErrMsg(req_id, 321, "Error validating request:-'b2' : cause - wrong", "", 0)]
                case _:
                    text = "No security definition has been found for the request"
                    return [m.ErrMsg(req_id, 200, text, "", 0)]
            if contract.secType == "BOND":
                return [
                    m.BondContractData(req_id, ContractDetails(Contract("BOND", 5), cusip="1")),
                    m.ContractDataEnd(req_id),
                ]
            return [*(m.ContractData(req_id, each) for each in details), m.ContractDataEnd(req_id)]
        case m.ReqMatchingSymbols(reqId=req_id, pattern=pattern):
            if pattern == "silence":
                return []
            return [m.SymbolSamples(req_id, [ContractDescription(Contract("STK", 265598, "AAPL"), ["OPT"])])]
        case m.ReqMarketRule(marketRuleId=rule):
            return [m.MarketRule(rule, [PriceIncrement(0.0, 0.01)])] if rule == 26 else []
        case m.ReqSecDefOptParams(reqId=req_id):
            chain = m.SecurityDefinitionOptionParameter
            return [
                chain(req_id, "SMART", 265598, "AAPL", "100", ["20240621", "20240315"], [110.0, 100.0]),
                chain(req_id, "CBOE", 265598, "AAPL", "100", ["20240315"], [100.0]),
                m.SecurityDefinitionOptionParameterEnd(req_id),
            ]
        case m.ReqSmartComponents(reqId=req_id):
            return [m.SmartComponents(req_id, [SmartComponent(1, "ARCA", "P")])]
        case m.ReqMktDepthExchanges():
            return [m.MktDepthExchanges([DepthMktDataDescription("ARCA", "STK", "", "Deep", 1)])]
        case m.ReqFundamentalData(reqId=req_id):
            return [m.FundamentalData(req_id, "<xml/>")]
    return None


@pytest.fixture
def at() -> Iterator[Desk]:
    with desk(answers) as it:
        yield it


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_every_answer(version: int, how: str) -> None:
    with desk(answers, version, how) as at:
        ib = at.ib
        (details,) = ib.reqContractDetails(Stock("AAPL", "SMART", "USD"))
        assert details.contract is not None
        assert (details.contract.conId, details.minTick) == (265598, 0.01)
        (bond,) = ib.reqContractDetails(Bond(symbol="AAPL"))
        assert bond.cusip == "1"
        (match,) = ib.reqMatchingSymbols("app") or []
        assert match.derivativeSecTypes == ["OPT"]
        assert ib.reqMarketRule(26) == [PriceIncrement(0.0, 0.01)]
        assert ib.reqSecDefOptParams("AAPL", "", "STK", 265598) == [
            OptionChain("SMART", 265598, "AAPL", "100", ["20240315", "20240621"], [100.0, 110.0]),
            OptionChain("CBOE", 265598, "AAPL", "100", ["20240315"], [100.0]),
        ]
        assert ib.reqSmartComponents("9c0001") == [SmartComponent(1, "ARCA", "P")]
        assert ib.reqMktDepthExchanges()[0].exchange == "ARCA"
        assert ib.reqFundamentalData(Stock("AAPL"), "RESC") == "<xml/>"


def test_every_answer_in_a_loop() -> None:
    async def main() -> None:
        with desk(answers) as at:
            ib = at.ib
            contract = Stock("AAPL", "SMART", "USD")
            results = await asyncio.gather(
                ib.reqContractDetailsAsync(contract),
                ib.qualifyContractsAsync(contract),
                ib.reqMatchingSymbolsAsync("app"),
                ib.reqMarketRuleAsync(26),
                ib.reqMarketRuleAsync(26),
                ib.reqSecDefOptParamsAsync("AAPL", "", "STK", 265598),
                ib.reqSmartComponentsAsync("9c0001"),
                ib.reqMktDepthExchangesAsync(),
                ib.reqMktDepthExchangesAsync(),
                ib.reqFundamentalDataAsync(contract, "RESC"),
            )
            assert all(results)
            assert results[3] == results[4]
            assert len(at.script.of(m.ReqMarketRule)) == 1  # asked for twice at once: sent once

    asyncio.run(main())


# -- qualifying ----------------------------------------------------------------------------------------------


def test_qualifying_fills_the_contract_in_place(at: Desk) -> None:
    contract = Stock("AAPL", "SMART", "USD", includeExpired=True)
    assert at.ib.qualifyContracts(contract) == [contract]
    assert (contract.conId, contract.primaryExchange, contract.tradingClass) == (265598, "NASDAQ", "NMS")
    assert contract.exchange == "SMART"  # which the broker has no word for
    assert contract.includeExpired
    assert type(contract) is Stock
    other = Stock("AAPL", "", "USD")
    at.ib.qualifyContracts(other)
    assert other.exchange == "NASDAQ"


def test_a_ticker_is_found_by_what_its_contract_was_qualified_to(at: Desk) -> None:
    contract = Stock("AAPL", "SMART", "USD")
    ticker = at.ib.reqMktData(contract)
    at.ib.qualifyContracts(contract)
    assert at.ib.ticker(Stock(conId=contract.conId, exchange="SMART")) is ticker


def test_nothing_that_qualifies_is_an_error(at: Desk) -> None:
    unknown, ambiguous = Stock("WHAT"), Future("ES", exchange="CME")
    with pytest.raises(ContractUnknown, match="WHAT"):
        at.ib.qualifyContracts(unknown, ambiguous)
    with pytest.raises(ContractAmbiguous, match="20240621") as caught:
        at.ib.qualifyContracts(ambiguous)
    assert [each.conId for each in caught.value.possibles] == [1, 2]  # type: ignore[attr-defined]
    assert not ambiguous.conId
    assert at.ib.qualifyContracts() == []


def test_a_refusal_to_search_is_an_error_whatever_else_qualifies(at: Desk) -> None:
    with pytest.raises(RequestError, match="321"):
        at.ib.qualifyContracts(Stock("AAPL", "SMART", "USD"), Stock("BAD"))


def test_what_does_not_qualify_is_left_out_of_many(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Semantics section 8; of the strikes and expiries of an option chain, some do not exist."""
    good, unknown, ambiguous = Stock("AAPL", "SMART", "USD"), Stock("WHAT"), Future("ES", exchange="CME")
    assert at.ib.qualifyContracts(unknown, good, ambiguous) == [good]
    texts = [record.message for record in caplog.records if record.name == "ibkit.ib"]
    assert texts[0] == "Unknown contract: Stock(symbol='WHAT')"
    assert texts[1].startswith("Ambiguous contract: Future(symbol='ES', exchange='CME'), possibles are [")


def test_without_errors_it_is_left_out_and_logged(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    at.ib.RaiseRequestErrors = False
    good, unknown, ambiguous = Stock("AAPL", "SMART", "USD"), Stock("WHAT"), Future("ES", exchange="CME")
    assert at.ib.qualifyContracts(unknown, good, ambiguous) == [good]
    texts = [record.message for record in caplog.records if record.name == "ibkit.ib"]
    assert texts[0] == "Unknown contract: Stock(symbol='WHAT')"
    assert texts[1].startswith("Ambiguous contract: Future(symbol='ES', exchange='CME'), possibles are [")
    assert "20240315" in texts[1]
    assert "20240621" in texts[1]


def test_one_match_of_the_right_kind_is_enough(at: Desk) -> None:
    contract = Stock("MIXED", "SMART", "USD")
    at.ib.qualifyContracts(contract)
    assert contract.conId == 4


def test_all_of_what_was_found(at: Desk) -> None:
    good, unknown, ambiguous = Stock("AAPL", "SMART", "USD"), Stock("WHAT"), Future("ES", exchange="CME")
    for results in (
        at.ib.qualifyContracts(good, unknown, ambiguous, returnAll=True),
        at.ib.run(at.ib.qualifyContractsAsync(good, unknown, ambiguous, returnAll=True)),
    ):
        assert results[0] is good
        assert results[1] is None
        assert [each.conId for each in results[2]] == [1, 2]
    assert at.ib.qualifyContracts(unknown, returnAll=True) == [None]


def test_many_are_searched_at_once(at: Desk) -> None:
    contracts = [Stock("AAPL", "SMART", "USD") for _ in range(20)]
    at.ib.qualifyContracts(*contracts)
    assert all(contract.conId for contract in contracts)


# -- failures ------------------------------------------------------------------------------------------------


def test_an_unknown_contract(at: Desk) -> None:
    with pytest.raises(ContractUnknown):
        at.ib.reqContractDetails(Stock("WHAT"))
    at.ib.RaiseRequestErrors = False
    assert at.ib.reqContractDetails(Stock("WHAT")) == []


def test_silence(at: Desk) -> None:
    with pytest.raises(RequestTimeout, match=r"reqMarketRule\(7\)"):
        at.ib.reqMarketRule(7)
    with pytest.raises(RequestTimeout, match="silence"):
        at.ib.reqMatchingSymbols("silence")
    assert at.ib.reqMarketRule(26)
    at.ib.RaiseRequestErrors = False
    assert at.ib.reqMarketRule(7) is None
    assert at.ib.reqMatchingSymbols("silence") is None


@pytest.mark.parametrize(("version", "cancels"), [(213, []), (225, [m.CancelContractData])])
def test_a_timeout_cancels_where_that_exists(version: int, cancels: list[type]) -> None:
    with desk(lambda request: [] if isinstance(request, m.ReqContractData) else None, version) as at:
        at.ib.RequestTimeout = 2
        with pytest.raises(RequestTimeout):
            at.ib.reqContractDetails(Stock("AAPL"))
        assert [type(request) for request in at.asked()] == [m.ReqContractData, *cancels]
