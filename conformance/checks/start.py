"""The gateway itself, and what hangs on no instrument."""

from __future__ import annotations

import json

from conformance.checks.base import World, asked, check
from conformance.drivers.api import Refused


@check("start-up")
def start_up(world: World) -> str:
    accounts = world.api.accounts()
    assert accounts == [world.api.account], accounts
    return f"server version {world.api.version}, account {accounts[0]}"


@check("current time")
def current_time(world: World) -> str:
    first = world.api.current_time()
    second = world.api.current_time()
    assert 1_704_000_000 < first <= second < first + 3600, (first, second)
    return f"{first:.0f}"


@check("current time in milliseconds")
def current_millis(world: World) -> str:
    secs, millis = world.api.current_time(), world.api.current_millis()
    assert 0 <= millis / 1000 - secs < 3600, (secs, millis)
    return f"{millis:.0f}"


@check("next order id")
def next_id(world: World) -> str:
    first, second = world.api.next_id(), world.api.next_id()
    assert 0 < first <= second, (first, second)
    return str(first)


@check("server log level")
def log_level(world: World) -> str:
    world.api.log_level(2)
    world.api.current_time()
    return "taken"


@check("client id in use")
def id_in_use(world: World) -> str:
    return world.api.refused_id(1)


@check("verify")
def verify(world: World) -> str:
    return world.api.verify()


@check("user info")
def user_info(world: World) -> str:
    return repr(world.api.user_info())


@check("configuration")
def configuration(world: World) -> str:
    return world.api.config()


@check("advisor data")
def advisor(world: World) -> str:
    found = asked(world, world.api.advisor, 321)
    return f"refused, the account is no advisor's: {found}" if isinstance(found, Refused) else found


@check("fundamental data")
def fundamentals(world: World) -> str:
    found = asked(world, lambda: world.api.fundamentals(world.fields("stock"), "ReportSnapshot"), 10358)
    return f"refused, the service has ended: {found}" if isinstance(found, Refused) else found[:40]


@check("calendar of events")
def calendar(world: World) -> str:
    found = asked(world, lambda: world.api.events_of(world.details("stock").contract.conId), 10276)
    if isinstance(found, Refused):
        return f"refused, it is not subscribed: {found}"
    meta, events = found
    json.loads(meta)
    json.loads(events)
    return f"{len(meta)} and {len(events)} characters of JSON"


@check("display groups")
def display_groups(world: World) -> str:
    wanted = f"{world.details('stock').contract.conId}@SMART"
    groups, shown = world.api.groups(wanted)
    assert "1" in groups.split("|"), groups
    assert shown == wanted, shown
    return f"groups {groups}"


@check("news providers")
def providers(world: World) -> str:
    found = world.api.providers()
    assert "BRFG" in found, found
    return ", ".join(found)


@check("historical news and articles")
def headlines(world: World) -> str:
    con_id = world.details("stock").contract.conId
    rows = world.api.headlines(con_id, "+".join(world.api.providers()), 5)
    assert len(rows) == 5, rows
    times = [row[0] for row in rows]
    assert times == sorted(times, reverse=True), times
    for _, article, headline in rows:
        assert headline, rows
        text = world.api.article(article.partition("$")[0], article)
        assert len(text) > 20, text
    return rows[0][2]


@check("news ticks")
def news_ticks(world: World) -> str:
    found = set()
    for code in ("MOST_ACTIVE", "TOP_PERC_GAIN", "TOP_PERC_LOSE"):
        rows = world.api.scan(instrument="STK", locationCode="STK.US.MAJOR", scanCode=code, numberOfRows=50)
        found |= {contract.conId for _, contract in rows}
    provider, article = world.api.news_tick(sorted(found)[:90])
    text = world.api.article(provider, article)
    assert text, article
    return article


@check("news bulletins")
def bulletins(world: World) -> str:
    text = world.api.bulletin()
    assert text
    return text[:60]


@check("scanner parameters")
def scan_parameters(world: World) -> str:
    xml = world.api.scan_parameters()
    assert "TOP_PERC_GAIN" in xml
    assert "STK.US.MAJOR" in xml
    return f"{len(xml)} characters"


@check("scanner")
def scanner(world: World) -> str:
    rows = world.api.scan(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN", numberOfRows=10)
    ranks = [rank for rank, _ in rows]
    assert ranks == list(range(10)) * ranks.count(0), ranks  # the scan is told again and again
    assert rows, "no rows"
    assert all(contract.secType == "STK" and contract.conId for _, contract in rows), rows
    return ", ".join(contract.symbol for _, contract in rows[:5])


@check("nothing dropped")
def nothing_dropped(world: World) -> str:
    world.api.current_time()
    return "the client understood every message"  # a complaint fails the row where it came up


@check("connecting again")
def connecting_again(world: World) -> str:
    held = {row.conId: row.position for row in world.api.positions() if row.position}
    other = world.api.other(11)
    try:
        again = {row.conId: row.position for row in other.positions() if row.position}
        complaints = other.complaints()
    finally:
        other.close()
    assert again == held, (held, again)
    assert not complaints, complaints
    return f"{len(held)} positions seen by a second connection"
