"""Profit and loss, of an account or one of its positions, once a second."""

from __future__ import annotations

from math import isnan

from ibkit.model.values import UNSET_DOUBLE
from ibkit.paper.gateway.handlers.account import check_account
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import Refusal, duplicate_id, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.wire import messages as m

KIND = "profit and loss"
SINGLE = "profit and loss of a position"
PERIOD_S = 1.0


def _told(value: float) -> float:
    """Return an amount as the message has it: what is not known is unset."""
    return UNSET_DOUBLE if isnan(value) else value


class Total:
    """The PnL of an account."""

    def __init__(self, session: Session, msg: m.ReqPnl, account: str) -> None:
        self.session, self.msg, self.account = session, msg, account
        self.due = session.now
        self._last: m.Pnl | None = None

    def advance(self, now: float) -> bool:
        pnl = self.session.gateway.broker.pnl(now, self.account, self.msg.modelCode)
        message = m.Pnl(self.msg.reqId, _told(pnl.dailyPnL), _told(pnl.unrealizedPnL), _told(pnl.realizedPnL))
        if message != self._last:
            self._last = message
            self.session.send(message)
        self.due = following(now, PERIOD_S)
        return True


class Single:
    """The PnL of one position."""

    def __init__(self, session: Session, msg: m.ReqPnlSingle, account: str) -> None:
        self.session, self.msg, self.account = session, msg, account
        self.due = session.now
        self._last: m.PnlSingle | None = None

    def advance(self, now: float) -> bool:
        msg = self.msg
        pnl = self.session.gateway.broker.pnl_single(now, self.account, msg.modelCode, msg.conid)
        message = m.PnlSingle(
            msg.reqId,
            float(pnl.position),
            _told(pnl.dailyPnL),
            _told(pnl.unrealizedPnL),
            _told(pnl.realizedPnL),
            _told(pnl.value),
        )
        if message != self._last:
            self._last = message
            self.session.send(message)
        self.due = following(now, PERIOD_S)
        return True


def req_pnl(session: Session, msg: m.ReqPnl) -> None:
    account = check_account(session, msg.account)
    if session.find(KIND, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    stream = Total(session, msg, account)
    session.begin(KIND, msg.reqId, stream)
    stream.advance(session.now)


def cancel_pnl(session: Session, msg: m.CancelPnl) -> None:
    if not session.stop(KIND, msg.reqId):
        raise Refusal(10185, "Failed to cancel PNL (not subscribed)")


def req_pnl_single(session: Session, msg: m.ReqPnlSingle) -> None:
    account = check_account(session, msg.account)
    if session.find(SINGLE, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    if session.gateway.catalogue.by_con_id(msg.conid) is None:
        raise invalid(f"Invalid contract id: {msg.conid}")
    stream = Single(session, msg, account)
    session.begin(SINGLE, msg.reqId, stream)
    stream.advance(session.now)


def cancel_pnl_single(session: Session, msg: m.CancelPnlSingle) -> None:
    if not session.stop(SINGLE, msg.reqId):
        raise Refusal(10185, "Failed to cancel PNL single (not subscribed)")


HANDLERS: Handlers = {
    m.ReqPnl: req_pnl,
    m.CancelPnl: cancel_pnl,
    m.ReqPnlSingle: req_pnl_single,
    m.CancelPnlSingle: cancel_pnl_single,
}
