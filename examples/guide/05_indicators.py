"""Indicators: a moving average with pandas alone, Bollinger bands with TA-Lib (pip install TA-Lib)."""

import talib

from ibkit import *

ib = IB()
ib.connect()

nflx_contract = Stock("NFLX", "SMART", "USD")
ib.qualifyContracts(nflx_contract)
historical_data_nflx = ib.reqHistoricalData(
    nflx_contract, "", durationStr="5 D", barSizeSetting="15 mins", whatToShow="MIDPOINT", useRTH=True
)

nflx_df = util.df(historical_data_nflx)
nflx_df["20SMA"] = nflx_df.close.rolling(20).mean()
print("average of the last 20 closes:", nflx_df.close.rolling(20).mean().iloc[-1])

nflx_df["upper"], nflx_df["middle"], nflx_df["lower"] = talib.BBANDS(nflx_df.close, timeperiod=20)
print(nflx_df[["date", "close", "20SMA", "lower", "middle", "upper"]].tail(3).to_string(index=False))

ib.disconnect()
