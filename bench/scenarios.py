"""What is measured, and what it must show: tables.

A scenario's ``kind`` names the function of the clients and the play of the gateway that carry it out with the
scenario's numbers; ``quick`` numbers replace the full ones for a smoke test. Must not know how anything is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Params = Mapping[str, int | float | str]

EVERYBODY = ("raw", "ibkit", "ib_async", "ib_insync", "ibapi")
INSYNC = ("ibkit", "ib_async", "ib_insync")


@dataclass(frozen=True)
class Scenario:
    """One kind of work. ``metrics`` are those of the report, with their units; the first one is the most telling.

    ``hosts``: whether it matters how a client waits, so that ibkit takes part in all its ways. ``once``: whether it
    is too long to be repeated. ``cold``: whether what happens on first use is part of it; then a run that does not
    count makes the byte code.
    """

    name: str
    title: str
    kind: str
    metrics: Mapping[str, str]
    full: Params
    quick: Params = field(default_factory=dict)
    families: tuple[str, ...] = EVERYBODY
    hosts: bool = False
    once: bool = False
    cold: bool = False

    def params(self, quick: bool) -> Params:
        """Return the numbers."""
        return {**self.full, **self.quick} if quick else self.full


PER_MESSAGE = {"cpu_us": "CPU us a message"}

SCENARIOS = (
    Scenario(
        "burst",
        "A burst of ticks, handler attached, tick lists kept",
        "ticks",
        PER_MESSAGE,
        {"stream": "ticks", "tickers": 100, "messages": 500_000},
        {"messages": 20_000},
        hosts=True,
    ),
    Scenario(
        "paced",
        "10,000 ticks a second, 10 a packet",
        "ticks",
        PER_MESSAGE,
        {"stream": "ticks", "tickers": 100, "messages": 50_000, "rate": 10_000, "per_packet": 10},
        {"messages": 3_000},
        hosts=True,
    ),
    Scenario(
        "tick-by-tick",
        "Tick-by-tick trades and quotes",
        "ticks",
        PER_MESSAGE,
        {"stream": "tick-by-tick", "tickers": 10, "messages": 300_000},
        {"messages": 10_000},
    ),
    Scenario(
        "depth",
        "Market depth: changes of five order books of ten levels",
        "ticks",
        PER_MESSAGE,
        {"stream": "depth", "tickers": 5, "messages": 300_000},
        {"messages": 10_000},
    ),
    Scenario(
        "tick-to-order",
        "A tick, a handler, an order on the wire",
        "tick_to_order",
        {"p50_us": "delay us, p50", "p99_us": "p99", "p999_us": "p99.9", "cpu_us": "CPU us a round trip"},
        {"orders": 3_000, "gap_ms": 0.5},
        {"orders": 200},
        hosts=True,
    ),
    Scenario(
        "orders",
        "Orders, from placed to filled",
        "orders",
        {"cpu_us": "CPU us an order"},
        {"orders": 2_000, "gap_ms": 0.3},
        {"orders": 100},
        hosts=True,
    ),
    Scenario(
        "modify",
        "An order modified again and again",
        "modify",
        {"cpu_us": "CPU us a modification"},
        {"orders": 500},
        {"orders": 100},
    ),
    Scenario(
        "connect",
        "Connect to an empty account",
        "connect",
        {"wall_ms": "ms", "cpu_ms": "CPU ms"},
        {"open_orders": 0, "executions": 0, "positions": 0},
        families=(*INSYNC, "ibapi"),
        cold=True,
    ),
    Scenario(
        "connect-full",
        "Connect with 500 orders and 1,000 executions",
        "connect",
        {"wall_ms": "ms", "cpu_ms": "CPU ms"},
        {"open_orders": 500, "executions": 1_000, "positions": 50},
        {"open_orders": 20, "executions": 40},
        families=(*INSYNC, "ibapi"),
        cold=True,
    ),
    Scenario(
        "histories",
        "50 concurrent histories, each answered after 200 ms",
        "histories",
        {"wall_ms": "ms", "most_per_s": "most messages in a second"},
        {"histories": 50, "bars": 100, "delay_ms": 200},
        families=INSYNC,
    ),
    Scenario(
        "bars-text",
        "100,000 bars to objects, text dates",
        "bars",
        {"cpu_us": "CPU us a bar"},
        {"bars": 100_000, "format": 1},
        {"bars": 2_000},
    ),
    Scenario(
        "bars-epoch",
        "100,000 bars to objects, epoch dates",
        "bars",
        {"cpu_us": "CPU us a bar"},
        {"bars": 100_000, "format": 2},
        {"bars": 2_000},
    ),
    Scenario(
        "frame-text",
        "100,000 bars to a DataFrame (util.df of a request), text dates",
        "frame",
        {"cpu_us": "CPU us a bar"},
        {"bars": 100_000, "format": 1},
        {"bars": 2_000},
        families=INSYNC,
    ),
    Scenario(
        "frame-epoch",
        "100,000 bars to a DataFrame (util.df of a request), epoch dates",
        "frame",
        {"cpu_us": "CPU us a bar"},
        {"bars": 100_000, "format": 2},
        {"bars": 2_000},
        families=INSYNC,
    ),
    Scenario(
        "import",
        "Import everything: from LIBRARY import *",
        "import",
        {"cpu_ms": "CPU ms", "wall_ms": "ms"},
        {},
        families=(*INSYNC, "ibapi"),
        cold=True,
    ),
    Scenario(
        "memory-tickers",
        "Memory of a ticker",
        "memory_tickers",
        {"kib": "KiB a ticker"},
        {"stream": "ticks", "tickers": 2_000, "messages": 100},
        {"tickers": 200},
        families=INSYNC,
        once=True,
    ),
    Scenario(
        "memory-trades",
        "Memory of an empty trade",
        "memory_trades",
        {"kib": "KiB a trade"},
        {"trades": 5_000},
        {"trades": 500},
        families=INSYNC,
        once=True,
    ),
    Scenario(
        "growth",
        "Ten million ticks in one session",
        "growth",
        {
            "grown_mb": "MB more at the end than after the first block",
            "last_to_first": "CPU of the last block to that of the first",
            "cpu_us": "CPU us a message",
        },
        {"stream": "ticks", "tickers": 100, "messages": 500_000, "blocks": 20},
        {"messages": 10_000, "blocks": 4},
        families=("ibkit", "ib_async"),
        once=True,
    ),
    Scenario(
        "many-tickers",
        "The burst over 5,000 tickers",
        "ticks",
        PER_MESSAGE,
        {"stream": "ticks", "tickers": 5_000, "messages": 500_000},
        {"tickers": 500, "messages": 10_000},
        families=("raw", "ibkit", "ib_async", "ib_insync"),
    ),
    Scenario(
        "cut-64k",
        "The burst, 64 KiB a packet",
        "ticks",
        PER_MESSAGE,
        {"stream": "ticks", "tickers": 100, "messages": 200_000, "cut": 65_536},
        {"messages": 10_000},
        families=("raw", "ibkit", "ib_async"),
    ),
    Scenario(
        "cut-1",
        "The burst, one message a packet",
        "ticks",
        PER_MESSAGE,
        {"stream": "ticks", "tickers": 100, "messages": 200_000, "per_packet": 1},
        {"messages": 10_000},
        families=("raw", "ibkit", "ib_async"),
    ),
)


@dataclass(frozen=True)
class Target:
    """What a number of ibkit must be at most.

    ``of`` says what is compared: the ``ratio`` to the peer in the same run; the ratio of what comes on top of the raw
    loop (``above raw``); the ``value`` itself; or the ratio to what ibkit itself needs in ``against`` (``itself``).
    """

    text: str
    scenario: str
    metric: str
    limit: float
    of: Literal["ratio", "above raw", "value", "itself"] = "ratio"
    against: str = ""
    hosts: tuple[str, ...] = ("blocking",)


PEER = "ib_async"
"""Whom ratios refer to."""

TARGETS = (
    Target("burst ticks, CPU per message", "burst", "cpu_us", 0.20),
    Target("paced ticks, CPU per message", "paced", "cpu_us", 0.45, hosts=("blocking", "asyncio")),
    Target("tick-by-tick, CPU per message", "tick-by-tick", "cpu_us", 0.22),
    Target("tick -> handler -> order, CPU per round trip", "tick-to-order", "cpu_us", 0.33),
    Target("same, delay above the raw loop at p50", "tick-to-order", "p50_us", 0.40, of="above raw"),
    Target("same, p99.9", "tick-to-order", "p999_us", 0.50, of="above raw"),
    Target("order placed to filled, CPU per order", "orders", "cpu_us", 0.25),
    Target("connect with 500 orders and 1,000 executions, wall", "connect-full", "wall_ms", 0.35),
    Target("100k bars to objects, text dates", "bars-text", "cpu_us", 0.35),
    Target("100k bars to a DataFrame, text dates", "frame-text", "cpu_us", 0.30),
    Target("100k bars to a DataFrame, epoch dates", "frame-epoch", "cpu_us", 0.25),
    Target("import, CPU", "import", "cpu_ms", 0.45),
    Target("memory per ticker", "memory-tickers", "kib", 0.5),
    Target("memory per empty trade", "memory-trades", "kib", 0.3),
    Target("50 concurrent histories: one answer's delay and 15 %, in ms", "histories", "wall_ms", 230, of="value"),
    Target("... inside IB's message rate, messages a second", "histories", "most_per_s", 50, of="value"),
    Target("5,000 tickers against 100, CPU per message", "many-tickers", "cpu_us", 1.25, "itself", "burst"),
    Target("64 KiB a packet against one piece, CPU per message", "cut-64k", "cpu_us", 1.25, "itself", "burst"),
    Target("the last of ten million ticks against the first", "growth", "last_to_first", 1.15, of="value"),
    Target("memory after ten million ticks, MB more", "growth", "grown_mb", 3, of="value"),
)
