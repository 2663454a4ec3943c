"""The gateway itself, as a user asks it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ibkit import TwsConfig, UnsupportedField, UpdateConfigResult, UpdateConfigWarning
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.scripted import connected

SAID = {
    m.ReqCurrentTimeInMillis: lambda request: [m.CurrentTimeInMillis(1_704_898_800_250)],
    m.ReqIds: lambda request: [m.NextValidId(77)],
    m.ReqManagedAccts: lambda request: [m.ManagedAccts("DU1,")],
    m.ReqUserInfo: lambda request: [m.UserInfo(request.reqId, "white")],
    m.QueryDisplayGroups: lambda request: [m.DisplayGroupList(request.reqId, "1|2")],
    m.SubscribeToGroupEvents: lambda request: [m.DisplayGroupUpdated(request.reqId, "none")],
    m.VerifyRequest: lambda request: [m.VerifyMessageApi("sign")],
    m.VerifyMessage: lambda request: [m.VerifyCompleted(True, "")],
    m.VerifyAndAuthRequest: lambda request: [m.VerifyAndAuthMessageApi("sign", "challenge")],
    m.VerifyAndAuthMessage: lambda request: [m.VerifyAndAuthCompleted(False, "no")],
    m.ReqConfig: lambda request: [m.ConfigResponse(request.reqId, TwsConfig())],
    m.UpdateConfig: lambda request: [m.UpdateConfigResponse(request.reqId, UpdateConfigResult(status="Success"))],
}


@pytest.mark.parametrize("version", VERSIONS)
def test_time_ids_accounts(version: int) -> None:
    with connected(SAID, version) as (ib, _):
        noon = datetime(2024, 1, 10, 15, tzinfo=UTC)
        assert ib.reqCurrentTime() == ib.run(ib.reqCurrentTimeAsync()) == noon
        assert ib.reqIds() == ib.run(ib.reqIdsAsync()) == 77
        assert ib.client.getReqId() == 77
        assert ib.reqManagedAccts() == ib.run(ib.reqManagedAcctsAsync()) == ["DU1"]
        assert ib.reqUserInfo() == ib.run(ib.reqUserInfoAsync()) == "white"


def test_milliseconds_need_a_new_gateway() -> None:
    with connected(SAID) as (ib, _):
        quarter = datetime(2024, 1, 10, 15, 0, 0, 250_000, tzinfo=UTC)
        assert ib.reqCurrentTimeInMillis() == ib.run(ib.reqCurrentTimeInMillisAsync()) == quarter
    with connected(SAID, 176) as (ib, _), pytest.raises(UnsupportedField, match="197"):
        ib.reqCurrentTimeInMillis()


@pytest.mark.parametrize("version", VERSIONS)
def test_display_groups(version: int) -> None:
    with connected(SAID, version) as (ib, script):
        assert ib.queryDisplayGroups() == ib.run(ib.queryDisplayGroupsAsync()) == [1, 2]
        heard: list[Any] = []
        ib.displayGroupUpdatedEvent += lambda req_id, info: heard.append((req_id, info))
        req_id = ib.subscribeToGroupEvents(2)
        ib.updateDisplayGroup(req_id, "265598@SMART")
        ib.unsubscribeFromGroupEvents(req_id)
        ib.sleep(0)
        assert heard == [(req_id, "none")]
        assert script.of(m.UpdateDisplayGroup) == [m.UpdateDisplayGroup(req_id, "265598@SMART")]
        assert script.of(m.UnsubscribeFromGroupEvents) == [m.UnsubscribeFromGroupEvents(req_id)]


def test_verification() -> None:
    with connected(SAID, 200) as (ib, _):
        assert ib.verifyRequest("api", "1") == ib.run(ib.verifyRequestAsync("api", "1")) == "sign"
        assert ib.verifyMessage("signed") == ib.run(ib.verifyMessageAsync("signed")) == (True, "")
        expected = ("sign", "challenge")
        assert ib.verifyAndAuthRequest("api", "1", "k") == expected
        assert ib.run(ib.verifyAndAuthRequestAsync("api", "1", "k")) == expected
        assert ib.verifyAndAuthMessage("s", "r") == ib.run(ib.verifyAndAuthMessageAsync("s", "r")) == (False, "no")


def test_settings_of_tws() -> None:
    with connected(SAID) as (ib, script):
        assert isinstance(ib.reqConfig(), TwsConfig)
        assert isinstance(ib.run(ib.reqConfigAsync()), TwsConfig)
        assert ib.updateConfig(TwsConfig(), [UpdateConfigWarning(messageId=3)]).status == "Success"
        assert ib.run(ib.updateConfigAsync(TwsConfig(), resetAPIOrderSequence=True)).status == "Success"
        first, second = script.of(m.UpdateConfig)
        assert [warning.messageId for warning in first.acceptedWarnings] == [3]
        assert second.resetAPIOrderSequence
        ib.setServerLogLevel(5)
        ib.sleep(0)
        assert script.of(m.SetServerLoglevel) == [m.SetServerLoglevel(5)]
