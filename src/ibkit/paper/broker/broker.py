"""The broker: what the gateway asks of it, in one place.

Every method takes the moment it happens at; what was due before happens first. Answers to orders come through the
listener. Must not know the wire or sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from ibkit.model import (
    AccountValue,
    Contract,
    ExecutionFilter,
    Order,
    OrderCancel,
    PnL,
    PnLSingle,
    PortfolioItem,
    Position,
)
from ibkit.model import OrderStatus as Status
from ibkit.paper.broker import exercising, intake, lifecycle, preview, texts, timeline, trading, values
from ibkit.paper.broker.accounts import Account, day_start
from ibkit.paper.broker.exercising import Instruction
from ibkit.paper.broker.history import Wanted
from ibkit.paper.broker.hours import text as time_text
from ibkit.paper.broker.intake import Ground, Taken
from ibkit.paper.broker.live import EPSILON, Live, Stage, completed, report, route
from ibkit.paper.broker.marks import Prices
from ibkit.paper.broker.models import Models
from ibkit.paper.broker.reports import CompletedReport, ExecutionReport, Listener, OrderReport
from ibkit.paper.broker.rules import CHANGES, MAX_ACTIVE
from ibkit.paper.broker.state import State
from ibkit.paper.broker.store import Store
from ibkit.paper.broker.texts import Refusal
from ibkit.paper.instruments import Catalogue, Instrument


class Broker:
    """A simulated broker.

    Args:
        catalogue: what can be traded.
        market: quotes and ticks; ``ibkit.paper.market.Market`` or anything with ``quote`` and ``ticks``.
        now: epoch seconds.
        accounts: the accounts, each with the cash the models say.
        models: latency, liquidity, slippage and fees; one of ``models.PRESETS`` or your own.
        store: path of an SQLite file that keeps everything; None keeps nothing. Orders of an earlier run go on where
            it stopped: what happened in the market since then happens to them at the first ``advance``.

    Raises ValueError for a store that cannot be used.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        market: Prices,
        now: float,
        accounts: Sequence[str] = ("DU1234567",),
        models: Models | None = None,
        store: str | None = None,
    ) -> None:
        self._state = State(catalogue, market, now, accounts, models or Models())
        self._ground = Ground(catalogue, self._state.marks, self._state.models, tuple(accounts))
        self._store = Store(store) if store else None
        if self._store:
            self._store.load(self._state)

    @property
    def listener(self) -> Listener:
        """Who is told of everything that happens."""
        return self._state.listener

    @listener.setter
    def listener(self, listener: Listener) -> None:
        self._state.listener = listener

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Let everything happen that is due until ``now``: fills, triggers, conditions, expiries."""
        timeline.advance(self._state, now)
        self._save()

    def _save(self) -> None:
        if self._store:
            self._store.save(self._state)

    def close(self) -> None:
        """Let go of the store; the broker must not be used afterwards."""
        if self._store:
            self._store.close()

    def next_due(self, now: float) -> float | None:
        """Return the earliest moment at which something may happen; None while nothing can."""
        return timeline.next_due(self._state, now)

    # -- orders -------------------------------------------------------------------------------------------------

    def next_order_id(self, client_id: int) -> int:
        """Return the lowest order id a client may use."""
        return self._state.orders.next_ids.get(client_id, 1)

    def bind_client(self, client_id: int) -> None:
        """Note that a client has connected. There are no manual orders here that client 0 could be bound to."""
        self._state.orders.next_ids.setdefault(client_id, 1)

    def place(self, now: float, client_id: int, order_id: int, contract: Contract, order: Order) -> None:
        """Take an order in: a new one, a change of a living one, or a preview."""
        timeline.advance(self._state, now)
        answer = self._place(client_id, order_id, contract, order)
        if isinstance(answer, Refusal):
            self._state.listener.error(client_id, order_id, answer.code, answer.text)
        trading.settle(self._state, self._state.now)
        self._save()

    def _place(self, client_id: int, order_id: int, contract: Contract, order: Order) -> Refusal | None:
        state, t = self._state, self._state.now
        live = state.orders.by_key.get((client_id, order_id))
        if order.whatIf:
            return self._preview(client_id, order_id, contract, order)
        if live is not None and live.done:
            return texts.FILLED if live.final == Status.Filled else texts.DUPLICATE_ID
        if live is None and order_id < self.next_order_id(client_id):
            return texts.DUPLICATE_ID
        taken = intake.check(self._ground, contract, order, t)
        if isinstance(taken, Refusal):
            return taken
        return self._new(client_id, order_id, contract, taken) if live is None else self._change(live, taken)

    def _preview(self, client_id: int, order_id: int, contract: Contract, order: Order) -> Refusal | None:
        if not order.transmit:
            return texts.WHAT_IF
        if any(option.tag == "NonGuaranteed" and option.value == "1" for option in order.smartComboRoutingParams):
            return texts.SMART_COMBO_WHAT_IF
        taken = intake.check(self._ground, contract, order, self._state.now)
        if isinstance(taken, Refusal):
            return taken
        shown = route(contract, taken.instrument)
        answer = preview.what_if(self._state, client_id, order_id, shown, taken, self._state.now)
        self._state.listener.order(answer, status=False)
        return None

    def _new(self, client_id: int, order_id: int, contract: Contract, taken: Taken) -> Refusal | None:
        state, t, order = self._state, self._state.now, taken.order
        parent = None
        if order.parentId:
            parent = state.orders.by_key.get((client_id, order.parentId))
            if parent is None:
                return texts.NO_PARENT
            if not order.ocaGroup:
                order.ocaGroup = str(parent.perm_id)
        live = Live(
            client_id=client_id,
            order_id=order_id,
            perm_id=state.orders.perm_id(),
            account=order.account,
            instrument=taken.instrument,
            contract=route(contract, taken.instrument),
            order=order,
            placed=t,
            total=taken.total,
            parent=parent,
            warnings=taken.warnings,
        )
        lifecycle.set_terms(live, order, t)
        state.orders.add(live)
        if parent is not None:
            parent.children.append(live)
        state.changed(live)
        if order.transmit:
            self._transmit(live)
        return None

    def _transmit(self, live: Live) -> None:
        """Send an order with all of its family that waits in TWS: parents before children."""
        top = live
        while top.parent is not None and (top is live or top.parent.stage is Stage.STAGED):
            top = top.parent
        family = [top]
        for member in family:
            family += member.children
            if member.stage is Stage.STAGED:
                self._send(member)

    def _send(self, live: Live) -> None:
        state, t = self._state, self._state.now
        refusal = self._refusal(live)
        if refusal is None:
            lifecycle.send(state, live, t, live.warnings)
        else:
            lifecycle.reject(state, live, t, refusal)
        trading.settle(state, t)

    def _refusal(self, live: Live) -> Refusal | None:
        """Return why IB's servers refuse an order that TWS has let through."""
        parent = live.parent
        if parent is not None and parent.done and not parent.filled:
            return texts.rejected("Parent order is being cancelled.")
        alike = [
            other
            for other in self._state.orders.open.values()
            if other is not live
            and other.instrument is live.instrument
            and other.account == live.account
            and other.sign == live.sign
            and other.stage is not Stage.STAGED
            and not other.exercise
        ]
        if len(alike) >= MAX_ACTIVE:
            return texts.rejected(
                f"Maximum of {MAX_ACTIVE} orders working on either the buy or sell side for this particular contract"
            )
        if parent is not None and not parent.done:
            return None
        taken = Taken(live.instrument, live.order, live.total, ())
        return preview.refusal(self._state, taken, self._state.now)

    def _change(self, live: Live, taken: Taken) -> Refusal | None:
        old, new = live.order, taken.order
        same = taken.instrument is live.instrument and new.action == old.action and new.account == live.account
        if live.exercise or not same:
            return texts.MISMATCH
        if live.stage is not Stage.STAGED:
            if new.orderType != old.orderType and new.orderType not in CHANGES.get(old.orderType, ()):
                return texts.NO_TYPE_CHANGE
            if live.instrument.sec_type == "STK" and live.total != round(live.total):
                return texts.FRACTION_MODIFY
            if taken.total <= live.filled + EPSILON:
                return texts.FILLED
        # The family stays what it is: clients send changes without the group TWS has made up.
        new.parentId, new.ocaGroup = old.parentId, new.ocaGroup or old.ocaGroup
        new.ocaType = new.ocaType or old.ocaType
        if live.stage is Stage.STAGED:
            lifecycle.set_terms(live, new, self._state.now)
            live.warnings = taken.warnings
            self._state.changed(live)
            if new.transmit:
                self._transmit(live)
            return None
        bigger = taken.total - live.total
        if bigger > EPSILON and not live.waits_for_parent:
            more = Taken(taken.instrument, new, bigger, ())
            if refusal := preview.refusal(self._state, more, self._state.now):
                return refusal
        lifecycle.ask_amend(self._state, live, new, self._state.now)
        return None

    def cancel(self, now: float, client_id: int, order_id: int, order_cancel: OrderCancel) -> None:
        """Cancel an order of a client."""
        timeline.advance(self._state, now)
        live = self._state.orders.by_key.get((client_id, order_id))
        refusal: Refusal | None = None
        if live is None:
            refusal = texts.not_found(order_id)
        elif live.done:
            refusal = texts.not_cancellable(order_id, live.status)
        elif live.status == Status.PendingCancel:
            refusal = texts.being_cancelled(live.perm_id)
        else:
            lifecycle.ask_cancel(self._state, live, self._state.now)
        if refusal:
            self._state.listener.error(client_id, order_id, refusal.code, refusal.text)
        self._save()

    def global_cancel(self, now: float) -> None:
        """Cancel every order of every client."""
        timeline.advance(self._state, now)
        for live in list(self._state.orders.open.values()):
            if not live.done and live.status != Status.PendingCancel:
                lifecycle.ask_cancel(self._state, live, self._state.now)
        self._save()

    def exercise(self, now: float, client_id: int, order_id: int, option: Instrument, wanted: Instruction) -> None:
        """Take an instruction to exercise an option or let it lapse; it becomes an order of that id."""
        timeline.advance(self._state, now)
        refusal = exercising.take(self._state, client_id, order_id, option, wanted, self._state.now)
        if refusal:
            self._state.listener.error(client_id, order_id, refusal.code, refusal.text)
        self._save()

    def open_orders(self) -> list[OrderReport]:
        """Return the orders that are alive, oldest first; what has not been transmitted is not among them."""
        return [report(live) for live in self._state.orders.open.values() if live.stage is not Stage.STAGED]

    def completed_orders(self) -> list[CompletedReport]:
        """Return the orders that have ended today, in the order of their end."""
        today = day_start(self._state.now)
        return [
            completed(live, time_text(live.done_at, live.instrument, "%Y%m%d"))
            for live in self._state.orders.done
            if live.done_at >= today
        ]

    def executions(self, wanted: ExecutionFilter, client_id: int) -> list[ExecutionReport]:
        """Return the fills that pass a filter, oldest first: today's unless it asks for more days.

        ``client_id`` is who asks; every client may see the fills of all.
        """
        test = Wanted(wanted, self._state.now)
        return [fill.report() for fill in self._state.orders.fills if test.passes(fill)]

    # -- accounts -----------------------------------------------------------------------------------------------

    def accounts(self) -> list[str]:
        """Return the names of the accounts."""
        return list(self._state.accounts)

    def positions(self) -> list[Position]:
        """Return the positions of all accounts."""
        return [
            trading.position(account.name, holding)
            for account in self._state.accounts.values()
            for holding in account.holdings.values()
            if holding.quantity
        ]

    def portfolio(self, now: float, account: str) -> list[PortfolioItem]:
        """Return the positions of an account with their values; those closed today with size 0."""
        books, marks = self._books(now, account), self._state.marks
        return [
            PortfolioItem(
                trading.held_contract(holding.instrument),
                holding.quantity,
                marks.mark(holding.instrument, now),
                marks.value(holding.instrument, holding.quantity, now),
                holding.average_cost,
                holding.unrealized(marks, now) if holding.quantity else 0.0,
                holding.realized_today,
                account,
            )
            for holding in books.holdings.values()
            if holding.quantity or holding.traded_today
        ]

    def account_values(self, now: float, account: str) -> list[AccountValue]:
        """Return all values of an account."""
        return values.account_values(self._books(now, account), self._state.marks, now)

    def summary(self, now: float, account: str, tags: str) -> list[AccountValue]:
        """Return the values named in ``tags`` ('NetLiquidation,$LEDGER:ALL')."""
        names = [tag.strip() for tag in tags.split(",") if tag.strip()]
        return values.summary(self._books(now, account), self._state.marks, now, names)

    def pnl(self, now: float, account: str, model: str) -> PnL:
        """Return the profit and loss of an account: daily, unrealized, realized today. There are no models."""
        if model:
            return PnL(account, model, nan, nan, nan)
        books, marks = self._books(now, account), self._state.marks
        charged = books.charged(marks, now, today=True)
        return PnL(
            account,
            model,
            books.total(marks, now, "daily") - charged,
            books.total(marks, now, "unrealized"),
            books.total(marks, now, "realized_today") - charged,
        )

    def pnl_single(self, now: float, account: str, model: str, con_id: int) -> PnLSingle:
        """Return the profit and loss of one position in the contract's currency; unknown when there is none."""
        books, marks = self._books(now, account), self._state.marks
        holding = books.holdings.get(con_id)
        if model or holding is None:
            return PnLSingle(account, model, con_id)
        return PnLSingle(
            account,
            model,
            con_id,
            holding.daily(marks, now),
            holding.unrealized(marks, now),
            holding.realized_today,
            holding.quantity,
            marks.value(holding.instrument, holding.quantity, now),
        )

    def _books(self, now: float, account: str) -> Account:
        books = self._state.accounts[account]
        books.roll(self._state.marks, now)
        return books
