"""Whether the broker takes an order: TWS's checks, in TWS's order, with TWS's codes.

Pure functions from an order to a ``Refusal`` or to an order in normal form. Must not know the order book; what a
modification may change and what an account can carry is checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

from ibkit.model import Contract, MarginCondition, Order, PriceCondition
from ibkit.model.values import is_unset
from ibkit.paper.broker import hours, rules, texts
from ibkit.paper.broker.conditions import BadCondition, Conditions
from ibkit.paper.broker.live import copy_order, price_of
from ibkit.paper.broker.marks import Marks
from ibkit.paper.broker.models import Models
from ibkit.paper.broker.rules import Trigger, TypeRule
from ibkit.paper.broker.texts import Refusal
from ibkit.paper.instruments import Catalogue, Instrument, Prints


class Ground(NamedTuple):
    """What the checks need to know."""

    catalogue: Catalogue
    marks: Marks
    models: Models
    accounts: Sequence[str]


class Taken(NamedTuple):
    """An order the checks let through, in normal form, and warnings to send along."""

    instrument: Instrument
    order: Order
    total: float
    warnings: tuple[Refusal, ...]


def check(ground: Ground, contract: Contract, raw: Order, t: float) -> Taken | Refusal:
    """Return an order in normal form, or why it is refused."""
    instrument = find(ground.catalogue, contract)
    if isinstance(instrument, Refusal):
        return instrument
    if not ground.marks.knows(instrument.currency):
        return texts.NOT_TRADABLE
    order = normal(raw)
    if refusal := _kind(ground.models, instrument, order) or _account(ground.accounts, order):
        return refusal
    total = _quantity(ground.marks, instrument, order, t)
    if isinstance(total, Refusal):
        return total
    for refusal in (
        _size(instrument, contract, order, total),
        _prices(instrument, order),
        _times(instrument, order, t),
        _conditions(ground.catalogue, instrument, order),
    ):
        if refusal:
            return refusal
    order.totalQuantity = total if order.totalQuantity != total else order.totalQuantity
    return Taken(instrument, order, total, tuple(_warnings(instrument, order, total, t)))


def find(catalogue: Catalogue, contract: Contract) -> Instrument | Refusal:
    """Return the one instrument a contract means, or the error TWS answers with."""
    if contract.secType == "BAG" and not contract.comboLegs:
        return texts.NO_LEGS
    if not contract.exchange:
        return texts.invalid("Missing order exchange.")
    found = catalogue.find(contract)
    if not found:
        old = catalogue.by_con_id(contract.conId) if contract.conId and contract.secType != "BAG" else None
        if old is not None and old.expiry and old.expiry < catalogue.today:
            return texts.EXPIRED
        return texts.BAD_LEGS if contract.secType == "BAG" else texts.UNKNOWN
    if len(found) > 1:
        return texts.ambiguous(contract.symbol or contract.localSymbol)
    if found[0].sec_type in rules.NOT_TRADABLE or found[0].commission_class == "none":
        return texts.NOT_TRADABLE
    return found[0]


def normal(raw: Order) -> Order:
    """Return a copy with names in TWS's spelling and empty fields where TWS itself writes 'None' or '?'."""
    order = copy_order(raw)
    order.action = order.action.upper()
    order.orderType = rules.ALIASES.get(order.orderType.upper(), order.orderType.upper())
    order.tif = order.tif.upper() or "DAY"
    for name in ("deltaNeutralOrderType", "adjustedOrderType"):
        if getattr(order, name) == "None":
            setattr(order, name, "")
    return order


def _kind(models: Models, instrument: Instrument, order: Order) -> Refusal | None:
    """Order type, time in force, and attributes that are not simulated."""
    kind = order.orderType
    if order.action not in rules.ACTIONS:
        return texts.invalid("Invalid action")
    if kind in rules.NOT_SIMULATED or kind in models.refused:
        return texts.UNSUPPORTED
    rule = rules.TYPES.get(kind)
    if rule is None:
        return texts.invalid("Invalid order type was entered")
    if kind == "REL" and instrument.sec_type != "STK":
        return texts.REL_STOCKS
    if rule.kinds is not None and instrument.sec_type not in rule.kinds:
        return texts.UNSUPPORTED
    if instrument.prints is Prints.VALUE and kind != "MKT":
        return texts.UNSUPPORTED
    if order.hedgeType or not is_unset(order.scaleInitLevelSize):
        return texts.UNSUPPORTED
    if order.algoStrategy and order.algoStrategy != "Adaptive":
        return texts.ALGO
    return _tif(models, instrument, order, rule)


def _tif(models: Models, instrument: Instrument, order: Order, rule: TypeRule) -> Refusal | None:
    tif = order.tif
    if tif in rules.REFUSED_TIFS or tif in models.refused:
        return texts.TIF
    if tif not in rules.TIFS:
        return texts.invalid("Invalid time in force was entered")
    if rule.at_close and tif != "DAY":
        return texts.CLOSE_TIF
    if tif == "OPG" and (order.orderType not in rules.OPENING_TYPES or instrument.sec_type not in rules.OPENING_KINDS):
        return texts.TIF
    if tif in rules.IMMEDIATE and order.orderType not in rules.IMMEDIATE_TYPES:
        return texts.TIF
    if tif == "MINUTES" and (is_unset(order.duration) or order.duration <= 0):
        return texts.TIF
    return None


def _account(accounts: Sequence[str], order: Order) -> Refusal | None:
    if not order.account:
        if len(accounts) > 1:
            return texts.NO_ACCOUNT
        order.account = accounts[0]
    if order.account not in accounts:
        return texts.invalid(f"Invalid account code '{order.account}'")
    return None


def _quantity(marks: Marks, instrument: Instrument, order: Order, t: float) -> float | Refusal:
    """The size in units; an amount of money is turned into units at the price of the moment."""
    cash = price_of(order.cashQty)
    quantity = price_of(order.totalQuantity) or 0.0
    if not cash:
        return quantity
    if order.orderType not in rules.CASH_TYPES or instrument.sec_type not in rules.CASH_KINDS:
        return texts.CASH_QUANTITY
    price = price_of(order.lmtPrice) if order.orderType == "LMT" else marks.mark(instrument, t)
    if not price or price != price or quantity:
        return texts.CASH_QUANTITY
    units = cash * instrument.price_magnifier / (price * instrument.multiplier)
    return floor(units / instrument.lot + 1e-9) * instrument.lot


def _size(instrument: Instrument, contract: Contract, order: Order, total: float) -> Refusal | None:
    if not total:
        return texts.ZERO
    if total < 0:
        return texts.invalid("Invalid order size")
    if instrument.sec_type == "STK" and total != round(total):
        if instrument.lot >= 1:
            return texts.NO_FRACTIONS
        if contract.exchange.upper() != "SMART":
            return texts.FRACTION_SMART
        if order.orderType not in rules.FRACTION_TYPES:
            return texts.FRACTION_TYPE
    if total < instrument.min_size * (1 - 1e-9):
        return texts.TOO_SMALL
    steps = total / instrument.lot
    return texts.SIZE_STEP if abs(steps - round(steps)) > 1e-6 * max(1.0, abs(steps) ** 0.5) else None


def _prices(instrument: Instrument, order: Order) -> Refusal | None:
    rule = rules.TYPES[order.orderType]
    limit, stop = price_of(order.lmtPrice), price_of(order.auxPrice)
    combo = instrument.sec_type == "BAG"
    if rule.limit and (limit is None or (limit <= 0 and not combo)):
        return texts.PRICE
    if rule.trigger in (Trigger.STOP, Trigger.TOUCH) and (stop is None or (stop <= 0 and not combo)):
        return texts.STOP_PRICE if rule.trigger is Trigger.STOP else texts.TRIGGER_PRICE
    if rule.trigger is Trigger.TRAIL and (refusal := _trail(order, limit, stop)):
        return refusal
    if order.adjustedOrderType and (refusal := _adjusted(instrument, order)):
        return refusal
    for price in (limit if rule.limit or rule.cap else None, stop if rule.trigger is not Trigger.NONE else None):
        if price and not instrument.is_valid_price(price):
            return texts.TICK
    if order.triggerMethod not in rules.TRIGGER_METHODS:
        return texts.TRIGGER_METHOD
    return None


def _adjusted(instrument: Instrument, order: Order) -> Refusal | None:
    """A stop that becomes another order once the market has moved its way."""
    kind = order.adjustedOrderType
    if order.orderType not in rules.ADJUSTABLE or kind not in rules.ADJUSTED:
        return texts.UNSUPPORTED
    needed = [(order.triggerPrice, texts.TRIGGER_PRICE), (order.adjustedStopPrice, texts.ADJUSTED_STOP)]
    if kind in ("STP LMT", "TRAIL LIMIT"):
        needed.append((order.adjustedStopLimitPrice, texts.ADJUSTED_LIMIT))
    for value, refusal in needed:
        price = price_of(value)
        if not price:
            return refusal
        if not instrument.is_valid_price(price):
            return texts.TICK
    amount = price_of(order.adjustedTrailingAmount)
    return texts.ADJUSTED_AMOUNT if kind.startswith("TRAIL") and not (amount and amount > 0) else None


def _trail(order: Order, limit: float | None, amount: float | None) -> Refusal | None:
    percent = price_of(order.trailingPercent)
    if bool(amount and amount > 0) == bool(percent and 0 < percent < 100):
        return texts.TRAIL_OFFSET
    no_offset = order.orderType == "TRAIL LIMIT" and price_of(order.lmtPriceOffset) is None
    return texts.PRICE if no_offset and (limit is None or price_of(order.trailStopPrice) is None) else None


def _times(instrument: Instrument, order: Order, t: float) -> Refusal | None:
    try:
        if order.goodAfterTime:
            hours.start_of(order.goodAfterTime, instrument)
        if order.tif == "GTD" and (not order.goodTillDate or hours.end_of(order.goodTillDate, instrument, False) <= t):
            return texts.GTD
    except hours.BadTime:
        return texts.TIME
    return None


def _conditions(catalogue: Catalogue, instrument: Instrument, order: Order) -> Refusal | None:
    if not order.conditions:
        return None
    rule = rules.TYPES[order.orderType]
    allowed = rule.cancel_on_condition if order.conditionsCancelOrder else rule.submit_on_condition
    if not allowed:
        return texts.CONDITIONAL
    for condition in order.conditions:
        if isinstance(condition, PriceCondition) and condition.triggerMethod not in rules.TRIGGER_METHODS:
            return texts.TRIGGER_METHOD
        level = getattr(condition, "price", getattr(condition, "changePercent", 0.0))
        if price_of(level) is None:
            return texts.invalid("Invalid condition")
        if isinstance(condition, MarginCondition) and not 0 <= condition.percent <= 100:
            return texts.invalid("Invalid margin condition")
    try:
        Conditions(order.conditions, instrument, catalogue, order.conditionsIgnoreRth)
    except hours.BadTime:
        return texts.TIME
    except BadCondition as error:
        return texts.invalid(str(error))
    return None


def name_of(instrument: Instrument) -> str:
    """Return an instrument as TWS names it in messages: ``AAPL NASDAQ.NMS``."""
    contract = instrument.contract
    if instrument.sec_type == "CASH":
        return f"{contract.symbol}.{contract.currency} Forex"
    if instrument.sec_type == "STK":
        return f"{contract.symbol} {contract.primaryExchange or contract.exchange}.{contract.tradingClass}"
    return f"{contract.localSymbol or contract.symbol} {contract.exchange}"


def _warnings(instrument: Instrument, order: Order, total: float, t: float) -> list[Refusal]:
    found = []
    rule = rules.TYPES[order.orderType]
    regular = hours.needs_regular(instrument, order.outsideRth, rule.regular_only)
    if order.outsideRth and regular:
        found.append(texts.WARN_OUTSIDE_RTH)
    texts_given = (order.goodAfterTime, order.goodTillDate if order.tif == "GTD" else "")
    if any(text and not hours.moment(text, instrument)[1] for text in texts_given):
        found.append(texts.WARN_ZONE)
    opens = hours.next_open(instrument, t, regular)
    if opens > t:
        moment = hours.text(opens, instrument)
        found.append(
            texts.order_message(
                order.action,
                total,
                name_of(instrument),
                f"Your order will not be placed at the exchange until {moment}.",
            )
        )
    if instrument.sec_type == "CASH":
        symbol = instrument.contract.symbol
        if total < rules.IDEALPRO_MINIMUM:
            found.append(
                texts.order_message(
                    order.action,
                    total,
                    name_of(instrument),
                    f"Your order size is below the {symbol} {rules.IDEALPRO_MINIMUM:.0f} IdealPro minimum and will be "
                    "routed as an odd lot order.",
                )
            )
    return found
