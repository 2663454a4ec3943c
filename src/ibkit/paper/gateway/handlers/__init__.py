"""What each request does: one module a domain, one dict of them all. A handler answers, or raises Refusal."""

from __future__ import annotations

from ibkit.paper.gateway.handlers import (
    account,
    calculations,
    depth,
    groups,
    history,
    marketdata,
    news,
    orders,
    pnl,
    positions,
    realtimebars,
    reference,
    scanner,
    series,
    summary,
    system,
    tickbytick,
    wsh,
)
from ibkit.paper.gateway.handlers.base import Handlers

DATA_STREAMS = frozenset({marketdata.KIND, depth.KIND, tickbytick.KIND, realtimebars.KIND, history.KIND, scanner.KIND})
"""The kinds of streams that end when TWS loses its data: those of markets; accounts and orders go on."""

HANDLERS: Handlers = {
    **system.HANDLERS,
    **reference.HANDLERS,
    **marketdata.HANDLERS,
    **depth.HANDLERS,
    **tickbytick.HANDLERS,
    **realtimebars.HANDLERS,
    **history.HANDLERS,
    **series.HANDLERS,
    **calculations.HANDLERS,
    **orders.HANDLERS,
    **account.HANDLERS,
    **summary.HANDLERS,
    **positions.HANDLERS,
    **pnl.HANDLERS,
    **news.HANDLERS,
    **wsh.HANDLERS,
    **scanner.HANDLERS,
    **groups.HANDLERS,
}
