"""Headlines, bulletins and what is known about them."""

from __future__ import annotations

import pytest

from ibkit.engine import news
from ibkit.model import NewsBulletin, NewsTick
from ibkit.wire import messages as m
from tests.engine.peer import VERSIONS, EngineUnderTest


@pytest.mark.parametrize("version", VERSIONS)
def test_headlines_and_bulletins(version: int) -> None:
    peer = EngineUnderTest(version)
    peer.send(
        m.TickNews(1, 1_704_466_800_000, "BZ", "BZ$1", "Société's news", "K:0.9"),
        m.NewsBulletins(7, 1, "hello", "NYSE"),
        m.NewsBulletins(7, 2, "no more", "NYSE"),
    )
    tick = NewsTick(1_704_466_800_000, "BZ", "BZ$1", "Société's news", "K:0.9")
    bulletin = NewsBulletin(7, 2, "no more", "NYSE")
    assert peer.engine.state.news.ticks == [tick]
    assert peer.engine.state.news.bulletins == {7: bulletin}
    assert peer.told == [
        ("tickNewsEvent", tick),
        ("newsBulletinEvent", NewsBulletin(7, 1, "hello", "NYSE")),
        ("newsBulletinEvent", bulletin),
    ]


def test_what_came_in_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "KEEP", 20)
    peer = EngineUnderTest()
    peer.send(*(m.TickNews(1, i, "BZ", str(i), "", "") for i in range(25)))
    peer.send(*(m.NewsBulletins(i, 1, "", "") for i in range(25)))
    assert [tick.timeStamp for tick in peer.engine.state.news.ticks] == list(range(6, 25))
    assert list(peer.engine.state.news.bulletins) == list(range(5, 25))


def test_forgetting() -> None:
    peer = EngineUnderTest()
    peer.send(m.TickNews(1, 1, "BZ", "1", "", ""), m.NewsBulletins(1, 1, "", ""))
    peer.engine.state.news.forget_connection()
    assert peer.engine.state.news.ticks
    peer.engine.state.news.reset()
    assert not peer.engine.state.news.ticks
    assert not peer.engine.state.news.bulletins
