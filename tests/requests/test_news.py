"""News and the event calendar as users ask for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ibkit.engine.news import HistoricalNewsList
from ibkit.errors import MalformedMessage, RequestError, RequestTimeout
from ibkit.model import HistoricalNews, NewsArticle, NewsProvider, WshEventData
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS
from tests.requests.desk import Desk, desk


def answers(request: Any) -> list[m.Answer] | None:
    match request:
        case m.ReqNewsProviders():
            return [m.NewsProviders([NewsProvider("BZ", "Benzinga")])]
        case m.ReqNewsArticle(reqId=req_id):
            return [m.NewsArticle(req_id, 0, "text")]
        case m.ReqHistoricalNews(reqId=req_id, conId=con_id):
            if con_id == 0:
                return []
            time = "yesterday" if con_id == 13 else "2024-01-05 15:00:00.0"
            return [
                m.HistoricalNews(req_id, time, "BZ", "BZ$1", "one"),
                m.HistoricalNews(req_id, "2024-01-05 14:00:00.0", "BZ", "BZ$2", "two"),
                m.HistoricalNewsEnd(req_id, True),
            ]
        case m.ReqNewsBulletins():
            return [m.NewsBulletins(1, 1, "hello", "NYSE")]
        case m.ReqWshMetaData(reqId=req_id):
            return [m.WshMetaData(req_id, "{}")]
        case m.ReqWshEventData(reqId=req_id, wshEventData=data):
            if data.conId == 13:
                return [m.ErrMsg(req_id, 10283, "WSH event data request failed", "", 0)]
            return [m.WshEventData(req_id, "[]")]
    return None


@pytest.fixture
def at() -> Iterator[Desk]:
    with desk(answers) as it:
        yield it


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["glued", "bytes"])
def test_every_answer(version: int, how: str) -> None:
    with desk(answers, version, how) as at:
        ib = at.ib
        assert ib.reqNewsProviders() == [NewsProvider("BZ", "Benzinga")]
        assert ib.reqNewsArticle("BZ", "BZ$1") == NewsArticle(0, "text")
        news = ib.reqHistoricalNews(265598, "BZ", "", datetime(2024, 1, 6, tzinfo=UTC), 10)
        assert isinstance(news, HistoricalNewsList)
        assert news == [
            HistoricalNews(datetime(2024, 1, 5, 15, tzinfo=UTC), "BZ", "BZ$1", "one"),
            HistoricalNews(datetime(2024, 1, 5, 14, tzinfo=UTC), "BZ", "BZ$2", "two"),
        ]
        assert news.hasMore
        assert ib.getWshMetaData() == "{}"
        assert ib.getWshEventData(WshEventData(conId=265598)) == "[]"


def test_every_answer_in_a_loop() -> None:
    async def main() -> None:
        with desk(answers) as at:
            ib = at.ib
            results = await asyncio.gather(
                ib.reqNewsProvidersAsync(),
                ib.reqNewsArticleAsync("BZ", "BZ$1"),
                ib.reqHistoricalNewsAsync(265598, "BZ", "", "", 10),
                ib.getWshMetaDataAsync(),
                ib.getWshEventDataAsync(WshEventData(conId=265598)),
            )
            assert all(results)

    asyncio.run(main())


def test_headlines_that_cannot_be_read_or_do_not_come(at: Desk) -> None:
    with pytest.raises(MalformedMessage):
        at.ib.reqHistoricalNews(13, "BZ", "", "", 10)
    with pytest.raises(RequestTimeout):
        at.ib.reqHistoricalNews(0, "BZ", "", "", 10)
    assert not at.ib._state.news.arrived
    at.ib.RaiseRequestErrors = False
    assert at.ib.reqHistoricalNews(0, "BZ", "", "", 10) is None


def test_bulletins(at: Desk, caplog: pytest.LogCaptureFixture) -> None:
    at.ib.reqNewsBulletins(True)
    at.ib.sleep(0.1)
    assert [bulletin.message for bulletin in at.ib.newsBulletins()] == ["hello"]
    at.ib.cancelNewsBulletins()
    assert at.asked() == [m.ReqNewsBulletins(True), m.CancelNewsBulletins()]
    with caplog.at_level(logging.ERROR):
        at.ib.cancelNewsBulletins()
    assert "not subscribed" in caplog.text


def test_headlines_come_with_market_data(at: Desk) -> None:
    ticks = at.ib.newsTicks()
    at.script.say(m.TickNews(9, 1_704_466_800_000, "BZ", "BZ$1", "one", ""))
    at.ib.sleep(0.1)
    assert [tick.headline for tick in ticks] == ["one"]


def test_the_calendar_by_events(at: Desk) -> None:
    told: list[tuple[str, str]] = []
    at.ib.wshMetaEvent += lambda text: told.append(("meta", text))
    at.ib.wshEvent += lambda text: told.append(("events", text))
    at.ib.reqWshMetaData()
    at.ib.reqWshEventData(WshEventData(conId=265598))
    at.ib.sleep(0.1)
    assert told == [("meta", "{}"), ("events", "[]")]
    at.ib.reqWshMetaData()  # in place of the first
    at.ib.cancelWshMetaData()
    at.ib.cancelWshEventData()
    assert [type(request) for request in at.asked()] == [
        m.ReqWshMetaData,
        m.ReqWshEventData,
        m.CancelWshMetaData,
        m.ReqWshMetaData,
        m.CancelWshMetaData,
        m.CancelWshEventData,
    ]


def test_waiting_for_the_calendar_replaces_what_was_asked_for_before(at: Desk) -> None:
    at.ib.reqWshMetaData()
    at.ib.getWshMetaData()
    at.ib.cancelWshMetaData()
    kinds = [m.ReqWshMetaData, m.CancelWshMetaData, m.ReqWshMetaData, m.CancelWshMetaData]
    assert [type(request) for request in at.asked()] == kinds
    at.ib.getWshEventData(WshEventData(conId=265598))
    assert [type(request) for request in at.asked()] == [m.ReqWshEventData, m.CancelWshEventData]
    with pytest.raises(RequestError, match="10283"):
        at.ib.getWshEventData(WshEventData(conId=13))
    assert [type(request) for request in at.asked()] == [m.ReqWshEventData]
