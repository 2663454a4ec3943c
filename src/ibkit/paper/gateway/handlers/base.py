"""The shape of a table of handlers. Must not know any handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ibkit.paper.gateway.refusal import Refusal
from ibkit.paper.gateway.session import Session

# Any: each handler takes the message it stands beside in the table; the type of the key says which.
Handlers: TypeAlias = Mapping[type, Callable[[Session, Any], None]]


def nothing(session: Session, msg: object) -> None:
    """Do nothing: a cancel of what has been answered already, to which TWS says nothing either."""


def needs_live(session: Session, refusal: Refusal) -> None:
    """Raise ``refusal`` where no market data is subscribed: only quotes and history come delayed."""
    if session.gateway.limits.market_data != "live":
        raise refusal
