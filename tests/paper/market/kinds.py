"""One instrument of every kind, and moments as people write them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from ibkit.model import (
    CFD,
    Bond,
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
from ibkit.paper.instruments import Instrument


class Kinds(dict[str, Instrument]):
    """The instruments by the names of ``KINDS``, and ``combo``; short to print when a test fails."""

    def __repr__(self) -> str:
        return "<one of every kind>"


TODAY = date(2026, 11, 18)
KINDS: dict[str, Contract] = {
    "stock": Stock("NFLX", "SMART", "USD"),
    "etf": Stock("SPY", "SMART", "USD"),
    "cheap": Stock("F", "SMART", "USD"),
    "london": Stock("VOD", "SMART", "GBP"),
    "xetra": Stock("BMW", "SMART", "EUR"),
    "forex": Forex("EURUSD", "IDEALPRO"),
    "yen": Forex("USDJPY", "IDEALPRO"),
    "future": Future("ES", "202612", "CME"),
    "bitcoin": ContFuture("BRR", "CMECRYPTO"),
    "hogs": ContFuture("HE", "CME"),
    "corn": ContFuture("ZC", "CBOT"),
    "bund": ContFuture("GBL", "EUREX"),
    "gold": CFD("XAUUSD"),
    "index": Index("SPX", "CBOE"),
    "vix": Index("VIX", "CBOE"),
    "crypto": Crypto("BTC", "PAXOS", "USD"),
    "bond": Bond(symbol="AAPL", exchange="SMART", currency="USD"),
    "fund": MutualFund(symbol="VFIAX", exchange="FUNDSERV", currency="USD"),
    "call": Option("MSFT", "20261218", 215, "C", "SMART"),
    "put": Option("MSFT", "20261218", 215, "P", "SMART"),
    "far": Option("MSFT", "20261218", 330, "C", "SMART"),
    "daily": Option("SPX", "20261118", 4500, "P", "SMART", tradingClass="SPXW"),
    "fop": FuturesOption("ES", "20261218", 4500, "P", "CME"),
}


def moment(text: str, zone: str = "America/New_York") -> float:
    """Return epoch seconds of '2026-11-18 10:00' on the wall clock of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()
