"""What goes over the wire can be read in the log, from the moment when somebody wants to."""

from __future__ import annotations

import logging

import pytest

from ibkit.engine import traffic
from ibkit.wire import messages as m
from tests.engine.test_orders import Connected


def test_messages_of_both_directions_are_written_down(connected: Connected, caplog: pytest.LogCaptureFixture) -> None:
    under = connected()
    under.send(m.CurrentTime(1))
    with caplog.at_level(logging.DEBUG, traffic.logger.name):
        under.engine.send(m.ReqCurrentTime())
        under.send(m.CurrentTime(1704898800), m.ErrMsg(-1, 2104, "farm", "", 0))
    with caplog.at_level(logging.INFO, traffic.logger.name):
        under.send(m.CurrentTime(3))
    with caplog.at_level(logging.DEBUG, traffic.logger.name):
        under.send(m.CurrentTime(4))
    said = [record.getMessage() for record in caplog.records if record.name == traffic.logger.name]
    assert [text.partition("(")[0] for text in said] == [
        ">>> ReqCurrentTime", "<<< CurrentTime", "<<< ErrMsg", "<<< CurrentTime",
    ]  # fmt: skip
    assert said[1] == f"<<< {m.CurrentTime(1704898800)}"
    assert said[-1] == f"<<< {m.CurrentTime(4)}"


def test_what_began_unseen_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    reader = traffic.Traffic()
    with caplog.at_level(logging.DEBUG, traffic.logger.name):
        reader.received(b"5\x001\x00", before=100, pending=6, version=0)  # the end of a message
        reader.received(b"\x00\x00\x00\x03abc\x00\x00", before=104, pending=0, version=0)
        reader.received(b"\x00\x01x\x7f\xff\xff\xff", before=113, pending=2, version=0)
    assert [record.getMessage() for record in caplog.records][:2] == ["<<< b'abc'", "<<< b'x'"]
    assert len(caplog.records) == 3  # and what is wrong with the last one
