"""News: providers, headlines of the past, articles, bulletins. Live headlines are ticks (``extras``)."""

from __future__ import annotations

from ibkit.paper.gateway import times
from ibkit.paper.gateway.handlers.base import Handlers
from ibkit.paper.gateway.newsroom import PROVIDERS, SLOT_S, Story
from ibkit.paper.gateway.refusal import Refusal, invalid
from ibkit.paper.gateway.session import Session
from ibkit.paper.gateway.streams import Standing
from ibkit.wire import messages as m

BULLETINS = "news bulletins"

MOST = 300
"""The most headlines TWS gives for one question."""

_FIRST_SLOT_BACK = 8 * 365  # how many slots back a question without a beginning goes: a year


def req_news_providers(session: Session, msg: m.ReqNewsProviders) -> None:
    session.send(m.NewsProviders(PROVIDERS))


def req_historical_news(session: Session, msg: m.ReqHistoricalNews) -> None:
    instrument = session.gateway.catalogue.by_con_id(msg.conId)
    if instrument is None:
        raise Refusal(200, f"No security definition has been found for the contract id {msg.conId}")
    wanted = frozenset(part for part in msg.providerCodes.replace(",", "+").split("+") if part)
    unknown = wanted - {provider.code for provider in PROVIDERS}
    if unknown:
        raise invalid(f"The providers {', '.join(sorted(unknown))} are not subscribed")
    last = min(_moment(msg.endDateTime, session.now), session.now)
    first = _moment(msg.startDateTime, last - _FIRST_SLOT_BACK * SLOT_S)
    stories = session.gateway.newsroom.between(instrument, first, last, wanted)[::-1]
    limit = max(0, min(msg.totalResults, MOST))
    for story in stories[:limit]:
        session.send(
            m.HistoricalNews(msg.reqId, times.news(story.time), story.provider, story.article_id, story.headline)
        )
    session.send(m.HistoricalNewsEnd(msg.reqId, len(stories) > limit))


def _moment(text: str, default: float) -> float:
    if not text.strip():
        return default
    try:
        return times.read_utc(text)
    except ValueError as error:
        raise invalid(f"Invalid date: {error}") from error


def req_news_article(session: Session, msg: m.ReqNewsArticle) -> None:
    story = _article(session, msg)
    if story is None:
        raise Refusal(10172, "Failed to request news article:There is no such article")
    session.send(m.NewsArticle(msg.reqId, 0, story.body))


def _article(session: Session, msg: m.ReqNewsArticle) -> Story | None:
    gateway = session.gateway
    parsed = gateway.newsroom.parse(msg.articleId)
    instrument = gateway.catalogue.by_con_id(parsed[0]) if parsed else None
    story = gateway.newsroom.story(instrument, parsed[1]) if parsed and instrument else None
    known = story is not None and story.article_id == msg.articleId and story.provider == msg.providerCode
    return story if known else None


def req_news_bulletins(session: Session, msg: m.ReqNewsBulletins) -> None:
    session.stop(BULLETINS, 0)
    session.begin(BULLETINS, 0, Standing())
    text = "This is a simulated gateway: markets, news and accounts are made up."
    session.send(m.NewsBulletins(1, 1, text, ""))


def cancel_news_bulletins(session: Session, msg: m.CancelNewsBulletins) -> None:
    session.stop(BULLETINS, 0)


HANDLERS: Handlers = {
    m.ReqNewsProviders: req_news_providers,
    m.ReqHistoricalNews: req_historical_news,
    m.ReqNewsArticle: req_news_article,
    m.ReqNewsBulletins: req_news_bulletins,
    m.CancelNewsBulletins: cancel_news_bulletins,
}
