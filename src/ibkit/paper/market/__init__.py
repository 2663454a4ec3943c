"""The simulated market: a price depends on seed, instrument and moment alone."""

from ibkit.paper.market.market import Market
from ibkit.paper.market.records import Bar, Greeks, Quote, Shock, Tick

__all__ = ["Bar", "Greeks", "Market", "Quote", "Shock", "Tick"]
