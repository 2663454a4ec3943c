"""The page about IB's client is what the two packages are, and every difference on it has its reason."""

from __future__ import annotations

import inspect

import pytest
from ibapi.client import EClient

from conformance import official_page
from conformance.edges import REASONS
from conformance.official_page import FIELDS, NO_REQUESTS, OPTIONS, OTHER_NAMES, REQUESTS
from ibkit import LimitOrder, Stock
from ibkit.wire import Codec, Role
from ibkit.wire import messages as m
from tests.wire.test_official import DROPPED


def test_the_page_is_fresh() -> None:
    assert official_page.PAGE.read_text(encoding="utf-8") == official_page.page(), (
        "run: python -m conformance.official_page"
    )
    assert all(reason in official_page.page() for reason in REASONS)


def test_every_field_that_ibs_client_lacks_has_a_reason_and_ibkit_has_it() -> None:
    assert official_page.fields() == sorted(FIELDS | OTHER_NAMES)
    assert all(map(official_page.here, official_page.fields()))
    assert all(all(row) for row in FIELDS.values())


def test_every_request_with_other_arguments_has_a_reason() -> None:
    assert set(official_page.requests()) == set(REQUESTS) | NO_REQUESTS


def test_the_options_that_ibs_client_does_not_send_are_those_that_the_comparison_leaves_out() -> None:
    assert sorted(OPTIONS.values()) == sorted(DROPPED.values())
    for name, option in OPTIONS.items():
        assert option in inspect.signature(getattr(EClient, name)).parameters


@pytest.mark.parametrize(
    ("field", "value", "versions"),
    [
        ("faProfile", "x", {157, 176}),
        ("eTradeOnly", True, {157, 176, 177, 202}),
        ("firmQuoteOnly", True, {157, 176, 177, 202}),
        ("nbboPriceCap", 1.5, {157, 176, 177, 202}),
    ],
)
def test_the_fields_are_sent_where_the_page_says_so(field: str, value: object, versions: set[int]) -> None:
    def sent(version: int, **more: object) -> bytes:
        order = LimitOrder("BUY", 1, 1.0)
        order.update(**more)
        return Codec(Role.CLIENT, version).encode(m.PlaceOrder(1, Stock("A", "SMART", "USD"), order))

    differs = {
        version for version in (157, 176, 177, 202, 203, 225) if sent(version) != sent(version, **{field: value})
    }
    assert differs == versions
