"""ContractDetails of an instrument as of a day. Must not know how instruments are found."""

from __future__ import annotations

from datetime import date

from ibkit.model import ContractDetails, TagValue
from ibkit.model.base import dataclassAsDict
from ibkit.model.contract import Contract
from ibkit.paper.instruments.instrument import Instrument

# TWS shows the hours of today and the next days.
HOURS_DAYS = 6
_SIZE_HINT = {"STK": 100.0, "CASH": 25_000.0}


def details(instrument: Instrument, today: date, exchange: str = "") -> ContractDetails:
    """Return fresh details; ``exchange`` is the route asked for, kept when it is one of the valid exchanges."""
    listing, calendar = instrument.listing, instrument.calendar
    venues = listing.valid_exchanges.split(",")
    contract = Contract.create(**dataclassAsDict(instrument.contract))
    if exchange in venues:
        contract.exchange = exchange
    if instrument.expiry:
        contract.lastTradeDate = f"{instrument.expiry:%Y%m%d}"
    under = instrument.underlying
    found = ContractDetails(
        contract=contract,
        marketName=listing.market_name,
        minTick=instrument.rule.min_tick,
        orderTypes=listing.order_types,
        validExchanges=listing.valid_exchanges,
        priceMagnifier=instrument.price_magnifier,
        underConId=under.con_id if under else 0,
        longName=listing.long_name,
        contractMonth=listing.contract_month,
        industry=listing.industry,
        category=listing.category,
        subcategory=listing.subcategory,
        timeZoneId=calendar.zone,
        tradingHours=calendar.text(today, HOURS_DAYS),
        liquidHours=calendar.text(today, HOURS_DAYS, regular=True),
        aggGroup=1 if instrument.sec_type == "STK" else 2147483647,
        underSymbol=_under_symbol(instrument),
        underSecType=_under_kind(instrument),
        marketRuleIds=",".join([str(instrument.rule.id)] * len(venues)),
        secIdList=[TagValue("ISIN", listing.isin)] if listing.isin else [],
        realExpirationDate=f"{instrument.expiry:%Y%m%d}" if instrument.expiry else "",
        lastTradeTime=listing.last_trade_time,
        stockType=listing.stock_type,
        minSize=instrument.min_size,
        sizeIncrement=instrument.lot,
        suggestedSizeIncrement=_SIZE_HINT.get(instrument.sec_type, instrument.lot),
    )
    for name, value in listing.extra:
        setattr(found, name, value)
    return found


def _under_symbol(instrument: Instrument) -> str:
    if instrument.sec_type in ("FUT", "CONTFUT"):
        return instrument.contract.symbol
    under = instrument.underlying
    return under.contract.localSymbol if under and under.sec_type == "FUT" else under.contract.symbol if under else ""


def _under_kind(instrument: Instrument) -> str:
    if instrument.sec_type in ("FUT", "CONTFUT"):
        return "IND"
    return instrument.underlying.sec_type if instrument.underlying else ""
