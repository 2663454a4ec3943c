"""What contract.py promises, on every host."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from ibkit import hosts
from ibkit.errors import ConnectionLost, NestingTooDeep, NotConnected, ProtocolError, RequestTimeout
from ibkit.hosts import nesting, station
from tests.hosts.conftest import Client, Stage, without
from tests.hosts.fakes import MemoryPeer


def until(client: Client, line: str) -> None:
    """Wait until the engine has seen ``line``, by asking for other things."""
    while line not in client.engine.diary:
        client.request("echo tick")


# -- which thread ------------------------------------------------------------------------------------


def test_an_answer_comes_back(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        assert client.request("echo hello") == "hello"
        assert client.request("later 0.01 world") == "world"

    stage.run(scenario)


def test_one_thread_enters_the_engine_and_runs_the_handlers(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        handlers: set[int] = set()
        client.engine.line += lambda _: handlers.add(threading.get_ident())
        client.peer.push("news")
        until(client, "news")
        client.host.close("enough")
        assert handlers == client.engine.threads
        assert len(handlers) == 1
        assert (threading.get_ident() in handlers) is stage.same_thread

    stage.run(scenario)


def test_no_lock_is_held_while_handlers_run(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        locked: list[bool] = []
        client.engine.line += lambda _: locked.append(station.lock.locked())
        client.engine.closed_event += lambda _: locked.append(station.lock.locked())
        client.peer.push("news")
        until(client, "news")
        client.host.close("enough")
        assert locked == [False, False]

    stage.run(scenario)


# -- which order -------------------------------------------------------------------------------------


def test_a_read_is_handled_whole_and_then_the_batch_ends(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        for i in range(20):
            client.peer.push(f"a{i}", f"b{i}", f"c{i}")
        until(client, "c19")
        expected: list[str] = []
        carry = b""
        for data in client.engine.reads:
            *lines, carry = (carry + data).split(b"\n")
            expected += [line.decode() for line in lines]
            expected.append("end")
        assert client.engine.diary == expected

    stage.run(scenario)


def test_a_handler_that_waits_gets_the_rest_of_its_batch_first(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        done: list[str] = []

        def handler(line: str) -> None:
            if line == "first":
                done.append(client.request("echo nested"))

        client.engine.line += handler
        client.peer.push("first", "second", "third")
        until(client, "third")
        while not done:
            client.request("echo tick")
        assert done == ["nested"]
        diary = [line for line in client.engine.diary if not line.endswith("tick")]
        start = diary.index("first")
        rest = diary[start:]
        if "third" in client.engine.reads[next(i for i, r in enumerate(client.engine.reads) if b"first" in r)].decode():
            nested = next(line for line in rest if line.endswith(" nested"))
            assert rest[:4] == ["first", "second", "third", "end"]
            assert rest.index(nested) > 3

    stage.run(scenario)


def test_a_handler_at_the_end_of_a_batch_may_wait(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        got: list[str] = []

        def handler(line: str) -> None:
            got.append(line)
            if line in ("a", "c"):
                got.append(client.request(f"echo after-{line}"))

        client.engine.batch += handler
        client.peer.push("a", "b", "c", "d")
        while "d" not in got:
            client.request("echo tick")
        assert got == ["a", "after-a", "b", "c", "after-c", "d"]

    stage.run(scenario)


def test_every_message_is_handled_once_however_waits_nest(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        seen: list[str] = []
        ended: list[str] = []

        def handler(line: str) -> None:
            seen.append(line)
            if int(line[1:]) % 3 == 0 and len(station.here().waits) < 6:
                client.request("echo nested")

        client.engine.line += handler
        client.engine.batch += ended.append
        for i in range(0, 60, 4):
            client.peer.push(*(f"n{j}" for j in range(i, i + 4)))
        while len(ended) < 60 or len(seen) < 60:
            client.request("echo tick")
        assert seen == [f"n{i}" for i in range(60)]
        assert sorted(ended, key=lambda s: int(s[1:])) == seen

    stage.run(scenario)


# -- when a wait ends --------------------------------------------------------------------------------


def test_a_wait_ends_after_the_batch_of_its_answer(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        call = client.ask("never")
        number = 1
        client.peer.push(f"{number} answer", "also", "in the batch")
        assert client.host.wait(call, 10) == "answer"
        read = next(r for r in client.engine.reads if b"answer" in r)
        assert client.engine.diary[-1] == "end"
        if b"in the batch" in read:
            assert client.engine.diary[-2] == "in the batch"

    stage.run(scenario)


def test_a_call_that_is_done_is_not_waited_for(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        call = client.ask("echo x")
        client.request("echo y")
        assert client.host.wait(call) == "x"
        assert client.host.wait(call) == "x"

    stage.run(scenario)


def test_the_error_of_a_call_is_raised(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        call = client.ask("never")
        client.host.act(lambda: call.finish(error=KeyError("refused")))
        with pytest.raises(KeyError, match="refused"):
            client.host.wait(call)

    stage.run(scenario)


# -- leaving a wait ----------------------------------------------------------------------------------


def test_a_wait_that_takes_too_long_cancels_on_the_wire(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        with pytest.raises(RequestTimeout, match="no answer to never within"):
            client.request("never", timeout=0.02)
        client.peer.wait_heard("cancel 1")
        assert client.request("echo on") == "on"

    stage.run(scenario)


@without("background")  # where handlers run in another thread
@pytest.mark.parametrize("leave", [KeyboardInterrupt, SystemExit])
def test_interrupts_in_handlers_leave_the_wait_and_cancel(stage: Stage, leave: type[BaseException]) -> None:
    def scenario() -> None:
        client = stage.client()

        def handler(line: str) -> None:
            if line == "leave":
                raise leave

        client.engine.line += handler
        call = client.ask("never")
        client.peer.push("leave", "rest of the batch")
        with pytest.raises(leave):
            client.host.wait(call)
        client.peer.wait_heard("cancel 1")
        assert call.done
        assert client.request("echo on") == "on"
        assert "rest of the batch" in client.engine.diary

    stage.run(scenario)


@without("background")
def test_interrupts_pass_through_nested_waits(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()

        def outer(line: str) -> None:
            if line == "outer":
                client.peer.push("inner")
                client.request("never", None)

        def inner(line: str) -> None:
            if line == "inner":
                raise SystemExit(3)

        client.engine.line += outer
        client.engine.line += inner
        client.peer.push("outer")
        with pytest.raises(SystemExit):
            client.request("never", None)
        client.peer.wait_heard("cancel 1")
        client.peer.wait_heard("cancel 2")

    stage.run(scenario)


# -- writing -----------------------------------------------------------------------------------------


def test_what_a_request_says_is_written_before_it_returns(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        client.host.act(lambda: client.engine.say("order"))
        client.peer.wait_heard("order")

    stage.run(scenario)


def test_what_act_raises_is_raised_and_what_it_said_is_written(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()

        def act() -> None:
            client.engine.say("half")
            raise KeyError("no")

        with pytest.raises(KeyError, match="no"):
            client.host.act(act)
        client.peer.wait_heard("half")

    stage.run(scenario)


def test_what_the_throttle_holds_back_is_written_in_time(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        now = client.clock.monotonic()
        client.host.act(lambda: client.engine.hold_back("late", now + 0.02))
        assert client.clock.monotonic() > now + 0.02 or "late" not in client.peer.heard
        while client.clock.monotonic() < now + 0.02:
            client.request("later 0.005 x")
        client.peer.wait_heard("late")

    stage.run(scenario)


def test_timers_of_the_engine_fire_while_something_waits(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        call = client.ask("never")

        def arm() -> None:
            client.engine.ends = call
            client.engine.due = client.clock.monotonic() + 0.01

        client.host.act(arm)
        assert client.host.wait(call, 10.0) == "fired"
        assert len(client.engine.fired) == 1

    stage.run(scenario)


def test_what_does_not_fit_into_the_socket_is_written_later(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        if not isinstance(client.peer, MemoryPeer):
            client.peer.deaf = True
        size = 8_000_000
        client.host.act(lambda: client.engine.say("x" * size))
        with pytest.raises(RequestTimeout):
            client.request("never", 0.02)
        client.peer.listen()
        assert client.request("echo on") == "on"
        assert len(client.peer.heard[0]) == size

    stage.run(scenario)


# -- the end -----------------------------------------------------------------------------------------


def test_a_lost_connection_fails_what_waits_and_is_told_once(stage: Stage) -> None:
    def scenario() -> None:
        client, other = stage.client(), stage.client()
        pending = other.ask("later 0.05 fine")
        open_when_told: list[bool] = []
        client.engine.closed_event += lambda _: open_when_told.append(client.host.is_open)
        call = client.ask("never")
        client.peer.hang_up()
        with pytest.raises(ConnectionLost, match="closed the connection"):
            client.host.wait(call)
        assert open_when_told == [False]
        assert len(client.engine.closed_reasons) == 1
        with pytest.raises(NotConnected, match="closed the connection"):
            client.ask("echo x")
        with pytest.raises(NotConnected):
            client.host.wait(FakeCall())
        client.host.close("again")
        assert len(client.engine.closed_reasons) == 1
        assert other.host.wait(pending) == "fine"

    stage.run(scenario)


class FakeCall:
    name, done = "pending", False

    def result(self) -> str:
        raise AssertionError

    def add_done_callback(self, fn: object) -> None: ...
    def cancel(self) -> None: ...


def test_closing_from_a_handler_ends_the_waits_at_once(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()

        def handler(line: str) -> None:
            if line == "stop":
                client.host.act(lambda: client.engine.say("last order"))
                client.host.close("enough")
                assert not client.host.is_open

        client.engine.line += handler
        call = client.ask("never")
        client.peer.push("stop", "unheard")
        with pytest.raises(ConnectionLost, match="enough"):
            client.host.wait(call)
        assert "unheard" not in client.engine.diary
        client.peer.wait_heard("last order")
        assert client.engine.closed_reasons == ["enough"]

    stage.run(scenario)


def test_a_handler_of_the_end_may_connect_anew(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        anew: list[Client] = []
        answers: list[str] = []

        def handler(_: str) -> None:
            anew.append(stage.client())
            answers.append(anew[0].request("echo again"))

        client.engine.closed_event += handler
        call = client.ask("never")
        client.peer.hang_up()
        with pytest.raises(ConnectionLost):
            client.host.wait(call)
        while not answers:
            hosts.sleep(0.001)
        assert answers == ["again"]
        assert anew[0].request("echo and again") == "and again"

    stage.run(scenario)


def test_nonsense_on_the_wire_ends_the_connection_with_its_reason(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        call = client.ask("never")
        client.peer.push("before", "garbage", "after")
        with pytest.raises(ConnectionLost, match="garbage came"):
            client.host.wait(call)
        assert client.engine.diary[-2:] == ["before", "garbage"]

    stage.run(scenario)


def test_a_bug_in_a_reducer_ends_the_connection_and_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def scenario() -> None:
        client, other = stage.client(), stage.client()
        call = client.ask("never")
        client.peer.push("bug")
        with pytest.raises(ConnectionLost, match="a reducer failed"):
            client.host.wait(call)
        assert "ZeroDivisionError" in caplog.text
        assert "Traceback" in caplog.text
        assert other.request("echo fine") == "fine"

    stage.run(scenario)


@pytest.mark.parametrize("method", ["receive", "step", "end_batch", "output", "fire", "deadline"])
@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), ProtocolError("nonsense")])
def test_whatever_fails_in_an_engine_ends_its_connection_alone(
    pump_stage: Stage, method: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = pump_stage.client(), pump_stage.client()
    client.engine.due = client.clock.monotonic() + 0.005
    call = client.ask("never")

    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(client.engine, method, fail)
    client.peer.push("news")
    with pytest.raises(ConnectionLost, match=str(error)):
        client.host.wait(call, 10)
    assert not client.host.is_open
    assert len(client.engine.closed_reasons) == 1
    assert other.request("echo fine") == "fine"


def test_a_failing_end_is_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def scenario() -> None:
        client = stage.client()

        def closed(reason: str) -> None:
            raise OSError("no end")

        client.engine.closed = closed  # type: ignore[method-assign]
        client.host.close("bye")
        assert "no end" in caplog.text
        assert not client.host.is_open

    stage.run(scenario)


# -- several and nested ------------------------------------------------------------------------------


def test_a_wait_serves_all_connections_of_the_thread(stage: Stage) -> None:
    def scenario() -> None:
        first, second = stage.client(), stage.client()
        second.peer.push("news")
        while "news" not in second.engine.diary:
            first.request("later 0.001 x")
        third = stage.client()
        assert [c.request("echo x") for c in (third, second, first)] == ["x"] * 3

    stage.run(scenario)


def test_handlers_may_ask_other_connections(stage: Stage) -> None:
    def scenario() -> None:
        first, second = stage.client(), stage.client()
        got: list[str] = []
        first.engine.line += lambda line: got.append(second.request(f"echo {line}"))
        first.peer.push("ping")
        while not got:
            first.request("later 0.001 x")
        assert got == ["ping"]

    stage.run(scenario)


def test_sleep_serves_and_returns_true(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        client.peer.push("news")
        while "news" not in client.engine.diary:
            assert hosts.sleep(0.001) is True
        assert hosts.sleep(0) is True
        assert hosts.sleep() is True

    stage.run(scenario)


@without("background")  # whose thread takes it
def test_sleep_zero_takes_what_is_there(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        client.peer.push("news")
        hosts.sleep(0)
        assert "news" in client.engine.diary

    stage.run(scenario)


def test_waiting_too_deep_names_the_chain(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        errors: list[NestingTooDeep] = []

        def eager_handler(level: int, line: str) -> None:
            if line == f"level {level}":
                client.peer.push(f"level {level + 1}")
                try:
                    client.request("later 0.05 x")
                except NestingTooDeep as error:
                    errors.append(error)

        # A busy listener is not called again, so each level has one of its own.
        for level in range(nesting.MAX_NESTING + 2):
            client.engine.line += partial(eager_handler, level)
        client.peer.push("level 0")
        while not errors:
            client.request("later 0.001 x")
        assert "wait inside one another" in str(errors[0])
        assert "later 0.05 x" in str(errors[0])
        assert "eager_handler" in str(errors[0])

    stage.run(scenario)


def test_a_host_serves_one_connection(stage: Stage) -> None:
    def scenario() -> None:
        client = stage.client()
        with pytest.raises(RuntimeError, match="own host"):
            client.host.open(client.peer.link)

    stage.run(scenario)


def test_without_a_connection_requests_say_so() -> None:
    from ibkit.clock import SystemClock
    from tests.hosts.fakes import FakeEngine

    host = hosts.Host(FakeEngine(), SystemClock())
    assert not host.is_open
    with pytest.raises(NotConnected, match="connect"):
        host.act(lambda: None)
    host.close("nothing happens")
