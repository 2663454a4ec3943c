"""Prices of currencies, bitcoin futures and gold: other contracts, the same steps."""

from ibkit import *

ib = IB()
ib.connect()

eur_usd_contract = Forex("EURUSD", "IDEALPRO")
ib.qualifyContracts(eur_usd_contract)

# The front month of a future, without naming its expiry ...
btc_fut_cont_contract = ContFuture("BRR", "CMECRYPTO")
ib.qualifyContracts(btc_fut_cont_contract)

# ... and one particular month. Which ones are listed? Ask for the details of all that fit.
listed = ib.reqContractDetails(Future("BRR", exchange="CMECRYPTO"))
months = sorted(details.contract.lastTradeDateOrContractMonth for details in listed)
print("bitcoin futures expire on", ", ".join(months))
btc_fut_contract = Future("BRR", months[1], "CMECRYPTO")
ib.qualifyContracts(btc_fut_contract)

gold_cfd_contract = CFD("XAUUSD")
ib.qualifyContracts(gold_cfd_contract)

contracts = [eur_usd_contract, btc_fut_cont_contract, btc_fut_contract, gold_cfd_contract]
tickers = [ib.reqMktData(contract) for contract in contracts]
ib.sleep(2)
for ticker in tickers:
    contract = ticker.contract
    name = contract.localSymbol or contract.symbol
    print(f"{contract.secType:8}{name:10}{contract.exchange:10} {ticker.marketPrice():12.5f}")

ib.disconnect()
