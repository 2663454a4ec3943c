"""Buy Mastercard when Visa reaches a price; the broker watches, this program need not run meanwhile."""

from ibkit import *

ib = IB()
ib.connect()

visa_contract = Stock("V", "SMART", "USD")
ma_contract = Stock("MA", "SMART", "USD")
ib.qualifyContracts(visa_contract, ma_contract)

visa = ib.reqMktData(visa_contract)
ib.sleep(1)

price_condition = PriceCondition(
    price=round(visa.marketPrice() * 1.01, 2),
    conId=visa_contract.conId,
    exch=visa_contract.exchange,
)
visa_ma_order = MarketOrder("BUY", 100)
visa_ma_order.conditions.append(price_condition)
visa_ma_trade = ib.placeOrder(ma_contract, visa_ma_order)
ib.sleep(1)
print(f"Visa is at {visa.marketPrice()}, the order for {price_condition.price}: {visa_ma_trade.orderStatus.status}")

# The condition lives at the broker. This program can end; the next one finds the order where it is.
ib.disconnect()
print("disconnected")
ib.sleep(4)
ib.connect()

for trade in ib.openTrades():
    print("still waiting:", trade.contract.symbol, trade.orderStatus.status)
for fill in ib.fills():
    print("filled meanwhile:", fill.contract.symbol, fill.execution.shares, "@", fill.execution.price)

ib.disconnect()
