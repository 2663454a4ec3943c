"""Black's formula without interest: option prices, Greeks, and the volatility behind a price.

Twice on purpose: with numpy for whole minutes, with math for one option at a time. Must not know instruments.
"""

from __future__ import annotations

from math import erfc, exp, log, pi, sqrt
from typing import NamedTuple

import numpy as np

from ibkit.paper.market.noise import Floats

# The normal distribution as rational functions (J. F. Hart, Computer Approximations, 1968; error below 1e-15).
_TOP = (
    3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
    221.213596169931, 220.206867912376,
)  # fmt: skip
_BOTTOM = (
    8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
    637.333633378831, 793.826512519948, 440.413735824752,
)  # fmt: skip
_FAR = 7.07  # beyond it the distribution is 0 or 1 to twelve digits
_LOWEST_VOLATILITY, _HIGHEST_VOLATILITY = 1e-4, 20.0


class Sensitivities(NamedTuple):
    """What moves an option's price: theta is per year, vega per 1.0 of volatility."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


def cdf(x: Floats) -> Floats:
    """Return the cumulative normal distribution."""
    size = np.minimum(np.abs(x), _FAR)
    top = np.full(x.shape, _TOP[0])
    for factor in _TOP[1:]:
        top = top * size + factor
    bottom = np.full(x.shape, _BOTTOM[0])
    for factor in _BOTTOM[1:]:
        bottom = bottom * size + factor
    tail: Floats = np.exp(-0.5 * size * size) * top / bottom
    return np.where(x > 0, 1.0 - tail, tail)


def prices(sign: int, forward: Floats, strike: float, years: Floats, volatility: Floats) -> Floats:
    """Return option prices; ``sign`` +1 call, -1 put. All times must be positive."""
    deviation = volatility * np.sqrt(years)
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    worth: Floats = forward * cdf(sign * d1) - strike * cdf(sign * (d1 - deviation))
    return worth if sign > 0 else -worth


def sensitivities(sign: int, forward: float, strike: float, years: float, volatility: float) -> Sensitivities:
    """Return price and Greeks; at expiry the intrinsic value."""
    deviation = volatility * sqrt(max(years, 0.0))
    if deviation <= 0.0:
        worth = max(sign * (forward - strike), 0.0)
        return Sensitivities(worth, float(sign) if worth > 0 else 0.0, 0.0, 0.0, 0.0)
    d1 = log(forward / strike) / deviation + 0.5 * deviation
    density = exp(-0.5 * d1 * d1) / sqrt(2 * pi)
    vega = forward * density * sqrt(years)
    return Sensitivities(
        price=sign * (forward * _cdf(sign * d1) - strike * _cdf(sign * (d1 - deviation))),
        delta=sign * _cdf(sign * d1),
        gamma=density / (forward * deviation),
        vega=vega,
        theta=-vega * volatility / (2 * years),
    )


def implied_volatility(sign: int, forward: float, strike: float, years: float, price: float) -> float | None:
    """Return the volatility at which an option costs ``price``; None when there is none."""
    if not years > 0.0 or not max(sign * (forward - strike), 0.0) < price < (forward if sign > 0 else strike):
        return None
    low, high = _LOWEST_VOLATILITY, _HIGHEST_VOLATILITY
    if not sensitivities(sign, forward, strike, years, low).price <= price:
        return None
    if not price <= sensitivities(sign, forward, strike, years, high).price:
        return None
    guess = 0.3
    for _ in range(100):
        found = sensitivities(sign, forward, strike, years, guess)
        error = found.price - price
        low, high = (low, guess) if error > 0 else (guess, high)
        step = error / found.vega if found.vega > 0 else high
        guess -= step
        if not low < guess < high:  # Newton left the bracket: halve it
            guess = (low + high) / 2
        elif abs(step) < 1e-12:
            break
    return guess


def _cdf(x: float) -> float:
    return 0.5 * erfc(-x / sqrt(2))
