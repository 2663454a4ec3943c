"""Price steps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ibkit.paper.instruments.rules import RULES, US_OPTION, US_STOCK, MarketRule
from ibkit.paper.market.ladder import ladder, middle

ALL = st.sampled_from(sorted(RULES.values(), key=lambda rule: rule.id))


def test_levels() -> None:
    assert US_STOCK.increment(215.0) == 0.01
    assert [US_OPTION.increment(p) for p in (0.5, 2.99, 3.0, 12.0, -4.0)] == [0.01, 0.01, 0.05, 0.05, 0.05]
    assert US_OPTION.is_valid(2.97)
    assert not US_OPTION.is_valid(3.02)
    assert US_STOCK.is_valid(523.01)
    assert not US_STOCK.is_valid(523.015)
    assert US_STOCK.min_tick == 0.01


@given(rule=ALL, rung=st.integers(0, 200_000))
def test_rungs_are_valid_prices_and_back(rule: MarketRule, rung: int) -> None:
    steps = ladder(rule)
    price = steps.price(np.array([rung]))
    assert rule.is_valid(float(price[0]))
    assert float(price[0]) == float(f"{float(price[0]):.12g}")  # as a user would write it
    assert round(float(steps.place(price)[0])) == rung


@given(rule=ALL, a=st.floats(0.0, 5000.0), b=st.floats(0.0, 5000.0))
def test_higher_prices_stand_higher(rule: MarketRule, a: float, b: float) -> None:
    low, high = ladder(rule).place(np.array(sorted((a, b)))).tolist()
    assert low <= high


def test_halfway() -> None:
    assert middle(np.array([1.12485]), np.array([1.1249])).tolist() == [1.124875]
