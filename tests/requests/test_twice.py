"""Whatever can be asked twice at once is answered twice, and what is asked among others is answered as alone.

Over all requests, on the simulated gateway, which knows nothing of the client.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ibkit import IB, RequestTimeout, UnsupportedField, WshEventData
from ibkit.testing.world import Virtual, virtual_world
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.test_leaving import REQUESTS, Silent


@pytest.fixture(params=VERSIONS)
def world(request: pytest.FixtureRequest) -> Iterator[Virtual]:
    with virtual_world(server_version=request.param) as made:
        made.ib.RequestTimeout = made.ib.QuietTimeout = made.ib.SnapshotTimeout = 30
        yield made


ACCOUNT = "DU1234567"
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "reqAccountUpdates": (ACCOUNT,),
    "reqAccountUpdatesMulti": (ACCOUNT,),
    "reqHistoricalNews": (265598, "BZ", "", "", 10),
    "reqPositionsMulti": (ACCOUNT,),
}
"""What the gateway can answer, where the usual arguments are refused."""


def ask(ib: IB, name: str) -> Any:
    """Make the coroutine or future of a request; arguments are the caller's own, as qualifying fills them in."""
    try:
        return getattr(ib, f"{name}Async")(*copy.deepcopy(ARGUMENTS.get(name, REQUESTS[name].arguments)))
    except UnsupportedField as error:  # the gateway is too old for it
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(error)
        return failed


def outcome(found: Any) -> Any:
    """Return what an answer says; of a refusal, without the ids it is about."""
    if isinstance(found, BaseException):
        return type(found), getattr(found, "code", 0)
    return found


CHANGES = {
    "calculateImpliedVolatility": "the expiry comes closer",
    "calculateOptionPrice": "the expiry comes closer",
    "reqCurrentTimeInMillis": "tells the time",
    "reqCurrentTime": "tells the time",
    "reqHistogramData": "the market goes on",
    "reqHistoricalData": "the market goes on",
    "reqIds": "each request takes one",
    "reqTickers": "the market goes on",
}
"""Requests whose answer may differ from one moment to the next."""

NOT_ATTRIBUTED = {"requestFA": "refused without an id, which tells nothing while others without an id are pending"}


async def both(ib: IB, names: list[str]) -> list[Any]:
    return await asyncio.gather(*(ask(ib, name) for name in names), return_exceptions=True)


def same(name: str, a: Any, b: Any) -> bool:
    if name in CHANGES:
        return type(a) is type(b)
    return repr(outcome(a)) == repr(outcome(b))


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_asked_twice_at_once_is_answered_twice(name: str, world: Virtual) -> None:
    first, second = world.ib.run(both(world.ib, [name, name]))
    (alone,) = world.ib.run(both(world.ib, [name]))
    assert not isinstance(first, RequestTimeout)
    assert same(name, first, second), (first, second)
    assert same(name, first, alone), (first, alone)


def test_all_requests_at_once_are_answered_as_alone(world: Virtual) -> None:
    """And simulated time does not pass while answers that are there go their way through tasks."""
    names = [name for name in REQUESTS if name not in NOT_ATTRIBUTED]
    world.ib.getWshMetaData()  # which getWshEventData needs
    alone = [world.ib.run(both(world.ib, [name]))[0] for name in names]
    begun = world.clock.monotonic()
    together = world.ib.run(both(world.ib, names))
    assert world.clock.monotonic() - begun <= 1  # of the snapshot
    for name, a, b in zip(names, alone, together, strict=True):
        assert same(name, a, b), (name, a, b)


@pytest.mark.parametrize("name", ["accountSummary", "reqAccountUpdatesMulti", "reqPositionsMulti", "getWshMetaData"])
def test_what_keeps_answering_is_asked_for_once_while_it_is_waited_for(name: str) -> None:
    """Its subscription is one: a second request must neither end nor overtake the first."""
    with Silent() as at:
        req_id = at.ib.client.getReqId() + 1
        at.script.later.append((at.begun + 1, lambda: at.script.say(*ANSWERS[name](req_id))))
        first, second = at.ib.run(both(at.ib, [name, name]))
        assert same(name, first, second)
        assert not isinstance(first, BaseException)
        assert len(at.asked()) == 1


def test_calendar_events_are_asked_for_one_after_another() -> None:
    """TWS takes one request for them at a time; each asker gets the answer to its own."""
    with Silent() as at:

        def answers(request: Any) -> list[Any]:
            if not isinstance(request, m.ReqWshEventData):
                return []
            return [m.WshEventData(request.reqId, str(request.wshEventData.conId))]

        at.script.answers = answers

        async def main() -> list[str]:
            return await asyncio.gather(*(at.ib.getWshEventDataAsync(WshEventData(conId=n)) for n in (1, 2, 3)))

        assert at.ib.run(main()) == ["1", "2", "3"]
        assert at.asked() == [m.ReqWshEventData, m.CancelWshEventData] * 3


def test_one_that_gives_up_before_its_turn_lets_nobody_ahead() -> None:
    with Silent() as at:

        async def main() -> list[Any]:
            first, second, third = (
                asyncio.ensure_future(at.ib.getWshEventDataAsync(WshEventData(conId=n))) for n in (1, 2, 3)
            )
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.sleep(0)
            at.script.answers = lambda request: (
                [m.WshEventData(request.reqId, str(request.wshEventData.conId))]
                if isinstance(request, m.ReqWshEventData)
                else []
            )
            (asked,) = at.script.gateway.decode(at.script.end.read() or b"")
            at.script.say(m.WshEventData(asked.reqId, "1"))
            return [await first, await third]

        assert at.ib.run(main()) == ["1", "3"]
        assert at.asked() == [m.CancelWshEventData, m.ReqWshEventData, m.CancelWshEventData]


ANSWERS: dict[str, Callable[[int], list[m.Answer]]] = {
    "accountSummary": lambda req_id: [
        m.AccountSummary(req_id, "DU1", "Cushion", "1", ""), m.AccountSummaryEnd(req_id),
    ],
    "reqAccountUpdatesMulti": lambda req_id: [m.AccountUpdateMultiEnd(req_id)],
    "reqPositionsMulti": lambda req_id: [m.PositionMultiEnd(req_id)],
    "getWshMetaData": lambda req_id: [m.WshMetaData(req_id, "{}")],
}  # fmt: skip
