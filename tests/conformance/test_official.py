"""IB's own client at our gateway: the day of a program, in text and in protobuf."""

from __future__ import annotations

import inspect
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.order_cancel import OrderCancel
from ibapi.scanner import ScannerSubscription
from ibapi.wrapper import EWrapper

from ibkit.paper import PaperGateway

PATIENCE_S = 30.0
VERSIONS = (157, 176, 200, 201, 207, 213, 225)

# Messages of TWS that tell of nothing wrong.
INFORMATION = {2104, 2106, 2158, 202}

Call = tuple[str, tuple[Any, ...]]


class Recorder(EWrapper):  # type: ignore[misc]  # the official client has no types
    """Puts every callback into a queue."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: queue.Queue[Call] = queue.Queue()
        self.errors: list[tuple[Any, ...]] = []


def _record(name: str) -> Callable[..., None]:
    def callback(self: Recorder, *args: Any) -> None:
        if name == "error" and args[2] not in INFORMATION:
            self.errors.append(args)
        self.calls.put((name, args))

    return callback


for _name, _method in inspect.getmembers(EWrapper, inspect.isfunction):
    if not _name.startswith("_") and not _name.endswith("ProtoBuf"):
        setattr(Recorder, _name, _record(_name))


class App:
    """The official client with its message loop in a thread."""

    def __init__(self, gateway: PaperGateway, client_id: int = 1) -> None:
        self.gateway = gateway
        self.wrapper = Recorder()
        self.client = EClient(self.wrapper)
        self.client.connect(gateway.host, gateway.port, client_id)
        self._thread = threading.Thread(target=self.client.run)
        self._thread.start()
        self.seen: list[Call] = []

    def wait(self, name: str, wanted: Callable[..., bool] = lambda *args: True) -> tuple[Any, ...]:
        """Return the arguments of the next callback of that name that is wanted."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                called, args = self.wrapper.calls.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {name}; errors: {self.wrapper.errors}; seen: {self.seen[-20:]}") from None
            self.seen.append((called, args))
            if called == name and wanted(*args):
                return args

    def count(self, name: str) -> int:
        return sum(called == name for called, _ in self.seen)

    def close(self) -> None:
        reader = self.client.reader
        if self.gateway.running:
            self.gateway.disconnect_all()  # ends its blocking read, which would take a second
        self._thread.join(PATIENCE_S)
        if reader is not None:
            reader.join(PATIENCE_S)


@pytest.fixture(params=VERSIONS)
def gateway(request: pytest.FixtureRequest) -> Iterator[PaperGateway]:
    with PaperGateway(server_version=request.param, start="2024-01-10 10:00", speed=10) as running:
        yield running


@pytest.fixture
def app(gateway: PaperGateway, caplog: pytest.LogCaptureFixture) -> Iterator[App]:
    caplog.set_level("INFO", "ibapi")
    running = App(gateway)
    try:
        yield running
        assert running.wrapper.errors == []
        # A message it cannot read is a line in its log and nothing else.
        assert [line.getMessage() for line in caplog.records if _is_trouble(line)] == []
    finally:
        running.close()


def _is_trouble(line: logging.LogRecord) -> bool:
    return line.name.startswith("ibapi") and (line.levelno >= logging.WARNING or line.getMessage() == "BadMessage")


def stock(symbol: str = "AAPL", exchange: str = "SMART") -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", exchange, "USD"
    return contract


def order(action: str, quantity: float, kind: str, price: float = 0.0) -> Order:
    made = Order()
    made.action, made.totalQuantity, made.orderType = action, quantity, kind
    if price:
        made.lmtPrice = price
    return made


def test_start_up(app: App) -> None:
    assert app.wait("managedAccounts") == ("DU1234567",)
    assert app.wait("nextValidId") == (1,)
    app.wait("error", lambda req_id, when, code, *rest: (req_id, code) == (-1, 2158))
    app.client.reqCurrentTime()
    assert app.wait("currentTime")[0] >= 1704898800


def test_contract_details(app: App) -> None:
    app.wait("nextValidId")
    app.client.reqContractDetails(1, stock())
    req_id, details = app.wait("contractDetails")
    assert req_id == 1
    assert (details.contract.conId, details.contract.primaryExchange) == (265598, "NASDAQ")
    assert details.minTick == 0.01
    assert "US/Eastern" in details.timeZoneId
    app.wait("contractDetailsEnd")
    app.client.reqSecDefOptParams(2, "AAPL", "", "STK", 265598)
    app.wait("securityDefinitionOptionParameter", lambda *args: args[1] == "SMART" and args[5] and args[6])
    app.wait("securityDefinitionOptionParameterEnd")
    app.client.reqMatchingSymbols(3, "Apple")
    assert any(found.contract.symbol == "AAPL" for found in app.wait("symbolSamples")[1])
    app.client.reqMarketRule(26)
    assert app.wait("marketRule")[1][0].increment == 0.01


def test_market_data(app: App) -> None:
    app.wait("nextValidId")
    app.client.reqMktData(1, stock(), "233,236", False, False, [])
    app.wait("tickReqParams", lambda req_id, min_tick, *rest: req_id == 1 and min_tick == 0.01)
    app.wait("tickPrice", lambda req_id, tick, price, attrib: tick == 1 and price > 0)
    app.wait("tickSize", lambda req_id, tick, size: tick == 0 and size > 0)
    app.wait("tickString", lambda req_id, tick, value: tick == 48)
    app.client.cancelMktData(1)
    app.client.reqMktData(2, stock("MSFT"), "", True, False, [])
    app.wait("tickSnapshotEnd")
    app.client.reqTickByTickData(3, stock(), "BidAsk", 10, False)
    app.wait("historicalTicksBidAsk", lambda req_id, ticks, done: len(ticks) >= 10 and done)
    app.wait("tickByTickBidAsk")
    app.client.reqMktDepth(4, stock(exchange="NASDAQ"), 5, False, [])
    app.wait("updateMktDepth", lambda req_id, position, *rest: position == 4)
    app.client.reqRealTimeBars(5, stock(), 5, "TRADES", True, [])
    app.wait("realtimeBar")


def test_options(app: App) -> None:
    app.wait("nextValidId")
    app.client.reqSecDefOptParams(1, "AAPL", "", "STK", 265598)
    _, _, _, _, _, expirations, strikes = app.wait("securityDefinitionOptionParameter")
    app.client.reqMktData(2, stock(), "", True, False, [])
    spot = app.wait("tickPrice", lambda req_id, tick, price, attrib: tick == 4)[2]
    option = stock()
    option.secType, option.right = "OPT", "C"
    option.lastTradeDateOrContractMonth = sorted(expirations)[3]
    option.strike = min(strikes, key=lambda strike: abs(strike - spot))
    app.client.reqContractDetails(3, option)
    found = app.wait("contractDetails")[1].contract
    assert (found.secType, found.right, found.strike, found.multiplier) == ("OPT", "C", option.strike, "100")
    app.client.reqMktData(4, found, "", False, False, [])
    args = app.wait("tickOptionComputation", lambda req_id, tick, *rest: tick == 13)
    assert 0 < args[4] < 1, "delta"
    app.client.calculateOptionPrice(5, found, 0.3, spot, [])
    app.wait("tickOptionComputation", lambda req_id, tick, *rest: tick == 53 and rest[3] > 0)


def test_history(app: App) -> None:
    app.wait("nextValidId")
    app.client.reqHistoricalData(1, stock(), "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
    bar = app.wait("historicalData")[1]
    assert bar.low <= bar.open <= bar.high
    assert bar.volume > 0
    app.wait("historicalDataEnd", lambda req_id, start, end: req_id == 1)
    app.client.reqHistoricalData(2, stock(), "", "3600 S", "1 min", "MIDPOINT", 1, 2, True, [])
    app.wait("historicalDataEnd", lambda req_id, start, end: req_id == 2)
    app.wait("historicalDataUpdate", lambda req_id, bar: req_id == 2 and bar.low <= bar.close <= bar.high)
    app.client.reqHeadTimeStamp(3, stock(), "TRADES", 1, 1)
    app.wait("headTimestamp")
    app.client.reqHistogramData(4, stock(), True, "1 day")
    assert app.wait("histogramData")[1]
    app.client.reqHistoricalTicks(5, stock(), "", "20240109 15:00:00 US/Eastern", 50, "TRADES", 1, False, [])
    assert len(app.wait("historicalTicksLast")[1]) >= 50
    if app.client.serverVersion() >= 165:
        app.client.reqHistoricalData(6, stock(), "", "3 D", "1 day", "SCHEDULE", 1, 1, False, [])
        assert len(app.wait("historicalSchedule")[4]) == 3


def test_an_order_to_filled(app: App) -> None:
    order_id = app.wait("nextValidId")[0]
    app.client.reqPositions()
    app.wait("positionEnd")
    app.client.placeOrder(order_id, stock(), order("BUY", 100, "MKT"))
    _, contract, placed, _ = app.wait("openOrder")
    assert (contract.conId, placed.orderId, placed.action) == (265598, order_id, "BUY")
    _, _, execution = app.wait("execDetails")
    assert (execution.side, execution.orderId) == ("BOT", order_id)
    done = app.wait("orderStatus", lambda *args: args[1] == "Filled")
    assert (done[0], done[2], done[3]) == (order_id, 100, 0)
    report = app.wait("commissionAndFeesReport", lambda report: report.commissionAndFees > 0)[0]
    assert report.currency == "USD"
    app.wait("position", lambda account, contract, size, cost: size == 100 and cost > 0)
    app.client.reqExecutions(9, ExecutionFilter())
    app.wait("execDetails", lambda req_id, *rest: req_id == 9)
    app.wait("execDetailsEnd")
    app.client.reqCompletedOrders(False)
    completed = app.wait("completedOrder")
    assert completed[2].status == "Filled"
    app.wait("completedOrdersEnd")


def test_orders_that_wait_and_are_cancelled(app: App) -> None:
    order_id = app.wait("nextValidId")[0]
    app.client.placeOrder(order_id, stock(), order("BUY", 10, "LMT", 50.0))
    app.wait("orderStatus", lambda *args: args[1] == "Submitted")
    app.client.reqOpenOrders()
    app.wait("openOrder", lambda number, *rest: number == order_id)
    app.wait("openOrderEnd")
    app.client.cancelOrder(order_id, OrderCancel())
    app.wait("orderStatus", lambda *args: args[1] == "Cancelled")
    preview = order("BUY", 100, "MKT")
    preview.whatIf = True
    app.client.placeOrder(order_id + 1, stock(), preview)
    state = app.wait("openOrder", lambda number, *rest: number == order_id + 1)[3]
    assert float(state.initMarginChange) > 0


def test_account_and_positions(app: App) -> None:
    app.wait("nextValidId")
    app.client.reqAccountUpdates(True, "DU1234567")
    app.wait("updateAccountValue", lambda key, value, currency, account: key == "NetLiquidation" and float(value) > 0)
    app.wait("accountDownloadEnd")
    app.client.reqAccountSummary(1, "All", "NetLiquidation,$LEDGER:ALL")
    app.wait("accountSummary", lambda req_id, account, tag, *rest: tag == "NetLiquidation")
    app.wait("accountSummaryEnd")
    app.client.reqPnL(2, "DU1234567", "")
    app.wait("pnl")
    app.client.reqPositionsMulti(3, "DU1234567", "")
    app.wait("positionMultiEnd")
    app.client.reqAccountUpdatesMulti(4, "DU1234567", "", False)
    app.wait("accountUpdateMulti")
    app.wait("accountUpdateMultiEnd")
    app.client.reqFamilyCodes()
    app.wait("familyCodes")


def test_the_rest_of_the_house(app: App) -> None:
    app.wait("nextValidId")
    app.client.reqScannerParameters()
    assert "TOP_PERC_GAIN" in app.wait("scannerParameters")[0]
    scan = ScannerSubscription()
    scan.instrument, scan.locationCode, scan.scanCode = "STK", "STK.US.MAJOR", "MOST_ACTIVE"
    app.client.reqScannerSubscription(1, scan, [], [])
    app.wait("scannerData", lambda req_id, rank, details, *rest: rank == 0 and details.contract.symbol)
    app.wait("scannerDataEnd")
    app.client.reqNewsProviders()
    app.wait("newsProviders")
    app.client.reqHistoricalNews(2, 265598, "BRFG+DJNL", "", "", 3, [])
    _, _, provider, article, _ = app.wait("historicalNews")
    app.wait("historicalNewsEnd")
    app.client.reqNewsArticle(3, provider, article, [])
    app.wait("newsArticle")
    app.client.reqMktDepthExchanges()
    app.wait("mktDepthExchanges")
    app.client.reqSmartComponents(4, "9c0001")
    app.wait("smartComponents")
    app.client.reqSoftDollarTiers(5)
    app.wait("softDollarTiers")
    app.client.queryDisplayGroups(6)
    app.wait("displayGroupList")
    app.client.subscribeToGroupEvents(7, 1)
    app.wait("displayGroupUpdated")
    app.client.reqNewsBulletins(True)
    app.wait("updateNewsBulletin")
    app.client.reqManagedAccts()
    app.wait("managedAccounts")
    if app.client.serverVersion() >= 161:
        app.client.reqWshMetaData(8)
        app.wait("wshMetaData")
    if app.client.serverVersion() >= 167:
        app.client.reqUserInfo(9)
        app.wait("userInfo")
    if app.client.serverVersion() >= 197:
        app.client.reqCurrentTimeInMillis()
        app.wait("currentTimeInMillis")


def test_a_client_id_in_use(gateway: PaperGateway, app: App) -> None:
    app.wait("nextValidId")
    second = App(gateway)
    try:
        second.wait("error", lambda req_id, when, code, *rest: code == 326)
        second.wait("connectionClosed")
    finally:
        second.close()
