"""Market scanner requests.

Must not know what becomes of the answers; ``engine.scanner`` does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence

from ibkit.engine import scanner
from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.subscription import Subscription
from ibkit.errors import RequestError
from ibkit.events import interrupt
from ibkit.model import ScanDataList, ScannerSubscription, TagValue
from ibkit.requests.base import Requests
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")


def _rows(
    engine: Engine,
    subscription: ScannerSubscription,
    options: list[TagValue],
    filters: list[TagValue],
) -> tuple[ScanDataList, m.ReqScannerSubscription]:
    rows = ScanDataList()
    rows.reqId = engine.next_id()
    rows.subscription = subscription
    rows.scannerSubscriptionOptions = options
    rows.scannerSubscriptionFilterOptions = filters
    return rows, m.ReqScannerSubscription(rows.reqId, subscription, filters, options)


def _subscribe(
    engine: Engine, scan: ScannerSubscription, options: list[TagValue], filters: list[TagValue]
) -> ScanDataList:
    live = engine.state.scanner.live
    rows, start = _rows(engine, scan, options, filters)
    req_id = rows.reqId

    def on_error(engine: Engine, error: RequestError) -> None:
        live.pop(req_id, None)
        interrupt(rows, "updateEvent", error)

    engine.subscribe(
        Subscription(
            req_id,
            "scanner",
            rows,
            start,
            m.CancelScannerSubscription(req_id),
            on_error,
            on_notice=lambda engine, code, _: scanner.notice(engine, rows, code),
        )
    )
    live[req_id] = rows
    return rows


def _scan_once(
    engine: Engine, scan: ScannerSubscription, options: list[TagValue], filters: list[TagValue]
) -> Call[ScanDataList]:
    live = engine.state.scanner.live
    rows, start = _rows(engine, scan, options, filters)
    req_id = rows.reqId
    cancel = m.CancelScannerSubscription(req_id)
    call: Call[object] = engine.ask(start, key=req_id, name=f"reqScannerData({scan.scanCode!r})", cancel=cancel)
    live[req_id] = rows

    def settle(call: Call[object]) -> None:
        live.pop(req_id, None)
        if call.error is None:
            engine.send(cancel)

    call.add_done_callback(settle)
    return call.map(lambda _: rows)


def _cancel(engine: Engine, rows: ScanDataList) -> bool:
    engine.state.scanner.live.pop(rows.reqId, None)
    return engine.unsubscribe(rows.reqId) is not None


def _parameters(engine: Engine) -> Call[str]:
    return engine.ask(m.ReqScannerParameters(), key="scannerParams", name="reqScannerParameters()")


class ScannerRequests(Requests):
    """Market scanners."""

    def reqScannerSubscription(
        self,
        subscription: ScannerSubscription,
        scannerSubscriptionOptions: Sequence[TagValue] = (),
        scannerSubscriptionFilterOptions: Sequence[TagValue] = (),
    ) -> ScanDataList:
        """Subscribe to a market scanner.

        Args:
            subscription: what to look for; ``reqScannerParameters`` lists what there is.
            scannerSubscriptionOptions: for IB's own use.
            scannerSubscriptionFilterOptions: more filters, such as ``TagValue('volumeAbove', '100000')``.

        Returns: the live ranking, replaced whole about every thirty seconds; ``rows.updateEvent(rows)``
            and ``ib.scannerDataEvent`` tell.

        Raises EncodeError, NotConnected. What the broker refuses comes as ``errorEvent``. IB's rule ("Market Scanner"
        of the TWS API documentation): ten scanners at a time, fifty rows each.

        >>> movers = ScannerSubscription(instrument='STK', locationCode='STK.US', scanCode='TOP_PERC_GAIN')
        >>> rows = ib.reqScannerSubscription(movers)
        >>> ib.sleep(40)
        True
        >>> rows[0].rank, len(rows)
        (0, 50)
        """
        options, filters = (
            list(scannerSubscriptionOptions or ()),
            list(scannerSubscriptionFilterOptions or ()),
        )
        return self._do(lambda engine: _subscribe(engine, subscription, options, filters))

    def cancelScannerSubscription(self, dataList: ScanDataList) -> None:
        """Cancel a market scanner; the list stays as it is.

        Args:
            dataList: what ``reqScannerSubscription`` returned. Others are told by a line in the log.

        Raises NotConnected.

        >>> movers = ScannerSubscription(instrument='STK', locationCode='STK.US', scanCode='TOP_PERC_GAIN')
        >>> rows = ib.reqScannerSubscription(movers)
        >>> ib.cancelScannerSubscription(rows)
        """
        if not self._do(lambda engine: _cancel(engine, dataList)):
            logger.error("cancelScannerSubscription: this scanner is not subscribed")

    def reqScannerData(
        self,
        subscription: ScannerSubscription,
        scannerSubscriptionOptions: Sequence[TagValue] = (),
        scannerSubscriptionFilterOptions: Sequence[TagValue] = (),
    ) -> ScanDataList:
        """Scan the market once: see ``reqScannerSubscription``.

        Args:
            subscription: what to look for.
            scannerSubscriptionOptions: for IB's own use.
            scannerSubscriptionFilterOptions: more filters.

        Returns: the ranking.

        Raises RequestError, RequestTimeout, EncodeError, NotConnected.

        >>> movers = ScannerSubscription(instrument='STK', locationCode='STK.US', scanCode='TOP_PERC_GAIN')
        >>> rows = ib.reqScannerData(movers)
        >>> [row.rank for row in rows[:3]]
        [0, 1, 2]
        """
        options, filters = (
            list(scannerSubscriptionOptions or ()),
            list(scannerSubscriptionFilterOptions or ()),
        )
        return self._wait(lambda engine: _scan_once(engine, subscription, options, filters))

    async def reqScannerDataAsync(
        self,
        subscription: ScannerSubscription,
        scannerSubscriptionOptions: Sequence[TagValue] = (),
        scannerSubscriptionFilterOptions: Sequence[TagValue] = (),
    ) -> ScanDataList:
        """Scan the market once: see ``reqScannerData``."""
        options, filters = (
            list(scannerSubscriptionOptions or ()),
            list(scannerSubscriptionFilterOptions or ()),
        )
        return await self._future(lambda engine: _scan_once(engine, subscription, options, filters))

    def reqScannerParameters(self) -> str:
        """Get what market scanners can look for.

        Returns: XML.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> 'TOP_PERC_GAIN' in ib.reqScannerParameters()
        True
        """
        return self._wait(_parameters)

    def reqScannerParametersAsync(self) -> Awaitable[str]:
        """Get what market scanners can look for: see ``reqScannerParameters``."""
        return self._future(_parameters)
