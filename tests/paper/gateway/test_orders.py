"""Orders over the wire: who is told what, in which order and form."""

from __future__ import annotations

import pytest

from ibkit.model import Contract, ExecutionFilter, LimitOrder, MarketOrder, Order, OrderCancel, StopOrder
from ibkit.model.conditions import PriceCondition
from ibkit.paper import Models
from ibkit.paper.gateway import Gateway
from ibkit.wire import messages as m
from tests.paper.gateway.peer import Client, World, only

VERSIONS = (157, 176, 193, 200, 203, 213, 225)
APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
VISA = Contract(secType="STK", symbol="V", exchange="SMART", currency="USD")


def quote(world: World, contract: Contract = APPLE) -> tuple[float, float]:
    gateway: Gateway = world.gateway
    found = gateway.market.quote(gateway.catalogue.find(contract)[0], gateway.now)
    return found.bid, found.ask


def statuses(answers: list[m.Answer], order_id: int) -> list[str]:
    return [status.status for status in only(m.OrderStatus, answers) if status.orderId == order_id]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_market_order_is_filled_and_everything_about_it_is_told(version: int) -> None:
    world = World()
    client = world.client(version=version)
    answers = client.ask(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 100)), secs=10)
    assert not only(m.ErrMsg, answers)
    opened = only(m.OpenOrder, answers)[0]
    assert opened.contract.conId == 265598
    assert (opened.order.orderId, opened.order.clientId, opened.order.totalQuantity) == (1, 1, 100)
    assert opened.order.permId
    last = only(m.OrderStatus, answers)[-1]
    assert (last.status, last.filled, last.remaining, last.clientId) == ("Filled", 100, 0, 1)
    fills = only(m.ExecutionData, answers)
    assert sum(float(fill.execution.shares) for fill in fills) == 100
    assert {fill.reqId for fill in fills} == {-1}
    assert {fill.execution.side for fill in fills} == {"BOT"}
    assert {fill.execution.acctNumber for fill in fills} == {"DU1234567"}
    for fill in fills:
        assert fill.time.startswith("20240110  10:00:0" if version < 174 else "20240110 10:00:0")
        assert fill.time.endswith("US/Eastern") == (version >= 174)
    reports = only(m.CommissionAndFeesReport, answers)
    assert {report.commissionAndFeesReport.execId for report in reports} == {fill.execution.execId for fill in fills}
    for report in reports:
        place = answers.index(report)
        before = {fill.execution.execId for fill in only(m.ExecutionData, answers[:place])}
        assert report.commissionAndFeesReport.execId in before
        assert report.commissionAndFeesReport.commission > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_order_waits_is_changed_and_cancelled(version: int) -> None:
    world = World()
    client = world.client(version=version)
    order = LimitOrder("BUY", 10, round(quote(world)[0] * 0.9, 2))
    answers = client.ask(m.PlaceOrder(1, APPLE, order), secs=2)
    assert statuses(answers, 1)[-1] == "Submitted"
    order.lmtPrice = round(quote(world)[0] * 0.8, 2)
    answers = client.ask(m.PlaceOrder(1, APPLE, order), secs=2)
    assert only(m.OpenOrder, answers)[-1].order.lmtPrice == order.lmtPrice
    answers = client.ask(m.CancelOrder(1, OrderCancel()), secs=2)
    assert statuses(answers, 1)[-1] == "Cancelled"
    assert 202 in {error.errorCode for error in only(m.ErrMsg, answers)}
    assert client.error(m.CancelOrder(1, OrderCancel()), secs=1).errorCode in (161, 10148)


@pytest.mark.parametrize("version", [176, 225])
def test_a_bracket(version: int) -> None:
    world = World()
    client = world.client(version=version)
    bid, ask = quote(world)
    parent = LimitOrder("BUY", 10, round(ask * 1.01, 2), transmit=False)
    profit = LimitOrder("SELL", 10, round(bid * 1.2, 2), parentId=1, transmit=False)
    loss = StopOrder("SELL", 10, round(bid * 0.8, 2), parentId=1)
    client.send(m.PlaceOrder(1, APPLE, parent))
    client.send(m.PlaceOrder(2, APPLE, profit))
    assert "Submitted" not in statuses(client.wait(1), 1)
    answers = client.ask(m.PlaceOrder(3, APPLE, loss), secs=10)
    assert statuses(answers, 1)[-1] == "Filled"
    assert statuses(answers, 2)[-1] == "Submitted"
    assert statuses(answers, 3)[-1] == "PreSubmitted"
    assert {report.order.parentId for report in only(m.OpenOrder, answers) if report.order.orderId != 1} == {1}
    world.gateway.shock("AAPL", 30)
    answers = client.wait(300)
    assert statuses(answers, 2)[-1] == "Filled"
    assert statuses(answers, 3)[-1] == "Cancelled"


def test_a_condition_holds_an_order_at_the_gateway_while_its_client_is_away() -> None:
    world = World()
    client = world.client(3)
    visa = client.one(m.ContractData, m.ReqContractData(1, VISA)).contractDetails.contract
    assert visa is not None
    order = MarketOrder("BUY", 10)
    order.conditions = [PriceCondition(price=quote(world, VISA)[1] * 1.1, conId=visa.conId, exch="SMART", isMore=True)]
    client.ask(m.PlaceOrder(1, APPLE, order), secs=60)
    world.gateway.disconnect(client.session, "gone home")
    world.run(60)
    world.gateway.shock("V", 15)
    world.run(300)
    again = world.client(3)
    done = only(m.CompletedOrder, again.ask(m.ReqCompletedOrders(False)))
    assert [row.orderState.status for row in done] == ["Filled"]
    fills = only(m.ExecutionData, again.ask(m.ReqExecutions(9, ExecutionFilter())))
    assert {fill.reqId for fill in fills} == {9}


def test_a_preview_costs_nothing() -> None:
    client = World().client()
    order = MarketOrder("BUY", 100, whatIf=True)
    answers = client.ask(m.PlaceOrder(1, APPLE, order), secs=5)
    preview = only(m.OpenOrder, answers)
    assert len(preview) == 1
    assert preview[0].order.whatIf
    assert float(preview[0].orderState.initMarginChange) > 0
    assert not only(m.OrderStatus, answers)
    assert client.ask(m.ReqAllOpenOrders()) == [m.OpenOrderEnd()]


def test_a_rejected_order_says_why() -> None:
    client = World().client()
    answers = client.ask(m.PlaceOrder(1, APPLE, LimitOrder("BUY", 10, 100.001)), secs=2)
    assert only(m.ErrMsg, answers)[0][:2] == (1, 110)
    unknown = Contract(secType="STK", symbol="NOSUCH", exchange="SMART", currency="USD")
    assert only(m.ErrMsg, client.ask(m.PlaceOrder(2, unknown, MarketOrder("BUY", 1)), secs=2))[0][:2] == (2, 200)


@pytest.mark.parametrize("order_id", [-1, 2**31 - 2])
def test_an_order_id_the_protocol_cannot_count_on_from_is_refused(order_id: int) -> None:
    assert World().client().error(m.PlaceOrder(order_id, APPLE, MarketOrder("BUY", 1))).errorCode == 321


@pytest.mark.parametrize("wanted", [ExecutionFilter(time="soon"), ExecutionFilter(lastNDays=-(2**31))])
def test_an_execution_filter_that_makes_no_sense_is_refused(wanted: ExecutionFilter) -> None:
    assert World().client().error(m.ReqExecutions(1, wanted)).errorCode == 321


class TestWhoSeesWhat:
    """An order is told to its owner; others may ask; the master client sees all."""

    @staticmethod
    def resting(world: World) -> Order:
        return LimitOrder("BUY", 10, round(quote(world)[0] * 0.9, 2))

    def test_owners_and_strangers(self) -> None:
        world = World()
        owner, stranger = world.client(1), world.client(2)
        owner.ask(m.PlaceOrder(1, APPLE, self.resting(world)), secs=2)
        assert stranger.read() == []
        assert stranger.ask(m.ReqOpenOrders()) == [m.OpenOrderEnd()]
        seen = only(m.OpenOrder, stranger.ask(m.ReqAllOpenOrders()))
        assert [(report.order.clientId, report.order.orderId) for report in seen] == [(1, 1)]
        mine = owner.ask(m.ReqOpenOrders())
        assert [type(answer) for answer in mine] == [m.OpenOrder, m.OrderStatus, m.OpenOrderEnd]

    def test_ids_belong_to_clients(self) -> None:
        world = World()
        one, two = world.client(1), world.client(2)
        for client in (one, two):
            answers = client.ask(m.PlaceOrder(1, APPLE, self.resting(world)), secs=2)
            assert statuses(answers, 1)[-1] == "Submitted"
        perms = {report.order.permId for report in only(m.OpenOrder, one.ask(m.ReqAllOpenOrders()))}
        assert len(perms) == 2
        assert one.ask(m.ReqIds(1)) == [m.NextValidId(2)]

    def test_the_master_sees_everything(self) -> None:
        world = World(master_client=9)
        owner, master = world.client(1), world.client(9)
        owner.ask(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10)), secs=5)
        seen = master.read()
        assert only(m.OpenOrder, seen)
        assert only(m.ExecutionData, seen)
        assert only(m.CommissionAndFeesReport, seen)

    def test_anyone_may_cancel_everything(self) -> None:
        world = World()
        owner, other = world.client(1), world.client(2)
        owner.ask(m.PlaceOrder(1, APPLE, self.resting(world)), secs=2)
        other.ask(m.ReqGlobalCancel(OrderCancel()), secs=2)
        assert statuses(owner.read(), 1)[-1] == "Cancelled"

    def test_only_client_0_binds(self) -> None:
        world = World()
        assert world.client(0).ask(m.ReqAutoOpenOrders(True)) == []
        assert world.client(1).error(m.ReqAutoOpenOrders(True)).errorCode == 327

    def test_an_order_lives_on_and_is_found_after_a_reconnect(self) -> None:
        world = World()
        first = world.client(1)
        first.ask(m.PlaceOrder(1, APPLE, self.resting(world)), secs=2)
        world.gateway.disconnect(first.session, "gone")
        client = world.client(1, start=False)
        assert m.NextValidId(2) in client.ask(m.StartApi(1, ""))
        assert [report.order.orderId for report in only(m.OpenOrder, client.ask(m.ReqOpenOrders()))] == [1]
        assert statuses(client.ask(m.CancelOrder(1, OrderCancel()), secs=2), 1)[-1] == "Cancelled"


class TestAccounts:
    """What an account holds, and what changes when it trades."""

    @staticmethod
    def buy(client: Client, quantity: float = 100) -> None:
        ids = only(m.NextValidId, client.ask(m.ReqIds(1)))
        client.ask(m.PlaceOrder(ids[0].orderId, APPLE, MarketOrder("BUY", quantity)), secs=15)

    @pytest.mark.parametrize("version", [176, 225])
    def test_updates(self, version: int) -> None:
        client = World(models=Models()).client(version=version)
        first = client.ask(m.ReqAcctData(True, ""))
        values = {(value.key, value.currency): value.val for value in only(m.AcctValue, first)}
        assert float(values["NetLiquidation", "USD"]) == pytest.approx(1_000_000)
        assert only(m.AcctUpdateTime, first) == [m.AcctUpdateTime("10:00")]
        assert first[-1] == m.AcctDownloadEnd("DU1234567")
        assert client.wait(170) == []
        client.send(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 100)))
        answers = client.wait(8)
        items = only(m.PortfolioValue, answers)
        assert items[-1].position == 100
        assert items[-1].contract.conId == 265598
        assert items[-1].marketValue == pytest.approx(100 * items[-1].marketPrice)
        assert only(m.AcctValue, answers)
        client.wait(5)
        assert only(m.AcctUpdateTime, client.wait(180)) == [m.AcctUpdateTime("10:06")]

    def test_only_what_changed_is_told_again(self) -> None:
        client = World().client()
        everything = len(only(m.AcctValue, client.ask(m.ReqAcctData(True, ""))))
        self.buy(client)
        client.read()
        again = len(only(m.AcctValue, client.wait(180)))
        assert 0 < again < everything

    def test_another_account_displaces_the_first(self) -> None:
        client = World(accounts=("DU1", "DU2")).client()
        assert client.error(m.ReqAcctData(True, "")).errorCode == 321
        client.ask(m.ReqAcctData(True, "DU1"))
        answers = client.ask(m.ReqAcctData(True, "DU2"))
        assert only(m.ErrMsg, answers)[0].errorCode == 2100
        assert answers[-1] == m.AcctDownloadEnd("DU2")

    def test_positions_are_told_as_they_change(self) -> None:
        client = World().client()
        assert client.ask(m.ReqPositions()) == [m.PositionEnd()]
        client.ask(m.ReqPositionsMulti(5, "DU1234567", ""))
        ids = client.ask(m.ReqIds(1))
        assert isinstance(ids[0], m.NextValidId)
        answers = client.ask(m.PlaceOrder(ids[0].orderId, APPLE, MarketOrder("BUY", 100)), secs=15)
        assert only(m.PositionData, answers)[-1].position == 100
        assert only(m.PositionMulti, answers)[-1].pos == 100
        answers = client.ask(m.PlaceOrder(ids[0].orderId + 1, APPLE, MarketOrder("SELL", 100)), secs=15)
        assert only(m.PositionData, answers)[-1].position == 0
        assert client.ask(m.ReqPositions()) == [m.PositionEnd()]

    def test_summaries(self) -> None:
        client = World().client()
        answers = client.ask(m.ReqAccountSummary(1, "All", "NetLiquidation,TotalCashValue,$LEDGER:ALL"))
        found = {row.tag for row in only(m.AccountSummary, answers)}
        assert {"NetLiquidation", "TotalCashValue"} <= found
        assert any(row.currency == "BASE" for row in only(m.AccountSummary, answers))
        assert answers[-1] == m.AccountSummaryEnd(1)
        assert only(m.AccountSummaryEnd, client.wait(180))
        client.ask(m.ReqAccountSummary(2, "All", "NetLiquidation"))
        assert client.error(m.ReqAccountSummary(3, "All", "NetLiquidation")).errorCode == 322

    def test_profit_and_loss_every_second(self) -> None:
        client = World().client()
        self.buy(client)
        total = only(m.Pnl, client.ask(m.ReqPnl(1, "DU1234567", ""), secs=30))
        single = only(m.PnlSingle, client.ask(m.ReqPnlSingle(2, "DU1234567", "", 265598), secs=30))
        assert 10 < len(total) <= 31
        assert 10 < len(single) <= 31
        assert single[0].pos == 100
        assert single[-1].value == pytest.approx(100 * sum(quote(client.world)) / 2, rel=0.01)
        assert client.error(m.ReqPnl(3, "DU9", "")).errorCode == 321
