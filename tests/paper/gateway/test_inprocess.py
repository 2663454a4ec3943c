"""The gateway in the caller's thread: nothing sleeps, and every run is the same."""

from __future__ import annotations

from ibkit.links.memory import MemoryLink
from ibkit.model import Contract
from ibkit.paper import InProcess, in_process
from ibkit.wire import Codec, FrameReader, Role, handshake
from ibkit.wire import messages as m

APPLE = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")


class Caller:
    """A client at a memory link, which waits by pumping."""

    def __init__(self, world: InProcess, client_id: int = 1) -> None:
        self.world = world
        self.link: MemoryLink = world.link()
        self.reader = FrameReader()
        self.link.write(handshake.client_hello())
        assert self.link.pump(None)
        self.reader.feed(self.link.read() or b"")
        self.codec = Codec(Role.CLIENT, handshake.read_server_hello(self.reader.next() or b"").version)
        self.send(m.StartApi(client_id, ""))
        assert self.link.pump(None)
        self.got()

    def send(self, message: m.Request) -> None:
        self.link.write(self.codec.encode(message))

    def got(self) -> list[object]:
        while data := self.link.read():
            self.reader.feed(data)
        found: list[object] = []
        while (body := self.reader.next()) is not None:
            found.append(self.codec.decode(body))
        return found

    def wait(self, secs: float) -> list[object]:
        found: list[object] = []
        end = self.world.clock.monotonic() + secs
        while self.world.clock.monotonic() < end and self.link.pump(end):
            found += self.got()
        return found + self.got()


def test_an_hour_passes_in_a_blink_and_is_always_the_same() -> None:
    def hour() -> list[object]:
        caller = Caller(in_process(seed=3))
        caller.send(m.ReqMktData(1, APPLE, "233", False, False, []))
        caller.send(m.ReqRealTimeBars(2, APPLE, 5, "TRADES", True, []))
        found = caller.wait(3600)
        assert caller.world.clock.monotonic() == 3600
        return found

    first = hour()
    assert sum(isinstance(message, m.RealTimeBars) for message in first) == 720
    assert first == hour()


def test_the_clock_moves_only_while_somebody_waits_and_not_beyond_what_comes_next() -> None:
    world = in_process()
    caller = Caller(world)
    assert world.clock.monotonic() == 0
    assert not caller.link.pump(None), "nothing will ever happen"
    assert not caller.link.pump(10.0)
    caller.send(m.ReqRealTimeBars(2, APPLE, 5, "TRADES", True, []))
    assert caller.link.pump(None)
    assert world.clock.monotonic() == 5
    assert len(caller.got()) == 1
    assert caller.link.pump(7.0)
    assert world.clock.monotonic() == 7
    assert caller.got() == []


def test_several_clients_share_one_world() -> None:
    world = in_process()
    one, two = Caller(world, 1), Caller(world, 2)
    for caller in (one, two):
        caller.send(m.ReqMktData(1, APPLE, "", False, False, []))
    seen = one.wait(5)
    assert seen
    assert two.got() == seen


def test_leaving_frees_the_client_id() -> None:
    world = in_process()
    one = Caller(world, 1)
    one.link.close()
    world.pump(None)
    assert world.gateway.sessions == []
    Caller(world, 1)


def test_a_closed_session_closes_the_link() -> None:
    world = in_process()
    one = Caller(world, 1)
    one.link.write(b"\xff\xff\xff\xff")
    assert one.link.pump(None)
    assert one.link.read() == b""
