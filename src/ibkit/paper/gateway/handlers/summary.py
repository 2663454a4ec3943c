"""Account summaries: chosen values of all accounts, told again every three minutes and when something happens."""

from __future__ import annotations

from ibkit.model import AccountValue
from ibkit.paper.gateway.handlers.account import PERIOD_S, Values
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import duplicate_id, failed, invalid
from ibkit.paper.gateway.routing import Watch
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.wire import messages as m

KIND = "account summary"


class Summary(Watch):
    """One subscription."""

    def __init__(self, session: Session, msg: m.ReqAccountSummary) -> None:
        self.session, self.msg = session, msg
        self.due = session.now
        accounts = session.gateway.accounts
        self._accounts = accounts if msg.groupName == "All" else [msg.groupName]
        self._values = {account: Values() for account in self._accounts}

    def advance(self, now: float) -> bool:
        req_id = self.msg.reqId
        for account, told in self._values.items():
            values: list[AccountValue] = self.session.gateway.broker.summary(now, account, self.msg.tags)
            for value in told.changed(values):
                self.session.send(m.AccountSummary(req_id, account, value.tag, value.value, value.currency))
        self.session.send(m.AccountSummaryEnd(req_id))
        self.due = following(now, PERIOD_S)
        return True

    def account_changed(self, account: str) -> None:
        if account in self._values:
            self.due = self.session.now


def req_account_summary(session: Session, msg: m.ReqAccountSummary) -> None:
    if session.find(KIND, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    if msg.groupName != "All" and msg.groupName not in session.gateway.accounts:
        raise invalid(f"Group name is invalid: {msg.groupName!r}")
    if not msg.tags.strip():
        raise invalid("No account summary tags were given")
    if len(session.active(KIND)) >= session.gateway.limits.summaries:
        raise failed("Maximum number of account summary requests exceeded")
    summary = Summary(session, msg)
    session.begin(KIND, msg.reqId, summary)
    summary.advance(session.now)


def cancel_account_summary(session: Session, msg: m.CancelAccountSummary) -> None:
    session.stop(KIND, msg.reqId)


HANDLERS: Handlers = {
    m.ReqAccountSummary: req_account_summary,
    m.CancelAccountSummary: cancel_account_summary,
}
