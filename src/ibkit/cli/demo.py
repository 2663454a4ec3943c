"""`ibkit demo`: the guide in a minute, on a simulated gateway, with live tables and a chart at the end.

A scripted walk: each chapter uses the library as a user would and shows what comes back. It needs no terminal,
no account and no network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ibkit import IB, BarDataList, Contract, Ticker, Trade
    from ibkit.paper import PaperGateway

SPEED = 60.0
"""Simulated seconds for one real one: a minute bar every second."""

START = "2025-06-11 11:00"
"""When the simulated day begins, New York time: a day without holiday, with a morning to look at already."""

HISTORY_DELAY_S = 0.5
"""Seconds a history takes, as with a real gateway."""

SYMBOLS = (
    "AAPL MSFT NFLX V MA AMZN GOOGL META NVDA TSLA JPM BAC WMT DIS KO PEP INTC AMD CSCO ORCL IBM GE F GM XOM CVX PFE "
    "MRK JNJ UNH HD MCD NKE SBUX BA CAT COST T VZ TXN ADBE CRM PYPL QCOM SPY QQQ IWM DIA GLD TLT"
)
"""Fifty stocks and funds."""


@dataclass
class Stage:
    """Where the walk happens, and the bracket that is drawn at its end."""

    console: Console
    gateway: PaperGateway
    ib: IB
    bracket: list[Trade] = field(default_factory=list)


def command(
    out: Annotated[Path, typer.Option(help="Where the chart is saved.", file_okay=False)] = Path("demo-out"),
    seed: Annotated[int, typer.Option(help="Which of the simulated markets.")] = 1,
) -> None:
    """Walk through the guide on a simulated gateway: live tables, a bracket order, a chart; less than a minute."""
    try:
        import matplotlib  # noqa: F401  # before anything is shown
        import numpy  # noqa: F401
        import pandas  # noqa: F401
    except ModuleNotFoundError as error:
        raise SystemExit(f"the demo needs {error.name}: pip install 'ibkit[all]'") from None
    from rich.console import Console
    from rich.rule import Rule

    import ibkit
    from ibkit import clock
    from ibkit.paper import Limits, PaperGateway

    console = Console(highlight=False)
    began = time.monotonic()
    console.print(Rule(f"ibkit {ibkit.__version__}: the guide in a minute", style="cyan"))
    real_clock = clock.default
    limits = Limits(history_delay_s=HISTORY_DELAY_S * SPEED)
    with PaperGateway(port=0, seed=seed, start=START, speed=SPEED, limits=limits) as gateway:
        clock.default = gateway.clock  # what happens is stamped with the market's time
        try:
            with ibkit.IB() as ib:
                _walk(Stage(console, gateway, ib), out)
        finally:
            clock.default = real_clock
    console.print(f"[dim]done in {time.monotonic() - began:.0f} seconds[/]")


def _walk(stage: Stage, out: Path) -> None:
    chapters: list[tuple[str, str, Callable[[Stage], None]]] = [
        ("Connect", "ib.connect()", _connect),
        ("Contracts", "ib.qualifyContracts(*contracts)", _contracts),
        ("Live prices", "ib.reqMktData(contract)", _prices),
        ("Fifty histories in one wait", "await ib.reqHistoricalDataAsync(...)", _histories),
        ("A market order and its callback", "trade.filledEvent += on_filled", _market_order),
        ("A bracket order", "ib.bracketOrder('BUY', 100, ...)", _bracket),
        ("A condition the broker watches", "PriceCondition(price, conId, exch)", _condition),
        ("Options and their Greeks", "ib.reqSecDefOptParams(...)", _options),
        ("What it came to", "ib.fills(), ib.positions()", _account),
    ]
    for number, (title, code, chapter) in enumerate(chapters, 1):
        stage.console.print(f"\n[bold cyan]{number}  {title}[/]   [dim]{code}[/]")
        chapter(stage)
    path = _chart(stage, out)
    stage.console.print(f"\n[bold green]The chart of the day, with the trades on it:[/] {path}")
    stage.console.print(
        "\nNext, on a market of your own: [bold]ibkit run --paper examples/guide/02_price.py[/]\n"
        "For any TWS API program, in a terminal of its own: [bold]ibkit paper --port 7497[/]"
    )


def _connect(stage: Stage) -> None:
    ib = stage.ib
    ib.connect(port=stage.gateway.port)
    stage.console.print(
        f"{ib}\n"
        f"a simulated gateway, server version {ib.client.serverVersion()}, account {', '.join(ib.managedAccounts())}\n"
        f"its clock shows {ib.reqCurrentTime():%Y-%m-%d %H:%M} UTC and runs {SPEED:g} times as fast",
        markup=False,
    )


def _watched() -> list[Contract]:
    from ibkit import CFD, ContFuture, Forex, Stock

    return [
        Stock("NFLX", "SMART", "USD"),
        Stock("V", "SMART", "USD"),
        Stock("MA", "SMART", "USD"),
        Forex("EURUSD", "IDEALPRO"),
        ContFuture("BRR", "CMECRYPTO"),
        ContFuture("HE", "CME"),
        CFD("XAUUSD"),
    ]


def _contracts(stage: Stage) -> None:
    contracts = _watched()
    stage.ib.qualifyContracts(*contracts)
    table = _table("contract", "kind", "conId", "local symbol", "exchange", "currency")
    for it in contracts:
        exchange = it.primaryExchange or it.exchange
        table.add_row(_name(it), it.secType, str(it.conId), it.localSymbol, exchange, it.currency)
    stage.console.print(table)


def _prices(stage: Stage) -> None:
    from rich.live import Live

    ib = stage.ib
    contracts = ib.qualifyContracts(*_watched())
    tickers = [ib.reqMktData(contract) for contract in contracts]
    updates = dict.fromkeys(map(id, tickers), 0)

    def count(ticker: Ticker) -> None:
        updates[id(ticker)] += 1

    for ticker in tickers:
        ticker.updateEvent += count

    def show() -> Table:
        table = _table("contract", ">bid", ">ask", ">last", ">volume", ">change", ">updates")
        for ticker in tickers:
            change = ticker.marketPrice() / ticker.close - 1 if ticker.close else math.nan
            color = "green" if change >= 0 else "red"
            table.add_row(
                _name(ticker.contract),
                _number(ticker.bid),
                _number(ticker.ask),
                f"[bold]{_number(ticker.last)}[/]",
                "" if math.isnan(ticker.volume) else f"{ticker.volume:,.0f}",
                "" if math.isnan(change) else f"[{color}]{change:+z.2%}[/]",
                str(updates[id(ticker)]),
            )
        return table

    with Live(show(), console=stage.console, auto_refresh=False) as live:
        for _ in range(20):
            ib.sleep(0.25)
            live.update(show(), refresh=True)
    for contract in contracts:
        ib.cancelMktData(contract)


def _histories(stage: Stage) -> None:
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ibkit import Stock

    ib = stage.ib
    symbols = SYMBOLS.split()
    columns = (TextColumn("5 days of 15-minute bars"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stage.console) as progress:
        task = progress.add_task("", total=len(symbols))

        async def history(symbol: str) -> BarDataList:
            bars = await ib.reqHistoricalDataAsync(
                Stock(symbol, "SMART", "USD"), "", "5 D", "15 mins", "TRADES", useRTH=True
            )
            progress.advance(task)
            return bars

        async def histories() -> list[BarDataList]:
            return list(await asyncio.gather(*map(history, symbols)))

        answers = ib.run(histories())
    moves = sorted((bars[-1].close / bars[0].open - 1, symbol) for symbol, bars in zip(symbols, answers, strict=True))
    stage.console.print(
        f"{sum(map(len, answers)):,} bars; over five days "
        f"{moves[-1][1]} {moves[-1][0]:+.1%}, {moves[0][1]} {moves[0][0]:+.1%}"
    )


def _market_order(stage: Stage) -> None:
    from ibkit import MarketOrder, Stock

    ib = stage.ib
    (contract,) = ib.qualifyContracts(Stock("V", "SMART", "USD"))

    def on_filled(trade: Trade) -> None:
        side, price = trade.fills[-1].execution.side, trade.orderStatus.avgFillPrice
        stage.console.print(f"on_filled: {side} {trade.contract.symbol} {trade.filled():g} @ {price:g}")

    trade = ib.placeOrder(contract, MarketOrder("BUY", 200))
    trade.filledEvent += on_filled
    _until(ib, trade.isDone, 5)
    ib.sleep(0.3)
    table = _table("trade.log", "status", "message")
    for entry in trade.log:
        table.add_row(f"{entry.time:%H:%M:%S.%f}"[:-3], entry.status, entry.message)
    stage.console.print(table)


def _bracket(stage: Stage) -> None:
    from rich.live import Live

    from ibkit import Stock

    ib = stage.ib
    (contract,) = ib.qualifyContracts(Stock("NFLX", "SMART", "USD"))
    ticker = ib.reqMktData(contract)
    _until(ib, lambda: ticker.hasBidAsk(), 5)
    price = ticker.ask
    bracket = ib.bracketOrder(
        "BUY",
        100,
        limitPrice=round(price * 1.004, 2),  # fills at once, at the ask
        takeProfitPrice=round(price * 1.008, 2),
        stopLossPrice=round(price * 0.994, 2),
    )
    trades = stage.bracket = [ib.placeOrder(contract, order) for order in bracket]
    names = ("entry", "take profit", "stop loss")

    def show() -> Table:
        table = _table("order", "", ">price", ">filled", "status")
        for name, trade in zip(names, trades, strict=True):
            order = trade.order
            limit = order.auxPrice if order.orderType == "STP" else order.lmtPrice
            style = {"Filled": "bold green", "Cancelled": "dim"}.get(trade.orderStatus.status, "yellow")
            table.add_row(
                name,
                f"{order.action} 100 {order.orderType}",
                f"{limit:.2f}",
                f"{trade.orderStatus.avgFillPrice:.2f}" if trade.orderStatus.filled else "",
                f"[{style}]{trade.orderStatus.status}[/]",
            )
        table.add_row("[dim]NFLX[/]", "[dim]bid / ask[/]", f"[dim]{ticker.bid:.2f} / {ticker.ask:.2f}[/]", "", "")
        return table

    with Live(show(), console=stage.console, auto_refresh=False) as live:

        def watch() -> bool:
            live.update(show(), refresh=True)
            return trades[1].isDone() and trades[2].isDone()

        _until(ib, trades[0].isDone, 5)
        for percent in (1.2, 1.0, 2.0):  # the news of the day, until they are good enough
            stage.gateway.shock("NFLX", percent, over_s=1000)
            if _until(ib, watch, 12):
                break
    ib.sleep(3)  # a few more bars for the chart
    ib.cancelMktData(contract)


def _condition(stage: Stage) -> None:
    from ibkit import MarketOrder, PriceCondition, Stock

    ib = stage.ib
    visa, mastercard = ib.qualifyContracts(Stock("V", "SMART", "USD"), Stock("MA", "SMART", "USD"))
    ticker = ib.reqMktData(visa)
    _until(ib, lambda: ticker.hasBidAsk(), 5)
    level = round(ticker.ask * 1.01, 2)
    order = MarketOrder("BUY", 100)
    order.conditions.append(PriceCondition(price=level, conId=visa.conId, exch=visa.exchange))
    trade = ib.placeOrder(mastercard, order)
    ib.sleep(0.5)
    stage.console.print(f"buy 100 MA when V, now {ticker.ask:.2f}, reaches {level:.2f}: {trade.orderStatus.status}")
    ib.disconnect()
    stage.gateway.shock("V", 1.5, over_s=30)
    time.sleep(3)  # nobody is connected: the gateway watches
    ib.connect(port=stage.gateway.port)
    filled = [fill for fill in ib.fills() if fill.contract.symbol == "MA"]
    for fill in filled:
        it = fill.execution
        stage.console.print(f"disconnected meanwhile; the order filled by itself: {it.shares:g} MA @ {it.price:g}")


def _options(stage: Stage) -> None:
    from ibkit import Option, Stock

    ib = stage.ib
    (stock,) = ib.qualifyContracts(Stock("MSFT", "SMART", "USD"))
    ticker = ib.reqMktData(stock)
    _until(ib, lambda: ticker.hasBidAsk(), 5)
    chain = next(chain for chain in ib.reqSecDefOptParams("MSFT", "", "STK", stock.conId) if chain.exchange == "SMART")
    expiration = chain.expirations[3]
    details = ib.reqContractDetails(Option("MSFT", expiration, right="C", exchange="SMART"))
    calls = sorted((it.contract for it in details if it.contract), key=lambda contract: contract.strike)
    nearest = min(range(len(calls)), key=lambda i: abs(calls[i].strike - ticker.marketPrice()))
    options = [ib.reqMktData(contract) for contract in calls[max(0, nearest - 2) : nearest + 3]]
    _until(ib, lambda: all(option.modelGreeks for option in options), 5)
    table = _table("MSFT call", ">bid", ">ask", ">implied vol", ">delta", ">gamma", ">theta")
    for option in options:
        greeks = option.modelGreeks
        if option.contract is None or greeks is None:
            continue
        table.add_row(
            option.contract.localSymbol,
            f"{option.bid:.2f}",
            f"{option.ask:.2f}",
            *(f"{value:.3f}" for value in (greeks.impliedVol, greeks.delta, greeks.gamma, greeks.theta)),
        )
    stage.console.print(table)


def _account(stage: Stage) -> None:
    ib = stage.ib
    ib.sleep(0.5)
    table = _table("execution", "contract", ">shares", ">price", ">commission", ">realized PnL")
    for fill in ib.fills():
        report = fill.commissionReport
        table.add_row(
            f"{fill.execution.time:%H:%M:%S}",
            f"{fill.execution.side} {fill.contract.symbol}",
            f"{fill.execution.shares:g}",
            f"{fill.execution.price:g}",
            f"{report.commission:.2f}",
            f"[green]{report.realizedPNL:,.2f}[/]" if report.realizedPNL == report.realizedPNL else "",
        )
    stage.console.print(table)
    positions = ", ".join(f"{it.position:g} {_name(it.contract)} at {it.avgCost:.2f}" for it in ib.positions())
    worth = {value.tag: value.value for value in ib.accountValues() if value.currency in ("USD", "BASE")}
    stage.console.print(f"held: {positions}; net liquidation {float(worth['NetLiquidation']):,.2f} USD")


def _chart(stage: Stage, out: Path) -> Path:
    from zoneinfo import ZoneInfo

    from ibkit.cli import chart

    ib = stage.ib
    entry, take_profit, stop_loss = stage.bracket
    bars = ib.reqHistoricalData(entry.contract, "", "1 D", "1 min", "TRADES", useRTH=True)
    ib.disconnect()
    exits = [trade for trade in (take_profit, stop_loss) if trade.fills]
    marks = [
        chart.Mark(
            trade.fills[-1].execution.time,
            trade.orderStatus.avgFillPrice,
            trade.fills[-1].execution.side,
            f"{chart.VERBS[trade.fills[-1].execution.side]} {trade.filled():g} @ {trade.orderStatus.avgFillPrice:.2f}",
        )
        for trade in (entry, *exits)
    ]
    profit, loss = float(take_profit.order.lmtPrice or 0), float(stop_loss.order.auxPrice or 0)
    corridor = chart.Corridor(marks[0].time, marks[-1].time, marks[0].price, profit, loss)
    earned = sum(fill.commissionReport.realizedPNL for trade in exits for fill in trade.fills)
    path = (out / "demo.png").resolve()
    chart.draw(
        path,
        f"{entry.contract.symbol}, a day on a simulated market",
        f"{bars[-1].date:%d %B %Y}, 1-minute bars, New York time. "
        f"A bracket order at work: {earned:+,.2f} USD after commissions",
        bars,
        ZoneInfo("America/New_York"),
        marks,
        [corridor],
    )
    return path


# -- small things ------------------------------------------------------------------------------------------------


def _until(ib: IB, done: Callable[[], bool], timeout: float) -> bool:
    """Wait in the library until something is true, or for ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            return False
        ib.sleep(0.1)
    return True


def _table(*columns: str) -> Table:
    """Make a table; a column that begins with > is aligned to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", no_wrap=True)
    return table


def _name(contract: Contract | None) -> str:
    if contract is None:
        return ""
    return contract.localSymbol if contract.secType in ("CASH", "CONTFUT", "FUT") else contract.symbol


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.5g}" if value < 10 else f"{value:,.2f}"
