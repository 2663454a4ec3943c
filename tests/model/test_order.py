"""Orders, their states, conditions and trades."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit import (
    UNSET_DOUBLE,
    Contract,
    Execution,
    Fill,
    LimitOrder,
    MarketOrder,
    OptionComputation,
    Order,
    OrderCondition,
    OrderState,
    OrderStateNumeric,
    OrderStatus,
    PriceCondition,
    StopLimitOrder,
    StopOrder,
    Trade,
)
from ibkit.model import EPOCH, CommissionReport


def test_the_four_order_classes() -> None:
    assert MarketOrder("BUY", 100).orderType == "MKT"
    limit = LimitOrder("SELL", 5, 12.5, tif="GTC")
    assert (limit.orderType, limit.lmtPrice, limit.tif) == ("LMT", 12.5, "GTC")
    stop = StopOrder("SELL", 5, 11.5)
    assert (stop.orderType, stop.auxPrice) == ("STP", 11.5)
    both = StopLimitOrder("SELL", 5, 11.4, 11.5)
    assert (both.orderType, both.lmtPrice, both.auxPrice) == ("STP LMT", 11.4, 11.5)


def test_a_misspelt_field_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="did you mean 'transmit'"):
        MarketOrder("BUY", 1, transmitt=False)


def test_orders_are_equal_only_to_themselves() -> None:
    order = MarketOrder("BUY", 1)
    assert order == order
    assert order != MarketOrder("BUY", 1)
    assert len({order, MarketOrder("BUY", 1)}) == 2


def test_two_orders_share_no_list() -> None:
    one, other = Order(), Order()
    one.conditions.append(PriceCondition())
    assert other.conditions == []


def test_repr_shows_what_was_given() -> None:
    assert repr(LimitOrder("BUY", 1, 2.5)) == "LimitOrder(action='BUY', totalQuantity=1, lmtPrice=2.5)"


def test_states_are_disjoint_and_complete() -> None:
    assert not OrderStatus.DoneStates & OrderStatus.ActiveStates
    assert OrderStatus.WaitingStates | OrderStatus.WorkingStates == OrderStatus.ActiveStates


@pytest.mark.parametrize("kind", [1, 3, 4, 5, 6, 7])
def test_condition_types(kind: int) -> None:
    condition = OrderCondition.createClass(kind)()
    assert condition.condType == kind
    assert condition.Or().conjunction == "o"
    assert condition.And().conjunction == "a"


def test_an_unknown_condition_type() -> None:
    with pytest.raises(ValueError, match="no condition has type 2"):
        OrderCondition.createClass(2)


def _fill(exec_id: str, shares: float, contract: Contract | None = None) -> Fill:
    return Fill(contract or Contract(), Execution(execId=exec_id, shares=shares), CommissionReport(), EPOCH)


def test_a_correction_replaces_what_it_corrects() -> None:
    """ib_insync and ib_async count it as one more fill."""
    trade = Trade(order=MarketOrder("BUY", 100))
    trade.fills = [_fill("0000e0d5.6490b1ea.01.01", 40), _fill("0000e0d5.6490b1ea.01.02", 30)]
    assert (trade.filled(), trade.remaining()) == (30, 70)


@given(st.lists(st.integers(1, 50), max_size=6), st.randoms())
def test_fills_add_up_in_any_order(sizes: list[int], random: object) -> None:
    trade = Trade(order=MarketOrder("BUY", 1000))
    trade.fills = [_fill(f"a.b.{n}.01", size) for n, size in enumerate(sizes)]
    random.shuffle(trade.fills)  # type: ignore[attr-defined]
    assert trade.filled() == sum(sizes)
    assert trade.remaining() == 1000 - sum(sizes)


def test_a_combo_counts_only_its_own_fills() -> None:
    trade = Trade(contract=Contract(secType="BAG"), order=MarketOrder("BUY", 2))
    trade.fills = [_fill("a.1.01", 2, Contract(secType="BAG")), _fill("a.2.01", 2, Contract(secType="STK"))]
    assert trade.filled() == 2


def test_order_state_numbers() -> None:
    state = OrderState(initMarginChange="1234.567", maintMarginChange="1.7976931348623157E308", commission=1.005)
    numeric = state.numeric()
    assert numeric.initMarginChange == 1234.57
    assert numeric.maintMarginChange is None
    assert numeric.initMarginBefore is None
    assert numeric.commission == 1.0
    assert numeric.minCommission is None
    formatted = state.formatted()
    assert (formatted.initMarginChange, formatted.commission, formatted.maintMarginChange) == ("1,234.57", "1.00", None)
    assert state.formatted(0).initMarginChange == "1,235"
    assert state.numeric(1).initMarginChange == 1234.6
    assert state.initMarginChange == "1234.567"
    assert type(numeric) is OrderStateNumeric
    assert OrderState(initMarginAfter="?").numeric().initMarginAfter is None
    assert OrderState(initMarginAfterOutsideRTH=5.005).numeric().initMarginAfterOutsideRTH == 5.0
    doubled = numeric.transform(lambda value: None if value is None else 2 * value)
    assert doubled.initMarginChange == 2469.14


def test_the_newer_names_of_commission_are_aliases() -> None:
    state = OrderState(commission=1.5)
    assert state.commissionAndFees == 1.5
    state.commissionAndFees = 2.5
    assert state.commission == 2.5


def test_greeks_add_up() -> None:
    one = OptionComputation(0, delta=0.5, gamma=None)
    total = one * 2 + OptionComputation(0, delta=-0.25, gamma=0.1)
    assert (total.delta, total.gamma, total.vega) == (0.75, 0.1, None)
    assert (total - total).delta == 0
    assert (2 * one).delta == (one * np.int64(2)).delta == 1.0
    assert sum([one, one]).delta == 1.0
    priced = OptionComputation(1, 0.2, 0.5, 3.0, 0.1, 0.01, 0.02, -0.03, 180.0)
    assert (priced + priced * 3).undPrice == 180.0  # that of both, and no sum
    assert (priced * 3 - priced)[1:8] == pytest.approx((priced * 2)[1:8])
    for wrong in (lambda: one + {}, lambda: one - 1, lambda: one * "2", lambda: 1 + one):
        with pytest.raises(TypeError):
            wrong()


def test_an_unknown_commission_is_not_zero() -> None:
    report = CommissionReport()
    assert report.commission != report.commission


def test_decimals_are_kept() -> None:
    assert LimitOrder("BUY", Decimal("0.10"), Decimal("1.10")).lmtPrice == Decimal("1.10")
    assert Order().lmtPrice == UNSET_DOUBLE
