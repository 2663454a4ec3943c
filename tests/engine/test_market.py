"""Which ticker a request fills, how streams begin, fail and end, and when listeners are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ibkit.engine import depth, market
from ibkit.engine.core import DefaultSettings
from ibkit.model import (
    Bag,
    ComboLeg,
    ContFuture,
    Contract,
    DeltaNeutralContract,
    Future,
    IBDefaults,
    Option,
    Stock,
    Ticker,
)
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS, EngineUnderTest


def stock(symbol: str = "AAPL", con_id: int = 0, exchange: str = "SMART") -> Stock:
    return Stock(symbol, exchange, "USD", conId=con_id)


def ask(peer: EngineUnderTest, contract: Contract, kind: str = market.MKT_DATA) -> Ticker:
    snapshot = kind == market.SNAPSHOT

    def make(req_id: int) -> tuple[m.Request, m.Request]:
        return m.ReqMktData(req_id, contract, "", snapshot, False, []), m.CancelMktData(req_id)

    return market.open_stream(peer.engine, contract, kind, make)[0].ticker


def bid(req_id: int, price: float, size: float = 1.0) -> m.TickPrice:
    return m.TickPrice(req_id, 1, price, size, 0)


# -- which ticker --------------------------------------------------------------------------------------------


def test_an_unqualified_contract_has_a_ticker() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ticker = ask(peer, contract)
    assert ticker.contract is contract
    assert peer.engine.state.market.find(contract).ticker is ticker  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (stock(), stock(), True),
        (stock(), stock("MSFT"), False),
        (stock(con_id=1), stock(con_id=1), True),
        (stock(con_id=1), stock(con_id=2), False),
        (stock(con_id=1), stock(), False),
        (stock(con_id=1), stock(con_id=1, exchange="NASDAQ"), False),
        (stock(con_id=1), Contract(conId=1, exchange="SMART"), True),
        (Future(conId=7, exchange="CME"), ContFuture(conId=7, exchange="CME"), False),
        (Bag(conId=28812380, symbol="A"), Bag(conId=28812380, symbol="B"), False),
        (Bag(comboLegs=[ComboLeg(1)]), Bag(comboLegs=[ComboLeg(2)]), False),
        (Bag(comboLegs=[ComboLeg(1)]), Bag(comboLegs=[ComboLeg(1)]), True),
    ],
)
def test_equal_contracts_share_a_ticker(first: Contract, second: Contract, same: bool) -> None:
    peer = EngineUnderTest()
    assert (ask(peer, first) is ask(peer, second)) is same


def test_a_contract_that_is_qualified_later_keeps_its_ticker() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ticker = ask(peer, contract)
    contract.conId = 265598
    assert ask(peer, contract) is ticker
    assert peer.engine.state.market.find(stock(con_id=265598)).ticker is ticker  # type: ignore[union-attr]


def test_an_equal_contract_finds_one_that_was_qualified_meanwhile() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ticker = ask(peer, contract)
    contract.conId = 265598
    peer.engine.state.market.changed_contract(contract)  # as qualifyContracts does
    assert ask(peer, stock(con_id=265598)) is ticker
    assert ask(peer, stock()) is not ticker


def test_a_new_contract_is_not_compared_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = EngineUnderTest()
    compared: list[int] = []
    same = market._same
    monkeypatch.setattr(market, "_same", lambda *args: compared.append(1) or same(*args))  # type: ignore[func-returns-value]
    for n in range(200):
        ask(peer, stock(con_id=n + 1))
        ask(peer, Option("SPX", "20240119", n, "C", "SMART"))
    assert compared == []
    assert peer.engine.state.market.find(Option("SPX", "20240119", 7, "C", "SMART")) is not None
    assert len(compared) == 1


def test_a_contract_without_exchange_finds_the_ticker_of_any() -> None:
    peer = EngineUnderTest()
    ticker = ask(peer, stock(con_id=1))
    held = Contract("STK", 1, "AAPL", currency="USD")
    assert peer.engine.state.market.find(held).ticker is ticker  # type: ignore[union-attr]
    assert peer.engine.state.market.find(stock(con_id=1, exchange="ARCA")) is None


def test_defaults_of_the_user_are_those_of_new_tickers() -> None:
    settings = DefaultSettings()
    settings.defaults = IBDefaults(unset=0.0)
    peer = EngineUnderTest(settings=settings)
    assert ask(peer, stock()).bid == 0.0


def test_idle_tickers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "KEEP", 3)
    peer = EngineUnderTest()
    heard = ask(peer, stock("HEARD"))
    heard.updateEvent += lambda ticker: None
    for i in range(6):
        _, call = market.snapshot(peer.engine, stock(f"S{i}"), False, 20.0)
        peer.send(m.TickSnapshotEnd(int(peer.engine.state.next_id) - 1))
        assert call.done
    known = [feed.contract.symbol for feed in peer.engine.state.market.by_object.values()]
    assert known == ["HEARD", "S4", "S5"]


# -- streams -------------------------------------------------------------------------------------------------


def test_asking_again_replaces_the_stream() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ticker = ask(peer, contract)
    assert ask(peer, contract) is ticker
    first, cancel, second = peer.requests()
    assert (first.reqId, cancel, second.reqId) == (1, m.CancelMktData(1), 2)
    peer.send(bid(1, 90.0), bid(2, 100.0))  # what was under way for the first is late
    assert ticker.bid == 100.0
    assert ticker.prevBid != ticker.prevBid
    assert peer.engine.state.market.stray_ticks == 1

    feed = peer.engine.state.market.find(contract)
    assert feed is not None
    assert market.close_stream(peer.engine, feed, market.MKT_DATA)
    assert peer.requests() == [m.CancelMktData(2)]
    assert not market.close_stream(peer.engine, feed, market.MKT_DATA)
    assert not peer.engine.state.subscriptions
    assert not peer.engine.state.market.feeds


def test_kinds_of_data_share_a_ticker_and_end_apart() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ticker = ask(peer, contract)
    assert depth.open_book(peer.engine, contract, 5, False, []) is ticker
    assert ask(peer, contract, "BidAsk") is ticker
    feed = peer.engine.state.market.find(contract)
    assert feed is not None
    peer.requests()
    market.close_stream(peer.engine, feed, market.MKT_DEPTH)
    assert peer.requests() == [m.CancelMktDepth(2, False)]
    assert set(feed.streams) == {market.MKT_DATA, "BidAsk"}


def test_a_refused_stream_is_over_and_can_be_asked_for_again() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ask(peer, contract)
    peer.send(m.ErrMsg(1, 354, "Requested market data is not subscribed.", "", 0))
    assert ("errorEvent", 1, 354, "Requested market data is not subscribed.", contract) in peer.told
    feed = peer.engine.state.market.find(contract)
    assert feed is not None
    assert not feed.streams
    peer.requests()
    ask(peer, contract)
    assert [type(each) for each in peer.requests()] == [m.ReqMktData]  # and no cancel of what is over


def test_a_warning_does_not_end_a_stream() -> None:
    peer = EngineUnderTest()
    ticker = ask(peer, stock())
    peer.send(m.ErrMsg(1, 10167, "Displaying delayed market data.", "", 0), m.TickPrice(1, 66, 99.0, 3.0, 0))
    assert (ticker.bid, ticker.bidSize) == (99.0, 3.0)


def test_a_message_that_cannot_be_encoded_leaves_nothing_behind() -> None:
    peer = EngineUnderTest()
    contract = Option("AAPL", "20240119", float("nan"), "C", "SMART")
    with pytest.raises(ValueError, match="strike"):
        ask(peer, contract)
    assert not peer.engine.state.market.by_object
    assert not peer.engine.state.subscriptions


@pytest.mark.parametrize("version", VERSIONS)
def test_parameters_and_data_type(version: int) -> None:
    peer = EngineUnderTest(version)
    ticker = ask(peer, stock())
    peer.told.clear()
    peer.send(m.TickReqParams(1, 0.01, "9c0001", 3, 0.01, 1.0), m.MarketDataType(1, 3))
    assert (ticker.minTick, ticker.bboExchange, ticker.snapshotPermissions) == (0.01, "9c0001", 3)
    assert ticker.marketDataType == 3
    if version >= 206:
        assert (ticker.lastPricePrecision, ticker.lastSizePrecision) == (0.01, 1.0)
    else:
        assert ticker.isUnset(ticker.lastPricePrecision)
    assert peer.names() == []  # nothing of the market has changed


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_broker_locks_for_a_delta_neutral_combo_is_in_its_contract(version: int) -> None:
    peer = EngineUnderTest(version)
    contract = Bag(symbol="AAPL", exchange="SMART", deltaNeutralContract=DeltaNeutralContract(265598))
    ask(peer, contract)
    peer.send(m.DeltaNeutralValidation(1, DeltaNeutralContract(265598, 0.5, 100.0)))
    assert contract.deltaNeutralContract == DeltaNeutralContract(265598, 0.5, 100.0)
    assert peer.engine.state.market.find(contract) is not None


# -- snapshots -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_snapshot_gives_the_ticker(version: int) -> None:
    peer = EngineUnderTest(version)
    contract = stock()
    ticker, call = market.snapshot(peer.engine, contract, False, 20.0)
    (request,) = peer.requests()
    assert (request.reqId, request.snapshot, request.regulatorySnapshot) == (1, True, False)
    peer.send(bid(1, 100.0))
    assert not call.done
    peer.send(m.TickSnapshotEnd(1))
    assert call.done
    assert ticker.bid == 100.0
    assert not peer.engine.state.market.feeds


def test_a_snapshot_without_asker_ends_by_itself() -> None:
    peer = EngineUnderTest()
    ticker = ask(peer, stock(), market.SNAPSHOT)
    ask(peer, stock(), market.SNAPSHOT)
    peer.send(m.TickSnapshotEnd(1), bid(2, 3.0), m.TickSnapshotEnd(2))
    assert ticker.bid == 3.0
    assert not peer.engine.state.subscriptions
    assert [type(each) for each in peer.requests()] == [m.ReqMktData, m.ReqMktData]


def test_cancelling_snapshots_leaves_those_that_somebody_waits_for() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ask(peer, contract, market.SNAPSHOT)
    _ticker, call = market.snapshot(peer.engine, contract, False, 20.0)
    peer.requests()
    feed = peer.engine.state.market.find(contract)
    assert feed is not None
    assert market.close_stream(peer.engine, feed, market.SNAPSHOT)
    assert peer.requests() == [m.CancelMktData(1)]
    peer.send(m.TickSnapshotEnd(2))
    assert call.done


def test_a_refused_snapshot_fails() -> None:
    peer = EngineUnderTest()
    _ticker, call = market.snapshot(peer.engine, stock(), False, 20.0)
    peer.send(m.ErrMsg(1, 200, "No security definition has been found for the request", "", 0))
    with pytest.raises(Exception, match="No security definition"):
        call.result()
    assert not peer.engine.state.market.feeds


def test_giving_up_a_snapshot_cancels_it() -> None:
    peer = EngineUnderTest()
    market.snapshot(peer.engine, stock(), False, 20.0)[1].cancel()
    assert peer.requests()[-1] == m.CancelMktData(1)
    assert not peer.engine.state.market.feeds


# -- reroutes ------------------------------------------------------------------------------------------------


def test_a_cfd_is_filled_from_its_underlying() -> None:
    peer = EngineUnderTest()
    contract = Contract("CFD", 111, "AAPL", exchange="SMART", currency="USD")
    ticker = ask(peer, contract)
    peer.requests()
    peer.send(m.RerouteMktDataReq(1, 265598, "SMART"), m.RerouteMktDataReq(1, 265598, "SMART"))
    (request,) = peer.requests()
    assert (request.reqId, request.contract.conId, request.contract.exchange) == (2, 265598, "SMART")
    peer.send(bid(2, 100.0))
    assert ticker.bid == 100.0
    assert ticker.contract is contract
    feed = peer.engine.state.market.find(contract)
    assert feed is not None
    market.close_stream(peer.engine, feed, market.MKT_DATA)
    assert peer.requests() == [m.CancelMktData(1), m.CancelMktData(2)]


def test_a_rerouted_snapshot_answers_the_one_that_was_asked_for() -> None:
    peer = EngineUnderTest()
    ticker, call = market.snapshot(peer.engine, Contract("CFD", 111, exchange="SMART"), False, 20.0)
    peer.send(m.RerouteMktDataReq(1, 265598, "SMART"))
    assert [request.snapshot for request in peer.requests()] == [True, True]
    peer.send(bid(2, 100.0), m.TickSnapshotEnd(2))
    assert call.done
    assert ticker.bid == 100.0
    assert not peer.engine.state.market.feeds
    assert not peer.engine.state.market.rerouted


def test_a_rerouted_snapshot_that_is_refused_fails_the_one_that_was_asked_for() -> None:
    peer = EngineUnderTest()
    _ticker, call = market.snapshot(peer.engine, Contract("CFD", 111, exchange="SMART"), False, 20.0)
    peer.send(m.RerouteMktDataReq(1, 1, "SMART"), m.ErrMsg(2, 354, "not subscribed", "", 0))
    assert call.error is not None


def test_rerouted_depth() -> None:
    peer = EngineUnderTest()
    ticker = depth.open_book(peer.engine, Contract("CFD", 111, exchange="SMART"), 5, True, [])
    peer.send(m.RerouteMktDepthReq(1, 2, "IBUS500"))
    request = peer.requests()[-1]
    assert (request.contract.conId, request.numRows, request.isSmartDepth) == (2, 5, True)
    peer.send(m.MarketDepthL2(2, 0, "IBUS500", 0, 1, 10.0, 1.0, True))
    assert ticker.domBids[0].price == 10.0
    peer.send(m.ErrMsg(2, 317, "Market depth data has been RESET", "", 0))
    assert not ticker.domBids


# -- after a loss --------------------------------------------------------------------------------------------


def test_streams_are_begun_again_on_the_next_connection() -> None:
    peer = EngineUnderTest()
    market.set_data_type(peer.engine, 3)
    contract = stock()
    ticker = ask(peer, contract)
    market.set_data_type(peer.engine, 4)
    depth.open_book(peer.engine, contract, 5, False, [])
    peer.send(m.MarketDepth(2, 0, 0, 1, 10.0, 1.0))
    peer.engine.closed("broken for a test")

    again = EngineUnderTest(state=peer.engine.state, next_id=1)
    again.engine.restart_subscriptions(cancel_first=False)
    requests = again.requests()
    assert [type(each) for each in requests] == [m.ReqMarketDataType, m.ReqMktData, m.ReqMktDepth]
    assert requests[0].marketDataType == 4
    assert not ticker.domBids
    again.send(bid(1, 100.0))
    assert ticker.bid == 100.0


def test_the_user_ends_streams_with_the_connection() -> None:
    peer = EngineUnderTest()
    contract = stock()
    ticker = ask(peer, contract)
    done: list[Any] = []
    ticker.updateEvent.done_event.connect(done.append)
    peer.engine.wanted_end = True
    peer.engine.closed("disconnect() was called")
    assert len(done) == 1
    assert peer.engine.state.market.find(contract).ticker is ticker  # type: ignore[union-attr]

    again = EngineUnderTest(state=peer.engine.state)
    fresh = ask(again, contract)
    assert fresh is not ticker  # whose event has ended
    assert not fresh.updateEvent.done()
    again.send(bid(2, 100.0))
    assert fresh.bid == 100.0


# -- batches -------------------------------------------------------------------------------------------------


def test_ticks_of_a_batch_are_shown_for_a_batch() -> None:
    peer = EngineUnderTest()
    one, two = ask(peer, stock("ONE")), ask(peer, stock("TWO"))
    seen: list[tuple[str, int]] = []
    peer.events.updateEvent += lambda: seen.append(("batch", len(one.ticks)))
    one.updateEvent += lambda ticker: seen.append(("one", len(ticker.ticks)))
    peer.events.pendingTickersEvent += lambda tickers: seen.append(("pending", len(tickers)))
    peer.send(bid(1, 1.0), bid(1, 2.0), bid(2, 3.0))
    assert seen == [("batch", 2), ("one", 2), ("pending", 2)]
    assert [tick.price for tick in one.ticks] == [1.0, 2.0]
    assert one.time == two.time == peer.engine.batch_time
    assert [feed.ticker for feed in peer.engine.state.market.shown] == [one, two]

    held = one.ticks
    peer.send(bid(2, 4.0))
    assert [tick.price for tick in one.ticks] == []
    assert [tick.price for tick in two.ticks] == [4.0]
    assert len(held) == 2  # the list that a handler may hold is not touched


class Waiting:
    """A handler that waits at its first call, during which more comes in."""

    def __init__(self, peer: EngineUnderTest, *messages: m.Answer) -> None:
        self.peer = peer
        self.messages = list(messages)
        self.seen: list[list[float]] = []

    def __call__(self, changed: Ticker | set[Ticker]) -> None:
        tickers = changed if isinstance(changed, set) else {changed}
        (ticker,) = [each for each in tickers if each.contract and each.contract.symbol == "ONE"] or [None]
        self.seen.append([tick.price for tick in ticker.ticks] if ticker else [])
        while self.messages:
            self.peer.send(self.messages.pop(0))


def prices(seen: list[list[float]]) -> list[float]:
    return [price for prices in seen for price in prices]


@pytest.mark.parametrize("waits", ["first", "last"])
@pytest.mark.parametrize("event", ["updateEvent", "pendingTickersEvent"])
def test_a_listener_that_waits_loses_no_tick_and_nobody_sees_one_twice(event: str, waits: str) -> None:
    peer = EngineUnderTest()
    one, two = ask(peer, stock("ONE")), ask(peer, stock("TWO"))
    waiting = Waiting(peer, bid(1, 2.0), bid(2, 9.0), bid(1, 3.0), bid(1, 4.0))
    others: list[list[float]] = []

    def other(_: object) -> None:
        others.append([tick.price for tick in one.ticks])

    two_seen: list[float] = []
    two.updateEvent += lambda ticker: two_seen.extend(tick.price for tick in ticker.ticks)
    source = one.updateEvent if event == "updateEvent" else peer.events.pendingTickersEvent
    for listener in (waiting, other) if waits == "first" else (other, waiting):
        source += listener
    peer.send(bid(1, 1.0), bid(2, 8.0))
    assert prices(waiting.seen) == [1.0, 2.0, 3.0, 4.0]
    assert len(waiting.seen) == 2  # at once when it returned, of all that it had missed
    assert prices(others) == [1.0, 2.0, 3.0, 4.0]
    assert two_seen == [8.0, 9.0]


def test_tickers_of_the_outer_batch_are_told_before_the_inner_one() -> None:
    peer = EngineUnderTest()
    one, two = ask(peer, stock("ONE")), ask(peer, stock("TWO"))
    told: list[tuple[str, list[float]]] = []
    peer.events.updateEvent += lambda: told.append(("batch", []))
    one.updateEvent += Waiting(peer, bid(2, 9.0), bid(1, 2.0))
    two.updateEvent += lambda ticker: told.append(("two", [tick.price for tick in ticker.ticks]))
    peer.events.pendingTickersEvent += lambda tickers: told.append(
        ("pending", sorted(tick.price for ticker in tickers for tick in ticker.ticks))
    )
    peer.send(bid(1, 1.0), bid(2, 8.0))
    assert told == [
        ("batch", []),
        ("two", [8.0]),
        ("pending", [1.0, 8.0]),
        ("batch", []),
        ("two", [9.0]),
        ("pending", [9.0]),
        ("batch", []),
        ("pending", [2.0]),
    ]


def test_streams_of_bars_count_every_tick_once_while_another_listener_waits() -> None:
    peer = EngineUnderTest()
    ticker = ask(peer, stock("ONE"))
    volumes: list[float] = []
    ticker.updateEvent.bids().connect(lambda time, price, size: volumes.append(size))
    ticker.updateEvent += Waiting(peer, bid(1, 2.0, 10.0), bid(1, 3.0, 100.0))
    peer.send(bid(1, 1.0, 1.0))
    assert volumes == [1.0, 10.0, 100.0]


@pytest.mark.parametrize("event", ["updateEvent", "pendingTickersEvent"])
def test_an_interrupt_costs_nobody_a_tick(event: str) -> None:
    peer = EngineUnderTest()
    ticker = ask(peer, stock("ONE"))
    seen: dict[str, list[float]] = {"before": [], "interrupted": [], "after": [], "last": []}

    def listener(name: str) -> Callable[[object], None]:
        def listen(_: object) -> None:
            seen[name] += [tick.price for tick in ticker.ticks]
            if name == "interrupted" and seen[name] == [1.0]:
                raise KeyboardInterrupt

        return listen

    source = ticker.updateEvent if event == "updateEvent" else peer.events.pendingTickersEvent
    for name in seen:
        source += listener(name)
    with pytest.raises(KeyboardInterrupt):
        peer.send(bid(1, 1.0))
    peer.send(bid(1, 2.0))
    assert list(seen.values()) == [[1.0, 2.0]] * 4
    assert [tick.price for tick in ticker.ticks] == [2.0]
