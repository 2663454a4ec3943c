"""The gateway on a port: beside a caller who may block, and gone without a trace when it is stopped."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ibkit.model import Contract, LimitOrder, MarketOrder
from ibkit.paper import Limits, PaperGateway
from ibkit.paper import server as server_module
from ibkit.paper.gateway import session as session_module
from ibkit.wire import Codec, FrameReader, Role, handshake
from ibkit.wire import messages as m

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
PATIENCE_S = 20.0


class Caller:
    """A client that blocks."""

    def __init__(self, gateway: PaperGateway, client_id: int = 1, version: int = 225) -> None:
        self.sock = socket.create_connection((gateway.host, gateway.port), PATIENCE_S)
        self.reader = FrameReader()
        self.sock.sendall(handshake.client_hello(157, version))
        hello = handshake.read_server_hello(self.body())
        self.codec = Codec(Role.CLIENT, hello.version)
        self.send(m.StartApi(client_id, ""))

    def send(self, message: m.Request) -> None:
        self.sock.sendall(self.codec.encode(message))

    def body(self) -> bytes:
        while (body := self.reader.next()) is None:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.reader.feed(data)
        return body

    def until(self, wanted: Callable[[m.Answer], bool]) -> m.Answer:
        while True:
            message = self.codec.decode(self.body())
            if wanted(message):  # type: ignore[arg-type]  # a client decodes answers
                return message  # type: ignore[return-value]

    def get(self, kind: type) -> m.Answer:
        return self.until(lambda message: isinstance(message, kind))

    def ended(self) -> bool:
        """Wait for the end of the connection."""
        try:
            self.until(lambda message: False)
        except (EOFError, ConnectionError):
            return True
        return False

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *args: object) -> None:
        self.sock.close()


@pytest.mark.parametrize("version", [157, 176, 200, 213, 225])
def test_a_caller_who_blocks_is_served(version: int) -> None:
    with PaperGateway(server_version=version) as gateway, Caller(gateway) as caller:
        assert caller.codec.version == version
        assert caller.get(m.NextValidId) == m.NextValidId(1)
        caller.send(m.ReqContractData(1, APPLE))
        caller.get(m.ContractDataEnd)
        caller.send(m.ReqMktData(2, APPLE, "", False, False, []))
        caller.until(lambda tick: isinstance(tick, m.TickPrice) and tick.tickType == 1 and tick.price > 0)


def test_time_runs_at_the_speed_asked_for() -> None:
    with PaperGateway(start="2024-01-10 10:00", speed=100) as gateway, Caller(gateway) as caller:
        caller.send(m.ReqRealTimeBars(1, APPLE, 5, "TRADES", True, []))
        bars = [caller.get(m.RealTimeBars) for _ in range(20)]
        times = [bar.time for bar in bars if isinstance(bar, m.RealTimeBars)]
        assert [b - a for a, b in pairwise(times)] == [5] * 19


def test_the_handshake_is_one_segment() -> None:
    with PaperGateway() as gateway, socket.create_connection((gateway.host, gateway.port), PATIENCE_S) as sock:
        hello = handshake.client_hello()
        for byte in hello[:-1]:
            sock.sendall(bytes([byte]))
        sock.sendall(hello[-1:])
        answer = sock.recv(4096)
        assert len(answer) == 4 + int.from_bytes(answer[:4], "big")


def test_clients_come_and_go() -> None:
    with PaperGateway() as gateway:
        for _ in range(5):
            with Caller(gateway, 1) as one, Caller(gateway, 2) as two:
                one.get(m.NextValidId)
                two.get(m.NextValidId)
            _eventually(lambda: gateway.call(lambda world: len(world.sessions)) == 0)
        with Caller(gateway, 1) as again:
            again.get(m.NextValidId)


def test_a_client_id_in_use_is_told_and_then_hung_up_on() -> None:
    with PaperGateway() as gateway, Caller(gateway, 1) as one:
        one.get(m.NextValidId)
        with Caller(gateway, 1) as two:
            error = two.get(m.ErrMsg)
            assert isinstance(error, m.ErrMsg)
            assert error.errorCode == 326
            assert two.ended()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"API\0\0\0\0\x09v157..225" + b"\xff" * 8]
)
def test_garbage_on_the_port_is_hung_up_on(garbage: bytes) -> None:
    with PaperGateway() as gateway:
        with socket.create_connection((gateway.host, gateway.port), PATIENCE_S) as sock:
            sock.sendall(garbage)
            while sock.recv(4096):
                pass
        with Caller(gateway) as caller:
            caller.get(m.NextValidId)


def test_a_connection_cut_in_the_middle_of_a_frame_harms_nobody() -> None:
    with PaperGateway() as gateway:
        for cut in (1, 3, 6, 12, 20):
            with socket.create_connection((gateway.host, gateway.port), PATIENCE_S) as sock:
                sock.sendall((handshake.client_hello() + b"\0\0\0\x10" + b"x" * 16)[:cut])
        with Caller(gateway) as caller:
            caller.get(m.NextValidId)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_client_that_never_reads_is_dropped(
    at_once: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "MOST_OUTPUT", 100_000)
    monkeypatch.setattr(session_module, "MOST_OUTPUT", 100_000)
    caplog.set_level("INFO", "ibkit.paper")
    with PaperGateway(limits=Limits(over_rate="ignore")) as gateway, Caller(gateway) as deaf:
        deaf.get(m.NextValidId)
        question = deaf.codec.encode(m.ReqScannerParameters())
        if at_once:
            deaf.sock.sendall(question * 1000)
        else:
            monkeypatch.setattr(session_module, "MOST_OUTPUT", 1 << 30)
            with contextlib.suppress(ConnectionError):
                while gateway.call(lambda world: world.sessions):
                    deaf.sock.sendall(question)
        _eventually(lambda: gateway.call(lambda world: len(world.sessions)) == 0)
        assert ("asks for more than it reads" if at_once else "bytes unread") in caplog.text
        with Caller(gateway, 2) as caller:
            caller.get(m.NextValidId)


def test_a_client_that_says_nothing_keeps_nobody_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "GREETING_S", 0.05)
    caplog.set_level("INFO", "ibkit.paper")
    with PaperGateway(limits=Limits(clients=2)) as gateway:
        address = gateway.host, gateway.port
        with socket.create_connection(address, PATIENCE_S) as mute, socket.create_connection(address) as half:
            half.sendall(handshake.client_hello()[:9])
            assert mute.recv(1) == b""
            while half.recv(64):
                pass
        assert "has not started the API within 0.05 s" in caplog.text
        monkeypatch.setattr(server_module, "GREETING_S", PATIENCE_S)
        with Caller(gateway) as caller:
            caller.get(m.NextValidId)


def test_who_waits_for_the_end_of_an_outage_is_not_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GREETING_S", 1.0)
    with PaperGateway() as gateway:
        gateway.cut_off()
        with Caller(gateway) as caller, socket.create_connection((gateway.host, gateway.port), PATIENCE_S) as mute:
            assert mute.recv(1) == b""  # by now the other one would have gone, too
            gateway.restore()
            assert caller.get(m.NextValidId) == m.NextValidId(1)


def test_a_client_that_has_said_its_last_word_is_answered() -> None:
    with PaperGateway() as gateway, Caller(gateway) as caller:
        caller.get(m.NextValidId)
        caller.send(m.ReqCurrentTime())
        caller.sock.shutdown(socket.SHUT_WR)
        caller.get(m.CurrentTime)
        assert caller.ended()
        _eventually(lambda: gateway.call(lambda world: len(world.sessions)) == 0)


def test_a_peer_that_vanishes_is_found_out() -> None:
    with PaperGateway() as gateway, Caller(gateway) as caller:
        caller.get(m.NextValidId)
        options = gateway.call(
            lambda world: [c.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) for c in _connections(gateway)]
        )
        assert len(options) == 1
        assert all(options)


def test_hundreds_come_and_go_and_leave_nothing() -> None:
    hello = handshake.client_hello()
    with PaperGateway() as gateway, Caller(gateway) as caller:
        caller.get(m.NextValidId)
        before = _descriptors()
        for n in range(300):
            with socket.create_connection((gateway.host, gateway.port), PATIENCE_S) as sock:
                if n % 2:
                    sock.sendall(hello)
        caller.send(m.ReqCurrentTime())
        caller.get(m.CurrentTime)
        _eventually(lambda: gateway.call(lambda world: len(world.sessions)) == 1)
        _eventually(lambda: gateway.call(lambda world: len(_connections(gateway))) == 1)
        assert _descriptors() == before


def test_those_who_are_sent_away_do_not_use_up_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MOST_CONNECTIONS", 10)
    with PaperGateway(limits=Limits(clients=1)) as gateway, Caller(gateway) as caller:
        caller.get(m.NextValidId)
        sent_away = [socket.create_connection((gateway.host, gateway.port), PATIENCE_S) for _ in range(50)]
        for sock in sent_away:
            with contextlib.suppress(ConnectionError):
                assert sock.recv(1) == b""
        assert gateway.call(lambda world: len(_connections(gateway))) <= 11
        for sock in sent_away:
            sock.close()
        caller.send(m.ReqCurrentTime())
        caller.get(m.CurrentTime)


WITHOUT_DESCRIPTORS = """
import os, resource, socket
from ibkit.paper import PaperGateway
from ibkit.paper import server
from ibkit.wire import handshake

turns = 0
turn = PaperGateway._turn

def counted(self, selector):
    global turns
    turns += 1
    turn(self, selector)

PaperGateway._turn = counted
server.DEAF_S = 0.2
with PaperGateway() as gateway:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    spare = [os.open(os.devnull, os.O_RDONLY)]
    sock = socket.socket()
    while True:
        try:
            spare.append(os.dup(spare[0]))
        except OSError:
            break
    sock.connect((gateway.host, gateway.port))  # which the gateway cannot accept
    while gateway._deaf_until is None:
        pass
    before = turns
    sock.settimeout(1.0)
    try:
        sock.recv(1)
    except TimeoutError:
        pass
    assert turns - before < 50, turns - before  # a few a second, not thousands
    for descriptor in spare:
        os.close(descriptor)
    sock.settimeout(20.0)
    sock.sendall(handshake.client_hello())
    assert len(sock.recv(4096)) > 8
    sock.close()
print("served")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are limited otherwise elsewhere")
def test_a_system_without_descriptors_is_waited_for() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.stdout == "served\n", run.stderr
    assert "no client can be let in for 0.2 s" in run.stderr


def test_shocks_move_prices() -> None:
    with PaperGateway(start="2024-01-10 10:00") as gateway:

        def mid() -> float:
            return gateway.call(lambda world: world.market.quote(world.catalogue.find(APPLE)[0], world.now + 400).mid)

        before = mid()
        gateway.shock("AAPL", percent=10)
        assert mid() > before * 1.05
        with pytest.raises(ValueError, match="NOSUCH"):
            gateway.shock("NOSUCH", percent=1)


def test_stopping_leaves_nothing_behind() -> None:
    before = threading.active_count()
    gateway = PaperGateway().start()
    with Caller(gateway) as caller:
        caller.get(m.NextValidId)
        assert gateway.running
        gateway.stop()
        assert caller.ended()
    assert threading.active_count() == before
    assert not gateway.running
    gateway.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((gateway.host, gateway.port), PATIENCE_S)
    with pytest.raises(RuntimeError, match="does not run"):
        gateway.shock("AAPL", percent=1)


def test_it_goes_on_at_the_same_port_after_a_stop() -> None:
    gateway = PaperGateway().start()
    port = gateway.port
    with Caller(gateway) as caller:
        caller.get(m.NextValidId)
        with pytest.raises(RuntimeError, match="runs already"):
            gateway.start()
    gateway.stop()
    with gateway:
        assert gateway.port == port
        with Caller(gateway) as caller:
            caller.get(m.NextValidId)


def test_a_store_brings_orders_and_positions_back(tmp_path: Path) -> None:
    store = str(tmp_path / "books.sqlite")

    def world() -> PaperGateway:
        return PaperGateway(start="2024-01-10 10:00", speed=20, store=store)

    gateway = world().start()
    with Caller(gateway) as caller:
        caller.send(m.PlaceOrder(1, APPLE, MarketOrder("BUY", 100)))
        caller.until(lambda answer: isinstance(answer, m.OrderStatus) and answer.status == "Filled")
        caller.send(m.PlaceOrder(2, APPLE, LimitOrder("BUY", 100, 50)))
        caller.until(lambda answer: isinstance(answer, m.OrderStatus) and answer.status == "Submitted")
    gateway.stop()
    gateway.start()  # the same one again
    gateway.stop()
    with world() as gateway, Caller(gateway) as caller:
        assert caller.get(m.NextValidId) == m.NextValidId(3)
        caller.send(m.ReqPositions())
        position = caller.get(m.PositionData)
        assert isinstance(position, m.PositionData)
        assert position.position == 100
        caller.send(m.ReqOpenOrders())
        order = caller.get(m.OpenOrder)
        assert isinstance(order, m.OpenOrder)
        assert order.order.orderId == 2


def test_clients_can_be_dropped() -> None:
    with PaperGateway() as gateway, Caller(gateway) as caller:
        caller.get(m.NextValidId)
        gateway.disconnect_all()
        assert caller.ended()
        with Caller(gateway) as again:
            again.get(m.NextValidId)


def test_a_port_in_use_is_named() -> None:
    with PaperGateway() as gateway, pytest.raises(OSError, match=f"port {gateway.port} .* in use"):
        PaperGateway(port=gateway.port).start()


@pytest.mark.parametrize(
    "wrong", [{"server_version": 156}, {"server_version": 226}, {"start": "soon"}, {"speed": 0}, {"account": ""}]
)
def test_wrong_arguments_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        PaperGateway(**wrong)  # type: ignore[arg-type]


def test_a_failure_inside_is_raised_where_the_owner_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = PaperGateway().start()

    def broken() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(gateway._gateway, "tick", broken)
    with socket.create_connection((gateway.host, gateway.port), PATIENCE_S):
        gateway.wait(PATIENCE_S)
    with pytest.raises(RuntimeError, match="a bug"):
        gateway.stop()
    assert "the gateway has failed" in caplog.text


def _connections(gateway: PaperGateway) -> list[Any]:
    return list(gateway._connections.values())


def _descriptors() -> int:
    """Return how many descriptors this process has open; 0 where nobody tells."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def _eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
