"""Account updates (one account a client) and multi-account updates; advisors' requests, which this login is refused."""

from __future__ import annotations

from ibkit.model import AccountValue, FamilyCode, PortfolioItem
from ibkit.paper.gateway import times
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import duplicate_id, invalid
from ibkit.paper.gateway.routing import Watch
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import following
from ibkit.wire import messages as m

KIND = "account updates"
MULTI = "account updates multi"

PERIOD_S = 180.0
"""How often values are told again that hang on the market."""

# What a client gets that wants the ledger and the net liquidation value alone.
_LEDGER = frozenset({
    "AccountCode", "AccountOrGroup", "AccruedCash", "CashBalance", "CorporateBondValue", "Currency", "ExchangeRate",
    "FundValue", "FutureOptionValue", "FuturesPNL", "FxCashBalance", "IssuerOptionValue", "MoneyMarketFundValue",
    "MutualFundValue", "NetDividend", "NetLiquidation", "NetLiquidationByCurrency", "OptionMarketValue", "RealCurrency",
    "RealizedPnL", "StockMarketValue", "TBillValue", "TBondValue", "TotalCashBalance", "UnrealizedPnL", "WarrantValue",
})  # fmt: skip


def check_account(session: Session, account: str) -> str:
    """Return the account meant by a text; raises Refusal for one this login does not have."""
    accounts = session.gateway.accounts
    if not account and len(accounts) == 1:
        return accounts[0]
    if account not in accounts:
        raise invalid(f"Invalid account code '{account}'")
    return account


class Values:
    """What was told of an account: only what changed is told again."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], str] = {}

    def changed(self, values: list[AccountValue]) -> list[AccountValue]:
        """Return those of ``values`` that are new or differ from what was told, and note them."""
        found = []
        for value in values:
            key = (value.tag, value.currency, value.modelCode)
            if self._told.get(key) != value.value:
                self._told[key] = value.value
                found.append(value)
        return found


class Updates(Watch):
    """The account a client watches."""

    def __init__(self, session: Session, account: str) -> None:
        self.session, self.account = session, account
        self.due = session.now
        self._values = Values()
        self._items: dict[int, PortfolioItem] = {}
        self._begun = False

    def advance(self, now: float) -> bool:
        send, broker = self.session.send, self.session.gateway.broker
        for value in self._values.changed(broker.account_values(now, self.account)):
            send(m.AcctValue(value.tag, value.value, value.currency, self.account))
        items = {item.contract.conId: item for item in broker.portfolio(now, self.account)}
        for con_id, item in self._items.items():
            if con_id not in items and item.position:  # closed: told once, with size 0
                items[con_id] = item._replace(position=0.0, marketValue=0.0, unrealizedPNL=0.0)
        for con_id, item in items.items():
            if self._items.get(con_id) != item:
                send(m.PortfolioValue(*item))
        self._items = items
        send(m.AcctUpdateTime(times.clock(now)))
        if not self._begun:
            self._begun = True
            send(m.AcctDownloadEnd(self.account))
        self.due = following(now, PERIOD_S)
        return True

    def account_changed(self, account: str) -> None:
        if account == self.account:
            self.due = self.session.now


def req_acct_data(session: Session, msg: m.ReqAcctData) -> None:
    if not msg.subscribe:
        session.stop(KIND, 0)
        return
    account = check_account(session, msg.acctCode)
    before = next(iter(session.active(KIND)), None)
    if isinstance(before, Updates) and before.account != account:
        session.error(
            -1, 2100, "New account data requested from TWS.  API client has been unsubscribed from account data."
        )
    session.stop(KIND, 0)
    updates = Updates(session, account)
    session.begin(KIND, 0, updates)
    updates.advance(session.now)


class MultiUpdates(Watch):
    """Several accounts, or a model, as one subscription."""

    def __init__(self, session: Session, msg: m.ReqAccountUpdatesMulti, accounts: list[str]) -> None:
        self.session, self.msg = session, msg
        self.due = session.now
        self._values = {account: Values() for account in accounts}

    def advance(self, now: float) -> bool:
        msg = self.msg
        for account, told in self._values.items():
            values = self.session.gateway.broker.account_values(now, account)
            if msg.ledgerAndNLV:
                values = [value for value in values if value.tag in _LEDGER]
            for value in told.changed(values):
                self.session.send(
                    m.AccountUpdateMulti(msg.reqId, account, msg.modelCode, value.tag, value.value, value.currency)
                )
        self.due = following(now, PERIOD_S)
        return True

    def account_changed(self, account: str) -> None:
        if account in self._values:
            self.due = self.session.now


def req_account_updates_multi(session: Session, msg: m.ReqAccountUpdatesMulti) -> None:
    if session.find(MULTI, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    # Models are an advisor's: there are none, so there is nothing in them.
    accounts = [] if msg.modelCode else accounts_of(session, msg.account)
    updates = MultiUpdates(session, msg, accounts)
    session.begin(MULTI, msg.reqId, updates)
    updates.advance(session.now)
    session.send(m.AccountUpdateMultiEnd(msg.reqId))


def accounts_of(session: Session, account: str) -> list[str]:
    """Return the accounts a text stands for: one, or all for '' and All."""
    if account in ("", "All"):
        return session.gateway.accounts
    return [check_account(session, account)]


def cancel_account_updates_multi(session: Session, msg: m.CancelAccountUpdatesMulti) -> None:
    session.stop(MULTI, msg.reqId)


def req_family_codes(session: Session, msg: m.ReqFamilyCodes) -> None:
    session.send(m.FamilyCodes([FamilyCode(account, "") for account in session.gateway.accounts]))


def req_fa(session: Session, msg: m.ReqFa) -> None:
    raise invalid("FA data operations ignored for non FA customers.")


def replace_fa(session: Session, msg: m.ReplaceFa) -> None:
    raise invalid("FA data operations ignored for non FA customers.")


HANDLERS: Handlers = {
    m.ReqAcctData: req_acct_data,
    m.ReqAccountUpdatesMulti: req_account_updates_multi,
    m.CancelAccountUpdatesMulti: cancel_account_updates_multi,
    m.ReqFamilyCodes: req_family_codes,
    m.ReqFa: req_fa,
    m.ReplaceFa: replace_fa,
}
