"""Generic ticks: what a market data line tells beyond the quote, made to fit the market it is about.

Some hang on trades and come with them (time and sales, trade counts, short-term volumes, news), the others are
looked at once a minute. Numbers without a simulated cause (open interest, shortable shares) are fixed by the
instrument. Must not know lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import isnan
from typing import NamedTuple

from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.instrument import Prints
from ibkit.paper.market import Bar, Quote
from ibkit.wire import messages as m

REFRESH_S = 60.0
_DAY_S = 86_400.0


class View(NamedTuple):
    """What the slow ticks of an instrument are made of."""

    session: Session
    instrument: Instrument
    quote: Quote

    @property
    def now(self) -> float:
        """The moment."""
        return self.session.now

    def fixed(self, low: int, high: int) -> float:
        """Return a number that belongs to the instrument."""
        return float(low + self.instrument.con_id * 7919 % (high - low))

    def daily(self, what: str, days: float) -> list[Bar]:
        """Return day bars, none where the instrument has no such history."""
        if what not in self.instrument.what_to_show or self.instrument.legs:
            return []
        market = self.session.gateway.market
        return market.bars(self.instrument, what, "1 day", self.now - days * _DAY_S, self.now, True)


Tick = tuple[type[m.TickPrice] | type[m.TickSize] | type[m.TickGeneric] | type[m.TickString], int, float | str]
PRICE, SIZE, GENERIC, STRING = m.TickPrice, m.TickSize, m.TickGeneric, m.TickString


def _is(view: View, *kinds: str) -> bool:
    return view.instrument.sec_type in kinds


def _option_volume(view: View) -> Iterator[Tick]:
    if _is(view, "STK", "IND"):
        volume = 0.0 if isnan(view.quote.volume) else view.quote.volume
        share = view.fixed(20, 60) / 1000  # contracts traded for each share traded
        yield SIZE, 29, float(int(volume * share / 100 * 0.55))
        yield SIZE, 30, float(int(volume * share / 100 * 0.45))


def _open_interest(view: View) -> Iterator[Tick]:
    if _is(view, "STK", "IND"):
        yield SIZE, 27, view.fixed(20_000, 900_000)
        yield SIZE, 28, view.fixed(15_000, 800_000)


def _average_option_volume(view: View) -> Iterator[Tick]:
    if _is(view, "STK"):
        yield SIZE, 87, view.fixed(2_000, 300_000)


def _level(view: View, what: str, tick: int) -> Iterator[Tick]:
    bars = view.daily(what, 10)
    if bars:
        yield GENERIC, tick, bars[-1].close


def _premium(view: View) -> Iterator[Tick]:
    if _is(view, "IND"):
        yield GENERIC, 31, 0.0


def _ranges(view: View) -> Iterator[Tick]:
    bars = view.daily("TRADES" if view.instrument.prints is not Prints.QUOTES else "MIDPOINT", 365)
    for weeks, low, high in ((13, 15, 16), (26, 17, 18), (52, 19, 20)):
        within = [bar for bar in bars if bar.time > view.now - weeks * 7 * _DAY_S]
        if within:
            yield PRICE, low, min(bar.low for bar in within)
            yield PRICE, high, max(bar.high for bar in within)
    volumes = [bar.volume for bar in bars[-90:] if bar.volume > 0]
    if volumes:
        yield SIZE, 21, float(round(sum(volumes) / len(volumes) / 100))  # in hundreds of shares


def _mark(view: View) -> Iterator[Tick]:
    last, mid = view.quote.last, view.quote.mid
    price = last if not isnan(last) and (isnan(mid) or view.quote.bid <= last <= view.quote.ask) else mid
    if not isnan(price):
        yield PRICE, 37, price


def _auction(view: View) -> Iterator[Tick]:
    if _is(view, "STK"):
        yield SIZE, 34, view.fixed(1_000, 90_000)
        yield PRICE, 35, view.quote.close
        yield SIZE, 36, view.fixed(0, 9_000)
        yield SIZE, 61, view.fixed(0, 900)


def _shortable(view: View) -> Iterator[Tick]:
    if _is(view, "STK"):
        yield GENERIC, 46, 3.0
        yield SIZE, 89, view.fixed(100_000, 20_000_000)


def _ratios(view: View) -> Iterator[Tick]:
    if _is(view, "STK"):
        price = view.quote.close
        yield STRING, 47, f"NPRICE={price:g};PEEXCLXOR={view.fixed(8, 45):g};BETA={view.fixed(60, 160) / 100:g};"


def _last_regular(view: View) -> Iterator[Tick]:
    if view.instrument.prints is Prints.TRADES and not isnan(view.quote.last):
        yield PRICE, 57, view.quote.last


def _dividends(view: View) -> Iterator[Tick]:
    if _is(view, "STK"):
        yearly = round(view.quote.close * view.fixed(0, 30) / 1000, 2)
        yield STRING, 59, f"{yearly:g},{yearly:g},," if not yearly else f"{yearly:g},{yearly:g},20991231,{yearly / 4:g}"


def _bond_factor(view: View) -> Iterator[Tick]:
    if _is(view, "BOND"):
        yield GENERIC, 60, 1.0


def _nav(*ticks: tuple[int, str]) -> Callable[[View], Iterator[Tick]]:
    def tell(view: View) -> Iterator[Tick]:
        if view.instrument.listing.stock_type == "ETF":
            for tick, field in ticks:
                value = float(getattr(view.quote, field))
                if not isnan(value):
                    yield PRICE, tick, value

    return tell


def _futures_interest(view: View) -> Iterator[Tick]:
    if _is(view, "FUT", "CONTFUT"):
        yield SIZE, 86, view.fixed(10_000, 2_000_000)


def _odd_lots(view: View) -> Iterator[Tick]:
    if _is(view, "STK") and view.session.version >= 225 and view.quote.bid > 0:
        yield PRICE, 105, view.quote.bid
        yield PRICE, 106, view.quote.ask
        yield SIZE, 107, view.fixed(1, 99)
        yield SIZE, 108, view.fixed(1, 99)


_SLOW: dict[str, Callable[[View], Iterator[Tick]]] = {
    "100": _option_volume,
    "101": _open_interest,
    "104": lambda view: _level(view, "HISTORICAL_VOLATILITY", 23),
    "105": _average_option_volume,
    "106": lambda view: _level(view, "OPTION_IMPLIED_VOLATILITY", 24),
    "162": _premium,
    "165": _ranges,
    "221": _mark,
    "225": _auction,
    "232": _mark,
    "236": _shortable,
    "258": _ratios,
    "318": _last_regular,
    "411": lambda view: _level(view, "HISTORICAL_VOLATILITY", 58),
    "456": _dividends,
    "460": _bond_factor,
    "576": _nav((94, "bid"), (95, "ask")),
    "577": _nav((96, "last")),
    "578": _nav((92, "close"), (93, "close")),
    "588": _futures_interest,
    "614": _nav((98, "high"), (99, "low")),
    "619": _nav((79, "last")),
    "623": _nav((97, "last")),
    "787": _odd_lots,
}

# Those that come with trades or headlines, and the ones TWS takes and says nothing to.
_FAST = ("233", "292", "293", "294", "295", "375", "595")
_SILENT = (
    "256", "291", "370", "377", "381", "384", "387", "388", "391", "407", "428", "439", "459", "499", "506", "511",
    "512", "513", "514", "515", "516", "517", "521", "545", "584", "585", "586", "608",
)  # fmt: skip

GENERIC_TICKS = (*sorted((*_SLOW, *_FAST, *_SILENT), key=int), "mdoff")
"""Everything a client may ask for."""


class Extras:
    """The generic ticks of one line."""

    def __init__(self, session: Session, req_id: int, instrument: Instrument, wanted: frozenset[str]) -> None:
        self._session, self._req_id, self._instrument = session, req_id, instrument
        numbers = {part.partition(":")[0] for part in wanted}
        self._slow = [_SLOW[number] for number in sorted(numbers & _SLOW.keys(), key=int)]
        self._fast = numbers & set(_FAST)
        # '292:BRFG+DJNL' is news of these providers alone.
        self._providers = frozenset(
            code for part in wanted if part.startswith("292:") for code in part[4:].split("+") if code
        )
        self._told: dict[int, float | str] = {}
        self._next_look = session.now
        self._seen = session.now
        self._trades: deque[tuple[float, float]] = deque()
        self._totals = _Totals(session, instrument) if self._fast - {"292"} else None

    def advance(self, now: float) -> None:
        """Tell what has changed until ``now``."""
        if self._slow and now >= self._next_look:
            self._next_look = following(now, REFRESH_S)
            self._look()
        if self._fast and now > self._seen:
            since, self._seen = self._seen, now
            if "292" in self._fast:
                self._news(since, now)
            if self._totals is not None:
                self._sales(since, now, self._totals)

    def _look(self) -> None:
        quote = self._session.gateway.market.quote(self._instrument, self._session.now)
        view = View(self._session, self._instrument, quote)
        for tell in self._slow:
            for kind, tick, value in tell(view):
                self._tell(kind, tick, value)

    def _tell(self, kind: type, tick: int, value: float | str) -> None:
        if value != value or self._told.get(tick) == value:
            return
        self._told[tick] = value
        req_id, send = self._req_id, self._session.send
        if isinstance(value, str):
            send(m.TickString(req_id, tick, value))
        elif kind is PRICE:
            send(m.TickPrice(req_id, tick, value, 0.0, 0))
        elif kind is SIZE:
            send(m.TickSize(req_id, tick, value))
        else:
            send(m.TickGeneric(req_id, tick, value))

    def _news(self, since: float, now: float) -> None:
        for story in self._session.gateway.newsroom.between(self._instrument, since, now, self._providers):
            stamp = int(story.time * 1000)
            self._session.send(m.TickNews(self._req_id, stamp, story.provider, story.article_id, story.headline, ""))

    def _sales(self, since: float, now: float, totals: _Totals) -> None:
        for tick in self._session.gateway.market.ticks(self._instrument, since, now):
            if tick.kind == "trade":
                totals.add(tick.price, tick.size)
                self._trades.append((tick.time, tick.size))
                text = totals.sale(tick.time, tick.price, tick.size)
                for number, kind in (("233", 48), ("375", 77)):
                    if number in self._fast:
                        self._session.send(m.TickString(self._req_id, kind, text))
        while self._trades and self._trades[0][0] <= now - 600:
            self._trades.popleft()
        if "293" in self._fast:
            self._tell(GENERIC, 54, float(totals.count))
        minute = [size for at, size in self._trades if at > now - 60]
        if "294" in self._fast:
            self._tell(GENERIC, 55, float(len(minute)))
        if "295" in self._fast:
            self._tell(GENERIC, 56, float(sum(minute)))
        if "595" in self._fast:
            for span, tick_id in ((180, 63), (300, 64), (600, 65)):
                self._tell(SIZE, tick_id, sum(size for at, size in self._trades if at > now - span))


class _Totals:
    """Volume, count and average price of the day: from its bar, then from trade to trade."""

    def __init__(self, session: Session, instrument: Instrument) -> None:
        self._volume = self._value = 0.0
        self.count = 0
        day = View(session, instrument, session.gateway.market.quote(instrument, session.now))
        bars = day.daily("TRADES", 1)
        if bars and bars[-1].volume > 0:
            self._volume, self.count = bars[-1].volume, bars[-1].count
            self._value = bars[-1].volume * bars[-1].wap

    def add(self, price: float, size: float) -> None:
        """Count one more trade."""
        self._volume += size
        self._value += price * size
        self.count += 1

    def sale(self, t: float, price: float, size: float) -> str:
        """``price;size;time in ms;volume;average price;single``."""
        average = self._value / self._volume if self._volume else price
        return f"{price:.10g};{size:.10g};{int(t * 1000)};{self._volume:.10g};{average:.8f};true"
