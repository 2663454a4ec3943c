"""Display groups: the coloured windows of TWS that share a contract. Kept, and told to all who listen."""

from __future__ import annotations

from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import Standing
from ibkit.wire import messages as m

KIND = "display group"
GROUPS = range(1, 8)


class Listening(Standing):
    """One client's subscription to one group."""

    def __init__(self, session: Session, req_id: int, group: int) -> None:
        self.session, self.req_id, self.group = session, req_id, group

    def tell(self) -> None:
        shown = self.session.gateway.groups.get(self.group, "none")
        self.session.send(m.DisplayGroupUpdated(self.req_id, shown))


def query(session: Session, msg: m.QueryDisplayGroups) -> None:
    session.send(m.DisplayGroupList(msg.reqId, "|".join(map(str, GROUPS))))


def subscribe(session: Session, msg: m.SubscribeToGroupEvents) -> None:
    if msg.groupId not in GROUPS:
        raise invalid(f"There is no display group {msg.groupId}")
    listening = Listening(session, msg.reqId, msg.groupId)
    session.begin(KIND, msg.reqId, listening)
    listening.tell()


def update(session: Session, msg: m.UpdateDisplayGroup) -> None:
    mine = session.find(KIND, msg.reqId)
    if not isinstance(mine, Listening):
        raise invalid(f"Request {msg.reqId} is not subscribed to a display group")
    session.gateway.groups[mine.group] = msg.contractInfo or "none"
    for other in session.gateway.sessions:
        for listening in other.active(KIND):
            if isinstance(listening, Listening) and listening.group == mine.group:
                listening.tell()


def unsubscribe(session: Session, msg: m.UnsubscribeFromGroupEvents) -> None:
    if not session.stop(KIND, msg.reqId):
        raise invalid(f"Request {msg.reqId} is not subscribed to a display group")


HANDLERS: Handlers = {
    m.QueryDisplayGroups: query,
    m.SubscribeToGroupEvents: subscribe,
    m.UpdateDisplayGroup: update,
    m.UnsubscribeFromGroupEvents: unsubscribe,
}
