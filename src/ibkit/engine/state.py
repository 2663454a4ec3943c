"""What the client knows, by domain; it outlives connections.

``reset`` forgets everything, ``forget_connection`` only what died with the link. Must not know how it is filled.
"""

from __future__ import annotations

from ibkit.engine.subscription import Subscription
from ibkit.events import interrupt
from ibkit.model.records import field, record

# Modules and not their classes: the domains know this module too.
from ibkit.engine import account as account_  # isort: skip
from ibkit.engine import history as history_  # isort: skip
from ibkit.engine import market as market_  # isort: skip
from ibkit.engine import news as news_  # isort: skip
from ibkit.engine import orders as orders_  # isort: skip
from ibkit.engine import reference as reference_  # isort: skip
from ibkit.engine import scanner as scanner_  # isort: skip

__all__ = ["State", "Subscription"]


@record
class State:
    """Everything the client knows."""

    orders: orders_.Orders = field(default_factory=lambda: orders_.Orders())
    account: account_.Accounts = field(default_factory=lambda: account_.Accounts())
    market: market_.Market = field(default_factory=lambda: market_.Market())
    history: history_.History = field(default_factory=lambda: history_.History())
    reference: reference_.Reference = field(default_factory=lambda: reference_.Reference())
    news: news_.News = field(default_factory=lambda: news_.News())
    scanner: scanner_.Scanners = field(default_factory=lambda: scanner_.Scanners())
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    """What keeps answering, by request id."""
    next_id: int = 1
    """The next request or order id; never goes back, so that an id once sent is never sent again."""

    def reset(self) -> None:
        """Forget everything but the ids that were used."""
        for domain in self._domains():
            domain.reset()
        self.subscriptions.clear()

    def end_subscriptions(self) -> None:
        """Forget what keeps answering: the user has ended the connection, it will not be begun again."""
        self.subscriptions.clear()
        for domain in (self.account, self.market, self.history, self.scanner):
            domain.end_subscriptions()

    def forget_connection(self) -> None:
        """Drop what died with the link; what is known stays readable."""
        for domain in self._domains():
            domain.forget_connection()

    def interrupt(self, error: Exception) -> None:
        """End the waiting for what keeps changing: the connection is lost, and may never come back.

        The events go on: what is subscribed is asked for again on the next connection.
        """
        owners = [feed.ticker for feed in self.market.by_object.values()]
        lists = [*self.history.bars.values(), *self.history.real_time.values(), *self.scanner.live.values()]
        for owner in (*owners, *lists):
            interrupt(owner, "updateEvent", error)

    def _domains(
        self,
    ) -> tuple[
        orders_.Orders, account_.Accounts, market_.Market, history_.History,
        reference_.Reference, news_.News, scanner_.Scanners,
    ]:  # fmt: skip
        return (self.orders, self.account, self.market, self.history, self.reference, self.news, self.scanner)
