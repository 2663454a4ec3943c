"""Calls end once; several can be waited for as one; a conversation sees answers and errors."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from ibkit.engine.call import Call, CallCancelled, Conversation, converse, gather, settle


def test_a_call_ends_once_and_tells_everybody() -> None:
    call: Call[int] = Call("question")
    told: list[Call[int]] = []
    call.add_done_callback(told.append)
    with pytest.raises(RuntimeError, match="question has not been answered"):
        call.result()
    call.succeed(1)
    call.succeed(2)
    call.fail(ValueError("late"))
    call.add_done_callback(told.append)  # at once
    assert call.result() == 1
    assert told == [call, call]


def test_cancel_does_what_it_takes_and_is_harmless_afterwards() -> None:
    done: list[str] = []
    call: Call[int] = Call("question", lambda: done.append("cancelled on the wire"))
    call.cancel()
    call.cancel()
    assert done == ["cancelled on the wire"]
    with pytest.raises(CallCancelled):
        call.result()


def test_map_passes_answers_and_errors_and_the_cancel() -> None:
    call: Call[int] = Call("question")
    doubled = call.map(lambda x: 2 * x)
    broken = call.map(lambda x: x // 0)
    call.succeed(21)
    assert doubled.result() == 42
    with pytest.raises(ZeroDivisionError):
        broken.result()

    failed: Call[int] = Call("question")
    mapped = failed.map(str)
    failed.fail(OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        mapped.result()

    asked: Call[int] = Call("question")
    asked.map(str).cancel()
    assert isinstance(asked.error, CallCancelled)


def test_gather_keeps_the_order_and_fails_with_the_first_failure() -> None:
    a, b = Call[int]("a"), Call[int]("b")
    both = gather([a, b])
    b.succeed(2)
    assert not both.done
    a.succeed(1)
    assert both.result() == [1, 2]
    assert gather([]).result() == []

    c, d = Call[int]("c"), Call[int]("d")
    failing = gather([c, d])
    c.fail(ValueError("no"))
    assert isinstance(d.error, CallCancelled)
    with pytest.raises(ValueError, match="no"):
        failing.result()


def test_settle_waits_for_all_and_never_fails() -> None:
    a, b = Call[int]("a"), Call[int]("b")
    both = settle([a, b])
    a.fail(ValueError("no"))
    assert not both.done
    b.succeed(2)
    assert [call.error is None for call in both.result()] == [False, True]
    assert settle([]).result() == []


def test_a_conversation_is_sent_answers_and_thrown_errors() -> None:
    first, second = Call[int]("first"), Call[int]("second")

    def talk() -> Generator[Call[Any], Any, str]:
        number = yield first
        try:
            yield second
        except ValueError as error:
            return f"{number} {error}"
        return "never"

    whole = converse(talk())
    first.succeed(1)
    assert not whole.done
    second.fail(ValueError("two"))
    assert whole.result() == "1 two"


def test_a_conversation_of_many_answered_calls_does_not_nest() -> None:
    def talk() -> Generator[Call[int], int, int]:
        total = 0
        for i in range(10_000):
            total += yield Call.of(i)
        return total

    assert converse(talk()).result() == sum(range(10_000))


def test_cancelling_a_conversation_cancels_what_it_waits_for() -> None:
    left: list[str] = []
    asked: Call[int] = Call("asked", lambda: left.append("cancelled"))

    def talk() -> Conversation[int]:
        try:
            answer: int = yield asked
            return answer
        finally:
            left.append("closed")

    whole = converse(talk())
    whole.cancel()
    assert left == ["closed", "cancelled"]
    assert isinstance(whole.error, CallCancelled)


def test_an_error_of_a_conversation_fails_it() -> None:
    def talk() -> Generator[Call[int], int, int]:
        yield Call.of(1)
        raise KeyError("lost")

    with pytest.raises(KeyError):
        converse(talk()).result()
