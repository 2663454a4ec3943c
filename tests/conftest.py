"""What all tests share: hypothesis explores the same examples in every run, and no test waits for a screen."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile("ibkit", derandomize=True, deadline=None)
settings.load_profile("ibkit")
