"""Market depth: a book around the quote, made by rule, best row equal to the quote."""

from __future__ import annotations

from math import isnan

from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers, needs_live
from ibkit.paper.gateway.hours import Hours
from ibkit.paper.gateway.refusal import Refusal, duplicate_id, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.instrument import Prints
from ibkit.paper.market import Quote
from ibkit.wire import messages as m

KIND = "market depth"
CADENCE_S = 0.25
MOST_ROWS = 60

INSERT, UPDATE = 0, 1
ASK_SIDE, BID_SIDE = 0, 1

_MAKERS = ("NASDAQ", "ARCA", "BATS", "NYSE", "IEX", "EDGX", "BYX", "MEMX")
# Securities that have no book at all.
_NO_BOOK = ("IND", "FUND", "BAG", "CONTFUT", "BOND")


class Book:
    """One subscription to one book."""

    def __init__(self, session: Session, req_id: int, instrument: Instrument, rows: int, smart: bool) -> None:
        self.session, self.req_id, self.instrument = session, req_id, instrument
        self.due = session.now
        self._rows, self._smart = rows, smart
        self._hours = Hours(session.gateway, instrument)
        self._told: dict[tuple[int, int], tuple[float, float]] = {}

    def advance(self, now: float) -> bool:
        open_now = self._hours.is_open(now)
        self.due = following(now, CADENCE_S) if open_now else self._hours.next_open(now)
        if open_now or not self._told:
            quote = self.session.gateway.market.quote(self.instrument, now)
            for side in (BID_SIDE, ASK_SIDE):
                self._side(quote, side)
        return True

    def _side(self, quote: Quote, side: int) -> None:
        price, size = (quote.bid, quote.bid_size) if side == BID_SIDE else (quote.ask, quote.ask_size)
        if isnan(price) or price <= 0:
            return
        step = self.instrument.increment(price) * (-1 if side == BID_SIDE else 1)
        for row in range(self._rows):
            level = round(price + row * step, 10)
            if level <= 0:
                return
            # Deeper rows are fatter; the factor hangs on the price, so that a level keeps its size as it moves.
            factor = 1.0 if not row else 1 + row * 0.4 + round(level / abs(step)) * 7919 % 7 / 4
            self._tell(side, row, level, max(1.0, float(round(size * factor))))

    def _tell(self, side: int, row: int, price: float, size: float) -> None:
        before = self._told.get((side, row))
        if before == (price, size):
            return
        self._told[side, row] = (price, size)
        operation = INSERT if before is None else UPDATE
        if self._smart:
            maker = _MAKERS[row % len(_MAKERS)]
            self.session.send(m.MarketDepthL2(self.req_id, row, maker, operation, side, price, size, True))
        else:
            self.session.send(m.MarketDepth(self.req_id, row, operation, side, price, size))


def req_mkt_depth(session: Session, msg: m.ReqMktDepth) -> None:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    if session.find(KIND, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    needs_live(session, Refusal(354, "Requested market data is not subscribed."))
    if msg.numRows < 1:
        raise invalid(f"Invalid number of rows: {msg.numRows}")
    if instrument.sec_type == "CFD" and instrument.underlying is not None:
        under = instrument.underlying.contract
        session.send(m.RerouteMktDepthReq(msg.reqId, under.conId, under.exchange))
        return
    exchange = msg.contract.exchange or instrument.contract.exchange
    if (
        instrument.sec_type in _NO_BOOK
        or instrument.prints is Prints.VALUE
        or (exchange == "SMART") != msg.isSmartDepth
    ):
        raise Refusal(10092, "Deep market data is not supported for this combination of security type/exchange")
    books = {id(book.instrument) for s in session.gateway.sessions for book in s.active(KIND) if isinstance(book, Book)}
    most = session.gateway.limits.depth_books
    if id(instrument) not in books and len(books) >= most:
        raise Refusal(309, f"Max number ({most}) of market depth requests has been reached")
    if msg.isSmartDepth:
        session.error(msg.reqId, 2152, f"Exchanges - Depth: {'; '.join(_MAKERS)}; ")
    book = Book(session, msg.reqId, instrument, min(msg.numRows, MOST_ROWS), msg.isSmartDepth)
    session.begin(KIND, msg.reqId, book)
    book.advance(session.now)


def cancel_mkt_depth(session: Session, msg: m.CancelMktDepth) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(310, f"Can't find the subscribed market depth with tickerId:{msg.reqId}")


HANDLERS: Handlers = {m.ReqMktDepth: req_mkt_depth, m.CancelMktDepth: cancel_mkt_depth}
