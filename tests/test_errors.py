"""Errors: one tree, each text says what happened, to what, and what to do next."""

from __future__ import annotations

import inspect
import pickle

import pytest

from ibkit import Stock, errors
from ibkit.engine.call import CallCancelled
from ibkit.flex import FlexError

EXAMPLES: list[errors.IbkitError] = [
    errors.NotConnected(),
    errors.ConnectionRefused("127.0.0.1", 7497, "Connection refused"),
    errors.ConnectionLost("the connection ended"),
    errors.ClientIdInUse(7),
    errors.RequestError(3, 321, "Error validating request", Stock("V", "SMART", "USD")),
    errors.ContractUnknown(3, 200, "No security definition has been found for the request"),
    errors.ContractAmbiguous(3, 200, "ambiguous", possibles=[Stock("V"), Stock("MA")]),
    errors.NoMarketDataPermission(3, 354, "not subscribed"),
    errors.NoData(3, 162, "HMDS query returned no data"),
    errors.PacingViolation(3, 162, "pacing violation"),
    errors.TooManySubscriptions(3, 101, "Max number of tickers has been reached"),
    errors.OrderRejected(3, 201, "Order rejected", None, '{"reject": 1}'),
    errors.RequestTimeout("reqCurrentTime()", 4.0),
    errors.ProtocolError("nonsense"),
    errors.HandshakeError("no TWS"),
    errors.FrameTooLong(2**32 - 1, 0xFFFFFF),
    errors.MalformedMessage("TickPrice", "price", "abc", b"1\x00abc\x00"),
    errors.InvalidRequest("no such bar size"),
    errors.NestingTooDeep("too deep"),
    errors.OrderStateError("the order is filled"),
]


def kinds_of(cls: type[errors.IbkitError]) -> set[type[errors.IbkitError]]:
    return {cls}.union(*map(kinds_of, cls.__subclasses__()))


def test_every_class_is_in_the_drawing_at_the_top() -> None:
    """Wherever in the library it is; what ends a call that nobody wants any more reaches nobody."""
    drawing = inspect.getdoc(errors) or ""
    ours = {cls for cls in kinds_of(errors.IbkitError) if cls.__module__.split(".")[0] == "ibkit"}
    assert FlexError in ours
    assert {cls.__name__ for cls in ours - {CallCancelled} if cls.__name__ not in drawing} == set()


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_errors_travel_between_processes(error: errors.IbkitError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__.keys() == error.__dict__.keys()


def test_what_a_drop_in_user_catches_already() -> None:
    assert issubclass(errors.NotConnected, ConnectionError)
    assert issubclass(errors.ConnectionRefused, ConnectionRefusedError)
    assert issubclass(errors.RequestTimeout, TimeoutError)
    assert issubclass(errors.InvalidRequest, ValueError)
    assert issubclass(errors.OrderStateError, AssertionError)


def test_a_refused_connection_says_everything() -> None:
    text = str(errors.ConnectionRefused("10.0.0.9", 7497, "Connection refused"))
    for part in ("10.0.0.9:7497", "Enable ActiveX and Socket Clients", "7496", "7497", "4001", "4002", "ibkit paper"):
        assert part in text


def test_the_text_of_a_request_error_names_code_contract_and_advice() -> None:
    text = str(errors.ContractUnknown(3, 200, "No security definition", Stock("XXX", "SMART", "USD")))
    assert text.startswith("API error: 200: No security definition, contract: Stock(symbol='XXX'")


def test_the_possibles_of_an_ambiguous_contract_are_in_the_text() -> None:
    error = errors.ContractAmbiguous(3, 200, "ambiguous", possibles=[Stock("V"), Stock("MA")])
    assert "Stock(symbol='V')" in str(error)
    assert "Stock(symbol='MA')" in str(error)
    assert error.possibles == [Stock("V"), Stock("MA")]


def test_a_malformed_message_shows_only_its_beginning() -> None:
    assert len(str(errors.MalformedMessage("TickPrice", "price", "x", b"9" * 10_000))) < 300
