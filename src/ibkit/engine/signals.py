"""The events of a connection as users see them: attributes of ``IB``.

Facts (a fill, a status, an error) reach every listener once and in order; events that say "this changed" come
once for each object when a listener was busy. Must not know who emits them.
"""

from __future__ import annotations

from typing import ClassVar

from ibkit.events import Event
from ibkit.model.ticker import PendingTickersEvent


class IBEvents:
    """Every event of a connection, made in the constructor.

    * connectedEvent(): connected and synchronized
    * disconnectedEvent(): the connection has ended, wanted or not
    * updateEvent(): after everything that one read of the network brought
    * pendingTickersEvent(tickers: set[Ticker]): after updateEvent, the tickers that changed
    * barUpdateEvent(bars, hasNewBar: bool): a real-time bar, or a bar that is kept up to date
    * newOrderEvent(trade), orderModifyEvent(trade), cancelOrderEvent(trade): in placeOrder and cancelOrder
    * openOrderEvent(trade): what the broker says about an order, unless it was asked for
    * orderStatusEvent(trade): the status of an order changed
    * execDetailsEvent(trade, fill): an order was filled, in part or whole
    * commissionReportEvent(trade, fill, report): what a fill cost
    * orderBoundEvent(trade): an order got an id of this client
    * updatePortfolioEvent(item: PortfolioItem), positionEvent(position: Position),
      accountValueEvent(value: AccountValue), accountSummaryEvent(value: AccountValue)
    * positionMultiEvent(position: Position, modelCode: str): positions of an account or model
    * pnlEvent(PnL), pnlSingleEvent(PnLSingle)
    * scannerDataEvent(rows: ScanDataList)
    * tickNewsEvent(NewsTick), newsBulletinEvent(NewsBulletin)
    * wshMetaEvent(json: str), wshEvent(json: str)
    * displayGroupUpdatedEvent(reqId: int, contractInfo: str)
    * errorEvent(reqId: int, errorCode: int, errorString: str, contract: Contract | None): every message code
    * errorDetailsEvent(error: RequestError): the same as an object, with the time it happened and reject details
    * timeoutEvent(idle: float): see IB.setTimeout
    """

    events: ClassVar[tuple[str, ...]] = (
        "connectedEvent",
        "disconnectedEvent",
        "updateEvent",
        "pendingTickersEvent",
        "barUpdateEvent",
        "newOrderEvent",
        "orderModifyEvent",
        "cancelOrderEvent",
        "openOrderEvent",
        "orderStatusEvent",
        "execDetailsEvent",
        "commissionReportEvent",
        "updatePortfolioEvent",
        "positionEvent",
        "accountValueEvent",
        "accountSummaryEvent",
        "pnlEvent",
        "pnlSingleEvent",
        "scannerDataEvent",
        "tickNewsEvent",
        "newsBulletinEvent",
        "wshMetaEvent",
        "wshEvent",
        "errorEvent",
        "timeoutEvent",
        "orderBoundEvent",
        "positionMultiEvent",
        "displayGroupUpdatedEvent",
        "errorDetailsEvent",
    )

    def __init__(self) -> None:
        self.connectedEvent = Event("connectedEvent")
        self.disconnectedEvent = Event("disconnectedEvent")
        self.updateEvent = Event("updateEvent", changed=True)
        self.pendingTickersEvent = PendingTickersEvent("pendingTickersEvent", changed=True)
        self.barUpdateEvent = Event("barUpdateEvent", changed=True)
        self.newOrderEvent = Event("newOrderEvent")
        self.orderModifyEvent = Event("orderModifyEvent")
        self.cancelOrderEvent = Event("cancelOrderEvent")
        self.openOrderEvent = Event("openOrderEvent")
        self.orderStatusEvent = Event("orderStatusEvent")
        self.execDetailsEvent = Event("execDetailsEvent")
        self.commissionReportEvent = Event("commissionReportEvent")
        self.orderBoundEvent = Event("orderBoundEvent")
        self.updatePortfolioEvent = Event("updatePortfolioEvent")
        self.positionEvent = Event("positionEvent")
        self.positionMultiEvent = Event("positionMultiEvent")
        self.accountValueEvent = Event("accountValueEvent")
        self.accountSummaryEvent = Event("accountSummaryEvent")
        self.pnlEvent = Event("pnlEvent")
        self.pnlSingleEvent = Event("pnlSingleEvent")
        self.scannerDataEvent = Event("scannerDataEvent", changed=True)
        self.tickNewsEvent = Event("tickNewsEvent")
        self.newsBulletinEvent = Event("newsBulletinEvent")
        self.wshMetaEvent = Event("wshMetaEvent")
        self.wshEvent = Event("wshEvent")
        self.displayGroupUpdatedEvent = Event("displayGroupUpdatedEvent")
        self.errorEvent = Event("errorEvent")
        self.errorDetailsEvent = Event("errorDetailsEvent")
        self.timeoutEvent = Event("timeoutEvent")
