"""How a handler says no: an exception that becomes the error message of its request.

The texts are those of TWS where they are known. Must not know sessions.
"""

from __future__ import annotations

from ibkit.wire import messages as m


class Refusal(Exception):
    """Answer the request at hand with an error; ``reject_json`` as TWS sends it with some rejections of orders."""

    def __init__(self, code: int, text: str, reject_json: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.reject_json = reject_json


# TWS names one of its own obfuscated classes in some texts; the letters change from release to release.
_CLASS = "bZ"


def invalid(cause: str) -> Refusal:
    """321: an argument that cannot work."""
    return Refusal(321, f"Error validating request.-'{_CLASS}' : cause - {cause}")


def failed(cause: str) -> Refusal:
    """322: a request that is fine, and cannot be served as things are."""
    return Refusal(322, f"Error processing request.-'{_CLASS}' : cause - {cause}")


def duplicate_id(req_id: int) -> Refusal:
    """322: a request id that is in use."""
    return failed(f"Duplicate ticker id {req_id}")


def unreadable(cause: str) -> Refusal:
    """320: a message that makes no sense."""
    return Refusal(320, f"Error reading request. {cause}")


def history_error(text: str) -> Refusal:
    """162: the historical data service cannot serve the query."""
    return Refusal(162, f"Historical Market Data Service error message:{text}")


_ID_FIELDS = ("reqId", "tickerId", "orderId", "requestId")


def id_of(message: m.Message) -> int:
    """Return the id an error about ``message`` carries; -1 where the message has none."""
    for name in _ID_FIELDS:
        if name in message._fields:
            return int(getattr(message, name))
    return -1
