"""@stoqey/ib behind ``wire.Wire``: the client runs on Node, ``node/bridge.mjs`` passes calls and callbacks as JSON."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

from conformance.drivers.wire import PATIENCE_S, Events

BRIDGE = Path(__file__).parent / "node" / "bridge.mjs"

OURS = {"primaryExch": "primaryExchange", "WAP": "wap"}
THEIRS = {"primaryExchange": "primaryExch"}
CALLS = {"cancelWshMetaData": "reqCancelWshMetaData", "cancelWshEventData": "reqCancelWshEventData"}
CALLBACKS = {"commissionReport": "commissionAndFeesReport"}


class Obj:
    """An object of the client: a field that it does not have is None."""

    def __init__(self, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            setattr(self, OURS.get(name, name), value)

    def __getattr__(self, name: str) -> Any:
        return None

    def __repr__(self) -> str:
        return repr(vars(self))


class Stoqey:
    """One connection of @stoqey/ib, in a process of its own."""

    name = "stoqey"

    def __init__(self, modules: str, host: str, port: int, client_id: int) -> None:
        self.events = Events()
        self._where = (modules, host, port)
        self._process = subprocess.Popen(
            ["node", str(BRIDGE), modules, host, str(port), str(client_id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.events.wait("server", 0)

    def version(self) -> int:
        """Return the negotiated server version."""
        return int(self.events.wait("server", 0)[0])

    def call(self, name: str, *args: Any) -> None:
        """Call a request of the client."""
        assert self._process.stdin is not None
        line = json.dumps({"call": CALLS.get(name, name), "args": args}, default=dict)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def make(self, kind: str, **fields: Any) -> Any:
        """Return an object literal."""
        if "scanCode" in fields:
            fields["scanCode"] = {"$enum": ["ScanCode", fields["scanCode"]]}
        if kind in ("PriceCondition", "TimeCondition"):  # classes that have their value as text, too
            fields["strValue"] = str(fields.get("price", fields.get("time")))
        return {THEIRS.get(name, name): value for name, value in fields.items()}

    def again(self, client_id: int, verify: bool = False) -> Stoqey:
        """Return another connection to the same gateway."""
        return Stoqey(*self._where, client_id)

    def close(self) -> None:
        """Hang up; the process ends with its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line, object_hook=Obj)
            if told.event == "accountUpdateMultiEnd":  # has its id as a text
                told.args[0] = int(told.args[0])
            self.events.tell(CALLBACKS.get(told.event, told.event), *told.args)
