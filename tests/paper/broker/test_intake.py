"""What the broker refuses, with which code; what it only warns of."""

from __future__ import annotations

import pytest

from ibkit.model import (
    CFD,
    Bag,
    ComboLeg,
    ContFuture,
    Contract,
    Forex,
    Future,
    Index,
    LimitOrder,
    MarketOrder,
    Order,
    PriceCondition,
    Stock,
    StopOrder,
    TagValue,
    TimeCondition,
)
from ibkit.paper.broker import IB_PAPER, Broker
from tests.paper.broker.scripted import AAPL, CATALOGUE, EURUSD, Desk, at, instrument

SPX = Index("SPX", "CBOE", "USD")


def order(kind: str, action: str = "BUY", size: float = 100, **fields: object) -> Order:
    return Order(orderType=kind, action=action, totalQuantity=size, **fields)


REFUSALS: list[tuple[int, Contract, Order]] = [
    (110, AAPL, LimitOrder("BUY", 100, 100.005)),
    (110, AAPL, StopOrder("SELL", 100, 99.505)),
    (111, AAPL, order("STP", auxPrice=99.0, tif="IOC")),
    (111, AAPL, order("STP", auxPrice=99.0, tif="OPG")),
    (111, EURUSD, order("MKT", size=50_000, tif="OPG")),
    (111, AAPL, order("LMT", lmtPrice=99.0, tif="AUC")),
    (111, AAPL, order("LMT", lmtPrice=99.0, tif="Minutes")),
    (113, AAPL, order("MOC", tif="GTC")),
    (114, EURUSD, order("REL", size=50_000, lmtPrice=1.1)),
    (146, AAPL, order("STP", auxPrice=99.0, triggerMethod=5)),
    (148, AAPL, order("STP", auxPrice=99.0, conditions=[TimeCondition(time="20240108 12:00:00 US/Eastern")])),
    (148, AAPL, order("MKT", conditions=[TimeCondition(time="20240108-12:00:00")], conditionsCancelOrder=True)),
    (158, AAPL, order("TRAIL")),
    (158, AAPL, order("TRAIL", auxPrice=1.0, trailingPercent=1.0)),
    (200, Stock("NOSUCH", "SMART", "USD"), MarketOrder("BUY", 1)),
    (200, Future("ES", exchange="CME"), MarketOrder("BUY", 1)),
    (313, Bag(symbol="X", exchange="SMART", comboLegs=[ComboLeg(1, 1, "BUY")]), MarketOrder("BUY", 1)),
    (314, Bag(symbol="X", exchange="SMART", currency="USD"), MarketOrder("BUY", 1)),
    (321, Stock("AAPL", "", "USD"), MarketOrder("BUY", 100)),
    (321, AAPL, order("BEST", lmtPrice=99.0)),
    (321, AAPL, order("MKT", action="HOLD")),
    (321, AAPL, order("MKT", tif="SOON")),
    (321, AAPL, order("MKT", size=-5)),
    (321, AAPL, order("MKT", account="DU7")),
    (321, AAPL, order("LMT", lmtPrice=99.0, conditions=[PriceCondition(conId=1)])),
    (334, AAPL, order("LMT", lmtPrice=99.0, tif="GTD")),
    (334, AAPL, order("LMT", lmtPrice=99.0, tif="GTD", goodTillDate="20240105 12:00:00 US/Eastern")),
    (337, AAPL, order("LMT", lmtPrice=99.0, tif="GTD", goodTillDate="tomorrow")),
    (337, AAPL, order("MKT", goodAfterTime="20240108 25:00:00")),
    (337, AAPL, order("MKT", conditions=[TimeCondition(time="noon")])),
    (361, AAPL, order("MIT")),
    (361, AAPL, order("STP", auxPrice=99.0, adjustedOrderType="STP", adjustedStopPrice=101.0)),
    (362, AAPL, order("STP", auxPrice=99.0, adjustedOrderType="STP", triggerPrice=101.0)),
    (363, AAPL, order("STP", auxPrice=99.0, adjustedOrderType="STP LMT", triggerPrice=101.0, adjustedStopPrice=99.5)),
    (364, AAPL, order("STP", auxPrice=99.0, adjustedOrderType="TRAIL", triggerPrice=101.0, adjustedStopPrice=99.5)),
    (387, AAPL, order("LMT", lmtPrice=99.0, adjustedOrderType="STP", triggerPrice=101.0, adjustedStopPrice=99.5)),
    (392, Contract(conId=instrument(Future("ES", "202403", "CME")).con_id - 3, exchange="CME"), MarketOrder("BUY", 1)),
    (387, AAPL, order("VOL")),
    (387, AAPL, order("LMT", lmtPrice=99.0, hedgeType="D")),
    (387, EURUSD, order("MOC", size=50_000)),
    (388, Contract(secType="CRYPTO", symbol="BTC", exchange="PAXOS", currency="USD"), order("MKT", size=1e-9)),
    (403, AAPL, order("STP")),
    (412, SPX, MarketOrder("BUY", 1)),
    (412, ContFuture("ES", "CME"), MarketOrder("BUY", 1)),
    (413, AAPL, order("MKT", whatIf=True, transmit=False)),
    (434, AAPL, MarketOrder("BUY", 0)),
    (442, AAPL, order("MKT", algoStrategy="Twap")),
    (463, AAPL, order("LMT")),
    (463, AAPL, order("LMT", lmtPrice=-1.0)),
    (463, AAPL, order("TRAIL LIMIT", auxPrice=1.0)),
    (10006, AAPL, order("MKT", parentId=77)),
    (10244, AAPL, order("STP", size=0, auxPrice=99.0, cashQty=1000)),
    (10247, Stock("AAPL", "NASDAQ", "USD"), MarketOrder("BUY", 1.5)),
    (10249, AAPL, order("TRAIL", size=1.5, auxPrice=1.0)),
    (10250, Forex("EURUSD"), MarketOrder("BUY", 25_000.005)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "contract", "asked"), REFUSALS, ids=[f"{r[0]}-{n}" for n, r in enumerate(REFUSALS)])
def test_refusal(code: int, contract: Contract, asked: Order) -> None:
    desk = Desk()
    number = desk.place(asked, contract)
    assert [(key, found) for key, found, _ in desk.notes.errors] == [(number, code)]
    assert desk.notes.reports == []
    assert desk.broker.open_orders() == []
    assert desk.broker.next_order_id(1) == 1  # the id is still free


def test_texts_say_what_is_wrong() -> None:
    desk = Desk()
    desk.place(LimitOrder("BUY", 100, 100.005))
    desk.place(MarketOrder("BUY", 100), Stock("AAPL", "", "USD"))
    desk.place(MarketOrder("BUY", 1), Future("ES", exchange="CME"))
    assert [text for _, _, text in desk.notes.errors] == [
        "The price does not conform to the minimum price variation for this contract.",
        "Error validating request.-'bW' : cause - Missing order exchange.",
        "The contract description specified for ES is ambiguous.",
    ]


def test_what_the_ib_paper_preset_does_not_have() -> None:
    desk = Desk(IB_PAPER)
    desk.place(order("MOC"))
    desk.place(order("MKT", tif="OPG"))
    desk.place(order("PEG MKT", auxPrice=0.01))
    assert desk.codes() == [387, 111, 387]


def test_ids_must_grow_and_belong_to_one_client_each() -> None:
    desk = Desk()
    desk.place(LimitOrder("BUY", 100, 99.0), order_id=10)
    desk.place(LimitOrder("BUY", 100, 99.0), order_id=5)
    assert desk.codes(5) == [103]
    assert desk.broker.next_order_id(1) == 11
    desk.place(LimitOrder("BUY", 100, 99.0), order_id=5, client_id=2)
    assert desk.status(5) == "Submitted"
    filled = desk.place(MarketOrder("BUY", 100))
    desk.place(MarketOrder("BUY", 100), order_id=filled)
    assert desk.codes(filled) == [104]
    desk.cancel(10)
    desk.place(LimitOrder("BUY", 100, 99.0), order_id=10)
    assert desk.codes(10) == [202, 103]


def test_two_accounts_need_a_name() -> None:
    desk = Desk()
    broker = Broker(CATALOGUE, desk.market, desk.now, ("DU1", "DU2"))
    broker.listener = desk.notes
    broker.place(desk.now, 1, 1, AAPL, MarketOrder("BUY", 100))
    assert desk.codes() == [435]
    broker.place(desk.now, 1, 1, AAPL, MarketOrder("BUY", 100, account="DU2"))
    assert desk.report(1).order.account == "DU2"


def test_rejected_for_lack_of_funds() -> None:
    desk = Desk()
    number = desk.place(MarketOrder("BUY", 30_000))  # 3 million at half margin
    (_, code, text) = desk.notes.errors[0]
    assert code == 201
    assert text.startswith("Order rejected - reason:YOUR ORDER IS NOT ACCEPTED.")
    assert "EQUITY WITH LOAN VALUE [1000000.00 USD] MUST EXCEED THE INITIAL MARGIN [1500" in text
    assert desk.notes.events == [("error", number, 201), ("order", number, "Inactive")]
    assert desk.broker.open_orders() == []
    assert desk.broker.completed_orders()[0].state.status == "Inactive"


def test_orders_that_lower_the_risk_always_pass() -> None:
    desk = Desk()
    desk.place(MarketOrder("BUY", 19_000))
    desk.set(70.00, 70.02)  # most of the money is gone
    assert desk.value("AvailableFunds") < 0
    desk.place(MarketOrder("BUY", 100))
    assert desk.codes() == [201]
    desk.place(MarketOrder("SELL", 10_000))
    assert desk.codes() == [201]
    assert desk.position() == 9_000


def test_twenty_orders_a_side() -> None:
    desk = Desk()
    for _ in range(20):
        desk.place(LimitOrder("BUY", 1, 90.0))
    last = desk.place(LimitOrder("BUY", 1, 90.0))
    assert desk.codes() == [201]
    assert desk.status(last) == "Inactive"
    assert desk.status(desk.place(LimitOrder("SELL", 1, 190.0))) == "Submitted"


def test_warnings_leave_the_order_alive() -> None:
    desk = Desk(now=at("18:00"))
    number = desk.place(MarketOrder("BUY", 100, outsideRth=True))
    assert desk.codes() == [2109, 399]
    assert desk.notes.errors[-1][2] == (
        "Order Message:\nBUY 100 AAPL NASDAQ.NMS\n"
        "Warning: Your order will not be placed at the exchange until 2024-01-09 09:30:00 US/Eastern."
    )
    assert desk.status(number) == "PreSubmitted"
    small = desk.place(MarketOrder("BUY", 5_000), EURUSD)
    assert desk.notes.errors[-1][1:] == (
        399,
        "Order Message:\nBUY 5000 EUR.USD Forex\nWarning: Your order size is below the EUR 20000 IdealPro minimum and "
        "will be routed as an odd lot order.",
    )
    assert desk.filled(small) == [(5_000, 1.1001)]


def test_a_time_without_a_zone_is_the_exchange_s_and_warned_of() -> None:
    desk = Desk()
    number = desk.place(MarketOrder("BUY", 100, goodAfterTime="20240108 10:30:00"))
    assert desk.codes() == [2174]
    desk.market.set(AAPL, at("10:20"), 100.10, 100.12)
    desk.go(to=at("10:29"))
    assert desk.status(number) == "PreSubmitted"
    desk.go(to=at("10:30"))
    assert desk.filled(number) == [(100, 100.12)]


def test_amounts_of_money_become_units() -> None:
    desk = Desk()
    number = desk.place(order("MKT", size=0, cashQty=1000))
    ((size, price),) = desk.filled(number)
    assert 990 < size * price <= 1000.2
    assert size == pytest.approx(9.999)
    forex = desk.place(order("MKT", size=0, cashQty=55_000), EURUSD)
    assert desk.filled(forex)[0][0] == pytest.approx(50_000, rel=1e-3)


def test_fractions_of_a_share_cannot_be_changed() -> None:
    desk = Desk()
    number = desk.place(LimitOrder("BUY", 1.5, 99.0))
    desk.place(LimitOrder("BUY", 1.5, 98.0), order_id=number)
    assert desk.codes() == [10242]


def test_what_if_tells_margins_and_commission_and_leaves_nothing() -> None:
    desk = Desk()
    number = desk.place(MarketOrder("BUY", 1000, whatIf=True))
    assert desk.notes.events == [("order", number, "no status")]
    report = desk.notes.reports[0]
    state = report.state
    assert report.order.whatIf
    assert (state.status, state.commission, state.commissionCurrency) == ("PreSubmitted", 5.0, "USD")
    assert (state.initMarginBefore, state.initMarginChange, state.initMarginAfter) == ("0.00", "50005.00", "50005.00")
    assert (state.maintMarginBefore, state.maintMarginAfter) == ("0.00", "25002.50")
    assert (state.equityWithLoanBefore, state.equityWithLoanChange) == ("1000000.00", "-5.00")
    assert desk.broker.open_orders() == desk.broker.positions() == []
    assert desk.broker.next_order_id(1) == 1


def test_what_if_refusals() -> None:
    desk = Desk()
    desk.place(LimitOrder("BUY", 100, 99.005, whatIf=True))
    desk.place(MarketOrder("BUY", 1, whatIf=True, smartComboRoutingParams=[TagValue("NonGuaranteed", "1")]))
    assert desk.codes() == [110, 360]


def test_a_cfd_is_margined_not_paid() -> None:
    desk = Desk()
    cfd = CFD("IBUS500", "SMART", "USD")
    desk.market.set(instrument(cfd), desk.now - 1, 4500.0, 4500.5, 100, 100)
    desk.place(MarketOrder("BUY", 10), cfd)
    assert desk.value("TotalCashValue") == pytest.approx(1_000_000 - desk.notes.commissions[0].commission, abs=0.01)
    assert 2_000 < desk.value("InitMarginReq") < 4_000
