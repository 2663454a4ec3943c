"""The notebook of the guide runs through a real kernel, with idle time between the cells."""

from __future__ import annotations

import os
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ibkit.paper import PaperGateway
from tests.examples.running import START

NOTEBOOK = Path(__file__).parents[2] / "examples" / "guide" / "guide.ipynb"
IDLE_S = 1.0
"""After the cell that asks for data: long enough for the gateway to send quotes, which nobody waits for."""


@pytest.mark.filterwarnings("default")  # what the Jupyter packages warn of is theirs
def test_the_guide_in_a_notebook() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    with PaperGateway(start=START) as gateway:
        env = {**os.environ, "IBKIT_HOST": "127.0.0.1", "IBKIT_PORT": str(gateway.port)}
        with client.setup_kernel(env=env):
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                if "reqMktData" in cell.source:
                    time.sleep(IDLE_S)
    shown = {cell.id: _shown(cell) for cell in notebook.cells if cell.cell_type == "code"}
    text = "\n".join(shown.values())
    assert "<IB connected to 127.0.0.1" in text
    assert "conId=15124833" in text
    updates = next(_shown(cell) for cell in notebook.cells if cell.source.startswith("updates, "))
    assert int(updates.strip("(").split(",")[0]) >= 1, f"no data came in between the cells: {updates}"
    assert "BarDataList" in text
    assert "20SMA" in text
    assert "'AAPL': " in text
    assert "BOT NFLX 100.0 @ " in text
    assert "status='Filled'" in text
    assert "('BUY', 'LMT', 'Filled')" in text
    assert "Position(account='DU1234567'" in text


def _shown(cell: nbformat.NotebookNode) -> str:
    assert not any(output.output_type == "error" for output in cell.outputs), cell.outputs
    return "\n".join(
        output.text if output.output_type == "stream" else output.data["text/plain"]
        for output in cell.outputs
        if output.output_type in ("stream", "execute_result", "display_data")
    )
