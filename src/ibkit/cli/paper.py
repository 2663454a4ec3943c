"""`ibkit paper`: a simulated gateway in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ibkit.paper import PaperGateway


class _Enough(BaseException):
    """Somebody asked us to end."""


def command(
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 4002,
    server_version: Annotated[
        int, typer.Option(min=157, max=225, help="The newest protocol version it speaks; text up to 200.")
    ] = 225,
    seed: Annotated[int, typer.Option(help="Which of the simulated markets.")] = 1,
    start: Annotated[
        str | None,
        typer.Option(
            help="When its market starts, 'YYYY-MM-DD HH:MM[ zone]'; default: 10:00 New York of the latest trading day."
        ),
    ] = None,
    speed: Annotated[float, typer.Option(help="How many times as fast its market runs.")] = 1.0,
    account: Annotated[str, typer.Option(help="The account of the login; several with commas.")] = "DU1234567",
    store: Annotated[
        str | None, typer.Option(help="A file that keeps orders and accounts, also when it is killed.", metavar="FILE")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each client and request.")] = False,
) -> None:
    """Run a simulated IB Gateway; prints `listening on HOST:PORT` once it accepts, ends with Ctrl-C."""
    from ibkit.paper import PaperGateway

    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    if verbose:
        logging.getLogger("ibkit.paper").setLevel(logging.DEBUG)
    signal.signal(signal.SIGTERM, _enough)
    signal.signal(signal.SIGINT, _enough)
    try:
        _serve(PaperGateway(host, port, seed, server_version, start, speed, account, store=store))
    except (OSError, ValueError) as error:
        typer.echo(f"ibkit paper: {getattr(error, 'strerror', None) or error}", err=True)
        raise typer.Exit(1) from None
    except _Enough:
        return


def _serve(gateway: PaperGateway) -> None:
    gateway.start()
    try:
        typer.echo(f"listening on {gateway.host}:{gateway.port}")
        sys.stdout.flush()
        while gateway.running:
            gateway.wait(1.0)  # not for ever: on Windows nothing interrupts that
    finally:
        gateway.stop()


def _enough(number: int, frame: FrameType | None) -> None:
    # A second one ends us the hard way.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _Enough
