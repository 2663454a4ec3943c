"""A message can be looked at; and what is not needed yet is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ibkit.wire import show
from ibkit.wire.table import table


@pytest.mark.parametrize("version", [157, 201, 225])
def test_every_message_can_be_shown(version: int) -> None:
    for message in table():
        lines = list(show.describe(message.name, version))
        assert message.name in lines[0]
        assert message.since > version or any(line.startswith("def ") for line in lines)


def test_fields_of_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert show.main(["cancel_order", "178"]) == 0
    text = capsys.readouterr().out
    assert "orderCancel.manualOrderCancelTime" in text
    assert "def CANCEL_ORDER(m):" in text
    assert show.main(["PLACE_ORDER"]) == 0
    text = capsys.readouterr().out
    assert "protobuf PlaceOrderRequest, id 203" in text
    assert "contract.comboLegs[].exemptCode" in text


def test_the_function_that_takes_ticks_from_the_buffer_can_be_looked_at() -> None:
    for version in (176, 203, 225):
        text = "\n".join(show.describe("TICK_PRICE", version))
        assert "def stream(frames" in text
        assert "receive_TICK_PRICE[" in text
    assert "def stream" not in "\n".join(show.describe("OPEN_ORDER", 225))


def test_words_for_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert show.main([]) == 2
    assert "PLACE_ORDER" in capsys.readouterr().out
    assert show.main(["NO_SUCH"]) == 1
    assert "no message is named NO_SUCH" in capsys.readouterr().out


def test_nothing_is_loaded_before_it_is_needed() -> None:
    program = """
import sys
import ibkit.wire
assert "ibkit.wire.table" not in sys.modules
codec = ibkit.wire.Codec(ibkit.wire.Role.CLIENT, 200)
assert codec.decode(b"9\\x001\\x0042\\0").orderId == 42
assert not [name for name in sys.modules if name.startswith("google.protobuf")]
codec = ibkit.wire.Codec(ibkit.wire.Role.CLIENT, 225)
codec.decode((209).to_bytes(4, "big") + b"\\x08\\x2a")
assert "google.protobuf" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
