"""Advisors: their groups and aliases, families of accounts, soft dollar tiers.

Must not know how answers are put together; the engine does.
"""

from __future__ import annotations

from collections.abc import Awaitable

from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.model import FamilyCode, SoftDollarTier
from ibkit.requests import refusing
from ibkit.requests.base import Requests
from ibkit.requests.lenient import or_else
from ibkit.wire import messages as m


def advisor_data(engine: Engine, fa_data_type: int) -> Call[str | None]:
    """Ask for the groups or aliases of a financial advisor."""
    message = m.ReqFa(fa_data_type)
    refusing.check(message, engine.version)
    call: Call[str] = engine.ask(
        message,
        key=f"fa-{fa_data_type}",
        name=f"requestFA({fa_data_type})",
        timeout=engine.settings.QuietTimeout,
    )
    return or_else(engine, call, None)


def _replaced(engine: Engine, fa_data_type: int, xml: str) -> Call[str]:
    req_id = engine.next_id()
    message = m.ReplaceFa(fa_data_type, xml, req_id)
    refusing.check(message, engine.version)
    return engine.ask(
        message,
        key=req_id,
        name=f"replaceFA({fa_data_type})",
        timeout=engine.settings.QuietTimeout,
    )


def _family_codes(engine: Engine) -> Call[list[FamilyCode]]:
    return engine.ask(m.ReqFamilyCodes(), key="familyCodes", name="reqFamilyCodes()")


def _soft_dollar_tiers(engine: Engine) -> Call[list[SoftDollarTier]]:
    req_id = engine.next_id()
    return engine.ask(m.ReqSoftDollarTiers(req_id), key=req_id, name="reqSoftDollarTiers()")


class AdvisorRequests(Requests):
    """Advisors, and what orders can be charged to."""

    def requestFA(self, faDataType: int) -> str | None:
        """Ask for the setup of a financial advisor.

        Args:
            faDataType: 1 groups, 2 profiles (refused from server version 177 on), 3 aliases.

        Returns: XML; None in place of RequestTimeout with ``RaiseRequestErrors = False``.

        Raises RequestTimeout after ``QuietTimeout``, InvalidRequest for profiles, RequestError for accounts that are no
            advisor's, NotConnected.

        >>> ib.requestFA(1)
        Traceback (most recent call last):
            ...
        ibkit.errors.RequestError: API error: 321: ... - FA data operations ignored for non FA customers. ...
        """
        return self._wait(lambda engine: advisor_data(engine, faDataType))

    async def requestFAAsync(self, faDataType: int) -> str | None:
        """Ask like ``requestFA``."""
        return await self._future(lambda engine: advisor_data(engine, faDataType))

    def replaceFA(self, faDataType: int, xml: str) -> None:
        """Change the setup of a financial advisor.

        Args:
            faDataType: as in ``requestFA``.
            xml: the new setup; what it leaves out is deleted.

        Raises InvalidRequest for profiles, EncodeError, NotConnected. What the broker refuses comes as ``errorEvent``.

        >>> ib.replaceFA(1, '<ListOfGroups/>')
        """

        def replace(engine: Engine) -> None:
            message = m.ReplaceFa(faDataType, xml, engine.next_id())
            refusing.check(message, engine.version)
            engine.send(message)

        self._do(replace)

    async def replaceFAAsync(self, faDataType: int, xml: str) -> str:
        """Change the setup like ``replaceFA``, and wait until TWS confirms it.

        Returns: what TWS says about it.

        Raises RequestError when it is refused, RequestTimeout after ``QuietTimeout``, and what ``replaceFA`` raises.
        """
        return await self._future(lambda engine: _replaced(engine, faDataType, xml))

    def reqFamilyCodes(self) -> list[FamilyCode]:
        """Ask which family of accounts each account belongs to.

        Returns: one row for each account; '' for one without a family.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqFamilyCodes()
        [FamilyCode(accountID='DU1234567', familyCodeStr='')]
        """
        return self._wait(_family_codes)

    def reqFamilyCodesAsync(self) -> Awaitable[list[FamilyCode]]:
        """Ask like ``reqFamilyCodes``."""
        return self._future(_family_codes)

    def reqSoftDollarTiers(self) -> list[SoftDollarTier]:
        """Ask for the soft dollar tiers that orders can be charged to.

        Returns: the tiers, for ``Order.softDollarTier``; none for most accounts.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.reqSoftDollarTiers()
        []
        """
        return self._wait(_soft_dollar_tiers)

    def reqSoftDollarTiersAsync(self) -> Awaitable[list[SoftDollarTier]]:
        """Ask like ``reqSoftDollarTiers``."""
        return self._future(_soft_dollar_tiers)
