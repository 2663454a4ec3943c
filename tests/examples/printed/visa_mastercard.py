# The guide's listing as printed, ib_insync's name included. What is changed is marked "slip".
import pandas as pd
from ib_insync import *

ib = IB()
ib.connect()

def new_data(tickers):
	''' process incoming data and check for trade entry '''
	global df  # slip: without it df is local, and unbound
	for ticker in tickers:
		df.loc[ticker.time] = ticker.last

	five_mins_ago = df.index[-1] - pd.Timedelta(minutes=5)  # slip: df.last[-1]

	if df.index[0] < five_mins_ago:
		df = df[five_mins_ago:]

		price_min = df['last'].min()  # slip: df.last, here and below
		price_max = df['last'].max()

		if df['last'].iloc[-1] > price_min * 1.05:
			place_order('BUY')

		elif df['last'].iloc[-1] < price_max * 0.95:
			place_order('SELL')

def place_order(direction):
	''' place order with IB - exit script if order gets filled '''
	mastercard_order = MarketOrder(direction, 100)
	trade = ib.placeOrder(mastercard_contract, mastercard_order)
	ib.sleep(3)
	if trade.orderStatus.status == 'Filled':
		ib.disconnect()
		print(direction, 'Filled')
		quit(0)

#init dataframe
df = pd.DataFrame(columns=['date', 'last'])
df.set_index('date', inplace=True)

# Create contracts
mastercard_contract = Stock('MA', 'SMART', 'USD')
visa_contract = Stock('V', 'SMART', 'USD')

ib.qualifyContracts(mastercard_contract)
ib.qualifyContracts(visa_contract)

# Request market data for Visa
ib.reqMktData(visa_contract)

# Set callback function for tick data
ib.pendingTickersEvent += new_data

# Run infinitely
ib.run()
