"""The broker's books on disk: a gateway that was killed comes back with nothing lost.

One SQLite file, written at the end of every call that changed something, before anybody is told. What is staged
(``transmit=False``) lives in TWS alone and is not kept. Must not know the rules by which anything changes.
"""

from __future__ import annotations

import json
import sqlite3
from math import inf
from typing import cast

from ibkit.model import CommissionReport, Contract, Execution, Order
from ibkit.paper.broker import lifecycle
from ibkit.paper.broker.accounts import Account, Holding
from ibkit.paper.broker.live import FillRecord, Live, Part, Stage
from ibkit.paper.broker.packing import Packed, pack, unpack
from ibkit.paper.broker.state import State
from ibkit.paper.instruments import Catalogue, Instrument
from ibkit.paper.instruments.bags import bag

FORMAT = "1"
_SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists accounts (name text primary key, data text not null);
create table if not exists orders (perm_id integer primary key, data text not null);
create table if not exists fills (exec_id text primary key, at real not null, data text not null);
"""
# What of an order is kept as it is; the rest is rebuilt.
_PLAIN = (
    "client_id", "order_id", "perm_id", "account", "placed", "total", "why", "final", "filled", "value", "last_price",
    "arrives", "starts", "expires", "auction", "released", "elected", "stop", "limit", "offset", "resting", "cancel_at",
    "cancel_text", "amend_at", "retry_at", "messages", "done_at", "done_text", "exercise",
)  # fmt: skip
_HOLDING = ("quantity", "cost", "fees", "realized", "realized_today", "flow", "opening", "traded_today")
_ACCOUNT = ("base", "deposits", "cash", "charges", "charges_today", "opened", "opening_equity")


class StoreError(ValueError):
    """A file that cannot be used as the broker's store; the text says why."""


class Store:
    """The file of one broker. Raises StoreError when it is in use or not one of ours."""

    def __init__(self, path: str) -> None:
        try:
            # Opened where the gateway is made, used by the thread that serves it: never by two at once.
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
        except sqlite3.Error as error:
            raise StoreError(f"{path} cannot be used: {error}") from error
        try:
            self._db.execute("pragma locking_mode = exclusive")
            self._db.execute("pragma journal_mode = wal")
            self._db.executescript(_SCHEMA)
            self._db.execute("begin exclusive")
            self._db.execute("insert or ignore into meta values ('format', ?)", (FORMAT,))
            self._db.execute("commit")
            (found,) = self._db.execute("select value from meta where name = 'format'").fetchone()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"{path} cannot be used: {error}; is another gateway running on it?") from error
        if found != FORMAT:
            self.close()
            raise StoreError(f"{path} is of format {found}, this version of ibkit reads {FORMAT}")
        self._fills = 0
        self._written: dict[str, str] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def save(self, state: State) -> None:
        """Write what has changed since the last time."""
        orders = state.orders
        new = orders.recorded - self._fills
        if not (new or state.unsaved):
            return
        db = self._db
        db.execute("begin")
        for live in state.unsaved:
            if live.stage is not Stage.STAGED:
                db.execute("insert or replace into orders values (?, ?)", (live.perm_id, _order_text(live)))
        if new:
            rows = [(f.execution.execId, f.at, _fill_text(f)) for f in orders.fills[-new:]]
            db.executemany("insert or replace into fills values (?, ?, ?)", rows)
            for account in state.accounts.values():
                text = _account_text(account)
                if self._written.get(account.name) != text:
                    self._written[account.name] = text
                    db.execute("insert or replace into accounts values (?, ?)", (account.name, text))
            if orders.fills:
                db.execute("delete from fills where at < ?", (orders.fills[0].at,))
        db.execute("insert or replace into meta values ('now', ?)", (repr(state.now),))
        db.execute("insert or replace into meta values ('ids', ?)", (_ids(state),))
        db.executemany("delete from orders where perm_id = ?", [(perm_id,) for perm_id in orders.forgotten])
        db.execute("commit")
        orders.forgotten.clear()
        self._fills = orders.recorded
        state.unsaved.clear()

    # -- reading ------------------------------------------------------------------------------------------------

    def load(self, state: State) -> None:
        """Put what the file holds into a fresh state, and set its clock to where the last one stopped.

        If the new clock is behind, it counts: time was turned back.
        """
        meta = dict(self._db.execute("select name, value from meta"))
        if "now" not in meta:
            return
        ids, orders = json.loads(meta["ids"]), state.orders
        orders.next_perm, orders.next_exec = max(orders.next_perm, ids["perm"]), max(orders.next_exec, ids["exec"])
        orders.next_ids = {int(client): number for client, number in ids["clients"].items()}
        stopped = float(meta["now"])
        back, state.now = state.now < stopped, min(state.now, stopped)
        for name, text in self._db.execute("select name, data from accounts"):
            if name in state.accounts:
                state.accounts[name] = _account(name, json.loads(text), state.catalogue)
        for _, _, text in self._db.execute("select * from fills order by at, rowid"):
            orders.fills.append(_fill(json.loads(text)))
        self._load_orders(state, back)
        orders.recorded = self._fills = len(orders.fills)

    def _load_orders(self, state: State, back: bool) -> None:
        orders, parents = state.orders, {}
        every: dict[int, Live] = {}
        for _, text in self._db.execute("select * from orders order by perm_id"):
            data = json.loads(text)
            live = _order(data, state)
            every[live.perm_id] = live
            if data["parent"]:
                parents[live.perm_id] = data["parent"]
            orders.by_key[live.key] = live
            if live.done:
                orders.done.append(live)
            else:
                orders.open[live.perm_id] = live
        for child, parent in parents.items():
            if parent in every:
                every[child].parent = every[parent]
                every[parent].children.append(every[child])
        orders.done.sort(key=lambda live: live.done_at)
        for live in list(orders.open.values()):
            lifecycle.arm(live)
            if back:  # what was under way has come through by now
                live.arrives = min(live.arrives, state.now)
                live.cancel_at = state.now if live.cancel_at < inf else inf
                live.amend_at = state.now if live.amend_at < inf else inf
            lifecycle.refresh(state, live, state.now)


def _ids(state: State) -> str:
    orders = state.orders
    return json.dumps({"perm": orders.next_perm, "exec": orders.next_exec, "clients": orders.next_ids})


def _order_text(live: Live) -> str:
    data: dict[str, object] = {name: getattr(live, name) for name in _PLAIN}
    data |= {
        "stage": live.stage.name,
        "contract": pack(live.contract),
        "order": pack(live.order),
        "amended": pack(live.amended),
        "parent": live.parent.perm_id if live.parent else 0,
        "parts": {str(c): (p.quantity, p.value, p.commission, p.currency) for c, p in live.parts.items()},
    }
    return json.dumps(data)


def _order(data: dict[str, Packed], state: State) -> Live:
    contract = cast(Contract, unpack(data["contract"]))
    parts = cast(dict[str, list[object]], data["parts"])
    live = Live(
        # The names of the fields, as written: by an older version, not all of them.
        **{name: data[name] for name in _PLAIN if name in data},  # type: ignore[arg-type]
        instrument=instrument_of(contract, state.catalogue),
        contract=contract,
        order=cast(Order, unpack(data["order"])),
        amended=cast(Order | None, unpack(data["amended"])),
        stage=Stage[str(data["stage"])],
        parts={int(con_id): Part(*values) for con_id, values in parts.items()},  # type: ignore[arg-type]
    )
    return live


def instrument_of(contract: Contract, catalogue: Catalogue) -> Instrument:
    """Return the instrument of a stored contract, expired ones too. Raises StoreError when it is gone."""
    if contract.secType == "BAG":
        if found := catalogue.find(contract):
            return found[0]
        legs = [(catalogue.by_con_id(leg.conId), leg) for leg in contract.comboLegs]
        known = [(i, leg.ratio * (1 if leg.action.startswith("B") else -1)) for i, leg in legs if i is not None]
        if known:
            return bag(contract, tuple(known))
    instrument = catalogue.by_con_id(contract.conId)
    if instrument is None:
        raise StoreError(f"the store holds {contract}, which is not in the catalogue")
    return instrument


def _fill_text(fill: FillRecord) -> str:
    parts = {"contract": fill.contract, "execution": fill.execution, "commission": fill.commission}
    return json.dumps({"at": fill.at, "zone": fill.zone, **{name: pack(part) for name, part in parts.items()}})


def _fill(data: dict[str, Packed]) -> FillRecord:
    return FillRecord(
        cast(Contract, unpack(data["contract"])),
        cast(Execution, unpack(data["execution"])),
        cast(float, data["at"]),
        str(data["zone"]),
        cast(CommissionReport | None, unpack(data["commission"])),
    )


def _account_text(account: Account) -> str:
    data: dict[str, object] = {name: getattr(account, name) for name in _ACCOUNT}
    data["holdings"] = [
        [pack(h.instrument.contract), *(getattr(h, name) for name in _HOLDING)] for h in account.holdings.values()
    ]
    return json.dumps(data)


def _account(name: str, data: dict[str, object], catalogue: Catalogue) -> Account:
    account = Account(name, **{field: data[field] for field in _ACCOUNT})  # type: ignore[arg-type]  # as written
    for contract, *values in cast(list[list[Packed]], data["holdings"]):
        instrument = instrument_of(cast(Contract, unpack(contract)), catalogue)
        account.holdings[instrument.con_id] = Holding(
            instrument,
            **dict(zip(_HOLDING, values, strict=True)),  # type: ignore[arg-type]
        )
    return account
