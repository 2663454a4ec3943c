"""A window that shows a price and buys at the click of a button."""

import os
import tkinter

from ibkit import IB, MarketOrder, Stock, Ticker

ib = IB()
ib.connect()
contract = Stock("NFLX", "SMART", "USD")

window = tkinter.Tk()
price = tkinter.Label(window, text="...")
button = tkinter.Button(window, text="Buy 10")
price.pack()
button.pack()


def show(ticker: Ticker) -> None:
    price["text"] = f"{ticker.marketPrice():.2f}"


def buy() -> None:  # a command may make blocking calls
    trade = ib.placeOrder(contract, MarketOrder("BUY", 10))
    for _ in ib.loopUntil(trade.isDone, timeout=10):
        pass
    button["text"] = f"{trade.orderStatus.status} at {trade.orderStatus.avgFillPrice:.2f}"


def serve() -> None:
    ib.sleep(0)  # takes what has arrived, and returns
    window.after(20, serve)


ib.reqMktData(contract).updateEvent += show
button["command"] = buy
serve()

if os.environ.get("CLICK"):  # for the test of this example: one click, a few seconds, the end
    window.after(2000, button.invoke)
    window.after(5000, window.quit)
window.mainloop()
print(price["text"], button["text"])
ib.disconnect()
