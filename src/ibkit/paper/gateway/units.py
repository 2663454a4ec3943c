"""In what units sizes are told: US stocks were counted in lots of 100 by old servers.

Must not know messages.
"""

from __future__ import annotations

from ibkit.paper.instruments import Instrument

_LOT = 100.0
# The server versions from which these are in shares.
SIZES_SINCE, HISTORY_SINCE, VOLUMES_SINCE = 159, 175, 220


class Lots:
    """How the sizes of one instrument are told at one server version."""

    __slots__ = ("_history", "_quote", "_volume")

    def __init__(self, version: int, instrument: Instrument) -> None:
        lot = _LOT if instrument.sec_type == "STK" and instrument.currency == "USD" else 1.0
        self._quote = lot if version < SIZES_SINCE else 1.0
        self._history = lot if version < HISTORY_SINCE else 1.0
        self._volume = lot if version < VOLUMES_SINCE else 1.0

    def quote(self, size: float) -> float:
        """Return a size of a quote or a trade; whole lots, as TWS showed them."""
        return size if self._quote == 1.0 else float(round(size / self._quote))

    def volume(self, size: float) -> float:
        """Return the volume of a day."""
        return size / self._volume

    def history(self, size: float) -> float:
        """Return the volume of a bar, or the size of a tick of the past; -1 (none) stays -1."""
        return size if size < 0 else size / self._history
