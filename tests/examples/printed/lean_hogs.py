# The guide's listing as printed, ib_insync's name included. What is changed is marked "slip".
from ib_insync import *

ib = IB()
ib.connect()

def place_order(direction, qty, df, tp, sl):
    bracket_order = ib.bracketOrder(
        direction,
        qty,
        limitPrice=tick(df.close.iloc[-1]),  # slip: midpoints and averages are no multiples of the price step
        takeProfitPrice=tick(tp),
        stopLossPrice=tick(sl),
    )

    for ord in bracket_order:
        ib.placeOrder(future, ord)  # slip: contract; TWS takes no orders for a continuous future
    print(direction, qty, contract.symbol)

def tick(price):
    return round(round(price / 0.025) * 0.025, 3)

def on_new_bar(bars: BarDataList, has_new_bar: bool):
    if has_new_bar:
        df = util.df(data)
        sma = df.close.tail(50).mean()
        std_dev = df.close.tail(50).std() * 3

        # Check if we are in a trade
        if contract not in [i.contract for i in ib.positions()]:
            # We are not in a trade - Look for a signal

            if df.close.iloc[-1] > sma + std_dev:
                # Trading more than 3 standard deviations above average - SELL
                place_order('SELL', 1, df, sma, sma + std_dev * 2)

            elif df.close.iloc[-1] < sma - std_dev:
                # Trading more than 3 standard deviations below average - BUY
                place_order('BUY', 1, df, sma, sma - std_dev * 2)  # slip: sma=std_dev * 2

# Create Contract
contract = ContFuture('HE', 'GLOBEX')
ib.qualifyContracts(contract)
future = Future(conId=contract.conId)  # slip: see above
ib.qualifyContracts(future)

# Request Streaming bars
data = ib.reqHistoricalData(
    contract,
    endDateTime='',
    durationStr='2 D',
    barSizeSetting='15 mins',
    whatToShow='MIDPOINT',
    useRTH=True,
    keepUpToDate=True,
)

# Set callback function for streaming bars
data.updateEvent += on_new_bar

# Run infinitely
ib.run()
