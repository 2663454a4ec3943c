"""Compute for seconds, lose no data: the computation runs in a thread, the program waits in the library."""

from concurrent.futures import ThreadPoolExecutor

from ibkit import *

ib = IB()
ib.connect()

contract = Stock("NFLX", "SMART", "USD")
ib.qualifyContracts(contract)
bars = ib.reqHistoricalData(contract, "", "5 D", "1 min", "TRADES", True)
ticker = ib.reqMktData(contract)
ticks = 0


def on_tick(ticker: Ticker) -> None:
    global ticks
    ticks += len(ticker.ticks)


ticker.updateEvent += on_tick


def heavy(closes: list[float]) -> float:
    """Something that takes a while: the largest fall between any two of the last closes."""
    deepest = 0.0
    for _ in range(10):
        for i, high in enumerate(closes):
            for low in closes[i + 1 :]:
                deepest = max(deepest, high / low - 1)
    return deepest


with ThreadPoolExecutor() as workers:
    future = workers.submit(heavy, [bar.close for bar in bars])
    while not future.done():
        ib.sleep(0.1)
print(f"deepest fall: {future.result():.2%}; ticks that came in meanwhile: {ticks}")

# A thread may use the connection as well; its requests are handed to the thread that holds it.
with ThreadPoolExecutor() as workers:
    future = workers.submit(ib.reqHistoricalData, contract, "", "1 D", "1 hour", "TRADES", True)
    while not future.done():
        ib.sleep(0.05)
print("bars asked for from the thread:", len(future.result()))

ib.disconnect()
