"""Message codes find what they are about (semantics.md 6), small answers find who asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ibkit.engine import system
from ibkit.engine.call import Call
from ibkit.engine.core import DefaultSettings
from ibkit.engine.subscription import Subscription
from ibkit.errors import ContractUnknown, OrderRejected, RequestError
from ibkit.model import Stock, TwsConfig, UpdateConfigResult
from ibkit.wire import messages as m
from tests.engine.peer import EngineUnderTest

Connected = Callable[..., EngineUnderTest]

AAPL = Stock("AAPL", "SMART", "USD")


def _err(req_id: int, code: int, text: str = "text", json: str = "") -> m.ErrMsg:
    return m.ErrMsg(req_id, code, text, json, 0)


def _ask(under: EngineUnderTest) -> tuple[int, Call[list[Any]]]:
    req_id = under.engine.next_id()
    message = m.ReqContractData(req_id, AAPL)
    return req_id, under.engine.ask(message, key=req_id, name="reqContractDetails()", contract=AAPL)


def test_an_error_fails_the_request_it_is_about(connected: Connected) -> None:
    under = connected()
    req_id, call = _ask(under)
    under.send(_err(req_id, 200, "No security definition has been found for the request"))
    with pytest.raises(ContractUnknown) as caught:
        call.result()
    assert caught.value.code == 200
    assert caught.value.contract is AAPL
    assert under.told == [("errorEvent", req_id, 200, "No security definition has been found for the request", AAPL)]


def test_321_ends_a_request() -> None:
    """peer-weaknesses.md 1.2: ib_async takes it for a warning and waits for ever."""
    under = EngineUnderTest()
    req_id, call = _ask(under)
    under.send(_err(req_id, 321, "Error validating request"))
    assert isinstance(call.error, RequestError)


@pytest.mark.parametrize("code", [399, 2104, 2106, 2158, 2174, 10167, 10090, 2109])
def test_a_remark_ends_nothing(code: int) -> None:
    under = EngineUnderTest()
    req_id, call = _ask(under)
    under.send(_err(req_id, code))
    assert not call.done
    assert under.told == [("errorEvent", req_id, code, "text", AAPL)]


def test_an_unlisted_code_ends_a_request_rather_than_have_it_hang() -> None:
    under = EngineUnderTest()
    req_id, call = _ask(under)
    under.send(_err(req_id, 77777))
    assert isinstance(call.error, RequestError)


def test_without_errors_a_failed_request_returns_what_it_has() -> None:
    """semantics.md 6: RaiseRequestErrors = False is ib_insync's behaviour."""
    settings = DefaultSettings()
    settings.RaiseRequestErrors = False
    under = EngineUnderTest(settings=settings)
    req_id, call = _ask(under)
    under.engine.calls.add(req_id, "half")
    under.send(_err(req_id, 321))
    assert call.result() == ["half"]


def test_a_refused_subscription_is_told_and_forgotten(connected: Connected) -> None:
    under = connected()
    refused: list[RequestError] = []
    req_id = under.engine.next_id()
    sub = Subscription(
        req_id,
        "mktData",
        "ticker",
        m.ReqMktData(req_id, AAPL, "", False, False, []),
        m.CancelMktData(req_id),
        on_error=lambda engine, error: refused.append(error),
        contract=AAPL,
    )
    under.engine.subscribe(sub)
    under.send(_err(req_id, 10090))  # part of the data is not subscribed: the rest flows
    assert req_id in under.engine.state.subscriptions
    under.send(_err(req_id, 354, "Requested market data is not subscribed."))
    assert [error.code for error in refused] == [354]
    assert req_id not in under.engine.state.subscriptions
    assert under.told[-1] == ("errorEvent", req_id, 354, "Requested market data is not subscribed.", AAPL)
    under.engine.unsubscribe(req_id)
    under.requests()
    assert not [sent for sent in under.sent if isinstance(sent, m.CancelMktData)]


def test_a_notice_reaches_the_subscription_and_leaves_it() -> None:
    under = EngineUnderTest()
    notices: list[tuple[int, str]] = []
    req_id = under.engine.next_id()
    sub = Subscription(req_id, "mktDepth", "book", m.ReqMktDepth(req_id, AAPL, 5, False, []))
    sub.on_notice = lambda engine, code, text: notices.append((code, text))
    under.engine.subscribe(sub)
    under.send(_err(req_id, 317, "reset"))
    assert notices == [(317, "reset")]
    assert req_id in under.engine.state.subscriptions


def _subscribed(under: EngineUnderTest) -> list[str]:
    order: list[str] = []
    req_id = under.engine.next_id()
    under.engine.subscribe(
        Subscription(
            req_id,
            "bars",
            "bars",
            m.ReqRealTimeBars(req_id, AAPL, 5, "TRADES", True, []),
            m.CancelRealTimeBars(req_id),
            on_restart=lambda: order.append("restart"),
        )
    )
    under.requests()
    return order


@pytest.mark.parametrize("code", [1101, 10225])
def test_lost_data_is_asked_for_again(code: int) -> None:
    """1101: subscriptions are lost (semantics.md 2: peers do nothing); 10225: a bust, as ib_insync does it."""
    under = EngineUnderTest()
    order = _subscribed(under)
    (req_id,) = under.engine.state.subscriptions
    under.send(_err(req_id if code == 10225 else -1, code))
    kinds = [type(sent).__name__ for sent in under.requests()]
    assert kinds == ["CancelRealTimeBars", "ReqRealTimeBars"]
    assert order == ["restart"]
    assert req_id in under.engine.state.subscriptions


@pytest.mark.parametrize("code", [1100, 1102, 2110, 1300])
def test_connection_states_change_nothing_else(code: int) -> None:
    under = EngineUnderTest()
    _subscribed(under)
    under.send(_err(-1, code))
    assert under.requests() == []
    assert under.engine.ready
    assert under.names() == ["errorEvent"]


def test_a_request_without_an_id_is_failed_by_an_error_without_an_id() -> None:
    under = EngineUnderTest()
    call: Call[str] = under.engine.ask(m.ReqFa(1), key="fa-1", name="requestFA(1)")
    under.send(_err(-1, 2104))
    assert not call.done
    under.send(_err(-1, 321, "FA data operations ignored for non FA customers."))
    assert isinstance(call.error, RequestError)


def test_of_several_requests_without_an_id_none_is_guessed() -> None:
    under = EngineUnderTest()
    asked: list[Call[Any]] = [
        under.engine.ask(m.ReqFa(1), key="fa-1", name="a"),
        under.engine.ask(m.ReqPositions(), key="positions", name="b"),
    ]
    under.send(_err(-1, 321))
    assert not any(call.done for call in asked)


def test_what_a_code_says_decides_how_loud_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    under = EngineUnderTest()
    with caplog.at_level(logging.INFO, "ibkit.engine"):
        under.send(_err(-1, 2104, "fine"), _err(-1, 2103, "broken"), _err(-1, 1100, "lost"), _err(-1, 320, "unread"))
    levels = {record.getMessage().rsplit(": ")[-1]: record.levelno for record in caplog.records}
    assert levels == {
        "fine": logging.INFO, "broken": logging.WARNING, "lost": logging.WARNING, "unread": logging.ERROR,
    }  # fmt: skip


def test_errors_about_an_order_preview_are_rejections() -> None:
    under = EngineUnderTest()
    call: Call[Any] = under.engine.ask(m.ReqUserInfo(under.engine.next_id()), key=1, name="whatIfOrder()")
    under.send(_err(1, 201, "Order rejected - reason: no margin", '{"reject": 1}'))
    assert isinstance(call.error, OrderRejected)
    assert call.error.advancedOrderRejectJson == '{"reject": 1}'


def test_small_answers(connected: Connected) -> None:
    under = connected()
    engine = under.engine

    def ask(message: m.Request, key: object) -> Call[Any]:
        return engine.ask(message, key=key, name=type(message).__name__)  # type: ignore[arg-type]  # hashable

    now = ask(m.ReqCurrentTime(), "currentTime")
    info = ask(m.ReqUserInfo(5), 5)
    groups = ask(m.QueryDisplayGroups(6), 6)
    under.send(m.CurrentTime(1_704_898_800), m.UserInfo(5, "white"), m.DisplayGroupList(6, "1|2|7"))
    assert now.result() == datetime(2024, 1, 10, 15, tzinfo=UTC)
    assert info.result() == "white"
    assert groups.result() == [1, 2, 7]
    under.send(m.DisplayGroupUpdated(6, "265598@SMART"))
    assert under.told[-1] == ("displayGroupUpdatedEvent", 6, "265598@SMART")

    asked = ask(m.VerifyRequest("api", "1"), "verify")
    under.send(m.VerifyMessageApi("sign this"))
    assert asked.result() == "sign this"
    checked = ask(m.VerifyMessage("signed"), "verify")
    under.send(m.VerifyCompleted(True, ""))
    assert checked.result() == (True, "")


def test_answers_of_the_newest_gateways() -> None:
    under = EngineUnderTest(225)
    millis: Call[datetime] = under.engine.ask(m.ReqCurrentTimeInMillis(), key="currentTimeInMillis", name="t")
    config: Call[TwsConfig] = under.engine.ask(m.ReqConfig(3), key=3, name="config")
    change: Call[UpdateConfigResult] = under.engine.ask(m.UpdateConfig(4, TwsConfig(), [], False), key=4, name="update")
    under.send(
        m.CurrentTimeInMillis(1_704_898_800_250),
        m.ConfigResponse(3, TwsConfig()),
        m.UpdateConfigResponse(4, UpdateConfigResult(status="Success")),
    )
    assert millis.result() == datetime(2024, 1, 10, 15, 0, 0, 250_000, tzinfo=UTC)
    assert isinstance(config.result(), TwsConfig)
    assert change.result().status == "Success"


def test_silence_is_told_once() -> None:
    """semantics.md 7: setTimeout is a one-shot idle timer."""
    under = EngineUnderTest()
    system.watch_idle(under.engine, 10)
    under.pass_time(6)
    under.send(m.CurrentTime(0))
    under.pass_time(9)
    assert "timeoutEvent" not in under.names()
    under.pass_time(2)
    assert under.told == [("timeoutEvent", 10.0)]
    under.pass_time(100)
    assert len(under.told) == 1
    system.watch_idle(under.engine, 10)
    system.watch_idle(under.engine, 0)
    under.pass_time(100)
    assert len(under.told) == 1


def test_an_error_tells_when_it_happened_and_why_it_was_rejected(connected: Connected) -> None:
    """peer-weaknesses.md 7: error times, from server version 194 on."""
    under = connected()
    told: list[RequestError] = []
    under.events.errorDetailsEvent += told.append
    under.send(m.ErrMsg(-1, 2104, "farm", "", 1_704_898_800_500))
    req_id, call = _ask(under)
    under.send(m.ErrMsg(req_id, 201, "rejected", '{"8229":"yes"}', 1_704_898_801_000))
    assert [(error.code, error.message) for error in told] == [(2104, "farm"), (201, "rejected")]
    assert told[1].advancedOrderRejectJson == '{"8229":"yes"}'
    assert told[1].contract is not None
    has_time = under.engine.version >= 194
    assert told[0].time == (datetime.fromtimestamp(1_704_898_800.5, UTC) if has_time else None)
    assert isinstance(call.error, RequestError)
    assert call.error.time == (datetime.fromtimestamp(1_704_898_801, UTC) if has_time else None)
