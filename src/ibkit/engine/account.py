"""Accounts: values, portfolios, positions, profit and loss.

What the gateway sends first after a request is a picture of everything; what is not in the picture is gone (a
position closed while the connection was down). Afterwards it sends changes. Must not know orders.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

from ibkit.model import UNSET_DOUBLE, AccountValue, Contract, PnL, PnLSingle, PortfolioItem, Position
from ibkit.model.records import field, record
from ibkit.model.values import nan
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.engine")

PlaceKey: TypeAlias = tuple[str, int]
"""An account and a conId."""


@record
class Accounts:
    """What is known about accounts; the dicts keep the order in which things were first told."""

    managed: list[str] = field(default_factory=list)
    values: dict[tuple[str, str, str, str], AccountValue] = field(default_factory=dict)
    """By account, tag, currency and model."""
    summary: dict[tuple[str, str, str], AccountValue] = field(default_factory=dict)
    """By account, tag and currency."""
    summary_id: int | None = None
    """Of the subscription that keeps ``summary`` up to date."""
    portfolio: dict[PlaceKey, PortfolioItem] = field(default_factory=dict)
    positions: dict[PlaceKey, Position] = field(default_factory=dict)
    pnl: dict[int, PnL] = field(default_factory=dict)
    """By request id, like ``pnl_single``."""
    pnl_single: dict[int, PnLSingle] = field(default_factory=dict)
    update_time: str = ""
    """When the account values were worked out, as the gateway says: HH:MM."""
    told_positions: set[PlaceKey] = field(default_factory=set)
    """In the picture that is being sent, like ``told_portfolio``."""
    told_portfolio: set[PlaceKey] = field(default_factory=set)

    def reset(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]  # the defaults are said once, above

    def end_subscriptions(self) -> None:
        """No longer follow profits and losses and the summary."""
        self.pnl.clear()
        self.pnl_single.clear()
        self.summary_id = None

    def forget_connection(self) -> None:
        """Forget half-sent pictures; a subscription is begun again with the connection that replaces this one."""
        self.told_positions.clear()
        self.told_portfolio.clear()


def specific(contract: Contract) -> Contract:
    """Return ``contract`` as the class that fits its security type."""
    return Contract.recreate(contract) if type(contract) is Contract else contract


# -- values ----------------------------------------------------------------------------------------------


def acct_value(engine: Engine, msg: m.AcctValue) -> None:
    _value(engine, AccountValue(msg.accountName, msg.key, msg.val, msg.currency, ""))


def account_update_multi(engine: Engine, msg: m.AccountUpdateMulti) -> None:
    _value(engine, AccountValue(msg.account, msg.key, msg.value, msg.currency, msg.modelCode))


def _value(engine: Engine, value: AccountValue) -> None:
    engine.state.account.values[value.account, value.tag, value.currency, value.modelCode] = value
    engine.events.accountValueEvent.emit(value)


def account_update_multi_end(engine: Engine, msg: m.AccountUpdateMultiEnd) -> None:
    engine.calls.finish(msg.reqId, None)


def acct_update_time(engine: Engine, msg: m.AcctUpdateTime) -> None:
    engine.state.account.update_time = msg.timeStamp


def portfolio_value(engine: Engine, msg: m.PortfolioValue) -> None:
    accounts = engine.state.account
    item = PortfolioItem(
        specific(msg.contract),
        msg.position,
        msg.marketPrice,
        msg.marketValue,
        msg.averageCost,
        msg.unrealizedPNL,
        msg.realizedPNL,
        msg.accountName,
    )
    key = (msg.accountName, item.contract.conId)
    accounts.told_portfolio.add(key)
    if item.position == 0:
        accounts.portfolio.pop(key, None)
    else:
        accounts.portfolio[key] = item
    engine.events.updatePortfolioEvent.emit(item)


def acct_download_end(engine: Engine, msg: m.AcctDownloadEnd) -> None:
    accounts = engine.state.account
    for key in [key for key in accounts.portfolio if key[0] == msg.accountName]:
        if key not in accounts.told_portfolio:
            del accounts.portfolio[key]
    accounts.told_portfolio.clear()
    engine.calls.finish("accountUpdates", None)


def account_summary(engine: Engine, msg: m.AccountSummary) -> None:
    value = AccountValue(msg.account, msg.tag, msg.value, msg.currency, "")
    engine.state.account.summary[msg.account, msg.tag, msg.currency] = value
    engine.events.accountSummaryEvent.emit(value)


def account_summary_end(engine: Engine, msg: m.AccountSummaryEnd) -> None:
    engine.calls.finish(msg.reqId, None)


# -- positions -------------------------------------------------------------------------------------------


def position_data(engine: Engine, msg: m.PositionData) -> None:
    accounts = engine.state.account
    position = Position(msg.account, specific(msg.contract), msg.position, msg.avgCost)
    key = (msg.account, position.contract.conId)
    accounts.told_positions.add(key)
    if position.position == 0:
        accounts.positions.pop(key, None)
    else:
        accounts.positions[key] = position
    engine.calls.add("positions", position)
    engine.events.positionEvent.emit(position)


def position_end(engine: Engine, msg: m.PositionEnd) -> None:
    accounts = engine.state.account
    for key in [key for key in accounts.positions if key not in accounts.told_positions]:
        del accounts.positions[key]
    accounts.told_positions.clear()
    engine.calls.finish("positions")


def position_multi(engine: Engine, msg: m.PositionMulti) -> None:
    position = Position(msg.account, specific(msg.contract), msg.pos, msg.avgCost)
    engine.calls.add(msg.reqId, position)
    engine.events.positionMultiEvent.emit(position, msg.modelCode)


def position_multi_end(engine: Engine, msg: m.PositionMultiEnd) -> None:
    engine.calls.finish(msg.reqId)


# -- profit and loss -------------------------------------------------------------------------------------


def _told(value: float) -> float:
    return nan if value == UNSET_DOUBLE else value


def pnl(engine: Engine, msg: m.Pnl) -> None:
    subject = engine.state.account.pnl.get(msg.reqId)
    if subject is not None:
        subject.dailyPnL = _told(msg.dailyPnL)
        subject.unrealizedPnL = _told(msg.unrealizedPnL)
        subject.realizedPnL = _told(msg.realizedPnL)
        engine.events.pnlEvent.emit(subject)


def pnl_single(engine: Engine, msg: m.PnlSingle) -> None:
    subject = engine.state.account.pnl_single.get(msg.reqId)
    if subject is not None:
        subject.position = msg.pos
        subject.dailyPnL = _told(msg.dailyPnL)
        subject.unrealizedPnL = _told(msg.unrealizedPnL)
        subject.realizedPnL = _told(msg.realizedPnL)
        subject.value = _told(msg.value)
        engine.events.pnlSingleEvent.emit(subject)


# -- advisors and small answers --------------------------------------------------------------------------


def receive_fa(engine: Engine, msg: m.ReceiveFa) -> None:
    engine.calls.finish(f"fa-{msg.faData}", msg.cxml)


def replace_fa_end(engine: Engine, msg: m.ReplaceFaEnd) -> None:
    logger.info("advisor data replaced (reqId %d): %s", msg.reqId, msg.text)
    engine.calls.finish(msg.reqId, msg.text)


def family_codes(engine: Engine, msg: m.FamilyCodes) -> None:
    engine.calls.finish("familyCodes", msg.familyCodes)


def soft_dollar_tiers(engine: Engine, msg: m.SoftDollarTiers) -> None:
    engine.calls.finish(msg.reqId, msg.tiers)


REDUCERS: Reducers = {
    m.AcctValue: acct_value,
    m.AcctUpdateTime: acct_update_time,
    m.AcctDownloadEnd: acct_download_end,
    m.PortfolioValue: portfolio_value,
    m.AccountUpdateMulti: account_update_multi,
    m.AccountUpdateMultiEnd: account_update_multi_end,
    m.AccountSummary: account_summary,
    m.AccountSummaryEnd: account_summary_end,
    m.PositionData: position_data,
    m.PositionEnd: position_end,
    m.PositionMulti: position_multi,
    m.PositionMultiEnd: position_multi_end,
    m.Pnl: pnl,
    m.PnlSingle: pnl_single,
    m.ReceiveFa: receive_fa,
    m.ReplaceFaEnd: replace_fa_end,
    m.FamilyCodes: family_codes,
    m.SoftDollarTiers: soft_dollar_tiers,
}
