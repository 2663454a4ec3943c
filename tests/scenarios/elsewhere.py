"""Places that need a process of their own: windows of Qt and Tk, and cells of a notebook.

One process plays many stories. Windows: ``python -m tests.scenarios.elsewhere qt`` reads a line for each story and
writes one with what became of it, and its event loop goes round all the time. A notebook's kernel imports this module:
``begin`` a story in one cell, then ``step()`` or ``await astep()`` in each of the following ones.

In all of them a story that sleeps gives way to the loop of the place, which alone looks after the connection then.
"""

from __future__ import annotations

import importlib
import json
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Generator
from typing import Any, cast

from ibkit import IB, util
from tests.scenarios.stage import AwaitingPlace, BehindASocket, Place, Story, World


class Turn:
    """Something to wait for that the place knows how to wait for."""

    def __init__(self, reached: Callable[[], bool]) -> None:
        self.reached = reached

    def __await__(self) -> Generator[Turn, None, None]:
        yield self


def turn(world: World, secs: float) -> Turn:
    assert isinstance(world.other, BehindASocket)
    return Turn(world.other.go_on(secs))


def find(module: str, name: str) -> Story:
    """Return a story by the name of its test."""
    return cast(Story, getattr(importlib.import_module(module), name).story)


def opened(place: Place, story: Story, version: int) -> tuple[World, Coroutine[Any, Any, None]]:
    world = World(place, version, limits=story.limits, scripted=story.scripted)
    return world, world.tell_it(story)


# -- windows -------------------------------------------------------------------------------------------------------


class Window(Place):
    """Everything happens in callbacks of a window, which make blocking calls."""

    name = "window"

    async def sleep(self, world: World, secs: float) -> None:
        await turn(world, secs)


class Player:
    """Plays the stories it is sent, step by step, from callbacks of a GUI loop."""

    def __init__(self, later: Callable[[int, Callable[[], None]], object], leave: Callable[[], object]) -> None:
        self._later = later
        self._leave = leave
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put("")

    def look(self) -> None:
        """Look for a story to play."""
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            self._later(2, self.look)
            return
        if not line:
            self._leave()
            return
        module, name, version = line.split()
        world, whole = opened(Window(), find(module, name), int(version))
        self._step(world, whole)

    def _step(self, world: World, whole: Coroutine[Any, Any, None]) -> None:
        try:
            waits_for: Turn = whole.send(None)
        except StopIteration:
            self._end(world, "")
        except BaseException:
            self._end(world, traceback.format_exc())
        else:
            self._wait(world, whole, waits_for)

    def _wait(self, world: World, whole: Coroutine[Any, Any, None], waits_for: Turn) -> None:
        if waits_for.reached():
            self._step(world, whole)
        else:
            self._later(1, lambda: self._wait(world, whole, waits_for))

    def _end(self, world: World, failure: str) -> None:
        try:
            world.other.stop()
        except BaseException:
            failure += traceback.format_exc()
        print(json.dumps(failure), flush=True)
        self._later(0, self.look)


def play_in_qt() -> None:
    """The library's waits process the events of Qt, and ``run`` is the main loop."""
    from PySide6 import QtCore

    util.useQt("PySide6", 0.001)
    player = Player(QtCore.QTimer.singleShot, lambda: util.getLoop().stop())
    QtCore.QTimer.singleShot(0, player.look)
    util.run()


def play_in_tk() -> None:
    """A timer of Tk calls the library."""
    import tkinter

    window = tkinter.Tk()
    ib = IB()

    def serve() -> None:
        ib.sleep(0)
        window.after(2, serve)

    player = Player(window.after, window.quit)
    window.after(0, player.look)
    serve()
    window.mainloop()


# -- notebooks -----------------------------------------------------------------------------------------------------


class Cells(Place):
    """Cells that block; what sleeps ends its cell."""

    name = "cells that block"

    async def sleep(self, world: World, secs: float) -> None:
        await turn(world, secs)

    async def nap(self, world: World, secs: float) -> None:
        world.pause(secs)


class AwaitingCells(AwaitingPlace):
    """Cells that await; what sleeps ends its cell."""

    name = "cells that await"

    async def sleep(self, world: World, secs: float) -> None:
        await turn(world, secs)

    async def nap(self, world: World, secs: float) -> None:
        await AwaitingPlace.sleep(self, world, secs)


class Notebook:
    """The story that is played in the cells of this kernel."""

    world: World
    whole: Coroutine[Any, Any, None]
    waits_for: Turn | None


def begin(place: str, module: str, name: str, version: int) -> None:
    kind = Cells if place == Cells.name else AwaitingCells
    Notebook.world, Notebook.whole = opened(kind(), find(module, name), version)
    Notebook.waits_for = None


def ready() -> bool:
    """Tell whether the next cell may begin."""
    return Notebook.waits_for is None or Notebook.waits_for.reached()


def step() -> str:
    """Play on, to the end of a cell that blocks."""
    try:
        Notebook.waits_for = Notebook.whole.send(None)
    except StopIteration:
        return "the end"
    return "to be continued"


class _Awaited:
    """Hands on to the kernel's loop what a story awaits, but not what ends a cell."""

    def __await__(self) -> Generator[Any, Any, str]:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                awaited = Notebook.whole.send(value) if error is None else Notebook.whole.throw(error)
            except StopIteration:
                return "the end"
            if isinstance(awaited, Turn):
                Notebook.waits_for = awaited
                return "to be continued"
            error = None
            try:
                value = yield awaited
            except BaseException as thrown:
                error = thrown


async def astep() -> str:
    """Play on, to the end of a cell that awaits."""
    return await _Awaited()


def end() -> None:
    """Clear up."""
    Notebook.world.other.stop()


if __name__ == "__main__":
    {"qt": play_in_qt, "tk": play_in_tk}[sys.argv[1]]()
