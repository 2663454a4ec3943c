"""Mistakes that type checkers find, each in a line that says so at its end. Checked, never run."""

from __future__ import annotations

from ibkit import IB, Contract, LimitOrder, MarketOrder, Stock


def mistakes(ib: IB, contract: Contract) -> None:
    ib.reqHistoricalData(contract)  # wrong
    ib.reqMktData("AAPL")  # wrong
    ib.placeOrder(MarketOrder("BUY", 1), contract)  # wrong
    ib.reqContractDetials(contract)  # wrong
    MarketOrder("BUY", "many")  # wrong
    LimitOrder("BUY", 1)  # wrong
    Stock(265598)  # wrong
    ib.connect(port="7497")  # wrong
    bars = ib.reqHistoricalData(contract, "", "1 D", "1 hour", "TRADES", True)
    bars[-1].clsoe  # wrong  # noqa: B018
    ib.positions()[0].position.upper()  # wrong
    trade = ib.placeOrder(contract, MarketOrder("BUY", 1))
    trade.orderStatus.state  # wrong  # noqa: B018
    ib.reqCurrentTime() + 1  # wrong
    for ticker in ib.reqTickers([contract]):  # wrong
        ticker.bids  # wrong  # noqa: B018


async def forgotten(ib: IB, contract: Contract) -> None:
    details = ib.reqContractDetailsAsync(contract)
    details[0]  # wrong
