"""The registry of pending requests: no answer for the wrong one, none in part, no asker forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine.call import Call, CallCancelled
from ibkit.engine.calls import PATIENCE_S, Calls
from ibkit.engine.timers import Timers
from ibkit.errors import ConnectionLost, RequestTimeout
from ibkit.wire import messages as m


class Wire:
    """What a registry sends through, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_open = True
        self.timers = Timers()
        self.sent: list[m.Request] = []
        self.names: list[str] = []
        self.usual = 0.0
        self.held_back = False
        self.waiting: list[Callable[[float], object]] = []
        self.calls = Calls(self)

    def check(self, message: m.Request) -> None:
        pass

    def send(self, message: m.Request, on_sent: Callable[[float], object] | None = None) -> None:
        self.sent.append(message)
        self.names.append(type(message).__name__)
        if on_sent is not None and not self.held_back:
            on_sent(self.now)
        elif on_sent is not None:
            self.waiting.append(on_sent)

    def request_timeout(self) -> float:
        return self.usual

    def pass_time(self, secs: float) -> None:
        self.now += secs
        self.timers.run(self.now)

    def positions(self, timeout: float | None = None) -> Call[list[str]]:
        return self.calls.ask(m.ReqPositions(), key="positions", name="reqPositions()", timeout=timeout)

    def orders(self, all: bool = False, timeout: float | None = None) -> Call[list[str]]:
        message = m.ReqAllOpenOrders() if all else m.ReqOpenOrders()
        return self.calls.ask(message, key="openOrders", name="open orders", timeout=timeout)


def test_equal_questions_without_id_share_one_request() -> None:
    """The second of two concurrent requests must not orphan the first (semantics.md 7)."""
    wire = Wire()
    first, second = wire.positions(), wire.positions()
    assert wire.names == ["ReqPositions"]
    wire.calls.add("positions", "a position")
    assert wire.calls.finish("positions")
    assert first.result() == second.result() == ["a position"]
    assert first.result() is not second.result()
    assert not wire.calls.finish("positions")


def test_different_questions_under_one_key_queue() -> None:
    wire = Wire()
    ours, everybodys = wire.orders(), wire.orders(all=True)
    again = wire.orders(all=True)
    assert wire.names == ["ReqOpenOrders"]
    wire.calls.add("openOrders", "mine")
    wire.calls.finish("openOrders")
    assert ours.result() == ["mine"]
    assert not everybodys.done
    assert wire.names == ["ReqOpenOrders", "ReqAllOpenOrders"]
    wire.calls.add("openOrders", "theirs")
    wire.calls.finish("openOrders")
    assert everybodys.result() == again.result() == ["theirs"]
    assert not wire.calls.waiting("openOrders")


def test_a_late_answer_belongs_to_its_own_question() -> None:
    """A request that timed out must not end the next one with half an answer."""
    wire = Wire()
    late = wire.orders(timeout=1)
    wire.calls.add("openOrders", "1")
    wire.pass_time(1)
    with pytest.raises(RequestTimeout):
        late.result()
    assert not wire.calls.waiting("openOrders")  # so that live orders are told again (peer-weaknesses.md 1.8)
    everybodys = wire.orders(all=True)
    wire.calls.add("openOrders", "2")
    wire.calls.finish("openOrders")
    assert not everybodys.done
    wire.calls.add("openOrders", "all")
    wire.calls.finish("openOrders")
    assert everybodys.result() == ["all"]


def test_an_answer_that_never_comes_holds_nobody_up_for_ever() -> None:
    wire = Wire()
    wire.orders(timeout=1)
    wire.pass_time(1)
    everybodys = wire.orders(all=True)
    assert wire.names == ["ReqOpenOrders"]
    wire.pass_time(PATIENCE_S)
    assert wire.names == ["ReqOpenOrders", "ReqAllOpenOrders"]
    wire.calls.finish("openOrders")
    assert everybodys.result() == []


def test_asking_again_after_a_timeout_sends_again_and_takes_the_first_whole_answer() -> None:
    wire = Wire()
    wire.positions(timeout=1)
    wire.calls.add("positions", "1")
    wire.pass_time(1)
    again = wire.positions()
    assert len(wire.sent) == 2
    wire.calls.add("positions", "2")
    wire.calls.finish("positions")
    assert again.result() == ["1", "2"]
    third = wire.positions()  # the second answer is still to come
    wire.calls.add("positions", "1")
    wire.calls.add("positions", "2")
    wire.calls.finish("positions")
    assert third.result() == ["1", "2"]


def test_leaving_cancels_on_the_wire_only_when_nobody_is_left() -> None:
    wire = Wire()
    cancel = m.CancelHistoricalData(7)
    call: Call[Any] = wire.calls.ask(m.ReqUserInfo(7), key=7, name="q", cancel=cancel)
    call.cancel()
    assert wire.sent[-1] == cancel
    assert not wire.calls.finish(7)  # what still comes is ignored

    shared = [wire.calls.ask(m.ReqPositions(), key="p", name="q", cancel=m.CancelPositions()) for _ in "ab"]
    shared[0].cancel()
    assert "CancelPositions" not in wire.names
    shared[1].cancel()
    assert wire.names[-1] == "CancelPositions"


def test_a_question_that_waits_for_its_turn_can_be_left() -> None:
    wire = Wire()
    ours, everybodys = wire.orders(), wire.orders(all=True)
    everybodys.cancel()
    wire.calls.finish("openOrders")
    assert ours.done
    assert wire.names == ["ReqOpenOrders"]


def test_every_request_has_a_deadline_and_0_is_none() -> None:
    wire = Wire()
    wire.usual = 60
    usual, own, none = wire.positions(), wire.positions(timeout=5), wire.positions(timeout=0)
    wire.pass_time(5)
    assert (usual.done, own.done) == (False, True)
    assert isinstance(own.error, RequestTimeout)
    wire.pass_time(54)
    assert not usual.done
    wire.usual = 1  # for what is asked from now on
    wire.pass_time(1)
    assert str(usual.error).startswith("no answer to reqPositions() within 60 s")
    wire.pass_time(10_000)
    assert not none.done


def test_a_deadline_counts_from_when_the_request_was_sent() -> None:
    """Five thousand requests at 45 a second are not late because they wait for their turn."""
    wire = Wire()
    wire.usual = 60
    wire.held_back = True
    first = wire.positions()
    wire.pass_time(100)
    joined = wire.positions(timeout=5)
    wire.pass_time(100)
    assert (first.done, joined.done) == (False, False)
    for was_sent in wire.waiting:
        was_sent(wire.now)
    late = wire.positions(timeout=7)  # it is on its way already
    wire.pass_time(5)
    assert (first.done, joined.done, late.done) == (False, True, False)
    wire.pass_time(2)
    assert (first.done, late.done) == (False, True)
    wire.pass_time(53)
    assert first.done


def test_a_request_that_waits_for_its_turn_is_not_late() -> None:
    wire = Wire()
    wire.usual = 60
    ours, everybodys = wire.orders(), wire.orders(all=True)
    wire.pass_time(59)
    assert wire.names == ["ReqOpenOrders"]
    wire.pass_time(1)
    assert ours.done
    wire.pass_time(PATIENCE_S)
    assert wire.names == ["ReqOpenOrders", "ReqAllOpenOrders"]
    wire.pass_time(59)
    assert not everybodys.done
    wire.pass_time(1)
    assert isinstance(everybodys.error, RequestTimeout)


def test_deadlines_that_were_met_are_not_kept() -> None:
    wire = Wire()
    wire.usual = 60
    for _ in range(10_000):
        wire.positions()
        wire.calls.finish("positions")
    assert len(wire.timers._heap) < 200


def test_what_cannot_be_sent_is_not_waited_for() -> None:
    class Refusing(Wire):
        def send(self, message: m.Request, on_sent: Callable[[float], object] | None = None) -> None:
            raise ValueError("no form on the wire")

        def check(self, message: m.Request) -> None:
            self.send(message)

    wire = Refusing()
    with pytest.raises(ValueError, match="no form"):
        wire.positions()
    assert not wire.calls.waiting("positions")
    assert wire.timers.next() is None


def test_the_end_of_the_connection_fails_everything_once() -> None:
    wire = Wire()
    asked = [wire.positions(), wire.orders(), wire.orders(all=True)]
    asked.append(wire.calls.ask(m.ReqUserInfo(1), key=1, name="q", cancel=m.CancelPositions()))
    wire.is_open = False
    sent = len(wire.sent)
    wire.calls.fail_all(ConnectionLost("gone"))
    assert all(isinstance(call.error, ConnectionLost) for call in asked)
    assert len(wire.sent) == sent


class _Model:
    """One key, a gateway that answers in order, askers that come and go; checked at every end."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.answers: list[m.Request] = []  # what the gateway has still to answer
        self.seen = 0
        self.asked: list[tuple[bool, Call[list[str]]]] = []

    def gateway_reads(self) -> None:
        self.answers += self.wire.sent[self.seen :]
        self.seen = len(self.wire.sent)


@given(st.lists(st.sampled_from(["ours", "all", "leave", "answer", "half", "time"]), max_size=40))
def test_every_asker_gets_the_whole_answer_to_its_question(steps: list[str]) -> None:
    """However askers come and go, an answer is all of what the gateway sent for an equal question, or a failure."""
    model = _Model()
    wire = model.wire
    half_sent = False
    for step in steps:
        if step in ("ours", "all"):
            model.asked.append((step == "all", wire.orders(all=step == "all")))
        elif step == "leave" and model.asked:
            model.asked[len(steps) % len(model.asked)][1].cancel()
        elif step == "time":
            wire.pass_time(PATIENCE_S / 4)
        model.gateway_reads()
        if step in ("half", "answer") and model.answers:
            kind = type(model.answers[0]).__name__
            if not half_sent:
                wire.calls.add("openOrders", f"{kind} 1")
                half_sent = True
            if step == "answer":
                wire.calls.add("openOrders", f"{kind} 2")
                model.answers.pop(0)
                half_sent = False
                wire.calls.finish("openOrders")
                model.gateway_reads()
    while model.answers:
        kind = type(model.answers.pop(0)).__name__
        if not half_sent:
            wire.calls.add("openOrders", f"{kind} 1")
        half_sent = False
        wire.calls.add("openOrders", f"{kind} 2")
        wire.calls.finish("openOrders")
        model.gateway_reads()
    late = "time" in steps  # patience may end early in this model: then a late answer cannot be told apart
    for everybodys, call in model.asked:
        assert call.done
        if not isinstance(call.error, CallCancelled) and not late:
            kind = "ReqAllOpenOrders" if everybodys else "ReqOpenOrders"
            assert call.result() == [f"{kind} 1", f"{kind} 2"]
