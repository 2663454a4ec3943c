"""Message codes: what each does to what it is about. A warning never ends an order."""

from __future__ import annotations

import logging

import pytest

from ibkit.codes import TABLE, Consequence, Kind, Target, consequence, lookup, override

ORDERS = [Target.NEW_ORDER, Target.LIVE_ORDER]


@pytest.mark.parametrize("code", [399, 404, 2109, 2137, 10349, 10311, 10329, 2102 if 2102 in TABLE else 399])
@pytest.mark.parametrize("target", ORDERS)
def test_a_warning_never_changes_an_order(code: int, target: Target) -> None:
    """ib_insync cancels a live order on 10349, ib_async marks it ValidationError (upstream 191, 217)."""
    assert consequence(code, target) in (Consequence.NOTHING, Consequence.FAIL_ATTEMPT)
    if code != 2102:
        assert consequence(code, target) is Consequence.NOTHING


@pytest.mark.parametrize("target", ORDERS)
def test_every_information_and_warning_leaves_orders_alone(target: Target) -> None:
    quiet = {Kind.INFO, Kind.WARNING, Kind.FEED_STATE, Kind.CONNECTION_STATE}
    for code, row in TABLE.items():
        if row.kind in quiet:
            assert consequence(code, target) is Consequence.NOTHING, row


def test_what_ends_an_order() -> None:
    assert consequence(202, Target.LIVE_ORDER) is Consequence.CANCEL_ORDER
    assert consequence(201, Target.NEW_ORDER) is Consequence.REJECT_ORDER
    assert consequence(201, Target.LIVE_ORDER) is Consequence.REJECT_ORDER


def test_a_refused_change_leaves_a_live_order_alive() -> None:
    assert consequence(110, Target.LIVE_ORDER) is Consequence.FAIL_ATTEMPT
    assert consequence(110, Target.NEW_ORDER) is Consequence.REJECT_ORDER
    assert consequence(10147, Target.LIVE_ORDER) is Consequence.FAIL_ATTEMPT


@pytest.mark.parametrize("code", [200, 321, 162, 354, 10187])
def test_a_failed_request_ends(code: int) -> None:
    """321 leaves requests hanging for ever in ib_async."""
    assert consequence(code, Target.REQUEST) is Consequence.END_REQUEST


def test_an_unknown_code_ends_a_request_but_no_stream_and_no_live_order() -> None:
    assert lookup(987654).kind is Kind.UNKNOWN
    assert consequence(987654, Target.REQUEST) is Consequence.END_REQUEST
    assert consequence(987654, Target.STREAM) is Consequence.NOTHING
    assert consequence(987654, Target.LIVE_ORDER) is Consequence.NOTHING
    assert consequence(987654, Target.NEW_ORDER) is Consequence.NOTHING


def test_a_message_about_nothing_does_nothing() -> None:
    assert all(consequence(code, Target.NOTHING) is Consequence.NOTHING for code in TABLE)


def test_an_override_holds_until_it_is_taken_back() -> None:
    before = lookup(2109)
    override(2109, Kind.ORDER_DEAD)
    try:
        assert consequence(2109, Target.LIVE_ORDER) is Consequence.REJECT_ORDER
        assert lookup(2109).meaning == before.meaning
    finally:
        override(2109, None)
    assert lookup(2109) == before


def test_an_override_to_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        override(2109, "nonsense")


def test_levels_for_the_log() -> None:
    assert lookup(2104).level == logging.INFO
    assert lookup(2103).level == logging.WARNING
    assert lookup(399).level == logging.WARNING
    assert lookup(200).level == logging.ERROR


def test_every_row_says_what_it_means() -> None:
    assert len(TABLE) > 300
    assert all(row.meaning and row.code == code for code, row in TABLE.items())
