"""A whole strategy on lean hog futures: sell a rally of three standard deviations, buy such a drop.

Bars of 15 minutes stream in; the handler decides and sends a bracket order. To see it trade within seconds, in a
market that runs 120 times as fast and in which hogs rise by 8 % after 20 minutes and fall after 50:

    ibkit run --paper --speed 120 --shock HE:8:1200 --shock HE:-10:3000 examples/guide/12_lean_hogs.py
"""

from ibkit import *

ib = IB()
ib.connect()


def to_tick(price: float) -> float:
    """Lean hogs trade in steps of 0.025 cents a pound; an order at another price is rejected."""
    return round(round(price / 0.025) * 0.025, 3)


def place_order(direction: str, qty: float, df, tp: float, sl: float) -> None:
    bracket_order = ib.bracketOrder(
        direction,
        qty,
        limitPrice=to_tick(df.close.iloc[-1]),
        takeProfitPrice=to_tick(tp),
        stopLossPrice=to_tick(sl),
    )

    for ord in bracket_order:
        trade = ib.placeOrder(future, ord)
        trade.filledEvent += on_filled
    print(f"{direction} {qty} at {df.close.iloc[-1]:.3f}, take profit {tp:.3f}, stop loss {sl:.3f}")


def on_filled(trade: Trade) -> None:
    print(f"filled: {trade.order.action} {trade.order.orderType} at {trade.orderStatus.avgFillPrice:.3f}")


def on_new_bar(bars: BarDataList, has_new_bar: bool) -> None:
    if has_new_bar:
        df = util.df(bars)
        sma = df.close.tail(50).mean()
        std_dev = df.close.tail(50).std() * 3
        print(f"{bars[-1].date:%H:%M}  close {bars[-1].close:.3f}  band {sma - std_dev:.3f} .. {sma + std_dev:.3f}")

        # Check if we are in a trade
        if future not in [i.contract for i in ib.positions()]:
            # We are not in a trade - Look for a signal

            if df.close.iloc[-1] > sma + std_dev:
                # Trading more than 3 standard deviations above average - SELL
                place_order("SELL", 1, df, sma, sma + std_dev * 2)

            elif df.close.iloc[-1] < sma - std_dev:
                # Trading more than 3 standard deviations below average - BUY
                place_order("BUY", 1, df, sma, sma - std_dev * 2)


# Create Contract
contract = ContFuture("HE", "GLOBEX")
ib.qualifyContracts(contract)

# A continuous contract has history; what is traded is the future it stands for at the moment.
future = Future(conId=contract.conId)
ib.qualifyContracts(future)

# Request Streaming bars
data = ib.reqHistoricalData(
    contract,
    endDateTime="",
    durationStr="2 D",
    barSizeSetting="15 mins",
    whatToShow="MIDPOINT",
    useRTH=True,
    keepUpToDate=True,
)

# Set callback function for streaming bars
data.updateEvent += on_new_bar

# Run infinitely
ib.run()
