"""The stage of the scenarios: a gateway, a clock, and a client that blocks or awaits; bytes cut as the play wants.

A story is a coroutine function. Where the client blocks, it is driven by hand and never really suspends; in asyncio it
runs in a loop. ``world.ask.reqX(...)`` is the blocking or the Async form, ``world.sleep`` waits either way. All of it
happens in one thread on a virtual clock: what takes minutes there takes milliseconds here, and is the same every time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ibkit import IB, util
from ibkit.links.memory import MemoryLink
from ibkit.paper import Limits, Models, in_process

Cut = Literal["whole", "glued", "single"]
Host = Literal["blocking", "asyncio"]

HOSTS: tuple[Host, ...] = ("blocking", "asyncio")
VERSIONS = (176, 200, 213, 225)
CUTS: tuple[Cut, ...] = ("whole", "glued", "single")

Story = Callable[["World"], Coroutine[Any, Any, None]]


class CutLink:
    """A link that hands its bytes over frame by frame, as many frames at once as there are, or byte by byte."""

    def __init__(self, link: MemoryLink, cut: Cut, all_links: list[CutLink]) -> None:
        self.name = link.name
        self._link = link
        self._cut = cut
        self._all = all_links
        all_links.append(self)
        self._stored = bytearray()

    def read(self) -> bytes | None:
        if self._cut == "glued":
            return self._link.read()
        while not (size := self._piece()):
            data = self._link.read()
            if not data:
                return data
            self._stored += data
        piece = bytes(self._stored[:size])
        del self._stored[:size]
        return piece

    def _piece(self) -> int:
        """Return how many of the stored bytes make the next read; 0 when there are not enough."""
        if self._cut == "single" or len(self._stored) < 4:
            return min(1, len(self._stored)) if self._cut == "single" else 0
        size = 4 + int.from_bytes(self._stored[:4], "big")
        return size if size <= len(self._stored) else 0

    def pump(self, until: float | None) -> bool | None:
        # The gateway may not move the clock while somebody still has something to read.
        return True if any(link._piece() for link in self._all) else self._link.pump(until)

    def fileno(self) -> None:
        return None

    def write(self, data: bytes) -> None:
        self._link.write(data)

    def pending(self) -> int:
        return self._link.pending()

    def flush(self) -> None:
        self._link.flush()

    def notify(self, fn: Callable[[], object]) -> None:
        self._link.notify(fn)

    def close(self) -> None:
        self._stored.clear()
        self._link.close()


class World:
    """A gateway and its clients."""

    def __init__(
        self, host: Host, version: int, cut: Cut, limits: Limits | None = None, models: Models | None = None
    ) -> None:
        self.host = host
        self.version = version
        self.cut: Cut = cut
        self.paper = in_process(server_version=version, limits=limits, models=models)
        self.clock = self.paper.clock
        self.ib = IB()
        self.clients: list[IB] = []
        self._links: list[CutLink] = []

    def connect(self, clientId: int = 1, ib: IB | None = None) -> IB:
        """Connect ``ib``, or a new one."""
        ib = ib or IB()
        ib.connectLink(CutLink(self.paper.link(), self.cut, self._links), clientId=clientId, clock=self.clock)
        self.clients.append(ib)
        return ib

    @property
    def ask(self) -> Asker:
        return self.asking(self.ib)

    def asking(self, ib: IB) -> Asker:
        """Return requests of a client as awaitables, whichever form they take."""
        return Asker(ib, self.host)

    async def sleep(self, secs: float) -> None:
        if self.host == "blocking":
            util.sleep(secs)
        else:
            await util.waitUntilAsync(self.now + timedelta(seconds=secs))

    async def until(self, done: Callable[[], object], secs: float = 10) -> None:
        """Wait until something is true; fails when it takes longer than ``secs`` seconds of the market."""
        end = self.clock.time() + secs
        while not done():
            assert self.clock.time() < end, "it did not come true"
            await self.sleep(secs / 200)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)

    def play(self, story: Story) -> None:
        """Connect, play, disconnect."""
        if self.host == "blocking":
            coroutine = self._whole(story)
            try:
                coroutine.send(None)
            except StopIteration:
                return
            raise AssertionError("a blocking story has suspended")
        asyncio.run(self._whole(story))

    async def _whole(self, story: Story) -> None:
        try:
            self.connect(1, self.ib)
            await story(self)
        finally:
            for client in self.clients:
                client.disconnect()


class Asker:
    """Requests of one client."""

    def __init__(self, ib: IB, host: Host) -> None:
        self._ib = ib
        self._host = host

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: Any, **kwargs: Any) -> Any:
            if self._host == "blocking":
                return getattr(self._ib, name)(*args, **kwargs)
            return await getattr(self._ib, f"{name}Async")(*args, **kwargs)

        return ask
