"""Where the public surface of ibkit differs from that of ib_insync or ib_async, and why.

``REASONS`` maps names to reasons. A name is ``package:Class.member`` or ``package:module.name``, where the package may
be ``*`` for both; a star stands for any characters. ``test_surface.py`` fails on a difference that is not here, and on
a line here that excuses nothing.
"""

from __future__ import annotations

_OUTSIDE = "messages do not pass through ib.wrapper: it is a view of what is known; the events of IB tell what comes in"
_LIST = "the constructor of list, which takes one iterable at most: all that theirs can pass on"
_HASH = "as in ib_insync: a list of bars is itself and can be a key; ib_async lost that"
_ORDER = "the order of ib_insync, ib_async's fields come after them: positional construction of ib_insync stays right"
_RAW = "the wire has two encodings, and the tables of ibkit.wire write both: send a request by its method"
_AEVENTKIT = "aeventkit makes Event a data class, whose equality by fields is a bug: two fresh events are equal"
_TASK = "a source of an event ends with what it follows, not at a moment that the garbage collector chooses"
_JOIN = "Join.follow does it in one step"
_TABLES = "tables of the inside: ibkit.engine.ticktypes has ours"

REASONS: dict[str, str] = {
    # -- client and wrapper
    "*:Client": "a client belongs to an IB and is made by it; nothing can be connected that is no IB",
    "*:Client.MaxClientVersion": "the protocol goes on: 225",
    "*:Client.reset()": "a connection is an object of its own, there is nothing to set back",
    "*:Client.send()": _RAW,
    "*:Client.sendMsg()": _RAW,
    "*:Client.conn": "bytes travel through ibkit.links; ib.client.connectionStats() counts them",
    "*:Client.decoder": "messages are decoded by ibkit.wire",
    "*:Wrapper.*()": _OUTSIDE,
    "ib_async:Wrapper.*": _ORDER,
    "ib_async:Wrapper.ib": "an attribute, since the view is no data class",
    "ib_async:Wrapper.defaults": "a property: those of the IB",
    "*:connection.Connection": "bytes travel through ibkit.links; an ImportError says so",
    "*:decoder.Decoder": "messages are decoded by ibkit.wire; an ImportError says so",
    "ib_async:wrapper.*_TICK_MAP": _TABLES,
    "ib_async:wrapper.TickDict": _TABLES,
    # -- IB
    "*:IB.__del__": "a connection is closed by disconnect() or `with`, not at a moment the garbage collector chooses",
    "ib_async:IB": "defaults=None makes an IBDefaults for each IB, where theirs share one",
    # -- values
    "*:CommissionReport.commission": "a cost is NaN until its report has come: an unknown commission is not 0",
    "*:CommissionReport.realizedPNL": "as commission",
    "*:CommissionReport.yield_": "as commission",
    "*:Order.routeMarketableToBbo": "None leaves it to TWS; False, which theirs never sends, turns it off",
    "ib_insync:OrderStatus.ActiveStates": "and the two states that ib_async adds",
    "ib_async:OrderStatus.DoneStates": "as in ib_insync: TWS may yet activate an Inactive order (semantics.md 5)",
    "ib_async:Ticker.*": _ORDER,
    "ib_async:Watchdog.*": _ORDER,
    "ib_async:flexreport.FLEXREPORT_URL": "the question mark is added with the query",
    # -- lists
    "*:BarDataList": _LIST,
    "*:RealTimeBarList": _LIST,
    "*:ScanDataList": _LIST,
    "*:ticker.BarList": _LIST,
    "ib_async:BarDataList.__hash__": _HASH,
    "ib_async:RealTimeBarList.__hash__": _HASH,
    "ib_async:ScanDataList.__hash__": _HASH,
    "ib_async:ticker.BarList.__hash__": _HASH,
    # -- events
    "*:Event.set_source()": "only an operator has a source: Op.set_source",
    "ib_async:Event.error_event": _AEVENTKIT,
    "ib_async:Event.done_event": _AEVENTKIT,
    "ib_async:Event.NO_VALUE": _AEVENTKIT,
    "ib_async:Event.dict()": _AEVENTKIT,
    "ib_async:Event.nonDefaults()": _AEVENTKIT,
    "ib_async:Event.tuple()": _AEVENTKIT,
    "ib_async:Event.update()": _AEVENTKIT,
    "ib_async:ticker.TickerUpdateEvent": _AEVENTKIT,
    "*:eventkit.*.__del__": _TASK,
    "*:eventkit.*.set_parent()": _JOIN,
    "*:eventkit.Map": "None says no limit, as in Event.map; 0 does, too",
}
