"""A take profit and a stop loss, attached to an order."""

from ibkit import *

ib = IB()
ib.connect()

eur_usd_contract = Forex("EURUSD", "IDEALPRO")
ib.qualifyContracts(eur_usd_contract)
ticker = ib.reqMktData(eur_usd_contract)
ib.sleep(1)
price = round(ticker.marketPrice(), 4)

# Three orders: the entry, and two exits that the entry brings to life.
eurusd_bracket_order = ib.bracketOrder(
    "BUY",
    100000,
    limitPrice=price + 0.001,
    takeProfitPrice=price + 0.01,
    stopLossPrice=price - 0.01,
)
trades = [ib.placeOrder(eur_usd_contract, ord) for ord in eurusd_bracket_order]
names = ("entry", "take profit", "stop loss")

ib.sleep(2)
for name, trade in zip(names, trades, strict=True):
    print(f"{name:12} {trade.order.action:5} {trade.order.orderType:4} {trade.orderStatus.status}")

# Where one exit ends, the other does not stay behind. Here the take profit is brought to the market:
trades[1].order.lmtPrice = price - 0.001
ib.placeOrder(eur_usd_contract, trades[1].order)
ib.sleep(2)
for name, trade in zip(names, trades, strict=True):
    print(f"{name:12} {trade.orderStatus.status:10} at {trade.orderStatus.avgFillPrice:.5f}")

ib.disconnect()
