"""Everything the broker holds: orders, fills, accounts, ids, and what it stands on. Data, no rules.

Must not know how any of it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from ibkit.model import CommissionReport, Position
from ibkit.paper.broker.accounts import Account
from ibkit.paper.broker.live import FillRecord, Live, Stage
from ibkit.paper.broker.marks import Marks, Prices
from ibkit.paper.broker.matching import Touch
from ibkit.paper.broker.models import Models
from ibkit.paper.broker.reports import ExecutionReport, Listener, OrderReport
from ibkit.paper.instruments import Catalogue, Instrument

# Orders that have ended and fills are kept for as long as TWS can be asked for them.
KEEP_SECONDS = 7 * 86400.0


class Silence:
    """The listener of a broker nobody listens to."""

    def order(self, report: OrderReport, *, status: bool = True) -> None: ...
    def status(self, report: OrderReport) -> None: ...
    def execution(self, fill: ExecutionReport) -> None: ...
    def commission(self, client_id: int, report: CommissionReport) -> None: ...
    def error(self, client_id: int, order_id: int, code: int, text: str, reject_json: str = "") -> None: ...
    def position(self, position: Position) -> None: ...
    def account_changed(self, account: str) -> None: ...


class Orders:
    """All orders and fills, and the ids they get."""

    def __init__(self, now: float) -> None:
        self.open: dict[int, Live] = {}  # by permId, which is the order of arrival
        self.by_key: dict[tuple[int, int], Live] = {}  # ended ones too
        self.done: list[Live] = []
        self.fills: list[FillRecord] = []
        self.recorded = 0  # fills ever, those forgotten too
        self.forgotten: list[int] = []  # permIds pruned since the last save
        self.next_ids: dict[int, int] = {}
        self.next_perm = int(now)
        self.next_exec = int(now)

    def perm_id(self) -> int:
        """Return a new permId, higher than all before."""
        self.next_perm += 1
        return self.next_perm

    def exec_id(self) -> str:
        """Return the first two parts of a new execId."""
        self.next_exec += 1
        return f"{0xE0D5 + (self.next_exec >> 32):08x}.{self.next_exec & 0xFFFFFFFF:08x}"

    def add(self, live: Live) -> None:
        """Take a new order in."""
        self.open[live.perm_id] = live
        self.by_key[live.key] = live
        self.next_ids[live.client_id] = max(self.next_ids.get(live.client_id, 1), live.order_id + 1)

    def close(self, live: Live) -> None:
        """Move an order that has ended."""
        del self.open[live.perm_id]
        self.done.append(live)

    def record(self, fill: FillRecord) -> None:
        """Enter a fill."""
        self.fills.append(fill)
        self.recorded += 1

    def group(self, live: Live) -> list[Live]:
        """Return the other open orders of an order's OCA group."""
        if not live.oca_group:
            return []
        return [
            other
            for other in self.open.values()
            if other is not live and other.oca_group == live.oca_group and other.account == live.account
        ]

    def prune(self, t: float) -> None:
        """Forget what ended too long ago to be asked for."""
        oldest = t - KEEP_SECONDS
        if self.fills and self.fills[0].at < oldest:
            self.fills = [fill for fill in self.fills if fill.at >= oldest]
        if self.done and self.done[0].done_at < oldest:
            for live in self.done:
                if live.done_at < oldest:
                    self.forgotten.append(live.perm_id)
                    if self.by_key.get(live.key) is live:
                        del self.by_key[live.key]
            self.done = [live for live in self.done if live.done_at >= oldest]


class State:
    """The broker's state at ``now``."""

    def __init__(
        self, catalogue: Catalogue, prices: Prices, now: float, accounts: Sequence[str], models: Models
    ) -> None:
        self.catalogue = catalogue
        self.prices = prices
        self.models = models
        self.now = now
        self.marks = Marks(catalogue, prices, models.currency)
        self.orders = Orders(now)
        self.accounts = {
            name: Account(name, models.currency, models.cash, {models.currency: models.cash}) for name in accounts
        }
        for account in self.accounts.values():
            account.roll(self.marks, now)
        self.listener: Listener = Silence()
        self.fresh: list[Live] = []  # orders that have become active and must look at the market
        self.auctions: list[Live] = []  # orders whose closing auction is now
        self.touches: dict[Instrument, Touch] = {}
        self.unsaved: set[Live] = set()  # orders that changed since the last save
        self.version = 0  # counts what may change which ticks matter

    def changed(self, live: Live) -> None:
        """Note that an order changed."""
        self.unsaved.add(live)
        self.version += 1

    def touch(self, instrument: Instrument) -> Touch:
        """Return what is left at the touch of an instrument."""
        found = self.touches.get(instrument)
        if found is None:
            found = self.touches[instrument] = Touch(self.models.fills)
        return found

    def watched(self) -> dict[Instrument, list[Live]]:
        """Return the instruments whose ticks matter now, and to which orders."""
        found: dict[Instrument, list[Live]] = {}
        for live in self.orders.open.values():
            if live.stage in (Stage.ARMED, Stage.WORKING) and live.auction == inf:
                found.setdefault(live.instrument, []).append(live)
            if live.conditions is not None:
                for instrument in live.conditions.instruments:
                    watchers = found.setdefault(instrument, [])
                    if live not in watchers:
                        watchers.append(live)
        return found
