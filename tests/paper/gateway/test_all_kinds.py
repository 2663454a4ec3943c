"""Every kind of instrument through every request about instruments: data or a refusal, never a failure inside."""

from __future__ import annotations

import pytest

from ibkit.model import ComboLeg, Contract, LimitOrder, MarketOrder
from ibkit.paper.gateway import Limits
from ibkit.paper.gateway.handlers.extras import GENERIC_TICKS
from ibkit.wire import messages as m
from tests.paper.gateway.peer import START, Client, World, only

KINDS = {
    "stock": Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD"),
    "etf": Contract(secType="STK", symbol="SPY", exchange="SMART", currency="USD"),
    "european stock": Contract(secType="STK", symbol="SAP", exchange="IBIS", currency="EUR"),
    "forex": Contract(secType="CASH", symbol="EUR", exchange="IDEALPRO", currency="USD"),
    "index": Contract(secType="IND", symbol="SPX", exchange="CBOE", currency="USD"),
    "continuous future": Contract(secType="CONTFUT", symbol="ES", exchange="CME"),
    "lean hogs": Contract(secType="CONTFUT", symbol="HE", exchange="GLOBEX"),
    "bitcoin future": Contract(secType="CONTFUT", symbol="BRR", exchange="CMECRYPTO"),
    "future": Contract(secType="FUT", symbol="ES", lastTradeDateOrContractMonth="202403", exchange="CME"),
    "gold cfd": Contract(secType="CFD", symbol="XAUUSD", exchange="SMART"),
    "stock cfd": Contract(secType="CFD", symbol="AAPL", exchange="SMART", currency="USD"),
    "crypto": Contract(secType="CRYPTO", symbol="BTC", exchange="PAXOS", currency="USD"),
    "metal": Contract(secType="CMDTY", symbol="XAUUSD", exchange="SMART"),
}
GENERIC = ",".join(number for number in GENERIC_TICKS if number != "mdoff")
OTHERS = ("option", "future option", "bond", "fund", "combo")


def made(client: Client, kind: str) -> Contract:
    """Return a contract of a kind that has to be looked up."""
    catalogue = client.world.gateway.catalogue
    if kind in KINDS:
        return KINDS[kind]
    if kind == "option":
        chain = catalogue.chains(catalogue.find(KINDS["stock"])[0], "SMART")[0]
        strike = chain.strikes[len(chain.strikes) // 2]
        wanted = Contract(secType="OPT", symbol="AAPL", exchange="SMART", currency="USD", right="P", strike=strike)
        wanted.lastTradeDateOrContractMonth = chain.expirations[-1]
        return wanted
    if kind == "future option":
        chain = catalogue.chains(catalogue.find(KINDS["future"])[0])[0]
        strike = chain.strikes[len(chain.strikes) // 2]
        wanted = Contract(secType="FOP", symbol="ES", exchange="CME", right="C", strike=strike)
        wanted.lastTradeDateOrContractMonth = chain.expirations[0]
        wanted.tradingClass = chain.tradingClass
        return wanted
    if kind == "combo":
        legs = [
            ComboLeg(conId=catalogue.find(KINDS[leg])[0].con_id, ratio=1, action=action, exchange="SMART")
            for leg, action in (("stock", "BUY"), ("etf", "SELL"))
        ]
        return Contract(secType="BAG", symbol="AAPL,SPY", exchange="SMART", currency="USD", comboLegs=legs)
    sec_type = {"bond": "BOND", "fund": "FUND"}[kind]
    from ibkit.paper.instruments.spots import spots

    found = next(instrument for instrument in spots() if instrument.sec_type == sec_type)
    return Contract(conId=found.con_id, secType=sec_type, exchange=found.contract.exchange)


@pytest.fixture(scope="module")
def world() -> World:
    """One world for all kinds: its market remembers what it has worked out."""
    return World(limits=Limits(over_rate="ignore"))


@pytest.mark.parametrize("version", [157, 225])
@pytest.mark.parametrize("kind", [*KINDS, *OTHERS])
def test_no_request_fails_inside(world: World, kind: str, version: int, caplog: pytest.LogCaptureFixture) -> None:
    client = world.client(version=version)
    first = only(m.NextValidId, client.ask(m.ReqIds(1)))[0].orderId
    contract = made(client, kind)
    requests: list[m.Request] = [
        m.ReqContractData(1, contract),
        m.ReqMktData(2, contract, GENERIC, False, False, []),
        m.ReqMktData(3, contract, "", True, False, []),
        m.ReqMktDepth(4, contract, 5, contract.exchange == "SMART", []),
        *(m.ReqTickByTickData(5 + n, contract, what, 5, False) for n, what in enumerate(("AllLast", "BidAsk"))),
        *(
            m.ReqHistoricalData(10 + n, contract, "", size, duration, rth, what, 1, keep, [])
            for n, (what, size, duration, rth, keep) in enumerate(
                (what, size, duration, rth, what in ("TRADES", "MIDPOINT"))
                for what in ("TRADES", "MIDPOINT", "BID_ASK", "ADJUSTED_LAST", "HISTORICAL_VOLATILITY")
                for size, duration in (("5 secs", "600 S"), ("1 hour", "2 D"), ("1 day", "1 M"))
                for rth in (0, 1)
            )
        ),
        m.ReqRealTimeBars(50, contract, 5, "TRADES", False, []),
        m.ReqRealTimeBars(51, contract, 5, "MIDPOINT", False, []),
        m.ReqHeadTimestamp(52, contract, 1, "TRADES", 1),
        m.ReqHistogramData(53, contract, True, "2 days"),
        m.ReqHistoricalTicks(54, contract, "", "20240110-14:59:00", 10, "TRADES", 1, False, []),
        m.ReqHistoricalTicks(55, contract, "20240109-15:00:00", "", 10, "BID_ASK", 1, False, []),
        m.ReqCalcOptionPrice(56, contract, 0.2, 100.0, []),
        m.PlaceOrder(first, contract, MarketOrder("BUY", 1, whatIf=True)),
        m.PlaceOrder(first, contract, MarketOrder("BUY", 1)),
        m.PlaceOrder(first + 1, contract, LimitOrder("SELL", 1, 1.0)),
    ]
    answers: list[m.Answer] = []
    for request in requests:
        answers += client.ask(request, secs=0.1)
    answers += client.wait(6)
    details = [answer for answer in answers if isinstance(answer, m.ContractData | m.BondContractData)]
    assert len(details) == 1 or kind == "combo"
    assert not [error for error in only(m.ErrMsg, answers) if error.errorCode in (320, 322)]
    assert not [line for line in caplog.records if line.exc_info]
    world.gateway.disconnect(client.session, "done")


def test_prices_of_a_kind_agree_between_quote_and_bars() -> None:
    client = World().client()
    for n, (kind, contract) in enumerate(KINDS.items()):
        if kind in ("stock cfd", "index"):
            continue
        quote = {
            tick.tickType: tick.price
            for tick in only(m.TickPrice, client.ask(m.ReqMktData(100 + n, contract, "", True, False, [])))
        }
        request = m.ReqHistoricalData(200 + n, contract, "", "1 min", "1800 S", 0, "MIDPOINT", 2, False, [])
        bars = only(m.HistoricalData, client.ask(request))
        if not bars:  # Frankfurt is closed by now, in part
            assert quote[1] == -1, kind
            continue
        assert bars[0].bars[-1].close == pytest.approx((quote[1] + quote[2]) / 2, rel=2e-3) or quote[1] == -1, kind
        assert int(bars[0].bars[-1].date) <= START


def test_a_whole_chain_comes_in_pieces_and_leaves_room_for_others() -> None:
    world = World()
    one, two = world.client(1), world.client(2)
    one.send(m.ReqContractData(1, Contract(secType="OPT", symbol="AAPL", exchange="SMART", currency="USD")))
    first = one.read()
    assert len(first) == 250
    assert two.ask(m.ReqIds(1)) == [m.NextValidId(1)]
    rest = one.wait(10)
    assert rest[-1] == m.ContractDataEnd(1)
    ids = {
        answer.contractDetails.contract.conId
        for answer in first + rest
        if isinstance(answer, m.ContractData) and answer.contractDetails.contract
    }
    assert len(ids) == len(first) + len(rest) - 1 > 1000
    one.send(m.ReqContractData(2, Contract(secType="OPT", symbol="AAPL", exchange="SMART", currency="USD")))
    one.send(m.CancelContractData(2))
    assert len(one.wait(10)) == 250
