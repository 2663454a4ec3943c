"""The gateway itself: its time, its settings, its display groups, its ids.

Must not know how answers are put together; the engine does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime

from ibkit.engine.call import Call
from ibkit.engine.core import Engine
from ibkit.engine.subscription import Subscription
from ibkit.model import TwsConfig, UpdateConfigResult, UpdateConfigWarning
from ibkit.requests.base import Requests
from ibkit.wire import messages as m


def _current_time(engine: Engine) -> Call[datetime]:
    return engine.ask(m.ReqCurrentTime(), key="currentTime", name="reqCurrentTime()")


def _current_time_in_millis(engine: Engine) -> Call[datetime]:
    return engine.ask(m.ReqCurrentTimeInMillis(), key="currentTimeInMillis", name="reqCurrentTimeInMillis()")


def _ids(engine: Engine) -> Call[int]:
    return engine.ask(m.ReqIds(1), key="ids", name="reqIds()")


def _managed_accounts(engine: Engine) -> Call[list[str]]:
    return engine.ask(m.ReqManagedAccts(), key="managedAccounts", name="reqManagedAccts()")


def _user_info(engine: Engine) -> Call[str]:
    req_id = engine.next_id()
    return engine.ask(m.ReqUserInfo(req_id), key=req_id, name="reqUserInfo()")


def _display_groups(engine: Engine) -> Call[list[int]]:
    req_id = engine.next_id()
    return engine.ask(m.QueryDisplayGroups(req_id), key=req_id, name="queryDisplayGroups()")


def _config(engine: Engine) -> Call[TwsConfig]:
    req_id = engine.next_id()
    return engine.ask(m.ReqConfig(req_id), key=req_id, name="reqConfig()")


def _update_config(
    engine: Engine, config: TwsConfig, accepted: Sequence[UpdateConfigWarning], reset: bool
) -> Call[UpdateConfigResult]:
    req_id = engine.next_id()
    message = m.UpdateConfig(req_id, config, list(accepted), reset)
    return engine.ask(message, key=req_id, name="updateConfig()")


def _verify(engine: Engine, message: m.VerifyRequest) -> Call[str]:
    return engine.ask(message, key="verify", name="verifyRequest()")


def _verify_message(engine: Engine, message: m.VerifyMessage) -> Call[tuple[bool, str]]:
    return engine.ask(message, key="verify", name="verifyMessage()")


def _verify_and_auth(engine: Engine, message: m.VerifyAndAuthRequest) -> Call[tuple[str, str]]:
    return engine.ask(message, key="verify", name="verifyAndAuthRequest()")


def _verify_and_auth_message(engine: Engine, message: m.VerifyAndAuthMessage) -> Call[tuple[bool, str]]:
    return engine.ask(message, key="verify", name="verifyAndAuthMessage()")


class SystemRequests(Requests):
    """The gateway itself."""

    # -- time and ids --------------------------------------------------------------------------------

    def reqCurrentTime(self) -> datetime:
        """Ask for the gateway's time, in whole seconds.

        Returns: an aware datetime, in UTC unless the defaults name another zone.

        Raises RequestTimeout, NotConnected.

        >>> ib.reqCurrentTime()
        datetime.datetime(2024, 1, 10, 15, 0, tzinfo=datetime.timezone.utc)
        """
        return self._wait(_current_time)

    def reqCurrentTimeAsync(self) -> Awaitable[datetime]:
        """Ask like ``reqCurrentTime``."""
        return self._future(_current_time)

    def reqCurrentTimeInMillis(self) -> datetime:
        """Ask for the gateway's time, in milliseconds; needs server version 197.

        Returns: an aware datetime, in UTC unless the defaults name another zone.

        Raises UnsupportedField, RequestTimeout, NotConnected.

        >>> ib.sleep(0.25)
        True
        >>> ib.reqCurrentTimeInMillis().microsecond
        250000
        """
        return self._wait(_current_time_in_millis)

    def reqCurrentTimeInMillisAsync(self) -> Awaitable[datetime]:
        """Ask like ``reqCurrentTimeInMillis``."""
        return self._future(_current_time_in_millis)

    def reqIds(self) -> int:
        """Ask for the next valid order id; the library takes note of it and counts on by itself.

        Returns: the id.

        Raises RequestTimeout, NotConnected.

        >>> ib.reqIds() >= 1
        True
        """
        return self._wait(_ids)

    def reqIdsAsync(self) -> Awaitable[int]:
        """Ask like ``reqIds``."""
        return self._future(_ids)

    def reqManagedAccts(self) -> list[str]:
        """Ask for the accounts of this login; ``managedAccounts()`` has them already.

        Returns: the account codes.

        Raises RequestTimeout, NotConnected.

        >>> ib.reqManagedAccts()
        ['DU1234567']
        """
        return self._wait(_managed_accounts)

    def reqManagedAcctsAsync(self) -> Awaitable[list[str]]:
        """Ask like ``reqManagedAccts``."""
        return self._future(_managed_accounts)

    def reqUserInfo(self) -> str:
        """Ask for the white branding id of the user; needs server version 167.

        Returns: the id, '' for most users.

        Raises UnsupportedField, RequestError, RequestTimeout, NotConnected.

        >>> ib.reqUserInfo()
        ''
        """
        return self._wait(_user_info)

    def reqUserInfoAsync(self) -> Awaitable[str]:
        """Ask like ``reqUserInfo``."""
        return self._future(_user_info)

    # -- settings ------------------------------------------------------------------------------------

    def setServerLogLevel(self, logLevel: int) -> None:
        """Say how much TWS writes into its log of this connection.

        Args:
            logLevel: 1 system, 2 error, 3 warning, 4 info, 5 detail.

        Raises NotConnected.

        >>> ib.setServerLogLevel(2)
        """
        self._do(lambda engine: engine.send(m.SetServerLoglevel(logLevel)))

    def reqConfig(self) -> TwsConfig:
        """Ask for the settings of TWS; needs server version 219.

        Returns: the settings; None for one that was not told.

        Raises UnsupportedField, RequestError, RequestTimeout, NotConnected.

        >>> ib.reqConfig().api.settings.readOnlyApi
        False
        """
        return self._wait(_config)

    def reqConfigAsync(self) -> Awaitable[TwsConfig]:
        """Ask like ``reqConfig``."""
        return self._future(_config)

    def updateConfig(
        self,
        config: TwsConfig,
        acceptedWarnings: Sequence[UpdateConfigWarning] = (),
        resetAPIOrderSequence: bool = False,
    ) -> UpdateConfigResult:
        """Change settings of TWS; needs server version 221.

        Args:
            config: what to change; None leaves a setting as it is.
            acceptedWarnings: the warnings of an earlier attempt that are all right.
            resetAPIOrderSequence: count order ids from 1 again.

        Returns: what came of it: a status, and the warnings that have to be accepted first.

        Raises UnsupportedField, RequestError, RequestTimeout, NotConnected.

        >>> ib.updateConfig(TwsConfig()).status
        'success'
        """
        return self._wait(lambda engine: _update_config(engine, config, acceptedWarnings, resetAPIOrderSequence))

    def updateConfigAsync(
        self,
        config: TwsConfig,
        acceptedWarnings: Sequence[UpdateConfigWarning] = (),
        resetAPIOrderSequence: bool = False,
    ) -> Awaitable[UpdateConfigResult]:
        """Change settings like ``updateConfig``."""
        return self._future(lambda engine: _update_config(engine, config, acceptedWarnings, resetAPIOrderSequence))

    # -- display groups ------------------------------------------------------------------------------

    def queryDisplayGroups(self) -> list[int]:
        """Ask for the numbers of the groups (colours) by which windows of TWS are linked.

        Returns: the numbers.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.queryDisplayGroups()
        [1, 2, 3, 4, 5, 6, 7]
        """
        return self._wait(_display_groups)

    def queryDisplayGroupsAsync(self) -> Awaitable[list[int]]:
        """Ask like ``queryDisplayGroups``."""
        return self._future(_display_groups)

    def subscribeToGroupEvents(self, groupId: int) -> int:
        """Subscribe to what a display group shows; displayGroupUpdatedEvent tells.

        Args:
            groupId: one of ``queryDisplayGroups()``.

        Returns: the request id that the event, ``updateDisplayGroup`` and ``unsubscribeFromGroupEvents`` use.

        Raises NotConnected. What TWS refuses comes as ``errorEvent``.

        >>> ib.displayGroupUpdatedEvent += lambda req_id, info: print(info)
        >>> group = ib.subscribeToGroupEvents(4)
        >>> ib.sleep(1)
        none
        True
        >>> ib.updateDisplayGroup(group, '265598@SMART')
        >>> ib.sleep(1)
        265598@SMART
        True
        >>> ib.unsubscribeFromGroupEvents(group)
        """

        def subscribe(engine: Engine) -> int:
            req_id = engine.next_id()
            start, cancel = m.SubscribeToGroupEvents(req_id, groupId), m.UnsubscribeFromGroupEvents(req_id)
            engine.subscribe(Subscription(req_id, "displayGroup", groupId, start, cancel))
            return req_id

        return self._do(subscribe)

    def updateDisplayGroup(self, reqId: int, contractInfo: str) -> None:
        """Have a display group show a contract.

        Args:
            reqId: what ``subscribeToGroupEvents`` returned.
            contractInfo: 'none', 'conId@exchange', or the conIds of a combo with commas.

        Raises NotConnected.

        >>> group = ib.subscribeToGroupEvents(1)
        >>> ib.updateDisplayGroup(group, '265598@SMART')
        """
        self._do(lambda engine: engine.send(m.UpdateDisplayGroup(reqId, contractInfo)))

    def unsubscribeFromGroupEvents(self, reqId: int) -> None:
        """End what ``subscribeToGroupEvents`` began.

        Args:
            reqId: what ``subscribeToGroupEvents`` returned.

        Raises NotConnected.

        >>> group = ib.subscribeToGroupEvents(1)
        >>> ib.unsubscribeFromGroupEvents(group)
        """
        self._do(lambda engine: engine.unsubscribe(reqId))

    # -- extra authentication ------------------------------------------------------------------------

    def verifyRequest(self, apiName: str, apiVersion: str) -> str:
        """Begin the verification of a third-party program, which IB has to know.

        Args:
            apiName: of the program.
            apiVersion: of the program.

        Returns: the data to be signed.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> data = ib.verifyRequest('my program', '1.0')
        >>> ib.verifyMessage(data)
        (True, '')
        """
        return self._wait(lambda engine: _verify(engine, m.VerifyRequest(apiName, apiVersion)))

    def verifyRequestAsync(self, apiName: str, apiVersion: str) -> Awaitable[str]:
        """Begin like ``verifyRequest``."""
        return self._future(lambda engine: _verify(engine, m.VerifyRequest(apiName, apiVersion)))

    def verifyMessage(self, apiData: str) -> tuple[bool, str]:
        """End the verification that ``verifyRequest`` began.

        Args:
            apiData: the signed data.

        Returns: whether it succeeded, and an error text.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.verifyMessage(ib.verifyRequest('my program', '1.0'))
        (True, '')
        """
        return self._wait(lambda engine: _verify_message(engine, m.VerifyMessage(apiData)))

    def verifyMessageAsync(self, apiData: str) -> Awaitable[tuple[bool, str]]:
        """End like ``verifyMessage``."""
        return self._future(lambda engine: _verify_message(engine, m.VerifyMessage(apiData)))

    def verifyAndAuthRequest(self, apiName: str, apiVersion: str, opaqueIsvKey: str) -> tuple[str, str]:
        """Begin the verification of a third-party program with a key.

        Args:
            apiName: of the program.
            apiVersion: of the program.
            opaqueIsvKey: IB's key for it.

        Returns: the data to be signed, and a challenge.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> data, challenge = ib.verifyAndAuthRequest('my program', '1.0', 'key')
        >>> ib.verifyAndAuthMessage(data, challenge)
        (True, '')
        """
        message = m.VerifyAndAuthRequest(apiName, apiVersion, opaqueIsvKey)
        return self._wait(lambda engine: _verify_and_auth(engine, message))

    def verifyAndAuthRequestAsync(self, apiName: str, apiVersion: str, opaqueIsvKey: str) -> Awaitable[tuple[str, str]]:
        """Begin like ``verifyAndAuthRequest``."""
        message = m.VerifyAndAuthRequest(apiName, apiVersion, opaqueIsvKey)
        return self._future(lambda engine: _verify_and_auth(engine, message))

    def verifyAndAuthMessage(self, apiData: str, xyzResponse: str) -> tuple[bool, str]:
        """End the verification that ``verifyAndAuthRequest`` began.

        Args:
            apiData: the signed data.
            xyzResponse: the answer to the challenge.

        Returns: whether it succeeded, and an error text.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> ib.verifyAndAuthMessage(*ib.verifyAndAuthRequest('my program', '1.0', 'key'))
        (True, '')
        """
        message = m.VerifyAndAuthMessage(apiData, xyzResponse)
        return self._wait(lambda engine: _verify_and_auth_message(engine, message))

    def verifyAndAuthMessageAsync(self, apiData: str, xyzResponse: str) -> Awaitable[tuple[bool, str]]:
        """End like ``verifyAndAuthMessage``."""
        message = m.VerifyAndAuthMessage(apiData, xyzResponse)
        return self._future(lambda engine: _verify_and_auth_message(engine, message))
