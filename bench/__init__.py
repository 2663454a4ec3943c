"""The benchmark: ibkit beside every other Python client, at a neutral gateway, in one run.

``python -m bench --help``. Which work is measured is in ``scenarios``, who takes part in ``contenders``; ``gateway``
is a process of its own, and so is every client in ``clients/``. Nothing here is part of the library.
"""
