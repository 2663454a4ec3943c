"""A market of seed 7 on a Wednesday of 2026, and one instrument of every kind."""

from __future__ import annotations

import pytest

from ibkit.model import ComboLeg, Contract
from ibkit.paper.instruments import Catalogue
from ibkit.paper.market import Market
from tests.paper.market.kinds import KINDS, TODAY, Kinds


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue(7, TODAY)


@pytest.fixture(scope="session")
def market(catalogue: Catalogue) -> Market:
    return Market(7, catalogue)


@pytest.fixture(scope="session")
def kinds(catalogue: Catalogue) -> Kinds:
    found = Kinds()
    for name, contract in KINDS.items():
        (found[name],) = catalogue.find(contract)
    legs = [ComboLeg(conId=found[n].con_id, ratio=1, action=a) for n, a in (("call", "BUY"), ("put", "SELL"))]
    combo = Contract(secType="BAG", symbol="MSFT", exchange="SMART", currency="USD", comboLegs=legs)
    (found["combo"],) = catalogue.find(combo)
    return found
