"""The programs of the pages "at home" that are files of their own: windows, and a web page.

What a machine does not have (Qt, Streamlit, a screen) is not needed to run the tests; the Streamlit page runs in any
case with a stand-in that does what Streamlit does: the script again, in a new thread, for every click.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ibkit import IB
from ibkit.paper import PaperGateway

HOME = Path(__file__).parents[2] / "docs" / "howto" / "home"


@pytest.fixture
def gateway() -> Iterator[PaperGateway]:
    with PaperGateway(start="2024-01-10 10:00") as running:
        yield running


def run(gateway: PaperGateway, *command: str | Path, **env: str) -> str:
    done = subprocess.run(
        [*map(str, command)],
        env={**os.environ, "IBKIT_PORT": str(gateway.port), "CLICK": "1", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(importlib.util.find_spec("PySide6") is None, reason="PySide6 is not installed")
def test_a_qt_window(gateway: PaperGateway) -> None:
    price, words = run(gateway, sys.executable, HOME / "qt_app.py", QT_QPA_PLATFORM="offscreen").split(maxsplit=1)
    assert float(price) > 0
    assert words.startswith("Filled at ")


def screen() -> list[str] | None:
    """Return what a program is started with so that it finds a screen; None when there is none."""
    if importlib.util.find_spec("tkinter") is None:
        return None
    if os.environ.get("DISPLAY"):
        return []
    return ["xvfb-run", "--auto-servernum"] if shutil.which("xvfb-run") else None


@pytest.mark.skipif(screen() is None, reason="there is no screen, and no Xvfb")
def test_a_tk_window(gateway: PaperGateway) -> None:
    price, words = run(gateway, *(screen() or ()), sys.executable, HOME / "tk_app.py").split(maxsplit=1)
    assert float(price) > 0
    assert words.startswith("Filled at ")


class StandIn(ModuleType):
    """As much of Streamlit as the page uses."""

    def __init__(self) -> None:
        super().__init__("streamlit")
        self.kept: dict[str, Any] = {}
        self.clicked = ""
        self.shown: list[tuple[str, Any]] = []

    def cache_resource(self, fn: Callable[[], Any]) -> Callable[[], Any]:
        def once() -> Any:
            if fn.__name__ not in self.kept:
                self.kept[fn.__name__] = fn()
            return self.kept[fn.__name__]

        return once

    def title(self, text: str) -> None:
        self.shown.append(("title", text))

    def button(self, label: str) -> bool:
        return label == self.clicked

    def write(self, text: str) -> None:
        self.shown.append(("write", text))

    def metric(self, label: str, value: float) -> None:
        self.shown.append((label, value))

    def rerun(self, click: str = "") -> dict[str, Any]:
        """Run the page in a new thread and return what it shows."""
        self.clicked, self.shown = click, []
        failures: list[BaseException] = []

        def page() -> None:
            try:
                runpy.run_path(str(HOME / "streamlit_app.py"))
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=page)
        thread.start()
        thread.join(30)
        assert not failures, failures
        return dict(self.shown)


def test_a_streamlit_page(gateway: PaperGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    streamlit = StandIn()
    monkeypatch.setitem(sys.modules, "streamlit", streamlit)
    monkeypatch.setenv("IBKIT_PORT", str(gateway.port))
    try:
        first = streamlit.rerun()
        assert first["last"] > 0
        assert first["position"] == 0
        assert streamlit.rerun("Buy 10")["write"].startswith("Filled at ")
        assert streamlit.rerun()["position"] == 10
    finally:
        for ib in streamlit.kept.values():
            assert isinstance(ib, IB)
            ib.disconnect()


PAGE = """
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({path!r}, default_timeout=30).run()
app.button[0].click().run()
app.run()
print([metric.value for metric in app.metric][1], list(app.exception))
"""


@pytest.mark.skipif(importlib.util.find_spec("streamlit") is None, reason="Streamlit is not installed")
def test_a_streamlit_page_in_streamlit(gateway: PaperGateway) -> None:
    page = str(HOME / "streamlit_app.py")
    assert run(gateway, sys.executable, "-c", PAGE.format(path=page)).strip() == "10.0 []"
