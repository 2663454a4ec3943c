"""The neutral gateway: a process that serves one client after another with traffic made beforehand.

    python -m bench.gateway '{"kind": "ticks", "params": {...}, "version": 176, "core": 1}'

It prints its port as a line of JSON, then a line for every client that has left: what was to come of it, what was
measured here, and what went wrong. One thread, plain sockets. It ends when its standard input is closed.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from typing import Any

from bench.clients.job import HOST
from bench.orders import Account
from bench.plays import PLAYS, Play
from bench.scenarios import Params
from ibkit.wire import Codec, FrameReader, Role, Unknown, handshake
from ibkit.wire import messages as m

PATIENCE_S = 120.0
"""For a client that takes nothing."""

SPIN_S = 0.05
"""How long an order is waited for busily: waking up would be measured as the client's delay."""


class Gateway:
    """Serves the clients of one scenario at one server version."""

    def __init__(self, kind: str, params: Params, version: int) -> None:
        codec = Codec(Role.SERVER, version)
        numbers = {name: int(params.get(name, 0)) for name in ("open_orders", "executions", "positions")}
        self._account = Account(codec, **numbers)
        self._play: Play = PLAYS[kind](params, codec)
        self._version = version
        self._listener = socket.create_server((HOST, 0))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve until standard input is closed."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    return
                sock, _ = self._listener.accept()
                with sock:
                    result = self._serve(sock)
                print(json.dumps(result), flush=True)

    def _serve(self, sock: socket.socket) -> dict[str, object]:
        play = self._play
        play.begin()
        try:
            Connection(sock, self._version, self._account, play).run()
        except OSError as error:
            play.faults.append(f"the connection broke: {error}")
        return {
            "outcome": {**self._account.expected, **play.expected},
            "metrics": play.metrics,
            "faults": play.faults[:5],
        }


class Connection:
    """One client."""

    def __init__(self, sock: socket.socket, version: int, account: Account, play: Play) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE_S)
        self._sock = sock
        self._version, self._account, self._play = version, account, play
        self._codec: Codec | None = None
        self._hello = b""
        self._frames = FrameReader()
        self._due: list[tuple[float, bytes]] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)

    def run(self) -> None:
        """Answer until the client leaves."""
        with self._selector:
            while True:
                timeout = max(0.0, self._due[0][0] - time.perf_counter()) if self._due else PATIENCE_S
                ready = self._selector.select(timeout)
                while self._due and self._due[0][0] <= time.perf_counter():
                    self.send(self._due.pop(0)[1])
                if not ready:
                    if not self._due and timeout == PATIENCE_S:
                        raise TimeoutError("the client says nothing")
                    continue
                data = self._sock.recv(1 << 18)
                if not data:
                    return
                for message in self._read(data):
                    self._answer(message)

    def _read(self, data: bytes) -> list[m.Message]:
        if self._codec is None:
            self._hello += data
            hello, taken = handshake.read_client_hello(self._hello)
            if hello is None:
                return []
            version = min(hello.hi, self._version)
            if version != self._version:
                self._play.faults.append(f"the client speaks {hello.lo} to {hello.hi}")
            data = self._hello[taken:]
            self._codec = Codec(Role.SERVER, version)
            self.send(handshake.server_hello(version, "20240105 10:11:12 EST"))
        self._frames.feed(data)
        messages: list[m.Message] = []
        while (body := self._frames.next()) is not None:
            message = self._codec.decode(body)
            if isinstance(message, Unknown):
                self._play.faults.append(f"unknown message {message.id}")
            else:
                messages.append(message)
        return messages

    def _answer(self, message: m.Message) -> None:
        answer = self._account.answer(message)
        if answer is not None:
            self.send(answer)
        else:
            self._play.take(message, self)

    # -- what plays use ------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._sock.sendall(data)

    def later(self, delay_s: float, data: bytes) -> None:
        """Send it after a time."""
        if delay_s:
            self._due.append((time.perf_counter() + delay_s, data))
        else:
            self.send(data)

    def exchange(self, data: bytes, patience_s: float) -> tuple[list[m.Message], float]:
        """Send, wait busily for the next message or messages; return them, and the seconds it took."""
        sock = self._sock
        begin = time.perf_counter()
        sock.sendall(data)
        sock.setblocking(False)
        received = b""
        try:
            while time.perf_counter() - begin < SPIN_S:
                try:
                    received = sock.recv(1 << 16)
                    break
                except BlockingIOError:
                    continue
        finally:
            sock.settimeout(patience_s)
        if not received:
            received = sock.recv(1 << 16)
        took = time.perf_counter() - begin
        messages = self._read(received)
        while not messages:  # a frame in two pieces
            messages = self._read(sock.recv(1 << 16))
        sock.settimeout(PATIENCE_S)
        return messages, took


def main() -> None:
    """Serve what the command line says."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    if given["core"] is not None:
        os.sched_setaffinity(0, {given["core"]})
    gateway = Gateway(given["kind"], given["params"], given["version"])
    print(json.dumps({"port": gateway.port}), flush=True)
    gateway.run()


if __name__ == "__main__":
    main()
