"""TWS without IB: what clients are told, what waits, and that nothing that happened is lost."""

from __future__ import annotations

import pytest

from ibkit import IB, LimitOrder, MarketOrder, Stock
from ibkit.model import Contract
from ibkit.paper import in_process
from ibkit.wire import messages as m
from tests.paper.gateway.peer import World, only

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
VERSIONS = (157, 200, 225)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("lost", [True, False])
def test_what_happens_in_an_outage_is_told_afterwards(version: int, lost: bool) -> None:
    world = World(server_version=version)
    client = world.client()
    client.ask(m.ReqMktData(1, APPLE, "", False, False, []), secs=2)
    client.ask(m.ReqAccountSummary(2, "All", "NetLiquidation"))
    client.ask(m.ReqPositions())
    client.ask(m.PlaceOrder(1, APPLE, LimitOrder("BUY", 10, 158.0)), secs=2)
    world.gateway.cut_off()
    assert [error.errorCode for error in only(m.ErrMsg, client.read())] == [1100]
    world.gateway.shock("AAPL", -5)
    client.send(m.ReqCurrentTime())
    assert client.wait(30) == []
    assert world.gateway.broker.positions()  # the order has filled
    world.gateway.restore(data_lost=lost)
    told = client.read()
    first = told[0]
    assert isinstance(first, m.ErrMsg)
    assert (first.reqId, first.errorCode) == (-1, 1101 if lost else 1102)
    assert [row.status for row in only(m.OrderStatus, told)][-1] == "Filled"
    assert len(only(m.ExecutionData, told)) == len(only(m.CommissionAndFeesReport, told)) > 0
    assert only(m.PositionData, told)[-1].position == 10
    assert only(m.CurrentTime, told)  # what was sent meanwhile is answered
    assert bool(only(m.TickPrice, client.wait(5))) is not lost
    assert only(m.AccountSummaryEnd, client.wait(200))


def test_who_comes_in_an_outage_waits_at_the_door() -> None:
    world = World()
    world.gateway.cut_off()
    world.gateway.cut_off()
    client = world.client(start=False)
    assert client.version == 225
    assert client.ask(m.StartApi(1, ""), secs=60) == []
    world.gateway.restore()
    assert only(m.NextValidId, client.read())
    world.gateway.restore()
    assert client.read() == []


def test_a_program_lives_through_it() -> None:
    world = in_process(seed=3)
    with IB().connectLink(world.link(), clock=world.clock) as ib:
        stock = Stock("NFLX", "SMART", "USD")
        ib.qualifyContracts(stock)
        ticker = ib.reqMktData(stock)
        ib.sleep(2)
        before = ticker.bid
        trade = ib.placeOrder(stock, LimitOrder("BUY", 10, round(before * 0.99, 2)))
        ib.sleep(2)
        world.cut_off()
        world.shock("NFLX", percent=-3)
        ib.sleep(60)
        assert trade.orderStatus.status == "Submitted"
        assert ticker.bid == before or ticker.bid > before * 0.98
        world.restore()
        ib.sleep(5)
        assert trade.orderStatus.status == "Filled"
        assert sum(fill.execution.shares for fill in trade.fills) == 10
        assert ticker.bid < before * 0.98  # subscribed again by itself
        after = ib.placeOrder(stock, MarketOrder("SELL", 10))
        ib.sleep(5)
        assert after.orderStatus.status == "Filled"
        assert [position.position for position in ib.positions() if position.position] == []
