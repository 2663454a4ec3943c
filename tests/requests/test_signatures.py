"""IB has every method, parameter and default of ib_insync's and ib_async's IB (api-inventory.md 1)."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from ibkit import IB

COMPAT = Path(__file__).parents[1] / "compat"

INTERNALS = {"wrapper"}  # state is read through methods

Member = dict[str, Any]


def _members(package: str) -> dict[str, Member]:
    members: dict[str, Member] = json.loads((COMPAT / f"{package}.json").read_text(encoding="utf-8"))["names"]["IB"][
        "members"
    ]
    return {name: member for name, member in members.items() if not name.startswith("_")}


MEMBERS = [
    pytest.param(name, member, id=f"{package}-{name}")
    for package in ("ib_insync", "ib_async")
    for name, member in _members(package).items()
    if name not in INTERNALS
]


@pytest.mark.parametrize(("name", "member"), MEMBERS)
def test_it_is_there_and_takes_the_same(name: str, member: Member) -> None:
    ours = getattr(IB(), name)
    if "parameters" not in member:
        return
    theirs = [parameter for parameter in member["parameters"] if parameter[0] != "self"]
    parameters = list(inspect.signature(ours).parameters.values())[: len(theirs)]
    assert [parameter.name for parameter in parameters] == [parameter[0] for parameter in theirs]
    assert [parameter.kind.name for parameter in parameters] == [parameter[1] for parameter in theirs]
    for parameter, (_, _, default) in zip(parameters, theirs, strict=True):
        if default:
            # An empty tuple instead of a list that all calls would share.
            found = [] if parameter.default == () else parameter.default
            assert repr(found) == default or "StartupFetch" in default


def test_coroutine_functions_are_what_they_are_in_ib_insync() -> None:
    """api-inventory.md 1.3: create_task takes coroutines only, asyncio.wait futures only."""
    coroutines = {
        "reqTickersAsync", "qualifyContractsAsync", "reqMatchingSymbolsAsync", "reqMarketRuleAsync",
        "reqHistoricalDataAsync", "reqHeadTimeStampAsync", "reqScannerDataAsync", "calculateImpliedVolatilityAsync",
        "calculateOptionPriceAsync", "reqHistoricalNewsAsync", "requestFAAsync", "getWshMetaDataAsync",
        "getWshEventDataAsync", "connectAsync", "accountSummaryAsync",
    }  # fmt: skip
    found = {name for name in dir(IB) if name.endswith("Async") and asyncio.iscoroutinefunction(getattr(IB, name))}
    assert found == coroutines


def test_every_request_says_what_it_does() -> None:
    undocumented = [name for name in dir(IB) if not name.startswith("_") and not inspect.getdoc(getattr(IB, name))]
    assert not [name for name in undocumented if callable(getattr(IB, name))]
