"""All data requests on the simulated gateway, which knows nothing of the client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ibkit.errors import ContractAmbiguous, ContractUnknown, EncodeError, RequestError
from ibkit.ib import IB
from ibkit.model import (
    CFD,
    Contract,
    Forex,
    Future,
    MarketOrder,
    Option,
    ScannerSubscription,
    Stock,
    WshEventData,
)
from ibkit.paper import in_process
from tests.engine.peer import VERSIONS


@pytest.fixture(params=VERSIONS)
def ib(request: pytest.FixtureRequest) -> Iterator[IB]:
    gateway = in_process(server_version=request.param)
    ib = IB()
    ib.connectLink(gateway.link(), clock=gateway.clock)
    yield ib
    market = ib._state.market
    assert not market.unknown_ticks
    assert market.misplaced_rows == 0
    assert ib._connection is not None
    assert ib._connection.engine.malformed == 0
    ib.disconnect()


def test_live_data(ib: IB) -> None:
    stock, gold = Stock("AAPL", "SMART", "USD"), CFD("XAUUSD")
    ib.qualifyContracts(stock, gold)
    ticker = ib.reqMktData(stock, "233")
    ib.reqMktDepth(stock, 5, isSmartDepth=True)
    ib.reqTickByTickData(stock, "AllLast", 10)
    bars = ib.reqRealTimeBars(stock, 5, "TRADES", useRTH=True)
    trades: list[float] = []
    ticker.updateEvent += lambda changed: trades.extend(tick.price for tick in changed.tickByTicks)
    ib.sleep(12)
    assert 0 < ticker.bid <= ticker.ask
    assert ticker.rtVolume > 0
    assert ticker.domBids[0].price < ticker.domAsks[0].price
    assert len(trades) > 10
    assert len(bars) == 2
    assert ib.cancelMktData(stock)
    assert ib.cancelTickByTickData(stock, "AllLast")
    ib.cancelMktDepth(stock)
    ib.cancelRealTimeBars(bars)
    time = ticker.time
    ib.sleep(10)
    assert ticker.time == time
    for each in ib.reqTickers(Forex("EURUSD"), gold):
        assert each.marketPrice() > 0


def test_history(ib: IB) -> None:
    stock = Stock("AAPL", "SMART", "USD")
    bars = ib.reqHistoricalData(stock, "", "600 S", "1 min", "TRADES", useRTH=True, keepUpToDate=True)
    told: list[bool] = []
    bars.updateEvent += lambda changed, is_new: told.append(is_new)
    ib.sleep(125)
    assert told.count(True) == 3  # the minutes that begin at 10:00, 10:01 and 10:02
    assert [bar.date for bar in bars] == sorted({bar.date for bar in bars})
    ib.cancelHistoricalData(bars)
    days = ib.reqHistoricalData(stock, "", "1 M", "1 day", "MIDPOINT", useRTH=True)
    assert len(days) > 15
    assert len(ib.reqHistoricalSchedule(stock, 5).sessions) >= 3
    assert ib.reqHeadTimeStamp(stock, "TRADES", useRTH=True) < bars[0].date  # type: ignore[operator]
    assert ib.reqHistogramData(stock, True, "3 days")
    for show in ("TRADES", "MIDPOINT", "BID_ASK"):
        assert len(ib.reqHistoricalTicks(stock, "", "20240109 12:00:00 US/Eastern", 50, show, useRth=True)) >= 50
    with pytest.raises(RequestError):
        ib.reqHistoricalData(stock, "", "1 D", "1 min", "YIELD_BID", useRTH=True)


def test_reference_data(ib: IB) -> None:
    stock = Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(stock)
    with pytest.raises(ContractUnknown):
        ib.qualifyContracts(Stock("NOSUCHSTOCK", "SMART", "USD"))
    with pytest.raises(ContractAmbiguous):
        ib.qualifyContracts(Future("BRR", exchange="CMECRYPTO"))
    (details,) = ib.reqContractDetails(stock)
    rule = int(details.marketRuleIds.split(",")[0])
    assert ib.reqMarketRule(rule)
    assert ib.reqMatchingSymbols("aap")
    assert ib.reqMktDepthExchanges()
    chain = next(each for each in ib.reqSecDefOptParams("AAPL", "", "STK", stock.conId) if each.exchange == "SMART")
    strike = min(chain.strikes, key=lambda strike: abs(strike - 160))
    option = Option("AAPL", chain.expirations[2], strike, "C", "SMART")
    ib.qualifyContracts(option)
    ticker = ib.reqMktData(option)
    ib.sleep(3)
    assert ticker.modelGreeks is not None
    assert ticker.modelGreeks.delta is not None
    greeks = ib.calculateImpliedVolatility(option, ticker.ask, 160)
    assert greeks is not None
    assert greeks.impliedVol is not None
    assert ib.calculateOptionPrice(option, 0.3, 160)
    with pytest.raises(RequestError):
        ib.reqFundamentalData(stock, "ReportSnapshot")


def test_news_and_scanners(ib: IB) -> None:
    stock = Stock("AAPL", "SMART", "USD")
    ib.qualifyContracts(stock)
    provider = ib.reqNewsProviders()[0].code
    news = ib.reqHistoricalNews(stock.conId, provider, "", "", 5)
    assert news
    assert ib.reqNewsArticle(news[0].providerCode, news[0].articleId).articleText
    assert ib.getWshMetaData()
    assert ib.getWshEventData(WshEventData(conId=stock.conId))
    scan = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
    assert [row.rank for row in ib.reqScannerData(scan)][:3] == [0, 1, 2]
    assert ib.reqScannerParameters().startswith("<?xml")


def test_numbers_may_be_texts_as_scripts_read_them(ib: IB) -> None:
    """ib_insync passes on whatever it is given; its own recipes ask for the rules of ``marketRuleIds.split(',')``."""
    stock = Stock("AAPL", "SMART", "USD")
    (details,) = ib.reqContractDetails(stock)
    rules = [ib.reqMarketRule(each) for each in details.marketRuleIds.split(",")[:2]]  # type: ignore[arg-type]
    assert all(rules)
    (found,) = ib.reqContractDetails(Contract(conId="265598"))  # type: ignore[arg-type]
    assert found.contract.symbol == "AAPL"
    trade = ib.placeOrder(stock, MarketOrder("BUY", "10"))  # type: ignore[arg-type]
    ib.sleep(5)
    assert (trade.orderStatus.status, trade.filled(), trade.remaining()) == ("Filled", 10, 0)
    with pytest.raises(EncodeError, match="totalQuantity: 'many' is no number"):
        ib.placeOrder(stock, MarketOrder("BUY", "many"))  # type: ignore[arg-type]


def test_an_exercise_is_a_trade_and_changes_what_is_held(ib: IB) -> None:
    option = Option("AAPL", "20240119", 145, "C", "SMART")
    ib.qualifyContracts(option)
    bought = ib.placeOrder(option, MarketOrder("BUY", 3))
    ib.sleep(5)
    assert bought.orderStatus.status == "Filled"
    ib.exerciseOptions(option, 1, 2, "", 0)
    ib.sleep(1)
    (exercise,) = ib.openTrades()
    assert (exercise.orderStatus.status, exercise.contract.conId) == ("PreSubmitted", option.conId)
    ib.exerciseOptions(option, 2, 1, "", 0)  # in the money: it is told so
    ib.sleep(1)
    assert ib.openTrades() == [exercise]
    ib.cancelOrder(exercise.order)
    ib.sleep(1)
    assert exercise.orderStatus.status == "Cancelled"
    ib.exerciseOptions(option, 1, 2, "", 0)
    ib.sleep(7 * 3600)
    done = ib.trades()[-1]
    assert (done.orderStatus.status, done.filled(), len(done.fills)) == ("Filled", 2, 1)
    held = {position.contract.secType: position.position for position in ib.positions()}
    assert held == {"OPT": 1, "STK": 200}
    assert {item.contract.secType: item.position for item in ib.portfolio() if item.position} == held
    sums: dict[str, float] = {}
    for fill in ib.reqExecutions():
        signed = fill.execution.shares * (1 if fill.execution.side == "BOT" else -1)
        sums[fill.contract.secType] = sums.get(fill.contract.secType, 0) + signed
    assert sums == held
