"""Differential tests against the official decoder: it reads from our server's bytes what we put into them."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.const import UNSET_DECIMAL, UNSET_LONG
from ibapi.tag_value import TagValue as IbTagValue

from ibkit.model import UNSET_DOUBLE, UNSET_INTEGER, TagValue
from ibkit.wire import Codec, Role
from ibkit.wire import messages as m
from ibkit.wire.shapes import Leaf, shape_of
from ibkit.wire.table import table
from tests.wire.official import flat_official, official_calls
from tests.wire.strategies import flat, messages, travelling
from tests.wire.test_laws import SETTINGS, versions_of

ANSWERS = [
    message.name
    for message in table()
    if not message.request and not message.name.endswith("CONFIG_RESPONSE") and message.name != "SMART_COMPONENTS"
]
# Names of the official callbacks' arguments, where ours differ.
THEIRS = {
    "commission": "commissionAndFees",
    "minCommission": "minCommissionAndFees",
    "maxCommission": "maxCommissionAndFees",
    "commissionCurrency": "commissionAndFeesCurrency",
    "exch": "exchange",
    "conjunction": "isConjunctionConnection",
    "count_": "count",
}
# What the official decoder does not hand on.
NOT_DELIVERED = {
    "includeExpired", "secIdType", "secId", "transmit", "scaleTable", "algoId", "orderMiscOptions",
    "overridePercentageConstraints", "advancedErrorOverride", "manualOrderTime", "mifid2DecisionMaker",
    "mifid2DecisionAlgo", "mifid2ExecutionTrader", "mifid2ExecutionAlgo", "faProfile", "eTradeOnly", "firmQuoteOnly",
    "nbboPriceCap", "mdSizeMultiplier", "lastPricePrecision", "lastSizePrecision", "startDateStr", "endDateStr",
    "optExerciseOrLapseType", "fundDistributionPolicyIndicator", "fundAssetType", "maturity", "lastTradeTime",
}  # fmt: skip


def normal(value: Any) -> Any:
    """Return a value in a form in which ours and theirs are equal; None for everything that is not told."""
    if isinstance(value, Decimal) and value == UNSET_DECIMAL:
        return None
    if isinstance(value, Enum):
        return value.value[0] if isinstance(value.value, tuple) else value.value
    if isinstance(value, list | set | tuple):
        items = list(value)
        if items and isinstance(items[0], TagValue | IbTagValue):
            return sorted((pair.tag, pair.value) for pair in items)
        return sorted(set(items)) if isinstance(value, set) or all(isinstance(x, str | float) for x in items) else items
    if value is None or value != value or value in (UNSET_DOUBLE, UNSET_INTEGER, UNSET_LONG):
        return None
    if isinstance(value, int | float | Decimal):
        return float(value)
    return value


def equal(field: str, ours: Any, theirs: Any) -> bool:
    if field.endswith("conjunction"):
        return (ours == "a") == theirs
    if ours == "" and theirs == "None":
        return True  # how its records of reasons show that nothing came
    if isinstance(theirs, str) and isinstance(ours, bool):
        return (theirs == "true") == ours  # handed on as the word it is
    a, b = normal(ours), normal(theirs)
    if a == b or (not a and not b):
        return True
    # Amounts and multipliers go through a double and come out as another text of the same number.
    return isinstance(a, str) and isinstance(b, str) and number(a) is not None and number(a) == number(b)


def number(text: str) -> float | None:
    try:
        found = float(text or UNSET_DOUBLE)
    except ValueError:
        return None
    return round(found, 8) if abs(found) < 1e9 else found


def official_values(name: str, calls: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return what the callbacks told, under our names."""
    if name == "HISTORICAL_DATA":
        calls = [call for call in calls if call[0] == "historicalData"]
        bars = [arguments["bar"] for _, arguments in calls]
        return flat_official({"reqId": calls[0][1]["reqId"] if calls else None, "bars": bars})
    if name == "SCANNER_DATA":
        rows = [arguments for call, arguments in calls if call == "scannerData"]
        found = flat_official(calls[-1][1])
        for index, row in enumerate(rows):
            found.update(flat_official(row, f"rows[{index}]."))
        return found
    found = flat_official(calls[0][1])
    if name == "TICK_PRICE":
        attrib = calls[0][1]["attrib"]
        found["attrMask"] = attrib.canAutoExecute | attrib.pastLimit << 1 | attrib.preOpen << 2
        if len(calls) > 1:
            found["size"] = calls[1][1]["size"]
    if name == "EXECUTION_DATA":
        found["time"] = found.pop("execution.time")
    renamed = {}
    for field, value in found.items():
        field = re.sub(r"\.?tickAttrib\w+\.", lambda match: "." if match[0][0] == "." else "", field)
        if name == "HISTOGRAM_DATA":
            field = field.replace("].size", "].count")
        if name == "TICK_BY_TICK" and field not in ("reqId", "tickType"):
            names = {"bidPrice": "priceBid", "askPrice": "priceAsk", "bidSize": "sizeBid", "askSize": "sizeAsk"}
            field = "tick." + (names | {"midPoint": "price"}).get(field, field)
        renamed[field] = value
    return renamed


def their_name(field: str) -> str:
    return ".".join(THEIRS.get(part, part) for part in field.split("."))


def is_told(field: str, value: Any, message: Any) -> bool:
    """Tell whether the official decoder hands a value on at all."""
    plain = re.sub(r"\[\d+\]", "", field).split(".")
    if plain[-1] in NOT_DELIVERED:
        return False
    if isinstance(message, m.TickOptionComputation) and isinstance(value, float) and value < 0:
        return False  # -1, -2 and less are not computed
    if isinstance(message, m.TickPrice):
        return field != "size" or message.tickType in (1, 2, 4, 66, 67, 68)
    if isinstance(message, m.TickByTick) and (field == "tickType" or message.tickType == 4):
        return field not in ("tickType", "tick.size")
    if isinstance(message, m.BondContractData) and plain[-1] == "lastTradeDateOrContractMonth":
        return False  # in protobuf it leaves the maturity there too, in text it does not
    order = getattr(message, "order", None)
    if order is not None:
        if plain[-1] in ("hedgeParam", "hedgeMaxSize") and not order.hedgeType:
            return False
        if plain[-1] == "algoParams" and not order.algoStrategy:
            return False
    return not field.endswith("condType")


@pytest.mark.parametrize("name", ANSWERS)
@SETTINGS
@given(data=st.data())
def test_the_official_decoder_reads_what_a_server_sends(name: str, data: st.DataObject) -> None:
    version = data.draw(versions_of(name))
    message = data.draw(messages(name, plain=True))
    if name == "TICK_PRICE":
        message = message._replace(attrMask=message.attrMask & 7)
    frame = Codec(Role.SERVER, version).encode(message)
    calls = official_calls(frame, version)
    if not calls or (name == "HISTORICAL_DATA" and not message.bars):
        assert getattr(message, "tickType", None) == -1 or name == "HISTORICAL_DATA"
        return
    told = official_values(name, calls)
    travelled = travelling(name, message, version)
    for field, value in flat(message, shape_of(name)).items():
        if field in travelled and is_told(field, value, message):
            theirs = told.get(their_name(field), told.get(field, KeyError))
            assert theirs is not KeyError, (field, value, sorted(told))
            assert equal(field, value, theirs), (field, value, theirs)


SIGNATURES = (
    "ACCT_VALUE", "ACCT_UPDATE_TIME", "NEWS_BULLETINS", "MANAGED_ACCTS", "RECEIVE_FA", "SCANNER_PARAMETERS",
    "TICK_STRING", "TICK_EFP", "FUNDAMENTAL_DATA", "ACCT_DOWNLOAD_END", "ACCOUNT_SUMMARY", "VERIFY_MESSAGE_API",
    "VERIFY_COMPLETED", "DISPLAY_GROUP_LIST", "DISPLAY_GROUP_UPDATED", "VERIFY_AND_AUTH_MESSAGE_API",
    "VERIFY_AND_AUTH_COMPLETED", "ACCOUNT_UPDATE_MULTI",
)  # fmt: skip
"""The messages with texts that the official client decodes by the signature of their callback."""


@pytest.mark.parametrize("text", ["Zürich", "€", "\U0001f600"])
@pytest.mark.parametrize("version", [157, 176, 200, 225])
@pytest.mark.parametrize("name", SIGNATURES)
def test_texts_beyond_ascii_are_read_as_the_official_client_reads_them(name: str, version: int, text: str) -> None:
    """As text the server writes them with a backslash, in protobuf as they are; neither must show."""
    shape = shape_of(name)
    places = [cast("Leaf", shape.fields[field]) for field in shape.cls._fields]
    values = [
        f"{text} {field}" if leaf.default == "" else leaf.default
        for field, leaf in zip(shape.cls._fields, places, strict=True)
    ]
    assert any(text in str(value) for value in values)
    message = shape.cls(*values)
    frame = Codec(Role.SERVER, version).encode(message)
    assert Codec(Role.CLIENT, version).decode(frame[4:]) == message
    said = [value for _, told in official_calls(frame, version) for value in told.values() if isinstance(value, str)]
    # It leaves a character beyond 16 bits in two halves, which is none.
    theirs = [value.encode("utf-16-be", "surrogatepass").decode("utf-16-be") for value in said]
    # It hands a truth on as the word it is.
    assert sorted(value for value in values if isinstance(value, str)) == sorted(x for x in theirs if x != "false")


def test_every_value_is_compared_somewhere() -> None:
    """What is left out of the comparison is a short list, and nothing of it is unknown to the table."""
    known = {path[-1] for message in table() if not message.request for path in leaves(shape_of(message.name))}
    assert known >= NOT_DELIVERED


def leaves(shape: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, node in shape.fields.items():
        if isinstance(node, Leaf):
            found.append((*prefix, name))
        elif hasattr(node.shape, "fields"):
            found += leaves(node.shape, (*prefix, name))
    return found
