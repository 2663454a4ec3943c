"""Instruments that stand on a row of a data file: stocks, ETFs, forex, indices, CFDs, crypto, bonds, funds, metals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from ibkit.model import Contract
from ibkit.model.contract import FundAssetType, FundDistributionPolicyIndicator
from ibkit.paper.instruments import ids, rules
from ibkit.paper.instruments.calendar import CALENDARS
from ibkit.paper.instruments.instrument import Instrument, Liquidity, Listing, Prints
from ibkit.paper.instruments.pricing import Factor, Root, Spot
from ibkit.paper.instruments.roots import root, scaled, sigma
from ibkit.paper.instruments.tables import Row, number, rows

# The first moment of history: nothing is older.
HISTORY_BEGIN = datetime(2005, 1, 3, 5, tzinfo=UTC).timestamp()

# What TWS answers to for a US stock; the first is the route users write.
US_EXCHANGES = (
    "SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,NASDAQ,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,PEARL,NYSENAT,LTSE,MEMX,PSX"
)
# Order types, times in force and attributes, in the words of ContractDetails.orderTypes.
ORDER_TYPES = (
    "ACTIVETIM,ADJUST,ALLOC,AVGCOST,BASKET,COND,CONDORDER,DAY,GAT,GTC,GTD,IOC,LIT,LMT,LOC,MIT,MKT,MOC,MTL,OCA,OPG,"
    "REL,STP,STPLMT,TRAIL,TRAILLIT,TRAILLMT,TRAILMIT,WHATIF"
)
_STOCK_VENUES = {
    # exchange: (valid exchanges, calendar, market rule, magnifier, trading class, commission class)
    "IBIS": ("SMART,IBIS,FWB,SWB,GETTEX", "XETRA", rules.XETRA, 1, "XETRA", "stock_europe"),
    "LSE": ("SMART,LSE,LSEETF,BATEUK,CHIXUK", "LONDON", rules.LONDON, 100, "SET1", "stock_london"),
    "NEOE": ("SMART,NEOE,TSE,CHIXCA", "TORONTO", rules.US_STOCK, 1, "NEOE", "stock_canada"),
}
_US_VENUE = (US_EXCHANGES, "US_STOCK", rules.US_STOCK, 1, "", "stock_us")


def spots() -> Iterator[Instrument]:
    """Yield all of them."""
    for row in rows("stocks"):
        stock = _stock(row)
        yield stock
        if row["currency"] == "USD":
            yield _stock_cfd(stock)
    yield from map(_forex, rows("forex"))
    yield from map(_other, rows("others"))
    yield from map(_bond, rows("bonds"))
    yield from map(_fund, rows("funds"))


def _routes(exchanges: str) -> frozenset[str]:
    names = frozenset(exchanges.replace(" ", ",").split(","))
    return names | {"ISLAND"} if "NASDAQ" in names else names


def _stock(row: Row) -> Instrument:
    symbol, exchange = row["symbol"], row["exchange"]
    valid, calendar, rule, magnifier, trading_class, commission = _STOCK_VENUES.get(exchange, _US_VENUE)
    price_root, scale = scaled(row["root"] or symbol)
    price = price_root.base * scale
    contract = Contract.create(
        secType="STK",
        conId=int(row["con_id"] or ids.hashed("STK", symbol, exchange, row["currency"])),
        symbol=symbol,
        exchange="SMART",
        primaryExchange=exchange,
        currency=row["currency"],
        localSymbol=symbol,
        tradingClass="NMS" if exchange == "NASDAQ" else trading_class or symbol,
    )
    volume = float(row["volume"])
    # Big names quote one tick wide below 150, about one basis point above; small ones wider.
    width = max(1.0, price * (1e-4 if volume > 2e6 else 4e-4) / rule.increment(price))
    listing = Listing(
        long_name=row["name"],
        market_name=contract.tradingClass,
        industry=row["industry"],
        category=row["category"],
        subcategory=row["subcategory"],
        stock_type=row["type"],
        order_types=ORDER_TYPES,
        valid_exchanges=valid,
        isin=row["isin"],
    )
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=CALENDARS[calendar],
        rule=rule,
        pricing=Spot(price_root, scale),
        listing=listing,
        liquidity=Liquidity(volume, width, 100.0),
        commission_class=commission,
        price_magnifier=magnifier,
        min_size=0.0001 if exchange in ("NYSE", "NASDAQ", "ARCA") else 1.0,
        lot=0.0001 if exchange in ("NYSE", "NASDAQ", "ARCA") else 1.0,
        volatility=sigma(price_root),
        listed=HISTORY_BEGIN,
        routes=_routes(valid),
    )


def _stock_cfd(stock: Instrument) -> Instrument:
    symbol = stock.contract.symbol
    contract = Contract.create(
        secType="CFD",
        conId=ids.hashed("CFD", symbol, "SMART", "USD"),
        symbol=symbol,
        exchange="SMART",
        currency="USD",
        localSymbol=symbol,
        tradingClass=symbol,
    )
    listing = Listing(
        long_name=stock.listing.long_name,
        market_name=symbol,
        industry=stock.listing.industry,
        category=stock.listing.category,
        subcategory=stock.listing.subcategory,
        order_types=ORDER_TYPES,
        valid_exchanges="SMART",
    )
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=stock.calendar,
        rule=stock.rule,
        pricing=stock.pricing,
        listing=listing,
        liquidity=stock.liquidity,
        commission_class="cfd_stock",
        prints=Prints.QUOTES,
        volatility=stock.volatility,
        underlying=stock,
        listed=HISTORY_BEGIN,
        routes=frozenset({"SMART"}),
    )


def _forex(row: Row) -> Instrument:
    pair = row["pair"]
    contract = Contract.create(
        secType="CASH",
        conId=int(row["con_id"] or ids.hashed("CASH", pair)),
        symbol=pair[:3],
        exchange="IDEALPRO",
        currency=pair[3:],
        localSymbol=f"{pair[:3]}.{pair[3:]}",
        tradingClass=f"{pair[:3]}.{pair[3:]}",
    )
    price_root = root(pair)
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=CALENDARS["FX"],
        rule=rules.BY_STEP[float(row["tick"])],
        pricing=Spot(price_root),
        listing=Listing(
            long_name=f"{pair[:3]}.{pair[3:]} spot currency pair",
            market_name=contract.tradingClass,
            order_types=ORDER_TYPES,
            valid_exchanges="IDEALPRO",
        ),
        liquidity=Liquidity(0.0, float(row["spread"]), 1_000_000.0),
        commission_class="forex",
        prints=Prints.QUOTES,
        min_size=1.0,
        lot=0.01,
        volatility=sigma(price_root),
        listed=HISTORY_BEGIN,
        routes=frozenset({"IDEALPRO", "SMART"}),
    )


def _other(row: Row) -> Instrument:
    kind, symbol = row["sec_type"], row["symbol"]
    exchanges = row["exchanges"].split()
    contract = Contract.create(
        secType=kind,
        conId=int(row["con_id"] or ids.hashed(kind, symbol, exchanges[0], row["currency"])),
        symbol=symbol,
        exchange=exchanges[0],
        currency=row["currency"],
        localSymbol=f"{symbol}.{row['currency']}" if kind == "CRYPTO" else symbol,
        tradingClass=symbol,
    )
    price_root = root(row["root"])
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=CALENDARS[row["calendar"]],
        rule=rules.BY_STEP[float(row["tick"])],
        pricing=Spot(price_root),
        listing=Listing(
            long_name=row["name"],
            market_name=symbol,
            order_types=ORDER_TYPES if kind != "IND" else "",
            valid_exchanges=",".join(exchanges),
        ),
        liquidity=Liquidity(
            float(row["volume"]),
            float(row["spread"]),
            1.0 if kind == "CRYPTO" else 100.0,
            float(row["min_size"]) if kind == "CRYPTO" else 1.0,
        ),
        commission_class=row["commission"],
        prints=Prints(row["prints"]),
        min_size=float(row["min_size"]),
        lot=float(row["lot"]),
        volatility=sigma(price_root),
        listed=HISTORY_BEGIN,
        routes=frozenset(exchanges),
    )


def _bond(row: Row) -> Instrument:
    identity = f"BOND {row['cusip']}"
    price_root = Root(identity, float(row["price"]), ((Factor(identity, float(row["sigma"]), "us"), 1.0),))
    contract = Contract.create(
        secType="BOND",
        conId=ids.hashed("BOND", row["cusip"]),
        symbol=row["symbol"],
        lastTradeDateOrContractMonth=row["maturity"],
        exchange="SMART",
        currency="USD",
        localSymbol=row["cusip"],
        tradingClass=row["symbol"],
        description=row["name"],
    )
    expires = CALENDARS["US_BOND"].epoch(_day(row["maturity"]), 0)
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=CALENDARS["US_BOND"],
        rule=rules.BY_STEP[0.001],
        pricing=Spot(price_root),
        listing=Listing(
            long_name=row["name"],
            market_name=row["symbol"],
            order_types=ORDER_TYPES,
            valid_exchanges="SMART",
            isin=row["isin"],
            extra=(
                ("cusip", row["cusip"]),
                ("coupon", number(row, "coupon")),
                ("maturity", row["maturity"]),
                ("issueDate", row["issued"]),
                ("ratings", row["ratings"]),
                ("couponType", "FIXED"),
                ("bondType", "CORP" if row["ratings"] else "GOVT"),
                ("descAppend", row["name"]),
            ),
        ),
        liquidity=Liquidity(0.0, 60.0, 1000.0),
        commission_class="bond",
        prints=Prints.QUOTES,
        multiplier=10.0,  # one bond of 1000 face, quoted in percent
        volatility=sigma(price_root),
        expiry=_day(row["maturity"]),
        expires=expires,
        listed=CALENDARS["US_BOND"].epoch(_day(row["issued"]), 0),
        routes=frozenset({"SMART"}),
    )


def _fund(row: Row) -> Instrument:
    price_root, scale = scaled(row["root"])
    contract = Contract.create(
        secType="FUND",
        conId=ids.hashed("FUND", row["symbol"]),
        symbol=row["symbol"],
        exchange="FUNDSERV",
        currency="USD",
        localSymbol=row["symbol"],
        tradingClass=row["symbol"],
    )
    return Instrument(
        con_id=contract.conId,
        contract=contract,
        calendar=CALENDARS["US_FUND"],
        rule=rules.US_STOCK,
        pricing=Spot(price_root, scale),
        listing=Listing(
            long_name=row["name"],
            market_name=row["symbol"],
            order_types="MKT,DAY,WHATIF",
            valid_exchanges="FUNDSERV",
            extra=(
                ("fundName", row["name"]),
                ("fundFamily", row["family"]),
                ("fundMinimumInitialPurchase", row["minimum"]),
                ("fundDistributionPolicyIndicator", FundDistributionPolicyIndicator[row["policy"]]),
                ("fundAssetType", FundAssetType[row["asset"]]),
            ),
        ),
        liquidity=Liquidity(),
        commission_class="fund",
        prints=Prints.VALUE,
        lot=0.001,
        min_size=0.001,
        volatility=sigma(price_root),
        listed=HISTORY_BEGIN,
        routes=frozenset({"FUNDSERV"}),
    )


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))
