"""The market: quotes, ticks, bars and greeks of any instrument at any moment.

Pure: no clock, no state but caches. Must not know orders or the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ibkit.model import HistogramData
from ibkit.paper.instruments import Catalogue, Instrument, Session
from ibkit.paper.market.records import Bar, Greeks, Quote, Shock, Tick


class Market:
    """A deterministic market; every answer depends on seed, instrument, moment and shocks alone.

    Time is cut into steps of 0.25 s at x.125, x.375, x.625, x.875 s: quotes and trades change at these moments and
    never on a bar boundary, so [t0, t1) and (t0, t1] hold the same ticks when t0, t1 are multiples of 0.25 s.
    """

    STEP = 0.25

    def __init__(self, seed: int, catalogue: Catalogue, shocks: Sequence[Shock] = ()) -> None:
        raise NotImplementedError

    def quote(self, instrument: Instrument, t: float) -> Quote:
        """Return the quote at ``t``; outside trading hours the state at the last moment of trading."""
        raise NotImplementedError

    def ticks(self, instrument: Instrument, t0: float, t1: float) -> list[Tick]:
        """Return all quote changes and trades in (t0, t1], in order; at one moment the quote comes before the trade."""
        raise NotImplementedError

    def bars(
        self, instrument: Instrument, what: str, size: str, start: float, end: float, use_rth: bool
    ) -> list[Bar]:
        """Return the bars that begin in [start, end); the last one holds what happened before ``end`` only.

        ``what`` and ``size`` are IB's texts ('TRADES', '15 mins'); raises InvalidRequest for ones that do not exist
        or not for this instrument. Spans without a trade give no TRADES bar. SCHEDULE: see ``schedule``.
        """
        raise NotImplementedError

    def history_start(self, instrument: Instrument, duration: str, end: float, use_rth: bool) -> float:
        """Return where a history of ``duration`` ('2 D', '3600 S', '1 Y') that ends at ``end`` begins.

        Seconds and days are counted in trading time, as IB does: '1 D' is the session that holds ``end`` or the last
        one before it; W, M and Y go back on the calendar.
        """
        raise NotImplementedError

    def is_open(self, instrument: Instrument, t: float, use_rth: bool = False) -> bool:
        """Tell whether the instrument trades at ``t`` (in regular hours)."""
        raise NotImplementedError

    def sessions(self, instrument: Instrument, d0: date, d1: date, use_rth: bool = False) -> list[Session]:
        """Return the sessions of the trading days d0 to d1, both included."""
        raise NotImplementedError

    def next_open(self, instrument: Instrument, t: float, use_rth: bool = False) -> float:
        """Return the first moment at or after ``t`` at which the instrument trades."""
        raise NotImplementedError

    def greeks(self, instrument: Instrument, t: float) -> Greeks:
        """Return the model computation of an option at ``t``; raises InvalidRequest for anything else."""
        raise NotImplementedError

    def greeks_at(self, instrument: Instrument, t: float, price: float) -> Greeks | None:
        """Return the computation that explains ``price`` (a bid, ask or last); None when no volatility does."""
        raise NotImplementedError

    def option_price(self, instrument: Instrument, t: float, volatility: float, under_price: float) -> float:
        """Return the price of an option at a given volatility and underlying price."""
        raise NotImplementedError

    def implied_vol(self, instrument: Instrument, t: float, price: float, under_price: float) -> float | None:
        """Return the volatility that explains ``price``; None when there is none (below intrinsic value)."""
        raise NotImplementedError

    def head_timestamp(self, instrument: Instrument) -> float:
        """Return the first moment for which history exists."""
        raise NotImplementedError

    def histogram(
        self, instrument: Instrument, t0: float, t1: float, use_rth: bool
    ) -> list[HistogramData]:
        """Return traded size by price over [t0, t1), lowest price first."""
        raise NotImplementedError
