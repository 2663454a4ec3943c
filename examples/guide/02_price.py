"""The current price of a stock: describe it, let the broker fill in the rest, stream its ticks."""

from ibkit import *

ib = IB()
ib.connect()

nflx_contract = Stock("NFLX", "SMART", "USD")
ib.qualifyContracts(nflx_contract)
print("qualified:", nflx_contract)

data = ib.reqMktData(nflx_contract)


def on_tick(ticker: Ticker) -> None:
    print(f"{ticker.time:%H:%M:%S}  bid {ticker.bid} x {ticker.bidSize:g}  ask {ticker.ask} x {ticker.askSize:g}")


data.updateEvent += on_tick
ib.sleep(2)  # prices arrive while the program waits
data.updateEvent -= on_tick

print("market price:", data.marketPrice())
print("last:", data.last, "x", data.lastSize, " volume:", data.volume, " close:", data.close)
ib.cancelMktData(nflx_contract)

# What does not exist, and what is not clear, are two different things.
try:
    ib.qualifyContracts(Stock("NOSUCHSTOCK", "SMART", "USD"))
except ContractUnknown as error:
    print("unknown:", error)
try:
    ib.qualifyContracts(Future("BRR", exchange="CME"))
except ContractAmbiguous as error:
    print("ambiguous:", len(error.possibles), "futures fit, the first:", error.possibles[0])

ib.disconnect()
