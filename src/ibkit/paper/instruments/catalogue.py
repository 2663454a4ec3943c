"""The catalogue: from a contract as a user writes it to the instruments it may mean.

Must not know prices, accounts or the wire.
"""

from __future__ import annotations

from datetime import date

from ibkit.model import Contract, ContractDescription, ContractDetails, OptionChain, PriceIncrement
from ibkit.paper.instruments.instrument import Instrument


class Catalogue:
    """All instruments listed on the day ``today``; move ``today`` when the simulated date (New York) changes.

    Listings are made by rule for any date; conIds depend on the instrument alone, so they are the same in every
    catalogue. ``seed`` is accepted for symmetry with ``Market`` and changes nothing.
    """

    def __init__(self, seed: int, today: date) -> None:
        self.today = today

    def find(self, contract: Contract) -> list[Instrument]:
        """Return every instrument that ``contract`` may mean: none, one, or many when it is ambiguous.

        Fields left at their default do not restrict. conId alone is enough. A CONTFUT gives the current front
        future under secType CONTFUT, with the conId of that future. A BAG gives one instrument that is the sum of
        its legs. Expired futures answer when ``includeExpired`` is set (for two years).
        """
        raise NotImplementedError

    def by_con_id(self, con_id: int) -> Instrument | None:
        """Return the instrument with this conId, also an expired one; None when there is none."""
        raise NotImplementedError

    def details(self, instrument: Instrument, exchange: str = "") -> ContractDetails:
        """Return fresh ContractDetails as of ``today``; ``exchange`` is the route asked for (contract.exchange)."""
        raise NotImplementedError

    def search(self, pattern: str) -> list[ContractDescription]:
        """Return up to 16 stocks, indices and so on whose symbol or name begins with or holds ``pattern``."""
        raise NotImplementedError

    def chains(self, underlying: Instrument, exchange: str = "") -> list[OptionChain]:
        """Return the option chains on ``underlying`` (one row a trading class and exchange), expiries from today on."""
        raise NotImplementedError

    def market_rule(self, rule_id: int) -> list[PriceIncrement] | None:
        """Return the increments of a market rule; None when there is no such rule."""
        raise NotImplementedError
