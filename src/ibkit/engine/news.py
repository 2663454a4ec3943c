"""News: providers, articles, headlines of the past and of now, bulletins, and the Wall Street Horizon calendar.

Must not know how they are asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from datetime import time as midnight
from typing import TYPE_CHECKING, Final

from ibkit import dates
from ibkit.model import HistoricalNews, NewsArticle, NewsBulletin, NewsTick
from ibkit.model.records import field, record
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.call import Call
    from ibkit.engine.core import Engine, Reducers

KEEP: Final = 10_000
"""How many headlines and bulletins are kept; the oldest go first."""


class HistoricalNewsList(list[HistoricalNews]):
    """Headlines of the past; ``hasMore`` tells whether there are more than were asked for."""

    hasMore: bool = False


@record
class News:
    """The headlines and bulletins that came in."""

    ticks: list[NewsTick] = field(default_factory=list)
    bulletins: dict[int, NewsBulletin] = field(default_factory=dict)
    """By message id."""
    arrived: dict[int, HistoricalNewsList] = field(default_factory=dict)
    """Headlines of answers that have not ended, by request id."""
    asking_kinds: int | None = None
    """The request for the kinds of calendar events that is being waited for."""
    last_asked: tuple[Call[str], Call[None]] | None = None
    """The last request for calendar events, and its turn; the next one waits for the end of both."""

    def reset(self) -> None:
        """Forget everything."""
        self.ticks.clear()
        self.bulletins.clear()

    def forget_connection(self) -> None:
        """Drop the answers that were under way; what came in stays readable."""
        self.arrived.clear()
        self.asking_kinds = None
        self.last_asked = None


def tick_news(engine: Engine, msg: m.TickNews) -> None:
    news = NewsTick(msg.timeStamp, msg.providerCode, msg.articleId, msg.headline, msg.extraData)
    ticks = engine.state.news.ticks
    if len(ticks) >= KEEP:
        del ticks[: KEEP // 10]  # now and then several at once: a list is slow to lose its first
    ticks.append(news)
    engine.events.tickNewsEvent.emit(news)


def news_bulletins(engine: Engine, msg: m.NewsBulletins) -> None:
    bulletin = NewsBulletin(msg.msgId, msg.msgType, msg.newsMessage, msg.originExch)
    bulletins = engine.state.news.bulletins
    bulletins[msg.msgId] = bulletin
    if len(bulletins) > KEEP:
        del bulletins[next(iter(bulletins))]
    engine.events.newsBulletinEvent.emit(bulletin)


def news_providers(engine: Engine, msg: m.NewsProviders) -> None:
    engine.calls.finish("newsProviders", msg.newsProviders)


def news_article(engine: Engine, msg: m.NewsArticle) -> None:
    engine.calls.finish(msg.requestId, NewsArticle(msg.articleType, msg.articleText))


def historical_news(engine: Engine, msg: m.HistoricalNews) -> None:
    arrived = engine.state.news.arrived.get(msg.requestId)
    if arrived is None:
        return
    time = dates.parseIBDatetime(msg.time)
    if not isinstance(time, datetime):
        time = datetime.combine(time, midnight())
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    arrived.append(HistoricalNews(time, msg.providerCode, msg.articleId, msg.headline))


def historical_news_end(engine: Engine, msg: m.HistoricalNewsEnd) -> None:
    arrived = engine.state.news.arrived.get(msg.requestId)
    if arrived is not None:
        arrived.hasMore = msg.hasMore
        engine.calls.finish(msg.requestId, arrived)


def wsh_meta_data(engine: Engine, msg: m.WshMetaData) -> None:
    engine.calls.finish(msg.reqId, msg.dataJson)
    engine.events.wshMetaEvent.emit(msg.dataJson)


def wsh_event_data(engine: Engine, msg: m.WshEventData) -> None:
    engine.calls.finish(msg.reqId, msg.dataJson)
    engine.events.wshEvent.emit(msg.dataJson)


REDUCERS: Reducers = {
    m.TickNews: tick_news,
    m.NewsBulletins: news_bulletins,
    m.NewsProviders: news_providers,
    m.NewsArticle: news_article,
    m.HistoricalNews: historical_news,
    m.HistoricalNewsEnd: historical_news_end,
    m.WshMetaData: wsh_meta_data,
    m.WshEventData: wsh_event_data,
}
