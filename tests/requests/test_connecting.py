"""Connecting, synchronizing, waiting, disconnecting: as ib_insync does, but without its hangs (semantics.md 1, 2)."""

from __future__ import annotations

import asyncio
import inspect
import logging
import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from ibkit import (
    IB,
    ClientIdInUse,
    ConnectionLost,
    ConnectionRefused,
    FrameTooLong,
    HandshakeError,
    InvalidRequest,
    LimitOrder,
    NotConnected,
    RequestTimeout,
    StartupFetch,
    StartupFetchNONE,
    Stock,
    util,
)
from ibkit.hosts import Host
from ibkit.legacy.ib import IB as OldIB
from ibkit.requests import connecting
from ibkit.wire import compiler
from ibkit.wire import messages as m
from tests.engine.orders_said import completed, execution, open_order, status
from tests.engine.peer import VERSIONS, Script, usual
from tests.requests.tcp import TcpGateway

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)


_made: list[IB] = []


def over(script: Script, ib: IB | None = None, **kwargs: Any) -> IB:
    """Connect to a script; the connection ends with the test."""
    ib = ib or IB()
    _made.append(ib)
    return ib.connectLink(script.link, clock=script.clock, **kwargs)


@pytest.fixture(autouse=True)
def _end_connections() -> Iterator[None]:
    yield
    while _made:
        ib = _made.pop()
        ib.disconnectedEvent.clear()
        ib.disconnect()


def kinds(requests: Iterable[object]) -> list[str]:
    return [type(request).__name__ for request in requests]


# -- how it begins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_the_state_is_fetched_in_ib_insyncs_order(version: int, how: str) -> None:
    """semantics.md 1.5 and 1.6."""
    script = Script(version, how=how)
    ib = IB()
    order: list[str] = []
    ib.connectedEvent += lambda: order.append("connected")
    ib.client.apiStart += lambda: order.append("api start")
    assert over(script, ib, clientId=3) is ib
    assert kinds(script.requests) == [
        "StartApi", "ReqPositions", "ReqOpenOrders", "ReqCompletedOrders", "ReqAcctData", "ReqAccountUpdatesMulti",
        "ReqExecutions",
    ]  # fmt: skip
    assert script.requests[0].clientId == 3
    assert script.requests[4] == m.ReqAcctData(True, "DU1")
    assert ib.isConnected()
    assert ib.managedAccounts() == ["DU1"]
    assert order == ["api start", "connected"]
    assert ib.client.serverVersion() == version
    assert repr(ib) == "<IB connected to script clientId=3>"
    ib.disconnect()
    assert repr(ib) == "<IB not connected>"
    assert not ib.isConnected()


def test_client_0_binds_orders_entered_by_hand() -> None:
    script = Script()
    over(script, clientId=0)
    assert kinds(script.requests)[:2] == ["StartApi", "ReqAutoOpenOrders"]


def test_readonly_asks_for_no_orders_but_for_fills() -> None:
    script = Script()
    over(script, readonly=True)
    assert kinds(script.requests)[1:] == ["ReqPositions", "ReqAcctData", "ReqAccountUpdatesMulti", "ReqExecutions"]


def test_with_several_accounts_the_given_one_is_followed() -> None:
    def answers(request: Any) -> Any:
        return usual(request, accounts="DU1,DU2,DU3")

    script = Script(answers=answers)
    over(script, account="DU2").disconnect()
    assert script.of(m.ReqAcctData) == [m.ReqAcctData(True, "DU2")]
    assert [request.account for request in script.of(m.ReqAccountUpdatesMulti)] == ["DU1", "DU2", "DU3"]

    class Few(IB):
        MaxSyncedSubAccounts = 2

    script = Script(answers=answers)
    over(script, Few())
    assert not script.of(m.ReqAcctData)
    assert not script.of(m.ReqAccountUpdatesMulti)


def test_only_what_is_wanted_is_fetched() -> None:
    script = Script()
    over(script, fetchFields=StartupFetch.POSITIONS | StartupFetch.EXECUTIONS).disconnect()
    assert kinds(script.requests)[1:] == ["ReqPositions", "ReqExecutions"]
    script = Script()
    over(script, fetchFields=StartupFetchNONE)
    assert kinds(script.requests) == ["StartApi"]


def test_fills_find_the_orders_that_were_fetched_before() -> None:
    order = LimitOrder("BUY", 100, 10.0, orderId=5)

    def answers(request: Any) -> Any:
        match request:
            case m.ReqOpenOrders():
                return [open_order(order, "Submitted"), status(5, "Submitted", 40, 60), m.OpenOrderEnd()]
            case m.ReqCompletedOrders():
                return [completed(31, "Filled", order), m.CompletedOrdersEnd()]
            case m.ReqExecutions(reqId=req_id):
                return [
                    execution(5, "1.01", shares=40, cum=40, req_id=req_id),
                    execution(0, "2.01", perm_id=31, req_id=req_id),
                    m.ExecutionDataEnd(req_id),
                ]
        return None

    ib = IB()
    told: list[object] = []
    ib.execDetailsEvent += lambda trade, fill: told.append(fill)
    ib.openOrderEvent += told.append
    over(Script(answers=answers), ib)
    is_open, done = ib.trades()
    assert (is_open.filled(), done.filled()) == (40, 100)
    assert ib.openTrades() == [is_open]
    assert ib.openOrders() == [is_open.order]
    assert len(ib.fills()) == len(ib.executions()) == 2
    assert told == []  # nothing of it is news


# -- what goes wrong -------------------------------------------------------------------------------------


def silent(*kinds_: type) -> Any:
    return lambda request: [] if isinstance(request, kinds_) else None


def test_what_is_not_answered_is_said_and_connecting_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """semantics.md 1.5; without the end of executions ib_insync's connect fails altogether."""
    script = Script(answers=silent(m.ReqCompletedOrders, m.ReqExecutions))
    with caplog.at_level(logging.ERROR, "ibkit.ib"):
        ib = over(script, timeout=3)
    assert ib.isConnected()
    assert script.clock.monotonic() == 6
    assert "completed orders could not be fetched: request timed out after 3 s" in caplog.text
    assert "executions could not be fetched" in caplog.text


def test_what_is_refused_is_said_too(caplog: pytest.LogCaptureFixture) -> None:
    """peer-weaknesses.md 1.25: peers drop errors other than timeouts without a word."""

    def answers(request: Any) -> Any:
        if isinstance(request, m.ReqAccountUpdatesMulti):
            return [m.ErrMsg(request.reqId, 321, "Error validating request", "", 0)]
        return None

    with caplog.at_level(logging.ERROR, "ibkit.ib"):
        over(Script(answers=answers))
    assert "values of DU1 could not be fetched: API error: 321" in caplog.text


def test_sync_errors_can_be_raised() -> None:
    script = Script(answers=silent(m.ReqPositions))
    ib = IB()
    with pytest.raises(ConnectionError, match="positions: no answer to reqPositions"):
        over(script, ib, raiseSyncErrors=True)
    assert not ib.isConnected()


def test_a_gateway_that_says_nothing_is_waited_for_no_longer_than_wanted() -> None:
    script = Script(answers=silent(m.StartApi))
    with pytest.raises(RequestTimeout, match="the handshake with script within 2 s"):
        over(script, timeout=2)
    assert script.clock.monotonic() == 2


def test_the_request_timeout_of_an_unchanged_script_bounds_connecting_too() -> None:
    """semantics.md 1.11; else connect goes by its own timeout."""
    script = Script(answers=silent(m.StartApi))
    ib = OldIB()
    ib.RequestTimeout = 1
    with pytest.raises(RequestTimeout):
        over(script, ib, timeout=0)
    assert script.clock.monotonic() == 1


@pytest.mark.parametrize("timeout", [0, 4])
def test_a_client_id_in_use_is_raised_at_once(timeout: float) -> None:
    def answers(request: Any) -> Any:
        if isinstance(request, m.StartApi):
            return [m.ErrMsg(-1, 326, "Unable to connect as the client id is already in use.", "", 0)]
        return None

    script = Script(answers=answers)
    ib = IB()
    heard: list[int] = []
    ib.errorEvent += lambda req_id, code, text, contract: heard.append(code)
    with pytest.raises(ClientIdInUse, match="client id 5 is in use"):
        over(script, ib, clientId=5, timeout=timeout)
    assert script.clock.monotonic() == 0
    assert heard == [326]
    assert not ib.isConnected()
    over(Script(), ib, clientId=6)  # and the next attempt works
    assert ib.isConnected()


def test_an_early_end_is_raised_at_once() -> None:
    """peer-weaknesses.md 1.6: with timeout 0 peers never return."""
    with TcpGateway(answers=lambda request: [None]) as gateway:
        ib = IB()
        begin = time.monotonic()
        with pytest.raises(ConnectionLost, match="did not let us in"):
            ib.connect(port=gateway.port, timeout=0)
        assert time.monotonic() - begin < 5
        assert not ib.isConnected()


def test_nothing_listening_is_said_at_once_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(ConnectionRefusedError) as caught:
        IB().connect("127.0.0.1", port)
    assert time.monotonic() - begin < 1
    assert isinstance(caught.value, ConnectionRefused)
    for words in (f"127.0.0.1:{port}", "Enable ActiveX and Socket Clients", "ibkit paper"):
        assert words in str(caught.value)
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(IB().connectAsync("127.0.0.1", port))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", FrameTooLong),
        (b"\xff\xff\xff\xff", FrameTooLong),
        (b"\x00\x00\x00\x05hello", HandshakeError),
        (b"\x00\x00\x00\x10cut", ConnectionLost),
        (b"", ConnectionLost),
    ],
)
def test_whatever_else_listens_there_is_told(data: bytes, error: type[Exception]) -> None:
    def greet(client: socket.socket) -> None:
        client.recv(100)
        client.sendall(data)

    with TcpGateway(greet=greet) as gateway, pytest.raises(error):
        IB().connect(port=gateway.port, timeout=0)


def test_garbage_in_the_middle_ends_the_session_with_a_reason() -> None:
    script = Script()
    ib = over(script)
    script.after(1, b"\xff\xff\xff\xff")
    with pytest.raises(FrameTooLong):
        ib.reqUserInfo()
    assert not ib.isConnected()


def test_why_an_idle_session_ended_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    script = Script()
    ib = over(script)
    script.after(1, b"\xff\xff\xff\xff")
    ib.sleep(2)
    assert not ib.isConnected()
    assert "4294967295 bytes was announced" in caplog.text


@pytest.mark.parametrize("what", [m.ReqPositions, m.ReqOpenOrders, m.ReqExecutions])
def test_why_connecting_ended_is_raised(what: type) -> None:
    def answers(request: Any) -> list[Any] | None:
        return [b"\xff\xff\xff\xff"] if isinstance(request, what) else None

    with pytest.raises(FrameTooLong):
        over(Script(answers=answers))

    def leave(request: Any) -> list[Any] | None:
        if isinstance(request, what):
            script.hang_up()
        return None

    script = Script(answers=leave)
    with pytest.raises(ConnectionLost):
        over(script)


@pytest.mark.parametrize("version", [176, 225])
def test_a_line_that_is_cut_at_any_byte_never_hangs(version: int) -> None:
    script = Script(version)
    over(script).disconnect()
    for cut in range(0, script.written, 5):
        script = Script(version)
        script.cut_after = cut
        ib = IB()
        with pytest.raises(ConnectionError):
            over(script, ib, timeout=0).reqUserInfo()
        assert not ib.isConnected()


# -- arguments -------------------------------------------------------------------------------------------


def test_the_signature_shows_the_defaults() -> None:
    for method in (IB.connect, IB.connectAsync):
        text = str(inspect.signature(method))
        assert "host: 'str' = '127.0.0.1', port: 'int' = 7497, clientId: 'int' = 1, timeout: 'float' = 4" in text


def test_the_environment_stands_in_for_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with TcpGateway() as gateway:
        monkeypatch.setenv("IBKIT_HOST", "localhost")
        monkeypatch.setenv("IBKIT_PORT", str(gateway.port))
        monkeypatch.setenv("IBKIT_CLIENT_ID", "42")
        ib = IB()
        ib.connect()
        assert repr(ib) == f"<IB connected to localhost:{gateway.port} clientId=42>"
        ib.connect(clientId=1)  # the default's value, but given
        assert repr(ib).endswith("clientId=1>")
        ib.disconnect()
        monkeypatch.setenv("IBKIT_PORT", "paper")
        with pytest.raises(InvalidRequest, match="IBKIT_PORT must be a number"):
            ib.connect()
        with pytest.raises(ConnectionRefused, match=r"at 127\.0\.0\.1:1 "):
            ib.connect("127.0.0.1", 1)


def test_a_runner_can_lead_every_connection_to_its_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    with TcpGateway() as gateway:
        monkeypatch.setattr(connecting, "forced", ("127.0.0.1", gateway.port))
        with IB().connect("10.0.0.1", 7496, clientId=8) as ib:
            assert repr(ib) == f"<IB connected to 127.0.0.1:{gateway.port} clientId=8>"


# -- hosts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [176, 225])
def test_a_plain_script(version: int) -> None:
    with TcpGateway(version=version) as gateway, IB().connect(port=gateway.port) as ib:
        assert ib.reqCurrentTime().year == 2024
    assert not ib.isConnected()


def test_a_thread_of_its_own() -> None:
    with TcpGateway() as gateway:
        ib = IB(background=True)
        ib.connect(port=gateway.port)
        assert ib.reqCurrentTime().year == 2024
        ib.disconnect()


def test_a_refusal_that_comes_before_we_ask_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    opening = Host.open

    def open_and_be_late(host: Host, link: Any) -> None:
        opening(host, link)
        end = time.monotonic() + 30
        while host.is_open and time.monotonic() < end:
            time.sleep(0.001)

    monkeypatch.setattr(Host, "open", open_and_be_late)
    in_use = m.ErrMsg(-1, 326, "Unable to connect as the client id is already in use.", "", 0)
    gateway = TcpGateway(answers=lambda request: [in_use, None])
    with gateway, pytest.raises(ClientIdInUse, match="client id 5 is in use"):
        IB(background=True).connect(port=gateway.port, clientId=5)


def test_a_coroutine_awaits_and_may_block_as_well() -> None:
    async def main(port: int) -> None:
        ib = await IB().connectAsync(port=port)
        assert (await ib.reqCurrentTimeAsync()).year == 2024
        assert ib.reqCurrentTime().year == 2024
        several = await asyncio.gather(*(ib.reqCurrentTimeAsync() for _ in range(5)))
        assert len(several) == 5
        ib.disconnect()

    with TcpGateway() as gateway:
        asyncio.run(main(gateway.port))


def test_an_await_that_is_left_closes_the_connection() -> None:
    async def main(port: int) -> None:
        ib = IB()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ib.connectAsync(port=port, timeout=0), 0.2)
        assert not ib.isConnected()

    with TcpGateway(answers=silent(m.StartApi)) as gateway:
        asyncio.run(main(gateway.port))


def test_awaitables_can_be_run_from_a_script() -> None:
    with TcpGateway() as gateway:
        ib = IB()
        assert IB.run(ib.connectAsync(port=gateway.port)) is ib
        assert IB.run(ib.reqCurrentTimeAsync()).year == 2024
        ib.disconnect()


# -- the end ---------------------------------------------------------------------------------------------


def test_a_wanted_end_is_told_once_and_ends_all_waiting() -> None:
    """peer-weaknesses.md 1.5: in peers the awaiters hang for ever."""

    async def main(port: int) -> None:
        ib = await IB().connectAsync(port=port)
        told: list[str] = []
        ib.disconnectedEvent += lambda: told.append("disconnected")
        ib.client.apiError += told.append
        waiting = asyncio.ensure_future(ib.reqUserInfoAsync())
        await asyncio.sleep(0)
        ib.disconnect()
        ib.disconnect()
        with pytest.raises(ConnectionLost, match="disconnect"):
            await waiting
        assert told == ["disconnected"]
        with pytest.raises(NotConnected):
            await ib.reqUserInfoAsync()

    with TcpGateway() as gateway:
        asyncio.run(main(gateway.port))


def test_a_cut_is_told_once_and_ends_all_waiting() -> None:
    def answers(request: Any) -> Any:
        return [None] if isinstance(request, m.ReqUserInfo) else None

    with TcpGateway(answers=answers) as gateway:
        ib = IB()
        told: list[str] = []
        ib.disconnectedEvent += lambda: told.append("disconnected")
        ib.client.apiError += lambda text: told.append("error")
        ib.client.apiEnd += lambda: told.append("end")
        broken: list[Exception] = []
        util.globalErrorEvent += broken.append
        try:
            ib.connect(port=gateway.port)
            with pytest.raises(ConnectionLost):
                ib.reqUserInfo()
        finally:
            util.globalErrorEvent.clear()
        assert told == ["error", "end", "disconnected"]
        assert [type(error) for error in broken] == [ConnectionLost]
        assert not ib.isConnected()
        with pytest.raises(NotConnected):
            ib.reqCurrentTime()


def test_a_handler_of_the_end_may_connect_anew() -> None:
    def answers(request: Any) -> Any:
        return [None] if isinstance(request, m.ReqUserInfo) else None

    with TcpGateway(answers=answers) as gateway:
        ib = IB()
        ib.connect(port=gateway.port)
        ib.disconnectedEvent += lambda: ib.connect(port=gateway.port)
        with pytest.raises(ConnectionLost):
            ib.reqUserInfo()
        assert ib.isConnected()
        assert ib.reqCurrentTime().year == 2024
        ib.disconnectedEvent.clear()
        ib.disconnect()


def test_connecting_again_closes_the_old_connection_first() -> None:
    ib = IB()
    told: list[str] = []
    ib.disconnectedEvent += lambda: told.append("disconnected")
    over(Script(), ib)
    over(Script(), ib)
    assert told == ["disconnected"]
    assert ib.isConnected()


def test_a_reconnect_brings_unknown_orders_up_to_date() -> None:
    """design.md, "An order": unknown until the resync has asked for open orders, completed orders and executions."""
    script = Script()
    ib = over(script)
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 100, 10.0))
    script.after(0.1, open_order(trade.order, "Submitted"), status(trade.order.orderId, "Submitted"))
    ib.sleep(1)
    assert trade.orderStatus.status == "Submitted"
    script.hang_up()
    ib.sleep(0)
    assert not ib.isConnected()
    assert trade.unknown

    def answers(request: Any) -> Any:
        match request:
            case m.ReqCompletedOrders():
                return [completed(900, "Filled", trade.order, filledQuantity=100.0), m.CompletedOrdersEnd()]
            case m.ReqExecutions(reqId=req_id):
                return [execution(trade.order.orderId, req_id=req_id), m.ExecutionDataEnd(req_id)]
        return None

    heard: list[int] = []
    trade.filledEvent += lambda trade: heard.append(len(trade.fills))
    over(Script(answers=answers), ib)
    assert heard == [1]
    assert not trade.unknown
    assert trade.isDone()


# -- waiting ---------------------------------------------------------------------------------------------


def test_wait_on_update_ends_with_the_next_batch_or_the_time() -> None:
    script = Script()
    ib = over(script)
    script.after(2, m.AcctValue("NetLiquidation", "5", "USD", "DU1"))
    begin = script.clock.monotonic()
    assert ib.waitOnUpdate() is True
    assert script.clock.monotonic() - begin == 2
    assert ib.accountValues()[0].value == "5"
    assert ib.waitOnUpdate(timeout=3) is False
    assert script.clock.monotonic() - begin == 5
    script.later.append((script.clock.monotonic() + 1, script.hang_up))
    with pytest.raises(ConnectionLost, match=r"while waitOnUpdate\(\) waited: .* closed the connection"):
        ib.waitOnUpdate()
    with pytest.raises(NotConnected) as caught:
        ib.waitOnUpdate()
    assert not isinstance(caught.value, ConnectionLost)


def test_loop_until_yields_once_per_update() -> None:
    """semantics.md 7: a false condition is yielded once per update."""
    script = Script()
    ib = over(script)
    for i in range(1, 4):
        script.after(i, m.AcctValue(str(i), "5", "USD", "DU1"))
    values = list(ib.loopUntil(lambda: len(ib.accountValues()) >= 3, timeout=10))
    assert values == [False, False, False, True]
    assert list(ib.loopUntil(lambda: None, timeout=1)) == [None, False]


def test_silence_is_told() -> None:
    script = Script()
    ib = over(script)
    idle: list[float] = []
    ib.timeoutEvent += idle.append
    ib.setTimeout(5)
    script.after(3, m.AcctValue("a", "5", "USD", "DU1"))
    ib.sleep(7)
    assert idle == []
    ib.sleep(20)
    assert idle == [5.0]


def test_requests_from_handlers_during_connecting_work() -> None:
    script = Script()
    ib = IB()
    times: list[int] = []
    ib.connectedEvent += lambda: times.append(ib.reqCurrentTime().year)
    over(script, ib)
    assert times == [2024]


@pytest.mark.parametrize("readonly", [False, True])
def test_the_first_order_finds_its_writer_ready(readonly: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    write = compiler.writer

    def writer(name: str, version: int) -> Any:
        made.append(name)
        return write(name, version)

    monkeypatch.setattr(compiler, "writer", writer)
    script = Script()
    ib = IB()
    ib.connectLink(script.link, clock=script.clock, readonly=readonly)
    assert "REQ_POSITIONS" in made
    assert "PLACE_ORDER" not in made  # connecting does not wait for it
    ib.sleep(0)
    assert {"PLACE_ORDER", "CANCEL_ORDER"} & set(made) == (set() if readonly else {"PLACE_ORDER", "CANCEL_ORDER"})
    ib.disconnect()
