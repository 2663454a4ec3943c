"""Hostile clients: a gateway is fed spoiled requests, and must serve one that behaves all the while."""

from __future__ import annotations

import random
import time
from typing import Final

from ibkit.clock import VirtualClock
from ibkit.errors import HandshakeError
from ibkit.paper.gateway import Gateway, Limits, Session, start_moment
from ibkit.wire import MAX_VERSION, Codec, FrameReader, Role, Unknown, handshake
from ibkit.wire import messages as m
from ibkit.wire.framing import MAX_LENGTH
from tests.fuzz import corpus, mutation
from tests.fuzz.findings import Findings, Watcher, no_hang

START: Final = start_moment("2024-01-10 10:00")
FRAMES: Final = 150  # of a session, at most
SESSIONS: Final = 20  # that share a gateway, one after the other, beside one that behaves


class Peer:
    """One client: raw bytes out, decoded answers in."""

    def __init__(self, gateway: Gateway, version: int, hello: bytes | None = None) -> None:
        self.gateway = gateway
        self.session: Session = gateway.connect("fuzzer")
        self.reader = FrameReader()
        self.codec = Codec(Role.CLIENT, version)  # until the gateway has told its version
        self.greeted = False
        self.answers: list[object] = []
        self.errors = 0
        self.send(handshake.client_hello(157, version) if hello is None else hello)

    def send(self, data: bytes) -> None:
        """Send bytes and read everything that comes: what a gateway says must always be in order."""
        self.gateway.receive(self.session, data)
        self.read()

    def read(self) -> None:
        """Decode what has come."""
        self.reader.feed(self.session.output())
        while (body := self.reader.next()) is not None:
            if not self.greeted:
                self.codec = Codec(Role.CLIENT, handshake.read_server_hello(body).version)
                self.greeted = True
                continue
            message = self.codec.decode(body)
            if isinstance(message, Unknown):
                raise AssertionError(f"the gateway sent an unknown message {message.id}")
            if isinstance(message, m.ErrMsg) and message.reqId == -1 and message.errorCode == 320:
                self.errors += 1
            self.answers.append(message)
        if self.codec.trailing:
            raise AssertionError(f"the gateway sent more than it should: {dict(self.codec.trailing)}")


class World:
    """A gateway, its clock, and a client that behaves."""

    def __init__(self, rng: random.Random) -> None:
        self.clock = VirtualClock(START)
        limits = Limits(over_rate="ignore") if rng.random() < 0.8 else Limits(over_rate=rng.choice(("pace", "reject")))
        self.gateway = Gateway(self.clock, limits=limits, master_client=rng.choice((None, 5)))
        self.good = Peer(self.gateway, MAX_VERSION)
        self.good.send(self.good.codec.encode(m.StartApi(99, "")))

    def idle(self, rng: random.Random) -> None:
        """Let time pass, event by event as far as there are not too many."""
        end = self.clock.time() + rng.choice((0.0, 0.001, 0.25, 2.0))
        for _ in range(200):
            due = self.gateway.next_due()
            if due is None or due > end:
                break
            self.clock.advance(max(0.0, due - self.clock.time()))
            self.gateway.tick()
        self.clock.advance(max(0.0, end - self.clock.time()))
        self.gateway.tick()

    def check(self, findings: Findings) -> None:
        """See that the one who behaves is served."""
        self.clock.advance(1.0)  # its message rate is that of a person
        self.good.answers.clear()
        self.good.send(self.good.codec.encode(m.ReqCurrentTime()))
        if not any(isinstance(answer, m.CurrentTime) for answer in self.good.answers):
            findings.note("a client that behaves is not served any more")


def greeting(rng: random.Random, version: int) -> bytes | None:
    """Return how a connection begins; None: as it should."""
    if rng.random() < 0.9:
        return None
    good = handshake.client_hello(157, version)
    return rng.choice((
        b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"API\0", good[:6], mutation.flip(rng, good), rng.randbytes(50),
        b"API\0\xff\xff\xff\xff", b"API\0\0\0\0\0", b"API\0\0\0\0\x09v1..99999", handshake.client_hello(1, 156),
        handshake.client_hello(226, 500), handshake.client_hello(157, version, "+PACEAPI"), b"\x16\x03\x01\x02\x00\x01",
        b"API\0\0\0\x10\0" + b"v" * 4096,
    ))  # fmt: skip


def run_session(
    findings: Findings, watcher: Watcher, seed: str, world: World, versions: tuple[int, ...] = corpus.VERSIONS
) -> None:
    """Run one hostile connection to its end in a world; everything follows from ``seed`` and what happened there."""
    rng = random.Random(seed)
    version = rng.choice(versions)
    valid = rng.choice((0.05, 0.3, 0.6))
    frames = 0
    try:
        with no_hang():
            peer = Peer(world.gateway, version, greeting(rng, version))
        if peer.greeted and rng.random() < 0.97:
            peer.send(peer.codec.encode(m.StartApi(rng.choice((0, 1, 5, 99)), "")))
    except HandshakeError:  # ours: the gateway told a version that is too old for both
        return
    except Exception as error:  # the point of it all
        findings.failed(error)
        return
    while frames < FRAMES and not peer.session.closed:
        parts = [corpus.body(rng, True, version, valid) for _ in range(rng.choice((1, 1, 1, 2, 5)))]
        frames += len(parts)
        data = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        if rng.random() < 0.002:
            data += rng.choice((MAX_LENGTH + 1, 2**31, 2**32 - 1)).to_bytes(4, "big") + rng.randbytes(20)
        before = time.perf_counter()
        try:
            with no_hang():
                for piece in mutation.chunks(rng, data):
                    peer.send(piece)
                if rng.random() < 0.3:
                    world.idle(rng)
                    peer.read()
                    world.good.read()
        except Exception as error:  # the point of it all
            findings.failed(error)
        findings.took(time.perf_counter() - before)
        peer.answers.clear()
    session = peer.session
    findings.frames += frames
    findings.malformed += sum(session.unreadable.values())
    findings.unknown += sum(session.unknown_ids().values())
    findings.cut_off += bool(session.closed)
    if not session.closed and session._reader.pending() > MAX_LENGTH + 4:  # after the end: the rest of one read
        findings.note(f"{session._reader.pending()} bytes are buffered")
    try:
        world.gateway.disconnect(session, "the fuzzer hangs up")
        world.check(findings)
    except Exception as error:  # the same
        findings.failed(error)
