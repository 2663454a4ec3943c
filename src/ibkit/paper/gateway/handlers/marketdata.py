"""Market data lines: a snapshot of the quote at once, then what changed, four times a second.

Must not know where prices come from, nor what a generic tick tells (``extras``).
"""

from __future__ import annotations

from math import isnan

from ibkit.paper.gateway import units
from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.handlers.extras import GENERIC_TICKS, Extras
from ibkit.paper.gateway.handlers.reference import BBO_EXCHANGE, LETTERS
from ibkit.paper.gateway.hours import Hours
from ibkit.paper.gateway.limits import DELAY_S
from ibkit.paper.gateway.refusal import Refusal, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.instrument import Prints
from ibkit.paper.market import Greeks, Quote
from ibkit.wire import messages as m

KIND = "market data"
CADENCE_S = 0.25
NEWS_CADENCE_S = 1.0  # of lines without a quote

LIVE, FROZEN, DELAYED, DELAYED_FROZEN = 1, 2, 3, 4

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE = range(10)
BID_GREEKS, ASK_GREEKS, LAST_GREEKS, MODEL_GREEKS, OPEN = range(10, 15)
BID_EXCHANGE, ASK_EXCHANGE, LAST_TIME, HALTED, LAST_EXCHANGE = 32, 33, 45, 49, 84
LAST_REGULATORY_TIME = 85

# The ids used instead of these when the data is delayed.
_DELAYED = {
    BID_SIZE: 69, BID: 66, ASK: 67, ASK_SIZE: 70, LAST: 68, LAST_SIZE: 71, HIGH: 72, LOW: 73, VOLUME: 74, CLOSE: 75,
    BID_GREEKS: 80, ASK_GREEKS: 81, LAST_GREEKS: 82, MODEL_GREEKS: 83, OPEN: 76, LAST_TIME: 88, HALTED: 90,
}  # fmt: skip

# attrMask bit 1: the price can be traded against automatically.
_TRADEABLE = 1
# What a price and a size are when there is no quote.
_NO_PRICE, _NO_SIZE = -1.0, 0.0


class Line:
    """One market data subscription."""

    def __init__(self, session: Session, req_id: int, instrument: Instrument, generics: frozenset[str], kind: int):
        self.session = session
        self.req_id = req_id
        self.instrument = instrument
        self.due = session.now
        self._kind = kind
        self._age = DELAY_S if kind in (DELAYED, DELAYED_FROZEN) else 0.0
        self._ids = _DELAYED if self._age else {}
        self._hours = Hours(session.gateway, instrument)
        self._quiet = "mdoff" in generics
        self._lots = units.Lots(session.version, instrument)
        self._extras = Extras(session, req_id, instrument, generics - {"mdoff"}) if generics else None
        self._told: dict[int, tuple[float, float]] = {}
        self._shown: Quote | None = None
        self._model: Greeks | None = None

    def advance(self, now: float) -> bool:
        t = now - self._age
        open_now = self._hours.is_open(t)
        if not self._quiet:
            self._tell(self._quote(t, open_now), t)
        if self._extras is not None and not self._age:
            self._extras.advance(now)
        self.due = following(now, NEWS_CADENCE_S if self._quiet else CADENCE_S)
        if not open_now and not self._quiet:
            self.due = max(self.due, self._hours.next_open(t) + self._age)
        return True

    def begin(self) -> None:
        """Tell what stands before the first quote."""
        instrument, send = self.instrument, self.session.send
        consolidated = instrument.sec_type in ("STK", "OPT") and instrument.currency == "USD"
        send(m.TickReqParams(self.req_id, instrument.rule.min_tick, BBO_EXCHANGE if consolidated else "", 3))
        send(m.MarketDataType(self.req_id, self._kind))
        if instrument.prints is Prints.TRADES and not self._quiet:
            self._generic(HALTED, 0.0)
            letter = LETTERS.get(instrument.contract.primaryExchange)
            if letter and not self._age:
                for tick in (BID_EXCHANGE, ASK_EXCHANGE, LAST_EXCHANGE):
                    send(m.TickString(self.req_id, tick, letter))

    def _quote(self, t: float, open_now: bool) -> Quote:
        quote = self.session.gateway.market.quote(self.instrument, t)
        if open_now or self._kind in (FROZEN, DELAYED_FROZEN) or isnan(quote.bid):
            return quote
        return quote._replace(bid=_NO_PRICE, ask=_NO_PRICE, bid_size=_NO_SIZE, ask_size=_NO_SIZE)

    def _tell(self, quote: Quote, t: float) -> None:
        before, self._shown = self._shown, quote
        if before is not None and quote == before:
            return
        size = self._lots.quote
        if before is None or quote[5:8] != before[5:8]:  # last, its size, volume
            if not isnan(quote.last):
                self._string(LAST_TIME, str(int(quote.time)))
            self._price(LAST, quote.last, LAST_SIZE, size(quote.last_size), 0)
            self._size(VOLUME, self._lots.volume(quote.volume))
        if before is None or quote[1:5] != before[1:5]:  # bid, ask and their sizes
            self._price(BID, quote.bid, BID_SIZE, size(quote.bid_size), _TRADEABLE)
            self._price(ASK, quote.ask, ASK_SIZE, size(quote.ask_size), _TRADEABLE)
        if before is None or quote[8:] != before[8:]:  # open, high, low, close
            for tick, price in ((HIGH, quote.high), (LOW, quote.low), (CLOSE, quote.close), (OPEN, quote.open)):
                self._price(tick, price, None, _NO_SIZE, 0)
        if self.instrument.sec_type in ("OPT", "FOP"):
            self._greeks(quote, before, t)

    def _price(self, tick: int, price: float, size_tick: int | None, size: float, mask: int) -> None:
        if isnan(price):
            return
        size = _NO_SIZE if isnan(size) else size
        before = self._told.get(tick)
        if before == (price, size):
            return
        self._told[tick] = (price, size)
        if before is not None and before[0] == price and size_tick is not None:
            self.session.send(m.TickSize(self.req_id, self._ids.get(size_tick, size_tick), size))
        else:
            self.session.send(m.TickPrice(self.req_id, self._ids.get(tick, tick), price, size, mask))

    def _size(self, tick: int, size: float) -> None:
        if not isnan(size) and self._told.get(tick) != (size, 0.0):
            self._told[tick] = (size, 0.0)
            self.session.send(m.TickSize(self.req_id, self._ids.get(tick, tick), size))

    def _string(self, tick: int, value: str) -> None:
        self.session.send(m.TickString(self.req_id, self._ids.get(tick, tick), value))

    def _generic(self, tick: int, value: float) -> None:
        self.session.send(m.TickGeneric(self.req_id, self._ids.get(tick, tick), value))

    def _greeks(self, quote: Quote, before: Quote | None, t: float) -> None:
        market = self.session.gateway.market
        for tick, price, old in (
            (BID_GREEKS, quote.bid, before.bid if before else None),
            (ASK_GREEKS, quote.ask, before.ask if before else None),
            (LAST_GREEKS, quote.last, before.last if before else None),
        ):
            if price > 0 and price != old:
                found = market.greeks_at(self.instrument, t, price)
                if found is not None:
                    self._computation(tick, found)
        model = market.greeks(self.instrument, t)
        if model != self._model:
            self._model = model
            self._computation(MODEL_GREEKS, model)

    def _computation(self, tick: int, greeks: Greeks) -> None:
        self.session.send(computation(self.req_id, self._ids.get(tick, tick), greeks))


def computation(req_id: int, tick: int, greeks: Greeks) -> m.TickOptionComputation:
    """Return the message of a computation, based on a price (tickAttrib 1); nothing here pays dividends."""
    return m.TickOptionComputation(
        req_id,
        tick,
        1,
        greeks.implied_vol,
        greeks.delta,
        greeks.price,
        0.0,
        greeks.gamma,
        greeks.vega,
        greeks.theta,
        greeks.under_price,
    )


def req_mkt_data(session: Session, msg: m.ReqMktData) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    generics = _generics(msg)
    if session.find(KIND, msg.reqId) is not None:
        raise Refusal(102, "Duplicate ticker id")
    if instrument.sec_type == "CFD" and instrument.underlying is not None:
        under = instrument.underlying.contract
        session.send(m.RerouteMktDataReq(msg.reqId, under.conId, under.exchange))
        return
    kind = data_type(session, msg.reqId)
    line = Line(session, msg.reqId, instrument, generics, kind)
    if msg.snapshot or msg.regulatorySnapshot:
        line.begin()
        line.advance(session.now)
        if msg.regulatorySnapshot:
            session.send(m.TickString(msg.reqId, LAST_REGULATORY_TIME, str(int(session.now * 1000))))
        session.send(m.TickSnapshotEnd(msg.reqId))
        return
    check_lines(session, instrument)
    session.begin(KIND, msg.reqId, line)
    line.begin()
    line.advance(session.now)


def _generics(msg: m.ReqMktData) -> frozenset[str]:
    wanted = frozenset(part.strip() for part in msg.genericTickList.split(",") if part.strip())
    if wanted and (msg.snapshot or msg.regulatorySnapshot):
        raise invalid("Snapshot market data subscription is not applicable to generic ticks")
    unknown = {part for part in wanted if part.partition(":")[0] not in GENERIC_TICKS}
    if unknown:
        legal = ", ".join(GENERIC_TICKS)
        raise invalid(f"Incorrect generic tick list of {','.join(sorted(unknown))}. Legal ones are: {legal}")
    return wanted


def data_type(session: Session, req_id: int) -> int:
    """Return the market data type a request gets; raises Refusal when it may have none."""
    wanted = session.market_data_type
    if session.gateway.limits.market_data == "live":
        return FROZEN if wanted in (FROZEN, DELAYED_FROZEN) else LIVE
    if wanted in (LIVE, FROZEN):
        raise Refusal(354, "Requested market data is not subscribed. Delayed market data is available.")
    session.error(req_id, 10167, "Requested market data is not subscribed. Displaying delayed market data.")
    return wanted


def check_lines(session: Session, instrument: Instrument) -> None:
    """Raise Refusal 101 when all lines of the login are taken; an instrument that is shown already takes none."""
    shown = {
        id(line.instrument)
        for other in session.gateway.sessions
        for line in other.active(KIND)
        if isinstance(line, Line)
    }
    if id(instrument) not in shown and len(shown) >= session.gateway.limits.lines:
        raise Refusal(101, "Max number of tickers has been reached")


def cancel_mkt_data(session: Session, msg: m.CancelMktData) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(300, f"Can't find EId with tickerId:{msg.reqId}")


def req_market_data_type(session: Session, msg: m.ReqMarketDataType) -> None:
    if msg.marketDataType not in (LIVE, FROZEN, DELAYED, DELAYED_FROZEN):
        raise invalid(f"Invalid market data type: {msg.marketDataType}")
    session.market_data_type = msg.marketDataType


HANDLERS: Handlers = {
    m.ReqMktData: req_mkt_data,
    m.CancelMktData: cancel_mkt_data,
    m.ReqMarketDataType: req_market_data_type,
}
