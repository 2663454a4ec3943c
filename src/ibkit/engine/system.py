"""What the gateway says about requests, orders and itself: message codes, the time, settings, display groups.

An error message is routed by its id to what it is about: a pending request, a subscription, an order; what it does
there is told by ``codes.consequence``. Last of all ``errorEvent`` tells every message to the user. Must not know
what requests mean.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ibkit import codes
from ibkit.codes import Consequence, Target
from ibkit.engine import outage, refusals
from ibkit.engine.subscription import Subscription
from ibkit.errors import ClientIdInUse, RequestError, request_error
from ibkit.events import interrupt
from ibkit.model import Contract
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.engine")

NO_ID: Final = -1
CLIENT_ID_IN_USE: Final = 326
QUERY_FAILED: Final = 162
READ_ONLY: Final = 321
BUST: Final = 10225
"""Bars were taken back: the subscription has to be begun again, and ib_insync does that by itself."""
UPDATES_FAILED: Final = 10182
"""Bars are kept up to date no more, as a data farm was lost."""
FARM_IS_THERE: Final = frozenset({2104, 2106})


def err_msg(engine: Engine, msg: m.ErrMsg) -> None:
    req_id, code = msg.reqId, msg.errorCode
    contract = _route(engine, msg)
    if code == CLIENT_ID_IN_USE and not engine.ready:
        engine.refusal = ClientIdInUse(engine.client_id)
        engine.session.ready.fail(engine.refusal)
    elif code == outage.BEGINS:
        outage.begin(engine)
    elif code == outage.DATA_LOST:
        engine.restart_subscriptions(cancel_first=True)
        outage.end(engine)
    elif code == outage.DATA_KEPT:
        _restart_interrupted(engine)
        outage.end(engine)
    elif code in FARM_IS_THERE and not engine.session.cut_off:
        _restart_interrupted(engine)
    engine.events.errorEvent.emit(req_id, code, msg.errorString, contract)
    if len(engine.events.errorDetailsEvent):
        engine.events.errorDetailsEvent.emit(_error(engine, msg, contract))


def _restart_interrupted(engine: Engine) -> None:
    for subscription in list(engine.state.subscriptions.values()):
        if subscription.interrupted and engine.is_open:
            engine.restart_subscription(subscription, cancel_first=True)


def _route(engine: Engine, msg: m.ErrMsg) -> Contract | None:
    """Bring a message to what it is about; return the contract of that."""
    req_id, code = msg.reqId, msg.errorCode
    key: Hashable = req_id
    subscription = engine.state.subscriptions.get(req_id)
    if engine.calls.waiting(req_id):
        target = Target.REQUEST
        contract = engine.calls.contract(req_id)
    elif subscription is not None:
        target = Target.STREAM
        contract = subscription.contract
    elif (trade := engine.state.orders.by_route.get((engine.client_id, req_id))) is not None:
        refusals.apply(engine, trade, msg)
        return trade.contract
    else:
        contract = None
        target = Target.REQUEST
        # Requests without an id (positions, advisor data ...) fail without an id, too.
        key = engine.calls.only_without_id() if req_id == NO_ID else None
        if code == READ_ONLY and "read-only" in msg.errorString.lower():
            for refused in ("openOrders", "completedOrders"):
                fail(engine, refused, _error(engine, msg, None))
            return None
        if key is None:
            raised = code == CLIENT_ID_IN_USE and not engine.ready
            wanted = code == QUERY_FAILED and "cancelled" in msg.errorString
            _log(msg, None, logging.INFO if raised or wanted else codes.lookup(code).level)
            return None

    ends = codes.consequence(code, target) is Consequence.END_REQUEST
    if subscription is not None and target is Target.STREAM:
        if _is_echo(subscription, msg):
            ends = False
        elif code == UPDATES_FAILED:
            ends = False
            subscription.interrupted = True
            interrupt(subscription.subject, "updateEvent", _error(engine, msg, contract))
    raised = ends and target is Target.REQUEST and engine.settings.RaiseRequestErrors
    _log(msg, contract, logging.INFO if raised else codes.lookup(code).level)
    if subscription is not None and code == BUST:
        engine.restart_subscription(subscription, cancel_first=True)
    elif ends:
        error = _error(engine, msg, contract)
        if subscription is not None:
            del engine.state.subscriptions[req_id]
            if subscription.on_error is not None:
                subscription.on_error(engine, error)
        fail(engine, key, error)
    elif subscription is not None and subscription.on_notice is not None:
        subscription.on_notice(engine, code, msg.errorString)
    return contract


def _error(engine: Engine, msg: m.ErrMsg, contract: Contract | None) -> RequestError:
    error = request_error(msg.reqId, msg.errorCode, msg.errorString, contract, msg.advancedOrderRejectJson)
    if msg.errorTime:
        error.time = _moment(engine, msg.errorTime / 1000)
    return error


def _is_echo(subscription: Subscription, msg: m.ErrMsg) -> bool:
    """Tell whether a message is the echo of a cancel that was sent to begin again.

    A stream that is to end is not in the registry. TWS may say it in the language of the user, so it is taken for that
    unless it says in words that are known what else it is.
    """
    if msg.errorCode != QUERY_FAILED:
        return False
    said = "cancelled" in msg.errorString
    expected = (
        subscription.echoes > 0 and type(request_error(msg.reqId, msg.errorCode, msg.errorString)) is RequestError
    )
    if said or expected:
        subscription.echoes = max(0, subscription.echoes - 1)
    return said or expected


def fail(engine: Engine, key: Hashable, error: RequestError) -> None:
    """Fail a request, or give it what it has so far when the user wants no errors (RaiseRequestErrors)."""
    if engine.settings.RaiseRequestErrors:
        engine.calls.fail(key, error)
    else:
        engine.calls.finish(key)


def _log(msg: m.ErrMsg, contract: Contract | None, level: int) -> None:
    """Write a message to the log; quietly where it is going to be raised anyway."""
    about = "" if msg.reqId == NO_ID else f", reqId {msg.reqId}"
    if contract is not None:
        about += f", contract: {contract}"
    kind = "Error" if level >= logging.ERROR else "Warning" if level >= logging.WARNING else "Info"
    logger.log(level, "%s %d%s: %s", kind, msg.errorCode, about, msg.errorString)


# -- silence ---------------------------------------------------------------------------------------------


def watch_idle(engine: Engine, secs: float) -> None:
    """Emit timeoutEvent once when nothing has come in for ``secs`` seconds; 0 takes it back."""
    if engine.idle_timer is not None:
        engine.idle_timer.cancel()
        engine.idle_timer = None
    if not secs:
        return
    begun = engine.now

    def look() -> None:
        quiet_since = max(begun, engine.last_read)
        if engine.now - quiet_since >= secs:
            engine.idle_timer = None
            engine.events.timeoutEvent.emit(engine.now - quiet_since)
        else:
            engine.idle_timer = engine.timers.at(quiet_since + secs, look)

    engine.idle_timer = engine.timers.at(begun + secs, look)


# -- small answers ---------------------------------------------------------------------------------------


def current_time(engine: Engine, msg: m.CurrentTime) -> None:
    engine.calls.finish("currentTime", _moment(engine, msg.time))


def current_time_in_millis(engine: Engine, msg: m.CurrentTimeInMillis) -> None:
    engine.calls.finish("currentTimeInMillis", _moment(engine, msg.timeInMillis / 1000))


def _moment(engine: Engine, epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, engine.settings.defaults.timezone)


def user_info(engine: Engine, msg: m.UserInfo) -> None:
    engine.calls.finish(msg.reqId, msg.whiteBrandingId)


def verify_message_api(engine: Engine, msg: m.VerifyMessageApi) -> None:
    engine.calls.finish("verify", msg.apiData)


def verify_completed(engine: Engine, msg: m.VerifyCompleted) -> None:
    engine.calls.finish("verify", (msg.isSuccessful, msg.errorText))


def verify_and_auth_message_api(engine: Engine, msg: m.VerifyAndAuthMessageApi) -> None:
    engine.calls.finish("verify", (msg.apiData, msg.xyzChallange))


def verify_and_auth_completed(engine: Engine, msg: m.VerifyAndAuthCompleted) -> None:
    engine.calls.finish("verify", (msg.isSuccessful, msg.errorText))


def display_group_list(engine: Engine, msg: m.DisplayGroupList) -> None:
    engine.calls.finish(msg.reqId, [int(group) for group in msg.groups.split("|") if group.isdecimal()])


def display_group_updated(engine: Engine, msg: m.DisplayGroupUpdated) -> None:
    engine.events.displayGroupUpdatedEvent.emit(msg.reqId, msg.contractInfo)


def config_response(engine: Engine, msg: m.ConfigResponse) -> None:
    engine.calls.finish(msg.reqId, msg.config)


def update_config_response(engine: Engine, msg: m.UpdateConfigResponse) -> None:
    engine.calls.finish(msg.reqId, msg.result)


REDUCERS: Reducers = {
    m.ErrMsg: err_msg,
    m.CurrentTime: current_time,
    m.CurrentTimeInMillis: current_time_in_millis,
    m.UserInfo: user_info,
    m.VerifyMessageApi: verify_message_api,
    m.VerifyCompleted: verify_completed,
    m.VerifyAndAuthMessageApi: verify_and_auth_message_api,
    m.VerifyAndAuthCompleted: verify_and_auth_completed,
    m.DisplayGroupList: display_group_list,
    m.DisplayGroupUpdated: display_group_updated,
    m.ConfigResponse: config_response,
    m.UpdateConfigResponse: update_config_response,
}
