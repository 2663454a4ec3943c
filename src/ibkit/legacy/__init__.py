"""ibkit under the names ib_insync and ib_async, with their manners, for scripts that are not to be changed.

``install()`` answers ``import ib_insync``, ``import ib_async`` and their submodules, for this process and only
when it is called: ``ibkit run`` does so, importing ibkit never does. What differs from ``from ibkit import *``:
a failed request logs and returns what it has instead of raising (``IB.RaiseRequestErrors = False``), and the
packages tell the versions they stand in for. ``eventkit`` is answered as well, since scripts combine its
operators with our events, and ``nest_asyncio`` where it is missing: nothing needs to be patched.

Must not know how requests work.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

import ibkit
from ibkit import events, operators, util

VERSIONS = {"ib_insync": "0.9.86", "ib_async": "2.1.0"}
"""The packages that are stood in for, and the version each claims to be."""

SUBMODULES = (
    "client", "connection", "contract", "decoder", "flexreport", "ib", "ibcontroller", "objects", "order", "ticker",
    "util", "version", "wrapper",
)  # fmt: skip

ELSEWHERE = {"Client": "ibkit.requests.client", "IB": "ibkit.legacy.ib"}
"""Names that scripts import and that ``ibkit`` does not export, or not with the old manners: where they are."""

MISSING = {
    "Connection": "bytes travel through ibkit.links",
    "Decoder": "messages are decoded by ibkit.wire",
    "Wrapper": "state is kept by ibkit.engine",
}
"""Names of the insides of ib_insync, which ibkit does not imitate: what there is instead."""


class _Package(ModuleType):
    """One stand-in module: the public names of ibkit, the heavy ones when they are asked for."""

    def __init__(self, name: str, package: str, *, is_package: bool) -> None:
        super().__init__(name, f"{name}, answered by ibkit")
        self.__spec__ = ModuleSpec(name, None, is_package=is_package)
        self.__package__ = package
        if is_package:
            self.__path__: list[str] = []
        version = VERSIONS[package]
        self.__version__ = version
        self.__version_info__ = tuple(int(part) for part in version.split("."))
        self.__all__ = list(ibkit.__all__)

    def __getattr__(self, name: str) -> object:
        if name in ELSEWHERE:
            value = getattr(import_module(ELSEWHERE[name]), name)
        elif hasattr(ibkit, name) and not name.startswith("__"):
            value = getattr(ibkit, name)
        elif name in MISSING:
            raise ImportError(f"ibkit has no {self.__name__}.{name}: {MISSING[name]}", name=name)
        else:
            raise AttributeError(f"module {self.__name__!r} (answered by ibkit) has no attribute {name!r}")
        setattr(self, name, value)
        return value


def install() -> None:
    """Answer the imports from now on; twice is once."""
    for package in VERSIONS:
        if isinstance(sys.modules.get(package), _Package):
            continue
        parent = sys.modules[package] = _Package(package, package, is_package=True)
        for name in SUBMODULES:
            if name == "util":
                child: ModuleType = util
            else:
                child = _Package(f"{package}.{name}", package, is_package=False)
            sys.modules[f"{package}.{name}"] = child
            setattr(parent, name, child)
    sys.modules["eventkit"] = _module("eventkit", events, operators)
    if find_spec("nest_asyncio") is None:
        patch = sys.modules["nest_asyncio"] = ModuleType("nest_asyncio", "not installed, and not needed by ibkit")
        patch.apply = lambda loop=None: None  # type: ignore[attr-defined]  # the one function it has


def _module(name: str, *sources: ModuleType) -> ModuleType:
    module = ModuleType(name, f"{name}, answered by ibkit")
    module.__spec__ = ModuleSpec(name, None)
    for source in sources:
        vars(module).update((key, value) for key, value in vars(source).items() if not key.startswith("_"))
    return module
