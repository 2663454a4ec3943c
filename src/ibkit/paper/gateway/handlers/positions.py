"""Positions: all of the login, or those of some accounts; then each change."""

from __future__ import annotations

from ibkit.model import Position
from ibkit.paper.gateway.handlers.account import accounts_of
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import duplicate_id
from ibkit.paper.gateway.routing import Watch
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import ASLEEP
from ibkit.wire import messages as m

KIND = "positions"
MULTI = "positions multi"


class All(Watch):
    """Every position of the login."""

    due = ASLEEP

    def __init__(self, session: Session) -> None:
        self.session = session

    def advance(self, now: float) -> bool:
        return True

    def position(self, position: Position) -> None:
        self.session.send(m.PositionData(*position))


class Some(Watch):
    """The positions of some accounts."""

    due = ASLEEP

    def __init__(self, session: Session, msg: m.ReqPositionsMulti, accounts: list[str]) -> None:
        self.session, self.msg, self.accounts = session, msg, accounts

    def advance(self, now: float) -> bool:
        return True

    def position(self, position: Position) -> None:
        if position.account in self.accounts:
            account, contract, size, cost = position
            self.session.send(m.PositionMulti(self.msg.reqId, account, contract, size, cost, self.msg.modelCode))


def req_positions(session: Session, msg: m.ReqPositions) -> None:
    session.stop(KIND, 0)  # asked again: one subscription a client, told anew
    watch = All(session)
    session.begin(KIND, 0, watch)
    for position in session.gateway.broker.positions():
        watch.position(position)
    session.send(m.PositionEnd())


def cancel_positions(session: Session, msg: m.CancelPositions) -> None:
    session.stop(KIND, 0)


def req_positions_multi(session: Session, msg: m.ReqPositionsMulti) -> None:
    if session.find(MULTI, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    watch = Some(session, msg, [] if msg.modelCode else accounts_of(session, msg.account))
    session.begin(MULTI, msg.reqId, watch)
    for position in session.gateway.broker.positions():
        watch.position(position)
    session.send(m.PositionMultiEnd(msg.reqId))


def cancel_positions_multi(session: Session, msg: m.CancelPositionsMulti) -> None:
    session.stop(MULTI, msg.reqId)


HANDLERS: Handlers = {
    m.ReqPositions: req_positions,
    m.CancelPositions: cancel_positions,
    m.ReqPositionsMulti: req_positions_multi,
    m.CancelPositionsMulti: cancel_positions_multi,
}
