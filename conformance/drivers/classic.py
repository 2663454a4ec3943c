"""ib_insync and ib_async behind ``api.Api``, used as their users do: blocking calls, live objects, events.

What these libraries log as an error, or fail to decode, is a complaint. Orders and accounts are in
``classic_orders``.
"""

from __future__ import annotations

import importlib
import logging
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from conformance.drivers.api import (
    FIGURES,
    Bar,
    Chain,
    Contract,
    Details,
    Fields,
    Greeks,
    Missing,
    Quote,
    Refused,
    Session,
    Tick,
    number,
)
from conformance.drivers.raw import contract_of
from conformance.drivers.raw_market import NEWS_PATIENCE_S
from conformance.drivers.wire import PATIENCE_S, harmless

T = TypeVar("T")

EXTRAS = (
    "high13week", "low13week", "high26week", "low26week", "high52week", "low52week", "avVolume", "shortableShares",
    "rtVolume", "rtTime", "vwap", "fundamentalRatios", "lastRthTrade", "indexFuturePremium", "halted",
)  # fmt: skip


# Log lines about what the error event tells as well.
_TOLD = re.compile(r"(Error|Warning) \d+, reqId|cancelOrder: Unknown orderId|requestFAAsync: Timeout")


class _Log(logging.Handler):
    """Keeps what a library logs as an error; that the gateway said no is told by the error event already."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        # A cancel empties the book at once; an update that was under way then finds no row. That is theirs.
        late = text.startswith("Error for updateMktDepth") and bool(record.exc_info) and "IndexError" in text
        if not late and not _TOLD.match(text):
            self.lines.append(text)


def moment(value: Any) -> float:
    """Return a date or time as a number: epoch seconds, or YYYYMMDD of a day."""
    return value.timestamp() if isinstance(value, datetime) else float(f"{value:%Y%m%d}")


def greeks_of(found: Any) -> Greeks:
    """Return an option computation of the library as ours."""
    names = ("impliedVol", "delta", "optPrice", "gamma", "vega", "theta", "undPrice")
    return Greeks(*(number(getattr(found, name)) for name in names))


class ClassicBase:
    """The connection, errors and waiting."""

    def __init__(self, name: str, host: str, port: int, client_id: int) -> None:
        self.name = name
        self._library = importlib.import_module(name)
        self._where = (name, host, port)
        self.ib: Any = self._library.IB()
        self.ib.RequestTimeout = PATIENCE_S
        self._errors: list[tuple[int, int, str]] = []
        self.ib.errorEvent += self._on_error
        self._log = _Log()
        logging.getLogger().addHandler(self._log)
        self._read = 0
        self._expected: set[int] = set()
        self._contracts: dict[str, Any] = {}
        began = time.monotonic()
        self.ib.connect(host, port, clientId=client_id)
        took = time.monotonic() - began
        if took > 3:
            raise Missing(f"connecting took {took:.1f} s: something of the start was not answered")
        self.version = int(self.ib.client.serverVersion())
        self.account = str(self.ib.managedAccounts()[0])

    def _on_error(self, req_id: int, code: int, text: str, contract: Any) -> None:
        self._errors.append((req_id, code, text))

    def until(self, found: Callable[[], T], what: str, patience: float = PATIENCE_S) -> T:
        """Let the library work until something is true; return it."""
        end = time.monotonic() + patience
        while not (answer := found()):
            if time.monotonic() > end:
                raise Missing(f"{what} did not come")
            self.ib.sleep(0.02)
        return answer

    def asked(self, act: Callable[[], T]) -> T:
        """Return the answer of a request; raises Refused when the gateway said no meanwhile."""
        mark = len(self._errors)
        answer = act()
        for _, code, text in self._errors[mark:]:
            if not harmless(code, text):
                raise Refused(code, text)
        return answer

    def contract(self, fields: Fields) -> Any:
        """Return a contract of the library; looked up, because ib_async takes no others for market data."""
        key = repr(sorted(fields.items(), key=str))
        if key not in self._contracts:
            terms = dict(fields)
            if "comboLegs" in terms:
                terms["comboLegs"] = [self._library.ComboLeg(**leg) for leg in terms["comboLegs"]]
            contract = self._library.Contract.create(**terms)
            if "conId" not in terms and terms["secType"] != "BAG":
                self.ib.qualifyContracts(contract)
            self._contracts[key] = contract
        return self._contracts[key]

    def expect(self, *codes: int) -> None:
        self._expected |= set(codes)

    def complaints(self) -> list[str]:
        rows, self._read = self._errors[self._read :], len(self._errors)
        expected, self._expected = self._expected, set()
        lines, self._log.lines = self._log.lines, []
        return [
            f"error {code} of {req_id}: {text}"
            for req_id, code, text in rows
            if code not in expected and not harmless(code, text)
        ] + lines

    def close(self) -> None:
        self.ib.disconnect()
        logging.getLogger().removeHandler(self._log)


class ClassicData(ClassicBase):
    """System, reference data, quotes and history."""

    def accounts(self) -> list[str]:
        return list(self.ib.managedAccounts())

    def current_time(self) -> float:
        return float(self.ib.reqCurrentTime().timestamp())

    def user_info(self) -> str:
        return str(self.ib.reqUserInfo())

    def refused_id(self, client_id: int) -> str:
        second = self._library.IB()
        try:
            second.connect(*self._where[1:], clientId=client_id, timeout=PATIENCE_S)
        except (ConnectionError, TimeoutError, OSError) as error:
            self._log.lines.clear()  # it logs that it could not connect, as it should
            return repr(error)
        second.disconnect()
        raise Missing("the refusal of a client id in use")

    # -- contracts --------------------------------------------------------------------------------------------------

    def details(self, contract: Fields) -> list[Details]:
        rows = self.asked(lambda: self.ib.reqContractDetails(self._library.Contract(**contract)))
        return [
            Details(
                contract_of(row.contract),
                number(row.minTick),
                [name for name in row.validExchanges.split(",") if name],
                [int(rule) for rule in row.marketRuleIds.split(",") if rule],
                row.longName,
                row.timeZoneId,
                row.tradingHours,
                row.orderTypes,
            )
            for row in rows
        ]

    def chains(self, symbol: str, exchange: str, sec_type: str, con_id: int) -> list[Chain]:
        rows = self.ib.reqSecDefOptParams(symbol, exchange, sec_type, con_id)
        return [
            Chain(row.exchange, row.tradingClass, float(row.multiplier), sorted(row.expirations), sorted(row.strikes))
            for row in rows
        ]

    def symbols(self, pattern: str) -> list[Contract]:
        return [contract_of(row.contract) for row in self.ib.reqMatchingSymbols(pattern)]

    def rule(self, rule_id: int) -> list[tuple[float, float]]:
        return [(row.lowEdge, row.increment) for row in self.ib.reqMarketRule(rule_id)]

    def components(self, exchange: str) -> list[tuple[str, str]]:
        return [(row.exchange, row.exchangeLetter) for row in self.ib.reqSmartComponents(exchange)]

    def depth_exchanges(self) -> list[str]:
        return [row.exchange for row in self.ib.reqMktDepthExchanges()]

    # -- market data ------------------------------------------------------------------------------------------------

    def data_type(self, kind: int) -> None:
        self.ib.reqMarketDataType(kind)

    def _told(self, ticker: Any) -> Quote:
        extra = {
            name: value for name in EXTRAS if (value := getattr(ticker, name, None)) is not None and value == value
        }
        figures = {name: number(getattr(ticker, name)) for name in FIGURES}
        return Quote(**figures, dataType=int(ticker.marketDataType or 1), extra=extra)

    def quote(self, contract: Fields, generic: str = "", want: str = "bid ask") -> Quote:
        terms = self.contract(contract)
        ticker = self.asked(lambda: self.ib.reqMktData(terms, generic, False, False))
        wanted = 5 if generic else 0

        def complete() -> Quote | None:
            quote = self._told(ticker)
            told = all(getattr(quote, word) == getattr(quote, word) for word in want.split())
            return quote if told and len(quote.extra) >= wanted else None

        try:
            return self.until(complete, f"{want} of {contract}") or self._told(ticker)
        finally:
            self.ib.cancelMktData(terms)

    def snapshot(self, contract: Fields, regulatory: bool = False) -> Quote:
        [ticker] = self.ib.reqTickers(self.contract(contract), regulatorySnapshot=regulatory)
        return self._told(ticker)

    def bbo_exchange(self, contract: Fields) -> str:
        terms = self.contract(contract)
        ticker = self.ib.reqMktData(terms)
        found = self.until(lambda: ticker.bboExchange, "the bboExchange")
        self.ib.cancelMktData(terms)
        return str(found)

    def greeks(self, contract: Fields) -> Greeks:
        terms = self.contract(contract)
        ticker = self.ib.reqMktData(terms)
        found = self.until(lambda: ticker.modelGreeks, "greeks")
        self.ib.cancelMktData(terms)
        return greeks_of(found)

    def news_tick(self, con_ids: list[int]) -> tuple[str, str]:
        news: list[Any] = []
        self.ib.tickNewsEvent += news.append
        contracts = [self._library.Contract(conId=con_id, exchange="SMART") for con_id in con_ids]
        for contract in contracts:
            self.ib.reqMktData(contract, "mdoff,292")
        try:
            self.until(lambda: news, "a headline", NEWS_PATIENCE_S)
        finally:
            for contract in contracts:
                self.ib.cancelMktData(contract)
            self.ib.tickNewsEvent -= news.append
        return news[0].providerCode, news[0].articleId

    def depth(self, contract: Fields, rows: int, smart: bool) -> tuple[list[Tick], list[Tick]]:
        terms = self.contract(contract)
        ticker = self.asked(lambda: self.ib.reqMktDepth(terms, rows, smart))
        self.until(lambda: len(ticker.domBids) == len(ticker.domAsks) == rows, f"{rows} rows of depth")
        bids, asks = ([Tick(0, row.price, row.size) for row in side] for side in (ticker.domBids, ticker.domAsks))
        self.ib.cancelMktDepth(terms, smart)
        return bids, asks

    def tick_by_tick(self, contract: Fields, kind: str, past: int) -> list[Tick]:
        terms = self.contract(contract)
        rows: list[Any] = []
        names = {"BidAsk": ("bidPrice", "askPrice"), "MidPoint": ("midPoint",)}.get(kind, ("price", "size"))
        ticker = self.asked(lambda: self.ib.reqTickByTickData(terms, kind))  # one ticker for all kinds of ticks

        def collect(ticker: Any) -> None:
            rows.extend(row for row in ticker.tickByTicks if hasattr(row, names[0]))

        ticker.updateEvent += collect
        self.until(lambda: len(rows) >= 3, f"three ticks ({kind})")
        ticker.updateEvent -= collect
        self.ib.cancelTickByTickData(terms, kind)
        if kind == "BidAsk":
            return [Tick(moment(row.time), bid=row.bidPrice, ask=row.askPrice) for row in rows]
        return [Tick(moment(row.time), *(getattr(row, name) for name in names)) for row in rows]

    # -- history ----------------------------------------------------------------------------------------------------

    def bars(self, contract: Fields, duration: str, size: str, what: str, rth: bool = True, end: str = "") -> list[Bar]:
        terms = self.contract(contract)
        rows = self.asked(
            lambda: self.ib.reqHistoricalData(terms, end, duration, size, what, rth, 2, timeout=PATIENCE_S)
        )
        return [self._bar(row) for row in rows]

    @staticmethod
    def _bar(row: Any) -> Bar:
        return Bar(moment(row.date), row.open, row.high, row.low, row.close, row.volume, row.average, row.barCount)

    def live_bars(self, contract: Fields, size: str, what: str) -> tuple[list[Bar], list[Bar]]:
        live = self.ib.reqHistoricalData(self.contract(contract), "", "3600 S", size, what, True, 2, True)
        past, news = [self._bar(row) for row in live], []

        def note(bars: Any, has_new: bool) -> None:
            news.append(self._bar(bars[-1]))

        live.updateEvent += note
        self.until(lambda: len({bar.time for bar in news}) > 1, "a new bar")
        live.updateEvent -= note
        self.ib.cancelHistoricalData(live)
        return past, news

    def real_time_bars(self, contract: Fields, what: str, count: int) -> list[Bar]:
        rows = self.ib.reqRealTimeBars(self.contract(contract), 5, what, False)
        self.until(lambda: len(rows) >= count, "real-time bars")
        self.ib.cancelRealTimeBars(rows)
        return [
            Bar(moment(row.time), row.open_, row.high, row.low, row.close, row.volume, row.wap, row.count)
            for row in rows
        ]

    def past_ticks(self, contract: Fields, start: str, end: str, count: int, what: str) -> list[Tick]:
        rows = self.ib.reqHistoricalTicks(self.contract(contract), start, end, count, what, False)
        if what == "BID_ASK":
            return [Tick(moment(row.time), bid=row.priceBid, ask=row.priceAsk) for row in rows]
        return [Tick(moment(row.time), row.price, row.size) for row in rows]

    def head(self, contract: Fields, what: str) -> str:
        return f"{self.ib.reqHeadTimeStamp(self.contract(contract), what, True):%Y%m%d-%H:%M:%S}"

    def histogram(self, contract: Fields, period: str) -> list[tuple[float, float]]:
        return [(row.price, row.count) for row in self.ib.reqHistogramData(self.contract(contract), True, period)]

    def schedule(self, contract: Fields, days: int) -> list[Session]:
        found = self.ib.reqHistoricalSchedule(self.contract(contract), days)
        return [Session(row.startDateTime, row.endDateTime, row.refDate) for row in found.sessions]

    # -- options, news and the rest ---------------------------------------------------------------------------------

    def implied_vol(self, contract: Fields, price: float, spot: float) -> Greeks:
        terms = self.contract(contract)
        return greeks_of(self.asked(lambda: self.ib.calculateImpliedVolatility(terms, price, spot)))

    def option_price(self, contract: Fields, vol: float, spot: float) -> Greeks:
        terms = self.contract(contract)
        return greeks_of(self.asked(lambda: self.ib.calculateOptionPrice(terms, vol, spot)))

    def providers(self) -> list[str]:
        return [row.code for row in self.ib.reqNewsProviders()]

    def headlines(self, con_id: int, providers: str, count: int) -> list[tuple[str, str, str]]:
        rows = self.ib.reqHistoricalNews(con_id, providers, "", "", count)
        return [(str(row.time), row.articleId, row.headline) for row in rows]

    def article(self, provider: str, article_id: str) -> str:
        return str(self.ib.reqNewsArticle(provider, article_id).articleText)

    def bulletin(self) -> str:
        self.ib.reqNewsBulletins(True)
        [first, *_] = self.until(self.ib.newsBulletins, "a bulletin")
        self.ib.cancelNewsBulletins()
        return str(first.message)

    def scan(self, **subscription: Any) -> list[tuple[int, Contract]]:
        rows = self.ib.reqScannerData(self._library.ScannerSubscription(**subscription))
        return [(row.rank, contract_of(row.contractDetails.contract)) for row in rows]

    def scan_parameters(self) -> str:
        return str(self.ib.reqScannerParameters())

    def fundamentals(self, contract: Fields, report: str) -> str:
        terms = self.contract(contract)
        return str(self.asked(lambda: self.ib.reqFundamentalData(terms, report)))

    def events_of(self, con_id: int) -> tuple[str, str]:
        data = self._library.WshEventData(conId=con_id)
        return self.asked(self.ib.getWshMetaData), self.asked(lambda: self.ib.getWshEventData(data))
