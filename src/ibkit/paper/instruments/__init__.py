"""What can be traded at the simulated broker."""

from ibkit.paper.instruments.calendar import Calendar, Session
from ibkit.paper.instruments.catalogue import Catalogue
from ibkit.paper.instruments.instrument import Instrument, Liquidity, Listing, Prints
from ibkit.paper.instruments.rules import MarketRule

__all__ = ["Calendar", "Catalogue", "Instrument", "Liquidity", "Listing", "MarketRule", "Prints", "Session"]
