"""Stories over TCP: threads that compute, programs that block, loops, a gateway that goes away."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ibkit import IB, ConnectionLost, ConnectionRefused, MarketOrder, Stock, Ticker
from ibkit.hosts import unread
from ibkit.paper import Limits, PaperGateway
from tests.scenarios.stage import VERSIONS

NFLX = Stock("NFLX", "SMART", "USD", conId=15124833)


@pytest.fixture(params=VERSIONS)
def gateway(request: pytest.FixtureRequest) -> Iterator[PaperGateway]:
    with PaperGateway(start="2024-01-10 10:00", server_version=request.param, speed=10) as running:
        yield running


@pytest.fixture
def ib(gateway: PaperGateway) -> Iterator[IB]:
    connected = IB()
    connected.connect(port=gateway.port)
    yield connected
    connected.disconnect()


def burn(secs: float) -> int:
    """Compute for a while, without a pause."""
    end = time.monotonic() + secs
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
    return rounds


class Trades:
    """The trades of a stream, to be compared with the gateway's own record of them."""

    def __init__(self, ib: IB) -> None:
        self.ib = ib
        self.seen: list[tuple[int, float, float]] = []
        self.ticker = ib.reqTickByTickData(NFLX, "AllLast")
        self.ticker.updateEvent += self._note

    def _note(self, ticker: Ticker) -> None:
        self.seen += [(int(tick.time.timestamp()), tick.price, tick.size) for tick in ticker.tickByTicks]

    def check(self, least: int) -> None:
        """Check that what came in is what happened, each trade once and in order, but for the last moment's."""
        self.ib.sleep(0.3)
        assert len(self.seen) >= least
        record: list[Any] = self.ib.reqHistoricalTicks(NFLX, "", self.ib.reqCurrentTime(), 1000, "TRADES", useRth=False)
        happened = [(int(tick.time.timestamp()), tick.price, tick.size) for tick in record]
        begun = happened.index(self.seen[0])
        common = happened[begun : begun + len(self.seen)]
        assert self.seen[: len(common)] == common
        assert len(common) >= least


def test_01_a_thread_computes_and_no_trade_is_lost(ib: IB) -> None:
    trades = Trades(ib)
    with ThreadPoolExecutor() as workers:
        future = workers.submit(burn, 1.5)
        while not future.done():
            ib.sleep(0.05)
    assert future.result() > 0
    trades.check(5)


def test_02_the_program_computes_and_a_background_connection_loses_nothing(gateway: PaperGateway) -> None:
    ib = IB(background=True)
    ib.connect(port=gateway.port)
    trades = Trades(ib)
    burn(1.5)
    assert len(trades.seen) >= 5, "they came in meanwhile"
    trades.check(5)
    ib.disconnect()


def test_03_the_program_blocks_is_told_once_and_loses_nothing(
    ib: IB, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread.reset()
    monkeypatch.setattr(unread, "PATIENCE_S", 0.5)
    trades = Trades(ib)
    ib.sleep(0.2)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            time.sleep(0.8)  # as in the guide's loop
            ib.sleep(0.1)
    told = [record.message for record in caplog.records if "ib.sleep" in record.message]
    assert len(told) == 1
    assert "time.sleep" in told[0]
    trades.check(5)


def test_04_threads_ask_while_the_program_waits(ib: IB) -> None:
    def ask(number: int) -> int:
        bars = ib.reqHistoricalData(NFLX, "", "1 D", "1 hour", "TRADES", True)
        assert ib.reqCurrentTime()
        trade = ib.placeOrder(NFLX, MarketOrder("BUY", number))
        return trade.order.orderId if bars else 0

    with ThreadPoolExecutor(8) as workers:
        futures = [workers.submit(ask, number) for number in range(1, 9)]
        while not all(future.done() for future in futures):
            ib.sleep(0.05)
    order_ids = {future.result() for future in futures}
    assert len(order_ids) == 8
    deadline = time.monotonic() + 10
    while any(trade.isActive() for trade in ib.trades()) and time.monotonic() < deadline:
        ib.sleep(0.1)
    assert sum(trade.filled() for trade in ib.trades()) == sum(range(1, 9))


def test_05_threads_ask_while_the_program_does_something_else(ib: IB) -> None:
    with ThreadPoolExecutor(4) as workers:
        answers = list(workers.map(lambda _: ib.reqCurrentTime(), range(4)))
    assert all(answers)
    assert ib.reqCurrentTime()


def test_06_one_new_thread_for_each_call(ib: IB) -> None:
    answers: list[Any] = []
    for _ in range(5):
        thread = threading.Thread(target=lambda: answers.append(ib.reqCurrentTime()))
        thread.start()
        thread.join(10)
    assert len(answers) == 5


def test_07_an_asyncio_program(gateway: PaperGateway) -> None:
    async def main() -> None:
        ib = IB()
        await ib.connectAsync(port=gateway.port)
        ticker = ib.reqMktData(NFLX)
        async with asyncio.timeout(10):
            while not ticker.hasBidAsk():
                await ticker.updateEvent
        bars, moment = await asyncio.gather(
            ib.reqHistoricalDataAsync(NFLX, "", "1 D", "1 hour", "TRADES", True), ib.reqCurrentTimeAsync()
        )
        assert bars
        assert moment
        assert ib.reqCurrentTime(), "a blocking call in a running loop"
        trade = ib.placeOrder(NFLX, MarketOrder("BUY", 1))
        async with asyncio.timeout(10):
            await trade.filledEvent
        ib.disconnect()

    for _ in range(2):  # one loop after another
        asyncio.run(main())


def test_08_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(ConnectionRefusedError) as caught:
        IB().connect("127.0.0.1", port)
    assert time.monotonic() - began < 1
    assert isinstance(caught.value, ConnectionRefused)
    text = str(caught.value)
    assert f"127.0.0.1:{port}" in text
    assert "Enable ActiveX and Socket Clients" in text
    assert "ibkit paper" in text


@pytest.mark.parametrize("name", ["IBKIT_PORT", "IBKIT_CLIENT_ID"])
def test_09_the_environment_stands_in(gateway: PaperGateway, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("IBKIT_HOST", "localhost")
    monkeypatch.setenv("IBKIT_PORT", str(gateway.port))
    monkeypatch.setenv("IBKIT_CLIENT_ID", "33")
    ib = IB()
    ib.connect()
    assert repr(ib) == f"<IB connected to localhost:{gateway.port} clientId=33>"
    ib.disconnect()
    ib.connect(clientId=4)
    assert ib.client.clientId == 4
    ib.disconnect()
    monkeypatch.setenv(name, "seven")
    with pytest.raises(ValueError, match=name):
        IB().connect()


Wait = Callable[[IB], object]


@pytest.mark.parametrize(
    "wait",
    [
        lambda ib: ib.reqHistoricalData(NFLX, "", "1 D", "1 hour", "TRADES", True),
        lambda ib: ib.waitOnUpdate(),
        lambda ib: ib.reqCurrentTime(),
    ],
    ids=["history", "update", "time"],
)
def test_10_the_gateway_goes_away(wait: Wait) -> None:
    gateway = PaperGateway(port=0).start()
    ib = IB()
    ib.connect(port=gateway.port)
    ended: list[bool] = []
    ib.disconnectedEvent += lambda: ended.append(True)
    gateway.stop()

    def wait_on() -> None:
        for _ in range(100):
            wait(ib)

    with pytest.raises(ConnectionLost):
        wait_on()
    assert ended == [True]
    assert not ib.isConnected()
    with gateway:
        ib.connect(port=gateway.port)
        assert ib.reqCurrentTime()
        ib.disconnect()


@pytest.mark.parametrize("version", VERSIONS)
def test_11_a_request_in_flight_ends_with_the_connection(version: int) -> None:
    with PaperGateway(port=0, server_version=version, limits=Limits(history_delay_s=30)) as gateway:
        ib = IB()
        ib.connect(port=gateway.port)
        threading.Timer(0.2, gateway.disconnect_all).start()
        with pytest.raises(ConnectionLost):
            ib.reqHistoricalData(NFLX, "", "1 D", "1 hour", "TRADES", True)
