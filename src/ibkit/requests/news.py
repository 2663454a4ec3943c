"""News requests: providers, articles, headlines, bulletins, and the Wall Street Horizon calendar.

Headlines of a contract come with its market data: ``reqMktData(contract, 'mdoff,292:BZ')``. Must not know what
becomes of the answers; ``engine.news`` does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from datetime import date, datetime

from ibkit.dates import formatIBDatetime
from ibkit.engine.call import Call, Conversation, converse
from ibkit.engine.core import Engine
from ibkit.engine.news import HistoricalNewsList
from ibkit.engine.subscription import Subscription
from ibkit.model import (
    HistoricalNews,
    NewsArticle,
    NewsBulletin,
    NewsProvider,
    NewsTick,
    TagValue,
    WshEventData,
)
from ibkit.requests.base import Requests
from ibkit.requests.lenient import or_else
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.ib")

BULLETINS = "newsBulletins"
WSH_META = "wshMetaData"
WSH_EVENTS = "wshEventData"


def _providers(engine: Engine) -> Call[list[NewsProvider]]:
    return engine.ask(m.ReqNewsProviders(), key="newsProviders", name="reqNewsProviders()")


def _article(engine: Engine, provider: str, article_id: str, options: list[TagValue]) -> Call[NewsArticle]:
    req_id = engine.next_id()
    return engine.ask(
        m.ReqNewsArticle(req_id, provider, article_id, options),
        key=req_id,
        name=f"reqNewsArticle({provider!r}, {article_id!r})",
    )


def _historical_news(
    engine: Engine,
    con_id: int,
    providers: str,
    start: str | date | None,
    end: str | date | None,
    total: int,
    options: list[TagValue],
) -> Call[list[HistoricalNews] | None]:
    arrived = engine.state.news.arrived
    req_id = engine.next_id()
    message = m.ReqHistoricalNews(
        req_id, con_id, providers, formatIBDatetime(start), formatIBDatetime(end), total, options
    )
    call: Call[list[HistoricalNews]] = engine.ask(
        message, key=req_id, name=f"reqHistoricalNews({con_id}, {providers!r})", timeout=engine.settings.QuietTimeout
    )
    arrived[req_id] = HistoricalNewsList()
    call.add_done_callback(lambda _: arrived.pop(req_id, None))
    return or_else(engine, call, None)


# -- what is there once --------------------------------------------------------------------------------------


def _end(engine: Engine, kind: str) -> bool:
    """End the subscription of a kind; False when there is none."""
    ids = [req_id for req_id, each in engine.state.subscriptions.items() if each.kind == kind]
    for req_id in ids:
        engine.unsubscribe(req_id)
    return bool(ids)


def _begin(engine: Engine, kind: str, start: m.Request, cancel: m.Request, req_id: int) -> None:
    """Begin the subscription of a kind, in place of an earlier one."""
    _end(engine, kind)
    engine.subscribe(Subscription(req_id, kind, None, start, cancel))


def _bulletins(engine: Engine, all_messages: bool) -> None:
    _begin(engine, BULLETINS, m.ReqNewsBulletins(all_messages), m.CancelNewsBulletins(), engine.next_id())


def _wsh_meta(engine: Engine) -> None:
    req_id = engine.next_id()
    _begin(engine, WSH_META, m.ReqWshMetaData(req_id), m.CancelWshMetaData(req_id), req_id)


def _wsh_events(engine: Engine, data: WshEventData) -> None:
    req_id = engine.next_id()
    _begin(engine, WSH_EVENTS, m.ReqWshEventData(req_id, data), m.CancelWshEventData(req_id), req_id)


def _get_wsh_meta(engine: Engine) -> Call[str]:
    news = engine.state.news
    under_way = news.asking_kinds
    if under_way is None:
        _end(engine, WSH_META)
    # TWS takes one request of this kind at a time: who asks meanwhile waits for the same answer.
    req_id = engine.next_id() if under_way is None else under_way
    start, cancel = m.ReqWshMetaData(req_id), m.CancelWshMetaData(req_id)
    call: Call[str] = engine.ask(start, key=req_id, name="getWshMetaData()", cancel=cancel)
    news.asking_kinds = req_id

    def settle(call: Call[str]) -> None:
        if not engine.calls.waiting(req_id):
            news.asking_kinds = None
        if call.error is None:  # it stays in force: TWS gives events only while it is
            engine.state.subscriptions[req_id] = Subscription(req_id, WSH_META, None, start, cancel)

    call.add_done_callback(settle)
    return call


def _get_wsh_events(engine: Engine, data: WshEventData) -> Call[str]:
    name, news = f"getWshEventData({data})", engine.state.news
    free, turn = Call[None](name), Call[None](name)  # nobody can cancel the first one
    free.add_done_callback(lambda _: turn.succeed(None))

    def ask() -> Conversation[str]:
        yield turn
        _end(engine, WSH_EVENTS)
        req_id = engine.next_id()
        cancel = m.CancelWshEventData(req_id)
        call: Call[str] = engine.ask(m.ReqWshEventData(req_id, data), key=req_id, name=name, cancel=cancel)
        answer: str = yield call
        engine.send(cancel)  # TWS takes one request of this kind at a time, also when it is answered
        return answer

    before = news.last_asked
    if before is None:
        free.succeed(None)
    else:  # when the one before has ended, and those before it
        call, its_turn = before
        call.add_done_callback(lambda _: its_turn.add_done_callback(lambda _: free.succeed(None)))
    mine = converse(ask(), name)
    news.last_asked = mine, free
    return mine


class NewsRequests(Requests):
    """News and the event calendar."""

    # -- what came in --------------------------------------------------------------------------------

    def newsTicks(self) -> list[NewsTick]:
        """Return the headlines that came in: the live list, which loses its oldest beyond ten thousand.

        >>> ib.newsTicks()
        []
        """
        return self._state.news.ticks

    def newsBulletins(self) -> list[NewsBulletin]:
        """Return the bulletins that came in.

        >>> ib.newsBulletins()
        []
        """
        return list(self._state.news.bulletins.values())

    # -- news ----------------------------------------------------------------------------------------

    def reqNewsProviders(self) -> list[NewsProvider]:
        """Get the news providers that the account is subscribed to.

        Returns: codes, which other news requests take, with names.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> [provider.code for provider in ib.reqNewsProviders()]
        ['BRFG', 'BRFUPDN', 'DJNL']
        """
        return self._wait(_providers)

    def reqNewsProvidersAsync(self) -> Awaitable[list[NewsProvider]]:
        """Get the news providers that the account is subscribed to: see ``reqNewsProviders``."""
        return self._future(_providers)

    def reqNewsArticle(
        self, providerCode: str, articleId: str, newsArticleOptions: Sequence[TagValue] = ()
    ) -> NewsArticle:
        """Get the body of a news article.

        Args:
            providerCode: from a headline.
            articleId: from a headline.
            newsArticleOptions: for IB's own use.

        Returns: the article; ``articleType`` 0 for plain text or HTML, 1 for binary data such as a PDF, in base64.

        Raises RequestError, RequestTimeout, NotConnected.

        >>> headline, = ib.reqHistoricalNews(265598, 'BRFG', '', '', 1)
        >>> article = ib.reqNewsArticle(headline.providerCode, headline.articleId)
        >>> article.articleType, article.articleText
        (0, 'Traders point to unusual activity in APPLE INC. ...')
        """
        options = list(newsArticleOptions or ())
        return self._wait(lambda engine: _article(engine, providerCode, articleId, options))

    def reqNewsArticleAsync(
        self, providerCode: str, articleId: str, newsArticleOptions: Sequence[TagValue] = ()
    ) -> Awaitable[NewsArticle]:
        """Get the body of a news article: see ``reqNewsArticle``."""
        options = list(newsArticleOptions or ())
        return self._future(lambda engine: _article(engine, providerCode, articleId, options))

    def reqHistoricalNews(
        self,
        conId: int,
        providerCodes: str,
        startDateTime: str | date | datetime | None,
        endDateTime: str | date | datetime | None,
        totalResults: int,
        historicalNewsOptions: Sequence[TagValue] = (),
    ) -> list[HistoricalNews] | None:
        """Get the headlines about a contract.

        Args:
            conId: of the qualified contract.
            providerCodes: joined by '+', such as 'BRFG+DJNL'.
            startDateTime: exclusive; '' for no limit. A naive datetime means local time, a text is taken as it is.
            endDateTime: inclusive; '' for now.
            totalResults: how many at most, up to 300.
            historicalNewsOptions: for IB's own use.

        Returns: the headlines, with their times in UTC; the list's ``hasMore`` tells whether there are more of them.

        Raises RequestTimeout after ``QuietTimeout`` without an answer (with ``RaiseRequestErrors`` off that is None),
        RequestError, NotConnected.

        >>> headlines = ib.reqHistoricalNews(265598, 'BRFG+DJNL', '', '', 5)
        >>> len(headlines), headlines.hasMore
        (5, True)
        """
        options = list(historicalNewsOptions or ())
        return self._wait(
            lambda engine: _historical_news(
                engine, conId, providerCodes, startDateTime, endDateTime, totalResults, options
            )
        )

    async def reqHistoricalNewsAsync(
        self,
        conId: int,
        providerCodes: str,
        startDateTime: str | date | datetime | None,
        endDateTime: str | date | datetime | None,
        totalResults: int,
        historicalNewsOptions: Sequence[TagValue] = (),
    ) -> list[HistoricalNews] | None:
        """Get the headlines about a contract: see ``reqHistoricalNews``."""
        options = list(historicalNewsOptions or ())
        return await self._future(
            lambda engine: _historical_news(
                engine, conId, providerCodes, startDateTime, endDateTime, totalResults, options
            )
        )

    def reqNewsBulletins(self, allMessages: bool) -> None:
        """Subscribe to the broker's bulletins; ``ib.newsBulletinEvent`` tells.

        Args:
            allMessages: also those of today that were sent before.

        Raises NotConnected.

        >>> ib.newsBulletinEvent += lambda bulletin: print(bulletin.message)
        >>> ib.reqNewsBulletins(allMessages=True)
        >>> ib.sleep(1)
        This is a simulated gateway: markets, news and accounts are made up.
        True
        """
        self._do(lambda engine: _bulletins(engine, allMessages))

    def cancelNewsBulletins(self) -> None:
        """Cancel the broker's bulletins.

        Raises NotConnected.

        >>> ib.reqNewsBulletins(allMessages=False)
        >>> ib.cancelNewsBulletins()
        """
        if not self._do(lambda engine: _end(engine, BULLETINS)):
            logger.error("cancelNewsBulletins: bulletins are not subscribed")

    # -- Wall Street Horizon -------------------------------------------------------------------------

    def reqWshMetaData(self) -> None:
        """Ask for the kinds of calendar events there are; needs server version 161.

        ``ib.wshMetaEvent(json)`` tells. One request of this kind is active at a time: a new one replaces it,
        ``cancelWshMetaData`` ends it. ``getWshMetaData`` waits for the answer.

        Raises UnsupportedField, NotConnected. What the broker refuses comes as ``errorEvent``.

        >>> ib.wshMetaEvent += lambda json: print(json[:15])
        >>> ib.reqWshMetaData()
        >>> ib.sleep(1)
        {"meta_data": {
        True
        """
        self._do(_wsh_meta)

    def cancelWshMetaData(self) -> None:
        """Cancel ``reqWshMetaData``; needs server version 161.

        Raises NotConnected.

        >>> ib.reqWshMetaData()
        >>> ib.cancelWshMetaData()
        """
        if not self._do(lambda engine: _end(engine, WSH_META)):
            logger.error("cancelWshMetaData: nothing was asked for")

    def reqWshEventData(self, data: WshEventData) -> None:
        """Ask for calendar events; needs server version 161.

        ``ib.wshEvent(json)`` tells. One request of this kind is active at a time: a new one replaces it,
        ``cancelWshEventData`` ends it. ``getWshEventData`` waits for the answer. TWS wants the metadata to be asked for
        first.

        Args:
            data: which events: either a conId, or a filter as the metadata describes it.

        Raises UnsupportedField, NotConnected. What the broker refuses comes as ``errorEvent``.

        >>> ib.wshEvent += lambda json: print(json[:17])
        >>> ib.reqWshMetaData()
        >>> ib.reqWshEventData(WshEventData(conId=265598))
        >>> ib.sleep(1)
        [{"conid": 265598
        True
        """
        self._do(lambda engine: _wsh_events(engine, data))

    def cancelWshEventData(self) -> None:
        """Cancel ``reqWshEventData``; needs server version 161.

        Raises NotConnected.

        >>> ib.reqWshMetaData()
        >>> ib.reqWshEventData(WshEventData(conId=265598))
        >>> ib.cancelWshEventData()
        """
        if not self._do(lambda engine: _end(engine, WSH_EVENTS)):
            logger.error("cancelWshEventData: nothing was asked for")

    def getWshMetaData(self) -> str:
        """Get the kinds of calendar events there are, as JSON; needs server version 161.

        The request stays in force, which ``getWshEventData`` needs; ``cancelWshMetaData`` ends it.

        Returns: the JSON.

        Raises UnsupportedField, RequestError, RequestTimeout, NotConnected.

        >>> import json
        >>> [kind['name'] for kind in json.loads(ib.getWshMetaData())['meta_data']['event_types']]
        ['Earnings Dates', 'Dividends', 'Conference Calls']
        """
        return self._wait(_get_wsh_meta)

    async def getWshMetaDataAsync(self) -> str:
        """Get the kinds of calendar events there are, as JSON: see ``getWshMetaData``."""
        return await self._future(_get_wsh_meta)

    def getWshEventData(self, data: WshEventData) -> str:
        """Get calendar events, as JSON; needs server version 161.

        Args:
            data: which events: either a conId, or a filter as the metadata describes it. TWS wants the
                metadata to be asked for first.

        Returns: the JSON.

        Raises UnsupportedField, RequestError, RequestTimeout, NotConnected.

        >>> import json
        >>> meta = ib.getWshMetaData()
        >>> json.loads(ib.getWshEventData(WshEventData(conId=265598)))[0]['event_type']
        'wshe_ed'
        """
        return self._wait(lambda engine: _get_wsh_events(engine, data))

    async def getWshEventDataAsync(self, data: WshEventData) -> str:
        """Get calendar events, as JSON: see ``getWshEventData``."""
        return await self._future(lambda engine: _get_wsh_events(engine, data))
