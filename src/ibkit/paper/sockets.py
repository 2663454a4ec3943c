"""The sockets of the gateway: listening, and how each is set up. Must not know sessions."""

from __future__ import annotations

import contextlib
import errno
import os
import socket

SPENT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What ``accept`` fails with when the system has no room for another connection."""

# Seconds without a word, between questions, and questions, until a peer that has vanished is given up.
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


def prepare(sock: socket.socket) -> None:
    """Set up the socket of a client."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):  # not every system lets one say how often
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises OSError that says what is wrong."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise OSError(f"the host name {host!r} has no address ({error.strerror})") from error
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(64)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(
                errno.EADDRINUSE,
                f"port {port} of {host} is in use: another gateway or TWS listens there. "
                "Choose another port, 0 takes a free one",
            ) from error
        raise OSError(error.errno, f"cannot listen at {host}:{port}: {error.strerror}") from error
    return sock


def drain(sock: socket.socket) -> None:
    """Read what is there and forget it."""
    with contextlib.suppress(BlockingIOError, InterruptedError):
        while sock.recv(4096):
            pass
