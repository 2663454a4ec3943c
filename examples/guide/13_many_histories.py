"""Fifty histories at once take one wait, not fifty.

The Async form of a request sends it and returns something to wait for; `ib.run` waits for all of them.
What is sent stays within the rate that TWS allows.
"""

import asyncio
from time import perf_counter

from ibkit import *

SYMBOLS = (
    "AAPL MSFT NFLX V MA AMZN GOOGL META NVDA TSLA JPM BAC WMT DIS KO PEP INTC AMD CSCO ORCL "
    "IBM GE F GM XOM CVX PFE MRK JNJ UNH HD MCD NKE SBUX BA CAT COST T VZ TXN "
    "ADBE CRM PYPL QCOM SPY QQQ IWM DIA GLD TLT"
).split()

ib = IB()
ib.connect()


async def history(symbol: str) -> tuple[str, BarDataList]:
    bars = await ib.reqHistoricalDataAsync(Stock(symbol, "SMART", "USD"), "", "1 D", "15 mins", "TRADES", True)
    return symbol, bars


async def all_histories() -> dict[str, BarDataList]:
    return dict(await asyncio.gather(*map(history, SYMBOLS)))


start = perf_counter()
ib.run(history("AAPL"))
single = perf_counter() - start

start = perf_counter()
bars = ib.run(all_histories())
together = perf_counter() - start

print(f"{len(bars)} histories, {sum(map(len, bars.values()))} bars")
print(f"one alone took {single:.2f} s, all of them {together:.2f} s")
ib.disconnect()
