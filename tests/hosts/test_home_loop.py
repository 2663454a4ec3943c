"""Tests of which loop a thread calls its own: one that somebody may use is never replaced."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, socket, threading
from ibkit.hosts.loops import HomeLoop

home = HomeLoop(threading.main_thread())
done = []
{prepare}
loop = home.get()
ours = loop is home.mine
a, b = socket.socketpair()
{use}
loop.call_later(0.01, loop.stop)
loop.run_forever()
loop.close()
a.close(), b.close()
print(ours, done)
"""

CURRENT = "asyncio.get_event_loop_policy().get_event_loop()"

# What a program has done with its current loop before our first wait, and whether ours may take its place.
CASES = {
    "nothing": ("", True),
    "a timer": (f"{CURRENT}.call_later(0, done.append, 1)", False),
    "a callback": (f"{CURRENT}.call_soon(done.append, 1)", False),
    "a future": (f"future = {CURRENT}.create_future(); future.set_result(1); future.add_done_callback("
                 "lambda f: done.append(f.result()))", False),
    "a task": (f"async def act(): done.append(1)\n{CURRENT}.create_task(act())", False),
    "a descriptor": (f"""c, d = socket.socketpair(); d.send(b"x")
{CURRENT}.add_reader(c, lambda: done.append(c.recv(1)[0] - 119) or kept.remove_reader(c) or c.close() or d.close())
kept = {CURRENT}""", False),
    "set": ("kept = asyncio.new_event_loop(); asyncio.set_event_loop(kept); kept.call_soon(done.append, 1)", False),
    "a handler of exceptions": (f"{CURRENT}.set_exception_handler(lambda *_: None); done.append(1)", False),
    "debugging": (f"{CURRENT}.set_debug(True); done.append(1)", False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_loop_that_somebody_may_use_is_not_replaced(name: str) -> None:
    prepare, ours = CASES[name]
    # Warnings about asking for a loop that does not exist are meant for the program, from Python 3.12 on.
    command = [sys.executable, "-c", PROGRAM.format(prepare=prepare, use="")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == f"{ours} {[] if ours else [1]}"


def test_the_loop_that_takes_its_place_is_the_current_one() -> None:
    use = "assert asyncio.get_event_loop() is loop; loop.call_soon(done.append, 2)"
    command = [sys.executable, "-W", "error", "-c", PROGRAM.format(prepare="", use=use)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr, ran.stdout.strip()) == (0, "", "True [2]")
