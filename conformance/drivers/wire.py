"""What a client with callbacks says and is told: calls by name, callbacks by name, whatever language it is in.

``Wire`` is one connected client; ``Events`` keeps what it was told and waits for what is still to come. Must not know
what any call means.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from conformance.drivers.api import Missing, Refused

PATIENCE_S = 15.0

# What the gateway says that is no error: farms, data that comes delayed, the exchanges of a book.
INFORMATION = frozenset({2100, 2103, 2104, 2106, 2107, 2108, 2152, 2158, 10167, 202})


def harmless(code: int, text: str) -> bool:
    """Tell whether a message code tells of nothing wrong; one is that of failures and of cancels that worked."""
    return code in INFORMATION or (code == 162 and "cancelled" in text)


class Event(NamedTuple):
    """A callback."""

    name: str
    args: tuple[Any, ...]


class Wire(Protocol):
    """A client: what is called reaches the gateway, what it is told goes to ``events``.

    The callback "error" has the arguments (id, code, text); "trouble" is a message it could not read.
    """

    events: Events
    name: str

    def version(self) -> int: ...
    def call(self, name: str, *args: Any) -> None: ...
    def make(self, kind: str, **fields: Any) -> Any: ...
    def again(self, client_id: int, verify: bool = False) -> Wire: ...
    def close(self) -> None: ...


class Events:
    """Everything a client was told, in order."""

    def __init__(self) -> None:
        self._rows: list[Event] = []
        self._news = threading.Condition()

    def tell(self, name: str, *args: Any) -> None:
        """Take a callback; on any thread."""
        with self._news:
            self._rows.append(Event(name, args))
            self._news.notify_all()

    def mark(self) -> int:
        """Return where we are."""
        return len(self._rows)

    def all(self, name: str, since: int = 0, req_id: object = None) -> list[tuple[Any, ...]]:
        """Return the arguments of all callbacks of a name; with ``req_id`` of those that begin with it."""
        rows = self._rows[since:]
        return [row.args for row in rows if row.name == name and (req_id is None or row.args[0] == req_id)]

    def until(
        self,
        found: Callable[[list[Event]], Any],
        since: int,
        what: str,
        req_id: int | None = None,
        patience: float = PATIENCE_S,
    ) -> Any:
        """Return what ``found`` finds in the callbacks since a mark, as soon as it finds something.

        An error with ``req_id`` raises Refused.
        """
        end = time.monotonic() + patience
        with self._news:
            while True:
                rows = self._rows[since:]
                answer = found(rows)
                if answer is not None and answer is not False:
                    return answer
                if req_id is not None:
                    for row in rows:
                        if row.name == "error" and row.args[0] == req_id and not harmless(*row.args[1:]):
                            raise Refused(row.args[1], row.args[2])
                left = end - time.monotonic()
                if left <= 0:
                    heard = [row.name for row in rows[-12:]]
                    raise Missing(f"{what} did not come; last heard: {heard}")
                self._news.wait(left)

    def wait(
        self,
        name: str,
        since: int,
        req_id: int | None = None,
        where: Callable[..., object] = lambda *args: True,
        about: int | None = None,
        patience: float = PATIENCE_S,
    ) -> tuple[Any, ...]:
        """Return the arguments of a callback since a mark; with ``req_id`` one that begins with it.

        An error about ``req_id``, or ``about``, raises Refused.
        """

        def find(rows: list[Event]) -> tuple[Any, ...] | None:
            for row in rows:
                if row.name == name and (req_id is None or row.args[0] == req_id) and where(*row.args):
                    return row.args
            return None

        found: tuple[Any, ...] = self.until(find, since, name, req_id if about is None else about, patience)
        return found

    def since(self, mark: int) -> list[Event]:
        """Return all callbacks since a mark."""
        return self._rows[mark:]
