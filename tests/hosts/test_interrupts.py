"""Ctrl-C, quit and time.sleep: whole programs, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import asyncio, logging, os, signal, sys, threading, time
logging.basicConfig(format="%(levelname)s %(message)s")
from ibkit import hosts
from ibkit.hosts import unread
from tests.hosts.conftest import Client
from tests.hosts.fakes import SocketPeer, MemoryPeer

peer = SocketPeer()
unread.PATIENCE_S = unread.BEAT_S = 0.1

def interrupt_soon():
    # once the main thread waits
    def send():
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=send, daemon=True).start()
"""


def run(script: str, *, status: int = 0) -> str:
    """Run a script and return what it said."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PRELUDE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "what",
    ["client.request('never', None)", "hosts.sleep(60)", "hosts.run()", "hosts.run(asyncio.sleep(60))"],
)
def test_ctrl_c_interrupts_what_blocks(what: str) -> None:
    said = run(
        f"""
        client = Client(peer)
        interrupt_soon()
        try:
            {what}
        except KeyboardInterrupt:
            print("interrupted")
        if "never" in {what!r}:
            peer.wait_heard("cancel 1")
        print(client.request("echo and goes on"))
        client.host.close("bye")
        peer.close()
        """
    )
    assert said == "interrupted\nand goes on\n"


@pytest.mark.parametrize("what", ["client.request('never', None)", "hosts.sleep(60)"])
def test_ctrl_c_interrupts_what_blocks_in_a_running_loop(what: str) -> None:
    said = run(
        f"""
        async def main():
            client = Client(peer)
            interrupt_soon()
            try:
                {what}
            finally:
                client.host.close("bye")

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
        peer.close()
        print(peer.heard)
        """
    )
    assert said.startswith("interrupted\n")
    assert ("cancel 1" in said) is ("never" in what)


def test_ctrl_c_interrupts_an_await() -> None:
    said = run(
        """
        async def main():
            client = Client(peer)
            interrupt_soon()
            try:
                await client.arequest("never")
            finally:
                client.host.close("bye")

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted")
        peer.close()
        print(peer.heard)
        """
    )
    assert said.startswith("interrupted\n")
    assert "cancel 1" in said


def test_a_handler_may_sleep_disconnect_and_quit() -> None:
    said = run(
        """
        client = Client(peer)
        ticks = []

        def count(line):
            ticks.append(line)

        def strategy(line):
            if line == "buy":
                peer.push("tick", "tick")
                before = len(ticks)
                hosts.sleep(0.1)
                print("ticks while it slept:", len(ticks) - before)
                client.host.close("the strategy has done its work")
                quit(0)

        client.engine.line += count
        client.engine.batch += strategy
        client.engine.closed_event += lambda reason: print(reason)
        peer.push("buy")
        hosts.run()
        print("never comes here")
        """
    )
    assert said == "ticks while it slept: 2\nthe strategy has done its work\n"


def test_a_script_may_end_without_disconnecting() -> None:
    said = run(
        """
        client = Client(peer)
        client.request("echo x")

        async def forever():
            try:
                await asyncio.sleep(1000)
            finally:
                print("the task was ended")

        task = hosts.get_loop().create_task(forever())
        hosts.sleep(0.01)
        peer.close()
        """
    )
    assert said == "the task was ended\n"


def test_time_sleep_is_told_once_when_the_program_comes_back() -> None:
    said = run(
        """
        client = Client(peer)
        for _ in range(2):
            peer.push("news")
            time.sleep(0.2)
            client.request("echo x")
        client.host.close("bye")
        peer.close()
        """
    )
    assert said.count("WARNING") == 1
    assert "ib.sleep" in said


def test_time_sleep_is_told_at_the_end_if_the_program_never_comes_back() -> None:
    said = run(
        """
        client = Client(peer)
        peer.push("news")
        time.sleep(0.2)
        print("the program has ended")
        """
    )
    assert said.startswith("the program has ended\nWARNING data has been waiting unread")


def test_time_sleep_is_told_in_a_notebook() -> None:
    said = run(
        """
        async def notebook():
            client = Client(peer)
            await asyncio.sleep(0.01)
            peer.push("news")  # a cell that polls
            time.sleep(0.5)
            await asyncio.sleep(0.01)  # the end of the cell
            print("the cell has ended")
            client.host.close("bye")

        asyncio.run(notebook())
        peer.close()
        """
    )
    assert "the cell has ended" in said
    assert "WARNING data has been waiting unread" in said


def test_a_loop_that_idles_is_not_told_anything() -> None:
    said = run(
        """
        unread.PATIENCE_S = unread.BEAT_S = 0.4

        async def notebook():
            client = Client(peer)
            await asyncio.sleep(1.2)
            peer.push("news")
            time.sleep(0.01)
            client.request("echo x")
            await asyncio.sleep(1.2)
            peer.push("news")
            time.sleep(0.01)
            await asyncio.sleep(0.01)
            client.host.close("bye")

        asyncio.run(notebook())
        peer.close()
        """
    )
    assert said == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_process_leaves_the_connection_of_its_parent_alone() -> None:
    said = run(
        """
        import warnings
        client = Client(peer)
        client.request("echo x")
        async def main():
            await client.arequest("echo y")
        asyncio.run(main())
        client.request("echo z")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # we have threads here: the peer
            pid = os.fork()
        if pid == 0:
            assert not client.host.is_open
            assert client.engine.closed_reasons == []
            try:
                client.request("echo from the child")
            except ConnectionError as error:
                print(error, flush=True)
            hosts.sleep(0.01)
            hosts.run(asyncio.sleep(0.01))
            child_peer = SocketPeer()
            child = Client(child_peer)
            print(child.request("echo the child has its own"), flush=True)
            child.host.close("bye")
            child_peer.close()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert status == 0, status
        print(client.request("echo the parent goes on"))
        assert not any("child" in line for line in peer.heard)
        client.host.close("bye")
        peer.close()
        """
    )
    assert said.splitlines() == [
        "not connected: it belongs to the parent process; connect again in this one",
        "the child has its own",
        "the parent goes on",
    ]


def test_importing_touches_nothing() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            "import sys, ibkit; print('asyncio' in sys.modules, 'ibkit.hosts' in sys.modules)\n"
            "import threading, ibkit.hosts; print(threading.active_count())\n"
            "from ibkit.hosts import station; print(station.main)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    ).stdout
    assert said == "False False\n1\nNone\n"


def test_sigint_has_its_usual_handler() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
