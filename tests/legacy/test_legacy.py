"""The stand-ins for ib_insync and ib_async: every public name scripts import, and the old manners."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMPAT = Path(__file__).parents[1] / "compat"


def script(source: str) -> str:
    """Run Python in a process of its own, as sys.modules is changed; return what it prints."""
    code = f"from ibkit import legacy\nlegacy.install()\n{source}"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("package", ["ib_insync", "ib_async"])
def test_every_public_name_is_there_or_said_to_be_missing(package: str) -> None:
    public = list(json.loads((COMPAT / f"{package}.json").read_text(encoding="utf-8"))["names"])
    printed = script(
        f"import {package}\nfrom ibkit.legacy import MISSING\n"
        f"print([n for n in {public!r} if n not in MISSING and not hasattr({package}, n)])"
    )
    assert printed == "[]"


@pytest.mark.parametrize("package", ["ib_insync", "ib_async"])
def test_modules_and_their_names(package: str) -> None:
    source = f"""
import {package} as package
import {package}.util
from {package}.contract import Stock
from {package}.objects import *
from {package}.order import LimitOrder as Limit
from {package}.ib import IB
from {package} import util, ticker
import ibkit
assert package.IB is IB and issubclass(IB, ibkit.IB) and IB is not ibkit.IB
assert package.util is util is ibkit.util
assert Stock is ibkit.Stock and BarData is ibkit.BarData and Limit is ibkit.LimitOrder
assert ticker.Ticker is ibkit.Ticker
print(IB.RaiseRequestErrors, ibkit.IB.RaiseRequestErrors)
"""
    assert script(source) == "False True"


def test_versions() -> None:
    assert script("import ib_insync, ib_async\nprint(ib_insync.__version__, ib_async.__version_info__)") == (
        "0.9.86 (2, 1, 0)"
    )


def test_one_switch_for_both() -> None:
    source = """
import ib_insync, ib_async
ib_insync.IB.RaiseRequestErrors = True
print(ib_async.IB.RaiseRequestErrors, issubclass(ib_async.IB, ib_insync.IB), ib_async.ib.IB is ib_async.IB)
"""
    assert script(source) == "True True True"


def test_where_ib_async_differs() -> None:
    """semantics.md 8: what is not found keeps its place; 2: disconnect tells of the traffic."""
    source = """
import asyncio
import ib_insync, ib_async
from ibkit.paper import PaperGateway
with PaperGateway(seed=1, start="2024-01-10 10:00") as gateway:
    for package in (ib_insync, ib_async):
        ib = package.IB()
        ib.connect('127.0.0.1', gateway.port)
        contracts = [package.Stock('AAPL', 'SMART', 'USD'), package.Stock('NOSUCH', 'SMART', 'USD')]
        found = ib.qualifyContracts(*contracts)
        again = ib.run(ib.qualifyContractsAsync(*contracts))
        print(len(found), found[0] is again[0] is contracts[0], found[-1] is None)
        said = ib.disconnect()
        print(said if said is None else said[:30], ib.disconnect())
"""
    lines = script(source).splitlines()
    assert lines[0] == "1 True False"
    assert lines[1] == "None None"
    assert lines[2] == "2 True True"
    assert lines[3].startswith("Disconnecting from 127.0.0.1:")
    assert lines[3].endswith(" None")


def test_a_name_that_ib_async_has_not_released_yet() -> None:
    """Its own example imports it."""
    source = "from ib_async import SnapMidOrder\nprint(SnapMidOrder('BUY', 1, tif='DAY').orderType)"
    assert script(source) == "SNAP MID"


def test_star_import_gives_everything() -> None:
    source = "from ib_insync import *\nprint(IB.__module__, MarketOrder('BUY', 1).action, util.df([]))"
    assert script(source) == "ibkit.legacy.ib BUY None"


def test_what_is_missing_says_so() -> None:
    source = """
try:
    from ib_insync import Decoder
except ImportError as error:
    print(error)
"""
    assert script(source) == "ibkit has no ib_insync.Decoder: messages are decoded by ibkit.wire"


def test_eventkit_and_nest_asyncio() -> None:
    source = """
import eventkit as ev
from eventkit import Event
import nest_asyncio
nest_asyncio.apply()
import ibkit
assert ev.Event is ibkit.Event is Event
print(ev.Op is ibkit.Op)
"""
    assert script(source) == "True"


def test_importing_ibkit_alone_answers_for_nobody() -> None:
    code = "import ibkit, ibkit.legacy, sys\nprint({'ib_insync', 'ib_async', 'eventkit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"


def test_levels_set_on_their_loggers_are_those_of_ours() -> None:
    source = """
import logging
import ib_insync, ib_async
logging.getLogger('ib_insync.wrapper').setLevel(logging.CRITICAL)
logging.getLogger('ib_async').setLevel(logging.DEBUG)
logging.getLogger('eventkit').setLevel(logging.ERROR)
print([logging.getLogger(name).level for name in ('ibkit.engine', 'ibkit', 'ibkit.event')])
"""
    assert script(source) == "[50, 10, 40]"


def test_every_connection_can_be_led_elsewhere() -> None:
    source = """
import ib_insync
legacy.lead_to('127.0.0.1', 9)
try:
    ib_insync.IB().connect('real.example', 7496)
except ConnectionRefusedError as error:
    print(error.host, error.port)
"""
    assert script(source) == "127.0.0.1 9"


def test_clients_and_wrappers_can_be_imported_and_what_their_submodules_have() -> None:
    source = """
from ib_insync import Client, Wrapper
from ib_insync.objects import nan
from ib_insync.wrapper import OrderKeyType, RequestError
from ib_insync.ticker import Bar, BarList, Tickfilter, TimeBars, TickBars, VolumeBars, Midpoints, TickerUpdateEvent
from ib_insync.contract import TradingSession
from ib_insync.order import OrderStatus
from ib_insync.flexreport import FlexReport
from ib_insync.ibcontroller import IBC, Watchdog
from ib_insync.client import Client as Again
from ib_insync.util import UNSET_DOUBLE, EPOCH, Time_t
import ib_insync.version
ib = __import__('ib_insync').IB()
print(type(ib.client) is Client is Again, type(ib.wrapper) is Wrapper, ib_insync.version.__version__)
try:
    Client(object())
except TypeError as error:
    print('made by' in str(error))
"""
    assert script(source).splitlines() == ["True True 0.9.86", "True"]
