"""Whatever an order says, the broker answers with a report or a code, and its books stay sane."""

from __future__ import annotations

from decimal import Decimal
from math import inf, isfinite, nan

from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.model import (
    UNSET_DOUBLE,
    UNSET_INTEGER,
    ExecutionCondition,
    MarginCondition,
    Order,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from ibkit.paper.broker import INSTANT, REALISTIC, Models
from ibkit.paper.broker.rules import NOT_SIMULATED, TYPES
from tests.paper.broker.scripted import AAPL, EURUSD, Desk, instrument

NUMBERS = st.one_of(
    st.sampled_from([nan, inf, -inf, 0, -1, UNSET_DOUBLE, None, Decimal("NaN"), Decimal("99.5"), 1e300, 1e-300, 5e-5]),
    st.floats(90, 110).map(lambda x: round(x, 2)),
)
SIZES = st.one_of(
    st.sampled_from([1, 100, 0.5, 1e9, 0, -3, nan, inf, Decimal("NaN"), Decimal(10)]), st.integers(1, 500)
)
TEXTS = st.sampled_from(["", "20240108 12:00:00", "20240108-18:00:00", "x", "20240108", "20249999 99:99:99", "\0"])
INTS = st.sampled_from([0, 1, -1, 3, 8, 99, UNSET_INTEGER, 2**40])
IDS = st.sampled_from([0, instrument(AAPL).con_id, instrument(EURUSD).con_id, -7])
CONDITIONS = st.one_of(
    st.builds(
        PriceCondition, price=NUMBERS, conId=IDS, triggerMethod=INTS, conjunction=st.sampled_from(["a", "o", ""])
    ),
    st.builds(TimeCondition, time=TEXTS, isMore=st.booleans()),
    st.builds(MarginCondition, percent=INTS),
    st.builds(ExecutionCondition, symbol=TEXTS),
    st.builds(VolumeCondition, volume=INTS, conId=IDS),
    st.builds(PercentChangeCondition, changePercent=NUMBERS, conId=IDS),
)
ORDERS = st.builds(
    Order,
    action=st.sampled_from(["BUY", "SELL", "SSHORT", "buy", "", "?"]),
    orderType=st.sampled_from([*TYPES, *sorted(NOT_SIMULATED)[:3], "", "lmt"]),
    totalQuantity=SIZES,
    lmtPrice=NUMBERS,
    auxPrice=NUMBERS,
    tif=st.sampled_from(["", "DAY", "GTC", "IOC", "FOK", "GTD", "OPG", "Minutes", "DTC", "never"]),
    trailStopPrice=NUMBERS,
    trailingPercent=st.one_of(st.just(UNSET_DOUBLE), NUMBERS),
    lmtPriceOffset=NUMBERS,
    cashQty=st.one_of(st.just(UNSET_DOUBLE), NUMBERS),
    goodAfterTime=st.one_of(st.just(""), TEXTS),
    goodTillDate=TEXTS,
    duration=INTS,
    minQty=INTS,
    allOrNone=st.booleans(),
    triggerMethod=st.one_of(st.just(0), INTS),
    ocaGroup=st.sampled_from(["", "", "g"]),
    ocaType=INTS,
    parentId=st.sampled_from([0, 0, 1, 2, 99]),
    transmit=st.sampled_from([True, True, False]),
    whatIf=st.sampled_from([False, False, True]),
    outsideRth=st.booleans(),
    deactivate=st.sampled_from([False, False, True]),
    conditions=st.one_of(st.just([]), st.lists(CONDITIONS, max_size=3)),
    conditionsCancelOrder=st.booleans(),
    adjustedOrderType=st.sampled_from(["", "", "STP", "TRAIL", "None"]),
    triggerPrice=NUMBERS,
    adjustedStopPrice=NUMBERS,
    adjustedTrailingAmount=NUMBERS,
    account=st.sampled_from(["", "", Desk.ACCOUNT, "X"]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(ORDERS, st.booleans(), st.integers(0, 6)), min_size=1, max_size=6),
    st.sampled_from([INSTANT, REALISTIC]),
)
def test_every_order_gets_an_answer(orders: list[tuple[Order, bool, int]], models: Models) -> None:
    desk = Desk(models)
    for n, (order, stock, order_id) in enumerate(orders):
        before = len(desk.notes.events)
        desk.place(order, AAPL if stock else EURUSD, order_id=order_id)
        if order.transmit and not order_id:
            assert len(desk.notes.events) > before
        desk.market.set(AAPL, desk.now + 0.5, 100 + n, 100.02 + n)
        desk.market.trade(AAPL, desk.now + 0.6, 100 + n, 150)
        desk.go(1)
        due = desk.broker.next_due(desk.now)
        assert due is None or due >= desk.now
    if len(orders) > 3:
        desk.cancel(2)
    desk.go(86_400 * 2)
    desk.broker.global_cancel(desk.now)
    desk.go(1)
    assert desk.broker.open_orders() == []
    assert desk.broker.next_due(desk.now) is None
    assert isfinite(desk.value("NetLiquidation"))
    assert all(isfinite(f.execution.price) and f.execution.shares > 0 for f in desk.notes.fills)
    for report in desk.notes.reports:
        assert 0 <= report.status.filled <= float(report.order.totalQuantity) + 1e-9
