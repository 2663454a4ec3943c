"""The gateway without sockets: sessions that speak the protocol, over one broker and one market."""

from ibkit.paper.broker import Models
from ibkit.paper.gateway.gateway import Gateway
from ibkit.paper.gateway.limits import Limits
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.start import login, start_moment

__all__ = ["Gateway", "Limits", "Models", "Session", "login", "start_moment"]
