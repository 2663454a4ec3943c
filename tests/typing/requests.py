"""What type checkers see of the main requests, of their twins, and of what they return. Checked, never run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any, assert_type

from ibkit import (
    IB,
    AccountValue,
    BarData,
    BarDataList,
    BracketOrder,
    CommissionReport,
    Contract,
    ContractDescription,
    ContractDetails,
    Execution,
    Fill,
    HistogramData,
    HistoricalNews,
    HistoricalSchedule,
    LimitOrder,
    MarketOrder,
    NewsProvider,
    OptionChain,
    OptionComputation,
    Order,
    OrderState,
    OrderStatus,
    PnL,
    PortfolioItem,
    Position,
    PriceIncrement,
    RealTimeBarList,
    ScanDataList,
    ScannerSubscription,
    Stock,
    StopOrder,
    Ticker,
    Trade,
    TradeLogEntry,
    TwsConfig,
)


def connecting() -> None:
    ib = IB()
    assert_type(ib.connect("127.0.0.1", 7497, clientId=1), IB)
    assert_type(ib.isConnected(), bool)
    assert_type(ib.disconnect(), None)
    with IB(background=True).connect() as entered:
        assert_type(entered, IB)
    assert_type(ib.sleep(1), bool)
    assert_type(ib.waitOnUpdate(1), bool)
    assert_type(ib.loopUntil(ib.isConnected), Iterator[object])
    assert_type(ib.reqCurrentTime(), datetime)
    assert_type(ib.managedAccounts(), list[str])


class Own(IB):
    """A subclass comes back as itself."""


def subclass() -> None:
    assert_type(Own().connect(), Own)


def reference(ib: IB, contract: Contract) -> None:
    assert_type(ib.qualifyContracts(contract, Stock("AAPL", "SMART", "USD")), list[Contract])
    details = ib.reqContractDetails(contract)
    assert_type(details, list[ContractDetails])
    assert_type(details[0].contract, Contract | None)
    assert_type(details[0].minTick, float)
    assert_type(ib.reqMatchingSymbols("micros"), list[ContractDescription] | None)
    assert_type(ib.reqMarketRule(26), list[PriceIncrement] | None)
    chains = ib.reqSecDefOptParams("AAPL", "", "STK", 265598)
    assert_type(chains, list[OptionChain])
    assert_type(chains[0].strikes, list[float])


def market(ib: IB, contract: Contract) -> None:
    ticker = ib.reqMktData(contract)
    assert_type(ticker, Ticker)
    assert_type(ticker.bid, float)
    assert_type(ticker.marketPrice(), float)
    assert_type(ticker.modelGreeks, OptionComputation | None)
    assert_type(ticker.contract, Contract | None)
    assert_type(ib.ticker(contract), Ticker | None)
    assert_type(ib.reqTickers(contract, contract), list[Ticker])
    assert_type(ib.cancelMktData(contract), bool)
    assert_type(ib.reqMktDepth(contract), Ticker)
    assert_type(ib.reqTickByTickData(contract, "BidAsk"), Ticker)


def history(ib: IB, contract: Contract) -> None:
    bars = ib.reqHistoricalData(contract, "", "1 D", "1 hour", "TRADES", True)
    assert_type(bars, BarDataList)
    assert_type(bars[-1], BarData)
    assert_type(bars[-1].close, float)
    assert_type(ib.reqRealTimeBars(contract, 5, "TRADES", True), RealTimeBarList)
    assert_type(ib.reqHeadTimeStamp(contract, "TRADES", True), datetime)
    assert_type(ib.reqHistogramData(contract, True, "3 days"), list[HistogramData])
    assert_type(ib.reqHistoricalSchedule(contract, 5), HistoricalSchedule)


def orders(ib: IB, contract: Contract) -> None:
    trade = ib.placeOrder(contract, MarketOrder("BUY", 100))
    assert_type(trade, Trade)
    assert_type(trade.order, Order)
    assert_type(trade.orderStatus, OrderStatus)
    assert_type(trade.orderStatus.status, str)
    assert_type(trade.isDone(), bool)
    assert_type(trade.filled(), float)
    assert_type(trade.fills, list[Fill])
    assert_type(trade.fills[0].execution, Execution)
    assert_type(trade.fills[0].commissionReport, CommissionReport)
    assert_type(trade.log, list[TradeLogEntry])
    assert_type(ib.cancelOrder(trade.order), Trade | None)
    bracket = ib.bracketOrder("BUY", 100, 180, 190, 175)
    assert_type(bracket, BracketOrder)
    assert_type(bracket.stopLoss, Order)
    assert_type(ib.oneCancelsAll([LimitOrder("BUY", 1, 1.0)], "group", 1), list[LimitOrder])
    assert_type(ib.whatIfOrder(contract, StopOrder("SELL", 1, 1.0)), OrderState)
    assert_type(ib.openTrades(), list[Trade])
    assert_type(ib.reqExecutions(), list[Fill])


def accounts(ib: IB) -> None:
    assert_type(ib.accountValues(), list[AccountValue])
    assert_type(ib.accountSummary(), list[AccountValue])
    assert_type(ib.positions()[0], Position)
    assert_type(ib.positions()[0].contract, Contract)
    assert_type(ib.portfolio(), list[PortfolioItem])
    assert_type(ib.reqPnL("DU1234567"), PnL)


def the_rest(ib: IB, contract: Contract) -> None:
    assert_type(ib.calculateImpliedVolatility(contract, 5, 160), OptionComputation | None)
    assert_type(ib.reqNewsProviders(), list[NewsProvider])
    assert_type(ib.reqHistoricalNews(1, "BRFG", "", "", 5), list[HistoricalNews] | None)
    assert_type(ib.reqScannerData(ScannerSubscription()), ScanDataList)
    assert_type(ib.reqConfig(), TwsConfig)
    assert_type(ib.client.serverVersion(), int)


async def twins(ib: IB, contract: Contract) -> None:
    assert_type(await ib.connectAsync(), IB)
    assert_type(await ib.reqCurrentTimeAsync(), datetime)
    assert_type(await ib.reqContractDetailsAsync(contract), list[ContractDetails])
    assert_type(await ib.reqHistoricalDataAsync(contract, "", "1 D", "1 hour", "TRADES", True), BarDataList)
    assert_type(await ib.reqTickersAsync(contract), list[Ticker])
    assert_type(await ib.accountSummaryAsync(), list[AccountValue])
    assert_type(await ib.whatIfOrderAsync(contract, MarketOrder("BUY", 1)), OrderState)
    assert_type(await ib.reqPositionsAsync(), list[Position])
    time, details = await asyncio.gather(ib.reqCurrentTimeAsync(), ib.reqContractDetailsAsync(contract))
    assert_type(time, datetime)
    assert_type(details, list[ContractDetails])
    # with returnAll there may be None, or a list of candidates, in it
    assert_type(await ib.qualifyContractsAsync(contract, returnAll=True), list[Any])
