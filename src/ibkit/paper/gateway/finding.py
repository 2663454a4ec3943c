"""From the contract in a request to the one instrument it means, or the error TWS gives.

Must not know what is done with the instrument.
"""

from __future__ import annotations

from ibkit.model import Contract
from ibkit.paper.gateway.refusal import Refusal
from ibkit.paper.instruments import Catalogue, Instrument

NOT_FOUND = "No security definition has been found for the request"


def find_one(catalogue: Catalogue, contract: Contract) -> Instrument:
    """Return the instrument a contract means; raises Refusal 200 when there is none, or more than one."""
    found = catalogue.find(contract)
    if not found:
        raise Refusal(200, NOT_FOUND)
    if len(found) > 1:
        name = contract.localSymbol or contract.symbol or str(contract.conId)
        raise Refusal(
            200,
            f"The contract description specified for {name} is ambiguous; you must specify the {_missing(found)}.",
        )
    return found[0]


def _missing(found: list[Instrument]) -> str:
    """Name what would tell the candidates apart."""
    contracts = [instrument.contract for instrument in found]
    for name, field in (
        ("currency", "currency"),
        ("expiry", "lastTradeDateOrContractMonth"),
        ("strike", "strike"),
        ("right", "right"),
        ("multiplier", "multiplier"),
        ("exchange", "primaryExchange"),
        ("trading class", "tradingClass"),
    ):
        if len({getattr(contract, field) for contract in contracts}) > 1:
            return name
    return "exchange"
