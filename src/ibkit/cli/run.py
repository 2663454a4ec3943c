"""`ibkit run`: run a script that was written for ib_insync or ib_async, as it is; on request against a paper gateway.

With ``--paper`` a gateway is started inside the process and every ``connect()`` of the script goes to it, whatever
host and port the script names: nothing that runs under ``--paper`` can reach an account by mistake.
"""

from __future__ import annotations

import io
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer


def command(
    script: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The Python script.", metavar="SCRIPT")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments of the script; put -- before the first that begins with -.")
    ] = None,
    paper: Annotated[bool, typer.Option("--paper", help="Start a paper gateway; connect() goes there.")] = False,
    seed: Annotated[int, typer.Option(help="Which of the simulated markets.")] = 1,
    start: Annotated[
        str | None, typer.Option(help="When the simulated market starts, 'YYYY-MM-DD HH:MM[ zone]'.")
    ] = None,
    speed: Annotated[float, typer.Option(help="How many times as fast its market runs.")] = 1.0,
    shock: Annotated[
        list[str] | None,
        typer.Option(help="Move a price: SYMBOL:PERCENT[:AFTER_S], in seconds of the market.", metavar="SHOCK"),
    ] = None,
) -> None:
    """Run SCRIPT unchanged; `import ib_insync` and `import ib_async` are answered by ibkit."""
    shocks = [_shock(text) for text in shock or ()]
    from ibkit import legacy

    legacy.install()
    with ExitStack() as stack:
        if paper:
            _start_gateway(stack, seed, start, speed, shocks)
        _execute(script, arguments or [])


def _shock(text: str) -> tuple[str, float, float]:
    """Read 'V:6:360': symbol, percent, seconds from now (1 when not given)."""
    symbol, _, rest = text.partition(":")
    percent, _, after = rest.partition(":")
    try:
        return symbol, float(percent), float(after or 1)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected SYMBOL:PERCENT[:AFTER_S], such as V:6:360") from None


def _start_gateway(
    stack: ExitStack, seed: int, start: str | None, speed: float, shocks: list[tuple[str, float, float]]
) -> None:
    """Start a gateway until the script has ended, and make it the place where every connect() goes."""
    from ibkit import clock, legacy
    from ibkit.paper import PaperGateway

    try:
        gateway = stack.enter_context(PaperGateway(port=0, seed=seed, start=start, speed=speed))
        for symbol, percent, after_s in shocks:
            gateway.shock(symbol, percent, after_s=after_s)
    except ValueError as error:  # a start, speed or symbol that cannot be
        raise typer.BadParameter(str(error)) from None
    legacy.lead_to(gateway.host, gateway.port)
    clock.default = gateway.clock  # what happens is stamped with the market's time


def _execute(script: Path, arguments: list[str]) -> None:
    """Run a script as ``python SCRIPT ARGUMENTS`` would."""
    path = str(script)
    with io.open_code(path) as file:
        source = file.read()
    threads = set(threading.enumerate())
    module = ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    sys.argv = [path, *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    try:
        exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    except Exception as error:  # shown as Python shows it, but without our own lines above the script's
        _show(error, path)
        raise SystemExit(1) from None
    finally:
        # Its threads may go on, and may need the gateway; the interpreter would wait for them as well.
        for thread in set(threading.enumerate()) - threads:
            if not thread.daemon:
                thread.join()


def _show(error: Exception, path: str) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)
