"""Option calculations as users ask for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ibkit.errors import RequestError, RequestTimeout
from ibkit.model import Option, OptionComputation
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.desk import desk


def option(strike: float = 100.0) -> Option:
    return Option("AAPL", "20240315", strike, "C", "SMART")


def answers(request: Any) -> list[m.Answer] | None:
    match request:
        case m.ReqCalcImpliedVolat(reqId=req_id, contract=contract, optionPrice=price, underPrice=under):
            match contract.strike:
                case 1.0:
                    return []
                case 2.0:
                    return [m.ErrMsg(req_id, 200, "No security definition has been found for the request", "", 0)]
            return [m.TickOptionComputation(req_id, 53, 0, 0.25, -2.0, price, -1.0, -2.0, -2.0, -2.0, under)]
        case m.ReqCalcOptionPrice(reqId=req_id, volatility=volatility, underPrice=under):
            return [m.TickOptionComputation(req_id, 53, 1, volatility, 0.5, 3.0, 0.0, 0.1, 0.2, -0.1, under)]
    return None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_calculations(version: int, how: str) -> None:
    with desk(answers, version, how) as at:
        assert at.ib.calculateImpliedVolatility(option(), 3.0, 101.0) == OptionComputation(
            0, 0.25, optPrice=3.0, undPrice=101.0
        )
        assert at.ib.calculateOptionPrice(option(), 0.2, 101.0) == OptionComputation(
            1, 0.2, 0.5, 3.0, 0.0, 0.1, 0.2, -0.1, 101.0
        )
        assert [type(request) for request in at.asked()] == [
            m.ReqCalcImpliedVolat,
            m.CancelCalcImpliedVolat,
            m.ReqCalcOptionPrice,
            m.CancelCalcOptionPrice,
        ]


def test_in_a_loop() -> None:
    async def main() -> None:
        with desk(answers) as at:
            volatility, price = await asyncio.gather(
                at.ib.calculateImpliedVolatilityAsync(option(), 3.0, 101.0),
                at.ib.calculateOptionPriceAsync(option(), 0.2, 101.0),
            )
            assert volatility is not None
            assert price is not None

    asyncio.run(main())


def test_silence_and_refusal() -> None:
    with desk(answers) as at:
        with pytest.raises(RequestTimeout):
            at.ib.calculateImpliedVolatility(option(1.0), 3.0, 101.0)
        assert [type(request) for request in at.asked()] == [m.ReqCalcImpliedVolat, m.CancelCalcImpliedVolat]
        with pytest.raises(RequestError):
            at.ib.calculateImpliedVolatility(option(2.0), 3.0, 101.0)
        at.ib.RaiseRequestErrors = False
        assert at.ib.calculateImpliedVolatility(option(1.0), 3.0, 101.0) is None
