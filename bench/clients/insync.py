"""A program for ib_insync, ib_async or ibkit: one text, so that all are asked the same.

In an asyncio host it awaits the requests; in a blocking one it makes blocking calls, and nothing is suspended.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import tracemalloc
from collections.abc import Coroutine
from typing import Any

from bench.clients.job import (
    ACCOUNT,
    HOST,
    VALUES,
    Job,
    Meter,
    contract_id,
    digest,
    order_price,
    resident_mb,
    symbol,
)

TIMEOUT_S = 60
QUANTITY = 100


class Program:
    """One client and what it does."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.library: Any = importlib.import_module(job.library)
        self.ib: Any = self.library.IB()
        self.ib.client.MaxRequests = 0  # the gateway has no limit, and pacing is not what is measured
        self.seen = 0

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a request in the way of the host, and return its answer."""
        if self.job.host == "blocking":
            return getattr(self.ib, name)(*args, **kwargs)
        return await getattr(self.ib, name + "Async")(*args, **kwargs)

    async def connect(self) -> None:
        await self.call("connect", HOST, self.job.port, clientId=1, timeout=TIMEOUT_S)

    async def trigger(self) -> None:
        """Have the gateway make ready, or play; it answers when all is told."""
        await self.call("reqCurrentTime")

    def stock(self, i: int) -> Any:
        contract = self.library.Stock(symbol(i), "SMART", "USD")
        contract.conId = contract_id(i)
        return contract

    def limit(self, i: int) -> Any:
        return self.library.LimitOrder("BUY", QUANTITY, order_price(i), tif="DAY", account=ACCOUNT)

    # -- streams -------------------------------------------------------------------------------------

    def subscribe(self, count: int) -> list[Any]:
        """Return the tickers of new subscriptions."""
        stream = self.job.params["stream"]
        contracts = [self.stock(i) for i in range(count)]
        if stream == "tick-by-tick":
            kinds = ("AllLast", "BidAsk")
            return [self.ib.reqTickByTickData(each, kinds[i % 2]) for i, each in enumerate(contracts)]
        if stream == "depth":
            return [self.ib.reqMktDepth(each, numRows=10) for each in contracts]
        return [self.ib.reqMktData(each) for each in contracts]

    def listen(self) -> None:
        """Look at every tick, as a program would."""
        which = {"tick-by-tick": "tickByTicks", "depth": "domTicks"}.get(str(self.job.params["stream"]), "ticks")

        def on_tickers(tickers: set[Any]) -> None:
            for ticker in tickers:
                self.seen += len(getattr(ticker, which))

        self.ib.pendingTickersEvent += on_tickers

    def values(self, tickers: list[Any]) -> str:
        """Return the digest of the tickers' last values."""
        stream = self.job.params["stream"]
        if stream == "depth":
            books = [book for ticker in tickers for book in (ticker.domBids, ticker.domAsks)]
            return digest((level.price, level.size) for book in books for level in book)
        names: list[tuple[str, ...]] = [VALUES] * len(tickers)
        if stream == "tick-by-tick":
            names = [VALUES[:4] if i % 2 else VALUES[4:6] for i in range(len(tickers))]
        return digest([getattr(ticker, name) for name in each] for ticker, each in zip(tickers, names, strict=True))

    async def ticks(self) -> None:
        await self.connect()
        tickers = self.subscribe(self.job.number("tickers"))
        await self.trigger()
        self.listen()
        with Meter() as meter:
            await self.trigger()
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / self.job.number("messages")
        self.job.metrics["wall_us"] = 1e6 * meter.wall / self.job.number("messages")
        self.job.outcome.update(ticks=self.seen, values=self.values(tickers))

    async def growth(self) -> None:
        await self.connect()
        tickers = self.subscribe(self.job.number("tickers"))
        await self.trigger()
        self.listen()
        blocks = self.job.number("blocks")
        costs, sizes = [], []
        for _ in range(blocks):
            with Meter() as meter:
                await self.trigger()
            costs.append(meter.cpu)
            sizes.append(resident_mb())
        # The very first block still meets cold caches and an unused allocator.
        self.job.metrics["cpu_us"] = 1e6 * sum(costs) / blocks / self.job.number("messages")
        self.job.metrics["last_to_first"] = costs[-1] / costs[1]
        self.job.metrics["grown_mb"] = sizes[-1] - sizes[0]
        self.job.outcome.update(ticks=self.seen // blocks, values=self.values(tickers))

    async def memory_tickers(self) -> None:
        await self.connect()
        count = self.job.number("tickers")
        contracts = [self.stock(i) for i in range(count + 1)]
        first = self.ib.reqMktData(contracts[count])
        await self.trigger()
        tracemalloc.start()
        tickers = [self.ib.reqMktData(each) for each in contracts[:count]]
        await self.trigger()
        await self.trigger()  # the lists of ticks hold the last batch alone
        self.job.metrics["kib"] = tracemalloc.get_traced_memory()[0] / 1024 / count
        self.job.outcome["values"] = self.values([first, *tickers])

    async def memory_trades(self) -> None:
        self.library.Trade()
        count = self.job.number("trades")
        tracemalloc.start()
        trades = [self.library.Trade() for _ in range(count)]
        self.job.metrics["kib"] = tracemalloc.get_traced_memory()[0] / 1024 / len(trades)

    # -- orders --------------------------------------------------------------------------------------

    async def tick_to_order(self) -> None:
        await self.connect()
        contract = self.stock(0)
        self.ib.reqMktData(contract)
        self.ib.placeOrder(contract, self.limit(0))
        await self.trigger()
        placed = []

        def on_tickers(tickers: set[Any]) -> None:
            for ticker in tickers:
                order = self.library.LimitOrder("BUY", QUANTITY, ticker.bid, tif="DAY", account=ACCOUNT)
                placed.append(self.ib.placeOrder(contract, order))

        self.ib.pendingTickersEvent += on_tickers
        with Meter() as meter:
            await self.trigger()
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / self.job.number("orders")
        self.job.outcome["orders"] = len(placed)

    async def orders(self) -> None:
        await self.connect()
        contract = self.stock(0)
        count = self.job.number("orders")
        trades: list[Any] = []

        def place() -> None:
            trade = self.ib.placeOrder(contract, self.limit(0))
            trade.filledEvent += on_filled
            trades.append(trade)

        def on_filled(trade: Any) -> None:
            if 1 < len(trades) <= count:
                place()

        place()
        await self.trigger()
        with Meter() as meter:
            place()
            await self.trigger()
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / count
        fills = [fill for trade in trades for fill in trade.fills]
        self.job.outcome.update(
            orders=len(trades),
            filled_once=sum(len(trade.fills) == 1 and trade.filled() == QUANTITY for trade in trades),
            commissions=math.fsum(fill.commissionReport.commission for fill in fills),
        )

    async def modify(self) -> None:
        await self.connect()
        contract, order = self.stock(0), self.limit(0)
        count = self.job.number("orders")
        modified = 0

        def change(*_: Any) -> None:
            nonlocal modified
            if modified < count:
                modified += 1
                order.lmtPrice = order_price(modified)
                self.ib.placeOrder(contract, order)

        trade = self.ib.placeOrder(contract, order)
        await self.trigger()
        trade.statusEvent += change
        with Meter() as meter:
            change()
            await self.trigger()
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / count
        self.job.outcome.update(modified=modified, price=trade.order.lmtPrice)

    async def connect_only(self) -> None:
        with Meter() as meter:
            await self.connect()
        self.job.metrics.update(wall_ms=1e3 * meter.wall, cpu_ms=1e3 * meter.cpu)
        opened = sorted((trade.order.orderId, trade.order.lmtPrice) for trade in self.ib.openTrades())
        fills = self.ib.fills()
        self.job.outcome.update(
            orders=digest(opened),
            fills=len(fills),
            commissions=math.fsum(fill.commissionReport.commission for fill in fills),
            positions=len(self.ib.positions()),
        )

    # -- bars ----------------------------------------------------------------------------------------

    async def history(self, duration: str, i: int = 0) -> Any:
        kind = self.job.number("format", 1)
        return await self.call(
            "reqHistoricalData", self.stock(i), "", duration, "1 min", "TRADES", False, kind, timeout=TIMEOUT_S
        )

    def check_bars(self, closes: Any, volumes: Any, first: Any, last: Any) -> None:
        self.job.outcome.update(
            bars=len(closes),
            values=digest(zip(closes, volumes, strict=True)),
            first=int(first.timestamp()),
            last=int(last.timestamp()),
        )

    async def bars(self) -> None:
        await self.connect()
        await self.history("1 D")
        await self.trigger()
        with Meter() as meter:
            bars = await self.history("100 D")
            sum(bar.close for bar in bars)
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / self.job.number("bars")
        closes, volumes = [bar.close for bar in bars], [bar.volume for bar in bars]
        self.check_bars(closes, volumes, bars[0].date, bars[-1].date)

    async def frame(self) -> None:
        await self.connect()
        self.library.util.df(await self.history("1 D"))
        await self.trigger()
        with Meter() as meter:
            frame = self.library.util.df(await self.history("100 D"))
        self.job.metrics["cpu_us"] = 1e6 * meter.cpu / self.job.number("bars")
        dates = frame["date"]
        self.check_bars(list(frame["close"]), list(frame["volume"]), dates.iloc[0], dates.iloc[-1])

    async def histories(self) -> None:
        self.ib.client.MaxRequests = 50  # what IB allows
        await self.connect()
        await self.history("1 D")
        await self.trigger()
        count = self.job.number("histories")
        if self.job.host == "blocking":
            self.ib.sleep(1.2)  # what was sent so far counts no more
            with Meter() as meter:
                answers = self.library.util.run(self.gather(count))
        else:
            await asyncio.sleep(1.2)
            with Meter() as meter:
                answers = await self.gather(count)
        self.job.metrics["wall_ms"] = 1e3 * meter.wall
        bars = answers[-1]
        closes, volumes = [bar.close for bar in bars], [bar.volume for bar in bars]
        self.check_bars(closes, volumes, bars[0].date, bars[-1].date)
        self.job.outcome["bars"] = min(len(each) for each in answers)

    async def gather(self, count: int) -> Any:
        calls = (
            self.ib.reqHistoricalDataAsync(self.stock(i), "", "100 D", "1 min", "TRADES", False) for i in range(count)
        )
        return await asyncio.gather(*calls)


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never has to wait: every call in it is a blocking one."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("a blocking program was suspended")


def main() -> None:
    """Do the job."""
    job = Job.given()
    program = Program(job)
    work = getattr(program, "connect_only" if job.kind == "connect" else job.kind)()
    if job.host == "blocking":
        drive(work)
    elif job.host == "uvloop":
        uvloop: Any = importlib.import_module("uvloop")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    else:
        asyncio.run(work)
    job.report()
    program.ib.disconnect()


if __name__ == "__main__":
    main()
