"""Market data: which ticker a request fills, and when its listeners are told.

A contract has one ``Feed``: its ticker, the requests that fill it, and what came in since listeners were
last told. Reducers write fields at once, but put ticks into the feed; ``seal`` shows a batch's ticks on the
tickers and ``deliver`` emits. When a handler waits and further batches come in meanwhile, the rest of the
outer batch is delivered before the ticks of the inner one are shown, so every emission sees the ticks of
its own batch: none is lost, none is shown twice.

**Which ticker:** that of the same contract object, else that of an equal contract. Contracts with a conId
are equal when conId and exchange are, others when all fields are; combos have no conId of their own.

Must not know what single ticks mean; ``engine.ticks`` and ``engine.depth`` do.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ibkit.engine.call import Call
from ibkit.engine.subscription import Subscription
from ibkit.errors import RequestError
from ibkit.events import Event, interrupt, made
from ibkit.model import (
    Contract,
    IBDefaults,
    MktDepthData,
    TickByTickAllLast,
    TickByTickBidAsk,
    TickByTickMidPoint,
    TickData,
    Ticker,
)
from ibkit.model.base import dataclassAsTuple
from ibkit.model.records import set_stored, stored
from ibkit.model.values import EPOCH, UNSET_DOUBLE, is_unset
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.market")

TickByTick: TypeAlias = TickByTickAllLast | TickByTickBidAsk | TickByTickMidPoint
StreamMaker: TypeAlias = Callable[[int], tuple[m.Request, m.Request]]
"""Makes a request of a request id, and what cancels it."""

MKT_DATA: Final = "mktData"
SNAPSHOT: Final = "snapshot"
MKT_DEPTH: Final = "mktDepth"

KEEP: Final = 5000
"""How many tickers are kept; beyond it the oldest that nothing fills and nobody listens to are forgotten."""


class Feed:
    """What flows into one ticker.

    ``streams`` holds the ids of its requests by kind: mktData, snapshot, mktDepth, or a tick-by-tick type.
    Of each kind but snapshots there is one, followed by what the broker had it rerouted to.
    """

    __slots__ = (
        "__weakref__", "changed", "dom_ticks", "fields", "key", "market", "streams", "tick_by_ticks", "ticker", "ticks",
    )  # fmt: skip

    def __init__(self, ticker: Ticker, market: Market) -> None:
        self.ticker = ticker
        self.market = market
        self.fields = stored(ticker)
        """Where the ticker keeps its fields; for lists this is faster than by way of the ticker."""
        self.key: Hashable = None
        """What its contract is looked up by."""
        self.streams: dict[str, list[int]] = {}
        self.ticks: list[TickData] = []
        self.tick_by_ticks: list[TickByTick] = []
        self.dom_ticks: list[MktDepthData] = []
        self.changed = False
        """Whether it has something to tell at the end of the batch."""

    @property
    def contract(self) -> Contract:
        """What the ticker is about."""
        return cast(Contract, self.ticker.contract)  # our tickers always have one

    def kind(self, req_id: int) -> str:
        """Return the kind of a request, '' for one that does not fill this ticker."""
        return next((kind for kind, ids in self.streams.items() if req_id in ids), "")

    def touch(self) -> None:
        """Note that there is something to tell at the end of the batch."""
        if not self.changed:
            self.changed = True
            self.market.changed.append(self)

    def add(self, tick_type: int, price: float, size: float) -> None:
        """Add a tick to those of the batch, unless it says nothing."""
        if price or size:
            self.ticks.append(TickData(self.market.time, tick_type, price, size))
        if not self.changed:
            self.touch()

    def empty_book(self) -> None:
        """Empty the order book without telling."""
        ticker = self.ticker
        for levels in (ticker.domBids, ticker.domAsks, ticker.domBidsDict, ticker.domAsksDict):
            levels.clear()


class Moments(dict[int, datetime]):
    """Times by their epoch seconds; all ticks of a second share theirs."""

    MOST: Final = 4

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self.zone = zone

    def __missing__(self, seconds: int) -> datetime:
        if len(self) >= self.MOST:
            self.clear()
        self[seconds] = found = datetime.fromtimestamp(seconds, self.zone)
        return found


class Market:
    """All tickers, and the batch in progress."""

    def __init__(self) -> None:
        self.feeds: dict[int, Feed] = {}
        """By request id."""
        self.by_text: dict[bytes, Feed] = {}
        """The same, by the id as text has it: ticks are found without reading a number."""
        self.time: datetime = EPOCH
        """When the present batch was read."""
        self.moments: Moments = Moments(UTC)
        """The times of tick-by-tick data."""
        self.by_object: dict[int, Feed] = {}
        """By id of the contract object, which the ticker keeps alive; in order of creation."""
        self.by_key: dict[Hashable, list[Feed]] = {}
        """The same, by what equal contracts have in common."""
        self.changed: list[Feed] = []
        """What the batch in progress touched."""
        self.shown: list[Feed] = []
        """Whose ticks of the last batch are on their tickers."""
        self.undelivered: Iterator[Ticker] = iter(())
        """Tickers of the sealed batch whose listeners have not been told yet."""
        self.delivering: Ticker | None = None
        """The ticker whose listeners are being told."""
        self.batch: set[Ticker] | None = None
        """The sealed batch, until pendingTickersEvent has told of it."""
        self.unknown_ticks: Counter[int] = Counter()
        """Tick types that nobody knows, and how often they came."""
        self.stray_ticks: int = 0
        """Ticks of requests that are over."""
        self.rerouted: dict[int, int] = {}
        """Requests for the underlying that the broker had us make, and which request each one answers."""
        self.busy: int = 0
        """How many tickers were left when the idle ones were forgotten last."""
        self.misplaced_rows: int = 0
        """Rows of market depth for a level that did not exist."""

    def reset(self) -> None:
        """Forget all tickers; iterations over their events end."""
        self.end_subscriptions()
        self.by_object.clear()
        self.by_key.clear()
        self.changed.clear()
        self.shown.clear()
        self.undelivered = iter(())
        self.batch = None

    def end_subscriptions(self) -> None:
        """Forget all requests; the tickers stay readable, iterations over their events end."""
        self.feeds.clear()
        self.by_text.clear()
        self.rerouted.clear()
        for feed in list(self.by_object.values()):
            feed.streams.clear()
            if (event := _event(feed.ticker)) is not None:
                event.set_done()

    def forget_connection(self) -> None:
        """Do nothing: what is subscribed is asked for again on the next connection, under the same ids."""

    # -- which ticker --------------------------------------------------------------------------------

    def find(self, contract: Contract) -> Feed | None:
        """Return the feed of a contract, None when there is none.

        A contract without an exchange, such as those of positions, finds the ticker of any exchange.
        """
        return self._of(contract) or self._of(contract, any_exchange=True)

    def feed(self, contract: Contract, defaults: IBDefaults) -> Feed:
        """Return the feed that a request for ``contract`` fills; ``keep`` keeps a new one."""
        self.changed_contract(contract)
        feed = self._of(contract)
        if feed is None or ((event := _event(feed.ticker)) is not None and event.done()):
            return Feed(_ticker(contract, defaults), self)
        return feed

    def _of(self, contract: Contract, any_exchange: bool = False) -> Feed | None:
        feed = self.by_object.get(id(contract))
        if feed is not None:
            return feed
        for feed in tuple(self.by_key.get(_key(contract), ())):  # a copy: another thread may look while one asks
            if _same(feed.contract, contract, any_exchange):
                return feed
        return None

    def keep(self, feed: Feed, kind: str, req_id: int) -> None:
        """Have the answers to a request fill ``feed``."""
        if id(feed.contract) not in self.by_object:
            self.by_object[id(feed.contract)] = feed
            self._index(feed)
        feed.streams.setdefault(kind, []).append(req_id)
        self.feeds[req_id] = self.by_text[b"%d" % req_id] = feed
        if len(self.by_object) > max(KEEP, self.busy + KEEP // 10):
            self._prune()

    def drop(self, req_id: int) -> None:
        """Have the answers to a request fill nothing any more; harmless when it is over already."""
        feed = self.feeds.pop(req_id, None)
        self.by_text.pop(b"%d" % req_id, None)
        self.rerouted.pop(req_id, None)
        if feed is not None and (kind := feed.kind(req_id)):
            feed.streams[kind].remove(req_id)
            if not feed.streams[kind]:
                del feed.streams[kind]

    def _prune(self) -> None:
        excess = len(self.by_object) - KEEP
        idle = [
            key
            for key, feed in self.by_object.items()
            if not (feed.streams or feed.changed or ((event := _event(feed.ticker)) is not None and len(event)))
        ]
        for key in idle[:excess]:
            self._unindex(self.by_object.pop(key))
        self.busy = len(self.by_object)  # not to look through all that is in use each time one is added

    def changed_contract(self, contract: Contract) -> None:
        """Take note that a contract object, which may have a ticker, may have other values now: it was qualified."""
        feed = self.by_object.get(id(contract))
        if feed is not None and feed.key != _key(contract):
            self._unindex(feed)
            self._index(feed)

    def _index(self, feed: Feed) -> None:
        feed.key = _key(feed.contract)
        self.by_key.setdefault(feed.key, []).append(feed)

    def _unindex(self, feed: Feed) -> None:
        others = self.by_key[feed.key]
        others.remove(feed)
        if not others:
            del self.by_key[feed.key]

    # -- the batch -----------------------------------------------------------------------------------

    def begin(self, time: datetime) -> None:
        """Take note of when a batch was read, and in which time zone times are to be told."""
        self.time = time
        if time.tzinfo is not self.moments.zone and time.tzinfo is not None:
            self.moments = Moments(time.tzinfo)

    def unknown(self, tick_type: int) -> None:
        """Count a tick type that nobody knows, and tell the first time."""
        self.unknown_ticks[tick_type] += 1
        if self.unknown_ticks[tick_type] == 1:
            logger.info("unknown tick type %d: its ticks are in ticker.ticks alone", tick_type)


def _ticker(contract: Contract, defaults: IBDefaults) -> Ticker:
    """Make a ticker whose most changing fields lie where those of all others do.

    Python then finds them in the same place without looking them up, which saves half of what a tick costs. With the
    contract and the defaults there are 21: of one more, the dict would take twice the memory.
    """
    ticker = Ticker(contract=contract, defaults=defaults)
    set_stored(ticker, {**{name: getattr(ticker, name) for name in _BUSY}, **stored(ticker)})
    return ticker


_BUSY: Final = (
    "ticks", "time", "timestamp",
    "bid", "bidSize", "prevBid", "prevBidSize", "bidAttrib",
    "ask", "askSize", "prevAsk", "prevAskSize", "askAttrib",
    "last", "lastSize", "prevLast", "prevLastSize", "lastAttrib",
)  # fmt: skip
_KEPT_EVENT: Final = "_updateEvent"


def _event(ticker: Ticker) -> Event | None:
    """Return the event of a ticker, if anybody ever asked for it."""
    return made(ticker, "updateEvent")


def _key(contract: Contract) -> Hashable:
    """Return what contracts that share a ticker have in common, and few others."""
    if contract.isHashable():
        return contract.conId
    return (
        contract.secType, contract.symbol, contract.localSymbol, contract.lastTradeDateOrContractMonth, contract.strike,
        contract.right, contract.exchange, contract.currency, contract.secId,
    )  # fmt: skip


def _same(a: Contract, b: Contract, any_exchange: bool) -> bool:
    """Tell whether two contracts share a ticker."""
    if a.conId != b.conId:
        return False
    if a.isHashable():
        # A continuous future has the conId of the future that it stands for at present.
        return (a.secType == "CONTFUT") == (b.secType == "CONTFUT") and (
            a.exchange == b.exchange or (any_exchange and not (a.exchange and b.exchange))
        )
    return a.symbol == b.symbol and dataclassAsTuple(a) == dataclassAsTuple(b)


def seal(engine: Engine) -> None:
    """Close the batch in progress: show its ticks on the tickers, and no others."""
    market = engine.state.market
    if market.delivering is not None and (event := _event(market.delivering)) is not None:
        event.hurry()
    engine.events.pendingTickersEvent.hurry()
    deliver(engine)  # the rest of a batch whose handler has waited for this one
    feeds, market.changed = market.changed, []
    for feed in market.shown:
        if not feed.changed:
            fields = feed.fields
            fields["ticks"] = []
            if fields.get("tickByTicks"):
                fields["tickByTicks"] = []
            if fields.get("domTicks"):
                fields["domTicks"] = []
    time, wall = market.time, engine.wall
    for feed in feeds:
        feed.changed = False
        fields = feed.fields
        fields["time"] = time
        fields["timestamp"] = wall
        fields["ticks"], feed.ticks = feed.ticks, []
        if feed.tick_by_ticks or fields.get("tickByTicks"):
            fields["tickByTicks"], feed.tick_by_ticks = feed.tick_by_ticks, []
        if feed.dom_ticks:
            ticker = feed.ticker
            ticker.domBidsDict = dict(enumerate(ticker.domBids))
            ticker.domAsksDict = dict(enumerate(ticker.domAsks))
        if feed.dom_ticks or fields.get("domTicks"):
            fields["domTicks"], feed.dom_ticks = feed.dom_ticks, []
    market.shown = feeds
    if feeds:
        tickers = [feed.ticker for feed in feeds]
        market.undelivered = iter(tickers)
        market.batch = set(tickers)


def deliver(engine: Engine) -> None:
    """Tell what the sealed batch changed: each ticker's updateEvent, then pendingTickersEvent."""
    market = engine.state.market
    for ticker in market.undelivered:  # an iterator: who comes in between goes on where we are
        event = getattr(ticker, _KEPT_EVENT)  # as _event does, but at a quarter of the cost
        if event is not None:
            market.delivering = ticker
            event.emit(ticker)
    market.delivering = None
    if market.batch is not None:
        batch, market.batch = market.batch, None
        engine.events.pendingTickersEvent.emit(batch)


# -- requests ------------------------------------------------------------------------------------------------


def open_stream(engine: Engine, contract: Contract, kind: str, make: StreamMaker) -> tuple[Feed, Subscription]:
    """Begin to fill the ticker of ``contract``; a stream of the same kind that fills it already is cancelled.

    Snapshots are streams that end by themselves; any number of them may be under way.
    """
    market = engine.state.market
    feed = market.feed(contract, engine.settings.defaults)
    if kind != SNAPSHOT:
        close_stream(engine, feed, kind)
    req_id = engine.next_id()
    return feed, _begin(engine, feed, kind, req_id, *make(req_id))


def _begin(
    engine: Engine, feed: Feed, kind: str, req_id: int, start: m.Request, cancel: m.Request | None
) -> Subscription:
    market = engine.state.market

    def on_error(engine: Engine, error: RequestError) -> None:
        if (asked := market.rerouted.get(req_id)) is not None:
            engine.calls.fail(asked, error)
        market.drop(req_id)
        if not feed.streams:
            interrupt(feed.ticker, "updateEvent", error)

    subscription = Subscription(req_id, kind, feed.ticker, start, cancel, on_error, contract=feed.contract)
    if kind == MKT_DEPTH:
        subscription.on_restart = feed.empty_book
    engine.subscribe(subscription)
    market.keep(feed, kind, req_id)
    return subscription


def close_stream(engine: Engine, feed: Feed, kind: str) -> bool:
    """Cancel the stream of a kind; False when there is none. Snapshots that somebody waits for go on."""
    ids = [req_id for req_id in feed.streams.get(kind, ()) if not engine.calls.waiting(req_id)]
    if ids and kind == MKT_DEPTH:
        feed.empty_book()
    for req_id in ids:
        engine.state.market.drop(req_id)
        engine.unsubscribe(req_id)
    return bool(ids)


def snapshot(engine: Engine, contract: Contract, regulatory: bool, timeout: float) -> tuple[Ticker, Call[object]]:
    """Ask for the present state of a contract's market; return the ticker it fills, and the call for when it has."""
    market = engine.state.market
    feed = market.feed(contract, engine.settings.defaults)
    req_id = engine.next_id()
    call: Call[object] = engine.ask(
        m.ReqMktData(req_id, contract, "", True, regulatory, []),
        key=req_id,
        name=f"reqTickers({contract})",
        contract=contract,
        cancel=m.CancelMktData(req_id),
        timeout=timeout,
    )
    market.keep(feed, SNAPSHOT, req_id)
    call.add_done_callback(lambda _: market.drop(req_id))
    return feed.ticker, call


def set_data_type(engine: Engine, market_data_type: int) -> None:
    """Ask for live, frozen, delayed or delayed-frozen data, now and after every reconnect."""
    subscriptions = engine.state.subscriptions
    first = Subscription(0, "marketDataType", None, m.ReqMarketDataType(market_data_type))
    engine.subscribe(first)
    others = [each for req_id, each in subscriptions.items() if req_id]
    subscriptions.clear()  # it has to come before the requests it is meant for
    subscriptions.update({each.req_id: each for each in (first, *others)})


# -- reducers ------------------------------------------------------------------------------------------------


def market_data_type(engine: Engine, msg: m.MarketDataType) -> None:
    feed = engine.state.market.feeds.get(msg.reqId)
    if feed is not None:
        feed.ticker.marketDataType = msg.marketDataType


def tick_req_params(engine: Engine, msg: m.TickReqParams) -> None:
    feed = engine.state.market.feeds.get(msg.tickerId)
    if feed is not None:
        ticker = feed.ticker
        if msg.minTick != UNSET_DOUBLE:
            ticker.minTick = msg.minTick
        if not is_unset(msg.lastPricePrecision):
            ticker.lastPricePrecision = msg.lastPricePrecision
        if not is_unset(msg.lastSizePrecision):
            ticker.lastSizePrecision = msg.lastSizePrecision
        ticker.bboExchange = msg.bboExchange
        ticker.snapshotPermissions = msg.snapshotPermissions


def tick_snapshot_end(engine: Engine, msg: m.TickSnapshotEnd) -> None:
    market = engine.state.market
    asked = market.rerouted.get(msg.reqId)
    for req_id in (msg.reqId, asked):
        if req_id is not None:
            market.drop(req_id)
            engine.state.subscriptions.pop(req_id, None)
            engine.calls.finish(req_id)


def delta_neutral_validation(engine: Engine, msg: m.DeltaNeutralValidation) -> None:
    """Put the delta and price that the broker has locked for a combo into its contract."""
    feed = engine.state.market.feeds.get(msg.reqId)
    if feed is not None:
        feed.contract.deltaNeutralContract = msg.deltaNeutralContract


def reroute_mkt_data(engine: Engine, msg: m.RerouteMktDataReq) -> None:
    _reroute(engine, msg.reqId, Contract(conId=msg.conId, exchange=msg.exchange))


def reroute_mkt_depth(engine: Engine, msg: m.RerouteMktDepthReq) -> None:
    _reroute(engine, msg.reqId, Contract(conId=msg.conId, exchange=msg.exchange))


def _reroute(engine: Engine, req_id: int, underlying: Contract) -> None:
    """Fill the ticker of a CFD from its underlying, as the broker wants it.

    The first request stays: should the broker answer it too, both fill the ticker, and both are cancelled
    together.
    """
    market = engine.state.market
    feed = market.feeds.get(req_id)
    if feed is None or req_id in market.rerouted.values():
        return
    kind = feed.kind(req_id)
    new_id = engine.next_id()
    asked = engine.state.subscriptions.get(req_id)
    start: m.Request = m.ReqMktData(new_id, underlying, "", True, False, [])
    if asked is not None and isinstance(asked.start, m.ReqMktData | m.ReqMktDepth):
        start = asked.start._replace(reqId=new_id, contract=underlying)
    cancel: m.Request = m.CancelMktData(new_id)
    if isinstance(start, m.ReqMktDepth):
        cancel = m.CancelMktDepth(new_id, start.isSmartDepth)
    market.rerouted[new_id] = req_id
    subscription = _begin(engine, feed, kind, new_id, start, cancel)
    if asked is not None:
        subscription.on_notice = asked.on_notice


REDUCERS: Reducers = {
    m.MarketDataType: market_data_type,
    m.TickReqParams: tick_req_params,
    m.TickSnapshotEnd: tick_snapshot_end,
    m.DeltaNeutralValidation: delta_neutral_validation,
    m.RerouteMktDataReq: reroute_mkt_data,
    m.RerouteMktDepthReq: reroute_mkt_depth,
}
