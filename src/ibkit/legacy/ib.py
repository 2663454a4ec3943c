"""The connection as ib_insync scripts expect it: failed requests are logged and return what they have."""

from __future__ import annotations

import ibkit.ib


class IB(ibkit.ib.IB):
    """`ibkit.IB` with ib_insync's way to fail; a script may switch to errors as it could there."""

    RaiseRequestErrors: bool = False
