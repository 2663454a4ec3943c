"""What docstrings promise: every public method of IB says what it takes, returns and raises, and every example runs.

Examples run in a world of their own each: ``ib`` is connected to a gateway on a virtual clock, so that they take no
time and always print the same. ``connect()`` finds a gateway on a port, whatever port it names.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, get_args

import pytest

import ibkit
from ibkit import IB, NotConnected, Order, Stock
from ibkit.paper import PaperGateway
from ibkit.requests import connecting
from ibkit.testing import virtual_world
from ibkit.wire import MIN_VERSION
from ibkit.wire import messages as m
from ibkit.wire.table import table

METHODS = {
    name: getattr(IB, name) for name in sorted(dir(IB)) if not name.startswith("_") and callable(getattr(IB, name))
}
TWINS = sorted(name for name in METHODS if name.endswith("Async") and name.removesuffix("Async") in METHODS)
PLAIN = sorted(METHODS.keys() - set(TWINS))
TALKING = [
    name
    for name in PLAIN
    if METHODS[name].__module__.startswith("ibkit.requests")
    and re.search(r"self\._(wait|do|future|connect|connected)\(", inspect.getsource(METHODS[name]))
]
"""Those that need a connection."""

# First words that are no imperative although they look like one to the test below, and the other way round.
IMPERATIVE_IN_S = {"Pass", "Process"}

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def doc(name: str) -> str:
    return inspect.getdoc(METHODS[name]) or ""


# -- the form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLAIN)
def test_it_says_what_it_does_in_the_imperative(name: str) -> None:
    first = doc(name).partition("\n")[0]
    assert first.endswith("."), first
    word = first.split()[0]
    assert word.isalpha(), first
    assert word[0].isupper(), first
    assert word in IMPERATIVE_IN_S or not word.endswith(("s", "ing", "ed")), f"not imperative: {first}"
    assert word not in {"The", "A", "An", "This", "It", "No", "If"}, f"not imperative: {first}"


@pytest.mark.parametrize("name", PLAIN)
def test_it_says_what_it_takes(name: str) -> None:
    parameters = [each for each in inspect.signature(METHODS[name]).parameters.values() if each.name != "self"]
    text = doc(name)
    if parameters:
        assert re.search(r"^Args:$", text, re.MULTILINE), "no Args"
    block = text.partition("Args:\n")[2].partition("\n\n")[0]
    described = re.findall(r"^ {4}(\*{0,2}\w+): \S", block, re.MULTILINE)
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    assert [name.lstrip("*") for name in described] == [each.name for each in parameters]
    assert set(described) <= {stars.get(each.kind, "") + each.name for each in parameters} | {
        e.name for e in parameters
    }


@pytest.mark.parametrize("name", PLAIN)
def test_it_says_what_it_returns(name: str) -> None:
    returned = inspect.signature(METHODS[name]).return_annotation
    if returned in ("None", "object"):
        return
    assert re.match(r"(Return|Tell whether|Yield) ", doc(name)) or re.search(r"\bReturns?:? ", doc(name)), returned


@pytest.mark.parametrize("name", TALKING)
def test_it_says_what_it_raises_and_shows_how_it_is_used(name: str) -> None:
    text = doc(name)
    assert re.search(r"^Raises ", text, re.MULTILINE), "what does it raise?"
    assert f"ib.{name}(" in text, "no example"
    errors = re.findall(
        r"\b[A-Z]\w+\b", " ".join(re.findall(r"^Raises (.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL))
    )
    classes = [error for error in errors if hasattr(ibkit, error) and error != "IB"]
    assert classes, "no error class is named"


@pytest.mark.parametrize("name", TWINS)
def test_an_asynchronous_twin_points_to_its_sister(name: str) -> None:
    first = doc(name).partition("\n")[0]
    assert f"``{name.removesuffix('Async')}``" in first, first
    blocking, asynchronous = METHODS[name.removesuffix("Async")], METHODS[name]
    ours, theirs = (list(inspect.signature(each).parameters) for each in (blocking, asynchronous))
    extra = set(theirs) - set(ours)
    assert not extra or all(f"    {each}: " in doc(name) for each in extra), f"what is {extra}?"


def test_what_needs_a_newer_server_says_so() -> None:
    since = {}
    for cls in get_args(m.Request):
        name, _, call = (cls.__doc__ or "").partition(" (")
        since[call.partition(": ")[2].rstrip(".").removesuffix("ProtoBuf")] = table().message(name).since
    checked = 0
    for name, version in since.items():
        if version > MIN_VERSION and name in METHODS:
            assert f"server version {version}" in doc(name), name
            checked += 1
    assert checked == 8


UNITS = {
    "calculateImpliedVolatility": ("None",),
    "calculateOptionPrice": ("None",),
    "reqHistogramData": ("shares",),
    "reqHistoricalData": ("shares", "-1", "zone"),
    "reqMktData": ("NaN", "-1", "shares"),
    "reqMktDepth": ("sizes as in",),
    "reqPnL": ("NaN", "currency"),
    "reqPnLSingle": ("NaN", "currency"),
    "reqRealTimeBars": ("shares", "-1", "UTC"),
    "reqTickers": ("NaN",),
    "whatIfOrder": ("UNSET_DOUBLE", "currency"),
}
"""What stands for nothing, and in which units numbers are, of those requests that give numbers."""


@pytest.mark.parametrize("name", UNITS)
def test_units_and_what_stands_for_nothing_are_told(name: str) -> None:
    assert [word for word in UNITS[name] if word not in doc(name)] == []


MOMENT = re.compile(r"datetime|\bWhen\b")


@pytest.mark.parametrize("name", TALKING)
def test_the_zone_of_times_is_told(name: str) -> None:
    signature = inspect.signature(METHODS[name])
    types = [str(each.annotation) for each in signature.parameters.values()]
    if any(MOMENT.search(each) for each in (*types, str(signature.return_annotation))):
        assert re.search(r"zone|UTC|local time|as in ``req", doc(name)), name


def value_for(parameter: inspect.Parameter) -> Any:
    """Return an argument that is good enough for a call which fails before it is looked at."""
    kinds: dict[str, Any] = {"str": "x", "int": 1, "float": 1.0, "bool": False, "When": "", "Contract": Stock("X")}
    return kinds.get(str(parameter.annotation), "x")


@pytest.mark.parametrize("name", TALKING)
def test_without_a_connection_it_raises_not_connected(name: str) -> None:
    if name in ("connect", "connectLink"):
        return
    method = getattr(IB(), name)
    parameters = inspect.signature(method).parameters.values()
    given = {
        each.name: value_for(each)
        for each in parameters
        if each.default is each.empty and each.kind != each.VAR_POSITIONAL and each.kind != each.VAR_KEYWORD
    }
    for argument, value in SPECIAL.items():
        if argument in given:
            given[argument] = value
    with pytest.raises(NotConnected):
        list(method(**given))  # loopUntil begins when it is iterated over


SPECIAL: dict[str, Any] = {
    "order": Order(orderId=1, action="BUY", totalQuantity=1, orderType="MKT"),
    "durationStr": "1 D",
    "barSizeSetting": "1 day",
    "whatToShow": "TRADES",
    "startDateTime": "20240105 10:00:00 UTC",
    "endDateTime": "",
    "action": "BUY",
    "tickType": "Last",
}


# -- the examples ------------------------------------------------------------------------------------------------


def modules() -> Iterator[str]:
    yield "ibkit"
    for found in pkgutil.walk_packages(ibkit.__path__, "ibkit."):
        if not found.name.endswith("__main__"):
            yield found.name


def examples() -> dict[str, doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found: dict[str, doctest.DocTest] = {}
    for name in modules():
        for test in finder.find(importlib.import_module(name), name):
            if test.examples:
                found[test.name] = test
    return found


EXAMPLES = examples()


@pytest.fixture(scope="session")
def gateway() -> Iterator[PaperGateway]:
    with PaperGateway(start="2024-01-10 10:00") as running:
        yield running


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_runs(name: str, gateway: PaperGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "forced", (gateway.host, gateway.port))
    test = EXAMPLES[name]
    public = {each: getattr(ibkit, each) for each in ibkit.__all__}
    ours = {} if name.startswith(("ibkit.requests", "ibkit.ib.")) else dict(test.globs)
    source = "".join(example.source for example in test.examples)
    said: list[str] = []
    with ExitStack() as stack:
        ib = (
            stack.enter_context(virtual_world()).ib
            if re.search(r"(?<![\w.])ib\.", source) and "IB()" not in source
            else IB()
        )
        test.globs = {**ours, **public, "ib": ib, "gateway": gateway}
        result = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=said.append, clear_globs=False)
        test.globs["ib"].disconnect()
    assert not result.failed, "".join(said)


def test_no_example_is_left_out() -> None:
    assert not [name for name, test in EXAMPLES.items() for each in test.examples if doctest.SKIP in each.options]
