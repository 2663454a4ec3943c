"""Every request ends: by its deadline when nobody answers, and on the wire when nobody wants the answer any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, NamedTuple

import pytest

from ibkit import (
    IB,
    LimitOrder,
    Option,
    RequestTimeout,
    ScannerSubscription,
    Stock,
    TwsConfig,
    WshEventData,
)
from ibkit.legacy.ib import IB as OldIB
from ibkit.wire import messages as m
from tests.engine.peer import Script, usual
from tests.requests.tcp import TcpGateway

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)
CALL = Option("AAPL", "20240119", 180, "C", "SMART")


class Request(NamedTuple):
    arguments: tuple[Any, ...] = ()
    cancel: type | None = None
    """What takes it back on the wire; None where the protocol has nothing for it."""
    limit: float = 60


QUIET, SNAPSHOT = 10, 20

REQUESTS: dict[str, Request] = {
    "accountSummary": Request(cancel=m.CancelAccountSummary),
    "calculateImpliedVolatility": Request((CALL, 5.0, 180.0), m.CancelCalcImpliedVolat, QUIET),
    "calculateOptionPrice": Request((CALL, 0.2, 180.0), m.CancelCalcOptionPrice, QUIET),
    "getWshEventData": Request((WshEventData(conId=1),), m.CancelWshEventData),
    "getWshMetaData": Request(cancel=m.CancelWshMetaData),
    "qualifyContracts": Request((AAPL,), m.CancelContractData),
    "queryDisplayGroups": Request(),
    "reqAccountSummary": Request(cancel=m.CancelAccountSummary),
    "reqAccountUpdates": Request(("DU1",)),  # goes on: it keeps what everybody reads up to date
    "reqAccountUpdatesMulti": Request(("DU1",), m.CancelAccountUpdatesMulti),
    "reqAllOpenOrders": Request(),
    "reqCompletedOrders": Request((True,)),
    "reqConfig": Request(),
    "reqContractDetails": Request((AAPL,), m.CancelContractData),
    "reqCurrentTime": Request(),
    "reqCurrentTimeInMillis": Request(),
    "reqExecutions": Request(),
    "reqFamilyCodes": Request(),
    "reqFundamentalData": Request((AAPL, "RESC"), m.CancelFundamentalData),
    "reqHeadTimeStamp": Request((AAPL, "TRADES", True), m.CancelHeadTimestamp),
    "reqHistogramData": Request((AAPL, True, "1 week"), m.CancelHistogramData),
    "reqHistoricalData": Request((AAPL, "", "1 D", "1 min", "TRADES", True), m.CancelHistoricalData),
    "reqHistoricalNews": Request((1, "BZ", "", "", 10), None, QUIET),
    "reqHistoricalSchedule": Request((AAPL, 5), m.CancelHistoricalData),
    "reqHistoricalTicks": Request((AAPL, "20240105-20:30:00", "", 10, "TRADES", True), m.CancelHistoricalTicks),
    "reqIds": Request(),
    "reqManagedAccts": Request(),
    "reqMarketRule": Request((26,), None, QUIET),
    "reqMatchingSymbols": Request(("A",), None, QUIET),
    "reqMktDepthExchanges": Request(),
    "reqNewsArticle": Request(("BZ", "BZ$1")),
    "reqNewsProviders": Request(),
    "reqOpenOrders": Request(),
    "reqPositions": Request(),  # goes on, like reqAccountUpdates
    "reqPositionsMulti": Request(("DU1",), m.CancelPositionsMulti),
    "reqScannerData": Request((ScannerSubscription(),), m.CancelScannerSubscription),
    "reqScannerParameters": Request(),
    "reqSecDefOptParams": Request(("AAPL", "", "STK", 265598)),
    "reqSmartComponents": Request(("a6",)),
    "reqSoftDollarTiers": Request(),
    "reqTickers": Request((AAPL,), m.CancelMktData, SNAPSHOT),
    "reqUserInfo": Request(),
    "requestFA": Request((1,), None, QUIET),
    "updateConfig": Request((TwsConfig(),)),
    "verifyAndAuthMessage": Request(("a", "b")),
    "verifyAndAuthRequest": Request(("a", "1", "k")),
    "verifyMessage": Request(("a",)),
    "verifyRequest": Request(("a", "1")),
    "whatIfOrder": Request((AAPL, LimitOrder("BUY", 1, 1.0))),
}

each_request = pytest.mark.parametrize(("name", "request_"), REQUESTS.items(), ids=list(REQUESTS))


class Silent:
    """A gateway that lets a client in, and then says nothing any more."""

    def __init__(self, ib: IB | None = None) -> None:
        self.quiet = False
        self.script = Script(answers=lambda request: [] if self.quiet else usual(request))
        self.ib = ib or IB()
        self.ib.connectLink(self.script.link, clock=self.script.clock)
        self.quiet = True
        self.script.requests.clear()
        self.begun = self.script.clock.monotonic()

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        self.ib.disconnect()

    def passed(self) -> float:
        return self.script.clock.monotonic() - self.begun

    def asked(self) -> list[type]:
        self.ib.sleep(0)
        return [type(request) for request in self.script.requests]


def test_every_request_that_is_waited_for_is_in_the_table() -> None:
    twins = {name.removesuffix("Async") for name in dir(IB) if name.endswith("Async") and hasattr(IB, name[:-5])}
    # replaceFA does not wait; the others are no requests, or have tests of their own.
    assert set(REQUESTS) == twins - {"connect", "replaceFA", "timeRange", "waitUntil"}


@each_request
def test_a_request_nobody_answers_ends_at_its_deadline(name: str, request_: Request) -> None:
    with Silent() as at:
        with pytest.raises(RequestTimeout) as raised:
            getattr(at.ib, name)(*request_.arguments)
        assert raised.value.timeout == request_.limit
        assert at.passed() == pytest.approx(request_.limit)
        assert at.asked()[1:] == ([] if request_.cancel is None else [request_.cancel])


@each_request
def test_an_awaited_request_has_the_same_deadline(name: str, request_: Request) -> None:
    with Silent() as at:
        at.ib.RequestTimeout, at.ib.QuietTimeout, at.ib.SnapshotTimeout = 3, 3, 3

        async def main() -> None:
            await getattr(at.ib, f"{name}Async")(*request_.arguments)

        with pytest.raises(RequestTimeout):
            at.ib.run(main())
        assert at.passed() == pytest.approx(3)


@each_request
def test_cancelling_the_await_cancels_on_the_wire(name: str, request_: Request) -> None:
    with Silent() as at:

        async def main() -> None:
            future: Awaitable[Any] = getattr(at.ib, f"{name}Async")(*request_.arguments)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(future, 0.001)

        at.ib.run(main())
        assert at.asked()[1:] == ([] if request_.cancel is None else [request_.cancel])


@each_request
def test_leaving_a_blocking_call_cancels_on_the_wire(name: str, request_: Request) -> None:
    """Ctrl-C in a notebook: KeyboardInterrupt, here from a handler."""
    with Silent() as at:

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        at.script.later.append((at.begun + 1, lambda: at.script.say(m.ErrMsg(-1, 2104, "farm", "", 0))))
        at.ib.errorEvent += interrupt
        with pytest.raises(KeyboardInterrupt):
            getattr(at.ib, name)(*request_.arguments)
        at.ib.errorEvent.clear()
        assert at.asked()[1:] == ([] if request_.cancel is None else [request_.cancel])


@each_request
def test_a_request_ends_with_the_connection(name: str, request_: Request) -> None:
    with Silent() as at:
        at.script.later.append((at.begun + 1, at.script.hang_up))
        with pytest.raises(ConnectionError):
            getattr(at.ib, name)(*request_.arguments)
        assert at.passed() == pytest.approx(1)


def test_a_change_that_is_not_confirmed_ends_at_its_deadline() -> None:
    with Silent() as at:
        with pytest.raises(RequestTimeout, match="10 s"):
            at.ib.run(at.ib.replaceFAAsync(1, "<xml/>"))
        assert at.passed() == pytest.approx(10)


def test_0_means_no_limit() -> None:
    with Silent() as at:
        at.ib.RequestTimeout = 0
        at.script.later.append((at.begun + 100_000, lambda: at.script.say(m.CurrentTime(1))))
        assert at.ib.reqCurrentTime().timestamp() == 1
        assert at.passed() == pytest.approx(100_000)


def test_thousands_of_requests_are_not_late_because_they_wait_for_the_message_rate() -> None:
    with Silent() as at:
        at.script.answers = lambda request: (
            [m.ContractDataEnd(request.reqId)] if isinstance(request, m.ReqContractData) else []
        )
        at.ib.RequestTimeout = 5

        async def main() -> list[Any]:
            return await asyncio.gather(*(at.ib.reqContractDetailsAsync(Stock(f"S{n}")) for n in range(1000)))

        assert at.ib.run(main()) == [[]] * 1000
        assert at.passed() > 20


def test_in_an_unchanged_script_the_limit_is_for_blocking_calls_alone() -> None:
    """semantics.md 7: RequestTimeout is 0 and for blocking calls in ib_insync."""
    with Silent(OldIB()) as at:
        assert (at.ib.RequestTimeout, at.ib.RaiseRequestErrors) == (0, False)
        at.ib.RequestTimeout = 2
        with pytest.raises(TimeoutError):
            at.ib.reqCurrentTime()
        assert at.passed() == pytest.approx(2)
        at.script.later.append((at.begun + 500, lambda: at.script.say(m.CurrentTime(1))))
        at.ib.run(at.ib.reqCurrentTimeAsync())
        assert at.passed() == pytest.approx(500)
        assert list(at.ib.run(at.ib.reqHistoricalDataAsync(*REQUESTS["reqHistoricalData"].arguments))) == []
        assert at.passed() == pytest.approx(560)


def test_an_answer_that_waits_to_be_read_is_not_late() -> None:
    """A program that computes for longer than the deadline, with the answer there all the time."""
    with TcpGateway() as gateway:
        ib = IB()
        ib.connect(port=gateway.port)
        ib.RequestTimeout = 0.05
        answer = ib.reqCurrentTimeAsync()
        time.sleep(0.2)
        assert ib.run(answer).year == 2024
        ib.disconnect()
