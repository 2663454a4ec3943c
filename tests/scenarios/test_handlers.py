"""Stories about handlers: they wait, inside one another; they are coroutines; what was asked for is given up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ibkit import (
    BarDataList,
    Contract,
    Event,
    LimitOrder,
    MarketOrder,
    NestingTooDeep,
    RequestTimeout,
    Stock,
    Ticker,
    Trade,
)
from ibkit.paper import Limits
from tests.scenarios.stage import World, story

NFLX = Stock("NFLX", "SMART", "USD", conId=15124833)


@story()
async def test_01_handlers_wait_inside_one_another_five_deep(world: World) -> None:
    other = await world.connect(2)
    entered: list[str] = []
    left: list[str] = []

    def first_time(name: str) -> bool:
        if name in entered:
            return False
        entered.append(name)
        return True

    def on_ticker(ticker: Ticker) -> None:
        if first_time("ticker"):
            trade = world.ib.placeOrder(NFLX, MarketOrder("BUY", 1))
            trade.filledEvent += on_order
            world.pause(5)
            left.append("ticker")

    def on_order(trade: Trade) -> None:
        if first_time("order"):
            bars = world.block.reqHistoricalData(NFLX, "", "1 D", "1 min", "TRADES", True, keepUpToDate=True)
            bars.updateEvent += on_bar
            world.pause(70)
            left.append("order")

    def on_bar(bars: BarDataList, has_new_bar: bool) -> None:
        if first_time("bar"):
            assert world.block.reqContractDetails(NFLX)
            world.ib.placeOrder(NFLX, LimitOrder("BUY", -1, 1.0))
            world.pause(5)
            left.append("bar")

    def on_error(number: int, code: int, text: str, contract: Contract | None) -> None:
        if code == 321 and first_time("error"):
            assert world.block.reqCurrentTime()
            other.disconnect()
            left.append("error")

    def on_disconnect() -> None:
        if first_time("disconnect"):
            assert world.block.accountSummary()
            world.pause(1)
            left.append("disconnect")

    world.ib.errorEvent += on_error
    other.disconnectedEvent += on_disconnect
    world.ib.reqMktData(NFLX).updateEvent += on_ticker
    await world.until(lambda: len(left) == 5, 100)
    assert entered == ["ticker", "order", "bar", "error", "disconnect"]
    assert left == entered[::-1]
    assert await world.ask.reqCurrentTime()


@story()
async def test_02_facts_wait_in_order_for_a_handler_that_waits(world: World) -> None:
    inside: list[int] = []
    late: list[int] = []
    at_once: list[int] = []

    def slow(trade: Trade) -> None:
        assert not inside, "it was entered again"
        inside.append(trade.order.orderId)
        late.append(trade.order.orderId)
        if len(late) == 1:
            before = len(at_once)
            world.pause(5)
            assert len(at_once) - before > 3, "the others heard it meanwhile"
        inside.clear()

    world.ib.orderStatusEvent += slow
    world.ib.orderStatusEvent += lambda trade: at_once.append(trade.order.orderId)
    trades = [world.ib.placeOrder(NFLX, LimitOrder("BUY", 10 + i, 1.0)) for i in range(5)]
    await world.until(lambda: all(trade.orderStatus.status == "Submitted" for trade in trades) and not inside)
    assert late == at_once
    assert set(late) == {trade.order.orderId for trade in trades}


@story()
async def test_03_changes_are_told_once_to_a_handler_that_waited(world: World) -> None:
    inside: list[int] = []
    calls: list[int] = []
    missed: list[int] = []
    others: list[int] = []

    def slow(ticker: Ticker) -> None:
        assert not inside, "it was entered again"
        inside.append(1)
        calls.append(1)
        if len(calls) == 1:
            before = len(others)
            world.pause(5)
            missed.append(len(others) - before)
        inside.clear()

    ticker = world.ib.reqMktData(NFLX)
    ticker.updateEvent += lambda ticker: others.append(1)
    ticker.updateEvent += slow
    await world.until(lambda: missed and not inside)
    await world.sleep(3)
    assert missed[0] > 3
    assert len(calls) == len(others) - missed[0] + 1


@story()
async def test_04_waits_inside_waits_have_a_bound_that_names_the_chain(world: World) -> None:
    failures: list[BaseException] = []
    waits: list[int] = []

    def note(event: Event, listener: str, error: BaseException) -> None:
        failures.append(error)

    def waiting(number: int) -> Any:
        entered: list[int] = []

        def one_of_many(ticker: Ticker) -> None:
            if not entered and not failures:
                entered.append(number)
                waits.append(number)
                try:
                    world.pause(30)
                finally:
                    waits.remove(number)

        return one_of_many

    Event.on_error += note
    try:
        ticker = world.ib.reqMktData(NFLX)
        for number in range(25):
            ticker.updateEvent += waiting(number)
        await world.until(lambda: failures and not waits, 100)
        world.ib.cancelMktData(NFLX)
    finally:
        Event.on_error -= note
    assert isinstance(failures[0], NestingTooDeep)
    assert "one_of_many" in str(failures[0])
    assert await world.ask.reqCurrentTime()


@story()
async def test_05_a_handler_may_be_a_coroutine(world: World) -> None:
    told: list[str] = []

    async def on_filled(trade: Trade) -> None:
        (details,) = await world.ib.reqContractDetailsAsync(NFLX)
        told.append(f"{details.contract.symbol} {trade.filled():g}")

    trade = world.ib.placeOrder(NFLX, MarketOrder("BUY", 10))
    trade.filledEvent += on_filled
    await world.sleep(5)
    assert told == (["NFLX 10"] if world.place.runs_tasks else [])


@story(limits=Limits(history_delay_s=1e6))
async def test_06_what_is_given_up_is_cancelled_on_the_wire(world: World) -> None:
    history = (NFLX, "", "1 D", "1 hour", "TRADES", True)
    sent = world.ib.client.connectionStats().numMsgSent
    with pytest.raises(RequestTimeout):
        await world.ask.reqHistoricalData(*history, timeout=1)
    if world.place.alone:
        assert world.ib.client.connectionStats().numMsgSent == sent + 2
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    if world.awaits:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await world.ask.reqHistoricalData(*history, timeout=0)
        task = asyncio.ensure_future(world.ask.reqHistoricalData(*history, timeout=0))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.ib.client.connectionStats().numMsgSent == sent + 6
    assert await world.ask.reqCurrentTime()
