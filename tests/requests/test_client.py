"""``ib.client`` as scripts use it (api-inventory.md 2)."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from ibkit import IB, Client, EncodeError, NotConnected, ScannerSubscription, Stock
from ibkit.requests.client import _RAW
from ibkit.wire import messages as m
from tests.engine.peer import Script
from tests.requests.tcp import TcpGateway

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def ib(script: Script):  # type: ignore[no-untyped-def]  # a generator fixture
    ib = IB()
    ib.connectLink(script.link, clock=script.clock)
    yield ib
    ib.disconnect()


def test_state_and_numbers(ib: IB, script: Script) -> None:
    client = ib.client
    assert (client.isConnected(), client.isReady(), client.connState) == (True, True, client.CONNECTED)
    assert client.serverVersion() == 225
    assert client.twsConnectionTime() == "20240110 10:00:00 EST"
    assert client.getAccounts() == ["DU1"]
    assert (client.MinClientVersion, client.MaxClientVersion, client.MaxRequests) == (157, 225, 45)
    first = client.getReqId()
    assert client.getReqId() == first + 1
    client.updateReqId(1000)
    assert client.getReqId() == 1000
    stats = client.connectionStats()
    assert stats.numMsgRecv > 5
    assert stats.numBytesSent > 50
    assert client.notUnderstood() == {}
    ib.disconnect()
    assert (client.isConnected(), client.isReady(), client.connState) == (False, False, client.DISCONNECTED)
    assert client.serverVersion() == 0
    assert client.twsConnectionTime() == ""
    for ask in (client.getReqId, client.connectionStats, client.notUnderstood, client.getAccounts):
        with pytest.raises(NotConnected):
            ask()


def test_connect_options_reach_the_gateway(script: Script) -> None:
    ib = IB()
    ib.client.setConnectOptions("+PACEAPI")
    ib.connectLink(script.link, clock=script.clock)
    assert script.gateway.hello is not None
    assert script.gateway.hello.options == "+PACEAPI"
    ib.disconnect()


def test_the_rate_can_be_set_before_and_while_connected(ib: IB, script: Script) -> None:
    told: list[str] = []
    ib.client.throttleStart += lambda: told.append("start")
    ib.client.throttleEnd += lambda: told.append("end")
    ib.sleep(2)
    ib.client.MaxRequests = 10
    for _ in range(25):
        ib.client.reqCurrentTime()
    ib.sleep(0)
    assert len(script.of(m.ReqCurrentTime)) == 10
    ib.sleep(5)
    assert len(script.of(m.ReqCurrentTime)) == 25
    assert told == ["start", "end"]


def test_every_request_can_be_sent_raw() -> None:
    assert len(_RAW) == len(get_args(m.Request))
    assert all(name[0].islower() and name.isidentifier() for name in _RAW)


def test_raw_requests_take_their_arguments_as_ib_insync_does(ib: IB, script: Script) -> None:
    client = ib.client
    client.reqHistoricalData(7, AAPL, "", "1 D", "1 min", "TRADES", True, 1, False, [])
    client.reqHeadTimeStamp(8, AAPL, "BID", True, 1)
    client.cancelOrder(9)
    client.cancelOrder(10, "20240110 10:00:00 UTC")
    client.reqGlobalCancel()
    client.reqIds()
    client.replaceFA(11, 1, "<xml/>")
    client.reqScannerSubscription(12, ScannerSubscription(scanCode="HOT"), [], [])
    client.reqMarketDataType(marketDataType=3)
    ib.sleep(0)
    (bars,) = script.of(m.ReqHistoricalData)
    assert (bars.durationStr, bars.barSizeSetting, bars.whatToShow) == ("1 D", "1 min", "TRADES")
    (head,) = script.of(m.ReqHeadTimestamp)
    assert (head.whatToShow, head.useRTH) == ("BID", 1)
    assert [cancel.orderCancel.manualOrderCancelTime for cancel in script.of(m.CancelOrder)] == [
        "", "20240110 10:00:00 UTC",
    ]  # fmt: skip
    assert script.of(m.ReplaceFa) == [m.ReplaceFa(1, "<xml/>", 11)]
    assert script.of(m.ReqMarketDataType) == [m.ReqMarketDataType(3)]
    with pytest.raises(TypeError, match="takes 1 positional arguments but 2 were given"):
        client.reqUserInfo(1, 2)
    with pytest.raises(AttributeError, match="reqEverything"):
        client.reqEverything()
    with pytest.raises((EncodeError, TypeError)):
        client.reqMarketDataType("three")


def test_a_client_connects_without_fetching_the_state() -> None:
    ib = IB()
    with TcpGateway() as gateway:
        ib.client.connect("127.0.0.1", gateway.port, 7, timeout=5)
        assert (ib.client.isReady(), ib.client.clientId, ib.client.getAccounts()) == (True, 7, ["DU1"])
        assert [type(request).__name__ for request in gateway.requests] == ["StartApi"]
        assert ib.client.wrapper is ib.wrapper
        ib.client.disconnect()
        assert not ib.isConnected()


def test_a_client_connects_in_a_running_loop() -> None:
    async def main(port: int) -> None:
        ib = IB()
        await ib.client.connectAsync("127.0.0.1", port, 7)
        assert ib.client.isReady()
        ib.client.disconnect()

    with TcpGateway() as gateway:
        asyncio.run(main(gateway.port))


def test_optional_capabilities_reach_the_gateway(script: Script) -> None:
    ib = IB()
    ib.client.setOptionalCapabilities("+X")
    ib.connectLink(script.link, clock=script.clock)
    assert script.requests[0] == m.StartApi(1, "+X")
    ib.disconnect()


def test_the_rate_of_all_connections_is_set_on_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "MaxRequests", 3)
    assert IB().client.MaxRequests == 3


def test_a_client_without_an_ib_is_refused() -> None:
    with pytest.raises(TypeError, match="made by it"):
        Client(object())  # type: ignore[arg-type]  # as scripts for ib_insync may do
