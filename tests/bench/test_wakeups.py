"""What a wake-up costs is counted: calls of functions, and what is asked of the system, over a real socket.

The gateway acts inside the client's own ``write``, on the same thread: nothing depends on time.
"""

from __future__ import annotations

import asyncio
import select
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from types import BuiltinFunctionType
from typing import Any, Self

import pytest

from bench.clients.job import order_price
from bench.orders import Account
from ibkit import IB, LimitOrder, Ticker
from ibkit.links.socket import SocketLink
from ibkit.wire import Codec, FrameReader, Role, Unknown, handshake
from ibkit.wire import messages as m
from tests.bench.test_guard import VERSIONS, stock


class Gateway(SocketLink):
    """The client's end of a connection; what the client writes is answered before ``write`` returns."""

    def __init__(self, version: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            self.theirs, _ = listener.accept()
        self.theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(ours, "the gateway")
        self.codec = Codec(Role.SERVER, version)
        self.packets: Iterator[bytes] = iter(())
        self.ids: list[int] = []
        self.playing = False
        self._account = Account(self.codec, 0, 0, 0)
        self._frames = FrameReader()
        self._greeted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.theirs.close()

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.playing:
            self.theirs.recv(1 << 16)
            self.next()
            return
        if not self._greeted:
            self._greeted = True
            _, taken = handshake.read_client_hello(data)
            data = data[taken:]
            self.theirs.send(handshake.server_hello(self.codec.version, "20240105 10:11:12 EST"))
        self._frames.feed(data)
        while (body := self._frames.next()) is not None:
            message = self.codec.decode(body)
            assert not isinstance(message, Unknown)
            if isinstance(message, m.ReqMktData):
                self.ids.append(message.reqId)
            answer = self._account.answer(message)
            if isinstance(message, m.ReqCurrentTime):
                answer = self.codec.encode(m.CurrentTime(1_704_466_800))
            self.theirs.send(answer or b"")

    def next(self) -> None:
        """Send the next packet."""
        self.theirs.send(next(self.packets, self.codec.encode(m.CurrentTime(1_704_466_800))))


class Count:
    """Counts the functions that are called inside, and the system calls of a client."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.calls = 0
        self.system: Counter[str] = Counter()

    def __enter__(self) -> Self:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: object, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1
            if isinstance(argument, BuiltinFunctionType):
                of = argument.__self__
                watching = type(of) in (type(select.poll()), getattr(select, "epoll", None))
                if (isinstance(of, socket.socket) and of is not self._gateway.theirs) or watching:
                    self.system[argument.__name__] += 1


ROUNDS = 200


def begin(version: int, gateway: Gateway) -> IB:
    ib = IB()
    ib.client.MaxRequests = 0
    ib.connectLink(gateway)
    ib.reqMktData(stock(0))
    return ib


def ticks(gateway: Gateway, count: int, per_packet: int = 1) -> Iterator[bytes]:
    """Return packets of ticks, each of which tells a new price."""
    frames = [gateway.codec.encode(m.TickPrice(gateway.ids[0], 1, order_price(i), 100.0 + i, 0)) for i in range(count)]
    return iter([b"".join(frames[i : i + per_packet]) for i in range(0, count, per_packet)])


def round_trips(gateway: Gateway, ib: IB) -> None:
    """Have each tick answered by an order, and each order by the next tick."""

    def on_tickers(tickers: set[Ticker]) -> None:
        for ticker in tickers:
            ib.placeOrder(stock(0), LimitOrder("BUY", 100, ticker.bid, tif="DAY", account="DU1"))

    gateway.packets = ticks(gateway, 10)  # what is made on first use has been made then
    ib.pendingTickersEvent += on_tickers
    gateway.playing = True
    ib.reqCurrentTime()
    gateway.packets = ticks(gateway, ROUNDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_round_trip_asks_the_system_three_times(version: int) -> None:
    with Gateway(version) as gateway:
        ib = begin(version, gateway)
        round_trips(gateway, ib)
        with Count(gateway) as count:
            ib.reqCurrentTime()
        assert len(ib.trades()) >= ROUNDS
        gateway.playing = False
        ib.disconnect()
    for name in ("poll", "recv", "send"):
        assert ROUNDS <= count.system[name] <= ROUNDS + 3
    assert sum(count.system.values()) <= 3 * ROUNDS + 12
    assert count.calls / ROUNDS < 230


@pytest.mark.parametrize("version", VERSIONS)
def test_in_asyncio_too(version: int) -> None:
    async def main() -> Count:
        with Gateway(version) as gateway:
            ib = begin(version, gateway)
            round_trips(gateway, ib)
            with Count(gateway) as count:
                await ib.reqCurrentTimeAsync()
            assert len(ib.trades()) >= ROUNDS
            gateway.playing = False
            ib.disconnect()
            return count

    count = asyncio.run(main())
    for name in ("poll", "recv", "send"):
        assert ROUNDS <= count.system[name] <= ROUNDS + 12
    assert sum(count.system.values()) <= 3 * ROUNDS + 40
    assert count.calls / ROUNDS < 255


@pytest.mark.parametrize("version", VERSIONS)
def test_a_packet_of_ticks_costs_little_more_than_its_ticks(version: int) -> None:
    with Gateway(version) as gateway:
        ib = begin(version, gateway)
        seen = 0

        def on_tickers(tickers: set[Ticker]) -> None:
            nonlocal seen
            seen += sum(len(ticker.ticks) for ticker in tickers)
            gateway.next()

        ib.pendingTickersEvent += on_tickers
        gateway.packets = ticks(gateway, 100, 10)
        gateway.playing = True
        ib.reqCurrentTime()
        gateway.packets = ticks(gateway, 10 * ROUNDS, 10)
        with Count(gateway) as count:
            ib.reqCurrentTime()
        gateway.playing = False
        ib.disconnect()
    assert seen >= 10 * ROUNDS
    assert ROUNDS <= count.system["recv"] <= ROUNDS + 3
    assert count.system["send"] <= 3
    assert count.calls / ROUNDS < 175
