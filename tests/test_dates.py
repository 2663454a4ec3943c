"""Dates and zones of the wire: what TWS writes is read back, and nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit import dates

ZONES = ["US/Eastern", "America/New_York", "Europe/London", "Asia/Tokyo", "UTC", "JST", "EST", "Eastern European Time"]
moments = st.datetimes(min_value=datetime(1971, 1, 2), max_value=datetime(2090, 1, 1)).map(
    lambda t: t.replace(microsecond=0)
)


@given(moments, st.sampled_from(ZONES))
def test_a_time_with_a_zone_is_that_moment_there(moment: datetime, zone: str) -> None:
    parsed = dates.parseIBDatetime(f"{moment:%Y%m%d %H:%M:%S} {zone}")
    assert isinstance(parsed, datetime)
    assert parsed.replace(tzinfo=None) == moment
    assert parsed.tzinfo == dates.zone(zone)


@given(moments, st.sampled_from(ZONES))
def test_a_moment_is_read_the_same_in_the_quicker_way(moment: datetime, zone: str) -> None:
    text = f"{moment:%Y%m%d %H:%M:%S} {zone}"
    quick, usual = dates.parse_moment(text), dates.parseIBDatetime(text)
    assert isinstance(quick, datetime)
    assert isinstance(usual, datetime)
    assert quick == usual.astimezone(UTC)
    assert quick.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "20240105", "1704463200", "20240105 15:30:00", "20240105-15:30:00", "20240105  15:30:00", "20240105-15:30:00Z",
        "2024-01-05 15:30:00.0", "20240105 15:30:00 ",
    ],
)  # fmt: skip
def test_other_forms_are_read_the_same_in_the_quicker_way(text: str) -> None:
    assert dates.parse_moment(text) == dates.parseIBDatetime(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "2024-W01 10:11:12 UTC", "20240105 24:00:00 UTC", "20240105 10:11+01 UTC", "20240105 10:61:12 UTC",
        "20241305 10:11:12 UTC", "20240105 10:11:12 Nowhere", "20240105 1O:11:12 UTC",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_refused_in_the_quicker_way_too(text: str) -> None:
    for parse in (dates.parseIBDatetime, dates.parse_moment):
        with pytest.raises(ValueError, match=r"."):
            parse(text)


@given(moments)
def test_the_forms_without_a_zone_are_naive(moment: datetime) -> None:
    for form in ("%Y%m%d  %H:%M:%S", "%Y%m%d-%H:%M:%S", "%Y-%m-%d %H:%M:%S.0"):
        assert dates.parseIBDatetime(moment.strftime(form)) == moment


@given(moments)
def test_epoch_seconds_and_the_z_form_are_utc(moment: datetime) -> None:
    utc = moment.replace(tzinfo=UTC)
    if utc.timestamp() >= 10**8:  # eight digits are a date
        assert dates.parseIBDatetime(str(int(utc.timestamp()))) == utc
    assert dates.parseIBDatetime(f"{moment:%Y%m%d-%H:%M:%S}Z") == utc


def test_times_before_1970() -> None:
    assert dates.parseIBDatetime("-86400") == datetime(1969, 12, 31, tzinfo=UTC)


@given(st.dates())
def test_a_date(day: date) -> None:
    assert dates.parseIBDatetime(f"{day.year:04}{day:%m%d}") == day


@pytest.mark.parametrize(
    "text", ["", "2024010515:30", "20241301", "20240105 25:00:00", "noise", "20240105 10:00:00 Nowhere/Land"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        dates.parseIBDatetime(text)


@given(moments, st.sampled_from(["US/Eastern", "Asia/Tokyo", "UTC"]))
def test_what_is_formatted_is_the_same_moment(moment: datetime, zone: str) -> None:
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    assert dates.parseIBDatetime(dates.formatIBDatetime(aware)) == aware.astimezone(UTC)


def test_what_needs_no_formatting() -> None:
    assert dates.formatIBDatetime(None) == ""
    assert dates.formatIBDatetime("20240105 10:00:00 US/Eastern") == "20240105 10:00:00 US/Eastern"
    assert dates.formatIBDatetime(date(2024, 1, 5)).endswith(" UTC")


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("EST", ZoneInfo("America/New_York")),
        ("EST (Eastern Standard Time)", ZoneInfo("America/New_York")),
        ("Eastern European Time", ZoneInfo("Europe/Athens")),
        ("GMT", UTC),
        ("MET (Middle Europe Time)", ZoneInfo("Europe/Berlin")),
    ],
)
def test_the_zone_names_of_tws(name: str, same: timezone | ZoneInfo) -> None:
    assert dates.zone(name) == same


def test_an_offset_is_ahead_when_it_is_positive() -> None:
    tz = dates.zone("GMT+2")
    assert datetime(2024, 1, 5, tzinfo=tz).utcoffset() == timedelta(hours=2)


def test_an_unknown_zone_says_what_to_use() -> None:
    with pytest.raises(ValueError, match="zone database"):
        dates.zone("Atlantis")


def test_epoch_of() -> None:
    now = datetime(2024, 1, 5, 10, tzinfo=UTC).timestamp()
    assert dates.epoch_of(60, now) == now + 60
    assert dates.epoch_of(timedelta(hours=1), now) == now + 3600
    assert dates.epoch_of(datetime(2024, 1, 5, 11, tzinfo=UTC), now) == now + 3600
    assert dates.epoch_of(time(11, tzinfo=UTC), now) == now + 3600


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["20240105 15:30:00 US/Eastern", "20240310 03:30:00 US/Eastern", "20240310 03:31:00 US/Central"],
        ["20240105 15:30:00 US/Eastern", "20240106"],
        ["20240105", "20240106"],
        ["1704463200", "1704463260"],
        ["1704463200", "20240105"],
        ["20240105  15:30:00", "20240105  15:31:00"],
        ["20240105-15:30:00 US/Eastern", "20240105-15:31:00 US/Eastern"],
        ["20240105 15:30:00 US/Eastern", "1704463200"],
    ],
)
def test_a_column_of_dates_is_what_each_of_them_is(texts: list[str]) -> None:
    found, expected = dates.parse_column(texts), [dates.parseIBDatetime(text) for text in texts]
    assert found == expected
    assert [str(each) for each in found] == [str(each) for each in expected]
    with pytest.raises(ValueError, match="tomorrow"):
        dates.parse_column([*texts, "tomorrow"])
