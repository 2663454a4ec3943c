"""Historical bars, as objects and as a DataFrame."""

from ibkit import *

ib = IB()
ib.connect()

nflx_contract = Stock("NFLX", "SMART", "USD")
ib.qualifyContracts(nflx_contract)

historical_data_nflx = ib.reqHistoricalData(
    nflx_contract,
    "",
    barSizeSetting="15 mins",
    durationStr="2 D",
    whatToShow="MIDPOINT",
    useRTH=True,
)
print(type(historical_data_nflx).__name__, "of", len(historical_data_nflx), "bars")
print("the latest:", historical_data_nflx[-1])
print("its open:", historical_data_nflx[-1].open)

nflx_df = util.df(historical_data_nflx)
print(nflx_df[["date", "open", "high", "low", "close"]].tail(3).to_string(index=False))

# A size that does not exist never reaches the broker; the error lists those that do.
try:
    ib.reqHistoricalData(nflx_contract, "", "2 D", "15 min", "MIDPOINT", True)
except InvalidRequest as error:
    print("refused:", error)

ib.disconnect()
