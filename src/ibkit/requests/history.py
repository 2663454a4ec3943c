"""Requests for historical data, and for bars that keep coming.

Must not know how a request is checked and sent; ``requests.past`` does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime
from functools import partial

from ibkit.model import (
    BarDataList,
    Contract,
    HistogramData,
    HistoricalSchedule,
    RealTimeBarList,
    TagValue,
)
from ibkit.requests import past
from ibkit.requests.base import Requests
from ibkit.requests.past import HistoricalTicks, When

logger = logging.getLogger("ibkit.ib")


class HistoryRequests(Requests):
    """Historical data, and bars that keep coming."""

    # -- bars ----------------------------------------------------------------------------------------

    def reqHistoricalData(
        self,
        contract: Contract,
        endDateTime: When,
        durationStr: str,
        barSizeSetting: str,
        whatToShow: str,
        useRTH: bool,
        formatDate: int = 1,
        keepUpToDate: bool = False,
        chartOptions: Sequence[TagValue] = (),
        timeout: float = past.HISTORY_S,
    ) -> BarDataList:
        """Get historical bars, and with ``keepUpToDate`` the bars from then on.

        Args:
            contract: need not be qualified.
            endDateTime: where the bars end: '' for now, a datetime (naive means local time), a date (its
                end), or a text such as '20240105 15:30:00 US/Eastern' or '20240105-20:30:00' (UTC).
            durationStr: how far back: '60 S', '30 D', '13 W', '6 M', '10 Y'.
            barSizeSetting: 1, 5, 10, 15 or 30 secs; 1 min; 2, 3, 5, 10, 15, 20 or 30 mins; 1 hour; 2, 3, 4
                or 8 hours; 1 day; 1 week; 1 month.
            whatToShow: TRADES, MIDPOINT, BID, ASK, BID_ASK, ADJUSTED_LAST, HISTORICAL_VOLATILITY,
                OPTION_IMPLIED_VOLATILITY, REBATE_RATE, FEE_RATE, YIELD_BID, YIELD_ASK, YIELD_BID_ASK,
                YIELD_LAST or AGGTRADES.
            useRTH: only regular trading hours.
            formatDate: 1 for dates in the zone of the instrument, 2 for UTC.
            keepUpToDate: go on: the list grows, ``bars.updateEvent(bars, hasNewBar)`` and
                ``ib.barUpdateEvent`` tell. The last bar is the one that forms: when ``hasNewBar`` is
                true, ``bars[-2]`` is complete. ``cancelHistoricalData(bars)`` ends it.
            chartOptions: for IB's own use.
            timeout: seconds to wait for the bars, 0 for ever; when not given 60, or ``IB.RequestTimeout`` if that is
                shorter.

        Returns: the bars in the order of time; ``date`` is a date for bars of a day and longer, else an
            aware datetime. ``volume`` is in shares or contracts; -1, like ``barCount``, where nothing is counted.

        Raises InvalidRequest for an argument that TWS would refuse, RequestTimeout (the request is
        cancelled), NoData, NoMarketDataPermission, PacingViolation and other RequestErrors, NotConnected. With
        ``RaiseRequestErrors`` off an error or timeout gives an empty list, as in ib_insync.

        IB's rules ("Historical Data Limitations" of the TWS API documentation): bars of 30 seconds and less can be
        asked for 60 times in ten minutes, five times in two seconds for a contract, and once in 15 seconds for the
        same bars; there are none that are older than six months.

        >>> bars = ib.reqHistoricalData(Forex('EURUSD'), '', '1 D', '15 mins', 'MIDPOINT', useRTH=True)
        >>> bars[0].date < bars[-1].date
        True
        >>> util.df(bars).columns.tolist()
        ['date', 'open', 'high', 'low', 'close', 'volume', 'average', 'barCount']
        """
        return self._wait(
            partial(
                past.historical_data,
                contract=contract,
                end=endDateTime,
                duration=durationStr,
                bar_size=barSizeSetting,
                what_to_show=whatToShow,
                use_rth=useRTH,
                format_date=formatDate,
                keep_up_to_date=keepUpToDate,
                options=list(chartOptions or ()),
                timeout=timeout,
            )
        )

    async def reqHistoricalDataAsync(
        self,
        contract: Contract,
        endDateTime: When,
        durationStr: str,
        barSizeSetting: str,
        whatToShow: str,
        useRTH: bool,
        formatDate: int = 1,
        keepUpToDate: bool = False,
        chartOptions: Sequence[TagValue] = (),
        timeout: float = past.HISTORY_S,
    ) -> BarDataList:
        """Get historical bars: see ``reqHistoricalData``."""
        return await self._future(
            partial(
                past.historical_data,
                contract=contract,
                end=endDateTime,
                duration=durationStr,
                bar_size=barSizeSetting,
                what_to_show=whatToShow,
                use_rth=useRTH,
                format_date=formatDate,
                keep_up_to_date=keepUpToDate,
                options=list(chartOptions or ()),
                timeout=timeout,
            )
        )

    def cancelHistoricalData(self, bars: BarDataList) -> None:
        """Cancel the updates of bars that are kept up to date; the list stays as it is.

        Args:
            bars: what ``reqHistoricalData`` returned. Others are told by a line in the log.

        Raises NotConnected.

        >>> bars = ib.reqHistoricalData(Forex('EURUSD'), '', '1 D', '15 mins', 'MIDPOINT', True, keepUpToDate=True)
        >>> ib.cancelHistoricalData(bars)
        """
        if not self._do(lambda engine: past.cancel_historical_data(engine, bars)):
            logger.error("cancelHistoricalData: these bars of %s are not kept up to date", bars.contract)

    def reqHistoricalSchedule(
        self, contract: Contract, numDays: int, endDateTime: When = "", useRTH: bool = True
    ) -> HistoricalSchedule:
        """Get the trading sessions of past days.

        Args:
            contract: need not be qualified.
            numDays: how many days.
            endDateTime: where they end; '' for now.
            useRTH: only regular trading hours.

        Returns: the sessions, as texts in the zone ``timeZone``.

        Raises UnsupportedField below server version 165, NoData and other RequestErrors, RequestTimeout, NotConnected.

        >>> schedule = ib.reqHistoricalSchedule(Stock('AAPL', 'SMART', 'USD'), 2)
        >>> [session.startDateTime for session in schedule.sessions], schedule.timeZone
        (['20240109-09:30:00', '20240110-09:30:00'], 'US/Eastern')
        """
        return self._wait(lambda engine: past.historical_schedule(engine, contract, numDays, endDateTime, useRTH))

    def reqHistoricalScheduleAsync(
        self, contract: Contract, numDays: int, endDateTime: When = "", useRTH: bool = True
    ) -> Awaitable[HistoricalSchedule]:
        """Get the trading sessions of past days: see ``reqHistoricalSchedule``."""
        return self._future(lambda engine: past.historical_schedule(engine, contract, numDays, endDateTime, useRTH))

    def reqRealTimeBars(
        self,
        contract: Contract,
        barSize: int,
        whatToShow: str,
        useRTH: bool,
        realTimeBarsOptions: Sequence[TagValue] = (),
    ) -> RealTimeBarList:
        """Subscribe to bars of five seconds.

        Args:
            contract: need not be qualified.
            barSize: 5, the only size there is.
            whatToShow: TRADES, MIDPOINT, BID or ASK.
            useRTH: only regular trading hours.
            realTimeBarsOptions: for IB's own use.

        Returns: the live list; ``bars.updateEvent(bars, True)`` and ``ib.barUpdateEvent`` tell of each bar.
            ``time`` is its beginning, in UTC; ``volume`` is in shares or contracts, -1 where nothing is counted.

        Raises InvalidRequest for another ``whatToShow``, NotConnected. What the broker refuses comes as
        ``errorEvent``. Bars that IB takes back (code 10225) are asked for again. IB's rule
        ("Historical Data Limitations" of the TWS API documentation): each stream takes a market data line, and counts
        among the 60 requests for small bars in ten minutes (420).

        >>> bars = ib.reqRealTimeBars(Forex('EURUSD'), 5, 'MIDPOINT', useRTH=False)
        >>> ib.sleep(16)
        True
        >>> [f'{bar.time:%X}' for bar in bars]
        ['15:00:00', '15:00:05', '15:00:10']
        """
        show = past.one_of("whatToShow", whatToShow.upper(), past.REAL_TIME_SHOWS)
        options = list(realTimeBarsOptions or ())
        return self._do(lambda engine: past.real_time_bars(engine, contract, barSize, show, useRTH, options))

    def cancelRealTimeBars(self, bars: RealTimeBarList) -> None:
        """Cancel real-time bars; the list stays as it is.

        Args:
            bars: what ``reqRealTimeBars`` returned. Others are told by a line in the log.

        Raises NotConnected.

        >>> bars = ib.reqRealTimeBars(Forex('EURUSD'), 5, 'MIDPOINT', useRTH=False)
        >>> ib.cancelRealTimeBars(bars)
        """
        if not self._do(lambda engine: past.cancel_real_time_bars(engine, bars)):
            logger.error("cancelRealTimeBars: these bars of %s are not subscribed", bars.contract)

    def realtimeBars(self) -> list[BarDataList | RealTimeBarList]:
        """Return all lists of bars that keep growing.

        >>> bars = ib.reqRealTimeBars(Forex('EURUSD'), 5, 'MIDPOINT', useRTH=False)
        >>> ib.realtimeBars() == [bars]
        True
        """
        history = self._state.history
        kept: list[BarDataList | RealTimeBarList] = [bars for bars in history.bars.values() if bars.keepUpToDate]
        return [*kept, *history.real_time.values()]

    # -- ticks ---------------------------------------------------------------------------------------

    def reqHistoricalTicks(
        self,
        contract: Contract,
        startDateTime: When,
        endDateTime: When,
        numberOfTicks: int,
        whatToShow: str,
        useRth: bool,
        ignoreSize: bool = False,
        miscOptions: Sequence[TagValue] = (),
    ) -> HistoricalTicks:
        """Get past ticks, going forward from a start or back from an end.

        Args:
            contract: need not be qualified.
            startDateTime: where to begin; leave this or the end empty. Forms as in ``reqHistoricalData``.
            endDateTime: where to end.
            numberOfTicks: how many, at most 1000; the last second is always given whole.
            whatToShow: TRADES, MIDPOINT, BID_ASK or AGGTRADES.
            useRth: only regular trading hours.
            ignoreSize: leave out quotes in which nothing but a size has changed.
            miscOptions: for IB's own use.

        Returns: HistoricalTickLast for trades, HistoricalTick for midpoints, HistoricalTickBidAsk for
            quotes.

        Raises InvalidRequest for another ``whatToShow``, or unless one of start and end is given; NoData,
        NoMarketDataPermission, PacingViolation and other RequestErrors, RequestTimeout, NotConnected. IB's rule
        ("Historical Time & Sales" of the TWS API documentation): at most 1000 ticks in one answer.

        >>> start = '20240105 10:00:00 US/Eastern'
        >>> ticks = ib.reqHistoricalTicks(Stock('AAPL', 'SMART', 'USD'), start, '', 100, 'BID_ASK', useRth=True)
        >>> ticks[0].priceBid < ticks[0].priceAsk
        True
        """
        return self._wait(
            past.ticks_of(
                contract, startDateTime, endDateTime, numberOfTicks, whatToShow, useRth, ignoreSize, miscOptions
            )
        )

    def reqHistoricalTicksAsync(
        self,
        contract: Contract,
        startDateTime: When,
        endDateTime: When,
        numberOfTicks: int,
        whatToShow: str,
        useRth: bool,
        ignoreSize: bool = False,
        miscOptions: Sequence[TagValue] = (),
    ) -> Awaitable[HistoricalTicks]:
        """Get past ticks: see ``reqHistoricalTicks``."""
        return self._future(
            past.ticks_of(
                contract, startDateTime, endDateTime, numberOfTicks, whatToShow, useRth, ignoreSize, miscOptions
            )
        )

    # -- the rest ------------------------------------------------------------------------------------

    def reqHeadTimeStamp(self, contract: Contract, whatToShow: str, useRTH: bool, formatDate: int = 1) -> datetime:
        """Get the earliest moment that there is historical data of.

        Args:
            contract: need not be qualified.
            whatToShow: as in ``reqHistoricalData``.
            useRTH: only regular trading hours.
            formatDate: 1 or 2; makes no difference here.

        Returns: an aware datetime in UTC.

        Raises NoData and other RequestErrors, RequestTimeout, NotConnected. IB's rule ("Historical
        Data Limitations" of the TWS API documentation): it counts as a request for small bars.

        >>> ib.reqHeadTimeStamp(Stock('AAPL', 'SMART', 'USD'), 'TRADES', useRTH=True)
        datetime.datetime(2005, 1, 3, 9, 0, tzinfo=datetime.timezone.utc)
        """
        return self._wait(lambda engine: past.head_timestamp(engine, contract, whatToShow, useRTH, formatDate))

    async def reqHeadTimeStampAsync(
        self, contract: Contract, whatToShow: str, useRTH: bool, formatDate: int = 1
    ) -> datetime:
        """Get the earliest moment that there is historical data of: see ``reqHeadTimeStamp``."""
        return await self._future(lambda engine: past.head_timestamp(engine, contract, whatToShow, useRTH, formatDate))

    def reqHistogramData(self, contract: Contract, useRTH: bool, period: str) -> list[HistogramData]:
        """Get how much was traded at each price.

        Args:
            contract: need not be qualified.
            useRTH: only regular trading hours.
            period: how far back, such as '3 days' or '1 week'.

        Returns: prices and sizes (shares or contracts), ascending by price.

        Raises NoData and other RequestErrors, RequestTimeout, NotConnected.

        >>> rows = ib.reqHistogramData(Stock('AAPL', 'SMART', 'USD'), True, '3 days')
        >>> rows[0].price < rows[-1].price, rows[0].count > 0
        (True, True)
        """
        return self._wait(lambda engine: past.histogram_data(engine, contract, useRTH, period))

    def reqHistogramDataAsync(self, contract: Contract, useRTH: bool, period: str) -> Awaitable[list[HistogramData]]:
        """Get how much was traded at each price: see ``reqHistogramData``."""
        return self._future(lambda engine: past.histogram_data(engine, contract, useRTH, period))
