"""Fills: keyed by execution id, corrected in place, their cost unset until told (semantics.md 5)."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime

import pytest

from ibkit.engine.call import Call
from ibkit.engine.core import DefaultSettings
from ibkit.engine.executions import EARLY_MAX
from ibkit.engine.state import State
from ibkit.model import ExecutionFilter, Fill, LimitOrder, Stock
from ibkit.wire import messages as m
from tests.engine.orders_said import AAPL, commission, execution, open_order, status
from tests.engine.peer import EngineUnderTest
from tests.engine.test_orders import Connected, log, place


def ask(under: EngineUnderTest) -> tuple[int, Call[list[Fill]]]:
    req_id = under.engine.next_id()
    return req_id, under.engine.ask(m.ReqExecutions(req_id, ExecutionFilter()), key=req_id, name="reqExecutions()")


def test_a_live_fill(connected: Connected) -> None:
    under = connected()
    trade = place(under)
    under.now += 5
    under.send(open_order(trade.order, "Submitted"), execution(1, price=10.25))
    (fill,) = trade.fills
    assert fill.contract is trade.contract
    assert fill.execution.time == datetime(2024, 1, 10, 15, 0, tzinfo=UTC)
    assert fill.time == datetime(2024, 1, 10, 15, 0, 5, tzinfo=UTC)  # when it became known
    assert math.isnan(fill.commissionReport.commission)  # unknown is not 0
    assert under.told[-1] == ("execDetailsEvent", trade, fill)
    assert log(trade)[-1] == ("PendingSubmit", "Fill 100.0@10.25")
    report = fill.commissionReport
    under.send(commission())
    assert fill.commissionReport is report
    assert report.commission == 1.0
    assert math.isnan(report.realizedPNL)
    assert under.told[-1] == ("commissionReportEvent", trade, fill, report)


def test_a_correction_replaces_what_it_corrects(connected: Connected) -> None:
    """peer-weaknesses.md 1.12: peers count it as a second fill."""
    under = connected()
    trade = place(under)
    under.send(execution(1, "0001.0a.01.01", price=10.0), commission("0001.0a.01.01"))
    under.send(execution(1, "0001.0a.01.02", price=10.5), commission("0001.0a.01.02", 1.5))
    under.send(execution(1, "0001.0a.01.01", price=10.0))  # late
    assert trade.filled() == 100
    (fill,) = trade.fills
    assert (fill.execution.price, fill.commissionReport.commission) == (10.5, 1.5)
    assert list(under.engine.state.orders.fills) == ["0001.0a.01.02"]
    assert under.names().count("execDetailsEvent") == 2  # the correction is news
    assert log(trade)[-1][1] == "Corrected fill 100.0@10.5"


def test_a_commission_may_come_first(connected: Connected) -> None:
    """protocol README: it never does, but peers lose it when it does."""
    under = connected()
    trade = place(under)
    under.send(commission(), execution(1))
    assert trade.fills[0].commissionReport.commission == 1.0
    assert under.names() == ["execDetailsEvent", "commissionReportEvent"]


def test_commissions_without_executions_are_not_kept_for_ever() -> None:
    under = EngineUnderTest()
    for i in range(EARLY_MAX + 10):
        under.send(commission(f"{i}.01"))
    assert len(under.engine.state.orders.early_commissions) == EARLY_MAX
    assert "0.01" not in under.engine.state.orders.early_commissions


def test_executions_that_were_asked_for_are_answers_not_events(connected: Connected) -> None:
    under = connected()
    order = LimitOrder("BUY", 100, 10.0, orderId=5)
    under.send(open_order(order, "Submitted"), status(5, "Submitted"))
    (trade,) = under.engine.state.orders
    req_id, call = ask(under)
    under.told.clear()
    under.send(execution(5, shares=40, req_id=req_id), commission(), m.ExecutionDataEnd(req_id))
    (fill,) = call.result()
    assert trade.fills == [fill]
    assert fill.time == fill.execution.time
    assert under.names() == ["commissionReportEvent"]
    req_id, call = ask(under)
    under.send(execution(5, shares=40, req_id=req_id), m.ExecutionDataEnd(req_id))
    assert call.result() == [fill]
    assert call.result()[0] is fill  # the same again is the same fill


def test_a_late_answer_is_no_news() -> None:
    under = EngineUnderTest()
    trade = place(under)
    req_id, call = ask(under)
    call.cancel()
    under.told.clear()
    under.send(execution(1, shares=10, req_id=req_id))
    assert under.names() == []
    assert trade.filled() == 10


def test_a_fill_without_trade_waits_for_it(connected: Connected) -> None:
    under = connected()
    under.send(execution(5, perm_id=31, client_id=2))
    assert under.names() == []
    assert len(under.engine.state.orders.fills) == 1
    under.send(open_order(LimitOrder("BUY", 100, 10.0, orderId=5), "Submitted", perm_id=31, client_id=2))
    (trade,) = under.engine.state.orders
    assert trade.filled() == 100
    assert under.names() == ["execDetailsEvent", "openOrderEvent"]


def test_a_fill_that_waits_can_be_corrected_too() -> None:
    under = EngineUnderTest()
    under.send(execution(5, "1.01", perm_id=31, price=1.0), execution(5, "1.02", perm_id=31, price=2.0))
    under.send(open_order(LimitOrder("BUY", 100, 10.0, orderId=5), "Submitted", perm_id=31))
    (trade,) = under.engine.state.orders
    assert [fill.execution.price for fill in trade.fills] == [2.0]


def test_an_execution_may_be_the_first_word_about_an_order() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(execution(1, perm_id=44))
    assert trade.order.permId == 44
    under.send(status(1, "Filled", 100, 0, perm_id=44))
    assert trade.isDone()


def test_legs_of_a_combo_have_their_own_contract() -> None:
    under = EngineUnderTest()
    trade = place(under)
    leg = Stock("MSFT", "SMART", "USD", conId=272093)
    under.send(execution(1, contract=leg))
    assert type(trade.fills[0].contract) is Stock
    assert trade.fills[0].contract.symbol == "MSFT"


@pytest.mark.parametrize(
    ("text", "tws", "expected"),
    [
        ("20240110 10:00:00 US/Eastern", "", datetime(2024, 1, 10, 15, tzinfo=UTC)),
        ("20240110-15:00:00Z", "", datetime(2024, 1, 10, 15, tzinfo=UTC)),
        ("20240110  10:00:00", "America/New_York", datetime(2024, 1, 10, 15, tzinfo=UTC)),
        ("20240110", "America/New_York", datetime(2024, 1, 10, 5, tzinfo=UTC)),
    ],
)
def test_times_are_aware_whatever_tws_sends(text: str, tws: str, expected: datetime) -> None:
    """semantics.md 9: a time without a zone is in IB.TimezoneTWS."""
    settings = DefaultSettings()
    settings.TimezoneTWS = tws
    under = EngineUnderTest(settings=settings)
    trade = place(under)
    under.send(execution(1, time=text))
    assert trade.fills[0].execution.time == expected
    assert trade.fills[0].execution.time.tzinfo is UTC


def test_a_time_without_any_zone_is_local() -> None:
    under = EngineUnderTest()
    trade = place(under)
    under.send(execution(1, time="20240110  10:00:00"))
    assert trade.fills[0].execution.time == datetime(2024, 1, 10, 10).astimezone(UTC)


def test_a_fill_whose_time_cannot_be_read_is_a_fill(caplog: pytest.LogCaptureFixture) -> None:
    under = EngineUnderTest()
    trade = place(under)
    with caplog.at_level(logging.ERROR, "ibkit.engine"):
        under.send(execution(1, time="soon"))
    assert trade.filled() == 100
    assert trade.fills[0].execution.time == datetime(2024, 1, 10, 15, tzinfo=UTC)
    assert "soon" in caplog.text


def test_fills_survive_connections_and_are_told_once() -> None:
    state = State()
    first = EngineUnderTest(state=state)
    trade = place(first)
    first.send(status(1, "Submitted"), execution(1, "1.01", shares=40, cum=40))
    first.engine.closed("cut")
    second = EngineUnderTest(state=state)
    req_id, call = ask(second)
    second.send(
        execution(1, "1.01", shares=40, cum=40, req_id=req_id),
        execution(1, "2.01", shares=60, cum=100, req_id=req_id),
        m.ExecutionDataEnd(req_id),
    )
    assert [told[2].execution.execId for told in second.told if told[0] == "execDetailsEvent"] == ["2.01"]
    assert trade.filled() == 100
    assert len(call.result()) == 2
    assert AAPL.conId == trade.fills[0].contract.conId
