"""Market data lines, depth, tick-by-tick data and real-time bars."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ibkit.model import Contract
from ibkit.paper.gateway import Limits
from ibkit.wire import messages as m
from tests.paper.gateway.peer import START, Client, World, only

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
NASDAQ = Contract(secType="STK", symbol="AAPL", exchange="NASDAQ", currency="USD")
EURUSD = Contract(secType="CASH", symbol="EUR", exchange="IDEALPRO", currency="USD")
SPX = Contract(secType="IND", symbol="SPX", exchange="CBOE", currency="USD")


def line(req_id: int, contract: Contract, generic: str = "", snapshot: bool = False) -> m.ReqMktData:
    return m.ReqMktData(req_id, contract, generic, snapshot, False, [])


def prices(answers: list[m.Answer]) -> dict[int, float]:
    return {tick.tickType: tick.price for tick in only(m.TickPrice, answers)}


def option(client: Client) -> Contract:
    chain = only(m.SecurityDefinitionOptionParameter, client.ask(m.ReqSecDefOptParams(1, "AAPL", "", "STK", 265598)))[0]
    spot = client.world.gateway.market.quote(client.world.gateway.catalogue.find(APPLE)[0], client.world.gateway.now)
    strike = min(chain.strikes, key=lambda each: abs(each - spot.mid))
    wanted = Contract(
        secType="OPT", symbol="AAPL", exchange="SMART", currency="USD", right="C", strike=strike,
        lastTradeDateOrContractMonth=chain.expirations[2],
    )  # fmt: skip
    details = client.ask(m.ReqContractData(2, wanted))[0]
    assert isinstance(details, m.ContractData)
    assert details.contractDetails.contract is not None
    return details.contractDetails.contract


def test_a_line_begins_with_all_there_is() -> None:
    answers = World().client().ask(line(1, APPLE))
    assert isinstance(answers[0], m.TickReqParams)
    assert isinstance(answers[1], m.MarketDataType)
    assert answers[1].marketDataType == 1
    found = prices(answers)
    assert found.keys() == {1, 2, 4, 6, 7, 9, 14}
    assert found[1] < found[2]
    assert found[7] <= found[4] <= found[6]
    assert {tick.tickType for tick in only(m.TickSize, answers)} == {8}
    assert {tick.tickType for tick in only(m.TickString, answers)} >= {45}


def test_ticks_come_at_most_four_times_a_second_and_tell_only_changes() -> None:
    client = World().client()
    told: dict[int, object] = {}
    for answer in client.ask(line(1, APPLE)):
        if isinstance(answer, m.TickPrice):
            told[answer.tickType] = answer
    for _ in range(240):
        batch = client.wait(0.25)
        kinds = [(type(tick), tick.tickType) for tick in batch if isinstance(tick, m.TickPrice | m.TickSize)]
        assert len(kinds) == len(set(kinds)), "one change of each kind in a batch"
        for tick in only(m.TickPrice, batch):
            assert told.get(tick.tickType) != tick
            told[tick.tickType] = tick
    quote = client.world.gateway.market.quote(client.world.gateway.catalogue.find(APPLE)[0], client.world.gateway.now)
    shown = {kind: tick.price for kind, tick in told.items() if isinstance(tick, m.TickPrice)}
    assert (shown[1], shown[2], shown[4]) == (quote.bid, quote.ask, quote.last)


def test_two_clients_see_the_same_market() -> None:
    world = World()
    first, second = world.client(1), world.client(2, version=176)
    assert prices(first.ask(line(1, APPLE))) == prices(second.ask(line(5, APPLE)))
    assert prices(first.wait(30)) == prices(second.read())


def test_a_snapshot_ends() -> None:
    client = World().client()
    answers = client.ask(line(1, APPLE, snapshot=True))
    assert answers[-1] == m.TickSnapshotEnd(1)
    assert client.wait(10) == []
    assert client.error(line(2, APPLE, "233", snapshot=True)).errorCode == 321


def test_forex_has_quotes_and_an_index_a_value() -> None:
    client = World().client()
    assert 4 not in prices(client.ask(line(1, EURUSD)))
    assert prices(client.ask(line(2, SPX))).keys() >= {4, 9}
    assert 1 not in prices(client.ask(line(3, SPX)))


def test_a_closed_market_shows_no_quote_but_frozen_data_does() -> None:
    world = World("2024-01-13 12:00")  # a Saturday
    client = world.client()
    closed = prices(client.ask(line(1, APPLE)))
    assert closed[1] == closed[2] == -1
    assert closed[4] > 0
    assert client.wait(3600) == []
    client.ask(m.ReqMarketDataType(2))
    answers = client.ask(line(2, APPLE))
    assert only(m.MarketDataType, answers)[0].marketDataType == 2
    assert prices(answers)[1] > 0


def test_quotes_end_and_begin_with_the_hours() -> None:
    client = World("2024-01-10 19:59").client()
    client.ask(line(1, APPLE))
    evening = prices(client.wait(120))
    assert evening[1] == evening[2] == -1
    assert client.wait(7 * 3600) == []
    assert prices(client.wait(3600 + 600))[1] > 0


def test_without_subscriptions_data_is_delayed() -> None:
    world = World(limits=Limits(market_data="delayed"))
    client = world.client()
    assert client.error(line(1, APPLE)).errorCode == 354
    client.ask(m.ReqMarketDataType(3))
    answers = client.ask(line(2, APPLE))
    assert only(m.ErrMsg, answers)[0].errorCode == 10167
    assert only(m.MarketDataType, answers)[0].marketDataType == 3
    then = world.gateway.market.quote(world.gateway.catalogue.find(APPLE)[0], START - 900)
    assert prices(answers)[66] == then.bid
    assert prices(answers).keys() == {66, 67, 68, 72, 73, 75, 76}


def test_options_bring_greeks() -> None:
    client = World().client()
    answers = only(m.TickOptionComputation, client.ask(line(9, option(client))))
    assert {answer.tickType for answer in answers} >= {10, 11, 13}
    model = answers[-1]
    assert 0 < model.delta < 1
    assert model.impliedVol > 0
    assert model.theta < 0
    assert model.gamma > 0


def test_option_calculations_agree() -> None:
    client = World().client()
    contract = option(client)
    price = client.one(m.TickOptionComputation, m.ReqCalcOptionPrice(5, contract, 0.3, 160.0, []))
    back = client.one(m.TickOptionComputation, m.ReqCalcImpliedVolat(6, contract, price.optPrice, 160.0, []))
    assert (price.tickType, back.tickType) == (53, 53)
    assert back.impliedVol == pytest.approx(0.3, abs=1e-3)
    assert client.error(m.ReqCalcImpliedVolat(7, contract, 1e6, 160.0, [])).errorCode == 321


GENERIC = "100,101,104,105,106,165,221,225,232,233,236,258,293,294,295,318,375,411,456,595"


@pytest.mark.parametrize("version", [176, 225])
def test_generic_ticks(version: int) -> None:
    client = World().client(version=version)
    answers = client.ask(line(1, APPLE, GENERIC), secs=30)
    kinds = {
        answer.tickType
        for answer in answers
        if isinstance(answer, m.TickSize | m.TickPrice | m.TickGeneric | m.TickString)
    }
    assert kinds >= {
        29,
        30,
        27,
        28,
        23,
        87,
        24,
        15,
        16,
        17,
        18,
        19,
        20,
        21,
        37,
        34,
        35,
        36,
        48,
        77,
        46,
        89,
        47,
        54,
        55,
        56,
    }
    assert kinds >= {57, 58, 59, 61, 63, 64, 65}
    sale = [tick.value for tick in only(m.TickString, answers) if tick.tickType == 48][-1]
    price, size, ms, volume, average, single = sale.split(";")
    assert float(price) > 0
    assert float(size) > 0
    assert START < int(ms) / 1000 <= START + 30
    assert float(volume) > float(size)
    assert float(average) == pytest.approx(float(price), rel=0.05)
    assert single == "true"


def test_unknown_generic_ticks_are_refused_by_name() -> None:
    error = World().client().error(line(1, APPLE, "233,9999"))
    assert error.errorCode == 321
    assert "9999" in error.errorString


def test_news_come_as_ticks_and_can_be_read() -> None:
    client = World().client()
    stories = only(m.TickNews, client.ask(line(1, APPLE, "mdoff,292"), secs=86400))
    assert stories
    article = client.one(m.NewsArticle, m.ReqNewsArticle(2, stories[0].providerCode, stories[0].articleId, []))
    assert article.articleText
    past = only(m.HistoricalNews, client.ask(m.ReqHistoricalNews(3, 265598, "BRFG+BRFUPDN+DJNL", "", "", 300, [])))
    assert {story.articleId for story in stories} <= {story.articleId for story in past}
    assert [story.time for story in past] == sorted((story.time for story in past), reverse=True)


def test_lines_are_limited_and_one_instrument_counts_once() -> None:
    client = World(limits=Limits(lines=2)).client()
    client.ask(line(1, APPLE))
    client.ask(line(2, APPLE))
    client.ask(line(3, EURUSD))
    assert client.error(line(4, SPX)).errorCode == 101
    client.ask(m.CancelMktData(3))
    assert prices(client.ask(line(4, SPX)))


def test_unknown_and_ambiguous_contracts_are_told_apart() -> None:
    client = World().client()
    unknown = client.error(line(1, Contract(secType="STK", symbol="NOSUCH", exchange="SMART", currency="USD")))
    assert (unknown.errorCode, "No security definition" in unknown.errorString) == (200, True)
    ambiguous = client.error(line(2, Contract(secType="FUT", symbol="ES", exchange="CME", currency="USD")))
    assert (ambiguous.errorCode, "ambiguous" in ambiguous.errorString) == (200, True)


def test_a_cfd_on_a_stock_is_sent_to_the_stock() -> None:
    client = World().client()
    cfd = Contract(secType="CFD", symbol="AAPL", exchange="SMART", currency="USD")
    assert client.one(m.RerouteMktDataReq, line(1, cfd)) == m.RerouteMktDataReq(1, 265598, "SMART")
    depth = m.ReqMktDepth(2, cfd, 5, False, [])
    assert client.one(m.RerouteMktDepthReq, depth).conId == 265598


class TestSizes:
    """US stocks were counted in lots of a hundred by old servers."""

    @pytest.mark.parametrize(
        ("version", "quote", "volume"), [(157, 100, 100), (159, 1, 100), (219, 1, 100), (220, 1, 1)]
    )
    def test_of_the_quote_and_the_day(self, version: int, quote: int, volume: int) -> None:
        world = World()
        answers = world.client(version=version).ask(line(1, APPLE))
        truth = world.gateway.market.quote(world.gateway.catalogue.find(APPLE)[0], START)
        bid = next(tick for tick in only(m.TickPrice, answers) if tick.tickType == 1)
        assert bid.size == round(truth.bid_size / quote)
        total = next(tick for tick in only(m.TickSize, answers) if tick.tickType == 8)
        assert total.size == pytest.approx(truth.volume / volume)


class TestDepth:
    """Order books."""

    def test_the_best_row_is_the_quote(self) -> None:
        client = World().client()
        book: dict[tuple[int, int], float] = {}
        for answer in [*client.ask(m.ReqMktDepth(1, NASDAQ, 5, False, [])), *client.wait(60)]:
            assert isinstance(answer, m.MarketDepth)
            assert (answer.operation == 0) == ((answer.side, answer.position) not in book)
            book[answer.side, answer.position] = answer.price
        world = client.world
        quote = world.gateway.market.quote(world.gateway.catalogue.find(APPLE)[0], world.gateway.now)
        assert (book[1, 0], book[0, 0]) == (quote.bid, quote.ask)
        assert len(book) == 10
        assert [book[0, row] for row in range(5)] == sorted(book[0, row] for row in range(5))

    def test_smart_depth_names_the_makers(self) -> None:
        client = World().client()
        answers = client.ask(m.ReqMktDepth(1, APPLE, 3, True, []))
        assert only(m.ErrMsg, answers)[0].errorCode == 2152
        rows = only(m.MarketDepthL2, answers)
        assert len(rows) == 6
        assert all(row.isSmartDepth and row.marketMaker for row in rows)

    def test_limits_and_refusals(self) -> None:
        client = World().client()
        assert client.error(m.ReqMktDepth(1, SPX, 3, False, [])).errorCode == 10092
        assert client.error(m.ReqMktDepth(1, APPLE, 3, False, [])).errorCode == 10092
        for n, symbol in enumerate(("AAPL", "MSFT", "NVDA")):
            client.ask(
                m.ReqMktDepth(
                    10 + n, Contract(secType="STK", symbol=symbol, exchange="NASDAQ", currency="USD"), 3, False, []
                )
            )
        assert client.error(m.ReqMktDepth(20, EURUSD, 3, False, [])).errorCode == 309


class TestTickByTick:
    """Every tick, in order, and the same as history tells."""

    @pytest.mark.parametrize("version", [176, 225])
    def test_live_ticks_are_those_of_history(self, version: int) -> None:
        client = World().client(version=version)
        live = only(m.TickByTick, client.ask(m.ReqTickByTickData(1, APPLE, "AllLast", 0, False), secs=20))
        past = client.one(
            m.HistoricalTicksLast,
            m.ReqHistoricalTicks(2, APPLE, "20240110 10:00:00 US/Eastern", "", 1000, "TRADES", 1, False, []),
        )
        assert past.done
        assert [tick.tick for tick in live] == past.ticks
        assert {tick.tickType for tick in live} == {2}

    def test_ticks_before_the_first_one(self) -> None:
        client = World().client()
        answers = client.ask(m.ReqTickByTickData(1, APPLE, "BidAsk", 50, False))
        assert len(answers) == 1
        past = answers[0]
        assert isinstance(past, m.HistoricalTicksBidAsk)
        assert len(past.ticks) >= 50
        assert past.ticks[-1].time <= START
        later = only(m.TickByTick, client.wait(5))
        assert all(tick.tick.time >= START for tick in later)

    def test_midpoints_come_when_they_move(self) -> None:
        client = World().client()
        mids = only(m.TickByTick, client.ask(m.ReqTickByTickData(1, EURUSD, "MidPoint", 0, False), secs=30))
        values = [tick.tick.price for tick in mids if isinstance(tick.tick, m.TickRow)]
        assert all(a != b for a, b in pairwise(values))

    def test_refusals(self) -> None:
        client = World(limits=Limits(tick_by_tick=1)).client()
        assert client.error(m.ReqTickByTickData(1, APPLE, "last", 0, False)).errorCode == 321
        assert client.error(m.ReqTickByTickData(1, EURUSD, "Last", 0, False)).errorCode == 10189
        client.ask(m.ReqTickByTickData(1, APPLE, "Last", 0, False))
        assert client.error(m.ReqTickByTickData(2, EURUSD, "BidAsk", 0, False)).errorCode == 10190


class TestRealTimeBars:
    """A bar every five seconds, equal to history's."""

    def test_they_are_the_bars_of_history(self) -> None:
        client = World().client()
        client.wait(2)
        live = only(m.RealTimeBars, client.ask(m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, []), secs=60))
        assert [bar.time for bar in live] == [int(START) + 5 * n for n in range(12)]
        query = m.ReqHistoricalData(
            2, APPLE, "20240110 10:01:00 US/Eastern", "5 secs", "60 S", 1, "TRADES", 2, False, []
        )
        past = client.one(m.HistoricalData, query).bars
        told = {bar.time: (bar.open_, bar.high, bar.low, bar.close, bar.volume, bar.count_) for bar in live}
        assert {
            int(bar.date): (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.barCount) for bar in past
        }.items() <= told.items()

    def test_they_rest_while_the_market_does(self) -> None:
        client = World("2024-01-10 15:59:50").client()
        bars = only(m.RealTimeBars, client.ask(m.ReqRealTimeBars(1, APPLE, 5, "MIDPOINT", True, []), secs=3600))
        assert len(bars) == 2
        assert len(only(m.RealTimeBars, client.wait(17.5 * 3600 - 3590 + 30))) == 6

    def test_refusals(self) -> None:
        client = World().client()
        assert client.error(m.ReqRealTimeBars(1, APPLE, 10, "TRADES", True, [])).errorCode == 420
        assert client.error(m.ReqRealTimeBars(1, EURUSD, 5, "TRADES", True, [])).errorCode == 420


def test_a_scanner_ranks_and_tells_again() -> None:
    from ibkit.model import ScannerSubscription

    client = World().client()
    wanted = ScannerSubscription(
        instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN", numberOfRows=5
    )
    first = client.one(m.ScannerData, m.ReqScannerSubscription(1, wanted, [], []))
    assert [row.rank for row in first.rows] == [0, 1, 2, 3, 4]
    world = client.world
    gains = []
    for row in first.rows:
        assert row.contractDetails.contract is not None
        instrument = world.gateway.catalogue.by_con_id(row.contractDetails.contract.conId)
        assert instrument is not None
        quote = world.gateway.market.quote(instrument, world.gateway.now)
        gains.append(quote.last / quote.close)
    assert gains == sorted(gains, reverse=True)
    assert len(only(m.ScannerData, client.wait(61))) == 2
    unknown = ScannerSubscription(instrument="STK", locationCode="STK.US", scanCode="BEST_EVER")
    assert client.error(m.ReqScannerSubscription(2, unknown, [], [])).errorCode == 162


def test_display_groups_are_shared() -> None:
    world = World()
    first, second = world.client(1), world.client(2)
    assert first.ask(m.SubscribeToGroupEvents(1, 3)) == [m.DisplayGroupUpdated(1, "none")]
    second.ask(m.SubscribeToGroupEvents(9, 3))
    assert first.ask(m.UpdateDisplayGroup(1, "265598@SMART")) == [m.DisplayGroupUpdated(1, "265598@SMART")]
    assert second.read() == [m.DisplayGroupUpdated(9, "265598@SMART")]


def test_settings_are_kept() -> None:
    from ibkit.model import TwsConfig
    from ibkit.model.config import LockAndExitConfig

    client = World().client()
    change = TwsConfig(lockAndExit=LockAndExitConfig(autoLogoffTime="22:00"))
    result = client.one(m.UpdateConfigResponse, m.UpdateConfig(1, change, [], False)).result
    assert result.changedFields == ["lockAndExit.autoLogoffTime"]
    config = client.one(m.ConfigResponse, m.ReqConfig(2)).config
    assert config.lockAndExit is not None
    assert config.lockAndExit.autoLogoffTime == "22:00"
    assert config.lockAndExit.autoLogoffPeriod
