"""Links: bytes go through whole and in order, and the end is told."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.errors import ConnectionRefused, NotConnected
from ibkit.links import socket as sockets
from ibkit.links.memory import memory_pair
from ibkit.links.socket import SocketLink


def connected() -> tuple[SocketLink, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = sockets.connect("127.0.0.1", listener.getsockname()[1], 5)
        peer, _ = listener.accept()
    peer.settimeout(10)
    return link, peer


def receive(peer: socket.socket) -> bytes:
    """Read to the end."""
    data = b""
    while chunk := peer.recv(1 << 20):
        data += chunk
    return data


# -- memory ------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=5)), max_size=20))
def test_memory_keeps_the_order_of_bytes_in_both_directions(writes: list[tuple[bool, bytes]]) -> None:
    client, peer = memory_pair()
    sent: dict[bool, bytes] = {True: b"", False: b""}
    for from_client, data in writes:
        (client if from_client else peer).write(data)
        sent[from_client] += data
    assert (peer.read() or b"") == sent[True]
    assert (client.read() or b"") == sent[False]
    assert client.read() is None
    assert client.pending() == 0
    client.flush()


def test_what_was_written_before_the_close_is_still_read() -> None:
    client, peer = memory_pair("broker")
    assert client.name == "broker"
    assert client.fileno() is None
    client.write(b"last")
    client.close()
    client.close()
    client.write(b"unheard")
    assert peer.read() == b"last"
    assert peer.read() == b""
    assert client.read() == b""
    peer.write(b"to nobody")
    assert client.read() == b""


def test_memory_notifies() -> None:
    client, peer = memory_pair()
    calls: list[str] = []
    peer.write(b"before")
    client.notify(lambda: calls.append("notified"))
    assert calls == ["notified"]
    peer.write(b"after")
    peer.close()
    assert calls == ["notified"] * 3


def test_memory_pumps_only_on_the_clients_side() -> None:
    moments: list[float | None] = []

    def pump(until: float | None) -> bool:
        moments.append(until)
        return bool(until)

    client, peer = memory_pair("broker", pump)
    assert client.pump(5.0) is True
    assert client.pump(None) is False
    assert peer.pump(5.0) is None
    assert moments == [5.0, None]


def test_an_abandoned_memory_link_says_nothing() -> None:
    client, peer = memory_pair()
    client.abandon()
    assert peer.read() is None
    assert client.read() == b""


# -- sockets -----------------------------------------------------------------------------------------


def test_a_socket_carries_what_does_not_fit() -> None:
    link, peer = connected()
    with peer:
        data = os.urandom(1 << 20) * 8
        link.write(data)
        assert link.pending() > 0
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(receive(peer)))
        reader.start()
        while link.pending():
            link.flush()
        link.close()
        reader.join()
        assert got == [data]
    assert link.fileno() == -1
    link.close()


def test_closing_delivers_what_was_written_although_nobody_reads_the_answers() -> None:
    link, peer = connected()
    with peer:
        peer.sendall(b"unread")  # would reset the connection, if it were closed as it is
        data = os.urandom(1 << 18)
        got: list[bytes] = []

        def read() -> None:
            got.append(receive(peer))
            peer.shutdown(socket.SHUT_WR)

        reader = threading.Thread(target=read)
        reader.start()
        link.write(data)
        link.close()
        reader.join()
        assert got == [data]


def test_reading_tells_data_silence_and_the_end() -> None:
    link, peer = connected()
    assert link.read() is None
    peer.sendall(b"data")
    sockets._poll(link._sock, 10, write=False)
    assert link.read() == b"data"
    peer.close()
    sockets._poll(link._sock, 10, write=False)
    assert link.read() == b""
    assert link.pump(None) is None
    link.notify(None)
    link.close()


def test_a_reset_raises_in_read_and_not_in_write() -> None:
    link, peer = connected()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    sockets._poll(link._sock, 10, write=False)
    with pytest.raises(OSError, match=os.strerror(errno.ECONNRESET)):
        link.read()
    link.write(b"x" * 100)
    link.write(b"x" * 100)
    assert link.pending() == 0
    with pytest.raises(OSError, match=os.strerror(errno.EPIPE)):
        link.read()
    link.close()


def test_abandoning_says_nothing_to_the_peer() -> None:
    link, peer = connected()
    inherited = os.dup(link.fileno())  # as the parent process has it
    link.abandon()
    peer.settimeout(0.01)
    with pytest.raises(TimeoutError):
        peer.recv(1)
    os.close(inherited)
    peer.close()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError, match=f"127.0.0.1:{port}") as caught:
        sockets.connect("127.0.0.1", port, 5)
    assert isinstance(caught.value, ConnectionRefused)
    assert "ibkit paper" in str(caught.value)


@pytest.mark.parametrize("host", ["gateway.test", "gatewäy.test"])
def test_a_name_has_several_addresses(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that answers is taken, as for localhost where only one of IPv6 and IPv4 is listened on."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()
    asked: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = listener.getsockname()

        def found(name: object, port: int, family: int, type: int) -> list[object]:
            asked.append(name)
            return [(socket.AF_INET, type, family, "", address) for address in (nobody, there)]

        monkeypatch.setattr(socket, "getaddrinfo", found)
        link = sockets.connect(host, there[1], 5)
        peer, _ = listener.accept()
    with peer:
        link.write(b"x")
        assert peer.recv(1) == b"x"
        peer.close()
        link.close()
    assert asked == [host.encode() if host.isascii() else host]
    with pytest.raises(ConnectionRefused, match="refused"):
        sockets.connect(host, there[1], 5)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 300, "ä" * 300, "ä..b", "a\0b"])
def test_a_name_without_an_address(host: str) -> None:
    with pytest.raises(NotConnected, match=r"no address|no host name"):
        sockets.connect(host, 4002, 5)
    with pytest.raises(NotConnected, match=r"no address|no host name"):
        asyncio.run(sockets.connect_async(host, 4002, 5))
