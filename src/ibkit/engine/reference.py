"""Reference data: answers about contracts, symbols, rules, option chains, exchanges and fundamentals.

Must not know how it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkit.model import OptionChain
from ibkit.model.records import record
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers


@record
class Reference:
    """Nothing is kept: the answers belong to those who asked."""

    def reset(self) -> None:
        """Do nothing."""

    def forget_connection(self) -> None:
        """Do nothing."""


def contract_data(engine: Engine, msg: m.ContractData | m.BondContractData) -> None:
    engine.calls.add(msg.reqId, msg.contractDetails)


def contract_data_end(engine: Engine, msg: m.ContractDataEnd) -> None:
    engine.calls.finish(msg.reqId)


def symbol_samples(engine: Engine, msg: m.SymbolSamples) -> None:
    engine.calls.finish(msg.reqId, msg.contractDescriptions)


def market_rule(engine: Engine, msg: m.MarketRule) -> None:
    engine.calls.finish(market_rule_key(msg.marketRuleId), msg.priceIncrements)


def market_rule_key(market_rule_id: int) -> str:
    """Return what the answer about a market rule is known by: it carries no request id."""
    return f"marketRule-{market_rule_id}"


def option_chain(engine: Engine, msg: m.SecurityDefinitionOptionParameter) -> None:
    # TWS sends both in no order.
    chain = OptionChain(
        msg.exchange,
        msg.underlyingConId,
        msg.tradingClass,
        msg.multiplier,
        sorted(msg.expirations),
        sorted(msg.strikes),
    )
    engine.calls.add(msg.reqId, chain)


def option_chain_end(engine: Engine, msg: m.SecurityDefinitionOptionParameterEnd) -> None:
    engine.calls.finish(msg.reqId)


def smart_components(engine: Engine, msg: m.SmartComponents) -> None:
    engine.calls.finish(msg.reqId, msg.smartComponentMap)


def mkt_depth_exchanges(engine: Engine, msg: m.MktDepthExchanges) -> None:
    engine.calls.finish("mktDepthExchanges", msg.depthMktDataDescriptions)


def fundamental_data(engine: Engine, msg: m.FundamentalData) -> None:
    engine.calls.finish(msg.reqId, msg.data)


REDUCERS: Reducers = {
    m.ContractData: contract_data,
    m.BondContractData: contract_data,
    m.ContractDataEnd: contract_data_end,
    m.SymbolSamples: symbol_samples,
    m.MarketRule: market_rule,
    m.SecurityDefinitionOptionParameter: option_chain,
    m.SecurityDefinitionOptionParameterEnd: option_chain_end,
    m.SmartComponents: smart_components,
    m.MktDepthExchanges: mkt_depth_exchanges,
    m.FundamentalData: fundamental_data,
}
