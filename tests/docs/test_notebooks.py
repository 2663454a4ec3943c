"""Every notebook of the docs runs through a real kernel, from top to bottom, idle where data is to come in."""

from __future__ import annotations

import asyncio
import json
import os
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ibkit.paper import PaperGateway

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = sorted(DOCS.rglob("*.ipynb"))
IDLE_S = 1.0
"""After a cell that subscribes and does not wait: long enough for the gateway to send quotes."""

AT_A_TIME = 4

# What a cell must show; the others must not fail.
SHOWN = {
    "jupyter.ipynb": ["NETFLIX INC", "<IB not connected>"],
    "basics.ipynb": ["'DU1234567'", "NetLiquidation", "API error: 200", "[(200, "],
    "bars.ipynb": ["mean", "open_"],
    "contracts.ipynb": ["AMD", "ESH", "MSFT", "PriceIncrement(lowEdge="],
    "option-chain.ipynb": ["volatility", "0.3"],
    "ordering.ipynb": ["'PendingSubmit'", "'Filled'", "('STP', 'PreSubmitted')", "('STP', 'Cancelled')"],
    "depth.ipynb": ["DOMLevel(price=", "bid size", "[]", "[2152]"],
    "scanners.ipynb": ["(0, '", "TOP_PERC_GAIN"],
    "ticks.ipynb": ["{'AAPL'}", "TickByTickBidAsk(", "exchange"],
}


async def run(path: Path, places: asyncio.Semaphore) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    async with places:
        with PaperGateway(start="2024-01-10 10:00") as gateway:
            env = {**os.environ, "IBKIT_HOST": "127.0.0.1", "IBKIT_PORT": str(gateway.port), "MPLBACKEND": "Agg"}
            async with client.async_setup_kernel(env=env):
                for index, cell in enumerate(notebook.cells):
                    await client.async_execute_cell(cell, index)
                    if "updateEvent +=" in cell.source and "ib.sleep" not in cell.source:
                        await asyncio.sleep(IDLE_S)
    return notebook


@pytest.fixture(scope="module")
def executed() -> dict[str, nbformat.NotebookNode | BaseException]:
    """Return every notebook with its outputs, or what went wrong; a few run at a time, since they mostly wait."""

    async def all_of_them() -> list[nbformat.NotebookNode | BaseException]:
        places = asyncio.Semaphore(AT_A_TIME)
        return await asyncio.gather(*(run(path, places) for path in NOTEBOOKS), return_exceptions=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the Jupyter packages warn of is theirs
        results = asyncio.run(all_of_them())
    return {path.name: result for path, result in zip(NOTEBOOKS, results, strict=True)}


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_a_notebook_runs(name: str, executed: dict[str, nbformat.NotebookNode | BaseException]) -> None:
    notebook = executed[name]
    if isinstance(notebook, BaseException):
        raise notebook
    text = "\n".join(shown(cell) for cell in notebook.cells if cell.cell_type == "code")
    for words in SHOWN[name]:
        assert words in text, text
    if name == "jupyter.ipynb":
        updates = next(shown(cell) for cell in notebook.cells if cell.source.startswith("updates, "))
        assert int(updates.strip("(").split(",")[0]) >= 1, f"no data came in between the cells: {updates}"


def shown(cell: nbformat.NotebookNode) -> str:
    """Return what a cell shows as text."""
    assert not any(output.output_type == "error" for output in cell.outputs), cell.outputs
    return "\n".join(
        output.text if output.output_type == "stream" else output.data["text/plain"]
        for output in cell.outputs
        if output.output_type in ("stream", "execute_result", "display_data")
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_output_is_kept(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)
