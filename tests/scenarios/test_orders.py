"""Stories about orders: what becomes of them, what they cost, and what survives a disconnect."""

from __future__ import annotations

import pytest

from ibkit import (
    BarDataList,
    ClientIdInUse,
    ConnectionLost,
    ContFuture,
    Contract,
    Fill,
    Forex,
    Future,
    LimitOrder,
    MarketOrder,
    OrderStateError,
    PriceCondition,
    Stock,
    StopLimitOrder,
    StopOrder,
    Ticker,
    TimeCondition,
    Trade,
    util,
)
from ibkit.paper import Limits
from tests.scenarios.stage import World, story


async def stock(world: World, symbol: str = "NFLX") -> tuple[Contract, Ticker]:
    """Return a qualified stock and its ticker, with a quote on it."""
    (contract,) = await world.ask.qualifyContracts(Stock(symbol, "SMART", "USD"))
    ticker = world.ib.reqMktData(contract)
    await world.until(ticker.hasBidAsk)
    return contract, ticker


def statuses(trade: Trade) -> list[str]:
    """Return the statuses a trade went through."""
    found: list[str] = []
    for entry in trade.log:
        if not found or found[-1] != entry.status:
            found.append(entry.status)
    return found


def paid(world: World, trade: Trade) -> bool:
    """Tell whether a trade is done and each of its fills has its commission report."""
    return trade.isDone() and all(fill.commissionReport.execId == fill.execution.execId for fill in trade.fills)


@story()
async def test_01_a_market_order_fills_and_its_events_tell(world: World) -> None:
    contract, _ = await stock(world)
    told: list[str] = []
    fills: list[Fill] = []
    world.ib.newOrderEvent += lambda trade: told.append("new")
    trade = world.ib.placeOrder(contract, MarketOrder("BUY", 200))
    assert trade.isActive()  # where another thread reads, the answer may be there already
    trade.fillEvent += lambda trade, fill: (told.append("fill"), fills.append(fill))
    trade.commissionReportEvent += lambda trade, fill, report: told.append("commission")
    trade.filledEvent += lambda trade: told.append("filled")
    await world.until(lambda: paid(world, trade))
    assert statuses(trade)[0] == "PendingSubmit"
    assert statuses(trade)[-1] == "Filled"
    assert not trade.isActive()
    assert trade.filled() == 200
    assert trade.remaining() == 0
    assert fills == trade.fills
    assert told[0] == "new"
    assert told.count("fill") == told.count("commission") == len(fills)
    assert told.count("filled") == 1
    cost = sum(fill.execution.shares * fill.execution.price for fill in fills)
    assert trade.orderStatus.avgFillPrice == pytest.approx(cost / 200)
    assert sum(fill.commissionReport.commission for fill in fills) >= 1.0
    await world.until(lambda: world.ib.positions())
    (position,) = world.ib.positions()
    assert (position.contract.conId, position.position) == (contract.conId, 200)
    assert world.ib.fills() == fills


@story()
async def test_02_resting_orders_are_changed_and_withdrawn(world: World) -> None:
    contract, ticker = await stock(world)
    price = round(ticker.bid * 0.95, 2)
    orders = [
        LimitOrder("BUY", 100, price),
        StopOrder("SELL", 100, price),
        StopLimitOrder("SELL", 100, price - 1, price),
    ]
    trades = [world.ib.placeOrder(contract, order) for order in orders]
    await world.until(lambda: [trade.orderStatus.status for trade in trades] == ["Submitted"] + ["PreSubmitted"] * 2)
    assert {trade.order.orderId for trade in world.ib.openTrades()} == {order.orderId for order in orders}
    modified: list[Trade] = []
    trades[0].modifyEvent += modified.append
    orders[0].lmtPrice = price - 1
    assert world.ib.placeOrder(contract, orders[0]) is trades[0]
    await world.until(lambda: trades[0].log[-1].message == "Modified")
    assert modified == [trades[0]]
    cancelled: list[Trade] = []
    for trade in trades:
        trade.cancelledEvent += cancelled.append
        world.ib.cancelOrder(trade.order)
    await world.until(lambda: len(cancelled) == 3)
    assert [trade.orderStatus.status for trade in trades] == ["Cancelled"] * 3
    assert world.ib.openTrades() == []
    with pytest.raises(OrderStateError):
        world.ib.placeOrder(contract, orders[0])


@story()
async def test_03_a_bracket_lives_and_ends_together(world: World) -> None:
    (contract,) = await world.ask.qualifyContracts(Forex("EURUSD", "IDEALPRO"))
    ticker = world.ib.reqMktData(contract)
    await world.until(ticker.hasBidAsk)
    price = round(ticker.ask, 4)
    bracket = world.ib.bracketOrder("BUY", 100000, price + 0.001, price + 0.01, price - 0.01)
    assert [order.transmit for order in bracket] == [False, False, True]
    entry, profit, loss = (world.ib.placeOrder(contract, order) for order in bracket)
    await world.until(lambda: paid(world, entry))
    await world.until(lambda: profit.orderStatus.status == "Submitted")
    assert loss.orderStatus.status in ("PreSubmitted", "Submitted")
    profit.order.lmtPrice = price - 0.002
    world.ib.placeOrder(contract, profit.order)
    await world.until(lambda: paid(world, profit) and loss.isDone())
    assert profit.orderStatus.status == "Filled"
    assert loss.orderStatus.status == "Cancelled"
    assert not loss.fills


@story()
async def test_04_a_condition_is_watched_by_the_gateway_while_nobody_is_connected(world: World) -> None:
    visa, ticker = await stock(world, "V")
    (mastercard,) = await world.ask.qualifyContracts(Stock("MA", "SMART", "USD"))
    order = MarketOrder("BUY", 100)
    order.conditions.append(PriceCondition(price=round(ticker.ask * 1.01, 2), conId=visa.conId, exch=visa.exchange))
    trade = world.ib.placeOrder(mastercard, order)
    await world.until(lambda: trade.orderStatus.status == "PreSubmitted")
    await world.sleep(5)
    assert trade.orderStatus.status == "PreSubmitted"
    world.ib.disconnect()
    world.shock("V", 3.0)
    other = await world.connect(2)  # somebody has to move the clock
    await world.sleep(120)
    assert other.positions()
    await world.connect(1, world.ib)
    (filled,) = [trade for trade in world.ib.trades() if trade.contract == mastercard]
    assert filled.orderStatus.status == "Filled"
    (fill,) = [fill for fill in world.ib.fills() if fill.contract == mastercard]
    assert fill.execution.shares == 100
    assert fill.commissionReport.execId == fill.execution.execId


@story()
async def test_05_a_time_condition_holds_an_order_until_then(world: World) -> None:
    contract, _ = await stock(world)
    order = MarketOrder("BUY", 100)
    order.conditions.append(TimeCondition(isMore=True, time="20240110 10:05:00 US/Eastern"))
    trade = world.ib.placeOrder(contract, order)
    await world.sleep(60)
    assert trade.orderStatus.status == "PreSubmitted"
    await world.sleep(300)
    assert trade.orderStatus.status == "Filled"
    assert f"{trade.fills[0].execution.time:%H:%M}" == "15:05"


@story()
async def test_06_a_handler_waits_inside_itself_while_ticks_keep_arriving(world: World) -> None:
    await stock(world, "V")
    (mastercard,) = await world.ask.qualifyContracts(Stock("MA", "SMART", "USD"))
    updates: list[float] = []
    seen_inside: list[int] = []
    trades: list[Trade] = []

    def on_update() -> None:
        updates.append(world.clock.time())

    def on_tickers(tickers: set[Ticker]) -> None:
        if trades:
            return
        trades.append(world.ib.placeOrder(mastercard, MarketOrder("BUY", 100)))
        before = len(updates)
        world.pause(3)  # blocks, in whatever runs this handler
        seen_inside.append(len(updates) - before)
        trades.append(world.ib.placeOrder(mastercard, MarketOrder("SELL", 100)))

    world.ib.updateEvent += on_update
    world.ib.pendingTickersEvent += on_tickers
    await world.until(lambda: len(trades) == 2 and paid(world, trades[1]), 20)
    assert paid(world, trades[0])
    assert seen_inside[0] > 3
    assert len(trades) == 2, "it was not entered again while it waited"


@story()
async def test_07_bars_that_stream_send_a_bracket_from_their_handler(world: World) -> None:
    hogs = ContFuture("HE", "GLOBEX")
    await world.ask.qualifyContracts(hogs)
    (future,) = await world.ask.qualifyContracts(Future(conId=hogs.conId))
    bars = await world.ask.reqHistoricalData(hogs, "", "2 D", "15 mins", "MIDPOINT", useRTH=True, keepUpToDate=True)
    trades: list[Trade] = []

    def on_bar(bars: BarDataList, has_new_bar: bool) -> None:
        if not has_new_bar or future in [position.contract for position in world.ib.positions()] or trades:
            return
        frame = util.df(bars)
        assert frame is not None
        average, deviation = frame.close.tail(50).mean(), frame.close.tail(50).std() * 3
        if frame.close.iloc[-1] > average + deviation:
            price, profit, loss = (
                round(round(value / 0.025) * 0.025, 3)
                for value in (frame.close.iloc[-1] - 0.1, average, average + 2 * deviation)
            )
            for order in world.ib.bracketOrder("SELL", 1, price, profit, loss):
                trades.append(world.ib.placeOrder(future, order))

    bars.updateEvent += on_bar
    world.shock("HE", 7.0, after_s=800)
    await world.until(lambda: trades and paid(world, trades[0]), 3600)
    await world.until(lambda: any(p.contract == future and p.position == -1 for p in world.ib.positions()))
    world.shock("HE", -9.0)
    await world.until(lambda: all(trade.isDone() for trade in trades), 3600)
    assert [trade.orderStatus.status for trade in trades] == ["Filled", "Filled", "Cancelled"]


@story()
async def test_08_a_client_id_in_use_is_refused_at_once(world: World) -> None:
    began = world.clock.time()
    with pytest.raises(ClientIdInUse, match="client id 1 is in use"):
        await world.connect(1)
    assert world.clock.time() - began < 1
    assert world.ib.isConnected()
    assert (await world.connect(2)).isConnected()


@story()
async def test_09_a_preview_costs_nothing(world: World) -> None:
    contract, _ = await stock(world)
    state = await world.ask.whatIfOrder(contract, MarketOrder("BUY", 100))
    assert float(state.initMarginChange) > 0
    assert float(state.equityWithLoanAfter) <= float(state.equityWithLoanBefore)
    assert world.ib.trades() == []
    await world.sleep(2)
    assert world.ib.positions() == []


@story()
async def test_10_what_happened_is_there_again_after_a_reconnect(world: World) -> None:
    contract, ticker = await stock(world)
    filled = world.ib.placeOrder(contract, MarketOrder("BUY", 100))
    resting = world.ib.placeOrder(contract, LimitOrder("BUY", 100, round(ticker.bid * 0.9, 2)))
    gone = world.ib.placeOrder(contract, LimitOrder("BUY", 100, round(ticker.bid * 0.8, 2)))
    await world.until(lambda: paid(world, filled) and resting.orderStatus.status == "Submitted")
    world.ib.cancelOrder(gone.order)
    await world.until(gone.isDone)
    world.ib.disconnect()
    again = await world.connect(1)
    assert [trade.order.permId for trade in again.openTrades()] == [resting.order.permId]
    known = {trade.order.permId: trade.orderStatus.status for trade in again.trades()}
    assert known[filled.order.permId] == "Filled"
    assert known[gone.order.permId] == "Cancelled"
    assert [fill.execution.execId for fill in again.fills()] == [fill.execution.execId for fill in filled.fills]
    assert again.positions()[0].position == 100
    (open_trade,) = again.openTrades()
    again.cancelOrder(open_trade.order)
    await world.until(open_trade.isDone)


@story()
async def test_11_each_client_sees_what_is_its_own(world: World) -> None:
    contract, ticker = await stock(world)
    other = await world.connect(2)
    trade = world.ib.placeOrder(contract, LimitOrder("BUY", 100, round(ticker.bid * 0.9, 2)))
    await world.until(lambda: trade.orderStatus.status == "Submitted")
    assert other.openTrades() == []
    (seen,) = await world.asking(other).reqAllOpenOrders()
    assert (seen.order.permId, seen.order.clientId) == (trade.order.permId, 1)
    filled = world.ib.placeOrder(contract, MarketOrder("BUY", 10))
    await world.until(lambda: paid(world, filled))
    await world.until(lambda: other.positions())
    assert other.positions()[0].position == 10


@story(limits=Limits(history_delay_s=30))
async def test_12_disconnecting_fails_what_waits_and_nothing_else(world: World) -> None:
    other = await world.connect(2)
    ended: list[str] = []
    world.ib.disconnectedEvent += lambda: ended.append("ended")
    other.disconnectedEvent += lambda: ended.append("other")
    world.later(1, world.ib.disconnect)
    began = world.clock.time()
    with pytest.raises(ConnectionLost):
        await world.ask.reqHistoricalData(Stock("NFLX", "SMART", "USD"), "", "1 D", "1 hour", "TRADES", True)
    assert world.clock.time() - began < 2
    assert ended == ["ended"]
    assert not world.ib.isConnected()
    assert await world.asking(other).reqCurrentTime()


@story()
async def test_13_money_moves_and_is_accounted_for(world: World) -> None:
    contract, _ = await stock(world)
    pnl = world.ib.reqPnL("DU1234567")
    trade = world.ib.placeOrder(contract, MarketOrder("BUY", 100))
    await world.until(lambda: paid(world, trade))
    back = world.ib.placeOrder(contract, MarketOrder("SELL", 100))
    await world.until(lambda: paid(world, back))
    bought = sum(fill.execution.shares * fill.execution.price for fill in trade.fills)
    sold = sum(fill.execution.shares * fill.execution.price for fill in back.fills)
    fees = sum(fill.commissionReport.commission for fill in trade.fills + back.fills)
    realized = sum(fill.commissionReport.realizedPNL for fill in back.fills)
    assert realized == pytest.approx(sold - bought - fees, abs=0.05)
    await world.sleep(5)
    assert pnl.realizedPnL == pytest.approx(realized, abs=0.05)
    assert not [item for item in world.ib.portfolio() if item.position]


@story()
async def test_14_everything_is_withdrawn_at_once(world: World) -> None:
    contract, ticker = await stock(world)
    price = round(ticker.bid * 0.9, 2)
    trades = [world.ib.placeOrder(contract, LimitOrder("BUY", 10, price - i)) for i in range(5)]
    await world.until(lambda: all(trade.orderStatus.status == "Submitted" for trade in trades))
    world.ib.reqGlobalCancel()
    await world.until(lambda: all(trade.orderStatus.status == "Cancelled" for trade in trades))
