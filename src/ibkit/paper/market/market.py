"""The market: quotes, ticks, bars and greeks of any instrument at any moment.

Pure: no clock, no state but caches. Must not know orders or the wire.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, timedelta
from math import log1p

import numpy as np

from ibkit.errors import InvalidRequest
from ibkit.model import HistogramData
from ibkit.paper.instruments import Catalogue, Instrument, Session
from ibkit.paper.instruments.pricing import Factor, LegSum, OptionOn, Root
from ibkit.paper.instruments.roots import root, volatility_root
from ibkit.paper.market import bars as bars_
from ibkit.paper.market import black, hours, sizes
from ibkit.paper.market.book import Book, minutes_of
from ibkit.paper.market.combos import ComboMaker
from ibkit.paper.market.models import OptionModel, OptionMoment
from ibkit.paper.market.noise import seconds
from ibkit.paper.market.path import Path
from ibkit.paper.market.records import Bar, Greeks, Quote, Shock, Tick
from ibkit.paper.market.sources import Level, Prices, Realized, Source
from ibkit.paper.market.spine import STEP, STEP_SECONDS, Lift, Spine
from ibkit.paper.market.tape import Maker, SingleMaker

_BOOKS_KEPT = 1000
# Bars of combos are read off every step of their legs: this many minutes at most.
MOST_COMBO_MINUTES = 10_000
_SAME = {"ADJUSTED_LAST": "TRADES", "AGGTRADES": "TRADES"}  # nothing is ever split, no trade is filtered away


class Market:
    """A deterministic market; every answer depends on seed, instrument, moment and shocks alone.

    Time is cut into steps of 0.25 s at x.125, x.375, x.625, x.875 s: quotes and trades change at these moments and
    never on a bar boundary, so [t0, t1) and (t0, t1] hold the same ticks when t0, t1 are multiples of 0.25 s.
    """

    STEP = STEP

    def __init__(self, seed: int, catalogue: Catalogue, shocks: Sequence[Shock] = ()) -> None:
        self._seed = seed
        self._catalogue = catalogue
        self._paths: dict[str, Path] = {}
        self._spines: dict[str, Spine] = {}
        self._books: OrderedDict[Instrument, Book] = OrderedDict()
        self._lifts: dict[str, list[Lift]] = {}
        self.shocks: tuple[Shock, ...] = ()
        for shock in shocks:
            self.shock(shock)

    def shock(self, shock: Shock) -> None:
        """Add a shock; what was before ``shock.at`` stays as it is. Raises InvalidRequest for an unknown symbol."""
        key = self._catalogue.root_key(shock.symbol)
        if key is None:
            raise InvalidRequest(f"no price hangs on {shock.symbol!r}")
        if not shock.percent > -100.0:
            raise InvalidRequest(f"a move of {shock.percent} % leaves no price")
        factor, weight = root(key).factors[0]
        lift = Lift(shock.at, shock.over_s, log1p(shock.percent / 100) / weight)
        self._lifts.setdefault(factor.key, []).append(lift)
        self.shocks += (shock,)
        self._spines.clear()
        self._books.clear()

    def quote(self, instrument: Instrument, t: float) -> Quote:
        """Return the quote at ``t``; outside trading hours the state at the last moment of trading."""
        return self._book(instrument).quote(t)

    def ticks(self, instrument: Instrument, t0: float, t1: float) -> list[Tick]:
        """Return all quote changes and trades in (t0, t1], in order; at one moment the quote comes before the trade."""
        return self._book(instrument).ticks(t0, t1)

    def bars(self, instrument: Instrument, what: str, size: str, start: float, end: float, use_rth: bool) -> list[Bar]:
        """Return the bars that begin in [start, end); the last one holds what happened before ``end`` only.

        ``what`` and ``size`` are IB's texts ('TRADES', '15 mins'); raises InvalidRequest for ones that do not exist
        or not for this instrument. Spans without a trade give no TRADES bar. SCHEDULE: see ``sessions``.
        """
        cut = sizes.bar_size(size)
        known = instrument.what_to_show
        if what not in known or what == "SCHEDULE":
            shown = ", ".join(sorted(known - {"SCHEDULE"}))
            raise InvalidRequest(f"no bars of {what!r} for {instrument.contract.localSymbol}: it has {shown}")
        if isinstance(instrument.pricing, LegSum) and (end - start) / 60 > MOST_COMBO_MINUTES:
            raise InvalidRequest(f"bars of combos go back {MOST_COMBO_MINUTES} minutes at most")
        return bars_.bars(instrument, self._source(instrument, what, start, end), cut, start, end, use_rth)

    def history_start(self, instrument: Instrument, duration: str, end: float, use_rth: bool) -> float:
        """Return where a history of ``duration`` ('2 D', '3600 S', '1 Y') that ends at ``end`` begins.

        Seconds and days are counted in trading time, as IB does: '1 D' is the session that holds ``end`` or the last
        one before it; W, M and Y go back on the calendar. Raises InvalidRequest for a text that is no duration.
        """
        length = sizes.duration(duration)
        session = hours.last_session(instrument, end, use_rth)
        if session is None:
            return end
        if length.unit in "WMY":
            first = sizes.back(session.day, length) + timedelta(days=1)
            spans = hours.sessions(instrument, first, session.day, use_rth)
            return spans[0].start
        left = length.number
        seconds = 0.0
        while True:
            if length.unit == "S":
                seconds += max(0.0, min(end, session.end) - session.start)
                if seconds >= left:
                    return session.start + seconds - left
            before = hours.last_session(instrument, session.start - 1.0, use_rth)
            if before is None:
                return session.start
            if length.unit == "D" and before.day != session.day:
                left -= 1
                if not left:
                    return session.start
            session = before

    def is_open(self, instrument: Instrument, t: float, use_rth: bool = False) -> bool:
        """Tell whether the instrument trades at ``t`` (in regular hours)."""
        return hours.session_at(instrument, t, use_rth) is not None

    def sessions(self, instrument: Instrument, d0: date, d1: date, use_rth: bool = False) -> list[Session]:
        """Return the sessions of the trading days d0 to d1, both included."""
        return hours.sessions(instrument, d0, d1, use_rth)

    def next_open(self, instrument: Instrument, t: float, use_rth: bool = False) -> float:
        """Return the first moment at or after ``t`` at which the instrument trades; infinity when it has expired."""
        return hours.next_open(instrument, t, use_rth)

    def greeks(self, instrument: Instrument, t: float) -> Greeks:
        """Return the model computation of an option at ``t``; raises InvalidRequest for anything else."""
        pricing, moment = self._option(instrument, t)
        return _greeks(pricing, moment, moment.volatility)

    def greeks_at(self, instrument: Instrument, t: float, price: float) -> Greeks | None:
        """Return the computation that explains ``price`` (a bid, ask or last); None when no volatility does."""
        pricing, moment = self._option(instrument, t)
        found = black.implied_volatility(pricing.sign, moment.forward, pricing.strike, moment.years, price)
        return None if found is None else _greeks(pricing, moment, found)

    def option_price(self, instrument: Instrument, t: float, volatility: float, under_price: float) -> float:
        """Return the price of an option at a given volatility and underlying price."""
        pricing, moment = self._option(instrument, t)
        return black.sensitivities(pricing.sign, under_price, pricing.strike, moment.years, volatility).price

    def implied_vol(self, instrument: Instrument, t: float, price: float, under_price: float) -> float | None:
        """Return the volatility that explains ``price``; None when there is none (below intrinsic value)."""
        pricing, moment = self._option(instrument, t)
        return black.implied_volatility(pricing.sign, under_price, pricing.strike, moment.years, price)

    def head_timestamp(self, instrument: Instrument) -> float:
        """Return the first moment for which history exists."""
        return hours.next_open(instrument, instrument.listed)

    def histogram(self, instrument: Instrument, t0: float, t1: float, use_rth: bool) -> list[HistogramData]:
        """Return traded size by price over [t0, t1), lowest price first."""
        book = self._book(instrument)
        local = instrument.calendar.local_date
        days = local(t0) - timedelta(days=1), local(t1) + timedelta(days=1)
        minutes = minutes_of(hours.sessions(instrument, *days, use_rth))
        minutes = minutes[(minutes * 60 < t1) & ((minutes + 1) * 60 > t0)]
        total: dict[float, int] = {}
        for n in range(0, len(minutes), 64):
            some = minutes[n : n + 64]
            tape = book.maker.tape(some, book.regular(some))
            t = seconds(some)[:, None] + STEP_SECONDS
            wanted = tape.traded & (t >= t0) & (t < t1)
            prices, place = np.unique(tape.price[wanted], return_inverse=True)
            units = np.zeros(len(prices), dtype=np.int64)
            np.add.at(units, place, tape.size[wanted])
            for price, size in zip(prices.tolist(), units.tolist(), strict=True):
                total[price] = total.get(price, 0) + size
        return [HistogramData(price, total[price] * book.maker.unit) for price in sorted(total)]

    # -- how the parts are put together ---------------------------------------------------------------------------

    def _book(self, instrument: Instrument) -> Book:
        book = self._books.get(instrument)
        if book is None:
            book = self._books[instrument] = Book(instrument, self._make(instrument))
            if len(self._books) > _BOOKS_KEPT:
                self._books.popitem(last=False)
        return book

    def _make(self, instrument: Instrument) -> Maker:
        if isinstance(instrument.pricing, LegSum):
            return ComboMaker(instrument, self._book)
        return SingleMaker(self._seed, instrument, self._spine)

    def _spine(self, of: Root) -> Spine:
        spine = self._spines.get(of.key)
        if spine is None:
            lifts = [
                Lift(lift.at, lift.over, lift.size * weight)
                for factor, weight in of.factors
                for lift in self._lifts.get(factor.key, ())
            ]
            paths = [(self._path(factor), weight) for factor, weight in of.factors]
            spine = self._spines[of.key] = Spine(self._seed, of, paths, lifts)
        return spine

    def _path(self, factor: Factor) -> Path:
        path = self._paths.get(factor.key)
        if path is None:
            path = self._paths[factor.key] = Path(self._seed, factor)
        return path

    def _source(self, instrument: Instrument, what: str, start: float, end: float) -> Source:
        book, pricing = self._book(instrument), instrument.pricing
        if what == "OPTION_IMPLIED_VOLATILITY" and not isinstance(pricing, OptionOn | LegSum):
            return Level(self._spine(volatility_root(pricing.root.key)))
        if what == "HISTORICAL_VOLATILITY":
            local = instrument.calendar.local_date
            days = local(start) - timedelta(days=32), local(end) + timedelta(days=1)  # bars of a month begin before
            return Realized(book, hours.sessions(instrument, *days))
        return Prices(book, _SAME.get(what, what))

    # -- options --------------------------------------------------------------------------------------------------

    def _option(self, instrument: Instrument, t: float) -> tuple[OptionOn, OptionMoment]:
        """Return the pricing of an option and what its price depended on at the last step up to ``t``."""
        pricing, book = instrument.pricing, self._book(instrument)
        if not isinstance(pricing, OptionOn) or not isinstance(book.maker, SingleMaker):
            raise InvalidRequest(f"{instrument.contract.localSymbol} is no option")
        place = book.step_at(t)
        model = book.maker.model
        if place is None or not isinstance(model, OptionModel):
            raise InvalidRequest(f"{instrument.contract.localSymbol} is not listed yet")
        return pricing, model.moment(*place)


def _greeks(pricing: OptionOn, moment: OptionMoment, volatility: float) -> Greeks:
    found = black.sensitivities(pricing.sign, moment.forward, pricing.strike, moment.years, volatility)
    return Greeks(
        volatility, found.delta, found.price, found.gamma, found.vega / 100, found.theta / 365, moment.forward
    )
