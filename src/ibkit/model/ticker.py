"""The live state of a contract's market, and bars made from its ticks.

Must not know who fills it in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from ibkit.events import Event, LazyEvent
from ibkit.model.bars import Bar, BarList
from ibkit.model.base import SparseRecord, dataclassRepr
from ibkit.model.contract import Contract
from ibkit.model.objects import (
    Dividends,
    DOMLevel,
    EfpData,
    FundamentalRatios,
    IBDefaults,
    MktDepthData,
    OptionComputation,
    TickAttrib,
    TickByTickAllLast,
    TickByTickBidAsk,
    TickByTickMidPoint,
    TickData,
)
from ibkit.model.records import field, fields_of, record, stored
from ibkit.model.values import is_unset, nan
from ibkit.operators import Op

# Tick types of a last trade, of a bid and of an ask, live and delayed (48 and 77: RTVolume).
LAST_TICKS = frozenset({4, 5, 48, 68, 71, 77})
BID_TICKS = frozenset({0, 1, 66, 69})
ASK_TICKS = frozenset({2, 3, 67, 70})

_DEFAULTS = IBDefaults()  # shared by all tickers that are not told otherwise


MOST_MISSED = 10_000
"""How many ticks of each kind a listener that does not return is owed at most, for each ticker; the oldest go."""


_Lists: TypeAlias = tuple[list[Any], list[Any], list[Any]]  # Any: of ticks, tickByTicks and domTicks


class TickWindows(Event):
    """An event about tickers, for listeners that wait inside: when such a one is told of what it missed, the lists of
    the ticker (``ticks``, ``tickByTicks``, ``domTicks``) hold all ticks since it was last told, not the last batch."""

    __slots__ = ("_replaced", "_windows")

    def __init__(self, name: str = "", _with_error_done_events: bool = True, *, changed: bool = False) -> None:
        super().__init__(name, _with_error_done_events, changed=changed)
        self._windows: dict[object, dict[Ticker, _Lists]] = {}
        self._replaced: dict[Ticker, tuple[_Lists, _Lists]] = {}  # what is shown now, and what belongs there

    def _keep(self, slot: Any, args: tuple[Any, ...]) -> None:  # Any: as in Event
        super()._keep(slot, args)
        windows = self._windows.setdefault(slot, {})
        tickers: Iterable[Ticker] = args[0] if isinstance(args[0], set) else args
        for ticker in tickers:
            for missed, ticks in zip(windows.setdefault(ticker, ([], [], [])), ticker._lists(), strict=True):
                missed += ticks
                if len(missed) > MOST_MISSED:
                    del missed[:-MOST_MISSED]

    def _missed(self, slot: Any) -> tuple[Any, ...]:  # Any: as in Event
        for ticker, window in self._windows.pop(slot, {}).items():
            self._replaced[ticker] = (window, ticker._lists())
            ticker.ticks, ticker.tickByTicks, ticker.domTicks = window
        return super()._missed(slot)

    def _caught_up(self) -> None:
        replaced, self._replaced = self._replaced, {}
        for ticker, (window, lists) in replaced.items():
            if ticker.ticks is window[0]:  # else another batch is shown by now
                ticker.ticks, ticker.tickByTicks, ticker.domTicks = lists

    def __setstate__(self, state: tuple[str, bool, bool]) -> None:
        super().__setstate__(state)
        self._windows = {}
        self._replaced = {}


class PendingTickersEvent(TickWindows):
    """Emits (set of tickers) when they changed."""

    __slots__ = ()


class TickerUpdateEvent(TickWindows):
    """Emits (ticker) when it changed; its methods make streams of (time, price, size) and bars of it."""

    __slots__ = ()

    def trades(self) -> Tickfilter:
        """Return the stream of last trades."""
        return Tickfilter(LAST_TICKS, self)

    def bids(self) -> Tickfilter:
        """Return the stream of bids."""
        return Tickfilter(BID_TICKS, self)

    def asks(self) -> Tickfilter:
        """Return the stream of asks."""
        return Tickfilter(ASK_TICKS, self)

    def bidasks(self) -> Tickfilter:
        """Return the stream of bids and asks."""
        return Tickfilter(BID_TICKS | ASK_TICKS, self)

    def midpoints(self) -> Midpoints:
        """Return the stream of midpoints; their size is 0."""
        return Midpoints((), self)


@record
class Ticker(SparseRecord):
    """The latest values of everything that is subscribed for one contract, and the ticks of the last batch.

    Numbers are NaN until told (or ``defaults.unset``); a price of -1 means there is no quote. ``time``
    is when the last batch came in (aware, UTC). ``ticks``, ``tickByTicks`` and ``domTicks`` hold the
    last batch only; ``domBids`` and ``domAsks`` are the order book, best level first. ``marketDataType``
    1 live, 2 frozen, 3 delayed, 4 delayed-frozen. Two tickers are equal only when they are the same
    object. Event: updateEvent(ticker).
    """

    contract: Contract | None = None
    time: datetime | None = None
    marketDataType: int = 1
    minTick: float = nan
    bid: float = nan
    bidSize: float = nan
    bidExchange: str = ""
    ask: float = nan
    askSize: float = nan
    askExchange: str = ""
    last: float = nan
    lastSize: float = nan
    lastExchange: str = ""
    prevBid: float = nan
    prevBidSize: float = nan
    prevAsk: float = nan
    prevAskSize: float = nan
    prevLast: float = nan
    prevLastSize: float = nan
    volume: float = nan
    open: float = nan
    high: float = nan
    low: float = nan
    close: float = nan
    vwap: float = nan
    low13week: float = nan
    high13week: float = nan
    low26week: float = nan
    high26week: float = nan
    low52week: float = nan
    high52week: float = nan
    bidYield: float = nan
    askYield: float = nan
    lastYield: float = nan
    markPrice: float = nan
    halted: float = nan
    rtHistVolatility: float = nan
    rtVolume: float = nan
    rtTradeVolume: float = nan
    rtTime: datetime | None = None
    avVolume: float = nan
    tradeCount: float = nan
    tradeRate: float = nan
    volumeRate: float = nan
    shortableShares: float = nan
    indexFuturePremium: float = nan
    futuresOpenInterest: float = nan
    putOpenInterest: float = nan
    callOpenInterest: float = nan
    putVolume: float = nan
    callVolume: float = nan
    avOptionVolume: float = nan
    histVolatility: float = nan
    impliedVolatility: float = nan
    dividends: Dividends | None = None
    fundamentalRatios: FundamentalRatios | None = None
    ticks: list[TickData] = field(default_factory=list)
    tickByTicks: list[TickByTickAllLast | TickByTickBidAsk | TickByTickMidPoint] = field(default_factory=list)
    domBids: list[DOMLevel] = field(default_factory=list)
    domAsks: list[DOMLevel] = field(default_factory=list)
    domTicks: list[MktDepthData] = field(default_factory=list)
    bidGreeks: OptionComputation | None = None
    askGreeks: OptionComputation | None = None
    lastGreeks: OptionComputation | None = None
    modelGreeks: OptionComputation | None = None
    auctionVolume: float = nan
    auctionPrice: float = nan
    auctionImbalance: float = nan
    regulatoryImbalance: float = nan
    bboExchange: str = ""
    snapshotPermissions: int = 0
    # What ib_async added.
    timestamp: float | None = None
    lastTimestamp: datetime | None = None
    volumeRate3Min: float = nan
    volumeRate5Min: float = nan
    volumeRate10Min: float = nan
    shortable: float = nan
    openInterest: float = nan
    lastRthTrade: float = nan
    lastRegTime: str = ""
    optionBidExch: str = ""
    optionAskExch: str = ""
    bondFactorMultiplier: float = nan
    creditmanMarkPrice: float = nan
    creditmanSlowMarkPrice: float = nan
    delayedLastTimestamp: datetime | None = None
    delayedHalted: float = nan
    reutersMutualFunds: str = ""
    etfNavClose: float = nan
    etfNavPriorClose: float = nan
    etfNavBid: float = nan
    etfNavAsk: float = nan
    etfNavLast: float = nan
    etfFrozenNavLast: float = nan
    etfNavHigh: float = nan
    etfNavLow: float = nan
    socialMarketAnalytics: str = ""
    estimatedIpoMidpoint: float = nan
    finalIpoLast: float = nan
    domBidsDict: dict[int, DOMLevel] = field(default_factory=dict)
    domAsksDict: dict[int, DOMLevel] = field(default_factory=dict)
    custGreeks: OptionComputation | None = None
    bidEfp: EfpData | None = None
    askEfp: EfpData | None = None
    lastEfp: EfpData | None = None
    openEfp: EfpData | None = None
    highEfp: EfpData | None = None
    lowEfp: EfpData | None = None
    closeEfp: EfpData | None = None
    defaults: IBDefaults = field(default_factory=lambda: _DEFAULTS)
    created: bool = False
    # What the protocol gained since (server version 225: odd lots; flags of price ticks).
    oddLotBid: float = nan
    oddLotBidSize: float = nan
    oddLotAsk: float = nan
    oddLotAskSize: float = nan
    oddLotBidExchange: str = ""
    oddLotAskExchange: str = ""
    bidAttrib: TickAttrib | None = None
    askAttrib: TickAttrib | None = None
    lastAttrib: TickAttrib | None = None
    lastPricePrecision: float = nan
    lastSizePrecision: float = nan

    updateEvent = LazyEvent(TickerUpdateEvent, changed=True)

    events: ClassVar[tuple[str, ...]] = ("updateEvent",)

    def __post_init__(self) -> None:
        unset = self.defaults.unset
        if unset is None or unset == unset:  # NaN is what the fields have already
            kept = stored(self)
            for name in _NUMBERS:
                kept.setdefault(name, unset)

    def __eq__(self, other: object) -> bool:
        return self is other

    # pyright reads the base class as one without hash and with methods of its own
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]
    __repr__ = dataclassRepr  # pyright: ignore[reportAssignmentType]
    __str__ = dataclassRepr  # pyright: ignore[reportAssignmentType]

    def _lists(self) -> _Lists:
        return self.ticks, self.tickByTicks, self.domTicks

    def isUnset(self, value: float | None) -> bool:
        """Tell whether ``value`` stands for "not told"."""
        return is_unset(value) or value == self.defaults.unset

    def hasBidAsk(self) -> bool:
        """Tell whether there are a valid bid and a valid ask."""
        return self._valid(self.bid, self.bidSize) and self._valid(self.ask, self.askSize)

    def _valid(self, price: float, size: float) -> bool:
        return not (price == -1 or self.isUnset(price) or self.isUnset(size)) and size > 0

    def midpoint(self) -> float:
        """Return the mean of bid and ask, or NaN when one of them is missing."""
        return (self.bid + self.ask) * 0.5 if self.hasBidAsk() else nan

    def marketPrice(self) -> float:
        """Return the last price when it is within bid and ask, or when these are missing.

        Else the midpoint.
        """
        if not self.hasBidAsk():
            return self.last
        within = not self.isUnset(self.last) and self.bid <= self.last <= self.ask
        return self.last if within else self.midpoint()


_NUMBERS = [name for name, default in fields_of(Ticker).items() if default is nan]


class Tickfilter(Op):
    """A stream of (time, price, size) of the chosen tick types."""

    def __init__(self, tickTypes: Iterable[int], source: Event | None = None) -> None:
        self._tick_types = frozenset(tickTypes)
        super().__init__(source)

    def on_source(self, ticker: Ticker) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for tick in ticker.ticks:
            if tick.tickType in self._tick_types:
                self.emit(tick.time, tick.price, tick.size)

    def timebars(self, timer: Event) -> TimeBars:
        """Return bars that end with each emission of ``timer`` (a datetime), such as ``Event.timerange``."""
        return TimeBars(timer, self)

    def tickbars(self, count: int) -> TickBars:
        """Return bars of ``count`` ticks each."""
        return TickBars(count, self)

    def volumebars(self, volume: float) -> VolumeBars:
        """Return bars of (at least) ``volume`` traded each."""
        return VolumeBars(volume, self)


class Midpoints(Tickfilter):
    """A stream of (time, midpoint, 0), one for each update that has ticks."""

    def on_source(self, ticker: Ticker) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if ticker.ticks:
            self.emit(ticker.time, ticker.midpoint(), 0)


def _add(bar: Bar, price: float, size: float) -> None:
    """Take one tick into a bar."""
    if bar.open != bar.open:
        bar.open = bar.high = bar.low = price
    bar.high = max(bar.high, price)
    bar.low = min(bar.low, price)
    bar.close = price
    bar.volume += size
    bar.count += 1


class TimeBars(Op):
    """Bars by the clock: emits each Bar when it is finished.

    ``bars`` holds all bars and the one being built; ``bars.updateEvent`` emits (bars, hasNewBar). A bar
    without ticks takes the previous close. Ticks before the first emission of the timer belong to no
    bar.
    """

    bars: BarList

    def __init__(self, timer: Event, source: Event | None = None) -> None:
        self.bars = BarList()
        self._timer = timer
        super().__init__(source)
        timer.connect(self._on_timer, None, self._on_timer_done, keep_ref=True)

    def on_source(self, time: datetime, price: float, size: float) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self.bars:
            return
        _add(self.bars[-1], price, size)
        self.bars.updateEvent.emit(self.bars, False)

    def _on_timer(self, time: datetime) -> None:
        if self.bars:
            bar = self.bars[-1]
            if bar.close != bar.close and len(self.bars) > 1:
                bar.open = bar.high = bar.low = bar.close = self.bars[-2].close
            self.bars.updateEvent.emit(self.bars, True)
            self.emit(bar)
        self.bars.append(Bar(time))

    def _on_timer_done(self, timer: Event) -> None:
        self.set_done()


class TickBars(Op):
    """Bars of a number of ticks.

    Emits the BarList when a bar is full, as does ``bars.updateEvent`` (bars, True).
    """

    bars: BarList

    def __init__(self, count: int, source: Event | None = None) -> None:
        self.bars = BarList()
        self._count = count
        super().__init__(source)

    def on_source(self, time: datetime, price: float, size: float) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self.bars or self.bars[-1].count >= self._count:
            self.bars.append(Bar(time))
        bar = self.bars[-1]
        _add(bar, price, size)
        if bar.count >= self._count:
            self.bars.updateEvent.emit(self.bars, True)
            self.emit(self.bars)


class VolumeBars(Op):
    """Bars of a traded volume.

    Emits the BarList when a bar is full, as does ``bars.updateEvent`` (bars, True).
    """

    bars: BarList

    def __init__(self, volume: float, source: Event | None = None) -> None:
        self.bars = BarList()
        self._volume = volume
        super().__init__(source)

    def on_source(self, time: datetime, price: float, size: float) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self.bars or self.bars[-1].volume >= self._volume:
            self.bars.append(Bar(time))
        bar = self.bars[-1]
        _add(bar, price, size)
        if bar.volume >= self._volume:
            self.bars.updateEvent.emit(self.bars, True)
            self.emit(self.bars)
