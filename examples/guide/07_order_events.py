"""Be called when an order fills, instead of asking for it."""

from ibkit import *

ib = IB()
ib.connect()

nflx_contract = Stock("NFLX", "SMART", "USD")
ib.qualifyContracts(nflx_contract)


def order_status(trade: Trade) -> None:
    if trade.orderStatus.status == "Filled":
        fill = trade.fills[-1]
        print(
            f"{fill.time:%Y-%m-%d %H:%M:%S} - {fill.execution.side} {fill.contract.symbol} "
            f"{fill.execution.shares} @ {fill.execution.avgPrice}"
        )


nflx_order = MarketOrder("BUY", 100)
trade = ib.placeOrder(nflx_contract, nflx_order)
trade.filledEvent += order_status

# Every change, every fill, and what each fill has cost:
trade.statusEvent += lambda trade: print("status:", trade.orderStatus.status)
trade.fillEvent += lambda trade, fill: print("fill:", fill.execution.shares, "@", fill.execution.price)
trade.commissionReportEvent += lambda trade, fill, report: print("commission:", report.commission, report.currency)

ib.sleep(3)
print("fills without a commission:", sum(not fill.commissionReport.execId for fill in trade.fills))

ib.disconnect()
