"""Clients with callbacks behind ``api.Api``: market data, history and option calculations."""

from __future__ import annotations

import re
from typing import Any

from conformance.drivers.api import FIGURES, NAN, Bar, Fields, Greeks, Quote, Session, Tick, number
from conformance.drivers.raw import RawReference

# Tick types by what they tell, live and delayed.
PRICES = {1: "bid", 2: "ask", 4: "last", 6: "high", 7: "low", 9: "close"}
SIZES = {0: "bidSize", 3: "askSize", 8: "volume"}
DELAYED = {66: 1, 67: 2, 68: 4, 69: 0, 70: 3, 72: 6, 73: 7, 74: 8, 75: 9}
MODEL = 13

NEWS_PATIENCE_S = 90.0
"""News of one instrument come every few hours."""


def bar_time(text: Any) -> float:
    """Return the time of a bar as a number: epoch seconds, or YYYYMMDD of a day."""
    return float(text) if re.fullmatch(r"[\d.]+", str(text)) else NAN


def bar_of(*args: Any) -> Bar:
    """Return a bar of its values as they come with real-time and updated bars: time to volume, wap, count."""
    return Bar(bar_time(args[0]), *(number(value) for value in args[1:8]))


def greeks_of(args: tuple[Any, ...]) -> Greeks:
    """Return an option computation of the callback's arguments after the id and the tick type."""
    _, vol, delta, price, _, gamma, vega, theta, spot = args
    return Greeks(*(number(value) for value in (vol, delta, price, gamma, vega, theta, spot)))


def _apply(
    books: tuple[list[Tick], list[Tick]], position: int, operation: int, side: int, price: Any, size: Any
) -> None:
    """Insert, change or delete a row of a book."""
    row, book = Tick(0, float(price), float(size)), books[int(side)]
    if operation == 2:
        del book[position : position + 1]
    elif operation == 0:
        book.insert(position, row)
    else:
        book[position] = row


class RawMarket(RawReference):
    """Everything about prices."""

    # -- quotes -----------------------------------------------------------------------------------------------------

    def data_type(self, kind: int) -> None:
        self.wire.call("reqMarketDataType", kind)

    def _quote(self, mark: int, req_id: int) -> Quote:
        told: Fields = {}
        extra: Fields = {}
        rows = [row for row in self.events.since(mark) if row.args and row.args[0] == req_id]
        for name, args in rows:
            if name == "marketDataType":
                told["dataType"] = int(args[1])
            elif name in ("tickPrice", "tickSize", "tickGeneric", "tickString"):
                kind = int(args[1])
                kind = DELAYED.get(kind, kind)
                named = PRICES.get(kind) if name == "tickPrice" else SIZES.get(kind) if name == "tickSize" else None
                if named:
                    told[named] = number(args[2])
                else:
                    extra[str(kind)] = args[2]
        figures = {name: told.get(name, NAN) for name in FIGURES}
        return Quote(**figures, dataType=told.get("dataType", 1), extra=extra)

    def quote(self, contract: Fields, generic: str = "", want: str = "bid ask") -> Quote:
        mark = self.events.mark()
        req_id = self.ask("reqMktData", self.contract(contract), generic, False, False)
        words = want.split()

        def complete(rows: list[Any]) -> Quote | None:
            quote = self._quote(mark, req_id)
            told = {**quote._asdict(), **quote.extra}
            return quote if all(told.get(word, NAN) == told.get(word, NAN) for word in words) else None

        try:
            found: Quote = self.events.until(complete, mark, f"{want} of {contract}", req_id)
        finally:
            self.wire.call("cancelMktData", req_id)
        return found

    def snapshot(self, contract: Fields, regulatory: bool = False) -> Quote:
        mark = self.events.mark()
        req_id = self.ask("reqMktData", self.contract(contract), "", not regulatory, regulatory)
        self.events.wait("tickSnapshotEnd", mark, req_id)
        return self._quote(mark, req_id)

    def bbo_exchange(self, contract: Fields) -> str:
        mark = self.events.mark()
        req_id = self.ask("reqMktData", self.contract(contract), "", False, False)
        found = self.events.wait("tickReqParams", mark, req_id, where=lambda _, tick, exchange, rights: bool(exchange))
        self.wire.call("cancelMktData", req_id)
        return str(found[2])

    def rerouted(self, contract: Fields) -> tuple[int, str]:
        _, con_id, exchange = self.one("rerouteMktDataReq", "reqMktData", self.contract(contract), "", False, False)
        return int(con_id), str(exchange)

    def greeks(self, contract: Fields) -> Greeks:
        mark = self.events.mark()
        req_id = self.ask("reqMktData", self.contract(contract), "", False, False)
        model = self.events.wait("tickOptionComputation", mark, req_id, where=lambda _, kind, *rest: kind == MODEL)
        self.wire.call("cancelMktData", req_id)
        return greeks_of(model[2:])

    def news_tick(self, con_ids: list[int]) -> tuple[str, str]:
        mark = self.events.mark()
        contracts = [self.contract({"conId": con_id, "exchange": "SMART"}) for con_id in con_ids]
        req_ids = [self.ask("reqMktData", contract, "mdoff,292", False, False) for contract in contracts]
        try:
            _, _, provider, article, *_ = self.events.wait("tickNews", mark, patience=NEWS_PATIENCE_S)
        finally:
            for req_id in req_ids:
                self.wire.call("cancelMktData", req_id)
        return str(provider), str(article)

    def depth(self, contract: Fields, rows: int, smart: bool) -> tuple[list[Tick], list[Tick]]:
        mark = self.events.mark()
        req_id = self.ask("reqMktDepth", self.contract(contract), rows, smart)
        books: tuple[list[Tick], list[Tick]] = ([], [])  # asks are side 0, bids 1

        def full(told: list[Any]) -> bool:
            books[0].clear()
            books[1].clear()
            for name, args in told:
                if name == "updateMktDepth" and args[0] == req_id:
                    _apply(books, *args[1:6])
                elif name == "updateMktDepthL2" and args[0] == req_id:
                    _apply(books, args[1], *args[3:7])
            return all(len(book) == rows for book in books)

        self.events.until(full, mark, f"{rows} rows of depth", req_id)
        self.wire.call("cancelMktDepth", req_id, smart)
        return books[1], books[0]

    def tick_by_tick(self, contract: Fields, kind: str, past: int) -> list[Tick]:
        callback = {"BidAsk": "tickByTickBidAsk", "MidPoint": "tickByTickMidPoint"}.get(kind, "tickByTickAllLast")
        mark = self.events.mark()
        req_id = self.ask("reqTickByTickData", self.contract(contract), kind, 0, False)
        self.events.until(
            lambda rows: len(self.events.all(callback, mark, req_id)) >= 3, mark, f"three ticks ({kind})", req_id
        )
        self.wire.call("cancelTickByTickData", req_id)
        found = []
        for args in self.events.all(callback, mark, req_id):
            if callback == "tickByTickAllLast":
                found.append(Tick(float(args[2]), number(args[3]), number(args[4])))
            elif callback == "tickByTickBidAsk":
                found.append(Tick(float(args[1]), bid=number(args[2]), ask=number(args[3]), size=number(args[4])))
            else:
                found.append(Tick(float(args[1]), number(args[2])))
        return found

    # -- history ----------------------------------------------------------------------------------------------------

    def _bars(self, mark: int, req_id: int, callback: str) -> list[Bar]:
        found = []
        for args in self.events.all(callback, mark, req_id):
            bar = args[1]
            if hasattr(bar, "open"):  # the official client has an object
                bar_args = (bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.wap, bar.barCount)
                found.append(bar_of(*bar_args))
            elif not str(bar).startswith("finished"):
                time, opened, high, low, close, volume, count, wap = args[1:9]
                found.append(bar_of(time, opened, high, low, close, volume, wap, count))
        return found

    def bars(self, contract: Fields, duration: str, size: str, what: str, rth: bool = True, end: str = "") -> list[Bar]:
        mark = self.events.mark()
        req_id = self.ask("reqHistoricalData", self.contract(contract), end, duration, size, what, int(rth), 2, False)
        self._history_end(mark, req_id)
        return self._bars(mark, req_id, "historicalData")

    def _history_end(self, mark: int, req_id: int) -> None:
        if self.name == "official":
            self.events.wait("historicalDataEnd", mark, req_id)
        else:  # a last bar that says so
            self.events.wait("historicalData", mark, req_id, where=lambda _, time, *r: str(time).startswith("finished"))

    def live_bars(self, contract: Fields, size: str, what: str) -> tuple[list[Bar], list[Bar]]:
        mark = self.events.mark()
        req_id = self.ask("reqHistoricalData", self.contract(contract), "", "3600 S", size, what, 1, 2, True)
        self._history_end(mark, req_id)
        callback = "historicalDataUpdate"
        self.events.until(
            lambda rows: len({bar.time for bar in self._bars(mark, req_id, callback)}) > 1, mark, "a new bar", req_id
        )
        self.wire.call("cancelHistoricalData", req_id)
        return self._bars(mark, req_id, "historicalData"), self._bars(mark, req_id, callback)

    def real_time_bars(self, contract: Fields, what: str, count: int) -> list[Bar]:
        mark = self.events.mark()
        req_id = self.ask("reqRealTimeBars", self.contract(contract), 5, what, False)
        self.events.until(
            lambda rows: len(self.events.all("realtimeBar", mark, req_id)) >= count, mark, "real-time bars", req_id
        )
        self.wire.call("cancelRealTimeBars", req_id)
        return [bar_of(*args[1:]) for args in self.events.all("realtimeBar", mark, req_id)]

    def past_ticks(self, contract: Fields, start: str, end: str, count: int, what: str) -> list[Tick]:
        callback = {"TRADES": "historicalTicksLast", "BID_ASK": "historicalTicksBidAsk"}.get(what, "historicalTicks")
        args = (self.contract(contract), start, end, count, what, 0, False)
        rows = self.one(callback, "reqHistoricalTicks", *args)[1]
        if callback == "historicalTicksBidAsk":
            return [Tick(row.time, bid=number(row.priceBid), ask=number(row.priceAsk)) for row in rows]
        return [Tick(row.time, number(row.price), number(row.size)) for row in rows]

    def head(self, contract: Fields, what: str) -> str:
        mark = self.events.mark()
        req_id = self.ask("reqHeadTimeStamp" if self.name == "official" else "reqHeadTimestamp",
                          self.contract(contract), what, True, 1)  # fmt: skip
        return str(self.events.wait("headTimestamp", mark, req_id)[1])

    def histogram(self, contract: Fields, period: str) -> list[tuple[float, float]]:
        args: list[Any] = [self.contract(contract), True, period]
        if self.name == "stoqey":  # a number and a unit
            count, _, unit = period.partition(" ")
            args[2:] = [int(count), unit.removesuffix("s")]
        rows = self.one("histogramData", "reqHistogramData", *args)[1]
        return [(number(row.price), number(row.size)) for row in rows]

    def schedule(self, contract: Fields, days: int) -> list[Session]:
        args = (self.contract(contract), "", f"{days} D", "1 day", "SCHEDULE", 1, 1, False)
        rows = self.one("historicalSchedule", "reqHistoricalData", *args)[4]
        return [Session(row.startDateTime, row.endDateTime, row.refDate) for row in rows]

    # -- options ----------------------------------------------------------------------------------------------------

    def implied_vol(self, contract: Fields, price: float, spot: float) -> Greeks:
        args = (self.contract(contract), price, spot)
        return self._computed("calculateImpliedVolatility", "cancelCalculateImpliedVolatility", args)

    def option_price(self, contract: Fields, vol: float, spot: float) -> Greeks:
        args = (self.contract(contract), vol, spot)
        return self._computed("calculateOptionPrice", "cancelCalculateOptionPrice", args)

    def _computed(self, call: str, cancel: str, args: tuple[Any, ...]) -> Greeks:
        mark = self.events.mark()
        req_id = self.ask(call, *args)
        found = self.events.wait("tickOptionComputation", mark, req_id)
        self.wire.call(cancel, req_id)
        return greeks_of(found[2:])
