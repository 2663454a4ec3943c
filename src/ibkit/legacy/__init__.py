"""ibkit under the names ib_insync and ib_async, with their manners, for scripts that are not to be changed.

``install()`` answers ``import ib_insync``, ``import ib_async`` and their submodules, for this process and only
when it is called: ``ibkit run`` does so, importing ibkit never does. What differs from ``from ibkit import *``:
a failed request logs and returns what it has instead of raising (``IB.RaiseRequestErrors = False``), and the
packages tell the versions they stand in for. ``eventkit`` is answered as well, since scripts combine its
operators with our events, and ``nest_asyncio`` where it is missing: nothing needs to be patched.

Must not know how requests work.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

import ibkit
from ibkit import util
from ibkit.legacy import eventkit
from ibkit.requests import connecting

VERSIONS = {"ib_insync": "0.9.86", "ib_async": "2.1.0"}
"""The packages that are stood in for, and the version each claims to be."""

SUBMODULES = (
    "client", "connection", "contract", "decoder", "flexreport", "ib", "ibcontroller", "objects", "order", "ticker",
    "util", "version", "wrapper",
)  # fmt: skip

ELSEWHERE = {
    "FLEXREPORT_URL": "ibkit.flex.FLEX_URL",
    "OrderKeyType": "ibkit.requests.wrapper.OrderKeyType",
    "SnapMidOrder": "ibkit.legacy.ib_async.SnapMidOrder",
    "nan": "ibkit.model.values.nan",
}
"""Names that scripts import and that ``ibkit`` does not export, or not with the old manners: where they are."""

IBS = {"ib_insync": "ibkit.legacy.ib.IB", "ib_async": "ibkit.legacy.ib_async.IB"}
"""Where the IB of each package is."""

MISSING = {
    "Connection": "bytes travel through ibkit.links",
    "Decoder": "messages are decoded by ibkit.wire",
}
"""Names of the insides of ib_insync, which ibkit does not imitate: what there is instead."""


LOGGERS = {
    "": "ibkit",
    ".ib": "ibkit.ib",
    ".client": "ibkit.engine",
    ".wrapper": "ibkit.engine",
    ".Decoder": "ibkit.engine",
    ".IBC": "ibkit.IBC",
    ".Watchdog": "ibkit.Watchdog",
    ".flexreport": "ibkit.flex",
}
"""Which of our loggers stands behind each of theirs, by the end of its name."""


class _Package(ModuleType):
    """One stand-in module: the public names of ibkit, the heavy ones when they are asked for."""

    def __init__(self, name: str, package: str, *, is_package: bool) -> None:
        super().__init__(name, f"{name}, answered by ibkit")
        self.__spec__ = ModuleSpec(name, None, is_package=is_package)
        self.__package__ = package
        if is_package:
            self.__path__ = []
        version = VERSIONS[package]
        self.__version__ = version
        self.__version_info__ = tuple(int(part) for part in version.split("."))
        self.__all__ = list(ibkit.__all__)

    def __getattr__(self, name: str) -> object:
        place = IBS[self.__name__.partition(".")[0]] if name == "IB" else ELSEWHERE.get(name)
        if place is not None:
            module, _, attribute = place.rpartition(".")
            value = getattr(import_module(module), attribute)
        elif hasattr(ibkit, name) and not name.startswith("__"):
            value = getattr(ibkit, name)
        elif name in MISSING:
            raise ImportError(f"ibkit has no {self.__name__}.{name}: {MISSING[name]}", name=name)
        else:
            raise AttributeError(f"module {self.__name__!r} (answered by ibkit) has no attribute {name!r}")
        setattr(self, name, value)
        return value


def lead_to(host: str, port: int) -> None:
    """Make every connection from now on one to ``host`` and ``port``, whatever a script asks for."""
    connecting.forced = (host, port)


def stand_ins() -> dict[str, ModuleType]:
    """Return what answers each import, by the name of the module."""
    modules: dict[str, ModuleType] = {}
    for package in VERSIONS:
        parent = modules[package] = _Package(package, package, is_package=True)
        for name in SUBMODULES:
            child = util if name == "util" else _Package(f"{package}.{name}", package, is_package=False)
            modules[f"{package}.{name}"] = child
            setattr(parent, name, child)
    events = modules["eventkit"] = ModuleType("eventkit", "eventkit, answered by ibkit")
    events.__spec__ = ModuleSpec("eventkit", None)
    vars(events).update(eventkit.NAMES)
    return modules


def install() -> None:
    """Answer the imports from now on; twice is once."""
    if not isinstance(sys.modules.get("ib_insync"), _Package):
        sys.modules.update(stand_ins())
        known = logging.Logger.manager.loggerDict
        for package in VERSIONS:
            known.update((package + end, logging.getLogger(ours)) for end, ours in LOGGERS.items())
        known["eventkit"] = known["eventkit.event"] = logging.getLogger("ibkit.event")
    if find_spec("nest_asyncio") is None:
        patch = sys.modules["nest_asyncio"] = ModuleType("nest_asyncio", "not installed, and not needed by ibkit")
        patch.apply = lambda loop=None: None  # type: ignore[attr-defined]  # the one function it has
