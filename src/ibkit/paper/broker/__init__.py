"""The simulated broker: orders, fills, fees and accounts; pure, single-threaded, time is an argument."""

from ibkit.paper.broker.broker import Broker
from ibkit.paper.broker.models import IB_PAPER, INSTANT, PRESETS, REALISTIC, Fills, Latency, Models
from ibkit.paper.broker.reports import CompletedReport, ExecutionReport, Listener, OrderReport

__all__ = [
    "IB_PAPER",
    "INSTANT",
    "PRESETS",
    "REALISTIC",
    "Broker",
    "CompletedReport",
    "ExecutionReport",
    "Fills",
    "Latency",
    "Listener",
    "Models",
    "OrderReport",
]
