"""From a contract as a user writes it to the instruments it may mean."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.model import (
    CFD,
    Bag,
    Bond,
    ComboLeg,
    Commodity,
    ContFuture,
    Contract,
    Crypto,
    Forex,
    Future,
    FuturesOption,
    Index,
    MutualFund,
    Option,
    Stock,
)
from ibkit.paper.instruments import Catalogue, Instrument, futures, ids, options
from ibkit.paper.instruments.spots import spots

GUIDE_DAY = date(2020, 12, 16)
TODAY = date(2026, 11, 24)
SPOTS = sorted(spots(), key=lambda i: i.con_id)
DAYS = st.dates(date(2010, 1, 1), date(2035, 12, 31))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(1, TODAY)


def only(catalogue: Catalogue, contract: Contract) -> Instrument:
    found = catalogue.find(contract)
    assert len(found) == 1, (contract, found[:6])
    return found[0]


# -- what the guide names -------------------------------------------------------------------------------------------

ALWAYS = [
    (Stock("NFLX", "SMART", "USD"), 15124833, "NASDAQ", "NMS"),
    (Stock("MSFT", "SMART", "USD"), 272093, "NASDAQ", "NMS"),
    (Stock("V", "SMART", "USD"), 49462172, "NYSE", "V"),
    (Stock("MA", "SMART", "USD"), 0, "NYSE", "MA"),
    (Forex("EURUSD", "IDEALPRO"), 12087792, "", "EUR.USD"),
    (CFD("XAUUSD"), 0, "", "XAUUSD"),
    (ContFuture("BRR", "CMECRYPTO"), 0, "", "BTC"),
    (ContFuture("HE", "CME"), 0, "", "HE"),
    (ContFuture("HE", "GLOBEX"), 0, "", "HE"),
]


@pytest.mark.parametrize("today", [GUIDE_DAY, TODAY, date(2024, 2, 29)])
@pytest.mark.parametrize(("contract", "con_id", "primary", "trading_class"), ALWAYS)
def test_the_guides_contracts(today: date, contract: Contract, con_id: int, primary: str, trading_class: str) -> None:
    found = only(Catalogue(1, today), contract)
    assert con_id in (0, found.con_id)
    assert found.contract.primaryExchange == primary
    assert found.contract.tradingClass == trading_class
    assert found.contract.localSymbol


def test_the_guides_dated_contracts() -> None:
    then = Catalogue(1, GUIDE_DAY)
    option = only(then, Option("MSFT", "20201218", 215, "C", "SMART"))
    assert option.contract.localSymbol == "MSFT  201218C00215000"
    assert (option.contract.multiplier, option.contract.currency) == ("100", "USD")
    assert option.underlying is only(then, Stock("MSFT", "SMART", "USD"))
    future = only(then, Future("BRR", "20201224", "CMECRYPTO"))
    assert future.contract.localSymbol == "BTCZ0"
    assert only(then, ContFuture("BRR", "CMECRYPTO")).con_id == future.con_id
    now = Catalogue(1, TODAY)
    assert now.find(Option("MSFT", "20201218", 215, "C", "SMART")) == []
    assert now.find(Future("BRR", "20201224", "CMECRYPTO")) == []
    assert only(now, Option("MSFT", "20261218", 215, "C", "SMART")).contract.right == "C"


@given(today=DAYS)
@settings(max_examples=40)
def test_every_day_has_the_guides_kinds(today: date) -> None:
    catalogue = Catalogue(1, today)
    months = catalogue.find(Future("BRR", exchange="CMECRYPTO"))
    assert len(months) == 7
    for month in months:
        assert only(catalogue, Future("BRR", month.contract.lastTradeDateOrContractMonth, "CMECRYPTO")) is month
        assert only(catalogue, Future("BRR", month.listing.contract_month, "CMECRYPTO")) is month
    front = only(catalogue, ContFuture("BRR", "CMECRYPTO"))
    assert front.con_id in [m.con_id for m in months[:2]]
    assert front.expiry is not None
    assert front.expiry >= today + timedelta(days=4)
    stock = only(catalogue, Stock("MSFT", "SMART", "USD"))
    chain = catalogue.chains(stock, "SMART")[0]
    assert 215.0 in chain.strikes
    assert len(chain.expirations) >= 15
    assert only(catalogue, Option("MSFT", chain.expirations[0], 215, "C", "SMART")).underlying is stock


@given(today=DAYS)
@settings(max_examples=25)
def test_what_is_found_is_listed(today: date) -> None:
    """Whatever a search gives has begun to trade and has not ended: it can be quoted."""
    catalogue = Catalogue(1, today)
    evening = datetime(today.year, today.month, today.day, 23, 59, tzinfo=ZoneInfo("America/New_York")).timestamp()
    morning = datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp()
    found = catalogue.find(Future("ES", exchange="CME")) + catalogue.find(Future("CL", exchange="NYMEX"))
    for symbol, right in (("MSFT", "C"), ("SPY", "P"), ("SPX", "C")):
        found += catalogue.find(Option(symbol, "", options_strike(symbol), right, "SMART"))
    found += catalogue.find(FuturesOption("ES", "", 4500, "C", "CME"))
    assert len(found) > 60
    for instrument in found:
        assert instrument.listed <= evening
        assert instrument.expires >= morning - 86400
        assert catalogue.by_con_id(instrument.con_id) is instrument
        assert catalogue.find(Contract(conId=instrument.con_id)) == [instrument]


def options_strike(symbol: str) -> float:
    return {"MSFT": 215.0, "SPY": 450.0, "SPX": 4500.0}[symbol]


# -- every kind -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "kind"),
    [
        (Index("SPX", "CBOE"), "IND"),
        (Index("DAX", "EUREX"), "IND"),
        (Bond(symbol="AAPL", exchange="SMART", currency="USD"), "BOND"),
        (Contract(secType="BOND", symbol="US-T", secIdType="CUSIP", secId="912810TM0", exchange="SMART"), "BOND"),
        (MutualFund(symbol="VFIAX", exchange="FUNDSERV", currency="USD"), "FUND"),
        (Crypto("BTC", "PAXOS", "USD"), "CRYPTO"),
        (Crypto("ETH", "ZEROHASH", "USD"), "CRYPTO"),
        (Commodity("XAUUSD", "SMART", "USD"), "CMDTY"),
        (CFD("IBUS500", "SMART", "USD"), "CFD"),
        (CFD("AAPL", "SMART", "USD"), "CFD"),
        (FuturesOption("ES", "20261218", 4500, "P", "CME"), "FOP"),
        (Future("ES", "202612", "GLOBEX"), "FUT"),
        (Future(localSymbol="ESZ6", exchange="CME"), "FUT"),
        (Option("SPX", "20261217", 4500, "C", "CBOE", tradingClass="SPX"), "OPT"),
        (Option("SPX", "20261218", 4500, "C", "SMART", tradingClass="SPXW"), "OPT"),
        (Contract(secType="OPT", localSymbol="MSFT  261218P00215000", exchange="SMART"), "OPT"),
        (Contract(secType="STK", secIdType="ISIN", secId="US5949181045", exchange="SMART"), "STK"),
        (Stock("NFLX", "ISLAND", "USD"), "STK"),
        (Stock("nflx", "smart", "usd"), "STK"),
        (Stock("AMD", "SMART", "USD", primaryExchange="ISLAND"), "STK"),
        (Stock("AMD", "SMART", "EUR"), "STK"),
        (Contract(conId=272093), "STK"),
        (Contract(conId=272093, exchange="ARCA"), "STK"),
    ],
)
def test_kinds(catalogue: Catalogue, contract: Contract, kind: str) -> None:
    found = only(catalogue, contract)
    assert found.sec_type == found.contract.secType == kind
    assert catalogue.by_con_id(found.con_id) is found


def test_unknown(catalogue: Catalogue) -> None:
    for contract in (
        Stock("NOSUCH", "SMART", "USD"),
        Stock("NFLX", "SMART", "CHF"),
        Stock("NFLX", "NOWHERE", "USD"),
        Stock("", "SMART", "USD"),
        Contract(),
        Contract(secType="STK"),
        Contract(conId=999),
        Contract(conId=272093, secType="FUT"),
        Contract(conId=272093, exchange="CME"),
        Forex("EURXXX"),
        Future("ES", "202611", "CME"),
        Future("ES", "20261218", "NYMEX"),
        Future("ES", "202612", "CME", multiplier="5"),
        Future("ES", "202612", "CME", multiplier="fifty"),
        Option("MSFT", "20261218", 216.37, "C", "SMART"),
        Option("MSFT", "20261217", 215, "C", "SMART"),
        Contract(secType="WAR", symbol="MSFT", exchange="SMART"),
    ):
        assert catalogue.find(contract) == [], contract


def test_ambiguous(catalogue: Catalogue) -> None:
    amd = catalogue.find(Stock("AMD", "SMART"))
    assert [i.currency for i in amd] == ["USD", "CAD", "EUR"]
    assert len(catalogue.find(Future("ES", exchange="CME"))) == 8
    months = catalogue.find(Option("MSFT", "202612", 215, "C", "SMART"))
    assert {i.contract.lastTradeDateOrContractMonth[:6] for i in months} == {"202612"}
    assert len(months) == 5
    both = catalogue.find(Option("MSFT", "20261218", 215, "", "SMART"))
    assert {i.contract.right for i in both} == {"C", "P"}
    assert len(catalogue.find(Option("MSFT", "20261218", 0.0, "C", "SMART"))) == len(
        catalogue.chains(only(catalogue, Stock("MSFT", "SMART", "USD")), "SMART")[0].strikes
    )
    assert len(catalogue.find(Bond(symbol="US-T", exchange="SMART"))) == 2


def test_expired_futures_for_those_who_ask(catalogue: Catalogue) -> None:
    assert catalogue.find(Future("ES", "202503", "CME")) == []
    expired = only(catalogue, Future("ES", "202503", "CME", includeExpired=True))
    assert expired.contract.lastTradeDateOrContractMonth == "20250321"
    assert catalogue.by_con_id(expired.con_id) is expired
    assert catalogue.find(Contract(conId=expired.con_id)) == []
    assert only(catalogue, Contract(conId=expired.con_id, includeExpired=True)) is expired
    assert catalogue.find(Future("ES", "202312", "CME", includeExpired=True)) == []  # more than two years ago


def test_today_moves_on() -> None:
    catalogue = Catalogue(1, date(2026, 12, 18))
    last = Option("MSFT", "20261218", 215, "C", "SMART")
    assert len(catalogue.find(last)) == 1
    es = only(catalogue, Future("ES", "20261218", "CME"))
    assert only(catalogue, ContFuture("ES", "CME")).contract.localSymbol == "ESH7"
    catalogue.today = date(2026, 12, 19)
    assert catalogue.find(last) == []
    assert catalogue.find(Future("ES", "20261218", "CME")) == []
    assert catalogue.by_con_id(es.con_id) is es


def test_continuous_futures(catalogue: Catalogue) -> None:
    found = only(catalogue, ContFuture("ES", "CME"))
    front = catalogue.by_con_id(found.con_id)
    assert front is not None
    assert (found.sec_type, front.sec_type) == ("CONTFUT", "FUT")
    assert found.contract.localSymbol == front.contract.localSymbol == "ESZ6"
    assert found.listed < front.listed
    assert only(catalogue, ContFuture("ES", "GLOBEX")) is found
    assert only(catalogue, Contract(secType="CONTFUT", conId=found.con_id)) is found
    assert front is only(catalogue, Contract(conId=found.con_id))


def test_combos(catalogue: Catalogue) -> None:
    call = only(catalogue, Option("MSFT", "20261218", 215, "C", "SMART"))
    put = only(catalogue, Option("MSFT", "20261218", 215, "P", "SMART"))
    legs = [ComboLeg(conId=call.con_id, ratio=1, action="BUY"), ComboLeg(conId=put.con_id, ratio=2, action="SELL")]
    combo = only(catalogue, Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=legs))
    assert combo.legs == ((call, 1), (put, -2))
    assert combo.expiry == date(2026, 12, 18)
    assert combo.sec_type == "BAG"
    assert only(catalogue, Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=legs)) is combo
    for wrong in ([], [ComboLeg(conId=1, ratio=1, action="BUY")], [ComboLeg(conId=call.con_id, ratio=0, action="BUY")]):
        assert catalogue.find(Bag(symbol="MSFT", exchange="SMART", currency="USD", comboLegs=wrong)) == []


# -- conIds ---------------------------------------------------------------------------------------------------------


def test_con_ids_of_spots_are_unique_and_stable() -> None:
    assert len({i.con_id for i in SPOTS}) == len(SPOTS)
    assert all(0 < i.con_id < 1 << 29 for i in SPOTS)
    again = {i.con_id: i.contract.localSymbol for i in spots()}
    assert again == {i.con_id: i.contract.localSymbol for i in SPOTS}
    assert Contract(secType="BAG").conId not in again


@given(
    chain=st.sampled_from(sorted(options.chains())),
    day=st.dates(date(2005, 1, 3), date(2045, 1, 1)),
    step=st.integers(0, 511),
    sign=st.sampled_from([1, -1]),
)
def test_option_ids_are_read_back(chain: int, day: date, step: int, sign: int) -> None:
    packed = ids.option(chain, day, step, sign)
    assert 1 << 30 <= packed < 1 << 31
    assert ids.parse(packed) == (chain, day, step, sign)


@given(number=st.sampled_from(sorted(futures.by_number())), year=st.integers(2000, 2060), month=st.integers(1, 12))
def test_future_ids_are_read_back(number: int, year: int, month: int) -> None:
    packed = ids.future(number, year, month)
    assert 1 << 29 <= packed < 1 << 30
    assert ids.parse(packed) == (number, year, month)


@given(con_id=st.integers(0, (1 << 31) + 10))
def test_no_number_breaks_the_look_up(catalogue: Catalogue, con_id: int) -> None:
    found = catalogue.by_con_id(con_id)
    assert found is None or found.con_id == con_id


def test_ids_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="range"):
        ids.option(64, TODAY, 0, 1)
    with pytest.raises(ValueError, match="range"):
        ids.option(1, TODAY, 512, 1)
    assert ids.parse(1) is None
    assert ids.parse(1 << 31) is None


@given(day=DAYS, other=DAYS)
@settings(max_examples=25)
def test_an_instrument_is_the_same_in_every_catalogue(day: date, other: date) -> None:
    one, two = Catalogue(1, day), Catalogue(2, other)
    for instrument in one.find(Future("GC", exchange="COMEX")) + one.find(Option("MSFT", "", 215, "C", "SMART"))[:5]:
        twin = two.by_con_id(instrument.con_id)
        assert twin is not None
        assert str(twin.contract) == str(instrument.contract)
        assert twin.expires == instrument.expires


# -- details, chains, search ----------------------------------------------------------------------------------------


def some(catalogue: Catalogue) -> list[Instrument]:
    """Every spot, the front future of every product, and an option of every chain."""
    found = list(SPOTS)
    for product in futures.products():
        found.append(only(catalogue, ContFuture(product.symbol, product.exchanges[0], currency=product.currency)))
        found.append(catalogue.find(Future(product.symbol, exchange=product.exchanges[0]))[0])
    for chain in options.chains().values():
        day = f"{chain.expirations(catalogue.today)[-1]:%Y%m%d}"
        kind = FuturesOption if chain.sec_type == "FOP" else Option
        found += catalogue.find(kind(chain.symbol, day, chain.strikes()[10], "C", chain.exchanges[0]))
    return found


def test_details_are_complete(catalogue: Catalogue) -> None:
    for instrument in some(catalogue):
        details = catalogue.details(instrument)
        contract = details.contract
        assert contract is not None
        assert contract is not instrument.contract
        assert contract.conId == instrument.con_id
        assert contract.localSymbol
        assert contract.tradingClass
        assert details.longName
        assert details.minTick == instrument.rule.min_tick > 0
        venues = details.validExchanges.split(",")
        assert len(details.marketRuleIds.split(",")) == len(venues)
        assert all(catalogue.market_rule(int(rule)) for rule in details.marketRuleIds.split(","))
        assert ZoneInfo(details.timeZoneId)
        assert len(details.tradingHours.split(";")) >= 6
        assert details.tradingHours.startswith("2026112")
        assert contract.exchange in venues
        assert catalogue.details(instrument, venues[-1]).contract.exchange == venues[-1]  # type: ignore[union-attr]
        assert catalogue.details(instrument, "NOWHERE").contract.exchange == contract.exchange  # type: ignore[union-attr]
        assert bool(details.realExpirationDate) == bool(instrument.expiry)
        assert instrument.volatility > 0
        assert instrument.multiplier > 0
        assert instrument.commission_class


def test_details_of_some(catalogue: Catalogue) -> None:
    stock = catalogue.details(only(catalogue, Stock("MSFT", "SMART", "USD")))
    assert stock.tradingHours.split(";")[:3] == [
        "20261124:0400-20261124:2000", "20261125:0400-20261125:2000", "20261126:CLOSED",
    ]  # fmt: skip
    assert stock.liquidHours.split(";")[3] == "20261127:0930-20261127:1300"
    assert (stock.stockType, stock.aggGroup, stock.underConId) == ("COMMON", 1, 0)
    future = catalogue.details(only(catalogue, Future("HE", "202612", "CME")))
    assert (future.priceMagnifier, future.contractMonth, future.minTick) == (100, "202612", 0.025)
    option = catalogue.details(only(catalogue, Option("SPX", "20261217", 4500, "C", "SMART", tradingClass="SPX")))
    assert (option.underSymbol, option.underSecType, option.realExpirationDate) == ("SPX", "IND", "20261218")
    bond = catalogue.details(only(catalogue, Bond(symbol="AAPL", exchange="SMART")))
    assert (bond.cusip, bond.coupon, bond.maturity) == ("037833BX7", 4.65, "20460223")


def test_changing_details_changes_no_instrument(catalogue: Catalogue) -> None:
    stock = only(catalogue, Stock("MSFT", "SMART", "USD"))
    contract = catalogue.details(stock).contract
    assert contract is not None
    contract.symbol = "CHANGED"
    assert stock.contract.symbol == "MSFT"


def test_chains(catalogue: Catalogue) -> None:
    stock = only(catalogue, Stock("MSFT", "SMART", "USD"))
    rows = catalogue.chains(stock)
    assert {row.exchange for row in rows} >= {"SMART", "CBOE", "AMEX"}
    row = catalogue.chains(stock, "SMART")[0]
    assert (row.tradingClass, row.multiplier, row.underlyingConId) == ("MSFT", "100", 272093)
    assert row.expirations == sorted(row.expirations)
    assert row.strikes == sorted(row.strikes)
    assert "20261127" in row.expirations
    assert "20261218" in row.expirations
    spx = catalogue.chains(only(catalogue, Index("SPX", "CBOE")), "CBOE")
    assert {r.tradingClass for r in spx} == {"SPX", "SPXW"}
    es = catalogue.chains(only(catalogue, Future("ES", "202612", "CME")))
    assert "ES" in {r.tradingClass for r in es}
    assert catalogue.chains(only(catalogue, Forex("EURUSD"))) == []
    # Every combination a chain names exists.
    for expiration in row.expirations:
        assert only(catalogue, Option("MSFT", expiration, row.strikes[7], "P", "SMART"))


def test_futures_options_end_on_their_future(catalogue: Catalogue) -> None:
    for contract in catalogue.find(FuturesOption("ES", "", 4500, "C", "CME")):
        assert contract.underlying is not None
        assert contract.underlying.sec_type == "FUT"
        assert contract.expires <= contract.underlying.expires


def test_search(catalogue: Catalogue) -> None:
    found = catalogue.search("AMD")
    assert [d.contract.symbol for d in found if d.contract][:3] == ["AMD", "AMD", "AMD"]
    assert found[0].derivativeSecTypes == ["CFD", "OPT", "BAG"]
    by_name = catalogue.search("micro")
    assert "MSFT" in [d.contract.symbol for d in by_name if d.contract]
    assert catalogue.search("  ") == []
    assert catalogue.search("zzzzzz") == []
    assert len(catalogue.search("A")) == 16
    (spx,) = [d for d in catalogue.search("SPX") if d.contract and d.contract.symbol == "SPX"]
    assert spx.derivativeSecTypes == ["OPT", "FUT", "BAG"]


def test_roots_of_symbols(catalogue: Catalogue) -> None:
    pairs = {"SPY": "SPX", "ES": "SPX", "spx": "SPX", "V": "V", "EURUSD": "EURUSD", "XAUUSD": "XAU", "GC": "XAU"}
    pairs |= {"BRR": "BTC", "HE": "HE", "USDJPY": "USDJPY", "VIX": "VIX"}
    assert {symbol: catalogue.root_key(symbol) for symbol in pairs} == pairs
    assert catalogue.root_key("NOSUCH") is None
    assert catalogue.root_key("") is None


def test_market_rules(catalogue: Catalogue) -> None:
    assert [(r.lowEdge, r.increment) for r in catalogue.market_rule(32) or []] == [(0.0, 0.01), (3.0, 0.05)]
    assert catalogue.market_rule(1) is None


def test_instruments_live_as_long_as_somebody_needs_them(catalogue: Catalogue) -> None:
    """Looking through more chains than are remembered loses nothing that is still in use."""
    kept = only(catalogue, Option("MSFT", "20261218", 215, "C", "SMART"))
    for symbol in ("AAPL", "TSLA", "SPY"):
        assert len(catalogue.find(Option(symbol, "", 0.0, "", "SMART"))) > 1000
    assert only(catalogue, Option("MSFT", "20261218", 215, "C", "SMART")) is kept
