"""The house keeps its shape: imports go down only, and what makes a run unrepeatable stays at its edge.

Every module is parsed, not imported. A line may leave the rules with a comment that gives the reason::

    from time import time  # layers: the log shows when a person saw it
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[1] / "src"

# What stands at the bottom and may be used by all: values, names and small machinery.
GROUND = {"version", "clock", "code_table", "codes", "errors", "dates", "runtime", "emitter", "events", "operators"}

# What a room may import of the others. Rooms that are not named here do not exist.
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    "model": GROUND,
    "wire": GROUND | {"model"},
    "engine": GROUND | {"model", "wire"},
    "links": GROUND,
    "hosts": GROUND | {"model", "engine", "links"},
    "requests": GROUND | {"model", "wire", "engine", "hosts", "links"},
    "util": GROUND | {"model", "hosts"},
    "ib": GROUND | {"model", "engine", "hosts", "requests", "util"},
    "ibkit": GROUND | {"model", "util", "ib", "flex", "ibc"},  # the package itself: the public names
    "flex": GROUND | {"model", "hosts", "util"},
    "ibc": GROUND | {"model", "hosts", "util", "ib"},
    "paper": GROUND | {"model", "wire", "links"},
    "testing": GROUND | {"ibkit", "model", "wire", "links", "ib", "util", "paper"},
    "legacy": GROUND | {"ibkit", "model", "engine", "hosts", "requests", "util", "ib", "wire"},
    "cli": GROUND | {"ibkit", "model", "wire", "links", "ib", "util", "paper", "legacy", "hosts", "requests"},
}

# Inside paper/ the rooms have floors too.
PAPER_ALLOWED: dict[str, set[str]] = {
    "instruments": set(),
    "market": {"instruments"},
    "broker": {"instruments", "market"},
    "gateway": {"instruments", "market", "broker"},
    "sockets": set(),
    "server": {"gateway", "sockets"},
    "inprocess": {"gateway", "instruments", "market", "broker"},
    "paper": {"gateway", "server", "inprocess", "instruments", "market", "broker"},
}

# Modules that bring waiting, sockets or threads with them.
EDGE_MODULES = {"asyncio", "socket", "select", "selectors", "threading", "_thread", "multiprocessing", "subprocess",
                "concurrent", "signal", "ssl"}  # fmt: skip
EDGE = (
    "ibkit.hosts",
    "ibkit.links",
    "ibkit.cli",
    "ibkit.paper.server",
    "ibkit.paper.sockets",
    "ibkit.legacy",
    "ibkit.ibc",
)

# Calls that read the wall clock or roll unseeded dice.
CLOCK_CALLS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.sleep",
    "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
}  # fmt: skip
CLOCK_HOMES = ("ibkit.clock", "ibkit.hosts", "ibkit.links", "ibkit.cli", "ibkit.paper.server")
DICE = {"random", "secrets"}
DICE_CALLS = {"os.urandom", "uuid.uuid1", "uuid.uuid4"}

# Logic is read, and read in pieces; modules that are nothing but a table or records may be long.
LINES_MAX = 600
TABLES = {"ibkit.code_table", "ibkit.wire.messages.answers", "ibkit.wire.messages.requests"}


class Module(NamedTuple):
    name: str
    path: Path
    lines: list[str]
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.split(".")[1] if "." in self.name else "ibkit"

    def excused(self, node: ast.stmt | ast.expr) -> bool:
        return any("# layers: " in line for line in self.lines[node.lineno - 1 : node.end_lineno])


class Import(NamedTuple):
    target: str
    node: ast.Import | ast.ImportFrom
    typing_only: bool


def _modules() -> list[Module]:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found.append(Module(name, path, text.splitlines(), ast.parse(text)))
    return found


MODULES = _modules()
NAMES = {module.name for module in MODULES}


def _imports(module: Module) -> Iterator[Import]:
    typing_only = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.name}:{node.lineno}: imports are written in full"
            base = node.module or ""
            # `from ibkit import codes` names a module, `from ibkit import Stock` the package.
            targets = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in NAMES else base for alias in node.names]
        else:
            continue
        for target in targets:
            yield Import(target, node, id(node) in typing_only)


def _place(module: Module, node: ast.stmt | ast.expr) -> str:
    return f"{module.path.relative_to(SOURCE.parent)}:{node.lineno}"


def _room(target: str) -> str:
    parts = target.split(".")
    return parts[1] if len(parts) > 1 else "ibkit"


def test_every_room_is_named() -> None:
    assert {module.room for module in MODULES} <= set(ALLOWED), "say in ALLOWED what a new room may import"


def test_imports_go_down_only() -> None:
    wrong = [
        f"{_place(module, found.node)}: {module.room} must not import {found.target}"
        for module in MODULES
        for found in _imports(module)
        if found.target.split(".")[0] == "ibkit"
        and (room := _room(found.target)) != module.room
        and room not in ALLOWED[module.room]
        and not module.excused(found.node)
    ]
    assert not wrong, "\n".join(wrong)


def test_floors_of_the_paper_gateway() -> None:
    wrong = []
    for module in MODULES:
        if module.room != "paper":
            continue
        inner = module.name.split(".")[2] if module.name.count(".") > 1 else "paper"
        for found in _imports(module):
            if not found.target.startswith("ibkit.paper") or module.excused(found.node):
                continue
            other = found.target.split(".")[2] if found.target.count(".") > 1 else "paper"
            if other != inner and other not in PAPER_ALLOWED[inner]:
                wrong.append(f"{_place(module, found.node)}: {inner} must not import {found.target}")
    assert not wrong, "\n".join(wrong)


def test_waiting_sockets_and_threads_live_at_the_edge() -> None:
    wrong = [
        f"{_place(module, found.node)}: {found.target}"
        for module in MODULES
        if not module.name.startswith(EDGE)
        for found in _imports(module)
        if found.target.split(".")[0] in EDGE_MODULES and not found.typing_only and not module.excused(found.node)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_edge_reads_the_wall_clock() -> None:
    wrong = [
        f"{_place(module, node)}: {ast.unparse(node)}"
        for module in MODULES
        if not module.name.startswith(CLOCK_HOMES)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCK_CALLS and not module.excused(node)
    ]
    wrong += [
        f"{_place(module, found.node)}: the module time; use ibkit.clock"
        for module in MODULES
        if not module.name.startswith(CLOCK_HOMES)
        for found in _imports(module)
        if found.target == "time" and not module.excused(found.node)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_to_unseeded_chance() -> None:
    wrong = []
    for module in MODULES:
        for found in _imports(module):
            if found.target.split(".")[0] in DICE and not module.excused(found.node):
                wrong.append(f"{_place(module, found.node)}: {found.target}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in DICE_CALLS and not module.excused(node):
                wrong.append(f"{_place(module, node)}: {ast.unparse(node)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_says_what_it_is_and_keeps_its_size(module: Module) -> None:
    assert len(module.lines) <= LINES_MAX or module.name in TABLES, f"{len(module.lines)} lines: two modules"
    assert ast.get_docstring(module.tree), "a module opens with what it is for"
