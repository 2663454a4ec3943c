"""The gateway on a port: beside a caller who may block, and gone without a trace when it is stopped."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from ibkit.model import Contract, LimitOrder, MarketOrder
from ibkit.paper import Limits, PaperGateway
from ibkit.paper import server as server_module
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


def test_a_client_that_never_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MOST_UNSENT", 100_000)
    with PaperGateway(limits=Limits(over_rate="ignore")) as gateway, Caller(gateway) as deaf:
        deaf.get(m.NextValidId)
        deaf.sock.sendall(deaf.codec.encode(m.ReqScannerParameters()) * 10_000)
        _eventually(lambda: gateway.call(lambda world: len(world.sessions)) == 0)
        with Caller(gateway, 2) as caller:
            caller.get(m.NextValidId)


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


def _eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
