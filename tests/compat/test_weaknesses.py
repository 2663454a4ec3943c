"""Weaknesses of other libraries that are not ours, where no other test shows it; docs/explain/weaknesses.md lists all.

A scripted peer says what a gateway says. Texts that another library stumbles over are written as raw fields, so that
they do not go through our own encoder.
"""

from __future__ import annotations

import ast
import asyncio
import copy
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ibkit
from ibkit import (
    IB,
    IBC,
    UNSET_DOUBLE,
    BarDataList,
    Contract,
    ContractDetails,
    InvalidRequest,
    LimitOrder,
    MarketOrder,
    OptionChain,
    Order,
    RealTimeBarList,
    RequestError,
    ScanDataList,
    ScannerSubscription,
    Stock,
    Watchdog,
    WshEventData,
)
from ibkit.engine.session import MAX_VERSION
from ibkit.paper import PaperGateway
from ibkit.testing import ScriptedPeer, Virtual, virtual_world
from ibkit.wire import Codec, Role
from ibkit.wire import messages as m

SOURCE = Path(ibkit.__file__).parent
TEXT, NEWEST = 176, MAX_VERSION
each_version = pytest.mark.parametrize("version", [TEXT, 200, NEWEST])


Connected = Callable[..., tuple[ScriptedPeer, IB]]


@pytest.fixture
def connected() -> Iterator[Connected]:
    made: list[IB] = []

    def connect(version: int = NEWEST) -> tuple[ScriptedPeer, IB]:
        peer = ScriptedPeer(server_version=version)
        made.append(IB().connectLink(peer.link, clock=peer.clock))
        return peer, made[-1]

    yield connect
    for ib in made:
        ib.disconnect()


def raw(*fields: object) -> bytes:
    """Return a text message of a server below version 201."""
    body = "".join(f"{field}\0" for field in fields).encode()
    return len(body).to_bytes(4, "big") + body


@pytest.fixture
def world() -> Iterator[Virtual]:
    with virtual_world() as made:
        yield made


# -- answers ---------------------------------------------------------------------------------------------------


@each_version
@pytest.mark.parametrize("code", [321, 105, 329, 322, 162, 200])
def test_a_refusal_ends_a_request_whatever_its_code(connected: Connected, version: int, code: int) -> None:
    peer, ib = connected(version)
    ib.RequestTimeout = 5
    peer.on(m.ReqContractData, lambda msg: [m.ErrMsg(msg.reqId, code, "Error validating request", "", 0)])
    with pytest.raises(RequestError) as caught:
        ib.reqContractDetails(Stock("AAPL", "SMART", "USD"))
    assert caught.value.code == code


@each_version
def test_the_user_info_is_what_was_told(connected: Connected, version: int) -> None:
    peer, ib = connected(version)
    peer.on(m.ReqUserInfo, lambda msg: [m.UserInfo(msg.reqId, "white label 7")])
    assert ib.reqUserInfo() == "white label 7"


@each_version
def test_whether_there_is_more_news_is_told(connected: Connected, version: int) -> None:
    peer, ib = connected(version)
    peer.on(m.ReqHistoricalNews, lambda msg: [m.HistoricalNewsEnd(msg.reqId, True)])
    headlines = ib.reqHistoricalNews(265598, "BRFG", "", "", 5)
    assert headlines == []
    assert headlines.hasMore  # type: ignore[union-attr]


def test_names_are_read_as_they_are_written(connected: Connected) -> None:
    peer, ib = connected(TEXT)
    names = ["Société Générale", "Soci\\u00e9t\\u00e9 G\\u00e9n\\u00e9rale", "BACKSLASH INC\\", "ÆØÅ \\u20ac"]
    read = ["Société Générale", "Société Générale", "BACKSLASH INC\\", "ÆØÅ €"]
    codec = Codec(Role.SERVER, TEXT)

    def answer(msg: m.ReqContractData) -> list[m.Answer]:
        for name in names:
            details = ContractDetails(contract=Stock("GLE", "SBF", "EUR", conId=1), longName="@NAME@")
            frame = codec.encode(m.ContractData(msg.reqId, details))
            body = frame[4:].replace(b"@NAME@", name.encode())
            peer.send_bytes(len(body).to_bytes(4, "big") + body)
        return [m.ContractDataEnd(msg.reqId)]

    peer.on(m.ReqContractData, answer)
    assert [each.longName for each in ib.reqContractDetails(Stock("GLE"))] == read


def test_counts_may_have_a_fraction(connected: Connected) -> None:
    peer, ib = connected(TEXT)

    def answer(msg: m.ReqHistogramData) -> list[m.Answer]:
        peer.send_bytes(raw(89, msg.tickerId, 2, 100.25, "2.5", 100.5, "3"))
        return []

    peer.on(m.ReqHistogramData, answer)
    rows = ib.reqHistogramData(Stock("AAPL", "SMART", "USD"), True, "3 days")
    assert [(row.price, row.count) for row in rows] == [(100.25, 2.5), (100.5, 3)]


@each_version
def test_escapes_in_the_texts_of_errors_are_read(connected: Connected, version: int) -> None:
    peer, ib = connected(version)
    peer.on(m.ReqCurrentTime, lambda msg: [m.ErrMsg(-1, 2104, "Données prêtes", "", 0), m.CurrentTime(1)])
    told: list[str] = []
    ib.errorEvent += lambda req_id, code, text, contract: told.append(text)
    ib.reqCurrentTime()
    if version == TEXT:
        peer.send_bytes(raw(4, 2, -1, 2104, "Donn\\u00e9es pr\\u00eates", ""))
        ib.sleep(1)
    assert set(told) == {"Données prêtes"}


# -- nothing is left behind -------------------------------------------------------------------------------------


def test_requests_that_are_over_leave_nothing_behind(world: Virtual) -> None:
    ib = world.ib
    assert ib._connection is not None
    engine = ib._connection.engine
    apple = Stock("AAPL", "SMART", "USD")

    def everything() -> tuple[int, ...]:
        ib.qualifyContracts(apple)
        ib.reqContractDetails(apple)
        ib.reqTickers(apple)
        ib.reqHistoricalData(apple, "", "1 D", "1 hour", "TRADES", True)
        ib.reqHeadTimeStamp(apple, "TRADES", True)
        ib.reqMatchingSymbols("micro")
        ib.reqMarketRule(26)
        ib.reqHistoricalNews(265598, "BRFG", "", "", 5)
        ib.reqScannerData(ScannerSubscription(instrument="STK", locationCode="STK.US", scanCode="TOP_PERC_GAIN"))
        ib.getWshMetaData()
        ib.getWshEventData(WshEventData(conId=265598))
        ib.cancelWshMetaData()
        ib.reqExecutions()
        ib.reqUserInfo()
        with pytest.raises(RequestError):
            ib.reqContractDetails(Stock("NOSUCHSTOCK"))
        ib.sleep(30)
        state, calls = engine.state, engine.calls
        return (
            len(calls._on_wire),
            len(calls._queues),
            len(state.subscriptions),
            len(state.market.feeds),
            len(state.market.by_object),
            len(state.history.bars),
            len(state.scanner.live),
            len(state.news.arrived),
            len(state.orders.held),
            len(engine.timers._heap),
        )

    first = everything()
    assert first[:4] == (0, 0, 0, 0)
    for _ in range(3):
        assert everything() == first


@pytest.mark.parametrize("how", ["cancelled", "timed out"])
def test_giving_up_leaves_nothing_behind(connected: Connected, how: str) -> None:
    peer, ib = connected()
    assert ib._connection is not None
    engine = ib._connection.engine
    peer.on(m.ReqContractData, lambda msg: [])

    async def ask() -> None:
        async with asyncio.timeout(0.05):
            await ib.reqContractDetailsAsync(Stock("AAPL"))

    if how == "cancelled":
        with pytest.raises(TimeoutError):
            asyncio.run(ask())
    else:
        ib.RequestTimeout = 5
        with pytest.raises(ibkit.RequestTimeout):
            ib.reqContractDetails(Stock("AAPL"))
    assert not engine.calls._on_wire
    assert len(peer.received(m.CancelContractData)) <= 1


# -- what users hold --------------------------------------------------------------------------------------------


@each_version
@pytest.mark.parametrize("order", [MarketOrder("BUY", 1), LimitOrder("BUY", 1, 5.0), Order(volatility=0.5)])
def test_the_order_of_the_user_keeps_its_fields(connected: Connected, version: int, order: Order) -> None:
    _, ib = connected(version)
    order = copy.copy(order)
    order.action, order.totalQuantity, order.orderType = "BUY", 1, order.orderType or "VOL"
    before = order.dict()
    ib.placeOrder(Stock("AAPL", "SMART", "USD"), order)
    changed = {name for name, value in order.dict().items() if value != before[name]}
    assert changed <= {"orderId", "clientId"}


def test_lists_of_bars_are_hashable_and_rows_are_tuples() -> None:
    for kind in (BarDataList, RealTimeBarList, ScanDataList):
        rows = kind()
        assert rows in {rows}
        assert kind() not in {rows}
    chain = OptionChain("SMART", 1, "AAPL", "100", ["20240119"], [100.0])
    exchange, *_ = chain
    assert (exchange, chain[2], chain._replace(multiplier="10").multiplier) == ("SMART", "AAPL", "10")


@pytest.mark.parametrize("version", [157, TEXT, 200, 203, NEWEST])
def test_numbers_of_numpy_reach_the_wire_as_numbers(version: int) -> None:
    plain = Order(action="BUY", totalQuantity=100, orderType="LMT", lmtPrice=101.5, outsideRth=True, minQty=5)
    numpy = copy.copy(plain)
    numpy.totalQuantity = np.float64(100)
    numpy.lmtPrice = np.float64(101.5)
    numpy.outsideRth = np.bool_(True)  # type: ignore[assignment]
    numpy.minQty = np.int64(5)  # type: ignore[assignment]
    numpy.auxPrice = np.float64(UNSET_DOUBLE)
    codec = Codec(Role.CLIENT, version)
    contract = Stock("AAPL", "SMART", "USD")
    assert codec.encode(m.PlaceOrder(1, contract, numpy)) == codec.encode(m.PlaceOrder(1, contract, plain))


@pytest.mark.parametrize("version", [TEXT, 200, NEWEST])
@pytest.mark.parametrize(
    ("order_type", "field", "value"),
    [
        ("PEG BENCH", "referenceExchangeId", "ISLAND"),
        ("PEGBENCH", "referenceExchangeId", "ISLAND"),
        ("PEG BEST", "minCompeteSize", 7),
        ("PEGBEST", "minCompeteSize", 7),
        ("PEG MID", "midOffsetAtWhole", 0.25),
        ("PEGMID", "midOffsetAtWhole", 0.25),
    ],
)
def test_order_types_are_known_with_and_without_their_blank(
    version: int, order_type: str, field: str, value: Any
) -> None:
    order = Order(action="BUY", totalQuantity=1, orderType=order_type, referenceContractId=9)
    setattr(order, field, value)
    frame = Codec(Role.CLIENT, version).encode(m.PlaceOrder(1, Stock("AAPL", "SMART", "USD"), order))
    told = Codec(Role.SERVER, version).decode(frame[4:])
    assert isinstance(told, m.PlaceOrder)
    assert getattr(told.order, field) == value


@pytest.mark.parametrize("version", [TEXT, 200, NEWEST])
def test_a_scale_price_increment_of_zero_stays_zero(version: int) -> None:
    order = Order(orderId=1, clientId=1, permId=5, action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=1.0)
    order.scalePriceIncrement = 0.0
    frame = Codec(Role.SERVER, version).encode(m.OpenOrder(order, Stock("AAPL"), ibkit.OrderState()))
    told = Codec(Role.CLIENT, version).decode(frame[4:])
    assert isinstance(told, m.OpenOrder)
    assert told.order.scalePriceIncrement == 0.0


# -- asyncio, processes -----------------------------------------------------------------------------------------


def test_nothing_of_asyncio_is_replaced() -> None:
    program = """
import asyncio, asyncio.events, asyncio.base_events
names = [(owner, name) for owner in (asyncio, asyncio.events, asyncio.BaseEventLoop) for name in dir(owner)
         if not name.startswith('_') or name == '_run_once']
before = {(id(owner), name): getattr(owner, name, None) for owner, name in names}
from ibkit import *
from ibkit.testing import virtual_world
util.startLoop()
util.patchAsyncio()
with virtual_world() as world:
    world.ib.sleep(1)
    async def main():
        world.ib.reqCurrentTime()
        return await world.ib.reqCurrentTimeAsync()
    world.ib.run(main())
changed = [name for owner, name in names if getattr(owner, name, None) is not before[id(owner), name]]
print(changed)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_no_private_or_outgoing_interface_of_asyncio_is_used() -> None:
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, (ast.Attribute, ast.Call)) else ""
            if re.match(r"getattr\([^,]+, '_(?!fields')[a-z]", text):  # the back door to what is nobody's business
                wrong.append(f"{path.relative_to(SOURCE)}:{node.lineno}: {text}")
            if not isinstance(node, ast.Attribute):
                continue
            private = text.startswith("asyncio.") and any(part.startswith("_") for part in text.split("."))
            if private or "event_loop_policy" in text or text.endswith(("._run_once", "._ready", "._selector")):
                wrong.append(f"{path.relative_to(SOURCE)}:{node.lineno}: {text}")
    wrong = [each for each in wrong if "self._ready" not in each and "self._selector" not in each]
    assert not wrong


def test_collecting_an_ib_touches_no_socket() -> None:
    assert not hasattr(IB, "__del__")


def test_connecting_again_at_once_finds_the_client_id_free() -> None:
    with PaperGateway(start="2024-01-10 10:00") as gateway:
        ib = IB()
        for _ in range(20):
            ib.connect(port=gateway.port, clientId=5)
            ib.disconnect()


def test_an_end_of_one_connection_interrupts_no_other() -> None:
    with PaperGateway(start="2024-01-10 10:00") as first, PaperGateway(start="2024-01-10 10:00") as second:
        dies, lives = IB(), IB()
        dies.connect(port=first.port)
        lives.connect(port=second.port)
        dies.disconnectedEvent += lambda: seen.append("gone")
        seen: list[str] = []
        lives.schedule(lives.reqCurrentTime().replace(year=2000), first.disconnect_all)  # in the past: at once
        assert lives.sleep(0.3)
        assert seen == ["gone"]
        assert lives.reqCurrentTime().year == 2024
        lives.disconnect()


def test_checks_of_arguments_hold_without_assertions() -> None:
    program = """
from ibkit import *
from ibkit.testing import virtual_world
with virtual_world() as world:
    ib = world.ib
    trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 1))
    ib.sleep(2)
    for what in (
        lambda: Forex('EUR'),
        lambda: ib.bracketOrder('HOLD', 1, 1, 1, 1),
        lambda: ib.placeOrder(trade.contract, trade.order),
        lambda: list(ib.timeRange(ib.reqCurrentTime(), ib.reqCurrentTime(), 0)),
        lambda: ib.reqHistoricalData(trade.contract, '', '1 D', '15 min', 'TRADES', True),
    ):
        try:
            what()
        except (ValueError, OrderStateError) as error:
            print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [
        "ValueError", "InvalidRequest", "OrderStateError", "ValueError", "InvalidRequest",
    ]  # fmt: skip
    with pytest.raises(InvalidRequest):
        IB().bracketOrder("HOLD", 1, 1, 1, 1)


def test_a_status_is_written_into_no_text_that_nobody_reads(
    connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    class Loud(Contract):
        def __repr__(self) -> str:
            raise AssertionError("a text was made that nobody reads")

    caplog.set_level(logging.ERROR)
    peer, ib = connected()
    contract = Loud("STK", symbol="AAPL", exchange="SMART", currency="USD")
    trade = ib.placeOrder(contract, MarketOrder("BUY", 1))
    peer.send(m.OrderStatus(trade.order.orderId, "Submitted", 0.0, 1.0, 0.0, 5, 0, 0.0, 1, "", 0.0))
    ib.sleep(1)
    assert trade.orderStatus.status == "Submitted"


def test_a_burst_that_has_to_wait_sets_one_timer(connected: Connected) -> None:
    _, ib = connected()
    assert ib._connection is not None
    engine = ib._connection.engine
    before = len(engine.timers._heap)  # deadlines of requests that were sent; those that wait have none yet
    calls = [ib.reqContractDetailsAsync(Stock(f"S{i}")) for i in range(300)]
    assert engine._throttle.waiting() >= 255
    assert len(engine.timers._heap) - before + engine._throttle.waiting() == 300
    ib.disconnect()
    with pytest.raises(ibkit.ConnectionLost):
        ib.run(calls[-1])
    for call in calls:
        assert isinstance(call.exception(), ibkit.ConnectionLost)  # type: ignore[attr-defined]


def test_a_watchdog_waits_longer_with_each_failure_and_stops_at_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(IBC):
        started = ended = 0

        async def startAsync(self) -> None:
            self.started += 1
            raise OSError("bad credentials")

        async def terminateAsync(self) -> None:
            self.ended += 1

    caplog.set_level(logging.WARNING, "ibkit.Watchdog")
    controller = Broken()

    async def main() -> None:
        watchdog = Watchdog(controller, IB(), retryDelay=0.01)
        runner = watchdog.start()
        while controller.started < 4:
            await asyncio.sleep(0.01)
        watchdog.stop()
        with pytest.raises(asyncio.CancelledError):
            await runner

    asyncio.run(main())
    assert [record.message for record in caplog.records[:3]] == [
        f"bad credentials: trying again in {delay} s" for delay in (0.01, 0.02, 0.04)
    ]
    assert controller.ended == controller.started
