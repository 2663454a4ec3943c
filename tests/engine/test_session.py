"""The beginning of a connection (semantics.md 1; protocol README, "Connection")."""

from __future__ import annotations

import struct

import pytest

from ibkit.engine.call import Call
from ibkit.engine.state import State
from ibkit.errors import (
    ClientIdInUse,
    ConnectionLost,
    FrameTooLong,
    HandshakeError,
    NotConnected,
    ProtocolError,
)
from ibkit.wire import messages as m
from tests.engine.peer import NEWEST, EngineUnderTest


def test_the_client_offers_its_versions_and_says_who_it_is(version: int, how: str) -> None:
    under = EngineUnderTest(version, ready=False, client_id=7, how=how)
    assert under.requests() == []
    assert under.gateway.hello is not None
    assert (under.gateway.hello.lo, under.gateway.hello.hi) == (157, 225)
    under.feed(under.gateway.server_hello())
    assert under.engine.version == version
    assert under.requests() == [m.StartApi(7, "")]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1)])
def test_ready_means_the_next_id_and_the_accounts_in_any_order(order: tuple[int, ...], version: int) -> None:
    """semantics.md 1.3: ready is 9 and a non-empty 15; what comes before is read as usual."""
    under = EngineUnderTest(version, ready=False)
    under.requests()
    under.feed(under.gateway.server_hello())
    said = [m.NextValidId(17), m.ManagedAccts("DU1,DU2,"), m.ErrMsg(-1, 2104, "farm is OK:usfarm", "", 0)]
    for i in order:
        assert not under.engine.session.ready.done or i == 2
        under.send(said[i])
    assert under.engine.ready
    assert under.engine.session.ready.done
    assert under.engine.state.account.managed == ["DU1", "DU2"]
    assert under.engine.next_id() == 17
    assert ("errorEvent", -1, 2104, "farm is OK:usfarm", None) in under.told


def test_no_accounts_is_not_ready() -> None:
    under = EngineUnderTest(ready=False)
    under.requests()
    under.feed(under.gateway.server_hello())
    under.send(m.NextValidId(1), m.ManagedAccts(""))
    assert not under.engine.ready


def test_a_client_id_in_use_is_told_at_once(version: int) -> None:
    """peer-weaknesses.md 1.6: ib_insync waits for the whole timeout."""
    under = EngineUnderTest(version, ready=False, client_id=3)
    under.requests()
    under.feed(under.gateway.server_hello())
    under.send(m.ErrMsg(-1, 326, "Unable to connect as the client id is already in use.", "", 0))
    ready = under.engine.session.ready
    assert isinstance(ready.error, ClientIdInUse)
    assert "client id 3" in str(ready.error)
    under.engine.closed("the gateway closed the connection")
    assert ("errorEvent", -1, 326, "Unable to connect as the client id is already in use.", None) in under.told
    assert "disconnectedEvent" not in under.names()


def test_an_early_end_is_told_with_what_to_do() -> None:
    under = EngineUnderTest(ready=False)
    under.requests()
    under.engine.closed("the other side closed the connection")
    error = under.engine.session.ready.error
    assert isinstance(error, ConnectionLost)
    assert "Trusted IPs" in str(error)


def test_ids_never_go_back() -> None:
    """limits.md 2: after a restart the gateway may offer ids that were sent already (LeanIB #242)."""
    state = State()
    first = EngineUnderTest(state=state, next_id=38103)
    assert first.engine.next_id() == 38103
    first.engine.closed("restart")
    second = EngineUnderTest(state=state, next_id=38099)
    assert second.engine.next_id() == 38104


def test_another_login_begins_anew() -> None:
    state = State()
    first = EngineUnderTest(state=state, accounts="DU1")
    first.send(m.AcctValue("NetLiquidation", "5", "USD", "DU1"))
    first.engine.closed("restart")
    EngineUnderTest(state=state, accounts="DU1,DU2")
    assert state.account.values
    EngineUnderTest(state=state, accounts="U77")
    assert not state.account.values
    assert state.account.managed == ["U77"]


def _refused(data: bytes, **kwargs: object) -> EngineUnderTest:
    under = EngineUnderTest(ready=False)
    under.requests()
    with pytest.raises(ProtocolError) as caught:
        under.feed(data)
    under.engine.closed(str(caught.value))
    return under


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", FrameTooLong),
        (struct.pack(">I", 0xFFFFFFFF) + b"x", FrameTooLong),
        (struct.pack(">I", 5) + b"hello", HandshakeError),
        (struct.pack(">I", 0), HandshakeError),
        (struct.pack(">I", 8) + b"100\x00now\x00", HandshakeError),
        (struct.pack(">I", 8) + b"999\x00now\x00", HandshakeError),
        (struct.pack(">I", 4) + b"\xff\xfe\xfd\xfc", HandshakeError),
    ],
)
def test_whatever_is_no_gateway_ends_the_connection_with_the_reason(data: bytes, error: type[Exception]) -> None:
    under = _refused(data)
    assert isinstance(under.engine.session.ready.error, error)


def test_nothing_can_be_asked_before_the_handshake_and_after_the_end() -> None:
    under = EngineUnderTest(NEWEST, ready=False)
    with pytest.raises(NotConnected):
        under.engine.next_id()
    with pytest.raises(NotConnected):
        under.engine.send(m.ReqCurrentTime())
    under.engine.closed("over")
    with pytest.raises(NotConnected):
        under.engine.send(m.ReqCurrentTime())


def test_the_end_fails_what_is_pending_once_and_tells_it_once() -> None:
    """peer-weaknesses.md 1.5: a wanted disconnect leaves ib_insync's awaiters hanging for ever."""
    under = EngineUnderTest()
    call: Call[object] = under.engine.ask(m.ReqCurrentTime(), key="currentTime", name="reqCurrentTime()")
    under.engine.wanted_end = True
    under.engine.closed("disconnect() was called")
    under.engine.closed("again")
    assert isinstance(call.error, ConnectionLost)
    assert "disconnect() was called" in str(call.error)
    assert under.names() == ["disconnectedEvent"]
    assert under.engine.deadline() is None
    assert not under.engine.step(1.0)
