"""A window that shows a price and buys at the click of a button."""

import os

from PySide6 import QtWidgets

from ibkit import IB, MarketOrder, Stock, Ticker, util

util.useQt("PySide6")
ib = IB()
ib.connect()
contract = Stock("NFLX", "SMART", "USD")

window = QtWidgets.QWidget()
layout = QtWidgets.QVBoxLayout(window)
price = QtWidgets.QLabel("...")
button = QtWidgets.QPushButton("Buy 10")
layout.addWidget(price)
layout.addWidget(button)


def show(ticker: Ticker) -> None:
    price.setText(f"{ticker.marketPrice():.2f}")


def buy() -> None:  # a slot may make blocking calls
    button.setEnabled(False)
    trade = ib.placeOrder(contract, MarketOrder("BUY", 10))
    for _ in ib.loopUntil(trade.isDone, timeout=10):
        pass
    button.setText(f"{trade.orderStatus.status} at {trade.orderStatus.avgFillPrice:.2f}")


ib.reqMktData(contract).updateEvent += show
button.clicked.connect(lambda: buy())
window.show()

if os.environ.get("CLICK"):  # for the test of this example: one click, a few seconds, the end
    ib.sleep(2)
    button.click()
    ib.sleep(1)
    print(price.text(), button.text())
else:
    ib.run()
ib.disconnect()
