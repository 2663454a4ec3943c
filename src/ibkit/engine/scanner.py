"""Market scanners: rankings that are replaced whole each time the broker sends a new one.

Must not know how they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ibkit.events import fire, made
from ibkit.model import ScanData, ScanDataList
from ibkit.model.records import field, record
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

NOTHING_FOUND: Final = 165
"""The code that tells, among other things, that a scan has no result."""


@record
class Scanners:
    """The rankings that are kept up to date, by request id."""

    live: dict[int, ScanDataList] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget all rankings; iterations over their events end."""
        self.end_subscriptions()

    def end_subscriptions(self) -> None:
        """Forget all rankings; iterations over their events end."""
        rankings = list(self.live.values())
        self.live.clear()
        for rows in rankings:
            if (event := made(rows, "updateEvent")) is not None:
                event.set_done()

    def forget_connection(self) -> None:
        """Do nothing: rankings are asked for again on the next connection, under the same ids."""


def scanner_data(engine: Engine, msg: m.ScannerData) -> None:
    rows = engine.state.scanner.live.get(msg.reqId)
    if rows is not None:
        rows[:] = [ScanData(*row) for row in msg.rows]
        _tell(engine, rows)
        engine.calls.finish(msg.reqId, rows)


def notice(engine: Engine, rows: ScanDataList, code: int) -> None:
    """Empty a ranking when the broker says that nothing fits."""
    if code == NOTHING_FOUND:
        rows.clear()
        _tell(engine, rows)


def _tell(engine: Engine, rows: ScanDataList) -> None:
    engine.events.scannerDataEvent.emit(rows)
    fire(rows, "updateEvent", rows)


def scanner_parameters(engine: Engine, msg: m.ScannerParameters) -> None:
    engine.calls.finish("scannerParams", msg.xml)


REDUCERS: Reducers = {
    m.ScannerData: scanner_data,
    m.ScannerParameters: scanner_parameters,
}
