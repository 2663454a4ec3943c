"""The connection as ib_insync scripts expect it: failed requests are logged and return what they have."""

from __future__ import annotations

import ibkit.ib


class IB(ibkit.ib.IB):
    """`ibkit.IB` with ib_insync's way to fail, and to wait; a script may switch to errors as it could there.

    ``RequestTimeout`` limits blocking calls alone, each as a whole, and there is no limit unless the script sets one.
    """

    RequestTimeout: float = 0
    RaiseRequestErrors: bool = False

    def _request_timeout(self) -> float:
        return 0

    def _wait_limit(self) -> float | None:
        return self.RequestTimeout or None
