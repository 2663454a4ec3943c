"""A scripted gateway behind a real socket, in a thread of its own, for tests of connecting."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from tests.engine.peer import NEWEST, Answers, Gateway, usual


class TcpGateway:
    """Serves one client after the other; ``with TcpGateway() as gateway: ib.connect(port=gateway.port)``.

    ``answers`` gives the messages for a request, None for the usual ones. ``greet`` replaces the whole handshake.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        version: int = NEWEST,
        greet: Callable[[socket.socket], object] | None = None,
    ) -> None:
        self.answers = answers or (lambda request: None)
        self.version = version
        self.greet = greet
        self.requests: list[Any] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> TcpGateway:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def hang_up(self) -> None:
        """Cut the connection."""
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError):  # it has gone already
                client.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._client = client
                with contextlib.suppress(OSError):  # cut
                    self._converse(client)
                self._client = None

    def _converse(self, client: socket.socket) -> None:
        if self.greet is not None:
            self.greet(client)
            return
        gateway = Gateway(self.version)
        greeted = False
        while data := client.recv(65536):
            requests = gateway.decode(data)
            if gateway.hello is not None and not greeted:
                greeted = True
                client.sendall(gateway.server_hello())
            for request in requests:
                self.requests.append(request)
                answers = self.answers(request)
                for answer in usual(request) if answers is None else answers:
                    if answer is None:  # hang up
                        return
                    client.sendall(gateway.encode(answer))
