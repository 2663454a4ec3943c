"""Orders: what is placed is told, filled, paid for, and becomes a position."""

from __future__ import annotations

from typing import Any

from conformance.capabilities import INSTRUMENTS
from conformance.checks.base import World, check, for_each, near
from conformance.drivers.api import Fields, Fill, OrderView

# How much of a kind is bought and sold again; what is not here cannot be traded.
QUANTITIES = {
    "stock": 100, "forex": 20000, "future": 2, "option": 3, "future option": 1, "cfd": 10, "crypto": 0.25, "bond": 5,
    "fund": 10, "commodity": 10, "combo": 10,
}  # fmt: skip
WORKING = ("Submitted", "PreSubmitted")
DONE = ("Cancelled", "ApiCancelled", "Filled", "Inactive")


def order(action: str, quantity: float, kind: str = "MKT", price: float = 0.0, **more: Any) -> Fields:
    """Return the fields of an order."""
    fields = {"action": action, "totalQuantity": quantity, "orderType": kind, "tif": "DAY", "transmit": True, **more}
    if price:
        fields["lmtPrice"] = price
    return fields


def held(world: World) -> dict[int, float]:
    return {row.conId: row.position for row in world.api.positions() if row.position}


def done(world: World, order_id: int, quantity: float) -> tuple[OrderView, list[Fill]]:
    """Wait until an order is filled and paid for; see that all of it agrees."""
    view = world.api.wait_status(order_id, "Filled")
    fills = [fill for fill in world.api.fills(order_id, quantity) if fill.secType != "BAG"]
    assert view.filled == quantity, view
    assert view.remaining == 0, view
    assert len({fill.execId for fill in fills}) == len(fills), fills
    assert all(fill.commission >= 0 and fill.price > 0 for fill in fills), fills
    return view, fills


def average(fills: list[Fill]) -> float:
    return sum(fill.shares * fill.price for fill in fills) / sum(fill.shares for fill in fills)


@for_each("order", INSTRUMENTS)
def trade(world: World, kind: str) -> str:
    api, contract = world.api, world.fields(kind)
    if kind not in QUANTITIES:
        order_id = api.place(contract, order("BUY", 1))
        refused = api.wait_error(order_id)
        return f"refused as by TWS: {refused}"
    quantity = QUANTITIES[kind]
    if kind == "fund":  # it has a price a day, after the close
        order_id = api.place(contract, order("BUY", quantity))
        api.wait_status(order_id, "Submitted")
        api.cancel(order_id)
        return f"waits for the price of the day, until it is {api.wait_status(order_id, *DONE).status}"
    before = held(world)
    bought = api.place(contract, order("BUY", quantity))
    view, fills = done(world, bought, quantity)
    after = held(world)
    if kind == "combo":
        for leg, sign in zip(contract["comboLegs"], (1, -1), strict=True):
            change = after.get(leg["conId"], 0) - before.get(leg["conId"], 0)
            assert change == sign * quantity, (leg, change)
    else:
        assert sum(fill.shares for fill in fills) == quantity, fills
        assert fills[-1].cumQty == quantity, fills
        assert near(view.avgFillPrice, average(fills), 1e-6), (view, fills)
        con_id = fills[0].conId
        assert near(after.get(con_id, 0) - before.get(con_id, 0), quantity, 1e-9), (before, after)
    sold = api.place(contract, order("SELL", quantity))
    done(world, sold, quantity)
    final = held(world)
    legs = [leg["conId"] for leg in contract.get("comboLegs", ())] or [fills[0].conId]
    assert all(near(final.get(con_id, 0), before.get(con_id, 0), 1e-9) for con_id in legs), (before, final)
    return f"{quantity:g} bought at {view.avgFillPrice:g} in {len(fills)} executions, and sold"


@check("limit order")
def limit(world: World) -> str:
    price = round(world.spot() * 0.5, 2)
    order_id = world.api.place(world.fields("stock"), order("BUY", 10, "LMT", price, orderRef="conformance"))
    view = world.api.wait_status(order_id, "Submitted")
    assert view.permId, view
    assert (view.terms["lmtPrice"], view.terms["orderRef"], view.terms["action"]) == (price, "conformance", "BUY"), view
    assert view.remaining == 10, view
    world.api.cancel(order_id)
    view = world.api.wait_status(order_id, "Cancelled", "ApiCancelled")
    return f"{view.status} with {view.remaining:g} left"


@check("modify")
def modify(world: World) -> str:
    spot, stock = world.spot(), world.fields("stock")
    order_id = world.api.place(stock, order("BUY", 10, "LMT", round(spot * 0.5, 2)))
    first = world.api.wait_status(order_id, "Submitted")
    world.api.place(stock, order("BUY", 20, "LMT", round(spot * 1.1, 2)), order_id)
    view, fills = done(world, order_id, 20)
    assert view.permId == first.permId, (first, view)
    assert average(fills) < spot * 1.05, fills
    done(world, world.api.place(stock, order("SELL", 20)), 20)
    return f"raised, and filled at {view.avgFillPrice:g}"


@check("bracket")
def bracket(world: World) -> str:
    api, stock, spot = world.api, world.fields("stock"), world.spot()
    parent = api.place(stock, order("BUY", 10, "LMT", round(spot * 1.05, 2), transmit=False))
    target = api.place(stock, order("SELL", 10, "LMT", round(spot * 1.5, 2), parentId=parent, transmit=False))
    stop = api.place(stock, order("SELL", 10, "STP", auxPrice=round(spot * 0.5, 2), parentId=parent))
    done(world, parent, 10)
    api.wait_status(target, *WORKING)
    child = api.wait_status(stop, *WORKING)
    assert child.parentId in (parent, 0), child
    api.cancel(target)
    api.wait_status(target, *DONE)
    api.expect(10147, 10148, 161)  # the stop may have gone with the target
    api.cancel(stop)
    api.wait_status(stop, *DONE)
    done(world, api.place(stock, order("SELL", 10)), 10)
    return "the parent filled, the children worked and went"


@check("one cancels all")
def one_cancels_all(world: World) -> str:
    api, stock, spot = world.api, world.fields("stock"), world.spot()
    group = {"ocaGroup": f"conformance {world.api.name} {world.api.version}", "ocaType": 1}
    far = api.place(stock, order("BUY", 10, "LMT", round(spot * 0.5, 2), **group))
    api.wait_status(far, "Submitted")
    close = api.place(stock, order("BUY", 10, "LMT", round(spot * 1.1, 2), **group))
    done(world, close, 10)
    view = api.wait_status(far, "Cancelled", "ApiCancelled")
    done(world, api.place(stock, order("SELL", 10)), 10)
    return f"one filled, the other {view.status}"


@check("stop and trail orders")
def stops(world: World) -> str:
    api, stock, spot = world.api, world.fields("stock"), world.spot()
    kinds = {
        "STP": order("SELL", 5, "STP", auxPrice=round(spot * 0.5, 2)),
        "STP LMT": order("SELL", 5, "STP LMT", round(spot * 0.49, 2), auxPrice=round(spot * 0.5, 2)),
        "TRAIL": order("SELL", 5, "TRAIL", trailingPercent=30.0),
        "TRAIL LIMIT": order(
            "SELL", 5, "TRAIL LIMIT", auxPrice=20.0, trailStopPrice=round(spot * 0.5, 2), lmtPriceOffset=0.5
        ),
        "MIT": order("BUY", 5, "MIT", auxPrice=round(spot * 0.5, 2)),
        "LIT": order("BUY", 5, "LIT", round(spot * 0.5, 2), auxPrice=round(spot * 0.5, 2)),
        "MOC": order("BUY", 5, "MOC"),
        "LOC": order("BUY", 5, "LOC", round(spot * 0.5, 2)),
        "REL": order("BUY", 5, "REL", round(spot * 0.5, 2), auxPrice=0.1),
    }
    placed = {kind: api.place(stock, fields) for kind, fields in kinds.items()}
    for kind, order_id in placed.items():
        view = api.wait_status(order_id, *WORKING)
        assert view.terms["orderType"] == kind, view
        api.cancel(order_id)
    for order_id in placed.values():
        api.wait_status(order_id, "Cancelled", "ApiCancelled")
    done(world, api.place(stock, order("BUY", 5)), 5)
    triggered = api.place(stock, order("SELL", 5, "STP", auxPrice=round(world.spot() * 1.2, 2)))
    done(world, triggered, 5)
    return f"{', '.join(kinds)} waited; a stop within reach was filled"


@check("conditions")
def conditions(world: World) -> str:
    api, stock = world.api, world.fields("stock")
    con_id = world.details("stock").contract.conId
    wanted = [
        {"type": 1, "conjunctionConnection": "a", "isMore": True, "price": 1.0, "conId": con_id, "exchange": "SMART",
         "triggerMethod": 0},
        {"type": 3, "conjunctionConnection": "a", "isMore": True, "time": "20240110 10:00:00 US/Eastern"},
    ]  # fmt: skip
    met = api.place(stock, order("BUY", 5, conditions=wanted))
    done(world, met, 5)
    done(world, api.place(stock, order("SELL", 5)), 5)
    never = api.place(stock, order("BUY", 5, conditions=[{**wanted[0], "price": 1e6}]))
    view = api.wait_status(never, *WORKING)
    assert len(view.terms["conditions"]) == 1, view
    api.cancel(never)
    api.wait_status(never, "Cancelled", "ApiCancelled")
    return "met ones filled, an unmet one waited"


@check("algo order")
def algo(world: World) -> str:
    api = world.api
    params = [{"tag": "adaptivePriority", "value": "Normal"}]
    fields = order("BUY", 5, "LMT", round(world.spot() * 0.5, 2), algoStrategy="Adaptive", algoParams=params)
    order_id = api.place(world.fields("stock"), fields)
    view = api.wait_status(order_id, *WORKING)
    assert view.terms["algoStrategy"] == "Adaptive", view
    assert len(view.terms["algoParams"]) == 1, view
    api.cancel(order_id)
    api.wait_status(order_id, "Cancelled", "ApiCancelled")
    return "told back with its parameters"


@check("what-if")
def what_if(world: World) -> str:
    before = held(world)
    small, large = (world.api.what_if(world.fields("stock"), order("BUY", n)) for n in (100, 1000))
    assert 0 < small.initMarginChange < large.initMarginChange, (small, large)
    assert small.maintMarginChange <= small.initMarginChange, small
    assert small.equityWithLoanAfter > 0, small
    assert small.commission >= 0, small
    assert held(world) == before
    return f"margin {small.initMarginChange:g} for 100, {large.initMarginChange:g} for 1000"


@check("rejected order")
def rejected(world: World) -> str:
    order_id = world.api.place(world.fields("stock"), order("BUY", 10, "LMT", 100.001))
    refused = world.api.wait_error(order_id)
    assert refused.code in (110, 201), refused
    return str(refused)


@check("cancel of an unknown order")
def unknown(world: World) -> str:
    world.api.expect(10147)
    order_id = 900_000_000
    world.api.cancel(order_id)
    refused = world.api.wait_error(order_id)
    assert refused.code == 10147, refused
    return str(refused)


@check("open orders")
def open_orders(world: World) -> str:
    price = round(world.spot() * 0.5, 2)
    placed = [world.api.place(world.fields("stock"), order("BUY", n, "LMT", price)) for n in (1, 2, 3)]
    for order_id in placed:
        world.api.wait_status(order_id, "Submitted")
    rows = {view.orderId: view for view in world.api.open_orders(False)}
    assert set(placed) <= set(rows), (placed, rows)
    assert all(rows[order_id].status == "Submitted" for order_id in placed), rows
    for order_id in placed:
        world.api.cancel(order_id)
    for order_id in placed:
        world.api.wait_status(order_id, "Cancelled", "ApiCancelled")
    left = {view.orderId for view in world.api.open_orders(False)}
    assert not left & set(placed), left
    return "three placed, told, and gone when cancelled"


@check("orders of other clients")
def of_others(world: World) -> str:
    other = world.api.other(12)
    try:
        price = round(world.spot() * 0.5, 2)
        order_id = other.place(world.fields("stock"), order("BUY", 7, "LMT", price))
        view = other.wait_status(order_id, "Submitted")
        rows = world.api.open_orders(True)
        assert view.permId in {row.permId for row in rows}, rows
        assert view.permId not in {row.permId for row in world.api.open_orders(False)}
        other.cancel(order_id)
        other.wait_status(order_id, "Cancelled", "ApiCancelled")
        complaints = other.complaints()
    finally:
        other.close()
    assert not complaints, complaints
    return f"order {view.permId} of client 12 seen"


@check("auto open orders")
def auto_open(world: World) -> str:
    world.api.expect(327)
    refused = world.api.auto_open_orders()  # only client 0 may
    assert refused.code == 327, refused
    return f"refused as by TWS: {refused}"


@check("executions")
def executions(world: World) -> str:
    rows = world.api.executions()
    assert rows, "no executions, although orders were filled"
    assert len({fill.execId for fill in rows}) == len(rows), rows
    without = [fill for fill in rows if fill.commission != fill.commission and fill.secType != "BAG"]
    assert not without, f"executions without a commission: {without}"
    return f"{len(rows)} executions, each with its commission"


@check("execution filter")
def execution_filter(world: World) -> str:
    stocks = world.api.executions(secType="STK", symbol="AAPL", side="BUY")
    assert stocks, "none"
    con_id = world.details("stock").contract.conId
    assert all(fill.conId == con_id and fill.side == "BOT" for fill in stocks), stocks
    assert not world.api.executions(symbol="NOSUCHTHING")
    return f"{len(stocks)} purchases of the stock"


@check("completed orders")
def completed(world: World) -> str:
    rows = world.api.completed()
    assert {"Filled", "Cancelled"} <= set(rows), set(rows)
    return f"{len(rows)} orders"


@check("global cancel")
def global_cancel(world: World) -> str:
    price = round(world.spot() * 0.5, 2)
    placed = [world.api.place(world.fields("stock"), order("BUY", 1, "LMT", price)) for _ in range(3)]
    for order_id in placed:
        world.api.wait_status(order_id, "Submitted")
    world.api.cancel_all()
    for order_id in placed:
        world.api.wait_status(order_id, "Cancelled", "ApiCancelled")
    assert not world.api.open_orders(True)
    return "three orders gone at once"


@check("exercise")
def exercise(world: World) -> str:
    api = world.api
    spot, chain = world.spot(), next(chain for chain in world.chains if chain.exchange == "SMART")
    strike = min(chain.strikes, key=lambda strike: abs(strike - spot * 0.9))  # in the money
    option = {**world.fields("option"), "strike": strike}
    stock = world.details("stock").contract.conId
    before = held(world)
    view, _ = done(world, api.place(option, order("BUY", 1)), 1)
    exercise = api.exercise(option, 1)  # an order of its own, that waits for the end of the day
    waiting = api.wait_status(exercise, "PreSubmitted")
    assert waiting.remaining == 1, waiting
    api.cancel(exercise)
    refused = api.wait_error(exercise)
    assert refused.code == 322, refused
    api.wait_status(exercise, "Cancelled")
    assert held(world).get(stock, 0) == before.get(stock, 0)
    done(world, api.place(option, order("SELL", 1)), 1)
    assert held(world) == before
    return f"an option bought at {view.avgFillPrice:g}; taken in and taken back: {refused}"
