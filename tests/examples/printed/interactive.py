# The guide's listings in their order, as printed, ib_insync's name included. What is changed is marked "slip".
import time

from ib_insync import *

util.startLoop()  # only use in interactive environments (i.e. Jupyter Notebooks)

ib = IB()
ib.connect()
ib.disconnect()

ib = IB()
ib.connect(host='127.0.0.1', port=7497, clientId=1)

nflx_contract = Stock('NFLX', 'SMART', 'USD')
ib.qualifyContracts(nflx_contract)
print(nflx_contract)

data = ib.reqMktData(nflx_contract)
ib.sleep(1)  # slip: in a script there has to be time for the first tick
print(data.marketPrice())

eur_usd_contract = Forex('EURUSD', 'IDEALPRO')
ib.qualifyContracts(eur_usd_contract)

# slip: 20201224 has expired; the last day of the second month that is listed
expiry = sorted(d.contract.lastTradeDateOrContractMonth for d in ib.reqContractDetails(Future('BRR', '', 'CMECRYPTO')))[1]
btc_fut_contract = Future('BRR', expiry, 'CMECRYPTO')
ib.qualifyContracts(btc_fut_contract)
print(btc_fut_contract)

btc_fut_cont_contract = ContFuture('BRR', 'CMECRYPTO')
ib.qualifyContracts(btc_fut_cont_contract)
print(btc_fut_cont_contract)

gold_cfd_contract = CFD('XAUUSD')
ib.qualifyContracts(gold_cfd_contract)
print(gold_cfd_contract)

historical_data_nflx = ib.reqHistoricalData(
    nflx_contract, 
    '', 
    barSizeSetting='15 mins', 
    durationStr='2 D', 
    whatToShow='MIDPOINT', 
    useRTH=True
    )
print(type(historical_data_nflx))
print(historical_data_nflx[-1])
print(historical_data_nflx[-1].open)
print(util.df(historical_data_nflx))

nflx_df = util.df(historical_data_nflx)
nflx_df.close.rolling(20).mean()
nflx_df['20SMA'] = nflx_df.close.rolling(20).mean()
print(nflx_df.close.rolling(20).mean().iloc[-1])

nflx_order = MarketOrder('BUY', 200)
trade = ib.placeOrder(nflx_contract, nflx_order)
print(trade.log)
print(trade.orderStatus.status)

for _ in range(100):
    if not trade.isActive():
        print(f'Your order status - {trade.orderStatus.status}')
        break
    ib.sleep(0.5)  # slip: time.sleep
else:
    print('Order is still active')


def order_status(trade):
    if trade.orderStatus.status == 'Filled':
        fill = trade.fills[-1]
        
        print(f'{fill.time} - {fill.execution.side} {fill.contract.symbol} {fill.execution.shares} @ {fill.execution.avgPrice}')

nflx_order = MarketOrder('BUY', 100)
trade = ib.placeOrder(nflx_contract, nflx_order)

trade.filledEvent+= order_status
ib.sleep(2)  # slip: in a script there has to be time for it

eurusd_bracket_order = ib.bracketOrder(
    'BUY',
    100000,
    limitPrice=1.19,
    takeProfitPrice=1.20,
    stopLossPrice=1.18
)

for ord in eurusd_bracket_order:
    ib.placeOrder(eur_usd_contract, ord)
ib.sleep(2)
print([(trade.order.orderType, trade.orderStatus.status) for trade in ib.trades() if trade.contract == eur_usd_contract])

eurusd_bracket_order = ib.bracketOrder('BUY', 100000, 1.19, 1.20, 1.18)

visa_contract = Stock('V', 'SMART', 'USD')
ib.qualifyContracts(visa_contract)

price_condition = PriceCondition(
    price=200,
    conId=visa_contract.conId,
    exch=visa_contract.exchange
    )

ma_contract = Stock('MA', 'SMART', 'USD')
ib.qualifyContracts(ma_contract)

visa_ma_order = MarketOrder('BUY', 100)
visa_ma_order.conditions.append(price_condition)

visa_ma_trade = ib.placeOrder(ma_contract, visa_ma_order)
ib.sleep(2)
print(visa_ma_trade.orderStatus.status)

# slip: 20201218 has expired, and 215 need not be listed: an expiry and a strike that are
chain = next(c for c in ib.reqSecDefOptParams('MSFT', '', 'STK', ib.qualifyContracts(Stock('MSFT', 'SMART', 'USD'))[0].conId) if c.exchange == 'SMART')
expiry = chain.expirations[2]
strike = ib.reqContractDetails(Option('MSFT', expiry, 0.0, 'C', 'SMART'))[0].contract.strike
msft_option_contract = Option('MSFT', expiry, strike, 'C', 'SMART')
ib.qualifyContracts(msft_option_contract)
print(msft_option_contract)
msft_option_order = MarketOrder('BUY', 1)
msft_option_trade = ib.placeOrder(msft_option_contract, msft_option_order)
ib.sleep(2)
print(msft_option_trade.orderStatus.status)
print('done')
