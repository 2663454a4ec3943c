"""`ibkit run` runs a script as Python would, answers for ib_insync, and with --paper leads every connection home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(
    tmp_path: Path, source: str, *options: str, arguments: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "script.py"
    script.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "ibkit.cli", "run", *options, "script.py", *arguments]
    env = {**os.environ, "PYTHONWARNINGS": "error"}
    return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_arguments_file_and_folder_are_the_scripts(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("VALUE = 'found'", encoding="utf-8")
    source = "import sys, beside\nprint(__name__, __file__, sys.argv, beside.VALUE)"
    done = run(tmp_path, source, arguments=("--", "one", "--two"))
    assert done.stdout == "__main__ script.py ['script.py', 'one', '--two'] found\n", done.stderr
    assert done.returncode == 0


def test_it_compiles_as_python_would(tmp_path: Path) -> None:
    done = run(tmp_path, "def f(x: int): pass\nprint(f.__annotations__['x'])")
    assert done.stdout == "<class 'int'>\n", "a __future__ import of ours has reached the script"


@pytest.mark.parametrize(("source", "status"), [("import sys\nsys.exit(3)", 3), ("quit(0)", 0), ("pass", 0)])
def test_exit_status(tmp_path: Path, source: str, status: int) -> None:
    assert run(tmp_path, source).returncode == status


def test_a_traceback_begins_at_the_script(tmp_path: Path) -> None:
    done = run(tmp_path, "def f():\n    return 1 / 0\n\nf()\n")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].strip().startswith('File "script.py", line 4')
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_a_syntax_error_is_shown(tmp_path: Path) -> None:
    done = run(tmp_path, "def f(:\n")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    assert "ibkit" not in done.stderr


def test_a_missing_script_is_a_usage_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ibkit.cli", "run", "missing.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "does not exist" in done.stderr


OLD_SCRIPT = """
from {package} import *

util.startLoop()
ib = IB()
ib.connect('127.0.0.1', {port}, clientId=5)
print(ib.reqContractDetails(Stock('NOSUCHSTOCK', 'SMART', 'USD')))
contract, = ib.qualifyContracts(Stock('NFLX', 'SMART', 'USD'))
trade = ib.placeOrder(contract, MarketOrder('BUY', 100))
while not trade.isDone():
    ib.waitOnUpdate()
print(trade.orderStatus.status)
ib.disconnect()
"""


@pytest.mark.parametrize("package", ["ib_insync", "ib_async"])
@pytest.mark.parametrize("port", [7497, 4002])
def test_an_old_script_trades_on_paper(tmp_path: Path, package: str, port: int) -> None:
    done = run(tmp_path, OLD_SCRIPT.format(package=package, port=port), "--paper")
    assert done.stdout == "[]\nFilled\n", done.stderr
    assert done.returncode == 0
    assert "NOSUCHSTOCK" in done.stderr, "what failed is logged, as ib_insync does"


@pytest.mark.parametrize("connect", ["ib.connect()", "ib.connect('192.0.2.7', 4001, clientId=3)"])
def test_on_paper_every_connection_goes_to_the_gateway(tmp_path: Path, connect: str) -> None:
    source = f"from ibkit import *\nib = IB()\n{connect}\nprint(ib.managedAccounts())\nib.disconnect()"
    done = run(tmp_path, source, "--paper")
    assert done.stdout == "['DU1234567']\n", done.stderr


def test_asyncio_programs_go_to_the_gateway_as_well(tmp_path: Path) -> None:
    source = """
import asyncio
from ib_async import *

async def main():
    ib = IB()
    await ib.connectAsync('127.0.0.1', 7497, clientId=2)
    print((await ib.reqCurrentTimeAsync()).tzinfo)
    ib.disconnect()

asyncio.run(main())
"""
    done = run(tmp_path, source, "--paper")
    assert done.stdout == "UTC\n", done.stderr


def test_the_script_lives_in_the_markets_time(tmp_path: Path) -> None:
    source = """
from ibkit import *
ib = IB()
ib.connect()
ticker = ib.reqMktData(Stock('NFLX', 'SMART', 'USD'))
while ticker.time is None:
    ib.waitOnUpdate()
print(ticker.time.date())
ib.disconnect()
"""
    done = run(tmp_path, source, "--paper", "--start", "2024-03-13 11:00", "--speed", "20")
    assert done.stdout == "2024-03-13\n", done.stderr


def test_threads_of_the_script_are_waited_for(tmp_path: Path) -> None:
    source = """
import threading, time
from ibkit import *
ib = IB()
ib.connect()
def later():
    time.sleep(0.5)
    print(ib.reqCurrentTime() is not None)
threading.Thread(target=later).start()
"""
    done = run(tmp_path, source, "--paper")
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("shock", ["V", "V:much", "V:6:soon"])
def test_a_shock_that_cannot_be_read(tmp_path: Path, shock: str) -> None:
    done = run(tmp_path, "pass", "--paper", "--shock", shock)
    assert done.returncode == 2
    assert "expected SYMBOL:PERCENT[:AFTER_S]" in done.stderr


def test_a_shock_for_nobody(tmp_path: Path) -> None:
    done = run(tmp_path, "pass", "--paper", "--shock", "NOSUCH:5")
    assert done.returncode == 2
    assert "NOSUCH" in done.stderr
