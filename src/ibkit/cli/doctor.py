"""`ibkit doctor`: what this machine has, and which TWS, Gateway or paper gateway answers here.

Looks only: it says hello, reads the version and the time, and hangs up, so that no client id is taken.
"""

from __future__ import annotations

import socket
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

if TYPE_CHECKING:
    from rich.console import Console

PORTS = {7496: "TWS, live", 7497: "TWS, paper", 4001: "Gateway, live", 4002: "Gateway, paper, or `ibkit paper`"}
"""Where TWS and Gateway listen unless told otherwise."""

PACKAGES = {
    "protobuf": "needed",
    "tzdata": "needed",
    "pandas": "for util.df: pip install 'ibkit[pandas]'",
    "numpy": "for the paper gateway: pip install 'ibkit[paper]'",
    "matplotlib": "for charts: pip install 'ibkit[plot]'",
    "typer": "needed for the command line",
    "rich": "needed for the command line",
}

PATIENCE_S = 3.0
"""How long something that accepted a connection may take to say hello."""

CLOCK_OFFSET_MAX_S = 2.0
"""The broker's time is told in whole seconds; a larger difference is the clock's."""

Mark = Literal["good", "warning", "bad", "idle"]


class Finding(NamedTuple):
    """One line of the report, and what to do about it."""

    mark: Mark
    subject: str
    text: str
    advice: str = ""


def command(
    host: Annotated[str, typer.Option(help="Where TWS or Gateway runs.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Look at this port only.")] = None,
) -> None:
    """Check this machine and the connection to TWS, Gateway or `ibkit paper`; exit status 1 if something is wrong."""
    from rich.console import Console

    console = Console(highlight=False)
    ports = [port] if port is not None else list(PORTS)
    found = [_python(), *(_package(name, use) for name, use in PACKAGES.items())]
    _print(console, found)
    answers = [_peer(host, each) for each in ports]
    _print(console, answers)
    alive = any(finding.mark in ("good", "warning") for finding in answers)
    if not alive:
        console.print(
            f"\nNothing at {host} speaks the TWS protocol"
            f"{'' if port is None else f' at port {port}'}. Start TWS or IB Gateway, log in, and switch its API on "
            "(Settings, API, 'Enable ActiveX and Socket Clients'; the port is shown there). "
            "Without an account, run [bold]ibkit paper[/] in another terminal."
        )
    if not alive or any(finding.mark == "bad" for finding in found + answers):
        raise typer.Exit(1)


def _python() -> Finding:
    wanted = sys.version_info >= (3, 11)
    return Finding("good" if wanted else "bad", "Python", sys.version.split()[0], "" if wanted else "3.11 is needed")


def _package(name: str, use: str) -> Finding:
    try:
        return Finding("good", name, version(name))
    except PackageNotFoundError:
        needed = use.startswith("needed")
        return Finding("bad" if needed else "idle", name, "not installed", use)


def _peer(host: str, port: int) -> Finding:
    """Say hello at one port."""
    from ibkit.errors import FrameTooLong, HandshakeError
    from ibkit.wire import FrameReader, handshake

    subject = f"port {port}"
    kind = PORTS.get(port, "")
    try:
        sock = socket.create_connection((host, port), PATIENCE_S)
    except ConnectionRefusedError:
        return Finding("idle", subject, "nobody listens", kind)
    except OSError as error:
        return Finding("idle", subject, f"not reached ({error.strerror or error})", kind)
    with sock:
        reader = FrameReader()
        end = time.monotonic() + PATIENCE_S
        try:
            sock.sendall(handshake.client_hello())
            while (body := reader.next()) is None:
                sock.settimeout(max(0.01, end - time.monotonic()))
                data = sock.recv(4096)
                if not data:
                    return Finding("bad", subject, "hung up without a word", _trusted(host))
                reader.feed(data)
            hello = handshake.read_server_hello(body)
        except TimeoutError:
            return Finding(
                "bad", subject, "accepts connections but says nothing", "restart TWS or Gateway: its API hangs"
            )
        except (HandshakeError, FrameTooLong) as error:
            return Finding("bad", subject, "something else listens here", str(error))
        except OSError as error:
            return Finding("bad", subject, f"broke off ({error.strerror or error})", _trusted(host))
        arrived = time.time()
    return _greeting(subject, kind, hello.version, hello.time_text, arrived)


def _greeting(subject: str, kind: str, server_version: int, time_text: str, arrived: float) -> Finding:
    """Judge what a TWS answered."""
    from ibkit.dates import parseIBDatetime

    text = f"server version {server_version}, its time {time_text}"
    try:
        moment = parseIBDatetime(time_text)
    except ValueError:
        return Finding("warning", subject, text, f"a time that cannot be read; {kind}")
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return Finding("good", subject, text, kind)
    offset = arrived - moment.astimezone(UTC).timestamp()
    if abs(offset) > CLOCK_OFFSET_MAX_S:
        ahead = "ahead of" if offset > 0 else "behind"
        advice = f"this clock is {_span(abs(offset))} {ahead} it: synchronise it, unless the market is simulated"
        return Finding("warning", subject, text, advice)
    return Finding("good", subject, text, kind)


def _span(secs: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if secs >= 2 * size:
            return f"{secs / size:.0f} {unit}"
    return f"{secs:.0f} s"


def _trusted(host: str) -> str:
    if host in ("127.0.0.1", "localhost", "::1"):
        return "is its API enabled, and is a message box waiting for you in TWS?"
    return "add this machine to the trusted IPs in its API settings"


def _print(console: Console, findings: list[Finding]) -> None:
    from rich.table import Table

    signs = {"good": "[green]✓[/]", "warning": "[yellow]![/]", "bad": "[red]✗[/]", "idle": "[dim]·[/]"}
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        gap = "  " if finding.mark in ("good", "idle") else "\n"
        remark = f"{gap}[dim]{finding.advice}[/]" if finding.advice else ""
        table.add_row(signs[finding.mark], finding.subject, finding.text + remark)
    console.print(table)
