"""The command `ibkit`: demo, paper, run, doctor.

Each command is a module with a function ``command``; it is thin, the library does the work, and it imports
what is heavy when it runs, so that ``ibkit --help`` is quick. The command line needs typer and rich, which the
library itself does not.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    """Run the command line."""
    for name in ("typer", "rich"):
        try:
            import_module(name)
        except ModuleNotFoundError:
            sys.exit(f"the command line needs {name}: pip install 'ibkit[cli]' (or 'ibkit[all]' for the demo)")
    import_module("ibkit.cli.commands").app()


def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("ibkit.cli.commands").app
