"""Trade Mastercard when Visa has moved by more than 5 % within five minutes.

A strategy that lives in the handler of the ticks: it sends an order from there, waits there for the fill
while the ticks keep coming, and ends the program.

Days may pass before Visa moves that much. To see it happen: a market that runs sixty times as fast, and in which
Visa rises by 6 % after six minutes:

    ibkit run --paper --speed 60 --shock V:6:360 examples/guide/10_visa_mastercard.py
"""

import pandas as pd

from ibkit import *

ib = IB()
ib.connect()


def new_data(tickers: set[Ticker]) -> None:
    """Process incoming data and check for a trade entry."""
    global df
    for ticker in tickers:
        df.loc[ticker.time] = ticker.last

    five_mins_ago = df.index[-1] - pd.Timedelta(minutes=5)

    if df.index[0] < five_mins_ago:
        df = df[five_mins_ago:]

        price_min = df["last"].min()
        price_max = df["last"].max()

        if df["last"].iloc[-1] > price_min * 1.05:
            place_order("BUY")
        elif df["last"].iloc[-1] < price_max * 0.95:
            place_order("SELL")


def place_order(direction: str) -> None:
    """Place an order and end the program when it has filled."""
    mastercard_order = MarketOrder(direction, 100)
    trade = ib.placeOrder(mastercard_contract, mastercard_order)
    ib.sleep(3)
    print(f"{direction} Mastercard: {trade.orderStatus.status} at {trade.orderStatus.avgFillPrice}")
    if trade.orderStatus.status == "Filled":
        ib.disconnect()
        quit(0)


# init dataframe
df = pd.DataFrame(columns=["date", "last"])
df = df.set_index("date")

# Create contracts
mastercard_contract = Stock("MA", "SMART", "USD")
visa_contract = Stock("V", "SMART", "USD")

ib.qualifyContracts(mastercard_contract)
ib.qualifyContracts(visa_contract)

# Request market data for Visa
ib.reqMktData(visa_contract)

# Set callback function for tick data
ib.pendingTickersEvent += new_data

# Run infinitely
ib.run()
