"""Buy an option: find it in the chain, look at its price and its Greeks, send the order."""

from ibkit import *

ib = IB()
ib.connect()

msft = Stock("MSFT", "SMART", "USD")
ib.qualifyContracts(msft)
msft_ticker = ib.reqMktData(msft)
ib.sleep(1)
price = msft_ticker.marketPrice()

# Which options are there? A chain lists expirations and strikes of one exchange.
chains = ib.reqSecDefOptParams(msft.symbol, "", msft.secType, msft.conId)
chain = next(chain for chain in chains if chain.exchange == "SMART")
print(f"{len(chain.expirations)} expirations from {chain.expirations[0]}, {len(chain.strikes)} strikes")

expiration = chain.expirations[2]
calls = [
    Option("MSFT", expiration, strike, "C", "SMART")
    for strike in sorted(chain.strikes, key=lambda strike: abs(strike - price))[:5]
]
for call in calls:
    # Not every strike of the chain is listed for every expiration.
    details = ib.reqContractDetails(call)
    if details:
        msft_option_contract = details[0].contract
        break
ib.qualifyContracts(msft_option_contract)
print("qualified:", msft_option_contract.localSymbol)

option = ib.reqMktData(msft_option_contract)
ib.sleep(2)
greeks = option.modelGreeks
print(f"MSFT at {price}, the call at {option.bid} / {option.ask}")
print(
    f"implied volatility {greeks.impliedVol:.3f}  delta {greeks.delta:.3f}  gamma {greeks.gamma:.4f}  "
    f"vega {greeks.vega:.3f}  theta {greeks.theta:.3f}"
)

msft_option_order = MarketOrder("BUY", 1)
msft_option_trade = ib.placeOrder(msft_option_contract, msft_option_order)
ib.sleep(2)
print("order:", msft_option_trade.orderStatus.status, "at", msft_option_trade.orderStatus.avgFillPrice)

ib.disconnect()
