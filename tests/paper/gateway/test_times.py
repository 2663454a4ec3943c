"""The forms of dates and times."""

from __future__ import annotations

import pytest

from ibkit.clock import VirtualClock
from ibkit.paper.gateway import start_moment, times
from ibkit.paper.gateway.limits import Pacing, Rate

T = start_moment("2024-07-05 15:30:07")  # summer in New York


def test_times_name_their_zone_from_174_on() -> None:
    assert times.stamp(T, 173, "US/Central") == "20240705  15:30:07"
    assert times.stamp(T, 174, "US/Central") == "20240705 14:30:07 US/Central"
    assert times.connection_time(T) == "20240705 15:30:07 EDT"


def test_utc_ends_in_z_from_214_on() -> None:
    assert times.utc(T, 213) == "20240705-19:30:07"
    assert times.utc(T, 214) == "20240705-19:30:07Z"


def test_bars_come_in_the_form_asked_for() -> None:
    assert times.bar(T, 1, 176, "US/Eastern") == "20240705 15:30:07 US/Eastern"
    assert times.bar(T, 2, 176, "US/Eastern") == str(int(T))
    assert times.bar(T, 3, 176, "US/Eastern") == "0705 15:30:07 US/Eastern"


@pytest.mark.parametrize(
    ("text", "zoned"),
    [
        ("20240705 15:30:07 US/Eastern", True),
        ("20240705 14:30:07 US/Central", True),
        ("20240705-19:30:07", True),
        ("20240705-19:30:07Z", True),
        ("20240705 15:30:07", False),
        ("20240705  15:30:07", False),
    ],
)
def test_what_clients_write_is_read(text: str, zoned: bool) -> None:
    assert times.read(text) == (T, zoned)


def test_a_date_alone_means_its_end() -> None:
    assert times.read("20240705").epoch == start_moment("2024-07-06 00:00") - 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        times.read("yesterday")


class TestStart:
    def test_with_and_without_a_zone(self) -> None:
        assert start_moment("2024-07-05 15:30:07") == start_moment("2024-07-05 19:30:07 UTC") == T

    def test_a_date_alone_opens_at_ten(self) -> None:
        assert start_moment("2024-07-05") == start_moment("2024-07-05 10:00")

    @pytest.mark.parametrize(
        ("now", "begins"),
        [
            ("2024-07-05 15:00", "2024-07-05 10:00"),
            ("2024-07-05 09:00", "2024-07-03 10:00"),  # nobody trades on the 4th
            ("2024-07-06 12:00", "2024-07-05 10:00"),
            ("2024-07-07 23:00", "2024-07-05 10:00"),
            ("2024-07-08 02:00", "2024-07-05 10:00"),
            ("2026-11-26 12:00", "2026-11-25 10:00"),  # Thanksgiving
        ],
    )
    def test_the_latest_trading_day_at_ten_in_new_york(self, now: str, begins: str) -> None:
        assert start_moment(None, VirtualClock(start_moment(now))) == start_moment(begins)

    def test_nonsense_says_how_to_write_it(self) -> None:
        with pytest.raises(ValueError, match="YYYY-MM-DD HH:MM"):
            start_moment("soon")


def test_the_rate_refills() -> None:
    rate = Rate(2, 0.0)
    assert [rate.take(0.0) for _ in range(3)] == [True, True, False]
    assert rate.next() == 0.5
    assert rate.take(0.5)
    assert not rate.take(0.6)


def test_the_rules_for_small_bars() -> None:
    pacing = Pacing()
    assert not pacing.violation(0, "q0", "AAPL", 1)
    assert "identical" in pacing.violation(14, "q0", "AAPL", 1)
    assert not pacing.violation(16, "q0", "AAPL", 1)
    broken = [pacing.violation(20 + n * 0.1, f"q{n}", "MSFT", 1) for n in range(1, 7)]
    assert broken[:5] == [""] * 5
    assert "six" in broken[5]
    for n in range(60):
        pacing.violation(30 + 3 * n, f"z{n}", f"s{n}", 1)
    assert "60" in pacing.violation(300, "last", "last", 1)
