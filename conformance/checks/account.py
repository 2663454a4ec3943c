"""The account: its figures agree with one another and with what was traded."""

from __future__ import annotations

from collections import defaultdict

from conformance.checks.base import World, check, near
from conformance.checks.orders import done, held, order


def figure(values: dict[str, str], name: str) -> float:
    assert name in values, sorted(values)
    return float(values[name])


@check("account summary")
def summary(world: World) -> str:
    values = world.api.summary()
    worth = figure(values, "NetLiquidation")
    assert worth > 0, values
    assert figure(values, "BuyingPower") > 0, values
    return f"worth {worth:g}"


@check("account updates")
def updates(world: World) -> str:
    stock = world.fields("stock")
    done(world, world.api.place(stock, order("BUY", 30)), 30)
    values, portfolio = world.api.updates()
    figure(values, "NetLiquidation")
    rows = {row.conId: row.position for row in portfolio if row.position}
    assert rows == held(world), (rows, held(world))
    cost = next(row.avgCost for row in portfolio if row.conId == world.details("stock").contract.conId)
    assert near(cost, world.spot(), 0.05), cost
    done(world, world.api.place(stock, order("SELL", 30)), 30)
    return f"{len(values)} values, {len(portfolio)} positions"


@check("account updates multi")
def updates_multi(world: World) -> str:
    values = world.api.updates_multi()
    worth = figure(values, "NetLiquidation")
    assert near(worth, figure(world.api.summary(), "NetLiquidation"), 0.01), values
    return f"{len(values)} values, worth {worth:g}"


@check("positions")
def positions(world: World) -> str:
    done(world, world.api.place(world.fields("stock"), order("BUY", 10)), 10)
    rows = world.api.positions()
    mine = [row for row in rows if row.conId == world.details("stock").contract.conId]
    assert len(mine) == 1, rows
    assert mine[0].position >= 10, mine
    assert mine[0].account == world.api.account, mine
    return f"{len(rows)} positions"


@check("positions multi")
def positions_multi(world: World) -> str:
    rows = {row.conId: row.position for row in world.api.positions_multi() if row.position}
    assert rows == held(world), rows
    return f"{len(rows)} positions"


@check("positions equal executions")
def equal(world: World) -> str:
    total: dict[int, float] = defaultdict(float)
    for fill in world.api.executions():
        if fill.secType != "BAG":
            total[fill.conId] += fill.shares if fill.side == "BOT" else -fill.shares
    sums = {con_id: position for con_id, position in total.items() if abs(position) > 1e-9}
    now = held(world)
    assert set(sums) == set(now), (sums, now)
    assert all(near(sums[con_id], now[con_id], 1e-9) for con_id in now), (sums, now)
    return f"{len(total)} instruments traded, {len(now)} held"


@check("profit and loss")
def pnl(world: World) -> str:
    daily, unrealized, realized = world.api.pnl()
    assert all(value == value and abs(value) < 1e7 for value in (daily, unrealized, realized)), (daily, unrealized)
    return f"today {daily:g}, unrealized {unrealized:g}, realized {realized:g}"


@check("profit and loss of a position")
def pnl_single(world: World) -> str:
    con_id = world.details("stock").contract.conId
    position, value = world.api.pnl_single(con_id)
    assert position == held(world)[con_id], position
    assert near(value, position * world.spot(), 0.03), (value, position)
    return f"{position:g} worth {value:g}"
