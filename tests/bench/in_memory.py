"""The benchmark's gateway in the same thread: no sockets, no clock, so that what a client does can be counted."""

from __future__ import annotations

from bench.orders import Account
from bench.plays import PLAYS, Play
from bench.scenarios import Params
from ibkit.clock import VirtualClock
from ibkit.links.memory import MemoryLink, memory_pair
from ibkit.wire import Codec, FrameReader, Role, Unknown, handshake
from ibkit.wire import messages as m


class MemoryGateway:
    """Plays one kind of scenario to one client; each ``send`` is a packet, and read on its own."""

    def __init__(self, kind: str, params: Params, version: int) -> None:
        codec = Codec(Role.SERVER, version)
        self.clock = VirtualClock(1_704_466_800.0)
        self.play: Play = PLAYS[kind](params, codec)
        self.play.begin()
        self._account = Account(codec, 0, 0, 0)
        self._codec, self._version = codec, version
        self._frames = FrameReader()
        self._greeted = False
        self._packets: list[bytes] = []
        self.ours: MemoryLink
        self.ours, self._theirs = memory_pair("the gateway of the benchmark", self._pump)

    def _pump(self, until: float | None) -> bool:
        if self._packets:
            self._theirs.write(self._packets.pop(0))
            return True
        data = self._theirs.read()
        if not data:
            return False
        if not self._greeted:
            self._greeted = True
            _, taken = handshake.read_client_hello(data)
            data = data[taken:]
            self.send(handshake.server_hello(self._version, "20240105 10:11:12 EST"))
        self._frames.feed(data)
        while (body := self._frames.next()) is not None:
            message = self._codec.decode(body)
            assert not isinstance(message, Unknown)
            self._answer(message)
        return True

    def _answer(self, message: m.Message) -> None:
        answer = self._account.answer(message)
        if answer is not None:
            self.send(answer)
        else:
            self.play.take(message, self)

    # -- what plays use ------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        self._packets.append(data)

    def later(self, delay_s: float, data: bytes) -> None:
        self.send(data)

    def exchange(self, data: bytes, patience_s: float) -> tuple[list[m.Message], float]:
        raise AssertionError("not in memory: the client would have to act inside")
