"""Executions and what they cost.

An execution is known by its execId. A correction repeats the id with a higher last part and replaces what it
corrects. The cost comes in a message of its own, usually later, and is unset until then. Must not know orders
beyond the trade a fill belongs to.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ibkit.dates import parse_moment
from ibkit.engine import orders
from ibkit.engine.account import specific
from ibkit.events import fire
from ibkit.model import CommissionReport, Fill, Trade
from ibkit.model.records import stored
from ibkit.model.trade import exec_revision
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.engine")

EARLY_MAX: Final = 1000
"""Commission reports kept for executions that have not come."""


def execution_data(engine: Engine, msg: m.ExecutionData) -> None:
    known = engine.state.orders
    execution = msg.execution
    exec_id = execution.execId
    base, revision = exec_revision(exec_id)
    current = known.revisions.get(base)
    if current is not None and exec_revision(current)[1] >= revision:
        if current == exec_id:
            engine.calls.add(msg.reqId, known.fills[exec_id])
        return  # told before, or corrected since
    live = msg.reqId <= 0  # else it was asked for, be it that nobody waits for the answer any more
    execution.time = _time(engine, msg.time)
    trade = known.find(execution.clientId, execution.orderId, execution.permId)
    contract = specific(msg.contract)
    if trade is not None and trade.contract == contract:
        contract = trade.contract
    report = known.early_commissions.pop(exec_id, None)
    fill = Fill(
        contract,
        execution,
        report or CommissionReport(),
        engine.batch_time if live else execution.time,
    )
    corrected = None if current is None else known.fills.pop(current)
    known.fills[exec_id] = fill
    known.revisions[base] = exec_id
    engine.calls.add(msg.reqId, fill)
    if trade is None:
        strays = known.strays.setdefault(execution.permId, [])
        if corrected is not None:
            strays[:] = [stray for stray in strays if stray[0] is not corrected]
        strays.append((fill, live))
        return
    known.identify(trade, execution.clientId, execution.orderId, execution.permId)
    known.held[trade].hear()
    if live:
        trade.unknown = False
    orders.add_fill(engine, trade, fill, live or known.held[trade].offline, corrected)
    if report is not None:
        _tell(engine, trade, fill)


def _time(engine: Engine, text: str) -> datetime:
    """Return the time of an execution; a fill whose time cannot be read is a fill all the same."""
    try:
        moment = parse_moment(text)
    except ValueError as error:
        logger.error("the time of an execution cannot be read, that of its arrival is used: %s", error)
        return engine.batch_time
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=engine.zone_of_tws())
    return moment.astimezone(engine.settings.defaults.timezone)


def execution_data_end(engine: Engine, msg: m.ExecutionDataEnd) -> None:
    engine.calls.finish(msg.reqId)


def commission_report(engine: Engine, msg: m.CommissionAndFeesReport) -> None:
    known = engine.state.orders
    report = msg.commissionAndFeesReport
    fill = known.fills.get(report.execId)
    if fill is None:
        if len(known.early_commissions) >= EARLY_MAX:
            del known.early_commissions[next(iter(known.early_commissions))]
        known.early_commissions[report.execId] = report
        return
    held = fill.commissionReport
    if held.execId == report.execId and held == report:
        return
    stored(held).update(stored(report))
    trade = known.by_perm.get(fill.execution.permId)
    if trade is not None:
        _tell(engine, trade, fill)


def _tell(engine: Engine, trade: Trade, fill: Fill) -> None:
    engine.events.commissionReportEvent.emit(trade, fill, fill.commissionReport)
    fire(trade, "commissionReportEvent", trade, fill, fill.commissionReport)


REDUCERS: Reducers = {
    m.ExecutionData: execution_data,
    m.ExecutionDataEnd: execution_data_end,
    m.CommissionAndFeesReport: commission_report,
}
