"""Message codes: what each code of TWS means, and what it does to the thing it is about.

TWS reports everything from "market data farm is fine" to "order rejected" as a numbered message about an
id. The table below gives every number a ``Kind``; ``consequence`` tells what a message of that kind does
to a request or an order. Two rules stand above the table:

* an order that the broker has accepted ends only by a message that says so (201, 202) or by its own status;
* an unlisted code never ends an order, but it ends a pending request: a clear error is better than a hang.

Sources: IB's "Message Codes" page, the official client (codes 501 to 593), and what real gateways were
    seen to send. ``override`` changes a row at run time. Must not know anything else of the library.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import NamedTuple

from ibkit.code_table import ADVICE, ROWS


class Kind(Enum):
    """What sort of message a code stands for."""

    INFO = "information"
    WARNING = "warning"
    REQUEST_FAILED = "request failed"
    # Refused on validation: ends a new order, leaves an accepted one as it was.
    ORDER_REJECTED = "order rejected"
    # 201 and 202: ends an accepted order too.
    ORDER_DEAD = "order dead"
    ATTEMPT_FAILED = "modify or cancel failed"
    VARIES = "depends on what it is about"
    FEED_STATE = "state of a data feed"
    CONNECTION_STATE = "state of a connection"
    LOCAL = "raised by a client, never sent by TWS"
    UNKNOWN = "unknown code"


class Target(Enum):
    """What a message is about."""

    NOTHING = "no request and no order"
    REQUEST = "a pending request, or an order preview"
    STREAM = "a subscription that has begun"
    NEW_ORDER = "an order the broker has not accepted yet"
    LIVE_ORDER = "an order the broker has accepted"


class Consequence(Enum):
    """What a message does to its target."""

    NOTHING = "nothing: log it and go on"
    END_REQUEST = "the request has failed"
    REJECT_ORDER = "the order was refused"
    CANCEL_ORDER = "the order is cancelled"
    FAIL_ATTEMPT = "the order lives on as it was; the modification or cancel failed"


class Code(NamedTuple):
    """One row of the table; ``advice`` says what to do, or is empty."""

    code: int
    kind: Kind
    meaning: str
    advice: str = ""

    @property
    def level(self) -> int:
        """The logging level fit for a message of this kind."""
        if self.kind is Kind.INFO or (self.kind is Kind.FEED_STATE and self.code not in _BROKEN):
            return logging.INFO
        if self.kind in (Kind.WARNING, Kind.FEED_STATE, Kind.CONNECTION_STATE, Kind.UNKNOWN):
            return logging.WARNING
        return logging.ERROR


_BROKEN = frozenset({2103, 2105, 2157})  # data farms that are down

_ENDS_REQUEST = {
    Kind.REQUEST_FAILED, Kind.ORDER_REJECTED, Kind.ORDER_DEAD, Kind.ATTEMPT_FAILED, Kind.VARIES,
    Kind.LOCAL, Kind.UNKNOWN,
}  # fmt: skip
_REJECTS_NEW_ORDER = {Kind.REQUEST_FAILED, Kind.ORDER_REJECTED, Kind.ORDER_DEAD, Kind.VARIES, Kind.LOCAL}
_FAILS_ATTEMPT = {Kind.REQUEST_FAILED, Kind.ORDER_REJECTED, Kind.ATTEMPT_FAILED, Kind.VARIES, Kind.LOCAL}


def consequence(code: int, target: Target) -> Consequence:
    """Return what a message with ``code`` does to the thing it is about."""
    kind = lookup(code).kind
    if target in (Target.REQUEST, Target.STREAM):
        # A gap in the stream's own table: an unknown code ends a request, but not data that is flowing.
        ends = kind in _ENDS_REQUEST and not (target is Target.STREAM and kind is Kind.UNKNOWN)
        return Consequence.END_REQUEST if ends else Consequence.NOTHING
    if target in (Target.NEW_ORDER, Target.LIVE_ORDER):
        if code == 202:
            return Consequence.CANCEL_ORDER
        if kind is Kind.ORDER_DEAD:
            return Consequence.REJECT_ORDER
        if target is Target.NEW_ORDER and kind in _REJECTS_NEW_ORDER:
            return Consequence.REJECT_ORDER
        if kind in _FAILS_ATTEMPT:
            return Consequence.FAIL_ATTEMPT
    return Consequence.NOTHING


def lookup(code: int) -> Code:
    """Return the row of ``code``; an unlisted code gets one by its range."""
    row = _overrides.get(code) or TABLE.get(code)
    if row is not None:
        return row
    for first, last, kind, meaning in _RANGES:
        if first <= code <= last:
            return Code(code, kind, meaning)
    return Code(code, Kind.UNKNOWN, "unknown code")


def override(code: int, kind: Kind | str | None) -> None:
    """Treat ``code`` as ``kind`` from now on, in the whole process; None goes back to the table.

    Args:
        code: the number TWS sends.
        kind: a ``Kind`` or its value.

    Raises ValueError for an unknown kind.

    >>> override(2109, Kind.INFO)
    >>> lookup(2109).kind
    <Kind.INFO: 'information'>
    >>> override(2109, None)
    """
    if kind is None:
        _overrides.pop(code, None)
    else:
        row = lookup(code)
        _overrides[code] = Code(code, Kind(kind), row.meaning, row.advice)


_overrides: dict[int, Code] = {}

# Codes that are not in the table, by range.
_RANGES = (
    (501, 599, Kind.LOCAL, "problem inside a client"),
    (2100, 2199, Kind.WARNING, "warning"),
    (100, 449, Kind.VARIES, "error"),
)

TABLE: dict[int, Code] = {
    code: Code(code, Kind[name], meaning, ADVICE.get(code, ""))
    for name, rows in ROWS.items()
    for code, meaning in rows.items()
}
