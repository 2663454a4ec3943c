"""One client at the gateway: handshake, start, versions, and everything a peer can do wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkit.model import Contract
from ibkit.paper.gateway import Limits
from ibkit.paper.gateway import session as session_module
from ibkit.wire import handshake
from ibkit.wire import messages as m
from tests.paper.gateway.peer import START, Client, World, only

VERSIONS = (157, 176, 193, 200, 201, 212, 213, 225)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_handshake_is_answered_in_one_piece_and_nothing_follows_until_the_client_starts(version: int) -> None:
    world = World(server_version=version)
    client = world.client(start=False)
    assert client.version == version
    assert client.greeting == handshake.server_hello(version, "20240110 10:00:00 EST")
    world.run(60)
    assert client.read() == []


@pytest.mark.parametrize("version", VERSIONS)
def test_starting_brings_accounts_next_id_and_farms_in_this_order(version: int) -> None:
    answers = World(server_version=version).client(start=False).ask(m.StartApi(7, ""))
    assert answers[:2] == [m.ManagedAccts("DU1234567"), m.NextValidId(1)]
    errors = answers[2:]
    assert {error.errorCode for error in only(m.ErrMsg, errors)} == {2104, 2106, 2158}
    assert all(error.reqId == -1 for error in only(m.ErrMsg, errors))
    assert {error.errorTime for error in only(m.ErrMsg, errors)} == ({0} if version < 194 else {int(START * 1000)})


def test_the_older_of_both_sides_decides() -> None:
    world = World(server_version=200)
    assert world.client(version=225).version == 200
    assert World(server_version=225).client(version=178).version == 178


def test_a_client_that_is_too_new_is_told_our_version_and_let_go() -> None:
    world = World(server_version=176)
    client = Client(world, hello=handshake.client_hello(213, 225))
    assert client.version == 176
    assert "no common version" in client.session.closed
    assert world.gateway.sessions == []


def test_a_client_that_is_too_old_is_let_go() -> None:
    world = World()
    session = world.gateway.connect("old")
    world.gateway.receive(session, b"API\0" + handshake.client_hello(100, 156)[4:])
    assert "no common version" in session.closed


def test_the_second_user_of_a_client_id_gets_326_and_the_door() -> None:
    world = World()
    first = world.client(5)
    second = world.client(5, start=False)
    error = second.error(m.StartApi(5, ""))
    assert (error.reqId, error.errorCode) == (-1, 326)
    assert second.session.closed
    assert isinstance(first.ask(m.ReqCurrentTime())[0], m.CurrentTime)
    world.gateway.disconnect(first.session, "gone")
    assert not world.client(5).session.closed


def test_too_many_clients_are_not_let_in() -> None:
    world = World(limits=Limits(clients=2))
    world.client(1)
    world.client(2)
    assert "2 clients" in world.gateway.connect("third").closed


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"\0" * 64, b"API\0\xff\xff\xff\xff"]
)
def test_garbage_at_the_door_ends_with_a_reason(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    session = world.gateway.connect("stranger")
    with caplog.at_level("INFO", "ibkit.paper"):
        world.gateway.receive(session, garbage)
    assert "not a TWS API client" in session.closed
    assert session.output() == b""
    assert session.closed in caplog.text


@given(st.binary(max_size=200))
def test_any_garbage_after_the_start_leaves_the_gateway_alive(garbage: bytes) -> None:
    world = WORLD
    client = Client(world)
    client.send(m.StartApi(99, ""))
    client.send_bytes(len(garbage).to_bytes(4, "big") + garbage)
    world.run(0.1)
    world.gateway.disconnect(client.session, "done")
    assert isinstance(world.client(1).ask(m.ReqCurrentTime())[0], m.CurrentTime)
    world.gateway.disconnect(world.gateway.sessions[0], "done")


WORLD = World(limits=Limits(over_rate="ignore"))


@pytest.mark.parametrize("length", [0x1000000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_session_before_anything_is_kept(
    length: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = World().client()
    with caplog.at_level("INFO", "ibkit.paper"):
        client.send_bytes(length.to_bytes(4, "big"))
    assert f"{length} bytes" in client.session.closed
    assert client.session.closed in caplog.text
    client.send_bytes(b"x" * 100_000)
    assert client.session._reader.pending() <= 4


def test_the_longest_possible_message_is_waited_for() -> None:
    client = World().client()
    client.send_bytes((0xFFFFFF).to_bytes(4, "big") + b"\0" * 100)
    assert not client.session.closed


def test_what_a_client_may_have_going_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MOST_STREAMS", 3)
    client = World().client()
    for n in range(3):
        client.ask(m.SubscribeToGroupEvents(n, 1))
    error = client.error(m.SubscribeToGroupEvents(3, 1))
    assert (error.errorCode, "cancel some" in error.errorString) == (322, True)
    client.ask(m.UnsubscribeFromGroupEvents(1))
    assert only(m.DisplayGroupUpdated, client.ask(m.SubscribeToGroupEvents(3, 1)))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_message_id_is_counted_and_told(version: int) -> None:
    client = World(server_version=version).client()
    body = b"9999\0what\0" if version < 201 else (999).to_bytes(4, "big") + b"what\0"
    client.send_bytes(len(body).to_bytes(4, "big") + body)
    error = only(m.ErrMsg, client.read())[0]
    assert error.errorCode == 320
    assert sum(client.session.unknown_ids().values()) == 1
    assert isinstance(client.ask(m.ReqCurrentTime())[0], m.CurrentTime)


def test_an_answer_sent_to_the_gateway_is_unknown_too() -> None:
    client = World(server_version=176).client()
    body = b"15\0DU1\0"  # as a request, 15 is REQ_AUTO_OPEN_ORDERS: text where a flag belongs
    client.send_bytes(len(body).to_bytes(4, "big") + body)
    assert only(m.ErrMsg, client.read())[0].errorCode in (320, 327)


@pytest.mark.parametrize("version", [176, 200])
def test_text_where_a_number_belongs_is_an_error_of_that_message_alone(version: int) -> None:
    client = World(server_version=version).client()
    body = b"9\x008\0seven\0zero\0AAPL\0"
    client.send_bytes(len(body).to_bytes(4, "big") + body)
    assert only(m.ErrMsg, client.read())[0].errorCode == 320
    assert client.session.unreadable.total() == 1
    assert isinstance(client.ask(m.ReqCurrentTime())[0], m.CurrentTime)


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_one_at_a_time_and_all_at_once_are_the_same(version: int) -> None:
    def conversation(client: Client) -> bytes:
        apple = Contract(secType="STK", symbol="AAPL", exchange="SMART", currency="USD")
        requests = [
            m.StartApi(1, ""),
            m.ReqContractData(1, apple),
            m.ReqMktData(2, apple, "233", False, False, []),
            m.ReqIds(1),
        ]
        return b"".join(client.codec.encode(request) for request in requests)

    whole = World(server_version=version).client(start=False)
    whole.send_bytes(conversation(whole))
    cut = World(server_version=version).client(start=False)
    for byte in conversation(cut):
        cut.send_bytes(bytes([byte]))
    assert whole.read() == cut.read() != []


def test_the_handshake_may_come_in_pieces_with_the_start_behind_it() -> None:
    world = World()
    session = world.gateway.connect("slow")
    for byte in handshake.client_hello():
        world.gateway.receive(session, bytes([byte]))
    assert session.output().startswith(b"\0\0\0")


def test_requests_before_the_start_are_refused() -> None:
    client = World().client(start=False)
    assert client.error(m.ReqCurrentTime()).errorCode == 504
    assert client.one(m.VerifyMessageApi, m.VerifyRequest("app", "1.0")).apiData
    assert client.one(m.VerifyCompleted, m.VerifyMessage("answer")).isSuccessful


def test_starting_twice_is_an_error() -> None:
    assert World().client().error(m.StartApi(2, "")).errorCode == 322


class TestMessageRate:
    """TWS takes half as many messages a second as a login has lines."""

    def test_more_than_fifty_a_second_are_read_later(self) -> None:
        world = World()
        client = world.client()
        client.send_bytes(b"".join(client.codec.encode(m.ReqCurrentTime()) for _ in range(120)))
        assert len(client.read()) == 49  # the start was one
        assert len(client.wait(1.0)) == 50
        assert len(client.wait(1.0)) == 21

    def test_a_gateway_may_reject_them_and_hang_up_at_the_third_time(self) -> None:
        client = World(limits=Limits(over_rate="reject")).client()
        client.send_bytes(b"".join(client.codec.encode(m.ReqCurrentTime()) for _ in range(60)))
        errors = only(m.ErrMsg, client.read())
        assert [error.errorCode for error in errors] == [100, 100, 100]
        assert "50 messages a second" in client.session.closed

    def test_paceapi_asks_for_pacing(self) -> None:
        client = Client(World(limits=Limits(over_rate="reject")), hello=handshake.client_hello(157, 225, "+PACEAPI"))
        client.ask(m.StartApi(1, ""))
        client.send_bytes(b"".join(client.codec.encode(m.ReqCurrentTime()) for _ in range(60)))
        assert len(only(m.CurrentTime, client.wait(2))) == 60
