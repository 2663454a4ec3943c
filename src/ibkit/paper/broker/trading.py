"""Orders meet the market: triggers, fills, executions and what follows from them.

The order of messages is TWS's: execution, order with its status, commission, position, account; then the consequences
for other orders.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from typing import NamedTuple

from ibkit.model import UNSET_DOUBLE, CommissionReport, Contract, Execution, Position
from ibkit.model import OrderStatus as Status
from ibkit.model.base import dataclassAsDict
from ibkit.paper.broker import hours, lifecycle, texts
from ibkit.paper.broker.accounts import Holding
from ibkit.paper.broker.electing import elected
from ibkit.paper.broker.fees import fee
from ibkit.paper.broker.live import FillRecord, Live, Part, Stage
from ibkit.paper.broker.marks import worth
from ibkit.paper.broker.matching import REMOVED, limit_price, match
from ibkit.paper.broker.rules import IMMEDIATE
from ibkit.paper.broker.state import State
from ibkit.paper.broker.triggers import tick_of
from ibkit.paper.instruments import Instrument
from ibkit.paper.market import Tick


def settle(state: State, t: float) -> None:
    """Let orders that have become active look at the market, until none is left; hold the auctions that are due."""
    while state.fresh or state.auctions:
        if state.auctions:
            close_auction(state, state.auctions.pop(0), t)
            continue
        live = state.fresh.pop(0)
        session = hours.session(live.instrument, t, live.regular)
        quote = state.marks.quote(live.instrument, t)
        # A quote from before the session opened is history, not a market.
        if session and quote.time >= session.start:
            meet(state, live, tick_of(quote)._replace(time=t), t, fresh=False)


def meet(state: State, live: Live, tick: Tick, t: float, fresh: bool) -> None:
    """Show an order a tick of its instrument; ``fresh``: it has just happened."""
    if live.stage is Stage.ARMED:
        if elected(state, live, tick, t):
            live.elected = True
            lifecycle.refresh(state, live, t)
        return
    if live.stage is not Stage.WORKING or live.auction < inf:
        return
    if live.order.tif == "OPG":
        if fresh and tick.kind == "trade":
            _auction(state, live, tick.price, t)
        return
    touch = state.touch(live.instrument)
    touch.see(tick, t, fresh=False)
    if live.rule.snap and live.limit is None:
        live.limit = limit_price(live, tick)
    take = match(live, tick, touch, state.models)
    if take is not None:
        touch.take(live.sign, take.size, take.printed, t)
        fill(state, live, take.price, take.size, take.liquidity, t)
    if live.done:
        return
    if live.order.tif in IMMEDIATE:
        lifecycle.cancel(state, live, t, lifecycle.BY_SYSTEM)
    elif t < touch.back_at < inf and live.retry_at != touch.back_at:
        live.retry_at = touch.back_at
        state.changed(live)
        live.wake = min(live.wake, live.retry_at)


def close_auction(state: State, live: Live, t: float) -> None:
    """Trade an order at the close: at the last price of the day, in full."""
    live.auction = inf
    quote = state.marks.quote(live.instrument, t)
    _auction(state, live, quote.last if quote.last == quote.last else quote.mid, t)


def _auction(state: State, live: Live, price: float, t: float) -> None:
    limit = live.limit
    if price == price and (limit is None or (price - limit) * live.sign <= 0):
        fill(state, live, price, live.remaining, REMOVED, t)
    lifecycle.cancel(state, live, t, lifecycle.BY_SYSTEM)


class _Leg(NamedTuple):
    """What a fill trades in one contract; ``quantity`` is signed."""

    instrument: Instrument
    quantity: float
    price: float
    exec_id: str


def fill(state: State, live: Live, price: float, size: float, liquidity: int, t: float) -> None:
    """Book a trade of an order and tell it."""
    part = size / live.remaining
    live.filled += size
    live.value += size * price
    live.last_price = price
    if live.rule.rest_as_limit:
        live.limit, live.resting = price, True
    legs = _legs(state, live, price, size, t)
    records = [_execute(state, live, leg, liquidity, t) for leg in legs]
    if live.instrument.legs:
        base = legs[0].exec_id.rsplit(".", 3)[0]
        whole = _Leg(live.instrument, live.sign * size, price, f"{base}.01.01")
        state.listener.execution(
            _record(state, live, whole, live.contract, live.filled, live.value, liquidity, t).report()
        )
    reports = [_book(state, live, leg, t) for leg in legs]
    if not live.remaining:
        lifecycle.end(state, live, t, Status.Filled, f"Filled Size: {live.filled:g}")
    lifecycle.tell(state, live)
    if live.done and live.amended is not None:  # the change came too late
        lifecycle.complain(state, live, texts.FILLED)
    for record, report in zip(records, reports, strict=True):
        record.commission = report
        state.listener.commission(live.client_id, report)
    account = state.accounts[live.account]
    for leg in legs:
        state.listener.position(position(account.name, account.holding(leg.instrument)))
    state.listener.account_changed(account.name)
    _consequences(state, live, legs, part, t)


def _legs(state: State, live: Live, price: float, size: float, t: float) -> list[_Leg]:
    """Split a fill into what is bought and sold; the legs' prices add up to the price of the whole."""
    base = state.orders.exec_id()
    if not live.instrument.legs:
        return [_Leg(live.instrument, live.sign * size, price, f"{base}.01.01")]
    found: list[_Leg] = []
    for n, (instrument, ratio) in enumerate(live.instrument.legs):
        quote = state.marks.quote(instrument, t)
        quoted = quote.ask if ratio * live.sign > 0 else quote.bid
        quoted = quoted if quoted == quoted else state.marks.mark(instrument, t)
        found.append(_Leg(instrument, live.sign * ratio * size, quoted, f"{base}.{n + 2:02d}.01.01"))
    rest = price - sum(leg.price * ratio for leg, (_, ratio) in zip(found, live.instrument.legs, strict=True))
    first = found[0]
    found[0] = first._replace(price=round(first.price + rest / live.instrument.legs[0][1], 10))
    return found


def _execute(state: State, live: Live, leg: _Leg, liquidity: int, t: float) -> FillRecord:
    part = live.parts.setdefault(leg.instrument.con_id, Part())
    part.quantity += abs(leg.quantity)
    part.value += abs(leg.quantity) * leg.price
    contract = live.contract if leg.instrument is live.instrument else held_contract(leg.instrument)
    record = _record(state, live, leg, contract, part.quantity, part.value, liquidity, t)
    state.listener.execution(record.report())
    return record


def _record(
    state: State, live: Live, leg: _Leg, contract: Contract, total: float, value: float, liquidity: int, t: float
) -> FillRecord:
    order = live.order
    venue = live.contract.exchange if live.contract.exchange != "SMART" else _venue(leg.instrument)
    execution = Execution(
        execId=leg.exec_id,
        time=datetime.fromtimestamp(t, UTC),
        acctNumber=live.account,
        exchange=venue,
        side="BOT" if leg.quantity > 0 else "SLD",
        shares=abs(leg.quantity),
        price=leg.price,
        permId=live.perm_id,
        clientId=live.client_id,
        orderId=live.order_id,
        cumQty=total,
        avgPrice=value / total,
        orderRef=order.orderRef,
        modelCode=order.modelCode,
        lastLiquidity=liquidity,
        submitter=order.submitter,
    )
    record = FillRecord(contract, execution, t, leg.instrument.calendar.zone)
    state.orders.record(record)
    return record


def _venue(instrument: Instrument) -> str:
    """The exchange a SMART order trades on."""
    contract = instrument.contract
    if contract.primaryExchange:
        return contract.primaryExchange
    return next((name for name in instrument.listing.valid_exchanges.split(",") if name != "SMART"), contract.exchange)


def _book(state: State, live: Live, leg: _Leg, t: float) -> CommissionReport:
    """Book one leg in the account; return what it cost and gained."""
    account, row = state.accounts[live.account], fee(state.models.fees, leg.instrument)
    part = live.parts[leg.instrument.con_id]
    home = leg.instrument.currency
    part.currency = row.currency or home
    value = state.marks.convert(abs(worth(leg.instrument, part.quantity, part.average)), home, part.currency, t)
    total = row.total(part.quantity, value, leg.quantity < 0)
    # An order never gives commission back, though converted amounts move between its fills.
    cost = round(max(0.0, total - part.commission), 6)
    part.commission += cost
    account.roll(state.marks, t)
    gain = account.book(leg.instrument, leg.quantity, leg.price, cost, part.currency)
    return CommissionReport(
        execId=leg.exec_id,
        commission=cost,
        currency=part.currency,
        realizedPNL=UNSET_DOUBLE if gain is None else round(gain, 6),
        yield_=UNSET_DOUBLE,
    )


def held_contract(instrument: Instrument) -> Contract:
    """Return an instrument's contract as positions show it: on its home exchange."""
    contract = Contract.create(**dataclassAsDict(instrument.contract))
    contract.exchange = contract.primaryExchange or contract.exchange
    return contract


def position(account: str, holding: Holding) -> Position:
    """Return a holding as TWS tells positions."""
    return Position(account, held_contract(holding.instrument), holding.quantity, holding.average_cost)


def _consequences(state: State, live: Live, legs: list[_Leg], part: float, t: float) -> None:
    """What a fill does to other orders: execution conditions, the OCA group, children."""
    for other in list(state.orders.open.values()):
        if other.conditions is not None and other.account == live.account:
            for leg in legs:
                other.conditions.executed(leg.instrument, live.contract.exchange)
            lifecycle.refresh(state, other, t)
    for other in state.orders.group(live):
        if live.oca_type == 1:
            lifecycle.cancel(state, other, t, lifecycle.BY_SYSTEM)
        else:
            lifecycle.reduce(state, other, part, t)
    if live.done:
        for child in live.children:
            lifecycle.refresh(state, child, t)
