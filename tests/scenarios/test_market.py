"""Stories about what the market tells: contracts, quotes, history, options."""

from __future__ import annotations

import pytest

from ibkit import (
    CFD,
    BarDataList,
    ContFuture,
    ContractAmbiguous,
    ContractUnknown,
    Forex,
    Future,
    InvalidRequest,
    Option,
    Stock,
    Ticker,
    util,
)
from ibkit.paper import Limits
from tests.scenarios.stage import World, story

NFLX = 15124833
FIFTY = (
    "AAPL MSFT NFLX V MA AMZN GOOGL META NVDA TSLA JPM BAC WMT DIS KO PEP INTC AMD CSCO ORCL IBM GE F GM XOM CVX PFE "
    "MRK JNJ UNH HD MCD NKE SBUX BA CAT COST T VZ TXN ADBE CRM PYPL QCOM SPY QQQ IWM DIA GLD TLT"
)


@story()
async def test_01_connecting_tells_who_and_when(world: World) -> None:
    assert world.ib.isConnected()
    assert world.ib.client.serverVersion() == world.version
    assert world.ib.managedAccounts() == ["DU1234567"]
    told = await world.ask.reqCurrentTime()
    assert abs((told - world.now).total_seconds()) <= 1
    assert any(value.tag == "NetLiquidation" for value in world.ib.accountValues())


@story()
async def test_02_contracts_are_filled_in(world: World) -> None:
    contracts = [
        Stock("NFLX", "SMART", "USD"),
        Forex("EURUSD", "IDEALPRO"),
        ContFuture("BRR", "CMECRYPTO"),
        CFD("XAUUSD"),
        ContFuture("HE", "GLOBEX"),
        ContFuture("HE", "CME"),
    ]
    assert await world.ask.qualifyContracts(*contracts) == contracts
    assert all(contract.conId for contract in contracts)
    stock = contracts[0]
    assert (stock.conId, stock.exchange, stock.primaryExchange, stock.tradingClass) == (
        NFLX, "SMART", "NASDAQ", "NMS",
    )  # fmt: skip
    assert contracts[4].conId == contracts[5].conId, "GLOBEX is the old name of CME"


@story()
async def test_03_unknown_and_ambiguous_contracts_are_told_apart(world: World) -> None:
    with pytest.raises(ContractUnknown, match="NOSUCHSTOCK"):
        await world.ask.qualifyContracts(Stock("NOSUCHSTOCK", "SMART", "USD"))
    with pytest.raises(ContractAmbiguous) as caught:
        await world.ask.qualifyContracts(Future("BRR", exchange="CME"))
    assert len(caught.value.possibles) > 1
    assert {contract.symbol for contract in caught.value.possibles} == {"BRR"}
    unknown, ambiguous = Stock("NOSUCHSTOCK", "SMART", "USD"), Future("BRR", exchange="CME")
    good = Stock("NFLX", "SMART", "USD")
    assert await world.ask.qualifyContracts(unknown, good, ambiguous) == [good], "those that exist are enough"
    world.ib.RaiseRequestErrors = False
    assert await world.ask.qualifyContracts(unknown, ambiguous) == []
    assert await world.ask.reqContractDetails(unknown) == []


@story()
async def test_04_quotes_stream_and_every_listener_hears_them(world: World) -> None:
    contracts = await world.ask.qualifyContracts(
        Stock("NFLX", "SMART", "USD"), Forex("EURUSD", "IDEALPRO"), CFD("XAUUSD")
    )
    tickers = [world.ib.reqMktData(contract) for contract in contracts]
    own: list[Ticker] = []
    common: list[set[Ticker]] = []
    tickers[0].updateEvent += own.append
    world.ib.pendingTickersEvent += common.append
    await world.sleep(5)
    for ticker in tickers:
        assert ticker.bid < ticker.ask
        assert ticker.bid <= ticker.marketPrice() <= ticker.ask
        assert ticker.bidSize > 0
        assert ticker.askSize > 0
        assert ticker.time is not None
        assert 0 <= (world.now - ticker.time).total_seconds() < 5
    stock = tickers[0]
    assert stock.volume > 0
    assert stock.lastSize > 0
    assert stock.low <= stock.last <= stock.high
    assert stock.close > 0
    assert len(own) >= 5
    assert set(own) == {stock}
    assert set().union(*common) == set(tickers)
    world.ib.cancelMktData(contracts[0])
    await world.sleep(1)
    heard = len(own)
    await world.sleep(5)
    assert len(own) == heard, "it was cancelled"


@story()
async def test_05_a_snapshot_ends_by_itself(world: World) -> None:
    (ticker,) = await world.ask.reqTickers(Stock("NFLX", "SMART", "USD"))
    assert ticker.bid < ticker.ask


@story()
async def test_06_history_is_ordered_and_its_sizes_agree(world: World) -> None:
    contract = Stock("NFLX", "SMART", "USD")

    async def history(size: str, duration: str = "2 D", what: str = "TRADES") -> BarDataList:
        bars = await world.ask.reqHistoricalData(contract, "", duration, size, what, useRTH=True)
        assert [bar.date for bar in bars] == sorted({bar.date for bar in bars})
        assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
        return bars

    quarters, fives = await history("15 mins"), await history("5 mins")
    assert isinstance(quarters, BarDataList)
    third = [bar for bar in fives if quarters[3].date <= bar.date < quarters[4].date]
    assert (quarters[3].open, quarters[3].close) == (third[0].open, third[-1].close)
    assert quarters[3].high == max(bar.high for bar in third)
    assert quarters[3].low == min(bar.low for bar in third)
    assert quarters[3].volume == sum(bar.volume for bar in third)
    days = await history("1 day", "5 D")
    assert len(days) == 5
    frame = util.df(await history("15 mins", what="MIDPOINT"))
    assert frame is not None
    assert frame.close.rolling(20).mean().notna().sum() == len(frame) - 19


@story()
async def test_07_a_bar_size_that_does_not_exist_is_refused_here(world: World) -> None:
    sent = world.ib.client.connectionStats().numMsgSent
    with pytest.raises(InvalidRequest, match=r"'15 min' is not valid; valid are: 1 secs, .*1 month"):
        await world.ask.reqHistoricalData(Stock("NFLX", "SMART", "USD"), "", "2 D", "15 min", "TRADES", True)
    assert not world.place.alone or world.ib.client.connectionStats().numMsgSent == sent


@story(limits=Limits(history_delay_s=0.5, over_rate="reject"))
async def test_08_fifty_histories_take_one_wait_within_the_message_rate(world: World) -> None:
    # A gateway that answers a history after half a second, and rejects what comes faster than 50 messages a second.
    await world.sleep(2)  # what connecting has sent does not count any more
    began = world.clock.time()
    symbols = FIFTY.split()
    answers = await world.ask_all(
        "reqHistoricalData",
        [(Stock(symbol, "SMART", "USD"), "", "1 D", "30 mins", "TRADES", True) for symbol in symbols],
    )
    assert world.clock.time() - began < 2
    assert [bars.contract.symbol for bars in answers] == symbols
    assert all(len(bars) >= 1 for bars in answers)


@story()
async def test_09_bars_grow_while_the_market_moves(world: World) -> None:
    contract = Stock("NFLX", "SMART", "USD")
    bars = await world.ask.reqHistoricalData(contract, "", "1 D", "1 min", "TRADES", True, keepUpToDate=True)
    before = len(bars)
    told: list[bool] = []
    bars.updateEvent += lambda bars, new: told.append(new)
    await world.sleep(185)
    # It is 10:00 sharp when the story begins: the bars of 10:00, 10:01, 10:02 and 10:03.
    assert len(bars) == before + 4
    assert told.count(True) == 4
    assert told.count(False) > 3
    again = await world.ask.reqHistoricalData(contract, "", "1 D", "1 min", "TRADES", True)
    finished = slice(before, before + 3)
    assert [(bar.date, bar.open, bar.close) for bar in bars[finished]] == [
        (bar.date, bar.open, bar.close) for bar in again[finished]
    ]


@story()
async def test_10_options_have_chains_prices_and_greeks(world: World) -> None:
    (stock,) = await world.ask.qualifyContracts(Stock("MSFT", "SMART", "USD"))
    chains = await world.ask.reqSecDefOptParams("MSFT", "", "STK", stock.conId)
    chain = next(chain for chain in chains if chain.exchange == "SMART")
    assert list(chain.expirations) == sorted(chain.expirations)
    details = await world.ask.reqContractDetails(Option("MSFT", chain.expirations[2], right="C", exchange="SMART"))
    strikes = sorted(row.contract.strike for row in details)
    assert set(strikes) <= set(chain.strikes)
    option = Option("MSFT", chain.expirations[2], strikes[len(strikes) // 2], "C", "SMART")
    await world.ask.qualifyContracts(option)
    ticker = world.ib.reqMktData(option)
    await world.until(lambda: ticker.modelGreeks and ticker.hasBidAsk())
    greeks = ticker.modelGreeks
    assert greeks is not None
    assert 0 < greeks.delta < 1
    assert 0.05 < greeks.impliedVol < 2
    assert greeks.theta < 0 < greeks.gamma
    assert ticker.bid <= greeks.optPrice <= ticker.ask or abs(greeks.optPrice - ticker.bid) < 1
