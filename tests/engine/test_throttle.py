"""The message rate: never more than allowed, orders first, nothing lost (semantics.md 10)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ibkit.engine.throttle import DefaultLimits, Throttle, reserve
from ibkit.engine.timers import Timers


class Limits(DefaultLimits):
    def __init__(self, rate: int, interval: float = 1.0) -> None:
        self.MaxRequests = rate  # type: ignore[misc]  # as a user sets it
        self.RequestsInterval = interval  # type: ignore[misc]


def test_the_default_rate_is_45_a_second_and_orders_have_five_more() -> None:
    throttle = Throttle(DefaultLimits())
    for _ in range(100):
        throttle.put(b"data", urgent=False)
    assert len(throttle.take(0.0)) == 45
    assert throttle.next_at() == 1.0
    for i in range(7):
        throttle.put(b"order %d" % i, urgent=True)
    assert throttle.take(0.5) == [b"order %d" % i for i in range(5)]
    assert throttle.next_at() == 1.0
    after = throttle.take(1.0)
    assert after[:2] == [b"order 5", b"order 6"]
    assert len(after) == 45 - 5
    assert throttle.waiting() == 100 - 45 - (40 - 2)


def test_the_rate_can_be_changed_while_it_matters_and_switched_off() -> None:
    limits = Limits(2)
    throttle = Throttle(limits)
    for _ in range(10):
        throttle.put(b"x", urgent=False)
    assert len(throttle.take(0.0)) == 2
    limits.MaxRequests = 4  # type: ignore[misc]
    assert len(throttle.take(0.0)) == 2
    limits.MaxRequests = 0  # type: ignore[misc]
    assert len(throttle.take(0.0)) == 6
    assert throttle.next_at() is None
    throttle.put(b"x", urgent=False)
    throttle.clear()
    assert throttle.take(5.0) == []


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.4)), max_size=80),
    st.integers(1, 10),
)
def test_laws_of_the_throttle(wants: list[tuple[bool, float]], rate: int) -> None:
    """In any second at most rate (+ reserve) frames leave; each queue keeps its order; next_at is when more leave."""
    throttle = Throttle(Limits(rate))
    now = 0.0
    left: list[tuple[float, bytes]] = []
    for i, (urgent, pause) in enumerate(wants):
        throttle.put(b"%d%s" % (i, b"!" if urgent else b""), urgent)
        now += pause
        left += [(now, frame) for frame in throttle.take(now)]
    while (due := throttle.next_at()) is not None:
        assert due > now, "nothing was kept that could have left"
        now = due
        frames = throttle.take(now)
        assert frames
        left += [(now, frame) for frame in frames]
    assert len(left) == len(wants)
    for kind in (True, False):
        numbers = [int(frame.rstrip(b"!")) for _, frame in left if frame.endswith(b"!") is kind]
        assert numbers == sorted(numbers)
    for i, (start, _) in enumerate(left):
        window = [frame for moment, frame in left[i:] if moment < start + 1.0]
        assert len(window) <= rate + reserve(rate)


def test_timers_run_in_order_and_may_be_taken_back() -> None:
    timers, done = Timers(), list[str]()
    timers.at(2.0, lambda: done.append("b"))
    taken_back = timers.at(1.0, lambda: done.append("never"))
    timers.at(1.5, lambda: timers.at(1.6, lambda: done.append("a")))
    taken_back.cancel()
    assert timers.next() == 1.5
    timers.run(3.0)
    assert done == ["a", "b"]
    assert timers.next() is None
    timers.at(4.0, lambda: done.append("c"))
    timers.clear()
    timers.run(9.0)
    assert done == ["a", "b"]
