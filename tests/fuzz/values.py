"""Random messages from a seeded generator: like real ones in most of their values, extreme in some.

Must not know bytes; ``mutation.py`` spoils those.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER, Contract, TagValue
from ibkit.wire.interpreter.values import build
from ibkit.wire.numbers import UNSET_TEXT
from ibkit.wire.shapes import Child, Choice, Leaf, Shape, shape_of
from ibkit.wire.table import table

# Words that decide what a message means; anything else in their place is refused at the door.
WORDS: dict[str, tuple[str, ...]] = {
    "symbol": ("AAPL", "SPY", "EUR", "ES", "SPX", "BTC", "IBM", "XAUUSD", "A", ""),
    "secType": ("STK", "STK", "CASH", "FUT", "CONTFUT", "OPT", "FOP", "IND", "CFD", "CRYPTO", "BOND", "FUND", "CMDTY",
                "BAG", "NEWS", ""),
    "exchange": ("SMART", "SMART", "NASDAQ", "IDEALPRO", "CME", "CBOE", "PAXOS", "IBKRATS", ""),
    "primaryExchange": ("", "NASDAQ"),
    "currency": ("USD", "USD", "EUR", ""),
    "right": ("", "C", "P", "?"),
    "lastTradeDateOrContractMonth": ("", "20240216", "202403", "20240315 08:30:00 US/Central"),
    "action": ("BUY", "SELL", "SSHORT"),
    "orderType": ("LMT", "MKT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT", "PEG MID", "PEG BENCH",
                  "PEG BEST", "VOL", "MOC", "LOC", "REL", "MIDPRICE", ""),
    "tif": ("DAY", "GTC", "IOC", "FOK", "GTD", "OPG", ""),
    "goodAfterTime": ("", "20240110 10:30:00 US/Eastern"),
    "goodTillDate": ("", "20240110-20:00:00"),
    "account": ("DU1234567", "", "ALL", "DU7654321"),
    "acctCode": ("DU1234567", ""),
    "accountName": ("DU1234567",),
    "group": ("All",),
    "groupName": ("All",),
    "tags": ("NetLiquidation,BuyingPower", "$LEDGER:ALL", ""),
    "hedgeType": ("", "D", "B", "F", "P"),
    "ocaGroup": ("", "", "oca1"),
    "durationStr": ("1 D", "3600 S", "2 W", "1 Y", "1 M", "60 S"),
    "barSizeSetting": ("1 min", "5 secs", "1 hour", "1 day", "1 week", "1 secs", "1 month"),
    "whatToShow": ("TRADES", "MIDPOINT", "BID_ASK", "ADJUSTED_LAST", "SCHEDULE", "HISTORICAL_VOLATILITY"),
    "endDateTime": ("", "20240109 16:00:00 US/Eastern", "20240109-21:00:00"),
    "startDateTime": ("", "20240109-15:00:00"),
    "tickType": ("Last", "AllLast", "BidAsk", "MidPoint"),
    "genericTickList": ("", "233", "100,101,104,106,165,221,225,233,236,258,293,294,295,318,411,456,586,588,595"),
    "timePeriod": ("3 days", "1 week"),
    "instrument": ("STK",),
    "locationCode": ("STK.US.MAJOR", "STK.US"),
    "scanCode": ("TOP_PERC_GAIN", "MOST_ACTIVE", "HOT_BY_VOLUME"),
    "status": ("Submitted", "PreSubmitted", "Filled", "Cancelled", "Inactive", "PendingCancel", "ApiCancelled"),
    "side": ("BOT", "SLD"),
    "execId": ("0000e0d5.6490b1ea.01.01", "0000e0d5.6490b1ea.01.02", "0000e0d5.6490b1eb.01.01"),
    "time": ("20240110 10:00:00 US/Eastern", "20240110  10:00:00", "20240110-15:00:00", "1704898800"),
    "date": ("20240110", "1704898800", "20240110 10:00:00 US/Eastern"),
    "startDateStr": ("20240110-15:00:00",),
    "headTimestamp": ("20240110-15:00:00", "1704898800"),
    "accountsList": ("DU1234567", "DU1234567,DU7654321,"),
    "key": ("NetLiquidation", "AccruedCash", "AccountReady"),
    "value": ("true", "1234.56", "1", ""),
    "bboExchange": ("9c0001",),
    "providerCode": ("BRFG",),
    "providerCodes": ("BRFG+DJNL",),
    "pattern": ("App", "EUR"),
    "algoStrategy": ("", "", "Vwap", "Adaptive"),
    "deltaNeutralOrderType": ("", "", "MKT", "None"),
    "initMarginChange": (UNSET_TEXT, "100.0", "?", ""),
    "regulatorySnapshot": ("",),
}  # fmt: skip

FREQUENT_IDS = tuple(range(1, 33))  # what both sides of a fuzzed conversation use for their requests and orders
EXTREME_INTS = (0, -1, 1, 2, UNSET_INTEGER, -(2**31), 2**31 - 2, 10225, 1101, 162, 326, 202)
EXTREME_FLOATS = (0.0, -1.0, 1e-320, 1e308, -1e308, UNSET_DOUBLE, 0.1, 1e15, -0.0, 2147483647.0, 9.007199254740993e15)
TEXTS = (
    "",
    "x",
    "1",
    "-1",
    "?",
    "\t",
    "a b",
    "1e400",
    "NaN",
    "é",
    "ſ",
    "\\u0041",
    "\\ud83d",
    "日本語 текст",
    "A" * 300,
)


def text(rng: random.Random, name: str) -> str:
    """Return a text that suits a field of that name, mostly."""
    words = WORDS.get(name)
    if words and rng.random() < 0.93:
        return rng.choice(words)
    return rng.choice(TEXTS) if rng.random() < 0.3 else ""


def whole(rng: random.Random, name: str) -> int:
    """Return a whole number; ids are mostly such as were used before."""
    if name.endswith("Id") and rng.random() < 0.9:
        return rng.choice(FREQUENT_IDS)
    return rng.randint(0, 6) if rng.random() < 0.7 else rng.choice(EXTREME_INTS)


def double(rng: random.Random) -> float:
    """Return a price, a quantity, or something at the edge."""
    return float(round(rng.uniform(0, 300), 2)) if rng.random() < 0.8 else rng.choice(EXTREME_FLOATS)


def leaf(rng: random.Random, name: str, node: Leaf) -> Any:
    """Return a value of a kind that can be encoded."""
    if node.many:
        return [item(rng, name, node) for _ in range(rng.randint(0, 3))]
    if node.unset in (UNSET_DOUBLE, UNSET_INTEGER) and rng.random() < 0.5:
        return node.unset
    return item(rng, name, node)


def item(rng: random.Random, name: str, node: Leaf) -> Any:
    """Return a value of a kind, one of a list of them too."""
    kind = node.word
    if kind in ("str", "escaped"):
        found = text(rng, name)
        return found if kind == "escaped" or found.isascii() else ""
    if kind in ("str~", "int~", "bool~", "tri") and rng.random() < 0.4:
        return None
    if kind == "str~":
        return text(rng, name)
    if kind == "int/str":
        return rng.randint(0, 20240110)
    if kind == "int/bool":
        return rng.randint(0, 1)
    if kind.startswith(("int", "long")):
        return whole(rng, name)
    if kind == "quantity" and rng.random() < 0.1:
        return Decimal(rng.randint(-(10**20), 10**20)).scaleb(-8)
    if kind.startswith("float") or kind in ("strike", "size", "quantity"):
        return double(rng)
    if kind == "conjunction":
        return rng.choice("ao")
    if kind == "amount":
        return rng.choice((UNSET_TEXT, repr(double(rng))))
    if kind == "multiplier":
        return rng.choice(("", "100", "50"))
    if kind == "tags":
        return [TagValue(tag, text(rng, tag)) for tag in rng.sample(("a", "b", "startTime"), rng.randint(0, 2))]
    if kind.startswith("bool") or kind in ("truth", "tri"):
        return rng.random() < 0.3
    return rng.choice(list(node.kind.enum))  # type: ignore[attr-defined]  # the enums


def values(rng: random.Random, shape: Shape) -> dict[str, Any]:
    """Return values for the fields of a shape; large records get a few of theirs, the others stay as they are."""
    found: dict[str, Any] = {}
    few = len(shape.fields) > 12
    for name in sorted(shape.fields, key=lambda name: isinstance(shape.fields[name], Child)):  # choices come last
        node = shape.fields[name]
        part = isinstance(node, Child) and shape.is_tuple
        if few and not part and name not in WORDS and rng.random() < 0.85:
            continue
        if isinstance(node, Leaf):
            found[name] = leaf(rng, name, node)
        elif isinstance(node.shape, Choice):
            cases = node.shape.cases
            if node.many:
                picked = [rng.choice(list(cases)) for _ in range(rng.randint(0, 2))]
                found[name] = [build(cases[by], values(rng, cases[by]) | {node.shape.by: by}) for by in picked]
            else:
                by = rng.choice(list(cases))
                found[node.shape.by], found[name] = by, build(cases[by], values(rng, cases[by]))
        elif node.many:
            found[name] = [build(node.shape, values(rng, node.shape)) for _ in range(rng.randint(0, 3))]
        elif not node.nullable or node.shape.cls is Contract or rng.random() < 0.3:
            found[name] = build(node.shape, values(rng, node.shape))
    return found


def message(rng: random.Random, name: str) -> Any:
    """Return a random message of a name of the table."""
    shape = shape_of(name)
    return build(shape, values(rng, shape))


def names(requests: bool) -> list[str]:
    """Return the names of all messages of one direction."""
    return [message.name for message in table() if message.request is requests]
