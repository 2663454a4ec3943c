"""What type checkers see of events, errors, util and the fixtures. Checked, never run."""

from __future__ import annotations

from typing import assert_type

from ibkit import (
    IB,
    BarDataList,
    ClientIdInUse,
    Contract,
    ContractAmbiguous,
    Event,
    Fill,
    NotConnected,
    OrderRejected,
    RequestError,
    RequestTimeout,
    Ticker,
    Trade,
    codes,
    util,
)
from ibkit.codes import Code, Consequence, Kind
from ibkit.paper import InProcess, PaperGateway, in_process
from ibkit.testing import Virtual, virtual_world


def events(ib: IB, trade: Trade, ticker: Ticker, bars: BarDataList) -> None:
    assert_type(ib.connectedEvent, Event)
    assert_type(ib.orderStatusEvent, Event)
    assert_type(trade.filledEvent, Event)
    assert_type(bars.updateEvent, Event)

    def on_fill(trade: Trade, fill: Fill) -> None:
        assert_type(fill.execution.price, float)

    def on_error(req_id: int, code: int, text: str, contract: Contract | None) -> None: ...

    async def on_bars(bars: BarDataList, has_new_bar: bool) -> None: ...

    trade.fillEvent += on_fill
    trade.fillEvent -= on_fill
    ib.errorEvent += on_error
    bars.updateEvent += on_bars
    ib.updateEvent.connect(lambda: print("updated"))
    assert_type(len(trade.fillEvent), int)
    assert_type(trade.fillEvent.name(), str)
    assert_type(ticker.updateEvent.trades().tickbars(10).bars[0].close, float)


async def awaiting(ib: IB, ticker: Ticker) -> None:
    await ticker.updateEvent
    async for _ in ticker.updateEvent:
        break


def errors() -> None:
    try:
        IB().connect()
    except ClientIdInUse as error:
        assert_type(error.clientId, int)
    except (NotConnected, RequestTimeout) as error:
        assert_type(error, NotConnected | RequestTimeout)
    except ContractAmbiguous as error:
        assert_type(error.possibles, list[object])
    except (OrderRejected, RequestError) as error:
        assert_type(error.code, int)
        assert_type(error.message, str)
    assert_type(codes.lookup(201), Code)
    assert_type(codes.lookup(201).kind, Kind)
    assert_type(codes.consequence(201, codes.Target.REQUEST), Consequence)


def helpers() -> None:
    assert_type(util.sleep(1), bool)
    assert_type(util.isNan(1.0), bool)
    assert_type(util.formatSI(1.0), str)


def gateways() -> None:
    with PaperGateway(seed=7) as gateway:
        assert_type(gateway, PaperGateway)
        assert_type(gateway.port, int)
    assert_type(in_process(seed=7), InProcess)
    with virtual_world() as world:
        assert_type(world, Virtual)
        assert_type(world.ib, IB)
