"""What can be traded: contract details, searches, chains, rules, exchanges."""

from __future__ import annotations

from ibkit.model import DepthMktDataDescription, SmartComponent
from ibkit.paper.gateway.finding import NOT_FOUND
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import Refusal, duplicate_id, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.instruments import Instrument
from ibkit.paper.instruments.spots import US_EXCHANGES
from ibkit.wire import messages as m

DETAILS = "contract details"

AT_ONCE = 250
"""Contracts told in one go: a whole option chain must not hold up the other clients."""

PAUSE_S = 0.01


class Listing:
    """A long answer, given in pieces."""

    def __init__(self, session: Session, msg: m.ReqContractData, found: list[Instrument]) -> None:
        self.due = session.now
        self._session, self._req_id, self._exchange = session, msg.reqId, msg.contract.exchange
        self._left = found

    def advance(self, now: float) -> bool:
        session, req_id = self._session, self._req_id
        now_told, self._left = self._left[:AT_ONCE], self._left[AT_ONCE:]
        for instrument in now_told:
            details = session.gateway.catalogue.details(instrument, self._exchange)
            if instrument.sec_type == "BOND":
                session.send(m.BondContractData(req_id, details))
            else:
                session.send(m.ContractData(req_id, details))
        if self._left:
            self.due = now + PAUSE_S
            return True
        session.send(m.ContractDataEnd(req_id))
        return False


def req_contract_data(session: Session, msg: m.ReqContractData) -> None:
    if session.find(DETAILS, msg.reqId) is not None:
        raise duplicate_id(msg.reqId)
    found = session.gateway.catalogue.find(msg.contract)
    if not found:
        raise Refusal(200, NOT_FOUND)
    listing = Listing(session, msg, found)
    if listing.advance(session.now):
        session.begin(DETAILS, msg.reqId, listing)


def cancel_contract_data(session: Session, msg: m.CancelContractData) -> None:
    session.stop(DETAILS, msg.reqId)


def req_matching_symbols(session: Session, msg: m.ReqMatchingSymbols) -> None:
    session.send(m.SymbolSamples(msg.reqId, session.gateway.catalogue.search(msg.pattern)))


def req_sec_def_opt_params(session: Session, msg: m.ReqSecDefOptParams) -> None:
    catalogue = session.gateway.catalogue
    if not msg.underlyingConId:
        raise invalid("Invalid contract id")
    underlying = catalogue.by_con_id(msg.underlyingConId)
    if underlying is None or underlying.contract.symbol != msg.underlyingSymbol:
        raise Refusal(200, NOT_FOUND)
    for chain in catalogue.chains(underlying, msg.futFopExchange):
        session.send(m.SecurityDefinitionOptionParameter(msg.reqId, *chain))
    session.send(m.SecurityDefinitionOptionParameterEnd(msg.reqId))


def req_market_rule(session: Session, msg: m.ReqMarketRule) -> None:
    increments = session.gateway.catalogue.market_rule(msg.marketRuleId)
    if increments is None:
        # The answer has no request id, and neither has the error.
        session.refuse(-1, invalid(f"Market rule {msg.marketRuleId} does not exist"))
    else:
        session.send(m.MarketRule(msg.marketRuleId, increments))


def req_smart_components(session: Session, msg: m.ReqSmartComponents) -> None:
    if msg.bboExchange != BBO_EXCHANGE:
        raise invalid(f"Invalid exchange: {msg.bboExchange!r}")
    session.send(m.SmartComponents(msg.reqId, SMART_COMPONENTS))


def req_mkt_depth_exchanges(session: Session, msg: m.ReqMktDepthExchanges) -> None:
    session.send(m.MktDepthExchanges(DEPTH_EXCHANGES))


def req_soft_dollar_tiers(session: Session, msg: m.ReqSoftDollarTiers) -> None:
    session.send(m.SoftDollarTiers(msg.reqId, []))


def req_fundamental_data(session: Session, msg: m.ReqFundamentalData) -> None:
    raise Refusal(10358, "Fundamentals data is not allowed.")


def cancel_fundamental_data(session: Session, msg: m.CancelFundamentalData) -> None:
    """TWS says nothing to the cancel of a request that has ended."""


BBO_EXCHANGE = "9c0001"
"""The name of the set of exchanges behind a consolidated US quote, as TICK_REQ_PARAMS tells it."""

_VENUES = US_EXCHANGES.split(",")[1:]
SMART_COMPONENTS = [SmartComponent(n, venue, chr(ord("A") + n)) for n, venue in enumerate(_VENUES)]

LETTERS = {component.exchange: component.exchangeLetter for component in SMART_COMPONENTS}

DEPTH_EXCHANGES = [
    *(DepthMktDataDescription(venue, "STK", "", "Deep2", 1) for venue in ("NYSE", "ARCA", "NASDAQ", "BATS", "IEX")),
    *(DepthMktDataDescription(venue, "OPT", "", "Deep", 2) for venue in ("CBOE", "ISE", "PHLX")),
    *(DepthMktDataDescription(venue, "FUT", "", "Deep", 3) for venue in ("CME", "CBOT", "NYMEX", "COMEX", "EUREX")),
    DepthMktDataDescription("IDEALPRO", "CASH", "", "Deep", 4),
    DepthMktDataDescription("IBIS", "STK", "", "Deep", 5),
    DepthMktDataDescription("LSE", "STK", "", "Deep", 6),
]

HANDLERS: Handlers = {
    m.ReqContractData: req_contract_data,
    m.CancelContractData: cancel_contract_data,
    m.ReqMatchingSymbols: req_matching_symbols,
    m.ReqSecDefOptParams: req_sec_def_opt_params,
    m.ReqMarketRule: req_market_rule,
    m.ReqSmartComponents: req_smart_components,
    m.ReqMktDepthExchanges: req_mkt_depth_exchanges,
    m.ReqSoftDollarTiers: req_soft_dollar_tiers,
    m.ReqFundamentalData: req_fundamental_data,
    m.CancelFundamentalData: cancel_fundamental_data,
}
