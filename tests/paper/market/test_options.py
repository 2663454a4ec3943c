"""Option prices: parity, Greeks, and the volatility behind a price."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ibkit.errors import InvalidRequest
from ibkit.model import Option
from ibkit.paper.instruments import Catalogue
from ibkit.paper.market import Market, black
from tests.paper.market.kinds import Kinds, moment

T = moment("2026-11-18 11:00")
FORWARDS = st.floats(20, 5000)
RATIOS = st.floats(0.6, 1.6)
YEARS = st.floats(1 / 365, 3)
VOLATILITIES = st.floats(0.05, 1.5)


@given(x=st.floats(-9, 9))
def test_the_normal_distribution(x: float) -> None:
    assert float(black.cdf(np.array([x]))[0]) == pytest.approx(0.5 * (1 + erf(x / sqrt(2))), abs=1e-11)


@given(forward=FORWARDS, ratio=RATIOS, years=YEARS, volatility=VOLATILITIES)
def test_parity(forward: float, ratio: float, years: float, volatility: float) -> None:
    strike = forward * ratio
    call = black.sensitivities(1, forward, strike, years, volatility)
    put = black.sensitivities(-1, forward, strike, years, volatility)
    assert call.price - put.price == pytest.approx(forward - strike, abs=1e-9 * forward)
    assert call.delta - put.delta == pytest.approx(1)
    assert call[2:] == pytest.approx(put[2:])


@given(forward=FORWARDS, ratio=RATIOS, years=YEARS, volatility=VOLATILITIES, sign=st.sampled_from([1, -1]))
def test_both_ways_to_reckon_agree(forward: float, ratio: float, years: float, volatility: float, sign: int) -> None:
    strike = forward * ratio
    one = black.sensitivities(sign, forward, strike, years, volatility).price
    many = black.prices(sign, np.array([forward]), strike, np.array([years]), np.array([volatility]))
    assert float(many[0]) == pytest.approx(one, abs=1e-10 * forward)


@given(forward=FORWARDS, ratio=RATIOS, years=YEARS, volatility=VOLATILITIES, sign=st.sampled_from([1, -1]))
def test_implied_volatility_finds_back(
    forward: float, ratio: float, years: float, volatility: float, sign: int
) -> None:
    strike = forward * ratio
    found = black.sensitivities(sign, forward, strike, years, volatility)
    assume(found.vega > 1e-3 * forward * sqrt(years))
    implied = black.implied_volatility(sign, forward, strike, years, found.price)
    assert implied == pytest.approx(volatility, abs=1e-7)


@given(forward=FORWARDS, ratio=RATIOS, years=YEARS, volatility=VOLATILITIES, sign=st.sampled_from([1, -1]))
def test_greeks_are_derivatives(forward: float, ratio: float, years: float, volatility: float, sign: int) -> None:
    strike = forward * ratio

    def price(f: float = forward, y: float = years, v: float = volatility) -> float:
        return black.sensitivities(sign, f, strike, y, v).price

    found = black.sensitivities(sign, forward, strike, years, volatility)
    df, dv, dy = forward * 1e-4, 1e-4, years * 1e-4
    close = {"rel": 1e-3, "abs": 1e-6 * forward}
    assert found.delta == pytest.approx((price(f=forward + df) - price(f=forward - df)) / (2 * df), abs=1e-4)
    assert found.vega == pytest.approx((price(v=volatility + dv) - price(v=volatility - dv)) / (2 * dv), **close)
    assert -found.theta == pytest.approx((price(y=years + dy) - price(y=years - dy)) / (2 * dy), **close)


def test_at_expiry_only_the_difference_is_left() -> None:
    assert black.sensitivities(1, 105.0, 100.0, 0.0, 0.3) == (5.0, 1.0, 0.0, 0.0, 0.0)
    assert black.sensitivities(-1, 105.0, 100.0, 0.0, 0.3) == (0.0, 0.0, 0.0, 0.0, 0.0)
    assert black.sensitivities(-1, 95.0, 100.0, -1.0, 0.3) == (5.0, -1.0, 0.0, 0.0, 0.0)


def test_no_volatility_explains_an_impossible_price() -> None:
    assert black.implied_volatility(1, 100.0, 90.0, 0.5, 9.0) is None  # below what exercising brings
    assert black.implied_volatility(1, 100.0, 90.0, 0.5, 101.0) is None  # more than the share
    assert black.implied_volatility(-1, 100.0, 90.0, 0.5, 0.0) is None
    assert black.implied_volatility(1, 100.0, 90.0, 0.0, 11.0) is None  # expired
    assert black.implied_volatility(1, 100.0, 100.0, 1e-7, 60.0) is None


@pytest.mark.parametrize("name", ["call", "put", "far", "daily", "fop"])
def test_quotes_surround_the_model(market: Market, kinds: Kinds, name: str) -> None:
    option = kinds[name]
    for minute in range(0, 240, 7):
        t = T + minute * 60 + 0.125 * minute
        quote, greeks = market.quote(option, t), market.greeks(option, t)
        assert option.underlying is not None
        tick = option.increment(quote.bid)
        assert quote.bid - 1e-9 <= max(greeks.price, tick) < quote.ask
        assert 0.05 < greeks.implied_vol < 1.5
        under = market.quote(option.underlying, t)
        if under.bid == under.bid:
            assert under.bid - 0.3 <= greeks.under_price <= under.ask + 0.3
        sign = -1 if name in ("put", "daily", "fop") else 1
        assert 0 <= sign * greeks.delta <= 1
        assert greeks.gamma >= 0
        assert greeks.vega >= 0
        assert greeks.theta <= 0


def test_call_and_put_of_a_strike(market: Market, kinds: Kinds) -> None:
    call, put = market.greeks(kinds["call"], T), market.greeks(kinds["put"], T)
    assert call.implied_vol == put.implied_vol
    assert call.price - put.price == pytest.approx(call.under_price - 215)
    assert call.delta - put.delta == pytest.approx(1)


def test_greeks_at_a_price(market: Market, kinds: Kinds) -> None:
    option = kinds["call"]
    quote, model = market.quote(option, T), market.greeks(option, T)
    at_bid, at_ask = market.greeks_at(option, T, quote.bid), market.greeks_at(option, T, quote.ask)
    assert at_bid is not None
    assert at_ask is not None
    assert at_bid.implied_vol <= model.implied_vol + 1e-9
    assert model.implied_vol < at_ask.implied_vol
    assert at_bid.price == pytest.approx(quote.bid)
    again = market.greeks_at(option, T, model.price)
    assert again == pytest.approx(model, rel=1e-6)
    assert market.greeks_at(option, T, 10_000.0) is None


@given(volatility=st.floats(0.1, 0.9), under=st.floats(190, 240))
def test_price_and_volatility_are_inverse(market: Market, kinds: Kinds, volatility: float, under: float) -> None:
    for name in ("call", "put"):
        price = market.option_price(kinds[name], T, volatility, under)
        assert market.implied_vol(kinds[name], T, price, under) == pytest.approx(volatility, abs=1e-6)


def test_only_options_have_greeks(market: Market, kinds: Kinds) -> None:
    for name in ("stock", "combo"):
        with pytest.raises(InvalidRequest, match="no option"):
            market.greeks(kinds[name], T)
    with pytest.raises(InvalidRequest, match="not listed"):
        market.greeks(kinds["call"], moment("2020-01-02 12:00"))


def test_on_the_last_day(market: Market, kinds: Kinds) -> None:
    """An option runs into its intrinsic value, and keeps its last quote afterwards."""
    option = kinds["daily"]
    end = option.expires
    last = market.greeks(option, end - 0.125)
    intrinsic = max(0.0, 4500 - last.under_price)
    assert last.price == pytest.approx(intrinsic, abs=3.0)
    after = market.quote(option, end + 86400)
    assert after == market.quote(option, end - 0.125)
    assert market.greeks(option, end + 86400) == last


def test_smile_and_level(market: Market, catalogue: Catalogue) -> None:
    volatilities = []
    for strike in (150, 180, 215, 250, 300):
        (option,) = catalogue.find(Option("MSFT", "20270115", strike, "C", "SMART"))
        volatilities.append(market.greeks(option, T).implied_vol)
    assert volatilities[0] > volatilities[1] > volatilities[2]
    assert max(volatilities) < 2 * min(volatilities)
