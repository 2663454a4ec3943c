"""Accounts: values, portfolios, positions.

Must not know how answers are put together; the engine does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Final, TypeVar

from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.subscription import Subscription
from ibkit.model import AccountValue, PortfolioItem, Position
from ibkit.requests.base import Requests
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")

T = TypeVar("T")

SUMMARY_TAGS: Final = (
    "AccountType,NetLiquidation,TotalCashValue,SettledCash,AccruedCash,BuyingPower,EquityWithLoanValue,"
    "PreviousDayEquityWithLoanValue,GrossPositionValue,RegTEquity,RegTMargin,SMA,InitMarginReq,MaintMarginReq,"
    "AvailableFunds,ExcessLiquidity,Cushion,FullInitMarginReq,FullMaintMarginReq,FullAvailableFunds,"
    "FullExcessLiquidity,LookAheadNextChange,LookAheadInitMarginReq,LookAheadMaintMarginReq,"
    "LookAheadAvailableFunds,LookAheadExcessLiquidity,HighestSeverity,DayTradesRemaining,DayTradesRemainingT+1,"
    "DayTradesRemainingT+2,DayTradesRemainingT+3,DayTradesRemainingT+4,Leverage,$LEDGER:ALL"
)
"""Everything TWS can tell in a summary."""


def positions(engine: Engine, timeout: float | None = None) -> Call[list[Position]]:
    """Ask for all positions; they are kept up to date afterwards."""
    # Never cancelled: the answer keeps ``positions()`` up to date for everybody.
    return engine.ask(m.ReqPositions(), key="positions", name="reqPositions()", timeout=timeout)


def account_updates(engine: Engine, account: str, timeout: float | None = None) -> Call[None]:
    """Ask for the values and the portfolio of an account; they are kept up to date afterwards."""
    return engine.ask(
        m.ReqAcctData(True, account),
        key="accountUpdates",
        name=f"reqAccountUpdates({account!r})",
        timeout=timeout,
    )


def account_values_once(engine: Engine, account: str, timeout: float | None = None) -> Call[None]:
    """Ask for the values of one of several accounts, which the next connection asks for anew by itself."""
    req_id = engine.next_id()
    return engine.ask(
        m.ReqAccountUpdatesMulti(req_id, account, "", False),
        key=req_id,
        name=f"reqAccountUpdatesMulti({account!r})",
        timeout=timeout,
    )


def account_updates_multi(engine: Engine, account: str, model: str) -> Call[None]:
    """Ask for the values of an account or model, in place of an earlier request for the same that was answered."""
    subscription = _asked(engine, "accountUpdatesMulti", (account, model))
    if subscription is None:
        req_id = engine.next_id()
        start, cancel = m.ReqAccountUpdatesMulti(req_id, account, model, False), m.CancelAccountUpdatesMulti(req_id)
        subscription = Subscription(req_id, "accountUpdatesMulti", (account, model), start, cancel)
    return _follow(engine, subscription, f"reqAccountUpdatesMulti({account!r}, {model!r})")


def positions_multi(engine: Engine, account: str, model: str) -> Call[list[Position]]:
    """Ask for the positions of an account or model, in place of an earlier request for the same that was answered."""
    subscription = _asked(engine, "positionsMulti", (account, model))
    if subscription is None:
        req_id = engine.next_id()
        start, cancel = m.ReqPositionsMulti(req_id, account, model), m.CancelPositionsMulti(req_id)
        subscription = Subscription(req_id, "positionsMulti", (account, model), start, cancel)
    return _follow(engine, subscription, f"reqPositionsMulti({account!r}, {model!r})")


def _asked(engine: Engine, kind: str, subject: object) -> Subscription | None:
    """Return the subscription whose first picture somebody waits for; end one that has given it."""
    req_id = _find(engine, kind, subject)
    if req_id is not None and engine.calls.waiting(req_id):
        return engine.state.subscriptions[req_id]
    _end(engine, kind, subject)
    return None


def account_summary(engine: Engine) -> Call[None]:
    """Begin to follow the summary of all accounts, if that has not begun already."""
    accounts = engine.state.account
    subscription = engine.state.subscriptions.get(accounts.summary_id or 0)
    if subscription is None:
        req_id = accounts.summary_id = engine.next_id()
        start = m.ReqAccountSummary(req_id, "All", SUMMARY_TAGS)
        subscription = Subscription(req_id, "accountSummary", "All", start, m.CancelAccountSummary(req_id))
    elif not engine.calls.waiting(subscription.req_id):
        return Call.of(None, "reqAccountSummary()")
    return _follow(engine, subscription, "reqAccountSummary()")


def _follow(engine: Engine, subscription: Subscription, name: str) -> Call[T]:
    """Begin a subscription whose first picture is waited for; without it there is no subscription."""
    req_id = subscription.req_id
    call: Call[T] = engine.ask(subscription.start, key=req_id, name=name, cancel=subscription.cancel)
    engine.state.subscriptions[req_id] = subscription

    def answered(call: Call[T]) -> None:
        if call.error is not None:
            engine.state.subscriptions.pop(req_id, None)

    call.add_done_callback(answered)
    return call


def _find(engine: Engine, kind: str, subject: object) -> int | None:
    for req_id, subscription in engine.state.subscriptions.items():
        if subscription.kind == kind and subscription.subject == subject:
            return req_id
    return None


def _end(engine: Engine, kind: str, subject: object) -> bool:
    """End a subscription; False when there is none."""
    req_id = _find(engine, kind, subject)
    if req_id is not None:
        engine.unsubscribe(req_id)
    return req_id is not None


class AccountRequests(Requests):
    """Accounts and positions."""

    # -- what is known -------------------------------------------------------------------------------

    def managedAccounts(self) -> list[str]:
        """Return the accounts of this login.

        >>> ib.managedAccounts()
        ['DU1234567']
        """
        return list(self._state.account.managed)

    def accountValues(self, account: str = "") -> list[AccountValue]:
        """Return the values of an account: net liquidation, cash, margins, ... as texts.

        Args:
            account: whose; '' for all.

        >>> cash, = [v for v in ib.accountValues() if (v.tag, v.currency) == ('TotalCashValue', 'USD')]
        >>> cash.value
        '1000000.00'
        """
        return [value for value in list(self._state.account.values.values()) if account in ("", value.account)]

    def accountSummary(self, account: str = "") -> list[AccountValue]:
        """Return the summary of an account; the first call asks for it and waits.

        Afterwards it is kept up to date. IB's rules ("Account Summary" of the TWS API documentation): changes are told
        every three minutes, so ``accountValues`` is as fresh; two summaries at a time; fifty sub-accounts at most.

        Args:
            account: whose; '' for all.

        Returns: the values, as texts.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> {value.tag: value.value for value in ib.accountSummary()}['NetLiquidation']
        '1000000.00'
        """
        self._wait(account_summary)
        return self._summary(account)

    async def accountSummaryAsync(self, account: str = "") -> list[AccountValue]:
        """Return the summary like ``accountSummary``."""
        await self._future(account_summary)
        return self._summary(account)

    def _summary(self, account: str) -> list[AccountValue]:
        return [value for value in list(self._state.account.summary.values()) if account in ("", value.account)]

    def portfolio(self, account: str = "") -> list[PortfolioItem]:
        """Return the positions of an account with their values.

        Args:
            account: whose; '' for all accounts that are followed.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> ib.sleep(10)
        True
        >>> [(item.contract.symbol, item.position) for item in ib.portfolio()]
        [('AAPL', 100.0)]
        """
        return [item for item in list(self._state.account.portfolio.values()) if account in ("", item.account)]

    def positions(self, account: str = "") -> list[Position]:
        """Return the positions of an account.

        Args:
            account: whose; '' for all.

        >>> ib.positions()
        []
        """
        return [item for item in list(self._state.account.positions.values()) if account in ("", item.account)]

    def accountUpdateTime(self) -> str:
        """Return when the account values were worked out, as TWS says: 'HH:MM' in its zone; '' before it has said so.

        >>> ib.accountUpdateTime()
        '10:00'
        """
        return self._state.account.update_time

    # -- values and positions ------------------------------------------------------------------------

    def reqAccountUpdates(self, account: str = "") -> None:
        """Follow the values and the portfolio of an account; TWS follows one account at a time.

        ``connect`` does this already when there is one account, or one was given. accountValueEvent and
        updatePortfolioEvent tell of changes. IB's rules ("Account Updates" of the TWS API documentation): one account
        at a time (2100, 2101); changes come when a position changes, else every three minutes.

        Args:
            account: whose; '' for the only one.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqAccountUpdates('DU1234567')
        >>> len(ib.accountValues('DU1234567')) > 10
        True
        """
        self._wait(lambda engine: account_updates(engine, account))

    def reqAccountUpdatesAsync(self, account: str) -> Awaitable[None]:
        """Follow an account like ``reqAccountUpdates``."""
        return self._future(lambda engine: account_updates(engine, account))

    def cancelAccountUpdates(self, account: str = "") -> None:
        """Cancel ``reqAccountUpdates``: no longer follow the values and the portfolio of an account.

        Args:
            account: whose; '' for the only one.

        Raises NotConnected.

        >>> ib.cancelAccountUpdates('DU1234567')
        """
        self._do(lambda engine: engine.send(m.ReqAcctData(False, account)))

    def reqAccountUpdatesMulti(self, account: str = "", modelCode: str = "") -> None:
        """Follow the values of an account, or of a model in it; many can be followed at once.

        Args:
            account: whose.
            modelCode: of which model; '' for the whole account.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqAccountUpdatesMulti('DU1234567')
        >>> ib.cancelAccountUpdatesMulti('DU1234567')
        """
        self._wait(lambda engine: account_updates_multi(engine, account, modelCode))

    def reqAccountUpdatesMultiAsync(self, account: str, modelCode: str = "") -> Awaitable[None]:
        """Follow values like ``reqAccountUpdatesMulti``."""
        return self._future(lambda engine: account_updates_multi(engine, account, modelCode))

    def cancelAccountUpdatesMulti(self, account: str = "", modelCode: str = "") -> None:
        """Cancel ``reqAccountUpdatesMulti``; what is not followed is told by a line in the log.

        Args:
            account: as it was asked for.
            modelCode: as it was asked for.

        Raises NotConnected.

        >>> ib.reqAccountUpdatesMulti('DU1234567')
        >>> ib.cancelAccountUpdatesMulti('DU1234567')
        """
        if not self._do(lambda engine: _end(engine, "accountUpdatesMulti", (account, modelCode))):
            logger.error("cancelAccountUpdatesMulti: not followed: account %r, model %r", account, modelCode)

    def reqAccountSummary(self) -> None:
        """Follow the summary of all accounts, which ``accountSummary`` returns.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqAccountSummary()
        >>> ib.cancelAccountSummary()
        """
        self._wait(account_summary)

    def reqAccountSummaryAsync(self) -> Awaitable[None]:
        """Follow the summary like ``reqAccountSummary``."""
        return self._future(account_summary)

    def cancelAccountSummary(self) -> None:
        """Cancel the summary; the next ``accountSummary`` asks anew.

        Raises NotConnected.

        >>> ib.reqAccountSummary()
        >>> ib.cancelAccountSummary()
        """
        self._do(lambda engine: _end(engine, "accountSummary", "All"))

    def reqPositions(self) -> list[Position]:
        """Ask for the positions of all accounts; ``positions()`` has them already after ``connect``.

        Returns: the positions; positionEvent tells of changes.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqPositions()
        []
        """
        return self._wait(positions)

    def reqPositionsAsync(self) -> Awaitable[list[Position]]:
        """Ask like ``reqPositions``."""
        return self._future(positions)

    def cancelPositions(self) -> None:
        """Cancel ``reqPositions``: no longer keep ``positions()`` up to date.

        Raises NotConnected.

        >>> ib.cancelPositions()
        """
        self._do(lambda engine: engine.send(m.CancelPositions()))

    def reqPositionsMulti(self, account: str = "", modelCode: str = "") -> list[Position]:
        """Ask for the positions of an account or model; changes are told by positionMultiEvent.

        Args:
            account: whose.
            modelCode: of which model; '' for the whole account.

        Returns: the positions.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqPositionsMulti('DU1234567')
        []
        >>> ib.cancelPositionsMulti('DU1234567')
        """
        return self._wait(lambda engine: positions_multi(engine, account, modelCode))

    def reqPositionsMultiAsync(self, account: str = "", modelCode: str = "") -> Awaitable[list[Position]]:
        """Ask like ``reqPositionsMulti``."""
        return self._future(lambda engine: positions_multi(engine, account, modelCode))

    def cancelPositionsMulti(self, account: str = "", modelCode: str = "") -> None:
        """Cancel ``reqPositionsMulti``; what is not followed is told by a line in the log.

        Args:
            account: as it was asked for.
            modelCode: as it was asked for.

        Raises NotConnected.

        >>> positions = ib.reqPositionsMulti('DU1234567')
        >>> ib.cancelPositionsMulti('DU1234567')
        """
        if not self._do(lambda engine: _end(engine, "positionsMulti", (account, modelCode))):
            logger.error("cancelPositionsMulti: not followed: account %r, model %r", account, modelCode)
