"""ibkit paper: a simulated IB Gateway that speaks the real protocol, with its own markets and accounts.

``PaperGateway`` listens on a port beside your program; ``in_process`` runs in your own thread on a virtual clock.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibkit.paper.gateway import Gateway, Limits, Models
    from ibkit.paper.inprocess import InProcess, in_process
    from ibkit.paper.server import PaperGateway

__all__ = ["Gateway", "InProcess", "Limits", "Models", "PaperGateway", "in_process"]

# Looked up when first used: the rooms inside can be used without the whole house, and without numpy.
_HOMES = {
    "Gateway": "gateway",
    "Limits": "gateway",
    "Models": "gateway",
    "InProcess": "inprocess",
    "in_process": "inprocess",
    "PaperGateway": "server",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
