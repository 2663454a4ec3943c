"""The sentinels and number types of the TWS API; knows nothing else."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias

UNSET_INTEGER: Final = 2**31 - 1
"""An int field that has no value (empty on the wire, or this very number)."""

UNSET_DOUBLE: Final = sys.float_info.max
"""A float field that has no value (empty on the wire, or 1.7976931348623157E308)."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

nan: Final = float("nan")
"""One shared not-a-number, so that records holding it compare equal."""

Number: TypeAlias = float | Decimal
"""A price or a size: float, int or Decimal; a Decimal reaches the wire digit for digit."""


def is_unset(value: object) -> bool:
    """Tell whether ``value`` stands for "no value": None, NaN or one of the two UNSET numbers."""
    return value is None or value != value or value in (UNSET_DOUBLE, UNSET_INTEGER)
