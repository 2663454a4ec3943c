"""Starting and watching a real TWS or IB Gateway: IBC, which logs it in, and the Watchdog, which keeps it up.

IBC is a program of its own (https://github.com/IbcAlpha/IBC). Passwords reach it in a configuration file that only this
user can read and that lives as long as the program: never on a command line, which every user of the machine can see,
and never in a log or a repr. Must not know the wire or the engine.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING, ClassVar, Final, Self

from ibkit import clock, util
from ibkit.errors import ConnectionRefused, IbkitError
from ibkit.events import Event, LazyEvent
from ibkit.model import Contract, Forex
from ibkit.model.base import Record, dataclassAsDict, show
from ibkit.model.records import field, record

if TYPE_CHECKING:
    import asyncio
    import signal
    import tempfile

    from ibkit.ib import IB

WINDOWS: Final = sys.platform == "win32"

STOP_S: Final = 20.0
"""Seconds a program may take to end before it is killed."""

LISTENS_S: Final = 0.5
"""Seconds between two looks whether a starting program listens."""

RETRY_MAX_S: Final = 300.0
"""Longest pause between two attempts to start: an account is locked after too many bad logins."""

# Field -> (option on Unix, option on Windows); None: there is none. What ends in = or : takes the value.
_OPTIONS: Final[dict[str, tuple[str | None, str | None]]] = {
    "twsVersion": ("", ""),
    "gateway": ("--gateway", "/Gateway"),
    "tradingMode": ("--mode=", "/Mode:"),
    "twsPath": ("--tws-path=", "/TwsPath:"),
    "twsSettingsPath": ("--tws-settings-path=", None),
    "ibcPath": ("--ibc-path=", "/IbcPath:"),
    "ibcIni": ("--ibc-ini=", "/Config:"),
    "javaPath": ("--java-path=", "/JavaPath:"),
    "on2fatimeout": ("--on2fatimeout=", "/On2FATimeout:"),
}
# Field -> key in IBC's configuration file.
_CREDENTIALS: Final = {
    "userid": "IbLoginId",
    "password": "IbPassword",
    "fixuserid": "FIXLoginId",
    "fixpassword": "FIXPassword",
}


@record
class IBC(Record):
    """TWS or IB Gateway, started and logged in by IBC.

    Args:
        twsVersion: major version of the installed TWS or Gateway, such as 1030.
        gateway: start Gateway, not TWS.
        tradingMode: 'live' or 'paper'.
        twsPath: where TWS is installed; IBC's default when empty, as for the other paths.
        twsSettingsPath: where TWS keeps its settings (not on Windows).
        ibcPath: where IBC is installed: /opt/ibc or C:\\IBC.
        ibcIni: IBC's configuration file; its settings hold, except for the credentials given here.
        javaPath: the folder of the java program.
        userid: login; better kept in ``ibcIni``, readable by you alone.
        password: of ``userid``.
        fixuserid: FIX login (Gateway only).
        fixpassword: of ``fixuserid``.
        on2fatimeout: what to do when two-factor authentication times out: 'restart' or 'exit'.

    Raises FileNotFoundError from ``start`` when IBC is not where ``ibcPath`` says.
    """

    IbcLogLevel: ClassVar[int] = logging.DEBUG
    """Level at which the output of the program is logged, on the logger ``ibkit.IBC``."""

    twsVersion: int = 0
    gateway: bool = False
    tradingMode: str = ""
    twsPath: str = ""
    twsSettingsPath: str = ""
    ibcPath: str = ""
    ibcIni: str = ""
    javaPath: str = ""
    userid: str = ""
    password: str = ""
    fixuserid: str = ""
    fixpassword: str = ""
    on2fatimeout: str = ""

    def __post_init__(self) -> None:
        self.ibcPath = self.ibcPath or ("C:\\IBC" if WINDOWS else "/opt/ibc")
        self._process: asyncio.subprocess.Process | None = None
        self._monitor: asyncio.Task[None] | None = None
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._logger = logging.getLogger("ibkit.IBC")

    def __repr__(self) -> str:
        fields = dataclassAsDict(self)
        for name in _CREDENTIALS:
            if fields[name]:
                fields[name] = "***"
        return show(self, fields)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def start(self) -> None:
        """Start the program; does nothing when it runs. Blocking form of ``startAsync``."""
        util.run(self.startAsync())

    def terminate(self) -> None:
        """End the program. Blocking form of ``terminateAsync``."""
        util.run(self.terminateAsync())

    async def startAsync(self) -> None:
        """Start the program; does nothing when it runs.

        Raises FileNotFoundError when IBC is not where ``ibcPath`` says.
        """
        import asyncio
        import subprocess
        from pathlib import Path

        if self._process is not None and self._process.returncode is None:
            return
        script = Path(self.ibcPath, "scripts", "StartIBC.bat" if WINDOWS else "ibcstart.sh")
        if not script.exists():
            raise FileNotFoundError(
                f"IBC is not installed at {self.ibcPath}: there is no {script}. Install it "
                "(https://github.com/IbcAlpha/IBC), or say where it is with ibcPath"
            )
        self._forget_secrets()
        command = [str(script), *self._arguments()]
        self._logger.info("Starting %s", " ".join(command))
        # In a session of its own, so that what the script starts can be ended with it.
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=not WINDOWS
        )
        self._monitor = asyncio.create_task(self.monitorAsync())

    async def terminateAsync(self) -> None:
        """End the program and what it started: asked first, killed when it does not listen."""
        import asyncio
        import signal

        process, self._process = self._process, None
        monitor, self._monitor = self._monitor, None
        if process is not None:
            self._logger.info("Terminating")
            _signal(process, signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                self._logger.warning("the program did not end within %g s and is killed", STOP_S)
                _signal(process, signal.SIGTERM if WINDOWS else signal.SIGKILL)
                await process.wait()
        if monitor is not None:
            monitor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await monitor
        self._forget_secrets()

    async def monitorAsync(self) -> None:
        """Log what the program writes, until it ends."""
        process = self._process
        if process is None or process.stdout is None:
            return
        secrets = [secret for name in _CREDENTIALS if (secret := getattr(self, name))]
        async for line in process.stdout:
            text = line.decode(errors="replace").strip()
            for secret in secrets:
                text = text.replace(secret, "***")
            self._logger.log(self.IbcLogLevel, "%s", text)
        code = await process.wait()
        if process is self._process:
            self._logger.warning("the program has ended by itself, exit status %d", code)

    def _arguments(self) -> list[str]:
        values = dataclassAsDict(self)
        if any(values[name] for name in _CREDENTIALS):
            values["ibcIni"] = self._private_ini()
        arguments = []
        for name, options in _OPTIONS.items():
            option, value = options[WINDOWS], values[name]
            if option is not None and value:
                takes_value = not option or option[-1] in "=:"
                arguments.append(f"{option}{value}" if takes_value else option)
        return arguments

    def _private_ini(self) -> str:
        """Write the configuration with the credentials into a folder that only this user can enter."""
        import tempfile
        from pathlib import Path

        ini = Path(self.ibcIni) if self.ibcIni else Path.home() / ("Documents/IBC" if WINDOWS else "ibc") / "config.ini"
        lines = ini.read_text().splitlines() if ini.exists() else []
        for name, key in _CREDENTIALS.items():
            if value := getattr(self, name):
                lines = [line for line in lines if line.partition("=")[0].strip().lower() != key.lower()]
                lines.append(f"{key}={value}")
        self._private = tempfile.TemporaryDirectory(prefix="ibkit-ibc-")
        path = Path(self._private.name, "config.ini")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        return str(path)

    def _forget_secrets(self) -> None:
        private, self._private = self._private, None
        if private is not None:
            private.cleanup()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal the program and everything in its session."""
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        if WINDOWS:
            import subprocess

            subprocess.call(["taskkill", "/F", "/T", "/PID", str(process.pid)])
        else:
            os.killpg(process.pid, number)


@record
class Watchdog(Record):
    """Keep TWS or Gateway up and an IB connected to it; for programs that set themselves up on ``connectedEvent``.

    When nothing has come in for ``appTimeout`` seconds, historical data is asked for; no answer within ``probeTimeout``
    means that the program hangs. Then, on errors 100 and 1100, and when the connection ends, the program is ended,
    started and connected to again, after ``retryDelay`` seconds, twice as many with each failure in a row.

    Args:
        controller: starts and ends the program.
        ib: connected by the watchdog, not by you.
        host: where the program listens; port, clientId, readonly, account and raiseSyncErrors: as for ``IB.connect``.
        connectTimeout: seconds for connecting.
        appStartupTime: seconds given to the program to start; it is connected to as soon as it listens.
        appTimeout: seconds of silence before the probe.
        retryDelay: seconds before starting again.
        probeContract: what historical data is asked for.
        probeTimeout: seconds for the probe.

    Events: startingEvent, startedEvent, stoppingEvent, stoppedEvent, softTimeoutEvent (silence: the probe is sent),
    hardTimeoutEvent (no answer to the probe); each tells (watchdog).

    Raises ValueError when ``ib`` is connected already.
    """

    controller: IBC
    ib: IB
    host: str = "127.0.0.1"
    port: int = 7497
    clientId: int = 1
    connectTimeout: float = 2
    appStartupTime: float = 30
    appTimeout: float = 20
    retryDelay: float = 2
    readonly: bool = False
    account: str = ""
    probeContract: Contract = field(default_factory=lambda: Forex("EURUSD"))
    probeTimeout: float = 4
    raiseSyncErrors: bool = False

    startingEvent = LazyEvent(Event)
    startedEvent = LazyEvent(Event)
    stoppingEvent = LazyEvent(Event)
    stoppedEvent = LazyEvent(Event)
    softTimeoutEvent = LazyEvent(Event)
    hardTimeoutEvent = LazyEvent(Event)

    events: ClassVar[tuple[str, ...]] = (
        "startingEvent", "startedEvent", "stoppingEvent", "stoppedEvent", "softTimeoutEvent", "hardTimeoutEvent",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.ib.isConnected():
            raise ValueError("the IB of a Watchdog must not be connected: the watchdog connects it")
        self._runner: asyncio.Task[None] | None = None
        self._logger = logging.getLogger("ibkit.Watchdog")

    def start(self) -> asyncio.Task[None]:
        """Begin to watch; returns the task that does, which ends with ``stop``."""
        self._logger.info("Starting")
        self.startingEvent.emit(self)
        self._runner = util.getLoop().create_task(self.runAsync())
        return self._runner

    def stop(self) -> None:
        """Stop watching, disconnect, and end the program; ``stoppedEvent`` tells when it has ended."""
        self._logger.info("Stopping")
        self.stoppingEvent.emit(self)
        self.ib.disconnect()
        if self._runner is not None:
            self._runner.cancel()
            self._runner = None

    async def runAsync(self) -> None:
        """Start, connect and watch, again and again, until cancelled."""
        import asyncio

        delay = self.retryDelay
        while True:
            try:
                await self.controller.startAsync()
                await self._connect()
                delay = self.retryDelay
                self.startedEvent.emit(self)
                self._logger.warning("%s: starting again in %g s", await self._watch(), delay)
            except (IbkitError, OSError) as error:
                self._logger.warning("%s: trying again in %g s", error, delay)
            finally:
                self.ib.disconnect()
                await self.controller.terminateAsync()
                self.stoppedEvent.emit(self)
            await asyncio.sleep(delay)
            delay = min(2 * delay, RETRY_MAX_S)

    async def _connect(self) -> None:
        """Connect as soon as the program listens; raises ConnectionRefused when it does not within appStartupTime."""
        import asyncio

        deadline = clock.default.monotonic() + self.appStartupTime
        while True:
            try:
                await self.ib.connectAsync(
                    self.host, self.port, self.clientId, self.connectTimeout,
                    readonly=self.readonly, account=self.account, raiseSyncErrors=self.raiseSyncErrors,
                )  # fmt: skip
                return
            except ConnectionRefused:
                if clock.default.monotonic() >= deadline:
                    raise
            await asyncio.sleep(LISTENS_S)

    async def _watch(self) -> str:
        """Watch a connection; returns what went wrong with it."""
        import asyncio

        trouble: asyncio.Queue[str] = asyncio.Queue()

        def on_timeout(idle: float) -> None:
            trouble.put_nowait("")

        def on_error(reqId: int, errorCode: int, errorString: str, contract: Contract | None) -> None:
            if errorCode in (100, 1100):
                trouble.put_nowait(f"Error {errorCode}: {errorString}")

        def on_disconnected() -> None:
            trouble.put_nowait("Disconnected")

        ib = self.ib
        ib.timeoutEvent += on_timeout
        ib.errorEvent += on_error
        ib.disconnectedEvent += on_disconnected
        try:
            while True:
                ib.setTimeout(self.appTimeout)
                if reason := await trouble.get():
                    return reason
                self._logger.debug("Soft timeout")
                self.softTimeoutEvent.emit(self)
                if not await self._probe():
                    self.hardTimeoutEvent.emit(self)
                    return "Hard timeout"
        finally:
            ib.timeoutEvent -= on_timeout
            ib.errorEvent -= on_error
            ib.disconnectedEvent -= on_disconnected

    async def _probe(self) -> bool:
        """Ask for historical data; any answer, a refusal too, shows that the program is alive."""
        import asyncio

        try:
            async with asyncio.timeout(self.probeTimeout):
                await self.ib.reqHistoricalDataAsync(
                    self.probeContract, "", "30 S", "5 secs", "MIDPOINT", False, timeout=0
                )
        except TimeoutError:
            return False
        except IbkitError as error:
            self._logger.debug("the probe was refused: %s", error)
        return self.ib.isConnected()
