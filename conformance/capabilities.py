"""What the clients are asked to do: one row each, and why a client is not asked for some of it. Data alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

# Instruments of every security type; an option, a future option and a combo are looked up in the chains.
INSTRUMENTS: Final[Mapping[str, Mapping[str, object]]] = {
    "stock": {"secType": "STK", "symbol": "AAPL", "exchange": "SMART", "currency": "USD"},
    "forex": {"secType": "CASH", "symbol": "EUR", "exchange": "IDEALPRO", "currency": "USD"},
    "future": {"secType": "FUT", "symbol": "ES", "exchange": "CME", "lastTradeDateOrContractMonth": "202403"},
    "continuous future": {"secType": "CONTFUT", "symbol": "ES", "exchange": "CME"},
    "option": {"secType": "OPT", "symbol": "AAPL", "exchange": "SMART", "currency": "USD"},
    "future option": {"secType": "FOP", "symbol": "ES", "exchange": "CME", "currency": "USD"},
    "index": {"secType": "IND", "symbol": "SPX", "exchange": "CBOE", "currency": "USD"},
    "cfd": {"secType": "CFD", "symbol": "XAUUSD", "exchange": "SMART"},
    "crypto": {"secType": "CRYPTO", "symbol": "BTC", "exchange": "PAXOS", "currency": "USD"},
    "bond": {"secType": "BOND", "conId": 385259337, "exchange": "SMART"},
    "fund": {"secType": "FUND", "symbol": "VFIAX", "exchange": "FUNDSERV", "currency": "USD"},
    "commodity": {"secType": "CMDTY", "symbol": "XAUUSD", "exchange": "SMART"},
    "combo": {"secType": "BAG", "symbol": "AAPL,SPY", "exchange": "SMART", "currency": "USD"},
}


class Client(NamedTuple):
    """A foreign client: what drives it, and the server versions the gateway offers it."""

    name: str
    driver: str
    versions: tuple[int, ...]
    quick: tuple[int, ...]


CLIENTS: Final = (
    Client("ibapi 10.46.1", "official", (157, 176, 200, 213, 225), (176, 225)),
    Client("ib_async 2.1.0", "ib_async", (157, 178), (178,)),
    Client("ib_insync 0.9.86", "ib_insync", (157, 176), (176,)),
    # Below 177 it reads completed orders wrongly: it leaves out a field that servers from 177 on do not send.
    Client("@stoqey/ib 1.6.10", "stoqey", (178, 193), (193,)),
)

IB_STAR: Final = ("ib_insync", "ib_async")


class Capability(NamedTuple):
    """What a client is asked to do. ``lacks``: the drivers of clients that cannot, with the reason."""

    name: str
    since: int = 157
    lacks: Mapping[str, str] = {}


def _without(reason: str, *drivers: str) -> dict[str, str]:
    return dict.fromkeys(drivers, reason)


_IGNORES = _without("its wrapper ignores the answers", *IB_STAR)
_NO_REQUEST = _without("has no such request", "stoqey", *IB_STAR)

CAPABILITIES: Final = (
    # start
    Capability("start-up"),
    Capability("current time"),
    Capability("current time in milliseconds", 197, _NO_REQUEST),
    Capability("next order id", lacks=_without("keeps the ids to itself", *IB_STAR)),
    Capability("server log level", lacks=_without("has no such request", *IB_STAR)),
    Capability("client id in use"),
    Capability("verify", lacks=_NO_REQUEST),
    Capability("user info", 167),
    Capability("configuration", 221, _NO_REQUEST),
    # contracts
    *(Capability(f"contract: {kind}") for kind in INSTRUMENTS if kind not in ("bond", "combo")),
    Capability("contract: bond", lacks=_without("reads the coupon as a whole number, and fails", *IB_STAR)),
    Capability("many contracts"),
    Capability("unknown contract"),
    Capability("option chains"),
    Capability("matching symbols"),
    Capability("market rules"),
    Capability("smart components"),
    Capability("depth exchanges"),
    Capability("soft dollar tiers", lacks=_IGNORES),
    Capability("family codes", lacks=_IGNORES),
    # market data
    *(Capability(f"quotes: {kind}") for kind in INSTRUMENTS),
    Capability("rerouted quotes", lacks=_without("has no handler for it", *IB_STAR)),
    Capability("generic ticks"),
    Capability("snapshot"),
    Capability("regulatory snapshot"),
    Capability("frozen and delayed data"),
    Capability("depth"),
    Capability("smart depth"),
    Capability("tick-by-tick: last"),
    Capability("tick-by-tick: all last"),
    Capability("tick-by-tick: bid ask"),
    Capability("tick-by-tick: midpoint"),
    # history
    *(Capability(f"bars: {kind}") for kind in INSTRUMENTS),
    Capability("bars of every size"),
    Capability("bars of every kind"),
    Capability("bars aggregate"),
    Capability("bars kept up to date"),
    Capability("real-time bars"),
    Capability("historical ticks: last"),
    Capability("historical ticks: bid ask"),
    Capability("historical ticks: midpoint"),
    Capability("head timestamp"),
    Capability("histogram"),
    Capability("trading schedule", 165),
    # orders
    *(Capability(f"order: {kind}") for kind in INSTRUMENTS),
    Capability("limit order"),
    Capability("modify"),
    Capability("bracket"),
    Capability("one cancels all"),
    Capability("stop and trail orders"),
    Capability("conditions"),
    Capability("algo order"),
    Capability("what-if"),
    Capability("rejected order"),
    Capability("cancel of an unknown order"),
    Capability("open orders"),
    Capability("orders of other clients"),
    Capability("auto open orders"),
    Capability("executions"),
    Capability("execution filter"),
    Capability("completed orders"),
    Capability("global cancel"),
    # account
    Capability("account summary"),
    Capability("account updates"),
    Capability("account updates multi"),
    Capability("positions"),
    Capability("positions multi", lacks=_IGNORES),
    Capability("positions equal executions"),
    Capability("profit and loss"),
    Capability("profit and loss of a position"),
    # options
    Capability("greeks"),
    Capability("implied volatility and price"),
    Capability("exercise"),
    # news and the rest
    Capability("news providers"),
    Capability("historical news and articles"),
    Capability("news ticks"),
    Capability("news bulletins"),
    Capability("scanner"),
    Capability("scanner parameters"),
    Capability("fundamental data"),
    Capability("calendar of events", 161),
    Capability("advisor data"),
    Capability("display groups", lacks=_IGNORES),
    Capability("nothing dropped"),
    Capability("connecting again"),
)


def wanted(driver: str, version: int) -> list[Capability]:
    """Return what a client is asked to do at a server version."""
    return [one for one in CAPABILITIES if one.since <= version and driver not in one.lacks]
