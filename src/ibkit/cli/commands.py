"""The typer application: which commands there are, and nothing else."""

from __future__ import annotations

import typer

from ibkit.cli import demo, doctor, paper, run

app = typer.Typer(
    name="ibkit",
    help="Trade from Python through Interactive Brokers' TWS and IB Gateway; a simulated gateway is in the box.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback of the user's script is shown as Python shows it
)


def _version(wanted: bool) -> None:
    if wanted:
        from ibkit import __version__

        typer.echo(f"ibkit {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Take the options that stand before a command."""


app.command("demo", help=demo.command.__doc__)(demo.command)
app.command("paper", help=paper.command.__doc__)(paper.command)
app.command("run", help=run.command.__doc__)(run.command)
app.command("doctor", help=doctor.command.__doc__)(doctor.command)
