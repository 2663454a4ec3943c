"""Whatever the official client can ask, is told and holds, ibkit can ask, is told and holds (peer-weaknesses.md 7)."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import pytest
from ibapi.client import EClient
from ibapi.wrapper import EWrapper

import ibkit
from ibkit import IB, Client
from ibkit.engine.core import REDUCERS
from ibkit.wire import messages as m
from tests.compat import official

TESTS = Path(__file__).parents[1]


def names_of(cls: type) -> Iterator[str]:
    """The official client's names, but for the second ones that only say that the encoding is protobuf."""
    every = {name for name, member in vars(cls).items() if inspect.isfunction(member) and not name.startswith("_")}
    for name in sorted(every):
        base = name.removesuffix("ProtoBuf")
        if base == name or official.SAME_AS_PROTOBUF.get(base, base) not in every:
            yield name


def theirs(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"ibapi.{'protobuf.' if module.endswith('_pb2') else ''}{module}"), name)


# -- requests --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(names_of(EClient)))
def test_a_request_is_there(name: str) -> None:
    if name in official.INSIDE:
        return
    ours = official.REQUESTS.get(name, name)
    if ours.startswith("leaving "):  # test_leaving.py shows that it is sent
        request = ours.removeprefix("leaving ")
        assert callable(getattr(IB, request))
        assert callable(getattr(IB, f"{request}Async"))
        assert callable(getattr(Client, name))
    else:
        assert callable(getattr(Client if ours.startswith("client.") else IB, ours.removeprefix("client.")))


def test_every_message_of_the_protocol_is_a_request_of_the_official_client() -> None:
    raw = {(cls.__doc__ or "").partition(": ")[2].rstrip(".") for cls in get_args(m.Request)}
    assert raw - set(names_of(EClient)) == set()


RAW = {n for n in names_of(EClient) if n in vars(Client) and n.startswith(("req", "can")) and "ProtoBuf" not in n}


@pytest.mark.parametrize("name", sorted(RAW))
def test_a_raw_request_takes_the_same_arguments(name: str) -> None:
    names = {"manualCancelOrderTime": "orderCancel", "data": "wshEventData"}  # ib_insync's
    have = [names.get(p, p).lower() for p in inspect.signature(getattr(Client, name)).parameters]
    assert have == [p.lower() for p in inspect.signature(getattr(EClient, name)).parameters]


# -- callbacks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(names_of(EWrapper)))
def test_what_a_callback_tells_arrives(name: str) -> None:
    if name in official.NEVER_CALLED:
        return
    kind, _, place = official.CALLBACKS[name].partition(" ")
    ib = IB()
    if kind == "event":
        assert place in ib.events or place.removeprefix("client.") in ib.client.events
    elif kind == "answer":
        assert callable(getattr(IB, place))
    else:
        cls, _, field = place.partition(".")
        assert kind == "field"
        assert field in getattr(ibkit, cls).__dataclass_fields__


def test_no_callback_is_listed_that_is_not_there() -> None:
    assert set(official.CALLBACKS) - set(names_of(EWrapper)) == set()
    assert set(official.REQUESTS) | set(official.INSIDE) <= set(names_of(EClient))


@pytest.mark.parametrize("request_", sorted({p[7:] for p in official.CALLBACKS.values() if p.startswith("answer ")}))
def test_every_answer_can_be_awaited(request_: str) -> None:
    if request_ != "accountUpdateTime":  # known without asking
        assert hasattr(IB, f"{request_.removesuffix('Async')}Async")


@pytest.mark.parametrize("cls", get_args(m.Answer), ids=lambda cls: cls.__name__)
def test_every_message_is_handled_and_said_in_a_test(cls: type) -> None:
    assert cls in REDUCERS
    sources = [
        path.read_text(encoding="utf-8") for room in ("engine", "requests") for path in TESTS.glob(f"{room}/*.py")
    ]
    assert any(re.search(rf"\bm\.{cls.__name__}\b", source) for source in sources)


# -- fields ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "name"), list(official.CLASSES.items()))
def test_fields(path: str, name: str) -> None:
    ours = getattr(ibkit, name)
    renamed = official.FIELDS if name.endswith("Condition") else {}
    missing = [f for f in vars(theirs(path)()) if not hasattr(ours, renamed.get(f, f)) and renamed.get(f, f) not in
               getattr(ours, "__dataclass_fields__", getattr(ours, "_fields", ()))]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize(("path", "name"), list(official.CONFIG.items()))
def test_settings(path: str, name: str) -> None:
    assert {f.name for f in theirs(path).DESCRIPTOR.fields} <= set(getattr(ibkit, name).__dataclass_fields__)


@pytest.mark.parametrize(("path", "name"), list(official.ENUMS.items()))
def test_enumerations(path: str, name: str) -> None:
    def members(enum: type[Enum]) -> dict[str, Any]:
        return {each.name: first(each.value) for each in enum}

    def first(value: Any) -> Any:
        return first(value[0]) if isinstance(value, tuple) else value

    assert members(theirs(path)) == members(getattr(ibkit, name))
