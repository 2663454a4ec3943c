"""The gateway: sessions, one broker, one market, one clock. It acts when it is told what time it is.

Pure: the same bytes at the same moments give the same bytes. Must not know sockets, threads or the wall clock;
``server.py`` and ``inprocess.py`` move bytes and time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ibkit.clock import Clock
from ibkit.paper.broker import Broker, Models
from ibkit.paper.gateway import times
from ibkit.paper.gateway.configuration import Configuration
from ibkit.paper.gateway.handlers import DATA_STREAMS, HANDLERS
from ibkit.paper.gateway.limits import Limits, Pacing
from ibkit.paper.gateway.newsroom import Newsroom
from ibkit.paper.gateway.routing import Router
from ibkit.paper.gateway.session import Session
from ibkit.paper.instruments import Catalogue
from ibkit.paper.market import Market, Shock
from ibkit.wire import MAX_VERSION, MIN_VERSION

log = logging.getLogger("ibkit.paper")


class Gateway:
    """A simulated IB Gateway.

    Args:
        clock: where its time comes from; it is read by ``tick`` alone.
        seed: of the market.
        server_version: the newest protocol version it speaks, 157 to 225.
        accounts: the accounts of the login.
        limits: rates, lines and permissions.
        models: how the broker fills, and what it charges.
        master_client: the client id that is told about the orders of all clients; None: no one is.
        store: where the broker keeps its books; None: nowhere.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 1,
        server_version: int = MAX_VERSION,
        accounts: Sequence[str] = ("DU1234567",),
        limits: Limits | None = None,
        models: Models | None = None,
        master_client: int | None = None,
        store: str | None = None,
    ) -> None:
        if not MIN_VERSION <= server_version <= MAX_VERSION:
            raise ValueError(f"the server version must be {MIN_VERSION} to {MAX_VERSION}, got {server_version}")
        if not accounts or not all(accounts):
            raise ValueError("a gateway needs at least one account, such as DU1234567")
        self.clock = clock
        self.now = clock.time()
        self.seed = seed
        self.server_version = server_version
        self.limits = limits or Limits()
        self.master_client = master_client
        self.handlers = HANDLERS
        self.sessions: list[Session] = []
        self.catalogue = Catalogue(seed, times.today(self.now))
        self.market = Market(seed, self.catalogue)
        self.broker = Broker(self.catalogue, self.market, self.now, tuple(accounts), models or Models(), store)
        self.broker.listener = Router(self)
        self.pacing = Pacing()
        self.newsroom = Newsroom(seed)
        self.configuration = Configuration()
        self.groups: dict[int, str] = {}
        self.cut_off_since: float | None = None

    @property
    def accounts(self) -> list[str]:
        """The accounts of the login."""
        return self.broker.accounts()

    # -- sessions -----------------------------------------------------------------------------------------------

    def connect(self, peer: str) -> Session:
        """Return the session of a new connection; ``peer`` names it in the log."""
        session = Session(self, peer)
        if len(self.sessions) >= self.limits.clients:
            session.end(f"{self.limits.clients} clients are connected already")
        else:
            self.sessions.append(session)
            log.info("%s: connected", session)
        return session

    def receive(self, session: Session, data: bytes) -> None:
        """Give a session what its client sent, after all that was due before."""
        self.tick()
        session.receive(data)
        self._sweep()

    def disconnect(self, session: Session, reason: str) -> None:
        """End a session whose client has gone; its orders stay."""
        session.end(reason)
        self._sweep()

    def of_client(self, client_id: int) -> Session | None:
        """Return the session of a client id."""
        for session in self.sessions:
            if session.started and session.client_id == client_id and not session.closed:
                return session
        return None

    # -- time ---------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do everything that is due at the time of the clock."""
        self.advance(self.clock.time())

    def advance(self, now: float) -> None:
        """Do everything that is due until ``now``: fills first, then what sessions tell their clients."""
        if now > self.now:
            self.now = now
            self.catalogue.today = times.today(now)
        self.broker.advance(self.now)
        for session in list(self.sessions):
            session.advance(self.now)
        self._sweep()

    def next_due(self) -> float | None:
        """Return the moment of the next thing to happen; None when nothing will without a client."""
        dues = [due for session in self.sessions if (due := session.next_due()) is not None]
        due = self.broker.next_due(self.now)
        if due is not None:
            dues.append(due)
        return min(dues, default=None)

    def shock(self, symbol: str, percent: float, over_s: float = 0.0, after_s: float = 0.0) -> None:
        """Move everything that hangs on ``symbol`` by ``percent``, in ``after_s`` seconds, spread over ``over_s``.

        Raises InvalidRequest (a ValueError) for a symbol nobody knows.
        """
        self.tick()
        self.market.shock(Shock(symbol, percent, self.now + after_s, over_s))

    def cut_off(self) -> None:
        """Lose the connection to IB (1100): clients stay connected, and hear nothing until ``restore``.

        Markets move and orders fill meanwhile. Cut off already, nothing happens.
        """
        self.tick()
        if self.cut_off_since is None:
            self.cut_off_since = self.now
            for session in self.sessions:
                session.cut_off()

    def restore(self, data_lost: bool = True) -> None:
        """End what ``cut_off`` began: 1101, and subscriptions to data have ended; or 1102, and they go on."""
        self.tick()
        if self.cut_off_since is not None:
            self.cut_off_since = None
            for session in list(self.sessions):
                session.restored(DATA_STREAMS if data_lost else frozenset())
            self._sweep()

    def close(self) -> None:
        """End all sessions and let go of the store; the gateway must not be used afterwards."""
        for session in self.sessions:
            session.end("the gateway has stopped")
        self._sweep()
        self.broker.close()

    def _sweep(self) -> None:
        if any(session.closed for session in self.sessions):
            self.sessions = [session for session in self.sessions if not session.closed]
