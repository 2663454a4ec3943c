"""The demo's picture: candles, Bollinger bands, volume, and the trades where they happened.

Draws what it is given; must not know where it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ibkit.model import BarData

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#d7dce5"
FAINT = "#7d8799"
PAPER = "#10141c"
GRID = "#232a37"
UP = "#2fb6a0"
DOWN = "#ee6a5f"
BAND = "#6c8cff"
BUY = "#4fd1ff"
SELL = "#ffc857"

VERBS = {"BOT": "bought", "SLD": "sold"}
"""What an execution's side means."""


class Mark(NamedTuple):
    """One execution: when, at what price, and what to write beside it."""

    time: datetime
    price: float
    side: str  # 'BOT' or 'SLD'
    text: str


class Corridor(NamedTuple):
    """The life of a bracket: from entry to exit, between its two ways out."""

    start: datetime
    end: datetime
    entry: float
    take_profit: float
    stop_loss: float


def draw(
    path: Path,
    title: str,
    subtitle: str,
    bars: Sequence[BarData],
    zone: tzinfo,
    marks: Sequence[Mark],
    corridors: Sequence[Corridor],
    period: int = 20,
) -> None:
    """Draw one trading day of intraday ``bars`` into a PNG file; their dates are aware datetimes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import dates, pyplot

    # Matplotlib counts days.
    moments = [dates.date2num(bar.date) for bar in bars]
    width = (moments[1] - moments[0]) * 0.7
    with pyplot.rc_context({"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.labelcolor": INK}):
        figure, (price, volume) = pyplot.subplots(
            2, 1, sharex=True, figsize=(12, 6.75), height_ratios=(5, 1), facecolor=PAPER
        )
        for axes in (price, volume):
            _dress(axes)
        colors = [UP if bar.close >= bar.open else DOWN for bar in bars]
        _bands(price, bars, moments, period)
        price.vlines(moments, [bar.low for bar in bars], [bar.high for bar in bars], colors=colors, linewidth=1)
        least = (max(bar.high for bar in bars) - min(bar.low for bar in bars)) / 500  # a doji is still to be seen
        price.bar(
            moments,
            [max(abs(bar.close - bar.open), least) for bar in bars],
            bottom=[min(bar.open, bar.close) for bar in bars],
            width=width,
            color=colors,
        )
        volume.bar(moments, [bar.volume for bar in bars], width=width, color=colors, alpha=0.6)
        for corridor in corridors:
            _corridor(price, corridor)
        for mark in marks:
            _mark(price, mark)
        _last(price, bars[-1], colors[-1])
        # Room on the right for what is written beside the last bars.
        price.set_xlim(moments[0] - width, moments[-1] + (moments[-1] - moments[0]) * 0.13)
        price.margins(y=0.08)
        volume.xaxis.set_major_locator(dates.AutoDateLocator(tz=zone, minticks=5, maxticks=10))
        volume.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz=zone))
        volume.set_yticks([])
        volume.set_ylabel("volume", color=FAINT)
        figure.text(0.045, 0.945, title, fontsize=17, fontweight="bold")
        figure.text(0.045, 0.908, subtitle, fontsize=10.5, color=FAINT)
        handles, labels = price.get_legend_handles_labels()
        price.legend(handles, labels, loc="upper left", frameon=False, fontsize=9, labelcolor=INK)
        figure.subplots_adjust(left=0.045, right=0.945, top=0.88, bottom=0.07, hspace=0.04)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130, facecolor=PAPER)
        pyplot.close(figure)


def _dress(axes: Axes) -> None:
    axes.set_facecolor(PAPER)
    axes.grid(True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, length=0)
    axes.yaxis.tick_right()
    for spine in axes.spines.values():
        spine.set_visible(False)


def _bands(axes: Axes, bars: Sequence[BarData], moments: list[float], period: int) -> None:
    import pandas as pd

    closes = pd.Series([bar.close for bar in bars])
    middle = closes.rolling(period).mean()
    spread = 2 * closes.rolling(period).std(ddof=0)
    axes.fill_between(moments, middle - spread, middle + spread, color=BAND, alpha=0.10, linewidth=0)
    axes.plot(moments, middle + spread, color=BAND, linewidth=0.8, alpha=0.55)
    axes.plot(moments, middle - spread, color=BAND, linewidth=0.8, alpha=0.55)
    axes.plot(moments, middle, color=BAND, linewidth=1.3, label=f"average of {period} bars and Bollinger bands")


def _last(axes: Axes, bar: BarData, color: str) -> None:
    """Show where the price is now: a line across, and a label on the axis."""
    axes.axhline(bar.close, color=color, linewidth=0.8, linestyle=(0, (1, 2)), alpha=0.9)
    axes.annotate(
        f"{bar.close:.2f}", (1.0, bar.close), xycoords=("axes fraction", "data"), xytext=(5, 0),
        textcoords="offset points", color=PAPER, fontsize=9.5, fontweight="bold", ha="left", va="center",
        bbox={"boxstyle": "round,pad=0.3", "facecolor": color, "edgecolor": "none"},
    )  # fmt: skip


def _corridor(axes: Axes, it: Corridor) -> None:
    from matplotlib.dates import date2num

    start, end = float(date2num(it.start)), float(date2num(it.end))
    axes.fill_between([start, end], it.entry, it.take_profit, color=UP, alpha=0.18, linewidth=0)
    axes.fill_between([start, end], it.stop_loss, it.entry, color=DOWN, alpha=0.18, linewidth=0)
    axes.hlines(it.entry, start, end, colors=INK, linewidth=0.9, alpha=0.6)
    levels = ((it.take_profit, UP, "take profit"), (it.stop_loss, DOWN, f"stop loss {it.stop_loss:.2f}"))
    for level, color, text in levels:
        axes.hlines(level, start, end, colors=color, linewidth=1.5, linestyles=(0, (4, 2)))
        _write(axes, text, start, level, (4, -10), color)


def _mark(axes: Axes, mark: Mark) -> None:
    from matplotlib.dates import date2num

    buying = mark.side == "BOT"
    color = BUY if buying else SELL
    moment = date2num(mark.time)
    axes.scatter(
        [moment], [mark.price], marker="^" if buying else "v", s=150, color=color, edgecolors=PAPER, linewidths=1.4,
        zorder=5,
    )  # fmt: skip
    axes.annotate(
        mark.text, (moment, mark.price), xytext=(24, -36) if buying else (-24, 36), textcoords="offset points",
        color=PAPER, fontsize=9.5, fontweight="bold", ha="left" if buying else "right", va="center", zorder=6,
        bbox={"boxstyle": "round,pad=0.4", "facecolor": color, "edgecolor": "none"},
        arrowprops={"arrowstyle": "-", "color": color, "linewidth": 1.0, "shrinkB": 6},
    )  # fmt: skip


def _write(axes: Axes, text: str, x: float, y: float, offset: tuple[float, float], color: str) -> None:
    """Write to the right of a point, readable on whatever is behind."""
    from matplotlib.patheffects import withStroke

    axes.annotate(
        text, (x, y), xytext=offset, textcoords="offset points", color=color, fontsize=9.5, ha="left", va="center",
        zorder=6, path_effects=[withStroke(linewidth=3, foreground=PAPER)],
    )  # fmt: skip
