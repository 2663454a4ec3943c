"""Market data requests: quotes, snapshots, tick by tick, order books.

Must not know what the data does to a ticker; ``engine.market`` and its neighbours do.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ibkit.engine import depth, market
from ibkit.engine.call import Call, gather
from ibkit.engine.core import Engine
from ibkit.engine.ticktypes import TICK_BY_TICK
from ibkit.errors import InvalidRequest
from ibkit.model import Contract, TagValue, Ticker
from ibkit.requests.base import Requests
from ibkit.requests.lenient import or_else
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")


def _mkt_data(
    engine: Engine,
    contract: Contract,
    generic_ticks: str,
    snapshot: bool,
    regulatory: bool,
    options: list[TagValue],
) -> Ticker:
    def make(req_id: int) -> tuple[m.Request, m.Request]:
        start = m.ReqMktData(req_id, contract, generic_ticks, snapshot, regulatory, options)
        return start, m.CancelMktData(req_id)

    kind = market.SNAPSHOT if snapshot or regulatory else market.MKT_DATA
    feed, _ = market.open_stream(engine, contract, kind, make)
    return feed.ticker


def _tick_by_tick(
    engine: Engine, contract: Contract, tick_type: str, number_of_ticks: int, ignore_size: bool
) -> Ticker:
    def make(req_id: int) -> tuple[m.Request, m.Request]:
        start = m.ReqTickByTickData(req_id, contract, tick_type, number_of_ticks, ignore_size)
        return start, m.CancelTickByTickData(req_id)

    feed, _ = market.open_stream(engine, contract, tick_type, make)
    return feed.ticker


def _tickers(engine: Engine, contracts: Sequence[Contract], regulatory: bool) -> Call[list[Ticker]]:
    timeout = engine.settings.SnapshotTimeout

    def fill(contract: Contract) -> Call[Ticker]:
        ticker, call = market.snapshot(engine, contract, regulatory, timeout)
        return or_else(engine, call, None).map(lambda _: ticker)

    return gather((fill(contract) for contract in contracts), f"reqTickers of {len(contracts)} contracts")


def _close(engine: Engine, contract: Contract, *kinds: str) -> bool:
    feed = engine.state.market.find(contract)
    return feed is not None and sum(market.close_stream(engine, feed, kind) for kind in kinds) > 0


class MarketRequests(Requests):
    """Market data: see the single methods."""

    # -- what is known -------------------------------------------------------------------------------

    def ticker(self, contract: Contract) -> Ticker | None:
        """Return the ticker of a contract, None when its data was never asked for.

        It is the ticker of the same contract object, else of an equal contract: with a conId the same
        conId and exchange (a contract without an exchange, such as that of a position, finds any),
        without one the same fields.

        Args:
            contract: the one that was asked for, or an equal one.

        >>> ticker = ib.reqMktData(Forex('EURUSD'))
        >>> ib.ticker(Forex('EURUSD')) is ticker
        True
        """
        feed = self._state.market.find(contract)
        return None if feed is None else feed.ticker

    def tickers(self) -> list[Ticker]:
        """Return all tickers, in the order in which they were first asked for.

        >>> ticker = ib.reqMktData(Forex('EURUSD'))
        >>> ib.tickers() == [ticker]
        True
        """
        return [feed.ticker for feed in tuple(self._state.market.by_object.values())]

    def pendingTickers(self) -> list[Ticker]:
        """Return the tickers that the last batch of messages changed.

        >>> ib.pendingTickers()
        []
        """
        return [feed.ticker for feed in self._state.market.shown]

    # -- quotes --------------------------------------------------------------------------------------

    def reqMktData(
        self,
        contract: Contract,
        genericTickList: str = "",
        snapshot: bool = False,
        regulatorySnapshot: bool = False,
        mktDataOptions: Sequence[TagValue] = (),
    ) -> Ticker:
        """Subscribe to the market data of a contract, or ask for a snapshot of it.

        Args:
            contract: need not be qualified.
            genericTickList: comma-separated ids of additional ticks, such as "233" for each trade or
                "mdoff,292:BZ" for news alone; empty for snapshots.
            snapshot: one set of values instead of a stream; the ticker fills within eleven seconds.
            regulatorySnapshot: a consolidated snapshot of a US stock, for which IB charges USD 0.01.
            mktDataOptions: for IB's own use.

        Returns: the live ticker. It is filled as data comes in, ``ticker.updateEvent`` and
            ``ib.pendingTickersEvent`` tell when. What was not told yet is NaN, a price of -1 says that there is no
            quote; sizes are in shares, contracts, or units of the currency. Asking again for the same contract returns
            the same ticker and replaces the stream that fills it, so that ``cancelMktData`` ends it. Data of a CFD that
            the broker reroutes to the underlying fills the ticker of the CFD.

        Raises InvalidRequest for a snapshot with generic ticks (error 414 of TWS), NotConnected. What the
        broker refuses comes as ``errorEvent``; the ticker then stays as it is. IB's rules ("Market
        Data Lines" of the TWS API documentation): each stream takes one of the account's market data lines (at least
        100), 101 is the refusal of one too many; quotes are sampled, those of US stocks four times a second.

        >>> ticker = ib.reqMktData(Forex('EURUSD'))
        >>> ib.sleep(2)
        True
        >>> ticker.bid < ticker.marketPrice() < ticker.ask
        True
        """
        if genericTickList and (snapshot or regulatorySnapshot):
            raise InvalidRequest(
                f"a snapshot takes no generic ticks, but {genericTickList!r} was given: leave genericTickList "
                "empty, or ask for a stream"
            )
        options = list(mktDataOptions or ())
        return self._do(
            lambda engine: _mkt_data(engine, contract, genericTickList, snapshot, regulatorySnapshot, options)
        )

    def cancelMktData(self, contract: Contract) -> bool:
        """Cancel the market data of a contract.

        Args:
            contract: the one that was subscribed, or an equal one; see ``ticker``.

        Returns: False, with a line in the log, when there is nothing to cancel. The ticker stays, with
            its last values.

        Raises NotConnected.

        >>> ticker = ib.reqMktData(Forex('EURUSD'))
        >>> ib.cancelMktData(ticker.contract)
        True
        """
        done = self._do(lambda engine: _close(engine, contract, market.MKT_DATA, market.SNAPSHOT))
        return done or _nothing("cancelMktData", contract)

    def reqTickers(self, *contracts: Contract, regulatorySnapshot: bool = False) -> list[Ticker]:
        """Get a snapshot of the market data of each contract.

        Args:
            *contracts: need not be qualified.
            regulatorySnapshot: consolidated snapshots of US stocks, for each of which IB charges USD 0.01.

        Returns: the live tickers in the order of the contracts. TWS takes up to eleven seconds when a
            market is quiet; a stream (``reqMktData``) is faster. What was not told is NaN.

        Raises RequestError when the broker refuses one of them, RequestTimeout when it neither answers nor
            refuses within ``SnapshotTimeout``; NotConnected.

        >>> apple, gold = ib.reqTickers(Stock('AAPL', 'SMART', 'USD'), CFD('XAUUSD'))
        >>> apple.hasBidAsk(), gold.hasBidAsk()
        (True, True)
        """
        return self._wait(lambda engine: _tickers(engine, contracts, regulatorySnapshot))

    async def reqTickersAsync(self, *contracts: Contract, regulatorySnapshot: bool = False) -> list[Ticker]:
        """Get a snapshot of the market data of each contract: see ``reqTickers``."""
        return await self._future(lambda engine: _tickers(engine, contracts, regulatorySnapshot))

    def reqMarketDataType(self, marketDataType: int) -> None:
        """Choose the kind of data that later market data requests get.

        Args:
            marketDataType: 1 live, 2 frozen (the last values before the close), 3 delayed, 4 delayed and
                frozen. The broker falls back to what is permitted; ``ticker.marketDataType`` tells.

        Raises InvalidRequest for another number, NotConnected. IB's rule: there is delayed data for ``reqMktData`` and
        historical data alone, and live data is given where it is subscribed.

        >>> ib.reqMarketDataType(3)
        """
        if marketDataType not in (1, 2, 3, 4):
            raise InvalidRequest(
                f"marketDataType is 1 live, 2 frozen, 3 delayed or 4 delayed-frozen; got {marketDataType!r}"
            )
        self._do(lambda engine: market.set_data_type(engine, marketDataType))

    # -- tick by tick --------------------------------------------------------------------------------

    def reqTickByTickData(
        self, contract: Contract, tickType: str, numberOfTicks: int = 0, ignoreSize: bool = False
    ) -> Ticker:
        """Subscribe to every single tick of a contract.

        Args:
            contract: need not be qualified.
            tickType: Last (trades), AllLast (with those that do not count for the last price), BidAsk or
                MidPoint.
            numberOfTicks: how many past ticks to begin with, at most 1000.
            ignoreSize: leave out BidAsk ticks that change nothing but a size.

        Returns: the live ticker; ``ticker.tickByTicks`` holds the ticks of the last batch, with the
            exchange's time, to the second.

        Raises InvalidRequest for another tick type, NotConnected. What the broker refuses comes as ``errorEvent``. IB's
        rule ("Tick-by-Tick Data" of the TWS API documentation): few such subscriptions at a time, and one in fifteen
        seconds for a contract (10190, 10189).

        >>> ticker = ib.reqTickByTickData(Stock('AAPL', 'SMART', 'USD'), 'BidAsk')
        >>> ib.sleep(3)
        True
        >>> tick = ticker.tickByTicks[-1]
        >>> tick.bidPrice < tick.askPrice
        True
        """
        _check_tick_type(tickType)
        return self._do(lambda engine: _tick_by_tick(engine, contract, tickType, numberOfTicks, ignoreSize))

    def cancelTickByTickData(self, contract: Contract, tickType: str) -> bool:
        """Cancel the ticks of a contract.

        Args:
            contract: the one that was subscribed, or an equal one.
            tickType: as it was asked for.

        Returns: False, with a line in the log, when there is nothing to cancel.

        Raises InvalidRequest for an unknown tick type, NotConnected.

        >>> ticker = ib.reqTickByTickData(Stock('AAPL', 'SMART', 'USD'), 'Last')
        >>> ib.cancelTickByTickData(ticker.contract, 'Last')
        True
        """
        _check_tick_type(tickType)
        done = self._do(lambda engine: _close(engine, contract, tickType))
        return done or _nothing(f"cancelTickByTickData, {tickType}", contract)

    # -- order books ---------------------------------------------------------------------------------

    def reqMktDepth(
        self,
        contract: Contract,
        numRows: int = 5,
        isSmartDepth: bool = False,
        mktDepthOptions: Sequence[TagValue] | None = None,
    ) -> Ticker:
        """Subscribe to the order book of a contract.

        Args:
            contract: need not be qualified.
            numRows: how many levels of each side.
            isSmartDepth: the books of all exchanges together.
            mktDepthOptions: for IB's own use.

        Returns: the live ticker; ``ticker.domBids`` and ``ticker.domAsks`` are the levels, best first, with sizes as in
            ``reqMktData``, ``ticker.domTicks`` what changed in the last batch.

        Raises NotConnected. What the broker refuses comes as ``errorEvent``. IB's rule ("Market Depth" of the
        TWS API documentation): three books at a time, more for accounts with more market data lines (309).

        >>> ticker = ib.reqMktDepth(Forex('EURUSD'))
        >>> ib.sleep(2)
        True
        >>> [bid.price for bid in ticker.domBids] == sorted((bid.price for bid in ticker.domBids), reverse=True)
        True
        >>> len(ticker.domBids), len(ticker.domAsks)
        (5, 5)
        """
        options = list(mktDepthOptions or ())
        return self._do(lambda engine: depth.open_book(engine, contract, numRows, isSmartDepth, options))

    def cancelMktDepth(self, contract: Contract, isSmartDepth: bool = False) -> None:
        """Cancel the order book of a contract and empty it.

        Args:
            contract: the one that was subscribed, or an equal one.
            isSmartDepth: not needed, the subscription knows.

        Raises NotConnected.

        >>> ticker = ib.reqMktDepth(Forex('EURUSD'))
        >>> ib.cancelMktDepth(ticker.contract)
        """
        if not self._do(lambda engine: _close(engine, contract, market.MKT_DEPTH)):
            _nothing("cancelMktDepth", contract)


def _check_tick_type(tick_type: str) -> None:
    if tick_type not in TICK_BY_TICK:
        raise InvalidRequest(f"tickType is one of {', '.join(TICK_BY_TICK)}; got {tick_type!r}")


def _nothing(what: str, contract: Contract) -> bool:
    logger.error("%s: nothing is subscribed for %s", what, contract)
    return False
