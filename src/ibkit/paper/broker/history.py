"""Which fills an execution filter lets through. Must not know who asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ibkit import dates
from ibkit.model import ExecutionFilter
from ibkit.model.values import UNSET_INTEGER
from ibkit.paper.broker.accounts import day_start
from ibkit.paper.broker.live import FillRecord

_ZONE = dates.zone("US/Eastern")
_SIDES = {"BUY": "BOT", "BOT": "BOT", "SELL": "SLD", "SLD": "SLD", "SSHORT": "SLD"}
# TWS keeps trades for a week.
MOST_DAYS = 7


class Wanted:
    """A filter at a moment; empty fields let everything through, and a day is a New York day.

    Raises ValueError for a time that cannot be read.
    """

    def __init__(self, wanted: ExecutionFilter, now: float) -> None:
        self._wanted = wanted
        days = wanted.lastNDays
        self._days = {str(day) for day in wanted.specificDates}
        back = 0 if days in (0, UNSET_INTEGER) else min(days, MOST_DAYS)
        self._since = day_start(now) - timedelta(days=MOST_DAYS if self._days else back).total_seconds()
        if wanted.time:
            self._since = max(self._since, _moment(wanted.time))

    def passes(self, fill: FillRecord) -> bool:
        """Tell whether a fill is wanted."""
        wanted, execution, contract = self._wanted, fill.execution, fill.contract
        return (
            fill.at >= self._since
            and (not self._days or f"{datetime.fromtimestamp(fill.at, _ZONE):%Y%m%d}" in self._days)
            and wanted.clientId in (0, execution.clientId)
            and wanted.acctCode in ("", execution.acctNumber)
            and wanted.symbol.upper() in ("", contract.symbol)
            and wanted.secType.upper() in ("", contract.secType)
            and wanted.exchange.upper() in ("", contract.exchange, execution.exchange)
            and (not wanted.side or _SIDES.get(wanted.side.upper()) == execution.side)
        )


def _moment(text: str) -> float:
    found = dates.parseIBDatetime(text.strip())
    if not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=_ZONE)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC if text.strip()[8:9] == "-" else _ZONE)
    return found.timestamp()
