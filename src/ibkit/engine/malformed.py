"""Messages that cannot be decoded: one of them costs the request it belongs to, never the connection.

Whose answer it was is read from what can be read of it. Must not know what the requests are.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING, Final

from ibkit.errors import MalformedMessage
from ibkit.wire import messages as m
from ibkit.wire.table import PROTOBUF_OFFSET, RAW_ID_VERSION, Message, Value, table

if TYPE_CHECKING:
    from ibkit.engine.core import Engine

logger = logging.getLogger("ibkit.engine")

NO_ID: Final = -1
UNDECODABLE: Final = 508
"""The official client's code for a message that could not be decoded."""

_ID_FIELDS: Final = frozenset({"reqId", "requestId", "tickerId"})
_PROTOBUF_FIELD_1: Final = 0x08

# The requests without an id whose answer a message belongs to.
_KEYS: Final = {
    "ACCT_DOWNLOAD_END": "accountUpdates",
    "ACCT_VALUE": "accountUpdates",
    "COMPLETED_ORDER": "completedOrders",
    "CURRENT_TIME": "currentTime",
    "CURRENT_TIME_IN_MILLIS": "currentTimeInMillis",
    "FAMILY_CODES": "familyCodes",
    "MANAGED_ACCTS": "managedAccounts",
    "MKT_DEPTH_EXCHANGES": "mktDepthExchanges",
    "NEWS_PROVIDERS": "newsProviders",
    "NEXT_VALID_ID": "ids",
    "OPEN_ORDER": "openOrders",
    "PORTFOLIO_VALUE": "accountUpdates",
    "POSITION_DATA": "positions",
    "SCANNER_PARAMETERS": "scannerParams",
}


def report(engine: Engine, error: MalformedMessage) -> None:
    """Count and tell a message that could not be decoded, and fail the request it was to answer."""
    engine.malformed += 1
    logger.error("a message of %s could not be decoded and was skipped: %s", engine.name, error)
    req_id = request_id(error, engine.version)
    contract = None
    key: Hashable = _KEYS.get(error.name)
    if req_id is not None:
        key = req_id
        contract = engine.calls.contract(key)
    if key is not None:
        engine.calls.fail(key, error)
    engine.events.errorEvent.emit(NO_ID if req_id is None else req_id, UNDECODABLE, str(error), contract)


def request_id(error: MalformedMessage, version: int) -> int | None:
    """Return the id of the request that a message was to answer, as far as it can be read."""
    try:
        message = table().message(error.name)
    except KeyError:  # not even its kind could be read
        return None
    if not _ID_FIELDS.intersection(getattr(m, message.class_name)._fields[:1]):
        return None
    if version >= RAW_ID_VERSION and int.from_bytes(error.body[:4], "big") > PROTOBUF_OFFSET:
        return _first_number(error.body[4:])
    return _text_id(message, error.body, version)


def _first_number(data: bytes) -> int | None:
    """Read protobuf field 1, which holds the id in all answers that have one."""
    if data[:1] != bytes([_PROTOBUF_FIELD_1]):
        return None
    number = 0
    for place, byte in enumerate(data[1:11]):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return number
    return None


def _text_id(message: Message, body: bytes, version: int) -> int | None:
    fields = body[4:].split(b"\0") if version >= RAW_ID_VERSION else body.split(b"\0")[1:]
    rows = [ranged.row for ranged in message.rows if ranged.since <= version < ranged.before]
    for row, field in zip(rows, fields, strict=False):
        if isinstance(row, Value) and row.path[0] in _ID_FIELDS:
            return int(field) if field.isdigit() and len(field) < 20 else None
    return None
