"""The engine as hosts drive it: batches, timers, the message rate, subscriptions, traffic."""

from __future__ import annotations

from typing import Any

import pytest

from ibkit.engine import market
from ibkit.engine.call import Call
from ibkit.engine.state import State
from ibkit.engine.subscription import Subscription
from ibkit.errors import EncodeError, RequestTimeout, UnsupportedField
from ibkit.model import Stock
from ibkit.wire import messages as m
from tests.engine.peer import START, EngineUnderTest

AAPL = Stock("AAPL", "SMART", "USD")


def test_one_read_is_one_batch_and_one_step_is_one_message() -> None:
    """semantics.md 3: wrapper-level events during decoding, updateEvent once afterwards."""
    under = EngineUnderTest()
    order: list[str] = []
    under.events.accountValueEvent += lambda value: order.append(value.tag)
    under.events.updateEvent += lambda: order.append("update")
    data = under.gateway.encode(m.AcctValue("a", "1", "", "DU1"), m.AcctValue("b", "1", "", "DU1"))
    engine = under.engine
    engine.receive(data[:-1], 101.0, START + 1)
    assert engine.step(101.0)
    assert not engine.step(101.0)
    engine.end_batch(101.0)
    engine.receive(data[-1:], 102.0, START + 2)
    assert engine.step(102.0)
    engine.end_batch(102.0)
    assert order == ["a", "update", "b", "update"]
    assert engine.batch_time.timestamp() == START + 2


def test_a_handler_that_waits_gets_the_rest_of_the_batch_in_order() -> None:
    """design.md: a blocking call in the middle of a packet gets the rest of that packet first."""
    under = EngineUnderTest()
    order: list[str] = []

    def handler(value: Any) -> None:
        order.append(f"{value.tag} begins")
        while under.engine.step(under.now):
            pass
        order.append(f"{value.tag} ends")

    under.events.accountValueEvent += handler
    under.events.accountValueEvent += lambda value: order.append(f"other {value.tag}")
    under.send(m.AcctValue("a", "1", "", "DU1"), m.AcctValue("b", "1", "", "DU1"))
    assert order == ["a begins", "other a", "other b", "a ends", "b begins", "b ends"]


@pytest.mark.parametrize("how", ["glued", "whole", "bytes"])
def test_a_handler_sees_all_that_came_before_its_message_and_nothing_behind(version: int, how: str) -> None:
    """Ticks are taken by the dozen, but not ahead of a message that somebody hears of."""
    under = EngineUnderTest(version, how=how)
    market_data = market.open_stream(
        under.engine, AAPL, market.MKT_DATA,
        lambda req_id: (m.ReqMktData(req_id, AAPL, "", False, False, []), m.CancelMktData(req_id)),
    )  # fmt: skip
    ticker = market_data[0].ticker
    seen: list[tuple[str, float, float]] = []
    ticks: list[float] = []

    def handler(value: Any) -> None:
        before = ticker.bid
        while value.tag == "waits" and under.engine.step(under.now):
            pass
        seen.append((value.tag, before, ticker.bid))

    under.events.accountValueEvent += handler
    under.events.pendingTickersEvent += lambda tickers: ticks.extend(tick.price for tick in ticker.ticks)
    bids = [m.TickPrice(1, 1, float(price), 1.0, 0) for price in range(1, 9)]
    values = [m.AcctValue(tag, "1", "", "DU1") for tag in ("first", "waits", "inside", "last")]
    under.send(*bids[:2], values[0], bids[2], values[1], *bids[3:5], values[2], *bids[5:7], values[3], bids[7])
    if how == "glued":
        assert seen == [("first", 2, 2), ("waits", 3, 8), ("inside", 8, 8), ("last", 8, 8)]
    else:
        assert seen == [("first", 2, 2), ("waits", 3, 3), ("inside", 5, 5), ("last", 7, 7)]
    assert ticks == [1, 2, 3, 4, 5, 6, 7, 8]


def test_who_takes_messages_in_the_middle_of_ticks_takes_each_once() -> None:
    """The handler of a signal may run anywhere, also between two ticks."""
    under = EngineUnderTest()
    market.open_stream(
        under.engine, AAPL, market.MKT_DATA,
        lambda req_id: (m.ReqMktData(req_id, AAPL, "", False, False, []), m.CancelMktData(req_id)),
    )  # fmt: skip
    ticker = under.engine.state.market.feeds[1].ticker
    under.send(m.TickPrice(1, 1, 0.5, 1.0, 0))

    class Interrupting(list[Any]):
        """Ticks of a batch, the second of which is interrupted."""

        def append(self, tick: Any) -> None:
            super().append(tick)
            if len(self) == 2:
                while under.engine.step(under.now):
                    pass

    under.engine.state.market.feeds[1].ticks = Interrupting()
    under.send(*(m.TickPrice(1, 1, float(price), 1.0, 0) for price in range(1, 9)))
    assert [tick.price for tick in ticker.ticks] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert under.engine.stats().numMsgRecv == 3 + 1 + 8


def test_a_timeout_fails_the_call_and_cancels_it_on_the_wire() -> None:
    under = EngineUnderTest()
    call: Call[Any] = under.engine.ask(
        m.ReqHeadTimestamp(9, AAPL, 1, "TRADES", 1), key=9, name="reqHeadTimeStamp()",
        cancel=m.CancelHeadTimestamp(9), timeout=4,
    )  # fmt: skip
    under.pass_time(3.9)
    assert not call.done
    assert under.engine.deadline() == pytest.approx(104.0)
    under.pass_time(0.2)
    assert isinstance(call.error, RequestTimeout)
    assert isinstance(call.error, TimeoutError)
    assert under.sent[-1] == m.CancelHeadTimestamp(9)
    assert under.engine.deadline() is None


def test_what_the_rate_holds_back_leaves_when_its_time_has_come() -> None:
    under = EngineUnderTest()
    told: list[bool] = []
    under.engine.on_throttle = told.append
    for _ in range(60):
        under.engine.send(m.ReqCurrentTime())
    first = len(under.requests())
    under.engine.end_batch(under.now)
    assert told == [True]
    assert 40 <= first <= 45
    due = under.engine.deadline()
    assert due is not None
    assert due <= under.now + 1
    under.pass_time(1.5)
    assert len([sent for sent in under.sent if type(sent) is m.ReqCurrentTime]) == 60
    under.engine.end_batch(under.now)
    assert told == [True, False]


def test_nothing_is_queued_that_has_no_form_on_the_wire() -> None:
    under = EngineUnderTest(176)
    with pytest.raises(UnsupportedField):
        under.engine.ask(m.ReqCurrentTimeInMillis(), key="currentTimeInMillis", name="t")
    assert not under.engine.calls.waiting("currentTimeInMillis")
    with pytest.raises(EncodeError):
        under.engine.subscribe(Subscription(1, "x", None, m.ReqCalcOptionPrice(1, AAPL, float("nan"), 1.0, [])))
    assert under.engine.state.subscriptions == {}
    assert under.requests() == []


def _subscribe(under: EngineUnderTest, cancel: bool = True) -> Subscription:
    req_id = under.engine.next_id()
    sub = Subscription(
        req_id, "bars", "list", m.ReqRealTimeBars(req_id, AAPL, 5, "TRADES", True, []),
        m.CancelRealTimeBars(req_id) if cancel else None,
    )  # fmt: skip
    under.engine.subscribe(sub)
    return sub


def test_a_subscription_is_begun_and_ended() -> None:
    under = EngineUnderTest()
    sub = _subscribe(under)
    assert under.engine.unsubscribe(sub.req_id) is sub
    assert under.engine.unsubscribe(sub.req_id) is None
    assert [type(sent).__name__ for sent in under.requests()] == ["ReqRealTimeBars", "CancelRealTimeBars"]


def test_subscriptions_outlive_a_lost_connection_and_end_with_a_wanted_one() -> None:
    state = State()
    first = EngineUnderTest(state=state)
    sub = _subscribe(first)
    first.engine.closed("the cable was cut")
    second = EngineUnderTest(state=state)
    second.engine.restart_subscriptions(cancel_first=False)
    (sent,) = second.requests()
    assert (type(sent), sent.reqId) == (m.ReqRealTimeBars, sub.req_id)
    second.engine.wanted_end = True
    second.engine.closed("disconnect() was called")
    assert state.subscriptions == {}


def test_traffic_is_counted(version: int) -> None:
    under = EngineUnderTest(version)
    before = under.engine.stats()
    data = under.gateway.encode(m.CurrentTime(1))
    under.now += 10
    under.feed(data)
    under.engine.send(m.ReqCurrentTime())
    (_,) = under.requests()
    after = under.engine.stats()
    assert after.startTime == START
    assert after.duration == 10
    assert after.numBytesRecv - before.numBytesRecv == len(data)
    assert after.numMsgRecv - before.numMsgRecv == 1
    assert after.numMsgSent - before.numMsgSent == 1
    assert after.numBytesSent > before.numBytesSent


def test_a_text_that_a_reducer_cannot_use_is_a_message_that_cannot_be_decoded() -> None:
    under = EngineUnderTest(176)
    call: Call[Any] = under.engine.ask(m.ReqHeadTimestamp(9, AAPL, 1, "TRADES", 1), key=9, name="head")
    under.send(m.HeadTimestamp(9, "the other day"))
    assert call.done
    under.send(m.CurrentTime(1))
