"""Stories about nonsense on the wire, on either side: the session lives, or ends with a reason; nothing hangs."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    Ticker,
)
from ibkit.paper import PaperGateway
from ibkit.wire import Codec, FrameReader, Role, handshake
from ibkit.wire import messages as m
from tests.scenarios.stage import VERSIONS, World, story

FOUR_GIB = b"\xff\xff\xff\xff"

HELLO = handshake.client_hello(157, 225)


def frame(world: World, message: m.Answer) -> bytes:
    """Return a message as this server would send it."""
    return Codec(Role.SERVER, world.version).encode(message)


def raw_text(world: World, message_id: int, *fields: str) -> bytes:
    """Return a text message with any fields."""
    text = "".join(f"{field}\0" for field in fields).encode()
    body = message_id.to_bytes(4, "big") + text if world.version >= 201 else f"{message_id}\0".encode() + text
    return len(body).to_bytes(4, "big") + body


def raw_protobuf(message_id: int, body: bytes) -> bytes:
    body = message_id.to_bytes(4, "big") + body
    return len(body).to_bytes(4, "big") + body


def answer_time(world: World, *parts: m.Answer | bytes) -> None:
    """Have the peer answer the request for the time with ``parts``, as they are."""

    def answer(msg: m.ReqCurrentTime) -> list[m.Answer]:
        for part in parts:
            world.peer.send_bytes(part if isinstance(part, bytes) else frame(world, part))
        return []

    world.peer.on(m.ReqCurrentTime, answer)


NOON = m.CurrentTime(1704898800)


async def alive(world: World) -> None:
    answer_time(world, NOON)
    assert (await world.ask.reqCurrentTime()).year == 2024
    assert world.ib.isConnected()


def ends(world: World) -> list[str]:
    """Return a list that tells how often the connection has ended."""
    ended: list[str] = []
    world.ib.disconnectedEvent += lambda: ended.append("ended")
    return ended


async def watched(world: World) -> tuple[Ticker, int]:
    """Return a ticker, and the number of its request."""
    ticker = world.ib.reqMktData(Stock("NFLX", "SMART", "USD", conId=15124833))
    await alive(world)
    return ticker, world.peer.received(m.ReqMktData)[0].reqId


# -- what a client is sent -----------------------------------------------------------------------------------


@story(scripted=True)
async def test_01_a_message_nobody_knows_is_counted(world: World) -> None:
    world.tell(lambda: world.peer.send_bytes(raw_text(world, 190, "1", "what", "is", "this") * 3))
    await alive(world)


@story(scripted=True)
async def test_02_a_tick_nobody_knows_does_no_harm(world: World) -> None:
    ticker, number = await watched(world)
    world.tell(lambda: world.peer.send(m.TickPrice(number, 9999, 12.5, 3.0, 0), m.TickGeneric(number, 9998, 1.0)))
    world.tell(lambda: world.peer.send(m.TickPrice(number, 1, 500.25, 3.0, 0)))
    await alive(world)
    assert (ticker.bid, ticker.bidSize) == (500.25, 3.0)


@story(scripted=True, versions=(176, 200))
async def test_03_text_where_a_number_belongs_costs_one_message(world: World) -> None:
    ticker, number = await watched(world)
    told: list[logging.LogRecord] = []
    listener = logging.Handler(logging.ERROR)
    listener.emit = told.append  # type: ignore[method-assign]
    logging.getLogger("ibkit").addHandler(listener)
    try:
        world.tell(lambda: world.peer.send_bytes(raw_text(world, 1, "6", str(number), "1", "much", "3", "0")))
        world.tell(lambda: world.peer.send_bytes(raw_text(world, 1, "6", str(number), "2", "500.5", "3", "0")))
        await alive(world)
    finally:
        logging.getLogger("ibkit").removeHandler(listener)
    assert ticker.ask == 500.5
    assert ticker.bid != ticker.bid, "nothing was made of it"
    assert any("'much'" in record.getMessage() for record in told)


@story(scripted=True)
async def test_04_an_answer_that_cannot_be_read_fails_its_request(world: World) -> None:
    answer_time(world, raw_text(world, 49, "1", "noon") if world.version < 213 else raw_protobuf(249, b"\x08"))
    with pytest.raises(ProtocolError):
        await world.ask.reqCurrentTime()
    await alive(world)


@story(scripted=True)
async def test_05_an_impossible_length_ends_the_session_with_its_reason(world: World) -> None:
    ended = ends(world)
    answer_time(world, FOUR_GIB + b"x" * 100)
    with pytest.raises(FrameTooLong, match="4294967295 bytes"):
        await world.ask.reqCurrentTime()
    assert ended == ["ended"]
    with pytest.raises(NotConnected):
        await world.ask.reqCurrentTime()


@story(scripted=True)
async def test_06_a_frame_may_be_cut_anywhere(world: World) -> None:
    whole = frame(world, NOON)
    for cut in range(1, len(whole)):
        answer_time(world, whole[:cut])
        world.at_peer(0.5, lambda cut=cut: world.peer.send_bytes(whole[cut:]))  # type: ignore[misc]
        assert (await world.ask.reqCurrentTime()).year == 2024


@story(scripted=True)
async def test_07_a_connection_that_ends_within_a_frame(world: World) -> None:
    ended = ends(world)

    def leave(msg: m.ReqCurrentTime) -> list[m.Answer]:
        world.peer.send_bytes(frame(world, NOON)[:-1])
        world.peer.hang_up()
        return []

    world.peer.on(m.ReqCurrentTime, leave)
    with pytest.raises(ConnectionLost, match="closed the connection"):
        await world.ask.reqCurrentTime()
    assert ended == ["ended"]


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
