"""What users get for their own tests."""

from __future__ import annotations

import pytest

import ibkit.testing
from ibkit import IB, MarketOrder, Stock
from ibkit.errors import ConnectionLost, RequestError
from ibkit.paper import PaperGateway
from ibkit.testing import ScriptedPeer, Virtual, gateway, ib, virtual, virtual_world
from ibkit.wire import messages as m

__all__ = ["gateway", "ib", "virtual"]  # fixtures: used by their names


def test_a_gateway_and_a_connected_ib(gateway: PaperGateway, ib: IB) -> None:
    assert gateway.running
    assert ib.isConnected()
    apple = Stock("AAPL", "SMART", "USD")
    assert ib.qualifyContracts(apple) == [apple]
    assert ib.managedAccounts() == ["DU1234567"]


def test_a_day_on_a_virtual_clock(virtual: Virtual) -> None:
    apple = Stock("AAPL", "SMART", "USD")
    virtual.ib.qualifyContracts(apple)
    trade = virtual.ib.placeOrder(apple, MarketOrder("BUY", 100))
    virtual.ib.sleep(5)
    assert trade.orderStatus.status == "Filled"
    ticker = virtual.ib.reqMktData(apple)
    virtual.ib.sleep(1)
    before = ticker.last
    virtual.shock("AAPL", percent=10)
    virtual.ib.sleep(300)
    assert ticker.last > before * 1.05
    assert 306 <= virtual.clock.monotonic() < 307
    other = virtual.connect(clientId=2)
    assert [position.position for position in other.positions()] == [100]
    other.disconnect()


def test_a_second_world_in_the_same_thread(virtual: Virtual) -> None:
    virtual.ib.sleep(60)  # idle: it could let hours pass at once
    with virtual_world(seed=2) as other:
        apple = Stock("AAPL", "SMART", "USD")
        assert other.ib.qualifyContracts(apple) == [apple]
        assert virtual.ib.qualifyContracts(Stock("MSFT", "SMART", "USD"))
        peer = ScriptedPeer()
        third = IB().connectLink(peer.link, clock=peer.clock)
        other.ib.sleep(60)
        assert other.clock.monotonic() >= 60
        assert virtual.clock.monotonic() >= 120
        third.disconnect()


@pytest.mark.parametrize("age", [1e5 / 3, 1e9 / 3])
@pytest.mark.parametrize("secs", [0.05, 0.1, 0.3, 0.7, 1.1])
def test_a_deadline_is_met_in_a_world_beside_an_old_one(age: float, secs: float) -> None:
    """Clocks that show large numbers do not show small steps: what was left of a deadline never came to pass."""
    peer = ScriptedPeer()
    peer.clock.advance(age)
    old = IB().connectLink(peer.link, clock=peer.clock)
    with virtual_world(seed=2) as fresh:
        idle: list[float] = []
        fresh.ib.timeoutEvent += idle.append
        fresh.ib.setTimeout(secs)
        old.sleep(5)
        assert idle == [pytest.approx(secs, abs=1e-5)]
    old.disconnect()


def test_every_run_is_the_same() -> None:
    def run() -> list[float]:
        with virtual_world(seed=5, server_version=200) as world:
            euro = Stock("MSFT", "SMART", "USD")
            world.ib.qualifyContracts(euro)
            ticker = world.ib.reqMktData(euro)
            seen: list[float] = []
            ticker.updateEvent += lambda ticker: seen.append(ticker.bid)
            world.ib.sleep(60)
            return seen

    first = run()
    assert len(first) > 20
    assert first == run()


@pytest.mark.parametrize("version", [176, 225])
class TestScriptedPeer:
    """A server that says what it is told to."""

    @staticmethod
    def connected(version: int) -> tuple[ScriptedPeer, IB]:
        peer = ScriptedPeer(server_version=version)
        return peer, IB().connectLink(peer.link, clock=peer.clock)

    def test_it_answers_as_scripted(self, version: int) -> None:
        peer, ib = self.connected(version)
        peer.on(m.ReqCurrentTime, lambda msg: [m.CurrentTime(1234567890)])
        assert ib.reqCurrentTime().timestamp() == 1234567890
        assert peer.received(m.ReqCurrentTime) == [m.ReqCurrentTime()]
        assert peer.received(m.StartApi)[0].clientId == 1
        ib.disconnect()

    def test_it_refuses_as_scripted(self, version: int) -> None:
        peer, ib = self.connected(version)
        peer.on(m.ReqHeadTimestamp, lambda msg: [m.ErrMsg(msg.reqId, 162, "no data today", "", 0)])
        with pytest.raises(RequestError, match="no data today"):
            ib.reqHeadTimeStamp(Stock("AAPL", "SMART", "USD"), "TRADES", True)
        ib.disconnect()

    def test_it_speaks_when_it_is_time(self, version: int) -> None:
        peer, ib = self.connected(version)
        heard: list[int] = []
        ib.errorEvent += lambda req_id, code, text, contract: heard.append(code)
        peer.at(60, m.ErrMsg(-1, 1100, "connectivity lost", "", 0))
        peer.at(90, m.ErrMsg(-1, 1102, "restored", "", 0))
        ib.sleep(59)
        assert heard == []
        ib.sleep(2)
        assert heard == [1100]
        ib.sleep(60)
        assert heard == [1100, 1102]
        ib.disconnect()

    def test_it_hangs_up(self, version: int) -> None:
        peer, ib = self.connected(version)

        def gone(msg: m.ReqCurrentTime) -> list[m.Answer]:
            peer.hang_up()
            return []

        peer.on(m.ReqCurrentTime, gone)
        with pytest.raises(ConnectionLost):
            ib.reqCurrentTime()
        assert not ib.isConnected()

    def test_silence_ends_with_the_patience_of_the_client(self, version: int) -> None:
        peer, ib = self.connected(version)
        ib.RequestTimeout = 5
        with pytest.raises(TimeoutError):
            ib.reqCurrentTime()
        assert peer.clock.monotonic() >= 5
        ib.disconnect()


def test_nothing_can_be_sent_before_somebody_connects() -> None:
    with pytest.raises(RuntimeError, match="nobody"):
        ScriptedPeer().send(m.CurrentTime(0))


def test_unknown_names_are_told() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gatewya'"):
        _ = ibkit.testing.gatewya  # type: ignore[attr-defined]
