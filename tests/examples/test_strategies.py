"""The scripts that wait for the market to move, in a market that is made to; and the guide's listings as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ibkit.paper import PaperGateway
from tests.examples.running import GUIDE, PRICE, PRINTED, START, check, environment, run, run_until

IBKIT = ("-m", "ibkit.cli", "run", "--paper", "--start", START)


def test_the_order_waits_at_the_gateway_while_the_script_is_gone() -> None:
    lines = []
    with (
        PaperGateway(start=START, speed=20) as gateway,
        subprocess.Popen(
            [sys.executable, GUIDE / "09_price_condition.py"],
            env=environment(gateway.port),
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("disconnected"):
                gateway.shock("V", 1.5)
        assert process.wait(60) == 0
    assert re.fullmatch(rf"Visa is at {PRICE}, the order for {PRICE}: PreSubmitted", lines[0])
    assert lines[1] == "disconnected"
    assert re.fullmatch(rf"filled meanwhile: MA 100\.0 @ {PRICE}", lines[2])
    assert len(lines) == 3, lines


def test_mastercard_is_bought_when_visa_has_risen_within_five_minutes() -> None:
    done = run(*IBKIT, "--speed", "120", "--shock", "V:6:360", GUIDE / "10_visa_mastercard.py")
    check(done, [rf"BUY Mastercard: Filled at {PRICE}"])
    assert done.stdout.count("Mastercard") == 1, "the handler was entered again while it waited"


def test_mastercard_is_sold_when_visa_has_fallen_within_five_minutes() -> None:
    done = run(*IBKIT, "--speed", "120", "--shock", "V:-6:360", GUIDE / "10_visa_mastercard.py")
    check(done, [rf"SELL Mastercard: Filled at {PRICE}"])


def test_lean_hogs_are_sold_after_a_rally_and_bought_back_at_the_average() -> None:
    command = [*IBKIT, "--speed", "300", "--shock", "HE:8:1200", "--shock", "HE:-10:3000", GUIDE / "12_lean_hogs.py"]
    printed = run_until(rf"filled: BUY LMT at {PRICE}", *command)
    assert re.search(
        rf"SELL 1 at {PRICE}, take profit {PRICE}, stop loss {PRICE}\nfilled: SELL LMT at {PRICE}", printed
    )


def test_the_listings_as_printed() -> None:
    done = run(*IBKIT, PRINTED / "interactive.py")
    check(done, [r"Stock\(conId=15124833, .*", r"Your order status - Filled", "done"], errors=".*")


def test_visa_mastercard_as_printed() -> None:
    # pandas 3.1 warns of the listing's set_index(inplace=True)
    command = [*IBKIT, "--speed", "120", "--shock", "V:6:360", PRINTED / "visa_mastercard.py"]
    check(run(*command, warnings="ignore"), ["BUY Filled"])


def test_lean_hogs_as_printed() -> None:
    command = [*IBKIT, "--speed", "300", "--shock", "HE:-9:1200", PRINTED / "lean_hogs.py"]
    run_until("BUY 1 HE", *command)


def test_the_guides_loop_with_time_sleep_is_told_what_is_wrong_once(tmp_path: Path) -> None:
    script = tmp_path / "sleepy.py"
    script.write_text(
        """
import time
from ibkit import *

ib = IB()
ib.connect()
trade = ib.placeOrder(Stock('NFLX', 'SMART', 'USD'), MarketOrder('BUY', 200))
for _ in range(7):
    if not trade.isActive():
        print(f'Your order status - {trade.orderStatus.status}')
        break
    time.sleep(0.5)
else:
    print('Order is still active')
ib.sleep(1)
print(f'Your order status - {trade.orderStatus.status}')
time.sleep(3.5)
""",
        encoding="utf-8",
    )
    done = run(*IBKIT, script)
    check(done, ["Order is still active", "Your order status - Filled"], errors=".*ib.sleep.* instead of time.sleep.*")
    assert done.stderr.count("data has been waiting unread") == 1
