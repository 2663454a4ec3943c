"""A bounded run of the fuzzers, and what they take for granted about frames that lie about their length."""

from __future__ import annotations

import logging
import random

import pytest

from ibkit.errors import FrameTooLong
from ibkit.wire import FrameReader, Role
from ibkit.wire import messages as m
from ibkit.wire.framing import MAX_LENGTH
from tests.engine.peer import EngineUnderTest
from tests.fuzz import corpus, mutation
from tests.fuzz.__main__ import fuzz
from tests.paper.gateway.peer import World

LIES = (MAX_LENGTH + 1, 2**31, 2**32 - 1, 2**32 - 4, int.from_bytes(b"GET ", "big"))


@pytest.mark.parametrize(("side", "frames"), [("client", 12_000), ("gateway", 4_000)])
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_a_peer_sends_gets_further_than_its_message(side: str, frames: int, seed: int) -> None:
    findings = fuzz(side, seed, frames)
    assert not findings.rows, f"python -m tests.fuzz reproduces it\n{findings}"
    assert findings.malformed > frames / 20
    assert findings.unknown > 0
    assert findings.cut_off > 0


@pytest.mark.parametrize("length", LIES)
def test_a_frame_over_the_limit_is_refused_when_it_is_announced(length: int) -> None:
    reader = FrameReader()
    reader.feed(length.to_bytes(4, "big"))
    with pytest.raises(FrameTooLong):
        reader.next()
    assert reader.pending() == 4


@pytest.mark.parametrize("length", LIES)
def test_a_client_tells_why_it_hangs_up(length: int) -> None:
    peer = EngineUnderTest()
    with pytest.raises(FrameTooLong, match=str(length)) as caught:
        peer.feed(length.to_bytes(4, "big"))
    assert peer.engine.refusal is caught.value
    waiting = peer.engine.calls.ask(m.ReqCurrentTime(), key="currentTime", name="reqCurrentTime()")
    peer.engine.closed(str(caught.value))
    assert waiting.error is caught.value


@pytest.mark.parametrize("length", LIES)
def test_a_gateway_tells_why_it_hangs_up(length: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ibkit.paper")
    client = World().client()
    client.send_bytes(length.to_bytes(4, "big"))
    assert str(length) in client.session.closed
    assert client.session.closed in caplog.text


def test_a_frame_just_below_the_limit_is_taken() -> None:
    reader = FrameReader()
    reader.feed(MAX_LENGTH.to_bytes(4, "big") + bytes(MAX_LENGTH))
    body = reader.next()
    assert body is not None
    assert len(body) == MAX_LENGTH
    assert not reader.pending()


@pytest.mark.parametrize("requests", [True, False])
@pytest.mark.parametrize("version", corpus.VERSIONS)
def test_the_corpus_has_every_message(requests: bool, version: int) -> None:
    role = Role.CLIENT if requests else Role.SERVER
    assert len(corpus.by_name(requests, version)) > 70, role


def test_the_same_seed_is_the_same_run() -> None:
    bodies = [
        [mutation.mutate(rng, body.data, False) for body in corpus.bodies(True, 176)]
        for rng in (random.Random(7), random.Random(7))
    ]
    assert bodies[0] == bodies[1]
