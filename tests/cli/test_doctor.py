"""The doctor tells apart what can be at a port, and says what to do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from ibkit.cli import doctor
from ibkit.cli.commands import app
from ibkit.paper import PaperGateway
from ibkit.wire import handshake


@contextmanager
def peer(answer: bytes | None) -> Iterator[int]:
    """Listen at a free port; one client is answered and then hung up on, or, without an answer, left waiting."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(100)
                if answer is None:
                    ended.wait(30)
                else:
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def examine(port: int) -> tuple[int, str]:
    """Return exit status and output, on one line."""
    result = CliRunner().invoke(app, ["doctor", "--port", str(port)], env={"COLUMNS": "300", "NO_COLOR": "1"})
    return result.exit_code, " ".join(result.output.split())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def hello(offset_s: float) -> bytes:
    moment = datetime.fromtimestamp(time.time() + offset_s, UTC)
    return handshake.server_hello(200, f"{moment:%Y%m%d %H:%M:%S} UTC")


def test_a_gateway_is_recognised() -> None:
    with PaperGateway(port=0, server_version=213) as gateway:
        status, text = examine(gateway.port)
    assert status == 0
    assert f"port {gateway.port} server version 213, its time" in text
    assert "protobuf" in text
    assert "Nothing at" not in text


def test_nobody_listens() -> None:
    status, text = examine(free_port())
    assert status == 1
    assert "nobody listens" in text
    assert "Enable ActiveX and Socket Clients" in text
    assert "ibkit paper" in text


def test_a_clock_that_agrees_is_good() -> None:
    with peer(hello(0)) as port:
        status, text = examine(port)
    assert status == 0
    assert "synchronise" not in text


@pytest.mark.parametrize(
    ("offset_s", "expected"), [(-600.0, "10 minutes ahead of it"), (3600.0 * 5, "5 hours behind it")]
)
def test_a_clock_that_is_wrong_is_told(offset_s: float, expected: str) -> None:
    with peer(hello(offset_s)) as port:
        status, text = examine(port)
    assert status == 0
    assert f"this clock is {expected}: synchronise it" in text


def test_something_else_listens() -> None:
    with peer(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        status, text = examine(port)
    assert status == 1
    assert "something else listens here" in text


def test_a_gateway_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE_S", 0.2)
    with peer(None) as port:
        status, text = examine(port)
    assert status == 1
    assert "accepts connections but says nothing restart TWS or Gateway" in text


def test_a_gateway_that_hangs_up() -> None:
    with peer(b"") as port:
        status, text = examine(port)
    assert status == 1
    assert "hung up without a word is its API enabled" in text


def test_a_gateway_that_is_too_old() -> None:
    with peer(handshake.server_hello(140, "20240105 10:11:12 EST")) as port:
        status, text = examine(port)
    assert status == 1
    assert "at least 157 is needed: update it" in text


def test_all_four_ports_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [free_port() for _ in range(4)]
    monkeypatch.setattr(doctor, "PORTS", dict.fromkeys(ports, "TWS"))
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "300"})
    assert result.exit_code == 1
    assert all(f"port {port}" in result.output for port in ports)


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", {"no-such-package": "needed", "no-such-extra": "for charts: pip install x"})
    status, text = examine(free_port())
    assert status == 1
    assert "no-such-package not installed needed" in text
    assert "no-such-extra not installed for charts: pip install x" in text
