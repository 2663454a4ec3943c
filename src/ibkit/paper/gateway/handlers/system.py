"""Start, time, ids, log level, authentication, settings: what concerns the session and not a market."""

from __future__ import annotations

import logging

from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.refusal import failed
from ibkit.paper.gateway.session import Session
from ibkit.wire import messages as m

log = logging.getLogger("ibkit.paper")

_DETAIL = 5
"""The log level of TWS that tells every message."""

FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2104, "Market data farm connection is OK:usfuture"),
    (2104, "Market data farm connection is OK:cashfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)


def start_api(session: Session, msg: m.StartApi) -> None:
    gateway = session.gateway
    if session.started:
        raise failed("the API is started already")
    if gateway.of_client(msg.clientId) is not None:
        session.error(-1, 326, "Unable to connect as the client id is already in use. Retry with a unique client id.")
        session.end(f"client id {msg.clientId} is in use")
        return
    session.client_id = msg.clientId
    session.started = True
    log.info("%s: started, server version %d", session, session.version)
    gateway.broker.bind_client(msg.clientId)
    session.send(m.ManagedAccts(",".join(gateway.accounts)))
    session.send(m.NextValidId(gateway.broker.next_order_id(msg.clientId)))
    for code, text in FARMS:
        session.error(-1, code, text)


def req_ids(session: Session, msg: m.ReqIds) -> None:
    session.send(m.NextValidId(session.gateway.broker.next_order_id(session.client_id)))


def req_managed_accts(session: Session, msg: m.ReqManagedAccts) -> None:
    session.send(m.ManagedAccts(",".join(session.gateway.accounts)))


def req_current_time(session: Session, msg: m.ReqCurrentTime) -> None:
    session.send(m.CurrentTime(int(session.now)))


def req_current_time_in_millis(session: Session, msg: m.ReqCurrentTimeInMillis) -> None:
    session.send(m.CurrentTimeInMillis(int(session.now * 1000)))


def set_server_loglevel(session: Session, msg: m.SetServerLoglevel) -> None:
    if not 1 <= msg.logLevel <= 5:
        session.error(-1, 319, "Invalid log level")
        return
    session.log_level = logging.INFO if msg.logLevel == _DETAIL else logging.DEBUG


def verify_request(session: Session, msg: m.VerifyRequest) -> None:
    session.send(m.VerifyMessageApi(f"{msg.apiName}:{msg.apiVersion}"))


def verify_message(session: Session, msg: m.VerifyMessage) -> None:
    # A simulated gateway has nothing to protect: every program is who it says it is.
    session.send(m.VerifyCompleted(True, ""))


def verify_and_auth_request(session: Session, msg: m.VerifyAndAuthRequest) -> None:
    session.send(m.VerifyAndAuthMessageApi(f"{msg.apiName}:{msg.apiVersion}", "0"))


def verify_and_auth_message(session: Session, msg: m.VerifyAndAuthMessage) -> None:
    session.send(m.VerifyAndAuthCompleted(True, ""))


def req_user_info(session: Session, msg: m.ReqUserInfo) -> None:
    session.send(m.UserInfo(msg.reqId, ""))


def req_config(session: Session, msg: m.ReqConfig) -> None:
    session.send(m.ConfigResponse(msg.reqId, session.gateway.configuration.read()))


def update_config(session: Session, msg: m.UpdateConfig) -> None:
    result = session.gateway.configuration.update(msg.config)
    session.send(m.UpdateConfigResponse(msg.reqId, result))


HANDLERS: Handlers = {
    m.StartApi: start_api,
    m.ReqIds: req_ids,
    m.ReqManagedAccts: req_managed_accts,
    m.ReqCurrentTime: req_current_time,
    m.ReqCurrentTimeInMillis: req_current_time_in_millis,
    m.SetServerLoglevel: set_server_loglevel,
    m.VerifyRequest: verify_request,
    m.VerifyMessage: verify_message,
    m.VerifyAndAuthRequest: verify_and_auth_request,
    m.VerifyAndAuthMessage: verify_and_auth_message,
    m.ReqUserInfo: req_user_info,
    m.ReqConfig: req_config,
    m.UpdateConfig: update_config,
}
