"""ibkit behaves as programs written for ib_insync and ib_async expect (semantics.md).

``semantics.py`` lists every behaviour with its tests. Most are where the thing itself is tested; here are the others,
in the order of the sections, and the check that the list is true.
"""

from __future__ import annotations

import ast
import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ibkit import (
    IB,
    CommissionReport,
    ConnectionLost,
    ConnectionRefused,
    Contract,
    Future,
    IBDefaults,
    LimitOrder,
    Option,
    ScannerSubscription,
    Stock,
    TagValue,
    Ticker,
)
from ibkit.wire import messages as m
from tests.compat.incidents import INCIDENTS
from tests.compat.page import PAGE, SECTIONS, page
from tests.compat.semantics import BEHAVIOURS
from tests.engine.orders_said import execution, open_order
from tests.engine.peer import VERSIONS, Script
from tests.requests.scripted import connected
from tests.requests.tcp import TcpGateway
from tests.requests.test_leaving import REQUESTS, Silent

TESTS = Path(__file__).parents[1]
AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


# -- the list --------------------------------------------------------------------------------------------


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


@pytest.mark.parametrize("item", BEHAVIOURS)
def test_the_tests_of_a_behaviour_are_there(item: str) -> None:
    behaviour = BEHAVIOURS[item]
    assert behaviour.tests
    for test in behaviour.tests:
        file, _, name = test.partition("::")
        assert name in functions(file), test


@pytest.mark.parametrize("incident", INCIDENTS)
def test_the_tests_of_an_incident_are_there(incident: str) -> None:
    for test in INCIDENTS[incident]:
        file, _, name = test.partition("::")
        assert name in functions(file), test


def test_no_item_is_left_out() -> None:
    items = [tuple(map(int, item.split("."))) for item in BEHAVIOURS]
    assert items == sorted(items)
    assert sorted({section for section, _ in items}) == list(range(1, 11))
    for section in range(1, 11):
        numbers = [number for each, number in items if each == section]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_page_of_the_docs_lists_what_differs() -> None:
    differing = {item.partition(".")[0] for item, behaviour in BEHAVIOURS.items() if behaviour.differs}
    assert differing == set(SECTIONS)
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.compat.page"


# -- 1. connect ------------------------------------------------------------------------------------------


def test_a_connection_that_fails_is_told_by_api_error() -> None:
    """semantics.md 1.9."""
    told: list[str] = []
    ib = IB()
    ib.client.apiError += told.append
    ib.client.apiEnd += lambda: told.append("end")
    with TcpGateway() as gateway:
        port = gateway.port
    with pytest.raises(ConnectionRefused):
        ib.connect(port=port)
    with pytest.raises(ConnectionRefused):
        ib.run(ib.connectAsync(port=port))
    assert [text.partition(":")[0] for text in told] == ["API connection failed"] * 2


# -- 2. disconnect ---------------------------------------------------------------------------------------


def test_an_end_before_the_beginning_is_no_api_end() -> None:
    """semantics.md 2.2: apiEnd is the end of what apiStart began."""
    told: list[str] = []
    ib = IB()
    ib.client.apiStart += lambda: told.append("start")
    ib.client.apiError += lambda text: told.append("error")
    ib.client.apiEnd += lambda: told.append("end")
    script = Script(answers=lambda request: script.hang_up() or [])
    with pytest.raises(ConnectionLost):
        ib.connectLink(script.link, clock=script.clock)
    assert told == ["error"]


@pytest.mark.parametrize("wanted", [True, False])
def test_what_is_known_stays_readable(wanted: bool) -> None:
    """semantics.md 2.5."""
    answers = {
        m.ReqAcctData: lambda request: [m.AcctValue("Cash", "5", "USD", "DU1"), m.AcctDownloadEnd("DU1")],
        m.ReqPositions: lambda request: [m.PositionData("DU1", AAPL, 5.0, 9.0), m.PositionEnd()],
    }
    with connected(answers) as (ib, script):
        ticker = ib.reqMktData(AAPL)
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 5.0))
        script.say(
            open_order(trade.order, "Submitted"),
            execution(trade.order.orderId, shares=3.0),
            m.TickPrice(ib.wrapper.ticker2ReqId["mktData"][ticker], 1, 9.5, 100.0, 0),
        )
        ib.sleep(1)
        if wanted:
            ib.disconnect()
        else:
            script.hang_up()
            ib.sleep(1)
        assert not ib.isConnected()
        assert ib.trades() == ib.openTrades() == [trade]
        assert len(ib.fills()) == len(ib.executions()) == 1
        assert [value.value for value in ib.accountValues()] == ["5"]
        assert [position.position for position in ib.positions()] == [5.0]
        assert ib.managedAccounts() == ["DU1"]
        assert (ib.tickers(), ib.ticker(AAPL), ticker.bid) == ([ticker], ticker, 9.5)
        assert trade.unknown


def test_waiting_for_what_keeps_changing_ends_with_the_connection() -> None:
    """semantics.md 2.6: nobody waits for ever, and nobody takes the end for the last value."""
    with connected() as (ib, script):
        ticker = ib.reqMktData(AAPL)
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 5.0))
        bars = ib.reqRealTimeBars(AAPL, 5, "TRADES", True)
        rows = ib.reqScannerSubscription(ScannerSubscription())
        events = [ticker.updateEvent, trade.statusEvent, bars.updateEvent, rows.updateEvent]

        async def one(event: Any) -> None:
            await event

        async def all_of(event: Any) -> None:
            async for _ in event:
                pass

        async def main() -> list[Any]:
            waiting = [asyncio.ensure_future(wait(event)) for event in events for wait in (one, all_of)]
            script.later.append((script.clock.monotonic() + 1, script.hang_up))
            return await asyncio.gather(*waiting, return_exceptions=True)

        assert [type(found) for found in ib.run(main())] == [ConnectionLost] * 8
        # The events go on with the next connection.
        again = Script()
        ib.connectLink(again.link, clock=again.clock)
        again.after(1, m.TickSize(ib.wrapper.ticker2ReqId["mktData"][ticker], 8, 100.0))

        async def go_on() -> Ticker:
            found: Ticker = await ticker.updateEvent
            return found

        assert ib.run(go_on()) is ticker
        ib.disconnect()


def test_what_waits_for_the_rate_dies_with_the_connection() -> None:
    """semantics.md 2.7."""
    with connected() as (ib, script):
        ib.client.MaxRequests = 1
        ib.sleep(2)
        ib.reqMarketDataType(3)
        for level in range(1, 6):
            ib.setServerLogLevel(level)
        script.hang_up()
        ib.sleep(1)
        assert script.of(m.SetServerLoglevel) == []
        ib.client.MaxRequests = 45
        again = Script()
        ib.connectLink(again.link, clock=again.clock)
        ib.sleep(1)
        assert again.of(m.SetServerLoglevel) == []
        assert again.of(m.ReqMarketDataType) == [m.ReqMarketDataType(3)]  # which goes on, as it was subscribed
        ib.disconnect()


# -- 3. ticks --------------------------------------------------------------------------------------------


def test_a_ticker_keeps_its_values_but_a_cancelled_stream_fills_it_no_more() -> None:
    """semantics.md 3.15."""
    with connected() as (ib, script):
        ticker = ib.reqMktData(AAPL)
        (req_id,) = ib.wrapper.reqId2Ticker
        script.say(m.TickPrice(req_id, 1, 9.5, 100.0, 0))
        ib.sleep(0.1)
        ib.cancelMktData(AAPL)
        script.say(m.TickPrice(req_id, 1, 9.7, 100.0, 0))
        ib.sleep(0.1)
        assert (ib.ticker(AAPL), ticker.bid) == (ticker, 9.5)
        assert ib.reqMktData(AAPL) is ticker


# -- 5. orders -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_commission_report_does_not_tell_is_nan(version: int) -> None:
    """semantics.md 5.6."""
    with connected(version=version) as (ib, script):
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 3, 5.0))
        script.say(execution(trade.order.orderId, shares=3.0))
        ib.sleep(0.1)
        report = trade.fills[0].commissionReport
        script.say(m.CommissionAndFeesReport(CommissionReport("0001.01.01", 1.5, "USD")))
        ib.sleep(0.1)
        assert trade.fills[0].commissionReport is report
        assert (report.commission, report.currency) == (1.5, "USD")
        assert report.realizedPNL != report.realizedPNL
        assert report.yield_ != report.yield_


# -- 6. errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [2104, 2106, 2158])
def test_information_is_told_by_error_event(code: int) -> None:
    """semantics.md 6.8."""
    with connected() as (ib, script):
        told: list[Any] = []
        ib.errorEvent += lambda *args: told.append(args)
        script.say(m.ErrMsg(-1, code, "farm", "", 0))
        ib.sleep(0.1)
        assert told == [(-1, code, "farm", None)]


# -- 7. requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REQUESTS)
def test_futures_are_sent_when_they_are_made_and_coroutines_when_they_are_awaited(name: str) -> None:
    """semantics.md 7.2; which is which, is held to ib_insync by test_surface.py."""
    method = getattr(IB, f"{name}Async")
    with Silent() as at:

        async def main() -> None:
            made = getattr(at.ib, f"{name}Async")(*REQUESTS[name].arguments)
            written = [type(request) for request in at.script.gateway.decode(at.script.end.read() or b"")]
            if asyncio.iscoroutinefunction(method):
                assert written == []
                made.close()
            else:
                assert len(written) == 1
                assert isinstance(made, asyncio.Future)
                made.cancel()

        at.ib.run(main())


def test_options_reach_the_gateway_and_defaults_are_nobodys() -> None:
    """semantics.md 7.5."""
    with connected() as (ib, script):
        options = [TagValue("a", "1"), TagValue("b", "2")]
        ib.reqMktData(AAPL, mktDataOptions=options)
        ib.reqMktDepth(AAPL, mktDepthOptions=options)
        ib.reqRealTimeBars(AAPL, 5, "TRADES", True, realTimeBarsOptions=options)
        bars = ib.reqRealTimeBars(AAPL, 5, "TRADES", True)
        bars.realTimeBarsOptions.append(TagValue("c", "3"))
        ib.reqRealTimeBars(AAPL, 5, "TRADES", True)
        ib.sleep(0.1)
        (data,), (depth,) = script.of(m.ReqMktData), script.of(m.ReqMktDepth)
        assert data.mktDataOptions == depth.mktDepthOptions == options
        assert [request.realTimeBarsOptions for request in script.of(m.ReqRealTimeBars)] == [options, [], []]


def test_the_idle_timer_ends_with_the_connection() -> None:
    """semantics.md 7.10."""
    with connected() as (ib, script):
        told: list[float] = []
        ib.timeoutEvent += told.append
        ib.setTimeout(10)
        script.hang_up()
        ib.sleep(5)
        again = Script()
        ib.connectLink(again.link, clock=again.clock)
        ib.sleep(100)
        assert told == []
        ib.disconnect()


# -- 8. contracts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_contracts_are_of_the_class_that_fits(version: int) -> None:
    """semantics.md 8.3 and 8.4."""
    future = Contract("FUT", 1, "ES", "20240315", exchange="CME", currency="USD")
    option = Contract("OPT", 2, "AAPL", "20240119", 180.0, "C", "100", "SMART", currency="USD")
    answers = {
        m.ReqAcctData: lambda request: [
            m.PortfolioValue(option, 5.0, 10.0, 50.0, 9.0, 5.0, 0.0, "DU1"), m.AcctDownloadEnd("DU1"),
        ],
        m.ReqPositions: lambda request: [m.PositionData("DU1", future, 1.0, 9.0), m.PositionEnd()],
    }  # fmt: skip
    with connected(answers, version) as (ib, script):
        (item,), (position,) = ib.portfolio(), ib.positions()
        assert type(item.contract) is Option
        assert item.contract.right == "C"
        assert type(position.contract) is Future
        order = LimitOrder("BUY", 1, 1.0, orderId=50)
        script.say(open_order(order, "Submitted", client_id=9)._replace(contract=option))
        ib.sleep(0.1)
        assert type(ib.trades()[0].contract) is Option


# -- 9. values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unset", [None, 0.0, -1.0, float("nan")])
def test_a_ticker_whose_unset_is_none_can_be_asked_for_its_price(unset: Any) -> None:
    """semantics.md 9.5: in ib_async that may raise."""
    ticker = Ticker(defaults=IBDefaults(unset=unset))
    assert not ticker.hasBidAsk()
    assert ticker.midpoint() != ticker.midpoint()
    assert ticker.isUnset(ticker.bid)
    price = ticker.marketPrice()
    assert price is unset or price == unset or price != price
    ticker.bid, ticker.bidSize, ticker.ask, ticker.askSize = 1.0, 5.0, 2.0, 5.0
    assert (ticker.hasBidAsk(), ticker.midpoint(), ticker.marketPrice()) == (True, 1.5, 1.5)
    ticker.last = 1.8
    assert ticker.marketPrice() == 1.8
