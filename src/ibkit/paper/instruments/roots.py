"""The prices everything hangs on: a root for every spot price, written as a product of random factors.

Stocks move with the market (factor SPX) by their beta and on their own; a currency pair is one currency's factor
less another's; a foreign listing is the home price over the currency. So what belongs together moves together.
"""

from __future__ import annotations

from functools import cache
from math import sqrt

from ibkit.paper.instruments.pricing import Factor, Root
from ibkit.paper.instruments.tables import Row, number, rows

_ACTIVITY = {"IBIS": "europe", "LSE": "europe"}  # all other stocks: us


@cache
def _currencies() -> dict[str, tuple[float, tuple[tuple[Factor, float], ...]]]:
    found: dict[str, tuple[float, tuple[tuple[Factor, float], ...]]] = {"USD": (1.0, ())}
    for row in rows("currencies"):
        factor = Factor(row["currency"], float(row["sigma"]), "fx")
        found[row["currency"]] = (float(row["usd"]), ((factor, 1.0),))
    return found


@cache
def _spot_rows() -> dict[str, Row]:
    """Rows that define a root of their own, by key: roots.csv and the home listings of stocks.csv."""
    own = {row["key"]: row for row in rows("roots")}
    own |= {
        row["symbol"]: {
            "base": row["price"],
            "sigma": row["sigma"],
            "beta": row["beta"],
            "activity": _ACTIVITY.get(row["exchange"], "us"),
        }
        for row in rows("stocks")
        if not row["root"]
    }
    return own


@cache
def market_factor() -> Factor:
    """The factor all stocks share."""
    row = _spot_rows()["SPX"]
    return Factor("SPX", float(row["sigma"]), row["activity"])


@cache
def root(key: str) -> Root:
    """Return the root named ``key``: a row's key, a pair such as EURUSD, KEY/CUR, or VIX.

    Raises KeyError when there is none.
    """
    if key == "VIX":
        implied = volatility_root("SPX")
        return Root(key, implied.base * 100, implied.factors)
    if key in _spot_rows():
        return _from_row(key, _spot_rows()[key])
    if "/" in key:
        home, currency = root(key.partition("/")[0]), _currencies()[key.partition("/")[2]]
        return Root(key, home.base / currency[0], (*home.factors, *_negative(currency[1])))
    first, second = _currencies()[key[:3]], _currencies()[key[3:]]
    return Root(key, first[0] / second[0], (*first[1], *_negative(second[1])))


def scaled(text: str) -> tuple[Root, float]:
    """Read ``KEY`` or ``KEY*scale``."""
    key, _, scale = text.partition("*")
    return root(key), float(scale or 1)


def sigma(of: Root) -> float:
    """Return the yearly volatility of a root."""
    return sqrt(sum((weight * factor.sigma) ** 2 for factor, weight in of.factors))


@cache
def volatility_root(key: str) -> Root:
    """Return the at-the-money implied volatility of what hangs on root ``key``, itself a random level.

    It rises when the price falls, three times as strongly for the index as for a stock.
    """
    spot = root(key)
    base = number(_spot_rows().get(key, {}), "iv") or sigma(spot) * 1.05
    lean = -3.0 if key == "SPX" else -1.0
    own = Factor(f"IV.{key}", 0.7, "us")
    return Root(f"IV.{key}", base, ((own, 1.0), *((f, w * lean) for f, w in spot.factors)))


def _from_row(key: str, row: Row) -> Root:
    total, beta = float(row["sigma"]), number(row, "beta")
    if not beta:
        return Root(key, float(row["base"]), ((Factor(key, total, row["activity"]), 1.0),))
    own = sqrt(max(total**2 - (beta * market_factor().sigma) ** 2, (0.3 * total) ** 2))
    return Root(key, float(row["base"]), ((Factor(key, own, row["activity"]), 1.0), (market_factor(), beta)))


def _negative(factors: tuple[tuple[Factor, float], ...]) -> tuple[tuple[Factor, float], ...]:
    return tuple((factor, -weight) for factor, weight in factors)
