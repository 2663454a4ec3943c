"""Profit and loss of accounts and of single positions.

Must not know how answers are put together; the engine does.
"""

from __future__ import annotations

import logging

from ibkit.engine.core import Engine
from ibkit.engine.subscription import Subscription
from ibkit.errors import RequestError
from ibkit.model import PnL, PnLSingle
from ibkit.requests.base import Requests
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")


def _pnl(engine: Engine, account: str, model: str) -> PnL:
    known = engine.state.account.pnl
    for pnl in known.values():
        if (pnl.account, pnl.modelCode) == (account, model):
            return pnl
    req_id, pnl = engine.next_id(), PnL(account, model)

    def refused(_: Engine, error: RequestError) -> None:
        known.pop(req_id, None)

    engine.subscribe(
        Subscription(
            req_id,
            "pnl",
            pnl,
            m.ReqPnl(req_id, account, model),
            m.CancelPnl(req_id),
            on_error=refused,
        )
    )
    known[req_id] = pnl
    return pnl


def _pnl_single(engine: Engine, account: str, model: str, con_id: int) -> PnLSingle:
    known = engine.state.account.pnl_single
    for pnl in known.values():
        if (pnl.account, pnl.modelCode, pnl.conId) == (account, model, con_id):
            return pnl
    req_id, pnl = engine.next_id(), PnLSingle(account, model, con_id)

    def refused(_: Engine, error: RequestError) -> None:
        known.pop(req_id, None)

    engine.subscribe(
        Subscription(
            req_id,
            "pnlSingle",
            pnl,
            m.ReqPnlSingle(req_id, account, model, con_id),
            m.CancelPnlSingle(req_id),
            on_error=refused,
        )
    )
    known[req_id] = pnl
    return pnl


class PnLRequests(Requests):
    """Profit and loss."""

    def pnl(self, account: str = "", modelCode: str = "") -> list[PnL]:
        """Return the profits and losses that ``reqPnL`` follows.

        Args:
            account: whose; '' for all.
            modelCode: of which model; '' for all.

        >>> pnl = ib.reqPnL('DU1234567')
        >>> ib.pnl() == [pnl]
        True
        """
        return [
            pnl
            for pnl in list(self._state.account.pnl.values())
            if account in ("", pnl.account) and modelCode in ("", pnl.modelCode)
        ]

    def pnlSingle(self, account: str = "", modelCode: str = "", conId: int = 0) -> list[PnLSingle]:
        """Return the profits and losses of positions that ``reqPnLSingle`` follows.

        Args:
            account: whose; '' for all.
            modelCode: of which model; '' for all.
            conId: of which contract; 0 for all.

        >>> pnl = ib.reqPnLSingle('DU1234567', '', conId=265598)
        >>> ib.pnlSingle() == [pnl]
        True
        """
        return [
            pnl
            for pnl in list(self._state.account.pnl_single.values())
            if account in ("", pnl.account) and modelCode in ("", pnl.modelCode) and conId in (0, pnl.conId)
        ]

    def reqPnL(self, account: str, modelCode: str = "") -> PnL:
        """Follow the profit and loss of an account, or of a model in it.

        Args:
            account: whose.
            modelCode: of which model; '' for the whole account.

        Returns: an object that is kept up to date, about once a second, in the account's currency; NaN where nothing
        was told yet. The same one when it is followed already. Event: pnlEvent.

        Raises EncodeError, NotConnected. What the broker refuses comes as ``errorEvent``.

        >>> pnl = ib.reqPnL('DU1234567')
        >>> ib.sleep(2)
        True
        >>> pnl.dailyPnL, pnl.unrealizedPnL, pnl.realizedPnL
        (0.0, 0.0, 0.0)
        """
        return self._do(lambda engine: _pnl(engine, account, modelCode))

    def cancelPnL(self, account: str, modelCode: str = "") -> None:
        """Cancel ``reqPnL``; what is not followed is told by a line in the log.

        Args:
            account: as it was asked for.
            modelCode: as it was asked for.

        Raises NotConnected.

        >>> pnl = ib.reqPnL('DU1234567')
        >>> ib.cancelPnL('DU1234567')
        """

        def cancel(engine: Engine) -> None:
            known = engine.state.account.pnl
            for req_id, pnl in list(known.items()):
                if (pnl.account, pnl.modelCode) == (account, modelCode):
                    del known[req_id]
                    engine.unsubscribe(req_id)
                    return
            logger.error("cancelPnL: not followed: account %r, model %r", account, modelCode)

        self._do(cancel)

    def reqPnLSingle(self, account: str, modelCode: str, conId: int) -> PnLSingle:
        """Follow the profit and loss of one position.

        Args:
            account: whose.
            modelCode: of which model; '' for the whole account.
            conId: of the contract.

        Returns: an object that is kept up to date, about once a second (IB's rule), in the account's currency; NaN
        where nothing was told yet. The same one when it is followed already. Event: pnlSingleEvent.

        Raises EncodeError, NotConnected. What the broker refuses comes as ``errorEvent``.

        >>> trade = ib.placeOrder(Stock('AAPL', 'SMART', 'USD'), MarketOrder('BUY', 100))
        >>> pnl = ib.reqPnLSingle('DU1234567', '', conId=265598)
        >>> ib.sleep(3)
        True
        >>> pnl.position
        100.0
        """
        return self._do(lambda engine: _pnl_single(engine, account, modelCode, conId))

    def cancelPnLSingle(self, account: str, modelCode: str, conId: int) -> None:
        """Cancel ``reqPnLSingle``; what is not followed is told by a line in the log.

        Args:
            account: as it was asked for.
            modelCode: as it was asked for.
            conId: as it was asked for.

        Raises NotConnected.

        >>> pnl = ib.reqPnLSingle('DU1234567', '', conId=265598)
        >>> ib.cancelPnLSingle('DU1234567', '', conId=265598)
        """

        def cancel(engine: Engine) -> None:
            known = engine.state.account.pnl_single
            for req_id, pnl in list(known.items()):
                if (pnl.account, pnl.modelCode, pnl.conId) == (account, modelCode, conId):
                    del known[req_id]
                    engine.unsubscribe(req_id)
                    return
            logger.error("cancelPnLSingle: not followed: account %r, model %r, conId %d", account, modelCode, conId)

        self._do(cancel)
