"""Events, news, scanners and the refusals of the smaller requests."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from ibkit.model import Contract, MarketOrder, ScannerSubscription, TagValue, WshEventData
from ibkit.paper.gateway import Limits
from ibkit.paper.gateway.session import Session
from ibkit.wire import messages as m
from tests.paper.gateway.peer import Client, World, only

APPLE_ID = 265598
APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")


class TestWallStreetHorizon:
    """The calendar of events."""

    @staticmethod
    def events(client: Client, wanted: WshEventData, req_id: int = 2) -> list[dict[str, object]]:
        found = json.loads(client.one(m.WshEventData, m.ReqWshEventData(req_id, wanted)).dataJson)
        assert isinstance(found, list)
        return found

    def test_earnings_come_four_times_a_year(self) -> None:
        client = World().client()
        types = json.loads(client.one(m.WshMetaData, m.ReqWshMetaData(1)).dataJson)
        assert "wshe_ed" in {kind["tag"] for kind in types["meta_data"]["event_types"]}
        year = WshEventData(conId=APPLE_ID, startDate="20240101", endDate="20241231")
        found = self.events(client, year)
        assert len(found) == 4
        assert all(event["conid"] == APPLE_ID for event in found)
        year.totalLimit = 2
        assert self.events(client, year) == found[:2]
        listed = WshEventData(
            filter=json.dumps({"watchlist": [str(APPLE_ID)]}), startDate="20240101", endDate="20241231"
        )
        assert self.events(client, listed) == found

    def test_of_what_is_held(self) -> None:
        client = World().client()
        client.ask(m.ReqWshMetaData(1))
        held = WshEventData(fillPortfolio=True, startDate="20240101", endDate="20241231")
        assert self.events(client, held) == []
        client.ask(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 10)), secs=5)
        assert len(self.events(client, held)) == 4

    def test_refusals(self) -> None:
        client = World().client()
        client.ask(m.ReqWshMetaData(1))
        assert client.error(m.ReqWshMetaData(2)).errorCode == 10278
        for wrong in (WshEventData(filter="no json"), WshEventData(conId=APPLE_ID, startDate="soon")):
            assert client.error(m.ReqWshEventData(3, wrong)).errorCode == 10283
        assert self.events(client, WshEventData(conId=1)) == []
        client.ask(m.CancelWshMetaData(1))
        assert client.error(m.ReqWshEventData(3, WshEventData(conId=APPLE_ID))).errorCode == 10282


class TestNews:
    """Headlines of the past."""

    def test_between_two_moments_newest_first(self) -> None:
        client = World().client()
        everything = m.ReqHistoricalNews(1, APPLE_ID, "", "2024-01-02 00:00:00.0", "2024-01-09 00:00:00.0", 300, [])
        found = only(m.HistoricalNews, client.ask(everything))
        assert found
        assert all("2024-01-02" <= story.time < "2024-01-09" for story in found)
        some = client.ask(everything._replace(totalResults=3))
        assert only(m.HistoricalNews, some) == found[:3]
        assert some[-1] == m.HistoricalNewsEnd(1, True)

    def test_refusals(self) -> None:
        client = World().client()
        assert client.error(m.ReqHistoricalNews(1, 1, "BRFG", "", "", 5, [])).errorCode == 200
        assert client.error(m.ReqHistoricalNews(1, APPLE_ID, "XYZ", "", "", 5, [])).errorCode == 321
        assert client.error(m.ReqHistoricalNews(1, APPLE_ID, "BRFG", "soon", "", 5, [])).errorCode == 321
        for article in ("", "BRFG", "BRFG$zz-1", "BRFG$1-1"):
            assert client.error(m.ReqNewsArticle(1, "BRFG", article, [])).errorCode == 10172


class TestScanner:
    """Rankings, and what restricts them."""

    WANTED = ScannerSubscription(instrument="STK", locationCode="STK.US", scanCode="MOST_ACTIVE_USD")

    def symbols(self, client: Client, req_id: int, *filters: TagValue, **limits: object) -> list[str]:
        wanted = ScannerSubscription(**{**self.WANTED.dict(), **limits})
        data = client.one(m.ScannerData, m.ReqScannerSubscription(req_id, wanted, list(filters), []))
        return [row.contractDetails.contract.symbol for row in data.rows if row.contractDetails.contract]

    def test_the_parameters_name_what_can_be_asked_for(self) -> None:
        client = World().client()
        xml = ElementTree.fromstring(client.one(m.ScannerParameters, m.ReqScannerParameters()).xml)
        codes = [element.text for element in xml.iter("scanCode")]
        places = [element.text for element in xml.iter("locationCode")]
        assert len(codes) >= 10
        for n, code in enumerate(codes[:9]):
            for place in places[:1]:
                assert self.symbols(client, n, scanCode=code, locationCode=place)

    def test_filters(self) -> None:
        client = World().client()
        assert len(self.symbols(client, 1)) == 50
        dear = self.symbols(client, 2, abovePrice=200.0)
        cheap = self.symbols(client, 3, TagValue("priceBelow", "200"))
        assert dear
        assert cheap
        assert not set(dear) & set(cheap)
        assert self.symbols(client, 4, TagValue("changePercAbove", "0"), TagValue("changePercBelow", "-0.0001")) == []
        etfs = self.symbols(client, 5, stockTypeFilter="ETF")
        assert "SPY" in etfs
        assert "AAPL" not in etfs

    def test_refusals(self) -> None:
        client = World(limits=Limits(scanners=1)).client()
        for n, wrong in enumerate(({"locationCode": "STK.MARS"}, {"instrument": "FISH"}, {"scanCode": "BEST"})):
            wanted = ScannerSubscription(**{**self.WANTED.dict(), **wrong})
            assert client.error(m.ReqScannerSubscription(n, wanted, [], [])).errorCode == 162
        for tag in (TagValue("moonPhase", "full"), TagValue("priceAbove", "high")):
            assert client.error(m.ReqScannerSubscription(5, self.WANTED, [tag], [])).errorCode == 162
        client = World(limits=Limits(scanners=1)).client()
        self.symbols(client, 1)
        assert client.error(m.ReqScannerSubscription(1, self.WANTED, [], [])).errorCode == 322
        assert client.error(m.ReqScannerSubscription(2, self.WANTED, [], [])).errorCode == 162


@pytest.mark.parametrize("version", [157, 176, 184, 213, 225])
def test_exercising_is_told_as_an_order(version: int) -> None:
    world = World(server_version=version)
    client = world.client()
    catalogue = world.gateway.catalogue
    chain = catalogue.chains(catalogue.find(APPLE)[0], "SMART")[0]
    call = Contract(
        secType="OPT", symbol="AAPL", exchange="SMART", currency="USD", right="C", strike=chain.strikes[10],
        lastTradeDateOrContractMonth=chain.expirations[1],
    )  # fmt: skip

    def exercise(action: int = 1) -> m.ErrMsg:
        return client.error(request(action))

    def request(action: int = 1, override: int = 0) -> m.ExerciseOptions:
        extra = ("20240110-15:00:00", "C1", True) if version >= 184 else ("", "", False)
        return m.ExerciseOptions(50, call, action, 1, "", override, *extra)

    assert (exercise().errorCode, "No unlapsed position" in exercise().errorString) == (322, True)
    assert exercise(action=9).errorCode == 321
    client.ask(m.PlaceOrder(1, call, MarketOrder("BUY", 1)), secs=10)
    assert client.error(m.ExerciseOptions(50, APPLE, 1, 1, "", 0, "", "", False)).errorCode == 321
    answers = client.ask(request(override=1))
    (order,), (status,) = only(m.OpenOrder, answers), only(m.OrderStatus, answers)
    assert (status.orderId, status.status, status.remaining) == (50, "PreSubmitted", 1)
    assert (order.order.orderId, order.contract.secType, order.order.lmtPrice) == (50, "OPT", 0.0)
    if version >= 184:
        assert (order.order.customerAccount, order.order.professionalCustomer) == ("C1", True)
    assert exercise().errorCode == 103  # the id is taken
    answers = client.wait(7 * 3600)
    assert only(m.OrderStatus, answers)[-1].status == "Filled"
    assert only(m.ExecutionData, answers)[-1].execution.optExerciseOrLapseType.name == (
        "Exercise" if version >= 201 else "NoneItem"
    )
    held = {row.contract.secType: row.position for row in only(m.PositionData, client.ask(m.ReqPositions()))}
    assert held == {"STK": 100}


def test_only_quotes_and_history_come_delayed() -> None:
    client = World(limits=Limits(market_data="delayed")).client()
    nasdaq = Contract(secType="STK", symbol="AAPL", exchange="NASDAQ", currency="USD")
    assert client.error(m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, [])).errorCode == 420
    assert client.error(m.ReqTickByTickData(2, APPLE, "Last", 0, False)).errorCode == 10189
    assert client.error(m.ReqMktDepth(3, nasdaq, 5, False, [])).errorCode == 354


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (m.ReqSmartComponents(1, "nonsense"), 321),
        (m.ReqMarketRule(999_999), 321),
        (m.ReqSecDefOptParams(1, "AAPL", "", "STK", 0), 321),
        (m.ReqSecDefOptParams(1, "MSFT", "", "STK", APPLE_ID), 200),
        (m.ReqCalcOptionPrice(1, APPLE, 0.2, 100.0, []), 321),
        (m.ReqPnlSingle(1, "DU1234567", "", 1), 321),
        (m.ReqAccountSummary(1, "Nobody", "NetLiquidation"), 321),
        (m.ReqAccountSummary(1, "All", " "), 321),
        (m.ReqPositionsMulti(1, "DU9", ""), 321),
        (m.ReqAccountUpdatesMulti(1, "DU9", "", False), 321),
        (m.SubscribeToGroupEvents(1, 99), 321),
        (
            m.ReqMktDepth(1, Contract(secType="STK", symbol="AAPL", exchange="NASDAQ", currency="USD"), 0, False, []),
            321,
        ),
        (m.ReqHeadTimestamp(1, APPLE, 1, "TRADES", 9), 321),
    ],
)
def test_refusals_of_smaller_requests(request_: m.Request, code: int) -> None:
    assert World().client().error(request_).errorCode == code


def test_the_ledger_alone() -> None:
    client = World().client()
    everything = only(m.AccountUpdateMulti, client.ask(m.ReqAccountUpdatesMulti(1, "", "", False)))
    ledger = only(m.AccountUpdateMulti, client.ask(m.ReqAccountUpdatesMulti(2, "DU1234567", "", True)))
    assert 0 < len(ledger) < len(everything)
    assert "NetLiquidation" in {row.key for row in ledger}
    assert only(m.AccountUpdateMulti, client.ask(m.ReqAccountUpdatesMulti(3, "", "a model", False))) == []


def test_a_stream_that_breaks_ends_with_an_error_and_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    client = world.client()
    client.ask(m.ReqMktData(2, APPLE, "", False, False, []))

    class Broken:
        def __init__(self, session: Session) -> None:
            self.due = session.now + 1

        def advance(self, now: float) -> bool:
            raise RuntimeError("a bug")

    client.session.begin("test", 7, Broken(client.session))
    answers = client.wait(3)
    assert [error[:2] for error in only(m.ErrMsg, answers)] == [(7, 322)]
    assert "a bug" in caplog.text
    assert client.session.find("test", 7) is None
    assert any(isinstance(answer, m.TickPrice | m.TickSize) for answer in client.wait(10))
