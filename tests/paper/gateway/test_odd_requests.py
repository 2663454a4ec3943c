"""Requests with odd values in them: an answer or a refusal, never a failure inside the gateway."""

from __future__ import annotations

import dataclasses
import logging
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkit.errors import EncodeError
from ibkit.model import Contract, Order
from ibkit.model.base import Record
from ibkit.paper.gateway import Limits
from ibkit.wire import messages as m
from tests.paper.gateway.flows import ABSENT, BARS, CANCELS, FLOWS, SPENT
from tests.paper.gateway.peer import World, only

ODD_TEXTS = (
    "", "x", "AAPL", "SMART", "OPT", "BAG", "NEWS", "-1", "1e999", "nan", "20240230 99:99:99", "20240105 10:00:00",
    "20240105-10:00:00", "19000101", "99991231 23:59:59 UTC", "1 D", "999999 Y", "0 S", "1 secs", "1 month", "TRADES",
    "SCHEDULE", "DU1234567", "All", "$LEDGER:EUR", "233,", "292:BRFG", "mdoff", "LMT", "STP LMT", "TRAIL", "GTD", "BUY",
    "SELL", "FUT", "CONTFUT", "\t", "a" * 2000,
)  # fmt: skip
ODD_INTEGERS = (0, 1, -1, 2, 3, 7, 1000, 265598, 2**31 - 1, -(2**31))
ODD_FLOATS = (0.0, 1.0, -1.0, 0.001, 1e-12, 1e12, 1e300, -1e300, 100.0, 123.456789)

ALL: list[m.Request] = [
    BARS,
    m.SetServerLoglevel(2),
    m.ReqMarketDataType(3),
    *(flow.request for flow in FLOWS if isinstance(flow.request, tuple)),
    *(row.cancel for row in (*CANCELS, *SPENT)),
    *(request for request, _ in ABSENT),
]
WORLD = World(limits=Limits(over_rate="ignore"))


@st.composite
def odd_requests(draw: st.DrawFn) -> m.Request:
    """A sample with one to three values replaced."""
    request = deepcopy(ALL[draw(st.integers(0, len(ALL) - 1))])
    for _ in range(draw(st.integers(1, 3))):
        if not request._fields:
            break
        name = draw(st.sampled_from(request._fields))
        request = request._replace(**{name: _odd(draw, getattr(request, name))})  # type: ignore[arg-type]
    return request


def _odd(draw: st.DrawFn, value: object) -> object:
    if isinstance(value, bool):
        return draw(st.booleans())
    if isinstance(value, int):
        return draw(st.sampled_from(ODD_INTEGERS))
    if isinstance(value, float):
        return draw(st.sampled_from(ODD_FLOATS))
    if isinstance(value, str):
        return draw(st.sampled_from(ODD_TEXTS))
    if isinstance(value, Record):
        fields = [field.name for field in dataclasses.fields(value)]  # type: ignore[arg-type]
        name = draw(st.sampled_from(fields))
        if name not in ("algoParams", "comboLegs", "conditions"):
            setattr(value, name, _odd(draw, getattr(value, name)))
    return value


@pytest.fixture(autouse=True)
def _only_errors_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "ibkit.paper")


@settings(max_examples=400)
@given(st.data())
def test_odd_values_are_answered_or_refused(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from([157, 176, 200, 225]))
    client = WORLD.client(version=version)
    try:
        for request in data.draw(st.lists(odd_requests(), min_size=1, max_size=3)):
            try:
                client.send(request)
            except EncodeError:
                continue  # the client's own business
        answers = client.wait(1)
        broken = [error for error in only(m.ErrMsg, answers) if "failed in the gateway" in error.errorString]
        assert not broken, broken
        assert not client.session.closed or "client id" in client.session.closed
    finally:
        WORLD.gateway.disconnect(client.session, "done")
        WORLD.gateway.broker.global_cancel(WORLD.gateway.now)
        WORLD.run(1)


def test_the_samples_hold_contracts_and_orders() -> None:
    kinds = {type(value) for sample in ALL for value in sample}
    assert any(issubclass(kind, Contract) for kind in kinds)
    assert any(issubclass(kind, Order) for kind in kinds)
