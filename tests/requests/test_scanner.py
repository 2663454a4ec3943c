"""Market scanners as users ask for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ibkit.errors import RequestError
from ibkit.model import Contract, ContractDetails, ScanDataList, ScannerSubscription, TagValue
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.desk import Desk, desk

SCAN = ScannerSubscription(instrument="STK", locationCode="STK.US", scanCode="TOP_PERC_GAIN")


def ranking(req_id: int, *symbols: str) -> m.ScannerData:
    rows = [
        m.ScannerRow(i, ContractDetails(Contract("STK", i + 1, symbol), marketName="NMS"), "d", "b", "p", "l")
        for i, symbol in enumerate(symbols)
    ]
    return m.ScannerData(req_id, rows)


def answers(request: Any) -> list[m.Answer] | None:
    match request:
        case m.ReqScannerSubscription(reqId=req_id, subscription=scan):
            if scan.scanCode == "WRONG":
                return [m.ErrMsg(req_id, 162, "Historical Market Data Service error message: wrong scan", "", 0)]
            return [ranking(req_id, "A", "B")]
        case m.CancelScannerSubscription(reqId=req_id):
            return [m.ErrMsg(req_id, 162, "API scanner subscription cancelled: 1", "", 0)]
        case m.ReqScannerParameters():
            return [m.ScannerParameters("<xml/>")]
    return None


def symbols(rows: ScanDataList) -> list[str]:
    return [row.contractDetails.contract.symbol for row in rows if row.contractDetails.contract]


@pytest.fixture
def at() -> Iterator[Desk]:
    with desk(answers) as it:
        yield it


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_scanning_once(version: int, how: str) -> None:
    with desk(answers, version, how) as at:
        rows = at.ib.reqScannerData(SCAN, [], [TagValue("volumeAbove", "10000")])
        assert symbols(rows) == ["A", "B"]
        assert (rows[1].rank, rows[1].distance, rows[1].legsStr) == (1, "d", "l")
        assert rows.subscription is SCAN
        start, cancel = at.asked()
        assert start.scannerSubscriptionFilterOptions == [TagValue("volumeAbove", "10000")]
        assert cancel == m.CancelScannerSubscription(start.reqId)
        assert not at.ib._state.scanner.live
        assert at.ib.reqScannerParameters() == "<xml/>"


def test_in_a_loop() -> None:
    async def main() -> None:
        with desk(answers) as at:
            assert await at.ib.reqScannerParametersAsync() == "<xml/>"
            assert len(await at.ib.reqScannerDataAsync(SCAN)) == 2

    asyncio.run(main())


def test_a_subscription(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[str, list[str]]] = []
    rows = at.ib.reqScannerSubscription(SCAN)
    rows.updateEvent += lambda changed: told.append(("rows", symbols(changed)))
    at.ib.scannerDataEvent += lambda changed: told.append(("ib", symbols(changed)))
    at.ib.sleep(0.1)
    at.script.say(ranking(rows.reqId, "C"))
    at.ib.sleep(0.1)
    at.script.say(m.ErrMsg(rows.reqId, 165, "Historical Market Data Service query message:no items retrieved", "", 0))
    at.ib.sleep(0.1)
    assert told == [
        ("ib", ["A", "B"]), ("rows", ["A", "B"]),
        ("ib", ["C"]), ("rows", ["C"]),
        ("ib", []), ("rows", []),
    ]  # fmt: skip
    at.asked()
    at.ib.cancelScannerSubscription(rows)
    assert at.asked() == [m.CancelScannerSubscription(rows.reqId)]
    with caplog.at_level(logging.ERROR):
        at.ib.cancelScannerSubscription(rows)
    assert "not subscribed" in caplog.text


def test_what_the_broker_refuses(at: Desk) -> None:
    wrong = ScannerSubscription(scanCode="WRONG")
    with pytest.raises(RequestError, match="wrong scan"):
        at.ib.reqScannerData(wrong)
    rows = at.ib.reqScannerSubscription(wrong)
    at.ib.sleep(0.1)
    assert not at.ib._state.scanner.live
    assert list(rows) == []
    at.ib.RaiseRequestErrors = False
    assert list(at.ib.reqScannerData(wrong)) == []


def test_disconnecting_ends_the_lists_event(at: Desk) -> None:
    rows = at.ib.reqScannerSubscription(SCAN)
    event = rows.updateEvent
    at.ib.disconnect()
    assert event.done()
