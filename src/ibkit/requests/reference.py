"""Reference data requests: contracts, symbols, option chains, rules, exchanges, fundamentals.

Must not know what becomes of the answers; ``engine.reference`` does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Generator, Sequence
from typing import Any, Final, Literal, TypeAlias, overload

from ibkit.engine.call import Call, converse, gather
from ibkit.engine.core import Engine
from ibkit.engine.reference import market_rule_key
from ibkit.engine.system import NO_ID
from ibkit.errors import ContractAmbiguous, ContractUnknown
from ibkit.model import (
    Contract,
    ContractDescription,
    ContractDetails,
    DepthMktDataDescription,
    OptionChain,
    PriceIncrement,
    SmartComponent,
    TagValue,
)
from ibkit.model.base import dataclassUpdate
from ibkit.requests.base import Requests
from ibkit.requests.lenient import or_else
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")

Found: TypeAlias = Contract | ContractUnknown | ContractAmbiguous
"""A contract that was found, or why not."""

_CANCEL_CONTRACT_VERSION: Final = 215


def _contract_details(engine: Engine, contract: Contract) -> Call[list[ContractDetails]]:
    req_id = engine.next_id()
    return engine.ask(
        m.ReqContractData(req_id, contract),
        key=req_id,
        name=f"reqContractDetails({contract})",
        contract=contract,
        cancel=m.CancelContractData(req_id) if engine.version >= _CANCEL_CONTRACT_VERSION else None,
    )


def _find(engine: Engine, contract: Contract) -> Generator[Call[Any], Any, Found]:
    """Find the one contract that is meant and fill ``contract`` with it."""
    try:
        details: list[ContractDetails] = yield _contract_details(engine, contract)
    except (ContractUnknown, ContractAmbiguous) as error:
        return error
    found = [each.contract for each in details if each.contract is not None]
    if len(found) > 1 and contract.secType:
        same_kind = [each for each in found if each.secType == contract.secType]
        found = same_kind if len(same_kind) == 1 else found
    if not found:
        return ContractUnknown(NO_ID, 200, "no contract fits", contract)
    if len(found) > 1:
        return ContractAmbiguous(NO_ID, 200, f"{len(found)} contracts fit", contract, possibles=found)
    _fill(contract, found[0])
    engine.state.market.changed_contract(contract)
    return contract


def _fill(contract: Contract, found: Contract) -> None:
    """Copy what the broker knows onto the user's contract, but for what the user has chosen."""
    chosen: dict[str, object] = {"includeExpired": contract.includeExpired}
    if contract.exchange == "SMART":
        chosen["exchange"] = "SMART"
    # Some servers add the hour to the day of expiry, which they do not take back.
    expiry = found.lastTradeDateOrContractMonth.split()
    chosen["lastTradeDateOrContractMonth"] = expiry[0] if expiry else ""
    dataclassUpdate(contract, found, **chosen)


def _search(engine: Engine, contracts: Sequence[Contract]) -> Call[list[Found]]:
    searches = (converse(_find(engine, contract), f"qualifying {contract}") for contract in contracts)
    return gather(searches, f"qualifyContracts of {len(contracts)} contracts")


def _qualify(engine: Engine, contracts: Sequence[Contract]) -> Call[list[Contract]]:
    """Qualify all that can be; leave out the others, with a warning, unless there are only others."""

    def judge(results: list[Found]) -> list[Contract]:
        qualified = [found for found in results if isinstance(found, Contract)]
        for contract, found in zip(contracts, results, strict=True):
            if isinstance(found, Contract):
                continue
            missing = isinstance(found, (ContractUnknown, ContractAmbiguous))
            if engine.settings.RaiseRequestErrors and not (missing and qualified):
                raise found
            if isinstance(found, ContractAmbiguous):
                logger.warning("Ambiguous contract: %s, possibles are %s", contract, found.possibles)
            else:
                logger.warning("Unknown contract: %s", contract)
        return qualified

    return _search(engine, contracts).map(judge)


def _qualify_or_tell(engine: Engine, contracts: Sequence[Contract]) -> Call[list[Contract | list[object] | None]]:
    """Qualify all that can be; the others become None, or the candidates: the caller is told, and no log has to be."""

    def judge(results: list[Found]) -> list[Contract | list[object] | None]:
        return [
            found if isinstance(found, Contract) else found.possibles if isinstance(found, ContractAmbiguous) else None
            for found in results
        ]

    return _search(engine, contracts).map(judge)


def _matching_symbols(engine: Engine, pattern: str) -> Call[list[ContractDescription] | None]:
    req_id = engine.next_id()
    call: Call[list[ContractDescription]] = engine.ask(
        m.ReqMatchingSymbols(req_id, pattern),
        key=req_id,
        name=f"reqMatchingSymbols({pattern!r})",
        timeout=engine.settings.QuietTimeout,
    )
    return or_else(engine, call, None)


def _market_rule(engine: Engine, market_rule_id: int) -> Call[list[PriceIncrement] | None]:
    call: Call[list[PriceIncrement]] = engine.ask(
        m.ReqMarketRule(market_rule_id),
        key=market_rule_key(market_rule_id),
        name=f"reqMarketRule({market_rule_id})",
        timeout=engine.settings.QuietTimeout,
    )
    return or_else(engine, call, None)


def _option_chains(engine: Engine, symbol: str, exchange: str, sec_type: str, con_id: int) -> Call[list[OptionChain]]:
    req_id = engine.next_id()
    return engine.ask(
        m.ReqSecDefOptParams(req_id, symbol, exchange, sec_type, con_id),
        key=req_id,
        name=f"reqSecDefOptParams({symbol!r}, {exchange!r}, {sec_type!r}, {con_id})",
    )


def _smart_components(engine: Engine, bbo_exchange: str) -> Call[list[SmartComponent]]:
    req_id = engine.next_id()
    return engine.ask(
        m.ReqSmartComponents(req_id, bbo_exchange),
        key=req_id,
        name=f"reqSmartComponents({bbo_exchange!r})",
    )


def _mkt_depth_exchanges(engine: Engine) -> Call[list[DepthMktDataDescription]]:
    return engine.ask(m.ReqMktDepthExchanges(), key="mktDepthExchanges", name="reqMktDepthExchanges()")


def _fundamental_data(engine: Engine, contract: Contract, report_type: str, options: list[TagValue]) -> Call[str]:
    req_id = engine.next_id()
    return engine.ask(
        m.ReqFundamentalData(req_id, contract, report_type, options),
        key=req_id,
        name=f"reqFundamentalData({contract}, {report_type!r})",
        contract=contract,
        cancel=m.CancelFundamentalData(req_id),
    )


class ReferenceRequests(Requests):
    """Contracts and what is known about them."""

    # -- contracts -----------------------------------------------------------------------------------

    def reqContractDetails(self, contract: Contract) -> list[ContractDetails]:
        """Get the details of all contracts that fit a description.

        Args:
            contract: the fields that are given must fit; the others may be anything.

        Returns: one entry for each contract, or for each exchange of it when none is given.

        Raises ContractUnknown when nothing fits, other RequestErrors, RequestTimeout, NotConnected. With
        ``RaiseRequestErrors`` off an error gives an empty list. IB's rule: vague descriptions of options are answered
        slowly; ``reqSecDefOptParams`` is meant for those.

        >>> details = ib.reqContractDetails(Future('ES', exchange='CME'))
        >>> sorted(each.contract.lastTradeDateOrContractMonth for each in details)[:2]
        ['20240315', '20240621']
        """
        return self._wait(lambda engine: _contract_details(engine, contract))

    def reqContractDetailsAsync(self, contract: Contract) -> Awaitable[list[ContractDetails]]:
        """Get the details of all contracts that fit a description: see ``reqContractDetails``."""
        return self._future(lambda engine: _contract_details(engine, contract))

    @overload
    def qualifyContracts(self, *contracts: Contract, returnAll: Literal[False] = ...) -> list[Contract]: ...
    @overload
    def qualifyContracts(self, *contracts: Contract, returnAll: bool) -> list[Any]: ...
    def qualifyContracts(
        self, *contracts: Contract, returnAll: bool = False
    ) -> list[Any]:  # Any: contracts, and with returnAll what stands for those that were not found
        """Fill in what is missing in contracts: conId, primary exchange, trading class and so on.

        The contracts are changed in place; an exchange SMART and ``includeExpired`` stay as they are.

        Args:
            *contracts: each must describe one contract alone.
            returnAll: return an entry for every contract: None for an unknown one, the list of
                candidates for an ambiguous one (empty when the broker does not tell them); raise for none of these.

        Returns: the contracts that are qualified now. One that is unknown or ambiguous is left out, with a
            warning in the log that says which it is and what it could be: of many strikes and expiries, some do
            not exist.

        Raises ContractUnknown, or ContractAmbiguous with all that fit in ``possibles``, when none could be qualified.
            Raises RequestError when the broker refuses to search, such as for a wrong ``secType``; RequestTimeout,
            NotConnected.

        >>> hog = Future('HE', '202402', 'CME')
        >>> ib.qualifyContracts(hog) == [hog]
        True
        >>> hog.lastTradeDateOrContractMonth, hog.multiplier
        ('20240214', '40000')
        """
        if returnAll:
            return self._wait(lambda engine: _qualify_or_tell(engine, contracts))
        return self._wait(lambda engine: _qualify(engine, contracts))

    @overload
    async def qualifyContractsAsync(self, *contracts: Contract, returnAll: Literal[False] = ...) -> list[Contract]: ...
    @overload
    async def qualifyContractsAsync(self, *contracts: Contract, returnAll: bool) -> list[Any]: ...
    async def qualifyContractsAsync(self, *contracts: Contract, returnAll: bool = False) -> list[Any]:  # Any: as above
        """Fill in what is missing in contracts: see ``qualifyContracts``."""
        if returnAll:
            return await self._future(lambda engine: _qualify_or_tell(engine, contracts))
        return await self._future(lambda engine: _qualify(engine, contracts))

    def reqMatchingSymbols(self, pattern: str) -> list[ContractDescription] | None:
        """Search contracts by the beginning of a symbol or a company name.

        Args:
            pattern: the beginning.

        Returns: contracts with the kinds of derivatives they have.

        Raises RequestTimeout after ``QuietTimeout`` without an answer (with ``RaiseRequestErrors`` off that is None),
        RequestError, NotConnected. TWS takes about one search in a second.

        >>> [found.contract.symbol for found in ib.reqMatchingSymbols('micros')]
        ['MSFT']
        """
        return self._wait(lambda engine: _matching_symbols(engine, pattern))

    async def reqMatchingSymbolsAsync(self, pattern: str) -> list[ContractDescription] | None:
        """Search contracts by symbol or name: see ``reqMatchingSymbols``."""
        return await self._future(lambda engine: _matching_symbols(engine, pattern))

    def reqSecDefOptParams(
        self, underlyingSymbol: str, futFopExchange: str, underlyingSecType: str, underlyingConId: int
    ) -> list[OptionChain]:
        """Get the option chains of an underlying: expirations and strikes, by exchange and trading class.

        Args:
            underlyingSymbol: such as 'SPX'.
            futFopExchange: the exchange of options on futures; '' for all, and for stocks and indices.
            underlyingSecType: such as 'IND' or 'STK'.
            underlyingConId: of the qualified underlying.

        Returns: the chains; expirations and strikes are sorted. Not every strike exists for every
            expiration: ``qualifyContracts`` tells.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> chains = ib.reqSecDefOptParams('AAPL', '', 'STK', 265598)
        >>> smart = next(chain for chain in chains if chain.exchange == 'SMART')
        >>> smart.multiplier, smart.expirations[:2]
        ('100', ['20240112', '20240119'])
        """
        return self._wait(
            lambda engine: _option_chains(engine, underlyingSymbol, futFopExchange, underlyingSecType, underlyingConId)
        )

    def reqSecDefOptParamsAsync(
        self, underlyingSymbol: str, futFopExchange: str, underlyingSecType: str, underlyingConId: int
    ) -> Awaitable[list[OptionChain]]:
        """Get the option chains of an underlying: see ``reqSecDefOptParams``."""
        return self._future(
            lambda engine: _option_chains(engine, underlyingSymbol, futFopExchange, underlyingSecType, underlyingConId)
        )

    # -- rules and exchanges -------------------------------------------------------------------------

    def reqMarketRule(self, marketRuleId: int) -> list[PriceIncrement] | None:
        """Get the price increments of a market rule.

        Args:
            marketRuleId: one of ``ContractDetails.marketRuleIds``, which belong to ``validExchanges`` one
                to one.

        Returns: each increment with the price from which on it holds, in ascending order.

        Raises RequestTimeout after ``QuietTimeout`` without an answer, such as for a rule that does not exist
        (with ``RaiseRequestErrors`` off that is None); RequestError, NotConnected.

        >>> ib.reqMarketRule(26)
        [PriceIncrement(lowEdge=0.0, increment=0.01)]
        """
        return self._wait(lambda engine: _market_rule(engine, marketRuleId))

    async def reqMarketRuleAsync(self, marketRuleId: int) -> list[PriceIncrement] | None:
        """Get the price increments of a market rule: see ``reqMarketRule``."""
        return await self._future(lambda engine: _market_rule(engine, marketRuleId))

    def reqSmartComponents(self, bboExchange: str) -> list[SmartComponent]:
        """Get the exchanges behind the letters of ``ticker.bidExchange``, ``askExchange``, ``lastExchange``.

        Args:
            bboExchange: from ``ticker.bboExchange``.

        Returns: exchanges with their letters.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ticker = ib.reqMktData(Stock('AAPL', 'SMART', 'USD'))
        >>> ib.sleep(1)
        True
        >>> letters = {each.exchangeLetter: each.exchange for each in ib.reqSmartComponents(ticker.bboExchange)}
        >>> ticker.bidExchange in letters
        True
        """
        return self._wait(lambda engine: _smart_components(engine, bboExchange))

    def reqSmartComponentsAsync(self, bboExchange: str) -> Awaitable[list[SmartComponent]]:
        """Get the exchanges behind the letters of quotes: see ``reqSmartComponents``."""
        return self._future(lambda engine: _smart_components(engine, bboExchange))

    def reqMktDepthExchanges(self) -> list[DepthMktDataDescription]:
        """Get the exchanges that offer market depth.

        Returns: a row for each exchange and kind of instrument.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> 'NASDAQ' in {each.exchange for each in ib.reqMktDepthExchanges()}
        True
        """
        return self._wait(_mkt_depth_exchanges)

    def reqMktDepthExchangesAsync(self) -> Awaitable[list[DepthMktDataDescription]]:
        """Get the exchanges that offer market depth: see ``reqMktDepthExchanges``."""
        return self._future(_mkt_depth_exchanges)

    # -- fundamentals --------------------------------------------------------------------------------

    def reqFundamentalData(
        self, contract: Contract, reportType: str, fundamentalDataOptions: Sequence[TagValue] = ()
    ) -> str:
        """Get fundamental data of a stock as XML.

        Args:
            contract: need not be qualified.
            reportType: ReportsFinSummary, ReportsOwnership, ReportSnapshot, ReportsFinStatements, RESC or
                CalendarReport.
            fundamentalDataOptions: for IB's own use.

        Returns: the XML.

        Raises RequestError: IB has stopped this service for most accounts. RequestTimeout, NotConnected.

        >>> ib.reqFundamentalData(Stock('AAPL', 'SMART', 'USD'), 'ReportSnapshot')
        Traceback (most recent call last):
            ...
        ibkit.errors.RequestError: API error: 10358: Fundamentals data is not allowed., contract: ...
        """
        options = list(fundamentalDataOptions or ())
        return self._wait(lambda engine: _fundamental_data(engine, contract, reportType, options))

    def reqFundamentalDataAsync(
        self, contract: Contract, reportType: str, fundamentalDataOptions: Sequence[TagValue] = ()
    ) -> Awaitable[str]:
        """Get fundamental data of a stock as XML: see ``reqFundamentalData``."""
        options = list(fundamentalDataOptions or ())
        return self._future(lambda engine: _fundamental_data(engine, contract, reportType, options))
