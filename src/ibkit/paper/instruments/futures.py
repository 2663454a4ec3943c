"""Futures and continuous futures: a row per product, contracts made by rule for any date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from ibkit.model import Contract
from ibkit.paper.instruments import expiries, ids, rules
from ibkit.paper.instruments.calendar import CALENDARS, Calendar, utc
from ibkit.paper.instruments.instrument import Instrument, Liquidity, Listing
from ibkit.paper.instruments.pricing import Root, Spot
from ibkit.paper.instruments.roots import root, sigma
from ibkit.paper.instruments.spots import HISTORY_BEGIN, ORDER_TYPES
from ibkit.paper.instruments.tables import Row, rows

# TWS moves a continuous future on before the old contract ends; here this many days before.
ROLL_DAYS = 4
# Expired futures can be had for two years (broker/limits: "expired futures >2 years after expiry" are gone).
EXPIRED_DAYS = 730
# A contract is quoted for two years before it ends, longer where more than two years are listed.
LISTED_DAYS = 730


@dataclass(frozen=True, slots=True)
class Product:
    """One line of futures.csv."""

    number: int
    symbol: str
    trading_class: str
    name: str
    exchanges: tuple[str, ...]  # home exchange first, then names it also answers to
    currency: str
    multiplier: str
    magnifier: int
    tick: float
    root: Root
    carry: float
    months: str
    listed: int
    rule: expiries.Rule
    calendar: Calendar
    last_minutes: int
    last_time: str
    volume: float
    spread: float
    under: str  # symbol of the index below, where there is one

    def listed_months(self, today: date) -> list[tuple[int, int, date]]:
        """Return (year, month, last day) of the contracts listed today, nearest first."""
        return list(expiries.months(self.months, today, self.listed, self.rule))

    def expired_months(self, today: date) -> list[tuple[int, int, date]]:
        """Return the contracts that ended in the last two years, oldest first."""
        found = []
        for contract in expiries.months(self.months, today - timedelta(days=EXPIRED_DAYS), 30, self.rule):
            if contract[2] < today:
                found.append(contract)
        return found

    def front(self, today: date) -> tuple[int, int, date]:
        """Return the contract a continuous future stands for."""
        return next(expiries.months(self.months, today + timedelta(days=ROLL_DAYS), 1, self.rule))


@cache
def products() -> tuple[Product, ...]:
    """Return all products, in file order."""
    return tuple(map(_product, rows("futures")))


@cache
def by_number() -> dict[int, Product]:
    """Return the products by their number in conIds."""
    return {p.number: p for p in products()}


def of(instrument: Instrument) -> Product:
    """Return the product a future belongs to."""
    packed = ids.parse(instrument.con_id)
    if not isinstance(packed, ids.FutureId):
        raise ValueError(f"{instrument} is no future")
    return by_number()[packed.number]


def _product(row: Row) -> Product:
    hour, _, minute = row["last_time"].partition(":")
    return Product(
        number=int(row["num"]),
        symbol=row["symbol"],
        trading_class=row["class"],
        name=row["name"],
        exchanges=tuple(row["exchanges"].split()),
        currency=row["currency"],
        multiplier=row["multiplier"],
        magnifier=int(row["magnifier"]),
        tick=float(row["tick"]),
        root=root(row["root"]),
        carry=float(row["carry"]),
        months=row["months"],
        listed=int(row["listed"]),
        rule=expiries.RULES[row["rule"]],
        calendar=CALENDARS[row["calendar"]],
        last_minutes=int(hour) * 60 + int(minute),
        last_time=row["last_time"],
        volume=float(row["volume"]),
        spread=float(row["spread"]),
        under=row["under"],
    )


def future(product: Product, year: int, month: int, index: Instrument | None) -> Instrument:
    """Make the contract of one month; ``index`` is the underlying index where there is one."""
    last = product.rule(year, month)
    expires = product.calendar.epoch(last, product.last_minutes)
    local = f"{product.trading_class}{expiries.MONTH_CODES[month - 1]}{year % 10}"
    contract = Contract.create(
        secType="FUT",
        conId=ids.future(product.number, year, month),
        symbol=product.symbol,
        lastTradeDateOrContractMonth=f"{last:%Y%m%d}",
        multiplier=product.multiplier,
        exchange=product.exchanges[0],
        currency=product.currency,
        localSymbol=local,
        tradingClass=product.trading_class,
    )
    listing = Listing(
        long_name=product.name,
        market_name=product.trading_class,
        order_types=ORDER_TYPES,
        valid_exchanges=product.exchanges[0],
        contract_month=f"{year}{month:02}",
        last_trade_time=product.last_time,
    )
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=product.calendar,
        rule=rules.BY_STEP[product.tick],
        pricing=Spot(product.root, 1.0, product.carry, expires),
        listing=listing,
        liquidity=Liquidity(product.volume, product.spread, 10.0),
        commission_class=f"future_{product.exchanges[0].lower()}",
        multiplier=float(product.multiplier),
        price_magnifier=product.magnifier,
        volatility=sigma(product.root),
        underlying=index,
        expiry=last,
        expires=expires,
        listed=max(HISTORY_BEGIN, expires - 86400.0 * max(LISTED_DAYS, 400 * product.listed / len(product.months))),
        routes=frozenset(product.exchanges),
    )


def continuous(product: Product, front: Instrument) -> Instrument:
    """Make the continuous future that stands for ``front`` now: its conId and prices, before that the fronts of old."""
    contract = Contract.recreate(front.contract)
    contract.secType = "CONTFUT"
    rolls = []
    first = utc(HISTORY_BEGIN).date()
    for _, _, last in expiries.months(product.months, first, 12 * 200, product.rule):
        if front.expiry is None or last >= front.expiry:
            break
        rolled = last - timedelta(days=ROLL_DAYS - 1)  # the first trading day of the next front, see Product.front
        until = product.calendar.epoch(rolled, product.calendar.trading[0][0])
        rolls.append((until, product.calendar.epoch(last, product.last_minutes)))
    pricing = Spot(product.root, 1.0, product.carry, front.expires, tuple(rolls))
    return replace(front, contract=contract, pricing=pricing, listed=HISTORY_BEGIN)
