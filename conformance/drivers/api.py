"""The interface the checks speak: requests as a user thinks of them, answers as plain values.

Every client is behind it: ``raw`` for those that have callbacks (the official one, @stoqey/ib), ``classic`` for
ib_insync and ib_async. Contracts and orders go in as dicts of the official field names. What was not told is NaN, ''
or 0. Must not know any client.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

UNSET = (1.7976931348623157e308, 2147483647, 9223372036854775807)
NAN = math.nan

Fields = dict[str, Any]  # Any: the fields of a contract or an order


class Missing(Exception):
    """What had to come did not."""


class Refused(Exception):
    """The gateway answered a request with an error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"error {code}: {text}")
        self.code = code
        self.text = text


class Contract(NamedTuple):
    """A contract as the client tells it."""

    conId: int
    symbol: str
    secType: str
    exchange: str
    currency: str
    localSymbol: str
    tradingClass: str
    multiplier: float
    strike: float
    right: str
    expiry: str


class Details(NamedTuple):
    """Contract details."""

    contract: Contract
    minTick: float
    validExchanges: list[str]
    marketRuleIds: list[int]
    longName: str
    timeZoneId: str
    tradingHours: str
    orderTypes: str


class Quote(NamedTuple):
    """What market data told so far; ``extra`` holds generic ticks by the name of the tick type."""

    bid: float
    ask: float
    last: float
    bidSize: float
    askSize: float
    volume: float
    high: float
    low: float
    close: float
    dataType: int
    extra: Fields


FIGURES = ("bid", "ask", "last", "bidSize", "askSize", "volume", "high", "low", "close")
"""The prices and sizes of a quote, in its order."""


class Greeks(NamedTuple):
    """An option computation."""

    impliedVol: float
    delta: float
    price: float
    gamma: float
    vega: float
    theta: float
    undPrice: float


class Bar(NamedTuple):
    """A bar; ``time`` is epoch seconds, or YYYYMMDD of days."""

    time: float
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    trades: float


class Tick(NamedTuple):
    """A tick of a trade (price, size), a midpoint (price) or a quote (bid, ask)."""

    time: float
    price: float = NAN
    size: float = NAN
    bid: float = NAN
    ask: float = NAN


class Fill(NamedTuple):
    """An execution and what it cost; ``commission`` is NaN while no report came."""

    execId: str
    orderId: int
    clientId: int
    permId: int
    conId: int
    secType: str
    side: str
    shares: float
    price: float
    cumQty: float
    commission: float


class OrderView(NamedTuple):
    """An order as the gateway told it last."""

    orderId: int
    permId: int
    clientId: int
    parentId: int
    symbol: str
    status: str
    filled: float
    remaining: float
    avgFillPrice: float
    terms: Fields


class State(NamedTuple):
    """The answer to a what-if order."""

    initMarginChange: float
    maintMarginChange: float
    equityWithLoanAfter: float
    commission: float


class Holding(NamedTuple):
    """A position."""

    account: str
    conId: int
    secType: str
    position: float
    avgCost: float


class Chain(NamedTuple):
    """Expirations and strikes of one exchange and trading class."""

    exchange: str
    tradingClass: str
    multiplier: float
    expirations: list[str]
    strikes: list[float]


class Session(NamedTuple):
    """A trading session."""

    start: str
    end: str
    day: str


def number(value: Any) -> float:
    """Return a number; NaN for what is unset, missing or an empty text."""
    if value is None or value == "":
        return NAN
    found = float(value)
    return NAN if found in UNSET else found


class Api(Protocol):
    """A connected client. Everything raises Refused for an error, Missing for silence."""

    name: str
    version: int
    account: str

    # -- start and system
    def accounts(self) -> list[str]: ...
    def current_time(self) -> float: ...
    def current_millis(self) -> float: ...
    def next_id(self) -> int: ...
    def log_level(self, level: int) -> None: ...
    def verify(self) -> str: ...
    def user_info(self) -> str: ...
    def config(self) -> str: ...
    def refused_id(self, client_id: int) -> str: ...
    def other(self, client_id: int) -> Api: ...
    def close(self) -> None: ...
    def expect(self, *codes: int) -> None: ...
    def complaints(self) -> list[str]: ...

    # -- contracts
    def details(self, contract: Fields) -> list[Details]: ...
    def chains(self, symbol: str, exchange: str, sec_type: str, con_id: int) -> list[Chain]: ...
    def symbols(self, pattern: str) -> list[Contract]: ...
    def rule(self, rule_id: int) -> list[tuple[float, float]]: ...
    def components(self, exchange: str) -> list[tuple[str, str]]: ...
    def bbo_exchange(self, contract: Fields) -> str: ...
    def depth_exchanges(self) -> list[str]: ...
    def tiers(self) -> list[str]: ...
    def families(self) -> list[str]: ...

    # -- market data
    def data_type(self, kind: int) -> None: ...
    def quote(self, contract: Fields, generic: str = "", want: str = "bid ask") -> Quote: ...
    def snapshot(self, contract: Fields, regulatory: bool = False) -> Quote: ...
    def rerouted(self, contract: Fields) -> tuple[int, str]: ...
    def greeks(self, contract: Fields) -> Greeks: ...
    def depth(self, contract: Fields, rows: int, smart: bool) -> tuple[list[Tick], list[Tick]]: ...
    def tick_by_tick(self, contract: Fields, kind: str, past: int) -> list[Tick]: ...

    # -- history
    def bars(
        self, contract: Fields, duration: str, size: str, what: str, rth: bool = True, end: str = ""
    ) -> list[Bar]: ...
    def live_bars(self, contract: Fields, size: str, what: str) -> tuple[list[Bar], list[Bar]]: ...
    def real_time_bars(self, contract: Fields, what: str, count: int) -> list[Bar]: ...
    def past_ticks(self, contract: Fields, start: str, end: str, count: int, what: str) -> list[Tick]: ...
    def head(self, contract: Fields, what: str) -> str: ...
    def histogram(self, contract: Fields, period: str) -> list[tuple[float, float]]: ...
    def schedule(self, contract: Fields, days: int) -> list[Session]: ...

    # -- orders
    def place(self, contract: Fields, order: Fields, order_id: int = 0) -> int: ...
    def cancel(self, order_id: int) -> None: ...
    def cancel_all(self) -> None: ...
    def wait_status(self, order_id: int, *statuses: str) -> OrderView: ...
    def order_view(self, order_id: int) -> OrderView: ...
    def fills(self, order_id: int, shares: float) -> list[Fill]: ...
    def what_if(self, contract: Fields, order: Fields) -> State: ...
    def open_orders(self, everyone: bool) -> list[OrderView]: ...
    def auto_open_orders(self) -> Refused: ...
    def completed(self) -> list[str]: ...
    def executions(self, **filter: Any) -> list[Fill]: ...
    def exercise(self, contract: Fields, quantity: int) -> int: ...
    def wait_error(self, order_id: int) -> Refused: ...

    # -- account
    def summary(self) -> dict[str, str]: ...
    def updates(self) -> tuple[dict[str, str], list[Holding]]: ...
    def updates_multi(self) -> dict[str, str]: ...
    def positions(self) -> list[Holding]: ...
    def positions_multi(self) -> list[Holding]: ...
    def pnl(self) -> tuple[float, float, float]: ...
    def pnl_single(self, con_id: int) -> tuple[float, float]: ...
    def advisor(self) -> str: ...

    # -- the rest
    def implied_vol(self, contract: Fields, price: float, spot: float) -> Greeks: ...
    def option_price(self, contract: Fields, vol: float, spot: float) -> Greeks: ...
    def providers(self) -> list[str]: ...
    def headlines(self, con_id: int, providers: str, count: int) -> list[tuple[str, str, str]]: ...
    def article(self, provider: str, article_id: str) -> str: ...
    def news_tick(self, con_ids: list[int]) -> tuple[str, str]: ...
    def bulletin(self) -> str: ...
    def scan(self, **subscription: Any) -> list[tuple[int, Contract]]: ...
    def scan_parameters(self) -> str: ...
    def fundamentals(self, contract: Fields, report: str) -> str: ...
    def events_of(self, con_id: int) -> tuple[str, str]: ...
    def groups(self, contract_info: str) -> tuple[str, str]: ...
