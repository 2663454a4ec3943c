"""What the whole of the hosts keeps to: asyncio is used by its public names alone, and every rule has its test.

``docs/explain/who-waits.md`` has a table of the rules and of the tests that hold them, and ``docs/howto/home`` a page
for every place where the scenarios are played.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.scenarios.conftest import ELSEWHERE
from tests.scenarios.places import PLACES, Asyncio, Blocking

ROOT = Path(__file__).parents[2]
HOME = ROOT / "docs" / "howto" / "home"
MODULES = sorted((ROOT / "src" / "ibkit").rglob("*.py"))
OF_ASYNCIO = {"asyncio", "loop", "policy", "future", "task", "handle", "loaded", "current"}
"""What modules call asyncio, and what they get from it."""
LOOP_STARTERS = {"get_event_loop", "new_event_loop", "set_event_loop", "run", "SelectorEventLoop", "Future", "Event"}

PAGES = {
    "blocking": "script.md",
    "script": "script.md",
    "ib.run": "script.md",
    "asyncio": "asyncio.md",
    "loop": "asyncio.md",
    "feeder": "asyncio.md",
    "loops in turn": "asyncio.md",
    "blocking in a loop": "asyncio.md",
    "async handler": "handlers.md",
    "five deep": "handlers.md",
    "uvloop": "uvloop.md",
    "worker": "threads.md",
    "owner computes": "threads.md",
    "twenty threads": "threads.md",
    "thread per call": "web.md",
    "background": "web.md",
    "several": "several.md",
    "notebook": "jupyter.ipynb",
    "notebook await": "jupyter.ipynb",
    "qt": "gui.md",
    "tk": "gui.md",
}
"""The page of each place; ``tests/docs`` runs what is on them."""


def _asyncio_names(tree: ast.Module) -> list[tuple[str, int]]:
    """Return what a module takes from asyncio, and from objects of asyncio by a private name."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "asyncio":
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names if alias.name.split(".")[0] == "asyncio"]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in OF_ASYNCIO:
            found.append((f"{node.value.id}.{node.attr}", node.lineno))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_nothing_of_asyncio_is_private_or_replaced(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    private = [(name, line) for name, line in _asyncio_names(tree) if re.search(r"\._(?!\w+__$)", name)]
    assert not private
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            assert not (
                isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Name)
                and target.value.id in ("asyncio", "selectors")
            ), f"line {target.lineno} replaces something of asyncio"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_loop_is_touched_while_a_module_is_imported(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    at_import: list[ast.AST] = list(tree.body)
    while at_import:
        node = at_import.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = node.func.value
            assert not (isinstance(value, ast.Name) and value.id == "asyncio" and node.func.attr in LOOP_STARTERS)
        at_import += ast.iter_child_nodes(node)


def test_every_place_has_a_page_and_every_page_a_place() -> None:
    places = {place.name for place in (Blocking, Asyncio, *PLACES)} | ELSEWHERE.keys()
    assert places == PAGES.keys()
    there = {path.name for path in HOME.iterdir() if path.suffix in (".md", ".ipynb")} - {"index.md"}
    assert there == set(PAGES.values())
    index = (HOME / "index.md").read_text(encoding="utf-8")
    assert all(f"({name})" in index for name in there)


RULE = re.compile(r"^\| (.+?) \| `(tests/[\w/]+\.py)`: (.+) \|$", re.MULTILINE)
PROMISES = (
    "not re-entered", "in order", "coalesce", "bounded", "Ctrl-C", "fail at once", "per connection", "told", "fork",
    "no private", "import", "deadline",
)  # fmt: skip


def test_every_rule_has_its_tests() -> None:
    text = (ROOT / "docs" / "explain" / "who-waits.md").read_text(encoding="utf-8")
    rules = RULE.findall(text)
    for _, module, names in rules:
        source = (ROOT / module).read_text(encoding="utf-8")
        for name in re.findall(r"`(test_\w+)`", names):
            assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), (module, name)
    told = " ".join(rule for rule, _, _ in rules)
    assert [promise for promise in PROMISES if promise not in told] == []
