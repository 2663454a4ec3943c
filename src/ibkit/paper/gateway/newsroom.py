"""Made-up news: which headline about which instrument appeared when depends on the seed and the instrument alone.

Must not know sessions or messages.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from ibkit.model import NewsProvider
from ibkit.paper.instruments import Instrument

PROVIDERS = [
    NewsProvider("BRFG", "Briefing.com General Market Columns"),
    NewsProvider("BRFUPDN", "Briefing.com Analyst Actions"),
    NewsProvider("DJNL", "Dow Jones Newsletters"),
]

SLOT_S = 3 * 3600
"""An instrument has at most one story in a span of this length; about every other span has one."""

# (provider, headline, body); {name} is the company or the contract.
_STORIES = (
    ("BRFG", "{name}: shares in focus as volume picks up", "Traders point to unusual activity in {name}."),
    ("BRFG", "{name} moves with the broader market", "{name} follows the market in quiet trading."),
    ("BRFUPDN", "{name}: rating reiterated at Neutral", "An analyst keeps {name} at Neutral."),
    ("BRFUPDN", "{name} upgraded to Outperform", "An analyst raises {name} from Neutral to Outperform."),
    ("BRFUPDN", "{name} downgraded to Underperform", "An analyst cuts {name} from Neutral to Underperform."),
    ("DJNL", "What to watch: {name}", "Five things to know about {name} before the next session."),
    ("DJNL", "{name} in brief", "A summary of the week for {name}."),
)


class Story(NamedTuple):
    """One article."""

    time: float
    provider: str
    article_id: str
    headline: str
    body: str


class Newsroom:
    """Writes the news of one simulated world."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def between(self, instrument: Instrument, t0: float, t1: float, providers: frozenset[str]) -> list[Story]:
        """Return the stories of (t0, t1] by ``providers`` (empty: all), in order."""
        slots = range(int(t0 // SLOT_S), int(t1 // SLOT_S) + 1)
        stories = (self.story(instrument, slot) for slot in slots)
        return [
            story for story in stories
            if story and t0 < story.time <= t1 and (not providers or story.provider in providers)
        ]  # fmt: skip

    def parse(self, article_id: str) -> tuple[int, int] | None:
        """Return the conId and the slot an article id stands for; None when it is no id of ours."""
        _, dollar, rest = article_id.partition("$")
        con_id, dash, slot = rest.partition("-")
        try:
            return (int(con_id, 16), int(slot, 16)) if dollar and dash else None
        except ValueError:
            return None

    def story(self, instrument: Instrument, slot: int) -> Story | None:
        """Return the story of one slot, if it has one."""
        digest = blake2b(f"{self._seed}|{instrument.con_id}|{slot}".encode(), digest_size=6).digest()
        if digest[0] & 1:
            return None
        provider, headline, body = _STORIES[digest[1] % len(_STORIES)]
        name = instrument.listing.long_name or instrument.contract.localSymbol
        offset = int.from_bytes(digest[2:5], "big") % SLOT_S
        return Story(
            float(slot * SLOT_S + offset),
            provider,
            f"{provider}${instrument.con_id:x}-{slot:x}",
            headline.format(name=name),
            f"{body.format(name=name)} This story is made up by the simulated gateway.",
        )
