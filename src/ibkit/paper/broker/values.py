"""An account in the words of TWS: account values, the summary's tags, the ledger by currency.

One table says how each tag is worked out. Segments (tags ending in -S and -C) are not told. Must not know orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ibkit.model import AccountValue
from ibkit.paper.broker.accounts import Account
from ibkit.paper.broker.margin import BUYING_POWER, Margins, margins
from ibkit.paper.broker.marks import UNPAID, Marks
from ibkit.paper.instruments import Instrument


class View(NamedTuple):
    """Everything the tags are made from."""

    account: Account
    marks: Marks
    t: float
    margins: Margins

    def total(self, what: str) -> float:
        """A sum over holdings in base currency."""
        return self.account.total(self.marks, self.t, what)

    def cash(self) -> float:
        """All cash in base currency."""
        return sum(amount * self.marks.rate(c, self.t) for c, amount in self.account.cash.items())


def view(account: Account, marks: Marks, t: float) -> View:
    """Return an account as it stands at ``t``."""
    return View(account, marks, t, margins(account, marks, t))


def _zero(_: View) -> float:
    return 0.0


_INITIAL: Callable[[View], float] = lambda v: v.margins.initial  # noqa: E731
_MAINTENANCE: Callable[[View], float] = lambda v: v.margins.maintenance  # noqa: E731
_AVAILABLE: Callable[[View], float] = lambda v: v.margins.available  # noqa: E731
_EXCESS: Callable[[View], float] = lambda v: v.margins.excess  # noqa: E731

# Amounts in base currency, in the order of TWS's account window.
AMOUNTS: dict[str, Callable[[View], float]] = {
    "NetLiquidation": lambda v: v.margins.net_liquidation,
    "TotalCashValue": View.cash,
    "SettledCash": View.cash,
    "AccruedCash": _zero,
    "AccruedDividend": _zero,
    "BuyingPower": lambda v: max(0.0, v.margins.available) * BUYING_POWER,
    "EquityWithLoanValue": lambda v: v.margins.equity_with_loan,
    "PreviousDayEquityWithLoanValue": lambda v: v.account.opening_equity,
    "GrossPositionValue": lambda v: v.margins.gross,
    "RegTEquity": lambda v: v.margins.equity_with_loan,
    "RegTMargin": _INITIAL,
    "SMA": _AVAILABLE,
    "InitMarginReq": _INITIAL,
    "MaintMarginReq": _MAINTENANCE,
    "AvailableFunds": _AVAILABLE,
    "ExcessLiquidity": _EXCESS,
    "FullInitMarginReq": _INITIAL,
    "FullMaintMarginReq": _MAINTENANCE,
    "FullAvailableFunds": _AVAILABLE,
    "FullExcessLiquidity": _EXCESS,
    "LookAheadInitMarginReq": _INITIAL,
    "LookAheadMaintMarginReq": _MAINTENANCE,
    "LookAheadAvailableFunds": _AVAILABLE,
    "LookAheadExcessLiquidity": _EXCESS,
}
# Texts without a currency.
PLAIN: dict[str, Callable[[View], str]] = {
    "AccountType": lambda v: "INDIVIDUAL",
    "Cushion": lambda v: f"{v.margins.cushion:.6g}",
    "DayTradesRemaining": lambda v: "-1",
    "DayTradesRemainingT+1": lambda v: "-1",
    "DayTradesRemainingT+2": lambda v: "-1",
    "DayTradesRemainingT+3": lambda v: "-1",
    "DayTradesRemainingT+4": lambda v: "-1",
    "HighestSeverity": lambda v: "",
    "Leverage": lambda v: f"{v.margins.gross / v.margins.net_liquidation if v.margins.net_liquidation else 0:.2f}",
    "LookAheadNextChange": lambda v: "0",
}
# Tags of the summary under another name.
SUMMARY_NAMES = {
    "ReqTEquity": "RegTEquity",
    "ReqTMargin": "RegTMargin",
    "PreviousEquityWithLoanValue": "PreviousDayEquityWithLoanValue",
}
SUMMARY_TAGS = frozenset(AMOUNTS) | frozenset(PLAIN) | frozenset(SUMMARY_NAMES)
# Holdings by ledger line.
_LINES: dict[str, frozenset[str]] = {
    "StockMarketValue": frozenset({"STK"}),
    "OptionMarketValue": frozenset({"OPT"}),
    "FutureOptionValue": frozenset({"FOP"}),
    "FuturesPNL": frozenset(UNPAID),
    "FundValue": frozenset(),
    "MutualFundValue": frozenset({"FUND"}),
    "MoneyMarketFundValue": frozenset(),
    "CorporateBondValue": frozenset({"BOND"}),
    "TBondValue": frozenset(),
    "TBillValue": frozenset(),
    "WarrantValue": frozenset({"WAR", "IOPT"}),
    "Cryptocurrency": frozenset({"CRYPTO"}),
}


def _line(account: Account, marks: Marks, t: float, currency: str, kinds: frozenset[str]) -> float:
    return sum(
        holding.equity(marks, t)
        for holding in account.holdings.values()
        if holding.quantity and holding.instrument.currency == currency and _kind(holding.instrument) in kinds
    )


def _kind(instrument: Instrument) -> str:
    return "STK" if instrument.sec_type == "CMDTY" else instrument.sec_type


def _ledger(account: Account, marks: Marks, t: float, currency: str) -> dict[str, float]:
    """The amounts of one currency, in that currency."""
    holdings = [h for h in account.holdings.values() if h.instrument.currency == currency]
    cash = account.cash.get(currency, 0.0)
    lines = {"CashBalance": cash, "TotalCashBalance": cash, "AccruedCash": 0.0}
    lines |= {name: _line(account, marks, t, currency, kinds) for name, kinds in _LINES.items()}
    lines["NetDividend"] = 0.0
    lines["NetLiquidationByCurrency"] = account.by_currency(marks, t).get(currency, 0.0)
    lines["UnrealizedPnL"] = sum(h.unrealized(marks, t) for h in holdings if h.quantity)
    lines["RealizedPnL"] = sum(h.realized_today for h in holdings)
    return lines


def currencies(account: Account) -> list[str]:
    """Return the currencies an account holds anything in, the base currency first."""
    found = {account.base: None} | {c: None for c, amount in account.cash.items() if abs(amount) > 5e-3}
    found |= {h.instrument.currency: None for h in account.holdings.values() if h.quantity}
    return list(found)


def ledger(account: Account, marks: Marks, t: float) -> list[AccountValue]:
    """Return the ledger rows: BASE in base currency, then each currency in its own."""
    rows: list[AccountValue] = []
    books = {c: _ledger(account, marks, t, c) for c in currencies(account)}
    rates = {c: marks.rate(c, t) for c in books}
    base = {name: sum(lines[name] * rates[c] for c, lines in books.items()) for name in next(iter(books.values()), {})}
    for currency, lines, rate in [("BASE", base, 1.0), *((c, lines, rates[c]) for c, lines in books.items())]:
        rows += [AccountValue(account.name, name, f"{value:.4f}", currency, "") for name, value in lines.items()]
        rows += [
            AccountValue(account.name, "ExchangeRate", f"{rate:.8g}", currency, ""),
            AccountValue(account.name, "Currency", currency, currency, ""),
            AccountValue(account.name, "RealCurrency", account.base if currency == "BASE" else currency, currency, ""),
            AccountValue(account.name, "AccountOrGroup", account.name, currency, ""),
        ]
    return rows


def account_values(account: Account, marks: Marks, t: float) -> list[AccountValue]:
    """Return everything reqAccountUpdates tells."""
    now, name = view(account, marks, t), account.name
    rows = [AccountValue(name, "AccountCode", name, "", ""), AccountValue(name, "AccountReady", "true", "", "")]
    rows += [AccountValue(name, tag, text(now), "", "") for tag, text in PLAIN.items()]
    rows += [AccountValue(name, tag, f"{amount(now):.2f}", account.base, "") for tag, amount in AMOUNTS.items()]
    return rows + ledger(account, marks, t)


def summary(account: Account, marks: Marks, t: float, tags: Iterable[str]) -> list[AccountValue]:
    """Return the rows of reqAccountSummary; ``$LEDGER``, ``$LEDGER:USD`` and ``$LEDGER:ALL`` give ledger rows.

    Unknown tags are left out.
    """
    now, rows = view(account, marks, t), []
    for tag in tags:
        known = SUMMARY_NAMES.get(tag, tag)
        if tag.upper().startswith("$LEDGER"):
            wanted = tag.partition(":")[2].upper()
            rows += [row for row in ledger(account, marks, t) if wanted == "ALL" or row.currency == (wanted or "BASE")]
        elif known in AMOUNTS:
            rows.append(AccountValue(account.name, tag, f"{AMOUNTS[known](now):.2f}", account.base, ""))
        elif known in PLAIN:
            rows.append(AccountValue(account.name, tag, PLAIN[known](now), "", ""))
    return rows
