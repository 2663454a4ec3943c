"""IBC and Watchdog, with a program in IBC's place that starts a simulated gateway."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest

from ibkit import IB
from ibkit.ibc import IBC, Watchdog

PASSWORD = "hunter2-very-secret"

# What stands where IBC's script would: notes its arguments and the configuration, then is a gateway.
SCRIPT = """#!{python}
import os, pathlib, sys
here = pathlib.Path({here!r})
ini = next(arg for arg in sys.argv if arg.startswith("--ibc-ini="))[10:]
(here / "seen").write_text(repr(sys.argv) + chr(10) + pathlib.Path(ini).read_text())
(here / "mode").write_text(oct(os.stat(ini).st_mode & 0o777))
print("logging in with", {password!r}, flush=True)
from ibkit.cli import main
sys.argv = ["ibkit", "paper", "--port", {port!r}]
main()
"""


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def port() -> int:
    return _free_port()


@pytest.fixture
def ibc(tmp_path: Path, port: int) -> IBC:
    scripts = tmp_path / "ibc" / "scripts"
    scripts.mkdir(parents=True)
    script = scripts / "ibcstart.sh"
    script.write_text(SCRIPT.format(python=sys.executable, here=str(tmp_path), password=PASSWORD, port=str(port)))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "config.ini").write_text("TradingMode=paper\nIbPassword=old\n")
    return IBC(
        1030, gateway=True, tradingMode="paper", ibcPath=str(tmp_path / "ibc"), ibcIni=str(tmp_path / "config.ini"),
        userid="someone", password=PASSWORD,
    )  # fmt: skip


async def _connect(port: int) -> IB:
    """Connect as soon as the program listens."""
    ib = IB()
    while True:
        try:
            return await ib.connectAsync(port=port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)


def test_a_program_is_started_and_ended_and_the_password_is_seen_nowhere(
    ibc: IBC, port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> int:
        await ibc.startAsync()
        await ibc.startAsync()  # it runs already
        ib = await _connect(port)
        assert ibc._process is not None
        pid = ibc._process.pid
        assert PASSWORD not in Path(f"/proc/{pid}/cmdline").read_text()
        assert PASSWORD not in Path(f"/proc/{pid}/environ").read_text()
        ib.disconnect()
        await ibc.terminateAsync()
        return pid

    pid = asyncio.run(main())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    arguments, *ini = (tmp_path / "seen").read_text().splitlines()
    assert "'1030', '--gateway', '--mode=paper'" in arguments
    assert PASSWORD not in arguments
    assert ini == ["TradingMode=paper", "IbLoginId=someone", f"IbPassword={PASSWORD}"]
    assert (tmp_path / "mode").read_text() == "0o600"
    assert ibc._private is None
    assert PASSWORD not in caplog.text
    assert "logging in with ***" in caplog.text
    assert PASSWORD not in repr(ibc)
    assert "someone" not in repr(ibc)


def test_a_missing_ibc_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="say where it is with ibcPath"):
        IBC(1030, ibcPath=str(tmp_path)).start()


def test_with_starts_and_ends_it(ibc: IBC) -> None:
    with ibc:
        assert ibc._process is not None
        pid = ibc._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_watchdog_brings_a_killed_program_back(ibc: IBC, port: int, caplog: pytest.LogCaptureFixture) -> None:
    ib = IB()
    told: list[str] = []

    async def main() -> None:
        watchdog = Watchdog(ibc, ib, port=port, appStartupTime=60, retryDelay=0.05)
        started: asyncio.Queue[None] = asyncio.Queue()
        for name in Watchdog.events:
            getattr(watchdog, name).connect(lambda _, name=name: told.append(name))
        watchdog.startedEvent += lambda _: started.put_nowait(None)
        task = watchdog.start()
        await started.get()
        assert ib.isConnected()
        assert ibc._process is not None
        os.killpg(ibc._process.pid, signal.SIGKILL)
        await started.get()
        assert ib.isConnected()
        watchdog.stop()
        assert not ib.isConnected()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ibc._process is None

    asyncio.run(main())
    assert told[0] == "startingEvent"
    assert told.count("startedEvent") == 2
    assert told[-2:] == ["stoppingEvent", "stoppedEvent"]
    assert "starting again" in caplog.text


def test_a_watchdog_probes_a_silent_program(ibc: IBC, port: int) -> None:
    ib = IB()

    async def main() -> None:
        watchdog = Watchdog(ibc, ib, port=port, appStartupTime=60, retryDelay=0.05, appTimeout=0.2, probeTimeout=10)
        probed: asyncio.Queue[None] = asyncio.Queue()
        watchdog.softTimeoutEvent += lambda _: probed.put_nowait(None)
        hard: list[Watchdog] = []
        watchdog.hardTimeoutEvent += hard.append
        task = watchdog.start()
        await probed.get()
        await probed.get()  # it answered the first time, and was watched on
        assert not hard
        watchdog.stop()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_the_ib_of_a_watchdog_is_not_connected_yet() -> None:
    class Connected:
        def isConnected(self) -> bool:
            return True

    with pytest.raises(ValueError, match="the watchdog connects it"):
        Watchdog(IBC(), Connected())  # type: ignore[arg-type]
