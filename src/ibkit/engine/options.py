"""Option computations: what the broker calculated, for a ticker or for somebody who asked.

Must not know how they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkit.engine import ticktypes
from ibkit.model import OptionComputation
from ibkit.model.values import UNSET_DOUBLE
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers


def computation(msg: m.TickOptionComputation) -> OptionComputation:
    """Make an OptionComputation of a message; what was not computed is None."""
    return OptionComputation(
        msg.tickAttrib,
        None if msg.impliedVol < 0 else _told(msg.impliedVol, -1),
        _told(msg.delta, -2),
        _told(msg.optPrice, -1),
        _told(msg.pvDividend, -1),
        _told(msg.gamma, -2),
        _told(msg.vega, -2),
        _told(msg.theta, -2),
        _told(msg.undPrice, -1),
    )


def _told(value: float, missing: float) -> float | None:
    """Return ``value``, or None when it is the number that stands for "not computed" in its place."""
    return None if value in (missing, UNSET_DOUBLE) or value != value else value


def tick_option_computation(engine: Engine, msg: m.TickOptionComputation) -> None:
    greeks = computation(msg)
    feed = engine.state.market.feeds.get(msg.reqId)
    if feed is None:
        if not engine.calls.finish(msg.reqId, greeks):
            engine.state.market.stray_ticks += 1
        return
    if name := ticktypes.COMPUTATIONS.get(msg.tickType):
        setattr(feed.ticker, name, greeks)
    else:
        engine.state.market.unknown(msg.tickType)
    feed.touch()


REDUCERS: Reducers = {m.TickOptionComputation: tick_option_computation}
