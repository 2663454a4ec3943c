"""The other side of ``elsewhere``: starts the processes, tells them what to play, and hears what became of it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.stage import Story

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([os.fspath(ROOT), *sys.path]), **more}


class WindowProcess:
    """A window that plays stories."""

    def __init__(self, toolkit: str, **env: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.scenarios.elsewhere", toolkit],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(**env),
            cwd=ROOT,
            text=True,
        )

    def play(self, story: Story, version: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{story.__module__} {story.__name__} {version}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the window has gone, with status {self._process.wait(10)}"
        if failure := json.loads(line):
            pytest.fail(failure, pytrace=False)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            assert self._process.wait(20) == 0
        finally:
            self._process.kill()
            self._process.stdout.close()


class Kernel:
    """A kernel of Jupyter, driven as a notebook drives it."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager = manager
        self.client = client
        self.run("from tests.scenarios.elsewhere import *")

    def start(self, code: str) -> str:
        """Begin to run a cell; returns its number."""
        number: str = self.client.execute(code)
        return number

    def printed(self, number: str) -> str:
        """Return what a cell has printed, when it has ended; fails with its traceback."""
        text, failure = "", ""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=60)
            except queue.Empty:
                pytest.fail(f"a cell does not end; it has printed {text!r}")
            if message["parent_header"].get("msg_id") != number:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                text += content["text"]
            elif kind == "error":
                failure = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                break
        if failure:
            pytest.fail(failure, pytrace=False)
        return text.strip()

    def run(self, code: str) -> str:
        """Run a cell, and return what it has printed."""
        return self.printed(self.start(code))

    def play(self, story: Story, version: int, place: str, cell: str) -> None:
        """Play a story; each cell runs ``cell``."""
        self.run(f"begin({place!r}, {story.__module__!r}, {story.__name__!r}, {version})")
        try:
            while self.run(cell) != "the end":
                while self.run("print(ready())") != "True":
                    time.sleep(0.001)  # the notebook idles
        finally:
            self.run("end()")

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="session")
def qt() -> Iterator[WindowProcess]:
    """A window of Qt, on no screen."""
    if importlib.util.find_spec("PySide6") is None:
        pytest.skip("PySide6 is not installed")
    probe = subprocess.run(
        [sys.executable, "-c", "import PySide6.QtWidgets"], capture_output=True, text=True, check=False, timeout=60
    )
    if probe.returncode:
        pytest.skip(f"PySide6 does not start here: {probe.stderr.strip().splitlines()[-1]}")
    window = WindowProcess("qt", QT_QPA_PLATFORM="offscreen")
    yield window
    window.close()


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """Lend a screen: the one there is, or one that only exists in memory. Skips the test where there is neither."""
    if display := os.environ.get("DISPLAY"):
        yield display
        return
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no screen, and no Xvfb")
    reading, writing = os.pipe()
    xvfb = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            number = numbers.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        xvfb.terminate()
        xvfb.wait(10)


@pytest.fixture(scope="session")
def tk() -> Iterator[WindowProcess]:
    """A window of Tk, under a virtual screen."""
    if importlib.util.find_spec("_tkinter") is None:
        pytest.skip("this Python was built without Tk")
    with screen() as display:
        window = WindowProcess("tk", DISPLAY=display)
        yield window
        window.close()


@pytest.fixture(scope="session")
def kernel() -> Iterator[Kernel]:
    """A notebook without a notebook: its kernel."""
    client = pytest.importorskip("jupyter_client")
    pytest.importorskip("ipykernel")
    kernel = Kernel(*client.manager.start_new_kernel(kernel_name="python3", env=environment(), cwd=os.fspath(ROOT)))
    yield kernel
    kernel.close()
