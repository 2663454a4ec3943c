"""Whether an instrument trades, asked often: the answer is kept until it changes. Must not know messages."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ibkit.paper.instruments import Instrument

if TYPE_CHECKING:
    from ibkit.paper.gateway.gateway import Gateway


class Hours:
    """The trading hours of one instrument, as time goes by."""

    def __init__(self, gateway: Gateway, instrument: Instrument, regular: bool = False) -> None:
        self._gateway, self._instrument, self._regular = gateway, instrument, regular
        self._open = False
        self._from = inf
        self._until = -inf

    def is_open(self, t: float) -> bool:
        """Tell whether it trades at ``t``."""
        if not self._from <= t < self._until:
            instrument, market = self._instrument, self._gateway.market
            self._open = market.is_open(instrument, t, self._regular)
            self._from = t
            if self._open:
                session = instrument.calendar.session_at(t, self._regular)
                self._until = session.end if session else t
            else:
                self._until = self.next_open(t)
            if instrument.expires > t:
                self._until = min(self._until, instrument.expires)
        return self._open

    def next_open(self, t: float) -> float:
        """Return the first moment at or after ``t`` at which it trades; infinity when it has expired."""
        instrument = self._instrument
        if 0 < instrument.expires <= t:
            return inf
        return self._gateway.market.next_open(instrument, t, self._regular)
