"""Clocks: the date may be simulated, deadlines never go back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit import clock


def test_a_virtual_clock_moves_only_when_told() -> None:
    virtual = clock.VirtualClock(1000.0)
    assert (virtual.time(), virtual.monotonic()) == (1000.0, 0.0)
    virtual.advance(2.5)
    assert (virtual.time(), virtual.monotonic()) == (1002.5, 2.5)


@pytest.mark.parametrize("secs", [-1.0, float("nan")])
def test_a_virtual_clock_does_not_go_back(secs: float) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        clock.VirtualClock().advance(secs)


@given(st.lists(st.floats(0, 1e4), max_size=5), st.floats(0.1, 1000))
def test_a_scaled_clock_runs_speed_times_as_fast_and_keeps_deadlines_real(steps: list[float], speed: float) -> None:
    real = clock.VirtualClock()
    scaled = clock.ScaledClock(5000.0, speed, real)
    for step in steps:
        real.advance(step)
    assert scaled.time() == pytest.approx(5000.0 + speed * sum(steps))
    assert scaled.monotonic() == real.monotonic()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_must_be_positive(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        clock.ScaledClock(0.0, speed)


def test_seconds_until_uses_the_clock_of_the_market(monkeypatch: pytest.MonkeyPatch) -> None:
    real = clock.VirtualClock()
    monkeypatch.setattr(clock, "default", clock.ScaledClock(1000.0, 10.0, real))
    assert clock.seconds_until(1100.0) == pytest.approx(10.0)
    assert clock.seconds_until(900.0) == 0.0


def test_utc() -> None:
    assert clock.utc(0) == datetime(1970, 1, 1, tzinfo=UTC)
