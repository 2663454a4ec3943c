"""A TCP connection that never blocks and keeps what does not fit into the socket.

Must not know what the bytes mean.
"""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

from ibkit.errors import ConnectionRefused, NotConnected

if TYPE_CHECKING:
    import asyncio

CHUNK = 16 * 1024
"""Bytes taken by one read: enough for a burst, and what the allocator has at hand (more would cost 10 us a read)."""

LINGER_S = 0.5
"""Seconds that ``close`` gives the other side to take what was written and to close as well."""


class SocketLink:
    """One connected socket."""

    def __init__(self, sock: socket.socket, name: str) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an order must not wait for company
        self.name = name
        self._sock = sock
        self._unsent = bytearray()
        self._broken: OSError | None = None

    def fileno(self) -> int:
        """Return the file descriptor; -1 after close."""
        return self._sock.fileno()

    def read(self) -> bytes | None:
        """Return what has arrived, b'' at the end, None when there is nothing; raises OSError."""
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return None
        if not data and self._broken is not None:
            raise self._broken  # tells more than "closed"
        return data

    def write(self, data: bytes) -> None:
        """Write what fits, keep the rest for ``flush``; a broken connection shows itself in ``read``."""
        if not self._unsent:
            data = data[self._send(data) :]
        if data:
            self._unsent += data
            self.flush()

    def _send(self, data: bytes | bytearray) -> int:
        """Return how many bytes the socket took; all, when it is broken."""
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:  # not raised: what the peer said before it broke is still to be read
            self._broken = error
            return len(data)

    def pending(self) -> int:
        """Return how many bytes wait to be written."""
        return len(self._unsent)

    def flush(self) -> None:
        """Write on with what waits."""
        while self._unsent and (sent := self._send(self._unsent)):
            del self._unsent[:sent]

    def pump(self, until: float | None) -> None:
        """Return None: the peer lives elsewhere."""

    def notify(self, fn: object) -> None:
        """Do nothing: there is a file descriptor to select on."""

    def close(self) -> None:
        """Close, in a way that the other side gets what was written.

        Closing a socket with unread data resets the connection, and a reset may overtake an order. So
        we say that nothing more comes, and wait for the other side to close too, for at most LINGER_S.
        """
        if self._sock.fileno() < 0:
            return
        try:
            self._linger()
        except OSError:
            pass  # it is broken already: nothing to be delivered
        finally:
            self._sock.close()

    def abandon(self) -> None:
        """Close our end without a word to the peer; for a child process that inherited the socket."""
        self._sock.close()

    def _linger(self) -> None:
        end = time.monotonic() + LINGER_S
        while self._unsent and self._broken is None and (left := end - time.monotonic()) > 0:
            _poll(self._sock, left, write=True)
            self.flush()
        self._sock.shutdown(socket.SHUT_WR)
        while (left := end - time.monotonic()) > 0 and _poll(self._sock, left, write=False):
            if self.read() == b"":
                return


def _poll(sock: socket.socket, timeout: float, write: bool) -> bool:
    """Wait until ``sock`` can be used; poll() where there is one: select() knows no descriptor over 1023."""
    if not hasattr(select, "poll"):
        ready = select.select([] if write else [sock], [sock] if write else [], [], timeout)
        return bool(ready[0] or ready[1])
    poll = select.poll()
    poll.register(sock, select.POLLOUT if write else select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def connect(host: str, port: int, timeout: float | None = None) -> SocketLink:
    """Connect, waiting for at most ``timeout`` seconds (None or 0: as long as the system does).

    Raises ConnectionRefused when nobody answers there, NotConnected when ``host`` has no address.
    """
    try:
        # It hands the name on to getaddrinfo, which takes bytes, too; its own annotation does not say so.
        sock = socket.create_connection((_name(host), port), timeout or None)  # type: ignore[arg-type]
    except (OSError, ValueError) as error:
        raise _explain(error, host, port, timeout) from error
    return SocketLink(sock, f"{host}:{port}")


async def connect_async(host: str, port: int, timeout: float | None = None) -> SocketLink:
    """Like ``connect``, in the running loop."""
    import asyncio

    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout or None):
            sock = await _first_that_answers(loop, host, port)
    except (OSError, ValueError) as error:  # TimeoutError is one
        raise _explain(error, host, port, timeout) from error
    return SocketLink(sock, f"{host}:{port}")


async def _first_that_answers(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(_name(host), port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:  # cancelled
            sock.close()
            raise
        else:
            return sock
    raise failure


def _name(host: str) -> str | bytes:
    """Return what to look up: of a text, Python imports the codec of international names, a millisecond for nothing."""
    return host.encode() if host.isascii() else host


def _explain(error: OSError | ValueError, host: str, port: int, timeout: float | None) -> NotConnected:
    if isinstance(error, ValueError):  # a part of an international name is empty or too long, or there is a NUL
        return NotConnected(f"{host!r} is no host name ({error}): check it")
    if isinstance(error, socket.gaierror):
        return NotConnected(f"the host name {host!r} has no address ({error.strerror}): check it, and the network")
    if isinstance(error, TimeoutError):
        return ConnectionRefused(host, port, f"no answer within {timeout or 0:g} s" if timeout else "no answer")
    return ConnectionRefused(host, port, error.strerror or str(error))
