"""Send orders and see what becomes of them."""

from ibkit import *

ib = IB()
ib.connect()

nflx_contract = Stock("NFLX", "SMART", "USD")
ib.qualifyContracts(nflx_contract)

nflx_order = MarketOrder("BUY", 200)
trade = ib.placeOrder(nflx_contract, nflx_order)
print("right after placing it:", trade.orderStatus.status)

# `trade` is alive: it changes as the broker reports, whenever the program waits in the library.
for _ in range(100):
    if not trade.isActive():
        print(f"Your order status - {trade.orderStatus.status}")
        break
    ib.sleep(0.1)  # not time.sleep: that would keep the news out as well
else:
    print("Order is still active")

for entry in trade.log:
    print(f"{entry.time:%H:%M:%S.%f}  {entry.status:14} {entry.message}")

# The other orders: a limit, a stop, and a stop that becomes a limit order. These three wait, far from the market.
price = trade.orderStatus.avgFillPrice
orders = [
    LimitOrder("BUY", 100, round(price * 0.95, 2)),
    StopOrder("SELL", 100, round(price * 0.90, 2)),
    StopLimitOrder("SELL", 100, round(price * 0.89, 2), round(price * 0.90, 2)),
]
trades = [ib.placeOrder(nflx_contract, order) for order in orders]
ib.sleep(0.5)
for trade in trades:
    print(f"{trade.order.orderType:8} {trade.orderStatus.status}")

# An order is changed by sending it again, and withdrawn by cancelOrder.
orders[0].lmtPrice = round(price * 0.94, 2)
ib.placeOrder(nflx_contract, orders[0])
ib.sleep(0.5)
print("changed:", [entry.message for entry in trades[0].log if entry.message.startswith("Modif")])
for order in orders:
    ib.cancelOrder(order)
ib.sleep(0.5)
print("cancelled:", all(trade.isDone() for trade in trades), " still open:", len(ib.openTrades()))

ib.disconnect()
