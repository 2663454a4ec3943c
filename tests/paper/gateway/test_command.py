"""`ibkit paper` as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ibkit.wire import handshake

PATIENCE_S = 60


@contextmanager
def command(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ibkit.cli", "paper", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


def port_of(process: subprocess.Popen[str]) -> int:
    """Read the line that says where it listens."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line.startswith("listening on 127.0.0.1:"), line
    return int(line.rpartition(":")[2])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_logs_clients_and_ends_cleanly(number: int) -> None:
    with (
        command("--port", "0", "--server-version", "200", "-v") as process,
        socket.create_connection(("127.0.0.1", port_of(process)), PATIENCE_S) as sock,
    ):
        sock.sendall(handshake.client_hello())
        assert handshake.read_server_hello(sock.recv(4096)[4:]).version == 200
        sock.sendall(b"\0\0\0\x08" + b"71\x002\x005\0\0")
        assert b"DU1234567" in sock.recv(4096)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert out == ""
    assert "client 5" in err
    assert "StartApi" in err
    assert "Traceback" not in err


def test_a_port_in_use_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with command("--port", str(port)) as process:
            _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert f"port {port}" in err
    assert "in use" in err
    assert "Traceback" not in err


def test_a_wrong_start_is_a_clear_error() -> None:
    with command("--port", "0", "--start", "soon") as process:
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "YYYY-MM-DD HH:MM" in err
    assert "Traceback" not in err
