"""Every row of the data files is sane."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from math import isfinite

import pytest

from ibkit.paper.instruments import futures, options, rules
from ibkit.paper.instruments.calendar import CALENDARS
from ibkit.paper.instruments.expiries import MONTH_CODES, RULES
from ibkit.paper.instruments.instrument import Prints
from ibkit.paper.instruments.pricing import Root, Spot
from ibkit.paper.instruments.roots import root, sigma, volatility_root
from ibkit.paper.instruments.spots import spots
from ibkit.paper.instruments.tables import number, rows
from ibkit.paper.market.ladder import ladder
from ibkit.paper.market.path import ACTIVITY

FILES = ("stocks", "forex", "futures", "others", "roots", "currencies", "bonds", "funds")


@pytest.mark.parametrize("name", FILES)
def test_rows_have_their_columns_and_no_blanks_around(name: str) -> None:
    for row in rows(name):
        assert None not in row, row  # more columns than the head
        assert None not in row.values(), row  # fewer
        assert all(text == text.strip() for text in row.values()), row


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("stocks", ("symbol", "exchange", "currency")),
        ("forex", ("pair",)),
        ("futures", ("num",)),
        ("futures", ("symbol", "currency")),
        ("others", ("sec_type", "symbol")),
        ("roots", ("key",)),
        ("currencies", ("currency",)),
        ("bonds", ("cusip",)),
        ("funds", ("symbol",)),
    ],
)
def test_no_row_twice(name: str, columns: tuple[str, ...]) -> None:
    keys = [tuple(row[column] for column in columns) for row in rows(name)]
    assert len(set(keys)) == len(keys)


def test_stocks() -> None:
    table = rows("stocks")
    assert len([r for r in table if r["currency"] == "USD"]) >= 50
    for row in table:
        assert bool(row["root"]) != bool(row["price"]), row  # its own price, or one it hangs on
        if row["price"]:
            assert 1 < float(row["price"]) < 10_000
            assert 0.05 < float(row["sigma"]) < 1
        assert float(row["volume"]) > 1e4
        assert row["type"] in ("COMMON", "ETF", "ADR")
        assert row["class"] in ("", "weekly", "daily")
        assert bool(row["class"]) == bool(row["chain"])
        assert not row["isin"] or len(row["isin"]) == 12
    numbers = [row["chain"] for row in table if row["chain"]]
    assert len(set(numbers)) == len(numbers)
    assert len(options.chains()) == len(numbers) + 10
    assert all(0 < n < 64 for n in options.chains())


def test_futures() -> None:
    for row in rows("futures"):
        assert 0 < int(row["num"]) < 128
        assert set(row["months"]) <= set(MONTH_CODES)
        assert row["rule"] in RULES
        assert row["calendar"] in CALENDARS
        assert float(row["tick"]) in rules.BY_STEP
        assert float(row["multiplier"]) > 0
        assert int(row["magnifier"]) in (1, 100)
        assert 1 <= int(row["listed"]) <= 24
        assert -0.1 < float(row["carry"]) < 0.1
        assert float(row["spread"]) >= 1
        hour, minute = row["last_time"].split(":")
        assert 0 <= int(hour) < 24
        assert 0 <= int(minute) < 60
        assert root(row["root"]).base > 0


def test_roots_and_currencies() -> None:
    for row in rows("roots"):
        assert float(row["base"]) > 0
        assert 0 < float(row["sigma"]) < 1
        assert row["activity"] in ACTIVITY
        assert number(row, "beta", 0.0) < 2
    for row in rows("currencies"):
        assert len(row["currency"]) == 3
        assert float(row["usd"]) > 0
    for row in rows("forex"):
        assert root(row["pair"]).base > 0
        assert float(row["tick"]) in rules.BY_STEP


def test_every_price_has_factors_that_exist() -> None:
    """A factor's name means one volatility and one rhythm wherever it is used."""
    seen: dict[str, object] = {}
    kinds: dict[str, Root] = {}
    used = [product.root for product in futures.products()]
    for instrument in spots():
        assert isinstance(instrument.pricing, Spot)
        used.append(instrument.pricing.root)
        if "OPTION_IMPLIED_VOLATILITY" in instrument.what_to_show:
            used.append(volatility_root(instrument.pricing.root.key))
    for one in [*used, *(volatility_root(product.root.key) for product in futures.products())]:
        assert one.base > 0
        assert isfinite(one.base)
        assert kinds.setdefault(one.key, one) == one
        assert 0 < sigma(one) < 5
        for factor, weight in one.factors:
            assert factor.activity in ACTIVITY
            assert factor.sigma > 0
            assert weight
            assert seen.setdefault(factor.key, factor) == factor


def test_quotes_are_a_small_part_of_the_price() -> None:
    for instrument in spots():
        if instrument.prints is Prints.VALUE or not isinstance(instrument.pricing, Spot):
            continue
        price = instrument.pricing.root.base * instrument.pricing.scale
        assert instrument.liquidity.spread_ticks >= 1
        width = round(instrument.liquidity.spread_ticks) * instrument.increment(price)
        assert width < 0.003 * price, (instrument, width, price)
        assert instrument.lot > 0
        assert instrument.min_size >= instrument.lot
        assert instrument.routes
        assert instrument.contract.exchange in instrument.routes


def test_rules_are_ladders() -> None:
    for rule in rules.RULES.values():
        assert rule.edges[0] == 0
        assert list(rule.edges) == sorted(rule.edges)
        for edge, (below, above) in zip(rule.edges[1:], pairwise(rule.steps), strict=True):
            assert above > below
            assert round(above / below * 1e6) % 1_000_000 == 0 or edge / above == round(edge / above)
            assert rule.is_valid(edge)
        assert ladder(rule) is ladder(rule)


def test_chains_have_their_strikes_in_reach() -> None:
    for chain in options.chains().values():
        strikes = chain.strikes()
        assert 20 <= len(strikes) <= 512
        assert strikes[0] < 0.7 * chain.base < 1.4 * chain.base < strikes[-1], chain
        assert all(chain.step_of(strike) == n for n, strike in enumerate(strikes))
        assert chain.expirations(date(2026, 11, 24))
