"""A page with a price, a position and a button; run it by `streamlit run streamlit_app.py`."""

import streamlit as st

from ibkit import IB, MarketOrder, Stock


@st.cache_resource
def connection() -> IB:
    """Connect once, for all reruns and sessions."""
    ib = IB(background=True)
    ib.connect(clientId=11)
    return ib


ib = connection()
contract = Stock("NFLX", "SMART", "USD")
ticker = ib.ticker(contract) or ib.reqMktData(contract)

st.title("NFLX")
if st.button("Buy 10"):
    trade = ib.placeOrder(contract, MarketOrder("BUY", 10))
    for _ in ib.loopUntil(trade.isDone, timeout=10):
        pass
    st.write(f"{trade.orderStatus.status} at {trade.orderStatus.avgFillPrice}")
ib.sleep(1)
st.metric("last", ticker.marketPrice())
st.metric("position", sum(item.position for item in ib.positions()))
