"""A notebook: blocking calls and awaits work in its cells, data flows between them, an interrupt leaves a cell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

CELLS = (
    """
import asyncio, os, signal, sys, threading, time
sys.path.insert(0, os.environ["IBKIT_ROOT"])
from ibkit import hosts
from tests.hosts.conftest import Client
from tests.hosts.fakes import SocketPeer
peer = SocketPeer()
client = Client(peer)
print(client.request("echo blocking"))
""",
    """
print(await client.arequest("echo awaited"))
""",
    """
# What arrives after this cell has ended is there when the next one begins.
threading.Timer(0.05, peer.push, ("between cells",)).start()
""",
    """
while "between cells" not in client.engine.diary:
    await asyncio.sleep(0.001)
print(client.engine.diary[-2])
""",
    """
hosts.run()  # returns at once: the notebook's own loop serves
print(hosts.run(client.arequest("echo a coroutine in run")))
""",
    """
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    client.request("never", None)
except KeyboardInterrupt:
    peer.wait_heard("cancel 4")
    print("interrupted and cancelled")
""",
    """
handled = []  # what handlers print is shown below the cell that connected

async def handler(line):
    handled.append(await client.arequest(f"echo handled {line}"))

client.engine.line += handler
peer.push("in a cell")
while not handled:
    await asyncio.sleep(0.001)
print(*handled)
""",
    """
client.host.close("bye")
peer.close()
""",
)


@pytest.mark.filterwarnings("ignore")  # those of jupyter's own packages
def test_a_notebook_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IBKIT_ROOT", os.fspath(Path(__file__).parents[2]))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    printed = [
        "".join(output.get("text", "") for output in cell.outputs if output.output_type == "stream").split("\n")[:-1]
        for cell in notebook.cells
    ]
    assert printed == [
        ["blocking"],
        ["awaited"],
        [],
        ["between cells"],
        ["a coroutine in run"],
        ["interrupted and cancelled"],
        ["handled in a cell"],
        [],
    ]
