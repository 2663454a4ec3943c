"""Writes docs/reference/official-client.md: what ib_insync's users can say and IB's own client cannot, and where ibkit
sends something else than that client on purpose.

    python -m conformance.official_page

The fields are found by looking at the installed ``ibapi`` and at the public names of ib_insync as they are written
down in ``tests/compat/ib_insync.json``; the reasons are here, and ``tests/conformance/test_official_page.py`` holds
them together.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ibapi.client import EClient

import ibkit
from conformance.edges import REASONS
from conformance.gateways import ROOT

PAGE: Final = ROOT / "docs" / "reference" / "official-client.md"
INVENTORY: Final = ROOT / "tests" / "compat" / "ib_insync.json"

# Where IB's client keeps the classes that programs fill or are told.
_MODULES: Final = (
    "contract", "order", "order_condition", "order_state", "order_cancel", "execution", "common", "scanner",
    "softdollartier", "tag_value", "commission_and_fees_report",
)  # fmt: skip
# The class of IB's client, where its name is another one.
_CLASSES: Final = {"CommissionReport": "CommissionAndFeesReport"}

# The same thing under another name: the value travels alike.
OTHER_NAMES: Final = {
    "BarData.average": "wap",
    "CommissionReport.commission": "commissionAndFees",
    "ExecutionCondition.conjunction": "isConjunctionConnection",
    "ExecutionCondition.exch": "exchange",
    "HistogramData.count": "size",
    "MarginCondition.conjunction": "isConjunctionConnection",
    "OrderState.commission": "commissionAndFees",
    "OrderState.commissionCurrency": "commissionAndFeesCurrency",
    "OrderState.maxCommission": "maxCommissionAndFees",
    "OrderState.minCommission": "minCommissionAndFees",
    "PercentChangeCondition.conjunction": "isConjunctionConnection",
    "PercentChangeCondition.exch": "exchange",
    "PriceCondition.conjunction": "isConjunctionConnection",
    "PriceCondition.exch": "exchange",
    "ScanData.contractDetails": "contract, marketName",
    "TimeCondition.conjunction": "isConjunctionConnection",
    "VolumeCondition.conjunction": "isConjunctionConnection",
    "VolumeCondition.exch": "exchange",
}


class Field(NamedTuple):
    """A field that IB's client does not have: what ibkit does with it, and why."""

    ibkit: str
    reason: str


FIELDS: Final = {
    "ContractDetails.mdSizeMultiplier": Field(
        "read from servers below 164, which send it; left out by later ones and by protobuf",
        "its place was taken away at server version 164; IB's client reads it over",
    ),
    "Order.eTradeOnly": Field(
        "sent in text (its place is still there); refused from 203 on: protobuf has no field for it",
        "deprecated by IB: its client always writes 0 in this place",
    ),
    "Order.faProfile": Field(
        "sent to servers below 177; refused for later ones, which have no place for it",
        "allocation profiles were merged into groups at server version 177; IB's client leaves the place empty",
    ),
    "Order.firmQuoteOnly": Field(
        "sent in text (its place is still there); refused from 203 on: protobuf has no field for it",
        "deprecated by IB: its client always writes 0 in this place",
    ),
    "Order.nbboPriceCap": Field(
        "sent in text (its place is still there); refused from 203 on: protobuf has no field for it",
        "deprecated by IB: its client always writes nothing in this place",
    ),
}

# Arguments of requests that IB's client takes, and does not send in text.
OPTIONS: Final = {
    "calculateImpliedVolatility": "implVolOptions",
    "calculateOptionPrice": "optPrcOptions",
    "reqMktData": "mktDataOptions",
    "reqMktDepth": "mktDepthOptions",
}

# Requests whose arguments are others there.
REQUESTS: Final = {
    "cancelOrder": "`manualCancelOrderTime` is a field of `OrderCancel`, which ibkit takes as well",
    "connect": "`timeout` is how long ibkit waits; IB's client has none",
    "exerciseOptions": "three more arguments there; ibkit has them as keywords",
    "reqGlobalCancel": "an `OrderCancel` more there; ibkit takes one as well",
    "reqWshEventData": "`data` is called `wshEventData` there",
}
# Not requests: how ib_insync's client sends, connects and counts.
NO_REQUESTS: Final = {
    "connectAsync", "connectionStats", "getAccounts", "getReqId", "isReady", "send", "sendMsg", "setConnectOptions",
    "updateReqId",
}  # fmt: skip

INTRODUCTION = """# Beside IB's own client

`make conformance` sends what ibkit sends through IB's own client (`ibapi` 10.46) too, and lets that client read what \
the simulated gateway answers: every message, every field, every server version, both encodings. The bytes are the \
same and every value arrives, except for what stands on this page. `python -m conformance.official_page` writes it \
from the two packages; a test holds it to them.
"""


def _classes() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in _MODULES:
        for name, cls in inspect.getmembers(importlib.import_module(f"ibapi.{module}"), inspect.isclass):
            found.setdefault(name, cls)
    return found


def _inventory(part: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the classes of ib_insync that have something."""
    for name, inside in part.items():
        if isinstance(inside, dict) and key in inside:
            yield name, inside
        elif isinstance(inside, dict):
            yield from _inventory(inside, key)


def fields() -> list[str]:
    """Return the fields that an object of ib_insync has and IB's does not."""
    theirs, found = _classes(), set()
    for name, inside in _inventory(json.loads(INVENTORY.read_text(encoding="utf-8")), "fields"):
        cls = theirs.get(_CLASSES.get(name, name))
        if cls is None or name == "OrderCondition":  # made by its kinds alone
            continue
        known = set(getattr(cls, "_fields", ())) or set(vars(cls()))
        found |= {f"{name}.{field.partition('=')[0]}" for field in inside["fields"]} - {f"{name}.{k}" for k in known}
    return sorted(found)


def requests() -> list[str]:
    """Return the requests of ib_insync's client whose arguments IB's client does not have."""
    [client] = [row for name, row in _inventory(json.loads(INVENTORY.read_text(encoding="utf-8")), "methods")
                if name == "Client"]  # fmt: skip
    found = []
    for name, parameters in client["methods"].items():
        there = getattr(EClient, name, None)
        mine = [parameter.partition("=")[0] for parameter in parameters[1:] if not parameter.startswith("*")]
        if there is None or mine != [one for one in inspect.signature(there).parameters if one != "self"]:
            found.append(name)
    return sorted(found)


def here(field: str) -> bool:
    """Tell whether ibkit has a field of ib_insync."""
    owner, name = field.split(".")
    cls = getattr(ibkit, owner)
    known = {one.name for one in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set(cls._fields)
    return name in known


def page() -> str:
    """Return the page."""
    lines = [
        INTRODUCTION,
        "## Fields that ib_insync has and IB's client does not\n",
        "| Field | ibkit | Why IB's client does not have it |",
        "|---|---|---|",
        *(f"| `{name}` | {row.ibkit} | {row.reason} |" for name, row in FIELDS.items()),
        "\nOptions that IB's client takes and does not send in text (below the server version that takes the request "
        "as protobuf), and ibkit sends, as ib_insync does: "
        + ", ".join(f"`{option}` of `{name}`" for name, option in OPTIONS.items())
        + ".\n",
        "## The same under another name\n",
        "| ib_insync and ibkit | IB's client |",
        "|---|---|",
        *(f"| `{name}` | `{other}` |" for name, other in OTHER_NAMES.items()),
        "\n## Requests with other arguments\n",
        "| Request | Difference |",
        "|---|---|",
        *(f"| `{name}` | {what} |" for name, what in REQUESTS.items()),
        "\n## Where ibkit means to send something else\n",
        "Values at the edges are tried in every field of every request. These differ on purpose, and are counted in "
        "the report under *meant*:\n",
        *(f"- {reason}" for reason in REASONS),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)
