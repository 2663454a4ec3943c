"""``python -m ibkit.cli``: the command line, where no script `ibkit` is installed."""

from ibkit.cli import main

main()
