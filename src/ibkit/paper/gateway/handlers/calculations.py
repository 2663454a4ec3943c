"""Option calculations: the volatility behind a price, the price at a volatility."""

from __future__ import annotations

from ibkit.paper.gateway.finding import find_one
from ibkit.paper.gateway.handlers.base import Handlers, nothing
from ibkit.paper.gateway.refusal import invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.instruments import Instrument
from ibkit.wire import messages as m

CUSTOM = 53
"""The tick type of an answer."""

# What stands for a value that was not computed.
_NONE, _NO_GREEK = -1.0, -2.0


def _option(session: Session, msg: m.ReqCalcImpliedVolat | m.ReqCalcOptionPrice) -> Instrument:
    instrument = find_one(session.gateway.catalogue, msg.contract)
    if instrument.sec_type not in ("OPT", "FOP"):
        raise invalid("Option calculations need an option")
    if not msg.underPrice > 0:
        raise invalid(f"Invalid underlying price: {msg.underPrice}")
    return instrument


def implied_volatility(session: Session, msg: m.ReqCalcImpliedVolat) -> None:
    option = _option(session, msg)
    volatility = session.gateway.market.implied_vol(option, session.now, msg.optionPrice, msg.underPrice)
    if volatility is None:
        raise invalid(f"No volatility explains an option price of {msg.optionPrice:g}")
    _tell(session, msg.reqId, volatility, msg.optionPrice, msg.underPrice)


def option_price(session: Session, msg: m.ReqCalcOptionPrice) -> None:
    option = _option(session, msg)
    if not msg.volatility > 0:
        raise invalid(f"Invalid volatility: {msg.volatility}")
    price = session.gateway.market.option_price(option, session.now, msg.volatility, msg.underPrice)
    _tell(session, msg.reqId, msg.volatility, price, msg.underPrice)


def _tell(session: Session, req_id: int, volatility: float, price: float, under: float) -> None:
    greeks = (_NO_GREEK, _NO_GREEK, _NO_GREEK)
    session.send(m.TickOptionComputation(req_id, CUSTOM, 1, volatility, _NO_GREEK, price, _NONE, *greeks, under))


HANDLERS: Handlers = {
    m.ReqCalcImpliedVolat: implied_volatility,
    m.CancelCalcImpliedVolat: nothing,
    m.ReqCalcOptionPrice: option_price,
    m.CancelCalcOptionPrice: nothing,
}
