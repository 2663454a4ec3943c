"""A small engine and a small broker: lines of text, each request with a number, each answer with the same one.

The broker answers ``<n> echo <text>`` with ``<n> <text>``; ``<n> later <secs> <text>`` after a while, ``<n> never``
not at all. Lines without a number are told to listeners: ``push <text>`` makes the broker send one.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from ibkit import hosts
from ibkit.clock import Clock, SystemClock, VirtualClock
from ibkit.errors import ConnectionLost, IbkitError, ProtocolError
from ibkit.events import Event
from ibkit.hosts.contract import Link
from ibkit.links.memory import MemoryLink, memory_pair


class Answer:
    """A call."""

    def __init__(self, engine: FakeEngine, number: int, name: str) -> None:
        self.name = name
        self.done = False
        self.error: Exception | None = None
        self.value = ""
        self._engine = engine
        self._number = number
        self._callbacks: list[Callable[[Any], object]] = []

    def result(self) -> str:
        assert self.done
        if self.error is not None:
            raise self.error
        return self.value

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        if self.done:
            fn(self)
        else:
            self._callbacks.append(fn)

    def cancel(self) -> None:
        if not self.done:
            self._engine.say(f"cancel {self._number}")
            del self._engine.calls[self._number]
            self.finish(error=IbkitError("cancelled"))

    def finish(self, value: str = "", error: Exception | None = None) -> None:
        self.done, self.value, self.error = True, value, error
        for fn in self._callbacks:
            fn(self)


class FakeEngine:
    """Numbers requests, answers calls, tells events; keeps a diary of what the host did."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.calls: dict[int, Answer] = {}
        self.line = Event("line")  # a fact
        self.batch = Event("batch")  # with the lines of the batch, at its end
        self.closed_event = Event("closed")
        self.closed_reasons: list[str] = []
        self.diary: list[str] = []
        self.threads: set[int] = set()
        self.inside = 0
        self.due: float | None = None
        self.fired: list[float] = []
        self.ends: Answer | None = None  # with what is due
        self.reads: list[bytes] = []
        self._held: list[tuple[float, bytes]] = []
        self._out = b""
        self._in = b""
        self._batch: list[str] = []

    # -- for requests

    def say(self, line: str) -> None:
        self._out += line.encode() + b"\n"

    def hold_back(self, line: str, until: float) -> None:
        """Say it when the throttle lets it go."""
        self._held.append((until, line.encode() + b"\n"))

    def ask(self, text: str) -> Answer:
        number = next(self.numbers)
        call = self.calls[number] = Answer(self, number, text)
        self.say(f"{number} {text}")
        return call

    # -- for the host

    def receive(self, data: bytes, now: float, wall: float) -> None:
        self.threads.add(threading.get_ident())
        self.reads.append(data)
        self._in += data

    def step(self, now: float) -> bool:
        self.threads.add(threading.get_ident())
        raw, newline, rest = self._in.partition(b"\n")
        if not newline:
            return False
        self._in = rest
        line = raw.decode()
        self.diary.append(line)
        if line == "garbage":
            raise ProtocolError("garbage came")
        if line == "bug":
            raise ZeroDivisionError("a reducer failed")
        first, _, text = line.partition(" ")
        if first.isdecimal():
            call = self.calls.pop(int(first), None)
            if call is not None:
                call.finish(text)
        else:
            self._batch.append(line)
            self.line.emit(line)
        return True

    def end_batch(self, now: float) -> None:
        self.diary.append("end")
        lines, self._batch = self._batch, []
        for line in lines:
            self.batch.emit(line)

    def output(self, now: float) -> bytes:
        data, self._out = self._out, b""
        while self._held and self._held[0][0] <= now:
            data += self._held.pop(0)[1]
        return data

    def deadline(self) -> float | None:
        times = [t for t in (self.due, self._held[0][0] if self._held else None) if t is not None]
        return min(times, default=None)

    def fire(self, now: float, wall: float) -> None:
        if self.due is not None and self.due <= now:
            self.due = None
            self.fired.append(now)
            if self.ends is not None:
                self.ends.finish("fired")

    def closed(self, reason: str) -> None:
        self.threads.add(threading.get_ident())
        self.closed_reasons.append(reason)
        calls, self.calls = self.calls, {}
        for call in calls.values():
            call.finish(error=ConnectionLost(reason))
        self.closed_event.emit(reason)


class Broker:
    """The other end, without any I/O: lines in, lines out at moments."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.due: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._in = b""

    def at(self, when: float, text: str) -> None:
        heapq.heappush(self.due, (when, next(self._order), text))

    def hear(self, data: bytes, now: float) -> None:
        *lines, self._in = (self._in + data).split(b"\n")
        for raw in lines:
            line = raw.decode()
            self.heard.append(line)
            number, _, rest = line.partition(" ")
            verb, _, text = rest.partition(" ")
            if number == "push":
                self.at(now, rest)
            elif verb == "echo":
                self.at(now, f"{number} {text}")
            elif verb == "later":
                secs, _, text = text.partition(" ")
                self.at(now + float(secs), f"{number} {text}")

    def say(self, now: float) -> bytes:
        data = b""
        while self.due and self.due[0][0] <= now:
            data += heapq.heappop(self.due)[2].encode() + b"\n"
        return data


class SocketPeer:
    """A broker in a thread, at the other end of a socket."""

    def __init__(self) -> None:
        self.broker = Broker()
        self.gone = threading.Event()
        self.deaf = False
        """Whether it leaves what it is sent in the socket."""
        self._stop = False
        self._ear, self._mouth = socket.socketpair()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.link: Link = hosts.connect_link("127.0.0.1", listener.getsockname()[1])
            self._sock, _ = listener.accept()
        self._thread = threading.Thread(target=self._run, name="peer", daemon=True)
        self._thread.start()

    @property
    def heard(self) -> list[str]:
        return self.broker.heard

    def push(self, *lines: str) -> None:
        """Send lines in one piece."""
        self._sock.sendall("".join(f"{line}\n" for line in lines).encode())

    def wait_heard(self, line: str) -> None:
        """Wait until the client said ``line``."""
        end = time.monotonic() + 10
        while line not in self.heard:
            assert time.monotonic() < end, (line, self.heard)
            time.sleep(0.001)

    def hang_up(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)

    def listen(self) -> None:
        """Listen again after having been deaf."""
        self.deaf = False
        self._mouth.send(b"x")

    def close(self) -> None:
        self._stop = True
        self._mouth.send(b"x")
        self._thread.join()
        for sock in (self._sock, self._ear, self._mouth):
            sock.close()

    def _run(self) -> None:
        while not self._stop:
            now = time.monotonic()
            if data := self.broker.say(now):
                with contextlib.suppress(OSError):
                    self._sock.sendall(data)
            left = max(0.0, self.broker.due[0][0] - now) if self.broker.due else None
            wanted = [self._ear] if self.deaf or self.gone.is_set() else [self._sock, self._ear]
            readable, _, _ = select.select(wanted, [], [], left)
            if self._ear in readable:
                self._ear.recv(100)
            if self._sock in readable:
                try:
                    data = self._sock.recv(1 << 20)
                except OSError:
                    data = b""
                self.broker.hear(data, time.monotonic())
                if not data:
                    self.gone.set()
                    with contextlib.suppress(OSError):
                        self._sock.shutdown(socket.SHUT_WR)


class MemoryPeer:
    """A broker in the client's own thread, in simulated time."""

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self.broker = Broker()
        self.clock = clock or VirtualClock(1_700_000_000.0)
        self.link: Link
        self.end: MemoryLink
        self.link, self.end = memory_pair("broker", self._pump)

    @property
    def heard(self) -> list[str]:
        self._hear()
        return self.broker.heard

    def push(self, *lines: str) -> None:
        self.end.write("".join(f"{line}\n" for line in lines).encode())

    def wait_heard(self, line: str) -> None:
        assert line in self.heard

    def hang_up(self) -> None:
        self.end.close()

    def listen(self) -> None:
        pass

    def close(self) -> None:
        self.end.close()

    def _hear(self) -> bool:
        data = self.end.read()
        if data:
            self.broker.hear(data, self.clock.monotonic())
        return bool(data)

    def _pump(self, until: float | None) -> bool:
        acted = self._hear()
        now = self.clock.monotonic()
        if not acted and self.broker.due and (until is None or until > now):
            next_due = self.broker.due[0][0]
            self.clock.advance(max(0.0, (next_due if until is None else min(next_due, until)) - now))
        data = self.broker.say(self.clock.monotonic())
        if data:
            self.end.write(data)
        return bool(acted or data or self.broker.due)


Peer = SocketPeer | MemoryPeer


def clock_of(peer: Peer) -> Clock:
    """Return the clock of a client of ``peer``."""
    return peer.clock if isinstance(peer, MemoryPeer) else SystemClock()
