"""What only a notebook has: the interrupt button, and time between cells."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.processes import Kernel

CONNECT = """
from ibkit import *
from ibkit.paper import Limits, PaperGateway
NFLX = Stock("NFLX", "SMART", "USD", conId=15124833)
gateway = PaperGateway(speed=20, limits=Limits(history_delay_s=1e6)).start()
ib = IB()
ib.connect(port=gateway.port)
ticks = []
ib.reqMktData(NFLX).updateEvent += ticks.append
def sent():
    return ib.client.connectionStats().numMsgSent
"""

ARGUMENTS = '(NFLX, "", "1 D", "1 hour", "TRADES", True, timeout=0)'


def test_data_flows_between_cells(kernel: Kernel) -> None:
    kernel.run(CONNECT)
    try:
        kernel.run("ib.sleep(0.1)")
        before = int(kernel.run("print(len(ticks))"))
        end = time.monotonic() + 20
        while int(kernel.run("print(len(ticks))")) < before + 5:  # no cell waits
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        kernel.run("ib.disconnect(); gateway.stop()")


@pytest.mark.parametrize("before", ["", "import asyncio; await asyncio.sleep(0)\n"])
@pytest.mark.parametrize(
    "wait", [f"ib.reqHistoricalData{ARGUMENTS}", "ib.sleep(60)", "ib.waitOnUpdate() and ib.sleep(60)"]
)
def test_the_interrupt_button_ends_a_cell_that_blocks(kernel: Kernel, wait: str, before: str) -> None:
    """Also one that awaits: the kernel then hears of the button by way of the loop that the cell blocks."""
    _interrupt(kernel, before + wait, "Historical" in wait)


@pytest.mark.parametrize("wait", [f"await ib.reqHistoricalDataAsync{ARGUMENTS}"])
def test_the_interrupt_button_ends_a_cell_that_awaits(kernel: Kernel, wait: str) -> None:
    _interrupt(kernel, wait, True)


def _interrupt(kernel: Kernel, wait: str, cancels: bool) -> None:
    kernel.run(CONNECT)
    try:
        before = int(kernel.run("print(sent())"))
        number = kernel.start(f'print("it waits", flush=True)\n{wait}')
        while (message := kernel.client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
            pass
        assert "it waits" in message["content"]["text"]
        time.sleep(0.1)  # else it might not wait yet; an interrupt before the wait ends the cell, too
        kernel.manager.interrupt_kernel()
        with pytest.raises(pytest.fail.Exception, match=r"KeyboardInterrupt|CancelledError"):
            kernel.printed(number)
        assert int(kernel.run("print(sent())")) - before == (2 if cancels else 0)
        assert kernel.run("print(ib.reqCurrentTime().year, (await ib.reqCurrentTimeAsync()).year)")
    finally:
        kernel.run("ib.disconnect(); gateway.stop()")
