"""A broker on a market whose every tick is written by the test, and a listener that notes what it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import nan
from typing import Any

from ibkit import dates
from ibkit.model import CommissionReport, Contract, Forex, Order, OrderCancel, Position, Stock
from ibkit.paper.broker import INSTANT, Broker, Models
from ibkit.paper.broker.exercising import Instruction
from ibkit.paper.broker.reports import ExecutionReport, OrderReport
from ibkit.paper.instruments import Catalogue, Instrument
from ibkit.paper.market import Quote, Tick

DAY = date(2024, 1, 8)  # a Monday
CATALOGUE = Catalogue(1, DAY)
AAPL = Stock("AAPL", "SMART", "USD")
EURUSD = Forex("EURUSD")


def at(text: str, zone: str = "US/Eastern") -> float:
    """``10:00``, ``10:00:00.5`` or ``20240109 10:00`` as epoch seconds."""
    day, _, clock = text.rpartition(" ")
    hour, minute, *second = clock.split(":")
    base = datetime.strptime(day or f"{DAY:%Y%m%d}", "%Y%m%d").replace(tzinfo=dates.zone(zone))
    return base.replace(hour=int(hour), minute=int(minute)).timestamp() + (float(second[0]) if second else 0.0)


def instrument(contract: Contract) -> Instrument:
    """The one instrument a contract means."""
    (found,) = CATALOGUE.find(contract)
    return found


class Script:
    """Prices as told, tick by tick; what was told last holds until the next."""

    def __init__(self) -> None:
        self._ticks: dict[Instrument, list[Tick]] = {}
        self.closes: dict[Instrument, float] = {}
        self.volumes: dict[Instrument, float] = {}

    def set(
        self,
        what: Contract | Instrument,
        t: float,
        bid: float,
        ask: float,
        bid_size: float = 300,
        ask_size: float = 200,
    ) -> None:
        """Quote from ``t`` on."""
        self._add(what, Tick(t, "quote", bid, ask, bid_size, ask_size, nan, 0.0))

    def trade(self, what: Contract | Instrument, t: float, price: float, size: float = 100) -> None:
        """Print a trade at ``t``."""
        found = what if isinstance(what, Instrument) else instrument(what)
        last = [tick for tick in self._ticks.get(found, []) if tick.time <= t]
        quoted = last[-1][2:6] if last else (nan, nan, 0.0, 0.0)
        self._add(found, Tick(t, "trade", *quoted, price, size))

    def _add(self, what: Contract | Instrument, tick: Tick) -> None:
        found = what if isinstance(what, Instrument) else instrument(what)
        ticks = self._ticks.setdefault(found, [])
        ticks.append(tick)
        ticks.sort(key=lambda tick: tick.time)

    def quote(self, instrument: Instrument, t: float) -> Quote:
        """The state at ``t``; a combo is the sum of its legs."""
        if instrument.legs:
            return self._combo(instrument, t)
        past = [tick for tick in self._ticks.get(instrument, []) if tick.time <= t]
        trades = [tick for tick in past if tick.kind == "trade"]
        last = trades[-1] if trades else None
        state = past[-1] if past else Tick(0.0, "quote", nan, nan, nan, nan, nan, 0.0)
        return Quote(
            time=state.time,
            bid=state.bid,
            ask=state.ask,
            bid_size=state.bid_size,
            ask_size=state.ask_size,
            last=last.price if last else nan,
            last_size=last.size if last else nan,
            volume=self.volumes.get(instrument, 0.0) + sum(tick.size for tick in trades),
            open=nan,
            high=nan,
            low=nan,
            close=self.closes.get(instrument, nan),
        )

    def _combo(self, combo: Instrument, t: float) -> Quote:
        bid = ask = time = 0.0
        for leg, ratio in combo.legs:
            quote = self.quote(leg, t)
            bid += ratio * (quote.bid if ratio > 0 else quote.ask)
            ask += ratio * (quote.ask if ratio > 0 else quote.bid)
            time = max(time, quote.time)
        return Quote(time, bid, ask, 10.0, 10.0, nan, nan, nan, nan, nan, nan, nan)

    def ticks(self, instrument: Instrument, t0: float, t1: float) -> list[Tick]:
        """What happens in (t0, t1]."""
        if instrument.legs:
            times = sorted({tick.time for leg, _ in instrument.legs for tick in self.ticks(leg, t0, t1)})
            quotes = [self._combo(instrument, time)._replace(time=time) for time in times]
            return [Tick(q.time, "quote", *q[1:5], nan, 0.0) for q in quotes]
        return [tick for tick in self._ticks.get(instrument, []) if t0 < tick.time <= t1]


class Notes:
    """A listener; ``events`` are (name, key) pairs in order, the rest is kept by kind."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.reports: list[OrderReport] = []
        self.fills: list[ExecutionReport] = []
        self.commissions: list[CommissionReport] = []
        self.errors: list[tuple[int, int, str]] = []
        self.positions: list[Position] = []

    def order(self, report: OrderReport, *, status: bool = True) -> None:
        self.events.append(("order", report.order_id, report.status.status if status else "no status"))
        self.reports.append(report)

    def status(self, report: OrderReport) -> None:
        self.events.append(("status", report.order_id, report.status.status))
        self.reports.append(report)

    def execution(self, fill: ExecutionReport) -> None:
        self.events.append(("execution", fill.order_id, fill.execution.shares, fill.execution.price))
        self.fills.append(fill)

    def commission(self, client_id: int, report: CommissionReport) -> None:
        self.events.append(("commission", report.execId))
        self.commissions.append(report)

    def error(self, client_id: int, order_id: int, code: int, text: str, reject_json: str = "") -> None:
        self.events.append(("error", order_id, code))
        self.errors.append((order_id, code, text))

    def position(self, position: Position) -> None:
        self.events.append(("position", position.position))
        self.positions.append(position)

    def account_changed(self, account: str) -> None:
        self.events.append(("account", account))


class Desk:
    """A client (id 1) of a broker on a scripted market, at 10:00 New York of a Monday."""

    ACCOUNT = "DU1234567"

    def __init__(self, models: Models = INSTANT, now: float | None = None, store: str | None = None, **kwargs: Any):
        self.now = at("10:00") if now is None else now
        self.market = Script()
        self.market.set(AAPL, at("20240105 12:00"), 99.5, 99.6)
        self.market.set(AAPL, self.now - 1, 100.00, 100.02)
        self.market.trade(AAPL, self.now - 1, 100.01, 100)
        self.market.set(EURUSD, self.now - 1, 1.1000, 1.1001, 1e6, 1e6)
        self.models = models
        self.notes = Notes()
        self.broker = Broker(CATALOGUE, self.market, self.now, models=models, store=store, **kwargs)
        self.broker.listener = self.notes
        self._next = 1

    def place(self, order: Order, contract: Contract = AAPL, order_id: int = 0, client_id: int = 1) -> int:
        """Place an order now; return its id."""
        order_id = order_id or self.broker.next_order_id(client_id)
        self.broker.place(self.now, client_id, order_id, contract, order)
        return order_id

    def cancel(self, order_id: int, client_id: int = 1) -> None:
        """Cancel an order now."""
        self.broker.cancel(self.now, client_id, order_id, OrderCancel())

    def exercise(
        self, option: Contract, units: float = 1, action: int = 1, override: bool = False, account: str = ""
    ) -> int:
        """Exercise an option now, or let it lapse (2); return the id."""
        order_id = self.broker.next_order_id(1)
        wanted = Instruction(action, units, account, override)
        self.broker.exercise(self.now, 1, order_id, instrument(option), wanted)
        return order_id

    def go(self, seconds: float = 0.0, to: float = 0.0) -> None:
        """Let time pass."""
        self.now = to or self.now + seconds
        self.broker.advance(self.now)

    def set(self, bid: float, ask: float, bid_size: float = 300, ask_size: float = 200, what: Contract = AAPL) -> None:
        """Quote something else one second from now, and go there."""
        self.market.set(what, self.now + 1, bid, ask, bid_size, ask_size)
        self.go(1)

    def trade(self, price: float, size: float = 100, what: Contract = AAPL) -> None:
        """Print a trade one second from now, and go there."""
        self.market.trade(what, self.now + 1, price, size)
        self.go(1)

    def report(self, order_id: int) -> OrderReport:
        """The latest report of an order."""
        return [report for report in self.notes.reports if report.order_id == order_id][-1]

    def status(self, order_id: int) -> str:
        """The latest status of an order."""
        return self.report(order_id).status.status

    def filled(self, order_id: int) -> list[tuple[float, float]]:
        """What an order traded: (size, price)."""
        return [(f.execution.shares, f.execution.price) for f in self.notes.fills if f.order_id == order_id]

    def codes(self, order_id: int = 0) -> list[int]:
        """The codes told about an order, or about all."""
        return [code for key, code, _ in self.notes.errors if order_id in (0, key)]

    def value(self, tag: str, currency: str = "USD") -> float:
        """An account value."""
        rows = self.broker.account_values(self.now, self.ACCOUNT)
        return next(float(row.value) for row in rows if row.tag == tag and row.currency in (currency, ""))

    def position(self, contract: Contract = AAPL) -> float:
        """The size of a position."""
        con_id = instrument(contract).con_id
        return sum(p.position for p in self.broker.positions() if p.contract.conId == con_id)


def utc(t: float) -> datetime:
    """Epoch seconds as an aware datetime."""
    return datetime.fromtimestamp(t, UTC)
