"""Every script of the guide runs as a user would run it, against a gateway, and prints what it promises."""

from __future__ import annotations

import pytest

from ibkit.paper import Limits, PaperGateway
from tests.examples.running import GUIDE, PRICE, START, check, run

# What each script prints, line after line; other lines may stand between.
EXPECTED: dict[str, list[str]] = {
    "01_connect.py": [
        r"connected: <IB connected to 127\.0\.0\.1:\d+ clientId=1>",
        r"accounts: \['DU1234567'\]",
        r"time at the broker: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00",
        r"connected: <IB connected to 127\.0\.0\.1:\d+ clientId=12>",
        r"refused: client id 12 is in use by another connection: connect with another clientId.*",
        r"disconnected: <IB not connected>",
    ],
    "02_price.py": [
        r"qualified: Stock\(conId=15124833, symbol='NFLX', exchange='SMART', primaryExchange='NASDAQ', currency='USD', "
        r"localSymbol='NFLX', tradingClass='NMS'\)",
        rf"\d\d:\d\d:\d\d  bid {PRICE} x \d+  ask {PRICE} x \d+",
        rf"market price: {PRICE}",
        rf"last: {PRICE} x \d+\.0  volume: \d+\.0  close: {PRICE}",
        r"unknown: API error: 200: .*NOSUCHSTOCK.*",
        r"ambiguous: \d+ futures fit, the first: .*symbol='BRR'.*",
    ],
    "03_other_markets.py": [
        r"bitcoin futures expire on \d{8}, \d{8}.*",
        rf"CASH    EUR\.USD   IDEALPRO  +1\.{PRICE[:3]}\d*",
        rf"CONTFUT .* {PRICE}",
        rf"FUT .* {PRICE}",
        rf"CFD     XAUUSD .* {PRICE}",
    ],
    "04_history.py": [
        r"BarDataList of \d\d bars",
        r"the latest: BarData\(date=datetime\.datetime\(.*",
        rf"its open: {PRICE}",
        r" +date +open +high +low +close",
        r"refused: .*'15 min' is not valid; valid are: 1 secs,.* 15 mins,.*",
    ],
    "05_indicators.py": [
        rf"average of the last 20 closes: {PRICE}",
        r" +date +close +20SMA +lower +middle +upper",
        rf".*{PRICE} +{PRICE} +{PRICE} +{PRICE} +{PRICE}",
    ],
    "06_orders.py": [
        r"right after placing it: PendingSubmit",
        r"Your order status - Filled",
        r"\d\d:\d\d:\d\d\.\d{6}  PendingSubmit +",
        rf"\d\d:\d\d:\d\d\.\d{{6}}  \w+ +Fill \d+\.\d+@{PRICE}",
        r"LMT      Submitted",
        r"STP      PreSubmitted",
        r"STP LMT  PreSubmitted",
        r"changed: \['Modify', 'Modified'\]",
        r"cancelled: True  still open: 0",
    ],
    "07_order_events.py": [
        rf"fill: 100\.0 @ {PRICE}",
        r"status: Filled",
        rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d - BOT NFLX 100\.0 @ {PRICE}",
        r"commission: 1\.0\d* USD",
        r"fills without a commission: 0",
    ],
    "08_bracket.py": [
        r"entry        BUY   LMT  Filled",
        r"take profit  SELL  LMT  Submitted",
        r"stop loss    SELL  STP  PreSubmitted",
        rf"entry        Filled     at {PRICE}",
        rf"take profit  Filled     at {PRICE}",
        r"stop loss    Cancelled  at 0\.00000",
    ],
    "11_options.py": [
        r"\d+ expirations from \d{8}, \d+ strikes",
        r"qualified: MSFT  \d{6}C\d{8}",
        rf"MSFT at {PRICE}, the call at {PRICE} / {PRICE}",
        r"implied volatility 0\.\d+  delta 0\.[45]\d+  gamma 0\.\d+  vega 0\.\d+  theta -0\.\d+",
        rf"order: Filled at {PRICE}",
    ],
    "13_many_histories.py": [
        r"50 histories, \d+ bars",
        r"one alone took \d+\.\d\d s, all of them \d+\.\d\d s",
    ],
    "14_worker_thread.py": [
        r"deepest fall: \d+\.\d\d%; ticks that came in meanwhile: [1-9]\d*",
        r"bars asked for from the thread: [1-9]\d*",
    ],
}


@pytest.mark.parametrize("script", EXPECTED)
def test_script(script: str) -> None:
    # A history takes a moment, as with a real gateway: what waits for fifty, one by one, would wait for long.
    with PaperGateway(start=START, limits=Limits(history_delay_s=0.5)) as gateway:
        done = run(GUIDE / script, port=gateway.port)
    check(done, EXPECTED[script])
    if script == "13_many_histories.py":
        together = float(done.stdout.split("all of them ")[1].split()[0])
        assert together < 50 * 0.5 / 2


def test_every_script_is_tested() -> None:
    elsewhere = {"09_price_condition.py", "10_visa_mastercard.py", "12_lean_hogs.py"}
    assert {path.name for path in GUIDE.glob("*.py")} == EXPECTED.keys() | elsewhere
