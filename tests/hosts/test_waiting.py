"""run, sleep, schedule, wait_until, time_range, use_qt: waiting as users know it."""

from __future__ import annotations

import asyncio
import sys
import threading
import types
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ibkit import clock, hosts, util
from ibkit.clock import ScaledClock
from ibkit.errors import ConnectionRefused, NotConnected
from ibkit.events import Event
from ibkit.hosts import station
from tests.hosts.conftest import Stage, in_thread


async def answer(value: object, secs: float = 0.001) -> object:
    await asyncio.sleep(secs)
    return value


async def failure() -> None:
    await asyncio.sleep(0)
    raise KeyError("no such thing")


# -- run ---------------------------------------------------------------------------------------------


def test_run_gives_results() -> None:
    assert util.run(answer(1)) == 1
    assert util.run(answer(1, 0.003), answer(2)) == [1, 2]
    with pytest.raises(KeyError, match="no such thing"):
        util.run(failure())
    with pytest.raises(KeyError):
        util.run(answer(1), failure())


def test_run_has_a_timeout() -> None:
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("slow")

    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        util.run(slow(), timeout=0.01)
    assert ended == ["slow"]
    assert util.run(timeout=0.001) is None


def test_run_waits_for_events() -> None:
    event = Event("e")
    util.schedule(datetime.now() + timedelta(seconds=0.01), event.emit, 5)
    assert util.run(event) == 5


def test_run_without_anything_serves_until_somebody_stops_it(pump_stage: Stage) -> None:
    client = pump_stage.client()
    client.engine.line += lambda _: hosts.get_loop().stop()
    client.peer.push("stop")
    assert hosts.run() is None
    assert client.engine.diary[0] == "stop"


def test_run_fires_what_is_due_when_it_begins_and_what_that_schedules() -> None:
    """A window that is open before anything is connected: nothing but timers wakes the loop."""
    fired: list[int] = []

    def again() -> None:
        fired.append(1)
        if len(fired) < 5:
            hosts.runtime.call_later(0.001, again)
        else:
            hosts.get_loop().stop()

    again()
    assert hosts.run(timeout=10) is None
    assert len(fired) == 5


def test_run_goes_on_after_a_disconnect(pump_stage: Stage) -> None:
    client = pump_stage.client()
    loop = hosts.get_loop()

    async def reconnect(reason: str) -> None:
        await asyncio.sleep(0.001)
        anew = pump_stage.client()
        assert await anew.arequest("echo again") == "again"
        loop.stop()

    client.engine.closed_event += reconnect
    client.peer.hang_up()
    hosts.run()
    assert len(pump_stage.clients) == 2


def test_run_without_anything_returns_at_once_where_a_loop_runs() -> None:
    async def main() -> None:
        assert hosts.run() is None

    asyncio.run(main())


def test_run_of_coroutines_in_a_running_loop(pump_stage: Stage) -> None:
    async def main() -> None:
        client = pump_stage.client()
        event = Event("e")

        async def program() -> str:
            assert threading.current_thread() is not threading.main_thread()
            await asyncio.sleep(0.001)
            client.host.post(lambda: event.emit("emitted"))
            return await client.arequest("echo from inside")

        assert hosts.run(program()) == "from inside"
        future = client.host.future(client.ask("later 0.01 a future"))
        assert hosts.run(program(), future, event, answer(3)) == ["from inside", "a future", "emitted", 3]
        with pytest.raises(KeyError):
            hosts.run(failure())
        with pytest.raises(TimeoutError):
            hosts.run(answer(1, 60), timeout=0.01)
        with pytest.raises(RuntimeError, match="await it instead"):
            hosts.run(asyncio.ensure_future(asyncio.sleep(0)))
        client.host.post(lambda: event.error_event.emit(event, OSError("an error event")))
        with pytest.raises(OSError, match="an error event"):
            hosts.run(event)
        client.host.post(event.set_done)
        with pytest.raises(ValueError, match="ended while"):
            hosts.run(event)
        done = Event("done")
        done.set_done()
        with pytest.raises(ValueError, match="no more"):
            hosts.run(done)
        client.host.close("bye")

    asyncio.run(main())


def test_a_handler_may_run_a_coroutine(pump_stage: Stage) -> None:
    client = pump_stage.client()
    got: list[str] = []
    client.engine.line += lambda line: got.append(hosts.run(client.arequest(f"echo {line}")))
    client.peer.push("ping")
    while not got:
        hosts.sleep(0.001)
    assert got == ["ping"]


def test_a_handler_may_run_what_needs_the_loop(pump_stage: Stage) -> None:
    client = pump_stage.client()
    got: list[object] = []

    def handler(line: str) -> None:
        hosts.run()  # something waits already: there is nothing to be started
        got.append(hosts.run(client.arequest(f"echo {line}"), answer("slow", 0.01)))

    client.engine.line += handler
    client.peer.push("first")
    while not got:
        hosts.sleep(0.001)
    assert got == [["first", "slow"]]
    client.host.act(lambda: client.engine.say("push second"))
    assert client.request("later 0.05 x") == "x"
    assert got == [["first", "slow"], ["second", "slow"]]


def test_run_in_a_worker(pump_stage: Stage) -> None:
    in_thread(lambda: (hosts.run(answer(1)), hosts.run(answer(2))))


# -- times -------------------------------------------------------------------------------------------


def test_schedule_calls_at_a_time() -> None:
    got: list[object] = []
    start = datetime.now(UTC)
    hosts.schedule(start + timedelta(seconds=0.3), got.append, "later")
    hosts.schedule(start - timedelta(seconds=5), got.append, "at once")
    hosts.schedule(start + timedelta(seconds=0.2), got.append, "never").cancel()
    hosts.sleep(0)
    assert got == ["at once"]
    hosts.wait_until(start + timedelta(seconds=0.4))
    assert got == ["at once", "later"]


def test_what_is_scheduled_happens_in_a_running_loop() -> None:
    async def main() -> None:
        done = asyncio.Event()
        hosts.schedule(datetime.now() + timedelta(seconds=0.01), done.set)
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(main())


def test_what_is_scheduled_happens_in_the_service_thread(background_stage: Stage) -> None:
    background_stage.client()
    happened = threading.Event()
    hosts.schedule(datetime.now() + timedelta(seconds=0.01), happened.set)
    assert happened.wait(10)


def test_a_scheduled_failure_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    got: list[int] = []

    def fail() -> None:
        raise KeyError("no such thing")

    hosts.schedule(datetime.now(), fail)
    hosts.schedule(datetime.now(), got.append, 1)
    hosts.sleep(0)
    assert got == [1]
    assert "no such thing" in caplog.text


def test_times_follow_a_simulated_market(memory_stage: Stage) -> None:
    client = memory_stage.client()
    start = client.clock.time()
    got: list[float] = []
    hosts.schedule(datetime.fromtimestamp(start + 1800, UTC), lambda: got.append(client.clock.time() - start))
    assert hosts.wait_until(datetime.fromtimestamp(start + 3600, UTC)) is True
    assert client.clock.time() == pytest.approx(start + 3600)
    assert got == [pytest.approx(1800)]
    end = datetime.fromtimestamp(start + 3600 + 120, UTC)
    moments = list(hosts.time_range(datetime.fromtimestamp(start, UTC), end, 60))
    assert [m.timestamp() - start for m in moments] == [3600, 3660, 3720]
    assert all(m.tzinfo is UTC for m in moments)


def test_times_follow_a_clock_that_runs_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = ScaledClock(1_700_000_000.0, speed=100_000)
    monkeypatch.setattr(clock, "default", fast)
    assert util.waitUntil(datetime.fromtimestamp(1_700_000_000 + 1800, UTC))
    assert fast.time() >= 1_700_001_800


def test_a_time_range_needs_a_step() -> None:
    now = datetime.now()
    for step in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="more than 0"):
            hosts.time_range(now, now, step)
        with pytest.raises(ValueError, match="more than 0"):
            hosts.time_range_async(now, now, step)


def test_a_time_range_leaves_out_what_is_over() -> None:
    now = datetime.now()
    assert list(hosts.time_range(now - timedelta(seconds=10), now - timedelta(seconds=5), 1)) == []
    moments = list(hosts.time_range(now - timedelta(seconds=0.05), now + timedelta(seconds=0.25), 0.1))
    assert len(moments) <= 3
    assert all(moment >= now.astimezone() for moment in moments)
    assert all(moment.tzinfo is not None for moment in moments)


# -- runtime -----------------------------------------------------------------------------------------


def test_emitting_from_another_thread_reaches_the_thread_of_the_connection(pump_stage: Stage) -> None:
    pump_stage.client()
    event, threads = Event("e"), list[int]()
    event += lambda: threads.append(threading.get_ident())
    in_thread(event.emit_threadsafe)
    hosts.sleep(0.01)
    assert threads == [threading.get_ident()]


def test_emitting_from_another_thread_without_a_connection_reaches_the_main_thread() -> None:
    hosts.sleep(0)
    event, threads = Event("e"), list[int]()
    event += lambda: threads.append(threading.get_ident())
    in_thread(event.emit_threadsafe)
    while not threads:
        hosts.sleep(0.001)
    assert threads == [threading.get_ident()]


def test_operators_with_times_work_while_the_program_sleeps(memory_stage: Stage) -> None:
    client = memory_stage.client()
    hosts.sleep(0)
    event, got = Event("e"), list[object]()
    event.debounce(5).connect(got.append)
    event.delay(60).connect(lambda value: got.append((value, client.clock.monotonic())))
    event.emit(1)
    event.emit(2)
    hosts.sleep(30)
    assert got == [2]
    hosts.sleep(40)
    assert got == [2, (1, pytest.approx(60)), (2, pytest.approx(60))]
    ticks = Event.timer(1, 3).list()
    hosts.sleep(10)
    assert ticks.value() == [1, 2, 3]


def test_a_coroutine_handler_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    event = Event("e")

    async def handler() -> None:
        await asyncio.sleep(0)
        raise KeyError("no such thing")

    event += handler
    event.emit()
    hosts.sleep(0.001)
    assert "no such thing" in caplog.text


def test_what_is_posted_may_fail(pump_stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    client = pump_stage.client()

    def fail() -> None:
        raise KeyError("no such thing")

    client.host.post(fail)
    assert client.request("echo x") == "x"
    assert "no such thing" in caplog.text


# -- the rest ----------------------------------------------------------------------------------------


def test_get_loop_is_the_running_one_or_the_one_of_the_thread() -> None:
    async def main() -> asyncio.AbstractEventLoop:
        assert hosts.get_loop() is asyncio.get_running_loop()
        return hosts.get_loop()

    home = hosts.get_loop()
    assert asyncio.run(main()) is not home
    assert hosts.get_loop() is home
    assert asyncio.get_event_loop() is home
    assert not home.is_closed()


def test_qt_events_are_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    processed: list[int] = []

    class QApplication:
        current: Any = None

        def __init__(self, args: list[str]) -> None:
            QApplication.current = self

        @staticmethod
        def instance() -> Any:
            return QApplication.current

        def processEvents(self) -> None:
            processed.append(1)

    widgets = types.ModuleType("PyQt6.QtWidgets")
    widgets.QApplication = QApplication  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "PyQt6", types.ModuleType("PyQt6"))
    monkeypatch.setitem(sys.modules, "PyQt6.QtWidgets", widgets)
    util.useQt("PyQt6", 0.001)
    while len(processed) < 5:
        hosts.sleep(0.002)
    station.here().timers = type(station.here().timers)()  # no more of it
    with pytest.raises(ValueError, match="PyQt5"):
        util.useQt("Tk")


def test_connecting_serves_other_connections(stage: Stage) -> None:
    def scenario() -> None:
        first = stage.client()
        first.peer.push("news")
        stage.client()
        with pytest.raises(ConnectionRefused, match="no TWS"):
            hosts.connect_link("127.0.0.1", 1, 5)

    stage.run(scenario)


def test_connecting_to_a_name_that_is_none() -> None:
    with pytest.raises(NotConnected, match="no address"):
        hosts.connect_link("no-such-host.invalid", 4002, 5)


def test_connecting_in_a_loop(pump_stage: Stage) -> None:
    async def main() -> None:
        with pytest.raises(ConnectionRefused):
            await hosts.connect_link_async("127.0.0.1", 1, 5)
        with pytest.raises(NotConnected):
            await hosts.connect_link_async("no-such-host.invalid", 4002, 5)

    asyncio.run(main())
