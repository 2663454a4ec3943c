"""The registry of checks, and what they share: the instruments as a client finds them."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from conformance.capabilities import INSTRUMENTS, Capability
from conformance.drivers.api import Api, Chain, Details, Fields, Refused

T = TypeVar("T")


class Row(NamedTuple):
    """What came of a check."""

    capability: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return json.dumps(self._asdict())


class World:
    """A client at work, and what it has found out."""

    def __init__(self, api: Any) -> None:  # Any: an Api; adapters need not have what their client cannot do
        self.api: Api = api
        self._details: dict[str, Details] = {}

    def fields(self, kind: str) -> Fields:
        """Return the fields of a contract of a kind, looked up where that takes more than a name."""
        if kind == "option":
            return self.option
        if kind == "future option":
            return self.future_option
        if kind == "combo":
            legs = [("stock", "BUY"), ("etf", "SELL")]
            rows = [
                {"conId": self.details(leg).contract.conId, "ratio": 1, "action": action, "exchange": "SMART"}
                for leg, action in legs
            ]
            return {**INSTRUMENTS["combo"], "comboLegs": rows}
        if kind == "etf":
            return {**INSTRUMENTS["stock"], "symbol": "SPY"}
        return dict(INSTRUMENTS[kind])

    def details(self, kind: str) -> Details:
        """Return the contract details of a kind."""
        if kind not in self._details:
            rows = self.api.details(self.fields(kind))
            assert len(rows) == 1, f"{len(rows)} contracts for one {kind}"
            self._details[kind] = rows[0]
        return self._details[kind]

    def spot(self, kind: str = "stock") -> float:
        """Return about what it costs."""
        quote = self.api.quote(self.fields(kind))
        return (quote.bid + quote.ask) / 2

    @cached_property
    def chains(self) -> list[Chain]:
        """The option chains of the stock."""
        return self.api.chains("AAPL", "", "STK", self.details("stock").contract.conId)

    @cached_property
    def option(self) -> Fields:
        """A call near the money, some weeks from now."""
        chain = next(chain for chain in self.chains if chain.exchange == "SMART")
        expiry = chain.expirations[3]
        spot = self.spot()
        strike = min(chain.strikes, key=lambda strike: abs(strike - spot))
        return {
            **INSTRUMENTS["option"], "lastTradeDateOrContractMonth": expiry, "strike": strike, "right": "C",
            "multiplier": "100",
        }  # fmt: skip

    @cached_property
    def future_option(self) -> Fields:
        """A call on the future."""
        future = self.details("future").contract
        chains = self.api.chains("ES", "CME", "FUT", future.conId)
        chain = next(chain for chain in chains if chain.exchange == "CME")
        spot = self.spot("future")
        strike = min(chain.strikes, key=lambda strike: abs(strike - spot))
        return {
            **INSTRUMENTS["future option"], "lastTradeDateOrContractMonth": chain.expirations[-1], "strike": strike,
            "right": "C", "tradingClass": chain.tradingClass,
        }  # fmt: skip

    def now(self) -> datetime:
        """Return the gateway's time."""
        return datetime.fromtimestamp(self.api.current_time(), UTC)


Check = Callable[[World], str]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Register the check of a capability."""

    def register(function: Check) -> Check:
        assert name not in CHECKS, name
        CHECKS[name] = function
        return function

    return register


def for_each(prefix: str, kinds: Iterable[str]) -> Callable[[Callable[[World, str], str]], Callable[[World, str], str]]:
    """Register one check for several kinds of instruments."""

    def register(function: Callable[[World, str], str]) -> Callable[[World, str], str]:
        for kind in kinds:
            check(f"{prefix}: {kind}")(lambda world, kind=kind: function(world, kind))  # type: ignore[misc]
        return function

    return register


def run(api: Any, capabilities: Iterable[Capability], tell: Callable[[Row], object]) -> None:
    """Run the checks of capabilities, one after the other; every one is told."""
    world = World(api)
    for capability in capabilities:
        try:
            detail, ok = CHECKS[capability.name](world), True
        except Exception as error:  # whatever it is, it is this row's and no reason to leave out the others
            place = traceback.extract_tb(error.__traceback__)[-1]
            ok, detail = False, f"{type(error).__name__}: {error} ({place.name}, line {place.lineno}: {place.line})"
        complaints = world.api.complaints()
        if complaints:
            ok, detail = False, f"{detail}; the client complains: {'; '.join(complaints[:3])}"
        tell(Row(capability.name, ok, detail))


def asked(world: World, act: Callable[[], T], *codes: int) -> T | Refused:
    """Return an answer, or the refusal if its code is one of these."""
    world.api.expect(*codes)
    try:
        return act()
    except Refused as refused:
        if refused.code not in codes:
            raise
        return refused


def near(a: float, b: float, tolerance: float) -> bool:
    """Tell whether two numbers are equal but for a relative difference."""
    return abs(a - b) <= tolerance * max(abs(a), abs(b))
