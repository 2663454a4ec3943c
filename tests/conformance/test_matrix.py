"""The page about the protocol is what the table and the gateway say, and leaves nothing out."""

from __future__ import annotations

import re

from conformance import matrix
from ibkit.wire.table import table


def test_the_page_is_fresh() -> None:
    assert matrix.PAGE.read_text(encoding="utf-8") == matrix.page(), "run: python -m conformance.matrix"


def test_every_message_has_a_row_that_says_something() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| \d+ \|.*\| (.*?) \|$", matrix.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert list(rows) == [message.name for message in table()]
    assert all(rows.values())


def test_no_request_is_left_unasked() -> None:
    heard = matrix.hear(225)
    assert set(heard) == {message.name for message in table() if message.request}


def test_every_doubt_names_a_message() -> None:
    names = {message.name for message in table()} | {"*", "ORDER_STATE"}
    assert {name for name, *_ in matrix.doubts()} <= names
    assert {how for _, _, how, _ in matrix.doubts()} == {"inferred", "documented"}
