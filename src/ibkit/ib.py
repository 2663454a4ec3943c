"""``IB``: the connection to a gateway as users hold it, with all requests, events and what is known.

Everything it does is in requests/; here it is put together. Must not know any message.
"""

from __future__ import annotations

from ibkit import util
from ibkit.engine.core import Engine
from ibkit.errors import ConnectionLost
from ibkit.model import IBDefaults
from ibkit.requests.account import AccountRequests
from ibkit.requests.advisors import AdvisorRequests
from ibkit.requests.client import Client
from ibkit.requests.connecting import ConnectRequests
from ibkit.requests.history import HistoryRequests
from ibkit.requests.market import MarketRequests
from ibkit.requests.news import NewsRequests
from ibkit.requests.options import OptionRequests
from ibkit.requests.orders import OrderRequests
from ibkit.requests.pnl import PnLRequests
from ibkit.requests.reference import ReferenceRequests
from ibkit.requests.scanner import ScannerRequests
from ibkit.requests.system import SystemRequests
from ibkit.requests.wrapper import Wrapper

__all__ = ["IB", "Client", "Wrapper"]


class IB(
    ConnectRequests,
    OrderRequests,
    AccountRequests,
    PnLRequests,
    AdvisorRequests,
    MarketRequests,
    HistoryRequests,
    ReferenceRequests,
    NewsRequests,
    ScannerRequests,
    OptionRequests,
    SystemRequests,
):
    """A connection to TWS or IB Gateway.

    Requests that have an answer come in two forms: ``reqX()`` waits for it, wherever it is called (a script, a
    notebook, a handler, another thread), while everything else goes on; ``await reqXAsync()`` is for coroutines. What
    is known (orders, fills, positions, tickers ...) is kept up to date and read without waiting. Events tell what
    happens; see ``IBEvents``.

    ``RequestTimeout``, ``QuietTimeout``, ``SnapshotTimeout``, ``RaiseRequestErrors``, ``MaxSyncedSubAccounts`` and
    ``TimezoneTWS`` can be set on the class, a subclass or an instance.

    Args:
        defaults: what stands for missing values, and the zone of times.
        background: serve the connection in a thread of its own, for programs that never wait in the library
            (Streamlit, Flask); handlers run in that thread.

    >>> from ibkit import IB, Stock
    >>> with IB().connect(port=4002) as ib:
    ...     print(ib.reqContractDetails(Stock('AAPL', 'SMART', 'USD'))[0].longName)
    APPLE INC
    """

    run = staticmethod(util.run)
    schedule = staticmethod(util.schedule)
    sleep = staticmethod(util.sleep)
    timeRange = staticmethod(util.timeRange)
    timeRangeAsync = staticmethod(util.timeRangeAsync)
    waitUntil = staticmethod(util.waitUntil)

    def __init__(self, defaults: IBDefaults | None = None, *, background: bool = False) -> None:
        super().__init__(defaults, background=background)
        self.client = Client(self)
        self.wrapper = Wrapper(self)

    def _ended(self, engine: Engine, reason: str) -> None:
        super()._ended(engine, reason)
        if not engine.wanted_end:
            util.globalErrorEvent.emit(ConnectionLost(reason))

    def __repr__(self) -> str:
        connection = self._connection
        if connection is None or not connection.engine.ready:
            return "<IB not connected>"
        engine = connection.engine
        return f"<IB connected to {engine.name} clientId={engine.client_id}>"
