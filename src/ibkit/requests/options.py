"""Option calculations made by the broker.

Must not know what becomes of the answers; ``engine.options`` does.
"""

from __future__ import annotations

from collections.abc import Sequence

from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.model import Contract, OptionComputation, TagValue
from ibkit.requests.base import Requests
from ibkit.requests.lenient import or_else
from ibkit.wire import messages as m


def _computation(
    engine: Engine, contract: Contract, name: str, message: m.Request, cancel: m.Request, req_id: int
) -> Call[OptionComputation | None]:
    call: Call[OptionComputation] = engine.ask(
        message,
        key=req_id,
        name=f"{name}({contract})",
        contract=contract,
        cancel=cancel,
        timeout=engine.settings.QuietTimeout,
    )

    def settle(call: Call[OptionComputation]) -> None:
        if call.error is None:  # else it goes on, and so does the counting of it
            engine.send(cancel)

    call.add_done_callback(settle)
    return or_else(engine, call, None)


def _implied_volatility(
    engine: Engine, contract: Contract, price: float, under_price: float, options: list[TagValue]
) -> Call[OptionComputation | None]:
    req_id = engine.next_id()
    message = m.ReqCalcImpliedVolat(req_id, contract, price, under_price, options)
    cancel = m.CancelCalcImpliedVolat(req_id)
    return _computation(engine, contract, "calculateImpliedVolatility", message, cancel, req_id)


def _option_price(
    engine: Engine, contract: Contract, volatility: float, under_price: float, options: list[TagValue]
) -> Call[OptionComputation | None]:
    req_id = engine.next_id()
    message = m.ReqCalcOptionPrice(req_id, contract, volatility, under_price, options)
    cancel = m.CancelCalcOptionPrice(req_id)
    return _computation(engine, contract, "calculateOptionPrice", message, cancel, req_id)


class OptionRequests(Requests):
    """What the broker calculates about options."""

    def calculateImpliedVolatility(
        self,
        contract: Contract,
        optionPrice: float,
        underPrice: float,
        implVolOptions: Sequence[TagValue] = (),
    ) -> OptionComputation | None:
        """Have the broker calculate the volatility that a price of an option implies.

        Args:
            contract: the option.
            optionPrice: its hypothetical price.
            underPrice: the hypothetical price of its underlying.
            implVolOptions: for IB's own use.

        Returns: the computation; None where the broker gives no value.

        Raises RequestTimeout after ``QuietTimeout`` without an answer (with ``RaiseRequestErrors`` off that is None),
        RequestError, NotConnected.

        >>> option = Option('AAPL', '20240119', 160, 'C', 'SMART', currency='USD')
        >>> computation = ib.calculateImpliedVolatility(option, optionPrice=5, underPrice=160)
        >>> computation.optPrice, 0.4 < computation.impliedVol < 0.6
        (5.0, True)
        """
        options = list(implVolOptions or ())
        return self._wait(lambda engine: _implied_volatility(engine, contract, optionPrice, underPrice, options))

    async def calculateImpliedVolatilityAsync(
        self,
        contract: Contract,
        optionPrice: float,
        underPrice: float,
        implVolOptions: Sequence[TagValue] = (),
    ) -> OptionComputation | None:
        """Have an implied volatility calculated: see ``calculateImpliedVolatility``."""
        options = list(implVolOptions or ())
        return await self._future(
            lambda engine: _implied_volatility(engine, contract, optionPrice, underPrice, options)
        )

    def calculateOptionPrice(
        self,
        contract: Contract,
        volatility: float,
        underPrice: float,
        optPrcOptions: Sequence[TagValue] = (),
    ) -> OptionComputation | None:
        """Have the broker calculate the price and greeks of an option.

        Args:
            contract: the option.
            volatility: hypothetical, such as 0.2.
            underPrice: the hypothetical price of its underlying.
            optPrcOptions: for IB's own use.

        Returns: the computation; None where the broker gives no value.

        Raises RequestTimeout after ``QuietTimeout`` without an answer (with ``RaiseRequestErrors`` off that is None),
        RequestError, NotConnected.

        >>> option = Option('AAPL', '20240119', 160, 'C', 'SMART', currency='USD')
        >>> computation = ib.calculateOptionPrice(option, volatility=0.2, underPrice=160)
        >>> computation.impliedVol, 1 < computation.optPrice < 3
        (0.2, True)
        """
        options = list(optPrcOptions or ())
        return self._wait(lambda engine: _option_price(engine, contract, volatility, underPrice, options))

    async def calculateOptionPriceAsync(
        self,
        contract: Contract,
        volatility: float,
        underPrice: float,
        optPrcOptions: Sequence[TagValue] = (),
    ) -> OptionComputation | None:
        """Have the price of an option calculated: see ``calculateOptionPrice``."""
        options = list(optPrcOptions or ())
        return await self._future(lambda engine: _option_price(engine, contract, volatility, underPrice, options))
