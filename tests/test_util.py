"""The helpers for tables, plots, logging and numbers; those that wait are tested in tests/hosts."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit import (
    AccountValue,
    BarData,
    BarDataList,
    Fill,
    FundamentalRatios,
    LimitOrder,
    Position,
    RealTimeBar,
    Stock,
    util,
)
from ibkit.operators import Op

BARS = [
    BarData(date(2024, 1, 4), 1.0, 3.0, 0.5, 2.0, 100, 1.5, 7),
    BarData(date(2024, 1, 5), 2.0, 2.5, 1.0, 1.5, 50, 1.9, 3),
]


def test_bars_become_a_frame_and_take_a_column() -> None:
    frame = util.df(BARS)
    assert frame is not None
    assert list(frame.columns) == ["date", "open", "high", "low", "close", "volume", "average", "barCount"]
    frame["2SMA"] = frame.close.rolling(2).mean()
    assert frame["2SMA"].iloc[-1] == 1.75


def test_a_frame_of_nothing_is_none() -> None:
    assert util.df([]) is None
    assert util.df(BarDataList()) is None


def test_labels_choose_columns() -> None:
    frame = util.df([AccountValue("DU1", "Cash", "1", "USD", "")], labels=["tag", "value"])
    assert frame is not None
    assert frame.to_dict("records") == [{"tag": "Cash", "value": "1"}]


def test_named_tuples_and_dynamic_objects() -> None:
    positions = util.df([Position("DU1", Stock("V", conId=1), 5.0, 200.0)])
    ratios = util.df([FundamentalRatios(PE=12.5)])
    assert positions is not None
    assert ratios is not None
    assert positions.position[0] == 5.0
    assert ratios.PE[0] == 12.5


def test_a_tree_is_json() -> None:
    order = LimitOrder("BUY", 1, 2.5)
    assert util.tree([Stock("V"), order, datetime(2024, 1, 5, tzinfo=UTC), {"a": date(2024, 1, 5)}]) == [
        {"Stock": {"secType": "STK", "symbol": "V"}},
        {"LimitOrder": {"action": "BUY", "totalQuantity": 1, "orderType": "LMT", "lmtPrice": 2.5}},
        "2024-01-05T00:00:00+00:00",
        {"a": "2024-01-05"},
    ]
    json.dumps(util.tree(BARS))


def test_isnamedtupleinstance() -> None:
    assert util.isnamedtupleinstance(AccountValue("", "", "", "", ""))
    assert not util.isnamedtupleinstance((1, 2))
    assert not util.isnamedtupleinstance(Fill)


@pytest.mark.parametrize("bars", [BARS, [RealTimeBar(datetime(2024, 1, 5, tzinfo=UTC), -1, 1.0, 2.0, 0.5, 1.5)], []])
def test_barplot_draws_every_bar(bars: list[BarData] | list[RealTimeBar], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    figure = util.barplot(bars, title="V")
    assert len(figure.axes[0].patches) == len(bars)
    assert figure.axes[0].get_title() == "V"
    pyplot.close(figure)


def test_barplot_of_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    frame = util.df(BARS)
    assert frame is not None
    figure = util.barplot(frame)
    assert len(figure.axes[0].patches) == 2
    pyplot.close(figure)


def test_log_to_file(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), logging.getLogger("ibkit").level
    try:
        util.logToFile(str(tmp_path / "log"), logging.INFO)
        logging.getLogger("ibkit.test").info("hello")
        assert "ibkit.test INFO hello" in (tmp_path / "log").read_text()
    finally:
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
            handler.close()
        logging.getLogger("ibkit").setLevel(level)


@pytest.mark.parametrize(
    ("n", "text"),
    [(12345.0, "12.3 k"), (0.0012, "1.20 m"), (12, "12 "), (0, "0 "), (-12345.0, "-12.3 k"), (999.9999, "1.00 k")],
)
def test_format_si(n: float, text: str) -> None:
    assert util.formatSI(n) == text


@given(st.floats(min_value=1e-20, max_value=1e20))
def test_format_si_keeps_three_digits(n: float) -> None:
    number, prefix = util.formatSI(n).split(" ")
    scale = "yzafpnum kMGTPEZY".index(prefix or " ") - 8
    assert float(number) * 1000.0**scale == pytest.approx(n, rel=0.006)


def test_is_nan() -> None:
    assert util.isNan(float("nan"))
    assert not util.isNan(0.0)


def test_timeit_says_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    with util.timeit("Sorting"):
        pass
    assert capsys.readouterr().out.startswith("Sorting took ")


def test_what_other_libraries_need_is_harmless_here() -> None:
    util.startLoop()
    util.patchAsyncio()
    util.allowCtrlC()


def test_operators_are_events() -> None:
    assert isinstance(Op(), Op)


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("US/Eastern"), timezone(timedelta(hours=3)), None])
@pytest.mark.parametrize(
    "odd", [None, 0.5, "no date", date(2024, 1, 5), datetime(2024, 1, 5), datetime(2800, 1, 5, tzinfo=UTC)]
)
def test_a_frame_of_many_bars_is_what_pandas_makes_of_few(zone: tzinfo | None, odd: Any) -> None:
    begin = datetime(2024, 11, 2, 23, 0, tzinfo=zone)  # the clocks are put back in the night
    moments: list[Any] = [begin + timedelta(minutes=i) for i in range(400)]
    if isinstance(odd, float):
        moments[7] += timedelta(seconds=odd)
    elif odd is not None:
        moments[7] = odd
    bars = [BarData(moment, 1.0, 2.0, 0.5, float(i), i, 1.25, i) for i, moment in enumerate(moments)]
    frame = util.df(bars)
    expected = pd.DataFrame({field: [getattr(bar, field) for bar in bars] for field in bars[0].dict()})
    assert frame is not None
    pd.testing.assert_frame_equal(frame, expected)
