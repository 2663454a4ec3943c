"""The documentation site builds without a warning, has every page in its navigation, and names tests that exist."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"WARNING|ERROR", done.stdout + done.stderr), done.stdout + done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS)
        built = site / (name.parent if name.stem == "index" else name.with_suffix("")) / "index.html"
        assert built.exists(), name
    for notebook in DOCS.rglob("*.ipynb"):
        assert (site / notebook.relative_to(DOCS).with_suffix("") / "index.html").exists(), notebook
    for example in (ROOT / "examples" / "guide").glob("*.py"):
        page = site / "examples" / "guide" / example.stem / "index.html"
        assert "ibkit" in page.read_text(encoding="utf-8"), example
        assert f"examples/guide/{example.stem}.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), example


def test_the_reference_has_every_request(site: Path) -> None:
    from ibkit import IB

    text = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").rglob("index.html"))
    shown = set(re.findall(r'id="ibkit\.[\w.]+\.(\w+)"', text))
    methods = {name for name in dir(IB) if not name.startswith("_") and callable(getattr(IB, name))}
    assert methods <= shown


def test_the_reference_has_every_public_name(site: Path) -> None:
    import ibkit

    text = "".join(path.read_text(encoding="utf-8") for path in (site / "reference").rglob("index.html"))
    shown = set(re.findall(r'id="ibkit\.(?:[\w.]+\.)?(\w+)"', text))
    others = {"__version__", "__version_info__", "util"}
    told = {name for name in set(ibkit.__all__) - shown - others if re.search(rf"<code>{name}</code>", text)}
    assert set(ibkit.__all__) - shown - others - told == set()
    assert told <= {"UNSET_DOUBLE", "UNSET_INTEGER", "CommissionAndFeesReport", "StartupFetchALL", "StartupFetchNONE"}


def test_the_sections_of_a_docstring_are_shown_as_such(site: Path) -> None:
    text = (site / "reference" / "ib" / "history" / "index.html").read_text(encoding="utf-8")
    begin = text.index('id="ibkit.requests.history.HistoryRequests.reqHistoricalData"')
    end = text.index('id="ibkit.requests.history.HistoryRequests.reqHistoricalDataAsync"')
    section = text[begin:end]
    assert "Parameters:" in section
    assert "Returns:" in section
    assert "Examples:" in section
    assert "&gt;&gt;&gt; " not in re.sub(r"<(?:pre|code).*?</(?:pre|code)>", "", section, flags=re.DOTALL)


# -- what pages claim ----------------------------------------------------------------------------------------------

NAMED = sorted(
    {
        (page.relative_to(ROOT).as_posix(), match[1], match[2])
        for page in DOCS.rglob("*.md")
        for match in re.finditer(r"`([\w/]+\.py)::(\w+)`", page.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize(("page", "path", "name"), NAMED, ids=lambda each: each)
def test_a_test_that_is_named_exists(page: str, path: str, name: str) -> None:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in names, f"{page} names a test that is not there (any more)"


def test_every_weakness_has_its_test() -> None:
    text = (DOCS / "explain" / "weaknesses.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| weakness")]
    assert len(rows) == 57
    without = [row for row in rows if "::" not in row]
    assert without == [row for row in rows if "not here either" in row]
