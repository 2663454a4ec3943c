"""Reference data: contracts of every kind, chains, rules, exchanges."""

from __future__ import annotations

import re

from conformance.capabilities import INSTRUMENTS
from conformance.checks.base import World, asked, check, for_each
from conformance.drivers.api import Refused


@for_each("contract", [kind for kind in INSTRUMENTS if kind != "combo"])
def contract(world: World, kind: str) -> str:
    wanted, found = world.fields(kind), world.details(kind)
    terms = found.contract
    assert terms.conId > 0, terms
    for name in ("secType", "exchange", "currency"):
        if name in wanted and not (name == "secType" and wanted[name] == "CONTFUT"):
            assert getattr(terms, name) == wanted[name], (name, terms)
    if kind != "bond":  # text has no local symbol of bonds
        assert terms.localSymbol, terms
    assert found.minTick > 0, found
    assert wanted["exchange"] in found.validExchanges, found.validExchanges
    assert len(found.marketRuleIds) == len(found.validExchanges), (found.marketRuleIds, found.validExchanges)
    if kind not in ("bond", "fund"):
        assert re.match(r"\d{8}:(CLOSED|\d{4}-)", found.tradingHours), found.tradingHours
    if "option" in kind:
        assert terms.right == "C"
        assert terms.strike == wanted["strike"], terms
        assert terms.expiry.startswith(wanted["lastTradeDateOrContractMonth"]), terms
    if kind in ("future", "option", "future option"):
        assert terms.multiplier > 1, terms
    again = world.api.details({"conId": terms.conId, "exchange": terms.exchange, "secType": terms.secType})
    assert [row.contract for row in again] == [terms], again
    return f"{terms.localSymbol}, conId {terms.conId}, {found.longName}"


@check("many contracts")
def many(world: World) -> str:
    rows = world.api.details({"secType": "FUT", "symbol": "ES", "exchange": "CME"})
    months = [row.contract.expiry for row in rows]
    assert len(rows) > 3, rows
    assert len(set(months)) == len(months), months
    assert len({row.contract.conId for row in rows}) == len(rows)
    return ", ".join(sorted(months))


@check("unknown contract")
def unknown(world: World) -> str:
    fields = {**INSTRUMENTS["stock"], "symbol": "NOSUCHTHING"}
    found = asked(world, lambda: world.api.details(fields), 200)
    assert isinstance(found, Refused), found
    return str(found)


@check("option chains")
def chains(world: World) -> str:
    for chain in world.chains:
        assert chain.expirations == sorted(set(chain.expirations)), chain
        assert chain.strikes == sorted(set(chain.strikes)), chain
        assert chain.multiplier == 100, chain
    exchanges = {chain.exchange for chain in world.chains}
    assert {"SMART", "CBOE"} <= exchanges, exchanges
    smart = next(chain for chain in world.chains if chain.exchange == "SMART")
    return f"{len(exchanges)} exchanges, {len(smart.expirations)} expirations, {len(smart.strikes)} strikes"


@check("matching symbols")
def symbols(world: World) -> str:
    rows = world.api.symbols("AAPL")
    assert any(row.symbol == "AAPL" and row.secType == "STK" for row in rows), rows
    return f"{len(rows)} contracts"


@check("market rules")
def rules(world: World) -> str:
    found = {}
    for kind in ("stock", "option", "future", "forex"):
        details = world.details(kind)
        steps = world.api.rule(details.marketRuleIds[0])
        assert steps, details
        assert [edge for edge, _ in steps] == sorted(edge for edge, _ in steps), steps
        assert all(step > 0 for _, step in steps), steps
        assert min(step for _, step in steps) >= details.minTick * 0.999, (steps, details.minTick)
        found[kind] = steps[0][1]
    return ", ".join(f"{kind} {step:g}" for kind, step in found.items())


@check("smart components")
def components(world: World) -> str:
    exchange = world.api.bbo_exchange(world.fields("stock"))
    rows = world.api.components(exchange)
    letters = [letter for _, letter in rows]
    assert len(set(letters)) == len(letters) > 3, rows
    assert "NASDAQ" in {name for name, _ in rows}, rows
    return f"{exchange}: {len(rows)} exchanges"


@check("depth exchanges")
def depth_exchanges(world: World) -> str:
    found = world.api.depth_exchanges()
    assert "NASDAQ" in found, found
    return f"{len(found)} exchanges"


@check("soft dollar tiers")
def tiers(world: World) -> str:
    return f"{len(world.api.tiers())} tiers"


@check("family codes")
def families(world: World) -> str:
    found = world.api.families()
    assert all(account in ("*", world.api.account) for account in found), found
    return ", ".join(found)
