"""``ib.wrapper`` as programs written for ib_insync read it: what is known, by the keys that ib_insync uses.

A view: what it returns says how things are at that moment. ``IB``'s own methods return the same as lists. Messages do
not pass through here, so there are no callbacks to override; ``IBEvents`` lists the events that tell what they tell.
Must not know any request.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from ibkit.engine.orders import Route
from ibkit.model import (
    AccountValue,
    BarDataList,
    Fill,
    IBDefaults,
    NewsBulletin,
    NewsTick,
    PnL,
    PnLSingle,
    PortfolioItem,
    Position,
    RealTimeBarList,
    ScanDataList,
    Ticker,
    Trade,
)
from ibkit.model.values import EPOCH

if TYPE_CHECKING:
    from datetime import tzinfo

    from ibkit.requests.connecting import ConnectRequests

OrderKeyType: TypeAlias = int | Route
"""A permId, or a client id and an order id."""


class Wrapper:
    """What an ``IB`` knows.

    Args:
        ib: whose.
    """

    def __init__(self, ib: ConnectRequests) -> None:
        self.ib = ib

    # -- the connection ------------------------------------------------------------------------------

    @property
    def clientId(self) -> int:
        """The client id of the connection, -1 before there was one."""
        return self.ib.client.clientId

    @property
    def accounts(self) -> list[str]:
        """The accounts of the login."""
        return self.ib._state.account.managed

    @property
    def lastTime(self) -> datetime:
        """When the last data came in; aware."""
        connection = self.ib._connection
        return EPOCH if connection is None else connection.engine.batch_time

    @property
    def time(self) -> float:
        """When the last data came in, in epoch seconds."""
        return self.lastTime.timestamp()

    @property
    def defaults(self) -> IBDefaults:
        """What stands for missing values."""
        return self.ib.defaults

    @property
    def defaultTimezone(self) -> tzinfo:
        """The zone of time stamps."""
        return self.ib.defaults.timezone

    @property
    def defaultEmptyPrice(self) -> float | None:
        """The price of an empty quote."""
        return self.ib.defaults.emptyPrice

    @property
    def defaultEmptySize(self) -> float | None:
        """The size of an empty quote."""
        return self.ib.defaults.emptySize

    # -- accounts ------------------------------------------------------------------------------------

    @property
    def accountValues(self) -> dict[tuple[str, str, str, str], AccountValue]:
        """Account values by account, tag, currency and model."""
        return self.ib._state.account.values

    @property
    def acctSummary(self) -> dict[tuple[str, str, str], AccountValue]:
        """The account summary by account, tag and currency."""
        return self.ib._state.account.summary

    @property
    def portfolio(self) -> dict[str, dict[int, PortfolioItem]]:
        """Portfolio items by account and conId."""
        found: dict[str, dict[int, PortfolioItem]] = {}
        for (account, con_id), item in list(self.ib._state.account.portfolio.items()):
            found.setdefault(account, {})[con_id] = item
        return found

    @property
    def positions(self) -> dict[str, dict[int, Position]]:
        """Positions by account and conId."""
        found: dict[str, dict[int, Position]] = {}
        for (account, con_id), position in list(self.ib._state.account.positions.items()):
            found.setdefault(account, {})[con_id] = position
        return found

    @property
    def reqId2PnL(self) -> dict[int, PnL]:
        """What ``reqPnL`` follows, by request id."""
        return self.ib._state.account.pnl

    @property
    def reqId2PnlSingle(self) -> dict[int, PnLSingle]:
        """What ``reqPnLSingle`` follows, by request id."""
        return self.ib._state.account.pnl_single

    @property
    def pnlKey2ReqId(self) -> dict[tuple[str, str], int]:
        """The request ids of ``reqPnL``, by account and model."""
        return {(pnl.account, pnl.modelCode): req_id for req_id, pnl in list(self.reqId2PnL.items())}

    @property
    def pnlSingleKey2ReqId(self) -> dict[tuple[str, str, int], int]:
        """The request ids of ``reqPnLSingle``, by account, model and conId."""
        return {(pnl.account, pnl.modelCode, pnl.conId): req_id for req_id, pnl in list(self.reqId2PnlSingle.items())}

    # -- orders --------------------------------------------------------------------------------------

    def orderKey(self, clientId: int, orderId: int, permId: int) -> OrderKeyType:
        """Return the key of an order in ``trades``: its permId when it was entered by hand."""
        return permId if orderId <= 0 else (clientId, orderId)

    @property
    def trades(self) -> dict[OrderKeyType, Trade]:
        """Trades by ``orderKey``."""
        return {
            self.orderKey(trade.order.clientId, trade.order.orderId, trade.order.permId): trade
            for trade in self.ib._state.orders
        }

    @property
    def permId2Trade(self) -> dict[int, Trade]:
        """Trades by permId."""
        return self.ib._state.orders.by_perm

    @property
    def fills(self) -> dict[str, Fill]:
        """Fills by execution id."""
        return self.ib._state.orders.fills

    # -- data ----------------------------------------------------------------------------------------

    @property
    def tickers(self) -> dict[int, Ticker]:
        """Tickers by the ``id()`` of their contract object."""
        return {key: feed.ticker for key, feed in list(self.ib._state.market.by_object.items())}

    @property
    def pendingTickers(self) -> set[Ticker]:
        """The tickers that the last batch changed."""
        return {feed.ticker for feed in self.ib._state.market.shown}

    @property
    def reqId2Ticker(self) -> dict[int, Ticker]:
        """Tickers by the ids of the requests that fill them."""
        return {req_id: feed.ticker for req_id, feed in list(self.ib._state.market.feeds.items())}

    @property
    def ticker2ReqId(self) -> dict[str, dict[Ticker, int]]:
        """The ids of the requests that fill tickers, by kind: mktData, snapshot, mktDepth, or a tick-by-tick type."""
        found: dict[str, dict[Ticker, int]] = {}
        for feed in list(self.ib._state.market.by_object.values()):
            for kind, ids in feed.streams.items():
                found.setdefault(kind, {})[feed.ticker] = ids[0]
        return found

    @property
    def reqId2Subscriber(self) -> dict[int, BarDataList | RealTimeBarList | ScanDataList]:
        """Lists that keep growing, by request id."""
        state = self.ib._state
        return {**state.history.bars, **state.history.real_time, **state.scanner.live}

    @property
    def wshMetaReqId(self) -> int:
        """The id of the request for the kinds of calendar events; 0 when there is none."""
        return self._wsh("wshMetaData")

    @property
    def wshEventReqId(self) -> int:
        """The id of the request for calendar events; 0 when there is none."""
        return self._wsh("wshEventData")

    def _wsh(self, kind: str) -> int:
        subscriptions = list(self.ib._state.subscriptions.values())
        return next((each.req_id for each in subscriptions if each.kind == kind), 0)

    # -- news ----------------------------------------------------------------------------------------

    @property
    def newsTicks(self) -> list[NewsTick]:
        """Headlines that came in."""
        return self.ib._state.news.ticks

    @property
    def msgId2NewsBulletin(self) -> dict[int, NewsBulletin]:
        """Bulletins by message id."""
        return self.ib._state.news.bulletins
