"""Combos: an instrument that is the signed sum of its legs."""

from __future__ import annotations

from ibkit.model import Contract
from ibkit.model.contract import COMBO_CON_ID
from ibkit.paper.instruments import rules
from ibkit.paper.instruments.instrument import Instrument, Liquidity, Listing, Prints
from ibkit.paper.instruments.pricing import LegSum
from ibkit.paper.instruments.spots import ORDER_TYPES


def bag(contract: Contract, legs: tuple[tuple[Instrument, int], ...]) -> Instrument:
    """Make the combo of ``contract`` out of its legs: (instrument, +ratio bought or -ratio sold).

    It trades in the hours of its first leg; a combo quotes and has no trades of its own (TWS gives the sum of legs).
    """
    first = legs[0][0]
    shown = Contract.recreate(contract)
    shown.conId = COMBO_CON_ID
    shown.currency = shown.currency or first.currency
    shown.exchange = shown.exchange or first.contract.exchange
    shown.localSymbol = shown.tradingClass = "COMB"
    return Instrument(
        con_id=COMBO_CON_ID,
        contract=shown,
        calendar=first.calendar,
        rule=_rule(legs),
        pricing=LegSum(legs),
        listing=Listing(
            long_name=" ".join(f"{ratio:+d} {leg.contract.localSymbol}" for leg, ratio in legs),
            market_name="COMB",
            order_types=ORDER_TYPES,
            valid_exchanges=shown.exchange,
        ),
        liquidity=Liquidity(0.0, 1.0, first.liquidity.quote_size),
        commission_class="combo",
        prints=Prints.QUOTES,
        multiplier=first.multiplier,
        price_magnifier=first.price_magnifier,
        volatility=first.volatility,
        expiry=min((leg.expiry for leg, _ in legs if leg.expiry), default=None),
        expires=min((leg.expires for leg, _ in legs if leg.expires), default=0.0),
        listed=max(leg.listed for leg, _ in legs),
        legs=legs,
        routes=frozenset({shown.exchange}),
    )


def _rule(legs: tuple[tuple[Instrument, int], ...]) -> rules.MarketRule:
    """Combos of futures and their options move in the finest step of a leg, all others in cents."""
    if all(leg.sec_type in ("FUT", "FOP") for leg, _ in legs):
        return rules.BY_STEP[min(leg.rule.min_tick for leg, _ in legs)]
    return rules.US_STOCK
