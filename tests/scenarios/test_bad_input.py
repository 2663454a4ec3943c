"""Stories about nonsense on the wire, on either side: the session lives, or ends with a reason; nothing hangs."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from ibkit import (
    IB,
    ConnectionLost,
    FrameTooLong,
    HandshakeError,
    NotConnected,
    ProtocolError,
    Stock,
    util,
)
from ibkit.paper import PaperGateway
from ibkit.testing import ScriptedPeer
from ibkit.wire import Codec, FrameReader, Role, handshake
from ibkit.wire import messages as m
from tests.scenarios.stage import HOSTS, VERSIONS, Asker, Host

FOUR_GIB = b"\xff\xff\xff\xff"

HELLO = handshake.client_hello(157, 225)


class Act:
    """A client of a scripted peer, on one host."""

    def __init__(self, host: Host, version: int) -> None:
        self.host = host
        self.version = version
        self.peer = ScriptedPeer(server_version=version)
        self.ib = IB()
        self.ended: list[str] = []
        self.ib.disconnectedEvent += lambda: self.ended.append("ended")

    @property
    def ask(self) -> Asker:
        return Asker(self.ib, self.host)

    def frame(self, message: m.Answer) -> bytes:
        """Return a message as this server would send it."""
        return Codec(Role.SERVER, self.version).encode(message)

    def raw(self, message_id: int, *fields: str) -> bytes:
        """Return a text message with any fields."""
        text = "".join(f"{field}\0" for field in fields).encode()
        body = message_id.to_bytes(4, "big") + text if self.version >= 201 else f"{message_id}\0".encode() + text
        return len(body).to_bytes(4, "big") + body

    def play(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            self.ib.connectLink(self.peer.link, clock=self.peer.clock)
            self.peer.on(m.ReqCurrentTime, lambda msg: [m.CurrentTime(1704898800)])
            try:
                await story()
            finally:
                self.ib.disconnect()

        if self.host == "asyncio":
            asyncio.run(whole())
            return
        with pytest.raises(StopIteration):
            whole().send(None)

    async def alive(self) -> None:
        assert (await self.ask.reqCurrentTime()).year == 2024
        assert self.ended == []


@pytest.fixture(params=[(host, version) for host in HOSTS for version in VERSIONS], ids=lambda p: f"{p[0]}-{p[1]}")
def act(request: pytest.FixtureRequest) -> Act:
    return Act(*request.param)


# -- what a client is sent -----------------------------------------------------------------------------------


def test_01_a_message_nobody_knows_is_counted(act: Act) -> None:
    async def story() -> None:
        act.peer.send_bytes(act.raw(190, "1", "what", "is", "this") * 3)
        await act.alive()

    act.play(story)


def test_02_a_tick_nobody_knows_does_no_harm(act: Act) -> None:
    async def story() -> None:
        ticker = act.ib.reqMktData(Stock("NFLX", "SMART", "USD", conId=15124833))
        await act.alive()
        req_id = act.peer.received(m.ReqMktData)[0].reqId
        act.peer.send(m.TickPrice(req_id, 9999, 12.5, 3.0, 0), m.TickGeneric(req_id, 9998, 1.0))
        act.peer.send(m.TickPrice(req_id, 1, 500.25, 3.0, 0))
        await act.alive()
        assert (ticker.bid, ticker.bidSize) == (500.25, 3.0)

    act.play(story)


@pytest.mark.parametrize("version", [176, 200])
def test_03_text_where_a_number_belongs_costs_one_message(version: int, caplog: pytest.LogCaptureFixture) -> None:
    act = Act("blocking", version)

    async def story() -> None:
        ticker = act.ib.reqMktData(Stock("NFLX", "SMART", "USD", conId=15124833))
        await act.alive()
        req_id = str(act.peer.received(m.ReqMktData)[0].reqId)
        act.peer.send_bytes(act.raw(1, "6", req_id, "1", "much", "3", "0"))
        act.peer.send_bytes(act.raw(1, "6", req_id, "2", "500.5", "3", "0"))
        with caplog.at_level(logging.ERROR):
            await act.alive()
        assert ticker.ask == 500.5
        assert ticker.bid != ticker.bid, "nothing was made of it"
        assert "'much'" in caplog.text

    act.play(story)


def test_04_an_answer_that_cannot_be_read_fails_its_request(act: Act) -> None:
    async def story() -> None:
        garbage = act.raw(49, "1", "noon") if act.version < 213 else _protobuf(249, b"\x08")
        act.peer.on(m.ReqCurrentTime, lambda msg: act.peer.send_bytes(garbage) or [])
        with pytest.raises(ProtocolError):
            await act.ask.reqCurrentTime()
        act.peer.on(m.ReqCurrentTime, lambda msg: [m.CurrentTime(1704898800)])
        await act.alive()

    act.play(story)


def _protobuf(message_id: int, body: bytes) -> bytes:
    body = message_id.to_bytes(4, "big") + body
    return len(body).to_bytes(4, "big") + body


def test_05_an_impossible_length_ends_the_session_with_its_reason(act: Act) -> None:
    async def story() -> None:
        act.peer.on(m.ReqCurrentTime, lambda msg: act.peer.send_bytes(FOUR_GIB + b"x" * 100) or [])
        with pytest.raises(FrameTooLong, match="4294967295 bytes"):
            await act.ask.reqCurrentTime()
        assert act.ended == ["ended"]
        with pytest.raises(NotConnected):
            await act.ask.reqCurrentTime()

    act.play(story)


def test_06_a_frame_may_be_cut_anywhere(act: Act) -> None:
    async def story() -> None:
        whole = act.frame(m.CurrentTime(1704898800))
        for cut in range(1, len(whole)):
            act.peer.on(m.ReqCurrentTime, lambda msg, part=whole[:cut]: act.peer.send_bytes(part) or [])
            util.schedule(_in(act, 0.5), act.peer.send_bytes, whole[cut:])
            assert (await act.ask.reqCurrentTime()).year == 2024

    act.play(story)


def _in(act: Act, secs: float) -> datetime:
    return datetime.fromtimestamp(act.peer.clock.time() + secs, UTC)


def test_07_a_connection_that_ends_within_a_frame(act: Act) -> None:
    async def story() -> None:
        half = act.frame(m.CurrentTime(1704898800))[:-1]

        def leave(msg: m.ReqCurrentTime) -> list[m.Answer]:
            act.peer.send_bytes(half)
            act.peer.hang_up()
            return []

        act.peer.on(m.ReqCurrentTime, leave)
        with pytest.raises(ConnectionLost, match="closed the connection"):
            await act.ask.reqCurrentTime()
        assert act.ended == ["ended"]

    act.play(story)


@contextmanager
def impostor(answer: bytes) -> Iterator[int]:
    """Listen at a port and answer whatever comes with ``answer``; then keep silent until the client goes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(100)
                client.sendall(answer)
                while client.recv(100):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", FrameTooLong),
        (b"\0\0\0\x05hello", HandshakeError),
        (b"\0\0\0\x06" + b"225\0\0\0", HandshakeError),
        (FOUR_GIB + b"225\0", FrameTooLong),
        (handshake.server_hello(100, "20240105 10:11:12 EST"), HandshakeError),
        (handshake.server_hello(225, "") + b"\xff" * 8, ProtocolError),
    ],
    ids=["http", "short", "fields", "4 GiB", "old", "garbage after the hello"],
)
def test_08_something_else_listens_there(answer: bytes, error: type[Exception]) -> None:
    with impostor(answer) as port, pytest.raises((error, ConnectionLost)) as caught:
        IB().connect(port=port, timeout=30)
    assert str(caught.value)


# -- what the gateway is sent --------------------------------------------------------------------------------


@pytest.fixture(params=VERSIONS)
def gateway(request: pytest.FixtureRequest) -> Iterator[PaperGateway]:
    with PaperGateway(port=0, server_version=request.param) as running:
        yield running


@contextmanager
def bystander(gateway: PaperGateway) -> Iterator[None]:
    """Have somebody connected, who must not notice."""
    ib = IB()
    ib.connect(port=gateway.port, clientId=7)
    ended: list[bool] = []
    ib.disconnectedEvent += lambda: ended.append(True)
    yield
    assert ib.reqCurrentTime()
    assert not ended
    ib.disconnect()


class Raw:
    """A client that says what it wants."""

    def __init__(self, gateway: PaperGateway) -> None:
        self.sock = socket.create_connection(("127.0.0.1", gateway.port), 10)
        self.reader = FrameReader()
        self.codec: Codec

    def greet(self) -> None:
        self.sock.sendall(HELLO)
        version = handshake.read_server_hello(self.frame()).version
        self.codec = Codec(Role.CLIENT, version)
        self.sock.sendall(self.codec.encode(m.StartApi(3, "")))
        self.expect(m.NextValidId)

    def frame(self) -> bytes:
        while (body := self.reader.next()) is None:
            data = self.sock.recv(4096)
            assert data, "the gateway has hung up"
            self.reader.feed(data)
        return body

    def expect(self, kind: type) -> Any:
        """Return the next message of one kind that is about something."""
        while not isinstance(message := self.codec.decode(self.frame()), kind) or getattr(message, "reqId", 0) == -1:
            pass
        return message

    def is_hung_up_on(self) -> bool:
        try:
            while self.sock.recv(4096):
                pass
        except ConnectionError:
            pass
        return True


@contextmanager
def raw(gateway: PaperGateway) -> Iterator[Raw]:
    client = Raw(gateway)
    with client.sock:
        yield client


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", FOUR_GIB * 4, b"API\0" + FOUR_GIB, b"API\0\0\0\0\x09v1..2..33", b"\0" * 100],
    ids=["http", "ones", "4 GiB", "versions", "zeros"],
)
def test_09_garbage_instead_of_a_greeting(gateway: PaperGateway, garbage: bytes) -> None:
    with bystander(gateway), raw(gateway) as client:
        client.sock.sendall(garbage)
        assert client.is_hung_up_on()


def test_10_an_impossible_length(gateway: PaperGateway) -> None:
    with bystander(gateway), raw(gateway) as client:
        client.greet()
        client.sock.sendall(FOUR_GIB + b"x" * 1000)
        assert client.is_hung_up_on()


def test_11_a_frame_may_be_cut_anywhere_by_a_client_too(gateway: PaperGateway) -> None:
    with bystander(gateway), raw(gateway) as client:
        client.greet()
        whole = client.codec.encode(m.ReqCurrentTime())
        for cut in range(1, len(whole)):
            client.sock.sendall(whole[:cut])
            client.sock.sendall(whole[cut:])
            assert client.expect(m.CurrentTime).time > 0


def test_12_a_client_that_leaves_within_a_frame(gateway: PaperGateway) -> None:
    with bystander(gateway):
        for cut in range(1, len(HELLO)):
            with raw(gateway) as client:
                client.sock.sendall(HELLO[:cut])
        with raw(gateway) as client:
            client.greet()
            client.sock.sendall(client.codec.encode(m.ReqCurrentTime())[:-1])


def test_13_a_request_nobody_knows(gateway: PaperGateway) -> None:
    with bystander(gateway), raw(gateway) as client:
        client.greet()
        body = (190).to_bytes(4, "big") if client.codec.version >= 201 else b"190\0"
        client.sock.sendall((len(body) + 4).to_bytes(4, "big") + body + b"1\0x\0")
        client.sock.sendall(client.codec.encode(m.ReqCurrentTime()))
        assert client.expect(m.CurrentTime).time > 0


@pytest.mark.parametrize("version", [176, 200])
def test_14_text_where_a_number_belongs(version: int) -> None:
    with PaperGateway(port=0, server_version=version) as gateway, bystander(gateway), raw(gateway) as client:
        client.greet()
        body = b"2\x001\x00soon\x00"  # CANCEL_MKT_DATA of "soon"
        client.sock.sendall(len(body).to_bytes(4, "big") + body)
        client.sock.sendall(client.codec.encode(m.ReqCurrentTime()))
        assert client.expect(m.CurrentTime).time > 0


def test_15_nonsense_in_a_request_is_an_error_of_that_request(gateway: PaperGateway) -> None:
    contract = Stock("NFLX", "SMART", "USD")
    with bystander(gateway), raw(gateway) as client:
        client.greet()
        for duration, size, what in (
            ("many D", "1 hour", "TRADES"),
            ("1 D", "an hour", "TRADES"),
            ("1 D", "1 hour", "X"),
        ):
            request = m.ReqHistoricalData(5, contract, "", size, duration, True, what, 1, False, [])
            client.sock.sendall(client.codec.encode(request))
            assert client.expect(m.ErrMsg).reqId == 5
        client.sock.sendall(client.codec.encode(m.ReqContractData(6, Stock("NFLX", "NOWHERE", "XXX"))))
        assert client.expect(m.ErrMsg).errorCode == 200
